"""Channels that two create at the same moment: an import, and the daily cube."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic

from accounts.models import Workspace
from marketing.importing import dimensions
from marketing.importing.dimensions import Dimensions, create_channel, ensure_channels
from marketing.models import Channel, Outcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def rival(monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> list[str]:
    """Names of channels that somebody else creates, with the next colours, between our look and our insert."""
    names: list[str] = []
    create = dimensions._create_channels

    @contextmanager
    def lose_then_begin() -> Iterator[None]:
        seen = dimensions._next_colour_slot(workspace)
        taken = [names.pop() for _name in list(names)]
        create(workspace, taken, {})
        with atomic(), monkeypatch.context() as meanwhile:
            if taken:
                meanwhile.setattr(dimensions, "_next_colour_slot", lambda _workspace: seen)
            yield

    monkeypatch.setattr(dimensions, "transaction", SimpleNamespace(atomic=lose_then_begin))
    return names


def colours() -> list[tuple[str, int]]:
    return list(Channel.objects.order_by("colour_slot").values_list("name", "colour_slot"))


def test_missing_channels_get_the_next_colours_and_known_ones_keep_theirs(workspace: Workspace) -> None:
    create_channel(workspace=workspace, name="Email", type=Channel.Type.OWNED)
    found = ensure_channels(workspace=workspace, names=["Direct", "EMAIL", "Referral"])
    assert [channel.name for channel in found] == ["Direct", "Email", "Referral"]
    assert colours() == [("Email", 0), ("Direct", 1), ("Referral", 2)]
    assert Channel.objects.get(name="Direct").type == Channel.Type.ORGANIC


@pytest.mark.parametrize("theirs", ["Direct", "TV"])
def test_a_channel_or_colour_taken_at_the_same_moment_is_no_failure(
    workspace: Workspace, rival: list[str], theirs: str
) -> None:
    rival.append(theirs)
    found = ensure_channels(workspace=workspace, names=["Direct", "Referral"])
    assert [channel.name for channel in found] == ["Direct", "Referral"]
    assert [slot for _name, slot in colours()] == list(range(Channel.objects.count()))
    assert {name for name, _slot in colours()} == {"Direct", "Referral", theirs}


def test_an_import_takes_the_channel_that_the_cube_made_meanwhile(workspace: Workspace, rival: list[str]) -> None:
    importing = Dimensions(workspace)
    assert importing.channels(["Email"])
    rival.append("Direct")
    ids = importing.channels(["Direct"])
    assert ids == {"Direct": Channel.objects.get(name="Direct").pk}


def test_whoever_always_loses_says_so(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    create_channel(workspace=workspace, name="Email", type=Channel.Type.OWNED)
    monkeypatch.setattr(dimensions, "_next_colour_slot", lambda _workspace: 0)
    with pytest.raises(IntegrityError):
        ensure_channels(workspace=workspace, names=["Direct"])


@pytest.mark.parametrize(
    ("name", "kind", "money"),
    [
        ("Revenue", "sales", True),
        ("net_revenue", "sales", True),
        ("Umsatz", "sales", True),
        ("Sales", "sales", False),
        ("Orders", "sales", False),
        ("revenue_per_conversion", "sales", False),
        ("Website visits", "website_traffic", False),
        ("Sessions: Organic Search", "website_traffic", False),
        ("App installs", "app_installs", False),
        ("Brand awareness", "brand_awareness", False),
        ("y", "custom", False),
        ("Resale partners", "custom", False),
    ],
)
def test_a_new_outcome_is_taken_for_what_its_name_says(name: str, kind: str, money: bool, workspace: Workspace) -> None:
    outcome_id = Dimensions(workspace).outcomes([name])[name]

    outcome = Outcome.objects.get(pk=outcome_id)
    assert (outcome.kind, outcome.is_money) == (kind, money)
