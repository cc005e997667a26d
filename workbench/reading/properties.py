"""The metadata of an Office package or an OpenDocument."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.reading.archive import Archive
from workbench.reading.markup import Markup


def core_properties(archive: Archive) -> dict[str, str]:
    """Title, author, subject, creation date and language of an Office package, as far as present."""
    return read_properties(archive, archive.related("", "core-properties"))


def read_properties(archive: Archive, parts: Iterable[str]) -> dict[str, str]:
    """The same, from the parts that contain them."""
    reader = _Properties()
    for part in parts:
        archive.parse(part, reader)
    return {name: value.strip() for name, value in reader.found.items() if value.strip()}


class _Properties(Markup):
    _NAMES = {name: name for name in ("title", "subject", "created", "language")} | {
        "creator": "author",
        "creation-date": "created",
    }

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._name = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._name = self._NAMES.get(name, "")

    def end(self, name: str) -> None:
        self._name = ""

    def text(self, data: str) -> None:
        if self._name:
            self.found[self._name] = self.found.get(self._name, "") + data
