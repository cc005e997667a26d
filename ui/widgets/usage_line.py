"""What an answer cost, in one line: the most telling parts as far as there is room, all of them in its tooltip."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from workbench.messages import Usage

_BETWEEN = " · "


class UsageLine(QLabel):
    """Drops whole parts from the end rather than cutting a word."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "small")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(18)  # reserved from the start
        self._parts: tuple[str, ...] = ()

    @property
    def full_text(self) -> str:
        """All parts, also those that there is no room for."""
        return _BETWEEN.join(self._parts)

    def show_usage(self, usage: Usage | None) -> None:
        """None, or an answer without a token, shows nothing."""
        self._parts = describe_usage(usage)
        self.setToolTip(describe_usage_fully(usage) if self._parts else "")
        self.setAccessibleName(self.full_text)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(24, 18)

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.full_text) + 4, 18)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        shown = list(self._parts)
        while len(shown) > 1 and self.fontMetrics().horizontalAdvance(_with_rest(shown, self._parts)) > self.width():
            shown.pop()
        self.setText(_with_rest(shown, self._parts))


def _with_rest(shown: list[str], parts: tuple[str, ...]) -> str:
    return _BETWEEN.join(shown) + (" …" if len(shown) < len(parts) else "")


def describe_usage(usage: Usage | None) -> tuple[str, ...]:
    """The parts of the line, the most telling one first; none while nothing was generated."""
    if usage is None or not usage.new_tokens:
        return ()
    parts = [
        f"{usage.tokens_per_s:.0f} tokens/s",
        f"first after {usage.first_token_s:.1f} s",
        f"{usage.new_tokens:,} tokens",
    ]
    if usage.cached_tokens:
        parts.append(f"{usage.cached_tokens:,} of {usage.prompt_tokens:,} prompt tokens reused")
    if usage.drafted_tokens:
        parts.append(f"{usage.accepted_tokens:,} of {usage.drafted_tokens:,} guesses right")
    return tuple(parts)


def describe_usage_fully(usage: Usage | None) -> str:
    """The same in sentences."""
    if usage is None:
        return ""
    said = (
        f"{usage.tokens_per_s:.1f} tokens a second, {usage.first_token_s:.2f} s until the first one. "
        f"{usage.prompt_tokens:,} tokens read, {usage.cached_tokens:,} of them remembered from before, "
        f"{usage.new_tokens:,} written."
    )
    if usage.drafted_tokens:
        said += f" {usage.drafted_tokens:,} tokens were guessed ahead, {usage.accepted_tokens:,} of them right."
    return said
