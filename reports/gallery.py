"""The gallery of components: what pages are made of, each in every state. For staff, who build and judge pages."""

from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from accounts.access import AuthedRequest
from analyses.documents import Card, DataTable, Figure, Row
from charts.examples import EXAMPLES
from marketing.demo_data import DemoState
from mmm_project.problems import NotFound
from mmm_project.web import render_page

TOKENS = (
    "ink", "muted", "accent", "good", "bad", "warn", "line-strong",
    *(f"channel-{slot}" for slot in range(1, 9)), "channel-other",
)  # fmt: skip
CHOICES = [("channel", "Channel"), ("campaign", "Campaign"), ("source", "Source / medium")]
PERIODS = [("last_30", "Last 30 days"), ("last_90", "Last 90 days")]


class GalleryForm(forms.Form):
    """A field of every sort."""

    name = forms.CharField(label="Name", help_text="Usually your company or brand.")
    window_days = forms.IntegerField(label="Lookback window, days", min_value=1, max_value=365)
    period = forms.ChoiceField(label="Time period", choices=PERIODS)
    start = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    change = forms.IntegerField(label="Change of spend, %", widget=forms.NumberInput(attrs={"type": "range"}))
    file = forms.FileField(label="File", required=False)
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 2}), required=False)
    closed = forms.CharField(label="Cannot be changed", disabled=True, required=False)
    agreed = forms.BooleanField(label="Match weekday", required=False)


@require_safe
def page(request: AuthedRequest) -> HttpResponse:
    """Show every component in every state. Raises NotFound for everybody but staff."""
    if not request.user.is_staff:
        raise NotFound("There is nothing at this address.")
    return render_page(request, "reports/gallery.html", _components())


def _components() -> dict[str, Any]:
    wrong = GalleryForm({"name": "", "window_days": "400", "period": "last_7", "start": "2026-02-30"})
    wrong.add_error(None, "The two dates lie in the wrong order.")
    return {
        "tokens": TOKENS,
        "form": GalleryForm(initial={"name": "Harbour & Finch", "window_days": 30, "start": "2026-05-31"}),
        "wrong": wrong,
        "choices": CHOICES,
        "cards": CARDS,
        "table": TABLE,
        "charts": [(name, chart, f"gallery/{name}.svg") for name, chart in EXAMPLES.items()],
        "exports": [("CSV", "#exports"), ("Excel", "#exports"), ("PowerPoint", "#exports")],
        "said": [
            SimpleNamespace(level_tag=level, message=text)
            for level, text in (("success", "The schedule is saved."), ("warning", "Six weeks have no spend."))
        ],
        "loading": DemoState(situation="loading", phase="Touchpoints: Loading rows", percent=42),
    }


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
