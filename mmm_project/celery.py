"""The Celery application: workers and beat start from here (`celery -A mmm_project ...`)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mmm_project.settings")
app = Celery("mmm_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
