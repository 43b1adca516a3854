"""What people take away: a million rows of CSV in constant memory, workbooks, and the PDF and slides of a review.

CSV is sent as the web server would send it, piece by piece, and held against `csv.writer` writing the same rows to
nowhere. Its memory is by how much the process grows from the first pieces to the last. The review is the monthly one of
the demo, as the template has it: figures, attribution, cross-channel, and a media mix model that is fitted for it.
"""

import csv
import resource
import time
from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.harness import PEAK, Database, Measurement, run_step, scratch, serve_step

ROWS, MANY_ROWS = 1_000_000, 200_000  # the second: as many as a workbook has at most
BOOK_S, BOOK_MIB = 15.0, 64.0
FIRST_PIECES = 20
GROWTH_MIB, TIMES_AS_LONG = 16.0, 5.0
PDF_S, PDF_MIB, PPTX_S = 6.0, 300.0, 3.0
SLUG, CHANNELS, STEPS = "bench", 12, 4


def run(database: Database) -> list[Measurement]:
    if database != "sqlite":
        return []  # files are made from results, wherever those are kept
    with scratch(database) as environment:
        table = run_step(__name__, "csv_of_a_document", environment)
        journeys = run_step(__name__, "csv_of_journeys", environment)
        book = run_step(__name__, "workbook", environment)
        run_step(__name__, "demo", environment)
        pdf = run_step(__name__, "pdf", environment)
        pptx = run_step(__name__, "pptx", environment)
        xlsx = run_step(__name__, "xlsx", environment)
    return [
        Measurement(f"CSV of {ROWS:,} rows, streamed", table["rows_per_s"], "rows/s"),
        Measurement("  beside csv.writer on the same rows", table["ratio"], "times", at_most=TIMES_AS_LONG),
        Measurement("  growth of memory while it is sent", table["growth_mib"], "MiB", at_most=GROWTH_MIB),
        Measurement(f"CSV of {ROWS:,} paths of journeys, streamed", journeys["rows_per_s"], "rows/s"),
        Measurement("  growth of memory while it is sent", journeys["growth_mib"], "MiB", at_most=GROWTH_MIB),
        Measurement(f"workbook with a sheet of {MANY_ROWS:,} rows", book["seconds"], "s", at_most=BOOK_S),
        Measurement("  growth of memory", book["growth_mib"], "MiB", at_most=BOOK_MIB),
        Measurement("monthly review of the demo as PDF", pdf["seconds"], "s", at_most=PDF_S),
        Measurement("  of the processor", pdf["cpu_s"], "s"),
        Measurement("  peak memory of the process", pdf[PEAK], "MiB", at_most=PDF_MIB),
        Measurement("  pages", pdf["parts"], ""),
        Measurement("monthly review of the demo as PowerPoint", pptx["seconds"], "s", at_most=PPTX_S),
        Measurement("  of the processor", pptx["cpu_s"], "s"),
        Measurement("  peak memory of the process", pptx[PEAK], "MiB"),
        Measurement("  slides", pptx["parts"], ""),
        Measurement("monthly review of the demo as workbook", xlsx["seconds"], "s"),
        Measurement("  peak memory of the process", xlsx[PEAK], "MiB"),
    ]


# --- Many rows -----------------------------------------------------------------------------------------------------


def csv_of_a_document() -> dict[str, float]:
    """Send a document's rows: names, one of which looks like a formula, whole numbers, and numbers in full."""
    from analyses.documents import LazyRows
    from reports.exports import download

    class Nowhere:
        def write(self, _line: str) -> None:
            return

    started = time.perf_counter()
    csv.writer(Nowhere()).writerows(_rows(ROWS))
    plain = time.perf_counter() - started
    response: Any = download(_document(LazyRows(lambda: _rows(ROWS))), "csv")
    found = _sent(response)
    return found | {"ratio": found["seconds"] / plain}


def csv_of_journeys() -> dict[str, float]:
    """Send the paths of a run that has stored a million of them, which is more than any run does."""
    from crosschannel.presentation import journeys_page
    from marketing.frames import PathTable
    from mmm_project.tables import csv_pieces

    rng = np.random.default_rng(1)
    conversions = rng.integers(0, 50, ROWS).astype(np.float64)
    table = PathTable(
        offsets=np.arange(0, STEPS * (ROWS + 1), STEPS),
        steps=rng.integers(0, CHANNELS, STEPS * ROWS),
        groups=CHANNELS,
        conversions=conversions,
        value=conversions * 83.7,
        nulls=rng.integers(1, 500, ROWS).astype(np.float64),
    )
    amounts = {"journeys": conversions + table.nulls, "conversions": conversions, "value": table.value}
    stored = SimpleNamespace(paths=table, labels=[f"Channel {number}" for number in range(CHANNELS)])
    asked: Any = SimpleNamespace(stored=stored, amounts=amounts)
    return _sent(csv_pieces(journeys_page._rows(asked, np.arange(ROWS))))  # noqa: SLF001 - no run stores so many


