"""What is left of imports once their duplicates are settled."""

from collections.abc import Callable

from marketing.models import (
    Import,
    ImportedRow,
)

Importer = Callable[..., Import]
TOUCHES = "customer,occurred_at,channel,source,medium,campaign,interaction\n"
CONVERSIONS = "customer,occurred_at,goal,value,order_id,converted\n"


def counts(batch: Import) -> tuple[int, int, int]:
    """Accepted, rejected, duplicates of an import that came to its end."""
    assert batch.status == Import.Status.ACTIVE, batch.job.error
    return batch.accepted, batch.rejected, batch.duplicates


def holding(model: type[ImportedRow], column: str) -> list[object]:
    """A column of the rows that hold, in the order in which they came in."""
    return list(model._default_manager.filter(shadowed=False).order_by("pk").values_list(column, flat=True))
