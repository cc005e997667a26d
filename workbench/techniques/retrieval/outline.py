"""The outline of a document: its sections under their headings, and the units of each, which are sentences, points of
lists and rows of tables.

Headings are the lines that begin with ``#``, as office files, web pages and mails are read. A PDF or a plain text has
none: there a heading is a numbered or short line between closed paragraphs. Lines that begin or end most pages are
left out, and so are the headers and footers of office files. A unit keeps its place in the text, so that it can be
quoted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from workbench.records.documents import DocumentText
from workbench.text.sentences import split_sentences

UnitKind = Literal["sentence", "point", "row"]


class Unit(msgspec.Struct, frozen=True):
    """``text`` is that of ``[start:end]`` of the document without its line breaks; ``head`` are the names of a row's
    columns where they stand in a line of their own."""

    start: int
    end: int
    kind: UnitKind
    text: str
    head: str = ""

    @property
    def figures(self) -> tuple[str, ...]:
        """The numbers in its text, without the one that counts it among others: "1.2 The ...", "(3) The ..."."""
        counted = _COUNTED.match(self.text)
        return tuple(one.rstrip(".,:") for one in _FIGURE.findall(self.text, counted.end() if counted else 0))


class Section(msgspec.Struct, frozen=True):
    """``path``: the headings above the section's text, the outermost first; () before the first heading."""

    path: tuple[str, ...]
    start: int
    end: int
    units: tuple[Unit, ...]

    @property
    def title(self) -> str:
        return self.path[-1] if self.path else ""


class _Line(NamedTuple):
    start: int
    text: str  # as long as in the document; blank where it is a running head

    @property
    def end(self) -> int:
        return self.start + len(self.text)


_RUNNING = ("Header", "Footer")
"""Headings under which the readers put what stands on every page (``reading.extract.section``)."""

_MARKED = re.compile(r"(#{1,6})\s+(\S.*)")
_NUMBERED = re.compile(
    r"(?:§ ?\d+|\d{1,2}(?:\.\d{1,2})*\.?|[IVX]{1,5}\.|"
    r"(?:Chapter|Kapitel|Chapitre|Cap[ií]tulo|Article|Artikel|Art[ií]culo|"
    r"Section|Abschnitt|Schedule|Appendix|Anhang|Anlage|Annexe|Anexo) [\dA-Z]+)[.:)]?\s+(?:[-–—:] )?[^\W\d_]"
)
_QUOTED = re.compile(
    r"^[> ]*>|^(?:From|To|Cc|Bcc|Subject|Date|Sent|Von|An|Betreff|Gesendet|De|À|Objet|Para|Asunto): .*$", re.M
)
"""In a mail: the marks of what it quotes, and its head."""
_COLUMNS = re.compile(r"\S {2,}\S")
_SENTENCE_INSIDE = re.compile(r"[.!?] [A-ZÀ-Þ]\S* \S+ ")
_POINT = re.compile(r"\s*(?:[-*•–▪◦·]|\(?\d{1,3}[.)]|\(?[a-z]\)|\d{1,2}(?:\.\d{1,2})+)\s+")
_FIGURE = re.compile(r"\d[\d.,:]*")
_COUNTED = re.compile(
    r"\s*(?:[-*•–]\s+)?(?:\(?\d{1,3}\)|\d{1,2}(?:\.(?:1\d|[1-9]))+\.?|\d{1,2}\.)\s+(?=\W{0,2}[^\W\d_a-zß-öø-ÿ])"
    r"(?!(?:Jan|Jän|Feb|M[aä]r|Apr|Ma[iy]|Jun|Jul|Aug|Sep|O[ck]t|Nov|De[cz])[^\W\d_]*\b)"
)
"""The number of a clause or a point, before a capital letter: no time ("8.30 Breakfast"), price or day of a month."""
_CLOSED = re.compile(r"[.!?:;…。！？][\"'”’»)\]]*$")
_PAGE_NUMBER = re.compile(r"\s*(?:page|seite|p[aá]gina|pag\.?|s\.)?\s*\d+(?:\s*(?:/|of|von|de|sur)\s*\d+)?\s*$", re.I)
_LEADERS = ".…_·"
_FEWEST_LEADERS, _MOST_DIGITS = 4, 4
_HEADING_WORDS, _HEADING_CHARACTERS = 9, 70
_NUMBERED_NEEDED = 3  # for a document whose headings have numbers
_LONGEST_LINE = 250  # characters of a line that stands for itself
_EDGE_LINES = 3  # of a page, in which running heads stand
_WRAPPED = 0.9  # of the width of the text: a line that the next word would have filled goes on
_FULL, _WRAPPED_SHARE = 0.8, 0.35
_LEAST_WIDTH, _MOST_WIDTH = 30, 140
_LONG_OPEN = 60  # characters of a line with an open sentence, which goes on in the next whatever the others are


