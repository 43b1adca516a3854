"""A lift test as somebody enters it, and taking it in: by the one way that all data come in by, as an import."""

import hashlib
import json
from dataclasses import dataclass
from statistics import NormalDist

from accounts.models import User, Workspace
from marketing.models import Dataset, Import
from marketing.periods import Period
from mmm_project.problems import Conflict
from weightings.methods.experiments.group_sizes import Group

TAKEN_BACK = "This test was saved from this form before, and has been taken back since. Open the form anew to enter it."
NO_PART_OF_A_NAME = str.maketrans("/\\", "--")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftTest:
    """A test of a channel. `lift`, `standard_error`, `spend`: in account currency. `geo`: "" for the whole market.

    `groups`: the test's and the control's, of a test that was entered by them. `middle`: where the lift lies in its
    interval, from 0 to 1, of one that was entered by that; in the middle for all others.
    """

    channel: str
    period: Period
    geo: str
    lift: float
    standard_error: float
    spend: float
    groups: tuple[Group, Group] | None = None
    middle: float = 0.5

    @property
    def roi(self) -> float:
        return self.lift / self.spend

    def reach(self, confidence: int) -> float:
        """How far the normal interval of the lift goes to either side. `confidence`: its level in percent."""
        return reach(self.standard_error, confidence)

    def as_row(self) -> dict[str, str]:
        """The row of an import that says it."""
        row = {
            "channel": self.channel,
            "start": self.period.start.isoformat(),
            "end": self.period.end.isoformat(),
            "lift": repr(self.lift),
            "standard_error": repr(self.standard_error),
            "spend": f"{self.spend:.6f}",
        }
        return row | {"geo": self.geo} if self.geo else row

    @property
    def digest(self) -> str:
        """What tells it from any other test."""
        return hashlib.sha256(json.dumps(self.as_row(), sort_keys=True).encode()).hexdigest()[:32]


def reach(standard_error: float, confidence: int) -> float:
    """How far a normal interval of this level, in percent, goes to either side."""
    return NormalDist().inv_cdf(0.5 + confidence / 200) * standard_error


def enter_lift_test(*, workspace: Workspace, test: LiftTest, by: User, form: str, ring: bool = True) -> Import:
    """Queue the import of a test; the same test from the same `form` again is the import that there is.

    A test of the same channel, days and geo as an earlier one takes its place. Raises Conflict for what no import
    takes, and if the import has been taken back since; and QuotaExceeded.
    """
    from marketing.importing.batches import RowsRejected, request_batch  # pyarrow: only where a test is saved

    try:
        answer = request_batch(
            workspace=workspace,
            dataset=Dataset.EXPERIMENTS,
            body=[test.as_row()],
            by=by,
            idempotency_key=f"lift-test-{form}-{test.digest}",
            strict=True,
            origin=Import.Origin.PAGE,
            file_name=f"Lift test of {test.channel}, {test.period.label}.parquet".translate(NO_PART_OF_A_NAME),
            ring=ring,
        )
    except RowsRejected as refusal:
        first = refusal.rejected[0]
        raise Conflict(f"This test cannot be saved. {first.column}: {first.reason}.") from refusal
    if answer.batch.status == Import.Status.UNDONE:
        raise Conflict(TAKEN_BACK)
    return answer.batch
