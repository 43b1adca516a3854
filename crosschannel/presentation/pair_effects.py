"""What the model of interactions says of a pair: its effect, as cards and a section, or why there is none."""

from collections.abc import Iterator, Mapping
from typing import Any

from analyses.documents import Card, DataTable, Figure, Row, Section
from crosschannel.methods.verdicts import LEAST_EXPECTED, LEAST_TOGETHER, Verdict
from crosschannel.presentation import figures, no_pairs
from crosschannel.presentation.interaction_sections import VERDICT_LABELS, effect_figure, p_figure
from crosschannel.presentation.pairs import Pair
from mmm_project import formats

EFFECT = (
    "The effect is what journeys with both convert more, or less, than both channels’ own effects come to, given how "
    "long the journey is, how its touches are divided, what kind of customer took it and when."
)


def cards(pair: Pair) -> tuple[Card, ...]:
    """The numbers that matter: the effect where there is one, and what journeys with both do."""
    both = pair.both
    share = f"{formats.percent(both.journeys / pair.total.journeys)} of all journeys"
    plain = [Card(label="Journeys with both", figure=figures.count(both.journeys), change=share, change_tone="quiet")]
    if both.journeys:
        against = (
            f"{formats.percent(pair.rest.value)} of all others"
            if pair.expected_rate is None and pair.rest.journeys
            else f"{formats.percent(pair.expected_rate)} expected without joint effect"
            if pair.expected_rate is not None
            else ""
        )
        rate = figures.percent(both.value)
        plain.append(Card(label="Conversion rate with both", figure=rate, change=against, change_tone="quiet"))
    if pair.found is None:
        return tuple(plain)
    effect, p = of_effect(pair.found, pair.params["confidence"])
    return effect, *plain, p


def of_effect(found: Mapping[str, Any], confidence: int) -> tuple[Card, Card]:
    """The effect of a pair that was looked at, and how likely such a one is by chance."""
    effect, verdict = effect_figure(found), VERDICT_LABELS[Verdict(found["verdict"])]
    return (
        Card(
            label="Effect",
            unit="conversions per 1,000 journeys",
            figure=effect,
            change=f"{effect.interval}, {confidence}% interval",
            change_tone="quiet",
        ),
        Card(label="Adjusted p", figure=p_figure(found), change=verdict, change_tone="quiet"),
    )


def effect_section(found: Mapping[str, Any], about: Mapping[str, Any]) -> Section:
    """The effect of a pair that was looked at, as the lists and the heatmap of the run have it."""
    looked_at, called_up_to = formats.count(about["looked_at"], "pair"), formats.ratio(about["false_discovery_rate"])
    return Section(
        title="What the two do together",
        sentences=(
            EFFECT,
            f"The adjusted p-value allows for {looked_at} looked at; one of at most {called_up_to} makes the call.",
            "The interval holds for this pair alone.",
        ),
        tables=(
            DataTable(
                title="Adjusted effect",
                columns=(
                    "Pair",
                    f"Conversions per 1,000 journeys with both ({about['confidence']}% interval)",
                    *("Journeys with both", "Verdict", "Adjusted p", "p", "Log odds", "Standard error"),
                ),
                rows=(
                    Row(
                        label=f"{found['a']} × {found['b']}",
                        cells=(
                            effect_figure(found),
                            figures.count(found["journeys_both"]),
                            Figure(VERDICT_LABELS[Verdict(found["verdict"])]),
                            p_figure(found),
                            p_figure({"p_adjusted": found["p_value"]}),
                            Figure(_log_odds(found["log_odds"]), f"{found['log_odds']:.6f}", found["log_odds"]),
                            figures.ratio(found["standard_error"]),
                        ),
                    ),
                ),
            ),
        ),
    )


def why_not(pair: Pair) -> Iterator[str]:
    """Say why there is no effect of a pair that was not looked at, or whose effect is not to be told from others."""
    (neither, *_), a, b, both = pair.kinds, pair.a, pair.b, pair.both
    if pair.is_unidentified:
        yield (
            f"The effect of {a} with {b} cannot be told from those of other pairs: journeys with both hold the same "
            "other channels, or are too much alike otherwise. More, and more different, journeys would tell."
            if neither.journeys
            else no_pairs.nothing_without(a, b)
        )
        return
    if not both.journeys:
        yield f"No journey of this period holds both {a} and {b}."
        return
    if problem := no_pairs.outcome_problem(pair.total.journeys, pair.total.conversions, pair.params):
        yield problem
        return
    reasons = [
        f"{formats.count(kind.journeys, 'journey')} {'holds' if kind.journeys == 1 else 'hold'} {what}"
        for kind, what in zip(pair.kinds[1:], (f"{a} without {b}", f"{b} without {a}", "both"), strict=True)
        if kind.journeys < LEAST_TOGETHER
    ]
    rate = pair.total.value
    expected = both.journeys * min(rate, 1 - rate)
    if expected < LEAST_EXPECTED:
        rarer = "conversions" if rate <= 0.5 else "journeys without a conversion"
        reasons.append(
            f"{formats.count(round(expected, 1))} {rarer} were to be expected of those with both, were they like all"
        )
    yield f"Too few journeys to say whether {a} and {b} help or hinder each other: {'; '.join(reasons)}."
    yield (
        f"A pair is looked at from {LEAST_TOGETHER} journeys with both on, as many with each alone, and "
        f"{LEAST_EXPECTED:g} conversions expected."
    )


def _log_odds(value: float) -> str:
    return f"+{formats.ratio(value)}" if round(value, 2) > 0 else formats.ratio(value)
