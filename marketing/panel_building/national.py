"""From figures by day to the panel of a nation, or of any one market."""

from marketing.frames import MediaPanel
from marketing.panel_building.media import (
    compare_media,
    media_by_period,
    remark_on_outliers,
    rows_in_reach,
    steps_of,
    telling_media,
    with_history,
)
from marketing.panel_building.outcome import chosen_rows, outcome_by_period, remark_on_geos
from marketing.panel_building.rhythm import calendar_for
from marketing.panel_building.rows import LoadedPanel, PanelChoice, PanelRemark, PanelRows
from marketing.panel_building.surroundings import controls_by_period, days_by_period, table


def build_panel(*, rows: PanelRows, choice: PanelChoice) -> LoadedPanel:
    """Build the chosen panel from rows by day; every sum is rounded once and does not depend on their order.

    Its outcome goes from the first to the last period that is known throughout. Raises PanelProblem if the data do not
    allow a panel, by what and where, and ValueError if the rows name what is not there.
    """
    rows.require_usable()
    remarks: list[PanelRemark] = []
    series, step = chosen_rows(rows=rows, choice=choice)
    media = rows_in_reach(
        rows=rows.media, outcome=series, granularity=choice.granularity, history_periods=choice.history_periods
    )
    steps = steps_of(rows=media, granularity=choice.granularity)
    weekly = {name: days for name, days in media.days_of().items() if steps[name] == "week"}
    calendar = calendar_for(granularity=choice.granularity, outcome=series, outcome_step=step, weekly=weekly)
    outcome = outcome_by_period(series=series, step=step, calendar=calendar, choice=choice, remarks=remarks)
    remark_on_geos(rows=rows, outcome=outcome, calendar=calendar, remarks=remarks)
    period = with_history(
        rows=rows.media,
        near=media,
        steps=steps,
        outcome=outcome,
        calendar=calendar,
        history_periods=choice.history_periods,
        remarks=remarks,
    )
    history = len(period) - len(outcome.period)
    found = media_by_period(
        rows=media, period=period, history=history, calendar=calendar, exposure=choice.exposure, remarks=remarks
    )
    days = calendar.label(int(outcome.period[0]), int(outcome.period[-1]))
    kept = telling_media(media=found, period=days, remarks=remarks)
    compare_media(media=kept, remarks=remarks)
    remark_on_outliers(media=kept, period=period, calendar=calendar, remarks=remarks)
    paid = [medium for medium in kept if medium.is_paid]
    organic = [medium for medium in kept if not medium.is_paid]
    controls, control = controls_by_period(controls=rows.controls, outcome=outcome, calendar=calendar, remarks=remarks)
    events, event = days_by_period(days=rows.events, outcome=outcome, calendar=calendar)
    holidays, holiday = days_by_period(days=rows.holidays, outcome=outcome, calendar=calendar)
    panel = MediaPanel(
        granularity=choice.granularity,
        period_start=calendar.first_day(period),
        history=history,
        outcome=outcome.value,
        outcome_name=series.name,
        is_money=choice.is_money,
        bounds=outcome.bounds,
        channels=tuple(medium.name for medium in paid),
        spend=table([medium.spend for medium in paid], len(period)),
        exposure=table([medium.exposure for medium in paid], len(period)),
        exposure_units=tuple(medium.unit for medium in paid),
        organic=tuple(medium.name for medium in organic),
        organic_exposure=table([medium.exposure for medium in organic], len(period)),
        organic_units=tuple(medium.unit for medium in organic),
        controls=controls,
        control=control,
        events=events,
        event=event / calendar.days(outcome.period)[:, None],
        holidays=holidays,
        holiday=holiday,
    )
    return LoadedPanel(panel, tuple(remarks))
