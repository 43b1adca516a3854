from django.urls import path

from reports.branding import views

urlpatterns = [
    path("w/<slug:slug>/settings/branding/", views.branding, name="branding"),
    path("w/<slug:slug>/settings/branding/logo.png", views.logo, name="logo"),
]
