"""Rows of tables in an answer, which are quoted as lines (``Name: Westkapelle | Height: 52``), as small tables.

The text of the answer stays as it is; only what is drawn of it changes. A row whose columns have no name, neither in
its line nor by what is cited, becomes a line of words, without bars.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ui.components.markdown_blocks import Leaf, Span
from workbench.records.table_lines import BAR, quoted_row

_LINE = "\u2028"

Columns = Mapping[int, Sequence[str]]
"""The names of the columns of a table by the number of the citation that is a row of it."""

_Row = tuple[tuple[str, ...], tuple[tuple[Span, ...], ...]]


def rows_as_tables(leaves: Sequence[Leaf], columns: Columns) -> list[Leaf]:
    """The leaves with the rows in them as tables; rows of the same columns that follow each other are one table."""
    shown: list[Leaf] = []
    for leaf in leaves:
        if leaf.kind != "paragraph" or not any(BAR in span.text and not span.code for span in leaf.spans):
            shown.append(leaf)
            continue
        for part in _parts(leaf, columns):
            last = shown[-1] if shown else None
            if last is not None and last.kind == part.kind == "table" and last.rows[0] == part.rows[0]:
                shown[-1] = replace(last, rows=last.rows + part.rows[1:])
            else:
                shown.append(part)
    return shown


def _parts(leaf: Leaf, columns: Columns) -> Iterator[Leaf]:
    """The lines of a paragraph: words as they are, rows as tables of one row."""
    words: list[tuple[Span, ...]] = []
    is_first = True

    def paragraph() -> Leaf:
        spans = tuple(span for number, line in enumerate(words) for span in ((Span(_LINE),) if number else ()) + line)
        words.clear()
        return replace(leaf, spans=spans, marker=leaf.marker if is_first else "", joins=leaf.joins and is_first)

    for line in _lines(leaf.spans):
        row = _row(line, columns)
        if row is None:
            words.append(tuple(replace(span, text=span.text.replace(BAR, " · ")) for span in line))
            continue
        if words:
            yield paragraph()
        is_first = False
        names, cells = row
        head = tuple((Span(name),) for name in names)
        yield Leaf("table", rows=(head, cells), align=("",) * len(names), indent=leaf.indent, quote=leaf.quote)
    if words:
        yield paragraph()


def _lines(spans: Sequence[Span]) -> list[tuple[Span, ...]]:
    lines: list[list[Span]] = [[]]
    for span in spans:
        for number, part in enumerate(span.text.split(_LINE)):
            if number:
                lines.append([])
            if part:
                lines[-1].append(replace(span, text=part))
    return [tuple(line) for line in lines]


def _row(line: Sequence[Span], columns: Columns) -> _Row | None:
    """The names of the columns and the cells of a line; None where it is no row with names."""
    cites = tuple(span for span in line if span.cite)
    if any(span.code for span in line):
        return None
    known = next((columns[cite.cite] for cite in cites if cite.cite in columns), ())
    row = quoted_row("".join(span.text for span in line if not span.cite), known)
    if row is None:
        return None
    names, values = row
    shown: list[tuple[Span, ...]] = [(Span(value),) for value in values]
    shown[-1] = (*shown[-1], *((Span(" "), *cites) if cites else ()))
    return names, tuple(shown)
