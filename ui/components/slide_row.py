"""A number that is set with a slider or typed beside it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QLineEdit, QSlider, QStyle, QStyleOptionSlider

from ui import texts
from ui.components.basics import Text
from ui.components.config_form import Control, ValueRow, describe_span
from ui.components.layout import column_of, row_of
from ui.theme import tokens
from workbench.base.fields import Field, describe_range, parse_text


class SlideRow(ValueRow):
    """``changed`` sends the field's name and value while the slider moves, and when a typed number is committed.

    The slider goes from ``low`` to ``high`` in ``steps`` equal steps; a number beyond it that the field takes can be
    typed.
    """

    control: QLineEdit

    def __init__(self, field: Field, low: float, high: float, steps: int) -> None:
        super().__init__(field, _number)
        self._low, self._high, self._steps = low, high, steps
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, steps)
        self.slider.setPageStep(max(1, steps // 10))
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.slider.setAccessibleName(texts.SLIDER.format(title=field.title))
        self.slider.setAccessibleDescription(f"{field.shown_help} {describe_range(field)}".strip())
        self.slider.installEventFilter(self)
        self.slider.valueChanged.connect(self._on_slid)
        title = Text(field.title, "strong")
        title.setBuddy(self.control)
        head = row_of(None, (title, 1), self.reset, self.control, gap=tokens.SPACE_1)
        if field.unit:
            head.addWidget(Text(field.unit, "muted"))
        column_of(
            self,
            head,
            self.slider,
            Text(" ".join(part for part in (field.shown_help, describe_span(field)) if part), "small"),
            self.note,
            self.error,
            gap=2,
        )
        self.set_value(field.default)

    def set_value(self, value: Any) -> None:
        super().set_value(value)
        self._put_slider(value)

    def grey(self, reason: str) -> None:
        super().grey(reason)
        self.slider.setEnabled(not reason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A wheel over a slider that is not in use scrolls the page."""
        if event.type() == QEvent.Type.Wheel and not self.slider.hasFocus():
            event.ignore()
            return True
        return False

    def _put_slider(self, value: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round((value - self._low) / (self._high - self._low) * self._steps))
        self.slider.blockSignals(False)

    def _on_slid(self, place: int) -> None:
        value = self._low + (self._high - self._low) * place / self._steps
        least = self.field.minimum
        if self.field.kind == "int":
            value = round(value)
        elif least is not None:
            value = max(round(value, 4), least)
        self.control.setText(f"{value:g}")
        self.commit(value)

    def _on_reset(self) -> None:
        super()._on_reset()
        self._put_slider(self.value)

    def commit_typed(self) -> None:
        super().commit_typed()
        if self.error.isHidden():
            self.control.setModified(False)
            self._put_slider(self.value)


def _number(row: ValueRow) -> Control:
    """The number beside the slider."""
    line = QLineEdit(textEdited=lambda _: row.check(), editingFinished=row.commit_typed)
    line.setFixedWidth(64)
    line.setProperty("small", True)
    line.setAlignment(Qt.AlignmentFlag.AlignRight)
    return Control(
        line,
        lambda value: line.setText(f"{value:g}"),
        lambda: parse_text(row.field, line.text().strip(), shown=True),
        lambda value: line.hasFocus() and line.isModified(),
    )


class Slider(QSlider):
    """A slider whose handle goes to where it is pressed."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            option = QStyleOptionSlider()
            self.initStyleOption(option)
            slider = QStyle.ComplexControl.CC_Slider
            handle = self.style().subControlRect(slider, option, QStyle.SubControl.SC_SliderHandle, self)
            if not handle.contains(event.position().toPoint()):
                room = self.width() - handle.width()
                x = round(event.position().x()) - handle.width() // 2
                self.setValue(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), x, room))
        super().mousePressEvent(event)
