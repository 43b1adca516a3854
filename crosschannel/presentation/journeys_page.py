"""The journeys behind a node or a link of the diagram: their flows, and their paths as a list to search."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

import numpy as np
from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.urls import reverse

from analyses.artifacts import ArtifactMissing
from analyses.models import Run
from charts import SankeySpec
from crosschannel import result
from crosschannel.labels import CONVERSION, DROP_OFF
from crosschannel.methods import walks as walk_numbers
from crosschannel.methods.filters import PathFilter, keep_paths
from crosschannel.methods.flows import flows_of
from crosschannel.methods.walks import End, Walks, select
from crosschannel.presentation import words
from crosschannel.presentation.flow_charts import FlowFrame, flow_chart
from crosschannel.presentation.path_sections import BETWEEN_STEPS
from crosschannel.presentation.rows import path_text
from crosschannel.presentation.sources import Sources
from crosschannel.stored import Stored
from marketing.frames import BoolColumn, Float64Column, Int64Column
from mmm_project import formats
from mmm_project.problems import NotFound
from mmm_project.tables import Cell

PATHS_PER_PAGE = 50
MOST_CONDITIONS = 12
ROWS_AT_ONCE = 10_000
LONGEST_SEARCH = 200
_TERM = re.compile(rf'\s*(?:"([^"]+)"|([^,>{BETWEEN_STEPS.strip()}]+))')
_NODE = re.compile(r"(\d{1,2}):(.+)", re.DOTALL)
_ENDS: dict[str, End] = {CONVERSION: "conversion", DROP_OFF: "drop_off"}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that the journeys of the page have in common, and the address of the page without it."""

    text: str
    without_url: str


@dataclass(frozen=True, slots=True)
class PathRow:
    """A path and how many journeys took it, as people read them."""

    path: str
    touches: str
    journeys: str
    conversions: str
    rate: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneysPage:
    """The page. `lost`: that the run's figures are no longer there, and then there is nothing else."""

    run: Run
    question: str
    run_url: str
    back_url: str
    conditions: Sequence[Condition] = ()
    lost: str = ""
    summary: Sequence[tuple[str, str]] = ()
    chart: SankeySpec | None = None
    rows: Sequence[PathRow] = ()
    pages: "Page[Int64Column] | None" = None
    rarer: str = ""
    search: str = ""
    kept_fields: Sequence[tuple[str, str]] = ()
    csv_url: str = ""


