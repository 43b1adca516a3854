"""The period of a page and its comparison, as its address says them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Workspace
from marketing.pages.period_selector import period_selector
from marketing.period_choice import Comparison, PeriodChoice
from marketing.periods import Period

NOW = dt.datetime(2026, 4, 1, 22, 30, tzinfo=dt.UTC)  # in Berlin it is the 2nd already
BERLIN = Workspace(name="Shop", slug="shop", timezone="Europe/Berlin", period_days=90)


def choose(**query: str) -> PeriodChoice:
    return PeriodChoice.from_query(query, workspace=BERLIN, now=NOW)


def period(start: str, end: str) -> Period:
    return Period(dt.date.fromisoformat(start), dt.date.fromisoformat(end))


def test_without_a_word_it_is_the_workspaces_period_against_the_one_before() -> None:
    choice = choose()
    assert (choice.preset, choice.comparison, choice.match_weekday) == ("last_90", Comparison.PREVIOUS, False)
    assert choice.period == period("2026-01-02", "2026-04-01")
    assert choice.compared == period("2025-10-04", "2026-01-01")


def test_a_period_that_is_no_preset_is_the_workspaces_too() -> None:
    workspace = Workspace(timezone="UTC", period_days=45)
    choice = PeriodChoice.from_query({}, workspace=workspace, now=NOW)
    assert (choice.preset, choice.period.days, choice.label) == ("", 45, "15 Feb \N{EN DASH} 31 Mar 2026")


@pytest.mark.parametrize("written", ["last_30", "last_30_days", "30_days", "LAST_30"])
def test_presets_are_known_by_their_names(written: str) -> None:
    choice = choose(period=written)
    assert (choice.preset, choice.period, choice.label) == (
        "last_30",
        period("2026-03-03", "2026-04-01"),
        "Last 30 days",
    )


@pytest.mark.parametrize(
    ("query", "compared"),
    [
        ({"compare": "none"}, None),
        ({"compare": "previous"}, ("2026-02-01", "2026-03-02")),
        # 30 days begin on a Tuesday; five whole weeks earlier is a Tuesday again.
        ({"compare": "previous", "match_weekday": "1"}, ("2026-01-27", "2026-02-25")),
        ({"compare": "year"}, ("2025-03-03", "2025-04-01")),
        ({"compare": "year", "match_weekday": "1"}, ("2025-03-04", "2025-04-02")),
    ],
)
def test_what_it_is_compared_with(query: dict[str, str], compared: tuple[str, str] | None) -> None:
    assert choose(period="last_30", **query).compared == (period(*compared) if compared else None)


@given(
    start=st.dates(dt.date(2001, 1, 1), dt.date(2090, 1, 1)),
    days=st.integers(1, 1000),
    comparison=st.sampled_from([Comparison.PREVIOUS, Comparison.YEAR]),
)
def test_matching_weekdays_compares_each_day_with_its_own_weekday(
    start: dt.date, days: int, comparison: Comparison
) -> None:
    chosen = Period(start, start + dt.timedelta(days - 1))
    choice = PeriodChoice(period=chosen, preset="", comparison=comparison, match_weekday=True)
    compared = choice.compared
    assert compared is not None
    assert compared.days == chosen.days
    assert compared.start.weekday() == chosen.start.weekday()
    assert compared.end < chosen.start or comparison == Comparison.YEAR


@given(
    st.fixed_dictionaries(
        {"compare": st.sampled_from([*Comparison])},
        optional={
            "period": st.sampled_from(["last_30", "last_365"]),
            "match_weekday": st.just("1"),
        },
    )
)
def test_the_address_gives_the_choice_back(query: dict[str, str]) -> None:
    choice = choose(**query)
    assert choose(**choice.query()) == choice


def test_a_custom_period_is_kept_by_its_dates() -> None:
    choice = choose(start="2026-02-01", end="2026-02-28", compare="year")
    assert choice.query() == {"start": "2026-02-01", "end": "2026-02-28", "compare": "year"}
    assert choice.label == "1\N{EN DASH}28 Feb 2026"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"period": "last_7"}, "“last_7” is not a period"),
        ({"start": "2026-02-30", "end": "2026-03-01"}, "“2026-02-30” is not a day"),
        ({"start": "2026-02-01"}, "needs both a start and an end"),
        ({"end": "2026-02-01"}, "needs both a start and an end"),
        ({"start": "2026-03-01", "end": "2026-02-01"}, "ends (2026-02-01) before it starts"),
        ({"start": "1999-01-01", "end": "2026-02-01"}, "between 2000 and 2100"),
        ({"start": "2000-01-01", "end": "2026-02-01"}, "at most 3660 days"),
        ({"compare": "\x00"}, "is no comparison"),
    ],
)
def test_what_makes_no_sense_takes_the_default_and_says_so(query: dict[str, str], sentence: str) -> None:
    choice = choose(**query)
    assert any(sentence in error for error in choice.errors)
    assert (choice.period, choice.comparison) == (choose().period, Comparison.PREVIOUS)


def test_data_that_ends_earlier_offers_as_many_days_up_to_then() -> None:
    choice = choose(period="last_30", compare="year")
    offered = choice.up_to(dt.date(2026, 2, 10))
    assert offered is not None
    assert (offered.period, offered.preset, offered.comparison) == (period("2026-01-12", "2026-02-10"), "", "year")
    assert choice.up_to(dt.date(2026, 4, 1)) is None
    assert choice.up_to(None) is None


def test_the_selector_links_to_every_preset_and_keeps_the_rest() -> None:
    choice = choose(period="last_30", compare="year", match_weekday="1")
    selector = period_selector(choice, path="/w/shop/dashboard/", other={"model": "first"}, until=dt.date(2026, 4, 1))
    assert [link.label for link in selector.presets if link.is_current] == ["Last 30 days"]
    assert selector.presets[2].url == "/w/shop/dashboard/?period=last_90&compare=year&match_weekday=1&model=first"
    assert selector.kept_for_dates == [("model", "first"), ("compare", "year"), ("match_weekday", "1")]
    assert selector.kept_for_comparison == [("model", "first"), ("period", "last_30")]
    assert (selector.start, selector.end) == ("2026-03-03", "2026-04-01")
    assert selector.comparison == "against last year, same weekdays"
