"""Answering an attribution question from tables outside the database, by the engine that is asked for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from accounts.models import Workspace
from analyses.registry import Answer
from analyses.tables import OnPhase, Tables
from attribution.computation import answer_of, extra_of, money, reconciled
from attribution.engines.local import LocalTables
from attribution.engines.questions import (
    needed_columns,
    no_conversions,
    question_of,
    reading_of,
    refuse_what_tables_have_not,
)
from attribution.engines.statistics import Engine
from attribution.engines.tables import check_columns, check_customers_alike, check_survey
from attribution.evidence import evidence_of_paths
from attribution.methods.partitions import CONVERSIONS, SIZE, UNTOUCHED, UNTOUCHED_VALUE, VALUE, WITHOUT_LEAD
from attribution.result import Named


def of_tables(workspace: Workspace, params: Mapping[str, Any], tables: Tables, on_phase: OnPhase) -> Answer:
    """Answer canonical params from tables: as a run does, but for evidence that is no sum over customers.

    Raises InvalidParams for what tables cannot be asked, and AnalysisError where they do not answer.
    """
    refuse_what_tables_have_not(params)
    reading = reading_of(workspace, params)
    with _opened(tables) as engine:
        on_phase("Looking at the tables", 0.0)
        touches, conversions = engine.kinds("touches"), engine.kinds("conversions")
        check_columns("touches", touches, needed_columns(params))
        check_columns("conversions", conversions)
        check_customers_alike(touches, conversions)
        survey = engine.survey(reading)
        check_survey(survey)
        question = question_of(workspace=workspace, params=params, survey=survey)
        found = engine.find(reading, question, replicates=params["replicates"], on_phase=on_phase)
    if found is None:
        raise no_conversions(workspace, params, survey, question)
    totals = found.totals
    reconciliation = reconciled(
        found.credited, question.models, float(totals[CONVERSIONS]), float(totals[VALUE]), float(totals[SIZE])
    )
    untouched, without_lead = int(totals[UNTOUCHED]), int(totals[WITHOUT_LEAD])
    answer = answer_of(
        credited=found.credited,
        replicates=found.replicates,
        named=Named(
            question.groups.dimension,
            question.groups.labels,
            question.models,
            extra_of(found.credited, untouched=untouched, without_lead=without_lead),
        ),
        params=params,
        total={"conversions": int(totals[CONVERSIONS]), "value": float(totals[VALUE])},
    )
    answer.result.update(
        {
            "reconciliation": reconciliation | {"conversions_without_touch": untouched},
            "evidence": evidence_of_paths(
                table=found.paths,
                labels=question.groups.labels,
                untouched=(float(totals[UNTOUCHED]), float(totals[UNTOUCHED_VALUE])),
            ),
            **money(workspace, params),
        }
    )
    return answer


@contextmanager
def _opened(tables: Tables) -> Iterator[Engine]:
    if tables.engine == "local":
        yield LocalTables(tables)
        return
    from attribution.engines.spark import opened  # here: pyspark need not be installed

    with opened(tables) as engine:
        yield engine
