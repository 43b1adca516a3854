"""The kinds of question that can be asked; feature apps register theirs in `AppConfig.ready`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from accounts.models import Feature, Workspace
from analyses.errors import InvalidParams
from jobs.progress import Progress
from marketing.models import Dataset

if TYPE_CHECKING:
    from analyses.models import Run

Params: TypeAlias = Mapping[str, Any]
Cell: TypeAlias = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class PresentedResult:
    """A finished run's answer, ready for the page: the template that the run page includes, and what it shows."""

    template_name: str
    context: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class AnalysisKind:
    """One kind of question: how it is cleaned, computed and shown.

    Canonical params are JSON and say everything the result depends on besides the data: dates (ISO, named `start` and
    `end`) instead of relative periods, defaults filled in, the seed if there is chance in it.
    """

    name: str
    label: str
    method_version: str
    # What a result depends on.
    datasets: tuple[Dataset, ...]
    # Params as asked -> canonical; leaves canonical ones as they are. Raises InvalidParams.
    clean: Callable[[Workspace, Params], dict[str, Any]]
    # Canonical params -> the result: JSON of finite numbers. Raises AnalysisError.
    compute: Callable[[Workspace, Params, Progress], dict[str, Any]]
    present: Callable[["Run"], PresentedResult]
    # The result as one table, header first, for CSV and the terminal.
    rows: Callable[["Run"], Iterable[Sequence[Cell]]]
    # Canonical params in a line for the history: "Last touch · Purchase · 1 to 30 June 2026".
    describe: Callable[[Params], str]
    # The URL name of the page to ask from, which takes the workspace's slug and, as its query, params.
    page: str
    # The plan's feature that such a question needs, if any.
    feature: Callable[[Params], Feature | None] = lambda _params: None
    # Style sheets (static paths) that the result needs: the run page loads them before there is a result.
    styles: Sequence[str] = ()
    # Questions like this one that take less time and memory: (what is different, params).
    easier: Callable[[Params], Sequence[tuple[str, Params]]] = lambda _params: ()


_kinds: dict[str, AnalysisKind] = {}


def register(kind: AnalysisKind) -> None:
    """Make `kind` known to the page, the API and the command line."""
    _kinds[kind.name] = kind


def get(name: str) -> AnalysisKind:
    """Return the kind called `name`. Raises InvalidParams, naming those that exist."""
    try:
        return _kinds[name]
    except KeyError:
        known = ", ".join(sorted(_kinds)) or "none"
        raise InvalidParams({"kind": f"There is no kind of analysis called “{name}”. Known: {known}."}) from None


def names() -> tuple[str, ...]:
    """Return the names of all kinds."""
    return tuple(sorted(_kinds))
