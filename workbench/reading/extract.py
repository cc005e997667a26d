"""The result of a format's module, and the text clean-up that all of them share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from workbench.base.catalogue import Shown
from workbench.reading.grid import Grid
from workbench.reading.text import clean
from workbench.records.documents import DocumentPicture


@dataclass(frozen=True)
class Extracted:
    """The text of a file with the file's own title ("" when it has none). See ``protocol.ReadDocument``."""

    text: str
    title: str = ""
    page_starts: tuple[int, ...] = ()
    language: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    warnings: tuple[Shown, ...] = ()
    scanned: tuple[int, ...] = ()
    tables: tuple[Grid, ...] = ()
    pictures: tuple[DocumentPicture, ...] = ()


PAGE_BREAK = "\n\n"

MARK = re.compile("([\udc00-\udfff])")
"""The mark of a picture in a text that is being read: a lone surrogate, which no XML and no cleaned text contains."""

_BLANK_LINES = re.compile(r"\n\s*\n")
# titles written by programs: a word for "none", the program's or a file's name
_NO_TITLE = re.compile(
    r"""\W* (?: anonymous | unspecified | unnamed | unknown | no\ title | none | null | title
        | ohne\ (titel|namen) | sans\ titre | sin\ t[íi]tulo | senza\ titolo | 无标题 | 無題
        | (untitled\ |unbenanntes\ )?(document|dokument|presentation|präsentation|book|mappe|slide|folie)\ ?\d*
        | (untitled|unbenannt)\ ?\d*
        | powerpoint[ -](presentation|präsentation) | microsoft\ (word|excel|powerpoint) | layout\ \d+ | \d+ ) \W*
    | microsoft\ (word|excel|powerpoint)\ -\ .*
    | \S.*\.(docx?|dotx?|pptx?|xlsx?|odt|rtf|pdf|indd|qxd|dvi|tex|ps|eps|fm|pmd|p65|cdr|ai|html?|txt|wpd)""",
    re.I | re.X,
)


def join_pages(pages: list[str]) -> tuple[str, tuple[int, ...]]:
    """The text of all pages, cleaned, and the offset at which each begins."""
    pages = [clean(page) for page in pages]
    starts: list[int] = []
    offset = 0
    for page in pages:
        starts.append(offset)
        offset += len(page) + len(PAGE_BREAK)
    return PAGE_BREAK.join(pages), tuple(starts)


def real_title(*candidates: str) -> str:
    """The first one that was not written by a program ("untitled", "Microsoft Word - a.doc"), or ""."""
    names = (" ".join(clean(candidate).split()) for candidate in candidates)
    return next((name for name in names if name and not _NO_TITLE.fullmatch(name)), "")


def section(name: str, texts: Iterable[str], separator: str = "\n") -> str:
    """Texts beside the body (comments, headers) under a heading, without repetitions; "" when there are none."""
    shown = separator.join(dict.fromkeys(text for text in texts if text.strip()))
    return f"## {name}\n\n{shown}" if shown else ""


def labelled(label: str, text: str) -> str:
    """A part inside the body (a text box, a note) as one block without blank lines, whose first line is its label."""
    text = _BLANK_LINES.sub("\n", text.strip())
    if not text:
        return ""
    return f"{label}\n{text}" if "\n" in text else f"{label}: {text}"
