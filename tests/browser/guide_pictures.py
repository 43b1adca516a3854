"""The pictures of the user guide: `make screenshots` takes them of the demo data into docs/guide/images.

Not collected with the tests. The demo world, the clock and every seed are fixed, so that a picture changes only with
what it shows. Each is a part of a light page that is 1440 pixels wide, as WebP without loss; the diagram of journeys,
whose ribbons have thousands of colours, with hardly any.
"""

import datetime as dt
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from attribution.cube.daily_cube import refresh_cube
from attribution.custom import custom_models
from attribution.methods.custom_definition import parse as parse_custom_model
from jobs.actions import submit
from jobs.execution import execute
from marketing.health.reports import JOB_KIND as LOOK_AT_DATA
from marketing.importing import uploads
from marketing.importing.demo import request_demo
from marketing.models import Channel, Import, Upload
from marketing.periods import yesterday
from marketing.segments.definition import parse as parse_segment
from marketing.segments.saved import create_segment
from reports.alerts.actions import Settings as AlertSettings
from reports.alerts.actions import create_alert
from reports.builder import actions as reports
from reports.models import Edition
from tests.browser.conftest import carry_session, window
from tests.browser.watching import settle

IMAGES = Path(django_settings.BASE_DIR) / "docs/guide/images"
NOW = dt.datetime(2026, 7, 1, 8, tzinfo=dt.UTC)  # the demo data end on the last day of docs/demo-world.md
MARGIN, MOST_BYTES = 10, 150_000
WITH_HARDLY_ANY_LOSS = 90
CHART = ".document-charts > .card"
# What sticks to the lower edge of the window would lie over the page.
LAY_DOWN = """() => document.querySelectorAll(".form-actions").forEach((bar) => { bar.style.position = "static"; })"""


@dataclass(frozen=True)
class Picture:
    """`path`: of the page, below the workspace. `parts`: selectors of what is shown, from the top; `height`: of it."""

    path: str
    parts: tuple[str, ...] = ("main",)
    height: int = 900


