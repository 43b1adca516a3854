"""Of several figures for the same day the newest holds; within one file, the first."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Workspace
from marketing.channels import rename_channel
from marketing.models import (
    ChannelSpend,
    ControlValue,
    Experiment,
    Import,
    ImportedRow,
    OutcomeValue,
)
from tests.marketing.settled import Importer, counts, holding


def test_the_newest_spend_of_a_day_holds(import_rows: Importer) -> None:
    header = "date,channel,campaign,geo,spend,impressions,clicks\n"
    first = import_rows(
        "spend",
        header + "2026-01-01,TV,,,10,100,\n2026-01-02,TV,,,20,,\n2026-01-01,TV,Spring,,1,,\n2026-01-01,TV,,DE,2,,\n",
    )
    second = import_rows("spend", header + "2026-01-01,tv,,,11.5,,7\n")

    assert counts(first) == (4, 0, 0)
    assert counts(second) == (1, 0, 0)
    assert holding(ChannelSpend, "spend") == [20, 1, 2, Decimal("11.5")]
    replaced = ChannelSpend.objects.get(shadowed=True)
    assert (replaced.batch_id, replaced.spend, replaced.impressions) == (first.pk, Decimal(10), 100.0)
    latest = ChannelSpend.objects.get(batch=second)
    assert (latest.impressions, latest.clicks) == (None, 7)


def test_two_names_of_one_channel_on_a_day_are_the_same_row(import_rows: Importer, shop: Workspace) -> None:
    import_rows("spend", "date,channel,spend\n2026-01-01,TV,1\n")
    rename_channel(channel=shop.channels.get(), name="Television", by=None)

    batch = import_rows("spend", "date,channel,spend\n2026-01-02,tv,1\n2026-01-02,Television,2\n")

    assert counts(batch) == (1, 1, 0)
    assert batch.errors == [{"row": 3, "column": "", "reason": "the same date, channel as row 2"}]


def measures(batch: Import) -> dict[str, tuple[object, ...]]:
    """Spend, impressions and clicks of an import's rows that hold, by channel."""
    rows = ChannelSpend.objects.filter(batch=batch, shadowed=False)
    return {row.channel.name: (row.spend, row.impressions, row.clicks) for row in rows.select_related("channel")}


def test_spend_restated_without_a_column_for_impressions_keeps_them(import_rows: Importer) -> None:
    header = "date,channel,campaign,spend,impressions,clicks\n"
    import_rows("spend", header + "2026-01-01,TV,,10,100,5\n2026-01-01,TV,Spring,1,7,1\n2026-01-01,Radio,,3,30,\n")
    restated = import_rows("spend", "date,channel,spend,clicks\n2026-01-01,TV,11,\n2026-01-02,Print,4,2\n")

    assert measures(restated) == {"TV": (11, 100, None), "Print": (4, None, 2)}  # the blank clicks were said


def test_a_wide_table_keeps_the_measures_that_it_has_no_columns_for(import_rows: Importer) -> None:
    import_rows(
        "media_table",
        "date,spend:TV,impressions:TV,clicks:TV,spend:Radio\n2026-01-01,10,100,5,3\n2026-01-02,20,200,6,4\n",
    )
    impressions = import_rows("media_table", "date,impressions:tv,clicks:Radio\n2026-01-01,111,8\n")
    spend = import_rows("media_table", "date,spend:TV,clicks:TV,outcome:Sales\n2026-01-01,12,,9\n")

    assert measures(impressions) == {"Radio": (3, None, 8)}
    assert measures(spend) == {"TV": (12, 111, None)}


@pytest.mark.parametrize(("dataset", "name", "model"), [
    ("outcomes", "outcome", OutcomeValue),
    ("controls", "control", ControlValue),
])  # fmt: skip
def test_the_newest_figure_of_a_series_holds(
    import_rows: Importer, dataset: str, name: str, model: type[ImportedRow]
) -> None:
    header = f"date,{name},geo,value\n"
    import_rows(
        dataset, header + "2026-01-01,Sales,,1\n2026-01-02,Sales,,2\n2026-01-01,Visits,,3\n2026-01-01,Sales,DE,4\n"
    )
    import_rows(dataset, header + "2026-01-01,SALES,,-5\n")
    import_rows(dataset, header + "2026-01-01,Sales,,6\n")

    assert holding(model, "value") == [2, 3, 4, 6]


def test_the_newest_word_on_an_experiment_holds(import_rows: Importer) -> None:
    header = "channel,start,end,geo,lift,standard_error,spend\n"
    first = import_rows("experiments", header + "TV,2026-01-01,2026-01-31,,100,10,500\n")
    import_rows("experiments", header + "TV,2026-01-01,2026-01-31,,120,9,500\nTV,2026-01-01,2026-01-30,,-7,9,500\n")

    assert holding(Experiment, "lift") == [120, -7]
    assert (first.first_day, first.last_day) == (dt.date(2026, 1, 1), dt.date(2026, 1, 31))


def test_figures_of_another_workspace_are_left_alone(import_rows: Importer, shop: Workspace) -> None:
    rows = "date,outcome,value\n2026-01-01,Sales,1\n"
    import_rows("outcomes", rows)
    OutcomeValue.objects.get().outcome.__class__.objects.update(workspace=Workspace.objects.create(name="B", slug="b"))
    import_rows("outcomes", rows)

    assert holding(OutcomeValue, "value") == [1, 1]


