"""What a custom model would do, shown while somebody makes it: on example journeys, and on the workspace's own data.

The data is the snapshot as it is, and of much data that of a random sample of the customers, so that it takes no longer
than somebody waits. Nothing is built or written here; figures are kept for as long as the data stays what it is.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.core.cache import cache

from accounts.models import Workspace
from attribution.channel_types import decided_types, looks_at_types
from attribution.custom.compiling import custom_rule_model
from attribution.custom.examples import Weighed, examples, label, weigh
from attribution.labels import MODEL_LABELS, NONE
from attribution.methods.custom_definition import CustomDefinition, in_words
from attribution.methods.rules import LAST, LINEAR, RuleCredit, rule_credit
from marketing import store
from marketing.data_versions import data_version
from marketing.frames import MICROSECONDS_PER_DAY, Conversions, Journeys, SourceLookup, Touches
from marketing.journeys import build_journeys
from marketing.models import Dataset
from marketing.segments.preview import Scope, scope_of
from marketing.selectors import CONVERSION_COLUMNS, TOUCH_COLUMNS
from marketing.sources import source_lookup
from mmm_project import formats

MOST_TOUCHES = 500_000  # of more, those of a sample of customers are credited: about so many
MOST_CHANNELS = 12  # shown; what the others get is added up
KEPT_SECONDS = 86_400
DATASETS = (Dataset.TOUCHPOINTS, Dataset.CONVERSIONS)
THIS, OTHERS = "This model", "Others"
COMPARED = (LAST, LINEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCredit:
    """Credit of the workspace's conversions: names of channels, and the share of each under each model.

    `shares`: by model (the draft, Last Touch, Linear), of each channel and last of "(none)"; each adds up to 1.
    `conversions`: there are in the scope; `without_weight`: of these, those whose touches all weigh nothing under the
    draft; both counted in the sample. `sampled`: the share of customers that were looked at.
    `unknown`: channels and campaigns that the draft names and nothing is called.
    """

    channels: list[str]
    shares: list[list[float]]
    conversions: int
    without_weight: int
    sampled: float
    unknown: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleTouch:
    """A touch of an example, and its share as text and as a meter has it, whatever the page's language."""

    label: str
    text: str
    meter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A journey with the shares of its touches."""

    title: str
    touches: Sequence[ExampleTouch]
    leaves_nothing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a channel gets under each model."""

    label: str
    shares: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a definition does. `state`: incomplete, waiting (to be asked for), unprepared (the snapshot is being built),
    empty (nothing to credit) or counted."""

    state: str
    problems: Sequence[str] = ()
    meaning: Sequence[str] = ()
    examples: Sequence[Example] = ()
    scope: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Row] = ()
    notes: Sequence[str] = ()
    is_draft: bool = False


def present_preview(
    workspace: Workspace,
    definition: CustomDefinition | None,
    *,
    problems: Sequence[str] = (),
    with_data: bool = True,
    is_draft: bool = False,
) -> Preview:
    """Return what a definition does (None: one that is not complete, for these `problems`).

    Without `with_data` the workspace's own data is left for later. `is_draft`: it comes from a form that was sent.
    """
    if definition is None:
        return Preview(state="incomplete", problems=problems)
    weighed = weigh(workspace=workspace, definition=definition, journeys=examples(workspace=workspace))
    asks_kinds = any(rule.when.interaction for rule in definition.rules)
    said: dict[str, Any] = {
        "meaning": in_words(definition),
        "examples": [_example(each, with_kind=asks_kinds) for each in weighed],
        "is_draft": is_draft,
    }
    if not with_data:
        return Preview(state="waiting", **said)
    scope = scope_of(workspace)
    if scope is None:
        return Preview(state="empty", **said)
    said["scope"] = f"{scope.goal.name}, {scope.period.label}, {scope.window_days}-day window"
    credit = own_credit(workspace=workspace, scope=scope, definition=definition)
    if credit is None:
        return Preview(state="unprepared", **said)
    if not credit.conversions:
        return Preview(state="empty", **said)
    columns = (THIS, *(MODEL_LABELS[model.name] for model in COMPARED))
    notes = [note for note in _notes(credit, said["scope"]) if note]
    return Preview(state="counted", columns=columns, rows=_rows(credit), notes=notes, **said)


def own_credit(*, workspace: Workspace, scope: Scope, definition: CustomDefinition) -> OwnCredit | None:
    """Credit the conversions of the scope; None while the snapshot of the newest data is still to be built."""
    version = data_version(workspace=workspace, datasets=DATASETS)
    meaning = definition.as_json()
    types = decided_types([workspace.pk]) if looks_at_types(meaning) else {}
    question = [scope.goal.pk, str(scope.period.start), str(scope.period.end), scope.window_days, types]
    text = json.dumps([workspace.pk, version, question, meaning])
    key = f"custom-model-{hashlib.sha256(text.encode()).hexdigest()}"
    if (kept := cache.get(key)) is not None:
        return OwnCredit(**kept)
    loaded = _journeys(workspace, scope)
    if loaded is None:
        return None
    journeys, sampled = loaded
    credit = _credit(workspace, journeys, sampled, definition)
    cache.set(key, asdict(credit), KEPT_SECONDS)
    return credit


def _journeys(workspace: Workspace, scope: Scope) -> tuple[Journeys, float] | None:
    """The journeys to the scope's conversions, and of which share of customers; None if something is to be built."""
    active = store.active_imports(workspace=workspace)
    touch_imports, conversion_imports = active[Dataset.TOUCHPOINTS], active[Dataset.CONVERSIONS]
    sample = store.sample_of_customers(
        workspace=workspace, table=store.TOUCHES, imports=touch_imports, most_rows=MOST_TOUCHES
    )
    if sample is None:
        return None
    touches = store.load_built(
        workspace=workspace, table=store.TOUCHES, imports=touch_imports, names=TOUCH_COLUMNS, below=sample.below
    )
    conversions = store.load_built(
        workspace=workspace,
        table=store.CONVERSIONS,
        imports=conversion_imports,
        names=CONVERSION_COLUMNS,
        below=sample.below,
    )
    if touches is None or conversions is None:
        return None
    start_us, stop_us = scope.period.bounds_us(workspace.zone)
    journeys = build_journeys(
        touches=Touches.from_columns(touches),
        conversions=Conversions.from_columns(conversions),
        goal=scope.goal.pk,
        period_start_us=start_us,
        period_stop_us=stop_us,
        window_us=scope.window_days * MICROSECONDS_PER_DAY,
        null_paths=False,
    )
    return journeys, sample.share


