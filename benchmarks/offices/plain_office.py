"""The documents of an office, written from ``texts/LANGUAGE/NAME.SUFFIX.txt``.

A file `texts/de/Vertrag.docx.txt` in the mark-up of `mark_up.py` becomes `Vertrag.docx`; one of a suffix that `kit.py`
does not write (`.md`, `.txt`, `.csv`) is copied as it is. A PDF whose name begins with `scan` is drawn as a picture.

Lines such as `% columns = 2` at the head of a text set the keywords of its writer (see `kit.py` and `copied`); a switch
is on by any value and off by none.

A workbook is written from lines: `# Sheet` begins a sheet, `|a|b|` is a row (an empty first cell needs a space). A cell
is a date (`2025-03-04`), a number (`1250`, `12.5`) or text (`'0170` is text too); `<` belongs to the cell on its left
and `^` to the one above. `% G = dd.mm.yyyy` is the number format of a column, `% F2 = not paid` a comment on a cell.

`tables.txt` beside `texts` says where the tables lie that questions compute with, a line each, with the fields of
`TableAt` (all but the file may be left out):

    orders = Orders 2025.xlsx | sheet=June | skip=1 | head=2 | last=Total
    stock = stock.csv | delimiter=; | decimal=,
"""

import datetime
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kit
from mark_up import blocks, shown, spans
from openpyxl.utils import get_column_letter

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
SETTING = re.compile(r"% (\w+) = ?(.*)\n?")


@dataclass
class TableAt:
    """Where a table lies: its file, the sheet of a workbook, the rows before the head, the rows of the head."""

    file: str
    sheet: str = ""
    skip: int = 0
    head: int = 1
    delimiter: str = ","
    decimal: str = "."
    last: str = ""  # the rows end before the one whose first cell begins so


def _cell(text: str) -> Any:
    if not shown(text):
        return None
    if DAY.fullmatch(text):
        return datetime.date.fromisoformat(text)
    if NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text.removeprefix("'")


def _sheets(text: str, heads: dict[str, int]) -> list[kit.Sheet]:
    found: list[kit.Sheet] = []
    for one in blocks(text):
        if one.kind == "heading":
            found.append(kit.Sheet(one.text, [], head=heads.get(one.text, 1)))
        elif one.kind == "table":
            found[-1].rows = [[_cell(cell) for cell in row] for row in one.rows]
            found[-1].merged = tuple(
                f"{get_column_letter(left + 1)}{top + 1}:{get_column_letter(right + 1)}{bottom + 1}"
                for top, left, bottom, right in spans(one.rows)
            )
        elif setting := SETTING.fullmatch(one.text):
            place = found[-1].remarks if setting[1][-1].isdigit() else found[-1].formats
            place[setting[1]] = setting[2]
    return found


def _parted(text: str) -> tuple[dict[str, str], str]:
    """The settings at the head of a text, and the text after them."""
    settings: dict[str, str] = {}
    while setting := SETTING.match(text):
        settings[setting[1]], text = setting[2], text[setting.end() :]
    return settings, text


def _tables(file: Path) -> dict[str, TableAt]:
    found: dict[str, TableAt] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        name, _, place = line.partition(" = ")
        first, *others = (one.strip() for one in place.split(" | "))
        fields: dict[str, Any] = dict(one.split("=", 1) for one in others)
        fields |= {field: int(fields[field]) for field in ("skip", "head") if field in fields}
        found[name.strip()] = TableAt(first, **fields)
    return found


def copied(path: Path, text: str, *, encoding: str = "utf-8", crlf: bool = False) -> None:
    path.write_text(text, encoding=encoding, newline="\r\n" if crlf else None)


WRITERS: dict[str, Callable[..., None]] = {
    ".docx": kit.write_docx,
    ".odt": kit.write_odt,
    ".pdf": kit.write_pdf,
    ".pptx": kit.write_pptx,
    ".eml": kit.write_eml,
    ".html": kit.write_html,
}


class PlainOffice:
    """An office: the language of each document, what is drawn on its scans, and where its tables lie."""

    def __init__(self, folder: Path) -> None:
        sources = {one.name.removesuffix(".txt"): one for one in sorted((folder / "texts").glob("*/*.txt"))}
        self._texts = {name: _parted(one.read_text(encoding="utf-8")) for name, one in sources.items()}
        self.LANGUAGE = {name: one.parent.name for name, one in sources.items()}
        self.PICTURES = {
            name: text for name, (_, text) in self._texts.items() if name.startswith("scan") and name.endswith(".pdf")
        }
        self.TABLES = _tables(folder / "tables.txt")

    def write(self, folder: Path) -> None:
        for name, (settings, text) in self._texts.items():
            path = folder / name
            if path.suffix == ".xlsx":
                heads = {one.sheet: one.skip + one.head for one in self.TABLES.values() if one.file == name}
                kit.write_xlsx(path, _sheets(text, heads))
                continue
            writer = kit.write_picture_pdf if name in self.PICTURES else WRITERS.get(path.suffix, copied)
            kinds = {one.name: type(one.default) for one in inspect.signature(writer).parameters.values()}
            writer(path, text, **{key: kinds[key](value) for key, value in settings.items()})
