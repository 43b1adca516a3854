"""Signing in and staying so, attacked: sessions, passwords, second factors, guesses, and where signing in leads."""

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from mmm_project import settings as product_settings

pytestmark = pytest.mark.django_db
EMAIL = "ann@example.com"
PASSWORD = "correct horse battery"
NEW_PASSWORD = "a wholly new password"
CHANGE_OF_PASSWORD = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
INSIDE = "/w/new/"  # a page for whoever has signed in


@pytest.fixture
def ann() -> User:
    user = User.objects.create_user(EMAIL, PASSWORD)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    return user


@pytest.fixture
def with_second_factor(ann: User) -> User:
    TOTP.activate(ann, TOTP_SECRET)
    RecoveryCodes.activate(ann)
    return ann


def _sign_in(client: Client, password: str = PASSWORD, email: str = EMAIL) -> str:
    """Return where signing in leads to, or "" if it fails."""
    response = client.post("/accounts/login/", {"login": email, "password": password})
    return response.headers.get("Location", "")


def _code() -> str:
    """What the authenticator app shows at present."""
    code: str = format_hotp_value(hotp_value(TOTP_SECRET, next(yield_hotp_counters_from_time())))
    return code


def _is_inside(client: Client) -> bool:
    return client.get(INSIDE).status_code == 200


def test_signing_in_gives_the_browser_another_session(client: Client, ann: User) -> None:
    planted = client.session
    planted["planted"] = True
    planted.save()
    before = str(planted.session_key)
    client.cookies[product_settings.SESSION_COOKIE_NAME] = before
    assert _sign_in(client) == "/"
    after = client.cookies[product_settings.SESSION_COOKIE_NAME].value
    assert after != before
    assert not Session.objects.filter(session_key=before).exists()


def test_a_session_id_that_nobody_issued_is_not_taken(client: Client, ann: User) -> None:
    chosen = "chosenbyanattacker" + "0" * 14  # as long as a true one
    client.cookies[product_settings.SESSION_COOKIE_NAME] = chosen
    assert _sign_in(client) == "/"
    assert client.cookies[product_settings.SESSION_COOKIE_NAME].value != chosen
    assert not Session.objects.filter(session_key=chosen).exists()


@pytest.mark.parametrize("key", ["a\x00" * 16, "a" * 31, "a" * 33, "A" * 32, "../" * 11])
def test_a_session_id_that_can_be_none_is_not_looked_for(
    client: Client, key: str, django_assert_num_queries: Any
) -> None:
    client.cookies[product_settings.SESSION_COOKIE_NAME] = key
    with django_assert_num_queries(0):
        assert client.get(INSIDE).status_code == 302


def test_a_session_that_was_signed_out_opens_nothing(client: Client, ann: User) -> None:
    _sign_in(client)
    stolen = Client()
    stolen.cookies[product_settings.SESSION_COOKIE_NAME] = client.cookies[product_settings.SESSION_COOKIE_NAME].value
    assert _is_inside(stolen)
    client.post("/accounts/logout/")
    assert not _is_inside(stolen)


def test_another_password_ends_the_other_sessions(client: Client, ann: User) -> None:
    other = Client()
    assert (_sign_in(client), _sign_in(other)) == ("/", "/")
    assert client.post("/accounts/password/change/", CHANGE_OF_PASSWORD).status_code == 302
    assert _is_inside(client)
    assert not _is_inside(other)


def test_a_password_that_was_reset_ends_every_session(client: Client, ann: User) -> None:
    _sign_in(client)
    anybody = Client()
    anybody.post("/accounts/password/reset/", {"email": EMAIL})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link is not None
    form = anybody.get(link[1], follow=True).request["PATH_INFO"]
    anybody.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert not _is_inside(client)
    assert not _is_inside(anybody)
    again = Client().get(link[1], follow=True)
    assert "password1" not in again.content.decode()  # the link works once


def test_passwords_are_kept_as_argon2(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = product_settings.PASSWORD_HASHERS
    assert identify_hasher(make_password(PASSWORD)).algorithm == "argon2"


def _thief(user: User) -> Client:
    """A browser with a session of the user's, whose password was given long ago."""
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("action", ["action_add", "action_remove", "action_primary"])
def test_a_stolen_session_changes_no_address(ann: User, action: str) -> None:
    EmailAddress.objects.create(user=ann, email="second@example.com", verified=True)
    before = list(EmailAddress.objects.order_by("pk").values())
    email = "thief@example.org" if action == "action_add" else "second@example.com"
    answer = _thief(ann).post("/accounts/email/", {action: "", "email": email})
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert list(EmailAddress.objects.order_by("pk").values()) == before


def test_a_stolen_session_gives_up_no_second_factor(with_second_factor: User) -> None:
    for path in ("totp/deactivate/", "recovery-codes/generate/", "recovery-codes/download/", "recovery-codes/"):
        answer = _thief(with_second_factor).get(f"/accounts/2fa/{path}")
        assert answer.headers["Location"].startswith("/accounts/reauthenticate/"), path
    _thief(with_second_factor).post("/accounts/2fa/totp/deactivate/")
    assert get_adapter().is_mfa_enabled(with_second_factor)


def test_a_second_factor_is_given_up_by_whoever_knows_the_password(client: Client, with_second_factor: User) -> None:
    client.force_login(with_second_factor)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/2fa/totp/deactivate/")
    assert not get_adapter().is_mfa_enabled(with_second_factor, types=["totp"])


def test_a_password_alone_opens_no_page_where_there_is_a_second_factor(
    client: Client, with_second_factor: User
) -> None:
    assert _sign_in(client) == "/accounts/2fa/authenticate/"
    for path in (INSIDE, "/api/v1/runs/", "/accounts/email/", "/accounts/2fa/recovery-codes/", "/admin/"):
        assert client.get(path).status_code in (302, 401), path


def test_a_code_of_the_second_factor_works_once(with_second_factor: User) -> None:
    code = _code()
    first, second = Client(), Client()
    for client in (first, second):
        _sign_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": code})
    assert _is_inside(first)
    assert not _is_inside(second)


def test_a_recovery_code_works_once(with_second_factor: User) -> None:
    stored = Authenticator.objects.get(user=with_second_factor, type=Authenticator.Type.RECOVERY_CODES)
    code = RecoveryCodes(stored).get_unused_codes()[0]
    first, second = Client(), Client()
    for client in (first, second):
        _sign_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": code})
    assert _is_inside(first)
    assert not _is_inside(second)


def test_a_dump_of_the_database_holds_no_second_factor(with_second_factor: User) -> None:
    codes = RecoveryCodes(Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES)).get_unused_codes()
    rows = str(list(Authenticator.objects.values()))
    assert rows.count("sealed:") == 2
    for secret in (TOTP_SECRET, *codes):
        assert secret not in rows


