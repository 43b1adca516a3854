"""What a question about tables means: channels, goals and models by number, the same for every engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from accounts.models import Workspace
from analyses.asking import EXCLUDE, active_goals, lead_goal, named_goal, period_of
from analyses.errors import AnalysisError, InvalidParams
from attribution.catalogue import Family, Model, find
from attribution.computation import Groups, groups_of, methods_of
from attribution.custom import custom_models
from attribution.engines.tables import INTERACTIONS, UNSPECIFIED, Reading, Survey
from attribution.methods.customer_rows import ASKED_GOAL, LEAD_GOAL, OTHER_GOAL, Cut
from attribution.methods.partitions import Asked
from attribution.params import PATHS
from marketing.channel_index import DIRECT, channel_index
from marketing.frames import MICROSECONDS_PER_DAY, SourceLookup
from marketing.models import Goal
from marketing.periods import day_of_us, where_data_ends
from marketing.sources import NO_CAMPAIGN
from mmm_project import formats

W_SHAPE = "w_shape"
_NOT_OF_TABLES = {
    "segment": "Segments are kept with the data of the workspace: ask about tables without one.",
    "grouping": "Touches in tables name their channels: leave the grouping out.",
}


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A question about tables whose survey is known.

    `source_of`: number of the traffic source by channel and campaign as the table writes them. `goal_of`: code of the
    goal by its text, `interaction_of` that of an interaction. `views`: whether impressions count. `touches`: how many
    there are.
    """

    asked: Asked
    cut: Cut
    groups: Groups
    models: Sequence[Model]
    source_of: Mapping[tuple[str | None, str | None], int]
    goal_of: Mapping[str, int]
    interaction_of: Mapping[str | None, int]
    views: bool
    touches: int


def refuse_what_tables_have_not(params: Mapping[str, Any]) -> None:
    """Raise InvalidParams for canonical params that are about what tables do not know."""
    if params.get("data") == PATHS:
        raise InvalidParams({"data": "Aggregated paths are small: ask about them without an engine."})
    errors = {name: sentence for name, sentence in _NOT_OF_TABLES.items() if name in params}
    if errors:
        raise InvalidParams(errors)


def reading_of(workspace: Workspace, params: Mapping[str, Any]) -> Reading:
    """Return which columns the question reads, and of which times."""
    has_custom = any(model.family == Family.CUSTOM for model in models_of(params))
    start_us, stop_us = period_of(params).bounds_us(workspace.zone)
    return Reading(
        campaign=params["dimension"] == "campaign" or has_custom,
        interaction=params.get("view_through") == EXCLUDE or has_custom,
        from_us=start_us - params["window_days"] * MICROSECONDS_PER_DAY,
        stop_us=stop_us,
    )


def needed_columns(params: Mapping[str, Any]) -> list[str]:
    """Return the columns of touches that are not required of every table, and are for this question."""
    named = {"campaign": params["dimension"] == "campaign", "interaction": params.get("view_through") == EXCLUDE}
    return [name for name, is_needed in named.items() if is_needed]


def models_of(params: Mapping[str, Any]) -> list[Model]:
    return [find(name, params.get(custom_models.PARAM)) for name in params["model"]]


