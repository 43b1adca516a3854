"""Synergies and cannibalisations as lists, with what they mean for budgets, and all pairs as a heatmap."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analyses.documents import DataTable, Figure, Row, Section
from charts import Category, ChartSpec, Colour, Kind, Mark, Series
from charts.heat import diverging_axis
from crosschannel.methods.verdicts import Verdict
from crosschannel.presentation import no_pairs
from crosschannel.presentation.sources import Sources
from mmm_project import formats

TITLE = "Synergy and cannibalisation"
SMALLEST_SHOWN_P = 0.001
MOST_IN_HEATMAP = 50
MOST_INCONCLUSIVE = 10  # in their list; all are in the heatmap
MOST_MEANINGS = 6
CLEAR_ALONE = (
    "Where an interval lies beyond zero, the pair would be clear by itself, but is not among so many: do not move "
    "budget for it yet."
)


def sections(result: Mapping[str, Any], sources: Sources) -> tuple[Section, ...]:
    """Return the lists of pairs, and the heatmap if there is a pair to show."""
    pairs, about = result["pairs"], result["interactions"]
    lists = [
        _list(title, [pair for pair in pairs if pair["verdict"] == verdict], sources, about)
        for title, verdict in (
            ("Synergies", Verdict.SYNERGY),
            ("Cannibalisation", Verdict.CANNIBALISATION),
            ("Not enough evidence", Verdict.INCONCLUSIVE),
        )
    ]
    tables = tuple(table for table in lists if table is not None)
    called = [pair for pair in pairs if pair["verdict"] != Verdict.INCONCLUSIVE][:MOST_MEANINGS]
    finding = _finding(pairs) if pairs else no_pairs.why_none(result, sources.run.params)
    sentences = tuple(filter(None, (*map(meaning, called), finding, *_method(pairs, about))))
    found = (Section(title=TITLE, sentences=sentences, tables=tables),)
    if not pairs:
        return found
    return (*found, Section(title="All pairs at once", charts=(heatmap(pairs, about, sources),)))


def headline(pairs: Sequence[Mapping[str, Any]]) -> str:
    """Return the finding about pairs: the strongest call, "" where none is made."""
    called = [pair for pair in pairs if pair["verdict"] != Verdict.INCONCLUSIVE]
    if not called:
        return ""
    strongest = max(called, key=lambda pair: abs(pair["effect_per_1000"]))
    more = "more" if strongest["effect_per_1000"] > 0 else "less"
    return (
        f"Journeys with both {strongest['a']} and {strongest['b']} convert {more} often than the two apart lead to "
        f"expect: {effect_figure(strongest).text} conversions per 1,000 journeys."
    )


def meaning(pair: Mapping[str, Any]) -> str:
    """Return what a pair's verdict means for budgets."""
    a, b = pair["a"], pair["b"]
    if pair["verdict"] == Verdict.SYNERGY:
        return f"Plan {a} and {b} together, for the same people and weeks, and test before you cut only one of them."
    if pair["verdict"] == Verdict.CANNIBALISATION:
        return (
            f"{a} and {b} seem to reach people for the same conversions: test less of one where both reach the same "
            "people."
        )
    if pair["low"] > 0 or pair["high"] < 0:
        return "Alone it would be clear, but not among so many pairs: do not move budget for it yet."
    return "Do not move budget because of this pair."


def effect_figure(pair: Mapping[str, Any]) -> Figure:
    """The effect of a pair with its interval, in conversions per 1,000 journeys with both."""
    return Figure(
        signed(pair["effect_per_1000"]),
        value=pair["effect_per_1000"],
        low=pair["low"],
        high=pair["high"],
        low_text=signed(pair["low"]),
        high_text=signed(pair["high"]),
    )


def p_figure(pair: Mapping[str, Any]) -> Figure:
    """The adjusted p-value of a pair."""
    p = pair["p_adjusted"]
    return Figure(f"< {SMALLEST_SHOWN_P}" if p < SMALLEST_SHOWN_P else f"{p:.3f}", full=f"{p:.3g}", value=p)


def signed(number: float) -> str:
    """A number with its sign and one decimal: "+41.3", "−2.0"."""
    rounded = round(number, 1)
    return f"{'+' if rounded > 0 else formats.MINUS if rounded < 0 else ''}{abs(rounded):,.1f}"


