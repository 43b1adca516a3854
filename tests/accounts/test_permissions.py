"""The table of who may do what."""

import pytest

from accounts.models import Role
from accounts.permissions import Permission, allows, roles_up_to

OWNER, ADMIN, ANALYST, VIEWER = Role.OWNER, Role.ADMIN, Role.ANALYST, Role.VIEWER

# One line per line of the product's table, written out again so that a slip in either shows.
TABLE: dict[Permission, set[Role]] = {
    Permission.VIEW: {OWNER, ADMIN, ANALYST, VIEWER},
    Permission.IMPORT: {OWNER, ADMIN, ANALYST},
    Permission.RUN: {OWNER, ADMIN, ANALYST},
    Permission.CUSTOM_MODELS: {OWNER, ADMIN, ANALYST},
    Permission.SEGMENTS: {OWNER, ADMIN, ANALYST},
    Permission.SCENARIOS: {OWNER, ADMIN, ANALYST},
    Permission.REPORTS: {OWNER, ADMIN, ANALYST},
    Permission.CANCEL_OWN: {OWNER, ADMIN, ANALYST},
    Permission.DELETE_OWN_IMPORT: {OWNER, ADMIN, ANALYST},
    Permission.DELETE_ANY_IMPORT: {OWNER, ADMIN},
    Permission.SCHEDULE_OWN: {OWNER, ADMIN, ANALYST},
    Permission.SCHEDULE_ANY: {OWNER, ADMIN},
    Permission.CANCEL_ANY: {OWNER, ADMIN},
    Permission.SETTINGS: {OWNER, ADMIN},
    Permission.MANAGE_MEMBERS: {OWNER, ADMIN},
    Permission.AUDIT_LOG: {OWNER, ADMIN},
    Permission.PRIVACY: {OWNER, ADMIN},
    Permission.EXPORT_WORKSPACE: {OWNER, ADMIN},
    Permission.API_KEYS_OWN: {OWNER, ADMIN, ANALYST},
    Permission.API_KEYS: {OWNER, ADMIN},
    Permission.PLAN: {OWNER},
    Permission.TRANSFER: {OWNER},
    Permission.DELETE_WORKSPACE: {OWNER},
}


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_the_table_says(role: Role, permission: Permission) -> None:
    assert allows(role, permission) == (role in TABLE[permission])


def test_an_unknown_role_is_an_error_and_not_a_permission() -> None:
    with pytest.raises(ValueError, match="superhero"):
        allows("superhero", Permission.VIEW)


def test_the_roles_that_one_may_give_are_ones_own_and_those_below() -> None:
    assert roles_up_to(OWNER) == [OWNER, ADMIN, ANALYST, VIEWER]
    assert roles_up_to(ADMIN) == [ADMIN, ANALYST, VIEWER]
    assert roles_up_to(VIEWER) == [VIEWER]
