"""Results of a long study in a file, one line each as they come: what was interrupted goes on where it stopped."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

Record: TypeAlias = Mapping[str, Any]


class Records:
    """Records of one study by their key, in a file of JSON lines whose first says which study it is."""

    def __init__(self, path: Path, study: Mapping[str, Any]) -> None:
        """Open the file, or begin it. Raises ValueError if it is of another study: its records are no part of this."""
        self._path = path
        self._records: dict[str, Record] = {}
        lines = self._whole_lines()
        if not lines:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(study) + "\n")
        elif json.loads(lines[0]) != json.loads(json.dumps(study)):
            raise ValueError(f"{path} holds records of another study: remove it or name another file.")
        self._records = {record["key"]: record for record in map(json.loads, lines[1:])}

    def __contains__(self, key: str) -> bool:
        return key in self._records

    def __getitem__(self, key: str) -> Record:
        return self._records[key]

    def add(self, key: str, record: Record) -> None:
        """Keep a record, in the file as well, at once."""
        self._records[key] = {"key": key, **record}
        with self._path.open("a") as file:
            file.write(json.dumps(self._records[key]) + "\n")

    def _whole_lines(self) -> list[str]:
        """The file's lines; a last one that was not written to its end is cut off."""
        if not self._path.exists():
            return []
        text = self._path.read_text()
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._path.write_text(whole)
        return whole.splitlines()
