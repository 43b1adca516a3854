"""A plan by period to be filled in: as things were a year before."""

from mmm_project.tables import csv_lines
from weightings.forecasts.model_runs import Model
from weightings.forecasts.spending import usual_pattern
from weightings.methods.forecasting.forecast_plan import Plan, flighting_of, laid_out
from weightings.stored import StoredModel

DECIMALS = 2  # of an amount of money
DIGITS = 6  # that matter, of anything else


def table_to_fill(model: Model, periods: int) -> str:
    """Return CSV: the first day of each period, spend by channel, and the organic media and controls carried on.

    As it stands it is what is planned if nobody says anything, up to rounding. Raises ArtifactMissing.
    """
    stored = StoredModel(model.run)
    panel = stored.panel
    spend = flighting_of(panel, usual_pattern(panel, stored.window), periods=periods)
    ahead = laid_out(panel, Plan(spend=spend))
    paid = len(panel.channels)
    rows = [
        (
            start.isoformat(),
            *(f"{amount:.{DECIMALS}f}" for amount in spend[place]),
            *(f"{value:.{DIGITS}g}" for value in (*ahead.exposure[place, paid:], *ahead.control[place])),
        )
        for place, start in enumerate(model.horizon(periods).starts)
    ]
    header = (model.granularity.capitalize(), *panel.channels, *panel.organic, *panel.controls)
    return "".join(csv_lines([header, *rows]))
