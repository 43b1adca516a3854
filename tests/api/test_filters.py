"""What lists are narrowed by: days and moments in ISO 8601 alone, and however far away they are."""

import functools
import re

import pytest
from django.test import Client

from accounts.models import AuditEvent, Workspace
from api.schema_views import description
from tests.api.test_fields import AS_CSV, ask, program, world
from tests.test_every_url import World

__all__ = ["program", "world"]

ZONES = ("UTC", "Pacific/Auckland", "America/New_York")
NO_DAYS = (
    "03/02/2026",
    "2026-3-2",
    "20260302",
    "2026-W10-1",
    "2026-03-02T10:00",
    "02.03.2026",
    "2026-02-30",
    "0000-01-01",
)
NO_MOMENTS = ("03/02/2026", "03/02/2026 10:00", "yesterday", "0000-01-01T00:00:00Z", "2026-03-02T25:00:00Z")
FAR_DAYS = ("0001-01-01", "9999-12-31")
FAR_MOMENTS = ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59")


@functools.cache
def filters_of(form: str) -> list[tuple[str, str]]:
    """The addresses and names of the parameters that take a day (`date`) or a moment (`date-time`)."""
    return [
        (path, parameter["name"])
        for path, methods in description()["paths"].items()
        for parameter in methods.get("get", {}).get("parameters", ())
        if parameter["in"] == "query" and parameter["schema"].get("format") == form
    ]


@pytest.mark.parametrize(("form", "least"), [("date", 20), ("date-time", 10)])
def test_what_is_no_iso_8601_is_refused_with_an_example(program: Client, world: World, form: str, least: int) -> None:
    found = [(path, name) for path, name in filters_of(form) if "/dashboard/" not in path]  # no list
    assert len(found) >= least
    for path, name in found:
        for text in NO_DAYS if form == "date" else NO_MOMENTS:
            answer = ask(program, world, path, query_params={name: text})
            assert (answer.status_code, [*answer.json()["errors"]]) == (400, [name]), (path, text)


def test_the_refusal_of_a_day_says_how_to_write_one(program: Client) -> None:
    refused = program.get("/api/v1/spend/?from=03/02/2026")
    assert refused.json()["errors"] == {"from": ["Use a day such as 2026-03-31: year, month and day."]}


@pytest.mark.parametrize("zone", ZONES)
def test_no_day_and_no_moment_is_too_far_away(program: Client, world: World, zone: str) -> None:
    Workspace.objects.update(timezone=zone)
    for form, values in (("date", FAR_DAYS), ("date-time", FAR_MOMENTS)):
        for path, name in filters_of(form):
            for value in values:
                answer = ask(program, world, path, query_params={name: value})
                assert answer.status_code in (200, 400, 409), (path, name, value)  # such as a dashboard without figures


@pytest.mark.parametrize("zone", ZONES)
def test_far_ends_leave_everything_or_nothing(program: Client, world: World, zone: str) -> None:
    Workspace.objects.update(timezone=zone)

    def count(path: str) -> int:
        return len(program.get(f"/api/v1/{path}").json()["results"])

    assert count("audit-events/") > 0
    assert count("runs/") > 0
    for first, last in (("start", "end"), ("created_after", "created_before")):
        path = "audit-events/" if first == "start" else "runs/"
        assert count(f"{path}?{first}=0001-01-01&{last}=9999-12-31") == count(path)
        assert count(f"{path}?{last}=0001-01-01") == count(f"{path}?{first}=9999-12-31") == 0
    before = AuditEvent.objects.filter(workspace=world.workspace).count()
    table = program.get("/api/v1/audit-events/?start=0001-01-01&end=9999-12-31", headers=AS_CSV)
    assert len(re.findall(rb"\r\n", table.getvalue())) == 1 + before + 1  # the header, and the export itself
