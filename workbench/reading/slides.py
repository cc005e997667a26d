"""Presentations (pptx): slide by slide, text, tables, charts, speaker's notes and comments; each slide is a page.

Our own reader, since kreuzberg 4.10.4 gives slide boundaries that do not match its text. The text of layouts and
masters appears once, on the first slide that uses them.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.reading.archive import Archive
from workbench.reading.comments import comment_section, related_comments
from workbench.reading.embedded import FoundPictures
from workbench.reading.extract import PAGE_BREAK, Extracted, join_pages, real_title, section
from workbench.reading.grid import Grid
from workbench.reading.markup import Markup
from workbench.reading.properties import core_properties
from workbench.reading.shapes import OWN, REPEATED, read_shapes
from workbench.records.documents import DocumentPicture


def read_pptx(data: bytes) -> Extracted:
    archive = Archive(data, "a PowerPoint presentation")
    main = archive.main_part("ppt/presentation.xml")
    order = _Order()
    order.parse(archive.read(main), main)
    targets = {relation.id: relation.target for relation in archive.relations(main)}
    slides = _Slides(archive, main)
    pages = [slides.read(targets[id]) for id in order.slides if targets.get(id) in archive.names]
    text, starts = join_pages(pages)
    ends = [*(start - len(PAGE_BREAK) for start in starts[1:]), len(text)]
    properties = core_properties(archive)
    return Extracted(
        text,
        title=real_title(properties.pop("title", ""), slides.first_title),
        page_starts=starts,
        language=properties.pop("language", ""),
        metadata=properties,
        warnings=archive.warnings,
        tables=tuple(slides.tables),
        pictures=tuple(
            DocumentPicture(start=starts[number], end=ends[number], part=part) for number, part in slides.pictures
        ),
    )


class _Order(Markup):
    def __init__(self) -> None:
        self.slides: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sldId":
            self.slides.append(attributes.get("r:id", ""))


class _Slides:
    """``first_title`` is that of the first slide with a title; ``pictures`` have the slide (from 0) and the part."""

    def __init__(self, archive: Archive, main: str) -> None:
        self.first_title = ""
        self.tables: list[Grid] = []
        self.pictures: list[tuple[int, str]] = []
        self._found = FoundPictures(archive.names)
        self._count = 0
        self._archive, self._main = archive, main
        self._seen: set[str] = set()  # layouts, masters and repeated texts so far

    def read(self, part: str) -> str:
        """A slide's text."""
        slide = read_shapes(self._archive, part)
        self.first_title = self.first_title or slide.title
        self.pictures += [(self._count, one) for one in slide.pictures if self._found.mark(one)]
        self._count += 1
        self.tables += [replace(table, name=slide.title) for table in slide.tables]
        blocks = [f"# {slide.title}"] if slide.title else []
        blocks += [text for place, text in slide.texts if place not in REPEATED]
        blocks.append(section("On every slide", self._repeated(part, slide.texts)))
        for notes in self._archive.related(part, "notesSlide"):
            texts = read_shapes(self._archive, notes).texts
            blocks.append(section("Notes", (text for place, text in texts if place not in REPEATED), "\n\n"))
        blocks.append(comment_section(related_comments(self._archive, part, self._main)))
        return "\n\n".join(block for block in blocks if block)

    def _repeated(self, part: str, texts: list[tuple[str, str]]) -> list[str]:
        """The footer and the text of layout and master, as far as no slide before had them. Placeholders of layouts
        only contain prompts."""
        found = [text for place, text in texts if place in ("ftr", "hdr")]
        for layout in self._archive.related(part, "slideLayout"):
            for drawn in (layout, *self._archive.related(layout, "slideMaster")):
                if drawn not in self._seen:
                    self._seen.add(drawn)
                    found += [text for place, text in read_shapes(self._archive, drawn).texts if place == OWN]
        new = [text for text in dict.fromkeys(found) if f"\n{text}" not in self._seen]
        self._seen.update(f"\n{text}" for text in new)
        return new
