"""What happened: what the rows refer to, the rows themselves, the imports that brought them, and what was decided."""

from marketing.models.imports import (
    Dataset,
    DatasetVersion,
    Import,
    SavedMapping,
    Upload,
)
from marketing.models.names import (
    Campaign,
    Channel,
    ChannelAlias,
    Control,
    Customer,
    Goal,
    Outcome,
    Segment,
    TrafficSource,
)
from marketing.models.rows import (
    ChannelSpend,
    ControlValue,
    Conversion,
    Event,
    Experiment,
    ImportedRow,
    Interaction,
    OutcomeValue,
    PathChannel,
    PathCount,
    Touchpoint,
)
from marketing.models.settings import (
    ChannelGrouping,
    HealthReport,
    SavedSegment,
)

__all__ = [
    "Campaign",
    "Channel",
    "ChannelAlias",
    "ChannelGrouping",
    "ChannelSpend",
    "Control",
    "ControlValue",
    "Conversion",
    "Customer",
    "Dataset",
    "DatasetVersion",
    "Event",
    "Experiment",
    "Goal",
    "HealthReport",
    "Import",
    "ImportedRow",
    "Interaction",
    "Outcome",
    "OutcomeValue",
    "PathChannel",
    "PathCount",
    "SavedMapping",
    "SavedSegment",
    "Segment",
    "Touchpoint",
    "TrafficSource",
    "Upload",
]
