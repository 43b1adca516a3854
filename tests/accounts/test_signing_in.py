"""Sign-up, sign-in, sign-out, reset and second factor, as django-allauth is set up here."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User

pytestmark = pytest.mark.django_db
EMAIL = "ann@example.com"
PASSWORD = "correct horse battery"
SIGN_UP = {"email": EMAIL, "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def ann() -> User:
    user = User.objects.create_user(EMAIL, PASSWORD)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    return user


def _sign_in(client: Client, password: str = PASSWORD, email: str = EMAIL) -> str:
    """Return where signing in leads to, or "" if it fails."""
    return client.post("/accounts/login/", {"login": email, "password": password}).headers.get("Location", "")


def test_signing_up_leads_to_making_a_workspace(client: Client) -> None:
    response = client.post("/accounts/signup/", SIGN_UP)
    assert response.headers["Location"] == "/"
    assert client.get("/").headers["Location"] == "/w/new/"
    assert User.objects.get().email == EMAIL


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "ann", "Enter a valid email address."),
        ("password1", "short", "It must contain at least 12 characters."),
        ("password1", "password1234", "This password is too common."),
        ("password2", "another password", "You must type the same password each time."),
    ],
)
def test_signing_up_says_what_is_wrong(client: Client, field: str, value: str, sentence: str) -> None:
    form = SIGN_UP | {field: value} | ({"password2": value} if field == "password1" else {})
    response = client.post("/accounts/signup/", form)
    assert sentence in response.content.decode()
    assert not User.objects.exists()


def test_signing_up_twice_does_not_tell_who_has_an_account(client: Client, ann: User, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # as in production
    response = client.post("/accounts/signup/", SIGN_UP | {"email": EMAIL.upper()})
    assert response.status_code == 302
    assert User.objects.count() == 1
    assert mail.outbox[0].to == [EMAIL]


def test_the_email_address_signs_in_whatever_its_case(client: Client, ann: User) -> None:
    assert _sign_in(client, email="Ann@Example.com") == "/"


def test_an_owner_named_in_capitals_on_the_command_line_signs_in(client: Client) -> None:
    call_command("create_workspace", "Blue Fox", slug="blue-fox", owner="Bea.Fox@Example.COM")
    bea = User.objects.get()
    bea.set_password(PASSWORD)
    bea.save()
    assert _sign_in(client, email="Bea.Fox@Example.COM") == "/"
    client.logout()
    assert _sign_in(client, email="bea.fox@example.com") == "/"


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong password"), ("nobody@example.com", PASSWORD)])
def test_a_wrong_password_and_an_unknown_address_look_the_same(
    client: Client, ann: User, email: str, password: str
) -> None:
    response = client.post("/accounts/login/", {"login": email, "password": password})
    assert "The email address and/or password you specified are not correct." in response.content.decode()


def test_guessing_passwords_is_stopped(client: Client, ann: User) -> None:
    for _ in range(10):
        _sign_in(client, "wrong password")
    assert _sign_in(client) == ""


def test_guesses_behind_a_proxy_are_counted_by_the_visitors_address(
    client: Client, ann: User, settings: Settings
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1  # as with BEHIND_PROXY

    def sign_in(email: str, password: str, address: str) -> int:
        form = {"login": email, "password": password}
        return client.post("/accounts/login/", form, headers={"x-forwarded-for": address}).status_code

    for number in range(10):
        sign_in(f"nobody{number}@example.com", "wrong password", "203.0.113.1")
    assert sign_in(EMAIL, PASSWORD, "198.51.100.7, 203.0.113.1") == 200
    assert sign_in(EMAIL, PASSWORD, "203.0.113.2") == 302


def test_signing_out_takes_a_post(client: Client, ann: User) -> None:
    _sign_in(client)
    client.get("/accounts/logout/")
    assert client.get("/w/new/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/w/new/").headers["Location"] == "/accounts/login/?next=/w/new/"


def test_a_forgotten_password_is_replaced_by_the_link_in_the_mail(client: Client, ann: User) -> None:
    client.post("/accounts/password/reset/", {"email": EMAIL})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link is not None
    form = client.get(link[1], follow=True)
    new_password = "a wholly new password"
    client.post(form.request["PATH_INFO"], {"password1": new_password, "password2": new_password})
    assert _sign_in(Client()) == ""
    assert _sign_in(Client(), new_password) == "/"


def test_asking_for_a_reset_does_not_tell_who_has_an_account(client: Client, ann: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": EMAIL})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])


def test_a_user_made_on_the_command_line_can_set_a_password_by_mail(client: Client) -> None:
    User.objects.create_user(EMAIL)
    client.post("/accounts/password/reset/", {"email": EMAIL})
    assert "/accounts/password/reset/key/" in str(mail.outbox[0].body)


def test_a_second_factor_is_asked_for_once_it_is_set_up(client: Client, ann: User) -> None:
    _sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="authenticator_secret"[^>]*value="(\w+)"', page)
    assert secret is not None
    code = format_hotp_value(hotp_value(secret[1], next(yield_hotp_counters_from_time())))
    assert client.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302
    assert get_adapter().is_mfa_enabled(ann)

    other = Client()
    assert _sign_in(other) == "/accounts/2fa/authenticate/"
    assert other.get("/w/new/").status_code == 302
    recovery = client.get("/accounts/2fa/recovery-codes/").content.decode()
    first_code = re.search(r"<textarea[^>]*>(\w+)", recovery)
    assert first_code is not None
    assert other.post("/accounts/2fa/authenticate/", {"code": first_code[1]}).headers["Location"] == "/"
    assert other.get("/w/new/").status_code == 200
