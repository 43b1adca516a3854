"""Names that are meant to be one: spelling variants, misspellings, and sites by their several names."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from marketing.grouping import DOORS, PUBLIC_SUFFIX

# One platform by the names that people and programs give it, beside its own.
SHORT_FOR = {
    "fb": "facebook",
    "meta": "facebook",
    "ig": "instagram",
    "insta": "instagram",
    "yt": "youtube",
    "youtu": "youtube",
    "tw": "twitter",
    "x": "twitter",
    "li": "linkedin",
    "lnkd": "linkedin",
    "goog": "google",
    "adwords": "google",
    "tt": "tiktok",
    "pin": "pinterest",
}
# Words that differ by one or two letters, and mean different markets.
DIFFERENT = ({"iceland", "ireland"}, {"slovakia", "slovenia"}, {"slovak", "slovene"})
NOT_LETTERS = re.compile(r"[\W_]+")
DIGITS = re.compile(r"\d+")
SHORTEST_TOKEN = 5  # letters of a word that may be misspelt: shorter ones are codes of countries, sizes, tests
ONE_ERROR, TWO_ERRORS = 5, 8  # letters from which one, and two, errors are taken for a misspelling


def platform(source: str) -> str:
    """The platform that a source names, whichever way: "fb", "Facebook" and "m.facebook.com" are "facebook".

    >>> platform("m.Facebook.com")
    'facebook'
    """
    site = DOORS.sub("", source.strip().lower())
    name = NOT_LETTERS.sub("", PUBLIC_SUFFIX.sub("", site))
    return SHORT_FOR.get(name, name)


def plain(name: str) -> str:
    """A name without case, spaces and punctuation: what variants of one spelling share.

    >>> plain("Spring_Sale ")
    'springsale'
    """
    return NOT_LETTERS.sub("", name.casefold())


def variants(names: Iterable[str], *, key: "Mapping[str, str] | None" = None) -> list[list[str]]:
    """Groups of different names that are one by `key` (name -> what they share; by default `plain`)."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        shared = key[name] if key else plain(name)
        if shared:
            groups[shared].append(name)
    return [group for group in groups.values() if len(group) > 1]


def misspellings(counts: Mapping[str, float]) -> list[tuple[str, str]]:
    """Pairs (rare name, common name) that differ by a typing error in one of their words; `counts`: uses of each name.

    Names that differ in a number, or in a short word (a country, a size, a variant), are different on purpose.
    """
    alike: dict[tuple[object, ...], list[tuple[str, str]]] = defaultdict(list)
    for name in counts:
        words = NOT_LETTERS.split(name.casefold())
        for place, word in enumerate(words):
            if len(word) >= SHORTEST_TOKEN:
                for left in _without_letters(word):
                    alike[(place, left, *words[:place], None, *words[place + 1 :])].append((word, name))
    pairs: dict[str, str] = {}
    for bucket in alike.values():
        for word, name in bucket:
            likeliest = _likeliest(word, name, bucket, counts)
            if likeliest and (name not in pairs or counts[likeliest] > counts[pairs[name]]):
                pairs[name] = likeliest
    return sorted(pairs.items())


def _without_letters(word: str) -> set[str]:
    """The word, and what is left of it without as many letters as may be wrong: misspellings share some of these.

    So that of thousands of names only those that look alike are compared.
    """
    found = {word}
    for _ in range(_errors_allowed(len(word))):
        found |= {known[:place] + known[place + 1 :] for known in found for place in range(len(known))}
    return found


def _likeliest(word: str, name: str, bucket: Sequence[tuple[str, str]], counts: Mapping[str, float]) -> str | None:
    """The most used name that this one is a misspelling of."""
    found = [
        other_name
        for other, other_name in bucket
        if counts[other_name] > counts[name] and other != word and _is_typing_error(word, other)
    ]
    return max(found, key=lambda other: counts[other], default=None)


def _is_typing_error(word: str, other: str) -> bool:
    if DIGITS.findall(word) != DIGITS.findall(other):
        return False
    if {word, other} in DIFFERENT:
        return False
    allowed = _errors_allowed(min(len(word), len(other)))
    return abs(len(word) - len(other)) <= allowed and distance(word, other) <= allowed


def _errors_allowed(letters: int) -> int:
    return 2 if letters >= TWO_ERRORS else 1 if letters >= ONE_ERROR else 0


def distance(one: str, other: str) -> int:
    """How many letters are wrong, missing, too many, or swapped with their neighbour (optimal string alignment).

    >>> distance("serach", "search")
    1
    """
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, other_letter in enumerate(other, start=1):
            cost = min(above[column] + 1, current[-1] + 1, above[column - 1] + (letter != other_letter))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == other_letter
            current.append(min(cost, before[column - 2] + 1) if swapped else cost)
        before, above = above, current
    return above[-1]
