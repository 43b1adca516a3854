"""An owner asks for another plan, and a site admin grants it or declines. Invoices are written outside the product."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone as clock

from accounts import actions
from accounts.audit import record
from accounts.models import Membership, Plan, PlanRequest, User, Workspace
from accounts.permissions import Permission, allows
from accounts.plans import plan_of
from mmm_project.problems import Conflict, Invalid, NotFound, NotPermitted

logger = logging.getLogger(__name__)

LONGEST_TEXT = 2000  # of a message and of an answer
ANSWER_SHOWN = timedelta(days=30)
MADE_A_DAY = 5  # each of them is a mail to the site's admins
Status = PlanRequest.Status


@transaction.atomic
def request_plan(*, workspace: Workspace, plan: str, message: str, by: Membership) -> PlanRequest:
    """Ask the site's admins for the plan with this code; they are mailed once this is committed.

    Raises NotPermitted for who is not an owner, Invalid (by field) for no plan or the present one, for a message that
    is too long and for one request too many a day, and Conflict while another one waits.
    """
    _require_owner(by)
    wanted = Plan.objects.filter(code=plan).first()
    if wanted is None:
        raise _invalid("plan", "Choose one of the plans.")
    if len(message) > LONGEST_TEXT:
        raise _invalid("message", f"Write at most {LONGEST_TEXT:,} characters; these are {len(message):,}.")
    locked = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    if wanted == plan_of(locked):
        raise _invalid("plan", f"This workspace is on the {wanted.name} plan already.")
    if open_request(locked) is not None:
        raise Conflict("A request for another plan is waiting for its answer. Withdraw it before you ask anew.")
    _refuse_too_many(locked)
    request = PlanRequest.objects.create(workspace=locked, plan=wanted, message=message.strip(), requested_by=by.user)
    record(workspace=locked, action="plan_request.made", target=wanted.code, actor=by.user, message=request.message)
    transaction.on_commit(lambda: _tell_site_admins(request))
    return request


@transaction.atomic
def withdraw(*, request: PlanRequest, by: Membership) -> None:
    """Take a request back. Raises NotPermitted, NotFound for another workspace's, and Conflict once it is answered."""
    _require_owner(by)
    if request.workspace_id != by.workspace_id:
        raise NotFound("There is no such request in this workspace.")
    _close(request, Status.WITHDRAWN, by=by.user)
    record(workspace=request.workspace, action="plan_request.withdrawn", target=request.plan.code, actor=by.user)


@transaction.atomic
def grant(*, request: PlanRequest, by: User, answer: str = "") -> None:
    """Put the workspace on the plan that it asked for; `answer` is shown to its owners, and mailed to who asked.

    For site admins: whether `by` is one is for the caller to see to. Raises Conflict once the request has ended, and
    Invalid for an answer that is too long.
    """
    _close(request, Status.GRANTED, by=by, answer=answer)
    actions.set_plan(workspace=request.workspace, plan=request.plan.code, by=by)
    _note_answer(request, "plan_request.granted", by)


@transaction.atomic
def decline(*, request: PlanRequest, by: User, answer: str = "") -> None:
    """Leave the workspace on its plan and say why. For site admins, and raises, as `grant`."""
    _close(request, Status.DECLINED, by=by, answer=answer)
    _note_answer(request, "plan_request.declined", by)


@transaction.atomic
def give_plan(*, workspace: Workspace, plan: str, by: User) -> None:
    """Put a workspace on the plan with this code; a request for just this plan, if one waits, is granted with it.

    For site admins, as `grant`. Raises Invalid for an unknown plan.
    """
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    waiting = open_request(workspace)
    if waiting is not None and waiting.plan.code == plan:
        grant(request=waiting, by=by)
    else:
        actions.set_plan(workspace=workspace, plan=plan, by=by)


def open_request(workspace: Workspace) -> PlanRequest | None:
    """Return the request that waits for its answer."""
    waiting = PlanRequest.objects.filter(workspace=workspace, status=Status.OPEN)
    return waiting.select_related("workspace", "plan", "requested_by").first()


