"""Of several rows that say the same thing exactly one holds: the first touch and conversion, the newest figure."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Workspace
from marketing.importing.dimensions import guess_type
from marketing.models import (
    Campaign,
    Channel,
    ChannelSpend,
    ControlValue,
    Conversion,
    Experiment,
    Goal,
    Import,
    ImportedRow,
    Interaction,
    OutcomeValue,
    Touchpoint,
    TrafficSource,
)

Importer = Callable[..., Import]
TOUCHES = "customer,occurred_at,channel,source,medium,campaign,interaction\n"
CONVERSIONS = "customer,occurred_at,goal,value,order_id,converted\n"


def counts(batch: Import) -> tuple[int, int, int]:
    """Accepted, rejected, duplicates of an import that came to its end."""
    assert batch.status == Import.Status.ACTIVE, batch.job.error
    return batch.accepted, batch.rejected, batch.duplicates


def holding(model: type[ImportedRow], column: str) -> list[object]:
    """A column of the rows that hold, in the order in which they came in."""
    return list(model._default_manager.filter(shadowed=False).order_by("pk").values_list(column, flat=True))


def test_a_touch_repeated_in_the_file_holds_once(import_rows: Importer) -> None:
    batch = import_rows(
        "touchpoints",
        TOUCHES
        + "ann,2026-01-01T10:00Z,TV,,,,click\n"
        + "ann,2026-01-01T11:00+01:00,tv,,,,CLICK\n"  # the same in other words
        + "ann,2026-01-01T10:00:01Z,TV,,,,click\n"
        + "ann,2026-01-01T10:00Z,TV,,,Spring,click\n"
        + "ann,2026-01-01T10:00Z,Radio,,,,click\n"
        + "ann,2026-01-01T10:00Z,TV,,,,impression\n"
        + "bob,2026-01-01T10:00Z,TV,,,,click\n",
    )

    assert counts(batch) == (6, 0, 1)
    first = Touchpoint.objects.order_by("pk")
    assert [touch.shadowed for touch in first] == [False, True, False, False, False, False, False]


def test_a_touch_that_an_earlier_import_said_is_a_duplicate(import_rows: Importer) -> None:
    row = "ann,2026-01-01T10:00Z,TV,,,,\n"
    first = import_rows("touchpoints", TOUCHES + row)
    second = import_rows("touchpoints", TOUCHES + row + "ann,2026-01-02,TV,,,,\n")

    assert counts(second) == (1, 0, 1)
    assert holding(Touchpoint, "batch") == [first.pk, second.pk]


def test_an_import_of_nothing_but_duplicates_is_done_with_nothing_accepted(import_rows: Importer) -> None:
    rows = TOUCHES + "ann,2026-01-01,TV,,,,\nbob,2026-01-01,TV,,,,\n"
    import_rows("touchpoints", rows)

    assert counts(import_rows("touchpoints", rows)) == (0, 0, 2)


def test_a_touch_of_an_import_that_is_not_active_hides_nothing(import_rows: Importer) -> None:
    row = "ann,2026-01-01,TV,,,,\n"
    failed = import_rows("touchpoints", TOUCHES + row)
    Import.objects.filter(pk=failed.pk).update(status=Import.Status.FAILED)

    assert counts(import_rows("touchpoints", TOUCHES + row)) == (1, 0, 0)


def test_an_explicit_channel_stands_for_source_and_medium(import_rows: Importer) -> None:
    batch = import_rows(
        "touchpoints",
        TOUCHES
        + "ann,2026-01-01,TV,google,cpc,,\n"
        + "ann,2026-01-01,TV,bing,cpc,,\n"  # the same channel: the same touch
        + "ann,2026-01-01,,google,cpc,,\n"
        + "ann,2026-01-01,,bing,cpc,,\n"
        + "ann,2026-01-01,,bing,cpc,,\n",
    )

    assert counts(batch) == (3, 0, 2)
    assert list(Touchpoint.objects.order_by("pk").values_list("shadowed", flat=True)) == [
        False,
        True,
        False,
        False,
        True,
    ]


def test_touches_keep_what_their_rows_said(import_rows: Importer, shop: Workspace) -> None:
    import_rows(
        "touchpoints",
        TOUCHES + "ann,2026-01-01,Paid Search,,,Spring,click\nann,2026-01-02,,google,cpc,,\n",
    )

    explicit, grouped = TrafficSource.objects.order_by("pk")
    assert (explicit.channel, explicit.campaign) == (Channel.objects.get(), Campaign.objects.get())
    assert (grouped.channel, grouped.source, grouped.medium, grouped.campaign) == (None, "google", "cpc", None)
    assert Channel.objects.get().colour_slot == 0


def test_new_names_are_created_once_in_the_order_of_the_file(import_rows: Importer, shop: Workspace) -> None:
    rows = TOUCHES + "".join(
        f"{n},2026-01-0{n},{channel},,,{campaign},\n"
        for n, (channel, campaign) in enumerate(
            [("TV", "Spring"), ("Radio", ""), ("tv", "SPRING"), ("Print", "Autumn"), ("Radio", "Spring")], start=1
        )
    )
    for _again in range(2):
        import_rows("touchpoints", rows)

    assert list(Channel.objects.values_list("name", "colour_slot")) == [("TV", 0), ("Radio", 1), ("Print", 2)]
    assert set(Campaign.objects.values_list("name", flat=True)) == {"Spring", "Autumn"}
    sources = TrafficSource.objects.filter(workspace=shop).order_by("pk")
    assert list(sources.values_list("channel__name", "campaign__name")) == [
        ("TV", "Spring"),
        ("Radio", None),
        ("Print", "Autumn"),
        ("Radio", "Spring"),
    ]


def test_a_file_with_more_channels_than_anybody_has_is_refused(import_rows: Importer) -> None:
    import_rows("touchpoints", TOUCHES + "ann,2026-01-01,TV,,,,\n")
    refused = import_rows("touchpoints", TOUCHES + "".join(f"ann,2026-01-01,/page/{n},,,,\n" for n in range(1, 502)))
    accepted = import_rows(
        "spend", "date,channel,spend\n" + "".join(f"2026-01-01,{name},1\n" for name in ["tv", *range(1, 501)])
    )

    assert refused.status == Import.Status.FAILED
    assert refused.job.error == (
        "The file names more than 500 new channels, “/page/1” among them. Is its column of channels the right one?"
    )
    assert counts(accepted) == (501, 0, 0)
    expected = [("TV", 0), *((str(slot), slot) for slot in range(1, 501))]
    assert list(Channel.objects.values_list("name", "colour_slot")) == expected


def test_a_new_goal_called_leads_counts_leads(import_rows: Importer) -> None:
    rows = [f"ann,2026-01-01,{goal},,,\n" for goal in ("LEADS", "lead", "Misleads")]
    import_rows("conversions", CONVERSIONS + "".join(rows))

    kinds = Goal.objects.order_by("pk").values_list("name", "kind")
    assert list(kinds) == [("Purchase", "sale"), ("Lead", "lead"), ("LEADS", "lead"), ("Misleads", "other")]


def test_touches_are_kept_to_the_microsecond_with_or_without_a_segment(import_rows: Importer) -> None:
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel,interaction,segment\n"
        "ann,2026-01-01T10:00:00.000001Z,TV,click,New\n"
        "ann,2026-01-01T12:00:00+02:00,TV,,\n"
        "ann,2000-01-01T00:00:00Z,TV,store_visit,Loyal\n",
    )

    at_ten = dt.datetime(2026, 1, 1, 10, tzinfo=dt.UTC)
    rows = Touchpoint.objects.order_by("pk").values_list("occurred_at", "interaction", "segment__name")
    assert list(rows) == [
        (at_ten + dt.timedelta(microseconds=1), Interaction.CLICK, "New"),
        (at_ten, Interaction.UNSPECIFIED, None),
        (dt.datetime(2000, 1, 1, tzinfo=dt.UTC), Interaction.STORE_VISIT, "Loyal"),
    ]
    found = Touchpoint.objects.get(occurred_at=at_ten)  # as Django writes a time without a fraction
    assert (found.shadowed, found.segment) == (False, None)


def test_an_order_converts_once_for_a_goal(import_rows: Importer) -> None:
    first = import_rows(
        "conversions",
        CONVERSIONS
        + "ann,2026-01-01,Purchase,10,A1,\n"
        + "ann,2026-01-02,purchase,99,A1,\n"  # the same order, told again
        + "ann,2026-01-01,Lead,10,A1,\n"
        + "bob,2026-01-01,,20,A2,\n",
    )
    second = import_rows("conversions", CONVERSIONS + "zoe,2026-01-05,Purchase,5,A2,\nzoe,2026-01-05,Purchase,5,A3,\n")

    assert counts(first) == (3, 0, 1)
    assert counts(second) == (1, 0, 1)
    assert holding(Conversion, "value") == [10, 10, 20, 5]


def test_a_conversion_without_an_order_is_known_by_all_that_it_says(import_rows: Importer) -> None:
    rows = (
        "ann,2026-01-01T10:00Z,Purchase,10,,\n"
        "ann,2026-01-01T10:00Z,Purchase,11,,\n"
        "ann,2026-01-01T10:01Z,Purchase,10,,\n"
        "ann,2026-01-01T10:00Z,Lead,10,,\n"
        "bob,2026-01-01T10:00Z,Purchase,10,,\n"
    )
    first = import_rows("conversions", CONVERSIONS + rows + "ann,2026-01-01T10:00Z,,10.00,,yes\n")
    second = import_rows("conversions", CONVERSIONS + rows)

    assert counts(first) == (5, 0, 1)
    assert counts(second) == (0, 0, 5)
    assert Conversion.objects.filter(shadowed=False).count() == 5


def test_a_customer_known_not_to_have_converted_is_kept_apart_and_worth_nothing(import_rows: Importer) -> None:
    batch = import_rows(
        "conversions",
        CONVERSIONS
        + "ann,2026-01-01,,0,,true\n"
        + "ann,2026-01-01,,25,,false\n"
        + "ann,2026-01-01,,0,,false\n",
    )  # fmt: skip

    assert counts(batch) == (2, 0, 1)
    assert holding(Conversion, "converted") == [True, False]
    assert holding(Conversion, "value") == [Decimal(0), Decimal(0)]


def test_rows_without_a_goal_count_towards_the_default_one(import_rows: Importer) -> None:
    import_rows("conversions", CONVERSIONS + "ann,2026-01-01,,10,,\nann,2026-01-01,Sign-up,,,\n")

    assert [conversion.goal.name for conversion in Conversion.objects.order_by("pk")] == ["Purchase", "Sign-up"]


def test_without_a_default_goal_the_file_must_name_goals(import_rows: Importer) -> None:
    Goal.objects.update(is_default=False)

    named = import_rows("conversions", CONVERSIONS + "ann,2026-01-01,Lead,,,\n")
    unnamed = import_rows("conversions", CONVERSIONS + "ann,2026-01-02,,,,\n")

    assert counts(named) == (1, 0, 0)
    assert unnamed.job.error.startswith("Some rows name no goal")


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


def test_what_google_analytics_writes_for_nothing_is_no_channel_and_no_campaign(import_rows: Importer) -> None:
    touches = import_rows(
        "touchpoints",
        TOUCHES
        + "ann,2026-01-01,(Not Set),(direct),(none),(not set),\n"
        + "ann,2026-01-02,(none),google,cpc,(NONE),\n"
        + "ann,2026-01-03,TV,,,Spring,\n"
        + "ann,2026-01-04,(not set),,,Spring,\n",
    )
    spend = import_rows(
        "spend", "date,channel,campaign,spend\n2026-01-01,TV,(not set),1\n2026-01-01,(not set),Spring,2\n"
    )

    assert counts(touches) == (3, 1, 0)
    assert touches.errors[0]["reason"] == "neither a channel nor a source or medium"
    sources = TrafficSource.objects.order_by("pk").values_list("channel__name", "source", "medium", "campaign__name")
    assert list(sources) == [
        (None, "(direct)", "(none)", None),
        (None, "google", "cpc", None),
        ("TV", "", "", "Spring"),
    ]
    assert counts(spend) == (1, 1, 0)
    assert spend.errors == [{"row": 3, "column": "channel", "reason": "missing"}]
    assert ChannelSpend.objects.get().campaign is None
    assert list(Channel.objects.values_list("name", flat=True)) == ["TV"]


def test_the_database_refuses_two_conversions_of_one_order(import_rows: Importer) -> None:
    import_rows("conversions", CONVERSIONS + "ann,2026-01-01,,1,A1,\nann,2026-01-02,,2,A1,\n")

    with pytest.raises(IntegrityError), transaction.atomic():
        Conversion.objects.update(shadowed=False)


def test_the_database_refuses_two_equal_conversions_without_an_order(import_rows: Importer) -> None:
    import_rows("conversions", CONVERSIONS + "ann,2026-01-01,,1,,\nann,2026-01-01,,1,,\n")

    with pytest.raises(IntegrityError), transaction.atomic():
        Conversion.objects.update(shadowed=False)


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


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Organic Search", Channel.Type.ORGANIC),
        ("Direct", Channel.Type.ORGANIC),
        ("Direct mail", Channel.Type.OFFLINE),
        ("Connected TV", Channel.Type.OFFLINE),
        ("Out-of-home", Channel.Type.OFFLINE),
        ("E-Mail Newsletter", Channel.Type.OWNED),
        ("Mobile Push Notifications", Channel.Type.OWNED),
        ("Sprinter ads", Channel.Type.PAID),
        ("Paid Social", Channel.Type.PAID),
    ],
)
def test_a_new_channels_type_is_guessed_from_its_name(name: str, kind: Channel.Type) -> None:
    assert guess_type(name) == kind
