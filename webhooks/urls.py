from django.urls import path

from webhooks import views

_ALL = "w/<slug:slug>/settings/webhooks/"
_ONE = f"{_ALL}<uuid:endpoint_id>/"
_MESSAGE = f"{_ONE}messages/<str:message_id>/"

app_name = "webhooks"
urlpatterns = [
    path(_ALL, views.page, name="page"),
    path(f"{_ALL}new/", views.new, name="new"),
    path(_ONE, views.endpoint, name="endpoint"),
    path(f"{_ONE}edit/", views.edit, name="edit"),
    path(f"{_ONE}rotate/", views.rotate, name="rotate"),
    path(f"{_ONE}disable/", views.disable, name="disable"),
    path(f"{_ONE}enable/", views.enable, name="enable"),
    path(f"{_ONE}test/", views.test, name="test"),
    path(f"{_ONE}delete/", views.delete, name="delete"),
    path(_MESSAGE, views.message, name="message"),
    path(f"{_MESSAGE}redeliver/", views.redeliver, name="redeliver"),
]
