"""What the terms in results mean, in plain words and with their units: docs/methods.md in short.

`defined` gives a document those that occur in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from analyses.documents import DataTable, Document, Section
from charts import Chart, ChartSpec, SankeySpec


@dataclass(frozen=True, slots=True)
class Definition:
    """A term and what it means. `signs`: words that a document has where it uses it, if not the term itself.

    The text of either may have places to be filled in, such as {confidence}.
    """

    term: str
    text: str
    signs: tuple[str, ...] = ()


TERMS: dict[str, Definition] = {
    # --- Journeys and credit
    "journey": Definition(
        "Journey",
        "The touches of one customer in the lookback window before one conversion, in order of time. What a customer "
        "touched without converting is a journey too: a null path.",
        ("journey", "path"),
    ),
    "touch": Definition(
        "Touch",
        "One recorded contact of a customer with a channel, such as a click, a visit or an impression.",
        ("touch", "touches"),
    ),
    "conversion": Definition(
        "Conversion",
        "One time that a customer reached the goal. It belongs to the day on which it happened, by the workspace's "
        "clock.",
    ),
    "lookback": Definition(
        "Lookback window",
        "How long before a conversion a touch still counts: 0 to {window_days} days, both ends included. A touch after "
        "the conversion never counts.",
        ("lookback window", "attribution window", "day window"),
    ),
    "credit": Definition(
        "Credit",
        "The part of the conversions, or of their value, that a model assigns to a channel or campaign. It describes "
        "association along the observed paths, not what would have happened without the channel.",
        ("credit", "credited", "credits", "attribution"),
    ),
    "none": Definition(
        "(none)",
        "The row of the conversions without any touch in the lookback window, and under custom models of those whose "
        "touches have no weight, so that credit adds up to all conversions.",
    ),
    "share": Definition(
        "Share",
        "A part of a whole in percent; of credit, a part of all of the metric that is credited, “(none)” included.",
        ("share",),
    ),
    "roas": Definition(
        "ROAS",
        "Return on ad spend: the revenue that a model credits a channel with, divided by what was spent on it in the "
        "same period. A ratio: {currency} of revenue for each {currency} of spend.",
    ),
    "blended_roas": Definition(
        "Overall ROI",
        "Blended ROAS: all revenue of the goal divided by all spend of the period, whoever gets the credit. A ratio.",
        ("overall roi", "blended roas"),
    ),
    "customers_interval": Definition(
        "{confidence}% interval of credit",
        "The range that holds a number at that level, had other customers of the same kind come: customers are drawn "
        "anew many times, and everything is computed again each time. It does not say how far association is from "
        "effect.",
        ("interval", "intervals"),
    ),
    "removal_effect": Definition(
        "Removal effect",
        "The share of conversions, in percent, that would be lost if everybody who would have touched the channel went "
        "away instead, as the Markov chain of the observed paths has it.",
    ),
    "marginal_effect": Definition(
        "Marginal effect",
        "A channel's Shapley value: what it adds to the conversion rate, averaged over all orders in which the "
        "channels could have joined, in percentage points. It can be negative.",
        ("marginal effect", "adds to the conversion rate"),
    ),
    "null_path": Definition(
        "Null path",
        "What a customer touched without converting in the period.",
        ("null path", "null paths", "without conversion", "did not convert"),
    ),
    # --- The same of aggregated paths, which know no customers and no times
    "path": Definition(
        "Path",
        "A sequence of channels, with how often it was taken, how often it led to a conversion and what that was "
        "worth. Aggregated paths know no customers and no times.",
        ("path", "paths"),
    ),
    "path_step": Definition(
        "Step of a path",
        "One place in a path: a contact with the channel that stands there.",
        ("touch", "touches", "step"),
    ),
    "path_conversion": Definition(
        "Conversion of a path",
        "One time that a path led to the goal. It counts for the period that its path begins in; that of a path "
        "without a day counts for any.",
        ("conversion", "conversions"),
    ),
    "paths_interval": Definition(
        "{confidence}% interval of credit from paths",
        "The range that holds a number at that level, had other paths of the same kind been taken: paths are drawn "
        "anew many times, and everything is computed again each time. It does not say how far association is from "
        "effect.",
        ("interval", "intervals"),
    ),
    "path_without_conversion": Definition(
        "Path without conversion",
        "How often a path was taken without leading to the goal: a null path.",
        ("null path", "null paths", "without conversion", "did not convert"),
    ),
    "path_rate": Definition(
        "Conversion rate of paths",
        "How often paths led to a conversion, as a percentage of how often they were taken.",
        ("conversion rate",),
    ),
    # --- Across channels
    "conversion_rate": Definition(
        "Conversion rate", "Journeys that end in a conversion, as a percentage of all journeys of the kind."
    ),
    "drop_off": Definition("Drop-off", "Journeys that ended without a conversion: null paths."),
    "effect_per_1000": Definition(
        "Effect per 1,000 journeys",
        "How many more conversions, or fewer, 1,000 journeys with both channels have than they would if the two did "
        "no more together than each does alone, everything else as it is.",
        ("effect per 1,000 journeys", "per 1,000 journeys"),
    ),
    "synergy": Definition(
        "Synergy",
        "Two channels that convert more together than each alone leads to expect, and clearly so: the adjusted p-value "
        "is at most {alpha}.",
        ("synergy", "synergies"),
    ),
    "cannibalisation": Definition(
        "Cannibalisation",
        "Two channels that convert less together than each alone leads to expect, and clearly so: the adjusted p-value "
        "is at most {alpha}.",
        ("cannibalisation", "cannibalisations"),
    ),
    "q_value": Definition(
        "Adjusted p",
        "The q-value: the p-value of a pair, adjusted for how many pairs were looked at (Benjamini and Hochberg). Of "
        "all pairs that are called at q, a share of at most q is expected to be called by chance.",
        ("adjusted p", "q-value", "false discovery rate"),
    ),
    "pair_interval": Definition(
        "{confidence}% interval of a pair’s effect",
        "The range that holds the effect of a pair at that level, allowing for several journeys of one customer. "
        "A pair may lie beyond zero and still not be called: it was one of many.",
        ("interval", "intervals"),
    ),
    # --- Media mix
    "outcome": Definition(
        "Outcome", "What the model explains, by period: a total such as sales, or a mean such as brand awareness."
    ),
    "incremental": Definition(
        "Incremental outcome",
        "What would be missing, in the period that is reported and after it, had the channel been zero in that period. "
        "In the outcome's unit.",
        ("incremental",),
    ),
    "incremental_roi": Definition(
        "ROI",
        "Incremental revenue divided by spend: {currency} that would be missing for each {currency} that had not been "
        "spent. A ratio.",
    ),
    "media_mix": Definition(
        "Media mix (incremental)",
        "Incremental revenue divided by spend, as the newest media mix model has it for its own period: what would be "
        "missing without the channel’s spend. A ratio.",
        ("media mix (incremental)",),
    ),
    "marginal_roi": Definition(
        "Marginal ROI",
        "What 1% more spend would add, divided by that 1%: the return of the next unit of spend, not of the average "
        "one. A ratio.",
        ("marginal roi", "mroi", "marginal return", "next unit"),
    ),
    "contribution": Definition(
        "Contribution",
        "What of the expected outcome in the period is owed to a channel, whenever its money was spent. Contributions "
        "and the baseline add up to the expected outcome. In the outcome's unit.",
        ("contribution", "contributions", "contributes", "owed to media"),
    ),
    "baseline": Definition(
        "Baseline",
        "What would be there without media: level, trend, season, weekdays, holidays, events and controls. In the "
        "outcome's unit.",
    ),
    "expected": Definition("Expected", "The outcome as the model has it, without chance: its mean.", ("expected",)),
    "predicted": Definition(
        "Predicted", "The outcome as it would be observed, chance included.", ("predicted", "predictions")
    ),
    "efficiency": Definition(
        "Efficiency score",
        "A channel's share of all paid media's incremental outcome, divided by its share of their spend, times 100. "
        "100 is par: it brings as much of the outcome as it has of the spend.",
        ("efficiency score", "efficiency"),
    ),
    "posterior_interval": Definition(
        "{confidence}% interval of the media mix model",
        "The range that holds a number with that probability, given the data, the model and what was believed "
        "beforehand; half of what is left lies on either side.",
        ("interval", "intervals"),
    ),
    "prediction_interval": Definition(
        "{confidence}% interval of a forecast",
        "The range that holds a predicted number with that probability if the plan is carried out, given the model; "
        "half of what is left lies on either side.",
        ("interval", "intervals"),
    ),
    "curve": Definition(
        "Response curve",
        "The incremental outcome if a channel's spend of the period were multiplied, with its spread over time as it "
        "was. Beyond what was ever spent it is extrapolated.",
        ("response curve", "response curves"),
    ),
    "carry_over": Definition(
        "Carry-over", "The part of an effect that comes in the periods after the spend.", ("carry-over", "carries over")
    ),
    "saturation": Definition(
        "Saturation", "That each further unit of spend in a period adds less than the one before.", ("saturat",)
    ),
    "recommended": Definition(
        "Recommended budget",
        "The spread of spend over channels that is best by the model within the limits: unless other wishes are said, "
        "the same total, and each channel within 30% of its share.",
        ("recommended",),
    ),
    "gain": Definition(
        "Gain",
        "What the recommended budget would bring more than the current one, in the outcome's unit.",
        ("gain", "gains"),
    ),
    "better": Definition(
        "Probability of being better",
        "The share of the model's draws in which the plan brings more than the current one.",
        ("better", "likely better"),
    ),
    "flighting": Definition("Flighting", "How a channel's spend is spread over the periods."),
    "worth_of_knowing": Definition(
        "Worth of knowing",
        "How much more a budget would bring, on average, if a channel's response were known before it is decided. In "
        "the outcome's unit.",
        ("worth of knowing", "worth testing", "knowing"),
    ),
    "stability": Definition(
        "Stability of returns",
        "0 to 100: how far this model and the one before agree on what channels returned, each channel weighed by its "
        "spend. From 90 on returns are about what they were.",
        ("stability",),
    ),
    "residual": Definition("Residual", "Observed less expected outcome, in the outcome's unit.", ("residual",)),
    "experiment": Definition(
        "Experiment",
        "A lift test: so much more of the outcome was measured because of the spend of its days. Its ROI is that lift "
        "divided by its spend, and incremental: it measures what would not have happened otherwise.",
        ("experiment", "experiments", "lift"),
    ),
    "r_hat": Definition(
        "R-hat",
        "Whether chains of draws agree: at most 1.01 where a fit has converged. A number near 1 without unit.",
    ),
    "effective_draws": Definition(
        "Effective draws", "How many independent draws the model's draws are worth; 400 or more are good."
    ),
    "divergences": Definition("Divergences", "Draws that the sampler could not follow; hardly any may be left."),
    "r2": Definition("R²", "The share of the outcome's variance that the expected outcome explains, of 1."),
    "wmape": Definition(
        "wMAPE",
        "By how much predictions were off: the sum of absolute errors as a percentage of the sum of what was observed.",
    ),
    "vif": Definition(
        "VIF", "How far a channel rises and falls with the others: from 1, not at all, to 10 and more, which fails."
    ),
    "crps": Definition(
        "CRPS", "How far off predictions are, their spread counted, in the outcome's unit: less is better.", ("crps",)
    ),
    "trend": Definition(
        "Trend",
        "How much a straight line through the days rises from the first day of the period to the last, weekdays "
        "allowed for. Rising or falling is said only where its whole interval lies on one side of zero.",
        ("trend", "trends", "rising", "falling"),
    ),
    "trend_interval": Definition(
        "{confidence}% interval of trends and experiments",
        "The range that holds the number at that level, from its standard error. Other evidence has the interval of "
        "the run that it comes from.",
        ("interval", "intervals"),
    ),
}


def defined(document: Document, *names: str, models: tuple[tuple[str, str], ...] = (), **values: object) -> Document:
    """Return the document with what its terms mean: those of `TERMS` that are named here and occur in it.

    `models`: further terms, which go first. `values`: what the places in texts are filled in with. Raises ValueError
    for an empty one, with which a text would say nothing, and KeyError where one is missing that is needed.
    """
    if empty := [name for name, value in values.items() if value in ("", None)]:
        raise ValueError(f"There is nothing to fill in for “{empty[0]}”.")
    words = "\n".join(words_of(document)).casefold()
    found = [TERMS[name] for name in names if _occurs(TERMS[name], words, values)]
    terms = tuple((each.term.format(**values), each.text.format(**values)) for each in found)
    return replace(document, definitions=(*models, *terms))


def still_defined(document: Document) -> Document:
    """Return the document without what terms mean that do not occur in it any more; what is none of `TERMS` stays."""
    words = "\n".join(words_of(document)).casefold()
    needed = tuple(pair for pair in document.definitions if _is_needed(pair[0], words))
    return replace(document, definitions=needed)


def _is_needed(term: str, words: str) -> bool:
    known = [each for each in TERMS.values() if _pattern(each.term).fullmatch(term)]
    return not known or any(_occurs(each, words, {}) if each.signs else term.casefold() in words for each in known)


def _pattern(term: str) -> re.Pattern[str]:
    """What a term with its places filled in looks like."""
    return re.compile("".join(".+" if part.startswith("{") else re.escape(part) for part in re.split(r"({\w+})", term)))


def _occurs(definition: Definition, words: str, values: dict[str, object]) -> bool:
    signs = definition.signs or (definition.term.format(**values),)
    return any(re.search(rf"(?<!\w){re.escape(sign.casefold())}", words) for sign in signs)


def words_of(document: Document) -> Iterator[str]:
    """Yield what a document says of its subject; its notes and its method explain themselves."""
    yield from (document.title, document.subtitle, document.headline)
    for card in document.cards:
        yield from (card.label, card.unit, card.change)
    for name, fact in document.facts:
        yield from (name, fact)
    for section in document.sections:
        yield from words_of_section(section)


def words_of_section(section: Section) -> Iterator[str]:
    """Yield all that a section says in words."""
    yield from (section.title, *section.sentences)
    for chart in section.charts:
        yield from _of_chart(chart)
    for table in section.tables:
        yield from _of_table(table)


def _of_chart(chart: Chart) -> Iterator[str]:
    yield from (chart.title, chart.subtitle, chart.summary)
    for panel in chart.panels:
        if isinstance(panel, ChartSpec):
            yield from (panel.title, panel.interval, panel.category_title, panel.axis.title)
            yield from (series.name for series in panel.series)
        elif isinstance(panel, SankeySpec):
            yield from (panel.value_title, *panel.columns, *(node.name for node in panel.nodes if node.is_end))


def _of_table(table: DataTable) -> Iterator[str]:
    yield from (table.title, table.note, *table.columns)
    yield from (row.label for row in table.rows)
