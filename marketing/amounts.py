"""Whether a workspace holds amounts of money, which are in its currency and would be in no other."""

from collections.abc import Mapping

from accounts.models import Workspace
from marketing.importing.removal import ENDED
from marketing.models import Dataset, Import, Outcome, OutcomeValue

ALWAYS_AMOUNTS = (Dataset.SPEND, Dataset.EXPERIMENTS)
SOMETIMES_AMOUNTS = (Dataset.CONVERSIONS, Dataset.MEDIA_TABLE, Dataset.PATHS)


def holds_amounts(workspace: Workspace) -> bool:
    """Whether an import that counts, or is on its way, brought spend or values."""
    imports = Import.objects.filter(workspace=workspace).exclude(status__in=ENDED).order_by()
    if imports.filter(dataset__in=ALWAYS_AMOUNTS).exists():
        return True
    active = Import.Status.ACTIVE
    others = imports.filter(dataset__in=SOMETIMES_AMOUNTS).values_list("status", "mapping")
    # What an import that is on its way brings is not known before it has read its columns.
    if any(status != active or _names_amounts(mapping) for status, mapping in others.iterator()):
        return True
    in_money = Outcome.objects.filter(workspace=workspace, is_money=True)
    return OutcomeValue.objects.filter(outcome__in=in_money, batch__status=active).exists()


def _names_amounts(mapping: Mapping[str, str]) -> bool:
    return not mapping or any(field == "value" or field.startswith("spend:") for field in mapping)
