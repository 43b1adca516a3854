from django.urls import path

from analyses import api, views

app_name = "analyses"
urlpatterns = [
    path("w/<slug:slug>/runs/", views.history, name="runs"),
    path("w/<slug:slug>/runs/compare/", views.compare, name="compare"),
    path("w/<slug:slug>/runs/<uuid:run_id>/", views.run_page, name="run"),
    path("w/<slug:slug>/runs/<uuid:run_id>/cancel/", views.cancel, name="cancel"),
    path("w/<slug:slug>/runs/<uuid:run_id>/retry/", views.retry, name="retry"),
    path("api/v1/kinds/", api.KindList.as_view(), name="api_kinds"),
    path("api/v1/runs/", api.RunList.as_view(), name="api_runs"),
    path("api/v1/runs/<uuid:run_id>/", api.RunDetail.as_view(), name="api_run"),
    path("api/v1/runs/<uuid:run_id>/retry/", api.RunRetry.as_view(), name="api_retry"),
    path("api/v1/runs/<uuid:run_id>/cancel/", api.RunCancel.as_view(), name="api_cancel"),
]
