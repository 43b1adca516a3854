from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from jobs.models import Job
    from jobs.progress import Progress


class MarketingConfig(AppConfig):
    name = "marketing"

    def ready(self) -> None:
        from accounts import usage
        from accounts.defaults import register_amounts
        from jobs.handlers import register, register_sweeper
        from marketing import amounts, demo_data, privacy, receivers
        from marketing.health import keeping, reports
        from marketing.importing import stored_rows, undo_requests, uploads
        from marketing.importing.removal import abandon_import, sweep_ended_imports

        receivers.connect()
        register_amounts(amounts.holds_amounts)
        usage.register_counter(usage.Counted.ROWS, stored_rows.rows_stored)
        register("marketing.import", execute=_run_import, on_end=abandon_import, one_at_a_time=True)
        register(uploads.CHECK_JOB, execute=_run_check)
        register(
            undo_requests.UNDO_JOB,
            execute=undo_requests.run_undo,
            on_end=undo_requests.give_up_undo,
            one_at_a_time=True,
        )
        register(demo_data.REMOVAL_JOB, execute=demo_data.run_removal)
        register(privacy.ERASURE_JOB, execute=_run_erasure, one_at_a_time=True)
        register(reports.JOB_KIND, execute=reports.run_report)
        register_sweeper(sweep_ended_imports)
        register_sweeper(keeping.keep_reports_current)


def _run_import(job: "Job", progress: "Progress") -> None:
    from marketing.importing.actions import run_import  # pandas and pyarrow: only where imports are carried out

    run_import(job, progress)


def _run_check(job: "Job", progress: "Progress") -> None:
    from marketing.importing.checks import run_check

    run_check(job, progress)


def _run_erasure(job: "Job", progress: "Progress") -> None:
    from marketing.importing.erasure import run_erasure

    run_erasure(job, progress)
