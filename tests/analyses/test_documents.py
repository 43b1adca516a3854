"""Tables of documents: which of their columns say words, and which say numbers."""

from django.template.loader import render_to_string

from analyses.documents import NO_FIGURE, DataTable, Figure, Row

CHECKS = DataTable(
    title="Checks",
    columns=("Check", "Of", "Value", "Not known", "Verdict"),
    rows=(
        Row(
            label="R-hat", cells=(Figure("the model"), Figure("1.003", value=1.0034), Figure(NO_FIGURE), Figure("Good"))
        ),
        Row(label="VIF", cells=(Figure("TV"), Figure(NO_FIGURE), Figure(NO_FIGURE), Figure(NO_FIGURE))),
    ),
)


def test_columns_of_words_are_those_without_any_number_but_with_a_word() -> None:
    assert CHECKS.text_columns == {0, 1, 4}
    assert CHECKS.with_figures(1, 4).text_columns == {0, 3}


def test_a_table_without_rows_has_words_in_its_labels_only() -> None:
    assert DataTable(title="T", columns=("A", "B"), rows=()).text_columns == {0}


def test_words_stand_to_the_left_and_numbers_to_the_right_on_the_page() -> None:
    page = render_to_string("components/data_table.html", {"table": CHECKS})
    assert '<td title="the model"><span class="words">the model</span></td>' in page
    assert '<td class="number" data-value="1.0034" title="1.003">1.003</td>' in page
    assert page.count('<th scope="col">') == 3
    assert page.count('<th scope="col" class="number">') == 2
    assert page.count('<td class="number"') == 4
