"""Which part of the guide belongs to which page of the product: URL name -> page and heading of docs/guide.

A test holds the table against every address that shows a page, and against the headings that there are.
"""

from django.urls import reverse

_ACCOUNT = "getting-started#your-account"
_SCHEDULES = "reports-and-schedules#scheduled-reports"
_ALERTS = "reports-and-schedules#alerts"

HELP = {
    # Account
    "new_workspace": "getting-started#sign-up",
    "workspace_home": "getting-started",
    "account_email": _ACCOUNT,
    "account_change_password": _ACCOUNT,
    "account_set_password": _ACCOUNT,
    "mfa_index": _ACCOUNT,
    "mfa_activate_totp": _ACCOUNT,
    "mfa_deactivate_totp": _ACCOUNT,
    "mfa_view_recovery_codes": _ACCOUNT,
    "mfa_generate_recovery_codes": _ACCOUNT,
    # Dashboard
    "reports:dashboard": "dashboard",
    "reports:channel": "dashboard#one-channel-or-campaign",
    "reports:campaign": "dashboard#one-channel-or-campaign",
    # Attribution
    "attribution:page": "attribution",
    "attribution:data_driven": "attribution#which-model-to-choose",
    "attribution:custom_models": "custom-models",
    "attribution:custom_new": "custom-models#make-a-model",
    "attribution:custom_model": "custom-models#what-a-touch-weighs",
    # Weightings
    "weightings:page": "weightings",
    "weightings:channel": "weightings#read-the-result",
    "weightings:experiments": "weightings#experiments",
    "weightings:new_experiment": "weightings#experiments",
    "weightings:forecast": "forecast",
    "weightings:planner": "scenarios#move-budgets",
    "weightings:budget": "scenarios#have-a-budget-recommended",
    "weightings:scenarios": "scenarios#save-scenarios",
    "weightings:scenario": "scenarios#save-scenarios",
    # Cross-channel
    "crosschannel:page": "cross-channel",
    "crosschannel:journeys": "cross-channel#read-the-diagram",
    "crosschannel:pair": "cross-channel#synergy-and-cannibalisation",
    # Reports
    "reports:reports": "reports-and-schedules#reports",
    "reports:new_report": "reports-and-schedules#reports",
    "reports:report": "reports-and-schedules#reports",
    "reports:delete_report": "reports-and-schedules#reports",
    "reports:edition": "reports-and-schedules#editions",
    "reports:export_page": "exports#files-that-take-long",
    "reports:export_run": "exports#files-that-take-long",
    # Runs
    "analyses:runs": "runs",
    "analyses:run": "runs#a-finished-run",
    "analyses:compare": "runs#compare-two-runs",
    # Data
    "marketing:data": "imports",
    "marketing:upload": "imports#import-a-file",
    "marketing:upload_file": "imports#import-a-file",
    "marketing:upload_columns": "imports#import-a-file",
    "marketing:upload_check": "imports#rejected-rows-and-duplicates",
    "marketing:import": "imports#the-history-of-imports",
    "marketing:undo_import": "imports#undo-an-import",
    "marketing:health": "imports#data-health",
    "marketing:segments": "segments",
    "marketing:new_segment": "segments#make-a-segment",
    "marketing:segment": "segments#conditions",
    "marketing:privacy": "privacy",
    "marketing:customer": "privacy#one-customers-data",
    "marketing:remove_demo": "getting-started#look-around-with-demo-data",
    # Settings
    "settings_general": "getting-started#set-your-defaults",
    "marketing:channels": "channels-and-grouping",
    "marketing:channel": "channels-and-grouping#change-a-channel",
    "marketing:merge_channel": "channels-and-grouping#merge-channels",
    "marketing:grouping": "channels-and-grouping#rules-of-your-own",
    "marketing:goals": "goals-and-outcomes",
    "marketing:goal": "goals-and-outcomes#goals",
    "marketing:outcome": "goals-and-outcomes#outcomes",
    "reports:schedules": _SCHEDULES,
    "reports:schedule": _SCHEDULES,
    "reports:schedule_new": _SCHEDULES,
    "reports:schedule_edit": _SCHEDULES,
    "reports:schedule_delete": _SCHEDULES,
    "reports:alerts": _ALERTS,
    "reports:alert": _ALERTS,
    "reports:alert_new": _ALERTS,
    "reports:alert_edit": _ALERTS,
    "reports:alert_delete": _ALERTS,
    "reports:deliveries": "reports-and-schedules#deliveries",
    "reports:branding": "reports-and-schedules#branding",
    "api:access": "api",
    "api:create_key": "api#create-a-key",
    "api:rotate_key": "api#rotate-or-revoke-a-key",
    "api:revoke_key": "api#rotate-or-revoke-a-key",
    "api:reference": "api#make-the-first-call",
    "settings_team": "team-and-roles",
    "team_leave": "team-and-roles#change-or-remove-a-member",
    "team_remove": "team-and-roles#change-or-remove-a-member",
    "team_transfer": "team-and-roles#transfer-the-workspace",
    "invitation_send": "team-and-roles#invite-somebody",
    "settings_plan": "plans-and-usage",
    "settings_audit": "audit-log",
    "settings_workspace": "team-and-roles#export-or-delete-the-workspace",
    "workspace_delete": "team-and-roles#export-or-delete-the-workspace",
    "webhooks:page": "webhooks",
    "webhooks:new": "webhooks#add-a-webhook",
    "webhooks:endpoint": "webhooks#when-your-program-does-not-answer",
    "webhooks:message": "webhooks#when-your-program-does-not-answer",
    "webhooks:edit": "webhooks#events",
    "webhooks:rotate": "webhooks#change-the-secret",
    "webhooks:delete": "webhooks",
}


def help_url(view_name: str) -> str:
    """Return the address of what the guide says about a page; of its contents for a page that it does not know."""
    page, _, heading = HELP.get(view_name, "").partition("#")
    if not page:
        return reverse("guide:index")
    address = reverse("guide:page", kwargs={"page": page})
    return f"{address}#{heading}" if heading else address
