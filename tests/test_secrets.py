"""No key, token or private key is in a file of the repository: whoever has the code must not have anybody's account."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from accounts.api_keys import generate
from webhooks.signing import new_secret

FORMS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22})",
    "a GitLab token": r"\bglpat-[\w-]{20}",
    "a Slack token": r"\bxox[abeoprs]-[\w-]{10}",
    "a Google key": r"\bAIza[\w-]{35}",
    "a Stripe key": r"\b[rs]k_live_\w{16}",
    "a key of a language model": r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32}",
    "a PyPI token": r"\bpypi-AgE[\w-]{50}",
    "an npm token": r"\bnpm_[A-Za-z0-9]{36}",
    "a SendGrid key": r"\bSG\.[\w-]{16,}\.[\w-]{32}",
    "a JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10}",
    "an API key of the product": r"\bmmm_[a-z0-9]{8}_[A-Za-z0-9_-]{43}",
    "a secret of a webhook": r"\bwhsec_[A-Za-z0-9+/]{40}",
}
ANY = re.compile("|".join(FORMS.values()).encode())
KEPT_OUT = ("secret_key", ".env", "id_rsa", "id_ed25519", "*.pem", "*.p12", "*.key", "*.sqlite3", ".netrc", ".pypirc")


def tracked() -> list[Path]:
    """Every file of the repository that would be handed on, also one that is new."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, check=True).stdout
    files = [settings.BASE_DIR / name for name in listed.decode().split("\0") if name]
    return [file for file in files if file.is_file()]


def found_in(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield the line and the beginning of whatever looks like a secret."""
    for match in ANY.finditer(content):
        yield content.count(b"\n", 0, match.start()) + 1, match[0][:12].decode(errors="replace")


def test_no_file_holds_a_secret() -> None:
    files = tracked()
    assert len(files) > 1000
    found = [
        f"{file.relative_to(settings.BASE_DIR)}:{line} {start}…"
        for file in files
        for line, start in found_in(file.read_bytes())
    ]
    assert found == []


def test_no_file_is_one_that_keeps_secrets() -> None:
    assert [file for file in tracked() if any(file.match(pattern) for pattern in KEPT_OUT)] == []


# Put together here, so that this file holds none.
PLANTED = {
    "a private key": "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
    "an AWS access key": "AKIA" + "IOSFODNN7EXAMPLE",
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a GitLab token": "glpat-" + "a1B2" * 5,
    "a Slack token": "xoxb-" + "1234567890-abc",
    "a Google key": "AIza" + "a1B2_" * 7,
    "a Stripe key": "sk_live_" + "a1B2" * 6,
    "a key of a language model": "sk-ant-" + "a1B2" * 12,
    "a PyPI token": "pypi-AgE" + "a1B2" * 20,
    "an npm token": "npm_" + "a1B2" * 9,
    "a SendGrid key": "SG." + "a1B2" * 5 + "." + "a1B2" * 10,
    "a JSON web token": "eyJ" + "a1B2" * 5 + ".eyJ" + "a1B2" * 5,
    "an API key of the product": generate()[1],
    "a secret of a webhook": new_secret(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_planted_secret_is_found(form: str) -> None:
    content = f"# settings\nTOKEN = '{PLANTED[form]}'\n".encode()
    assert [line for line, _start in found_in(content)] == [2]
    assert re.search(FORMS[form], content.decode())
