"""How the blocks of a document look: fonts, distances, colours, at a zoom."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QTextCharFormat
from PySide6.QtWidgets import QApplication

from ui.theme import tokens
from ui.theme.theme import current_theme

_LINE_HEIGHT = 1.5  # of the size of the letters
_HEADINGS = (1.5, 1.25, 1.1, 1.0)


@dataclass(frozen=True)
class Colours:
    text: QColor
    muted: QColor
    line: QColor
    page: QColor
    sunken: QColor
    mark: QColor


class Look:
    """The fonts and formats at a zoom, 1.0 being the size of reading text."""

    def __init__(self, zoom: float, dense: bool = False) -> None:
        theme = current_theme()
        self.zoom = zoom
        size = (tokens.TEXT_BODY if dense else theme.reading_size) * zoom
        self.body = QFont(QApplication.font())
        self.body.setPixelSize(max(7, round(size)))
        self.code = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self.code.setPixelSize(max(7, round(size * 0.9)))
        self.cell = QFont(self.body)
        self.cell.setPixelSize(max(7, round(min(size, tokens.TEXT_BODY * zoom))))
        self.head = QFont(self.cell)
        self.head.setWeight(QFont.Weight.DemiBold)
        self.small = QFont(self.body)
        self.small.setPixelSize(max(7, round(tokens.TEXT_SMALL * zoom)))
        self.margin = QFont(self.body)
        self.margin.setPixelSize(max(7, round(10 * min(1.3, zoom))))
        self.step = round(size * _LINE_HEIGHT)
        self.cell_step = round(self.cell.pixelSize() * 1.35)
        self.letter = QFontMetricsF(self.body).averageCharWidth()
        colour = theme.colour
        self.colours = Colours(
            colour("text"), colour("muted"), colour("border"), colour("surface"), colour("sunken"), colour("mark")
        )
        self.styles = {
            "strong": _format(weight=QFont.Weight.DemiBold),
            "emphasis": _format(slanted=True),
            "code": _format(family=self.code.family()),
            "label": _format(colour=self.colours.muted),
        }
        self.mark = _format(colour=colour("on_mark"), background=colour("mark"))
        self.words = _format(colour=colour("on_mark"), background=colour("mark"), underlined=True)
        self.match = _format(background=colour("accent_soft"), colour=colour("text"))
        self.current_match = _format(background=colour("accent"), colour=colour("on_accent"))
        self.selection = _format(background=colour("accent"), colour=colour("on_accent"))
        self.removed = _format(background=colour("danger_soft"), colour=colour("danger"))
        self.added = _format(background=colour("success_soft"), colour=colour("success"))

    def heading(self, level: int) -> QFont:
        font = QFont(self.body)
        font.setPixelSize(round(self.body.pixelSize() * _HEADINGS[min(level, len(_HEADINGS)) - 1]))
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def scaled(self, pixels: float) -> float:
        return pixels * self.zoom


def _format(
    colour: QColor | None = None,
    background: QColor | None = None,
    weight: QFont.Weight | None = None,
    family: str = "",
    slanted: bool = False,
    underlined: bool = False,
) -> QTextCharFormat:
    style = QTextCharFormat()
    if colour is not None:
        style.setForeground(colour)
    if background is not None:
        style.setBackground(background)
    if weight is not None:
        style.setFontWeight(weight)
    if family:
        style.setFontFamilies([family])
    if slanted:
        style.setFontItalic(True)
    if underlined:
        style.setFontUnderline(True)
    return style
