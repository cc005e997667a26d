"""The small parts that every page is built of: texts, buttons, cards, chips, messages, progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import shiboken6
from PySide6.QtCore import QEvent, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QToolTip,
    QWidget,
)

from ui import texts
from ui.components.layout import column_of, row_of
from ui.components.wording import describe_seconds
from ui.theme import tokens
from ui.theme.theme import current_theme, set_icon, set_property
from ui.theme.tokens import mixed

TextRole = Literal[
    "display", "title", "heading", "strong", "body", "reading", "muted", "small", "error", "attention", "code"
]
Tone = Literal[
    "plain", "accent", "success", "attention", "danger",
    "prompting", "decoding", "retrieval", "agents", "finetuning", "preference",
]  # fmt: skip


class Text(QLabel):
    """A text in one of the design's roles. It wraps, can be selected with the mouse, and is never HTML."""

    def __init__(
        self, text: str = "", role: TextRole = "body", parent: QWidget | None = None, **properties: Any
    ) -> None:
        super().__init__(text, parent, textFormat=Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setWordWrap(role not in ("display", "title", "heading"))
        set_up(self, properties)


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where there is no room; the whole text is its tooltip then.

    ``mode`` says where it is shortened: the middle suits paths, the end suits sentences.
    """

    def __init__(
        self,
        text: str = "",
        role: TextRole = "body",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        **properties: Any,
    ) -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._mode = mode
        self._full = ""
        self.set_full_text(text)
        set_up(self, properties)

    @property
    def full_text(self) -> str:
        return self._full

    def set_full_text(self, text: str) -> None:
        self._full = text
        self.setAccessibleName(text)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._full) + 4, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._full, self._mode, max(self.width(), 24))
        super().setText(shown)
        self.setToolTip(self._full if shown != self._full else "")


def set_up(widget: QWidget, properties: Mapping[str, Any]) -> None:
    """Set properties of a widget, Qt's or those that the stylesheet looks at (``small``, ``align``), and connect
    signals, each by its name: ``toolTip="…", small=True, clicked=self._on_go``."""
    for name, value in properties.items():
        signal = getattr(widget, name, None)
        if isinstance(signal, SignalInstance):
            signal.connect(value)
        elif not widget.setProperty(name, value) and name not in ("small", "align"):
            raise AttributeError(f"{type(widget).__name__} has no property {name}")


def without_keys(text: str) -> str:
    """The text as a button or a menu has to be given it, so that it marks no key."""
    return text.replace("&", "&&")


class WordedButton(QPushButton):
    """Shows its words as they are: to Qt an ampersand marks a key, and names may have one. Words that are longer than
    the room end in an ellipsis. Enter presses it as Space does. ``properties`` are as in ``set_up``."""

    kind = ""
    icon_token = "text"

    def __init__(self, text: str, icon: str = "", parent: QWidget | None = None, **properties: Any) -> None:
        super().__init__(parent)
        self.setAutoDefault(True)
        self.setText(text)
        if self.kind:
            self.setProperty("kind", self.kind)
        if icon:
            set_icon(self, icon, self.icon_token)
        set_up(self, properties)

    def text(self) -> str:
        return super().text().replace("&&", "&")

    def setText(self, text: str) -> None:
        super().setText(without_keys(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        lacks = self.sizeHint().width() - self.width()
        if lacks <= 0:
            super().paintEvent(event)
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        room = self.fontMetrics().horizontalAdvance(self.text()) - lacks
        option.text = without_keys(self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room))
        QStylePainter(self).drawControl(QStyle.ControlElement.CE_PushButton, option)

    def event(self, event: QEvent) -> bool:
        """Words that there is no room for are read whole where the mouse rests on them."""
        if event.type() == QEvent.Type.ToolTip and not self.toolTip() and isinstance(event, QHelpEvent):
            cut = self.sizeHint().width() > self.width()
            QToolTip.showText(event.globalPos(), self.text() if cut else "", self)
            return True
        return super().event(event)


class PrimaryButton(WordedButton):
    """The one action that leads on; at most one in sight at a time."""

    kind, icon_token = "primary", "on_accent"


class PlainButton(WordedButton):
    """An action with an edge around it."""


class DangerButton(WordedButton):
    """An action that destroys something."""

    kind, icon_token = "danger", "on_danger"


class QuietButton(WordedButton):
    """An action without an edge, for where there are many."""

    kind = "quiet"


class LinkButton(WordedButton):
    """An action that looks like a link in a text."""

    kind = "link"

    def __init__(self, text: str, icon: str = "", **properties: Any) -> None:
        super().__init__(text, icon, **properties)
        self.setCursor(Qt.CursorShape.PointingHandCursor)


class FoldButton(LinkButton):
    """Shows and hides the parts below it, closed at first."""

    def __init__(self, text: str, *folded: QWidget, **properties: Any) -> None:
        super().__init__(text, checkable=True, toggled=self._on_toggled)
        self._folded = folded
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._on_toggled(False)
        set_up(self, properties)

    def _on_toggled(self, opened: bool) -> None:
        set_icon(self, "chevron-down" if opened else "chevron-right", "accent", 16)
        for part in self._folded:
            part.setVisible(opened)


class IconButton(QToolButton):
    """A button with an icon; ``name`` is its tooltip and its text for screen readers. Enter presses it."""

    def __init__(self, icon: str, name: str, token: str = "muted", **properties: Any) -> None:
        super().__init__()
        set_up(self, {"focusPolicy": Qt.FocusPolicy.StrongFocus, "accessibleName": name, "toolTip": name})
        set_icon(self, icon, token)
        set_up(self, properties)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)


class IconLabel(QLabel):
    """An icon that is only looked at. It says nothing by itself: words stand beside it."""

    def __init__(
        self, icon: str, token: str = "text", size: int = tokens.ICON_SIZE, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setFixedSize(size, size)
        set_icon(self, icon, token, size)


class ColourKey(QWidget):
    """A square in a colour of the theme, for the legend of a chart; ``share`` of it over the surface."""

    def __init__(self, token: str, share: float = 1.0) -> None:
        super().__init__()
        self._token, self._share = token, share
        self.setFixedSize(10, 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = current_theme().palette
        QPainter(self).fillRect(self.rect(), QColor(mixed(palette[self._token], palette.surface, self._share)))


class Card(QFrame):
    """A surface that holds one thing. ``body`` is its layout."""

    def __init__(self, margin: int = tokens.SPACE_4) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.body = column_of(self, gap=tokens.SPACE_2, margins=margin)

    def set_selected(self, selected: bool) -> None:
        set_property(self, "selected", selected)


class Chip(QLabel):
    """A word or two about a thing. The tone only supports what the words say."""

    def __init__(self, text: str, tone: Tone = "plain", **properties: Any) -> None:
        super().__init__(text, textFormat=Qt.TextFormat.PlainText)
        self.setProperty("role", "chip")
        self.setProperty("kind", tone)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_up(self, properties)

    def set_tone(self, tone: Tone) -> None:
        set_property(self, "kind", tone)


class ChipButton(WordedButton):
    """A chip that opens something."""

    def __init__(self, text: str, tone: Tone = "plain", **properties: Any) -> None:
        super().__init__(text, "", **properties)
        self.setProperty("role", "chip")
        self.setProperty("kind", tone)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_tone(self, tone: Tone) -> None:
        set_property(self, "kind", tone)


_NARROW, _SLIM = 360, 260  # px: below them an action, and an icon, beside the words leaves these no room


class InlineMessage(QFrame):
    """Something that the person should know, where it belongs: icon, words, perhaps an action, perhaps a close.

    Hidden until ``show_message``; ``closed`` is sent when the person closes it, also with Escape. When it goes the
    keyboard is given back to what had it before. Where there is little room the action stands below the words,
    and the words below the icon.
    """

    closed = Signal()

    _ICONS = {"info": "info", "success": "check", "attention": "warning", "danger": "warning"}

    def __init__(self, parent: QWidget | None = None, closable: bool = True, **properties: Any) -> None:
        super().__init__(parent)
        self.setProperty("role", "message")
        self._row = QGridLayout(self)
        self._row.setContentsMargins(tokens.SPACE_3, tokens.SPACE_2, tokens.SPACE_2, tokens.SPACE_2)
        self._row.setHorizontalSpacing(tokens.SPACE_3)
        self._row.setVerticalSpacing(tokens.SPACE_1)
        self._row.setColumnStretch(1, 1)
        self._before: QWidget | None = None
        self._icon = IconLabel("info")
        self._text = Text(textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self._action = PlainButton("", small=True, clicked=self._on_action)
        self._run: Callable[[], None] | None = None
        self._close = IconButton("close", texts.CLOSE_MESSAGE)
        if not closable:
            self._close.hide()
        self._close.clicked.connect(self._on_close)
        middle = Qt.AlignmentFlag.AlignVCenter
        self._row.addWidget(self._icon, 0, 0, middle)
        self._row.addWidget(self._close, 0, 3, middle)
        self._places: tuple[tuple[int, ...], ...] = ()
        self._arrange(_NARROW)
        self.hide()
        set_up(self, properties)

    @property
    def text(self) -> str:
        return self._text.text()

    @property
    def action_button(self) -> QPushButton:
        return self._action

    def show_message(
        self, text: str, kind: str = "info", action: str = "", on_action: Callable[[], None] | None = None
    ) -> None:
        """``kind``: info, success, attention or danger. ``action`` is the word on the button; none without it."""
        self._text.setText(text)
        self.setAccessibleName(text)
        set_property(self, "kind", kind)
        set_icon(self._icon, self._ICONS[kind], {"info": "accent"}.get(kind, kind))
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self._run = on_action
        if (focus := QApplication.focusWidget()) is not None and not self.isAncestorOf(focus):
            self._before = focus
        self.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self._close.isHidden():
            self._on_close()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(event.size().width())

    def _arrange(self, width: int) -> None:
        """Words and action have rows, columns and spans."""
        beside, below, slim = ((0, 1), (0, 2)), ((0, 1), (1, 1)), ((1, 0, 1, 4), (2, 0, 1, 4))
        places = slim if width < _SLIM else below if width < _NARROW else beside
        if places != self._places:
            self._places = places
            for part, place in zip((self._text, self._action), places, strict=True):
                self._row.removeWidget(part)
                self._row.addWidget(part, *place)
            vertical, horizontal = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignLeft
            self._row.setAlignment(self._action, vertical if places == beside else horizontal)

    def _on_action(self) -> None:
        if self._run is not None:
            had_keyboard = self._has_keyboard()
            self._run()
            if had_keyboard and self.isHidden():
                self._give_back()

    def _on_close(self) -> None:
        had_keyboard = self._has_keyboard()
        self.hide()
        if had_keyboard:
            self._give_back()
        self.closed.emit()

    def _has_keyboard(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and self.isAncestorOf(focus)

    def _give_back(self) -> None:
        if self._before is not None and shiboken6.isValid(self._before) and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)


class ProgressLine(QWidget):
    """The progress of a task with its stage, share and remaining time, and Stop (``stop_clicked``)."""

    stop_clicked = Signal()

    def __init__(self, stoppable: bool = True, **properties: Any) -> None:
        super().__init__()
        column = column_of(self, gap=tokens.SPACE_1)
        row = row_of(gap=tokens.SPACE_2)
        self._words = ElidedLabel("", "body")
        self._numbers = ElidedLabel("", "small")
        self._numbers.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.stop_button = QuietButton(texts.STOP, "stop", small=True)
        if not stoppable:  # to show it here, without a parent, would make it a window of its own for a moment
            self.stop_button.hide()
        self.stop_button.clicked.connect(self.stop_clicked)
        row.addWidget(self._words, 1)
        row.addWidget(self._numbers)
        row.addWidget(self.stop_button)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 1000)
        column.addLayout(row)
        column.addWidget(self._bar)
        set_up(self, properties)

    def set_progress(
        self, words: str, share: float | None = None, numbers: str = "", seconds_left: float | None = None
    ) -> None:
        """``share`` in 0..1, None while it is not known; ``numbers`` say it exactly (``12 of 40 files``)."""
        self._words.set_full_text(words)
        said = [numbers] if numbers else []
        if share is not None and not numbers:
            said.append(f"{share:.0%}")
        if seconds_left is not None:
            said.append(texts.TIME_LEFT.format(seconds=describe_seconds(seconds_left)))
        self._numbers.set_full_text(" · ".join(said))
        self._numbers.updateGeometry()
        moves = share is None and not current_theme().reduced_motion
        self._bar.setRange(0, 0 if moves else 1000)
        if not moves:
            self._bar.setValue(round(1000 * min(max(share or 0.0, 0.0), 1.0)))
        self._bar.setAccessibleName(" ".join([words, *said]))

    @property
    def words(self) -> str:
        return " ".join(part for part in (self._words.full_text, self._numbers.full_text) if part)


class Line(QFrame):
    """A thin line between two things; upright with ``upright``."""

    def __init__(self, upright: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "upright" if upright else "line")
