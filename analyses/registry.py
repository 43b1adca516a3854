"""The kinds of question that can be asked; feature apps register theirs in `AppConfig.ready`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from accounts.models import Feature, Workspace
from analyses.errors import InvalidParams
from jobs.models import Job
from jobs.progress import Progress
from marketing.models import Dataset
from mmm_project.tables import Cell

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from analyses.documents import Document, Section
    from analyses.models import Run
    from analyses.tables import OnPhase, Tables

Params: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class PresentedResult:
    """A finished run's answer, ready for the page: the template that the run page includes, and what it shows."""

    template_name: str
    context: Mapping[str, object]


@dataclass(frozen=True)
class Answer:
    """What a computation found: `result` is JSON of finite numbers; `arrays` are kept in a file beside the run."""

    result: dict[str, Any]
    arrays: "Mapping[str, npt.NDArray[np.generic]]" = field(default_factory=dict)


def plain_settings(params: Params) -> list[tuple[str, str]]:
    """Return canonical params as (name, value) in words, for kinds that have no better ones."""
    return [(name.replace("_", " ").capitalize(), _in_words(value)) for name, value in params.items()]


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_in_words, value))
    return "\N{EN DASH}" if value in (None, "") else str(value)


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
    # Canonical params -> the answer. Raises AnalysisError.
    compute: Callable[[Workspace, Params, Progress], Answer]
    present: Callable[["Run"], PresentedResult]
    # The finished result for readers: what every format of its export is made from.
    document: Callable[["Run"], "Document"]
    # The result as one table, header first, for CSV and the terminal.
    rows: Callable[["Run"], Iterable[Sequence[Cell]]]
    # Canonical params in a line for the history: "Last touch · Purchase · 1 to 30 June 2026".
    describe: Callable[[Params], str]
    # Canonical params as a list of settings: (("Lookback window", "30 days"), ...), in the same order for all runs.
    settings: Callable[[Params], Sequence[tuple[str, str]]] = plain_settings
    # Canonical params as the address of the page to ask from says them: names and texts.
    in_address: Callable[[Params], Params] = lambda params: params
    # Params that canonical ones leave out where nobody asks for them.
    optional: Sequence[str] = ()
    # Sections that set two finished runs, the earlier first, side by side; none where that makes no sense.
    compare: Callable[["Run", "Run"], Sequence["Section"]] = lambda _earlier, _later: ()
    # For how long results are to be acted upon; None: for ever.
    stale_after: timedelta | None = None
    # Canonical params -> those of the same question up to the newest data; None where nothing newer counts.
    renewed: Callable[[Workspace, Params], Params | None] = lambda _workspace, _params: None
    # The URL name of the page to ask from, which takes the workspace's slug and, as its query, params.
    page: str
    # Where such questions wait: those that are computed in a child process have a queue of their own.
    queue: Job.Queue = Job.Queue.QUICK
    # The plan's feature that such a question needs, if any.
    feature: Callable[[Params], Feature | None] = lambda _params: None
    # Style sheets (static paths) that the result needs: the run page loads them before there is a result.
    styles: Sequence[str] = ()
    # Questions like this one that take less time and memory: (what is different, params).
    easier: Callable[[Params], Sequence[tuple[str, Params]]] = lambda _params: ()
    # The kind whose scopes an API key needs for it, where it has none of its own.
    scope: str = ""
    # Whether such a question can go out by a schedule.
    can_be_scheduled: bool = False
    # Canonical params -> the answer from tables outside the database; None where there is no such answer.
    compute_tables: "Callable[[Workspace, Params, Tables, OnPhase], Answer] | None" = None
    # Kept up to date by the product itself: not listed among the runs that people asked for, nor open to be asked.
    internal: bool = False


_kinds: dict[str, AnalysisKind] = {}


def register(kind: AnalysisKind) -> None:
    """Make `kind` known to the page, the API and the command line."""
    _kinds[kind.name] = kind


def get(name: str) -> AnalysisKind:
    """Return the kind called `name`. Raises InvalidParams, naming those that can be asked."""
    try:
        return _kinds[name]
    except KeyError:
        known = ", ".join(names(internal=False)) or "none"
        raise InvalidParams({"kind": f"There is no kind of analysis called “{name}”. Known: {known}."}) from None


def scope_of(name: str) -> str:
    """Return the kind whose scopes an API key needs for this one; of an unknown kind, its name."""
    kind = _kinds.get(name)
    return (kind.scope if kind else "") or name


def names(*, internal: bool | None = None) -> tuple[str, ...]:
    """Return the names of the kinds: of all, or only of those that are, or are not, internal."""
    return tuple(sorted(name for name, kind in _kinds.items() if internal is None or kind.internal == internal))
