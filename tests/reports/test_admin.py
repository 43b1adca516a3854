"""What a site admin sees of reports: everything, and nothing to change."""

import pytest
from django.test import Client

from accounts.models import User, Workspace
from reports.models import Alert, AlertEvent, Delivery, Edition, Occurrence, Report, Schedule
from tests.reports.rows import add_rows

MODELS = (Report, Edition, Schedule, Occurrence, Delivery, Alert, AlertEvent)


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "a long enough password"))
    return client


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_listed_and_shown_and_nothing_can_be_changed(root: Client, workspace: Workspace, model: type) -> None:
    add_rows(workspace)
    path = f"/admin/reports/{model.__name__.lower()}/"
    row = model._default_manager.get()  # type: ignore[attr-defined]
    assert root.get(path).status_code == 200
    assert root.get(f"{path}{row.pk}/change/").status_code == 200
    assert root.post(f"{path}{row.pk}/change/", {}).status_code == 403
    assert root.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert root.get(f"{path}add/").status_code == 403


def test_rows_can_be_searched(root: Client, workspace: Workspace) -> None:
    add_rows(workspace)
    for path in (
        "delivery/?q=reader@example.com",
        "schedule/?q=reader@example.com",
        "report/?q=Monthly",
        "alert/?q=Mon",
    ):
        assert "Monthly review" in root.get(f"/admin/reports/{path}").text
