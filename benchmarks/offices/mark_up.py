"""The small mark-up in which office documents are written.

One block a line: `# ` to `#### ` headings; `- `, `  - `, `    - ` nested points; `|a|b|` rows of a table (the
first is the head; a cell `<` belongs to the cell on its left, `^` to the one above); `===` a new page; `> ` a boxed
remark; `**bold**`; `^[text]` a footnote; any other line is a paragraph.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

Rows = list[list[str]]
INLINE = re.compile(r"\*\*(.+?)\*\*|\^\[(.*?)\]")


@dataclass
class Block:
    kind: str  # heading, point, table, page, box, paragraph
    text: str = ""
    level: int = 0
    rows: Rows = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    found: list[Block] = []
    for raw in text.splitlines():
        line = raw.rstrip()
        if line.startswith("|"):
            row = [cell.strip() for cell in line.strip("|").split("|")]
            if found and found[-1].kind == "table":
                found[-1].rows.append(row)
            else:
                found.append(Block("table", rows=[row]))
        elif heading := re.match(r"(#{1,4}) (.*)", line):
            found.append(Block("heading", heading[2], len(heading[1])))
        elif line == "===":
            found.append(Block("page"))
        elif point := re.match(r"( *)- (.*)", line):
            found.append(Block("point", point[2], len(point[1]) // 2 + 1))
        elif line.startswith("> "):
            found.append(Block("box", line[2:]))
        else:
            found.append(Block("paragraph", line.strip()))
    found = [one for one in found if one.kind != "paragraph" or one.text]
    for one in found:
        width = max((len(row) for row in one.rows), default=0)
        one.rows = [row + [""] * (width - len(row)) for row in one.rows]
    return found


def pieces(text: str) -> Iterable[tuple[str, str]]:
    """The runs of a line as (kind, text): plain, bold, note."""
    at = 0
    for match in INLINE.finditer(text):
        if match.start() > at:
            yield "plain", text[at : match.start()]
        yield ("bold", match[1]) if match[1] else ("note", match[2])
        at = match.end()
    if at < len(text):
        yield "plain", text[at:]


def spans(rows: Rows) -> list[tuple[int, int, int, int]]:
    """Merged cells of a table as (row, column, last row, last column), from the marks `<` and `^`."""
    found = []
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if cell in ("<", "^"):
                continue
            right, down = c, r
            while right + 1 < len(row) and row[right + 1] == "<":
                right += 1
            while down + 1 < len(rows) and rows[down + 1][c] == "^":
                down += 1
            if (right, down) != (c, r):
                found.append((r, c, down, right))
    return found


def shown(cell: str) -> str:
    return "" if cell in ("<", "^") else cell
