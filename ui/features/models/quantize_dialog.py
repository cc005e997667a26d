"""The dialog that writes a model in a smaller format, as a new model."""

from __future__ import annotations

import re

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, ProgressLine, Text
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import Dialog, LabelledField
from ui.components.run_follower import RunFollower
from ui.components.wording import describe_bytes, how_far, in_words
from ui.features.models import quantize_texts as texts
from workbench.api import events
from workbench.api.events import Progress, Terminal
from workbench.api.protocol import error_of
from workbench.records.models import ModelRecord
from workbench.subjects.adapters.calls import QuantizeModel
from workbench.subjects.runs.calls import RunRecord

BITS = {"F16": 16.0, "Q8_0": 8.5, "Q6_K": 6.6, "Q5_K_M": 5.7, "Q4_K_M": 4.9, "Q4_0": 4.5, "Q3_K_M": 3.9, "Q2_K": 3.0}
"""The mean bits of a weight in each format that is offered, for the size that is to be expected."""
USUAL = "Q4_K_M"
UNQUANTISED = ("F16", "BF16", "F32")
_FORMAT = re.compile(rf" ({'|'.join(BITS)})( \d+)?$")
"""A format at the end of a model's name, and the number that the catalogue gives to the second of that name."""


class QuantizeDialog(Dialog):
    """``made`` sends the new model's name. The run continues when the dialog is closed."""

    made = Signal(str)

    def __init__(self, bridge: Bridge, model: ModelRecord, parent: QWidget | None = None) -> None:
        super().__init__(texts.TITLE.format(name=model.name), texts.EXPLANATION, texts.QUANTISE, parent)
        self._bridge = bridge
        self._model = model
        self.watch: RunFollower | None = None
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
        self.progress = ProgressLine(visible=False, stop_clicked=self._on_stop)
        self.outcome = InlineMessage(closable=False)
        for part in (self.progress, self.outcome):
            self.below.addWidget(part)
        self.go.clicked.connect(self._on_go)
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

    def _show_state(self) -> None:
        running, named = self.watch is not None, bool(self.name.text().strip())
        self.go.setEnabled(named and not running)
        self.go.setToolTip("" if named else texts.NAME_FIRST)
        shown = self.outcome.isVisible()
        self.leave.setText(texts.IN_BACKGROUND if running else texts.CLOSE if shown else texts.CANCEL)
        for field in self._fields:
            field.setEnabled(not running)

    def _on_go(self) -> None:
        self.outcome.hide()
        self.go.setEnabled(False)
        call = QuantizeModel(model=self._model.name, type=self.type.value, name=self.name.text().strip())
        self._bridge.call(call, self._on_begun, self._on_refused, self)

    def _on_refused(self, error: Exception) -> None:
        self.outcome.show_message(in_words(error), "danger")
        self._show_state()

    def _on_begun(self, run: RunRecord) -> None:
        self.watch = RunFollower(self._bridge, run, self)
        self.watch.progressed.connect(self._on_progress)
        self.watch.ended.connect(self._on_ended)
        self.progress.show()
        self.progress.set_progress(texts.WAITING)
        self._show_state()

    def _on_progress(self, progress: Progress) -> None:
        share, numbers = how_far(progress)
        self.progress.set_progress(texts.QUANTISING, share, numbers if progress.unit else "", progress.seconds_left)

    def _on_stop(self) -> None:
        if self.watch is not None:
            self.progress.set_progress(texts.STOPPING)
            self.watch.stop()

    def _on_ended(self, terminal: Terminal) -> None:
        self.progress.hide()
        if self.watch is not None:
            self.watch.deleteLater()
            self.watch = None
        if isinstance(terminal, events.Finished):
            model = str((terminal.result or {}).get("model", ""))
            self.outcome.show_message(texts.MADE.format(model=model), "success")
            self.go.hide()
            self.show_outcome_only()
            self.made.emit(model)
        elif isinstance(terminal, events.Cancelled):
            self.outcome.show_message(texts.STOPPED, "info")
        else:
            self.outcome.show_message(in_words(error_of(terminal)), "danger")
        self._show_state()
