"""The gallery of components: what pages are made of, each in every state. For staff, who build and judge pages."""

import datetime as dt
from pathlib import Path
from typing import Any

from django import forms
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from accounts.access import AuthedRequest
from accounts.navigation import TabLink
from analyses.documents import Card, DataTable, Figure, Row
from charts.examples import EXAMPLES
from marketing.pages.period_selector import PeriodSelector, period_selector
from marketing.period_choice import Comparison, PeriodChoice
from marketing.periods import preset
from mmm_project.problems import NotFound
from mmm_project.web import render_page
from reports.palette import palette

CHOICES = [("channel", "Channel"), ("campaign", "Campaign"), ("source", "Source / medium")]
PERIODS = [("last_30", "Last 30 days"), ("last_90", "Last 90 days")]
PARTS = (
    ("colours", "Colours"),
    ("type", "Type"),
    ("buttons", "Buttons"),
    ("forms", "Forms"),
    ("cards", "Cards"),
    ("tables", "Tables"),
    ("navigation", "Navigation"),
    ("overlays", "Menus and dialogs"),
    ("notices", "Messages"),
    ("states", "States"),
    ("charts", "Charts"),
)
UNTIL = dt.date(2026, 5, 31)
TABS = [TabLink(label, "#navigation", is_current=label == "General") for label in ("General", "Channels", "Team")]


class GalleryForm(forms.Form):
    """A field of every sort."""

    name = forms.CharField(label="Name", help_text="Usually your company or brand.")
    period = forms.ChoiceField(label="Time period", choices=PERIODS)
    start = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    dimension = forms.ChoiceField(label="Credit by", choices=CHOICES, widget=forms.RadioSelect)
    compare = forms.MultipleChoiceField(
        label="Compare with",
        choices=[("linear", "Linear"), ("first", "First Touch"), ("time_decay", "Time Decay")],
        widget=forms.CheckboxSelectMultiple,
        help_text="Up to three.",
    )
    change = forms.IntegerField(label="Change of spend, %", widget=forms.NumberInput(attrs={"type": "range"}))
    file = forms.FileField(label="File", required=False)
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 2}), required=False)
    closed = forms.CharField(label="Cannot be changed", disabled=True, required=False, initial="Harbour & Finch")
    agreed = forms.BooleanField(label="Match weekday")


class UnitsForm(forms.Form):
    """Fields whose unit stands beside what is typed."""

    budget = forms.DecimalField(label="Budget for a month, in euros", min_value=0)
    window_days = forms.IntegerField(label="Lookback window, in days", min_value=1, max_value=365)


@require_safe
def page(request: AuthedRequest) -> HttpResponse:
    """Show every component in every state. Raises NotFound for everybody but staff."""
    if not request.user.is_staff:
        raise NotFound("There is nothing at this address.")
    return render_page(request, "reports/gallery.html", _components(request.path))


def _components(path: str) -> dict[str, Any]:
    given = {"name": "", "period": "last_7", "start": "", "compare": ["linear"], "change": "20"}
    wrong = GalleryForm({f"wrong-{name}": value for name, value in given.items()}, prefix="wrong")
    wrong.add_error(None, "The two dates lie in the wrong order.")
    return {
        "parts": PARTS,
        "palette": list(palette(Path(_found("css/base.css")).read_text())),
        "form": GalleryForm(
            initial={
                "name": "Harbour & Finch",
                "start": UNTIL.isoformat(),
                "dimension": "channel",
                "compare": ["linear", "first"],
            }
        ),
        "wrong": wrong,
        "units": UnitsForm(initial={"budget": 48_000, "window_days": 30}),
        "wrong_units": UnitsForm({"wrong-budget": "-5", "wrong-window_days": "400"}, prefix="wrong"),
        "choices": CHOICES,
        "cards": CARDS,
        "table": TABLE,
        "long_table": LONG_TABLE,
        "facts": [("Period", "3 Mar – 31 May 2026"), ("Interval", "2.4 (1.9–3.1)"), ("Data version", "43e475261b63")],
        "tabs": TABS,
        "selector": _selector(path),
        "charts": [(name, chart, f"gallery/{name}.svg") for name, chart in EXAMPLES.items()],
        "exports": [("CSV", "#overlays"), ("Excel", "#overlays"), ("PowerPoint", "#overlays")],
    }


def _found(static_file: str) -> str:
    found = finders.find(static_file)
    if not isinstance(found, str):
        raise FileNotFoundError(f"There is no static file {static_file}.")
    return found


def _selector(path: str) -> PeriodSelector:
    choice = PeriodChoice(
        period=preset("last_90", until=UNTIL), preset="last_90", comparison=Comparison.PREVIOUS, match_weekday=True
    )
    return period_selector(choice, path=path, other={}, until=UNTIL)


CARDS = (
    Card(
        label="Overall ROI",
        unit="blended ROAS",
        figure=Figure("3.86", "3.8617"),
        change="▼ −9.9% against previous period",
        change_tone="bad",
    ),
    Card(
        label="Spend",
        figure=Figure("€144 k", "€144,112.40"),
        change="▲ +38.7% against previous period",
        change_tone="quiet",
    ),
    Card(
        label="Revenue",
        figure=Figure("€557 k", "€556,508.06"),
        change="▲ +25.0% against previous period",
        change_tone="good",
    ),
    Card(label="Conversions", unit="Purchase", figure=Figure("–", "No conversions in this period")),
    Card(
        label="Cost of a customer who had never bought anything before",
        unit="Purchase",
        figure=Figure("€1,234,567", "€1,234,567.89"),
        change="= 0.0% against the same period last year, same weekdays",
        change_tone="quiet",
    ),
)


def _row(name: str, revenue: float, roas: float | None, *, href: str = "", is_total: bool = False) -> Row:
    ratio = Figure("–", "No spend at this level") if roas is None else Figure(f"{roas:.2f}", value=roas)
    return Row(label=name, cells=(Figure(f"€{revenue:,.0f}", value=revenue), ratio), href=href, is_total=is_total)


TABLE = DataTable(
    title="Channels",
    columns=("Channel", "Revenue", "ROAS"),
    rows=(
        _row("Paid Search", 85_700, 3.51, href="#tables"),
        _row("A channel with a name that is a good deal longer than most", 74_900, 7.0, href="#tables"),
        _row("Email", 63_500, None),
        _row("Paid Social", 37_800, 1.27),
        _row("Total", 261_900, 3.86, is_total=True),
    ),
    note="A click on a head sorts; what has no value comes last, the total stays at the end.",
)

MANY = 24
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _months(label: str, monthly: int, *, is_total: bool = False) -> Row:
    values = [monthly * (100 + 3 * month) / 100 for month in range(len(MONTHS))]
    return Row(label=label, cells=tuple(Figure(f"€{value:,.0f}", value=value) for value in values), is_total=is_total)


LONG_TABLE = DataTable(
    title="Campaigns by month",
    columns=("Campaign", *(f"{month} 2026" for month in MONTHS)),
    rows=(
        *(_months(f"Campaign {number}", 1000 * number) for number in range(1, MANY + 1)),
        _months("Total", 500 * MANY * (MANY + 1), is_total=True),
    ),
    note="Longer and wider than its place: heads, names and the total stay in sight.",
)
