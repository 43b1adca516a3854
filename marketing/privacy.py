"""One customer's data: whether there are any, all of them as JSON, and asking for their erasure.

A customer's key is never stored. What is known of it is the customer's id, the keyed hash of the key; that is also what
the audit log keeps of a request.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone

from accounts.audit import record
from accounts.models import ApiKey, AuditEvent, User, Workspace
from jobs.actions import submit
from jobs.models import Job
from marketing.day_labels import span_label
from marketing.importing.customers import customer_ids
from marketing.models import Campaign, Channel, Conversion, Customer, Goal, Import, Segment, Touchpoint, TrafficSource
from mmm_project.problems import NotFound

ERASURE_JOB = "marketing.erase_customer"
ERASURE_REQUESTED, ERASED, EXPORTED = "customer.erasure_requested", "customer.erased", "customer.exported"
REQUESTS = (EXPORTED, ERASURE_REQUESTED)
LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)
PREFIX = "customer "  # of what the audit log calls one
State = Literal["exported", "being_erased", "erased", "not_erased"]
LABELS: dict[State, str] = {
    "exported": "Exported",
    "being_erased": "Being erased",
    "erased": "Erased",
    "not_erased": "Not erased",
}
TONES: dict[State, str] = {"being_erased": "accent", "erased": "good", "not_erased": "bad"}
ROWS_AT_ONCE = 2_000
REQUESTS_SHOWN = 20
NOTHING_HELD = "Nothing is held under this key. Keys are compared as they were imported, capitals included."


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one import holds of a customer."""

    batch: Import
    rows: int

    @property
    def has_file(self) -> bool:
        return self.batch.file_removed_at is None


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What is held of a customer: rows of each kind, how many of them count, when they happened, and whence."""

    customer: Customer
    touches: int
    touches_counted: int
    conversions: int
    conversions_counted: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    parts: list[Part]

    @property
    def days(self) -> str:
        """The first and the last day in words, by the workspace's clock; "" without any."""
        if self.first_at is None or self.last_at is None:
            return ""
        zone = self.customer.workspace.zone
        return span_label(self.first_at.astimezone(zone).date(), self.last_at.astimezone(zone).date())


@dataclass(frozen=True, kw_only=True)
class Request:
    """A past request about a customer. `job`: the erasure, or None for an export."""

    event: AuditEvent
    job: Job | None

    @property
    def customer_id(self) -> str:
        return self.event.target.removeprefix(PREFIX)

    @property
    def is_moving(self) -> bool:
        return self.job is not None and not self.job.finished

    @property
    def state(self) -> State:
        if self.event.action == EXPORTED:
            return "exported"
        if self.is_moving:
            return "being_erased"
        return "erased" if self.job is None or self.job.status == Job.Status.DONE else "not_erased"

    @property
    def label(self) -> str:
        return LABELS[self.state]

    @property
    def tone(self) -> str:
        return TONES.get(self.state, "plain")

    @property
    def error(self) -> str:
        return self.job.error if self.job is not None else ""


def find_customer(*, workspace: Workspace, key: str) -> Customer:
    """Return the customer that imports know by this key. Raises NotFound."""
    return get_customer(workspace=workspace, customer_id=customer_id_of(workspace=workspace, key=key))


def customer_id_of(*, workspace: Workspace, key: str) -> int:
    """Return the id that imports give to the customer of this key, whether there is one or not."""
    (customer_id,) = customer_ids([key.strip()], workspace_id=workspace.pk, secret=settings.CUSTOMER_HASH_KEY).tolist()
    return int(customer_id)


def get_customer(*, workspace: Workspace, customer_id: int) -> Customer:
    """Return a customer by the hash of their key. Raises NotFound."""
    customer = Customer.objects.filter(workspace=workspace, pk=customer_id).first()
    if customer is None:
        raise NotFound(NOTHING_HELD)
    return customer


def holding_of(customer: Customer) -> Holding:
    """Look up what is held, whether it counts or not."""
    facts = {}
    rows_by_import: dict[int, int] = {}
    for model in (Touchpoint, Conversion):
        rows = model._default_manager.filter(customer=customer).order_by()
        counted = Q(shadowed=False, batch__status=Import.Status.ACTIVE)
        facts[model] = rows.aggregate(
            all=Count("pk"), counted=Count("pk", filter=counted), first=Min("occurred_at"), last=Max("occurred_at")
        )
        rows_by_import |= dict(rows.values_list("batch").annotate(Count("pk")))
    first = min((fact["first"] for fact in facts.values() if fact["first"]), default=None)
    last = max((fact["last"] for fact in facts.values() if fact["last"]), default=None)
    imports = Import.objects.filter(pk__in=rows_by_import).order_by("-pk")
    return Holding(
        customer=customer,
        touches=facts[Touchpoint]["all"],
        touches_counted=facts[Touchpoint]["counted"],
        conversions=facts[Conversion]["all"],
        conversions_counted=facts[Conversion]["counted"],
        first_at=first,
        last_at=last,
        parts=[Part(batch=batch, rows=rows_by_import[batch.pk]) for batch in imports],
    )


def export_customer(*, customer: Customer, by: User | None, api_key: ApiKey | None = None) -> Iterator[str]:
    """Note the export in the audit log, and return the JSON of all that is held, in pieces."""
    record(workspace=customer.workspace, actor=by, api_key=api_key, action=EXPORTED, target=named(customer.pk))
    return _pieces(customer)


