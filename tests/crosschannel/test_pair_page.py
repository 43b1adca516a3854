"""The report of a pair: its numbers against plain loops over the journeys, who may see it, and what it says of gaps."""

import datetime as dt
import html
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import User, Workspace
from analyses.documents import Section
from analyses.models import Run
from charts import ChartSpec
from crosschannel.computation import GAP_EDGES_DAYS
from crosschannel.methods.verdicts import Verdict
from crosschannel.presentation.interaction_sections import effect_figure
from crosschannel.presentation.pair_page import PairPage, present_pair
from jobs.models import Job
from marketing.channels import merge_channels, rename_channel
from marketing.models import Channel
from mmm_project.problems import NotFound
from tests.conftest import ImportRows
from tests.crosschannel.conftest import Follow
from tests.crosschannel.shop import RARE, Journey, holding, journeys

ClientFor = Callable[[User | None], Client]
A, B = "Email", "Search"
A_DAY = dt.timedelta(days=1)
NEXT = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "


def section(page: PairPage, title: str) -> Section:
    return next(each for each in page.sections if each.title == title)


def table(page: PairPage, title: str, place: int = 0) -> dict[str, list[Any]]:
    """By the label of each row of a section's table: the numbers in it, words where there are none."""
    return {
        row.label: [figure.text if figure.value is None else figure.value for figure in row.cells]
        for row in section(page, title).tables[place].rows
    }


def chart(page: PairPage, title: str, place: int = 0) -> ChartSpec:
    found = section(page, title).charts[place]
    assert isinstance(found, ChartSpec)
    return found


def rate(some: list[Journey]) -> float:
    return sum(journey.converted for journey in some) / len(some)


def counted(some: list[Journey]) -> list[Any]:
    conversions, value = sum(journey.converted for journey in some), sum(journey.value for journey in some)
    return [len(some), conversions, pytest.approx(conversions / len(some)), pytest.approx(value)]


def apart(journey: Journey) -> float:
    """Days from the first touch of A to the first of B."""
    return (journey.first(B) - journey.first(A)) / A_DAY


def get(client: Client, run: Run, a: str = A, b: str = B, slug: str = "acme") -> Any:
    return client.get(f"/w/{slug}/crosschannel/{run.pk}/pair/", {"a": a, "b": b})


# --- Its numbers ---


@pytest.mark.usefixtures("busy_shop")
def test_the_report_counts_what_plain_loops_count(follow: Follow) -> None:
    page = present_pair(follow(), A, B)
    both, everything = holding(A, B), list(journeys())
    only_a, only_b = ([one for one in holding(channel) if one not in both] for channel in (A, B))
    neither = [one for one in everything if not {A, B} & set(one.channels)]
    assert table(page, "Conversions with and without them") == {
        "Neither": counted(neither),
        "Only Email": counted(only_a),
        "Only Search": counted(only_b),
        "Both": counted(both),
        "All": counted(everything),
    }
    a_first = [one for one in both if apart(one) > 0]
    b_first = [one for one in both if apart(one) < 0]
    assert len(a_first) + len(b_first) == len(both)
    assert table(page, "Which comes first") == {
        f"{name} first": [
            len(some),
            pytest.approx(len(some) / len(both)),
            len({one.customer for one in some}),
            sum(one.converted for one in some),
            pytest.approx(rate(some)),
        ]
        for name, some in ((A, a_first), (B, b_first))
    }
    assert table(page, "Overlap") == {
        name: [len(holding(name)), len(both), pytest.approx(len(both) / len(holding(name)))] for name in (A, B)
    }
    either = len(holding(A)) + len(holding(B)) - len(both)
    assert section(page, "Overlap").sentences[0].startswith(f"{len(both) / either:.1%} of the journeys")
    cards = {card.label: card.figure.value for card in page.cards}
    assert cards["Journeys with both"] == len(both)
    assert cards["Conversion rate with both"] == pytest.approx(rate(both))


@pytest.mark.usefixtures("busy_shop")
def test_its_charts_count_what_plain_loops_count(follow: Follow) -> None:
    page = present_pair(follow(), A, B)
    both, everything = holding(A, B), list(journeys())
    edges = [0.0, *GAP_EDGES_DAYS, float("inf")]
    bins = list(pairwise(edges))
    last = max(place for one in both for place, (low, high) in enumerate(bins) if low <= abs(apart(one)) < high)
    a_first, b_first = (
        [sum(low <= sign * apart(one) < high and sign * apart(one) > 0 for one in both) for low, high in bins]
        for sign in (1, -1)
    )
    gaps = chart(page, "Days between their first touches")
    assert [mark.value for mark in gaps.series[0].marks if mark] == [
        *reversed(b_first[: last + 1]),
        *a_first[: last + 1],
    ]
    assert gaps.categories[0].label.endswith("Search first")
    assert gaps.categories[-1].label.endswith("Email first")

    by_month = {name: [one for one in everything if f"{one.at:%b}" == name] for name in ("Mar", "Apr", "May")}
    rates, holds = (chart(page, "Month by month", place) for place in (0, 1))
    assert [category.label for category in rates.categories] == ["Mar 2026", "Apr 2026", "1–10 May 2026"]
    for place, some in enumerate(by_month.values()):
        with_both = [one for one in some if one in both]
        others = [one for one in some if one not in both]
        assert (mark := holds.series[0].marks[place]) is not None
        assert mark.value == len(with_both)
        for line, of in zip(rates.series, (with_both, others), strict=True):
            drawn = line.marks[place]
            assert (drawn is None) == (not of)
            assert drawn is None or drawn.value == pytest.approx(rate(of))


