"""Who may do what: one table, asked by pages, the API and the command line alike."""

import enum

from accounts.models import Role


class Permission(enum.Enum):
    """Something that a member's role may allow; the value completes "you may not ..."."""

    VIEW = "view this workspace"
    IMPORT = "import data"
    RUN = "run analyses"
    CUSTOM_MODELS = "edit custom models"
    SEGMENTS = "edit segments"
    SCENARIOS = "edit scenarios"
    REPORTS = "edit reports"
    CANCEL_OWN = "cancel your runs"
    CANCEL_ANY = "cancel other people's runs"
    DELETE_OWN_IMPORT = "delete your imports"
    DELETE_ANY_IMPORT = "delete other people's imports"
    SCHEDULE_OWN = "schedule your reports"
    SCHEDULE_ANY = "change other people's schedules"
    SETTINGS = "change the settings"
    MANAGE_MEMBERS = "manage members and roles"
    AUDIT_LOG = "read the audit log"
    PRIVACY = "look up, export or erase customers"
    EXPORT_WORKSPACE = "export the workspace"
    API_KEYS_OWN = "create API keys that only read"
    API_KEYS = "manage every API key"
    PLAN = "change the plan"
    TRANSFER = "transfer the workspace"
    DELETE_WORKSPACE = "delete the workspace"


_VIEWER = frozenset({Permission.VIEW})
_ANALYST = _VIEWER | {
    Permission.IMPORT,
    Permission.RUN,
    Permission.CUSTOM_MODELS,
    Permission.SEGMENTS,
    Permission.SCENARIOS,
    Permission.REPORTS,
    Permission.CANCEL_OWN,
    Permission.DELETE_OWN_IMPORT,
    Permission.SCHEDULE_OWN,
    Permission.API_KEYS_OWN,
}
_ADMIN = _ANALYST | {
    Permission.CANCEL_ANY,
    Permission.DELETE_ANY_IMPORT,
    Permission.SCHEDULE_ANY,
    Permission.SETTINGS,
    Permission.MANAGE_MEMBERS,
    Permission.AUDIT_LOG,
    Permission.PRIVACY,
    Permission.EXPORT_WORKSPACE,
    Permission.API_KEYS,
}
_OWNER = _ADMIN | {Permission.PLAN, Permission.TRANSFER, Permission.DELETE_WORKSPACE}

_ALLOWED = {Role.VIEWER: _VIEWER, Role.ANALYST: _ANALYST, Role.ADMIN: _ADMIN, Role.OWNER: _OWNER}


def allows(role: str, permission: Permission) -> bool:
    """Whether a member with `role` may do what `permission` names."""
    return permission in _ALLOWED[Role(role)]


def roles_up_to(role: str) -> list[Role]:
    """Return the roles that allow nothing which `role` does not, from the mightiest down: those one may give."""
    return [each for each in Role if _ALLOWED[each] <= _ALLOWED[Role(role)]]
