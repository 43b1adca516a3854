from django.urls import include, path

from marketing.pages import (
    channel_views,
    demo_views,
    goal_views,
    grouping_views,
    health_views,
    import_views,
    privacy_views,
    segment_views,
    upload_views,
)

app_name = "marketing"
urlpatterns = [
    path("w/<slug:slug>/data/segments/", segment_views.segments, name="segments"),
    path("w/<slug:slug>/data/segments/new/", segment_views.new_segment, name="new_segment"),
    path("w/<slug:slug>/data/segments/<int:segment_id>/", segment_views.segment, name="segment"),
    path(
        "w/<slug:slug>/data/segments/<int:segment_id>/duplicate/",
        segment_views.duplicate_segment,
        name="segment_duplicate",
    ),
    path(
        "w/<slug:slug>/data/segments/<int:segment_id>/archive/", segment_views.archive_segment, name="segment_archive"
    ),
    path(
        "w/<slug:slug>/data/segments/<int:segment_id>/restore/", segment_views.restore_segment, name="segment_restore"
    ),
    path("w/<slug:slug>/data/health/", health_views.health, name="health"),
    path("w/<slug:slug>/demo/load/", demo_views.load_demo, name="load_demo"),
    path("w/<slug:slug>/demo/remove/", demo_views.remove_demo, name="remove_demo"),
    path("w/<slug:slug>/demo/status/", demo_views.demo_status, name="demo_status"),
    path("w/<slug:slug>/settings/channels/", channel_views.channels, name="channels"),
    path("w/<slug:slug>/settings/channels/grouping/", grouping_views.grouping, name="grouping"),
    path("w/<slug:slug>/settings/channels/<int:channel_id>/", channel_views.channel, name="channel"),
    path("w/<slug:slug>/settings/channels/<int:channel_id>/merge/", channel_views.merge_channel, name="merge_channel"),
    path(
        "w/<slug:slug>/settings/channels/<int:channel_id>/unmerge/",
        channel_views.unmerge_channel,
        name="unmerge_channel",
    ),
    path("w/<slug:slug>/settings/channels/<int:channel_id>/colours/", channel_views.swap_colours, name="swap_colours"),
    path(
        "w/<slug:slug>/settings/channels/<int:channel_id>/names/<int:alias_id>/forget/",
        channel_views.forget_name,
        name="forget_name",
    ),
    path("w/<slug:slug>/settings/goals/", goal_views.page, name="goals"),
    path("w/<slug:slug>/settings/goals/<int:goal_id>/", goal_views.goal, name="goal"),
    path("w/<slug:slug>/settings/goals/<int:goal_id>/default/", goal_views.make_default, name="goal_default"),
    path("w/<slug:slug>/settings/goals/<int:goal_id>/archive/", goal_views.archive, name="goal_archive"),
    path("w/<slug:slug>/settings/goals/<int:goal_id>/restore/", goal_views.restore, name="goal_restore"),
    path("w/<slug:slug>/settings/goals/<int:goal_id>/delete/", goal_views.delete, name="goal_delete"),
    path("w/<slug:slug>/settings/goals/outcomes/<int:outcome_id>/", goal_views.outcome, name="outcome"),
    path("api/v1/", include("marketing.api.urls")),
    path("w/<slug:slug>/data/", import_views.data, name="data"),
    path("w/<slug:slug>/data/templates/<slug:dataset>/", import_views.template, name="template"),
    path("w/<slug:slug>/data/uploads/<int:upload_id>/", upload_views.upload, name="upload"),
    path("w/<slug:slug>/data/uploads/<int:upload_id>/file/", upload_views.file_step, name="upload_file"),
    path("w/<slug:slug>/data/uploads/<int:upload_id>/columns/", upload_views.columns_step, name="upload_columns"),
    path("w/<slug:slug>/data/uploads/<int:upload_id>/check/", upload_views.check_step, name="upload_check"),
    path("w/<slug:slug>/data/uploads/<int:upload_id>/check/again/", upload_views.check_again, name="check_again"),
    path("w/<slug:slug>/data/uploads/<int:upload_id>/check/cancel/", upload_views.cancel_check, name="cancel_check"),
    path("w/<slug:slug>/data/uploads/<int:upload_id>/discard/", upload_views.discard, name="discard_upload"),
    path("w/<slug:slug>/data/uploads/<int:upload_id>/rejects/", upload_views.rejected_rows, name="upload_rejects"),
    path("w/<slug:slug>/data/imports/<int:import_id>/", import_views.import_page, name="import"),
    path("w/<slug:slug>/data/imports/<int:import_id>/cancel/", import_views.cancel, name="cancel_import"),
    path("w/<slug:slug>/data/imports/<int:import_id>/undo/", import_views.undo, name="undo_import"),
    path("w/<slug:slug>/data/imports/<int:import_id>/again/", import_views.again, name="import_again"),
    path("w/<slug:slug>/data/imports/<int:import_id>/file/", import_views.original_file, name="import_file"),
    path("w/<slug:slug>/data/imports/<int:import_id>/rejects/", import_views.rejected_rows, name="import_rejects"),
    path("w/<slug:slug>/data/privacy/", privacy_views.page, name="privacy"),
    path("w/<slug:slug>/data/privacy/<int:customer_id>/", privacy_views.customer, name="customer"),
    path("w/<slug:slug>/data/privacy/<int:customer_id>/export/", privacy_views.export, name="export_customer"),
    path("w/<slug:slug>/data/privacy/<int:customer_id>/erase/", privacy_views.erase, name="erase_customer"),
]
