"""Programs that call the API with a key."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace

WithKey = Callable[..., Client]
ClientFor = Callable[[User | None], Client]


@pytest.fixture
def with_key(workspace: Workspace, owner: User) -> WithKey:
    """Make a program that calls with a key of these scopes, which the owner or another member has made."""

    def make(*scopes: str, of: User | None = None) -> Client:
        _key, text = create_api_key(workspace=workspace, created_by=of or owner, name="A program", scopes=scopes)
        return Client(headers={"Authorization": f"Bearer {text}"})

    return make
