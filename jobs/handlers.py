"""What each kind of job does, registered by the apps above; and the words in which a handler ends its job early."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.models import Job
    from jobs.progress import Progress


class JobFailed(Exception):
    """An expected failure: ends the job with this sentence, which says what the person can do about it."""

    def __init__(self, sentence: str, code: str = "failed") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class JobCancelled(Exception):
    """Somebody asked to cancel the job; raised by `Progress` inside the handler."""


class LeaseLost(Exception):
    """Another claim has replaced this one, so nothing may be written any more; raised by `Progress`."""


class JobDeferred(Exception):
    """The job cannot be carried out yet: it waits in the queue again, and this try is not counted as an attempt."""


@dataclass(frozen=True, kw_only=True)
class Handler:
    """How one kind of job is carried out."""

    execute: Callable[["Job", "Progress"], None]
    on_end: Callable[["Job"], None]
    one_at_a_time: bool = False


_handlers: dict[str, Handler] = {}
_sweepers: list[Callable[[], None]] = []


def register(
    kind: str,
    *,
    execute: Callable[["Job", "Progress"], None],
    on_end: Callable[["Job"], None] = lambda _job: None,
    one_at_a_time: bool = False,
) -> None:
    """Make `kind` known.

    `execute` does the work and may be started again after a crash, so it must be safe to repeat; it writes its outcome
    inside `Progress.complete`. `on_end` runs inside the transaction that ends the job as failed or cancelled. Of all
    kinds that are `one_at_a_time` together, a workspace has one job running: the others are not taken meanwhile.
    """
    _handlers[kind] = Handler(execute=execute, on_end=on_end, one_at_a_time=one_at_a_time)


def get(kind: str) -> Handler:
    """Return the handler of `kind`; for an unknown one a handler that fails the job with a sentence."""
    return _handlers.get(kind, _UNKNOWN)


def one_at_a_time() -> list[str]:
    """Return the kinds of which a workspace has one job running, of all of them together."""
    return sorted(kind for kind, handler in _handlers.items() if handler.one_at_a_time)


def kinds() -> list[str]:
    """Return the names of the kinds that this installation knows."""
    return sorted(_handlers)


def register_sweeper(sweeper: Callable[[], None]) -> None:
    """Have every sweep call `sweeper`, which clears up a little at a time and returns within seconds."""
    if sweeper not in _sweepers:
        _sweepers.append(sweeper)


def sweepers() -> tuple[Callable[[], None], ...]:
    """Return the registered sweepers."""
    return tuple(_sweepers)


def _fail_unknown(job: "Job", _progress: "Progress") -> None:
    raise JobFailed(f"This installation does not know how to carry out “{job.kind}” jobs.", code="unknown_kind")


_UNKNOWN = Handler(execute=_fail_unknown, on_end=lambda _job: None)
