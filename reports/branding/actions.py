"""Changes to how a workspace's documents look: atomic and audited."""

from django.db import transaction

from accounts.audit import record
from accounts.models import User, Workspace
from mmm_project.problems import Invalid
from reports.branding.look import contrast, is_readable
from reports.models import Branding

UNREADABLE = (
    "On white paper this colour has a contrast of {contrast:.1f} to 1, and text needs 4.5 to 1 to be read. "
    "Choose a darker one."
)


def change_look(
    *,
    workspace: Workspace,
    colour: str,
    paper: str,
    by: User | None,
    logo: bytes | None = None,
    drop_logo: bool = False,
) -> set[str]:
    """Give documents another look and return what of it changed: "logo", "colour", "paper".

    `colour`: as "#032389", "" for the product's own. `logo`: a file that somebody sent, None to leave the logo as it
    is; `drop_logo`: unless one was sent. Raises Invalid for a file that is no picture, and for a colour that cannot be
    read on white, and ValidationError for what is no colour or paper.
    """
    if colour and not is_readable(colour):
        raise Invalid("The colour cannot be used.", errors={"colour": [UNREADABLE.format(contrast=contrast(colour))]})
    picture = _redrawn(logo) if logo is not None else None
    with transaction.atomic():
        stored, _ = Branding.objects.select_for_update().get_or_create(workspace=workspace)
        changes: dict[str, object] = {}
        for name, value in (("colour", colour), ("paper", paper)):
            if (before := getattr(stored, name)) != value:
                changes[name] = {"before": before, "after": value}
                setattr(stored, name, value)
        if picture is not None or (drop_logo and stored.logo):
            before, another = ("a picture", "another picture") if stored.logo else (None, "a picture")
            changes["logo"] = {"before": before, "after": None if picture is None else another}
            stored.logo = picture
        if changes:
            stored.full_clean(exclude={"workspace"})
            stored.save(update_fields=[*changes, "updated_at"])
            record(workspace=workspace, action="branding.changed", target=workspace.slug, actor=by, changes=changes)
    return set(changes)


def _redrawn(sent: bytes) -> bytes:
    # Here, not above: Pillow is not needed to start the web server.
    from reports.branding.logos import redrawn

    return redrawn(sent)
