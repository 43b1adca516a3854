"""The published media tables that people start with come in unedited, as they are guessed and completed by hand."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from django.db.models import Sum

from accounts.models import Workspace
from jobs.execution import execute
from marketing.importing.actions import request_import
from marketing.importing.guessing import guess_dataset, guess_mapping
from marketing.importing.inspection import inspect
from marketing.models import ChannelSpend, ControlValue, Dataset, Event, Import, OutcomeValue

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "mmm"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"The reference data are not in {REFERENCE}."),
]
# What is left to a person, by file: the names of these columns do not tell.
BY_HAND = {
    "robyn_dt_simulated_weekly.csv": {},
    "meridian_national_all_channels.csv": {},
    "meridian_geo_all_channels.csv": {},
    "pymc_mmm_example.csv": {"spend:x1": "x1", "spend:x2": "x2"},
}
LEFT_OUT = {
    "meridian_geo_all_channels.csv": {""},
    "pymc_mmm_example.csv": {"dayofyear", "t"},
}

BY_REGION = "meridian_geo_all_channels.csv"

Import_ = Callable[[str], tuple[Import, dict[str, str]]]


@pytest.fixture
def import_table(shop: Workspace, media_root: Path) -> Import_:
    """Import a reference file with the guessed mapping; return the import and the mapping."""

    def carry_out(name: str) -> tuple[Import, dict[str, str]]:
        path = REFERENCE / name
        found = inspect(path, file_name=name)
        assert found.questions == []
        assert guess_dataset(found.header, found.sample) == Dataset.MEDIA_TABLE
        mapping = guess_mapping(Dataset.MEDIA_TABLE, found.header, found.sample) | BY_HAND[name]
        assert set(found.header) - set(mapping.values()) == LEFT_OUT.get(name, set())
        batch = request_import(
            workspace=shop,
            dataset=Dataset.MEDIA_TABLE,
            file=path,
            mapping=mapping,
            reading=found.reading,
            by=None,
            origin=Import.Origin.CLI,
            ring=False,
        )
        execute(job_id=batch.job_id)
        return Import.objects.select_related("job").get(pk=batch.pk), mapping

    return carry_out


def stored(kind: str, label: str) -> float:
    """The sum of a series over the rows that hold."""
    if kind in ("outcome", "control"):
        model = OutcomeValue if kind == "outcome" else ControlValue
        rows = model._default_manager.filter(**{f"{kind}__name": label}, shadowed=False)
        return float(rows.aggregate(total=Sum("value"))["total"])
    bought = ChannelSpend.objects.filter(channel__name=label, shadowed=False)
    return float(bought.aggregate(total=Sum(kind))["total"])


def assert_unedited(name: str, batch: Import, mapping: dict[str, str]) -> None:
    """Every row of the table has come in, and each series sums up to what the file says."""
    table = pd.read_csv(REFERENCE / name)
    assert batch.status == Import.Status.ACTIVE, batch.job.error
    assert (batch.accepted, batch.rejected, batch.duplicates) == (len(table), 0, 0)
    series = {field: column for field, column in mapping.items() if ":" in field}
    assert series
    for field, column in series.items():
        kind, label = field.split(":", 1)
        assert stored(kind, label) == pytest.approx(table[column].sum(), rel=1e-9, abs=1e-3), field


@pytest.mark.parametrize("name", [name for name in BY_HAND if name != BY_REGION])
def test_a_published_table_imports_unedited(name: str, import_table: Import_) -> None:
    batch, mapping = import_table(name)

    assert_unedited(name, batch, mapping)


def test_a_table_by_region_imports_unedited_and_each_region_keeps_its_own_figures(import_table: Import_) -> None:
    batch, mapping = import_table(BY_REGION)

    assert_unedited(BY_REGION, batch, mapping)
    table = pd.read_csv(REFERENCE / BY_REGION)
    assert set(ChannelSpend.objects.values_list("geo", flat=True)) == set(table["geo"])
    row = table[(table["geo"] == "Geo7") & (table["time"] == "2021-02-08")].iloc[0]
    spend = ChannelSpend.objects.get(channel__name="Channel0", geo="Geo7", date=dt.date(2021, 2, 8))
    assert float(spend.spend or 0) == pytest.approx(row["Channel0_spend"], abs=1e-6)
    assert spend.impressions == row["Channel0_impression"]
    population = ControlValue.objects.get(control__name="population", geo="Geo7", date=dt.date(2021, 2, 8))
    assert population.value == row["population"]


def test_named_events_of_a_weekly_table_last_for_their_week(import_table: Import_) -> None:
    import_table("robyn_dt_simulated_weekly.csv")

    table = pd.read_csv(REFERENCE / "robyn_dt_simulated_weekly.csv", keep_default_na=False)
    named = table[table["events"] != "na"]
    expected = [
        (event, day, day + dt.timedelta(days=6))
        for event, day in zip(named["events"], map(dt.date.fromisoformat, named["DATE"]), strict=True)
    ]
    assert list(Event.objects.order_by("start").values_list("name", "start", "end")) == expected
    assert expected
