"""Spreadsheets (xlsx): all sheets, each under its name, a line per row; numbers and dates as the sheet shows them. The
rows are followed by the sheet's charts, text boxes, comments, print header and print footer.

Our own reader, since kreuzberg 4.10.4 silently keeps the first thousand rows only of a sheet that has one cell far out.
Parsed as a stream: a sheet costs as much as its filled cells, wherever they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from workbench.base.catalogue import Shown
from workbench.reading.archive import Archive
from workbench.reading.comments import comment_section, related_comments
from workbench.reading.extract import Extracted, labelled, real_title, section
from workbench.reading.grid import Grid, Row, Span
from workbench.reading.markup import Markup
from workbench.reading.properties import core_properties
from workbench.reading.shapes import read_shapes
from workbench.reading.table import BUILT_IN, TWO_DECIMALS, decimals_of_format, kind_of_format, row_lines, shown_number
from workbench.text.cells import number_of, unit_name

MOST_SPANS = 10_000
_UNIT = re.compile(r"""\[\$([^\]-]+)(?:-\w+)?\]|"\s*([^"\d\s]{1,8})\s*"|([€£$%])""")
_PRINT_CODE = re.compile(r'&(?:&|"[^"]*"|\d+|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|[A-Za-z])')


def read_xlsx(data: bytes) -> Extracted:
    archive = Archive(data, "an Excel workbook")
    main = archive.main_part(_WORKBOOK)
    texts: list[str] = []
    tables: list[Grid] = []
    warnings: list[Shown] = []
    for name, target, sheet in _sheets(archive, main):
        numbered = list(zip(sheet.numbers, sheet.rows, strict=True))
        incomplete = sheet.uncomputed > 0
        stored = frozenset(column for column, more in sheet.stored.items() if more > 0)
        tables.append(Grid(numbered, name, sheet.spans, units=sheet.units, stored=stored, incomplete=incomplete))
        if sheet.uncomputed:
            warnings.append(
                f"The sheet “{name}” has {sheet.uncomputed:,} formulas without a value: open it in a spreadsheet "
                "program and save it, which computes them."
            )
        blocks = [
            "\n".join(row_lines(sheet.rows)),
            *_drawn(archive, target),
            comment_section(related_comments(archive, target, main)),
            section("Print header", (text for kind, text in sheet.running if kind == "header")),
            section("Print footer", (text for kind, text in sheet.running if kind == "footer")),
        ]
        if any(blocks):
            texts.append("\n\n".join((f"# {name}", *filter(None, blocks))))
    properties = core_properties(archive)
    return Extracted(
        "\n\n".join(texts),
        title=real_title(properties.pop("title", "")),
        language=properties.pop("language", ""),
        metadata=properties,
        warnings=(*archive.warnings, *warnings),
        tables=tuple(tables),
    )


def sheet_rows(data: bytes) -> list[tuple[str, list[Row]]]:
    """The filled rows of each sheet, by its name."""
    archive = Archive(data, "an Excel workbook")
    return [(name, sheet.rows) for name, _, sheet in _sheets(archive, archive.main_part(_WORKBOOK)) if sheet.rows]


_WORKBOOK = "xl/workbook.xml"


def _sheets(archive: Archive, main: str) -> Iterator[tuple[str, str, _Sheet]]:
    """Each sheet with its name and its part, in order."""
    workbook = _Workbook()
    workbook.parse(archive.read(main), main)
    strings, formats = _Strings(), _Formats()
    for reader, kind in ((strings, "sharedStrings"), (formats, "styles")):
        for part in archive.related(main, kind):
            reader.parse(archive.read(part), part)
    targets = {relation.id: relation for relation in archive.relations(main)}
    for name, id in workbook.sheets:
        relation = targets.get(id)
        if relation is None or relation.type not in ("worksheet", "chartsheet") or relation.target not in archive.names:
            continue
        sheet = _Sheet(strings.values, formats, workbook.epoch)
        sheet.parse(archive.read(relation.target), relation.target)
        yield name, relation.target, sheet


def _drawn(archive: Archive, sheet: str) -> list[str]:
    """The charts, diagrams and text boxes of a sheet."""
    drawn = [text for part in archive.related(sheet, "drawing") for _, text in read_shapes(archive, part).texts]
    return [text if text.startswith(("Chart", "Diagram")) else labelled("Text box", text) for text in drawn]


class _Workbook(Markup):
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []  # name and relation, in order
        self.epoch = datetime(1899, 12, 30)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            self.sheets.append((attributes.get("name", ""), attributes.get("r:id", "")))
        elif name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            self.epoch = datetime(1904, 1, 1)


