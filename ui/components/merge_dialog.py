"""The dialog that merges an adapter into its base model, with progress and verification."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components import adapter_texts as texts
from ui.components.basics import Text
from ui.components.call_dialog import RunDialog
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.dialog import LabelledField
from ui.components.layout import column_of
from ui.components.strength import StrengthSlider
from ui.components.wording import in_words
from ui.theme import tokens
from workbench.api.events import Artifact, Progress, Terminal
from workbench.base.catalogue import translated
from workbench.records.training import AdapterRecord, MergedType, VerificationReport
from workbench.records.training.verdicts import counted_words, why
from workbench.subjects.adapters.calls import MergeAdapter

TYPES: dict[MergedType, tuple[str, str]] = {
    "Q8_0": (texts.TYPE_Q8, texts.TYPE_Q8_HELP),
    "F16": (texts.TYPE_F16, texts.TYPE_F16_HELP),
    "F32": (texts.TYPE_F32, texts.TYPE_F32_HELP),
    "same": (texts.TYPE_SAME, texts.TYPE_SAME_HELP),
}
WHY = texts.WHY_TYPE
QUANTIZATIONS = (
    ("", texts.QUANTIZE_NOT),
    ("Q8_0", texts.QUANTIZE_Q8),
    ("Q6_K", texts.QUANTIZE_Q6),
    ("Q5_K_M", texts.QUANTIZE_Q5),
    ("Q4_K_M", texts.QUANTIZE_Q4),
)


class MergeDialog(RunDialog):
    """``merged`` sends the new model's name once it has passed. The run continues when the dialog is closed."""

    merged = Signal(str)
    stopped_words = texts.MERGE_STOPPED

    def __init__(self, bridge: Bridge, adapter: AdapterRecord, parent: QWidget | None = None) -> None:
        words = texts.MERGE_INTO.format(value=adapter.base or texts.ITS_MODEL)
        super().__init__(bridge, texts.MERGE_TITLE.format(name=adapter.name), words, texts.MERGE, parent, 600)
        self._adapter = adapter
        self._verification: VerificationReport | None = None
        self._done = False
        self.name = QLineEdit(adapter.merged_name(), textChanged=lambda _: self._show_state())
        self.type = ChoiceRow(
            texts.MERGED_TYPE, [(name, title) for name, (title, _) in TYPES.items()], chosen=self._on_type
        )
        self.type_help = Text("", "small")
        self.strength = StrengthSlider(adapter.name)
        self.quantization = ChoiceBox(texts.QUANTIZATION, [(title, value) for value, title in QUANTIZATIONS])
        format_of_changes = column_of(None, self.type, self.type_help, gap=tokens.SPACE_1)
        self._fields = [
            LabelledField(texts.NEW_MODEL_NAME, "", self.name),
            LabelledField(texts.MERGED_TYPE, WHY, format_of_changes),
            LabelledField(texts.STRENGTH, texts.STRENGTH_HELP, self.strength),
            LabelledField(texts.QUANTIZATION, texts.QUANTIZATION_HELP, self.quantization),
        ]
        for field in self._fields:
            self.inside.addWidget(field)
        self.findings = Text("", "small", visible=False)
        self.below.addWidget(self.findings)
        self.inside.addStretch(1)
        self._on_type("Q8_0")
        self.resize(640, 660)
        self.inside.setSpacing(tokens.SPACE_4)

    def _on_type(self, name: str) -> None:
        self.type.show_value(name)
        self.type_help.setText(next(help for known, (_, help) in TYPES.items() if known == name))
        self.type_help.setProperty("role", "attention" if name == "same" else "small")
        self.type_help.style().polish(self.type_help)

    def missing(self) -> str:
        if self.watch is not None:
            return texts.MERGING_NOW
        return "" if self.name.text().strip() else texts.NAME_FIRST

    def _show_state(self) -> None:
        super()._show_state()
        running = self.watch is not None
        for field in self._fields:
            field.setEnabled(not running)
            field.setVisible(not self._done)

    def make_call(self) -> MergeAdapter:
        return MergeAdapter(
            adapter=self._adapter.name,
            name=self.name.text().strip(),
            type=msgspec.convert(self.type.value, MergedType),
            scale=self.strength.value,
            quantization=self.quantization.value,
        )

    def _on_go(self) -> None:
        self.findings.hide()
        self._verification = None
        super()._on_go()

    def words_of(self, progress: Progress) -> str:
        return super().words_of(progress) or texts.MERGING

    def take_made(self, artifact: Artifact) -> None:
        if artifact.kind == "verification":
            self._verification = msgspec.convert(artifact.result, VerificationReport)

    def take_end(self, result: dict[str, Any]) -> None:
        model = str(result.get("model", "")) or self.name.text().strip()
        if self._verification is None and result.get("verification"):
            self._verification = msgspec.convert(result["verification"], VerificationReport)
        passed = self._verification is not None and self._verification.passed
        checked = texts.VERIFIED_MERGE if passed else texts.UNVERIFIED_MERGE
        self.message.show_message(texts.MERGED_SHOWN.format(model=model, checked=checked), "success")
        self._done = True
        self.go.hide()
        self.merged.emit(model)

    def take_failure(self, error: Exception) -> None:
        lost = self._verification is not None and not self._verification.passed
        words = lost_words(self.type.value, self.quantization.value) if lost else in_words(error)
        self.message.show_message(words, "danger")

    def _on_ended(self, terminal: Terminal) -> None:
        super()._on_ended(terminal)
        found = self._verification
        lines = (
            [translated(counted_words(found)), *map(translated, map(why, found.agreements))]
            if found is not None
            else []
        )
        self.findings.setText("\n".join(translated(line) for line in lines if line))
        self.findings.setVisible(bool(self.findings.text()))
        if self._done:
            self.show_outcome_only()


def lost_words(type: str, quantization: str) -> str:
    """That a merge lost the training, and how it may keep it."""
    better = {"same": texts.BETTER_THAN_SAME, "Q8_0": texts.TYPE_F16, "F16": texts.TYPE_F32}.get(type, "")
    advice = texts.ADVICE_TYPE.format(better=better) if better else ""
    if quantization:
        advice += texts.ADVICE_QUANTIZATION.format(value=texts.AND_LEAVE if advice else texts.LEAVE)
    return texts.MERGE_LOST.format(advice=advice, value="." if advice else "")
