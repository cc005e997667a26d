"""Presentations (pptx): slide by slide, title, text, tables and speaker's notes; each slide is a page.

Our own reader, since kreuzberg 4.10.4 gives slide boundaries that do not match its text.
"""

from __future__ import annotations

from workbench.techniques.retrieval.reading.archive import Archive
from workbench.techniques.retrieval.reading.extract import Extracted, join_pages
from workbench.techniques.retrieval.reading.markup import Markup
from workbench.techniques.retrieval.reading.properties import core_properties


def read_pptx(data: bytes) -> Extracted:
    archive = Archive(data, "a PowerPoint presentation")
    main = archive.main_part("ppt/presentation.xml")
    order = _Order()
    order.parse(archive.read(main), main)
    targets = {relation.id: relation.target for relation in archive.relations(main)}
    slides = [_read_slide(archive, targets[id]) for id in order.slides if targets.get(id) in archive.names]
    text, starts = join_pages([slide for slide, _ in slides])
    properties = core_properties(archive)
    first_title = next((title for _, title in slides if title), "")
    return Extracted(
        text,
        title=properties.pop("title", "") or first_title,
        page_starts=starts,
        language=properties.pop("language", ""),
        metadata=properties,
    )


def _read_slide(archive: Archive, part: str) -> tuple[str, str]:
    """A slide's text and its title."""
    slide = _Slide()
    slide.parse(archive.read(part), part)
    blocks = [f"# {slide.title}"] if slide.title else []
    blocks += slide.blocks
    for relation in archive.relations(part):
        if relation.type == "notesSlide" and relation.target in archive.names:
            notes = _Slide()
            notes.parse(archive.read(relation.target), relation.target)
            blocks += notes.blocks
    return "\n\n".join(blocks), slide.title


class _Order(Markup):
    def __init__(self) -> None:
        self.slides: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sldId":
            self.slides.append(attributes.get("r:id", ""))


class _Slide(Markup):
    """``blocks``: the text of each shape, and of each table with a line per row. Placeholders that repeat on every
    slide (number, date, footer) are left out."""

    _REPEATED = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})

    def __init__(self) -> None:
        self.title = ""
        self.blocks: list[str] = []
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._cells: list[str] | None = None
        self._placeholder = ""
        self._in_text = False
        self._unseen = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._unseen or name == "Fallback":
            self._unseen += 1
        elif name in ("sp", "graphicFrame"):
            self._lines, self._placeholder = [], ""
        elif name == "ph":
            self._placeholder = attributes.get("type", "body")
        elif name == "p":
            self._pieces = []
        elif name == "t":
            self._in_text = True
        elif name == "br":
            self._pieces.append("\n")
        elif name == "tr":
            self._cells = []
        elif name == "tc":
            self._lines = []

    def end(self, name: str) -> None:
        if self._unseen:
            self._unseen -= 1
        elif name == "t":
            self._in_text = False
        elif name == "p":
            line = "".join(self._pieces).strip()
            if line:
                self._lines.append(line)
        elif name == "tc" and self._cells is not None:
            self._cells.append(" ".join(" ".join(self._lines).split()))
            self._lines = []
        elif name == "tr" and self._cells is not None:
            if any(self._cells):
                self.blocks.append(" | ".join(self._cells))
            self._cells = None
        elif name in ("sp", "graphicFrame"):
            self._end_shape()

    def text(self, data: str) -> None:
        if self._in_text and not self._unseen:
            self._pieces.append(data)

    def _end_shape(self) -> None:
        if self._lines and self._placeholder not in self._REPEATED:
            if self._placeholder in ("title", "ctrTitle") and not self.title:
                self.title = " ".join(" ".join(self._lines).split())
            else:
                self.blocks.append("\n".join(self._lines))
        self._lines, self._placeholder = [], ""
