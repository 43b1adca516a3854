"""The templates that people download, fill in and bring back."""

import datetime as dt
import zoneinfo
from pathlib import Path

import pytest

from marketing.importing.cells import Clock
from marketing.importing.checking import Checker
from marketing.importing.fields import FIELDS
from marketing.importing.guessing import guess_dataset
from marketing.importing.inspection import inspect
from marketing.importing.templates import TEMPLATES, template_file
from marketing.models import Dataset

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("dataset", Dataset.values)
def test_a_template_can_be_imported_as_it_is(dataset: str, tmp_path: Path) -> None:
    path = tmp_path / f"{dataset}.csv"
    path.write_bytes(template_file(dataset))
    found = inspect(path, file_name=path.name)

    checker = Checker(
        path=path,
        dataset=dataset,
        mapping={},
        clock=Clock(zone=zoneinfo.ZoneInfo("Europe/Berlin"), now=NOW, currency="EUR"),
        reading=found.reading,
    )
    chunks = list(checker)

    assert [error for chunk in chunks for error in chunk.errors] == []
    assert sum(chunk.count for chunk in chunks) == 3
    assert checker.warnings == []
    assert found.questions == []


@pytest.mark.parametrize("dataset", [dataset for dataset in Dataset.values if dataset != Dataset.MEDIA_TABLE])
def test_a_template_shows_every_field(dataset: str) -> None:
    assert TEMPLATES[dataset][0] == tuple(field.name for field in FIELDS[dataset])


@pytest.mark.parametrize("dataset", Dataset.values)
def test_a_template_is_known_for_what_it_is(dataset: str) -> None:
    header, *rows = TEMPLATES[dataset]

    assert guess_dataset(header, rows) == dataset
