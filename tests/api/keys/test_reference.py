"""The reference inside the product: what the page holds, and that its examples work as they are."""

import json
import os
import re
import shlex
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import chdir
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone as clock
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.api_key_actions import create_api_key
from accounts.models import Role, User, Workspace
from accounts.scopes import Scope
from analyses.models import Run
from api.keys.examples import EXAMPLES, filled_in
from jobs.execution import execute
from jobs.models import Job
from marketing.importing.actions import request_import
from marketing.models import Dataset, Import
from marketing.receivers import create_default_goals
from tests.factories import MembershipFactory

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/api/reference/"


def carry_out_what_waits(*_seconds: object) -> None:
    """What workers do while a program sleeps."""
    for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
        execute(job_id=job.pk)


# --- The page ---


@pytest.mark.django_db
def test_whoever_may_have_keys_may_read_it(
    client_for: ClientFor, owner: User, analyst: User, viewer: User, outsider: User
) -> None:
    people = (owner, analyst, viewer, outsider)
    assert [client_for(user).get(PAGE).status_code for user in people] == [200, 200, 403, 404]
    assert client_for(owner).post(PAGE).status_code == 405


@pytest.mark.django_db
def test_swagger_ui_comes_from_our_own_files_and_is_told_where_the_schema_is(
    client_for: ClientFor, workspace: Workspace, owner: User
) -> None:
    page = client_for(owner).get(PAGE).text
    (element,) = re.findall("<api-reference[^>]*>", page)
    told = dict(re.findall('(data-[a-z-]+)="([^"]*)"', element))
    assert told["data-workspace"] == "acme"
    assert len(told["data-csrf-token"]) == 64
    assert client_for(owner).get(told["data-schema"]).json()["openapi"].startswith("3.1")
    loaded = re.findall(r'(?:src|href)="([^"#]*\.(?:js|css))"', page)
    assert all(address.startswith("/static/") for address in loaded)
    assert all(finders.find(address.removeprefix("/static/")) for address in loaded)
    assert any("swagger-ui-bundle.js" in address for address in loaded)


@pytest.mark.django_db
def test_the_description_can_be_taken_along(client_for: ClientFor, workspace: Workspace, owner: User) -> None:
    page = client_for(owner).get(PAGE).text
    files = {name: address for address, name in re.findall('href="([^"]*)" download="([^"]*)"', page)}
    assert files.keys() == {"mixed-media-modeling.json", "mixed-media-modeling.yaml"}
    described = client_for(owner).get(files["mixed-media-modeling.json"]).json()
    assert "/api/v1/runs/" in described["paths"]
    assert client_for(owner).get(files["mixed-media-modeling.yaml"]).text.startswith("openapi: 3.1")


@pytest.mark.django_db
def test_examples_name_this_installation_and_no_key(client_for: ClientFor, workspace: Workspace, owner: User) -> None:
    page = client_for(owner).get(PAGE, headers={"Host": "localhost:8000"}).text
    assert "http://localhost:8000/api/v1/touchpoints/" in page
    assert "mmm.example.com" not in page
    assert page.count("$MMM_API_KEY") == len(EXAMPLES)
    assert "Acme" in page


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_an_example_says_what_it_needs(example: Any) -> None:
    assert example.scope in Scope.values
    assert "$MMM_API_KEY" in example.curl


# --- The examples, as they are ---


@pytest.fixture
def installation(
    transactional_db: None, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> Iterator[str]:
    """An address with a shop to which MMM_API_KEY has a key of the examples' scopes; the shop has a bit of data."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    membership = MembershipFactory.create(workspace__slug="acme", role=Role.OWNER)
    create_default_goals(workspace=membership.workspace)
    scopes = {example.scope for example in EXAMPLES}
    _key, text = create_api_key(
        workspace=membership.workspace, created_by=membership.user, name="Examples", scopes=scopes
    )
    monkeypatch.setenv("MMM_API_KEY", text)
    monkeypatch.setattr(time, "sleep", carry_out_what_waits)
    add_a_sale(membership.workspace, tmp_path)
    with chdir(tmp_path):
        yield live_server.url


def add_a_sale(workspace: Workspace, folder: Path) -> None:
    touched, converted = (clock.now() - timedelta(days=days) for days in (4, 3))
    for dataset, header, row in (
        (Dataset.TOUCHPOINTS, "customer,occurred_at,channel", f"ann,{touched.isoformat()},Email"),
        (Dataset.CONVERSIONS, "customer,occurred_at,value", f"ann,{converted.isoformat()},50"),
    ):
        file = folder / f"{dataset}.csv"
        file.write_text(f"{header}\n{row}\n")
        request_import(
            workspace=workspace, dataset=dataset, file=file, mapping={}, by=None, origin=Import.Origin.CLI, ring=False
        )
    carry_out_what_waits()


def curl(command: str, **variables: str) -> bytes:
    """Return what curl would be answered, called as `command` ends, in a shell in which these variables are set."""
    for name, value in {**variables, "MMM_API_KEY": os.environ["MMM_API_KEY"]}.items():
        command = command.replace(f"${name}", value)
    words = iter(shlex.split(command[command.index("curl ") :].replace("\\\n", " "))[1:])
    address = next(words)
    headers: dict[str, str] = {}
    data, output = None, None
    for option in words:
        value = next(words)
        if option == "-H":
            name, _, headers[name] = value.partition(": ")  # the target of `name` is assigned first
        elif option == "-d":
            data = value.encode()
        else:
            assert option == "-o"
            output = Path(value)
    with urllib.request.urlopen(urllib.request.Request(address, data=data, headers=headers), timeout=30) as response:
        answer: bytes = response.read()
    if output:
        output.write_bytes(answer)
    return answer


def test_the_examples_with_curl_work(installation: str) -> None:
    connect, ask, poll, fetch, send = (filled_in(example, installation).curl for example in EXAMPLES)
    assert json.loads(curl(connect))["results"] == []
    run = json.loads(curl(ask))
    assert run["status"] == "queued"
    carry_out_what_waits()
    assert json.loads(curl(poll, RUN=run["id"])) == {"status": "done", "progress": 1.0, "error": None}
    curl(fetch, RUN=run["id"])
    assert "Email" in Path("attribution.csv").read_text()
    first, again = json.loads(curl(send)), json.loads(curl(send))
    assert first["id"] == again["id"]
    carry_out_what_waits()
    assert Import.objects.get(pk=first["id"]).status == Import.Status.ACTIVE


def test_the_examples_in_python_work_one_after_the_other(installation: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for example in EXAMPLES:
        exec(compile(filled_in(example, installation).python, example.title, "exec"), names)
    run = Run.objects.get()
    said = capsys.readouterr().out
    assert f"/api/v1/runs/{run.pk}/ queued" in said
    assert "done None" in said
    assert "0 rows rejected" in said
    assert "Email" in Path("attribution.csv").read_text()


def test_the_function_in_python_says_what_is_wrong(installation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMM_API_KEY", "mmm_abcdefgh_" + "x" * 43)
    with pytest.raises(SystemExit, match="This is not a valid API key"):
        exec(filled_in(EXAMPLES[0], installation).python, {})
