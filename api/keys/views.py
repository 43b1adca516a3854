"""Settings > API access: the keys of a workspace, and how programs use them."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone as clock
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.api_key_actions import (
    create_api_key,
    expiry_of_successor,
    require_may_rotate,
    revoke_api_key,
    rotate_api_key,
)
from accounts.models import ApiKey, Workspace
from accounts.permissions import Permission
from accounts.scopes import in_words
from api.keys.examples import EXAMPLES, filled_in
from api.keys.forms import CreateForm, RotateForm
from api.keys.presenters import (
    instant_if_ever,
    keys_seen_by,
    prefix_of,
    present_areas,
    present_keys,
    presets_for,
    working,
)
from mmm_project.problems import Conflict, Invalid, NotFound, NotPermitted
from mmm_project.web import render_page

KEYS_PER_PAGE = 50
ENDED_SHOWN = 50


@require_safe
def keys(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the keys that the member may see, those that have ended folded away."""
    _workspace(request, slug)
    now = clock.now()
    seen = keys_seen_by(request.membership)
    page = Paginator(seen.filter(working(now)), KEYS_PER_PAGE).get_page(request.GET.get("page"))
    ended = seen.exclude(working(now))
    context = {
        "page": page,
        "rows": present_keys(page.object_list, request.membership, now=now),
        "ended": present_keys(ended[:ENDED_SHOWN], request.membership, now=now),
        "ended_count": ended.count(),
        "sees_all": access.can(request, Permission.API_KEYS),
    }
    return render_page(request, "settings/api.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask what a key is for; POST creates it and shows its text, this once."""
    workspace = _workspace(request, slug)
    role = request.membership.role
    presets = presets_for(role)
    asked = next((preset.scopes for preset in presets if preset.code == request.GET.get("preset")), ())
    posted = request.POST if request.method == "POST" else None
    form = CreateForm(posted, role=role, zone=workspace.zone, initial={"scopes": asked})
    if form.is_valid():
        try:
            key, text = create_api_key(
                workspace=workspace,
                created_by=request.user,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=form.expires_at,
                key_id=form.cleaned_data["key_id"],
            )
        except Conflict as refusal:
            return _back_to_list(request, slug, refusal)
        except (Invalid, NotPermitted) as refusal:
            form.refuse(refusal)
        else:
            return _show_once(request, key, text)
    context = {
        "form": form,
        "areas": present_areas(list(form.chosen), role),
        "presets": presets,
        "only_reads": not access.can(request, Permission.API_KEYS),
    }
    return render_page(request, "settings/api_create.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: AuthedRequest, slug: str, key_id: uuid.UUID) -> HttpResponse:
    """Ask how long a key is to work beside its successor; POST makes that one and shows its text, this once."""
    _workspace(request, slug)
    key = _find(request, key_id)
    form = RotateForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            successor, text = rotate_api_key(
                key=key, overlap=form.chosen_overlap, by=request.user, key_id=form.cleaned_data["key_id"]
            )
        except Conflict as refusal:
            return _back_to_list(request, slug, refusal)
        except (Invalid, NotPermitted) as refusal:
            form.refuse(refusal)
        else:
            return _show_once(request, successor, text, old=key)
    require_may_rotate(key)
    context = {
        "form": form,
        "key": key,
        "prefix": prefix_of(key),
        "scopes": in_words(key.scopes),
        "ends": instant_if_ever(expiry_of_successor(key, clock.now()), key.workspace.zone),
        "creator": key.created_by.email if key.created_by != request.user else "",
    }
    return render_page(request, "settings/api_rotate.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: AuthedRequest, slug: str, key_id: uuid.UUID) -> HttpResponse:
    """Ask whether a key is to end; POST ends it at once."""
    _workspace(request, slug)
    key = _find(request, key_id)
    if request.method != "POST":
        context = {"key": key, "prefix": prefix_of(key), "used": instant_if_ever(key.last_used_at, key.workspace.zone)}
        return render_page(request, "settings/api_revoke.html", context)
    if revoke_api_key(key=key, by=request.user):
        messages.success(request, f"“{key.name}” ({prefix_of(key)}) no longer works.")
    else:
        messages.info(request, f"“{key.name}” ({prefix_of(key)}) had been revoked already.")
    return redirect("api:access", slug=slug)


@require_safe
def reference(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show how to call the API: examples, and each of its addresses to try out."""
    _workspace(request, slug)
    base_url = request.build_absolute_uri("/").rstrip("/")
    context = {"base_url": base_url, "examples": [filled_in(example, base_url) for example in EXAMPLES]}
    return render_page(request, "settings/api_reference.html", context)


def _workspace(request: AuthedRequest, slug: str) -> Workspace:
    """Return the workspace, for those who may have keys."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.API_KEYS_OWN)
    return workspace


def _find(request: AuthedRequest, key_id: uuid.UUID) -> ApiKey:
    """Return a key that the member may see. Raises NotFound."""
    key = keys_seen_by(request.membership).filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such API key in this workspace, or it is somebody else’s.")
    return key


def _show_once(request: AuthedRequest, key: ApiKey, text: str, *, old: ApiKey | None = None) -> HttpResponse:
    """Show the text of a new key: here and now, as a redirect would have to keep it somewhere meanwhile.

    Sent again, the form names a key that exists by now, and makes none. Nothing keeps the page (`never_cache`).
    """
    context = {
        "key": key,
        "text": text,
        "scopes": in_words(key.scopes),
        "ends": instant_if_ever(key.expires_at, key.workspace.zone),
        "old_prefix": prefix_of(old) if old else "",
        "old_ends": instant_if_ever(old.expires_at, key.workspace.zone) if old else None,
    }
    return render_page(request, "settings/api_created.html", context)


def _back_to_list(request: AuthedRequest, slug: str, refusal: Conflict) -> HttpResponse:
    """Say why there is no new key where all keys are: the form has been sent before, or the old key has ended."""
    messages.error(request, refusal.detail)
    return redirect("api:access", slug=slug)
