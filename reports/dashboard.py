"""What the pages of the dashboard are made of: the state of the address, the figures from the cube, the document."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NewType
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Workspace
from analyses.documents import Document
from analyses.presenters import Offer
from attribution.cube.daily_cube import DailyCube, latest_cube
from attribution.cube.kept_models import choice_of
from marketing.channel_index import channel_index
from marketing.models import Campaign, Dataset, Import
from marketing.pages.period_selector import PeriodSelector, period_selector
from marketing.periods import yesterday
from mmm_project.problems import Conflict, FieldErrors, Invalid, NotFound
from reports.data_driven_offer import EvidenceOffer, data_driven_offer
from reports.evidence import TITLE as EVIDENCE
from reports.exports import FORMATS
from reports.media_mix_offer import media_mix_offer
from reports.numbers import Reader, Subject
from reports.presenters import Facts, Presenter
from reports.state import DashboardState, dashboard_state

# "empty": nothing has been imported; "preparing": the first cube is on its way; "ready": there are figures.
NO_DATA = "There are no figures yet: import conversions and spend first."
FIRST_FIGURES = "The first figures are being computed. Ask again in a minute."
Situation = Literal["empty", "preparing", "ready"]


@dataclass(frozen=True, kw_only=True)
class DashboardPage:
    """A page of the dashboard.

    `models`: what can be chosen, as (name, label) by family. `kept_for_view`: what the form of model and goal sends
    along. `errors`, `refused`: as `DashboardState` has them. `includes`: channels that were merged into this one.
    `evidence_offers`: what leads on beside the evidence.
    """

    title: str
    situation: Situation
    document: Document | None = None
    selector: PeriodSelector | None = None
    model: str = ""
    models: Sequence[tuple[str, Sequence[tuple[str, str]]]] = ()
    goal: str = ""
    goals: Sequence[str] = ()
    kept_for_view: Sequence[tuple[str, str]] = ()
    errors: Sequence[str] = ()
    refused: FieldErrors = field(default_factory=dict)
    data_ends: dt.date | None = None
    offer: Offer | None = None
    parent_url: str = ""
    exports: Sequence[tuple[str, str]] = ()
    updating: bool = False
    provenance: str = ""
    includes: Sequence[str] = ()
    health_url: str = ""
    evidence_offers: Sequence[EvidenceOffer] = ()


ElsewhereUrl = NewType("ElsewhereUrl", str)


class NotReady(Conflict):
    """There are no figures yet, or not by the model that is asked for."""

    code = "not_ready"
    title = "Not ready yet"


def overview(
    workspace: Workspace, query: Mapping[str, str], *, now: dt.datetime, may_run: bool = False
) -> DashboardPage:
    """Return the dashboard. `may_run`: whether whoever looks may ask for runs."""
    return _page(
        workspace,
        query,
        now,
        title="Dashboard",
        path=reverse("reports:dashboard", kwargs={"slug": workspace.slug}),
        read=lambda reader: reader.overview(),
        build=lambda presenter, subject: presenter.dashboard(subject),
        may_run=may_run,
    )


def exactly(workspace: Workspace, query: Mapping[str, str], *, now: dt.datetime) -> Document:
    """Return the dashboard of the state that is asked for, and of no other that stands in for it.

    Raises Invalid with `errors` by the names in the query, and NotReady.
    """
    page = overview(workspace, query, now=now)
    if page.refused:
        raise Invalid("There is no such state of the dashboard.", errors=page.refused)
    if page.document is None:
        raise NotReady(NO_DATA if page.situation == "empty" else FIRST_FIGURES)
    if query.get("model") and choice_of(page.document.data["model"]) != page.model:
        raise NotReady("The figures by this model are being computed. Ask again in a minute.")
    return page.document


def channel(
    workspace: Workspace, channel_id: int, query: Mapping[str, str], *, now: dt.datetime
) -> DashboardPage | ElsewhereUrl:
    """Return the page of a channel, or of a merged one the address of what it counts for. Raises NotFound."""
    index = channel_index(workspace=workspace)
    if channel_id not in index.channels:
        raise NotFound("There is no such channel in this workspace.")
    counted_for = index.counted_for(channel_id)
    path = reverse("reports:channel", kwargs={"slug": workspace.slug, "channel_id": counted_for})
    if counted_for != channel_id:
        return ElsewhereUrl(f"{path}?{urlencode(query)}" if query else path)
    found = index.channels[channel_id]
    return _page(
        workspace,
        query,
        now,
        title=found.name,
        path=path,
        read=lambda reader: reader.channel(found),
        build=lambda presenter, subject: presenter.channel(found.name, subject),
        includes=[index.channels[pk].name for pk in index.counting_for(channel_id) if pk != channel_id],
        channel_id=channel_id,
    )


def campaign(workspace: Workspace, campaign_id: int, query: Mapping[str, str], *, now: dt.datetime) -> DashboardPage:
    """Return the page of a campaign. Raises NotFound."""
    found = Campaign.objects.filter(workspace=workspace, pk=_database_id(campaign_id)).first()
    if found is None:
        raise NotFound("There is no such campaign in this workspace.")
    return _page(
        workspace,
        query,
        now,
        title=found.name,
        path=reverse("reports:campaign", kwargs={"slug": workspace.slug, "campaign_id": found.pk}),
        read=lambda reader: reader.campaign(found),
        build=lambda presenter, subject: presenter.campaign(found.name, subject),
    )


def _database_id(number: int) -> int:
    """The number, or 0 for one that no database holds."""
    return number if number < 2**63 else 0


def _page(
    workspace: Workspace,
    query: Mapping[str, str],
    now: dt.datetime,
    *,
    title: str,
    path: str,
    read: Callable[[Reader], Subject],
    build: Callable[[Presenter, Subject], Document],
    includes: Sequence[str] = (),
    channel_id: int | None = None,
    may_run: bool = False,
) -> DashboardPage:
    state = dashboard_state(query, workspace=workspace, now=now)
    cube = latest_cube(workspace=workspace, own=state.models.own if state else None)
    has_data = Import.objects.filter(
        workspace=workspace,
        status=Import.Status.ACTIVE,
        dataset__in=[Dataset.CONVERSIONS, Dataset.SPEND, Dataset.MEDIA_TABLE],
    ).exists()
    if state is None or not has_data:
        return DashboardPage(title=title, situation="empty", refused=state.refused if state else {})
    if cube is None:
        return DashboardPage(title=title, situation="preparing", refused=state.refused)
    state = state.as_far_as(cube.cube.models)
    subject = read(Reader(workspace, cube.cube, state, window_days=cube.window_days))
    document = build(Presenter(workspace, state, _facts(cube, workspace)), subject)
    until = yesterday(now=now, zone=workspace.zone)
    other = state.other_than_period()
    data_ends = max(filter(None, (cube.conversions_until, cube.spend_until)), default=None)
    overview_path = reverse("reports:dashboard", kwargs={"slug": workspace.slug})
    return DashboardPage(
        title=title,
        situation="ready",
        document=document,
        selector=period_selector(state.choice, path=path, other=other, until=until),
        model=state.chosen_model,
        models=state.models.by_family(),
        goal=state.goal.name,
        goals=[goal.name for goal in state.goals],
        kept_for_view=list(state.choice.query().items()),
        errors=state.errors,
        refused=state.refused,
        data_ends=data_ends,
        offer=_offer(state, path, data_ends),
        parent_url="" if path == overview_path else f"{overview_path}?{state.query()}",
        exports=_exports(workspace, state) if path == overview_path else (),
        updating=cube.is_updating,
        provenance=_provenance(cube, workspace),
        includes=includes,
        health_url=_health_url(workspace, state, channel_id) if channel_id else "",
        evidence_offers=_evidence_offers(workspace, state, subject, window_days=cube.window_days, may_run=may_run)
        if path == overview_path and any(section.title == EVIDENCE for section in document.sections)
        else (),
    )


def _evidence_offers(
    workspace: Workspace, state: DashboardState, subject: Subject, *, window_days: int, may_run: bool
) -> list[EvidenceOffer]:
    offers = (
        media_mix_offer(workspace, found=subject.media_mix, may_run=may_run),
        data_driven_offer(workspace, state, window_days=window_days, found=subject.data_driven, may_run=may_run),
    )
    return [offer for offer in offers if offer]


def _health_url(workspace: Workspace, state: DashboardState, channel_id: int) -> str:
    """The page about the channel's data in the period."""
    query = urlencode({"channel": channel_id} | state.choice.query())
    return f"{reverse('marketing:health', kwargs={'slug': workspace.slug})}?{query}"