def newest_request(workspace: Workspace) -> PlanRequest | None:
    """Return the request that waits, or else the one that was answered last, for as long as its answer is news."""
    answered = Q(status__in=[Status.GRANTED, Status.DECLINED], decided_at__gt=clock.now() - ANSWER_SHOWN)
    shown = PlanRequest.objects.filter(Q(status=Status.OPEN) | answered, workspace=workspace)
    return shown.select_related("workspace", "plan", "requested_by").first()


def site_admins() -> list[str]:
    """Return the addresses of those who can answer: the setting ADMINS, or else all active superusers."""
    named = [admin[1] for admin in settings.ADMINS]
    admins = User.objects.filter(is_active=True, is_superuser=True).exclude(email="").order_by("pk")
    return named or list(admins.values_list("email", flat=True))


def _require_owner(by: Membership) -> None:
    actions.lock_and_reread(by)
    if not allows(by.role, Permission.PLAN):
        raise NotPermitted("Only an owner of the workspace can ask for another plan.")


def _refuse_too_many(workspace: Workspace) -> None:
    since = clock.now() - timedelta(days=1)
    if PlanRequest.objects.filter(workspace=workspace, created_at__gt=since).count() >= MADE_A_DAY:
        raise Invalid(f"This workspace has made {MADE_A_DAY} requests within a day. Ask again tomorrow.")


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, errors={field: [sentence]})


def _close(request: PlanRequest, status: Status, *, by: User, answer: str = "") -> None:
    """End an open request; of several people who do so at once, the first one decides."""
    if len(answer) > LONGEST_TEXT:
        raise _invalid("answer", f"Write at most {LONGEST_TEXT:,} characters; these are {len(answer):,}.")
    # As everywhere, the workspace is locked before what is in it.
    Workspace.objects.select_for_update(no_key=True).get(pk=request.workspace_id)
    fields = {"status": status, "answer": answer.strip(), "decided_by": by, "decided_at": clock.now()}
    if not PlanRequest.objects.filter(pk=request.pk, status=Status.OPEN).update(**fields):
        raise Conflict("This request has been answered or withdrawn in the meantime.")
    request.refresh_from_db(fields=list(fields))


def _note_answer(request: PlanRequest, action: str, by: User) -> None:
    record(workspace=request.workspace, action=action, target=request.plan.code, actor=by, answer=request.answer)
    transaction.on_commit(lambda: _tell_who_asked(request))


def _tell_site_admins(request: PlanRequest) -> None:
    context = {"request": request, "present": plan_of(request.workspace), "link": _admin_address(request)}
    subject = f"{_on_one_line(request.workspace.name)} asks for the {_on_one_line(request.plan.name)} plan"
    _mail(site_admins(), subject, "accounts/mail/plan_request.txt", context)


def _tell_who_asked(request: PlanRequest) -> None:
    """Mail the answer to the owner who asked, if they still are one."""
    members = Membership.objects.filter(workspace=request.workspace_id, user__is_active=True).select_related("user")
    asked = members.filter(user=request.requested_by_id)
    to = [member.user.email for member in asked if allows(member.role, Permission.PLAN)]
    link = f"{settings.SITE_URL}{reverse('settings_plan', kwargs={'slug': request.workspace.slug})}"
    subject = f"The {_on_one_line(request.plan.name)} plan for {_on_one_line(request.workspace.name)}"
    _mail(to, subject, "accounts/mail/plan_answer.txt", {"request": request, "link": link})


def _mail(to: Sequence[str], subject: str, template: str, context: dict[str, object]) -> None:
    """Send a mail, if there is anybody to get it. A failure is logged: the request itself stands in the product."""
    mail = EmailMessage(subject=subject, body=render_to_string(template, context), to=to)
    try:
        mail.send()
    except (OSError, UnicodeError):  # smtplib's errors are OSErrors
        logger.warning("A mail about another plan could not be sent", exc_info=True)


def _admin_address(request: PlanRequest) -> str:
    """Where a site admin answers; the admin's front page where requests have no page of their own."""
    try:
        path = reverse("admin:accounts_planrequest_change", args=[request.pk])
    except NoReverseMatch:
        path = reverse("admin:index")
    return f"{settings.SITE_URL}{path}"


def _on_one_line(name: str) -> str:
    """A name may hold line breaks, which no header may."""
    return " ".join(name.split())
