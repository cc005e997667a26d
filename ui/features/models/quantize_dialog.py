"""The dialog that writes a model in a smaller format, as a new model."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import Text
from ui.components.call_dialog import RunDialog
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import LabelledField
from ui.components.wording import describe_bytes
from ui.features.models import quantize_texts as texts
from workbench.api.events import Progress
from workbench.records.models import ModelRecord
from workbench.subjects.adapters.calls import QuantizeModel

BITS = {"F16": 16.0, "Q8_0": 8.5, "Q6_K": 6.6, "Q5_K_M": 5.7, "Q4_K_M": 4.9, "Q4_0": 4.5, "Q3_K_M": 3.9, "Q2_K": 3.0}
"""The mean bits of a weight in each format that is offered, for the size that is to be expected."""
USUAL = "Q4_K_M"
UNQUANTISED = ("F16", "BF16", "F32")
_FORMAT = re.compile(rf" ({'|'.join(BITS)})( \d+)?$")
"""A format at the end of a model's name, and the number that the catalogue gives to the second of that name."""


class QuantizeDialog(RunDialog):
    """``made`` sends the new model's name. The run continues when the dialog is closed."""

    made = Signal(str)
    stopped_words = texts.STOPPED

    def __init__(self, bridge: Bridge, model: ModelRecord, parent: QWidget | None = None) -> None:
        super().__init__(bridge, texts.TITLE.format(name=model.name), texts.EXPLANATION, texts.QUANTISE, parent)
        self._model = model
        self.type = ChoiceBox(texts.FORMAT, [(self._words(name), name) for name in BITS], 24)
        self.type.show_value(USUAL)
        self.type.chosen.connect(lambda _: self._suggest_name())
        self.name = QLineEdit(textChanged=lambda _: self._show_state())
        self._suggested = ""
        self._fields = [
            LabelledField(texts.FORMAT, texts.FORMAT_HELP, self.type),
            LabelledField(texts.NAME, "", self.name),
        ]
        for field in self._fields:
            self.inside.addWidget(field)
        if model.quantization and model.quantization not in UNQUANTISED:
            self.inside.addWidget(Text(texts.TWICE.format(type=model.quantization), "attention"))
        self.inside.addStretch(1)
        self.resize(600, 400)
        self._suggest_name()

    def _words(self, name: str) -> str:
        bits = BITS[name]
        if not self._model.parameters:
            return texts.BITS.format(name=name, bits=bits)
        size = describe_bytes(round(self._model.parameters * bits / 8))
        return texts.BITS_AND_SIZE.format(name=name, bits=bits, size=size)

    def _suggest_name(self) -> None:
        """The name follows the format until it is edited. A format that the model's name ends in is replaced."""
        if self.name.text() == self._suggested:
            self._suggested = f"{_FORMAT.sub('', self._model.name)} {self.type.value}"
            self.name.setText(self._suggested)

    def missing(self) -> str:
        return "" if self.name.text().strip() else texts.NAME_FIRST

    def _show_state(self) -> None:
        super()._show_state()
        for field in self._fields:
            field.setEnabled(self.watch is None)

    def make_call(self) -> QuantizeModel:
        return QuantizeModel(model=self._model.name, type=self.type.value, name=self.name.text().strip())

    def words_of(self, progress: Progress) -> str:
        return texts.QUANTISING

    def take_end(self, result: dict[str, Any]) -> None:
        model = str(result.get("model", ""))
        self.message.show_message(texts.MADE.format(model=model), "success")
        self.go.hide()
        self.show_outcome_only()
        self.made.emit(model)
