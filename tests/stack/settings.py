"""The product's settings with short leases, and with the kind `slow` that only these tests know."""

import environ

from mmm_project.settings import *  # noqa: F403
from mmm_project.settings import CELERY_BROKER_TRANSPORT_OPTIONS, EMBEDDED, INSTALLED_APPS

if not EMBEDDED:
    from mmm_project.settings import STORAGES

env = environ.Env()
INSTALLED_APPS = [*INSTALLED_APPS, "tests.stack.apps.StackConfig"]
JOB_LEASE_SECONDS = 3
JOB_HEARTBEAT_SECONDS = 1
JOB_SWEEP_SECONDS = 1
JOB_RING_AGAIN_SECONDS = 5
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": 1.0, "options": {"expires": 10}}
    for name, task in (("sweep-jobs", "jobs.tasks.sweep_jobs"), ("tick-reports", "reports.tasks.tick"))
}
if not EMBEDDED:
    # Nobody has collected the static files: to name each by its content takes a minute, and pages here need none.
    STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    # Redis may hold other things: ours are told by their names.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        **CELERY_BROKER_TRANSPORT_OPTIONS,
        "global_keyprefix": env.str("STACK_REDIS_PREFIX"),
    }
