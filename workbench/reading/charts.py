"""Charts and diagrams (SmartArt) of Office documents as text.

A chart contains a copy of its numbers (ECMA-376 part 1, 21.2), so that no workbook has to be opened; so do the newer
chart types such as waterfall ([MS-ODRAWXML] 2.24.3). A diagram is a tree of points (part 1, 21.4).
"""

from __future__ import annotations

from datetime import datetime

from workbench.reading.archive import Archive
from workbench.reading.extract import labelled
from workbench.reading.markup import Markup
from workbench.reading.table import kind_of_format, named_cells, shown_number

DEEPEST_LEVEL = 20


def read_chart(archive: Archive, part: str) -> str:
    """``Chart: TITLE``, axis titles, and a line per category with the value of each series; "" when it is empty."""
    chart = _Chart()
    archive.parse(part, chart)
    for drawn in archive.related(part, "chartUserShapes"):
        archive.parse(drawn, chart)
    return _block(chart.title, chart.axes, chart.series, chart.notes)


class _Series:
    """A series: texts by the index of their point. ``levels`` of categories: the innermost first; an outer level has a
    text only where it changes."""

    def __init__(self) -> None:
        self.name = ""
        self.levels: list[dict[int, str]] = []
        self.values: dict[int, list[str]] = {}

    def categories(self) -> dict[int, str]:
        named: dict[int, list[str]] = {}
        for level in self.levels:
            last = ""
            for place in sorted(named or level):
                last = level.get(place, last if named else "")
                named.setdefault(place, []).insert(0, last)
        return {place: " / ".join(filter(None, texts)) for place, texts in named.items()}


def _block(title: str, axes: list[str], series: list[_Series], notes: list[str]) -> str:
    """Series with the same categories are columns of one table, as in the chart's source."""
    lines = [f"Axes: {'; '.join(axes)}"] if axes else []
    groups: dict[tuple[tuple[int, str], ...], list[_Series]] = {}
    for one in series:
        groups.setdefault(tuple(one.categories().items()), []).append(one)
    for categories, members in groups.items():
        names = {column: one.name for column, one in enumerate(members, 1)}
        named = dict(categories)
        points = sorted({place for one in members for place in one.values} | set(named))
        if not points:
            lines += [name for name in names.values() if name]
        for place in points:
            row = {0: named[place]} if named.get(place) else {}
            row |= {
                column: ", ".join(one.values[place]) for column, one in enumerate(members, 1) if place in one.values
            }
            lines.append(named_cells(row, names))
    lines += notes
    title = " ".join(title.split())
    return labelled(f"Chart: {title}" if title else "Chart", "\n".join(lines)) or (f"Chart: {title}" if title else "")


