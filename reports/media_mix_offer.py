"""What the dashboard offers beside its evidence: the run of the media mix model that it reads, or the way to one."""

from django.urls import reverse

from accounts.models import Workspace
from reports.data_driven_offer import EvidenceOffer
from reports.media_mix import MediaMix


def media_mix_offer(workspace: Workspace, *, found: MediaMix | None, may_run: bool) -> EvidenceOffer | None:
    """Return what leads on; None where there is neither a run nor, for this person, a way to have one."""
    if found is None:
        if not may_run:
            return None
        page = reverse("weightings:page", kwargs={"slug": workspace.slug})
        text = "What channels add, by a media mix model, can stand beside these."
        return EvidenceOffer(text, (("Calculate weightings", page),))
    run = reverse("analyses:run", kwargs={"slug": workspace.slug, "run_id": found.run_id})
    aged = "is more than 90 days old" if found.is_stale else "knows older data" if found.is_outdated else ""
    if aged and may_run:
        return EvidenceOffer(f"The media mix model {aged}.", (("See its run and refresh it", run),))
    return EvidenceOffer("Media mix comes from a run of its own.", (("See its run", run),))
