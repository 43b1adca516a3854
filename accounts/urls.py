from django.urls import path

from accounts import (
    audit_views,
    impersonation_views,
    invitation_views,
    plan_views,
    settings_views,
    team_views,
    views,
)

urlpatterns = [
    path("", views.home, name="home"),
    path("w/new/", views.new_workspace, name="new_workspace"),
    path("w/<slug:slug>/", views.workspace_home, name="workspace_home"),
    path("w/<slug:slug>/settings/", settings_views.general, name="settings_general"),
    path("w/<slug:slug>/settings/team/", team_views.page, name="settings_team"),
    path("w/<slug:slug>/settings/team/leave/", team_views.leave, name="team_leave"),
    path("w/<slug:slug>/settings/team/transfer/", team_views.transfer, name="team_transfer"),
    path("w/<slug:slug>/settings/team/<int:membership_id>/role/", team_views.change_role, name="team_role"),
    path("w/<slug:slug>/settings/team/<int:membership_id>/remove/", team_views.remove, name="team_remove"),
    path(
        "w/<slug:slug>/settings/team/invitations/<int:invitation_id>/send/",
        team_views.send_again,
        name="invitation_send",
    ),
    path(
        "w/<slug:slug>/settings/team/invitations/<int:invitation_id>/revoke/",
        team_views.revoke,
        name="invitation_revoke",
    ),
    path("w/<slug:slug>/settings/plan/", plan_views.page, name="settings_plan"),
    path("w/<slug:slug>/settings/plan/withdraw/", plan_views.withdraw, name="plan_request_withdraw"),
    path("w/<slug:slug>/settings/audit/", audit_views.page, name="settings_audit"),
    path("w/<slug:slug>/settings/audit/export/", audit_views.export, name="audit_export"),
    path("viewing-as/stop/", impersonation_views.stop, name="stop_viewing_as"),
    path("accounts/invitations/<str:token>/", invitation_views.invitation, name="invitation"),
]
