"""What others have written is what it was when it was taken in, and `make audit` says what is known of it."""

import hashlib
import importlib.util
import json
import re
import tomllib
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings

VENDORED = settings.BASE_DIR / "static/vendor"


def test_every_package_is_locked_with_its_hashes() -> None:
    packages = tomllib.loads((settings.BASE_DIR / "uv.lock").read_text())["package"]
    others = [package for package in packages if package["source"] != {"virtual": "."}]
    assert len(others) > 100
    for package in others:
        assert package["source"] == {"registry": "https://pypi.org/simple"}, package["name"]
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        assert files, package["name"]
        for file in files:
            assert re.fullmatch("sha256:[0-9a-f]{64}", file["hash"]), file["url"]
            assert file["url"].startswith("https://files.pythonhosted.org/"), file["url"]


def test_every_vendored_file_is_what_its_list_says() -> None:
    listed = dict(re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", (VENDORED / "README.md").read_text(), re.M))
    files = [file for file in VENDORED.rglob("*") if file.is_file() and file.name not in ("README.md", "LICENSE")]
    assert {file.relative_to(VENDORED).as_posix() for file in files} == set(listed)
    for file in files:
        assert hashlib.sha256(file.read_bytes()).hexdigest() == listed[file.relative_to(VENDORED).as_posix()], file
        assert len((file.parent / "LICENSE").read_text()) > 500, file


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", settings.BASE_DIR / "scripts/audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOUND = {"name": "django", "version": "5.2.9", "vulns": []}
UNSOUND = {"name": "pillow", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"], "aliases": []}]}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI and could not be audited: ours (1.0)"}


def _answer(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_vulnerable_package_fails_and_is_named(audit: ModuleType) -> None:
    status, lines = audit.judge(answer=_answer(SOUND, UNSOUND), complaint="Found 1 known vulnerability")
    assert (status, lines) == (1, ["pillow 1.0: CVE-1, fixed in 1.1"])


def test_an_all_clear_says_of_how_many_packages(audit: ModuleType) -> None:
    assert audit.judge(answer=_answer(SOUND), complaint="") == (0, ["No known vulnerability in 1 package."])


def test_a_package_that_nobody_knows_is_named_beside_the_others(audit: ModuleType) -> None:
    status, lines = audit.judge(answer=_answer(SOUND, UNKNOWN), complaint="")
    assert (status, lines[0]) == (0, "Not known to PyPI, and not judged: ours.")


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("", "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed"),
        (_answer(UNKNOWN), "No known vulnerabilities found"),  # a mirror that serves packages only
    ],
    ids=["no way out", "a mirror"],
)
def test_no_answer_is_no_all_clear(audit: ModuleType, answer: str, complaint: str) -> None:
    assert audit.judge(answer=answer, complaint=complaint) == (0, [audit.SKIPPED])


def test_a_fault_of_the_tool_is_no_excuse(audit: ModuleType) -> None:
    with pytest.raises(audit.AuditFailed, match="requirements"):
        audit.judge(answer="", complaint="invalid requirements")
