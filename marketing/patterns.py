"""Patterns that people write, matched in time that grows with the length of the text and no faster.

They are the common part of regular expressions. Python's own `re` tries one way after another and, for patterns such
as `(a+)+$`, takes time that doubles with each letter; here all ways are followed at once (Thompson 1968), and what was
seen before is remembered (a lazily built automaton), so that no pattern can hold up a page. There are no look-arounds
and no back-references: those cannot be matched like that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

LONGEST_PATTERN = 200
MOST_STEPS_KEPT = 20_000
MATCH, BEGIN, END, SPLIT = "match", "begin", "end", "split"
DIGITS = frozenset("0123456789")
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
CLASSES = {"d": DIGITS, "w": DIGITS | LETTERS | {"_"}, "s": frozenset(" \t\n\r\f\v")}


class PatternError(ValueError):
    """The pattern cannot be used, for the reason that the message gives."""


@dataclass(frozen=True, slots=True)
class _Characters:
    """Some characters, or all but some."""

    listed: frozenset[str]
    negated: bool = False

    def __contains__(self, character: str) -> bool:
        return (character in self.listed) != self.negated


# What to look for, and the places in the program to go on at.
_Instruction: TypeAlias = tuple[_Characters | str, tuple[int, ...]]
_Places: TypeAlias = frozenset[int]


class Pattern:
    """A pattern, to be found in texts without regard to case.

    Letters stand for themselves. `.` is any character, `[a-z]` and `[^a-z]` classes, `\\d` `\\w` `\\s` digits, letters
    and spaces; `*` `+` `?` repeat what is before; `|` separates alternatives, `( )` groups, `^` and `$` are the ends.

    >>> Pattern("^fb|face ?book").found_in("Facebook Ads")
    True

    Raises PatternError.
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST_PATTERN:
            raise PatternError(f"A pattern has at most {LONGEST_PATTERN} characters.")
        self._program = _Parser(text).program()
        self._anew = self._closure([0], at_start=False)  # a match may begin at any place
        self._steps: dict[tuple[_Places, str], _Places] = {}

    def found_in(self, text: str) -> bool:
        """Whether the pattern fits some part of the text."""
        places = self._closure([0], at_start=True)
        for character in text.lower():
            if self._is_match(places):
                return True
            places = self._step(places, character)
        return self._is_match(self._closure(places, at_start=not text, at_end=True))

    def _step(self, places: _Places, character: str) -> _Places:
        known = self._steps.get((places, character))
        if known is None:
            if len(self._steps) >= MOST_STEPS_KEPT:
                self._steps.clear()
            onwards = [
                target
                for place in places
                for wanted, targets in (self._program[place],)
                if isinstance(wanted, _Characters) and character in wanted
                for target in targets
            ]
            known = self._steps[places, character] = self._closure(onwards, at_start=False) | self._anew
        return known

    def _closure(self, places: Iterable[int], *, at_start: bool, at_end: bool = False) -> _Places:
        """These places and all that are reached from them without a character."""
        waiting, reached = list(places), set[int]()
        while waiting:
            place = waiting.pop()
            if place in reached:
                continue
            reached.add(place)
            what, targets = self._program[place]
            if what == SPLIT or (what == BEGIN and at_start) or (what == END and at_end):
                waiting += targets
        return frozenset(reached)

    def _is_match(self, places: _Places) -> bool:
        return len(self._program) - 1 in places  # its last instruction


class _Parser:
    """Turns a pattern into a program: instructions with the places where to go on."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._program: list[_Instruction] = []

    def program(self) -> list[_Instruction]:
        self._alternatives()
        if self._at < len(self._text):
            raise PatternError("There is a “)” without its “(”.")
        self._add(MATCH)
        return self._program

    def _add(self, what: _Characters | str, *targets: int) -> None:
        """Append an instruction; without targets it goes on at the next one."""
        self._program.append((what, targets or (len(self._program) + 1,)))

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        character = self._peek()
        self._at += 1
        return character

    def _alternatives(self) -> None:
        start = len(self._program)
        self._sequence()
        ends = []
        while self._peek() == "|":
            self._take()
            self._insert_split(start, len(self._program) + 2)
            ends.append(len(self._program))
            self._add(SPLIT)  # leads past the other alternatives, which are not known yet
            start = len(self._program)
            self._sequence()
        for end in ends:
            self._program[end] = (SPLIT, (len(self._program),))

    def _sequence(self) -> None:
        while self._peek() not in ("", "|", ")"):
            start = len(self._program)
            self._one()
            self._repeated(start)

    def _one(self) -> None:
        character = self._take()
        if character == "(":
            if self._peek() == "?":
                raise PatternError("“(?” is not supported: there are groups, but no look-arounds and no options.")
            self._alternatives()
            if self._take() != ")":
                raise PatternError("There is a “(” without its “)”.")
        elif character == "[":
            self._add(self._class())
        elif character in "^$":
            self._add(BEGIN if character == "^" else END)
        elif character in "*+?":
            raise PatternError(f"There is nothing before “{character}” that it could repeat.")
        elif character in "{}":
            raise PatternError(f"“{character}” is not supported; for the character itself write “\\{character}”.")
        else:
            self._add(_Characters(frozenset(), negated=True) if character == "." else self._escaped(character))

    def _repeated(self, start: int) -> None:
        """Take `*`, `+` or `?` after what begins at `start`."""
        repeat = self._peek()
        if not repeat or repeat not in "*+?":
            return
        self._take()
        if self._peek() and self._peek() in "*+?":
            raise PatternError(f"“{repeat}{self._peek()}” is not supported: repeat something once.")
        if repeat != "?":
            self._add(SPLIT, start, len(self._program) + 1)
        if repeat != "+":
            self._insert_split(start, len(self._program) + 1)

    def _insert_split(self, start: int, other: int) -> None:
        """Put a fork before what begins at `start`: into it, or on at `other` (as places are after the insertion)."""
        for place in range(start, len(self._program)):
            what, targets = self._program[place]
            self._program[place] = (what, tuple(target + (target >= start) for target in targets))
        self._program.insert(start, (SPLIT, (start + 1, other)))

    def _escaped(self, character: str) -> _Characters:
        if character != "\\":
            return _Characters(frozenset(character.lower()))
        code = self._take()
        if code.lower() in CLASSES:
            return _Characters(CLASSES[code.lower()], negated=code.isupper())
        if not code or code.isalnum():
            raise PatternError(f"“\\{code}” is not supported.")
        return _Characters(frozenset(code))

    def _class(self) -> _Characters:
        negated = self._peek() == "^"
        if negated:
            self._take()
        listed: set[str] = set()
        first = True
        while first or self._peek() != "]":
            first = False
            character = self._take()
            if not character:
                raise PatternError("There is a “[” without its “]”.")
            part = self._escaped(character)
            if part.negated:
                raise PatternError("“\\D”, “\\W” and “\\S” are not supported within “[ ]”.")
            is_range = self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("", "]")
            listed |= self._range(part) if is_range else part.listed
        self._take()
        return _Characters(frozenset(listed), negated)

    def _range(self, start: _Characters) -> set[str]:
        self._take()
        stop = self._escaped(self._take())
        if len(start.listed) != 1 or len(stop.listed) != 1:
            raise PatternError("A range in “[ ]” goes from one character to another.")
        first, last = ord(min(start.listed)), ord(min(stop.listed))
        if not first <= last < first + 512:
            raise PatternError("A range in “[ ]” goes from a lower character to a higher one.")
        return {chr(code).lower() for code in range(first, last + 1)}
