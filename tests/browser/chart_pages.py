"""The product's addresses, and pages of charts to look at, for test_charts.py."""

from dataclasses import replace

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.urls import URLPattern, URLResolver, path

from charts import (
    Category,
    Chart,
    ChartSpec,
    Colour,
    Kind,
    Mark,
    SankeySpec,
    Series,
    axis,
    example_flows,
    example_heatmaps,
)
from charts.examples import EXAMPLES
from mmm_project import urls

_PAGE = """{% extends "document.html" %}{% load static %}
{% block title %}Charts{% endblock %}
{% block styles %}<link rel="stylesheet" href="{% static 'css/charts.css' %}">{% endblock %}
{% block scripts %}<script src="{% static 'js/charts.js' %}" type="module"></script>{% endblock %}
{% block body %}<body><main class="main"><h1>Charts</h1><h2>Drawn</h2><div class="stack">{% for chart in charts %}
<div class="card">{% include "components/chart.html" with chart=chart only %}</div>{% endfor %}</div></main></body>
{% endblock %}"""


def _with_links(chart: ChartSpec, *, category: str, mark: str) -> ChartSpec:
    """Lead categories to `category` and marks to `mark`, where "{}" stands for the category, or for series-category."""
    return replace(
        chart,
        id=f"{chart.id}-{'mark' if mark else 'category' if category else 'plain'}",
        categories=tuple(replace(one, href=category.format(place)) for place, one in enumerate(chart.categories)),
        series=tuple(
            replace(
                series,
                marks=tuple(
                    one and replace(one, href=mark.format(f"{number}-{place}"))
                    for place, one in enumerate(series.marks)
                ),
            )
            for number, series in enumerate(chart.series)
        ),
    )


def _euros(value: float) -> str:
    return f"{'−' if value < 0 else ''}€{abs(value):,.0f}"


def _difficult() -> ChartSpec:
    """Long names, values on both sides of zero, nothing and a gap."""
    values = (1_234_567.0, -250_000.0, 0.0, None, 345.5)
    names = (
        "International Paid Search Brand Exact Match",
        "Programmatic Display Retargeting Northern Europe",
        "TV",
        "Radio",
        "Email",
    )
    marks = tuple(None if value is None else Mark(value=value, text=_euros(value)) for value in values)
    return ChartSpec(
        id="difficult",
        kind=Kind.BARS,
        horizontal=True,
        title="Most revenue comes from one channel",
        summary="One channel earns more than all others.",
        category_title="Channel",
        categories=tuple(Category(label=name) for name in names),
        series=(Series(name="Revenue", colour=Colour.CHANNEL_1, marks=marks),),
        axis=axis(values, title="Revenue, €", text=_euros),
    )


def _equal_dots() -> ChartSpec:
    """Three models that agree to the last digit, as they do where nothing was touched."""
    mark = Mark(value=19_197, text="€19,197")
    return replace(
        _difficult(),
        id="equal-dots",
        kind=Kind.DOTS,
        categories=(Category(label="(none)"),),
        series=tuple(
            Series(name=name, colour=colour, marks=(mark,))
            for name, colour in (("Linear", Colour.CHANNEL_1), ("First", Colour.CHANNEL_2), ("Last", Colour.OTHER))
        ),
    )


def _many_days() -> ChartSpec:
    days = tuple(Category(label=f"Day {day}", tick=day % 30 == 0, href="/elsewhere/") for day in range(730))
    marks = tuple(Mark(value=100 + day % 31, text=f"€{100 + day % 31}") for day in range(730))
    series = Series(name="Revenue", colour=Colour.ACCENT, marks=marks)
    return replace(
        _difficult(),
        id="many-days",
        kind=Kind.LINE,
        horizontal=False,
        categories=days,
        series=(series, replace(series, name="Before", colour=Colour.OTHER, dashed=True)),
        axis=axis((0, 130), title="Revenue, €", text=str),
    )


def _flows_with_links(address: str) -> SankeySpec:
    """Journeys of three steps, which lead to `address`, where "{}" stands for the place of the node or link."""
    spec = example_flows.FLOWS["journeys-with-long-names"]
    return replace(
        spec,
        nodes=tuple(replace(node, href=address.format(f"node-{place}")) for place, node in enumerate(spec.nodes)),
        links=tuple(replace(link, href=address.format(f"link-{place}")) for place, link in enumerate(spec.links)),
    )


_BARS, _LINE = EXAMPLES["grouped-bars"], EXAMPLES["line"]
assert isinstance(_BARS, ChartSpec)
assert isinstance(_LINE, ChartSpec)
LINKED_BARS = _with_links(_BARS, category="/charts/elsewhere/?category={}", mark="")
LINKED_MARKS = _with_links(_BARS, category="", mark="/charts/elsewhere/?mark={}")
PLAIN_LINE = _with_links(_LINE, category="", mark="")
DIFFICULT = _difficult()
EQUAL_DOTS = _equal_dots()
MANY_DAYS = _many_days()
LINKED_MATRIX = _with_links(example_heatmaps.PAIRS, category="", mark="/charts/elsewhere/?cell={}")
LINKED_FLOWS = _flows_with_links("/charts/elsewhere/?flow={}")
PLAIN_FLOWS = replace(_flows_with_links(""), id="plain-flows")
PAGES: dict[str, tuple[Chart, ...]] = {
    "examples": tuple(chart for chart in EXAMPLES.values() if chart != example_heatmaps.MANY),  # axe takes its time
    "links": (LINKED_BARS, LINKED_MARKS),
    "plain": (PLAIN_LINE, DIFFICULT, EQUAL_DOTS),
    "many": (MANY_DAYS,),
    "matrix": (LINKED_MATRIX, example_heatmaps.SHARES),
    "flows": (LINKED_FLOWS, PLAIN_FLOWS),
    "elsewhere": (),
}


@login_not_required
def show(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(Template(_PAGE).render(Context({"request": request, "charts": PAGES[name]})))


urlpatterns: list[URLPattern | URLResolver] = [*urls.urlpatterns, path("charts/<slug:name>/", show)]
handler400 = urls.handler400
handler403 = urls.handler403
handler404 = urls.handler404
handler500 = urls.handler500
