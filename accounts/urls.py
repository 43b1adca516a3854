from django.urls import path

from accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("w/new/", views.new_workspace, name="new_workspace"),
    path("w/<slug:slug>/", views.workspace_home, name="workspace_home"),
]
