"""Who may do what, for every address and method: the table that tests/test_permission_matrix.py holds the product to.

Drafted once from what the product did, read rule by rule, and kept by hand since: it takes nothing from the code. An
address that is missing here, or is here and not in the product, fails.

`role`: the least one that may, for things that somebody else (an owner) has made. `scopes`: of the API alone, those of
which a key needs one; `any` of them, or `public`, without anybody being known. Runs ask for the scope of their kind.
`+...`: the feature that the workspace's plan has to include.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One address and method."""

    route: str
    method: str
    role: str
    scopes: tuple[str, ...]
    feature: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


def rules() -> list[Rule]:
    """Return the table."""
    return [_rule(*line.split()) for line in _LINES]


def _rule(route: str, method: str, role: str, *rest: str) -> Rule:
    feature = next((word.removeprefix("+") for word in rest if word.startswith("+")), "")
    return Rule(route, method, role, tuple(word for word in rest if not word.startswith("+")), feature)


_LINES = """
home                               get    viewer
new_workspace                      get    viewer
new_workspace                      post   viewer
workspace_home                     get    viewer
settings_general                   get    viewer
settings_general                   post   admin
settings_team                      get    viewer
settings_team                      post   admin
team_leave                         get    viewer
team_leave                         post   viewer
team_transfer                      get    owner
team_transfer                      post   owner
team_role                          post   admin
team_remove                        get    admin
team_remove                        post   admin
invitation_send                    post   admin
invitation_revoke                  post   admin
settings_plan                      get    viewer
settings_plan                      post   owner
plan_request_withdraw              post   owner
settings_audit                     get    admin
audit_export                       post   admin
stop_viewing_as                    post   viewer
guide:index                        get    viewer
guide:search                       get    viewer
guide:page                         get    viewer
api:access                         get    analyst
api:create_key                     get    analyst
api:create_key                     post   analyst
api:reference                      get    analyst
api:rotate_key                     get    admin
api:rotate_key                     post   admin
api:revoke_key                     get    admin
api:revoke_key                     post   admin
api:root                           get    viewer   any
api:workspaces                     get    viewer   settings:read
api:workspace                      get    viewer   settings:read
api:workspace                      patch  admin    settings:write
api:usage                          get    viewer   settings:read
api:audit_events                   get    admin    audit:read
api:schema                         get    viewer   public
api:schema_yaml                    get    viewer   public
webhooks:page                      get    admin
webhooks:new                       get    admin
webhooks:new                       post   admin
webhooks:endpoint                  get    admin
webhooks:edit                      get    admin
webhooks:edit                      post   admin
webhooks:rotate                    get    admin
webhooks:rotate                    post   admin
webhooks:disable                   post   admin
webhooks:enable                    post   admin
webhooks:test                      post   admin
webhooks:delete                    get    admin
webhooks:delete                    post   admin
webhooks:message                   get    admin
webhooks:redeliver                 post   admin
reports:gallery                    get    viewer
reports:dashboard                  get    viewer
reports:export_dashboard           get    viewer
reports:channel                    get    viewer
reports:campaign                   get    viewer
reports:export_run                 get    viewer
reports:prepare_export             post   viewer
reports:export_page                get    viewer
reports:export_file                get    viewer
reports:export_scenario            get    viewer
reports:api_dashboard              get    viewer   reports:read
reports:api_dashboard_export       get    viewer   reports:read
reports:api_run_exports            post   viewer   attribution:read weightings:read crosschannel:read runs:read
reports:api_run_export             get    viewer   attribution:read weightings:read crosschannel:read runs:read
reports:api_scenario_export        get    viewer   weightings:read
reports:api_export_file            get    viewer   attribution:read weightings:read crosschannel:read runs:read
reports:api_export_content         get    viewer   attribution:read weightings:read crosschannel:read runs:read
reports:api_reports                get    viewer   reports:read
reports:api_reports                post   analyst  reports:write
reports:api_report                 get    viewer   reports:read
reports:api_report                 patch  analyst  reports:write
reports:api_report                 delete analyst  reports:write
reports:api_report_duplicate       post   analyst  reports:write
reports:api_report_editions        get    viewer   reports:read
reports:api_report_editions        post   analyst  reports:write
reports:api_editions               get    viewer   reports:read
reports:api_edition                get    viewer   reports:read
reports:api_edition_file           get    viewer   reports:read
reports:api_edition_cancel         post   admin    reports:write
reports:api_edition_again          post   analyst  reports:write
reports:api_schedules              get    analyst  reports:read
reports:api_schedules              post   analyst  reports:write
reports:api_schedule               get    analyst  reports:read
reports:api_schedule               patch  admin    reports:write
reports:api_schedule               delete admin    reports:write
reports:api_schedule_pause         post   admin    reports:write
reports:api_schedule_resume        post   admin    reports:write
reports:api_schedule_send_now      post   admin    reports:write
reports:api_schedule_preview       post   analyst  reports:write
reports:api_schedule_upcoming      get    analyst  reports:read
reports:api_schedule_occurrences   get    analyst  reports:read
reports:api_deliveries             get    analyst  reports:read
reports:api_delivery               get    analyst  reports:read
reports:api_delivery_resend        post   admin    reports:write
reports:api_recipient_enable       post   admin    reports:write
reports:api_alerts                 get    analyst  reports:read
reports:api_alerts                 post   analyst  reports:write
reports:api_alert                  get    analyst  reports:read
reports:api_alert                  patch  admin    reports:write
reports:api_alert                  delete admin    reports:write
reports:api_alert_pause            post   admin    reports:write
reports:api_alert_resume           post   admin    reports:write
reports:api_alert_events           get    analyst  reports:read
reports:reports                    get    viewer
reports:new_report                 get    analyst
reports:new_report                 post   analyst
reports:report                     get    viewer
reports:report                     post   analyst
reports:duplicate_report           post   analyst
reports:delete_report              get    analyst
reports:delete_report              post   analyst
reports:edition                    get    viewer
reports:cancel_edition             post   admin
reports:make_again                 post   analyst
reports:export_edition             get    viewer
reports:alerts                     get    analyst
reports:alert_new                  get    analyst
reports:alert_new                  post   analyst
reports:alert                      get    analyst
reports:alert_edit                 get    admin
reports:alert_edit                 post   admin
reports:alert_pause                post   admin
reports:alert_resume               post   admin
reports:alert_delete               get    admin
reports:alert_delete               post   admin
reports:branding                   get    viewer
reports:branding                   post   admin
reports:logo                       get    viewer
reports:schedules                  get    analyst
reports:schedule_new               get    analyst
reports:schedule_new               post   analyst
reports:schedule_upcoming          get    analyst
reports:schedule                   get    analyst
reports:schedule_edit              get    admin
reports:schedule_edit              post   admin
reports:schedule_preview           post   analyst
reports:schedule_send              post   admin
reports:schedule_pause             post   admin
reports:schedule_resume            post   admin
reports:schedule_delete            get    admin
reports:schedule_delete            post   admin
reports:deliveries                 get    analyst
reports:resend_delivery            post   admin
reports:enable_recipient           post   admin
settings_workspace                 get    viewer
workspace_export                   post   admin
workspace_export_file              get    admin
workspace_delete                   get    owner
workspace_delete                   post   owner
marketing:segments                 get    viewer
marketing:new_segment              get    analyst
marketing:new_segment              post   analyst
marketing:segment                  get    analyst
marketing:segment                  post   analyst
marketing:segment_duplicate        post   analyst
marketing:segment_archive          post   analyst
marketing:segment_restore          post   analyst
marketing:health                   get    viewer
marketing:load_demo                post   analyst
marketing:remove_demo              get    analyst
marketing:remove_demo              post   analyst
marketing:demo_status              get    viewer
marketing:channels                 get    viewer
marketing:grouping                 get    admin
marketing:grouping                 post   admin
marketing:channel                  get    admin
marketing:channel                  post   admin
marketing:merge_channel            get    admin
marketing:merge_channel            post   admin
marketing:unmerge_channel          post   admin
marketing:swap_colours             post   admin
marketing:forget_name              post   admin
marketing:goals                    get    viewer
marketing:goals                    post   admin
marketing:goal                     get    admin
marketing:goal                     post   admin
marketing:goal_default             post   admin
marketing:goal_archive             post   admin
marketing:goal_restore             post   admin
marketing:goal_delete              post   admin
marketing:outcome                  get    admin
marketing:outcome                  post   admin
marketing:api_touchpoints          get    analyst  data:read
marketing:api_touchpoints          post   analyst  touchpoints:write data:write
marketing:api_conversions          get    analyst  data:read
marketing:api_conversions          post   analyst  conversions:write data:write
marketing:api_spend                get    viewer   data:read
marketing:api_spend                post   analyst  spend:write data:write
marketing:api_outcomes             get    viewer   data:read
marketing:api_outcomes             post   analyst  outcomes:write data:write
marketing:api_controls             get    viewer   data:read
marketing:api_controls             post   analyst  controls:write data:write
marketing:api_experiments          get    viewer   data:read
marketing:api_experiments          post   analyst  experiments:write data:write
marketing:api_events               get    viewer   data:read
marketing:api_events               post   analyst  events:write data:write
marketing:api_paths                get    viewer   data:read
marketing:api_paths                post   analyst  paths:write data:write
marketing:api_imports              get    viewer   data:read
marketing:api_import               get    viewer   data:read
marketing:api_import               delete admin    data:write
marketing:api_import_rejects       get    analyst  data:read
marketing:api_data_health          get    viewer   data:read
marketing:api_segments             get    viewer   data:read
marketing:api_segments             post   analyst  data:write
marketing:api_segments_preview     post   analyst  data:read
marketing:api_segment              get    viewer   data:read
marketing:api_segment              patch  analyst  data:write
marketing:api_segment_preview      get    viewer   data:read
marketing:api_segment_duplicate    post   analyst  data:write
marketing:api_segment_archive      post   analyst  data:write
marketing:api_segment_restore      post   analyst  data:write
marketing:api_channels             get    viewer   data:read settings:read
marketing:api_channel              get    viewer   data:read settings:read
marketing:api_channel              patch  admin    settings:write
marketing:api_channel_merge        post   admin    settings:write
marketing:api_channel_unmerge      post   admin    settings:write
marketing:api_channel_names        get    viewer   data:read settings:read
marketing:api_channel_name         delete admin    settings:write
marketing:api_grouping             get    viewer   data:read settings:read
marketing:api_grouping             put    admin    settings:write
marketing:api_grouping_preview     post   admin    settings:read
marketing:api_campaigns            get    viewer   data:read settings:read
marketing:api_campaign             get    viewer   data:read settings:read
marketing:api_traffic_sources      get    viewer   data:read settings:read
marketing:api_goals                get    viewer   data:read settings:read
marketing:api_goals                post   admin    settings:write
marketing:api_goal                 get    viewer   data:read settings:read
marketing:api_goal                 patch  admin    settings:write
marketing:api_goal                 delete admin    settings:write
marketing:api_goal_default         post   admin    settings:write
marketing:api_goal_archive         post   admin    settings:write
marketing:api_goal_restore         post   admin    settings:write
marketing:api_outcome_series_list  get    viewer   data:read settings:read
marketing:api_outcome_series       get    viewer   data:read settings:read
marketing:api_outcome_series       patch  admin    settings:write
marketing:api_control_series_list  get    viewer   data:read settings:read
marketing:api_control_series       get    viewer   data:read settings:read
marketing:api_customer_lookup      post   admin    data:read
marketing:api_customer_requests    get    admin    data:read
marketing:api_customer_request     get    admin    data:read
marketing:api_customer             get    admin    data:read
marketing:api_customer_export      post   admin    data:read
marketing:api_customer_erase       post   admin    data:write
marketing:data                     get    viewer
marketing:data                     post   analyst
marketing:template                 get    viewer
marketing:upload                   get    analyst
marketing:upload_file              get    analyst
marketing:upload_file              post   analyst
marketing:upload_columns           get    analyst
marketing:upload_columns           post   analyst
marketing:upload_check             get    analyst
marketing:upload_check             post   analyst
marketing:check_again              post   analyst
marketing:cancel_check             post   analyst
marketing:discard_upload           post   analyst
marketing:upload_rejects           get    analyst
marketing:import                   get    viewer
marketing:cancel_import            post   admin
marketing:undo_import              get    admin
marketing:undo_import              post   admin
marketing:import_again             post   analyst
marketing:import_file              get    analyst
marketing:import_rejects           get    analyst
marketing:privacy                  get    viewer
marketing:privacy                  post   admin
marketing:customer                 get    admin
marketing:export_customer          post   admin
marketing:erase_customer           post   admin
analyses:runs                      get    viewer
analyses:compare                   get    viewer
analyses:run                       get    viewer
analyses:cancel                    post   admin
analyses:retry                     post   analyst
analyses:api_kinds                 get    viewer   attribution:read weightings:read crosschannel:read runs:read
analyses:api_runs                  get    viewer   attribution:read weightings:read crosschannel:read runs:read
analyses:api_runs                  post   analyst  attribution:write weightings:write crosschannel:write runs:write
analyses:api_run                   get    viewer   attribution:read weightings:read crosschannel:read runs:read
analyses:api_retry                 post   analyst  attribution:write weightings:write crosschannel:write runs:write
analyses:api_cancel                post   admin    attribution:write weightings:write crosschannel:write runs:write
attribution:page                   get    viewer
attribution:page                   post   analyst
attribution:data_driven            get    viewer
attribution:custom_models          get    viewer
attribution:custom_new             get    analyst
attribution:custom_new             post   analyst
attribution:custom_model           get    viewer
attribution:custom_model           post   analyst
attribution:custom_duplicate       post   analyst
attribution:custom_archive         post   analyst
attribution:custom_restore         post   analyst
attribution:api_models             get    viewer   attribution:read
attribution:api_custom_models      get    viewer   attribution:read
attribution:api_custom_models      post   analyst  attribution:write
attribution:api_custom_preview     post   analyst  attribution:read
attribution:api_custom_model       get    viewer   attribution:read
attribution:api_custom_model       patch  analyst  attribution:write
attribution:api_custom_versions    post   analyst  attribution:write
weightings:page                    get    viewer
weightings:page                    post   analyst
weightings:forecast                get    viewer
weightings:forecast                post   analyst  +forecast
weightings:forecast_plan           get    viewer   +forecast
weightings:experiments             get    viewer
weightings:new_experiment          get    analyst
weightings:new_experiment          post   analyst
weightings:planner                 get    viewer
weightings:budget                  get    viewer
weightings:budget                  post   analyst
weightings:channel                 get    viewer
weightings:scenarios               get    viewer
weightings:scenarios               post   analyst
weightings:scenario                get    viewer
weightings:scenario_rename         post   analyst
weightings:scenario_duplicate      post   analyst
weightings:scenario_delete         post   analyst
weightings:api_scenarios           get    viewer   weightings:read
weightings:api_scenarios           post   analyst  weightings:write
weightings:api_scenario            get    viewer   weightings:read
weightings:api_scenario            patch  analyst  weightings:write
weightings:api_scenario            delete analyst  weightings:write
crosschannel:page                  get    viewer
crosschannel:page                  post   analyst
crosschannel:journeys              get    viewer
crosschannel:journeys_csv          get    viewer
crosschannel:pair                  get    viewer
""".strip().splitlines()
