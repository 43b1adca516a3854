"""What each action of the audit log is called in plain words. A test holds this against every `record` in the code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Noun:
    """What actions are about: its name as a heading, and the words for each verb."""

    label: str
    verbs: dict[str, str]


# By the first part of an action; in the order in which people look for them.
NOUNS: dict[str, Noun] = {
    "workspace": Noun(
        "Workspace",
        {
            "created": "Created the workspace",
            "changed_in_admin": "Changed the workspace as site admin",
            "transferred": "Transferred the workspace to",
            "export_requested": "Asked for an export of the workspace",
            "deletion_requested": "Deleted the workspace",
            "deleted": "Removed all that the workspace held",
        },
    ),
    "settings": Noun("General settings", {"changed": "Changed the settings"}),
    "member": Noun(
        "Members",
        {"added": "Added a member", "role_changed": "Changed the role of", "removed": "Removed a member"},
    ),
    "invitation": Noun(
        "Invitations",
        {"sent": "Sent an invitation to", "accepted": "Accepted an invitation", "revoked": "Revoked the invitation of"},
    ),
    "api_key": Noun(
        "API keys",
        {"created": "Created an API key", "rotated": "Rotated an API key", "revoked": "Revoked an API key"},
    ),
    "webhook": Noun(
        "Webhooks",
        {
            "created": "Added a webhook",
            "changed": "Changed a webhook",
            "secret_rotated": "Gave a webhook another secret",
            "enabled": "Enabled a webhook",
            "disabled": "Disabled a webhook",
            "tested": "Sent a test event to a webhook",
            "redelivered": "Sent a webhook’s message again",
            "deleted": "Deleted a webhook",
        },
    ),
    "plan": Noun(
        "Plan",
        {
            "changed": "Put the workspace on another plan",
            "created": "Created a plan",
            "edited": "Changed what a plan includes",
            "deleted": "Deleted a plan",
        },
    ),
    "plan_request": Noun(
        "Requests for another plan",
        {
            "made": "Asked for another plan",
            "withdrawn": "Withdrew the request for a plan",
            "granted": "Granted the request for a plan",
            "declined": "Declined the request for a plan",
        },
    ),
    "audit": Noun("Audit log", {"exported": "Exported the audit log"}),
    "user": Noun(
        "Accounts of people",
        {
            "created": "Created an account",
            "edited": "Changed an account as site admin",
            "deactivated": "Closed an account",
            "reactivated": "Opened an account again",
            "address_confirmed": "Confirmed the e-mail address of",
            "password_reset_sent": "Mailed a link to reset the password of",
            "second_factor_reset": "Removed the second factor of",
            "sessions_ended": "Signed out everywhere",
        },
    ),
    "group": Noun(
        "Groups of site admins",
        {"created": "Created a group", "edited": "Changed a group", "deleted": "Deleted a group"},
    ),
    "periodic_task": Noun(
        "Periodic tasks",
        {
            "run": "Ran a periodic task at once",
            "switched_on": "Switched a periodic task on",
            "switched_off": "Switched a periodic task off",
        },
    ),
    "installation": Noun("The installation", {"restored": "Restored the installation from a"}),
    "impersonation": Noun(
        "Viewing as somebody",
        {"started": "Began to view the product as", "ended": "Stopped viewing the product as"},
    ),
    "import": Noun(
        "Imports",
        {
            "requested": "Asked for an import",
            "finished": "Imported a file",
            "undo_requested": "Asked to undo an import",
            "undone": "Undid an import",
        },
    ),
    "upload": Noun("Uploads", {"started": "Uploaded a file", "discarded": "Discarded an uploaded file"}),
    "demo": Noun(
        "Demo data",
        {
            "requested": "Asked for demo data",
            "removal_requested": "Asked to remove the demo data",
            "removed": "Removed the demo data",
        },
    ),
    "customer": Noun(
        "Customers",
        {
            "exported": "Exported what is held of a customer",
            "erasure_requested": "Asked to erase a customer",
            "erased": "Erased a customer",
        },
    ),
    "channel": Noun(
        "Channels",
        {
            "renamed": "Renamed a channel to",
            "name_forgotten": "Let a channel’s former name go",
            "type_changed": "Changed the type of a channel",
            "colours_swapped": "Swapped the colours of channels",
            "merged": "Merged a channel",
            "unmerged": "Took a merged channel apart",
        },
    ),
    "grouping": Noun("Channel grouping", {"rules_changed": "Changed the rules of the channel grouping"}),
    "goal": Noun(
        "Goals",
        {
            "added": "Added a goal",
            "renamed": "Renamed a goal to",
            "kind_changed": "Changed the kind of a goal",
            "made_default": "Made a goal the default",
            "archived": "Archived a goal",
            "restored": "Restored a goal",
            "deleted": "Deleted a goal",
        },
    ),
    "outcome": Noun("Outcomes", {"changed": "Changed an outcome"}),
    "segment": Noun(
        "Segments",
        {
            "created": "Created a segment",
            "changed": "Changed a segment",
            "archived": "Archived a segment",
            "restored": "Restored a segment",
        },
    ),
    "custom_model": Noun(
        "Custom models",
        {
            "created": "Created a custom model",
            "version_saved": "Saved a version of a custom model",
            "renamed": "Renamed a custom model",
            "archived": "Archived a custom model",
            "restored": "Restored a custom model",
        },
    ),
    "scenario": Noun(
        "Scenarios",
        {
            "saved": "Saved a scenario",
            "changed": "Changed a scenario",
            "renamed": "Renamed a scenario to",
            "deleted": "Deleted a scenario",
        },
    ),
    "run": Noun("Runs", {"requeued": "Queued a run again as site admin"}),
    "job": Noun("Work in the background", {"cancelled": "Cancelled"}),
    "export": Noun("Exports", {"requested": "Asked for a file"}),
    "report": Noun(
        "Reports",
        {"created": "Created a report", "changed": "Changed a report", "deleted": "Deleted a report"},
    ),
    "schedule": Noun(
        "Schedules",
        {
            "created": "Scheduled a report",
            "changed": "Changed a schedule",
            "paused": "Paused a schedule",
            "resumed": "Resumed a schedule",
            "sent_now": "Sent a scheduled report at once",
            "deleted": "Deleted a schedule",
        },
    ),
    "alert": Noun(
        "Alerts",
        {
            "created": "Set up an alert",
            "changed": "Changed an alert",
            "paused": "Paused an alert",
            "resumed": "Resumed an alert",
            "deleted": "Deleted an alert",
        },
    ),
    "recipient": Noun(
        "Recipients",
        {
            "unsubscribed": "Unsubscribed",
            "subscribed_again": "Subscribed again",
            "enabled": "Allowed mails again to",
        },
    ),
    "delivery": Noun("Deliveries", {"sent_again": "Sent a mail again to"}),
    "reminder": Noun("Reminders", {"sent": "Sent a reminder of a model that has grown old"}),
    "branding": Noun("Branding", {"changed": "Changed the look of documents"}),
}


# Events of former versions, which stay in the log.
FORMER_ACTIONS = frozenset({"workspace.changed_in_admin"})
# What site admins do to the installation as a whole is in no workspace's log.
NOUNS_OF_NO_WORKSPACE = frozenset({"group", "periodic_task"})
OF_NO_WORKSPACE = frozenset({"plan.created", "plan.edited", "plan.deleted", "workspace.deleted"})


def in_words(action: str) -> str:
    """Return what an action is called; of one that is not known (any more), its own words."""
    noun, _, verb = action.partition(".")
    known = NOUNS.get(noun)
    if known and verb in known.verbs:
        return known.verbs[verb]
    return f"{noun} {verb}".replace("_", " ").strip().capitalize()


def actions_of(noun: str) -> list[str]:
    """Return the actions about a noun."""
    known = NOUNS.get(noun)
    return [f"{noun}.{verb}" for verb in known.verbs] if known else []
