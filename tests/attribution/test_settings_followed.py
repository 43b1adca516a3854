"""What a change of the workspace's settings does to the dashboard's cube, to questions, and to results of before."""

import datetime as dt

import celery
import pytest
import time_machine
from django.http import QueryDict
from django.utils import timezone

from accounts.actions import change_settings
from accounts.defaults import attribution_models
from accounts.models import Workspace
from attribution.cube.daily_cube import latest_cube
from attribution.cube.keeping import keep_cubes_current
from attribution.cube.kept_models import RULES
from attribution.custom import custom_models
from attribution.forms import AttributionForm, asked_for, initial
from attribution.labels import MODEL_LABELS
from attribution.methods.custom_definition import parse
from attribution.params import clean
from jobs.execution import execute
from jobs.models import Job
from marketing import goals
from marketing.models import Goal
from marketing.period_choice import PeriodChoice
from tests.attribution.conftest import Attribute
from tests.conftest import ImportRows
from tests.factories import WorkspaceFactory

EVEN = parse({"position": {"even": True}})
TOUCH = ("customer,occurred_at,channel", "anna,2026-03-01T10:00Z,Email")
ORDER = ("customer,occurred_at,value", "anna,2026-03-15T23:30Z,100")


@pytest.fixture
def bought(shop: Workspace, import_rows: ImportRows, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Anna clicked on an e-mail fourteen days before she bought."""
    monkeypatch.setattr(celery.current_app, "send_task", lambda *_args, **_kwargs: None)
    import_rows("touchpoints", *TOUCH)
    import_rows("conversions", *ORDER)
    sweep_and_work()
    return shop


def sweep_and_work() -> int:
    keep_cubes_current()
    waiting = list(Job.objects.filter(status=Job.Status.QUEUED, kind="analyses.run").values_list("pk", flat=True))
    for job_id in waiting:
        execute(job_id=job_id)
    return len(waiting)


def window_and_state(workspace: Workspace) -> tuple[int, bool]:
    cube = latest_cube(workspace=workspace)
    assert cube is not None
    return cube.window_days, cube.is_updating


def test_another_window_has_the_dashboard_computed_anew_and_meanwhile_says_so(bought: Workspace) -> None:
    assert window_and_state(bought) == (30, False)
    change_settings(workspace=bought, values={"window_days": 7}, by=None)
    assert window_and_state(bought) == (30, True)
    assert sweep_and_work() == 1
    assert window_and_state(bought) == (7, False)
    # The cube of before is still there: going back computes nothing.
    change_settings(workspace=bought, values={"window_days": 30}, by=None)
    assert window_and_state(bought) == (30, False)
    assert sweep_and_work() == 0


def test_another_time_zone_sorts_the_rows_into_its_own_days(bought: Workspace) -> None:
    def last_day() -> dt.date | None:
        cube = latest_cube(workspace=bought)
        return cube.conversions_until if cube else None

    assert last_day() == dt.date(2026, 3, 15)
    change_settings(workspace=bought, values={"timezone": "Asia/Tokyo"}, by=None)
    assert window_and_state(bought) == (30, True)
    sweep_and_work()
    assert last_day() == dt.date(2026, 3, 16)


def test_other_settings_have_nothing_computed(bought: Workspace) -> None:
    values = {"name": "Acme Ltd", "confidence": 80, "period_days": 45, "default_attribution_model": "linear"}
    assert change_settings(workspace=bought, values=values, by=None) == set(values)
    assert window_and_state(bought) == (30, False)
    assert sweep_and_work() == 0


def test_questions_take_the_new_defaults(shop: Workspace) -> None:
    values = {"window_days": 14, "period_days": 45, "default_attribution_model": "linear"}
    change_settings(workspace=shop, values=values, by=None)
    with time_machine.travel(dt.datetime(2026, 5, 31, 12, tzinfo=dt.UTC), tick=False):
        params = clean(shop, {})
        assert (params["model"], params["window_days"]) == (["linear"], 14)
        assert (params["start"], params["end"]) == ("2026-04-16", "2026-05-30")
        shown = initial(shop, asked_for(shop, QueryDict()))
        assert (shown["period"], shown["start"], shown["end"]) == ("custom", "2026-04-16", "2026-05-30")
        assert AttributionForm(shown | {"metric": "revenue"}, workspace=shop).is_valid()
        choice = PeriodChoice.from_query({}, workspace=shop, now=timezone.now())
        assert (choice.period.days, choice.preset) == (45, "")


def test_a_run_of_before_stays_as_it_is(bought: Workspace, attribute: Attribute) -> None:
    before = attribute(model="last", goal="Purchase")
    change_settings(workspace=bought, values={"window_days": 7, "default_attribution_model": "first"}, by=None)
    goals.change_goal(
        goal=Goal.objects.get(workspace=bought, name="Purchase"), name="Order", kind=Goal.Kind.SALE, by=None
    )
    before.refresh_from_db()
    assert (before.params["window_days"], before.params["goal"]) == (30, "Purchase")
    assert before.result["totals"]["conversions"] == 1
    again = attribute(model="last")
    assert (again.params["window_days"], again.params["goal"]) == (7, "Order")
    assert again.result["totals"]["conversions"] == 1


def offered(workspace: Workspace) -> dict[str, list[str]]:
    return {family: [name for name, _label in models] for family, models in attribution_models(workspace)}


def test_every_model_that_is_kept_day_by_day_can_be_the_default(shop: Workspace) -> None:
    assert offered(shop) == {"Rules": [*MODEL_LABELS, "j_shape", "inverse_j"]}
    assert list(RULES) == offered(shop)["Rules"]


def test_custom_models_can_be_the_default_as_long_as_they_are_offered(shop: Workspace) -> None:
    ours, theirs = (
        custom_models.create(workspace=workspace, name="Ours", definition=EVEN, by=None)
        for workspace in (shop, WorkspaceFactory.create())
    )
    assert offered(shop)["Your own"] == [f"custom:{ours.pk}"]
    change_settings(workspace=shop, values={"default_attribution_model": f"custom:{ours.pk}"}, by=None)
    assert clean(shop, {})["model"] == [f"custom:{ours.pk}@1"]
    custom_models.archive(model=ours, by=None)
    assert "Your own" not in offered(shop)
    assert clean(shop, {})["model"] == ["last_non_direct"]
    assert offered(theirs.workspace)["Your own"] == [f"custom:{theirs.pk}"]
