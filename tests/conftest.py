"""Fixtures that every test may use: people, their workspace, and browsers signed in as them."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from hypothesis import settings as hypothesis_settings
from pytest_django.fixtures import Settings
from pytest_socket import socket_allow_hosts

from accounts.models import Membership, Role, User, Workspace
from jobs.execution import execute
from marketing.importing.actions import request_import
from marketing.models import Dataset, Import
from marketing.receivers import create_default_goals
from tests import factories

ImportRows = Callable[..., Import]


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    """Nothing leaves this machine: loopback and Unix sockets only."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays to the end: no search for garbage needs to look through it, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests in a browser, some of which take minutes: at the end, one process would wait for another."""
    items.sort(key=lambda item: "/browser/" not in item.nodeid)


def pytest_configure() -> None:
    # The first example may wait for a kernel to be compiled, and the machine may be busy: time is nobody's finding.
    # Every run looks at the same examples, so that one fails for what was changed; the full tests look at others.
    hypothesis_settings.register_profile("tests", deadline=None, max_examples=25, derandomize=True)
    hypothesis_settings.register_profile("full", deadline=None, max_examples=200)
    hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))
    # Each test client loads the middleware, and WhiteNoise would list every static file each time.
    settings.WHITENOISE_AUTOREFRESH = True
    # Argon2 is slow on purpose; who may sign in does not depend on it.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate limits live in the cache: no test inherits another's count."""
    cache.clear()


@pytest.fixture(autouse=True)
def _raise_what_runs_only_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run goes on where its data cannot be looked at; a test does not."""

    def raise_it(*_args: object) -> None:
        raise  # what is being logged

    monkeypatch.setattr("analyses.data_health.logger.exception", raise_it)


@pytest.fixture
def workspace(db: None) -> Workspace:
    """A workspace on the Starter plan, with nobody in it."""
    return factories.WorkspaceFactory.create(name="Acme", slug="acme")


@pytest.fixture
def member(workspace: Workspace) -> Callable[[Role], User]:
    """Make a user who has this role in the workspace."""

    def make(role: Role) -> User:
        membership: Membership = factories.MembershipFactory.create(
            workspace=workspace, role=role, user__email=f"{role}@example.com"
        )
        return membership.user

    return make


@pytest.fixture
def owner(member: Callable[[Role], User]) -> User:
    return member(Role.OWNER)


@pytest.fixture
def admin(member: Callable[[Role], User]) -> User:
    return member(Role.ADMIN)


@pytest.fixture
def analyst(member: Callable[[Role], User]) -> User:
    return member(Role.ANALYST)


@pytest.fixture
def viewer(member: Callable[[Role], User]) -> User:
    return member(Role.VIEWER)


@pytest.fixture
def outsider(db: None) -> User:
    """Somebody who owns another workspace."""
    membership: Membership = factories.MembershipFactory.create(
        workspace__name="Elsewhere", workspace__slug="elsewhere", role=Role.OWNER, user__email="outsider@example.com"
    )
    return membership.user


@pytest.fixture
def client_for() -> Callable[[User | None], Client]:
    """Make a browser that is signed in as this user (None: not signed in)."""

    def make(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return make


@pytest.fixture
def shop(workspace: Workspace, tmp_path: Path, settings: Settings) -> Workspace:
    """A workspace with the goals that a new one has; its files are this test's alone."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    create_default_goals(workspace=workspace)
    return workspace


@pytest.fixture
def import_rows(shop: Workspace, tmp_path: Path) -> ImportRows:
    """`import_rows("touchpoints", "customer,occurred_at,channel", "anna,2026-03-01T10:00Z,Email")`."""

    def import_rows(dataset: str, *lines: str, workspace: Workspace = shop, carry_out: bool = True) -> Import:
        file = tmp_path / f"rows-{Import.objects.count()}.csv"
        file.write_text("\n".join([*lines, ""]))
        batch = request_import(
            workspace=workspace,
            dataset=Dataset(dataset),
            file=file,
            mapping={},
            by=None,
            origin=Import.Origin.CLI,
            ring=False,
        )
        if carry_out:
            execute(job_id=batch.job_id)
        return Import.objects.select_related("job").get(pk=batch.pk)

    return import_rows