def heatmap(pairs: Sequence[Mapping[str, Any]], about: Mapping[str, Any], sources: Sources) -> ChartSpec:
    """Every pair twice, once on either side of an empty diagonal; hatched where the evidence does not tell."""
    met = {name for pair in pairs for name in (pair["a"], pair["b"])}
    names = [name for name in about["channels"] if name in met][:MOST_IN_HEATMAP]
    by_names = {frozenset((pair["a"], pair["b"])): pair for pair in pairs}
    axis = diverging_axis(
        [pair["effect_per_1000"] for pair in pairs], title="Conversions per 1,000 journeys with both", text=signed
    )
    level = f"{about['confidence']}% interval"

    def mark(row: str, column: str) -> Mark | None:
        pair = by_names.get(frozenset((row, column)))
        if pair is None:
            return None
        effect, is_thin = effect_figure(pair), pair["verdict"] == Verdict.INCONCLUSIVE
        return Mark(
            value=pair["effect_per_1000"],
            text=effect.text,
            low=pair["low"],
            high=pair["high"],
            low_text=effect.low_text,
            high_text=effect.high_text,
            detail=(
                formats.count(pair["journeys_both"], "journey") + " with both",
                *(() if is_thin else (VERDICT_LABELS[Verdict(pair["verdict"])],)),  # what hatching says is said once
            ),
            href=sources.pair_href(pair["a"], pair["b"]),
            is_thin=is_thin,
        )

    called = sum(pair["verdict"] != Verdict.INCONCLUSIVE for pair in pairs)
    title = f"{formats.count(called, 'pair')} of {len(pairs)} {'stands' if called == 1 else 'stand'} out"
    return ChartSpec(
        id="pairs",
        kind=Kind.HEATMAP,
        title=title if called else "No pair stands out",
        subtitle=(
            f"Conversions more or fewer per 1,000 journeys with both channels, {level}; hatched: not enough evidence"
        ),
        summary=f"{title} among {len(names)} channels. The lists above name them.",
        category_title="Channel",
        categories=tuple(Category(label=name) for name in names),
        series=tuple(
            Series(name=column, colour=Colour.ACCENT, marks=tuple(mark(row, column) for row in names))
            for column in names
        ),
        axis=axis,
        interval=level,
    )


VERDICT_LABELS = {
    Verdict.SYNERGY: "Synergy",
    Verdict.CANNIBALISATION: "Cannibalisation",
    Verdict.INCONCLUSIVE: "Not enough evidence",
}


def _list(
    title: str, pairs: Sequence[Mapping[str, Any]], sources: Sources, about: Mapping[str, Any]
) -> DataTable | None:
    if not pairs:
        return None
    shown, note = pairs, ""
    if pairs[0]["verdict"] == Verdict.INCONCLUSIVE:
        shown, rest = pairs[:MOST_INCONCLUSIVE], len(pairs[MOST_INCONCLUSIVE:])
        note = CLEAR_ALONE if any(pair["low"] > 0 or pair["high"] < 0 for pair in shown) else ""
        if rest:
            note = f"{note} {formats.count(rest, 'more pair')} {'is' if rest == 1 else 'are'} in the heatmap.".strip()
    return DataTable(
        title=title,
        columns=(
            "Pair",
            f"Effect per 1,000 journeys ({about['confidence']}% interval)",
            "Journeys with both",
            "Conversions in the period",
            "Adjusted p",
        ),
        rows=tuple(
            Row(
                label=f"{pair['a']} × {pair['b']}",
                href=sources.pair_href(pair["a"], pair["b"]),
                cells=(
                    effect_figure(pair),
                    Figure(formats.count(pair["journeys_both"]), value=pair["journeys_both"]),
                    _in_period(pair),
                    p_figure(pair),
                ),
            )
            for pair in shown
        ),
        note=note,
    )


def _in_period(pair: Mapping[str, Any]) -> Figure:
    """What the effect comes to over all journeys with both."""
    value, low, high = (pair[name] * pair["journeys_both"] / 1000 for name in ("effect_per_1000", "low", "high"))
    return Figure(
        _whole(value), full=signed(value), value=value, low=low, high=high, low_text=_whole(low), high_text=_whole(high)
    )


def _whole(number: float) -> str:
    """A whole number with its sign: "+41"."""
    return signed(round(number)).removesuffix(".0")


def _finding(pairs: Sequence[Mapping[str, Any]]) -> str:
    """What there is to say where no pair is called; "" where one is."""
    if any(pair["verdict"] != Verdict.INCONCLUSIVE for pair in pairs):
        return ""
    return (
        f"None of {formats.count(len(pairs), 'pair')} of channels is clearly more or less than the sum of its parts. "
        "That is an answer, too: no budget need follow them."
    )


def _method(pairs: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> Iterator[str]:
    if pairs:
        rate = formats.percent(about["false_discovery_rate"])
        looked_at = formats.count(len(pairs), "pair")
        yield (
            "An effect is what journeys with both channels convert more, or less, than the channels’ own effects come "
            "to, given how long the journey is, how its touches are divided, what kind of customer took it and when."
        )
        is_called = any(pair["verdict"] != Verdict.INCONCLUSIVE for pair in pairs)
        chance = f"Of the pairs called, {rate} at most are expected to be there by chance. " if is_called else ""
        yield f"{chance}Of {looked_at} in all, each interval holds for itself alone."
        if about["too_rare"]:
            meet = f"{formats.count(about['too_rare'], 'more pair')} {'meets' if about['too_rare'] == 1 else 'meet'}"
            yield f"{meet} in too few journeys to be looked at."
    yield no_pairs.unidentified(about)