def request_erasure(*, customer: Customer, by: User | None, api_key: ApiKey | None = None, ring: bool = True) -> Job:
    """Queue the erasure of all that is held of the customer; if that has been asked for already, return its job."""
    workspace = customer.workspace
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        for request in erasures(workspace).filter(target=named(customer.pk)):
            if job := Job.objects.filter(pk=request.detail["job"], status__in=LIVE).first():
                return job
        job = submit(workspace=workspace, kind=ERASURE_JOB, ring=ring)
        # The job finds the customer here: a job has no parameters, and a request to erase has to be on record anyway.
        record(
            workspace=workspace,
            actor=by,
            api_key=api_key,
            action=ERASURE_REQUESTED,
            target=named(customer.pk),
            job=job.pk,
        )
    return job


def erasures(workspace: Workspace) -> Any:
    """Return the requests to erase a customer of the workspace, newest first."""
    return AuditEvent.objects.filter(workspace=workspace, action=ERASURE_REQUESTED)


def customer_of(job: Job) -> int:
    """Return the id of the customer that an erasure is about."""
    request = erasures(job.workspace).get(detail__job=job.pk)
    return int(request.target.removeprefix(PREFIX))


def named(customer_id: int) -> str:
    """Return what the audit log calls a customer."""
    return f"{PREFIX}{customer_id}"


def past_requests(workspace: Workspace) -> list[Request]:
    """Return the last requests about customers, newest first, with how far each erasure is."""
    return with_jobs(requests_in(workspace)[:REQUESTS_SHOWN])


def requests_in(workspace: Workspace) -> QuerySet[AuditEvent]:
    """Return the requests about customers of the workspace, as they are on record."""
    events = AuditEvent.objects.filter(workspace=workspace, action__in=REQUESTS)
    return events.select_related("workspace", "actor")


def with_jobs(events: Iterable[AuditEvent]) -> list[Request]:
    """Return requests with how far each erasure is; one query."""
    found = list(events)
    jobs = Job.objects.in_bulk([event.detail["job"] for event in found if "job" in event.detail])
    return [Request(event=event, job=jobs.get(event.detail.get("job"))) for event in found]


def _pieces(customer: Customer) -> Iterator[str]:
    head = {
        "workspace": customer.workspace.slug,
        "customer": str(customer.pk),
        "about": "The customer is named by the keyed hash of their key, as the key itself is not stored. "
        "Rows whose counts is false are held but not counted: another row says the same, or their import was undone.",
        "exported_at": timezone.now().isoformat(timespec="seconds"),
    }
    yield json.dumps(head, ensure_ascii=False, indent=1)[:-2]
    for name, rows in (("touchpoints", _touchpoints(customer)), ("conversions", _conversions(customer))):
        yield f',\n "{name}": ['
        before = "\n  "
        for row in rows:
            yield before + json.dumps(row, ensure_ascii=False)
            before = ",\n  "
        yield "\n ]"
    yield "\n}\n"


def _touchpoints(customer: Customer) -> Iterator[dict[str, Any]]:
    channels = _names(Channel, customer)
    campaigns = _names(Campaign, customer)
    segments = _names(Segment, customer)
    imports = _imports(customer)
    rows = Touchpoint.objects.filter(customer=customer).order_by("occurred_at", "pk")
    sources = TrafficSource.objects.filter(workspace=customer.workspace).in_bulk(
        set(rows.order_by().values_list("traffic_source", flat=True).distinct())
    )
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        source = sources[row.traffic_source_id]
        yield _when(row) | {
            "channel": channels.get(source.channel_id),
            "source": source.source,
            "medium": source.medium,
            "campaign": campaigns.get(source.campaign_id),
            "interaction": row.get_interaction_display(),
            "segment": segments.get(row.segment_id),
            **_whence(row, imports),
        }


def _conversions(customer: Customer) -> Iterator[dict[str, Any]]:
    goals = _names(Goal, customer)
    imports = _imports(customer)
    rows = Conversion.objects.filter(customer=customer).order_by("occurred_at", "pk")
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        yield _when(row) | {
            "goal": goals[row.goal_id],
            "value": str(row.value),
            "order_id": row.order_id,
            "converted": row.converted,
            **_whence(row, imports),
        }


def _names(model: Any, customer: Customer) -> dict[int | None, str]:
    return dict(model.objects.filter(workspace=customer.workspace_id).values_list("pk", "name"))


def _when(row: Touchpoint | Conversion) -> dict[str, Any]:
    return {"occurred_at": row.occurred_at.isoformat()}


def _imports(customer: Customer) -> dict[int, tuple[str, str]]:
    """Status and file name of each import of the workspace, read once: imports hold far more than the rows need."""
    imports = Import.objects.filter(workspace=customer.workspace_id)
    return {pk: (status, name) for pk, status, name in imports.values_list("pk", "status", "file_name")}


def _whence(row: Touchpoint | Conversion, imports: dict[int, tuple[str, str]]) -> dict[str, Any]:
    status, file_name = imports[row.batch_id]
    return {"counts": not row.shadowed and status == Import.Status.ACTIVE, "import": row.batch_id, "file": file_name}
