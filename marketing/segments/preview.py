"""What segments would hold, counted while somebody waits: from the snapshot as it is, and of much data a sample.

Nothing is built or written here, so a page may ask for it at any time.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Workspace
from marketing import store
from marketing.data_versions import data_version
from marketing.frames import MICROSECONDS_PER_DAY, BoolColumn, Conversions, Touches
from marketing.journeys import build_journeys
from marketing.models import Dataset, Goal
from marketing.periods import Period, yesterday
from marketing.segments import names
from marketing.segments.definition import Definition, What
from marketing.segments.evaluation import returning_customers, select
from marketing.selectors import CONVERSION_COLUMNS, TOUCH_COLUMNS
from marketing.sources import source_lookup

MOST_TOUCHES = 1_500_000  # of more, the touches of a sample of customers are counted: about so many
KEPT_SECONDS = 86_400
DATASETS = (Dataset.TOUCHPOINTS, Dataset.CONVERSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is in a segment, and in all: conversions, their value, and paths without conversion.

    `sampled`: the share of customers that were looked at; below 1, the numbers are estimates for all of them.
    """

    conversions: float
    value: float
    null_paths: float
    all_conversions: float
    all_value: float
    all_null_paths: float
    sampled: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What previews are about: the workspace's defaults."""

    goal: Goal
    period: Period
    window_days: int


def scope_of(workspace: Workspace) -> Scope | None:
    """Return the default goal, period and window of the workspace; None while it has no goal."""
    goal = Goal.objects.filter(workspace=workspace, archived_at=None).order_by("-is_default", "pk").first()
    until = yesterday(now=timezone.now(), zone=workspace.zone)
    period = Period.last_days(workspace.period_days, until=until)
    return None if goal is None else Scope(goal=goal, period=period, window_days=workspace.window_days)


def count(*, workspace: Workspace, scope: Scope, definitions: Sequence[Definition]) -> list[Figures] | None:
    """Return the figures of each definition; None while the snapshot of the newest data is still to be built."""
    version = data_version(workspace=workspace, datasets=DATASETS)
    keys = [_key(workspace, scope, version, definition) for definition in definitions]
    asked = dict(zip(keys, definitions, strict=True))
    figures = {key: Figures(**known) for key in asked if (known := cache.get(key)) is not None}
    if missing := {key: definition for key, definition in asked.items() if key not in figures}:
        with_segment = any(definition.looks_at(What.ATTRIBUTE) for definition in missing.values())
        counter = _Counter.load(workspace, scope, with_segment=with_segment)
        if counter is None:
            return None
        for key, definition in missing.items():
            figures[key] = counter.count(definition)
            cache.set(key, asdict(figures[key]), KEPT_SECONDS)
    return [figures[key] for key in keys]


def _key(workspace: Workspace, scope: Scope, version: str, definition: Definition) -> str:
    question = [scope.goal.pk, str(scope.period.start), str(scope.period.end), scope.window_days]
    text = json.dumps([workspace.pk, version, question, definition.as_json()])
    return f"segment-{hashlib.sha256(text.encode()).hexdigest()}"


class _Counter:
    """The journeys of a scope, of all customers or of a sample, loaded once for several definitions."""

    def __init__(
        self, workspace: Workspace, scope: Scope, touches: Touches, conversions: Conversions, sampled: float
    ) -> None:
        self._workspace, self._scope = workspace, scope
        self._conversions, self._sampled = conversions, sampled
        self._start_us, self._stop_us = scope.period.bounds_us(workspace.zone)
        self._journeys = build_journeys(
            touches=touches,
            conversions=conversions,
            goal=scope.goal.pk,
            period_start_us=self._start_us,
            period_stop_us=self._stop_us,
            window_us=scope.window_days * MICROSECONDS_PER_DAY,
        )
        self._sources = source_lookup(workspace=workspace, touches=touches)
        self._all = self._amounts(np.ones(len(self._journeys), np.bool_))
        self._returning: BoolColumn | None = None

    @classmethod
    def load(cls, workspace: Workspace, scope: Scope, *, with_segment: bool) -> "_Counter | None":
        active = store.active_imports(workspace=workspace)
        touch_imports = active[Dataset.TOUCHPOINTS]
        sample = store.sample_of_customers(
            workspace=workspace, table=store.TOUCHES, imports=touch_imports, most_rows=MOST_TOUCHES
        )
        if sample is None:
            return None
        wanted = (*TOUCH_COLUMNS, *(("segment",) if with_segment else ()))
        touches = store.load_built(
            workspace=workspace, table=store.TOUCHES, imports=touch_imports, names=wanted, below=sample.below
        )
        conversions = store.load_built(
            workspace=workspace,
            table=store.CONVERSIONS,
            imports=active[Dataset.CONVERSIONS],
            names=CONVERSION_COLUMNS,
            below=sample.below,
        )
        if touches is None or conversions is None:
            return None
        return cls(workspace, scope, Touches.from_columns(touches), Conversions.from_columns(conversions), sample.share)

    def count(self, definition: Definition) -> Figures:
        whole = self._journeys
        chosen = select(
            definition=definition,
            journeys=whole,
            sources=self._sources,
            codes=names.codes(workspace=self._workspace, sources=self._sources, definition=definition),
            returning=self._returning_customers() if definition.looks_at(What.CUSTOMER) else None,
        )
        conversions, value, null_paths = self._amounts(chosen)
        all_conversions, all_value, all_null_paths = self._all
        return Figures(
            conversions=conversions,
            value=value,
            null_paths=null_paths,
            all_conversions=all_conversions,
            all_value=all_value,
            all_null_paths=all_null_paths,
            sampled=self._sampled,
        )

    def _returning_customers(self) -> BoolColumn:
        if self._returning is None:
            self._returning = returning_customers(
                journeys=self._journeys,
                conversions=self._conversions,
                goal=self._scope.goal.pk,
                period_start_us=self._start_us,
                period_stop_us=self._stop_us,
            )
        return self._returning

    def _amounts(self, chosen: BoolColumn) -> tuple[float, float, float]:
        """Conversions, value and null paths among the chosen journeys, taken up from the sample to all customers."""
        journeys = self._journeys
        converted = chosen & journeys.converted
        amounts = (converted.sum(), journeys.value[converted].sum(), (chosen & ~journeys.converted).sum())
        conversions, value, null_paths = (float(amount) / self._sampled for amount in amounts)
        return conversions, value, null_paths
