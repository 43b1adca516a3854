"""The workspace's own models in the daily cube: which it holds, and what makes a newer one due."""

from typing import Any

import celery
import numpy as np
import pytest

from accounts.models import Workspace
from attribution.cube.daily_cube import DailyCube, cube_runs, latest_cube
from attribution.cube.keeping import keep_cubes_current
from attribution.cube.kept_models import RULES
from attribution.custom import custom_models
from attribution.methods.custom_definition import CustomDefinition, parse
from attribution.models import CustomModel
from jobs.execution import execute
from jobs.models import Job
from marketing.channels import set_channel_type
from marketing.models import Channel, Goal
from tests.conftest import ImportRows
from tests.factories import WorkspaceFactory

ALL_TO_EMAIL = parse({"position": {"even": True}, "channels": {"Search": 0}})
ALL_TO_SEARCH = parse({"position": {"even": True}, "channels": {"Email": 0}})
PAID_ONLY = parse({"position": {"even": True}, "channel_types": {"paid": 1, "owned": 0, "organic": 0, "offline": 0}})


@pytest.fixture
def bought(shop: Workspace, import_rows: ImportRows, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Anna came by e-mail, then by search, and bought for 100."""
    monkeypatch.setattr(celery.current_app, "send_task", lambda *_args, **_kwargs: None)
    import_data(import_rows, shop)
    return shop


def import_data(import_rows: ImportRows, workspace: Workspace) -> None:
    touches = ("anna,2026-03-01T10:00Z,Email", "anna,2026-03-02T10:00Z,Search")
    import_rows("touchpoints", "customer,occurred_at,channel", *touches, workspace=workspace)
    order = "anna,2026-03-15T12:00Z,100"
    import_rows("conversions", "customer,occurred_at,value", order, workspace=workspace)


def keep(workspace: Workspace, definition: CustomDefinition = ALL_TO_EMAIL, name: str = "Ours") -> CustomModel:
    return custom_models.create(workspace=workspace, name=name, definition=definition, by=None)


def sweep_and_work() -> int:
    """Sweep, carry out what waits, and return how many cubes that was."""
    keep_cubes_current()
    waiting = list(Job.objects.filter(status=Job.Status.QUEUED, kind="analyses.run").values_list("pk", flat=True))
    for job_id in waiting:
        execute(job_id=job_id)
    return len(waiting)


def cube_of(workspace: Workspace) -> DailyCube:
    found = latest_cube(workspace=workspace)
    assert found is not None
    return found


def own(workspace: Workspace) -> list[str]:
    """The custom models that the newest cube holds."""
    return [name for name in cube_of(workspace).cube.models if name not in RULES]


def credited(workspace: Workspace, model: str) -> dict[str, float]:
    """The value of each channel under a model."""
    cube = cube_of(workspace).cube
    rows = cube.credit[Goal.objects.get(workspace=workspace, is_default=True).pk]
    names = dict(Channel.objects.filter(workspace=workspace).values_list("pk", "name"))
    value = rows.value[:, cube.models.index(model)]
    return {names[key]: float(value[rows.channel == key].sum()) for key in np.unique(rows.channel).tolist()}


def test_each_custom_model_is_in_the_cube_beside_the_rules(bought: Workspace) -> None:
    email, search = keep(bought), keep(bought, ALL_TO_SEARCH, "Another")
    assert sweep_and_work() == 1
    assert cube_of(bought).cube.models[: len(RULES)] == tuple(RULES)
    assert sorted(own(bought)) == sorted([f"custom:{search.pk}@1", f"custom:{email.pk}@1"])
    assert credited(bought, f"custom:{email.pk}@1") == {"Email": 100, "Search": 0}
    assert credited(bought, f"custom:{search.pk}@1") == {"Email": 0, "Search": 100}
    assert credited(bought, "j_shape") == pytest.approx({"Email": 25, "Search": 75})


def test_a_workspace_without_custom_models_asks_for_its_window_only(bought: Workspace) -> None:
    sweep_and_work()
    assert cube_runs().get().params == {"window_days": 30}


def test_a_new_version_has_the_cube_computed_anew(bought: Workspace) -> None:
    model = keep(bought)
    sweep_and_work()
    custom_models.save_version(model=model, definition=ALL_TO_SEARCH, by=None)
    assert (own(bought), cube_of(bought).is_updating) == ([f"custom:{model.pk}@1"], True)
    assert sweep_and_work() == 1
    assert (own(bought), cube_of(bought).is_updating) == ([f"custom:{model.pk}@2"], False)
    assert credited(bought, f"custom:{model.pk}@2") == {"Email": 0, "Search": 100}
    assert sweep_and_work() == 0


def test_an_archived_model_leaves_the_cube_and_a_restored_one_needs_no_new_work(bought: Workspace) -> None:
    model = keep(bought)
    sweep_and_work()
    custom_models.archive(model=model, by=None)
    assert sweep_and_work() == 1
    assert own(bought) == []
    custom_models.restore(model=model, by=None)
    assert own(bought) == [f"custom:{model.pk}@1"]
    assert sweep_and_work() == 0


def test_another_name_has_nothing_computed(bought: Workspace) -> None:
    model = keep(bought)
    sweep_and_work()
    custom_models.rename(model=model, name="Theirs", description="", by=None)
    assert not cube_of(bought).is_updating
    assert sweep_and_work() == 0


def test_another_channel_type_counts_for_models_that_look_at_it(bought: Workspace) -> None:
    model = keep(bought, PAID_ONLY)
    sweep_and_work()
    assert credited(bought, f"custom:{model.pk}@1") == {"Email": 0, "Search": 100}
    email = Channel.objects.get(workspace=bought, name="Email")
    set_channel_type(channel=email, type=Channel.Type.PAID, by=None)
    assert sweep_and_work() == 1
    assert credited(bought, f"custom:{model.pk}@1") == {"Email": 50, "Search": 50}


def test_another_channel_type_counts_for_no_other_model(bought: Workspace) -> None:
    keep(bought)
    sweep_and_work()
    email = Channel.objects.get(workspace=bought, name="Email")
    set_channel_type(channel=email, type=Channel.Type.PAID, by=None)
    assert sweep_and_work() == 0


def test_a_saved_model_is_asked_for_at_once(bought: Workspace, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        model = keep(bought)
    (waiting,) = cube_runs()
    assert list(waiting.params["custom_definitions"]) == [f"custom:{model.pk}@1"]


def test_a_model_saved_before_there_are_data_asks_for_nothing(
    shop: Workspace, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        keep(shop)
    assert not cube_runs().exists()


def test_one_workspace_has_none_of_anothers_models(bought: Workspace, import_rows: ImportRows) -> None:
    other = WorkspaceFactory.create()
    Goal.objects.create(workspace=other, name="Purchase", is_default=True)
    import_data(import_rows, other)
    ours, theirs = keep(bought), keep(other)
    assert sweep_and_work() == 2
    assert (own(bought), own(other)) == ([f"custom:{ours.pk}@1"], [f"custom:{theirs.pk}@1"])


def test_more_workspaces_with_custom_models_need_no_more_queries(
    bought: Workspace, import_rows: ImportRows, django_assert_max_num_queries: Any
) -> None:
    keep(bought, PAID_ONLY)
    sweep_and_work()
    with django_assert_max_num_queries(8) as few:
        keep_cubes_current()
    for _workspace in range(4):
        other = WorkspaceFactory.create()
        import_rows("spend", "date,channel,spend", "2026-03-29,TV,7", workspace=other)
        keep(other, PAID_ONLY)
        keep(other, name="Theirs")
    assert sweep_and_work() == 4
    with django_assert_max_num_queries(len(few)):
        keep_cubes_current()
