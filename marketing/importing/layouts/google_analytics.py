"""The exports of Google Analytics 4.

- Events, one row each, as BigQuery holds them and as tools flatten them (`traffic_source.source` or
  `traffic_source_source`): the starts of sessions are touches, purchases and leads are conversions.
- Reports by day: what was spent on advertising; totals such as sessions and revenue, which are outcomes; and the same
  split by channel, source or campaign, which become one series of outcomes each. Reports know no customers.

Column names: “[GA4] BigQuery Export schema”, and “[GA4] Analytics dimensions and metrics”.
"""

from collections.abc import Callable

from marketing.grouping import classify
from marketing.importing.appearance import folded
from marketing.importing.layouts.google_ads import UNKNOWN_TYPE, is_total
from marketing.importing.layouts.shape import FIRST_COLUMN, Binding, Derived, Layout, Skip
from marketing.importing.synonyms import SYNONYMS
from marketing.models import Dataset

GOALS = {
    "purchase": "Purchase",
    "in_app_purchase": "Purchase",
    "ecommerce_purchase": "Purchase",
    "generate_lead": "Lead",
    "sign_up": "Sign-up",
}
SOURCE, MEDIUM, CHANNEL, GOAL = "Source (split)", "Medium (split)", "Channel (Google Analytics)", "Goal (by event)"
COST = ("Ads cost", "Google Ads cost", "Advertiser ad cost", "Google Ads-Kosten", "Coût Google Ads")
OF_A_SESSION = ("session ", "first user ", "default channel group")  # how only Google Analytics names its dimensions
METRICS = {
    "sessions": ("Sessions", "Sitzungen", "Sesiones", "Sessies"),
    "engaged_sessions": ("Engaged sessions", "Sitzungen mit Interaktionen", "Sessions avec engagement"),
    "total_users": ("Total users", "Nutzer insgesamt", "Gesamtzahl Nutzer", "Nombre total d'utilisateurs"),
    "active_users": ("Active users", "Aktive Nutzer", "Utilisateurs actifs", "Usuarios activos", "Actieve gebruikers"),
    "new_users": ("New users", "Neue Nutzer", "Nouveaux utilisateurs", "Usuarios nuevos", "Nieuwe gebruikers"),
    "key_events": (
        "Key events", "Conversions", "Schlüsselereignisse", "Événements clés", "Eventos clave",
        "Belangrijke gebeurtenissen",
    ),
    "purchases": ("Ecommerce purchases", "Transactions", "Purchases", "E-Commerce-Käufe"),
    "revenue": (
        "Total revenue", "Purchase revenue", "Gesamtumsatz", "Revenu total", "Ingresos totales", "Totale omzet",
    ),
}  # fmt: skip
BY_CHANNEL = {
    "channel": (
        "Session primary channel group", "Session default channel group", "Default channel group",
        "First user primary channel group", "First user default channel group", "Session default channel grouping",
        "Primary channel group", "Standard-Channelgruppierung für Sitzungen", "Primäre Channelgruppe der Sitzung",
    ),
    "source_medium": (
        "Session source / medium", "First user source / medium", "Source / medium", "Quelle/Medium der Sitzung",
    ),
    "source": ("Session source", "First user source", "Source"),
    "medium": ("Session medium", "First user medium", "Medium"),
    "campaign": (
        "Session campaign", "First user campaign", "Campaign", "Session Google Ads campaign", "Google Ads campaign",
        "First user Google Ads campaign", "Kampagne der Sitzung",
    ),
}  # fmt: skip
PATH = SYNONYMS[Dataset.PATHS]["path"]  # with one, the metrics are those of paths
DATE = ("Date", "Day", "Datum", "Fecha")
GEO = ("Country", "Region", "Land", "Pays", "País")
TOTALS = Skip(
    ("date", FIRST_COLUMN, *BY_CHANNEL),
    lambda date, *names: is_total(date, *names) or any(name.lower() in ("grand total", "totals") for name in names),
)
# An exploration puts a row of totals first, with nothing in its dimensions.
UNDATED = Skip(("date",), lambda date: not date)


def iso_day(cell: str) -> str:
    """Write 20260131 as 2026-01-31; leave other cells as they are."""
    return f"{cell[:4]}-{cell[4:6]}-{cell[6:]}" if len(cell) == 8 and cell.isascii() and cell.isdigit() else cell


