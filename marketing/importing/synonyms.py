"""What people call the fields of each dataset, in English, German, French, Spanish and Dutch; the likeliest name first.

Names are written as `guessing.folded` leaves them: lower case, no accents, no punctuation, no units in brackets.
"""

from marketing.models import Dataset


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


DATE = _names(
    "date, day, week, date week, week start, week starting, week commencing, week of, period, period start, time, ds, "
    "datum, tag, woche, wochenbeginn, jour, semaine, fecha, dia, semana, dag, weekbegin"
)
GEO = _names(
    "geo, region, country, market, state, dma, city, area, territory, land, bundesland, markt, pays, pais, mercado, "
    "regio, provincie"
)
CHANNEL = _names(
    "channel, channel name, media channel, marketing channel, channel group, channel grouping, default channel group, "
    "session default channel group, primary channel group, platform, network, media, publisher, kanal, medienkanal, "
    "canal, canal marketing, kanaal, plattform, plateforme, plataforma"
)
CAMPAIGN = _names(
    "campaign, campaign name, utm campaign, session campaign, campaign title, kampagne, kampagnenname, campagne, "
    "nom de la campagne, nom de campagne, campana, nombre de la campana, nombre de campana, campagnenaam"
)
SPEND = _names(
    "spend, cost, amount spent, costs, ad spend, adspend, media spend, total spend, total cost, media cost, ad cost, "
    "spent, investment, expenditure, kosten, ausgaben, werbekosten, mediakosten, werbeausgaben, ausgegebener betrag, "
    "cout, couts, depense, depenses, montant depense, coste, costes, costo, gasto, importe gastado, inversion, "
    "uitgaven, mediabestedingen, besteed bedrag, amount"
)
IMPRESSIONS = _names(
    "impressions, impression, impr, imps, ad impressions, views, impressionen, einblendungen, impresiones, "
    "vertoningen, weergaven"
)
CLICKS = _names(
    "clicks, click, link clicks, clicks all, ad clicks, klicks, linkklicks, link klicks, clics, clics sur un lien, "
    "clics en el enlace, klikken, klikken op link"
)
MONEY_VALUE = _names(
    "value, revenue, order value, conversion value, order total, total price, total revenue, purchase revenue, amount, "
    "total, sales, price, wert, umsatz, bestellwert, auftragswert, betrag, valeur, montant, chiffre d affaires, "
    "valor, importe, ingresos, waarde, omzet, bedrag"
)
CUSTOMER = _names(
    "customer, customer id, customer key, customer number, user id, user, user pseudo id, client id, visitor id, "
    "visitorid, contact id, contact, member id, person id, profile id, cookie id, email, e mail, email address, "
    "e mail address, kunde, kunden id, kundennummer, nutzer id, client, id client, numero client, cliente, id cliente, "
    "numero de cliente, klant, klant id, klantnummer"
)
OCCURRED_AT = _names(
    "occurred at, timestamp, datetime, date time, event time, event timestamp, touch time, visit time, session start, "
    "conversion time, order time, ordered at, order date, purchase date, conversion date, created at, time, date, day, "
    "zeitstempel, zeitpunkt, datum und uhrzeit, bestelldatum, datum, tag, horodatage, date de commande, date et heure, "
    "jour, fecha y hora, fecha del pedido, fecha, tijdstip, datum en tijd, besteldatum, dag"
)
START = _names(
    "start, start date, from, starts, begin, beginn, von, startdatum, debut, date de debut, inicio, fecha de inicio, "
    "begindatum"
)
END = _names("end, end date, to, until, ends, ende, bis, enddatum, fin, date de fin, fecha de fin, einde, einddatum")
# What says in which currency the amounts of a row are.
CURRENCY = _names(
    "currency, currency code, order currency, ecommerce currency, site currency, wahrung, wahrungscode, devise, "
    "code devise, code de devise, divisa, moneda, codigo de moneda, valuta, valutacode"
)

