from django.urls import path

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
        "w/<slug:slug>/weightings/scenarios/<int:scenario_id>/export.<str:form>",
        export_views.export_scenario,
        name="export_scenario",
    ),
]