class _Chart(Markup):
    _CATEGORIES = frozenset({"cat", "xVal"})
    _VALUES = frozenset({"val", "yVal", "bubbleSize"})
    _POINTS = frozenset({"strCache", "numCache", "strLit", "numLit", "lvl"})

    def __init__(self) -> None:
        self.title = ""
        self.axes: list[str] = []
        self.series: list[_Series] = []
        self.notes: list[str] = []
        self._path: list[str] = []
        self._pieces: list[str] | None = None
        self._title: list[str] = []
        self._format = ""
        self._named = 0  # number of series of a newer chart type with names

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("ser", "data"):  # newer chart types separate data from series
            self.series.append(_Series())
        elif name == "title":
            self._title = []
        elif name in ("strDim", "numDim"):
            name = "cat" if attributes.get("type", "cat") in ("cat", "x") else "val"
        elif name in self._POINTS:
            self._format = kind_of_format(attributes.get("formatCode", ""))
            if self.series and self._CATEGORIES & set(self._path):
                self.series[-1].levels.append({})
        elif name in ("v", "t", "pt", "formatCode"):
            self._pieces = []
        if name == "pt":
            name = f"pt {attributes.get('idx', '')}"
        self._path.append(name)

    def end(self, name: str) -> None:
        said = self._path.pop()
        if name == "title":
            self._end_title()
        if self._pieces is None or name not in ("v", "t", "pt", "formatCode"):
            return
        text = " ".join("".join(self._pieces).split())
        self._pieces = None
        if name == "formatCode":
            self._format = kind_of_format(text)
        elif text:
            self._take(text, said)

    def text(self, data: str) -> None:
        if self._pieces is not None:
            self._pieces.append(data)

    def _take(self, text: str, said: str) -> None:
        if "title" in self._path:
            self._title.append(text)
            return
        if "series" in self._path and "tx" in self._path:
            if self._named < len(self.series):
                self.series[self._named].name = text
                self._named += 1
            return
        point = next((step for step in (said, *reversed(self._path)) if step.startswith("pt ")), "")
        one = self.series[-1] if self.series else None
        if one is not None and point and "tx" not in self._path:
            place = int(point[3:]) if point[3:].isdigit() else 0
            if self._CATEGORIES & set(self._path):
                if one.levels:
                    one.levels[-1][place] = self._shown(text)
                return
            if self._VALUES & set(self._path):
                one.values.setdefault(place, []).append(self._shown(text))
                return
        if one is not None and "ser" in self._path and "tx" in self._path and "dLbls" not in self._path:
            one.name = f"{one.name} {text}".strip()
        else:
            self.notes.append(text)

    def _end_title(self) -> None:
        title = " ".join(self._title)
        if not title:
            return
        if self._path and (self._path[-1].endswith("Ax") or self._path[-1] == "axis"):
            self.axes.append(title)
        else:
            self.title = self.title or title

    def _shown(self, text: str) -> str:
        try:
            float(text)
        except ValueError:
            return text
        return shown_number(text, self._format, datetime(1899, 12, 30))


def read_diagram(archive: Archive, part: str) -> str:
    """``Diagram`` and its points, each indented below its parent; "" when it has no text."""
    diagram = _Diagram()
    archive.parse(part, diagram)
    return labelled("Diagram", "\n".join(diagram.lines()))


class _Diagram(Markup):
    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._shapes: set[str] = set()  # points of the drawing, without text of their own
        self._children: dict[str, list[tuple[int, str]]] = {}
        self._point = ""
        self._in_text = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "pt" and "modelId" in attributes:
            self._point = attributes["modelId"]
            self._texts[self._point] = ""
            if attributes.get("type") in ("pres", "parTrans", "sibTrans"):
                self._shapes.add(self._point)
        elif name == "cxn" and attributes.get("type", "parOf") == "parOf":
            order = attributes.get("srcOrd", "")
            self._children.setdefault(attributes.get("srcId", ""), []).append(
                (int(order) if order.isdigit() else 0, attributes.get("destId", ""))
            )
        elif name == "p" and self._point:
            self._texts[self._point] += " "
        self._in_text = name == "t" and bool(self._point)

    def end(self, name: str) -> None:
        self._in_text = False
        if name == "pt":
            self._point = ""

    def text(self, data: str) -> None:
        if self._in_text:
            self._texts[self._point] += data

    def lines(self) -> list[str]:
        below = {child for children in self._children.values() for _, child in children}
        waiting = [(point, 0) for point in reversed(self._texts) if point not in below]
        waiting = [(point, 0) for point in reversed(self._texts)] + waiting  # for points that only a cycle leads to
        seen = set(self._shapes)
        lines: list[str] = []
        while waiting:
            point, level = waiting.pop()
            if point in seen:
                continue
            seen.add(point)
            text = " ".join(self._texts.get(point, "").split())
            if text:
                lines.append("  " * min(level, DEEPEST_LEVEL) + "- " + text)
                level += 1
            waiting += [(child, level) for _, child in sorted(self._children.get(point, ()), reverse=True)]
        return lines
