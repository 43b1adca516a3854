from django.urls import path

from reports.deliveries import public_views, views

# Part of reports.urls.
urlpatterns = [
    path("w/<slug:slug>/settings/deliveries/", views.page, name="deliveries"),
    path("w/<slug:slug>/settings/deliveries/<uuid:delivery_id>/resend/", views.resend, name="resend_delivery"),
    path(
        "w/<slug:slug>/settings/deliveries/recipients/<int:recipient_id>/enable/",
        views.enable,
        name="enable_recipient",
    ),
    path("unsubscribe/<str:token>/", public_views.unsubscribe, name="unsubscribe"),
    path("deliveries/<str:token>/<str:form>", public_views.delivered_file, name="delivered_file"),
]
