"""Of several touches or conversions that say the same thing exactly one holds: the first."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Workspace
from marketing.importing.dimensions import guess_type
from marketing.models import (
    Campaign,
    Channel,
    ChannelSpend,
    Conversion,
    Goal,
    Import,
    Interaction,
    Touchpoint,
    TrafficSource,
)
from tests.marketing.settled import CONVERSIONS, TOUCHES, Importer, counts, holding


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
