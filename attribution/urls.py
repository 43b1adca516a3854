from django.urls import path

from attribution import api, views
from attribution.custom import api as custom_api
from attribution.custom import views as custom_views

app_name = "attribution"
urlpatterns = [
    path("w/<slug:slug>/attribution/", views.page, name="page"),
    path("w/<slug:slug>/attribution/data-driven/", views.data_driven, name="data_driven"),
    path("w/<slug:slug>/attribution/models/", custom_views.custom_list, name="custom_models"),
    path("w/<slug:slug>/attribution/models/new/", custom_views.custom_new, name="custom_new"),
    path("w/<slug:slug>/attribution/models/<int:model_id>/", custom_views.custom_model, name="custom_model"),
    path(
        "w/<slug:slug>/attribution/models/<int:model_id>/duplicate/",
        custom_views.custom_duplicate,
        name="custom_duplicate",
    ),
    path(
        "w/<slug:slug>/attribution/models/<int:model_id>/archive/", custom_views.custom_archive, name="custom_archive"
    ),
    path(
        "w/<slug:slug>/attribution/models/<int:model_id>/restore/", custom_views.custom_restore, name="custom_restore"
    ),
    path("api/v1/attribution-models/", api.ModelList.as_view(), name="api_models"),
    path("api/v1/custom-models/", custom_api.CustomModelList.as_view(), name="api_custom_models"),
    path("api/v1/custom-models/preview/", custom_api.CustomModelPreview.as_view(), name="api_custom_preview"),
    path("api/v1/custom-models/<int:model_id>/", custom_api.CustomModelDetail.as_view(), name="api_custom_model"),
    path(
        "api/v1/custom-models/<int:model_id>/versions/",
        custom_api.CustomModelVersions.as_view(),
        name="api_custom_versions",
    ),
]
