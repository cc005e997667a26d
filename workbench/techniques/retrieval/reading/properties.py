"""The metadata of an Office package."""

from __future__ import annotations

from workbench.techniques.retrieval.reading.archive import Archive
from workbench.techniques.retrieval.reading.markup import Markup


def core_properties(archive: Archive) -> dict[str, str]:
    """Title, author, subject, creation date and language, as far as present."""
    reader = _Properties()
    for relation in archive.relations(""):
        if relation.type == "core-properties" and relation.target in archive.names:
            reader.parse(archive.read(relation.target), relation.target)
    return {name: value.strip() for name, value in reader.found.items() if value.strip()}


class _Properties(Markup):
    _NAMES = {"title": "title", "creator": "author", "subject": "subject", "created": "created", "language": "language"}

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
