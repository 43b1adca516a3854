from django.urls import path

from reports import workspace_views

# Without a namespace: they stand among the settings, whose other pages belong to accounts.
urlpatterns = [
    path("w/<slug:slug>/settings/workspace/", workspace_views.page, name="settings_workspace"),
    path("w/<slug:slug>/settings/workspace/export/", workspace_views.export, name="workspace_export"),
    path("w/<slug:slug>/settings/workspace/export.zip", workspace_views.export_file, name="workspace_export_file"),
    path("w/<slug:slug>/settings/workspace/delete/", workspace_views.delete, name="workspace_delete"),
]
