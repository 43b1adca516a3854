"""What links in mails lead to. Nobody is signed in here: the signed token says what may be seen or done."""

from typing import TypeVar

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from mmm_project.problems import NotFound
from mmm_project.web import HtmxHttpRequest, render_page
from reports.deliveries.links import Expired, Subscription, delivery_of, subscription_with
from reports.deliveries.mime import one_line
from reports.deliveries.outbox import is_being_deleted
from reports.deliveries.unsubscribing import subscribe_again
from reports.deliveries.unsubscribing import unsubscribe as stop_mails
from reports.editions.files import file_of, name_of
from reports.editions.snapshots import SnapshotLost, document_of
from reports.exports import FORMATS
from reports.models import Delivery, Schedule

Response = TypeVar("Response", bound=HttpResponseBase)

LINK_EXPIRED = "It worked for 14 days. Ask whoever sends you the report, or a member of the workspace, for the file."
LINK_REVOKED = "The report was deleted, or you get it no more. Ask whoever sent it to you."
OLD_TOKEN = "It worked for a year. A newer mail of the same report or alert has one that works."  # noqa: S105 - no password


# Programs for mail post here by themselves, without cookies (RFC 8058): the token is what nobody else knows.
@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HtmxHttpRequest, token: str) -> HttpResponse:
    """Say what one is about to unsubscribe from; POST does so, and with `again` takes it back."""
    try:
        subscription = subscription_with(token)
    except Expired:
        return _hidden(_gone(request, "This link has expired", OLD_TOKEN))
    if subscription is not None and request.method == "POST":
        act = subscribe_again if "again" in request.POST else stop_mails
        act(subscription=subscription)
    return _hidden(render_page(request, "reports/unsubscribe.html", _standing(subscription)))


@login_not_required
@never_cache
@require_safe
def delivered_file(request: HtmxHttpRequest, token: str, form: str) -> HttpResponseBase:
    """Hand out a file that was too large for its mail."""
    try:
        delivery = delivery_of(token)
    except Expired:
        return _hidden(_gone(request, "This link has expired", LINK_EXPIRED))
    if delivery is None or _is_revoked(delivery):
        return _hidden(_gone(request, "This file is no longer here", LINK_REVOKED))
    if form not in delivery.formats or form not in FORMATS:
        raise NotFound("There is no such file in this mail.")
    try:
        document, path = document_of(delivery.edition), file_of(delivery.edition, form)  # type: ignore[arg-type] # not revoked
    except SnapshotLost:
        return _hidden(_gone(request, "This file is no longer here", LINK_REVOKED))
    response = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=name_of(document, form),
        content_type=FORMATS[form].content_type,
        headers={"Cache-Control": "private, no-store"},
    )
    return _hidden(response)


def _is_revoked(delivery: Delivery) -> bool:
    """Whether its reader may have the file no more."""
    recipient = delivery.recipient
    if delivery.edition is None or recipient is None or recipient.unsubscribed_at is not None:
        return True
    return is_being_deleted(delivery.workspace_id)


def _standing(subscription: Subscription | None) -> dict[str, object]:
    """What the page says; without a recipient that there is none, or none any more."""
    recipient = subscription.recipient if subscription else None
    if subscription is None or recipient is None or recipient.removed_at is not None:
        return {"recipient": None}
    about = subscription.about
    return {
        "recipient": recipient,
        "what": "report" if isinstance(about, Schedule) else "alert",
        "name": one_line(about.name),
        "workspace_name": one_line(about.workspace.name),
    }


def _gone(request: HtmxHttpRequest, title: str, text: str) -> HttpResponse:
    return render_page(request, "reports/link_ended.html", {"title": title, "text": text}, status=410)


def _hidden(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
