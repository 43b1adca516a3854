"""Role x credential x plan x address: who may, gets in, and who may not, is told so or learns nothing.

In every run each address meets every role, every credential and every plan (but not all of their combinations); the
full tests try them all. Roles are set beside keys that their makers could not make (any more): a key does no more
than its maker's role.
"""

import os
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from itertools import cycle, product
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.actions import set_plan
from accounts.api_keys import digest_of, generate
from accounts.models import ApiKey, Membership, Plan, Role, User, Workspace
from accounts.scopes import Scope
from api.views import ApiView
from tests.factories import UserFactory
from tests.permission_table import Rule, rules
from tests.routes import Route, every_route
from tests.test_every_url import World, make_world, signed_in

RULES = rules()
ROUTES = {route.name: route for route in every_route()}
ROLES = (Role.VIEWER, Role.ANALYST, Role.ADMIN, Role.OWNER)
NOBODY, STRANGER = "nobody", "stranger"
OWN_LIST = "api:workspaces"  # of a stranger's own workspaces
WHO = (NOBODY, STRANGER, *ROLES)
SESSION, FITTING_KEY, OTHER_KEY = "a session", "a key with the scope", "a key with all other scopes"
PLANS = ("starter", "enterprise")
# Addresses that are not of one workspace: a stranger gets in as well as anybody.
OF_ANYBODY = {
    "home", "new_workspace", "stop_viewing_as", "guide:index", "guide:page", "guide:search", "guide:picture",
}  # fmt: skip
# The run of this world that addresses name is none of it.
NO_RUN_OF_IT = "weightings:forecast_plan"
# Of these, people see their own only, unless they may do so to all.
HIDDEN = {"api:rotate_key", "api:revoke_key"}


@dataclass(frozen=True)
class Attempt:
    """Somebody who asks for something."""

    rule: Rule
    who: str
    credential: str
    plan: str

    def __str__(self) -> str:
        return f"{self.rule} as {self.who} by {self.credential} on {self.plan}"


@dataclass(frozen=True)
class People:
    """A world and somebody of each role in it."""

    world: World
    users: dict[str, User]
    browsers: dict[str, Client]  # signed in

    def client(self, attempt: Attempt) -> Client:
        client = Client(raise_request_exception=False)
        user = self.users.get(attempt.who)
        if user is None:
            return client
        if attempt.credential == SESSION:
            client.cookies = copy(self.browsers[attempt.who].cookies)
            return client
        fitting = set(Scope.values) if attempt.rule.scopes == ("any",) else set(attempt.rule.scopes)
        scopes = fitting if attempt.credential == FITTING_KEY else set(Scope.values) - fitting
        workspace = self.world.workspace if attempt.who != STRANGER else Workspace.objects.get(slug="elsewhere")
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {add_key(workspace, user, scopes)}"
        return client


def add_key(workspace: Workspace, user: User, scopes: set[str]) -> str:
    """Return the text of a key that nobody had to be allowed to make."""
    lookup, text = generate()
    ApiKey.objects.create(
        workspace=workspace,
        created_by=user,
        name="Key",
        lookup=lookup,
        digest=digest_of(text),
        last4=text[-4:],
        scopes=sorted(scopes),
    )
    return text


