"""The report of two channels of a run; all queries and wording are finished here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from analyses.artifacts import ArtifactMissing
from analyses.documents import Card, Section
from analyses.models import Run
from analyses.presenters import asked_at
from analyses.runs import inputs_changed
from charts import Colour
from crosschannel.labels import channel_of
from crosschannel.methods.verdicts import Verdict
from crosschannel.params import LONGEST_NAME
from crosschannel.presentation import other_runs, pair_effects, pair_sections, words
from crosschannel.presentation.document import ASSOCIATION
from crosschannel.presentation.interaction_sections import VERDICT_LABELS, effect_figure, headline, meaning
from crosschannel.presentation.pairs import Pair
from crosschannel.presentation.sources import Sources
from crosschannel.stored import Stored
from marketing.channel_index import ChannelIndex
from mmm_project.problems import NotFound

MOST_NAMED = 30  # channels in a sentence
TONES = {Verdict.SYNERGY: "good", Verdict.CANNIBALISATION: "warn", Verdict.INCONCLUSIVE: "quiet"}


@dataclass(frozen=True, slots=True)
class Link:
    """A way on from the page: where it leads, and in what words."""

    label: str
    url: str


@dataclass(frozen=True, kw_only=True)
class PairPage:
    """What a run says of two channels.

    `verdict`, `tone`: the call and the tone of its badge. `meaning`: what it means for budgets. `about`: the run's
    question. `changed`: whether the data have moved on. `problem`: that the figures are lost, "" where they are not.
    `caution`: what has to be said with it. `links`: to the run first, and on from it.
    """

    run: Run
    title: str
    about: str
    verdict: str
    tone: str
    headline: str
    meaning: str
    changed: bool
    problem: str
    caution: str
    cards: Sequence[Card]
    sections: Sequence[Section]
    links: Sequence[Link]


def present_pair(run: Run, a: str, b: str) -> PairPage:
    """Return the report of two channels of a finished run, the same in whichever order they are named.

    Raises NotFound where the run does not know both, or they are one.
    """
    result: Mapping[str, Any] = run.result or {}
    sources = Sources.of(run)
    channels = result["interactions"]["channels"]
    places = sorted(
        {_place(name, channels, sources.index) for name in (a, b)},
        key=lambda place: (channels[place].casefold(), channels[place]),
    )
    if len(places) < 2:
        raise NotFound("A pair is of two different channels. Name another one beside it.")
    one, other = places
    names = channels[one], channels[other]
    found = next((pair for pair in result["pairs"] if (pair["a"], pair["b"]) == names), None)
    pair, problem = None, ""
    try:
        stored = Stored(run)
        pair = Pair(
            a=names[0],
            b=names[1],
            params=run.params,
            currency=run.workspace.currency,
            colours=_colours(sources, names),
            found=found,
            is_unidentified=set(names) in map(set, result["interactions"]["unidentified"]),
            details=stored.pairs,
            one=one,
            other=other,
        )
        counted = tuple(pair_sections.sections(pair, stored))
        cards = pair_effects.cards(pair)
    except ArtifactMissing as missing:
        counted, problem = (), str(missing)
        cards = pair_effects.of_effect(found, run.params["confidence"]) if found else ()
    verdict = Verdict(found["verdict"]) if found else Verdict.INCONCLUSIVE
    return PairPage(
        run=run,
        title=" × ".join(names),
        about=f"{words.describe(run.params)}, asked {asked_at(run)}",
        verdict=VERDICT_LABELS[verdict],
        tone=TONES[verdict],
        headline=_headline(names, found),
        meaning=meaning(found) if found else _why_not(pair, result["interactions"]),
        changed=inputs_changed(run),
        problem=problem,
        caution=ASSOCIATION,
        cards=cards,
        sections=(
            *((pair_effects.effect_section(found, result["interactions"]),) if found else ()),
            *counted,
            other_runs.section(run, sources.index, names),
        ),
        links=(
            Link("The run’s results", reverse("analyses:run", kwargs=_of(run))),
            Link(_journeys_label(run.params), sources.journeys_href(**{"with": list(names)})),
        ),
    )


def _place(name: str, channels: Sequence[str], index: ChannelIndex) -> int:
    """The place among a run's channels of the one that a name, now or once, stands for. Raises NotFound."""
    asked = name.strip()
    if not asked:
        raise NotFound("A pair report is about two channels: name both, as in “?a=Email&b=Direct”.")
    by_name = [place for place, channel in enumerate(channels) if channel.lower() == asked.lower()]
    known = index.named(asked)
    by_channel = [place for place, label in enumerate(channels) if known and index.named(channel_of(label)) == known]
    found = by_name or by_channel
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"This run knows “{asked}” as several channels, which have been merged since. Run it again.")
    raise NotFound(
        f"This run has no pairs with “{asked[:LONGEST_NAME]}”. Its channels: "
        f"{', '.join(sorted(channels, key=str.casefold)[:MOST_NAMED])}."
    )


def _headline(names: tuple[str, str], found: Mapping[str, Any] | None) -> str:
    a, b = names
    if found is None:
        return f"Nothing can be said of what {a} and {b} do together."
    if called := headline([found]):
        return called
    effect = effect_figure(found).with_interval
    return (
        f"There is not enough evidence that {a} and {b} do more or less together than alone: {effect} conversions per "
        "1,000 journeys with both."
    )


def _why_not(pair: Pair | None, about: Mapping[str, Any]) -> str:
    """Say why there is no effect; "" where the figures that would tell are lost."""
    return str(about.get("problem") or (" ".join(pair_effects.why_not(pair)) if pair else ""))


def _journeys_label(params: Mapping[str, Any]) -> str:
    """How the list of journeys is called, which knows of those alone that pass the filters of the question."""
    passing = " and pass the filters" if words.filters_in_words(params) else ""
    return f"Journeys that hold both{passing}"


def _colours(sources: Sources, names: tuple[str, str]) -> tuple[Colour, Colour]:
    """The colours of both; where they cannot be told apart, one of them is another."""
    one, other = (sources.colour(name) for name in names)
    return (one, other) if one != other else (one, Colour.ACCENT)


def _of(run: Run) -> dict[str, Any]:
    return {"slug": run.workspace.slug, "run_id": run.pk}
