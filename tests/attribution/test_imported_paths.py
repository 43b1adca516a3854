"""Attribution of paths that were imported: the page that asks for it, what is refused, and what its run shows."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.test import Client

from accounts.models import Plan, Subscription, User, Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from attribution.params import clean
from attribution.presentation.document import document
from attribution.presentation.presenters import settings
from marketing.channels import rename_channel
from marketing.importing.undo import undo_imports
from marketing.models import Channel
from tests.attribution.conftest import Attribute
from tests.conftest import ImportRows
from tests.factories import WorkspaceFactory

PAGE = "/w/acme/attribution/"
ANSWERS = {
    "model": "linear",
    "metric": "conversions",
    "window": "30",
    "period": "last_30",
    "dimension": "channel",
    "source": "paths",
}
HEADER = "date,path,conversions,value,null"
ClientFor = Callable[[User | None], Client]


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)):
        yield


def test_a_workspace_that_has_paths_alone_is_asked_about_them(
    client_for: ClientFor, analyst: User, import_rows: ImportRows
) -> None:
    assert "Run analysis</button>" not in client_for(analyst).get(PAGE).text
    import_rows("paths", HEADER, "2026-03-10,Email > Direct,3,30,7")

    text = client_for(analyst).get(PAGE).text

    assert "Run analysis</button>" in text
    assert '<option value="paths" selected>' in text
    assert "<details open>" in text, "what the question is about is in view"


def test_a_workspace_with_conversions_is_asked_about_journeys(
    client_for: ClientFor, analyst: User, import_rows: ImportRows
) -> None:
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-31T00:00Z,100")
    import_rows("paths", HEADER, "2026-03-10,Email > Direct,3,30,7")

    assert '<option value="journeys" selected>' in client_for(analyst).get(PAGE).text
    assert '<option value="paths" selected>' in client_for(analyst).get(f"{PAGE}?data=paths").text


@pytest.mark.parametrize(("day", "is_offered"), [("2026-02-10", True), ("2026-03-03", False), ("", False)])
def test_a_period_before_which_all_paths_begin_is_told_of(
    client_for: ClientFor, analyst: User, import_rows: ImportRows, day: str, is_offered: bool
) -> None:
    import_rows("paths", HEADER, f"{day},Email > Direct,3,30,7")

    text = client_for(analyst).get(f"{PAGE}?period=last_30").text

    assert ("The newest aggregated paths are those of 10 Feb 2026." in text) == is_offered


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"metric": "leads"}, "The metric of aggregated paths is revenue or conversions, not “leads”."),
        ({"view_through": "exclude"}, "Aggregated paths have no kinds of interaction: leave it out."),
        ({"grouping": "granular"}, "Aggregated paths have no sources to group: leave it out."),
        ({"dimension": "channel_type"}, "Aggregated paths are credited by channel alone: choose channel."),
        ({"dimension": "campaign"}, "Aggregated paths are credited by channel alone: choose channel."),
    ],
)
def test_what_paths_do_not_have_is_refused_and_not_passed_over(
    client_for: ClientFor, analyst: User, import_rows: ImportRows, answer: dict[str, str], sentence: str
) -> None:
    import_rows("paths", HEADER, "2026-03-10,Email > Direct,3,30,7")

    response = client_for(analyst).post(PAGE, ANSWERS | answer)

    assert response.status_code == 422
    assert sentence in response.text
    assert not Run.objects.exists()


@pytest.mark.parametrize("data", ["PATHS", " paths "])
def test_the_word_for_paths_is_known_however_it_is_written(shop: Workspace, data: str) -> None:
    cleaned = clean(shop, {"data": data})

    assert (cleaned["data"], cleaned["metric"]) == ("paths", "conversions")
    assert "window_days" not in cleaned
    with pytest.raises(InvalidParams):
        clean(shop, {"data": data, "dimension": "campaign"})


def test_a_run_says_what_it_is_about_and_nothing_that_paths_do_not_have(
    import_rows: ImportRows, attribute: Attribute
) -> None:
    import_rows("paths", HEADER, "2026-03-10,Email > Direct,3,30,7", ",Direct,1,5,2", "2026-02-28,TV,9,9,9")

    run = attribute(data="paths", model=["last", "linear"], replicates=100)

    assert run.result is not None
    assert run.result["totals"] == {"conversions": 4, "value": 35}
    said = dict(settings(run.params))
    assert said["Data"] == "aggregated paths, without customers"
    assert not said.keys() & {"Channel grouping", "View-through", "Segment"}
    shown = str(document(run))
    assert "customers are drawn anew" not in shown
    assert "in the lookback window'" not in shown
    assert "with a touch" not in shown, "an aggregated path has one"
    assert "of conversions under Last Touch." in shown
    assert "paths are drawn anew" in shown


def test_a_run_knows_the_paths_of_its_own_workspace_that_have_not_been_undone(
    shop: Workspace, import_rows: ImportRows, attribute: Attribute
) -> None:
    batch = import_rows("paths", HEADER, "2026-03-10,Email > Direct,3,30,7")
    other = WorkspaceFactory.create()
    import_rows("paths", HEADER, "2026-03-10,Email > Direct,5,50,1", workspace=other)
    ours, theirs = (attribute(workspace=each, data="paths", model=["last"], replicates=100) for each in (shop, other))
    assert [run.result["totals"]["conversions"] for run in (ours, theirs) if run.result] == [3, 5]

    undo_imports(workspace=shop, imports=[batch], by=None)

    after = attribute(data="paths", model=["last"], replicates=100)
    assert after.result is None
    assert after.job.error_code == "no_conversions"


def test_a_period_without_paths_is_told_which_days_there_are(import_rows: ImportRows, attribute: Attribute) -> None:
    assert "Import some on the page Data" in attribute(data="paths", model=["last"]).job.error
    import_rows("paths", HEADER, "2026-02-10,Email > Direct,3,30,7")
    run = attribute(data="paths", model=["last"])
    assert run.job.error_code == "no_conversions"
    assert run.job.error.endswith("The newest are of 10 Feb 2026: choose another period.")


def test_direct_is_passed_over_by_its_former_name_too(
    shop: Workspace, import_rows: ImportRows, attribute: Attribute
) -> None:
    import_rows("paths", HEADER, "2026-03-10,Email > Direct,3,30,7")
    rename_channel(channel=Channel.objects.get(name="Direct"), name="Website", by=None)
    run = attribute(data="paths", model=["last_non_direct"], replicates=100)
    assert run.result is not None
    credited = {row["channel"]: row["conversions"] for row in run.result["models"]["last_non_direct"]["channels"]}
    assert credited["Email"] == 3


def test_data_driven_models_say_what_they_miss_where_no_path_ends_without_conversion(
    shop: Workspace, import_rows: ImportRows, attribute: Attribute
) -> None:
    Subscription.objects.filter(workspace=shop).update(plan=Plan.objects.get(code="professional"))
    missed = "These paths tell of no journey without conversion, so data-driven models cannot learn"
    import_rows("paths", HEADER, "2026-03-10,Email > Direct,3,30,")
    asked = {"workspace": Workspace.objects.get(pk=shop.pk), "data": "paths", "replicates": 100}

    assert missed in " ".join(document(attribute(model=["last", "markov:1", "shapley:simplified"], **asked)).notes)
    assert missed not in " ".join(document(attribute(model=["last", "shapley:simplified"], **asked)).notes)
    import_rows("paths", HEADER, "2026-03-11,Email,3,30,9")
    assert missed not in " ".join(document(attribute(model=["last", "markov:1"], **asked)).notes)


def test_return_on_spend_says_which_days_the_revenue_and_the_spend_are_of(
    import_rows: ImportRows, attribute: Attribute
) -> None:
    import_rows("paths", HEADER, "2026-03-10,Email > Direct,3,30,7", ",Direct,1,5,2")
    import_rows("spend", "date,channel,spend", "2026-03-10,Direct,7")

    shown = str(document(attribute(data="paths", model=["last"], replicates=100)))

    assert "aggregated paths that begin in the period or have no day; the spend is that of its days." in shown
