from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from jobs.models import Job
    from jobs.progress import Progress


class MarketingConfig(AppConfig):
    name = "marketing"

    def ready(self) -> None:
        from jobs.handlers import register, register_sweeper
        from marketing import demo_data, receivers
        from marketing.importing.removal import abandon_import, sweep_ended_imports

        receivers.connect()
        register("marketing.import", execute=_run_import, on_end=abandon_import)
        register(demo_data.REMOVAL_JOB, execute=demo_data.run_removal)
        register_sweeper(sweep_ended_imports)


def _run_import(job: "Job", progress: "Progress") -> None:
    from marketing.importing.actions import run_import  # pandas and pyarrow: only where imports are carried out

    run_import(job, progress)
