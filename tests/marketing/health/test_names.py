"""Which names are meant to be one."""

import pytest

from marketing.grouping import CHANNEL_TYPES
from marketing.health.checks.names import distance, misspellings, plain, platform, variants


@pytest.mark.parametrize(
    "source", ["fb", "Facebook", "facebook.com", "m.facebook.com", "l.facebook.com", " FACEBOOK ", "www.facebook.de"]
)
def test_a_platform_is_known_by_all_its_names(source: str) -> None:
    assert platform(source) == "facebook"


@pytest.mark.parametrize(("one", "other"), [("facebook", "instagram"), ("google", "bing.com"), ("news", "newsletter")])
def test_platforms_are_kept_apart(one: str, other: str) -> None:
    assert platform(one) != platform(other)


@pytest.mark.parametrize(
    ("one", "other", "errors"),
    [("", "", 0), ("abc", "abc", 0), ("serach", "search", 1), ("affilates", "affiliates", 1), ("kitten", "sitting", 3)],
)
def test_the_distance_counts_typing_errors(one: str, other: str, errors: int) -> None:
    assert distance(one, other) == distance(other, one) == errors


def test_a_rare_name_is_the_misspelling_of_a_common_one() -> None:
    counts = {"Paid Search": 900.0, "Paid Serach": 12.0, "Affilates": 3.0, "Affiliates": 500.0}
    assert misspellings(counts) == [("Affilates", "Affiliates"), ("Paid Serach", "Paid Search")]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("summre_sale_de", "summer_sale_de"),  # swapped
        ("sumer_sale_de", "summer_sale_de"),  # missing
        ("summer_salle_24_retargetting", "summer_salle_24_retargeting"),  # too many
        ("Prospeting_US", "Prospecting_US"),
        ("prospektinc_US", "Prospecting_US"),  # two errors in a long word
    ],
)
def test_a_typing_error_in_any_word_is_found(wrong: str, right: str) -> None:
    assert misspellings({wrong: 2.0, right: 80.0, "other_campaign_de": 500.0}) == [(wrong, right)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Brand DE", "Brand AT"),
        ("Campaign 2025", "Campaign 2026"),
        ("Shopping A", "Shopping B"),
        ("Spring Spot", "Autumn Spot"),
        ("Prospecting", "Retargeting"),
        ("Men Shoes", "Women Shoes"),
        ("summer_sale_de", "summer_sale_fr"),
        ("brand-exact-us", "brand-exact-uk"),
        ("Generic_iOS_DE_2025", "Generic_iOS_AT_2025"),
        ("Brand Iceland", "Brand Ireland"),
        ("Search_Slovakia", "Search_Slovenia"),
    ],
)
def test_names_that_differ_on_purpose_are_left_alone(one: str, other: str) -> None:
    assert misspellings({one: 10.0, other: 900.0}) == []


def test_no_channel_of_the_grouping_is_taken_for_another() -> None:
    names = [*CHANNEL_TYPES, "TV", "Radio", "Podcast", "Print", "Newsletter"]
    assert misspellings({name: float(place) for place, name in enumerate(names)}) == []
    assert variants(names) == []


def test_case_and_punctuation_make_no_other_name() -> None:
    assert plain("Spring_Sale") == plain("spring sale") == plain(" SPRING-SALE")
    assert variants(["Spring Sale", "spring_sale", "Summer Sale"]) == [["Spring Sale", "spring_sale"]]
