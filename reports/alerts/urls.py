from django.urls import path

from reports.alerts import views

_ALL = "w/<slug:slug>/settings/alerts/"
_ONE = f"{_ALL}<uuid:alert_id>/"

urlpatterns = [
    path(_ALL, views.alerts, name="alerts"),
    path(f"{_ALL}new/", views.new, name="alert_new"),
    path(_ONE, views.alert, name="alert"),
    path(f"{_ONE}edit/", views.edit, name="alert_edit"),
    path(f"{_ONE}pause/", views.pause, name="alert_pause"),
    path(f"{_ONE}resume/", views.resume, name="alert_resume"),
    path(f"{_ONE}delete/", views.delete, name="alert_delete"),
]
