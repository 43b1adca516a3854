from django.urls import path

from reports.schedules import views

_ALL = "w/<slug:slug>/settings/schedules/"
_ONE = f"{_ALL}<uuid:schedule_id>/"

urlpatterns = [
    path(_ALL, views.schedules, name="schedules"),
    path(f"{_ALL}new/", views.new, name="schedule_new"),
    path(f"{_ALL}upcoming/", views.upcoming, name="schedule_upcoming"),
    path(_ONE, views.schedule, name="schedule"),
    path(f"{_ONE}edit/", views.edit, name="schedule_edit"),
    path(f"{_ONE}preview/", views.preview, name="schedule_preview"),
    path(f"{_ONE}send/", views.send, name="schedule_send"),
    path(f"{_ONE}pause/", views.pause, name="schedule_pause"),
    path(f"{_ONE}resume/", views.resume, name="schedule_resume"),
    path(f"{_ONE}delete/", views.delete, name="schedule_delete"),
]
