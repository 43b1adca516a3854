from django.urls import path

from api import schema_views

app_name = "api"
urlpatterns = [
    path("api/v1/schema.json", schema_views.schema, {"form": "json"}, name="schema"),
    path("api/v1/schema.yaml", schema_views.schema, {"form": "yaml"}, name="schema_yaml"),
]
