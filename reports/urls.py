from django.urls import include, path

from reports import export_views, gallery, views

app_name = "reports"
urlpatterns = [
    path("gallery/", gallery.page, name="gallery"),
    path("w/<slug:slug>/dashboard/", views.page, name="dashboard"),
    path("w/<slug:slug>/dashboard/export.<str:form>", views.export, name="export_dashboard"),
    path("w/<slug:slug>/dashboard/channels/<int:channel_id>/", views.channel, name="channel"),
    path("w/<slug:slug>/dashboard/campaigns/<int:campaign_id>/", views.campaign, name="campaign"),
    path("w/<slug:slug>/runs/<uuid:run_id>/export.<str:form>", export_views.export_run, name="export_run"),
    path(
        "w/<slug:slug>/runs/<uuid:run_id>/export.<str:form>/prepare/",
        export_views.prepare_export,
        name="prepare_export",
    ),
    path("w/<slug:slug>/exports/<uuid:file_id>/", export_views.export_page, name="export_page"),
    path("w/<slug:slug>/exports/<uuid:file_id>/file", export_views.export_file, name="export_file"),
    path(
        "w/<slug:slug>/weightings/scenarios/<int:scenario_id>/export.<str:form>",
        export_views.export_scenario,
        name="export_scenario",
    ),
    path("", include("reports.api.urls")),
    path("", include("reports.builder.urls")),
    path("", include("reports.alerts.urls")),
    path("", include("reports.branding.urls")),
    path("", include("reports.schedules.urls")),
    path("", include("reports.deliveries.urls")),
]
