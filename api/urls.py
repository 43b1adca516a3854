from django.urls import include, path

from api import account_views, audit_views, schema_views

app_name = "api"
urlpatterns = [
    path("", include("api.keys.urls")),
    path("api/v1/", account_views.Root.as_view(), name="root"),
    path("api/v1/workspaces/", account_views.WorkspaceList.as_view(), name="workspaces"),
    path("api/v1/workspaces/<slug:slug>/", account_views.WorkspaceDetail.as_view(), name="workspace"),
    path("api/v1/workspaces/<slug:slug>/usage/", account_views.WorkspaceUsage.as_view(), name="usage"),
    path("api/v1/audit-events/", audit_views.AuditList.as_view(), name="audit_events"),
    path("api/v1/schema.json", schema_views.schema, {"form": "json"}, name="schema"),
    path("api/v1/schema.yaml", schema_views.schema, {"form": "yaml"}, name="schema_yaml"),
]
