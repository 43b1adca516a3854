"""Search over the sections of the guide, by words: what somebody types, without regard to case and endings."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from guide.pages import Guide, Page, Section

MOST_RESULTS = 20
EXCERPT_CHARACTERS = 240
BEFORE_THE_FIRST_WORD = 70
# What a word weighs by where it stands; more than MOST_COUNTED times in a text counts no more.
IN_TITLE, IN_PAGE_TITLE, IN_TEXT, MOST_COUNTED = 10.0, 4.0, 1.0, 4
SIDE_BY_SIDE = 12.0  # all of the words, one after the other
OF_A_REFERENCE = 0.6  # a page of the guide is read before the long documents behind it
UNSAID = frozenset(
    {"a", "an", "and", "are", "can", "do", "does", "how", "i", "in", "is", "it", "my", "not", "of", "on", "or", "the"}
    | {"to", "was", "what", "when", "where", "why", "with"}
)
ENDINGS = re.compile(r"(?<=\w{3})(?:ies|ings?|ed|es|e|s|y)$")


@dataclass(frozen=True)
class Result:
    """A section that was found; `excerpt` and `title` have the words marked."""

    url: str
    page: str
    title: SafeString
    excerpt: SafeString


@dataclass(frozen=True)
class Results:
    """The best sections first. `is_complete`: each of them has all of the words."""

    found: Sequence[Result]
    is_complete: bool


def search(guide: Guide, query: str) -> Results:
    """Return the sections with all words of `query`; where there are none, those with the most of them."""
    asked = _read(query)
    scored = [scored for page in guide.pages() for scored in _scores(page, asked)]
    most = max((matched for matched, _, _, _ in scored), default=0)
    best = sorted((one for one in scored if one[0] == most), key=lambda one: -one[1])[:MOST_RESULTS]
    found = [_result(page, section, asked) for _, _, page, section in best]
    return Results(found=found, is_complete=most == len(asked.words))


@dataclass(frozen=True)
class _Asked:
    """The words of a query, each with any other ending; any one of them; and all of them, one after the other."""

    words: Sequence[re.Pattern[str]]
    any_word: re.Pattern[str]
    together: re.Pattern[str]


def _read(query: str) -> _Asked:
    """Return what to look for; small words only where there is nothing else."""
    typed = list(dict.fromkeys(re.findall(r"\w+", query.casefold())))
    stems = [ENDINGS.sub("", word) for word in typed if word not in UNSAID] or typed
    patterns = [rf"\b{re.escape(stem)}\w*" for stem in stems]
    words, any_word, together = patterns, "|".join(patterns), r"\W+".join(patterns)
    return _Asked([_pattern(word) for word in words], _pattern(any_word), _pattern(together))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _scores(page: Page, asked: _Asked) -> Iterator[tuple[int, float, Page, Section]]:
    """Yield (how many of the words it has, how well, page, section) for each section that has one of its own."""
    in_page_title = [bool(word.search(page.entry.title)) for word in asked.words]
    for section in page.sections:
        in_title = [bool(word.search(section.title)) for word in asked.words]
        in_text = [min(len(word.findall(section.text)), MOST_COUNTED) for word in asked.words]
        if not any(in_title) and not any(in_text):
            continue
        matched = sum(map(any, zip(in_page_title, in_title, in_text, strict=True)))
        score = IN_TITLE * sum(in_title) + IN_PAGE_TITLE * sum(in_page_title) + IN_TEXT * sum(in_text)
        if len(asked.words) > 1 and (asked.together.search(section.title) or asked.together.search(section.text)):
            score += SIDE_BY_SIDE
        yield matched, score * (OF_A_REFERENCE if page.entry.is_reference else 1), page, section


def _result(page: Page, section: Section, asked: _Asked) -> Result:
    return Result(
        url=f"{page.entry.url}#{section.anchor}" if section.anchor else page.entry.url,
        page=page.entry.title,
        title=_marked(section.title, asked.any_word),
        excerpt=_marked(_excerpt(section.text, asked), asked.any_word),
    )


def _excerpt(text: str, asked: _Asked) -> str:
    """Return the piece of a text around the words, or around the first of them, cut between words."""
    first = asked.together.search(text) or asked.any_word.search(text)
    start = max(first.start() - BEFORE_THE_FIRST_WORD, 0) if first else 0
    start = text.find(" ", start) + 1 if start else 0
    end = start + EXCERPT_CHARACTERS
    piece = text[start:end] if end >= len(text) else text[start:end].rsplit(" ", maxsplit=1)[0] + " …"
    return f"… {piece}" if start else piece


def _marked(text: str, words: re.Pattern[str]) -> SafeString:
    """Return the text with every match in a `<mark>`."""
    pieces, at = [], 0
    for match in words.finditer(text):
        pieces.append(format_html("{}<mark>{}</mark>", text[at : match.start()], match[0]))
        at = match.end()
    return format_html_join("", "{}", [(piece,) for piece in [*pieces, text[at:]]])
