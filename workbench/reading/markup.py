"""XML parts of documents: parsed as a stream, so that depth and size cost no memory, and without entities."""

from __future__ import annotations

from xml.parsers import expat

from workbench.base.errors import UserError


class Markup:
    """A reader of one XML part. Subclasses override ``start``, ``end`` and ``text``; names come without namespace."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins. Attribute names have no namespace, except those that point to another part of an Office
        package: these keep their ``r:``."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Characters between tags, in pieces of any size."""

    def parse(self, data: bytes, part: str) -> None:
        """Parse the whole part. Raises UserError when it is not well-formed XML or declares entities: no program that
        writes documents does, and a kilobyte of them can expand to gigabytes."""
        self._elements, self._attributes = (_Elements(), _Attributes())  # per part: a stranger's file chooses the names
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        parser.CharacterDataHandler = self.text
        parser.EntityDeclHandler = _refuse_entity
        try:
            parser.Parse(data, True)
        except (expat.ExpatError, LookupError, ValueError) as error:  # an unknown encoding; an invalid number
            raise UserError(f"The file is damaged: its part {part} is not valid XML ({error}).") from error

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        named = self._attributes
        self.start(self._elements[name], {named[key]: value for key, value in attributes.items()})

    def _on_end(self, name: str) -> None:
        self.end(self._elements[name])


class _Elements(dict[str, str]):
    """The name without its namespace, cached: a sheet asks millions of times."""

    def __missing__(self, name: str) -> str:
        local = self[name] = name.rpartition(" ")[2]
        return local


class _Attributes(dict[str, str]):
    def __missing__(self, name: str) -> str:
        space, _, local = name.rpartition(" ")
        shown = self[name] = f"r:{local}" if space.endswith("/relationships") else local
        return shown


def _refuse_entity(
    name: str,
    is_parameter: bool,
    value: str | None,
    base: str | None,
    system: str,
    public: str | None,
    notation: str | None,
) -> None:
    raise UserError("The file declares XML entities, which documents do not use: it may be malicious.")
