"""Imports in the API: listed, narrowed, their rejected rows, and rows from the first batch to the last trace."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User, Workspace
from marketing.importing import kept_files
from marketing.models import Dataset, Import
from tests.marketing.api.conftest import API, Importer, WithKey, carry_out, results, send
from tests.marketing.batches import add_import

pytestmark = pytest.mark.usefixtures("media_root")
ANN = {"customer": "ann", "occurred_at": "2026-05-31T14:05:00+02:00", "channel": "Email"}


def test_rows_are_sent_listed_and_taken_back(program: Client) -> None:
    sent = send(program, "post", "/touchpoints/", {"rows": [ANN, ANN | {"customer": "bob"}]})
    assert (sent.status_code, sent["Retry-After"]) == (202, "1")
    assert results(program, "/touchpoints/") == []  # nothing is seen before it is whole
    carry_out()
    assert [row["channel"] for row in results(program, "/touchpoints/")] == ["Email", "Email"]
    assert [channel["name"] for channel in results(program, "/channels/")] == ["Email"]
    taken_back = program.delete(sent["Location"])
    assert (taken_back.status_code, taken_back["Retry-After"]) == (202, "1")
    carry_out()
    assert program.get(sent["Location"]).json()["status"] == "undone"
    assert results(program, "/touchpoints/") == []
    assert program.get(f"{API}/touchpoints/", headers={"Accept": "text/csv"}).getvalue().count(b"\n") == 1


def test_imports_are_narrowed(program: Client, shop: Workspace) -> None:
    one, two = add_import(shop, Dataset.SPEND), add_import(shop, Dataset.EVENTS, status=Import.Status.FAILED)
    Import.objects.filter(pk=one.pk).update(created_at="2026-03-01T10:00Z", origin=Import.Origin.PAGE)
    Import.objects.filter(pk=two.pk).update(created_at="2026-03-02T10:00Z")

    def found(query: str) -> list[int]:
        return [row["id"] for row in results(program, f"/imports/?{query}")]

    assert found("") == [two.pk, one.pk]
    assert found("dataset=spend") == found("status=active") == found("origin=page") == [one.pk]
    assert found("origin=cli") == found("status=failed") == [two.pk]
    assert found("created_after=2026-03-02T10:00:00Z") == [two.pk]
    assert found("created_before=2026-03-02T10:00:00Z") == [one.pk]
    assert found("created_after=2026-03-01T12:00:00%2B01:00&created_before=2026-03-02T10:00:00Z") == []


@pytest.mark.parametrize("query", ["dataset=none", "status=gone", "origin=sky", "created_after=yesterday"])
def test_imports_are_not_narrowed_by_nonsense(program: Client, query: str) -> None:
    refused = program.get(f"{API}/imports/?{query}")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [query.partition("=")[0]])


def test_queries_do_not_grow_with_imports(
    program: Client, shop: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (2, 12):
        for _ in range(count):
            add_import(shop, Dataset.SPEND)
        program.get(f"{API}/imports/")
        with django_assert_num_queries(4):
            program.get(f"{API}/imports/")


def test_rejected_rows_are_a_file(
    program: Client, with_key: WithKey, import_rows: Importer, viewer: User, client_for: Any
) -> None:
    batch = import_rows("outcomes", "date,outcome,value\n2026-03-01,Sales,1\n2026-03-02,Sales,many\n")
    one = program.get(f"{API}/imports/{batch.pk}/").json()
    assert one["rejects"] == f"/api/v1/imports/{batch.pk}/rejects/"
    answer = program.get(one["rejects"])
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    text = answer.getvalue().decode("utf-8-sig")
    assert text.splitlines()[:1] == ["date,outcome,value,Row,Column,Reason"]
    assert text.splitlines()[1].startswith("2026-03-02,Sales,many,3,value,")
    assert program.get(one["rejects"], headers={"Accept": "application/json"}).status_code == 406
    assert with_key("settings:read").get(one["rejects"]).status_code == 403
    assert client_for(viewer).get(one["rejects"]).json()["code"] == "permission_denied"


def test_rejected_rows_that_are_not_kept_are_not_found(program: Client, import_rows: Importer) -> None:
    fine = import_rows("outcomes", "date,outcome,value\n2026-03-01,Sales,1\n")
    assert program.get(f"{API}/imports/{fine.pk}/").json()["rejects"] is None
    gone = import_rows("outcomes", "date,outcome,value\n2026-03-01,Sales,1\n2026-03-02,Sales,many\n")
    kept_files.remove(gone.rejects_file)
    for batch in (fine, gone):
        missing = program.get(f"{API}/imports/{batch.pk}/rejects/")
        assert (missing.status_code, missing["Content-Type"]) == (404, "application/problem+json")
        assert missing.json()["detail"] == "No rejected rows are kept of this import."
    assert program.get(f"{API}/imports/{10**30}/rejects/").status_code == 404


def test_batches_refuse_parameters_that_there_are_not(program: Client, media_root: Path) -> None:
    refused = send(program, "post", "/touchpoints/?stirct=true", {"rows": [ANN]})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["stirct"])
    assert send(program, "post", "/touchpoints/?strict=perhaps", {"rows": [ANN]}).status_code == 400
    assert not Import.objects.exists()
