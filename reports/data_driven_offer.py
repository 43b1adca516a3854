"""What the dashboard offers beside its evidence: the data-driven run that it reads, or the way to have one."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from accounts import plans
from accounts.models import Feature, Workspace
from reports.data_driven import MODELS, DataDriven
from reports.state import DashboardState


@dataclass(frozen=True, slots=True)
class EvidenceOffer:
    """`text` in front of links, each a label and its address."""

    text: str
    links: tuple[tuple[str, str], ...]


def data_driven_offer(
    workspace: Workspace, state: DashboardState, *, window_days: int, found: DataDriven | None, may_run: bool
) -> EvidenceOffer | None:
    """Return what leads on; None where there is neither a run nor, for this person, a way to have one."""
    if found is None:
        return _asking(workspace, state, window_days, may_run=may_run, label="Run Data-Driven for this period")
    run = ("See the run", reverse("analyses:run", kwargs={"slug": workspace.slug, "run_id": found.run_id}))
    text = f"{found.model} comes from a run of its own."
    if not found.is_outdated or not may_run or not plans.has_feature(workspace, Feature.DATA_DRIVEN):
        return EvidenceOffer(text, (run,))
    return EvidenceOffer(text, (run, ("Run it on the newest data", _address(workspace, state, window_days))))


def _asking(
    workspace: Workspace, state: DashboardState, window_days: int, *, may_run: bool, label: str
) -> EvidenceOffer | None:
    try:
        plans.require_feature(workspace, Feature.DATA_DRIVEN)
    except plans.PlanRequired as refusal:
        sample, plans_page = (
            reverse(name, kwargs={"slug": workspace.slug}) for name in ("attribution:data_driven", "settings_plan")
        )
        return EvidenceOffer(refusal.detail, (("See what it shows", sample), ("See the plans", plans_page)))
    if not may_run:
        return None
    text = "Data-driven ROAS, with its interval, can stand beside these."
    return EvidenceOffer(text, ((label, _address(workspace, state, window_days)),))


def _address(workspace: Workspace, state: DashboardState, window_days: int) -> str:
    """The page that asks for it, filled in: a run of just this question is what the dashboard reads."""
    period = state.choice.period
    query = {
        "model": MODELS[0],
        "goal": state.goal.name,
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
        "window_days": str(window_days),
        "dimension": "channel",
    }
    return f"{reverse('attribution:page', kwargs={'slug': workspace.slug})}?{urlencode(query)}"
