"""Addresses as people type them."""

import pytest
from django.core.exceptions import ValidationError

from mmm_project.problems import Invalid
from reports.deliveries.addresses import clean_addresses, clean_lines


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ann@example.com", ["ann@example.com"]),
        ("a@b.co, c@d.co", ["a@b.co", "c@d.co"]),
        ("a@b.co;c@d.co\r\n\r\n e@f.co ,\n", ["a@b.co", "c@d.co", "e@f.co"]),
        ("Ann@Example.com\nann@example.com", ["ann@example.com"]),
        ("post@bücher.example", ["post@xn--bcher-kva.example"]),
        ("post@bücher.example, POST@xn--bcher-kva.example", ["post@xn--bcher-kva.example"]),
        ("\n".join(f"p{number}@b.co" for number in range(50)), [f"p{number}@b.co" for number in range(50)]),
    ],
)
def test_addresses_come_one_a_line_or_between_commas_each_once(text: str, found: list[str]) -> None:
    assert clean_lines(text) == found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ann@example.com\nbob", 2),
        ("ann@example.com\r\nBcc: all@example.com", 2),
        ("ann@example.com\rBcc: all@example.com", 1),
        ("a@b.co\n\nAnn <ann@example.com>", 3),
        ("a@b@c.co", 1),
        ("a@b.co\x0bc@d.co", 1),
    ],
)
def test_an_error_says_in_which_line_it_is(text: str, line: int) -> None:
    with pytest.raises(ValidationError) as refusal:
        clean_lines(text)
    (sentence,) = refusal.value.messages
    assert sentence.startswith(f"Line {line}, “")
    assert "\r" not in sentence
    assert "\n" not in sentence


def test_every_bad_line_is_named() -> None:
    with pytest.raises(ValidationError) as refusal:
        clean_lines("bob\nann@example.com\ncleo")
    assert [sentence[:6] for sentence in refusal.value.messages] == ["Line 1", "Line 3"]


@pytest.mark.parametrize("text", ["", " \n,;\n", "\n".join(f"p{number}@b.co" for number in range(51))])
def test_none_and_too_many_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        clean_lines(text)


@pytest.mark.parametrize("address", ["a@b.co, c@d.co", "a@b.co\nc@d.co", "a@b.co\r\nBcc: c@d.co", "a b@c.co", ""])
def test_a_list_has_one_address_an_entry(address: str) -> None:
    with pytest.raises(Invalid) as refusal:
        clean_addresses([address])
    assert "recipients" in refusal.value.errors
