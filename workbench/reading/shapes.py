"""Shapes of a slide, a layout or a drawing on a sheet: text, tables, charts and diagrams (ECMA-376 part 1, 20)."""

from __future__ import annotations

from workbench.reading.archive import Archive
from workbench.reading.charts import read_chart, read_diagram
from workbench.reading.embedded import is_shown_large
from workbench.reading.flow import FEWEST_NAMED_COLUMNS
from workbench.reading.grid import Grid, Row, Span
from workbench.reading.markup import Markup
from workbench.reading.table import row_lines

OWN = ""
"""The place of a shape that is not a placeholder."""
MOST_SPANS = 1_000
REPEATED = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})
"""Placeholders that repeat on every slide."""


def read_shapes(archive: Archive, part: str) -> Shapes:
    """The shapes of a part; none when it is damaged, which gives a warning."""
    shapes = Shapes(archive, part)
    archive.parse(part, shapes)
    return shapes


class Shapes(Markup):
    """``title`` of a slide; ``texts``: placeholder type and text of each shape, table, chart and diagram, in order;
    ``tables``; ``pictures``: the parts of those that are more than ornaments."""

    def __init__(self, archive: Archive, part: str) -> None:
        self.title = ""
        self.texts: list[tuple[str, str]] = []
        self.tables: list[Grid] = []
        self.pictures: list[str] = []
        self._archive = archive
        self._targets = {relation.id: relation.target for relation in archive.relations(part)}
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._rows: list[Row] = []
        self._cells: list[str] | None = None
        self._spans: list[Span] = []
        self._has_head = False
        self._place = OWN
        self._in_text = False
        self._unseen = 0
        self._picture: tuple[str, bool] | None = None  # the open one: its part, and whether it is shown large

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._unseen or name == "Fallback":
            self._unseen += 1
        elif name in ("sp", "graphicFrame", "cxnSp"):
            self._lines, self._place = [], OWN
        elif name == "ph":
            self._place = attributes.get("type", "body")
        elif name == "p":
            self._pieces = []
        elif name == "t":
            self._in_text = True
        elif name == "br":
            self._pieces.append("\n")
        elif name == "tbl":
            self._rows, self._spans, self._has_head = [], [], False
        elif name == "tblPr":
            self._has_head = attributes.get("firstRow") == "1"
        elif name == "tr":
            self._cells = []
        elif name == "tc":
            self._lines = []
            self._span(attributes)
        elif name == "pic":
            self._picture = "", True
        elif name == "blip" and self._picture is not None:
            self._picture = self._targets.get(attributes.get("r:embed", ""), ""), self._picture[1]
        elif name == "ext" and self._picture is not None and "cx" in attributes:
            self._picture = self._picture[0], is_shown_large(attributes["cx"], attributes.get("cy", ""))
        elif name == "chart":
            self._add(read_chart(self._archive, self._targets.get(attributes.get("r:id", ""), "")))
        elif name == "relIds":
            self._add(read_diagram(self._archive, self._targets.get(attributes.get("r:dm", ""), "")))

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
            self._rows.append({column: cell for column, cell in enumerate(self._cells) if cell})
            self._cells = None
        elif name == "tbl":
            widest = max(map(len, self._rows), default=0)
            may_name = bool(self._rows) and len(self._rows[0]) == widest >= FEWEST_NAMED_COLUMNS
            self._add("\n".join(row_lines(self._rows, may_name=may_name)))
            self.tables.append(Grid(list(enumerate(self._rows, 1)), spans=self._spans, head_rows=int(self._has_head)))
            self._rows = []
        elif name == "pic" and self._picture is not None:
            part, is_large = self._picture
            self._picture = None
            if part and is_large:
                self.pictures.append(part)
        elif name in ("sp", "graphicFrame", "cxnSp"):
            self._end_shape()

    def text(self, data: str) -> None:
        if self._in_text and not self._unseen:
            self._pieces.append(data)

    def _span(self, attributes: dict[str, str]) -> None:
        """A cell that is merged with those after it or below it."""
        across, down = attributes.get("gridSpan", "1"), attributes.get("rowSpan", "1")
        if self._cells is None or (across, down) == ("1", "1") or not (across.isdigit() and down.isdigit()):
            return
        number, column = len(self._rows) + 1, len(self._cells)
        if len(self._spans) < MOST_SPANS:
            self._spans.append((number, column, number + int(down[:6]) - 1, column + int(across[:6]) - 1))

    def _add(self, block: str) -> None:
        if block:
            self.texts.append((self._place, block))

    def _end_shape(self) -> None:
        if self._lines and self._place in ("title", "ctrTitle") and not self.title:
            self.title = " ".join(" ".join(self._lines).split())
        else:
            self._add("\n".join(self._lines))
        self._lines, self._place = [], OWN
