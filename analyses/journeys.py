"""The journeys that a question is about, or the sentence that says why there are none."""

from collections.abc import Mapping
from typing import Any

from accounts.models import Workspace
from analyses.asking import EXCLUDE, period_of
from analyses.errors import AnalysisError
from analyses.segments import segment_name, segment_of, segment_settings
from marketing import store
from marketing.models import Goal
from marketing.periods import Period, where_data_ends
from marketing.selectors import JourneyData, last_conversion_day, load_journeys
from mmm_project import formats


def journeys_asked_for(
    workspace: Workspace,
    params: Mapping[str, Any],
    *,
    lead_goal: Goal | None = None,
    with_segment: bool = False,
    on_progress: store.OnProgress = store.nobody_watches,
) -> JourneyData:
    """Return the journeys of canonical params: of their period, goal, lookback window, segment and grouping.

    With a `lead_goal`, each knows its last lead; `with_segment`, their touches know the kind of customer. Raises
    AnalysisError where none of them converts.
    """
    period = period_of(params)
    goal = Goal.objects.filter(workspace=workspace, name=params["goal"]).first()
    if goal is None:
        raise AnalysisError(f"The goal “{params['goal']}” no longer exists. Choose another goal.")
    data = load_journeys(
        workspace=workspace,
        goal=goal,
        start=period.start,
        end=period.end,
        window_days=params["window_days"],
        segment=segment_of(params),
        views=params.get("view_through") != EXCLUDE,
        lead_goal=lead_goal,
        grouping=params.get("grouping", ""),
        with_segment=with_segment,
        on_progress=on_progress,
    )
    if not data.whole.converted.any():
        raise AnalysisError(_no_conversions(workspace, goal, period), code="no_conversions")
    if not data.journeys.converted.any():
        raise AnalysisError(_none_in_segment(data, params, period), code="no_conversions")
    return data


def _none_in_segment(data: JourneyData, params: Mapping[str, Any], period: Period) -> str:
    conversions = formats.count(float(data.whole.converted.sum()), f"{params['goal']} conversion")
    meaning = dict(segment_settings(params))["Segment means"]
    return (
        f"None of the {conversions} from {period.label} is in the segment “{segment_name(params)}” ({meaning}). "
        "Choose a longer period or another segment."
    )


def _no_conversions(workspace: Workspace, goal: Goal, period: Period) -> str:
    sentence = f"There are no conversions with the goal “{goal.name}” from {period.label}."
    ends = last_conversion_day(workspace=workspace, goal=goal)
    if ends is None:
        return f"{sentence} None have been imported yet."
    offer = where_data_ends(period, data_ends=ends)
    if offer is None:
        return sentence
    return (
        f"{sentence} The last ones are of {ends:%-d %b %Y}: "
        f"choose {offer.start} to {offer.end}, {formats.count(offer.days, 'day')} up to then."
    )
