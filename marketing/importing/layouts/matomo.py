"""The visits log of Matomo, as exported from the page “Visits Log” or by the API (`Live.getLastVisitsDetails`).

One row is a visit: a touch, and if something was ordered a conversion. Column names: the fields of Matomo's Live API,
and of its plugin Marketing Campaigns Reporting for the source and medium of campaigns.
"""

from marketing.importing.layouts.shape import Derived, Layout, Skip
from marketing.models import Dataset

SOURCE, MEDIUM, CAMPAIGN = "Source (by referrer)", "Medium (by referrer)", "Campaign (by referrer)"
REFERRER = ("referrer_type", "referrer", "campaign", "campaign_source", "campaign_medium")
# Referrer type -> the medium that GA4's default grouping knows such a visit by.
MEDIA = {"search": "organic", "website": "referral", "social": "social", "ai assistant": "referral", "direct": "(none)"}
ORDERED = ("ordered", "orderedthenabandonedcart")


def _kind(referrer_type: str) -> str:
    return referrer_type.strip().lower().replace("_", " ").replace("-", " ").removesuffix(" entry").rstrip("s")


def _source(kind: str, referrer: str, campaign: str, campaign_source: str, campaign_medium: str) -> str:
    del campaign, campaign_medium
    if _kind(kind) == "direct":
        return "(direct)"
    return campaign_source or referrer


def _medium(kind: str, referrer: str, campaign: str, campaign_source: str, campaign_medium: str) -> str:
    del referrer, campaign, campaign_source
    return campaign_medium or MEDIA.get(_kind(kind), _kind(kind))


def _campaign(kind: str, referrer: str, campaign: str, campaign_source: str, campaign_medium: str) -> str:
    """Without the plugin, a campaign's name is its referrer's."""
    del campaign_source, campaign_medium
    return campaign or (referrer if _kind(kind) == "campaign" else "")


def _without_order(status: str, revenue: str) -> bool:
    if status:
        return status.lower() not in ORDERED
    return not revenue or not revenue.strip("0.,")


ROLES = {
    "customer": ("visitorId", "Visitor ID", "userId"),
    "began": ("firstActionTimestamp", "serverTimestamp", "lastActionTimestamp"),
    "ended": ("lastActionTimestamp", "serverTimestamp"),
    "referrer_type": ("referrerType",),
    "referrer": ("referrerName",),
    "campaign": ("campaignName",),
    "campaign_source": ("campaignSource",),
    "campaign_medium": ("campaignMedium",),
    "order_status": ("visitEcommerceStatus",),
    "value": ("totalEcommerceRevenue", "revenueEcommerce"),
}
MATOMO_VISITS = Layout(
    code="matomo_visits",
    label="Matomo, visits log",
    dataset=Dataset.TOUCHPOINTS,
    roles={name: names for name, names in ROLES.items() if name != "ended"},
    required=("customer", "began", "referrer_type"),
    derived=(
        Derived(SOURCE, REFERRER, _source),
        Derived(MEDIUM, REFERRER, _medium),
        Derived(CAMPAIGN, REFERRER, _campaign),
    ),
    fields={
        "customer": "customer",
        "occurred_at": "began",
        "source": SOURCE,
        "medium": MEDIUM,
        "campaign": CAMPAIGN,
    },
)
MATOMO_ORDERS = Layout(
    code="matomo_orders",
    label="Matomo, orders in the visits log",
    dataset=Dataset.CONVERSIONS,
    roles={name: names for name, names in ROLES.items() if name != "began"},
    required=("customer", "ended", "value"),
    fields={"customer": "customer", "occurred_at": "ended", "value": "value"},
    skips=(
        Skip(
            ("order_status", "value"),
            _without_order,
            told="{count} visits were left out, in which nothing was ordered.",
        ),
    ),
    nothing_left="Nothing was ordered in any of the visits, so the file holds no conversions.",
)
LAYOUTS = (MATOMO_VISITS, MATOMO_ORDERS)
