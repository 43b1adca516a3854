"""Each action of the audit log has plain words, and none has words that is never recorded."""

import ast

import pytest

from accounts.audit_words import FORMER_ACTIONS, NOUNS, actions_of, in_words
from tests.accounts.audit_actions import Module, Unknown, recorded_actions, the_product


def test_every_action_that_the_code_records_has_words() -> None:
    known = {action for noun in NOUNS for action in actions_of(noun)}
    missing = {action: path for action, path in recorded_actions(the_product()).items() if action not in known}
    assert not missing, "Give them words in accounts/audit_words.py."


def test_no_words_are_left_of_actions_that_nothing_records() -> None:
    recorded = recorded_actions(the_product()).keys() | FORMER_ACTIONS
    assert not [action for noun in NOUNS for action in actions_of(noun) if action not in recorded]


def test_what_changed_is_noted_as_changes() -> None:
    """As `accounts.audit` has it: not as an old and a new value without a name, nor as names without values."""
    odd = {"before", "after", "changed", "old", "new"}
    assert not [
        f"{module.path}:{call.lineno}"
        for module in the_product()
        for call in module.calls("record")
        if odd & {keyword.arg for keyword in call.keywords}
    ]


def test_words_are_short_and_begin_like_a_sentence() -> None:
    for noun in NOUNS:
        for action in actions_of(noun):
            words = in_words(action)
            assert words[0].isupper()
            assert not words.endswith(".")
            assert len(words) <= 50


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("member.role_changed", "Changed the role of"),
        ("teapot.handle_mended", "Teapot handle mended"),
        ("member.teleported", "Member teleported"),
        ("odd", "Odd"),
    ],
)
def test_an_action_without_words_says_what_it_is(action: str, words: str) -> None:
    assert in_words(action) == words


@pytest.mark.parametrize(
    "source",
    [
        'record(action="thing.done")',
        'audit.record(action="thing.done", target="x")',
        'DONE = "thing.done"\ndef do():\n    record(action=DONE)',
        'def do(what):\n    record(action=f"thing.{what}")\ndo("done")',
        'def outer():\n    _do(2, action="thing.done")\ndef _do(number, *, action):\n    record(action=action)',
        'def do():\n    it = "thing.done"\n    record(action=it)',
        'def a():\n    b("done")\ndef b(verb):\n    c(verb)\ndef c(what):\n    record(action=f"thing.{what}")',
    ],
)
def test_an_action_is_read_off_however_it_is_written(source: str) -> None:
    assert set(recorded_actions([Module("x.py", ast.parse(source))])) == {"thing.done"}


def test_an_action_that_depends_is_both() -> None:
    module = Module("x.py", ast.parse('record(action="thing.opened" if is_open else "thing.closed")'))
    assert set(recorded_actions([module])) == {"thing.opened", "thing.closed"}


def test_an_action_from_another_module_is_found_there() -> None:
    names = Module("app/names.py", ast.parse('DONE = "thing.done"'))
    user = Module("app/user.py", ast.parse("from app.names import DONE as IT\nrecord(action=IT)"))
    assert recorded_actions([names, user]) == {"thing.done": "app/user.py"}


def test_an_action_that_cannot_be_read_off_is_a_failure() -> None:
    with pytest.raises(Unknown, match=r"x\.py:1"):
        recorded_actions([Module("x.py", ast.parse("record(action=choose())"))])
