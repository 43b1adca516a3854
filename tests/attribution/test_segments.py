"""Attribution of a segment: fewer conversions, all of them credited, and what runs keep of the segment."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.presenters import present_run
from analyses.runs import _fingerprint, request_run
from analyses.segments import uses_of_segments
from attribution.analysis import KIND, easier
from attribution.params import clean
from attribution.presentation import presenters
from attribution.presentation.document import document
from attribution.presentation.presenters import Credit
from jobs.execution import execute
from marketing.models import SavedSegment
from marketing.segments.definition import parse
from marketing.segments.saved import change_segment, create_segment
from tests.attribution.conftest import Attribute
from tests.attribution.results import PARAMS
from tests.attribution.test_analysis import CONVERSIONS, TOUCHES
from tests.conftest import ImportRows

BY_MAIL: dict[str, Any] = {"conditions": [{"type": "channels", "any_of": ["Email"]}]}
ALL_MODELS = "last,first,linear,time_decay,position,last_non_direct"


@pytest.fixture
def journeys(shop: Workspace, import_rows: ImportRows) -> Workspace:
    """Anna (100) and Emil (200) met Email; Ben (50), Dora (20) and Cleo (30, without a touch) did not."""
    import_rows("touchpoints", *TOUCHES)
    import_rows("conversions", *CONVERSIONS)
    return shop


@pytest.fixture
def by_mail(journeys: Workspace) -> SavedSegment:
    return create_segment(workspace=journeys, name="By mail", definition=parse(BY_MAIL), by=None)


def credit(run: Run, model: str) -> dict[str, tuple[float, float]]:
    assert run.result is not None, run.job.error
    groups = run.result["models"][model]["channels"]
    return {group["channel"]: (group["conversions"], group["value"]) for group in groups}


def test_only_the_conversions_of_the_segment_are_credited(by_mail: SavedSegment, attribute: Attribute) -> None:
    run = attribute(model="last,first", segment="By mail")
    assert credit(run, "last") == {"Email": (1, 200), "Direct": (1, 100), "Display": (0, 0), "(none)": (0, 0)}
    assert credit(run, "first") == {"Email": (1, 100), "Direct": (0, 0), "Display": (1, 200), "(none)": (0, 0)}
    assert run.result is not None
    assert run.result["totals"] == {"conversions": 2, "value": 300}
    assert run.result["all_customers"] == {"conversions": 5, "value": 400}
    assert run.result["reconciliation"]["ok"]


def test_a_segment_and_its_complement_add_up_to_all_customers(by_mail: SavedSegment, attribute: Attribute) -> None:
    others = {"name": "Not by mail", **parse(BY_MAIL).complement().as_json()}
    whole, one, other = (
        attribute(model=ALL_MODELS, **segment) for segment in ({}, {"segment": "By mail"}, {"segment": others})
    )
    for model in ALL_MODELS.split(","):
        parts = credit(one, model), credit(other, model)
        for channel, amounts in credit(whole, model).items():
            for place, amount in enumerate(amounts):
                assert sum(part.get(channel, (0, 0))[place] for part in parts) == pytest.approx(amount, abs=1e-9)


def test_a_segment_of_attributes_and_newness_reads_what_it_needs(
    shop: Workspace, import_rows: ImportRows, attribute: Attribute
) -> None:
    rows = ("anna,2026-03-01T10:00Z,Email,Loyal", "ben,2026-03-01T10:00Z,Email,Fresh")
    import_rows("touchpoints", "customer,occurred_at,channel,segment", *rows)
    orders = ("anna,2025-01-01T10:00Z,7", "anna,2026-03-02T10:00Z,100", "ben,2026-03-02T10:00Z,50")
    import_rows("conversions", "customer,occurred_at,value", *orders)
    loyal = attribute(model="last", segment={"conditions": [{"type": "attribute", "any_of": ["loyal"]}]})
    assert credit(loyal, "last") == {"Email": (1, 100), "(none)": (0, 0)}
    new = attribute(model="last", segment={"conditions": [{"type": "customer", "is": "new"}]})
    assert credit(new, "last") == {"Email": (1, 50), "(none)": (0, 0)}


def test_an_empty_segment_is_a_failure_that_says_so(journeys: Workspace, attribute: Attribute) -> None:
    rich = {"name": "The rich", "conditions": [{"type": "value", "at_least": 1000}]}
    run = attribute(segment=rich)
    assert run.job.error == (
        "None of the 5 Purchase conversions from 1–31 Mar 2026 is in the segment “The rich” (Value of 1,000 or more). "
        "Choose a longer period or another segment."
    )
    assert run.job.error_code == "no_conversions"
    assert ("All customers instead of a segment", clean(journeys, {"start": "2026-03-01", "end": "2026-03-31"})) in (
        easier(run.params)
    )


def test_a_later_change_of_the_segment_leaves_its_runs_as_they_were(
    by_mail: SavedSegment, attribute: Attribute
) -> None:
    first = attribute(model="last", segment="By mail")
    meaning = parse({"conditions": [{"type": "touches", "at_least": 3}]})
    change_segment(segment=by_mail, name="By mail", definition=meaning, by=None)
    second = attribute(model="last", segment="By mail")
    assert first.pk != second.pk
    assert credit(second, "last") == {"Direct": (1, 100), "(none)": (0, 0)}
    again = attribute(**{**first.params, "model": "last"})
    assert again.pk == first.pk
    assert [fact for fact in present_run(first).facts if fact[0].startswith("Segment")] == [
        ("Segment", "By mail"),
        ("Segment means", "Channels touched include Email"),
    ]


def test_the_same_segment_is_the_same_question(by_mail: SavedSegment, attribute: Attribute) -> None:
    by_name, by_id = attribute(segment="by MAIL"), attribute(segment=by_mail.pk)
    assert by_name.pk == by_id.pk
    assert attribute().pk != by_name.pk


def test_questions_about_all_customers_say_nothing_of_segments(shop: Workspace) -> None:
    params = clean(shop, PARAMS)
    assert params == PARAMS | {"confidence": 95, "replicates": 1000, "seed": 0}
    # sha256 of ["attribution", "3", these, "ddd..."] as canonical JSON, worked out elsewhere.
    expected = "03edf531911865b76c191a27dc58d55deed69c0e969a6b2dd72f033973b1e4df"
    assert _fingerprint(KIND, params, "d" * 64) == expected


def test_runs_like_it_are_those_of_the_same_segment(by_mail: SavedSegment, attribute: Attribute) -> None:
    everybody, mail = attribute(model="last"), attribute(model="last", segment="By mail")
    other_days = attribute(model="last", segment="By mail", start="2026-03-02")
    assert {row.run.pk for row in present_run(everybody).similar} == {everybody.pk}
    assert {row.run.pk for row in present_run(mail).similar} == {mail.pk, other_days.pk}


def test_the_use_of_segments_is_counted(by_mail: SavedSegment, attribute: Attribute) -> None:
    assert uses_of_segments(by_mail.workspace) == {}
    attribute(segment="By mail")
    attribute(segment="By mail", model="first")
    attribute(model="first")
    attribute(segment={"conditions": BY_MAIL["conditions"]})
    assert uses_of_segments(by_mail.workspace) == {by_mail.pk: 2}


def test_the_result_says_which_share_of_all_it_is(by_mail: SavedSegment, attribute: Attribute) -> None:
    run = attribute(model="last", segment="By mail")
    result = document(run)
    conversions, revenue, _untouched = result.cards
    assert (conversions.figure.text, conversions.change) == ("2", "40.0% of all 5")
    assert (revenue.figure.text, revenue.change) == ("€300", "75.0% of all €400")
    [numbers] = [section for section in result.sections if section.title == "In numbers"]
    note = numbers.tables[0].note
    assert "Credit adds up under every model: 2 conversions and €300.00" in note
    assert "the segment “By mail”: 40.0% of all 5 conversions and 75.0% of all €400 in value." in note
    assert result.notes[-1] == "The pages of channels and campaigns, and the dashboard, show all customers."
    assert result.subtitle.endswith("by channel · Segment: By mail")
    assert ("Segment", "By mail") in result.facts


def test_a_result_of_all_customers_says_nothing_of_shares(journeys: Workspace, attribute: Attribute) -> None:
    run = attribute(model="last")
    assert {card.change for card in document(run).cards} == {""}
    assert presenters.of_all_customers(Credit(run)) == ""
    assert run.result is not None
    assert "all_customers" not in run.result


def test_the_command_line_takes_a_segment(by_mail: SavedSegment) -> None:
    out = StringIO()
    period = ("start=2026-03-01", "end=2026-03-31")
    arguments = ("attribution", "--workspace", "acme", "--param", "model=last", *period)
    call_command("analyse", *arguments, "segment=By mail", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue())["totals"] == {"conversions": 2, "value": 300}
    with pytest.raises(CommandError, match="no segment “By post”"):
        call_command("analyse", *arguments, "segment=By post", stderr=StringIO())


def test_the_api_takes_a_name_or_a_definition(by_mail: SavedSegment, owner: User) -> None:
    scopes = ["attribution:read", "attribution:write"]
    _key, text = create_api_key(workspace=by_mail.workspace, created_by=owner, name="A program", scopes=scopes)
    client = Client(headers={"Authorization": f"Bearer {text}"})

    def ask(segment: object) -> Any:
        body = {"kind": "attribution", "params": {"segment": segment}}
        return client.post("/api/v1/runs/", body, content_type="application/json")

    named = ask("By mail")
    assert named.status_code == 202
    assert named.json()["params"]["segment"] == {"id": by_mail.pk, "name": "By mail", **parse(BY_MAIL).as_json()}
    assert ask({"name": "By mail", **BY_MAIL}).json()["params"]["segment"] == {
        "name": "By mail",
        **parse(BY_MAIL).as_json(),
    }
    refused = ask({"conditions": [{"type": "touches", "at_least": "two"}]})
    assert refused.status_code == 400
    assert refused.json()["errors"] == {"segment.conditions[0].at_least": ["Give a number of zero or more."]}


def test_the_form_offers_the_segments_that_are_in_use(by_mail: SavedSegment, client_for: Any, analyst: User) -> None:
    client = client_for(analyst)
    page = client.get("/w/acme/attribution/")
    assert page.context["form"].fields["segment"].choices == [("", "All customers"), ("By mail", "By mail")]
    question = {"model": "last", "metric": "revenue", "window": "30", "period": "last_90", "dimension": "channel"}
    client.post("/w/acme/attribution/", question | {"segment": "By mail"})
    assert Run.objects.get().params["segment"]["name"] == "By mail"
    refused = client.post("/w/acme/attribution/", question | {"segment": "By post"})
    assert refused.status_code == 422
    assert "Select a valid choice. By post" in refused.text


def test_an_address_names_the_segment(by_mail: SavedSegment, client_for: Any, viewer: User, analyst: User) -> None:
    client = client_for(analyst)
    form = client.get("/w/acme/attribution/?segment=by+mail&model=first").context["form"]
    assert (form.initial["segment"], form.initial["model"]) == ("By mail", "first")
    gone = client.get("/w/acme/attribution/?segment=Gone&model=first")
    assert "Segment: There is no segment “Gone” in this workspace." in gone.text
    assert (gone.context["form"].initial["segment"], gone.context["form"].initial["model"]) == ("", "first")


def test_changing_the_question_of_a_run_keeps_the_segment_that_it_had(
    by_mail: SavedSegment, attribute: Attribute, client_for: Any, analyst: User
) -> None:
    run = attribute(segment="By mail")
    client = client_for(analyst)
    assert client.get(present_run(run).ask_url).context["form"].initial["segment"] == "By mail"
    meaning = parse({"conditions": [{"type": "touches", "at_least": 3}]})
    change_segment(segment=by_mail, name="By mail", definition=meaning, by=None)
    form = client.get(present_run(run).ask_url).context["form"]
    assert [label for _, label in form.fields["segment"].choices] == [
        "All customers",
        "By mail",
        "By mail (as asked before)",
    ]
    question = {
        name: form.initial[name] for name in ("model", "metric", "window", "period", "start", "end", "dimension")
    }
    client.post("/w/acme/attribution/", question | {"segment": form.initial["segment"]})
    assert Run.objects.get().pk == run.pk  # the very same question


def test_a_run_is_asked_again_with_its_segment(
    by_mail: SavedSegment, attribute: Attribute, import_rows: ImportRows, client_for: Any, analyst: User
) -> None:
    run = attribute(model="last", segment="By mail")
    import_rows("conversions", "customer,occurred_at,value", "emil,2026-03-11T00:00Z,1")
    client_for(analyst).post(f"/w/acme/runs/{run.pk}/retry/")
    newer = Run.objects.exclude(pk=run.pk).get()
    execute(job_id=newer.job_id)
    newer.refresh_from_db()
    assert newer.params == run.params
    assert newer.result is not None
    assert newer.result["totals"] == {"conversions": 3, "value": 301}


def test_a_segment_with_its_id_in_another_workspace_is_refused(by_mail: SavedSegment, outsider: User) -> None:
    elsewhere = outsider.workspaces.get()
    with pytest.raises(InvalidParams, match="no segment"):
        request_run(
            workspace=elsewhere,
            kind="attribution",
            params={"segment": by_mail.pk},
            by=outsider,
            trigger=Run.Trigger.API,
            ring=False,
        )
