from django.urls import path

from crosschannel import views

app_name = "crosschannel"
urlpatterns = [
    path("w/<slug:slug>/crosschannel/", views.page, name="page"),
    path("w/<slug:slug>/crosschannel/<uuid:run_id>/journeys/", views.journeys, name="journeys"),
    path("w/<slug:slug>/crosschannel/<uuid:run_id>/journeys.csv", views.journeys_csv, name="journeys_csv"),
    path("w/<slug:slug>/crosschannel/<uuid:run_id>/pair/", views.pair, name="pair"),
]
