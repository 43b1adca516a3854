from django.urls import path

from reports import views

app_name = "reports"
urlpatterns = [
    path("w/<slug:slug>/dashboard/", views.page, name="dashboard"),
    path("w/<slug:slug>/dashboard/export.<str:form>", views.export, name="export_dashboard"),
    path("w/<slug:slug>/dashboard/channels/<int:channel_id>/", views.channel, name="channel"),
    path("w/<slug:slug>/dashboard/campaigns/<int:campaign_id>/", views.campaign, name="campaign"),
]
