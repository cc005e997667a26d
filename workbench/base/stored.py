"""Stored values and how they evolve: what is on a disk has a format number, and upgrade functions lead to today's.

SQL tables have migrations; every other value that outlives the program (recipes, training configs, cards, the configs
and results of runs, settings) has one ``Stored`` beside its type. A value that cannot be read becomes an ``Unreadable``
with the reason, which is shown where the value would be. This module knows no type and no place of storage.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.durability import flush_to_disk
from workbench.base.errors import UserError
from workbench.base.files import open_regular

T = TypeVar("T")
Upgrade = Callable[[Any], dict[str, Any]]
"""From the plain data of one format to that of the next. Pure: it may change and return what it is handed."""

_LARGEST_PACKED = 256 * 1024 * 1024


class Unreadable(msgspec.Struct, frozen=True):
    """A stored value that this program cannot read: ``reason`` is a sentence for a person, ``hint`` says what to do,
    ``raw`` is the value as it is stored, decoded as far as it can be. It is never written anew."""

    reason: Shown
    hint: Shown = ""
    raw: Any = None

    def error(self) -> UserError:
        return UserError(self.reason, self.hint)


class Stored(Generic[T]):
    """The storage format of values of one type.

    ``name`` is what a person calls it ("recipe"). ``upgrades[n]`` leads from format ``n`` to ``n + 1``; a value without
    a number is of format 1. The number is the field ``key`` of the stored object, also where the type itself has no
    such field. ``parts`` are fields that are stored values with formats of their own, or lists of such. ``packed``
    values are compressed msgpack instead of JSON.
    """

    def __init__(
        self,
        name: str,
        type: type[T],
        *,
        upgrades: Mapping[int, Upgrade] | None = None,
        parts: Mapping[str, Stored[Any]] | None = None,
        key: str = "format",
        packed: bool = False,
    ) -> None:
        self.name = name
        self.type = type
        self.format = len(upgrades or {}) + 1
        self._upgrades = dict(upgrades or {})
        self._parts = dict(parts or {})
        self._key = key
        self._packed = packed
        self._keeps_key = key in getattr(type, "__struct_fields__", ())
        if set(self._upgrades) != set(range(1, self.format)):
            raise ValueError(f"the upgrades of {name} are numbered {sorted(self._upgrades)}")

    def decode(self, raw: bytes | str | dict[str, Any]) -> T | Unreadable:
        """The value, of whatever format it was written in. ``raw`` is as it is stored, or its plain data."""
        read = self._read(raw)
        return read if isinstance(read, Unreadable) else read[1]

    def current(self, raw: bytes | str | dict[str, Any]) -> Any:
        """As ``decode``, but the plain data that the value is made of, or ``Unreadable``."""
        read = self._read(raw)
        return read if isinstance(read, Unreadable) else read[0]

    def _read(self, raw: bytes | str | dict[str, Any]) -> tuple[Any, T] | Unreadable:
        plain: Any = raw
        try:
            if isinstance(raw, bytes | str):
                plain = self._parsed(raw)
            current = self.upgraded(plain)
            return current, msgspec.convert(current, self.type)
        except UserError as error:
            return Unreadable(error.message, error.hint, plain)
        except msgspec.ValidationError as error:
            return Unreadable(f"The {self.name} cannot be read: {explained(error)}.", raw=plain)
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, zlib.error):
            return Unreadable(f"The {self.name} cannot be read: it is damaged.", raw=plain)

    def get(self, raw: bytes | str | dict[str, Any]) -> T:
        """As ``decode``; raises UserError with the reason where it cannot be read."""
        value = self.decode(raw)
        if isinstance(value, Unreadable):
            raise value.error()
        return value

    def load(self, path: Path) -> T | Unreadable | None:
        """The value in a file of its own; None where there is none."""
        try:
            with open_regular(path) as file:
                return self.decode(file.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            return Unreadable(f"The {self.name} cannot be read: {error.strerror or error}.", f"Check {path}.")

    def plain(self, value: T) -> Any:
        """The value's plain data with its number, as it is to be stored. What is no object has none: it is of format
        1 until it becomes one."""
        plain = msgspec.to_builtins(value)
        return self.numbered(plain) if isinstance(plain, dict) else plain

    def numbered(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Plain data of today's format with its number, and those of its parts."""
        plain = {name: value for name, value in plain.items() if name != self._key}
        self._for_parts(plain, lambda part, value: part.numbered(value))
        return {self._key: self.format, **plain}

    def encode(self, value: T) -> bytes:
        plain = self.plain(value)
        return zlib.compress(msgspec.msgpack.encode(plain), 6) if self._packed else msgspec.json.encode(plain)

    def save(self, path: Path, value: T) -> None:
        """Write the value to a file of its own; the old one stays whole until the new one is. Raises OSError."""
        beside = path.with_name(f"{path.name}~")
        with beside.open("wb") as file:
            file.write(msgspec.json.format(self.encode(value)))
            flush_to_disk(file)
        beside.replace(path)

    def upgraded(self, plain: Any) -> Any:
        """Plain data of today's format, without its number where the type has none. Raises UserError for data of a
        newer format, and whatever an upgrade meets in damaged data."""
        number = plain.get(self._key, 1) if isinstance(plain, dict) else 1
        if type(number) is not int or number < 1:
            raise ValueError(f"{number!r} is no format")
        if number > self.format:
            raise UserError(
                f"The {self.name} was written by a newer version of LLM Workbench: its format is {number}, and this "
                f"version reads up to {self.format}.",
                "Update LLM Workbench to read it.",
            )
        for step in range(number, self.format):
            plain = self._upgrades[step](plain)
        if not isinstance(plain, dict):
            return plain
        plain = {name: value for name, value in plain.items() if name != self._key}
        self._for_parts(plain, lambda part, value: part.upgraded(value))
        return {self._key: self.format, **plain} if self._keeps_key else plain

    def _for_parts(self, plain: dict[str, Any], change: Callable[[Stored[Any], Any], Any]) -> None:
        for name, part in self._parts.items():
            value = plain.get(name)
            if isinstance(value, list | tuple):
                plain[name] = [change(part, one) for one in value]
            elif value is not None:
                plain[name] = change(part, value)

    def _parsed(self, raw: bytes | str) -> Any:
        if not self._packed:
            return msgspec.json.decode(raw)
        unpacking = zlib.decompressobj()
        unpacked = unpacking.decompress(raw if isinstance(raw, bytes) else raw.encode(), _LARGEST_PACKED)
        if not unpacking.eof:
            raise ValueError("it does not end, or is too long")
        return msgspec.msgpack.decode(unpacked)


def read_toml(path: Path, stored: Stored[T]) -> T:
    """A value that a person keeps in a TOML file. Raises UserError that names the file and what is wrong."""
    try:
        with open_regular(path) as file:
            plain = tomllib.load(file)
    except FileNotFoundError as error:
        raise UserError(f"There is no {stored.name} file {path}.", "Check the path.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise UserError(f"{path} is not a {stored.name}: {error}.", "Correct it, or make a new one.") from error
    value = stored.decode(plain)
    if isinstance(value, Unreadable):
        raise UserError(f"{path}: {value.reason}", value.hint or "Correct it, or make a new one.")
    return value


def explained(error: msgspec.ValidationError) -> str:
    """msgspec's words with the field first: "decoding.temperature: expected `float` <= 5.0"."""
    what, _, where = str(error).partition(" - at `$")
    where = where.strip(".`")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", what)
    if unknown is not None:
        return f"the field {where}.{unknown[1]} is not known" if where else f"the field {unknown[1]} is not known"
    return f"{where}: {what[:1].lower()}{what[1:]}" if where else f"{what[:1].lower()}{what[1:]}"
