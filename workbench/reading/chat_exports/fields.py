"""The fields of parsed JSON, checked: what is missing or of another type is named with its place in the file."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from typing import Any

from workbench.base.errors import UserError

_KINDS: dict[type, str] = {dict: "an object", list: "a list", str: "a text"}
_LATEST = 253_402_300_799  # the end of the year 9999
_MILLISECONDS = 100_000_000_000  # a number of seconds that is larger counts milliseconds


class Node:
    """A value at a place of a file, such as ``conversations.json, [3].mapping``."""

    def __init__(self, value: Any, place: str) -> None:
        self.value = value
        self.place = place

    def object(self, name: str) -> Node:
        return self._typed(name, dict)

    def list(self, name: str) -> Iterator[Node]:
        return self._typed(name, list).items()

    def items(self) -> Iterator[Node]:
        """The values of a list. Raises UserError when it is none."""
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return (Node(value, f"{self.place}[{number}]") for number, value in enumerate(self.value))

    def fields(self) -> Iterator[tuple[str, Node]]:
        """The fields of an object. Raises UserError when it is none."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return ((name, Node(value, f"{self.place}.{name}")) for name, value in self.value.items())

    def text(self, name: str, otherwise: str | None = None) -> str:
        """A text; ``otherwise`` where it is missing or null."""
        found = self.get(name)
        if found is None and otherwise is not None:
            return otherwise
        return str(self._typed(name, str).value)

    def time(self, *names: str) -> float:
        """Epoch seconds: of a number of seconds or milliseconds, or of a date; 0 where none of the fields is there."""
        for name in names:
            value = self.get(name)
            if value is None:
                continue
            return Node(value, f"{self.place}.{name}").as_time()
        return 0.0

    def as_time(self) -> float:
        value = self.value
        if isinstance(value, str):
            try:
                value = datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
            except (ValueError, OverflowError) as error:
                raise self.wrong("a date") from error
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.wrong("a time")
        seconds = value / 1000 if value > _MILLISECONDS else float(value)
        if not 0 <= seconds <= _LATEST:
            raise self.wrong("a time")
        return seconds

    def get(self, name: str) -> Any:
        """The value of a field, None where it is missing. Raises UserError when this is no object."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return self.value.get(name)

    def _typed(self, name: str, kind: type) -> Node:
        found = Node(self.get(name), f"{self.place}.{name}")
        if found.value is None:
            raise UserError(f"{found.place} is missing.", _HINT)
        if not isinstance(found.value, kind):
            raise found.wrong(_KINDS[kind])
        return found

    def wrong(self, what: str) -> UserError:
        return UserError(f"{self.place} is not {what}.", _HINT)


_HINT = "Nothing was imported. Export the chats again; a file that was changed by hand may have to be mended there."
