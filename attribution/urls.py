from django.urls import path

from attribution import views

app_name = "attribution"
urlpatterns = [path("w/<slug:slug>/attribution/", views.page, name="page")]
