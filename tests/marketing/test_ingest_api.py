"""Batches of rows by the API: the valid ones come in, the others are named, and a request sent twice counts once."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.actions import set_plan
from accounts.api_key_actions import create_api_key
from accounts.models import AuditEvent, Plan, User, Workspace
from jobs.execution import execute
from jobs.models import Job
from marketing.importing import batches
from marketing.models import (
    Channel,
    ChannelSpend,
    ControlValue,
    Conversion,
    Dataset,
    Event,
    Experiment,
    Import,
    OutcomeValue,
    PathCount,
    Touchpoint,
)
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import

pytestmark = pytest.mark.usefixtures("media_root")
ClientFor = Callable[[User | None], Client]
TOUCHPOINTS, CONVERSIONS, SPEND = "/api/v1/touchpoints/", "/api/v1/conversions/", "/api/v1/spend/"
IMPORTS = "/api/v1/imports/"
ANN = {"customer": "ann", "occurred_at": "2026-05-31T14:05:00+02:00", "channel": "Email"}
BOB = ANN | {"customer": "bob"}
NO_TIME = {"customer": "cy", "occurred_at": "yesterday", "channel": "Email"}


@pytest.fixture
def key_client(shop: Workspace, owner: User) -> Callable[..., Client]:
    """Make a program that calls with an API key of these scopes."""

    def make(*scopes: str) -> Client:
        _key, text = create_api_key(workspace=shop, created_by=owner, name="A program", scopes=scopes)
        return Client(headers={"Authorization": f"Bearer {text}"})

    return make


@pytest.fixture
def sender(key_client: Callable[..., Client]) -> Client:
    return key_client("data:write", "data:read")


def post(client: Client, path: str, body: object, **headers: str) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(path, text, content_type="application/json", headers=headers)


def carry_out() -> None:
    for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
        execute(job_id=job.pk)


def kept_files(media_root: Path) -> list[Path]:
    return [path for path in media_root.rglob("*") if path.is_file()]


def test_a_batch_is_accepted_imported_and_followed(sender: Client) -> None:
    accepted = post(sender, TOUCHPOINTS, {"rows": [ANN, NO_TIME, BOB, ANN]})
    assert accepted.status_code == 202
    body = accepted.json()
    assert (body["status"], body["accepted"], body["rejected"], body["duplicates"]) == ("pending", None, 1, None)
    reason = "“yesterday” is not a time such as 2026-05-31T14:05:00+02:00"
    assert body["errors"] == [{"row": 2, "field": "occurred_at", "reason": reason}]
    assert accepted["Location"] == body["url"]
    assert not Touchpoint.objects.exists()
    carry_out()
    done = sender.get(accepted["Location"]).json()
    assert (done["status"], done["accepted"], done["rejected"], done["duplicates"]) == ("active", 2, 1, 1)
    assert (done["errors"], done["first_day"], done["error"]) == (body["errors"], "2026-05-31", None)
    assert (done["origin"], done["requested_by"], done["workspace"]) == ("api", "owner@example.com", "acme")
    requested = AuditEvent.objects.get(action="import.requested")
    assert requested.api_key is not None


@pytest.mark.parametrize("rows", [[ANN, BOB], {"rows": [ANN, BOB]}])
def test_a_bare_list_says_the_same_as_an_object_with_rows(sender: Client, rows: object) -> None:
    assert post(sender, TOUCHPOINTS, rows).status_code == 202
    carry_out()
    assert Touchpoint.objects.count() == 2


def test_a_line_for_each_row_is_read_too(sender: Client) -> None:
    lines = f"{json.dumps(ANN)}\r\n\n{json.dumps(NO_TIME)}\n{json.dumps(BOB)}"
    accepted = sender.post(TOUCHPOINTS, lines, content_type="application/x-ndjson")
    assert (accepted.status_code, [error["row"] for error in accepted.json()["errors"]]) == (202, [2])
    carry_out()
    assert Touchpoint.objects.count() == 2


def test_every_dataset_takes_its_fields(sender: Client) -> None:
    day = {"date": "2026-05-31"}
    sent = {
        "touchpoints": ANN | {"source": "news", "medium": "email", "campaign": "May", "interaction": "open"},
        "conversions": {"customer": 7, "occurred_at": 1780228800, "value": 19.99, "order_id": 12, "converted": True},
        "spend": day | {"channel": "TV", "spend": "1234.56", "impressions": 1000, "clicks": None},
        "outcomes": day | {"outcome": "Sales", "value": 1e3},
        "controls": day | {"control": "Price", "value": -0.5, "geo": "DE"},
        "experiments": {
            "channel": "TV", "start": "2026-05-01", "end": "2026-05-31", "lift": 5200, "standard_error": 900,
            "spend": 1700,
        },
        "events": {"name": "Pentecost", "start": "2026-05-24", "end": "2026-05-25"},
        "paths": day | {"path": "google / cpc|x > TV", "conversions": 3, "value": "120.5", "null": 7},
    }  # fmt: skip
    for dataset, row in sent.items():
        accepted = post(sender, f"/api/v1/{dataset}/?strict=true", [row])
        assert accepted.status_code == 202, accepted.json()
    carry_out()
    assert set(Import.objects.values_list("dataset", "status")) == {(dataset, "active") for dataset in sent}
    conversion = Conversion.objects.get()
    assert (conversion.order_id, conversion.value, conversion.occurred_at.isoformat()) == (
        "12",
        Decimal("19.99"),
        "2026-05-31T12:00:00+00:00",
    )
    spend = ChannelSpend.objects.get()
    assert (spend.spend, spend.impressions, spend.clicks) == (Decimal("1234.56"), 1000, None)
    assert (OutcomeValue.objects.get().value, ControlValue.objects.get().value) == (1000, -0.5)
    assert (Experiment.objects.get().lift, Event.objects.get().name) == (5200, "Pentecost")
    path = PathCount.objects.get()
    assert (path.conversions, path.value, path.nulls) == (3, Decimal("120.5"), 7)


def test_nothing_but_an_arrow_parts_the_steps_of_a_path(sender: Client) -> None:
    rows = [{"path": path, "conversions": 1} for path in ("google / cpc", "Search | Brand", "A;B > C")]
    assert post(sender, "/api/v1/paths/?strict=true", rows).status_code == 202
    carry_out()
    assert set(Channel.objects.values_list("name", flat=True)) == {"google / cpc", "Search | Brand", "A;B", "C"}


@pytest.mark.parametrize("amount", ["0.1", "123456789.654321", "0.000001"])
def test_amounts_are_kept_to_the_last_decimal(sender: Client, amount: str) -> None:
    for customer, value in (("ann", amount), ("bob", f'"{amount}"')):
        row = f'"customer": "{customer}", "occurred_at": "2026-05-31T14:05:00Z", "value": {value}'
        post(sender, CONVERSIONS, f"[{{{row}}}]")
    carry_out()
    assert list(Conversion.objects.values_list("value", flat=True)) == [Decimal(amount)] * 2


def test_with_strict_all_rows_come_in_or_none(sender: Client, media_root: Path) -> None:
    refused = post(sender, f"{TOUCHPOINTS}?strict=true", [ANN, NO_TIME])
    assert refused.status_code == 422
    assert refused["Content-Type"] == "application/problem+json"
    body = refused.json()
    assert (body["code"], body["rejected"], [error["row"] for error in body["errors"]]) == ("rows_rejected", 1, [2])
    assert not Import.objects.exists()
    assert not kept_files(media_root)
    assert post(sender, f"{TOUCHPOINTS}?strict=true", [ANN, BOB]).status_code == 202


def test_without_a_valid_row_nothing_is_imported(sender: Client, media_root: Path) -> None:
    refused = post(sender, TOUCHPOINTS, [NO_TIME, {}, {"customer": "dee", "occurred_at": 1780228800}])
    assert refused.status_code == 422
    reasons = [(error["row"], error["field"], error["reason"]) for error in refused.json()["errors"]]
    assert reasons[1:] == [
        (2, "customer", "missing"),
        (3, None, "neither a channel nor a source or medium"),
    ]
    assert not Job.objects.exists()
    assert not kept_files(media_root)


def test_every_rejected_row_is_named_and_the_first_are_kept(sender: Client) -> None:
    accepted = post(sender, TOUCHPOINTS, [ANN] + [NO_TIME] * 150).json()
    assert (accepted["rejected"], len(accepted["errors"]), accepted["errors"][-1]["row"]) == (150, 150, 151)
    carry_out()
    assert len(sender.get(accepted["url"]).json()["errors"]) == 100


def test_a_figure_given_twice_names_the_row_of_the_first(sender: Client) -> None:
    row = {"date": "2026-05-31", "channel": "TV", "spend": 5}
    (error,) = post(sender, SPEND, [row, row | {"channel": "Radio"}, row]).json()["errors"]
    assert (error["row"], error["field"], error["reason"]) == (3, None, "the same date, channel as row 1")


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ([], "rows", "There are no rows"),
        ({"rows": []}, "rows", "There are no rows"),
        ({}, "rows", "Send a list of rows"),
        ("7", "rows", "Send a list of rows"),
        ({"rows": [ANN], "colour": 1}, "colour", "no such field"),
        ([ANN, 7], "rows", "Row 2 is not an object"),
        ([ANN, BOB | {"chanel": "TV"}], "chanel", "The fields of touchpoints: customer"),
        ([ANN, BOB | {"customer": True}], "customer", "Row 2: true is neither"),
        ([ANN, BOB | {"campaign": {"name": "May"}}], "campaign", "Row 2: an object is neither"),
        ([ANN, BOB | {"campaign": ["May"]}], "campaign", "Row 2: a list is neither"),
        ([ANN, BOB | {"campaign": "a\0b"}], "campaign", "Row 2: text must not contain NUL"),
        ('[{"customer": "\\ud800"}]', "customer", "Row 1: text must not contain NUL or surrogate"),
    ],
)
def test_what_is_no_batch_names_the_field(sender: Client, body: object, field: str, sentence: str) -> None:
    refused = post(sender, TOUCHPOINTS, body)
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == [field]
    assert sentence in refused.json()["errors"][field][0]
    assert not Import.objects.exists()


def test_true_is_no_number(sender: Client) -> None:
    refused = post(sender, SPEND, [{"date": "2026-05-31", "channel": "TV", "spend": True}])
    assert refused.json()["errors"] == {"spend": ["Row 1: true is neither text nor a number."]}


@pytest.mark.parametrize(
    "body", ["", "{", "[1,]", '[{"customer": NaN}]', '{"a": 1} {"b": 2}', b"\xff", "[" * 100_000, "\u00a0[]"]
)
def test_malformed_json_is_refused(sender: Client, body: str | bytes) -> None:
    refused = post(sender, TOUCHPOINTS, body)
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")


def test_a_malformed_line_is_named(sender: Client) -> None:
    refused = sender.post(TOUCHPOINTS, f"{json.dumps(ANN)}\n{{'a': 1}}", content_type="application/x-ndjson")
    assert (refused.status_code, refused.json()["detail"][:18]) == (400, "Line 2 is not JSON")
    assert sender.post(TOUCHPOINTS, "\n", content_type="application/x-ndjson").status_code == 400


def test_another_type_of_body_is_refused(sender: Client) -> None:
    assert sender.post(TOUCHPOINTS, "customer,channel", content_type="text/csv").status_code == 415


def test_a_batch_has_a_size(sender: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_ROWS", 2)
    refused = post(sender, TOUCHPOINTS, [ANN, BOB, ANN])
    assert (refused.status_code, refused.json()["code"]) == (413, "too_many_rows")
    too_long = post(sender, TOUCHPOINTS, " " * (10 * 2**20 + 1))
    assert (too_long.status_code, too_long.json()["code"]) == (413, "too_large")


def test_the_same_request_twice_is_one_import(sender: Client) -> None:
    first = post(sender, TOUCHPOINTS, [ANN, NO_TIME], **{"Idempotency-Key": "k1"})
    assert "Idempotent-Replayed" not in first
    again = post(sender, TOUCHPOINTS, {"rows": [dict(reversed(ANN.items())), NO_TIME]}, **{"Idempotency-Key": "k1"})
    assert (again.status_code, again["Idempotent-Replayed"]) == (200, "true")
    assert again.json() == first.json()
    carry_out()
    later = post(sender, TOUCHPOINTS, [ANN, NO_TIME], **{"Idempotency-Key": "k1"}).json()
    assert (later["id"], later["status"], later["accepted"]) == (first.json()["id"], "active", 1)
    assert Import.objects.count() == 1


def test_a_key_is_for_one_batch(sender: Client) -> None:
    post(sender, TOUCHPOINTS, [ANN], **{"Idempotency-Key": "k1"})
    for path, rows in (
        (TOUCHPOINTS, [BOB]),
        (CONVERSIONS, [{name: ANN[name] for name in ("customer", "occurred_at")}]),
    ):
        refused = post(sender, path, rows, **{"Idempotency-Key": "k1"})
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert Import.objects.count() == 1


def test_keys_of_two_workspaces_do_not_meet(sender: Client) -> None:
    other = add_import(WorkspaceFactory.create(), Dataset.TOUCHPOINTS)
    Import.objects.filter(pk=other.pk).update(idempotency_key="k1")
    assert post(sender, TOUCHPOINTS, [ANN], **{"Idempotency-Key": "k1"}).status_code == 202


def test_two_at_the_same_moment_are_one_import(
    sender: Client, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = batches._answered_before
    answers: list[Any] = []

    def look(*arguments: Any) -> Any:
        if not answers:  # the first look finds nothing; before the second one the other request has been answered
            answers.append(looked(*arguments))
            post(sender, TOUCHPOINTS, [ANN], **{"Idempotency-Key": "k1"})
            return None
        return looked(*arguments)

    monkeypatch.setattr(batches, "_answered_before", look)
    second = post(sender, TOUCHPOINTS, [ANN], **{"Idempotency-Key": "k1"})
    assert (second.status_code, second["Idempotent-Replayed"]) == (200, "true")
    assert second.json()["id"] == Import.objects.get().pk
    assert len(kept_files(media_root)) == Job.objects.count() == 1


def test_a_failed_import_gives_its_key_back(sender: Client) -> None:
    first = post(sender, TOUCHPOINTS, [ANN], **{"Idempotency-Key": "k1"}).json()
    sender.delete(first["url"])
    assert sender.get(first["url"]).json()["status"] == "failed"
    second = post(sender, TOUCHPOINTS, [ANN], **{"Idempotency-Key": "k1"})
    assert second.status_code == 202
    assert second.json()["id"] != first["id"]


@pytest.mark.parametrize("key", ["", "k" * 256, "k\u00e9"])
def test_a_key_that_cannot_be_is_refused(sender: Client, key: str) -> None:
    refused = post(sender, TOUCHPOINTS, [ANN], **{"Idempotency-Key": key})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["Idempotency-Key"])


def test_without_a_key_rows_sent_again_are_duplicates(sender: Client) -> None:
    for _ in range(2):
        post(sender, TOUCHPOINTS, [ANN, BOB])
        carry_out()
    newest = sender.get(IMPORTS).json()["results"][0]
    assert (newest["accepted"], newest["duplicates"]) == (0, 2)
    assert Touchpoint.objects.filter(shadowed=False).count() == 2


def test_what_the_plan_does_not_hold_is_refused_at_once(sender: Client, shop: Workspace) -> None:
    Plan.objects.create(code="tiny", name="Tiny", max_rows=1)
    set_plan(workspace=shop, plan="tiny", by=None)
    refused = post(sender, TOUCHPOINTS, [ANN, BOB])
    assert (refused.status_code, refused.json()["code"]) == (403, "quota_exceeded")
    assert not Job.objects.exists()


def test_a_key_does_only_what_its_scopes_say(key_client: Callable[..., Client]) -> None:
    touches, everything, reader = key_client("touchpoints:write"), key_client("data:write"), key_client("data:read")
    runs = key_client("runs:write", "runs:read")
    address = post(touches, TOUCHPOINTS, [ANN]).json()["url"]
    assert post(touches, CONVERSIONS, [ANN]).status_code == 403
    assert post(everything, CONVERSIONS, [{"customer": "ann", "occurred_at": 1780228800}]).status_code == 202
    assert reader.get(address).status_code == 200
    for client in (touches, everything, runs):
        assert [client.get(IMPORTS).status_code, client.get(address).status_code] == [403, 403]
    for client in (touches, reader, runs):
        assert client.delete(address).status_code == 403
    for client in (reader, runs):
        assert post(client, TOUCHPOINTS, [ANN]).json()["code"] == "permission_denied"
    assert reader.get("/api/v1/runs/").status_code == 403


def test_roles_hold_for_browsers(
    shop: Workspace, client_for: ClientFor, viewer: User, analyst: User, outsider: User
) -> None:
    refused = post(client_for(viewer), TOUCHPOINTS, "no JSON even")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert post(client_for(None), TOUCHPOINTS, [ANN]).status_code == 401
    assert post(client_for(outsider), f"{TOUCHPOINTS}?workspace=acme", [ANN]).status_code == 404
    assert post(client_for(analyst), f"{TOUCHPOINTS}?workspace=acme", [ANN]).status_code == 202


def test_imports_of_other_workspaces_do_not_exist(
    shop: Workspace, sender: Client, client_for: ClientFor, outsider: User
) -> None:
    address = post(sender, TOUCHPOINTS, [ANN]).json()["url"]
    client = client_for(outsider)
    for path in (address, f"{IMPORTS}{10**30}/", f"{IMPORTS}0/"):
        assert [client.get(path).status_code, client.delete(path).status_code] == [404, 404]
    assert client.get(IMPORTS).json()["results"] == []
    assert client.get(f"{IMPORTS}abc/").status_code == 404


def test_the_list_has_pages_and_can_be_narrowed(
    shop: Workspace, client_for: ClientFor, viewer: User, django_assert_max_num_queries: Any
) -> None:
    for dataset in ("touchpoints", "spend", "touchpoints", "outcomes"):
        add_import(shop, Dataset(dataset))
    client = client_for(viewer)
    with django_assert_max_num_queries(8):
        first = client.get(f"{IMPORTS}?page_size=3").json()
    assert [batch["dataset"] for batch in first["results"]] == ["outcomes", "touchpoints", "spend"]
    assert len(client.get(first["next"]).json()["results"]) == 1
    assert len(client.get(f"{IMPORTS}?dataset=touchpoints&page_size=1000000000").json()["results"]) == 2
    assert client.get(f"{IMPORTS}?status=undone").json()["results"] == []
    refused = client.get(f"{IMPORTS}?status=gone")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["status"])


def test_taking_an_import_back_is_for_who_sent_it_and_admins(
    shop: Workspace, client_for: ClientFor, viewer: User, analyst: User, admin: User
) -> None:
    mine = post(client_for(analyst), TOUCHPOINTS, [ANN]).json()["url"]
    theirs = post(client_for(admin), TOUCHPOINTS, [BOB]).json()["url"]
    carry_out()
    assert client_for(viewer).delete(mine).status_code == 403
    assert client_for(analyst).delete(theirs).status_code == 403
    for client, address in ((client_for(analyst), mine), (client_for(admin), theirs)):
        assert client.delete(address).status_code == 202
        carry_out()
        assert client.get(address).json()["status"] == "undone"
        assert client.delete(address).status_code == 409
    assert not Touchpoint.objects.filter(batch__status=Import.Status.ACTIVE).exists()


def test_a_failed_import_carries_its_sentence(sender: Client, shop: Workspace) -> None:
    shop.goals.filter(is_default=True).update(is_default=False)
    accepted = post(sender, CONVERSIONS, [{"customer": "ann", "occurred_at": 1780228800}]).json()
    carry_out()
    failed = sender.get(accepted["url"]).json()
    assert (failed["status"], failed["accepted"], failed["error"]["code"]) == ("failed", None, "file_rejected")
    assert "no default goal" in failed["error"]["detail"]
