"""Whether a workspace holds amounts: what keeps its currency."""

import datetime as dt

import pytest

from accounts.defaults import holds_amounts
from accounts.models import Workspace
from marketing.models import Dataset, Import, Outcome, OutcomeValue
from tests.marketing.batches import add_import


def test_an_empty_workspace_holds_none(workspace: Workspace) -> None:
    assert not holds_amounts(workspace)


@pytest.mark.parametrize(
    ("dataset", "mapping", "expected"),
    [
        (Dataset.SPEND, {}, True),
        (Dataset.EXPERIMENTS, {}, True),
        (Dataset.CONVERSIONS, {"customer": "id", "value": "revenue"}, True),
        (Dataset.CONVERSIONS, {"customer": "id"}, False),
        (Dataset.CONVERSIONS, {}, True),  # nothing is known of its columns
        (Dataset.MEDIA_TABLE, {"date": "week", "spend:TV": "tv_S"}, True),
        (Dataset.MEDIA_TABLE, {"date": "week", "impressions:TV": "tv_I"}, False),
        (Dataset.PATHS, {"path": "path", "value": "total_conversion_value"}, True),
        (Dataset.PATHS, {"path": "path", "conversions": "n"}, False),
        (Dataset.TOUCHPOINTS, {}, False),
        (Dataset.CONTROLS, {}, False),
    ],
)
@pytest.mark.parametrize("status", Import.Status.values)
def test_what_an_import_brought_decides(
    workspace: Workspace, dataset: Dataset, mapping: dict[str, str], expected: bool, status: str
) -> None:
    batch = add_import(workspace, dataset, status=status)
    Import.objects.filter(pk=batch.pk).update(mapping=mapping)
    on_its_way = status in ("pending", "loading") and dataset in (
        Dataset.CONVERSIONS,
        Dataset.MEDIA_TABLE,
        Dataset.PATHS,
    )
    ended = status in ("failed", "undone")
    assert holds_amounts(workspace) == ((expected or on_its_way) and not ended)


@pytest.mark.parametrize(("is_money", "status"), [(True, "active"), (True, "undone"), (False, "active")])
def test_values_of_an_outcome_in_money_are_amounts(workspace: Workspace, is_money: bool, status: str) -> None:
    sales = Outcome.objects.create(workspace=workspace, name="Sales", is_money=is_money)
    batch = add_import(workspace, Dataset.OUTCOMES, status=status)
    assert not holds_amounts(workspace)
    OutcomeValue.objects.create(batch=batch, outcome=sales, date=dt.date(2026, 5, 1), value=3)
    assert holds_amounts(workspace) == (is_money and status == "active")


def test_the_amounts_of_others_do_not_count(workspace: Workspace) -> None:
    add_import(Workspace.objects.create(name="Other", slug="other"), Dataset.SPEND)
    assert not holds_amounts(workspace)