@pytest.mark.usefixtures("busy_shop")
def test_the_paths_are_those_that_most_journeys_with_both_took(follow: Follow) -> None:
    shown = table(present_pair(follow(), A, B), "Paths that hold both")
    taken = Counter(one.channels for one in holding(A, B))
    assert [row[0] for row in shown.values()] == sorted(taken.values(), reverse=True)[:10]
    for path, (count, share, conversions, *_) in shown.items():
        steps = tuple(path.split(NEXT))
        assert count == taken[steps]
        assert share == pytest.approx(count / len(journeys()))
        assert conversions == sum(one.converted for one in holding(A, B) if one.channels == steps)


@pytest.mark.usefixtures("busy_shop")
def test_it_repeats_the_effect_of_the_heatmap(follow: Follow) -> None:
    run = follow(confidence=90)
    assert run.result is not None
    found = next(pair for pair in run.result["pairs"] if (pair["a"], pair["b"]) == (A, B))
    page, effect = present_pair(run, A, B), effect_figure(found)
    (row,) = section(page, "What the two do together").tables[0].rows
    assert row.cells[0] == effect
    assert page.cards[0].figure == effect
    assert page.cards[0].change == f"{effect.interval}, 90% interval"
    (card,) = (card for card in page.cards if card.label == "Conversion rate with both")
    without = rate(holding(A, B)) - found["effect_per_1000"] / 1000
    assert card.change == f"{max(without, 0):.1%} expected without joint effect"
    bars = chart(page, "Conversions with and without them")
    assert (last := bars.series[0].marks[-1]) is not None
    assert last.value == pytest.approx(max(without, 0))


@pytest.mark.usefixtures("busy_shop")
@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_says_what_it_means_for_budgets(verdict: Verdict, follow: Follow) -> None:
    run = follow()
    assert run.result is not None
    effect = {Verdict.SYNERGY: 120.0, Verdict.CANNIBALISATION: -120.0, Verdict.INCONCLUSIVE: 12.0}[verdict]
    run.result["pairs"] = [
        pair | {"verdict": verdict, "effect_per_1000": effect, "low": effect - 50, "high": effect + 50}
        for pair in run.result["pairs"]
    ]
    page = present_pair(run, A, B)
    headline, budgets = {
        Verdict.SYNERGY: ("Journeys with both Email and Search convert more often", "Plan Email and Search together"),
        Verdict.CANNIBALISATION: ("Journeys with both Email and Search convert less often", "test less of one"),
        Verdict.INCONCLUSIVE: ("There is not enough evidence that Email and Search", "Do not move budget"),
    }[verdict]
    assert page.headline.startswith(headline)
    assert f"{abs(effect)} " in page.headline
    assert budgets in page.meaning


# --- Which pair ---


@pytest.mark.usefixtures("busy_shop")
def test_swapped_channels_give_the_same_page(follow: Follow, client_for: ClientFor, viewer: User) -> None:
    run, client = follow(), client_for(viewer)
    assert present_pair(run, A, B) == present_pair(run, B, A) == present_pair(run, f" {B.upper()} ", A.lower())
    one, other = (
        re.sub(r"csrf\w+\" value=\"\w+", "", get(client, run, *pair).content.decode()) for pair in ((A, B), (B, A))
    )
    assert "Email × Search" in one
    assert one == other


@pytest.mark.usefixtures("busy_shop")
def test_channels_are_known_by_former_names(busy_shop: Workspace, follow: Follow) -> None:
    run = follow()
    before = present_pair(run, A, B)
    email = Channel.objects.get(workspace=busy_shop, name=A)
    rename_channel(channel=email, name="Newsletter", by=None)
    for name in ("Newsletter", A):
        after = present_pair(run, name, B)
        assert after.changed
        assert [each.title for each in after.sections] == [each.title for each in before.sections]
        assert after.title == "Email × Search", "the run's own names are those of its figures"
    display = Channel.objects.get(workspace=busy_shop, name="Display")
    merge_channels(source=display, target=email, by=None)
    assert present_pair(run, "Display", B).title == "Display × Search"
    with pytest.raises(NotFound, match="“Newsletter” as several channels"):
        present_pair(run, "Newsletter", B)


