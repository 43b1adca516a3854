"""Questions about tables that stay where they are, outside the database: answered at once, and kept by nobody."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from accounts import plans
from accounts.models import Workspace
from analyses import registry
from analyses.errors import InvalidParams
from analyses.models import Run

Engine: TypeAlias = Literal["local", "spark"]
OnPhase: TypeAlias = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Where tables of touches and conversions are, and which engine reads them.

    `source`: a directory or its address, or a JDBC URL. `touches`, `conversions`: names of the tables there.
    `master`: of a Spark cluster. `partitions`: how many parts the customers are cut into; None: as their number asks.
    `settings`: of Spark, by name.
    """

    engine: Engine
    source: str
    touches: str = "touches"
    conversions: str = "conversions"
    master: str = "local[*]"
    partitions: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


def ask_of_tables(
    *, workspace: Workspace, kind: str, params: Mapping[str, object], tables: Tables, on_phase: OnPhase
) -> Run:
    """Return the answer as a run that is not in the database: another question about the tables computes them anew.

    `workspace`: whose goals, channels, zone and plan count. `on_phase` gets what is done and how far it is, 0 to 1.
    Raises InvalidParams, PlanRequired, and AnalysisError where the tables cannot answer the question.
    """
    analysis = registry.get(kind)
    if analysis.compute_tables is None:
        raise InvalidParams({"kind": f"“{analysis.label}” cannot be asked of tables: leave out the engine."})
    cleaned = analysis.clean(workspace, params)
    if feature := analysis.feature(cleaned):
        plans.require_feature(workspace, feature)
    answer = analysis.compute_tables(workspace, cleaned, tables, on_phase)
    return Run(
        workspace=workspace,
        kind=analysis.name,
        method_version=analysis.method_version,
        params=cleaned,
        result=answer.result,
        trigger=Run.Trigger.CLI,
    )
