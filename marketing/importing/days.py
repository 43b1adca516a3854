"""The first and the last day of what imports say, by the clock of the workspace."""

import zoneinfo

from django.db.models import QuerySet
from django.db.models.functions import TruncDate

from marketing.models import Import


def follow_time_zone(imports: QuerySet[Import], *, zone: zoneinfo.ZoneInfo) -> None:
    """Have the days of imports whose rows have a time be those of this zone."""
    imports.order_by().filter(first_at__isnull=False).update(
        first_day=TruncDate("first_at", tzinfo=zone), last_day=TruncDate("last_at", tzinfo=zone)
    )