@pytest.fixture
def frozen() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def shop(frozen: None, transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    """The demo retailer, with everything analysed that the guide shows."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.CSRF_COOKIE_AGE = None  # the browser has a clock of its own, by which the cookie may be out of date
    owner = User.objects.create_user("owner@example.com")
    workspace = create_workspace(
        name="Harbour & Finch", slug="shop", owner=owner, currency="EUR", timezone="Europe/Berlin", plan="professional"
    )
    last_day = yesterday(now=NOW, zone=workspace.zone)
    for batch in request_demo(workspace=workspace, end=last_day, by=owner, ring=False):
        execute(job_id=batch.job_id)
    execute(job_id=submit(workspace=workspace, kind=LOOK_AT_DATA, ring=False).pk)
    return workspace


def test_take_the_pictures_of_the_guide(live_server: LiveServer, browser: Browser, shop: Workspace) -> None:
    pictures = _pictures(shop, shop.memberships.get().user)
    shutil.rmtree(IMAGES, ignore_errors=True)  # no picture that nobody takes any more
    IMAGES.mkdir()
    client = Client()
    client.force_login(shop.memberships.get().user)
    with window(browser, ("light", 1440)) as page:
        page.emulate_media(reduced_motion="reduce")
        carry_session(client, page, live_server)
        for name, picture in pictures.items():
            page.goto(f"{live_server.url}/w/shop/{picture.path}")
            page.wait_for_load_state("networkidle")  # previews come on their own
            settle(page)
            page.evaluate(LAY_DOWN)
            _keep(name, page.screenshot(full_page=True, clip=_area(page, picture)))


def _pictures(shop: Workspace, owner: User) -> dict[str, Picture]:
    """Have everything analysed that is shown; return the name of each picture -> what it is of."""

    def ask(kind: str, **params: object) -> Run:
        run = request_run(workspace=shop, kind=kind, params=params, by=owner, trigger=Run.Trigger.PAGE, ring=False)
        execute(job_id=run.job_id)
        return run

    custom_model = _custom_model(shop, owner)
    execute(job_id=refresh_cube(workspace=shop, ring=False).job_id)  # with that model: what is on its way is waited for
    attribution = ask("attribution", model=["last", "first", "data_driven"])
    ask("attribution", model=["data_driven"])  # what the dashboard's evidence reads
    weightings, across = ask("weightings"), ask("crosschannel")
    forecast = ask("forecast", model_run=str(weightings.pk), periods=13)
    planner = f"weightings/runs/{weightings.pk}/plan/?horizon=13&action=recommend&objective=mean&goal=total&total=fixed"
    return {
        "dashboard": Picture("dashboard/", height=800),
        "evidence": Picture("dashboard/", (_in("Evidence", CHART),), height=838),
        "attribution": Picture(f"runs/{attribution.pk}/", (_in("Models side by side", CHART),)),
        "custom-model": Picture(f"attribution/models/{custom_model}/", (".custom-editor",), height=840),
        "weightings-returns": Picture(f"runs/{weightings.pk}/", (_in("Returns by channel", CHART),)),
        "weightings-budget": Picture(f"runs/{weightings.pk}/", (_in("Recommended budget", CHART),)),
        "planner": Picture(planner, (".planner",), height=820),
        "forecast": Picture(f"runs/{forecast.pk}/", (".cards", f"{_in('What to expect', CHART)} >> nth=0")),
        "crosschannel": Picture(f"runs/{across.pk}/", (_in("Flows of journeys", CHART),)),
        "heatmap": Picture(f"runs/{across.pk}/", (_in("All pairs at once", CHART),)),
        "import-check": Picture(f"data/uploads/{_checked_upload(shop, owner)}/check/", height=900),
        "data-health": Picture("data/health/", height=1000),
        "segment": Picture(f"data/segments/{_segment(shop, owner)}/", ("#segment-editor",)),
        "report": Picture(f"editions/{_edition(shop, owner)}/", height=860),
        "schedule": Picture("settings/schedules/new/", ('.setting-group:has(h2:text-is("When"))',)),
        "alert": Picture(f"settings/alerts/{_alert(shop)}/", (".card:has(> #past-title)",)),
    }


def _in(section: str, part: str) -> str:
    """Return the selector of a part of the section of a document that has this title."""
    return f'.document-section:has(> h2:text-is("{section}")) {part}'


def _custom_model(shop: Workspace, owner: User) -> int:
    definition = {
        "position": {"first": 50, "middle": 30, "last": 20},
        "half_life_days": 14,
        "channel_types": {"owned": 0.5},
        "rules": [{"when": {"channel": ["Display"], "interaction": ["impression"]}, "factor": 0.2}],
    }
    model = custom_models.create(
        workspace=shop, name="First matters, views hardly", definition=parse_custom_model(definition), by=owner
    )
    return model.pk


def _segment(shop: Workspace, owner: User) -> int:
    conditions = [{"type": "customer", "is": "new"}, {"type": "channels", "any_of": ["Paid Social", "Paid Video"]}]
    definition = parse_segment({"match": "all", "conditions": conditions})
    return create_segment(
        workspace=shop, name="New customers from social and video", definition=definition, by=owner
    ).pk


def _checked_upload(shop: Workspace, owner: User) -> int:
    """Upload 100 days of spend, of which three rows cannot be right, and have them checked."""
    days = [dt.date(2026, 3, 1) + dt.timedelta(number) for number in range(100)]
    rows = [f"{day},Podcast,{120 + number % 7 * 15}.00,Spring" for number, day in enumerate(days)]
    rows[11] = "2026-02-30,Podcast,120.00,Spring"
    rows[40] = "2026-04-10,Podcast,-60.00,Spring"
    rows[77] = "2026-05-17,,90.00,Spring"
    file = io.BytesIO("\n".join(["Day,Channel,Cost,Campaign", *rows]).encode())
    upload: Upload = uploads.start_upload(
        workspace=shop, file=file, file_name="podcast-spend.csv", by=owner, origin=Import.Origin.PAGE
    )
    execute(job_id=uploads.request_check(upload=upload, ring=False).pk)
    return upload.pk


def _edition(shop: Workspace, owner: User) -> str:
    report = reports.create(workspace=shop, name="Monthly marketing review", template="monthly_review", by=owner)
    edition: Edition = reports.preview(report=report, by=owner, ring=False)
    for run_id in (block["run"] for block in edition.definition["blocks"] if block["run"]):
        run = Run.objects.select_related("job").get(pk=run_id)
        if not run.job.finished:
            execute(job_id=run.job_id)
    execute(job_id=edition.job_id)
    return str(edition.pk)


def _alert(shop: Workspace) -> str:
    channel = Channel.objects.get(workspace=shop, name="Paid Social")
    wanted = AlertSettings(
        name="Spend on Paid Social",
        metric="spend",
        condition="anomaly",
        channel=channel,
        recipients=["marketing@example.com"],
    )
    return str(create_alert(workspace=shop, settings=wanted, by=shop.memberships.get()).pk)


def _area(page: Page, picture: Picture) -> FloatRect:
    """Return the rectangle around the parts, with a margin, no higher than the picture is to be."""
    boxes = [box for part in picture.parts if (box := page.locator(part).bounding_box())]
    assert len(boxes) == len(picture.parts), f"{picture.path} has not all of {picture.parts}"
    left, top = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
    right, bottom = max(box["x"] + box["width"] for box in boxes), max(box["y"] + box["height"] for box in boxes)
    margin = 0 if picture.parts == ("main",) else MARGIN
    return {
        "x": left - margin,
        "y": top - margin,
        "width": right - left + 2 * margin,
        "height": min(bottom - top + 2 * margin, picture.height),
    }


def _keep(name: str, screenshot: bytes) -> None:
    """Write the picture. Raises AssertionError for one that is too large for a page."""
    picture, file = Image.open(io.BytesIO(screenshot)).convert("RGB"), IMAGES / f"{name}.webp"
    picture.save(file, lossless=True, quality=100, method=6)
    if file.stat().st_size > MOST_BYTES:
        picture.save(file, quality=WITH_HARDLY_ANY_LOSS, method=6)
    assert file.stat().st_size <= MOST_BYTES, f"{file.name} has {file.stat().st_size:,} bytes; show less of the page."
