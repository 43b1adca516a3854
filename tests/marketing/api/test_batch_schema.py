"""How batches are described: by the fields that they are read by, and so that what obeys comes in."""

from typing import Any

import jsonschema
import pytest
from django.test import Client

from api.schema_views import description
from marketing.api.rows.batch_schema import example, row_schema
from marketing.api.rows.kinds import KINDS
from marketing.importing.fields import FIELDS
from marketing.models import Dataset
from tests.marketing.api.conftest import carry_out, results, send

pytestmark = pytest.mark.usefixtures("media_root")


@pytest.mark.parametrize("dataset", KINDS)
def test_the_fields_are_those_that_are_read(dataset: Dataset) -> None:
    schema = row_schema(dataset)
    assert list(schema["properties"]) == [field.name for field in FIELDS[dataset]]
    assert schema["required"] == [field.name for field in FIELDS[dataset] if field.required]
    for field in FIELDS[dataset]:
        kinds = schema["properties"][field.name]["type"]
        assert field.required != ("null" in kinds)


@pytest.mark.parametrize("dataset", KINDS)
def test_the_example_obeys_and_comes_in(program: Client, dataset: Dataset) -> None:
    for row in example(dataset)["rows"]:
        jsonschema.validate(row, row_schema(dataset))
    sent = send(program, "post", f"/{dataset}/?strict=true", example(dataset))
    assert sent.status_code == 202, sent.json()
    carry_out()
    assert len(results(program, f"/{dataset}/")) == 3


@pytest.mark.parametrize(
    ("dataset", "change"),
    [
        ("touchpoints", {"customer": None}),
        ("touchpoints", {"occurred_at": "yesterday"}),
        ("touchpoints", {"interaction": "stare"}),
        ("touchpoints", {"campaign": "x" * 201}),
        ("touchpoints", {"segment": "x" * 101}),
        ("conversions", {"value": -1}),
        ("conversions", {"value": "much"}),
        ("conversions", {"order_id": "x" * 101}),
        ("spend", {"date": "2026-02-30"}),
        ("spend", {"spend": 10**12}),
        ("spend", {"clicks": -1}),
        ("outcomes", {"value": "many"}),
        ("experiments", {"end": "soon"}),
        ("events", {"name": ""}),
        ("paths", {"path": "Email > > TV"}),
    ],
)
def test_what_disobeys_is_rejected(program: Client, dataset: str, change: dict[str, Any]) -> None:
    row = example(Dataset(dataset))["rows"][0] | change
    checker = jsonschema.Draft202012Validator(row_schema(Dataset(dataset)), format_checker=jsonschema.FormatChecker())
    if change not in ({"occurred_at": "yesterday"}, {"path": "Email > > TV"}):  # no checker, and said in words
        assert list(checker.iter_errors(row))
    refused = send(program, "post", f"/{dataset}/", {"rows": [row]})
    assert (refused.status_code, refused.json()["code"]) == (422, "rows_rejected")


@pytest.mark.parametrize("at", [1780000000, 1780000000.0, 1780000000.123, 1780000000123, "1780000000.123456"])
def test_a_time_may_be_a_number_as_a_clock_gives_it(program: Client, at: object) -> None:
    row = {"customer": "ann", "occurred_at": at, "channel": "TV"}
    jsonschema.validate(row, row_schema(Dataset.TOUCHPOINTS))
    assert send(program, "post", "/touchpoints/?strict=true", {"rows": [row]}).status_code == 202
    carry_out()
    (found,) = results(program, "/touchpoints/")
    assert found["occurred_at"].startswith("2026-05-28T20:26:40")


def test_the_longest_texts_come_in(program: Client) -> None:
    row = example(Dataset.TOUCHPOINTS)["rows"][0]
    properties = row_schema(Dataset.TOUCHPOINTS)["properties"]
    for name in ("customer", "source", "medium", "campaign", "segment"):
        row[name] = "x" * properties[name]["maxLength"]
    assert send(program, "post", "/touchpoints/?strict=true", {"rows": [row]}).status_code == 202


def test_each_dataset_is_described_with_both_forms_and_its_key() -> None:
    described = description()
    for dataset in KINDS:
        post = described["paths"][f"/api/v1/{dataset}/"]["post"]
        assert set(post["requestBody"]["content"]) == {"application/json", "application/x-ndjson"}
        assert {each["name"] for each in post["parameters"]} >= {"Idempotency-Key", "strict"}
        assert {"200", "202", "400", "413", "415", "422"} <= set(post["responses"])
        assert list(post["responses"]["422"]["content"]) == ["application/problem+json"]
        listed = described["paths"][f"/api/v1/{dataset}/"]["get"]["responses"]["200"]["content"]
        assert listed["text/csv"]["schema"] == {"type": "string"}
