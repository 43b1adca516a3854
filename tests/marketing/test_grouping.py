"""The default channel groups, against Google Analytics' published rules."""

import csv
from pathlib import Path

import pytest

from marketing.grouping import CHANNEL_TYPES, LONGEST_NAME, RULES, UNASSIGNED, classify, granular, kind_of_site
from marketing.models import Channel

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "attribution"
VECTORS = REFERENCE / "ga4_channel_vectors.csv"
SITES = REFERENCE / "ga4_source_categories.csv"


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "group"),
    [  # after the unit tests of Velir/dbt-ga4 (MIT) and the published rules
        ("(direct)", "(none)", "", "Direct"),
        ("", "", "", "Direct"),
        ("(direct)", "cpc", "", "Paid Other"),
        ("google", "cpc", "x cross-network y", "Cross-network"),
        ("acme.com", "cpc", "eshop sale", "Paid Shopping"),
        ("acme.com", "cpc", "workshop", "Paid Other"),
        ("google", "CPC", "", "Paid Search"),
        ("facebook.com", "paidsocial", "", "Paid Social"),
        ("youtube.com", "cpv", "", "Paid Video"),
        ("acme.com", "cpm", "", "Display"),
        ("Google Shopping", "", "", "Organic Shopping"),
        ("m.facebook.com", "referral", "", "Organic Social"),
        ("sina-weibo", "referral", "", "Organic Social"),
        ("acme.com", "videoad", "", "Organic Video"),
        ("google", "referral", "", "Organic Search"),
        ("acme.com", "referral", "", "Referral"),
        ("email", "", "", "Email"),
        ("acme.com", "affiliates", "", "Unassigned"),
        ("", "sms", "", "SMS"),
        ("acme.com", "mobile-banner", "", "Mobile Push Notifications"),
        ("chatgpt.com", "ai-assistant", "(ai-assistant)", "AI Assistant"),
    ],
)
def test_traffic_falls_into_its_default_channel_group(source: str, medium: str, campaign: str, group: str) -> None:
    assert classify(source, medium, campaign) == group


@pytest.mark.skipif(not VECTORS.is_file(), reason=f"The reference data are not in {REFERENCE}.")
def test_every_reference_vector_is_classified_as_published() -> None:
    with VECTORS.open(newline="") as file:
        vectors = list(csv.DictReader(file))

    classified = [classify(row["source"], row["medium"], row["campaign"]) for row in vectors]

    assert len(vectors) == 55
    assert classified == [row["expected_channel"] for row in vectors]


@pytest.mark.skipif(not SITES.is_file(), reason=f"The reference data are not in {REFERENCE}.")
def test_the_major_sites_are_known_and_none_is_taken_for_another_kind() -> None:
    """Google's published list holds many that are long gone: of 819 names, nearly half are known here."""
    with SITES.open(newline="") as file:
        published = {row["source"]: row["source_category"].rpartition("_")[2].lower() for row in csv.DictReader(file)}
    known = {site: kind_of_site(site.lower()) for site in published if kind_of_site(site.lower())}

    assert {site: kind for site, kind in known.items() if kind != published[site]} == {}
    assert len(published) == 819
    assert len(known) >= 392


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "channel"),
    [
        ("google", "CPC", "Spring sale", "google / cpc / spring sale"),
        (" Google ", "cpc", "", "google / cpc / (not set)"),
        ("", "email", "news", "(not set) / email / news"),
        ("(direct)", "(none)", "", "Direct"),
        ("", "", "", "Direct"),
    ],
)
def test_granular_traffic_is_its_own_channel_but_direct_stays_direct(
    source: str, medium: str, campaign: str, channel: str
) -> None:
    assert granular(source, medium, campaign) == channel


def test_long_granular_names_are_cut_and_stay_apart() -> None:
    one, other = (granular("google", "cpc", "x" * 150 + end) for end in ("1", "2"))
    assert len(one) == len(other) == LONGEST_NAME == Channel._meta.get_field("name").max_length
    assert one != other
    assert one.startswith("google / cpc / xxx")


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("google", "search"),
        ("www.google.co.uk", "search"),
        ("de.search.yahoo.com", "search"),
        ("l.instagram.com", "social"),
        ("t.co", "social"),
        ("m.youtube.com", "video"),
        ("amazon.de", "shopping"),
        ("mail.google.com", ""),
        ("notgoogle.com", ""),
        ("google.example.com", ""),
        ("go.com", ""),
    ],
)
def test_a_site_is_known_by_its_brand_at_any_door(source: str, kind: str) -> None:
    assert kind_of_site(source) == kind


def test_every_group_has_a_channel_type() -> None:
    assert set(CHANNEL_TYPES) == {group for group, _ in RULES} | {UNASSIGNED}
    assert set(CHANNEL_TYPES.values()) <= set(Channel.Type.values)
