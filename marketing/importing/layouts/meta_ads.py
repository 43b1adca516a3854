"""The exports of Meta Ads Manager: spend by day and campaign, in any of some languages.

An export names its currency in the column “Amount spent (EUR)”, and may have a row of totals without a campaign. Column
names: Meta business help, “Ads Manager columns”, and “About breakdowns in Meta Ads Manager”.
"""

from marketing.importing.layouts.shape import Derived, Layout, Skip
from marketing.models import Dataset

CHANNEL = "Channel (Meta)"
SPLITS = (
    "Ad set name", "Ad set ID", "Ad name", "Ad ID", "Age", "Gender", "Platform", "Placement", "Impression device",
    "Device platform", "Time of day (ad account time zone)", "Time of day (viewer's time zone)", "Anzeigengruppenname",
    "Name der Anzeige", "Anzeigenname", "Alter", "Geschlecht", "Plattform", "Platzierung",
    "Nom de l'ensemble de publicités", "Nom de la publicité", "Âge", "Sexe", "Nombre del conjunto de anuncios",
    "Nombre del anuncio", "Edad", "Sexo", "Naam advertentieset", "Advertentienaam", "Leeftijd", "Geslacht",
)  # fmt: skip


META_ADS = Layout(
    code="meta_ads",
    label="Meta Ads, campaigns by day",
    dataset=Dataset.SPEND,
    roles={
        "day": ("Day", "Tag", "Jour", "Día", "Dag"),
        "start": (
            "Reporting starts", "Berichtsstart", "Beginn des Berichts", "Anfang des Auswertungszeitraums",
            "Début des rapports", "Début du rapport", "Inicio del informe", "Begin rapportage",
        ),
        "end": (
            "Reporting ends", "Berichtsende", "Ende des Berichts", "Ende des Auswertungszeitraums", "Fin des rapports",
            "Fin du rapport", "Fin del informe", "Einde rapportage",
        ),
        "campaign": (
            "Campaign name", "Kampagnenname", "Name der Kampagne", "Nom de la campagne", "Nombre de la campaña",
            "Campagnenaam", "Naam campagne",
        ),
        "spend": (
            "Amount spent", "Ausgegebener Betrag", "Montant dépensé", "Importe gastado", "Besteed bedrag",
        ),
        "impressions": ("Impressions", "Impressionen", "Impresiones", "Weergaven"),
        "clicks": (
            "Link clicks", "Clicks (all)", "Link-Klicks", "Klicks auf Links", "Clics sur un lien", "Clics en el enlace",
            "Klikken op link", "Clicks",
        ),
        "geo": ("Region", "Country", "Land", "Pays", "País", "Región"),
    },
    required=("start", "end", "spend"),
    splits=SPLITS,
    split_advice="Export it on the level of campaigns, broken down by day only.",
    derived=(Derived(CHANNEL, (), lambda: "Paid Social"),),
    fields={
        "date": "start",
        "channel": CHANNEL,
        "campaign": "campaign",
        "geo": "geo",
        "spend": "spend",
        "impressions": "impressions",
        "clicks": "clicks",
    },
    fields_of=lambda binding: {"date": "day"} if binding.has("day") else {},
    # The row of totals has no campaign; an export of a whole account has no column of them.
    skips=(Skip(("campaign",), lambda campaign: not campaign, needs=("campaign",)),),
    longest_days=7,
    blank=("--", "-"),
)  # fmt: skip