@pytest.mark.usefixtures("busy_shop")
@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        (A, "", "name both"),
        ("", "", "name both"),
        (A, "email", "two different channels"),
        (A, "Carrier pigeons", "“Carrier pigeons”. Its channels: Display, Email, Radio, Search, Social."),
    ],
)
def test_what_is_no_pair_is_not_found(
    a: str, b: str, sentence: str, follow: Follow, client_for: ClientFor, viewer: User
) -> None:
    response = get(client_for(viewer), follow(), a, b)
    assert response.status_code == 404
    assert sentence in html.unescape(response.content.decode())


# --- Who may see it ---


@pytest.mark.usefixtures("busy_shop")
def test_members_see_it_and_nobody_else(follow: Follow, client_for: ClientFor, viewer: User, outsider: User) -> None:
    run = follow()
    assert get(client_for(viewer), run).status_code == 200
    assert get(client_for(outsider), run).status_code == 404
    assert get(client_for(outsider), run, slug="elsewhere").status_code == 404
    assert get(client_for(None), run).status_code == 302
    address = f"/w/acme/crosschannel/{run.pk}/pair/"
    assert client_for(viewer).post(address, {"a": A, "b": B}).status_code == 405
    Job.objects.filter(run=run).update(status=Job.Status.RUNNING)
    assert get(client_for(viewer), run).status_code == 404


# --- Where there is less to say ---


@pytest.mark.usefixtures("busy_shop")
def test_a_rare_pair_says_why_nothing_can_be_said(follow: Follow) -> None:
    page = present_pair(follow(), A, RARE)
    both = len(holding(A, RARE))
    assert 0 < both < 20
    assert page.verdict == "Not enough evidence"
    assert page.headline == "Nothing can be said of what Email and Radio do together."
    assert f"{both} journeys hold both" in page.meaning
    assert "hold Radio without Email" in page.meaning
    assert "hold Email without Radio" not in page.meaning
    assert [card.label for card in page.cards] == ["Journeys with both", "Conversion rate with both"]
    assert "What the two do together" not in [each.title for each in page.sections]
    assert table(page, "Conversions with and without them")["Both"][0] == both


@pytest.mark.usefixtures("busy_shop")
def test_a_pair_that_cannot_be_told_from_others_says_so(follow: Follow) -> None:
    run = follow()
    assert run.result is not None
    pairs = run.result["pairs"]
    run.result["pairs"] = [pair for pair in pairs if (pair["a"], pair["b"]) != (A, B)]
    run.result["interactions"]["unidentified"] = [[A, B]]
    page = present_pair(run, A, B)
    assert page.meaning.startswith("The effect of Email with Search cannot be told from those of other pairs")
    assert page.verdict == "Not enough evidence"


def crowd(*paths: tuple[str, ...]) -> list[str]:
    """A hundred customers who take each of these paths, as rows of touches."""
    return [
        f"{'-'.join(path)}-{number},2026-03-02T{10 + hour}:00:00Z,{channel}"
        for path in paths
        for number in range(100)
        for hour, channel in enumerate(path)
    ]


def test_two_channels_that_all_journeys_hold_have_nothing_to_be_compared_with(
    import_rows: ImportRows, follow: Follow
) -> None:
    import_rows("touchpoints", "customer,occurred_at,channel", *crowd((A,), (B,), (A, B)))
    bought = [f"{customer},2026-03-03T10:00:00Z,5" for n in range(30) for customer in (f"{A}-{n}", f"{A}-{B}-{n}")]
    import_rows("conversions", "customer,occurred_at,value", *bought, "somebody,2026-03-03T10:00:00Z,5")
    page = present_pair(follow(), A, B)
    assert page.meaning.startswith("Whether Email and Search do more or less together cannot be told: every journey")


def test_journeys_that_all_end_alike_are_the_reason(import_rows: ImportRows, follow: Follow) -> None:
    paths = ((A,), (B,), (A, B), ("Display",))
    import_rows("touchpoints", "customer,occurred_at,channel", *crowd(*paths))
    bought = [f"{'-'.join(path)}-{number},2026-03-03T10:00:00Z,5" for path in paths for number in range(100)]
    import_rows("conversions", "customer,occurred_at,value", *bought)
    page = present_pair(follow(), A, B)
    assert page.meaning.startswith("All 400 journeys convert: ")
    assert "Too few journeys" not in page.meaning