def _credit(workspace: Workspace, journeys: Journeys, sampled: float, definition: CustomDefinition) -> OwnCredit:
    conversions = int(np.count_nonzero(journeys.converted))
    if not conversions:  # then numba, which takes a second to load, is not needed either
        return OwnCredit(channels=[], shares=[], conversions=0, without_weight=0, sampled=sampled, unknown=[])
    sources: SourceLookup = source_lookup(workspace=workspace, touches=journeys.touches)
    draft = custom_rule_model(workspace=workspace, name=THIS, definition=definition, sources=sources)
    assert draft.custom is not None  # noqa: S101 - it was just compiled
    credit: RuleCredit = rule_credit(
        journeys=journeys,
        models=[draft, *COMPARED],
        group_of_source=sources.group_of_source("channel"),
        groups=len(sources.channels),
        direct_source=sources.direct_source(),
    )
    untouched = int(np.count_nonzero(journeys.converted & (journeys.start == journeys.stop)))
    credited = np.flatnonzero(credit.conversions[:, :-1].any(axis=0))
    order = credited[np.argsort(-credit.conversions[0, credited], kind="stable")]
    shares = credit.conversions[:, [*order, len(sources.channels)]] / conversions
    return OwnCredit(
        channels=[sources.channels[place] for place in order],
        shares=shares.tolist(),
        conversions=conversions,
        without_weight=round(float(credit.conversions[0, -1])) - untouched,
        sampled=sampled,
        unknown=[*draft.custom.unknown_channels, *draft.custom.unknown_campaigns],
    )


def _rows(credit: OwnCredit) -> list[Row]:
    """The channels that get most under the draft, what the others get together, and "(none)" if any gets there."""
    table = np.array(credit.shares)
    shown = min(len(credit.channels), MOST_CHANNELS)
    rows = [(name, table[:, place]) for place, name in enumerate(credit.channels[:shown])]
    if shown < len(credit.channels):
        rows.append((f"{OTHERS} ({len(credit.channels) - shown})", table[:, shown:-1].sum(axis=1)))
    if table[:, -1].any():
        rows.append((NONE, table[:, -1]))
    return [Row(label=name, shares=[formats.percent(share) for share in shares.tolist()]) for name, shares in rows]


def _notes(credit: OwnCredit, scope: str) -> list[str]:
    unknown = ", ".join(f"“{name}”" for name in credit.unknown[:5])
    more = len(credit.unknown) - 5
    conversions = _estimated(credit.conversions, credit.sampled)
    noun = "conversion" if conversions == "1" else "conversions"
    without = _estimated(credit.without_weight, credit.sampled)
    return [
        f"Share of {conversions} {noun} that each channel gets. {scope}.",
        f"{without} of them {'has' if without == '1' else 'have'} touches, but none with any weight: that credit "
        f"goes to “{NONE}”."
        if credit.without_weight
        else "",
        f"Estimated from a random sample of {formats.percent(credit.sampled)} of the customers, as there are many. "
        "Runs count all of them."
        if credit.sampled < 1
        else "",
        f"Nothing is called {unknown}{f' and {more} more' if more > 0 else ''}: these conditions hold for no touch."
        if unknown
        else "",
    ]


def _estimated(counted: int, sampled: float) -> str:
    """Return a number counted in a sample, for all customers: two digits, as it knows no more."""
    if sampled >= 1:
        return formats.count(counted)
    estimate = counted / sampled
    return f"about {formats.count(float(f'{estimate:.1e}'))}"


def _example(weighed: Weighed, *, with_kind: bool) -> Example:
    return Example(
        title="1 touch" if len(weighed.touches) == 1 else f"{len(weighed.touches)} touches",
        touches=[
            ExampleTouch(label=label(touch, with_kind=with_kind), text=formats.percent(share), meter=f"{share:.6f}")
            for touch, share in zip(weighed.touches, weighed.shares, strict=True)
        ],
        leaves_nothing=weighed.leaves_nothing,
    )
