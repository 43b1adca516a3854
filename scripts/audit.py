#!/usr/bin/env python3
"""Ask whether a locked package has a known vulnerability: end with 1 if one has, with 0 if none has or nobody knows.

usage: uv run --isolated --frozen --only-group audit scripts/audit.py

Asked is the vulnerability service of PyPI, by pip-audit, about the packages of uv.lock. Where no answer comes (no way
out, or a mirror that serves packages only), that is said, and is neither a finding nor an all-clear.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

UNREACHABLE = ("ConnectionError", "Could not connect", "Max retries exceeded", "timed out")
SKIPPED = (
    "Skipped: the vulnerability service of PyPI cannot be reached from here, so nothing is known. Run it where it can."
)


class AuditFailed(Exception):
    """pip-audit did not get as far as asking; the message is what it said."""


def judge(*, answer: str, complaint: str) -> tuple[int, list[str]]:
    """Return the exit status and the lines to print.

    `answer`: the JSON that pip-audit wrote, "" if none. `complaint`: what it wrote to stderr. Raises AuditFailed.
    """
    if not answer.strip():
        if any(sign in complaint for sign in UNREACHABLE):
            return 0, [SKIPPED]
        raise AuditFailed(complaint.strip())
    packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    asked = [package for package in packages if "skip_reason" not in package]
    unknown = sorted(package["name"] for package in packages if "skip_reason" in package)
    if not asked:
        return 0, [SKIPPED]
    found = [
        f"{package['name']} {package['version']}: {one['id']}, fixed in {', '.join(one['fix_versions']) or 'none'}"
        for package in asked
        for one in package["vulns"]
    ]
    lines = [f"Not known to PyPI, and not judged: {', '.join(unknown)}."] if unknown else []
    lines += found or [f"No known vulnerability in {len(asked)} package{'s' * (len(asked) != 1)}."]
    return int(bool(found)), lines


def main() -> int:
    """Ask, print what came of it, and return the exit status."""
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        export = (
            "uv",
            "export",
            "--frozen",
            "--all-groups",
            "--all-extras",
            "--quiet",
            "--output-file",
            str(requirements),
        )
        subprocess.run(export, cwd=root, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - a fixed command
        ask = (
            *(sys.executable, "-m", "pip_audit", "--requirement", str(requirements), "--require-hashes"),
            *("--disable-pip", "--format", "json", "--progress-spinner", "off"),
        )
        done = subprocess.run(ask, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    try:
        status, lines = judge(answer=done.stdout, complaint=done.stderr)
    except AuditFailed as failure:
        status, lines = 1, [f"pip-audit failed: {failure}"]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
