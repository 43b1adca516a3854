"""Markdown of the documentation into HTML: tables that scroll, headings that can be linked to, formulas as MathML.

The dialect is that of the forges (CommonMark with tables, alerts and `$` formulas), so that a document reads the same
there. Raw HTML is shown as text.
"""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from guide.formulas import mathml


class Renderer(RendererHTML):
    """HTML in the product's classes; style attributes would be refused by the content security policy."""

    def heading_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f'<div class="guide-heading">{self.renderToken(tokens, idx, options, env)}'

    def heading_close(self, tokens: Sequence[Token], idx: int, _options: Any, _env: Any) -> str:
        anchor, title = tokens[idx - 2].attrGet("id"), plain_text(tokens[idx - 1])
        link = '<a class="guide-anchor" href="#{}" aria-label="Link to “{}”">#</a></div>\n'
        return f"</{tokens[idx].tag}>{format_html(link, anchor, title)}"

    def table_open(self, tokens: Sequence[Token], idx: int, _options: Any, _env: Any) -> str:
        columns = [plain_text(token) for token in _inline_of_first_row(tokens, idx)]
        label = ", ".join(filter(None, columns)) or "without column names"
        frame = '<div class="table-scroll" tabindex="0" role="group" aria-label="Table: {}">\n<table>\n'
        return format_html(frame, label)

    def table_close(self, _tokens: Sequence[Token], _idx: int, _options: Any, _env: Any) -> str:
        return "</table>\n</div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        tokens[idx].attrSet("scope", "col")
        return self.td_open(tokens, idx, options, env)

    def td_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        if tokens[idx].attrs.pop("style", "") == "text-align:right":
            tokens[idx].attrJoin("class", "number")
        return self.renderToken(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, _options: Any, _env: Any) -> str:
        token = tokens[idx]
        size = format_html(' width="{}" height="{}"', *token.meta["size"]) if all(token.meta["size"]) else ""
        picture = '<a class="guide-picture" href="{}"><img src="{}" alt="{}"{} loading="lazy"></a>'
        return format_html(picture, token.attrs["src"], token.attrs["src"], token.content, size)

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return self.fence(tokens, idx, options, env)

    def fence(self, tokens: Sequence[Token], idx: int, _options: Any, _env: Any) -> str:
        frame = (
            '<copy-text class="copy-code"><pre tabindex="0" aria-label="Code"><code>{}</code></pre>'
            '<button class="button-quiet button-small" type="button" hidden>Copy</button>'
            '<span class="muted" role="status"></span></copy-text>\n'
        )
        return format_html(frame, tokens[idx].content)

    def alert_open(self, tokens: Sequence[Token], idx: int, _options: Any, _env: Any) -> str:
        tone = "alert-warning" if tokens[idx].meta["kind"] in ("WARNING", "CAUTION") else ""
        return format_html('<div class="alert {}">\n', tone)

    def math_inline(self, tokens: Sequence[Token], idx: int, _options: Any, _env: Any) -> str:
        return mathml(tokens[idx].content.strip(), is_block=False)

    def math_block(self, tokens: Sequence[Token], idx: int, _options: Any, _env: Any) -> str:
        formula = mathml(tokens[idx].content.strip(), is_block=True)
        return f'<div class="guide-formula" tabindex="0" role="group" aria-label="Formula">{formula}</div>\n'


PARSER = (
    MarkdownIt("commonmark", {"html": False, "alerts": True}, renderer_cls=Renderer)
    .enable("table")
    .use(anchors_plugin, max_level=6)
    .use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, allow_blank_lines=False)
)
# The plugin registers rules of its own for these.
for _name in ("math_inline", "math_block"):
    PARSER.add_render_rule(_name, getattr(Renderer, _name))


def parse(text: str) -> list[Token]:
    return PARSER.parse(text)


def render(tokens: Sequence[Token]) -> SafeString:
    """Return the HTML. Raises FormulaError for a formula that cannot be shown."""
    return SafeString(PARSER.renderer.render(tokens, PARSER.options, {}))  # the repository's own text, without raw HTML


def plain_text(inline: Token) -> str:
    """Return what a heading, paragraph or cell says, without its formulas."""
    children = inline.children or []
    said = (
        child.content
        if child.type in ("text", "code_inline", "image")
        else " " * (child.type in ("softbreak", "hardbreak"))
        for child in children
    )
    return "".join(said).strip()


def _inline_of_first_row(tokens: Sequence[Token], table: int) -> list[Token]:
    row_end = next(at for at in range(table, len(tokens)) if tokens[at].type == "tr_close")
    return [token for token in tokens[table:row_end] if token.type == "inline"]
