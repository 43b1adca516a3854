"""What lists of rows may be narrowed by: how each filter finds its rows. `filter_sets` says which list has which."""

import datetime as dt
import json
from typing import Any, ClassVar

from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts import access
from accounts.models import Workspace
from accounts.permissions import Permission
from api import filters
from marketing.channel_index import ChannelIndex, channel_index
from marketing.models import Campaign, Control, Goal, Import, Outcome, TrafficSource
from marketing.periods import EPOCH, start_of_day_us
from marketing.privacy import customer_id_of
from marketing.sources import grouping_of

# Days that can be said in any time zone; what lies beyond them is beyond all data as well.
FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1), dt.date(2200, 1, 1)
LONGEST_ID = 18  # digits: what is longer is the id of nothing


class RowFilter(filters.Filters):
    """Filters of rows. `narrowed` leaves out imports that cannot have any of the rows asked for."""

    # The field that says when, and whether it is a moment or a day.
    when: ClassVar[str] = "date"

    @property
    def workspace(self) -> Workspace:
        workspace: Workspace = self.request.parser_context["view"].workspace
        return workspace

    def narrowed(self, imports: QuerySet[Import]) -> QuerySet[Import]:
        """Return those of the imports that are asked for, and whose days are."""
        asked = self.form.cleaned_data
        if batch := asked.get("import"):
            imports = imports.filter(pk=batch) if 0 < batch < 2**63 else imports.none()
        start, end = asked.get("from"), asked.get("to")
        if self.when == "occurred_at":
            imports = imports.exclude(last_at__lt=self._midnight(start)) if start else imports
            imports = imports.exclude(first_at__gte=self._midnight(end, days=1)) if end else imports
        elif self.when == "date":
            imports = imports.exclude(last_day__lt=start) if start else imports
            imports = imports.exclude(first_day__gt=end) if end else imports
        return imports

    def of_import(self, rows: QuerySet[Any], _name: str, value: int) -> QuerySet[Any]:
        """Leave the rows as they are: `narrowed` sees to it."""
        del value
        return rows

    def from_day(self, rows: QuerySet[Any], _name: str, value: dt.date) -> QuerySet[Any]:
        if self.when == "occurred_at":
            return rows.filter(occurred_at__gte=self._midnight(value))
        if self.when == "start":  # what lasts for several days: if any of them is among those asked for
            return rows.filter(end__gte=value)
        return rows.filter(self._undated() | Q(date__gte=value))

    def to_day(self, rows: QuerySet[Any], _name: str, value: dt.date) -> QuerySet[Any]:
        if self.when == "occurred_at":
            return rows.filter(occurred_at__lt=self._midnight(value, days=1))
        if self.when == "start":
            return rows.filter(start__lte=value)
        return rows.filter(self._undated() | Q(date__lte=value))

    def _undated(self) -> Q:
        """Rows that may have no day belong to every period, as attribution takes them."""
        return Q(date=None) if self.when == "date or none" else Q(pk__in=())

    def _midnight(self, day: dt.date, *, days: int = 0) -> dt.datetime:
        """The first moment of the day, or of one so many days later, in the workspace's time zone."""
        day = min(max(day, FIRST_DAY), LAST_DAY) + dt.timedelta(days)
        return EPOCH + dt.timedelta(microseconds=start_of_day_us(day, self.workspace.zone))

    def of_channel(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return rows.filter(channel__in=_counting_for(channel_index(workspace=self.workspace), value))

    def touching_channel(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Touches whose row names the channel, and those that the grouping makes part of it."""
        index = channel_index(workspace=self.workspace)
        known = _counting_for(index, value)
        name = index.channels[known[0]].name if known else value
        sources = TrafficSource.objects.filter(workspace=self.workspace)
        said = sources.filter(channel__in=known).values_list("pk", flat=True)
        return _among(rows, "traffic_source", [*said, *self._grouped_into(name, index, sources)])

    def _grouped_into(self, name: str, index: ChannelIndex, sources: QuerySet[TrafficSource]) -> list[int]:
        """The ids of the traffic sources without a channel of their own that count for this one."""
        grouping = grouping_of(workspace=self.workspace)
        counted_as: dict[str, str] = {}
        found = []
        unnamed = sources.filter(channel=None).values_list("pk", "source", "medium", "campaign__name")
        for pk, source, medium, campaign in unnamed.iterator():
            grouped = grouping(source, medium, campaign or "")
            if grouped not in counted_as:
                known = index.named(grouped)
                counted_as[grouped] = (grouped if known is None else known.name).lower()
            if counted_as[grouped] == name.lower():
                found.append(pk)
        return found

    def of_campaign(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return self._of(Campaign, rows, value)

    def touching_campaign(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        sources = self._of(Campaign, TrafficSource.objects.filter(workspace=self.workspace), value)
        return _among(rows, "traffic_source", list(sources.values_list("pk", flat=True)))

    def of_goal(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return self._of(Goal, rows, value)

    def of_outcome(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return self._of(Outcome, rows, value)

    def of_control(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return self._of(Control, rows, value)

    def of_customer(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Rows of the customer that imports know by this key. Raises NotPermitted for who may not look one up."""
        access.require(self.request, Permission.PRIVACY)
        return _of_customer(rows, customer_id_of(workspace=self.workspace, key=value))

    def of_customer_id(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return _of_customer(rows, int(value)) if int(value) < 2**63 else rows.none()

    def _of(self, model: type[Model], rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The rows that refer to what has this name in the workspace, else this id."""
        known = model._default_manager.filter(workspace=self.workspace)
        by_name = "name" if model is Campaign else "name__iexact"
        found = known.filter(**{by_name: text}).first() or known.filter(pk=_as_id(text)).first()
        return rows.none() if found is None else rows.filter(**{str(model._meta.model_name): found.pk})


def _of_customer(rows: QuerySet[Any], customer: int) -> QuerySet[Any]:
    """A customer's rows, looked for by the customer: the database might go through whole imports for them."""
    return rows.filter(pk__in=rows.model._default_manager.filter(customer=customer).values("pk"))


def _counting_for(index: ChannelIndex, text: str) -> list[int]:
    """The channels whose rows count for the one of this name, else of this id, itself first; none if there is none."""
    named = index.named(text) or index.channels.get(_as_id(text))
    if named is None:
        return []
    stands_for = index.counted_for(named.pk)
    return [stands_for, *(pk for pk in index.counting_for(stands_for) if pk != stands_for)]


def _as_id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_ID else 0


def _among(rows: QuerySet[Any], field: str, ids: list[int]) -> QuerySet[Any]:
    """The rows whose field has one of these ids, of which there may be more than a database takes as parameters."""
    if not ids:
        return rows.none()
    if connection.vendor == "postgresql":
        listed = RawSQL("SELECT unnest(%s::bigint[])", [ids])
    else:
        listed = RawSQL("SELECT value FROM json_each(%s)", [json.dumps(ids)])
    return rows.filter(**{f"{field}__in": listed})
