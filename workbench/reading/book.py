"""E-books (epub): the chapters in the order of the spine, each read as an HTML page."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from workbench.base.errors import UserError
from workbench.reading.archive import Archive, part_name
from workbench.reading.embedded import BookPictures
from workbench.reading.extract import MARK, Extracted
from workbench.reading.html import read_html
from workbench.reading.markup import Markup

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"


def read_epub(data: bytes) -> Extracted:
    """Raises UserError when it is damaged, or its chapters are encrypted."""
    archive = Archive(data, "an e-book (EPUB)")
    container = _Attributes({"rootfile": "full-path"})
    container.parse(archive.read(_CONTAINER), _CONTAINER)
    if not container.found:
        raise UserError("The file is not an e-book (EPUB): it does not list its contents.")
    opf = container.found[0]
    package = _Package(posixpath.dirname(opf))
    package.parse(archive.read(opf), opf)
    chapters = [name for id in package.spine if (name := package.items.get(id, "")) in archive.names]
    if not chapters:
        raise UserError("The file is damaged: the chapters that it lists are missing.")
    if _ENCRYPTION in archive.names:
        encrypted = _Attributes({"CipherReference": "URI"})
        encrypted.parse(archive.read(_ENCRYPTION), _ENCRYPTION)
        if set(chapters) & {part_name("", uri) for uri in encrypted.found}:
            raise UserError("The file is protected against copying (DRM).")
    pictures = BookPictures(archive)
    texts = [read_html(archive.read(name), pictures.of_chapter(name)).text for name in chapters]
    text, placed = pictures.placed(_joined(texts))
    metadata = {"author": package.creator.strip()} if package.creator.strip() else {}
    return Extracted(
        text,
        title=package.title,
        language=package.language.strip(),
        metadata=metadata,
        pictures=placed,
    )


def _joined(texts: Iterable[str]) -> str:
    """The chapters, in which pictures are marked. Those of a chapter without a text belong to the one before."""
    joined: list[str] = []
    waiting = ""
    for text in texts:
        if MARK.sub("", text):
            joined.append(waiting + text)
            waiting = ""
        elif joined:
            joined[-1] += text
        else:
            waiting += text
    return "\n\n".join(joined) + waiting


class _Attributes(Markup):
    """``found``: the values of one attribute of some elements."""

    def __init__(self, wanted: dict[str, str]) -> None:
        self._wanted = wanted
        self.found: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        value = attributes.get(self._wanted.get(name, ""))
        if value:
            self.found.append(value)


class _Package(Markup):
    def __init__(self, folder: str) -> None:
        self.items: dict[str, str] = {}
        self.spine: list[str] = []
        self.title = self.creator = self.language = ""
        self._folder = folder
        self._field = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "item":
            self.items[attributes.get("id", "")] = part_name(self._folder, attributes.get("href", ""))
        elif name == "itemref":
            self.spine.append(attributes.get("idref", ""))
        elif name in ("title", "creator", "language") and not getattr(self, name):
            self._field = name

    def end(self, name: str) -> None:
        self._field = ""

    def text(self, data: str) -> None:
        if self._field:
            setattr(self, self._field, getattr(self, self._field) + data)
