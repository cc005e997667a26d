"""The position in a JSON text that arrives in pieces.

A grammar cannot say that an object has each name once (RFC 8259, section 4: they "should be unique"): a reader keeps
the last value, and fewer fields than a schema requires may be left. This module tracks the names that an object has.
"""

from __future__ import annotations

import copy
import json

_QUOTE, _BACKSLASH, _ZERO, _NINE = b'"\\09'


class JsonPlace:
    """The position after the text read so far: valid JSON, or its beginning."""

    __slots__ = ("_escaped", "_name", "_names", "_wants_name", "digits", "in_string", "repeated")

    def __init__(self) -> None:
        self.in_string = False
        self.digits = 0
        """The number of digits at the end of the text, outside of strings."""
        self.repeated = False
        """Whether an object has a duplicate name."""
        self._escaped = False
        self._names: tuple[frozenset[str] | None, ...] = ()  # of each open object, None of a list
        self._wants_name = False
        self._name: bytes | None = None  # the one that is being written

    def copy(self) -> JsonPlace:
        return copy.copy(self)

    def read(self, text: bytes) -> None:
        if self.in_string and not self._escaped and b'"' not in text and b"\\" not in text:
            if self._name is not None:
                self._name += text
            return
        for byte in text:
            if self.in_string:
                self._read_in_string(byte)
            else:
                self._read_between(byte)

    @property
    def has_name(self) -> bool:
        """Whether the name being written exists in its object already."""
        return self._name is not None and not self._escaped and self._is_known(self._name)

    def repeats_name(self, text: bytes) -> bool:
        """Whether an object gets a duplicate name by this text."""
        if b'"' not in text or (self._name is None and not self._names and b"{" not in text):
            return False
        following = self.copy()
        following.repeated = False
        following.read(text)
        return following.repeated

    def _read_in_string(self, byte: int) -> None:
        if byte == _QUOTE and not self._escaped:
            self.in_string = False
            if self._name is not None:
                self._keep_name()
            return
        self._escaped = not self._escaped and byte == _BACKSLASH
        if self._name is not None:
            self._name += bytes((byte,))

    def _read_between(self, byte: int) -> None:
        self.digits = self.digits + 1 if _ZERO <= byte <= _NINE else 0
        match byte:
            case 0x22:  # "
                self.in_string = True
                self._name = b"" if self._wants_name else None
            case 0x7B:  # {
                self._names = (*self._names, frozenset())
                self._wants_name = True
            case 0x5B:  # [
                self._names = (*self._names, None)
                self._wants_name = False
            case 0x7D | 0x5D:  # } ]
                self._names = self._names[:-1]
                self._wants_name = False
            case 0x2C:  # ,
                self._wants_name = bool(self._names) and self._names[-1] is not None

    def _keep_name(self) -> None:
        assert self._name is not None
        self.repeated = self.repeated or self._is_known(self._name)
        if self._names and (known := self._names[-1]) is not None:
            self._names = (*self._names[:-1], known | {_said(self._name)})
        self._name = None
        self._wants_name = False

    def _is_known(self, name: bytes) -> bool:
        return bool(self._names) and _said(name) in (self._names[-1] or ())


def _said(name: bytes) -> str:
    r"""A decoded name: "\u0061" is "a"."""
    text = name.decode("utf-8", "replace")
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text
