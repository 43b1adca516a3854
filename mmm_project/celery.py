"""The Celery application: workers and beat start from here (`celery -A mmm_project ...`)."""

import logging.config
import os
from typing import Any

from celery import Celery, Task, signals
from kombu.transport import TRANSPORT_ALIASES
from structlog.contextvars import bind_contextvars, clear_contextvars

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mmm_project.settings")
TRANSPORT_ALIASES["filesystem"] = "mmm_project.broker_files:Transport"
app = Celery("mmm_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _log_as_the_settings_say(**_signal: object) -> None:
    """Set logging up as Django does; Celery, which would put handlers of its own, leaves it alone then."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@signals.task_prerun.connect
def _say_which_task(task: Task[Any, Any], **_signal: object) -> None:
    clear_contextvars()
    bind_contextvars(task=task.name)
