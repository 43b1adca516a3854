"""A kind of job whose work each test writes itself, and a doorbell that writes down who was rung for."""

from collections.abc import Callable
from dataclasses import dataclass, field

import celery
import pytest
from django.test import TestCase

from accounts.models import Workspace
from jobs import actions, handlers
from jobs.models import Job
from jobs.progress import Progress

Work = Callable[[Job, Progress], None]


@dataclass
class Trade:
    """The kind `test`: set `work` to what its handler does; `ended` lists the ends that `on_end` heard of."""

    work: Work = lambda _job, _progress: None
    calls: int = 0
    ended: list[tuple[int, str]] = field(default_factory=list)

    def execute(self, job: Job, progress: Progress) -> None:
        self.calls += 1
        self.work(job, progress)

    def on_end(self, job: Job) -> None:
        self.ended.append((job.pk, job.status))


@pytest.fixture
def trade(monkeypatch: pytest.MonkeyPatch) -> Trade:
    trade = Trade()
    handler = handlers.Handler(execute=trade.execute, on_end=trade.on_end)
    monkeypatch.setitem(handlers._handlers, "test", handler)
    monkeypatch.setattr(handlers, "_sweepers", [])
    return trade


@pytest.fixture
def doorbell(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids that were rung for, in order."""
    rung: list[int] = []
    monkeypatch.setattr(celery.current_app, "send_task", lambda _name, args, **_: rung.extend(args))
    return rung


@pytest.fixture
def job(workspace: Workspace, trade: Trade) -> Job:
    """A queued job of the kind `test`."""
    return actions.submit(workspace=workspace, kind="test", ring=False)


@pytest.fixture
def committed() -> Callable[[], object]:
    """`with committed():` runs what waits for the commit at the end of the block."""
    return lambda: TestCase.captureOnCommitCallbacks(execute=True)
