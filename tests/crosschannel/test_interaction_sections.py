"""What a document says of pairs: why there is nothing to be said of them, and one word for too little evidence."""

from collections.abc import Sequence
from typing import Any

import pytest

from accounts.models import Workspace
from analyses.documents import Section
from analyses.models import Run
from charts import ChartSpec
from crosschannel.methods.verdicts import Verdict
from crosschannel.presentation.document import document
from crosschannel.presentation.interaction_sections import TITLE, headline, meaning, sections
from crosschannel.presentation.rows import rows
from crosschannel.presentation.sources import Sources
from marketing.channel_index import ChannelIndex
from tests.crosschannel.conftest import Follow
from tests.crosschannel.test_path_sections import result_of
from tests.crosschannel.worlds import DISPLAY, EMAIL, SEARCH, Row

PROBLEM = "The model of interactions found no stable answer: it has not settled."
THIRD = 3  # of this many journeys one converts


def world(*kinds: tuple[tuple[int, ...], int], every: int = THIRD, conversions: int | None = None) -> list[Row]:
    """So many journeys along each path; every so many-th converts, or the first `conversions`."""
    paths = [path for path, count in kinds for _ in range(count)]
    return [
        Row(n, path, tuple(10.0 + step for step in range(len(path))), 20.0, converts, 5.0 * converts)
        for n, path in enumerate(paths)
        for converts in (n < conversions if conversions is not None else n % every == 0,)
    ]


def shown(result: dict[str, Any], **params: Any) -> tuple[Section, ...]:
    run = Run(workspace=Workspace(slug="acme"), params=params)
    return sections(result, Sources(run, ChannelIndex({}, {})))


def said(journeys: Sequence[Row], **params: Any) -> str:
    result = result_of(journeys)
    assert result["pairs"] == []
    (section,) = shown(result, **params)
    assert section.title == TITLE
    assert section.tables == ()
    return " ".join(section.sentences)


MANY = (((EMAIL,), 100), ((SEARCH,), 100), ((EMAIL, SEARCH), 100), ((DISPLAY,), 100))


def test_channels_that_rarely_meet_are_said_to() -> None:
    sentences = said(world(((EMAIL,), 100), ((SEARCH,), 100), ((EMAIL, SEARCH), 20), ((DISPLAY,), 100)))
    assert sentences.startswith("No two channels meet in enough journeys")
    assert "50 journeys with both and 50 with each alone" in sentences
    assert sentences.endswith("Choose a longer period or a coarser grouping.")


def test_where_few_convert_more_journeys_have_to_meet_both() -> None:
    sentences = said(world(*MANY, conversions=8))
    assert "250 journeys with both, as 2.0% of all convert, and 50 with each alone" in sentences


@pytest.mark.parametrize(
    ("conversions", "fact", "advice"),
    [
        (0, "None of 400 journeys converts", "Choose a longer period or a goal that is reached more often."),
        (1, "Only 1 of 400 journeys converts", "Choose a longer period or a goal that is reached more often."),
        (4, "Only 4 of 400 journeys convert", "Choose a longer period or a goal that is reached more often."),
        (397, "Only 3 of 400 journeys do not convert", "Touchpoints of people who do not convert belong in the data"),
        (399, "Only 1 of 400 journeys does not convert", "Touchpoints of people who do not convert belong in the data"),
        (400, "All 400 journeys convert", "Touchpoints of people who do not convert belong in the data"),
    ],
)
def test_where_nearly_all_journeys_end_alike_that_is_the_reason(conversions: int, fact: str, advice: str) -> None:
    journeys = world(*MANY, conversions=conversions)
    sentences = said(journeys)
    assert sentences.startswith(f"{fact}: which channels help or hinder each other shows only where enough")
    assert advice in sentences
    assert "too few journeys" not in sentences
    of_segment = said(journeys, segment={"name": "Buyers"})
    assert of_segment.startswith(fact)
    assert of_segment.endswith("If the segment chooses customers by their outcome, ask about all customers.")


def test_of_two_channels_there_is_nothing_to_compare_with() -> None:
    sentences = said(world(((EMAIL,), 100), ((SEARCH,), 100), ((EMAIL, SEARCH), 100)))
    assert sentences == (
        "Whether Email and Search do more or less together cannot be told: every journey holds at least one of them, "
        "so there is none with neither to compare with."
    )