SYNONYMS: dict[str, dict[str, tuple[str, ...]]] = {
    Dataset.TOUCHPOINTS: {
        "customer": CUSTOMER,
        "occurred_at": OCCURRED_AT,
        "channel": CHANNEL,
        "source": _names("source, utm source, traffic source, session source, quelle, origine, fuente, origen, bron"),
        "medium": _names("medium, utm medium, session medium, medio, support"),
        "campaign": CAMPAIGN,
        "interaction": _names("interaction, interaction type, touch type, touchpoint type, event type, interaktion"),
        "segment": _names("segment, customer segment, customer type, audience, kundensegment, klantsegment"),
    },
    Dataset.CONVERSIONS: {
        "customer": CUSTOMER,
        "occurred_at": OCCURRED_AT,
        "goal": _names(
            "goal, goal name, conversion, conversion type, conversion name, conversion action, event name, event, "
            "ziel, objectif, objetivo, doel"
        ),
        "value": MONEY_VALUE,
        "order_id": _names(
            "order id, order, order number, order no, orderid, transaction id, transaction, invoice, invoice number, "
            "bestellnummer, bestell id, auftragsnummer, numero de commande, id commande, commande, numero de pedido, "
            "id pedido, pedido, ordernummer, bestelnummer"
        ),
        "converted": _names("converted, is converted, has converted, conversion flag"),
    },
    Dataset.SPEND: {
        "date": DATE,
        "channel": CHANNEL,
        "campaign": CAMPAIGN,
        "geo": GEO,
        "spend": SPEND,
        "impressions": IMPRESSIONS,
        "clicks": CLICKS,
    },
    Dataset.OUTCOMES: {
        "date": DATE,
        "outcome": _names("outcome, outcome name, kpi, metric, measure, name, kennzahl, indicateur, indicador"),
        "geo": GEO,
        "value": ("value", "amount", *MONEY_VALUE[1:], "count", "units", "number", "anzahl", "nombre", "aantal"),
    },
    Dataset.CONTROLS: {
        "date": DATE,
        "control": _names("control, control name, variable, factor, driver, name, faktor, facteur, factor externo"),
        "geo": GEO,
        "value": ("value", "level", "index", "amount", "wert", "valeur", "valor", "waarde"),
    },
    Dataset.EXPERIMENTS: {
        "channel": CHANNEL,
        "start": START,
        "end": END,
        "geo": GEO,
        "lift": _names(
            "lift, incremental, incremental outcome, incremental revenue, incremental sales, incremental conversions, "
            "incremental value, uplift, effect"
        ),
        "standard_error": _names("standard error, se, std error, stderr, std err, standardfehler, erreur type"),
        "spend": SPEND,
    },
    Dataset.EVENTS: {
        "name": _names(
            "name, event, event name, holiday, holiday name, promotion, title, description, ereignis, feiertag, "
            "aktion, anlass, evenement, jour ferie, nom, evento, festivo, nombre, gebeurtenis, feestdag, naam"
        ),
        "start": START + DATE,
        "end": END,
        "geo": GEO,
    },
    Dataset.MEDIA_TABLE: {"date": DATE, "geo": GEO},
    Dataset.PATHS: {
        "date": DATE,
        "path": _names(
            "path, paths, channel path, conversion path, conversion paths, path to conversion, journey, journey path, "
            "customer journey, customer path, touchpoint path, transformed path, default channel group path, "
            "source path, medium path, source medium path, mcf channel grouping path, pfad, kanalpfad, "
            "konversionspfad, conversion pfad, chemin, chemin de conversion, parcours, parcours client, ruta, "
            "ruta de conversion, camino, recorrido, pad, kanaalpad, conversiepad, klantreis"
        ),
        "conversions": _names(
            "conversions, total conversions, conversion, conversion count, converting, converted, key events, "
            "transactions, purchases, orders, konversionen, anzahl conversions, conversions totales, "
            "nombre de conversions, conversiones, conversiones totales, conversies, totaal conversies"
        ),
        "value": _names("total conversion value, conversion values, value of conversions") + MONEY_VALUE,
        "null": _names(
            "null, total null, nulls, null conversions, total null conversions, non conversions, nonconversions, "
            "non converting, non converting paths, no conversion, no conversions, not converted, unconverted, "
            "without conversion, ohne conversion, nicht konvertiert, sans conversion, non converti, non convertis, "
            "sin conversion, no convertidos, zonder conversie, niet geconverteerd"
        ),
    },
}
# Columns of wide tables whose whole name says what they are.
OUTCOME_NAMES = frozenset(
    _names(
        "revenue, sales, total sales, total revenue, net sales, net revenue, conversions, orders, transactions, "
        "purchases, leads, sign ups, signups, subscriptions, installs, app installs, new customers, sessions, visits, "
        "website visits, units, units sold, bookings, kpi, outcome, target, y, brand awareness, umsatz, bestellungen, "
        "ventes, chiffre d affaires, commandes, ventas, ingresos, pedidos, omzet, verkopen, bestellingen"
    )
)
CONTROL_WORDS = frozenset(
    _names(
        "control, competitor, competitors, competition, price, prices, discount, promo, promos, promotion, promotions, "
        "holiday, holidays, event, weather, temperature, rain, sentiment, population, inflation, gdp, cpi, "
        "unemployment, seasonality, trend, stock, distribution, covid, per"
    )
)
OWNED_MEDIA = frozenset(_names("newsletter, newsletters, email, emails, sms, push, push notifications, crm"))
