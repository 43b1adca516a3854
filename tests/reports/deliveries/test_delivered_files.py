"""Files that were too large for their mail: a link for whoever has it, for 14 days."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User, Workspace
from reports.deliveries.links import file_url, unsubscribe_url
from reports.models import Delivery, Recipient
from reports.workspace_deletion import request_deletion
from tests.reports.deliveries.conftest import Enqueue


def path_of(delivery: Delivery, form: str = "csv") -> str:
    return "/" + file_url(delivery, form).split("/", 3)[3]


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.fixture
def delivery(send: Enqueue, ann: Recipient) -> Delivery:
    (delivery,) = send(ann, formats=("csv",))
    return delivery


def test_whoever_has_the_link_gets_the_file(client: Client, delivery: Delivery) -> None:
    response = client.get(path_of(delivery))
    assert response.status_code == 200
    assert b"data-driven,Paid search,1234.54" in body(response)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    disposition = response.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="attribution-acme-2025-06-01-to-2025-06-30.csv"'
    assert "no-store" in response.headers["Cache-Control"]
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


def test_asking_for_the_head_only_gets_no_body(client: Client, delivery: Delivery) -> None:
    response = client.head(path_of(delivery))
    assert response.status_code == 200
    assert response.content == b"" if not response.streaming else body(response) == b""


def test_the_link_ends_after_14_days(client: Client, delivery: Delivery) -> None:
    path, now = path_of(delivery), timezone.now()
    with time_machine.travel(now + dt.timedelta(days=13, hours=23), tick=False):
        assert body(client.get(path))
    with time_machine.travel(now + dt.timedelta(days=14, seconds=1), tick=False):
        response = client.get(path)
    assert response.status_code == 410
    assert "It worked for 14 days." in response.text


def test_the_link_ends_with_the_subscription(client: Client, delivery: Delivery, ann: Recipient) -> None:
    client.post("/" + unsubscribe_url(ann).split("/", 3)[3])
    response = client.get(path_of(delivery))
    assert response.status_code == 410
    assert "you get it no more" in response.text


def test_the_link_ends_with_the_recipient(client: Client, delivery: Delivery, ann: Recipient) -> None:
    ann.delete()
    assert client.get(path_of(delivery)).status_code == 410


def test_the_link_ends_with_the_report(client: Client, delivery: Delivery) -> None:
    assert delivery.edition is not None
    delivery.edition.delete()
    assert client.get(path_of(delivery)).status_code == 410


def test_the_link_ends_with_the_delivery(client: Client, delivery: Delivery) -> None:
    path = path_of(delivery)
    delivery.delete()
    assert client.get(path).status_code == 410


def test_the_link_ends_when_the_workspace_is_being_deleted(
    client: Client, delivery: Delivery, shop: Workspace, owner: User
) -> None:
    request_deletion(workspace=shop, by=owner, ring=False)
    assert client.get(path_of(delivery)).status_code == 410


@pytest.mark.parametrize("form", ["pdf", "exe", "..", "csv%00"])
def test_only_what_was_sent_is_there(client: Client, delivery: Delivery, form: str) -> None:
    token = path_of(delivery).split("/")[2]
    assert client.get(f"/deliveries/{token}/{form}").status_code == 404


def test_what_is_no_token_is_not_found(client: Client, delivery: Delivery, ann: Recipient) -> None:
    pk, at, signature = path_of(delivery).split("/")[2].split(".")
    others = unsubscribe_url(ann).split("/")[-2]
    for token in (pk, f"{pk}.{at}.{signature[::-1]}", f"{'0' * 32}.{at}.{signature}", others, "%00"):
        assert client.get(f"/deliveries/{token}/csv").status_code == 404


def test_signing_in_makes_no_difference(
    client_for: Callable[[User | None], Client], outsider: User, delivery: Delivery
) -> None:
    assert body(client_for(outsider).get(path_of(delivery)))


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_other_methods_do_not_exist(client: Client, delivery: Delivery, method: str) -> None:
    assert getattr(client, method)(path_of(delivery)).status_code == 405
