"""Who set up a webhook is told by mail that the product has disabled it."""

from accounts.models import User, Workspace
from reports.models import Delivery
from tests.webhooks.steps import an_endpoint
from webhooks.endpoints import disable_endpoint, stop_by_itself


def notices() -> list[Delivery]:
    return list(Delivery.objects.filter(purpose=Delivery.Purpose.NOTICE).order_by("email"))


def test_whoever_set_it_up_is_told(shop: Workspace, admin: User, owner: User) -> None:
    endpoint = an_endpoint(shop, created_by=admin)
    stop_by_itself(endpoint, because="Nothing could be delivered for five days. The last time: It was down.")
    stop_by_itself(endpoint, because="Again.")
    (notice,) = notices()
    assert (notice.email, notice.subject) == (admin.email, "Webhook disabled: hooks.example.com")
    assert "The last time: It was down." in notice.body
    assert f"/w/acme/settings/webhooks/{endpoint.pk}/" in notice.body
    assert "planted" not in notice.body


def test_the_owners_are_told_where_whoever_set_it_up_has_left(shop: Workspace, owner: User, admin: User) -> None:
    shop.memberships.filter(user=admin).delete()
    stop_by_itself(an_endpoint(shop, created_by=admin), because="It is gone.")
    assert [notice.email for notice in notices()] == [owner.email]


def test_who_disables_it_by_hand_needs_no_mail(shop: Workspace, owner: User) -> None:
    disable_endpoint(endpoint=an_endpoint(shop, created_by=owner), by=owner)
    assert notices() == []
