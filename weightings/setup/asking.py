"""What the page says of the question in its form: what the model would learn from, and what is believed beforehand."""

from dataclasses import dataclass
from math import exp
from statistics import NormalDist
from typing import TYPE_CHECKING

from accounts.models import Workspace
from marketing.health.checks.readiness import Need, Status
from marketing.health.reports import kept_report
from mmm_project import formats
from weightings.setup.learning import Learning, learning
from weightings.setup.preview import LEVEL, Preview, preview

if TYPE_CHECKING:
    from weightings.forms import WeightingsForm

MEDIA_MIX = "media_mix"
WORST_FIRST = (Status.BLOCKED, Status.LIMITED, Status.READY)
STATUSES = {
    Status.READY: ("Ready for media mix", "good"),
    Status.LIMITED: ("Ready with reservations", "warn"),
    Status.BLOCKED: ("Not ready for media mix", "bad"),
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """`learning`: None while the form is not in order. `preview`: None until it is asked for.

    `return_unit`: what returns are in; `usual_return`: what is believed of a channel of which nobody says anything.
    """

    learning: Learning | None
    return_unit: str
    usual_return: str
    preview: Preview | None = None


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether the data are ready for a media mix model, with the first of what they lack."""

    label: str
    tone: str
    sentence: str


def present_question(workspace: Workspace, form: "WeightingsForm", *, with_preview: bool = False) -> Question:
    """Return what there is to say of the form's question."""
    outcome, unit = form.chosen_outcome, f"per {formats.round_money(1, workspace.currency)} spent"
    found: Learning | None = None
    implied: Preview | None = None
    in_order = form.is_valid() if form.is_bound else bool(form.params)
    if outcome is None or not in_order:
        implied = Preview(why_not=tuple(_problems(form))) if with_preview else None
    else:
        found = learning(outcome, form.params)
        implied = preview(workspace, outcome, form.params) if with_preview else None
    return Question(learning=found, return_unit=unit, usual_return=_usual_return(unit), preview=implied)


def _usual_return(unit: str) -> str:
    from weightings.methods.priors import ROI

    usual = NormalDist(*ROI)  # its logarithm
    low, median, high = (formats.ratio(exp(usual.inv_cdf(p))) for p in ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
    return f"between {low} and {high} {unit}, {LEVEL:.0%} sure, with {median} in the middle"


def media_mix_readiness(workspace: Workspace) -> Readiness:
    """Return what data health last said of the media mix; reads only."""
    kept = kept_report(workspace=workspace)
    found = [one for one in kept.report.readiness if one.code == MEDIA_MIX] if kept and kept.report else []
    if kept is None or not found:
        return Readiness(label="Not checked yet", tone="quiet", sentence="Data health has not looked at these data.")
    needs: list[Need] = sorted(found[0].needs, key=lambda need: WORST_FIRST.index(need.status))
    label, tone = STATUSES[found[0].status]
    older = " Newer data are not checked yet." if kept.is_outdated else ""
    return Readiness(label=label, tone=tone, sentence=f"{needs[0].sentence}{older}" if needs else older)


def _problems(form: "WeightingsForm") -> list[str]:
    """What is to be put in order, each with the name of its field."""
    return [
        f"{form.fields[name].label}: {sentence}" if name in form.fields else str(sentence)
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]
