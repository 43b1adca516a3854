"""The reports of Google Ads: spend by day and campaign, as downloaded from the campaigns page or the report editor.

A download begins with the report's name and its dates, may end with rows such as “Total: Account”, and writes “--”
where there is nothing. Column names: Google Ads help, “Columns in your statistics table”.
"""

import re

from marketing.importing.appearance import folded
from marketing.importing.layouts.shape import FIRST_COLUMN, Binding, Derived, Layout, Skip
from marketing.models import Dataset

CHANNEL = "Channel (by campaign type)"
UNKNOWN_TYPE = "Google Ads"
# Campaign type -> the channel that GA4's default grouping puts its clicks into.
CHANNELS = {
    "search": "Paid Search",
    "suche": "Paid Search",
    "suchnetzwerk": "Paid Search",
    "recherche": "Paid Search",
    "reseau de recherche": "Paid Search",
    "busqueda": "Paid Search",
    "zoeken": "Paid Search",
    "display": "Display",
    "displaynetzwerk": "Display",
    "shopping": "Paid Shopping",
    "video": "Paid Video",
    "performance max": "Cross-network",
    "maximale performance": "Cross-network",
    "maximo rendimiento": "Cross-network",
    "demand gen": "Cross-network",
    "discovery": "Cross-network",
    "smart": "Cross-network",
    "app": "Paid Other",
    "hotel": "Paid Other",
    "hotels": "Paid Other",
    "travel": "Paid Other",
    "local": "Paid Other",
}
TOTAL = re.compile(r"(total|gesamt|gesamtsumme|summe|totaal|totale|totales)\s*(?P<of>:.*)?", re.IGNORECASE)
SPLITS = (
    "Ad group", "Ad group ID", "Ad", "Ad ID", "Keyword", "Search keyword", "Search term", "Device", "Network",
    "Network (with search partners)", "Hour of day", "Hour of the day", "Age", "Gender", "Audience", "Placement",
    "Conversion action", "Click type", "Asset group", "Anzeigengruppe", "Gerät", "Werbenetzwerk", "Suchbegriff",
    "Groupe d'annonces", "Appareil", "Réseau", "Grupo de anuncios", "Dispositivo", "Advertentiegroep", "Apparaat",
)  # fmt: skip


def is_total(date: str, *names: str) -> bool:
    """Whether a row is of totals: one of its names says of what, or says “Total” while there is no day."""
    found = [match for name in (date, *names) if (match := TOTAL.fullmatch(name))]
    return any(match["of"] for match in found) or bool(found and (not date or TOTAL.fullmatch(date)))


def _channel(kind: str) -> str:
    return CHANNELS.get(folded(kind), UNKNOWN_TYPE)


def _is_of_google(binding: Binding) -> bool:
    """Whether a column says so that only Google Ads has; its way of abbreviating impressions, with a cost, is one."""
    return binding.has("type", "status", "currency") or binding.columns.get("impressions") == "Impr."


GOOGLE_ADS = Layout(
    code="google_ads",
    label="Google Ads, campaigns by day",
    dataset=Dataset.SPEND,
    roles={
        "date": ("Day", "Week", "Tag", "Woche", "Jour", "Semaine", "Día", "Semana", "Dag"),
        "campaign": ("Campaign", "Kampagne", "Campagne", "Campaña"),
        "type": (
            "Campaign type", "Advertising channel type", "Kampagnentyp", "Type de campagne", "Tipo de campaña",
            "Campagnetype",
        ),
        "status": (
            "Campaign status", "Campaign state", "Kampagnenstatus", "État de la campagne", "Estado de la campaña",
            "Campagnestatus",
        ),
        "currency": (
            "Currency code", "Currency", "Währungscode", "Währung", "Code de devise", "Code devise", "Devise",
            "Código de moneda", "Valutacode",
        ),
        "spend": ("Cost", "Kosten", "Coût", "Coste", "Costo"),
        "impressions": ("Impr.", "Impressions", "Impressionen", "Impresiones", "Vertoningen"),
        "clicks": ("Clicks", "Klicks", "Clics", "Klikken"),
        "channel": ("Channel", "Kanal", "Canal", "Kanaal"),
    },
    required=("date", "campaign", "spend"),
    foreign=("channel",),
    marks=_is_of_google,
    splits=SPLITS,
    split_advice="Download it by day and campaign, without further segments.",
    derived=(Derived(CHANNEL, ("type",), _channel),),
    fields={
        "date": "date",
        "channel": CHANNEL,
        "campaign": "campaign",
        "spend": "spend",
        "impressions": "impressions",
        "clicks": "clicks",
    },
    skips=(Skip(("date", FIRST_COLUMN, "status"), is_total),),
    blank=("--",),
)  # fmt: skip
