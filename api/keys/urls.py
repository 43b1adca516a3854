from django.urls import path

from api.keys import views

urlpatterns = [
    path("w/<slug:slug>/settings/api/", views.keys, name="access"),
    path("w/<slug:slug>/settings/api/new/", views.create, name="create_key"),
    path("w/<slug:slug>/settings/api/reference/", views.reference, name="reference"),
    path("w/<slug:slug>/settings/api/<uuid:key_id>/rotate/", views.rotate, name="rotate_key"),
    path("w/<slug:slug>/settings/api/<uuid:key_id>/revoke/", views.revoke, name="revoke_key"),
]