def test_under_another_key_no_code_fits(client: Client, with_second_factor: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_KEY = "another key"
    _sign_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": _code()})
    assert not _is_inside(client)


def test_a_second_factor_from_before_it_was_encrypted_goes_on(client: Client, ann: User) -> None:
    Authenticator.objects.create(user=ann, type=Authenticator.Type.TOTP, data={"secret": TOTP_SECRET})
    _sign_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": _code()})
    assert _is_inside(client)


def test_guessing_codes_of_the_second_factor_is_stopped(client: Client, with_second_factor: User) -> None:
    _sign_in(client)
    for guess in range(10):
        client.post("/accounts/2fa/authenticate/", {"code": f"{guess:06}"})
    client.post("/accounts/2fa/authenticate/", {"code": _code()})
    assert not _is_inside(client)


@pytest.mark.parametrize(
    ("path", "form", "tries"),
    [
        ("/accounts/login/", {"login": "nobody{}@example.com", "password": "wrong password"}, 31),
        ("/accounts/signup/", {"email": "new{}@example.com", "password1": "short", "password2": "short"}, 21),
        ("/accounts/password/reset/", {"email": "nobody{}@example.com"}, 21),
        ("/accounts/password/reset/", {"email": EMAIL}, 6),
    ],
    ids=["login", "signup", "resets of many", "resets of one"],
)
def test_what_anybody_may_send_has_a_limit(
    client: Client, ann: User, path: str, form: dict[str, str], tries: int
) -> None:
    statuses = [
        client.post(path, {name: text.format(number) for name, text in form.items()}).status_code
        for number in range(tries)
    ]
    assert 429 not in statuses[: tries - 1]
    assert statuses[-1] == 429


def test_guessing_the_password_of_a_stolen_session_is_stopped(client: Client, ann: User) -> None:
    client.force_login(ann)
    answers = [client.post("/accounts/reauthenticate/", {"password": f"guess {number}"}) for number in range(11)]
    assert answers[-1].status_code == 429


def test_a_flood_of_other_addresses_does_not_free_the_one_that_is_guessed_at(client: Client, ann: User) -> None:
    for _ in range(5):
        _sign_in(client, "wrong password")
    for number in range(1000):  # as many counts as a botnet's guesses leave behind
        cache.set(f"another-count:{number}", [1.0], 300)
    assert _sign_in(Client(REMOTE_ADDR="198.51.100.7")) == ""


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "https:evil.example",
    "https://evil.example/",
    "http:///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "\t//evil.example",
    "%2f%2fevil.example",
]


def _leads_to(client: Client, path: str, form: dict[str, str]) -> str:
    """The host that a browser asks after this form, and the path."""
    where = client.post(path, form).headers["Location"]
    parts = urlsplit(urljoin(f"https://testserver{path}", where))
    assert parts.scheme == "https", where
    return f"{parts.netloc}{parts.path}"


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/logout/", "/accounts/reauthenticate/"])
def test_no_form_of_an_account_leads_to_another_host(client: Client, ann: User, path: str) -> None:
    for target in ELSEWHERE:
        client.logout() if path == "/accounts/login/" else client.force_login(ann)
        cache.clear()
        form = {"login": EMAIL, "password": PASSWORD, "next": target}
        assert _leads_to(client, path, form).startswith("testserver/"), target


def test_signing_in_leads_back_to_the_page_that_was_asked_for(client: Client, ann: User) -> None:
    form = {"login": EMAIL, "password": PASSWORD, "next": INSIDE}
    assert _leads_to(client, "/accounts/login/", form) == f"testserver{INSIDE}"


def test_a_fragments_own_address_leads_nowhere_else(client: Client) -> None:
    headers = {"hx-request": "true", "hx-current-url": "http://evil.example/w/acme/"}
    assert client.get(INSIDE, headers=headers).headers["HX-Redirect"] == "/accounts/login/?next=/"


def test_a_fragment_that_changes_something_needs_its_token(ann: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)
    answer = strict.post(INSIDE, {"name": "Acme"}, headers={"hx-request": "true"})
    assert answer.status_code == 403
    assert not ann.memberships.exists()


def test_the_api_takes_no_session_without_its_token(ann: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)
    answer = strict.post("/api/v1/runs/", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert "CSRF" in answer.json()["detail"]