class _Strings(Markup):
    """The strings that cells refer to by number, without the phonetic readings of Japanese ones."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._pieces: list[str] = []
        self._in_text = False
        self._in_phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._pieces = []
        elif name == "rPh":
            self._in_phonetic = True
        elif name == "t":
            self._in_text = not self._in_phonetic

    def end(self, name: str) -> None:
        if name == "si":
            self.values.append(" ".join("".join(self._pieces).split()))
        elif name == "rPh":
            self._in_phonetic = False
        elif name == "t":
            self._in_text = False

    def text(self, data: str) -> None:
        if self._in_text:
            self._pieces.append(data)


class _Formats(Markup):
    """``kinds[style]``: how the numbers of a cell style are shown: date, duration, percent, or "" for plain;
    ``units[style]``: the unit that is written beside them, or ""; ``decimals[style]``: how many they have at least."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.units: list[str] = []
        self.decimals: list[int] = []
        self._codes: dict[int, str] = {}
        self._written: dict[int, str] = {}
        self._decimals = dict.fromkeys(TWO_DECIMALS, 2)
        self._in_cell_styles = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            number, code = int(attributes.get("numFmtId", "0")), attributes.get("formatCode", "")
            self._codes[number] = kind_of_format(code)
            self._decimals[number] = decimals_of_format(code)
            unit = _UNIT.search(code.split(";")[0])
            if unit is not None:
                self._written[number] = unit_name(next(part for part in unit.groups() if part))
        elif name == "cellXfs":
            self._in_cell_styles = True
        elif name == "xf" and self._in_cell_styles:
            number = int(attributes.get("numFmtId", "0"))
            self.kinds.append(self._codes.get(number, BUILT_IN.get(number, "")))
            self.units.append(self._written.get(number, ""))
            self.decimals.append(self._decimals.get(number, 0))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cell_styles = False


class _Sheet(Markup):
    """``rows`` and, for each, its number in the sheet; ``spans``: merged areas; ``units`` of columns, by the formats of
    their cells; ``stored``: by column how many more cells are numbers than texts that
    look like one; ``uncomputed``: how many formulas have no value. ``running``: print headers and footers, as ("header"
    or "footer", text)."""

    _RUNNING = frozenset(f"{which}{place}" for which in ("odd", "even", "first") for place in ("Header", "Footer"))

    def __init__(self, strings: list[str], formats: _Formats, epoch: datetime) -> None:
        self.rows: list[Row] = []
        self.numbers: list[int] = []
        self.spans: list[Span] = []
        self.units: dict[int, str] = {}
        self.stored: Counter[int] = Counter()
        self.uncomputed = 0
        self.running: list[tuple[str, str]] = []
        self._strings, self._formats, self._epoch = strings, formats, epoch
        self._number = 0
        self._has_formula = False
        self._row: dict[int, str] = {}
        self._column = 0
        self._type = self._style = ""
        self._pieces: list[str] = []
        self._in_value = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            place = attributes.get("r", "")
            self._column = _column(place) if place else self._column + 1
            self._type, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._pieces, self._has_formula = [], False
        elif name in ("v", "t"):
            self._in_value = True
        elif name == "f":
            self._has_formula = True
        elif name == "mergeCell" and len(self.spans) < MOST_SPANS:
            first, _, last = attributes.get("ref", "").partition(":")
            self.spans.append((_row_number(first), _column(first), _row_number(last), _column(last)))
        elif name in self._RUNNING:
            self._in_value, self._pieces = True, []
        elif name == "row":
            self._row, self._column = {}, -1
            number = attributes.get("r", "")
            self._number = int(number) if number.isdigit() else self._number + 1

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._in_value = False
        elif name == "c":
            shown = self._shown("".join(self._pieces))
            if shown:
                self._row[self._column] = shown
                if self._type == "n":
                    self.stored[self._column] += 1
                elif ("." in shown or "," in shown) and number_of(shown) is not None:
                    self.stored[self._column] -= 1
            elif self._has_formula:
                self.uncomputed += 1
        elif name == "row" and self._row:
            self.rows.append(self._row)
            self.numbers.append(self._number)
        elif name in self._RUNNING:
            self._in_value = False
            self.running.append((name[-6:].lower(), printed_text("".join(self._pieces))))

    def text(self, data: str) -> None:
        if self._in_value:
            self._pieces.append(data)

    def _shown(self, value: str) -> str:
        if self._type == "s":
            return self._strings[int(value)] if value.isdigit() and int(value) < len(self._strings) else ""
        if self._type == "b":
            return "TRUE" if value == "1" else "FALSE" if value else ""
        if self._type != "n":
            return " ".join(value.split())
        style = int(self._style) if self._style.isdigit() else 0
        kinds, units, decimals = self._formats.kinds, self._formats.units, self._formats.decimals
        if value and style < len(units) and units[style]:
            self.units[self._column] = units[style]
        if style >= len(kinds):
            return shown_number(value, "", self._epoch)
        return shown_number(value, kinds[style], self._epoch, decimals[style])


def printed_text(coded: str) -> str:
    """A print header or footer without its codes for formats and fields, such as the page number (ECMA-376 part 1,
    18.3.1.46)."""
    shown = _PRINT_CODE.sub(lambda code: "&" if code.group() == "&&" else " ", coded)
    return " ".join(shown.split())


def _row_number(place: str) -> int:
    """The row of "AB12", 0 without one."""
    digits = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return int(digits) if digits.isdigit() and len(digits) < 10 else 0


def _column(place: str) -> int:
    """The column of "AB12", from 0."""
    number = 0
    for letter in place:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