def read_outline(document: DocumentText) -> tuple[Section, ...]:
    """The sections of a document with their units, in order. Sections without a unit are left out."""
    text = _without_running_heads(document.text, document.page_starts)
    if document.document.kind == "eml":
        text = _QUOTED.sub(lambda match: " " * len(match[0]), text)
    lines = [_Line(match.start(), match.group()) for match in re.finditer(r"[^\n]+", text)]
    blank_before = _after_blank(text, document.text, lines)
    headings = _find_headings(lines, blank_before) if document.document.kind != "eml" else {}
    width = _width(lines)
    if document.document.kind != "pdf" and not _is_wrapped(lines, width):
        width = 0
    sections: list[Section] = []
    path: list[tuple[int, str]] = []
    first = 0
    for number in [*sorted(headings), len(lines)]:
        body = [line for line in lines[first:number] if line.text.strip()]
        units = list(_units(text, body, {line.start for line in body if blank_before[line.start]}, width))
        titles = tuple(title for _, title in path)
        if not titles or titles[-1] not in _RUNNING:
            sections += _split_at_lists(titles, units)
        if number < len(lines):
            level, title = headings[number]
            path = [(above, name) for above, name in path if above < level] + [(level, title)]
            first = number + 1
    return tuple(sections)


def _split_at_lists(path: tuple[str, ...], units: Sequence[Unit]) -> Iterator[Section]:
    """A section, and one of its own for each list below a line that ends with a colon."""
    below: list[Unit] = []
    lead = ""
    for place, unit in enumerate(units):
        if lead and unit.kind != "point":
            yield Section((*path, lead), below[0].start, below[-1].end, tuple(below))
            below, lead = [], ""
        leads = unit.text.endswith(":") and len(unit.text) <= _HEADING_CHARACTERS
        if leads and [one.kind for one in units[place + 1 : place + 3]] == ["point", "point"]:
            if below:
                yield Section(path, below[0].start, below[-1].end, tuple(below))
            below, lead = [], unit.text.rstrip(": ")
            continue
        below.append(unit)
    if below:
        yield Section((*path, lead) if lead else path, below[0].start, below[-1].end, tuple(below))


