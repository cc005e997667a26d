"""How probabilities are said and tinted: steps of one hue, the rarer the stronger, and the legend of the tints."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.components.recipe import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from ui.theme.tokens import Palette, mixed
from workbench.records.messages import ChosenToken

BOUNDS = (0.9, 0.5, 0.2, 0.05)
"""A probability from ``BOUNDS[i]`` on is in step ``i``; below the last in step ``len(BOUNDS)``."""

STEP_WORDS = (texts.OVER_90, texts.OVER_50, texts.OVER_20, texts.OVER_5, "rarer")
_NEAR = 0.7
"""The least share of the first choice's probability at which computing both anew may change their order."""

_SHARES_LIGHT = (0.0, 0.10, 0.20, 0.33, 0.48)
_SHARES_DARK = (0.0, 0.10, 0.20, 0.31, 0.42)


def probability_of(logprob: float) -> float:
    """In [0, 1], of a natural-log probability."""
    return math.exp(min(0.0, logprob))


def step_of(probability: float) -> int:
    """Which tint a probability has: 0 for the likeliest."""
    return next((step for step, bound in enumerate(BOUNDS) if probability >= bound), len(BOUNDS))


def tints(palette: Palette, dark: bool) -> list[str]:
    """A background for each step; the first is that of the surface itself."""
    return [mixed(palette.decoding, palette.surface, share) for share in (_SHARES_DARK if dark else _SHARES_LIGHT)]


def describe_probability(probability: float) -> str:
    """``62%``, ``4.1%``, ``0.03%``, ``under 0.01%``."""
    percent = 100 * probability
    if percent >= 99.95:
        return "100%"
    if percent >= 10:
        return f"{percent:.0f}%" if percent < 99 else f"{percent:.1f}%"
    if percent >= 1:
        return f"{percent:.1f}%"
    return f"{percent:.2f}%" if percent >= 0.01 else texts.UNDER_001


def describe_surprise(tokens: Sequence[ChosenToken]) -> str:
    """What the model makes of an answer in a line: mean probability (geometric), perplexity, first choices."""
    if not tokens:
        return texts.NO_TOKENS
    mean = sum(token.logprob for token in tokens) / len(tokens)
    known = [token for token in tokens if token.alternatives]
    line = texts.SURPRISE.format(
        count=len(tokens), probability=describe_probability(probability_of(mean)), exp=math.exp(min(-mean, 700))
    )
    if known:
        first = sum(token.alternatives[0].token == token.token for token in known)
        line += texts.FIRST_CHOICES.format(value=first / len(known))
    return line


def describe_near_ties(tokens: Sequence[ChosenToken]) -> str:
    """A sentence on the tokens that were chosen as the most probable ones and are nearly that, computed anew; "" for
    none."""
    behind = [token.logprob - token.alternatives[0].logprob for token in tokens if token.alternatives]
    near = [probability_of(gap) for gap in behind if 0 > gap >= math.log(_NEAR)]
    if not near:
        return ""
    return texts.near_ties(len(near), describe_probability(min(near)))


def visible(text: str) -> str:
    """A token's text on its own line, where its spaces and breaks can be seen."""
    shown = text.replace("\r", "␍").replace("\n", "↵").replace("\t", "⇥").replace(" ", "·")
    return shown or "∅"


class TokenLegend(QWidget):
    """What the tints mean."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(tokens.ICON_SIZE)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(texts.LEGEND)
        self.setToolTip(texts.LEGEND_HELP)
        current_theme().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(tokens.TEXT_SMALL)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        shades = tints(theme.palette, theme.is_dark)
        x = 0.0
        for words, shade in zip(STEP_WORDS, shades, strict=True):
            width = metrics.horizontalAdvance(words) + 2 * tokens.SPACE_2
            if x + width > self.width():
                break
            box = QRectF(x + 0.5, 1.5, width - 1, self.height() - 3)
            painter.setPen(QPen(theme.colour("border"), 1))
            painter.setBrush(QColor(shade))
            painter.drawRoundedRect(box, 3, 3)
            painter.setPen(theme.colour("text"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
            x += width + tokens.SPACE_1
        words = texts.NOT_FIRST_CHOICE
        width = metrics.horizontalAdvance(words) + 2 * tokens.SPACE_2
        if x + width <= self.width():
            painter.setPen(theme.colour("muted"))
            box = QRectF(x, 1, width, self.height() - 3)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
            painter.setPen(QPen(theme.colour("decoding"), 1.5, Qt.PenStyle.DotLine))
            y = box.bottom()
            painter.drawLine(QPointF(box.left() + tokens.SPACE_2, y), QPointF(box.right() - tokens.SPACE_2, y))
        painter.end()
