"""Which models the dashboard offers and shows: rules, the workspace's own, and what stands in for those it lacks."""

import datetime as dt
import json
import re
from collections.abc import Callable
from html import unescape

import pytest
import time_machine
from django.test import Client

from accounts.models import User, Workspace
from attribution.cube.kept_models import RULES
from attribution.custom import custom_models
from attribution.methods.custom_definition import CustomDefinition, parse
from attribution.models import CustomModel
from charts import ChartSpec
from marketing.models import Channel
from reports.dashboard_charts import MOST_MODELS, Frame, models_chart
from tests.factories import WorkspaceFactory
from tests.reports.conftest import NOW, Refresh
from tests.reports.test_dashboard_pages import MARCH, PAGE, card
from tests.reports.test_numbers import by_name, overview, state_of

ClientFor = Callable[[User | None], Client]
ALL_TO_EMAIL = parse({"position": {"even": True}, "channels": {"Search": 0}})
ALL_TO_SEARCH = parse({"position": {"even": True}, "channels": {"Email": 0}})


def keep(workspace: Workspace, definition: CustomDefinition = ALL_TO_EMAIL, name: str = "Ours") -> CustomModel:
    return custom_models.create(workspace=workspace, name=name, definition=definition, by=None)


@pytest.fixture
def ours(shop: Workspace, figures: None, refresh: Refresh) -> CustomModel:
    """A model that gives Search nothing, in the cube."""
    model = keep(shop)
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        refresh()
    return model


