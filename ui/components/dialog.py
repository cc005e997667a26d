"""A dialog: its title, what it asks, and its buttons at the bottom. It never blocks: it is opened and signals."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QLayout, QScrollArea, QVBoxLayout, QWidget

from ui import texts
from ui.components.basics import Line, PlainButton, PrimaryButton, Text
from ui.components.edge_fade import EdgeFade
from ui.components.layout import column_of, row_of
from ui.theme import tokens


class Dialog(QDialog):
    """``inside`` takes what the dialog asks, ``below`` what came of it, which is always in sight; ``go`` is its one
    action, ``leave`` closes it, as Esc does. It grows with its content as far as the window reaches."""

    def __init__(self, title: str, explanation: str, action: str, parent: QWidget | None, width: int = 560) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(width)
        inner = self._inner = QWidget()
        inner.setProperty("role", "page")
        self.inside = column_of(inner, gap=tokens.SPACE_3, margins=(0, 0, tokens.SPACE_2, 0))
        area = self._area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        EdgeFade(area)
        area.verticalScrollBar().rangeChanged.connect(self._on_range)
        self.go = PrimaryButton(action)
        self.go.setDefault(True)
        self.leave = PlainButton(texts.CANCEL, autoDefault=False)
        self.leave.setMinimumWidth(150)  # for its longest words: it does not grow while they change
        self.leave.clicked.connect(self.reject)
        self.why = Text("", "small")  # why its action cannot be taken yet
        self._foot = row_of(
            None, (self.why, 1), self.leave, self.go, gap=tokens.SPACE_2, margins=(0, 0, tokens.SPACE_2, 0)
        )
        column = column_of(
            self,
            Text(title, "title"),
            gap=tokens.SPACE_3,
            margins=(tokens.SPACE_5, tokens.SPACE_4, tokens.SPACE_4, tokens.SPACE_4),
        )
        if explanation:
            column.addWidget(Text(explanation, "muted"))
        column.addWidget(area, 1)
        self.below = QVBoxLayout()
        self.below.setContentsMargins(0, 0, tokens.SPACE_2, 0)  # as far as what is inside reaches
        self.below.setSpacing(tokens.SPACE_2)
        column.addLayout(self.below)
        column.addWidget(Line())
        column.addLayout(self._foot)
        self._column = column

    def say_missing(self, why: str) -> None:
        """The action waits for something, which stands beside it; "": it can be taken."""
        self.go.setToolTip(why)
        self.why.setText(why)

    def show_outcome_only(self) -> None:
        """Nothing is asked any more: what came of it moves up, and the dialog is as low as that."""
        self._area.hide()
        self._column.activate()
        self.setMinimumHeight(0)
        self.resize(self.width(), self._column.totalHeightForWidth(self.width()))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():
            self._order_tabs()

    def _order_tabs(self) -> None:
        """Tab goes from what is asked to what came of it and to the buttons, and begins with the first field."""
        chain: list[QWidget] = []
        widget = self.nextInFocusChain()
        while widget is not None and widget is not self and widget not in chain:
            if self.isAncestorOf(widget):
                chain.append(widget)
            widget = widget.nextInFocusChain()
        asked = [w for w in chain if self._inner.isAncestorOf(w)]
        rest = [w for w in chain if w not in asked and w not in (self.leave, self.go)]
        order = [*asked, *rest, self.leave, self.go]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)
        takes = Qt.FocusPolicy.TabFocus
        first = next((w for w in asked if w.focusPolicy() & takes and w.isVisible() and w.isEnabled()), None)
        if first is not None:
            first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_range(self, least: int, most: int) -> None:
        if most > 0 and self.isVisible():
            QTimer.singleShot(0, self, self._grow)

    def _grow(self) -> None:
        missing = self._area.verticalScrollBar().maximum()
        parent = self.parentWidget()
        most = parent.window().height() if parent is not None else self.screen().availableSize().height()
        height = min(self.height() + missing, max(self.height(), most - tokens.SPACE_6))
        if height != self.height():
            self.resize(self.width(), height)


class LabelledField(QWidget):
    """A title, what it means, and the control below it."""

    def __init__(self, title: str, help: str, control: QWidget | QLayout) -> None:
        super().__init__()
        self.title = Text(title, "strong")
        self.help = Text(help, "small", visible=bool(help))
        column = column_of(self, self.title, self.help, gap=tokens.SPACE_1)
        if isinstance(control, QWidget):
            self.title.setBuddy(control)
            if not control.accessibleName():
                control.setAccessibleName(title)
            column.addWidget(control)
        else:
            column.addLayout(control)
