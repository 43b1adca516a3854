from django.urls import path

from weightings import views

app_name = "weightings"
urlpatterns = [
    path("w/<slug:slug>/weightings/", views.page, name="page"),
]