def options(html: str) -> dict[str, list[tuple[str, str]]]:
    """The models that the page offers, by family."""
    (select,) = re.findall(r'<select name="model">(.*?)</select>', html, re.DOTALL)
    families = re.findall(r'<optgroup label="([^"]*)">(.*?)</optgroup>', select, re.DOTALL) or [("", select)]
    return {name: re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', within) for name, within in families}


def alerts(html: str) -> list[str]:
    return [unescape(text) for text in re.findall(r'<p class="alert alert-warning" role="alert">([^<]*)</p>', html)]


@pytest.mark.usefixtures("figures")
def test_the_rules_are_offered_and_own_models_where_there_are_any(
    shop: Workspace, client_for: ClientFor, viewer: User
) -> None:
    rules = options(client_for(viewer).get(PAGE).text)[""]
    assert [label for _name, label in rules[-3:]] == ["Last Non-Direct", "J-Shape", "Inverse J-Shape"]
    ours = keep(shop, name="Böard's <model>")
    offered = options(client_for(viewer).get(PAGE).text)
    assert offered["Rules"] == rules
    assert [(name, unescape(label)) for name, label in offered["Your own"]] == [
        (f"custom:{ours.pk}", "Böard's <model>")
    ]


def test_figures_are_credited_by_an_own_model(
    shop: Workspace, ours: CustomModel, client_for: ClientFor, viewer: User
) -> None:
    choice = f"custom:{ours.pk}"
    groups = by_name(overview(shop, model=choice).channels)
    assert (groups["Email"].now.revenue, groups["Search"].now.revenue) == (400, 0)
    client = client_for(viewer)
    page = client.get(f"{PAGE}?{MARCH}&model={choice}").text
    assert f'<option value="{choice}" selected>Ours</option>' in page
    assert "ROAS, Ours (v1): credited revenue" in page
    assert alerts(page) == []
    channel = Channel.objects.get(name="Email")
    link = f"{PAGE}channels/{channel.pk}/?{MARCH}&model=custom%3A{ours.pk}"
    assert f'"{link.replace("&", "&amp;")}"' in page
    detail = client.get(link).text
    assert card(detail, "revenue")["text"] == "€400"
    assert "Ours (v1)" in detail
    data = json.loads(client.get(f"{PAGE}export.json?{MARCH}&model={choice}").text)
    assert data["model"] == f"custom:{ours.pk}@1"
    assert data["revenue_by_model"][f"custom:{ours.pk}@1"] == 450


def test_a_version_in_the_address_means_the_newest(shop: Workspace, ours: CustomModel) -> None:
    state = state_of(shop, {"model": f"custom:{ours.pk}@7"})
    assert (state.model, state.chosen_model, state.errors) == (f"custom:{ours.pk}@1", f"custom:{ours.pk}", ())


@pytest.mark.usefixtures("figures")
def test_a_model_that_is_being_computed_says_so_and_the_default_is_shown(
    shop: Workspace, client_for: ClientFor, viewer: User, refresh: Refresh
) -> None:
    choice = f"custom:{keep(shop).pk}"
    client = client_for(viewer)
    page = client.get(f"{PAGE}?{MARCH}&model={choice}").text
    assert alerts(page) == ["Ours (v1) is being computed. Shown meanwhile is Last Non-Direct."]
    assert f'<option value="{choice}" selected>' in page
    assert "Updating" in page
    refresh()
    page = client.get(f"{PAGE}?{MARCH}&model={choice}").text
    assert alerts(page) == []
    assert "ROAS, Ours (v1): credited revenue" in page


def test_the_version_before_is_shown_while_the_next_is_computed(
    shop: Workspace, ours: CustomModel, client_for: ClientFor, viewer: User, refresh: Refresh
) -> None:
    custom_models.save_version(model=ours, definition=ALL_TO_SEARCH, by=None)
    address = f"{PAGE}channels/{Channel.objects.get(name='Email').pk}/?{MARCH}&model=custom:{ours.pk}"
    client = client_for(viewer)
    page = client.get(address).text
    assert alerts(page) == ["Ours (v2) is being computed. Shown meanwhile is Ours (v1)."]
    assert card(page, "revenue")["text"] == "€400"
    refresh()
    page = client.get(address).text
    assert alerts(page) == []
    assert card(page, "revenue")["text"] == "€0"


def test_a_renamed_model_has_its_new_name_at_once(ours: CustomModel, client_for: ClientFor, viewer: User) -> None:
    custom_models.rename(model=ours, name="Agency", description="", by=None)
    page = client_for(viewer).get(f"{PAGE}?{MARCH}&model=custom:{ours.pk}").text
    assert "ROAS, Agency (v1): credited revenue" in page
    assert alerts(page) == []


def test_an_archived_model_gives_way_and_is_shown_nowhere(
    ours: CustomModel, client_for: ClientFor, viewer: User
) -> None:
    custom_models.archive(model=ours, by=None)
    client = client_for(viewer)
    page = client.get(f"{PAGE}?{MARCH}&model=custom:{ours.pk}").text
    assert alerts(page) == ["The model “Ours” is archived. Shown is Last Non-Direct."]
    assert list(options(page)) == [""]
    data = json.loads(client.get(f"{PAGE}export.json?{MARCH}").text)
    assert f"custom:{ours.pk}@1" not in data["revenue_by_model"]
    assert "Ours" not in client.get(f"{PAGE}channels/{Channel.objects.get(name='Email').pk}/?{MARCH}").text


def test_an_own_model_can_be_the_default_until_it_is_archived(
    shop: Workspace, ours: CustomModel, client_for: ClientFor, viewer: User
) -> None:
    shop.default_attribution_model = f"custom:{ours.pk}"
    shop.save(update_fields=["default_attribution_model"])
    client = client_for(viewer)
    page = client.get(f"{PAGE}?{MARCH}").text
    assert "ROAS, Ours (v1): credited revenue" in page
    assert "model=" not in re.findall(rf'href="({PAGE}channels/[^"]*)"', page)[0]
    assert state_of(shop, {"model": "last"}).other_than_period() == {"model": "last"}
    custom_models.archive(model=ours, by=None)
    page = client.get(f"{PAGE}?{MARCH}").text
    assert alerts(page) == ["The workspace's default model, “Ours”, is archived. Shown is Last Non-Direct."]
    assert alerts(client.get(f"{PAGE}?{MARCH}&model=last").text) == []


@pytest.mark.usefixtures("figures")
def test_what_the_dashboard_cannot_show_is_said(shop: Workspace) -> None:
    elsewhere = keep(WorkspaceFactory.create())
    for asked, problem in {
        "data_driven": "Data-Driven is not kept for every day: ask for it under Attribution.",
        "time_decay:14": "Time Decay, 14 days is not kept for every day: ask for it under Attribution.",
        "participation": "Participation is not kept for every day: ask for it under Attribution.",
        f"custom:{elsewhere.pk}": f"There is no attribution model “custom:{elsewhere.pk}”.",
        "custom:9" + "9" * 30: f"There is no attribution model “custom:9{'9' * 30}”.",
        "custom:1\0": "There is no attribution model “custom:1\0”.",
    }.items():
        state = state_of(shop, {"model": asked})
        assert (state.model, state.errors) == ("last_non_direct", (f"{problem} Shown is Last Non-Direct.",))
    assert state_of(shop, {"model": "time_decay:7"}).model == "time_decay"


def models_drawn(shop: Workspace, revenue: dict[str, float], chosen: str) -> ChartSpec:
    frame = Frame(
        currency="EUR", period="March", compared="", comparison="", model="", models=state_of(shop, {}).models
    )
    drawn = models_chart(revenue, chart_id="models", name="Email", frame=frame, chosen=chosen)
    assert drawn is not None
    return drawn


def test_own_models_stand_beside_the_rules(shop: Workspace, ours: CustomModel) -> None:
    revenue = dict(by_name(overview(shop).channels)["Email"].revenue_by_model)
    chart = models_drawn(shop, revenue, "last")
    values = {
        category.label: mark.value
        for category, mark in zip(chart.categories, chart.series[0].marks, strict=True)
        if mark
    }
    assert (values["Ours (v1)"], values["Last Touch"], len(values)) == (400, 100, len(RULES) + 1)


def test_as_many_models_are_drawn_as_there_is_room_for_the_chosen_one_and_all_rules_among_them(
    shop: Workspace, ours: CustomModel
) -> None:
    many = dict.fromkeys(RULES, 5.0) | {f"custom:{ours.pk}@{number}": 1.0 for number in range(1, 40)}
    chart = models_drawn(shop, many, f"custom:{ours.pk}@39")
    labels = {category.label for category in chart.categories}
    assert len(labels) == MOST_MODELS
    assert {"Last Touch", "Inverse J-Shape", "Ours (v39)", "Ours (v1)"} <= labels
    assert f"{len(many) - MOST_MODELS} more of your own can be chosen" in chart.subtitle