@pytest.mark.usefixtures("busy_shop")
def test_what_the_model_could_not_answer_is_said_instead(follow: Follow, client_for: ClientFor, viewer: User) -> None:
    run, problem = follow(), "The model of interactions found no stable answer: it has not settled."
    assert run.result is not None
    run.result["pairs"] = []
    run.result["interactions"]["problem"] = problem
    page = present_pair(run, A, B)
    assert (page.verdict, page.meaning) == ("Not enough evidence", problem)
    assert page.headline == "Nothing can be said of what Email and Search do together."
    assert "What the two do together" not in [each.title for each in page.sections]
    run.save(update_fields=["result"])
    assert problem in get(client_for(viewer), run).content.decode()
    (Path(settings.MEDIA_ROOT) / run.artifact).unlink()
    assert present_pair(run, A, B).meaning == problem


def test_channels_that_never_meet_have_no_order_and_no_paths(import_rows: ImportRows, follow: Follow) -> None:
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel",
        "anna,2026-03-02T10:00:00Z,Email",
        "ben,2026-03-03T10:00:00Z,Search",
    )
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-02T11:00:00Z,50")
    page = present_pair(follow(), A, B)
    assert page.meaning == "No journey of this period holds both Email and Search."
    assert [each.title for each in page.sections] == [
        *("Conversions with and without them", "Overlap", "What each channel brings alone"),
    ]
    assert [card.figure.value for card in page.cards] == [0]


def test_one_order_within_a_month_leaves_sentences(import_rows: ImportRows, follow: Follow) -> None:
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel",
        "anna,2026-03-02T10:00:00Z,Email",
        "anna,2026-03-02T12:00:00Z,Search",
    )
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-02T13:00:00Z,50")
    page = present_pair(follow(end="2026-03-31"), A, B)
    assert section(page, "Which comes first").sentences == (
        "Email comes first in all of these journeys, so there is no other order to compare with.",
    )
    assert section(page, "Month by month").sentences == (
        "The period lies within one month, so there is no trend to show.",
    )
    assert section(page, "Conversions with and without them").sentences == ()  # no others to compare with


@pytest.mark.usefixtures("busy_shop")
def test_filters_of_paths_choose_among_paths_only(follow: Follow) -> None:
    everything, filtered = present_pair(follow(), A, B), present_pair(follow(path_starts=A), A, B)
    title = "Paths that hold both"
    assert all(path.startswith(f"Email{NEXT}") for path in table(filtered, title))
    assert section(filtered, title).sentences[0] == (
        "Of journeys that pass the filters of the question (path starts with Email)."
    )
    untouched = [each for each in everything.sections if each.title != title]
    assert [each for each in filtered.sections if each.title != title] == untouched
    none = present_pair(follow(path_contains="Display", path_starts="Display", path_ends="Display", steps=1), A, RARE)
    assert "None of the paths holds both." in section(none, title).sentences[0]


@pytest.mark.usefixtures("busy_shop")
def test_lost_figures_are_said_and_the_effect_still_stands(follow: Follow, client_for: ClientFor, viewer: User) -> None:
    run = follow()
    whole = present_pair(run, A, B)
    (Path(settings.MEDIA_ROOT) / run.artifact).unlink()
    page = present_pair(run, A, B)
    assert page.problem == "The figures of this run are no longer on disk. Run it again."
    assert [each.title for each in page.sections] == ["What the two do together", "What each channel brings alone"]
    assert page.headline == whole.headline
    assert set(page.cards) < set(whole.cards)
    response = get(client_for(viewer), run)
    assert response.status_code == 200
    text = html.unescape(response.content.decode())
    assert "What was counted of this pair is lost" in text
    assert f'href="{reverse("analyses:run", kwargs={"slug": "acme", "run_id": run.pk})}"' in text


@pytest.mark.usefixtures("busy_shop")
def test_changed_data_are_said(import_rows: ImportRows, follow: Follow) -> None:
    run = follow()
    assert not present_pair(run, A, B).changed
    import_rows("conversions", "customer,occurred_at", "somebody,2026-03-20T00:00:00Z")
    assert present_pair(run, A, B).changed


@pytest.mark.usefixtures("busy_shop")
def test_it_leads_to_the_run_and_to_the_journeys_that_hold_both(follow: Follow) -> None:
    run = follow()
    to_run, to_journeys = present_pair(run, B, A).links
    assert to_run.url == f"/w/acme/runs/{run.pk}/"
    assert urlsplit(to_journeys.url).path == f"/w/acme/crosschannel/{run.pk}/journeys/"
    assert parse_qs(urlsplit(to_journeys.url).query) == {"with": [A, B]}


def test_pages_are_compared_by_what_they_show() -> None:
    """`test_swapped_channels_give_the_same_page` would hold of any two pages, were they not."""
    page = PairPage(
        run=Run(), title="", about="", verdict="", tone="", headline="", meaning="", changed=False, problem="",
        caution="", cards=(), sections=(), links=(),
    )  # fmt: skip
    assert page == replace(page)
    assert page != replace(page, title="Another")
