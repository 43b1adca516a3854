"""The version of each dataset: a digest of what counts, in whichever order it came to count."""

import hashlib

from accounts.models import Workspace
from marketing.importing.fields import EVENT_NAMES
from marketing.models import Dataset, DatasetVersion, Import


def datasets_touched(batch: Import) -> tuple[str, ...]:
    """Return the datasets that an import's rows are of: a wide table has rows of several, events if they are mapped."""
    if batch.dataset != Dataset.MEDIA_TABLE:
        return (batch.dataset,)
    events = (Dataset.EVENTS,) if EVENT_NAMES in batch.mapping else ()
    return (Dataset.SPEND, Dataset.OUTCOMES, Dataset.CONTROLS, *events)


def toggle_mark(*, workspace: Workspace, dataset: str, mark: str) -> None:
    """Put `mark` into the dataset's version, or, as XOR is its own inverse, take it out again.

    Call it in the transaction that changes what counts.
    """
    DatasetVersion.objects.get_or_create(workspace=workspace, dataset=dataset)
    version = DatasetVersion.objects.select_for_update().get(workspace=workspace, dataset=dataset)
    digest = hashlib.sha256(mark.encode()).hexdigest()[:32]
    version.digest = f"{int(version.digest, 16) ^ int(digest, 16):032x}"
    version.save(update_fields=["digest"])