def question_of(*, workspace: Workspace, params: Mapping[str, Any], survey: Survey) -> Question:
    """Return the question in numbers; the survey has been checked. Raises AnalysisError where the goal is gone."""
    goals = active_goals(workspace)
    goal = Goal.objects.filter(workspace=workspace, name=params["goal"]).first()
    if goal is None:
        raise AnalysisError(f"The goal “{params['goal']}” no longer exists. Choose another goal.")
    lead = lead_goal(goals) if W_SHAPE in params["model"] else None
    is_one = lead is not None and lead.pk == goal.pk
    models = models_of(params)
    sources, source_of = _sources(workspace, survey)
    groups = groups_of(workspace, sources, params["dimension"])
    period_start_us, period_stop_us = period_of(params).bounds_us(workspace.zone)
    return Question(
        asked=Asked(
            methods=tuple(methods_of(workspace, params, models, sources)),
            group_of_source=groups.of_source,
            groups=len(groups.labels),
            direct_source=groups.direct_source,
            seed=params["seed"],
        ),
        cut=Cut(
            period_start_us=period_start_us,
            period_stop_us=period_stop_us,
            window_us=params["window_days"] * MICROSECONDS_PER_DAY,
            lead_goal=None if lead is None else ASKED_GOAL if is_one else LEAD_GOAL,
        ),
        groups=groups,
        models=models,
        source_of=source_of,
        goal_of=_goal_codes(survey, goal, None if is_one else lead),
        interaction_of={word: INTERACTIONS[(word or UNSPECIFIED).strip().lower()] for word in survey.interactions},
        views=params.get("view_through") != EXCLUDE,
        touches=survey.touches,
    )


def no_conversions(
    workspace: Workspace, params: Mapping[str, Any], survey: Survey, question: Question
) -> AnalysisError:
    """Return the refusal of a period without conversions, with what the table has instead."""
    period = period_of(params)
    sentence = f"There are no conversions with the goal “{params['goal']}” from {period.label} in the table."
    ends = [last for text, last in survey.goals.items() if question.goal_of[text] == ASKED_GOAL and last is not None]
    if not ends:
        known = ", ".join(f"“{text}”" for text in sorted(survey.goals)[:5])
        return AnalysisError(
            f"{sentence} " + (f"Its goals: {known}." if known else "It is empty."), code="no_conversions"
        )
    last_day = day_of_us(max(ends), workspace.zone)
    offer = where_data_ends(period, data_ends=last_day)
    if offer is None:
        return AnalysisError(sentence, code="no_conversions")
    return AnalysisError(
        f"{sentence} The last ones are of {last_day:%-d %b %Y}: choose {offer.start} to {offer.end}, "
        f"{formats.count(offer.days, 'day')} up to then.",
        code="no_conversions",
    )


def _goal_codes(survey: Survey, goal: Goal, lead: Goal | None) -> dict[str, int]:
    codes = {}
    for text in survey.goals:
        is_asked, is_lead = (one is not None and named_goal([one], text) is not None for one in (goal, lead))
        codes[text] = ASKED_GOAL if is_asked else LEAD_GOAL if is_lead else OTHER_GOAL
    return codes


def _sources(workspace: Workspace, survey: Survey) -> tuple[SourceLookup, dict[tuple[str | None, str | None], int]]:
    """Number the sources: channels by the names that the workspace has for them, capitals never telling two apart."""
    index = channel_index(workspace=workspace)
    written = sorted(survey.sources, key=lambda source: (source[0] or "", source[1] or ""))
    name_of: dict[str, str] = {}
    for text, _campaign in written:
        known = index.named((text or "").strip())
        name = known.name if known else (text or "").strip()
        name_of.setdefault(name.lower(), name)
        name_of[text or ""] = name_of[name.lower()]
    channels = sorted({name_of[text or ""] for text, _ in written}, key=lambda name: (name.lower(), name))
    campaigns = [NO_CAMPAIGN, *sorted({campaign.strip() for _, campaign in written if campaign and campaign.strip()})]
    channel_place = {name: place for place, name in enumerate(channels)}
    campaign_place = {name: place for place, name in enumerate(campaigns)}
    direct = np.array(
        [
            name.lower() == DIRECT or ((one := index.named(name)) is not None and index.is_direct(one.pk))
            for name in channels
        ],
        np.bool_,
    )
    lookup = SourceLookup(
        channel=np.array([channel_place[name_of[text or ""]] for text, _ in written], np.uint16),
        campaign=np.array(
            [
                campaign_place[campaign.strip() if campaign and campaign.strip() else NO_CAMPAIGN]
                for _, campaign in written
            ],
            np.uint32,
        ),
        channels=tuple(channels),
        campaigns=tuple(campaigns),
        direct=direct,
    )
    return lookup, {source: place for place, source in enumerate(written)}
