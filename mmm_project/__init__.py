"""Project package: settings, URLs, WSGI and Celery applications.

The Celery application is imported with Django so that `shared_task` binds to it in the web process too.
"""

from mmm_project.celery import app as celery_app

__all__ = ["celery_app"]