def _exports(workspace: Workspace, state: DashboardState) -> list[tuple[str, str]]:
    """Each format and the address at which the dashboard can be had in it, in this state."""
    return [
        (
            kind.label,
            f"{reverse('reports:export_dashboard', kwargs={'slug': workspace.slug, 'form': form})}?{state.query()}",
        )
        for form, kind in FORMATS.items()
    ]


def _offer(state: DashboardState, path: str, data_ends: dt.date | None) -> Offer | None:
    """Offer the last days of the data where the period goes on beyond it, leaving the rest of the state as it is."""
    offered = state.choice.up_to(data_ends)
    if offered is None:
        return None
    label = f"Use its last {offered.period.days} days"
    return Offer(label=label, url=f"{path}?{state.with_choice(offered).query()}")


def _facts(cube: DailyCube, workspace: Workspace) -> Facts:
    until = cube.conversions_until
    return Facts(
        window_days=cube.window_days,
        data_until=f"{until:%-d %b %Y}" if until else "no conversions yet",
        computed_at=f"{cube.computed_at.astimezone(workspace.zone):%-d %b %Y, %H:%M %Z}",
        computed_at_utc=cube.computed_at.astimezone(dt.UTC).isoformat(),
        data_version=cube.data_version,
        run_id=str(cube.run_id),
    )


def _provenance(cube: DailyCube, workspace: Workspace) -> str:
    facts = _facts(cube, workspace)
    return f"Conversions until {facts.data_until}; computed {facts.computed_at}."
