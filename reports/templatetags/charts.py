"""Charts in templates; components/chart.html is their one user."""

from django import template

from charts.browser import Figure, figure
from charts.chart import Chart

register = template.Library()


@register.filter
def chart_figure(chart: Chart) -> Figure:
    """Return the chart laid out: its panels, their heights, keys and tables."""
    return figure(chart)