def test_pairs_that_cannot_be_told_apart_are_named() -> None:
    two_of_three = [((one, other), 100) for one, other in ((EMAIL, SEARCH), (EMAIL, DISPLAY), (SEARCH, DISPLAY))]
    sentences = said(world(*(((one,), 100) for one in (EMAIL, SEARCH, DISPLAY)), *two_of_three))
    assert sentences.startswith("No pair can be told from the others.")
    assert "too much alike: " in sentences
    for pair in ("Email × Search", "Display × Email", "Display × Search"):
        assert pair in sentences
    assert "enough journeys" not in sentences


def test_many_pairs_that_cannot_be_told_apart_are_not_all_named() -> None:
    result = result_of(world(*MANY))
    result["pairs"] = []
    result["interactions"]["unidentified"] = [[f"Channel {number}", "Email"] for number in range(40)]
    (section,) = shown(result)
    assert section.sentences[-1].endswith("Channel 9 × Email; and 30 more.")


# --- Where no stable answer was found ---


def test_the_problem_of_the_model_stands_in_place_of_the_finding() -> None:
    result = result_of(world(*MANY))
    result |= {"pairs": [], "interactions": result["interactions"] | {"problem": PROBLEM, "unidentified": []}}
    (section,) = shown(result)
    assert section.sentences == (PROBLEM,)
    assert (section.tables, section.charts) == ((), ())
    result["interactions"]["problem"] = ""
    assert shown(result)[0].sentences != (PROBLEM,)


@pytest.mark.django_db
@pytest.mark.usefixtures("busy_shop")
def test_a_run_without_a_stable_answer_has_no_pairs_in_any_table(follow: Follow) -> None:
    run = follow()
    assert run.result is not None
    run.result |= {"pairs": [], "interactions": run.result["interactions"] | {"problem": PROBLEM}}
    found = document(run)
    assert "pair" not in found.headline
    assert PROBLEM in next(section for section in found.sections if section.title == TITLE).sentences
    assert "All pairs at once" not in [section.title for section in found.sections]
    assert {row[0] for row in rows(run)} == {"what", "flow", "path"}


# --- In one word ---


def pair(verdict: Verdict, effect: float) -> dict[str, Any]:
    numbers = {"effect_per_1000": effect, "low": effect - 50, "high": effect + 50, "p_value": 0.2, "p_adjusted": 0.2}
    return {"a": "Email", "b": "Search", "journeys_both": 90, "verdict": verdict, **numbers}


def test_hatching_and_verdict_have_one_word_which_is_said_once() -> None:
    result = result_of(world(*MANY))
    for verdict, effect in ((Verdict.INCONCLUSIVE, 12.0), (Verdict.SYNERGY, 120.0)):
        result["pairs"] = [pair(verdict, effect)]
        lists, matrix = shown(result)
        (chart,) = matrix.charts
        assert isinstance(chart, ChartSpec)
        mark = next(mark for series in chart.series for mark in series.marks if mark)
        assert mark.is_thin == (verdict == Verdict.INCONCLUSIVE)
        assert mark.detail == (("90 journeys with both",) if mark.is_thin else ("90 journeys with both", "Synergy"))
        assert [table.title for table in lists.tables] == ["Not enough evidence" if mark.is_thin else "Synergies"]


def test_headlines_and_meanings_claim_no_causes() -> None:
    synergy, cannibalisation = pair(Verdict.SYNERGY, 120.0), pair(Verdict.CANNIBALISATION, -120.0)
    assert headline([synergy]) == (
        "Journeys with both Email and Search convert more often than the two apart lead to expect: +120.0 conversions "
        "per 1,000 journeys."
    )
    assert "convert less often" in headline([cannibalisation])
    for each in (synergy, cannibalisation):
        assert "test" in meaning(each)
        assert meaning(each).count(".") == 1


def test_what_is_to_be_expected_by_chance_is_said_only_where_a_pair_is_called() -> None:
    result = result_of(world(*MANY))
    result["pairs"] = [pair(Verdict.INCONCLUSIVE, 12.0)]
    sentences = " ".join(shown(result)[0].sentences)
    assert "by chance" not in sentences
    assert "Of 1 pair in all, each interval holds for itself alone." in sentences

    result["pairs"] = [pair(Verdict.SYNERGY, 120.0), pair(Verdict.INCONCLUSIVE, 12.0)]
    sentences = " ".join(shown(result)[0].sentences)
    assert (
        "Of the pairs called, 5.0% at most are expected to be there by chance. Of 2 pairs in all, each interval holds "
        "for itself alone." in sentences
    )
