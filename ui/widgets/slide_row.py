"""A number that is set with a slider, or typed beside it: what it is, what it does, in which range."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSlider, QStyle, QStyleOptionSlider, QVBoxLayout, QWidget

from ui.forms import describe_span, describe_value
from ui.theme import tokens
from ui.widgets.basics import IconButton, Text, set_property
from workbench.errors import UserError
from workbench.fields import Field, describe_range, parse_value


class SlideRow(QWidget):
    """``changed`` sends the field's name and value while the slider moves, and when a typed number is committed.

    The slider goes from ``low`` to ``high`` in ``steps`` equal steps; a number beyond it that the field takes can be
    typed.
    """

    changed = Signal(str, object)

    def __init__(self, config: type[msgspec.Struct], field: Field, low: float, high: float, steps: int) -> None:
        super().__init__()
        self.field = field
        self._config = config
        self._low, self._high, self._steps = low, high, steps
        self._value: Any = field.default
        self.slider = _Slider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, steps)
        self.slider.setPageStep(max(1, steps // 10))
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.slider.setAccessibleName(f"{field.title}, slider")
        self.slider.setAccessibleDescription(f"{field.help} {describe_range(field)}".strip())
        self.slider.installEventFilter(self)
        self.slider.valueChanged.connect(self._on_slid)
        self.control = QLineEdit()
        self.control.setFixedWidth(64)
        self.control.setProperty("small", True)
        self.control.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.control.setAccessibleName(field.title)
        self.control.setAccessibleDescription(f"{field.help} {describe_range(field)}".strip())
        self.control.textEdited.connect(lambda _: self._parsed())
        self.control.editingFinished.connect(self._on_typed)
        self.reset = IconButton("restart", f"Set {field.title} back to {describe_value(field, field.default)}")
        keep = self.reset.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(keep)
        self.reset.clicked.connect(self._on_reset)
        self.error = Text("", "error")
        self.error.hide()
        title = Text(field.title, "strong")
        title.setBuddy(self.control)
        head = QHBoxLayout()
        head.setSpacing(tokens.SPACE_1)
        head.addWidget(title, 1)
        head.addWidget(self.reset)
        head.addWidget(self.control)
        if field.unit:
            head.addWidget(Text(field.unit, "muted"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.slider)
        column.addWidget(Text(" ".join(part for part in (field.help, describe_span(field)) if part), "small"))
        column.addWidget(self.error)
        self.set_value(field.default)

    def set_value(self, value: Any) -> None:
        """Show a value, unless the person is in the middle of typing another."""
        self._value = value
        self.reset.setVisible(value != self.field.default)
        self._put_slider(value)
        if not (self.control.hasFocus() and self.control.isModified()):
            self.control.setText(f"{value:g}")
            self.set_error("")

    def set_error(self, text: str) -> None:
        self.error.setText(text)
        self.error.setVisible(bool(text))
        set_property(self.control, "invalid", bool(text))

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
        self._commit(value)

    def _parsed(self) -> Any:
        """The typed number; None, and an error beside it, when the field does not take it."""
        try:
            value = parse_value(self._config, self.field.name, self.control.text().strip())
        except UserError as error:
            self.set_error(error.hint or error.message)
            return None
        self.set_error("")
        return value

    def _on_typed(self) -> None:
        value = self._parsed()
        if value is not None:
            self.control.setModified(False)
            self._put_slider(value)
            self._commit(value)

    def _commit(self, value: Any) -> None:
        self.set_error("")
        if value != self._value:
            self._value = value
            self.reset.setVisible(value != self.field.default)
            self.changed.emit(self.field.name, value)

    def _on_reset(self) -> None:
        self.control.setFocus(Qt.FocusReason.OtherFocusReason)
        value = self.field.default
        self.control.setText(f"{value:g}")
        self._put_slider(value)
        self._commit(value)


class _Slider(QSlider):
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
