"""The context of passages: what a reader of the whole document knows before a passage's first word.

It is the document's title (with what its file's name adds), of a message the sender and the date, the headings above
the passage, and of a table whose head is in an earlier passage its column names. It is embedded and indexed with the
passage, but is no part of its text. Anthropic's "contextual retrieval" (2024) lets a model write such lines; here they
are derived from the document alone.

This module knows neither the index nor a model.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import PurePath

import msgspec

from workbench.reading.reader_calls import ReadDocument
from workbench.records.documents import Chunk

SEPARATOR = " > "
PAGE_HEAD = 120
"""Characters at the beginning of a chunk that may be the foot and the head of a page."""

LONGEST_HEADING = 80
LONGEST_HEAD = 300
"""Characters of the column names of a table."""

_DEEPEST = 99
_PLAIN = frozenset({"text", "pdf", "picture", "rtf", "doc"})
"""Kinds of documents whose headings have no mark of their own but a number."""
_WITHOUT_HEADINGS = frozenset({"csv", "tsv", "json", "jsonl", "code"})
_MAILS = frozenset({"eml", "msg"})

_MARKED = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t#]*$", re.M)
_FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)", re.M | re.S)
_UNDERLINED = re.compile(r"^(?=(\S.{0,150}))\1\n([=\-~^\"'*#+`:._])\2{2,}[ \t]*$", re.M)
_NUMBERED = re.compile(r"^(?:§[ \t]*|art\.?[ \t]*|artikel[ \t]+|article[ \t]+|section[ \t]+|top[ \t]+)?"
                       r"(\d{1,2}(?:\.\d{1,2}){0,3})\.?:?[ \t]+(?=[^\W\d_])(.+)$", re.M | re.I)  # fmt: skip
_SENTENCE_END = (".", ",", ";", ":", "?", "!", "-", "–")
_REPLY = re.compile(r"^(?:\s*(?:re|aw|antw|wg|fw|fwd|tr|rv|sv)\s*(?:\[\d+\])?\s*:)+\s*", re.I)
_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_CELLS = re.compile(r"\s\|\s|^\||\|$")
_NAMED = re.compile(r"^[^|:]{1,80}: [^|]")
_RULE = re.compile(r"[|:\-\s]+")


class Heading(msgspec.Struct, frozen=True):
    """A heading that begins at ``start`` of the document's text; ``level`` counts from 1."""

    start: int
    level: int
    text: str


