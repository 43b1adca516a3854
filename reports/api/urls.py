from django.urls import URLPattern, path

from reports.api import alerts, dashboard, deliveries, editions, exports, reports, schedules

_V1 = "api/v1/"
_SCHEDULE = f"{_V1}schedules/<uuid:schedule_id>/"
_ALERT = f"{_V1}alerts/<uuid:alert_id>/"
_REPORT = f"{_V1}reports/<int:report_id>/"
_EDITION = f"{_V1}editions/<uuid:edition_id>/"
_FILE = f"{_V1}export-files/<uuid:file_id>/"
_DELIVERY = f"{_V1}deliveries/<uuid:delivery_id>/"

# Part of the addresses of reports (`reports.urls`).
urlpatterns: list[URLPattern] = [
    path(f"{_V1}dashboard/", dashboard.Dashboard.as_view(), name="api_dashboard"),
    path(f"{_V1}dashboard/exports/<str:form>/", dashboard.DashboardExport.as_view(), name="api_dashboard_export"),
    path(f"{_V1}runs/<uuid:run_id>/exports/", exports.RunExports.as_view(), name="api_run_exports"),
    path(f"{_V1}runs/<uuid:run_id>/exports/<str:form>/", exports.RunExport.as_view(), name="api_run_export"),
    path(
        f"{_V1}scenarios/<int:scenario_id>/exports/<str:form>/",
        exports.ScenarioExport.as_view(),
        name="api_scenario_export",
    ),
    path(_FILE, exports.ExportFileDetail.as_view(), name="api_export_file"),
    path(f"{_FILE}content/", exports.ExportFileContent.as_view(), name="api_export_content"),
    path(f"{_V1}reports/", reports.ReportList.as_view(), name="api_reports"),
    path(_REPORT, reports.ReportDetail.as_view(), name="api_report"),
    path(f"{_REPORT}duplicate/", reports.ReportDuplicate.as_view(), name="api_report_duplicate"),
    path(f"{_REPORT}editions/", reports.ReportEditions.as_view(), name="api_report_editions"),
    path(f"{_V1}editions/", editions.EditionList.as_view(), name="api_editions"),
    path(_EDITION, editions.EditionDetail.as_view(), name="api_edition"),
    path(f"{_EDITION}files/<str:form>/", editions.EditionFile.as_view(), name="api_edition_file"),
    path(f"{_EDITION}cancel/", editions.EditionCancel.as_view(), name="api_edition_cancel"),
    path(f"{_EDITION}again/", editions.EditionAgain.as_view(), name="api_edition_again"),
    path(f"{_V1}schedules/", schedules.ScheduleList.as_view(), name="api_schedules"),
    path(_SCHEDULE, schedules.ScheduleDetail.as_view(), name="api_schedule"),
    path(f"{_SCHEDULE}pause/", schedules.SchedulePause.as_view(), name="api_schedule_pause"),
    path(f"{_SCHEDULE}resume/", schedules.ScheduleResume.as_view(), name="api_schedule_resume"),
    path(f"{_SCHEDULE}send-now/", schedules.ScheduleSendNow.as_view(), name="api_schedule_send_now"),
    path(f"{_SCHEDULE}preview/", schedules.SchedulePreview.as_view(), name="api_schedule_preview"),
    path(f"{_SCHEDULE}upcoming/", schedules.ScheduleUpcoming.as_view(), name="api_schedule_upcoming"),
    path(f"{_SCHEDULE}occurrences/", schedules.ScheduleOccurrences.as_view(), name="api_schedule_occurrences"),
    path(f"{_V1}deliveries/", deliveries.DeliveryList.as_view(), name="api_deliveries"),
    path(_DELIVERY, deliveries.DeliveryDetail.as_view(), name="api_delivery"),
    path(f"{_DELIVERY}resend/", deliveries.DeliveryResend.as_view(), name="api_delivery_resend"),
    path(
        f"{_V1}recipients/<int:recipient_id>/enable/",
        deliveries.RecipientEnable.as_view(),
        name="api_recipient_enable",
    ),
    path(f"{_V1}alerts/", alerts.AlertList.as_view(), name="api_alerts"),
    path(_ALERT, alerts.AlertDetail.as_view(), name="api_alert"),
    path(f"{_ALERT}pause/", alerts.AlertPause.as_view(), name="api_alert_pause"),
    path(f"{_ALERT}resume/", alerts.AlertResume.as_view(), name="api_alert_resume"),
    path(f"{_ALERT}events/", alerts.AlertEvents.as_view(), name="api_alert_events"),
]
