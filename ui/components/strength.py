"""The strength of an adapter: a slider from 0 (base) over 1 (as trained) to 2, with a number field."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui import texts
from ui.components.adapter_texts import MOST_STRENGTH, STRENGTH_STEP
from ui.components.layout import row_of
from ui.components.slide_row import Slider
from ui.theme import tokens
from ui.theme.theme import set_property

_MOST_TYPED = 10.0
"""What a recipe takes, to either side; the slider shows what makes sense."""


class StrengthSlider(QWidget):
    """``changed`` sends the strength while the slider moves, and when a typed one is committed."""

    changed = Signal(float)

    def __init__(self, name: str) -> None:
        """``name`` is the adapter's name."""
        super().__init__()
        self._value = 1.0
        help = texts.STRENGTH_HELP
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, round(MOST_STRENGTH / STRENGTH_STEP))
        self.slider.setPageStep(4)
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.slider.setAccessibleName(texts.STRENGTH_OF.format(name=name))
        self.slider.setAccessibleDescription(help)
        self.slider.setToolTip(help)
        self.slider.installEventFilter(self)
        self.slider.valueChanged.connect(lambda place: self._commit(round(place * STRENGTH_STEP, 2)))
        self.field = QLineEdit()
        self.field.setProperty("small", True)
        self.field.setFixedWidth(56)
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.setAccessibleName(texts.STRENGTH_NUMBER.format(name=name))
        self.field.setToolTip(help)
        self.field.editingFinished.connect(self._on_typed)
        row_of(self, (self.slider, 1), self.field, gap=tokens.SPACE_2)
        self.set_value(1.0)

    @property
    def value(self) -> float:
        return self._value

    def set_value(self, value: float) -> None:
        """Show a strength; nothing is signalled."""
        self._value = value
        self.slider.blockSignals(True)
        self.slider.setValue(round(value / STRENGTH_STEP))
        self.slider.blockSignals(False)
        if not (self.field.hasFocus() and self.field.isModified()):
            self.field.setText(f"{value:.4g}")
            set_property(self.field, "invalid", False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A wheel over a slider that is not in use scrolls the page."""
        if event.type() == QEvent.Type.Wheel and not self.slider.hasFocus():
            event.ignore()
            return True
        return False

    def _on_typed(self) -> None:
        try:
            value = float(self.field.text().strip().replace(",", "."))
        except ValueError:
            value = float("nan")
        if not -_MOST_TYPED <= value <= _MOST_TYPED:
            set_property(self.field, "invalid", True)
            self.field.setToolTip(texts.STRENGTH_RANGE.format(value=-_MOST_TYPED, _MOST_TYPED=_MOST_TYPED))
            return
        self.field.setModified(False)
        self._commit(value)

    def _commit(self, value: float) -> None:
        if value != self._value:
            self.set_value(value)
            self.changed.emit(value)
        else:
            self.set_value(value)
