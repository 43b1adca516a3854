"""The same question gives the same numbers, to the last bit, on the command line, in the API and in the page's CSV."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from analyses.models import Run
from tests.attribution.test_reference_rules import COLUMN_OF_MODEL, REFERENCE, expected
from tests.conftest import ImportRows

MODELS = tuple(COLUMN_OF_MODEL)
Table = Sequence[tuple[str, str, float, float]]


def on_the_command_line(form: str, **params: object) -> str:
    out = StringIO()
    named = [f"--param={name}={value}" for name, value in params.items()]
    call_command(
        "analyse", "attribution", "--workspace=acme", f"--format={form}", *named, stdout=out, stderr=StringIO()
    )
    return out.getvalue()


def rows_of(result: Mapping[str, Any], dimension: str) -> Table:
    return [
        (model, group[dimension], group["conversions"], group["value"])
        for model, credit in result["models"].items()
        for group in credit[f"{dimension}s"]
    ]


def rows_of_csv(text: str, dimension: str) -> Table:
    return [
        (row["model"], row[dimension], float(row["conversions"]), float(row["value"]))
        for row in csv.DictReader(StringIO(text))
    ]


def every_way_out(workspace: Workspace, owner: User, dimension: str, **params: object) -> dict[str, Table]:
    """Ask on the command line; fetch the answer from there, from the API and from the page."""
    _key, token = create_api_key(workspace=workspace, created_by=owner, name="Reader", scopes=["attribution:read"])
    browser = Client()
    browser.force_login(owner)
    answer = json.loads(on_the_command_line("json", dimension=dimension, **params))
    csv_of_command = on_the_command_line("csv", dimension=dimension, **params)
    run = Run.objects.get()  # the second question found the first one's answer
    api = f"/api/v1/runs/{run.pk}/"
    with_key = Client(headers={"Authorization": f"Bearer {token}"}).get(api).json()
    download: Any = browser.get(f"/w/acme/runs/{run.pk}/export.csv")
    return {
        "the command line's JSON": rows_of(answer, dimension),
        "the command line's CSV": rows_of_csv(csv_of_command, dimension),
        "the API with a key": rows_of(with_key["result"], dimension),
        "the API with a session": rows_of(browser.get(api).json()["result"], dimension),
        "the page's CSV": rows_of_csv(download.getvalue().decode(), dimension),
    }


@pytest.mark.parametrize("dimension", ["channel", "campaign"])
def test_every_way_out_carries_the_same_numbers(
    dimension: str, shop: Workspace, owner: User, import_rows: ImportRows
) -> None:
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel,campaign",
        *(f"{n % 7},2026-03-{1 + n % 28:02}T0{n % 10}:00Z,Channel {n % 3},=Sum {n % 4}" for n in range(60)),
    )
    import_rows(
        "conversions",
        "customer,occurred_at,value",
        *(f"{n},2026-03-{20 + n}T12:00Z,{10 / (n + 3):.4f}" for n in range(9)),
    )
    tables = every_way_out(
        shop, owner, dimension, model=",".join(MODELS), window_days=14, start="2026-03-01", end="2026-03-31"
    )
    first = tables["the command line's JSON"]
    assert len(first) == len(MODELS) * (4 if dimension == "channel" else 5)
    if dimension == "campaign":  # in files for spreadsheets, a name that looks like a formula is marked as text
        marked = [(model, f"'{name}" if name.startswith("=") else name, *numbers) for model, name, *numbers in first]
        assert {name: table for name, table in tables.items() if "CSV" in name} == {
            "the command line's CSV": marked,
            "the page's CSV": marked,
        }
        tables = {name: table for name, table in tables.items() if "CSV" not in name}
    assert tables == dict.fromkeys(tables, first)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"The reference data are not in {REFERENCE}.")
def test_every_way_out_equals_the_independent_computation(shop: Workspace, owner: User) -> None:
    import_reference("touchpoints", "synth_touchpoints_100k", customer="user_id", occurred_at="ts")
    import_reference("conversions", "synth_outcomes_100k", customer="user_id", occurred_at="end_ts", value="revenue")
    tables = every_way_out(
        shop, owner, "channel", model=",".join(MODELS), window_days=365, start="2024-01-01", end="2024-06-30"
    )
    for table in tables.values():
        assert table == tables["the command line's JSON"]
        for position, quantity in ((2, "conversions"), (3, "revenue")):
            computed = {model: {row[1]: row[position] for row in table if row[0] == model} for model in MODELS}
            assert computed == {
                model: pytest.approx(reference_column(quantity, model) | {"(none)": 0.0}, abs=1e-6) for model in MODELS
            }
    assert Run.objects.values_list("result__totals", flat=True).get() == {
        "conversions": 19_176,
        "value": pytest.approx(969_256.92, abs=1e-6),
    }


def import_reference(dataset: str, file: str, **mapping: str) -> None:
    call_command(
        "import_data",
        str(Path(REFERENCE) / f"{file}.parquet"),
        "--workspace=acme",
        f"--dataset={dataset}",
        *(f"--map={field}={column}" for field, column in mapping.items()),
        stdout=StringIO(),
    )


def reference_column(quantity: str, model: str) -> dict[str, float]:
    return {channel: row[COLUMN_OF_MODEL[model]] for channel, row in expected(quantity).items()}
