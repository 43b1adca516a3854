"""The dashboard in the API: the numbers of the page, of the state that is asked for and of no other."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from attribution.custom.custom_models import create as create_custom_model
from attribution.methods.custom_definition import parse
from tests.api.conftest import WithKey
from tests.conftest import ImportRows
from tests.reports.api.conftest import READ, V1, ClientFor, refused

DASHBOARD = f"{V1}dashboard/"
MARCH = "start=2026-03-01&end=2026-03-31&model=last"
PAGE = f"/w/acme/dashboard/export.json?{MARCH}"


@pytest.fixture
def reader(with_key: WithKey) -> Client:
    return with_key(READ)


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize(
    ("asked", "page"),
    [
        (MARCH, MARCH),
        (f"{MARCH}&compare=none&goal=lead", f"{MARCH}&compare=none&goal=lead"),
        (f"{MARCH}&match_weekday=true", f"{MARCH}&match_weekday=1"),
        (f"{MARCH}&match_weekday=false", MARCH),
        ("period=last_60&model=linear&compare=year", "period=last_60&model=linear&compare=year"),
        ("", ""),
    ],
)
def test_it_is_what_the_page_downloads(
    reader: Client, client_for: ClientFor, viewer: User, asked: str, page: str
) -> None:
    of_page = client_for(viewer).get(f"/w/acme/dashboard/export.json?{page}").json()
    answer = reader.get(f"{DASHBOARD}?{asked}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == of_page
    assert of_page["channels"]
    if page == MARCH:
        assert of_page["total"] == {"conversions": 3.0, "revenue": 450.0, "spend": 180.0, "roas": 2.5}


@pytest.mark.usefixtures("figures")
def test_fields_leave_out_the_rest(reader: Client) -> None:
    assert set(reader.get(f"{DASHBOARD}?{MARCH}&fields=total,model").json()) == {"total", "model"}
    assert refused(reader.get(f"{DASHBOARD}?{MARCH}&fields=totals")) == ["fields"]


@pytest.mark.usefixtures("figures")
def test_as_csv_it_is_the_file_of_the_page(reader: Client, client_for: ClientFor, viewer: User) -> None:
    answer = reader.get(f"{DASHBOARD}?{MARCH}", headers={"Accept": "text/csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    content = answer.getvalue()
    assert content == client_for(viewer).get(f"/w/acme/dashboard/export.csv?{MARCH}").getvalue()
    total = next(row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"))) if row["level"] == "total")
    assert float(total["revenue"]) == 450


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("form", ["csv", "json", "xlsx", "pdf", "pptx"])
def test_files_are_those_of_the_page_whatever_is_accepted(
    reader: Client, client_for: ClientFor, viewer: User, form: str
) -> None:
    of_page = client_for(viewer).get(f"/w/acme/dashboard/export.{form}?{MARCH}&paper=letter")
    answer = reader.get(f"{DASHBOARD}exports/{form}/?{MARCH}&paper=letter", headers={"Accept": "application/pdf"})
    assert answer.status_code == 200
    for header in ("Content-Type", "Content-Disposition"):
        assert answer[header] == of_page[header]
    assert answer["Cache-Control"] == "private, no-store"
    if form in ("csv", "json"):
        assert b"".join(answer) == b"".join(of_page)
    else:
        assert len(b"".join(answer)) > 1000


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("period=last_31", ["period"]),
        ("period=last_30&start=2026-03-01&end=2026-03-31", ["period"]),
        ("start=2026-03-01", ["period"]),
        ("start=2026-03-31&end=2026-03-01", ["period"]),
        ("start=1999-01-01&end=1999-02-01", ["period"]),
        ("start=2000-01-01&end=2026-03-31", ["period"]),
        ("start=yesterday&end=2026-03-31", ["start"]),
        ("compare=moon", ["compare"]),
        ("match_weekday=perhaps", ["match_weekday"]),
        ("model=sorcery", ["model"]),
        ("model=data_driven", ["model"]),
        ("goal=Fame", ["goal"]),
        ("goal=Fame&model=sorcery", ["goal", "model"]),
        ("goal=", ["goal"]),
        ("goal=%00", ["goal"]),
        ("window_days=7", ["window_days"]),
    ],
)
def test_what_there_is_not_is_refused_and_nothing_stands_in_for_it(
    reader: Client, query: str, fields: list[str]
) -> None:
    for address in (DASHBOARD, f"{DASHBOARD}exports/json/"):
        answer = reader.get(f"{address}?{query}")
        assert sorted(refused(answer)) == sorted(fields)
        assert "Shown is" not in answer.content.decode()


@pytest.mark.usefixtures("shop")
def test_there_is_no_other_format_and_no_other_paper(reader: Client) -> None:
    assert reader.get(f"{DASHBOARD}exports/docx/?{MARCH}").status_code == 404
    assert refused(reader.get(f"{DASHBOARD}exports/pdf/?{MARCH}&paper=a3")) == ["paper"]


@pytest.mark.parametrize("path", ["", "exports/csv/"])
def test_before_there_are_figures_it_says_so(
    reader: Client, shop: Workspace, import_rows: ImportRows, path: str
) -> None:
    def not_ready() -> str:
        answer = reader.get(f"{DASHBOARD}{path}")
        assert refused(answer, 409) == []
        assert answer.json()["code"] == "not_ready"
        return str(answer.json()["detail"])

    assert not_ready() == "There are no figures yet: import conversions and spend first."
    assert refused(reader.get(f"{DASHBOARD}{path}?goal=Fame")) == ["goal"]
    import_rows("spend", "date,channel,spend", "2026-03-01,Search,60")
    assert not_ready() == "The first figures are being computed. Ask again in a minute."


@pytest.mark.usefixtures("figures")
def test_a_model_that_is_still_to_be_computed_is_not_shown_as_another(
    reader: Client, shop: Workspace, owner: User
) -> None:
    model = create_custom_model(workspace=shop, name="Ours", definition=parse({"channels": {"Email": 2}}), by=owner)
    answer = reader.get(f"{DASHBOARD}?model=custom:{model.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
    assert reader.get(DASHBOARD).status_code == 200


@pytest.mark.usefixtures("shop")
def test_it_takes_the_scope_and_a_member(with_key: WithKey, client_for: ClientFor, outsider: User) -> None:
    other: Any = with_key("runs:read", "reports:write")
    for path in ("", "exports/csv/"):
        assert refused(other.get(f"{DASHBOARD}{path}"), 403) == []
        assert client_for(None).get(f"{DASHBOARD}{path}").status_code == 401
        assert client_for(outsider).get(f"{DASHBOARD}{path}?workspace=acme").status_code == 404
