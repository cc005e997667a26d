"""GBNF, llama.cpp's grammar notation: parsed as llama.cpp does, with the position of every error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_NUMBER = re.compile(r"[0-9]{1,6}")
_SPACE, _SPACE_AND_LINES = re.compile(r"(?:[ \t]|#[^\r\n]*)*"), re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")
_LINE_END = re.compile(r"\r?\n|\r|\Z")
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", "\\": "\\", '"': '"', "[": "[", "]": "]"}
_HEX = {"x": 2, "u": 4, "U": 8}
_DEEPEST = 100
"""Maximum nesting of parentheses."""


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class CharacterClass:
    """Characters in ranges, or (``inverse``) all others."""

    ranges: tuple[tuple[str, str], ...]
    inverse: bool = False


@dataclass(frozen=True)
class Reference:
    name: str
    place: int


@dataclass(frozen=True)
class Repetition:
    part: Part
    least: int
    most: int | None


@dataclass(frozen=True)
class Choice:
    """Alternatives, each a sequence of parts."""

    alternatives: tuple[tuple[Part, ...], ...]


Part = Text | CharacterClass | Reference | Repetition | Choice


@dataclass(frozen=True)
class Grammar:
    """Rules by name, with the positions of their definitions; an answer matches ``root``."""

    rules: dict[str, Choice] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)


def read_gbnf(text: str) -> Grammar:
    """Raises FormatProblem where the text is no grammar, or matches nothing finite."""
    grammar = _Reader(text).read()
    for rule in grammar.rules.values():
        for part in parts_of(rule):
            if isinstance(part, Reference) and part.name not in grammar.rules:
                raise _problem(text, part.place, f'There is no rule "{part.name}"')
    if "root" not in grammar.rules:
        raise FormatProblem('The rule "root", with which an answer begins, is missing.')
    if not _is_finite(grammar.rules):
        raise _problem(text, grammar.places["root"], 'The rule "root" never comes to an end')
    return grammar


class _Reader:
    """Parses as llama.cpp does: a rule ends with its line, except within parentheses and after a "|"."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def read(self) -> Grammar:
        grammar = Grammar()
        self._skip(_SPACE_AND_LINES)
        while self._at < len(self._text):
            place = self._at
            name = self._take(_NAME, "A rule name is expected")
            if name in grammar.rules:
                raise _problem(self._text, place, f'The rule "{name}" is defined twice')
            self._skip(_SPACE)
            self._expect("::=")
            self._skip(_SPACE_AND_LINES)
            grammar.places[name] = place
            grammar.rules[name] = self._choice()
            self._take(_LINE_END, "The end of the line is expected")
            self._skip(_SPACE_AND_LINES)
        return grammar

    def _choice(self) -> Choice:
        alternatives = [self._sequence()]
        while self._next == "|":
            self._at += 1
            self._skip(_SPACE_AND_LINES)
            alternatives.append(self._sequence())
        return Choice(tuple(alternatives))

    def _sequence(self) -> tuple[Part, ...]:
        space = _SPACE_AND_LINES if self._depth else _SPACE
        parts: list[Part] = []
        while (part := self._part()) is not None:
            self._skip(space)
            while self._next and self._next in "*+?{":
                part = self._repetition(part)
                self._skip(space)
            parts.append(part)
        return tuple(parts)

    def _part(self) -> Part | None:
        place, sign = self._at, self._next
        if sign == '"':
            self._at += 1
            value = ""
            while self._next != '"':
                value += self._character()
            self._at += 1
            return Text(value)
        if sign == "[":
            return self._class()
        if sign == ".":
            self._at += 1
            return CharacterClass((), inverse=True)
        if sign == "(":
            return self._group()
        if sign == "<":
            raise _problem(self._text, place, "Token references (<...>) are not supported: write their text")
        found = _NAME.match(self._text, place)
        if found is None:
            return None
        self._at = found.end()
        return Reference(found[0], place)

    def _group(self) -> Choice:
        if self._depth == _DEEPEST:
            raise _problem(self._text, self._at, "This is nested too deeply")
        self._at += 1
        self._depth += 1
        self._skip(_SPACE_AND_LINES)
        made = self._choice()
        self._expect(")")
        self._depth -= 1
        return made

    def _class(self) -> CharacterClass:
        begin = self._at
        self._at += 1
        inverse = self._next == "^"
        self._at += inverse
        ranges = []
        while self._next != "]":
            place = self._at
            first = last = self._character()
            if self._next == "-" and self._text[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                last = self._character()
                if last < first:
                    raise _problem(self._text, place, "The range is empty: it ends before it begins")
            ranges.append((first, last))
        self._at += 1
        if not ranges:
            raise _problem(self._text, begin, "The character class is empty")
        return CharacterClass(tuple(ranges), inverse)

    def _repetition(self, part: Part) -> Repetition:
        sign, place = self._next, self._at
        self._at += 1
        if sign != "{":
            return Repetition(part, int(sign == "+"), 1 if sign == "?" else None)
        self._skip(_SPACE)
        least = int(self._take(_NUMBER, "A number is expected"))
        most: int | None = least
        self._skip(_SPACE)
        if self._next == ",":
            self._at += 1
            self._skip(_SPACE)
            most = int(self._take(_NUMBER, "A number is expected")) if self._next.isdecimal() else None
            self._skip(_SPACE)
        self._expect("}")
        if most is not None and most < least:
            raise _problem(self._text, place, f"The repetition has a minimum of {least} and a maximum of {most}")
        return Repetition(part, least, most)

    def _character(self) -> str:
        place, sign = self._at, self._next
        self._at += 1
        if not sign:
            raise _problem(self._text, place, "The grammar ends unexpectedly")
        if sign != "\\":
            return sign
        kind = self._next
        self._at += 1
        if kind in _ESCAPES:
            return _ESCAPES[kind]
        size = _HEX.get(kind, 0)
        digits = self._text[self._at : self._at + size]
        self._at += size
        if not size or not re.fullmatch(f"[0-9a-fA-F]{{{size}}}", digits):
            raise _problem(self._text, place, f'"\\{kind}{digits}" is not a character')
        code = int(digits, 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise _problem(self._text, place, f'"\\{kind}{digits}" is not a character')
        return chr(code)

    @property
    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, space: re.Pattern[str]) -> None:
        found = space.match(self._text, self._at)
        assert found is not None  # they can match nothing, too
        self._at = found.end()

    def _take(self, expected: re.Pattern[str], otherwise: str) -> str:
        found = expected.match(self._text, self._at)
        if found is None:
            raise _problem(self._text, self._at, otherwise)
        self._at = found.end()
        return found[0]

    def _expect(self, sign: str) -> None:
        if not self._text.startswith(sign, self._at):
            raise _problem(self._text, self._at, f'"{sign}" is expected')
        self._at += len(sign)


def _problem(text: str, place: int, message: str) -> FormatProblem:
    column = place - text.rfind("\n", 0, place)
    return FormatProblem(f"{message} (column {column}).", text.count("\n", 0, place) + 1)


def parts_of(part: Part) -> Iterator[Part]:
    """A part and all parts within it."""
    yield part
    if isinstance(part, Choice):
        for sequence in part.alternatives:
            for one in sequence:
                yield from parts_of(one)
    elif isinstance(part, Repetition):
        yield from parts_of(part.part)


def _is_finite(rules: dict[str, Choice]) -> bool:
    """Whether some text matches ``root``: each alternative could require another one without end."""
    ends: set[str] = set()

    def has_end(part: Part) -> bool:
        match part:
            case Reference(name):
                return name in ends
            case Repetition(inner, least):
                return not least or has_end(inner)
            case Choice(alternatives):
                return any(all(map(has_end, sequence)) for sequence in alternatives)
        return True

    known = -1
    while "root" not in ends and len(ends) > known:
        known = len(ends)
        for name in reversed(rules):  # a rule mostly refers to later ones
            if has_end(rules[name]):
                ends.add(name)
    return "root" in ends


class FormatProblem(Exception):
    """A problem in a description. ``line``, from 1, where it is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
