"""What an engine finds, and the protocol that engines share."""

from dataclasses import dataclass
from typing import Protocol

from analyses.tables import OnPhase
from attribution.engines.questions import Question
from attribution.engines.tables import Kinds, Reading, Survey, Table
from attribution.methods.crediting import Credited
from attribution.methods.replicates import Replicates
from marketing.frames import Float64Column, PathTable


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """`paths`: the distinct paths. `totals`: as `Merged.totals`. `credited`, `replicates`: of the models asked for."""

    paths: PathTable
    totals: Float64Column
    credited: Credited
    replicates: Replicates


class Engine(Protocol):
    """Tables that are open, and how they are read."""

    def kinds(self, table: Table) -> Kinds:
        """Return the kinds of the columns. Raises AnalysisError where there is no such table."""

    def survey(self, reading: Reading) -> Survey:
        """Return what a first look at the tables, whose columns have been checked, finds."""

    def find(self, reading: Reading, question: Question, *, replicates: int, on_phase: OnPhase) -> Found | None:
        """Return what the question asks for; None where nothing converts."""