def iso_hour(cell: str) -> str:
    """Write 2026013114 as 2026-01-31T14:00, and 202601311405 as 2026-01-31T14:05; leave other cells as they are."""
    if not (cell.isascii() and cell.isdigit() and len(cell) in (10, 12) and cell.startswith("20")):
        return iso_day(cell)
    return f"{iso_day(cell[:8])}T{cell[8:10]}:{cell[10:] or '00'}"


def _split(cell: str) -> tuple[str, str]:
    source, _, medium = cell.rpartition(" / ")
    return (source, medium) if source else (medium, "")


def _channel(channel: str, both: str, source: str, medium: str, campaign: str) -> str:
    """The channel that the report names, else what its source and medium are grouped into, else Google Ads."""
    if both and not (source or medium):
        source, medium = _split(both)
    if channel or not (source or medium):
        return channel or UNKNOWN_TYPE
    return classify(source, medium, campaign)


def _is_of_analytics(binding: Binding) -> bool:
    """Whether the file is no other product's: it has the preamble of the reports, or a column that only they have."""
    commented = any(row and row[0].startswith("#") for row in binding.preamble)
    named = any(folded(column).startswith(OF_A_SESSION) for column in binding.file_header)
    return commented or named or binding.has("engaged_sessions", "key_events", "active_users")


def _series(binding: Binding) -> dict[str, str]:
    names = {"sessions": "Sessions", "revenue": "Revenue", "purchases": "Purchases", "key_events": "Key events"}
    named = {role: names.get(role, binding.columns[role]) for role in METRICS if role in binding.columns}
    return {f"outcome:{name}": role for role, name in named.items()}


def _one_dimension(binding: Binding) -> str | None:
    dimensions = [role for role in BY_CHANNEL if role in binding.columns]
    return dimensions[0] if len(dimensions) == 1 else None


def _named_series(binding: Binding) -> tuple[Derived, ...]:
    """For each metric a column that names its series, such as “Sessions: Organic Search”."""
    dimension = _one_dimension(binding)
    if dimension is None:
        return ()
    return tuple(
        Derived(f"{column} by {binding.columns[dimension]}", (dimension,), _prefixing(column))
        for column in (binding.columns[role] for role in METRICS if role in binding.columns)
    )


def _prefixing(metric: str) -> Callable[[str], str]:
    return lambda cell: f"{metric}: {cell or '(not set)'}"


def _first_series(binding: Binding) -> dict[str, str]:
    dimension = _one_dimension(binding)
    metric = next((binding.columns[role] for role in METRICS if role in binding.columns), None)
    if dimension is None or metric is None:
        return {}
    return {"outcome": f"{metric} by {binding.columns[dimension]}", "value": metric}