@pytest.fixture(scope="module")
def people(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[People]:
    """Made once: each attempt begins a transaction of its own inside this one, and takes back what it did."""
    with django_db_blocker.unblock(), transaction.atomic():
        world = make_world()
        Plan.objects.update(api_calls_a_minute=10**6)
        admin = UserFactory.create()
        Membership.objects.create(workspace=world.workspace, user=admin, role=Role.ADMIN)
        roles: dict[str, User] = {
            Role.VIEWER: world.viewer,
            Role.ANALYST: world.analyst,
            Role.ADMIN: admin,
            Role.OWNER: world.owner,
        }
        users = {STRANGER: world.outsider, **roles}
        yield People(world, users, {who: signed_in(user) for who, user in users.items()})
        transaction.set_rollback(True)


def attempts(rule: Rule, route: Route) -> Iterator[Attempt]:
    """Yield every combination in the full tests; else each role once, with the credentials and plans in turn."""
    credentials = (SESSION, FITTING_KEY, OTHER_KEY) if takes_keys(rule, route) else (SESSION,)
    combinations: Iterable[tuple[str, str, str]]
    first_owners = WHO[::-1]  # what is missing for them is missing for everybody
    if os.environ.get("HYPOTHESIS_PROFILE") == "full":
        combinations = product(first_owners, credentials, PLANS)
    else:
        # Those who may meet a session and both keys: three credentials and two plans come round in six.
        combinations = zip(first_owners, cycle(credentials), cycle((*PLANS, *PLANS[::-1])), strict=False)
    for who, credential, plan in combinations:
        yield Attempt(rule, who, credential, plan)


def takes_keys(rule: Rule, route: Route) -> bool:
    return route.is_api and rule.scopes != ("public",)


def expected(attempt: Attempt, route: Route) -> set[str]:
    """Return what may come of it."""
    rule = attempt.rule
    if rule.scopes == ("public",):
        return {"in"}
    if attempt.who == NOBODY:
        return {"who are you"}
    if attempt.credential == OTHER_KEY and rule.scopes != ("any",):
        return {"no", "nothing"} if attempt.who == STRANGER else {"no"}
    if attempt.credential == OTHER_KEY:  # there are no other scopes
        return {"no", "nothing"}
    if attempt.who == STRANGER:
        return {"in"} if route.name in OF_ANYBODY else {"nothing", "in"} if route.name == OWN_LIST else {"nothing"}
    if attempt.who == Role.VIEWER and attempt.credential == FITTING_KEY:  # they have had one since they were more
        return {"no"}
    only_reads = attempt.who == Role.ANALYST  # the keys of such people
    if attempt.credential == FITTING_KEY and only_reads and all(scope.endswith(":write") for scope in rule.scopes):
        return {"no"}
    if ROLES.index(Role(attempt.who)) < ROLES.index(Role(rule.role)):
        return {"no", "nothing"} if rule.route in HIDDEN else {"no"}
    return {"no"} if rule.feature and attempt.plan == "starter" else {"in"}


def what_came(response: HttpResponse) -> str:
    """Return what an answer says to whoever asked."""
    status = response.status_code
    location = str(response.headers.get("Location", ""))
    if status == 401 or (status == 302 and location.startswith("/accounts/login/")):
        return "who are you"
    if status >= 500:
        return f"a fault: {status}"
    return {403: "no", 404: "nothing", 405: "no such method"}.get(status, "in")


def ask(people: People, attempt: Attempt, route: Route) -> HttpResponse:
    client, url = people.client(attempt), route.url(people.world.arguments)
    if route.is_api:
        url += "?workspace=acme" if takes_keys(attempt.rule, route) else ""
    body: dict[str, Any] = {"content_type": "application/json", "data": {}} if route.is_api else {}
    if attempt.rule.method == "get":
        body = {}
    response: HttpResponse = getattr(client, attempt.rule.method)(url, **body)
    if response.streaming:
        b"".join(response.streaming_content)  # type: ignore[attr-defined]
    return response


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_who_may(rule: Rule, people: People, db: None) -> None:
    route = ROUTES[rule.route]
    wrong, owners = [], ""
    for attempt in attempts(rule, route):
        with transaction.atomic():
            set_plan(workspace=people.world.workspace, plan=attempt.plan, by=None)
            came = what_came(ask(people, attempt, route))
            transaction.set_rollback(True)
        wanted = expected(attempt, route)
        if attempt.who == Role.OWNER and attempt.credential != OTHER_KEY:
            owners = came
        # What this world does not have is missing for whoever may see it, too.
        is_missing = owners == "nothing" or rule.route == NO_RUN_OF_IT
        if came == "nothing" and is_missing and attempt.who not in (NOBODY, STRANGER):
            continue
        if came not in wanted:
            wrong.append(f"{attempt}: {came}, not {' or '.join(wanted)}")
    assert not wrong, "\n".join(wrong)


def test_the_table_has_every_address_and_no_other() -> None:
    ours = {name for name, route in ROUTES.items() if not (route.is_admin or route.is_account or route.is_of_a_mail)}
    in_table = {rule.route for rule in RULES}
    assert in_table == ours


def test_the_table_has_every_method_of_the_api() -> None:
    made = set()
    for name, route in ROUTES.items():
        if not route.is_api:
            continue
        view = route.view_class
        methods = ("get", "post", "put", "patch", "delete")
        if view is not None and issubclass(view, ApiView):
            made |= {(name, method) for method in methods if hasattr(view, method)}
    assert made == {(rule.route, rule.method) for rule in RULES if rule.scopes and rule.scopes != ("public",)}
