"""What terms mean: those of a document are the ones that occur in it, and they agree with the documentation."""

from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest
from django.conf import settings

from analyses.definitions import TERMS, defined, still_defined
from analyses.documents import Card, Document, Figure, Section
from tests.reports.documents import a_document
from weightings.methods.health import LARGEST_R_HAT, LEAST_ESS

VALUES = {"confidence": 90, "window_days": 30, "currency": "EUR", "alpha": "0.1"}


def with_card(label: str) -> Document:
    card = Card(label=label, figure=Figure("1"))
    return a_document(title="", subtitle="", headline="", facts=(), notes=(), sections=(), cards=(card,))


def terms(document: Document) -> list[str]:
    return [term for term, _meaning in document.definitions]


def test_a_document_has_the_terms_that_occur_in_it_in_the_order_asked_for() -> None:
    document = with_card("Marginal ROI and Efficiency score")
    assert terms(defined(document, "efficiency", "crps", "marginal_roi")) == ["Efficiency score", "Marginal ROI"]
    assert terms(defined(with_card("Spend"), "efficiency", "crps", "marginal_roi")) == []


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Two synergies", True),
        ("SYNERGY", True),
        ("Asynergy", False),
        ("Cannibalisation", False),
    ],
)
def test_a_term_is_told_by_its_signs_where_a_word_begins(said: str, found: bool) -> None:
    assert bool(defined(with_card(said), "synergy", alpha="0.05").definitions) is found


def test_models_go_first_whether_they_are_named_or_not() -> None:
    found = defined(with_card("Credit"), "credit", models=(("Last Touch", "All to the last."),))
    assert terms(found) == ["Last Touch", "Credit"]


def test_texts_are_filled_in() -> None:
    ((term, meaning),) = defined(with_card("95% intervals"), "customers_interval", confidence=95).definitions
    assert term == "95% interval of credit"
    assert "{" not in meaning
    ((_, meaning),) = defined(with_card("30-day window"), "lookback", window_days=30).definitions
    assert "0 to 30 days" in meaning


@pytest.mark.parametrize("value", ["", None])
def test_a_text_is_not_filled_in_with_nothing(value: str | None) -> None:
    with pytest.raises(ValueError, match="window_days"):
        defined(with_card("Lookback window"), "lookback", window_days=value)


def test_notes_and_method_ask_for_no_definitions() -> None:
    said = replace(with_card("Spend"), notes=("Credit is association.",), method=("Credit is computed.",))
    assert terms(defined(said, "credit")) == []
    for shown in (
        replace(said, headline="Credit is high."),
        replace(said, facts=(("Metric", "credit"),)),
        replace(said, cards=(Card(label="Credit", figure=Figure("1")),)),
        replace(said, sections=(Section(title="Credit by channel"),)),
    ):
        assert terms(defined(shown, "credit")) == ["Credit"]


@pytest.mark.parametrize("name", TERMS)
def test_every_text_is_a_sentence_with_nothing_left_to_fill_in(name: str) -> None:
    definition = TERMS[name]
    wanted = {field for text in (definition.term, definition.text) for _, field, *_ in Formatter().parse(text) if field}
    assert wanted <= VALUES.keys()
    text = definition.text.format(**VALUES)
    assert text[0].isupper() or text[0].isdigit()
    assert text.endswith(".")
    assert "  " not in text


def test_no_two_terms_are_called_alike() -> None:
    called = [definition.term for definition in TERMS.values()]
    assert sorted(set(called)) == sorted(called)


@pytest.mark.parametrize(
    ("name", "said", "documented"),
    [
        ("r_hat", f"at most {LARGEST_R_HAT}", f"R-hat, largest | ≤ {LARGEST_R_HAT}"),
        ("effective_draws", f"{LEAST_ESS} or more", f"Effective draws, fewest | ≥ {LEAST_ESS}"),
        ("efficiency", "100 is par", "100 is par"),
        ("recommended", "within 30%", "within 30% of its share"),
        ("marginal_roi", "1% more spend", "what 1% more spend would add, over that 1%"),
        ("stability", "From 90 on", "From 90 on returns are said to be about what they were"),
        ("lookback", "both ends included", "both ends included"),
        ("vif", "10 and more", "VIF | ≤ 5 | ≥ 10"),
        ("q_value", "Benjamini and Hochberg", "Benjamini and"),
        ("trend", "whole interval lies on one side of zero", "whole interval lies on one side of zero"),
    ],
)
def test_numbers_in_definitions_are_those_of_the_documentation(name: str, said: str, documented: str) -> None:
    methods = " ".join((Path(settings.BASE_DIR) / "docs/methods.md").read_text().split())
    assert said in TERMS[name].text
    assert documented in methods


def test_terms_that_do_not_occur_any_more_are_left_out() -> None:
    asked = ("efficiency", "marginal_roi", "customers_interval")
    models = (("Last Touch", "All to the last."),)
    whole = defined(with_card("Marginal ROI, Efficiency score, intervals"), *asked, models=models, confidence=95)
    assert terms(whole) == ["Last Touch", "Efficiency score", "Marginal ROI", "95% interval of credit"]
    left = still_defined(replace(whole, cards=(Card(label="Marginal ROI, its interval", figure=Figure("1")),)))
    assert terms(left) == ["Last Touch", "Marginal ROI", "95% interval of credit"]