EVENT_ROLES = {
    "customer": ("user_pseudo_id", "user_id", "client_id"),
    "at": ("event_timestamp", "event_time"),
    "event": ("event_name",),
    "source": (
        "session_traffic_source_last_click.manual_campaign.source", "collected_traffic_source.manual_source",
        "session_source", "traffic_source.source", "source",
    ),
    "medium": (
        "session_traffic_source_last_click.manual_campaign.medium", "collected_traffic_source.manual_medium",
        "session_medium", "traffic_source.medium", "medium",
    ),
    "campaign": (
        "session_traffic_source_last_click.manual_campaign.campaign_name",
        "collected_traffic_source.manual_campaign_name", "session_campaign", "traffic_source.name", "campaign",
    ),
    "value": ("ecommerce.purchase_revenue", "purchase_revenue", "event_value", "value"),
    "order": ("ecommerce.transaction_id", "transaction_id"),
}  # fmt: skip
GA4_TOUCHES = Layout(
    code="ga4_events",
    label="Google Analytics 4, sessions from events",
    dataset=Dataset.TOUCHPOINTS,
    roles=EVENT_ROLES,
    required=("customer", "at", "event", "source"),
    fields={
        "customer": "customer",
        "occurred_at": "at",
        "source": "source",
        "medium": "medium",
        "campaign": "campaign",
    },
    skips=(
        Skip(
            ("event",),
            lambda event: event != "session_start",
            told="{count} events were left out: touches are the events “session_start”.",
        ),
    ),
    nothing_left="None of the events is a “session_start”, so the file holds no touches.",
)
GA4_CONVERSIONS = Layout(
    code="ga4_conversions",
    label="Google Analytics 4, conversions from events",
    dataset=Dataset.CONVERSIONS,
    roles=EVENT_ROLES,
    required=("customer", "at", "event"),
    derived=(Derived(GOAL, ("event",), lambda event: GOALS.get(event, "")),),
    fields={"customer": "customer", "occurred_at": "at", "goal": GOAL, "value": "value", "order_id": "order"},
    skips=(
        Skip(
            ("event",),
            lambda event: event not in GOALS,
            told=f"{{count}} events were left out: conversions are the events {', '.join(GOALS)}.",
        ),
    ),
    nothing_left=f"None of the events is a conversion, which are {', '.join(GOALS)}.",
    blank=("(not set)",),
)
GA4_SESSIONS = Layout(
    code="ga4_sessions",
    label="Google Analytics 4, sessions by user",
    dataset=Dataset.TOUCHPOINTS,
    roles={
        "customer": ("Effective user ID", "User ID", "Client ID", "User pseudo ID"),
        "at": ("Date hour and minute", "Date + hour (YYYYMMDDHH)", "Date hour", "Date + hour", "Date"),
        **BY_CHANNEL,
    },
    required=("customer", "at"),
    marks=lambda binding: _is_of_analytics(binding) and binding.has("source_medium", "source"),
    derived=(
        Derived(SOURCE, ("source", "source_medium"), lambda source, both: source or _split(both)[0]),
        Derived(MEDIUM, ("medium", "source_medium"), lambda medium, both: medium or _split(both)[1]),
    ),
    fields={"customer": "customer", "occurred_at": "at", "source": SOURCE, "medium": MEDIUM, "campaign": "campaign"},
    cleaned={"at": iso_hour},
    skips=(Skip(("customer",), lambda customer: not customer, told="{count} rows without a user were left out."),),
    nothing_left="None of the rows names a user, so the file holds no touches.",
)
GA4_SPEND = Layout(
    code="ga4_spend",
    label="Google Analytics 4, advertising cost by day",
    dataset=Dataset.SPEND,
    roles={
        "date": DATE,
        **BY_CHANNEL,
        "spend": COST,
        "clicks": ("Ads clicks", "Google Ads clicks", "Advertiser ad clicks"),
        "impressions": ("Ads impressions", "Google Ads impressions", "Advertiser ad impressions"),
        "geo": GEO,
    },
    required=("date", "spend"),
    derived=(Derived(CHANNEL, ("channel", "source_medium", "source", "medium", "campaign"), _channel),),
    fields={
        "date": "date",
        "channel": CHANNEL,
        "campaign": "campaign",
        "geo": "geo",
        "spend": "spend",
        "impressions": "impressions",
        "clicks": "clicks",
    },
    cleaned={"date": iso_day},
    skips=(TOTALS, UNDATED),
)
GA4_TOTALS = Layout(
    code="ga4_totals",
    label="Google Analytics 4, totals by day",
    dataset=Dataset.MEDIA_TABLE,
    roles={"date": DATE, "geo": GEO, "path": PATH, **METRICS, **BY_CHANNEL, "spend": (*COST, "Cost", "Spend")},
    required=("date",),
    foreign=("spend", "path", *BY_CHANNEL),
    marks=lambda binding: _is_of_analytics(binding) and binding.has(*METRICS),
    fields={"date": "date", "geo": "geo"},
    fields_of=_series,
    cleaned={"date": iso_day},
    skips=(TOTALS, UNDATED),
)
GA4_BY_CHANNEL = Layout(
    code="ga4_by_channel",
    label="Google Analytics 4, acquisition by day and channel",
    dataset=Dataset.OUTCOMES,
    roles={"date": DATE, "geo": GEO, "path": PATH, **METRICS, **BY_CHANNEL, "spend": (*COST, "Cost", "Spend")},
    required=("date",),
    foreign=("spend", "path"),
    marks=lambda binding: _is_of_analytics(binding) and binding.has(*METRICS) and _one_dimension(binding) is not None,
    derived_of=_named_series,
    fields={"date": "date", "geo": "geo"},
    fields_of=_first_series,
    cleaned={"date": iso_day},
    skips=(TOTALS, UNDATED),
)
LAYOUTS = (GA4_TOUCHES, GA4_CONVERSIONS, GA4_SESSIONS, GA4_SPEND, GA4_TOTALS, GA4_BY_CHANNEL)