class Asked:
    """What the address asks of the journeys of a run. Raises NotFound where it names what the run does not know."""

    def __init__(self, run: Run, query: QueryDict) -> None:
        self.run, self.stored = run, Stored(run)
        self.at = [self._node(text) for text in query.getlist("at")[:MOST_CONDITIONS]]
        self.end = query.get("end", "")
        if self.end and self.end not in _ENDS:
            raise NotFound(f"Journeys end in {CONVERSION} or {DROP_OFF}, not in “{self.end[:40]}”.")
        self.holding = list(dict.fromkeys(query.getlist("with")[:MOST_CONDITIONS]))
        self.search = query.get("search", "").strip()[:LONGEST_SEARCH]

    def _node(self, text: str) -> tuple[int, str]:
        found = _NODE.fullmatch(text)
        if found is None or not 1 <= int(found[1]) <= self.run.params["steps"] + 1:
            raise NotFound("A node of the diagram is a step and a channel, such as 2:Email.")
        return int(found[1]), found[2]

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The conditions as the address has them, the search left out."""
        nodes = [("at", f"{step}:{name}") for step, name in self.at]
        return [*nodes, *([("end", self.end)] if self.end else []), *(("with", name) for name in self.holding)]

    @cached_property
    def walks(self) -> Walks:
        """The beginnings of the journeys that pass the nodes and end so."""
        at = tuple((step - 1, self._number(name)) for step, name in self.at)
        return select(self.stored.walks, at=at, end=_ENDS.get(self.end))

    @cached_property
    def kept(self) -> BoolColumn:
        """Which stored paths the page is about: (P,)."""
        table, labels = self.stored.paths, self.stored.labels
        kept = self.walks.walk_of_path >= 0
        groups = tuple(self._channel(name) for name in self.holding)
        if groups:
            kept = kept & keep_paths(table, PathFilter(contains=groups))
        for term in self._terms:
            found = np.array([all(word in label.casefold() for word in term) for label in labels], np.bool_)
            kept = kept & np.logical_or.reduceat(found[table.steps], table.offsets[:-1])
        return kept

    @property
    def _terms(self) -> list[list[str]]:
        """The words of each term of the search, all of them of one channel; a name may hold what parts terms."""
        text = self.search.casefold()
        is_of_a_name = any(text in label.casefold() for label in self.stored.labels)
        terms = [text] if is_of_a_name else [quoted or plain for quoted, plain in _TERM.findall(text)]
        return [term.split() for term in terms]

    @cached_property
    def amounts(self) -> dict[str, Float64Column]:
        """Journeys, conversions and value of each stored path (P,), of the journeys that end as asked."""
        table = self.stored.paths
        ends = {self.end, *(name for _, name in self.at)}
        conversions = np.zeros_like(table.conversions) if DROP_OFF in ends else table.conversions
        value = np.zeros_like(table.value) if DROP_OFF in ends else table.value
        nulls = np.zeros_like(table.nulls) if CONVERSION in ends else table.nulls
        return {"journeys": conversions + nulls, "conversions": conversions, "value": value}

    @property
    def place(self) -> Int64Column:
        """The paths of the page, most journeys first; of equal ones the shorter."""
        table, taken = self.stored.paths, self.amounts["journeys"]
        place = np.flatnonzero(self.kept & (taken > 0))
        length = np.diff(table.offsets)[place]
        return place[np.lexsort((place, length, -taken[place]))]

    @property
    def narrows_by_path(self) -> bool:
        """Whether only the stored paths can tell which journeys are meant."""
        return bool(self.holding or self.search)

    def _number(self, name: str) -> int:
        ends = {CONVERSION: walk_numbers.CONVERSION, DROP_OFF: walk_numbers.DROP_OFF}
        return ends[name] if name in ends else self._channel(name)

    def _channel(self, name: str) -> int:
        number = self.stored.group_named(name)
        if number is None:
            raise NotFound(f"No journey of this run meets a channel “{name[:60]}”.")
        return number


def present_journeys(run: Run, query: QueryDict) -> JourneysPage:
    """Return the page. Raises NotFound where the address names nodes or channels that the run does not know."""
    asked = Asked(run, query)
    arguments = {"slug": run.workspace.slug, "run_id": run.pk}
    page = JourneysPage(
        run=run,
        question=words.describe(run.params),
        run_url=reverse("analyses:run", kwargs=arguments),
        back_url=reverse("crosschannel:journeys", kwargs=arguments),
        search=asked.search,
        kept_fields=asked.fields,
        conditions=_conditions(asked),
    )
    try:
        return _filled(page, asked, query)
    except ArtifactMissing as missing:
        return replace(page, lost=str(missing))


def rows_of_journeys(run: Run, query: QueryDict) -> Iterator[Sequence[Cell]]:
    """Yield the paths of the page as a table in full precision, header first. Raises NotFound as the page does."""
    asked = Asked(run, query)
    try:
        place = asked.place
    except ArtifactMissing as missing:
        raise NotFound(str(missing)) from None
    return _rows(asked, place)


def _rows(asked: Asked, place: Int64Column) -> Iterator[Sequence[Cell]]:
    table, amounts = asked.stored.paths, asked.amounts
    yield ("path", "touches", "journeys", "conversions", "value")
    for start in range(0, len(place), ROWS_AT_ONCE):
        for one in place[start : start + ROWS_AT_ONCE].tolist():
            row = result.path_row(table, one, asked.stored.labels, most=len(table.steps))
            yield (path_text(row), row["touches"], *(float(amounts[name][one]) for name in amounts))


def _filled(page: JourneysPage, asked: Asked, query: QueryDict) -> JourneysPage:
    run, walks, place, amounts = asked.run, asked.walks, asked.place, asked.amounts
    currency = run.workspace.currency
    listed = {name: float(column[place].sum()) for name, column in amounts.items()}
    whole = {
        "journeys": float((walks.conversions + walks.nulls).sum()),
        "conversions": float(walks.conversions.sum()),
        "value": float(walks.value.sum()),
    }
    shown = listed if asked.narrows_by_path else whole
    pages = Paginator(place, PATHS_PER_PAGE).get_page(query.get("page"))
    return replace(
        page,
        summary=_summary(shown, currency),
        chart=None if asked.narrows_by_path else _chart(asked, walks, shown),
        rows=[_path_row(asked, int(one), currency) for one in pages.object_list],
        pages=pages,
        rarer=_rarer(asked, whole["journeys"] - listed["journeys"]),
        csv_url=f"{reverse('crosschannel:journeys_csv', kwargs={'slug': run.workspace.slug, 'run_id': run.pk})}?"
        + urlencode([*asked.fields, *([("search", asked.search)] if asked.search else [])]),
    )


def _summary(amounts: dict[str, float], currency: str) -> list[tuple[str, str]]:
    journeys = amounts["journeys"]
    rate = formats.percent(amounts["conversions"] / journeys) if journeys else "\N{EN DASH}"
    return [
        ("Journeys", formats.count(journeys)),
        ("Conversions", formats.count(amounts["conversions"])),
        ("Conversion rate", rate),
        ("Value", formats.money(amounts["value"], currency)),
    ]


def _chart(asked: Asked, walks: Walks, amounts: dict[str, float]) -> SankeySpec | None:
    flows = flows_of(walks)
    found = result.flows(flows, np.full(len(flows), np.nan), asked.stored.labels)
    frame = FlowFrame(
        sources=Sources.of(asked.run),
        currency=asked.run.workspace.currency,
        steps=asked.run.params["steps"],
        kept=asked.fields,
    )
    return flow_chart(
        found,
        frame=frame,
        chart_id="flows",
        title=f"How these {formats.count(amounts['journeys'], 'journey')} go",
        subtitle="Journeys by touch",
    )


def _path_row(asked: Asked, place: int, currency: str) -> PathRow:
    row = result.path_row(asked.stored.paths, place, asked.stored.labels)
    journeys, conversions, value = (float(column[place]) for column in asked.amounts.values())
    return PathRow(
        path=path_text(row, BETWEEN_STEPS),
        touches=formats.count(row["touches"]),
        journeys=formats.count(journeys),
        conversions=formats.count(conversions),
        rate=formats.percent(conversions / journeys),
        value=formats.money(value, currency),
    )


def _rarer(asked: Asked, journeys: float) -> str:
    """Say what the list does not show: the rarest paths are not stored."""
    if asked.narrows_by_path or round(journeys) <= 0:
        is_whole = len(asked.stored.paths) == (asked.run.result or {})["distinct_paths"]
        if is_whole or not asked.narrows_by_path:
            return ""
        return f"Searched are the {formats.count(len(asked.stored.paths))} paths that most journeys took."
    return f"{formats.count(journeys, 'more journey')} took paths too rare to be listed."


def _conditions(asked: Asked) -> list[Condition]:
    fields = asked.fields
    address = reverse("crosschannel:journeys", kwargs={"slug": asked.run.workspace.slug, "run_id": asked.run.pk})
    kept = [("search", asked.search)] if asked.search else []
    return [
        Condition(_in_words(field, value), f"{address}?{urlencode([*fields[:place], *fields[place + 1 :], *kept])}")
        for place, (field, value) in enumerate(fields)
    ]


def _in_words(field: str, value: str) -> str:
    if field == "with":
        return f"With {value}"
    if field == "end":
        return f"Ends in {value}"
    step, _, name = value.partition(":")
    return f"Then {name}" if name in _ENDS else f"Touch {step}: {name}"
