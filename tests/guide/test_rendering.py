"""Markdown of the documentation as HTML of the product."""

import pytest

from guide.formulas import FormulaError, mathml
from guide.rendering import parse, render


def html(text: str) -> str:
    return str(render(parse(text)))


def test_html_in_a_document_is_shown_as_text() -> None:
    assert html("A <script>alert(1)</script> and\n\n<div onclick='x'>b</div>") == (
        "<p>A &lt;script&gt;alert(1)&lt;/script&gt; and</p>\n<p>&lt;div onclick='x'&gt;b&lt;/div&gt;</p>\n"
    )


def test_a_link_that_runs_a_script_is_no_link() -> None:
    assert "<a" not in html("[click](javascript:alert(1))")


def test_headings_can_be_linked_to_by_the_anchor_that_forges_give_them() -> None:
    page = html("## Returns & “shares”: `roi`\n\n## Twice\n\n## Twice\n")
    assert '<h2 id="returns--shares-roi">' in page
    assert (
        '<a class="guide-anchor" href="#returns--shares-roi" aria-label="Link to “Returns &amp; “shares”: roi”">#</a>'
        in page
    )
    assert 'id="twice"' in page
    assert 'id="twice-1"' in page


def test_tables_scroll_and_carry_no_styles_of_their_own() -> None:
    page = html("| Model | Credit |\n|:---|---:|\n| Last | 3 |\n")
    assert '<div class="table-scroll" tabindex="0" role="group" aria-label="Table: Model, Credit">' in page
    assert '<th class="number" scope="col">Credit</th>' in page or '<th scope="col" class="number">Credit</th>' in page
    assert '<td class="number">3</td>' in page
    assert "style" not in page


def test_code_can_be_copied_and_is_escaped() -> None:
    page = html("```sh\ncurl a && <b>\n```\n")
    assert '<pre tabindex="0" aria-label="Code"><code>curl a &amp;&amp; &lt;b&gt;\n</code></pre>' in page
    assert page.startswith('<copy-text class="copy-code">')


@pytest.mark.parametrize(("kind", "tone"), [("NOTE", "alert "), ("WARNING", "alert alert-warning")])
def test_alerts_of_forges_are_the_products_own(kind: str, tone: str) -> None:
    assert f'<div class="{tone}">' in html(f"> [!{kind}]\n> Take care.\n")


def test_formulas_in_a_line_and_on_their_own() -> None:
    page = html("With $x_1 < 2$:\n\n$$\n\\frac{a}{b}\n$$\n")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline">' in page
    assert '<div class="guide-formula" tabindex="0" role="group" aria-label="Formula"><math' in page
    assert "<mfrac>" in page


@pytest.mark.parametrize("text", ["It costs $5, or $6.", "`$MMM_API_KEY`", "a $ b $ c"])
def test_money_and_variables_of_a_shell_are_no_formulas(text: str) -> None:
    assert "<math" not in html(text)


@pytest.mark.parametrize("latex", [r"\nosuchcommand x", r"\begin{aligned} a &= b \end{aligned}", "x_"])
def test_what_cannot_be_shown_is_an_error(latex: str) -> None:
    with pytest.raises(FormulaError, match="formula"):
        mathml(latex, is_block=False)
