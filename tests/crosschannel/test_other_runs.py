"""What attribution and the media mix model say of a pair's channels, read from their finished runs."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Workspace
from analyses.documents import Figure
from analyses.models import Run
from crosschannel.presentation.pair_page import present_pair
from jobs.models import Job
from marketing.channels import merge_channels, rename_channel
from marketing.models import Channel
from tests.conftest import ImportRows
from tests.crosschannel.conftest import Follow
from tests.crosschannel.shop import journeys
from tests.crosschannel.test_pair_page import A, B, section
from tests.weightings.results import around, finished

BESIDE = "What each channel brings alone"


@pytest.mark.usefixtures("busy_shop")
def test_without_other_analyses_sentences_say_so(follow: Follow) -> None:
    beside = section(present_pair(follow(), A, B), BESIDE)
    assert beside.tables == ()
    assert beside.sentences == (
        "No attribution by channel of Purchase has been computed yet.",
        "There is no media mix model of an outcome in money that has converged.",
    )


@pytest.mark.usefixtures("busy_shop")
def test_the_newest_attribution_of_the_goal_is_shown_with_its_returns(import_rows: ImportRows, follow: Follow) -> None:
    import_rows("spend", "date,channel,spend", "2026-03-05,Email,400", "2026-04-05,Email,100")
    run = follow()
    follow(kind="attribution", model="first", replicates=100)
    newest = follow(kind="attribution", model="last,linear", replicates=100, confidence=90)
    follow(kind="attribution", model="last", dimension="campaign", replicates=100)
    page = present_pair(run, A, B)
    rows = section(page, BESIDE).tables[0].rows
    assert [row.label for row in rows] == ["Last Touch", "Linear"]
    assert {row.href for row in rows} == {f"/w/acme/runs/{newest.pk}/"}
    last = [one.value for one in journeys() if one.converted and one.channels[-1] == A]
    period, credit, returned, _credit_of_b, returned_of_b = rows[0].cells
    assert period.text == "1 Mar – 10 May 2026"
    assert credit.value == pytest.approx(sum(last))
    assert credit.low is not None
    assert credit.low <= sum(last)
    assert returned.value == pytest.approx(sum(last) / 500)
    assert returned_of_b == Figure("–"), "nothing was spent on it"
    assert section(page, BESIDE).tables[0].note.endswith("Intervals: 90% of attribution.")
    follow(kind="attribution", model="last", metric="conversions", replicates=100)
    (row,) = section(present_pair(run, A, B), BESIDE).tables[0].rows
    assert row.cells[1].text == f"{len(last)} conversions"
    import_rows("conversions", "customer,occurred_at", "somebody,2026-03-20T00:00:00Z")
    assert "have changed since the attribution analysis." in section(present_pair(run, A, B), BESIDE).sentences[0]


def media_mix(workspace: Workspace, returns: dict[str, float], **how: Any) -> Run:
    """Keep a finished media mix model in which channels have these returns."""
    run = finished(workspace, **how)
    assert run.result is not None
    channel = run.result["channels"][0]
    run.result["channels"] = [channel | {"channel": name, "roi": around(roi)} for name, roi in returns.items()]
    run.job = Job.objects.create(
        workspace=workspace, kind="analyses.run", status=Job.Status.DONE, finished_at=timezone.now()
    )
    run.fingerprint = f"{run.job.pk:064}"
    run.save()
    return run


@pytest.mark.usefixtures("busy_shop")
def test_the_newest_converged_media_mix_model_is_shown(busy_shop: Workspace, follow: Follow) -> None:
    run = follow()
    kept = media_mix(busy_shop, {A: 2.0, "TV": 9.0})
    media_mix(busy_shop, {A: 5.0, B: 5.0}, converged=False)
    (row,) = section(present_pair(run, A, B), BESIDE).tables[0].rows
    assert row.href == f"/w/acme/runs/{kept.pk}/"
    _period, _credit, roi, _credit_of_b, roi_of_b = row.cells
    assert (roi.text, roi.interval) == ("2.00", "1.40–2.60")
    assert roi_of_b == Figure("–")


@pytest.mark.usefixtures("busy_shop")
def test_former_names_and_merges_are_followed_into_other_analyses(busy_shop: Workspace, follow: Follow) -> None:
    follow(kind="attribution", model="last", replicates=100)
    before = media_mix(busy_shop, {A: 2.0, "Display": 3.0})
    email, display = (Channel.objects.get(workspace=busy_shop, name=name) for name in (A, "Display"))
    rename_channel(channel=email, name="Newsletter", by=None)
    run = follow()
    of_attribution, of_media_mix = section(present_pair(run, "Newsletter", B), BESIDE).tables[0].rows
    credited = sum(one.value for one in journeys() if one.channels[-1] == A)
    assert of_attribution.cells[1].value == pytest.approx(credited)
    assert of_media_mix.cells[2].value == 2.0
    merge_channels(source=display, target=email, by=None)
    of_attribution, of_media_mix = section(present_pair(run, "Newsletter", B), BESIDE).tables[0].rows
    credited += sum(one.value for one in journeys() if one.channels[-1] == "Display")
    assert of_attribution.cells[1].value == pytest.approx(credited)
    assert of_attribution.cells[1].low is None, "the interval of a sum is not known"
    assert of_media_mix.cells[2] == Figure("–"), "nor is the return of two channels together"
    assert before.result is not None