def without_furniture(document: DocumentText) -> str:
    """The text of a document with what only helps to find one's way replaced by spaces: running heads, page numbers,
    headers and footers of office files, and the lines of a table of contents, whose headings follow. As long as the
    text, so that places stay."""
    text = _without_running_heads(document.text, document.page_starts)
    titles = {_title(line) for line in document.text.splitlines()}
    blank: list[tuple[int, int]] = []
    running = 0  # the level of the header or footer that a line stands in
    for match in re.finditer(r"[^\n]+", text):
        marked = _MARKED.match(match[0])
        if marked is not None and (not running or len(marked[1]) <= running):
            running = len(marked[1]) if marked[2].strip() in _RUNNING else 0
        led = _led_title(match[0])
        if running or (led and _title(led) in titles):
            blank.append(match.span())
    for start, end in blank:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _without_running_heads(text: str, page_starts: Sequence[int]) -> str:
    """The text with the lines that begin or end most of its pages replaced by spaces. A text of which that would leave
    less than half has a form on each page, whose lines differ in their figures: it stays as it is."""
    if not page_starts:
        return text
    whole = text
    edges: list[list[tuple[int, int]]] = []
    for start, end in zip(page_starts, [*page_starts[1:], len(text)], strict=True):
        lines = [(start + m.start(), start + m.end()) for m in re.finditer(r"[^\n]*\S[^\n]*", text[start:end])]
        edges.append(list(dict.fromkeys([*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:]])))
    shapes = Counter(shape for page in edges for shape in {_shape(text[a:b]) for a, b in page})
    needed = max(2, (len(page_starts) + 1) // 2)
    for start, end in (span for page in edges for span in page):
        line = text[start:end]
        if shapes[_shape(line)] >= needed or _PAGE_NUMBER.match(line):
            text = text[:start] + " " * (end - start) + text[end:]
    return text if 2 * len("".join(text.split())) >= len("".join(whole.split())) else whole


def _led_title(line: str) -> str:
    """What stands before dots that lead to a number: in a table of contents a heading, in a list what has a price."""
    line = line.rstrip()
    dots = line.rstrip("0123456789")
    title = dots.rstrip(f" \t{_LEADERS}")
    leaders = sum(sign in _LEADERS for sign in dots[len(title) :])
    return title if leaders >= _FEWEST_LEADERS and 1 <= len(line) - len(dots) <= _MOST_DIGITS else ""


def _title(line: str) -> str:
    return " ".join(line.casefold().split()).strip("#. ")


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", " ".join(line.split()))


def _after_blank(text: str, whole: str, lines: Sequence[_Line]) -> dict[int, bool]:
    """Whether a blank line of the document is before each line. One beside a running head does not count."""
    found: dict[int, bool] = {}
    end = 0
    for line in lines:
        if line.text.strip():
            found[line.start] = not whole[end : line.start].strip() and text.count("\n", end, line.start) > 1
            end = line.end
        else:
            found[line.start] = False
    return found


def _width(lines: Sequence[_Line]) -> int:
    """The width of wrapped lines in characters."""
    lengths = sorted(len(line.text.rstrip()) for line in lines if line.text.strip())
    return lengths[int(len(lengths) * 0.9)] if lengths else 0


def _is_wrapped(lines: Sequence[_Line], width: int) -> bool:
    """Whether so many lines are about as long that they were broken to a width."""
    lengths = [len(line.text.rstrip()) for line in lines if line.text.strip()]
    return sum(_FULL * width <= length <= width / _FULL for length in lengths) >= _WRAPPED_SHARE * len(lengths)


def _find_headings(lines: Sequence[_Line], blank_before: dict[int, bool]) -> dict[int, tuple[int, str]]:
    """The numbers of the lines that are headings, with their level and their text."""
    marked = {
        number: (len(match[1]), match[2].strip())
        for number, line in enumerate(lines)
        if (match := _MARKED.match(line.text))
    }
    if marked:
        return marked
    filled = [number for number, line in enumerate(lines) if line.text.strip()]
    width = max(_LEAST_WIDTH, _width(lines))
    counted = _counted_on(lines, filled)
    has_numbers = len(counted) >= _NUMBERED_NEEDED
    found: dict[int, tuple[int, str]] = {}
    for place, number in enumerate(filled):
        line = lines[number].text.strip()
        before = lines[filled[place - 1]].text.strip() if place else ""
        following = lines[filled[place + 1]] if place + 1 < len(filled) else None
        if following is None or not _may_be_heading(line):
            continue
        numbered = number in counted
        if len(line) + 1 + len(following.text.split()[0]) >= _WRAPPED * width:
            continue  # the line was full
        opens = not before or bool(_CLOSED.search(before)) or blank_before[lines[number].start]
        short_before = len(before) < 0.6 * width  # a row of a table, perhaps
        row_after = bool(re.search(r"\d\W*$", following.text)) and len(following.text) < width
        prose_after = bool(_POINT.match(following.text)) or (len(following.text) >= 0.6 * width and not row_after)
        if numbered:
            is_heading = opens or bool(_POINT.match(before)) or (short_before and not line[-1].isdigit())
        elif has_numbers:
            is_heading = opens and prose_after
        else:
            is_heading = (opens and bool(before) and not row_after) or (
                prose_after and (opens or short_before) and not re.search(r"\d", line)
            )
        if is_heading:
            depth = line.split()[0].rstrip(".").count(".") if numbered else 0
            found[number] = (2 + depth, line)
    return found


def _counted_on(lines: Sequence[_Line], filled: Sequence[int]) -> set[int]:
    """The numbers of the lines that may be numbered headings: they count on from the one before."""
    found: set[int] = set()
    last = 0
    for number in filled:
        line = lines[number].text.strip()
        if not _NUMBERED.match(line) or not _may_be_heading(line):
            continue
        digits = re.match(r"\d+", line)
        if digits is None:
            found.add(number)  # an article, a chapter
        elif last <= int(digits[0]) <= last + 2:
            found.add(number)
            last = int(digits[0])
    return found


def _may_be_heading(line: str) -> bool:
    words = _HEADING_WORDS + 3 * bool(_NUMBERED.match(line))
    if len(line) > _HEADING_CHARACTERS or len(line.split()) > words or _CLOSED.search(line):
        return False
    if " | " in line or line.endswith((",", "-")) or re.match(r"[-*•–▪]", line) or _SENTENCE_INSIDE.search(line[4:]):
        return False
    return bool(_NUMBERED.match(line)) or line[0].isupper()


def _units(text: str, lines: Sequence[_Line], after_blank: set[int], width: int) -> Iterator[Unit]:
    """The units of the lines below a heading."""
    head = ""
    blocks = list(_blocks(lines, after_blank, width))
    for place, block in enumerate(blocks):
        start = block[0].start + len(block[0].text) - len(block[0].text.lstrip())
        end = block[-1].start + len(block[-1].text.rstrip())
        if len(block) == 1 and " | " in block[0].text:
            if re.search(r"\w: ", block[0].text.partition(" | ")[0]):
                head = ""
            elif not head:
                head = block[0].text.strip()
                continue
            yield from _unit(text, start, end, "row", head)
            continue
        head = ""
        if _POINT.match(block[0].text):
            yield from _unit(text, start, end, "point")
            continue
        around = [one for one in blocks[max(0, place - 1) : place + 2] if one is not block]
        if len(block) == 1 and end - start <= _LONGEST_LINE and _in_list(block, around, after_blank):
            yield from _unit(text, start, end, "row")
            continue
        for a, b in split_sentences(text[start:end].replace("\n", " ")):
            yield from _unit(text, start + a, start + b, "sentence")


def _in_list(block: Sequence[_Line], around: Sequence[Sequence[_Line]], after_blank: set[int]) -> bool:
    """Whether a line is one of several that each stand for themselves: notes, or rows of a table in a PDF."""
    return any(
        len(other) == 1 and max(block[0].start, other[0].start) not in after_blank and not _POINT.match(other[0].text)
        for other in around
    )


def _unit(text: str, start: int, end: int, kind: UnitKind, head: str = "") -> Iterator[Unit]:
    """A unit, unless it holds no word."""
    plain = _plain(text[start:end])
    if re.search(r"[^\W_]", plain):
        yield Unit(start, end, kind, plain, head)


def _blocks(lines: Sequence[_Line], after_blank: set[int], width: int) -> Iterator[list[_Line]]:
    """Lines that belong together: a paragraph, a point of a list with what is wrapped of it, a row."""
    block: list[_Line] = []
    for line in lines:
        if block and not _goes_on(block[-1], line, line.start in after_blank, width):
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _goes_on(before: _Line, line: _Line, blank_between: bool, width: int) -> bool:
    """Whether a line goes on with the one before: that one was full, or its sentence is open."""
    if blank_between or _POINT.match(line.text) or " | " in line.text or " | " in before.text:
        return False
    if _COLUMNS.search(before.text.strip()):
        return False
    if not _LEAST_WIDTH <= width <= _MOST_WIDTH:
        opened = before.text.rstrip()
        return len(opened) >= _LONG_OPEN and not _CLOSED.search(opened) and line.text.lstrip()[0].islower()
    first = line.text.split()[0]
    return len(before.text.rstrip()) + 1 + len(first) >= _WRAPPED * width or line.text.lstrip()[0].islower()


def _plain(text: str) -> str:
    """A unit's text in one line, without the mark of a point."""
    joined = re.sub(r"(?<=[^\W\d_])-\n(?=[a-zà-ÿ])", "", text)
    return re.sub(r"^(?:[-*•–▪◦·])\s+", "", " ".join(joined.split()))