class ContextSource:
    """Derives the contexts of a document's chunks, of at most ``most`` tokens; ``count_tokens`` counts as the embedder
    does."""

    def __init__(self, document: ReadDocument, count_tokens: Callable[[str], int], most: int) -> None:
        self._text = document.text
        self._count, self._most = count_tokens, most
        self._title = document_line(document)
        self._headings = find_headings(document.text, document.kind)
        self._starts = [heading.start for heading in self._headings]
        self._open = list(_open_headings(self._headings))

    @property
    def most_tokens(self) -> int:
        """So many tokens the longest context may have; 0 where nothing is known of the document."""
        has_rows = _CELLS.search(self._text) is not None
        return self._most if self._title or self._headings or has_rows else 0

    def with_contexts(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """The chunks, each with its context; "" where nothing is known."""
        return [msgspec.structs.replace(chunk, context=self._context(chunk)) for chunk in chunks]

    def _context(self, chunk: Chunk) -> str:
        above = [one for one in self._above(chunk) if not _says(self._title, one)]
        line = _fitted([part for part in (self._title, *above) if part], self._count, self._most)
        head = table_head(self._text, chunk.start)
        if not head:
            return line
        left = self._most - self._count(line)
        return "\n".join(part for part in (line, _shortened(head, self._count, left)) if part)

    def _above(self, chunk: Chunk) -> list[str]:
        """The headings that are open where a chunk begins. One that begins with it, or after no more than the foot or
        head of a page, closes those before it, and is in its text."""
        first = bisect_left(self._starts, chunk.start)
        level = _DEEPEST
        if first < len(self._headings) and self._headings[first].start < min(chunk.end, chunk.start + PAGE_HEAD):
            level = self._headings[first].level
        return [heading.text for heading in self._open[first] if heading.level < level]


def document_line(document: ReadDocument) -> str:
    """What names a document: its title, what its file's name says beyond it, and who wrote a message when."""
    title = " ".join(document.title.split())
    stem = PurePath(document.path).stem
    name = " ".join(_WORD.findall(stem)) if "_" in stem else stem
    if document.kind in _MAILS:
        title = _REPLY.sub("", title)
        return ", ".join(part for part in (title, *_sent(document.metadata)) if part)
    if title == stem or not _LETTERS.search(title):
        title = ""
    if not _LETTERS.search(name):
        name = ""
    if not title or _says(name, title):
        return name
    return title if not name or _says(title, name) else f"{title} ({name})"


def find_headings(text: str, kind: str) -> list[Heading]:
    """The headings of a document's text, in order: marked ones (``## Scope``), in reStructuredText and Markdown
    underlined ones, in formats without marks the numbered ones (``2.1 Scope``, ``§ 4 Term``)."""
    if kind in _WITHOUT_HEADINGS:
        return []
    if kind in _PLAIN:
        return list(_numbered(text))
    found: list[Heading] = []
    if kind != "rst":
        fences = [match.span() for match in _FENCE.finditer(text)] if kind == "markdown" else []
        found = [
            Heading(match.start(), len(match.group(1)), match.group(2)[:LONGEST_HEADING])
            for match in _MARKED.finditer(text)
            if match.group(2) and not any(start <= match.start() < end for start, end in fences)
        ]
    if kind in ("rst", "markdown"):
        levels: dict[str, int] = {"=": 1, "-": 2} if kind == "markdown" else {}
        for match in _UNDERLINED.finditer(text):
            if kind == "markdown" and match.group(2) not in levels:
                continue  # a fence, such as ```
            level = levels.setdefault(match.group(2), len(levels) + 1)
            found.append(Heading(match.start(), level, match.group(1).strip()[:LONGEST_HEADING]))
        found.sort(key=lambda heading: heading.start)
    return found


def table_head(text: str, start: int) -> str:
    """The column names of the table in whose rows ``start`` lies, where they are before it; "" outside of a table, at
    its beginning, and where each row names its columns itself."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    if not _is_row(line) or _NAMED.match(line):
        return ""
    first = line_start
    while first > 0:
        before = text.rfind("\n", 0, first - 1) + 1
        if not _is_row(text[before : first - 1]):
            break
        first = before
    if first == line_start:
        return ""
    rows = text[first:line_start].split("\n")
    head = [rows[0]]
    # a head of two rows: the second one has no figures either
    if len(rows) > 1 and rows[1] and not re.search(r"\d", rows[1]) and not _RULE.fullmatch(rows[1]):
        head.append(rows[1])
    if any(_NAMED.match(row) for row in head) or re.search(r"\d{3}", head[0]):
        return ""
    return " / ".join(row.strip(" |") for row in head)[:LONGEST_HEAD]


# -- internals ----------------------------------------------------------------------------------------


def _open_headings(headings: Sequence[Heading]) -> Iterator[tuple[Heading, ...]]:
    """The open headings before the first heading, and after each one."""
    open_ones: list[Heading] = []
    yield ()
    for heading in headings:
        while open_ones and open_ones[-1].level >= heading.level:
            open_ones.pop()
        open_ones.append(heading)
        yield tuple(open_ones)


def _numbered(text: str) -> Iterator[Heading]:
    """Lines that begin with the next number of a sequence; the level is that of the number."""
    last: tuple[int, ...] = ()
    for match in _NUMBERED.finditer(text):
        line = match.group(0).strip()
        number = tuple(int(part) for part in match.group(1).split("."))
        if len(line) > LONGEST_HEADING or line.endswith(_SENTENCE_END) or not match.group(2)[0].isupper():
            continue
        if not _follows(last, number):
            continue
        last = number
        yield Heading(match.start(), len(number), line)


def _follows(last: tuple[int, ...], number: tuple[int, ...]) -> bool:
    """Whether a heading's number comes next: 1, the first below the last one, or the next beside one above it."""
    if number in ((1,), (1, 0), (0,)) or (not last and number[0] <= 1):
        return True
    if number[:-1] == last:
        return number[-1] <= 1
    above = last[: len(number)]
    return len(above) == len(number) and above[:-1] == number[:-1] and 1 <= number[-1] - above[-1] <= 2


def _sent(metadata: dict[str, str]) -> Iterator[str]:
    """Who sent a message, and on which day."""
    name, address = parseaddr(metadata.get("author", ""))
    yield name or address.partition("@")[0]
    try:
        sent = parsedate_to_datetime(metadata.get("created", ""))
    except (TypeError, ValueError):
        return
    yield f"{sent.day} {sent:%B %Y}"


def _is_row(line: str) -> bool:
    return _CELLS.search(line) is not None


def _says(text: str, part: str) -> bool:
    """Whether a text has all words of a part of it."""
    return set(_WORD.findall(part.lower())) <= set(_WORD.findall(text.lower()))


def _fitted(parts: list[str], count_tokens: Callable[[str], int], most: int) -> str:
    """The parts as one line of at most ``most`` tokens: the middle ones are left out first, then the last is cut."""
    while len(parts) > 2 and count_tokens(SEPARATOR.join(parts)) > most:
        del parts[1]
    return _shortened(SEPARATOR.join(parts), count_tokens, most)


def _shortened(text: str, count_tokens: Callable[[str], int], most: int) -> str:
    """The first words of a text that are at most ``most`` tokens."""
    if most <= 0:
        return ""
    while text and (tokens := count_tokens(text)) > most:
        words = text.split(" ")
        text = " ".join(words[: min(len(words) - 1, max(1, len(words) * most // tokens))])
    return text.strip(" >|/")
