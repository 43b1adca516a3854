"""What people wait for in a browser: *Calculate weightings* on the demo, and the planner's outcome after a slider.

The product serves itself (`manage.py serve`: web server, worker and scheduler) on a scratch database, and Chromium
drives it. *Calculate*: from the click to the result on the page, with the default settings; first with nothing compiled
yet, and then once more with another seed. *Slider*: from the key that moves it to the moment when what the plan brings
has changed on the page; 12 channels, 104 weeks, 2,000 draws, the total kept, so that all other channels move as well.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.harness import PEAK, ROOT, Database, Measurement, run_step, scratch, serve_step

CHANNELS, WEEKS, DRAWS = 12, 104, 2000
MOVES, OPENING_MOVES = 120, 5
CALCULATE_SECONDS, SLIDER_MS = 40, 500
EMAIL, SLUG = "bench@example.com", "bench"
# Presses a key on a slider, and waits until the answer is there and drawn.
MOVED = """async ([place, key]) => {
  const slider = document.querySelector(`.planner-row[data-place="${place}"] [type=range]`);
  const section = document.querySelector("budget-planner");
  const before = document.querySelector("#plan").dataset.values;
  const began = performance.now();
  const changed = new Promise((done) => {
    const watch = new MutationObserver(() => {
      if (document.querySelector("#plan").dataset.values === before) return;
      watch.disconnect();
      requestAnimationFrame(() => done(performance.now() - began));
    });
    watch.observe(section, { childList: true, subtree: true });
  });
  if (key > 0) slider.stepUp(); else slider.stepDown();
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  slider.dispatchEvent(new Event("change", { bubbles: true }));
  return changed;
}"""


def run(database: Database) -> list[Measurement]:
    if database != "sqlite":
        return []  # what is waited for is computing and drawing
    with scratch(database) as environment:
        calculated = run_step(__name__, "calculate", environment)
        moved = run_step(__name__, "sliders", environment)
    return [
        Measurement(
            "Calculate on the demo, from the click, nothing compiled",
            calculated["cold_s"],
            "s",
            at_most=CALCULATE_SECONDS,
        ),
        Measurement(
            "Calculate on the demo, from the click, compiled before",
            calculated["warm_s"],
            "s",
            at_most=CALCULATE_SECONDS,
        ),
        Measurement(f"slider to outcome, {CHANNELS} channels, median", moved["median_ms"], "ms"),
        Measurement(f"slider to outcome, {CHANNELS} channels, p95", moved["p95_ms"], "ms", at_most=SLIDER_MS),
        Measurement("Recommend, from the click", moved["recommend_s"], "s", at_most=3),
        Measurement("peak memory of building", moved[PEAK], "MiB"),
    ]


def calculate() -> dict[str, float]:
    """Load the demo, and ask for its weightings by the page."""
    from django.core.management import call_command

    _owner()
    call_command("load_demo", workspace=SLUG, verbosity=0)
    found = {}
    with _serving() as base, _page(base) as page:
        _until_idle()  # new data are looked at, and the dashboard's figures computed
        for name, seed in (("cold_s", "0"), ("warm_s", "1")):
            page.goto(f"{base}/w/{SLUG}/weightings/?seed={seed}")
            began = time.perf_counter()
            page.get_by_role("button", name="Calculate weightings").click()
            page.get_by_role("heading", name="Returns by channel").first.wait_for(timeout=600_000)
            found[name] = time.perf_counter() - began
    return found


def sliders() -> dict[str, float]:
    """Keep a run of many channels, and move its sliders."""
    from accounts.models import Workspace
    from tests.weightings.forecasts import some_draws
    from tests.weightings.stored_runs import stored_run
    from tests.weightings.worlds import panel

    _owner()
    rng = np.random.default_rng(7)
    spend = rng.gamma(2, 400, (WEEKS, CHANNELS))
    market = panel(20_000 + spend.sum(axis=1) + rng.normal(0, 500, WEEKS), spend)
    run = stored_run(Workspace.objects.get(slug=SLUG), market, some_draws(market, DRAWS, knots=6), knots=6)
    took = []
    with _serving() as base, _page(base) as page:
        page.goto(f"{base}/w/{SLUG}/weightings/runs/{run.pk}/plan/")
        page.wait_for_load_state("networkidle")
        for move in range(OPENING_MOVES + MOVES):
            took.append(page.evaluate(MOVED, [move % CHANNELS, 1 if (move // CHANNELS) % 2 == 0 else -1]))
            page.wait_for_load_state("networkidle")
        began = time.perf_counter()
        page.get_by_role("button", name="Recommend").click()
        page.get_by_role("heading", name="Why this budget").wait_for()
        recommended = time.perf_counter() - began
    median, p95 = np.quantile(took[OPENING_MOVES:], (0.5, 0.95))
    return {"median_ms": float(median), "p95_ms": float(p95), "recommend_s": recommended}


def _owner() -> None:
    from accounts.actions import create_workspace
    from accounts.models import User, Workspace

    if not Workspace.objects.filter(slug=SLUG).exists():
        owner = User.objects.create_user(EMAIL, "a long enough password")
        create_workspace(name="Bench", slug=SLUG, owner=owner)


def _until_idle() -> None:
    from jobs.models import Job

    for _try in range(6000):
        if not Job.objects.exclude(status__in=Job.ENDED).exists():
            return
        time.sleep(0.1)
    raise RuntimeError("The worker did not finish within ten minutes.")


@contextmanager
def _serving() -> Iterator[str]:
    """The product on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _try in range(600):
        if process.poll() is not None:
            raise RuntimeError("The server ended before it answered.")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The server did not answer within a minute.")


@contextmanager
def _page(base: str) -> Iterator[Any]:
    """A window of Chromium in which the owner is signed in."""
    from django.conf import settings
    from django.test import Client
    from playwright.sync_api import sync_playwright

    from accounts.models import User

    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{**cookie, "url": base}])  # type: ignore[typeddict-item]
        yield context.new_page()
        browser.close()


if __name__ == "__main__":
    serve_step({"calculate": calculate, "sliders": sliders})
