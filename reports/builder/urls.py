from django.urls import path

from reports.builder import edition_views, views

# Part of the addresses of reports (`reports.urls`).
urlpatterns = [
    path("w/<slug:slug>/reports/", views.reports, name="reports"),
    path("w/<slug:slug>/reports/new/", views.new_report, name="new_report"),
    path("w/<slug:slug>/reports/<int:report_id>/", views.report, name="report"),
    path("w/<slug:slug>/reports/<int:report_id>/duplicate/", views.duplicate_report, name="duplicate_report"),
    path("w/<slug:slug>/reports/<int:report_id>/delete/", views.delete_report, name="delete_report"),
    path("w/<slug:slug>/editions/<uuid:edition_id>/", edition_views.edition, name="edition"),
    path("w/<slug:slug>/editions/<uuid:edition_id>/cancel/", edition_views.cancel_edition, name="cancel_edition"),
    path("w/<slug:slug>/editions/<uuid:edition_id>/again/", edition_views.make_again, name="make_again"),
    path(
        "w/<slug:slug>/editions/<uuid:edition_id>/export.<str:form>",
        edition_views.export_edition,
        name="export_edition",
    ),
]