def workbook() -> dict[str, float]:
    """Write as many rows into a workbook as it takes."""
    from reports.exports import write

    document = _document(list(_rows(MANY_ROWS)))
    write(_document([("a",), (1,)]), "xlsx")  # what is imported once is not what is measured
    before, started = _peak_mib(), time.perf_counter()
    write(document, "xlsx")
    return {"seconds": time.perf_counter() - started, "growth_mib": _peak_mib() - before}


def _sent(pieces: Iterable[bytes]) -> dict[str, float]:
    """Take all pieces, and let go of each, as a web server does."""
    started, before, sent = time.perf_counter(), 0.0, 0
    for number, piece in enumerate(pieces):
        sent += piece.count(b"\n")
        if number == FIRST_PIECES:
            before = _peak_mib()
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "rows_per_s": sent / seconds, "growth_mib": _peak_mib() - before}


def _rows(rows: int) -> Iterator[Sequence[str | int | float | None]]:
    for number in range(rows):
        share = number / 7
        yield (f"Campaign {number}", "=Search" if number % 10 == 0 else "Search", number, share, share * 1.1, None)


def _document(rows: Any) -> Any:
    from analyses.documents import Document

    return Document(
        title="Rows",
        subtitle="",
        headline="Many rows.",
        workspace="Bench",
        currency="EUR",
        facts=(),
        sections=(),
        rows=rows,
        data={},
        file_name="rows",
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- The review of the demo ----------------------------------------------------------------------------------------


def demo() -> dict[str, float]:
    """Load the demo, and make its monthly review, for which a media mix model is fitted."""
    from django.core.management import call_command
    from django.utils import timezone

    from accounts.actions import create_workspace
    from accounts.models import User
    from analyses.models import Run
    from attribution.cube.daily_cube import refresh_cube
    from jobs.execution import execute
    from reports.blocks.definition import clean_blocks
    from reports.blocks.relative_periods import period_of
    from reports.blocks.templates import TEMPLATES
    from reports.editions.actions import request_edition
    from reports.models import Edition

    owner = User.objects.create_user("bench@example.com")
    workspace = create_workspace(name="Bench", slug=SLUG, owner=owner)
    call_command("load_demo", workspace=SLUG, verbosity=0)
    execute(job_id=refresh_cube(workspace=workspace, ring=False).job_id)
    template = TEMPLATES["monthly_review"]
    period = period_of(template.period, today=timezone.now().astimezone(workspace.zone).date())
    edition = request_edition(
        workspace=workspace,
        title=template.label,
        blocks=clean_blocks(workspace, template.blocks, period=period),
        period=period,
        comparison=template.comparison,
        by=owner,
        trigger=Edition.Trigger.PAGE,
        ring=False,
    )
    for run in Run.objects.filter(workspace=workspace, job__status="queued"):
        execute(job_id=run.job_id)
    execute(job_id=edition.job_id)
    edition.refresh_from_db()
    assert edition.snapshot, edition.problems
    assert not edition.problems, edition.problems
    return {}


def pdf() -> dict[str, float]:
    import io

    import pikepdf

    content, took = _written("pdf")
    with pikepdf.open(io.BytesIO(content)) as printed:
        return took | {"parts": len(printed.pages)}


def pptx() -> dict[str, float]:
    import io

    from pptx import Presentation

    content, took = _written("pptx")
    return took | {"parts": len(Presentation(io.BytesIO(content)).slides)}


def xlsx() -> dict[str, float]:
    return _written("xlsx")[1]


def _written(form: str) -> tuple[bytes, dict[str, float]]:
    """The review in a format, in a process that has made no other file, with what that has to load first."""
    from reports.exports import write

    document = review()
    started, began = time.perf_counter(), time.process_time()
    content = write(document, form)
    return content, {"seconds": time.perf_counter() - started, "cpu_s": time.process_time() - began}


def review() -> Any:
    """The monthly review of the demo."""
    from reports.editions.snapshots import document_of
    from reports.models import Edition

    return document_of(Edition.objects.get(workspace__slug=SLUG))


if __name__ == "__main__":
    steps = (csv_of_a_document, csv_of_journeys, workbook, demo, pdf, pptx, xlsx)
    serve_step({step.__name__: step for step in steps})
