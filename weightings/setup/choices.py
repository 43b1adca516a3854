"""What a workspace can choose from when it sets up a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from babel import Locale
from babel.core import get_global
from django.db.models import Exists, OuterRef

from accounts.models import Workspace
from marketing.channel_index import channel_index
from marketing.experiments import VisibleExperiment, visible_experiments
from marketing.models import Channel, Control, ControlValue, Event, Import, Outcome
from weightings.leaving_out import media_channels, paid_channels
from weightings.outcomes import outcomes_with_data


class Choices:
    """Outcomes with values, channels with and without spend by their colours, what else is known, and experiments.

    Each is looked up when it is first asked for.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @cached_property
    def outcomes(self) -> list[Outcome]:
        return outcomes_with_data(self.workspace)

    @cached_property
    def media(self) -> "Media":
        index = channel_index(workspace=self.workspace)
        paid = paid_channels(self.workspace, index)
        organic = [pk for pk in media_channels(self.workspace, index) if pk not in paid]
        return Media([index.channels[pk] for pk in paid], [index.channels[pk] for pk in organic])

    @cached_property
    def controls(self) -> list[str]:
        """Controls with values, then events, by their names."""
        values = ControlValue.objects.filter(control=OuterRef("pk"), batch__status=Import.Status.ACTIVE, shadowed=False)
        controls = Control.objects.filter(Exists(values), workspace=self.workspace).order_by("name")
        events = Event.objects.filter(workspace=self.workspace, batch__status=Import.Status.ACTIVE, shadowed=False)
        names = [*controls.values_list("name", flat=True), *events.order_by("name").values_list("name", flat=True)]
        return list(dict.fromkeys(names))

    @cached_property
    def experiments(self) -> list[VisibleExperiment]:
        return visible_experiments(self.workspace)


@dataclass(frozen=True)
class Media:
    """Channels with spend, and those that only have impressions or clicks."""

    paid: Sequence[Channel]
    organic: Sequence[Channel]

    @property
    def names(self) -> list[str]:
        return [channel.name for channel in (*self.paid, *self.organic)]


@lru_cache(maxsize=1)
def countries() -> dict[str, str]:
    """Return the countries whose public holidays are known: code by name, in the order of the names."""
    import holidays  # takes a while, and is needed where somebody sets up a model only

    names = Locale("en").territories
    known = holidays.list_supported_countries(include_aliases=False)
    return dict(sorted((names[code], code) for code in known if code in names))


def home_country(workspace: Workspace) -> str:
    """Return the name of the country of the workspace's time zone; "" if it is that of none, or its holidays are
    not known."""
    zone = get_global("zone_aliases").get(workspace.timezone, workspace.timezone)
    code = get_global("zone_territories").get(zone, "")
    return next((name for name, known in countries().items() if known == code), "")
