"""Spreadsheets (xlsx): all sheets, each under its name, a line per row; numbers and dates as the sheet shows them.

Our own reader, since kreuzberg 4.10.4 silently keeps the first thousand rows only of a sheet that has one cell far out.
Parsed as a stream: a sheet costs as much as its filled cells, wherever they are.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from workbench.techniques.retrieval.reading.archive import Archive
from workbench.techniques.retrieval.reading.extract import Extracted
from workbench.techniques.retrieval.reading.markup import Markup
from workbench.techniques.retrieval.reading.properties import core_properties
from workbench.techniques.retrieval.reading.table import Row, row_lines

# formats that have a number and no code (ECMA-376 part 1, 18.8.30)
_DATES = frozenset({14, 15, 16, 17, 18, 19, 20, 21, 22, 45, 47, *range(27, 37), *range(50, 59)})
_BUILT_IN = dict.fromkeys(_DATES, "date") | {9: "percent", 10: "percent", 46: "duration"}

_NOT_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.')
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.I)
_BRACKETS = re.compile(r"\[[^\]]*\]")


def read_xlsx(data: bytes) -> Extracted:
    archive = Archive(data, "an Excel workbook")
    main = archive.main_part("xl/workbook.xml")
    workbook = _Workbook()
    workbook.parse(archive.read(main), main)
    parts = {relation.id: relation for relation in archive.relations(main)}
    by_type = {relation.type: relation.target for relation in parts.values()}
    strings, formats = _Strings(), _Formats()
    for reader, kind in ((strings, "sharedStrings"), (formats, "styles")):
        if by_type.get(kind) in archive.names:
            reader.parse(archive.read(by_type[kind]), by_type[kind])
    blocks: list[str] = []
    for name, id in workbook.sheets:
        relation = parts.get(id)
        if relation is not None and relation.type == "worksheet" and relation.target in archive.names:
            sheet = _Sheet(strings.values, formats.kinds, workbook.epoch)
            sheet.parse(archive.read(relation.target), relation.target)
            lines = "\n".join(row_lines(sheet.rows))
            if lines:
                blocks.append(f"# {name}\n\n{lines}")
    properties = core_properties(archive)
    return Extracted(
        "\n\n".join(blocks),
        title=properties.pop("title", ""),
        language=properties.pop("language", ""),
        metadata=properties,
    )


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
    """``kinds[style]``: how the numbers of a cell style are shown: date, duration, percent, or "" for plain."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self._codes: dict[int, str] = {}
        self._in_cell_styles = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._codes[int(attributes.get("numFmtId", "0"))] = kind_of_format(attributes.get("formatCode", ""))
        elif name == "cellXfs":
            self._in_cell_styles = True
        elif name == "xf" and self._in_cell_styles:
            number = int(attributes.get("numFmtId", "0"))
            self.kinds.append(self._codes.get(number, _BUILT_IN.get(number, "")))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cell_styles = False


class _Sheet(Markup):
    def __init__(self, strings: list[str], kinds: list[str], epoch: datetime) -> None:
        self.rows: list[Row] = []
        self._strings, self._kinds, self._epoch = strings, kinds, epoch
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
            self._pieces = []
        elif name in ("v", "t"):
            self._in_value = True
        elif name == "row":
            self._row, self._column = {}, -1

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._in_value = False
        elif name == "c":
            shown = self._shown("".join(self._pieces))
            if shown:
                self._row[self._column] = shown
        elif name == "row" and self._row:
            self.rows.append(self._row)

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
        return shown_number(value, self._kinds[style] if style < len(self._kinds) else "", self._epoch)


def kind_of_format(code: str) -> str:
    """The kind of number that a number format shows: "date" (times too), "duration", "percent" or "" for a plain
    one."""
    bare = _NOT_CODE.sub("", code.split(";")[0])
    if _ELAPSED.search(bare):
        return "duration"
    bare = _BRACKETS.sub("", bare).lower()
    if "%" in bare:
        return "percent"
    return "date" if bare != "general" and any(letter in bare for letter in "ymdhs") else ""


def shown_number(value: str, kind: str, epoch: datetime) -> str:
    """The stored number, without the noise of its last binary digits; dates in ISO 8601."""
    try:
        number = float(value)
    except ValueError:
        return " ".join(value.split())
    if kind == "percent":
        return f"{number * 100:.12g}%"
    if kind == "duration":
        minutes, seconds = divmod(round(number * 86_400), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if kind == "date":
        try:
            moment = epoch + timedelta(seconds=round(number * 86_400))
        except OverflowError:
            return value
        if 0 <= number < 1:
            return moment.strftime("%H:%M:%S")
        return str(moment.date()) if moment.time() == datetime.min.time() else moment.isoformat(" ")
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.15g}"


def _column(place: str) -> int:
    """The column of "AB12", from 0."""
    number = 0
    for letter in place:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