@pytest.mark.parametrize(
    ("dataset", "rows", "reason"),
    [
        ("spend", "date,channel,spend\n2026-01-01,TV,1\n2026-01-01,tv,2\n", "the same date, channel as row 2"),
        ("spend", "date,channel,spend\n2026-01-01,TV,1\n2026-01-02,TV,-2\n", "negative"),
        ("outcomes", "date,outcome,value\n2026-01-01,Sales,1\n2026-01-01,sales,1\n", "the same date, outcome as row 2"),
        ("media_table", "date,spend:TV\n2026-01-01,1\n2026-01-01,1\n", "the same date as row 2"),
        (
            "experiments",
            "channel,start,end,lift,standard_error,spend\nTV,2026-01-01,2026-01-02,1,1,1\nTV,2026-01-02,2026-01-01,1,1,1\n",
            "ends before it starts",
        ),
        (
            "experiments",
            "channel,start,end,lift,standard_error,spend\nTV,2026-01-01,2026-01-02,1,1,1\nTV,2026-01-02,2026-01-03,1,0,1\n",
            "not above zero",
        ),
        ("touchpoints", "customer,occurred_at,channel\nann,2026-01-01,TV\nann,2026-01-01,\n", "neither a channel nor"),
        ("conversions", "customer,occurred_at,value\nann,2026-01-01,1\nann,2026-01-01,-1\n", "negative"),
    ],
)
def test_a_row_that_contradicts_itself_or_an_earlier_one_is_rejected(
    import_rows: Importer, dataset: str, rows: str, reason: str
) -> None:
    batch = import_rows(dataset, rows)

    assert counts(batch) == (1, 1, 0)
    assert batch.errors[0]["row"] == 3
    assert reason in batch.errors[0]["reason"]


def test_a_wide_table_becomes_series(import_rows: Importer) -> None:
    batch = import_rows(
        "media_table",
        "week,geo,tv,imps,sales,promo\n2026-01-05,DE,10,100,5,\n2026-01-12,DE,,,6,1\n",
        **{
            "date": "week",
            "spend:TV": "tv",
            "impressions: tv ": "imps",
            "outcome:Sales": "sales",
            "control:Promo": "promo",
        },
    )

    assert counts(batch) == (2, 0, 0)
    spend = ChannelSpend.objects.get()
    assert (spend.channel.name, spend.spend, spend.impressions, spend.geo) == ("TV", Decimal(10), 100.0, "DE")
    assert holding(OutcomeValue, "value") == [5, 6]
    assert list(ControlValue.objects.values_list("date", "value")) == [(dt.date(2026, 1, 12), 1)]


def test_the_kind_of_a_series_may_be_in_any_case(import_rows: Importer) -> None:
    batch = import_rows(
        "media_table",
        "Date,Spend:Radio,OUTCOME: Sales,tv\n2026-01-05,10,5,3\n",
        **{"Spend:TV": "tv"},
    )

    assert counts(batch) == (1, 0, 0)
    assert dict(ChannelSpend.objects.values_list("channel__name", "spend")) == {"Radio": 10, "TV": 3}
    assert list(OutcomeValue.objects.values_list("outcome__name", "value")) == [("Sales", 5)]


def test_a_row_that_is_rejected_does_not_stand_in_the_way_of_its_correction(import_rows: Importer) -> None:
    spend = import_rows("spend", "date,channel,spend\n2026-01-01,TV,-1\n2026-01-01,TV,2\n2026-01-01,TV,3\n")
    lift = import_rows(
        "experiments",
        "channel,start,end,lift,standard_error,spend\nTV,2026-01-01,2026-01-02,1,0,1\nTV,2026-01-01,2026-01-02,1,1,1\n",
    )

    assert counts(spend) == (1, 2, 0)
    reasons = [error["reason"].partition(":")[0] for error in spend.errors]
    assert reasons == ["negative", "the same date, channel as row 3"]
    assert holding(ChannelSpend, "spend") == [2]
    assert counts(lift) == (1, 1, 0)


@pytest.mark.parametrize(("model", "dataset", "rows"), [
    (ChannelSpend, "spend", "date,channel,spend\n2026-01-01,TV,1\n"),
    (OutcomeValue, "outcomes", "date,outcome,value\n2026-01-01,Sales,1\n"),
    (ControlValue, "controls", "date,control,value\n2026-01-01,Price,1\n"),
    (Experiment, "experiments", "channel,start,end,lift,standard_error,spend\nTV,2026-01-01,2026-01-02,1,1,1\n"),
])  # fmt: skip
def test_the_database_refuses_two_figures_for_one_day(
    import_rows: Importer, model: type[ImportedRow], dataset: str, rows: str
) -> None:
    import_rows(dataset, rows)
    import_rows(dataset, rows)

    with pytest.raises(IntegrityError), transaction.atomic():
        model._default_manager.update(shadowed=False)


def test_the_database_refuses_negative_spend(import_rows: Importer) -> None:
    import_rows("spend", "date,channel,spend\n2026-01-01,TV,1\n")

    with pytest.raises(IntegrityError), transaction.atomic():
        ChannelSpend.objects.update(spend=-1)
