"""What the answers of a production installation tell browsers and proxies, whatever kind of answer it is."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

ASK = """
import json
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.conf import settings
from django.test import Client
from accounts.models import User

settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
User.objects.create_user("ann@example.com", "correct horse battery")

def ask(method, path, *data, secure=True, headers={}, **extra):
    client = Client(enforce_csrf_checks=False, **extra)
    response = getattr(client, method)(path, *data, secure=secure, headers={"host": "mmm.example.com", **headers})
    cookies = {name: dict(cookie) for name, cookie in response.cookies.items()}
    return {"status": response.status_code, "headers": dict(response.headers), "cookies": cookies}

form = {"login": "ann@example.com", "password": "correct horse battery"}
print(json.dumps({
    "page": ask("get", "/accounts/login/"),
    "signed in": ask("post", "/accounts/login/", form),
    "plain": ask("get", "/accounts/login/", secure=False),
    "proxied": ask("get", "/accounts/login/", secure=False, headers={"x-forwarded-proto": "https"}),
    "nowhere": ask("get", "/nowhere/"),
    "other host": ask("get", "/accounts/login/", headers={"host": "evil.example"}),
    "api": ask("get", "/api/v1/runs/"),
}))
"""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """What a production installation answers, asked in a process of its own whose Redis is away."""
    known: dict[str, dict[str, Any]] = {}

    def answers(behind_proxy: str) -> dict[str, Any]:
        if behind_proxy not in known:
            ours = {"DATABASE_URL", "HTTPS", "EMAIL_URL", "DEBUG", "SITE_URL"}
            env = {name: value for name, value in os.environ.items() if name not in ours} | {
                "DATA_DIR": str(tmp_path_factory.mktemp("production")),
                "DJANGO_SETTINGS_MODULE": "mmm_project.settings",
                "REDIS_URL": "redis://127.0.0.1:1/0",
                "SECRET_KEY": "a secret of fifty characters for this test alone!!!",
                "ALLOWED_HOSTS": "mmm.example.com",
                "ACCOUNT_EMAIL_VERIFICATION": "none",
                "BEHIND_PROXY": behind_proxy,
            }
            run = subprocess.run(
                [sys.executable, "-c", ASK], env=env, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
            )
            assert run.returncode == 0, run.stderr
            known[behind_proxy] = json.loads(run.stdout)
        return known[behind_proxy]

    return answers


@pytest.mark.parametrize("kind", ["page", "signed in", "nowhere", "other host", "api"])
def test_every_kind_of_answer_in_production_says_how_to_treat_it(
    production: Callable[[str], dict[str, Any]], kind: str
) -> None:
    headers = production("false")[kind]["headers"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = {tuple(directive.split()) for directive in headers["Content-Security-Policy"].split(";")}
    nothing = {(name, "'none'") for name in ("default-src", "base-uri", "frame-ancestors")}
    ours = {(name, "'self'") for name in ("script-src", "style-src", "font-src", "connect-src", "form-action")}
    assert policy == nothing | ours | {("img-src", "'self'", "data:")}
    kept = {word.strip() for word in headers["Cache-Control"].split(",")}
    assert kept >= {"private", "no-cache" if kind == "api" else "no-store"}


def test_cookies_in_production_belong_to_this_host_and_to_no_script(
    production: Callable[[str], dict[str, Any]],
) -> None:
    cookies = production("false")["page"]["cookies"] | production("false")["signed in"]["cookies"]
    assert cookies.keys() >= {"__Host-session", "__Host-csrf"}
    for name, cookie in cookies.items():
        # What browsers ask of the prefix: https, the whole host, and no domain.
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", ""), name
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax"), name
    assert cookies["__Host-session"]["max-age"] == ""  # it ends with the browser, if not before


def test_plain_http_leads_to_https_and_a_proxy_is_believed_only_where_there_is_one(
    production: Callable[[str], dict[str, Any]],
) -> None:
    alone, behind = production("false"), production("true")
    assert alone["plain"]["status"] == 301
    assert alone["plain"]["headers"]["Location"] == "https://mmm.example.com/accounts/login/"
    assert alone["plain"]["cookies"] == {}
    assert alone["proxied"]["status"] == 301
    assert behind["proxied"]["status"] == 200


def test_another_host_is_refused_in_production(production: Callable[[str], dict[str, Any]]) -> None:
    assert production("false")["other host"]["status"] == 400
