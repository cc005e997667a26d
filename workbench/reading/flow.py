"""Flow: builds running text paragraph by paragraph: a document's body, a text box, a note, a header.

Headings become ``#`` lines, list items ``-`` lines, table rows a line each (``table.row_lines``).
"""

from __future__ import annotations

from workbench.reading.grid import Grid, Row, Span
from workbench.reading.table import row_lines

FEWEST_NAMED_COLUMNS = 3
"""Tables of two columns often consist of names and values: their first row is no header, unless it is marked as one."""
MOST_SPANNED = 1_000


class _Table:
    def __init__(self) -> None:
        self.rows: list[list[tuple[int, list[str]]]] = []  # cells as (column, paragraphs)
        self.next_column = 0
        self.marked = 0  # rows at the beginning that are marked as a head
        self.spans: list[Span] = []
        self.open_spans: dict[int, int] = {}  # cells merged downwards: their first row, by column
        self.bold: list[bool] = []  # per row

    @property
    def may_name(self) -> bool:
        """Whether the first row may name the columns."""
        if self.marked or (self.bold and self.bold[0] and not all(self.bold)):
            return True
        filled = [[column for column, paragraphs in row if paragraphs] for row in self.rows]
        first = next((row for row in filled if row), [])
        widest = 1 + max((column for row in filled for column in row), default=0)
        return len(first) == widest >= FEWEST_NAMED_COLUMNS


class Flow:
    """``first_heading`` is the text of the first heading, or empty; ``tables``: those that are in no other table."""

    def __init__(self) -> None:
        self.first_heading = ""
        self.tables: list[Grid] = []
        self._heading = ""
        self._blocks: list[str] = []
        self._tables: list[_Table] = []
        self._attached: list[str] = []
        self._marks: list[str] = []
        self._has_text = False
        self._last_was_item = False

    def result(self) -> str:
        self._flush()
        return "".join(self._blocks).strip("\n")

    def add_paragraph(self, text: str, *, level: int = 0, is_item: bool = False, is_bold: bool = False) -> None:
        """``level`` is a heading's level, from 1; 0 is none. A paragraph in a table is added to its last cell."""
        text = text.strip()
        cell = self._cell
        if cell is not None:
            if text:
                cell.append(" ".join(text.split()))
                bold = self._tables[-1].bold
                bold[-1] = bold[-1] and is_bold
            return
        if text and level:
            text = " ".join(text.split())
            self.first_heading = self.first_heading or text
            self._heading = text
            text = "#" * min(level, 6) + " " + text
        elif text and is_item:
            text = "- " + text
        if text:
            self._write(text, "\n" if is_item and self._last_was_item else "\n\n")
            self._last_was_item = is_item
        self._flush()

    def attach(self, block: str) -> None:
        """Add a labelled block (``extract.labelled``) after the open paragraph or table."""
        if block:
            self._attached.append(block)

    def place(self, mark: str) -> None:
        """Put the mark of a picture (``embedded``) behind the open paragraph or table, without a line of its own."""
        if mark:
            self._marks.append(mark)

    # -- tables ---------------------------------------------------------------------------------------

    def begin_table(self) -> None:
        self._tables.append(_Table())

    def begin_row(self) -> None:
        if self._tables:
            self._tables[-1].rows.append([])
            self._tables[-1].bold.append(True)
            self._tables[-1].next_column = 0

    def begin_cell(self) -> None:
        if self._tables and self._tables[-1].rows:
            table = self._tables[-1]
            table.rows[-1].append((table.next_column, []))
            table.next_column += 1

    def widen_cell(self, span: int) -> None:
        """The last cell spans so many columns."""
        if self._tables and self._tables[-1].rows and self._tables[-1].rows[-1] and span > 1:
            table, span = self._tables[-1], min(span, MOST_SPANNED)
            column, number = table.rows[-1][-1][0], len(table.rows)
            if len(table.spans) < MOST_SPANNED:
                table.spans.append((number, column, number, column + span - 1))
            table.next_column += span - 1

    def span_cell(self, columns: str, rows: str) -> None:
        """The last cell is merged with the covered cells that follow it, and below it."""
        if not self._tables or not self._tables[-1].rows or not self._tables[-1].rows[-1]:
            return
        table = self._tables[-1]
        column, number = table.rows[-1][-1][0], len(table.rows)
        right = column + min(int(columns) if columns.isdigit() else 1, MOST_SPANNED) - 1
        bottom = number + (int(rows) if rows.isdigit() and len(rows) < 7 else 1) - 1
        if (right, bottom) != (column, number) and len(table.spans) < MOST_SPANNED:
            table.spans.append((number, column, bottom, right))

    def join_downwards(self, *, begins: bool) -> None:
        """The last cell is the first of cells that are merged downwards, or one of the next."""
        if not self._tables or not self._tables[-1].rows or not self._tables[-1].rows[-1]:
            return
        table = self._tables[-1]
        column, number = table.rows[-1][-1][0], len(table.rows)
        if begins:
            table.open_spans[column] = number
        elif column in table.open_spans:
            top = table.open_spans[column]
            table.spans = [span for span in table.spans if span[:2] != (top, column) or span[3] > column]
            if len(table.spans) < MOST_SPANNED:
                table.spans.append((top, column, number, column))

    def repeat_cell(self, times: int) -> None:
        """Repeat the last cell; without text it only takes columns."""
        if self._tables and self._tables[-1].rows and self._tables[-1].rows[-1]:
            _, paragraphs = self._tables[-1].rows[-1][-1]
            if not paragraphs:
                self._tables[-1].next_column += min(times, MOST_SPANNED)
                return
            for _ in range(min(times, MOST_SPANNED)):
                self.begin_cell()
                self._tables[-1].rows[-1][-1][1].extend(paragraphs)

    def mark_header(self) -> None:
        """The open row is marked as a header, as are those before it; the first row then names the columns."""
        if self._tables and len(self._tables[-1].rows) == self._tables[-1].marked + 1:
            self._tables[-1].marked += 1

    def end_table(self) -> None:
        if not self._tables:
            return
        table = self._tables.pop()
        cell = self._cell
        if cell is None and all(len(row) <= 1 for row in table.rows):  # a frame around text, not a table
            for row in table.rows:
                for _, paragraphs in row:
                    for paragraph in paragraphs:
                        self.add_paragraph(paragraph)
            return
        rows: list[Row] = [
            {column: " ".join(paragraphs) for column, paragraphs in row if paragraphs} for row in table.rows
        ]
        lines = list(row_lines(rows, may_name=table.may_name))
        if cell is not None:
            cell.extend(lines)  # a nested table
            return
        if lines:
            numbered = list(enumerate(rows, 1))
            self.tables.append(Grid(numbered, self._heading, tuple(table.spans), head_rows=table.marked))
            self._write("\n".join(lines), "\n\n")
            self._last_was_item = False
        self._flush()

    @property
    def _cell(self) -> list[str] | None:
        if self._tables and self._tables[-1].rows and self._tables[-1].rows[-1]:
            return self._tables[-1].rows[-1][-1][1]
        return None

    def _flush(self) -> None:
        if self._tables:
            return
        for block in self._attached:
            self._write(block, "\n\n")
            self._last_was_item = False
        self._attached.clear()
        self._blocks += self._marks
        self._marks.clear()

    def _write(self, block: str, gap: str) -> None:
        if self._has_text:
            self._blocks.append(gap)
        self._has_text = True
        self._blocks.append(block)
