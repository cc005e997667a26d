"""The dialog that merges an adapter into its base model, with progress and verification."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components import adapter_texts as texts
from ui.components.basics import InlineMessage, ProgressLine, Text
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.dialog import Dialog, LabelledField
from ui.components.layout import column_of
from ui.components.run_follower import RunFollower
from ui.components.strength import StrengthSlider
from ui.components.wording import how_far, in_words
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Artifact, Progress, Terminal
from workbench.api.protocol import error_of
from workbench.records.training import AdapterRecord, MergedType, VerificationReport
from workbench.records.training.verdicts import counted_words, why
from workbench.subjects.adapters.calls import MergeAdapter
from workbench.subjects.runs.calls import RunRecord

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


class MergeDialog(Dialog):
    """``merged`` sends the new model's name once it has passed. The run continues when the dialog is closed."""

    merged = Signal(str)

    def __init__(self, bridge: Bridge, adapter: AdapterRecord, parent: QWidget | None = None) -> None:
        words = texts.MERGE_INTO.format(value=adapter.base or "the model that it fits")
        super().__init__(texts.MERGE_TITLE.format(name=adapter.name), words, texts.MERGE, parent, 600)
        self._bridge = bridge
        self._adapter = adapter
        self._verification: VerificationReport | None = None
        self._done = False
        self.watch: RunFollower | None = None
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
        self.progress = ProgressLine(visible=False, stop_clicked=self._on_stop)
        self.verdict = InlineMessage(closable=False)
        self.findings = Text("", "small", visible=False)
        for part in (self.progress, self.verdict, self.findings):
            self.below.addWidget(part)
        self.inside.addStretch(1)
        self.go.clicked.connect(self._on_go)
        self._on_type("Q8_0")
        self.resize(640, 660)
        self.inside.setSpacing(tokens.SPACE_4)

    def _on_type(self, name: str) -> None:
        self.type.show_value(name)
        self.type_help.setText(next(help for known, (_, help) in TYPES.items() if known == name))
        self.type_help.setProperty("role", "attention" if name == "same" else "small")
        self.type_help.style().polish(self.type_help)

    def _show_state(self) -> None:
        named = bool(self.name.text().strip())
        running = self.watch is not None
        self.go.setEnabled(named and not running)
        self.go.setToolTip(texts.MERGING_NOW if running else "" if named else texts.NAME_FIRST)
        self.leave.setText(
            texts.RUN_IN_BACKGROUND if running else texts.CLOSE if self.verdict.isVisible() else texts.CANCEL
        )
        for field in self._fields:
            field.setEnabled(not running)
            field.setVisible(not self._done)

    def _on_go(self) -> None:
        self.verdict.hide()
        self.findings.hide()
        self._verification = None
        call = MergeAdapter(
            adapter=self._adapter.name,
            name=self.name.text().strip(),
            type=msgspec.convert(self.type.value, MergedType),
            scale=self.strength.value,
            quantization=self.quantization.value,
        )
        self.go.setEnabled(False)
        self._bridge.call(call, self._on_begun, self._on_refused, self)

    def _on_refused(self, error: Exception) -> None:
        self.verdict.show_message(in_words(error), "danger")
        self._show_state()

    def _on_begun(self, run: RunRecord) -> None:
        self.watch = RunFollower(self._bridge, run, self)
        self.watch.progressed.connect(self._on_progress)
        self.watch.made.connect(self._on_made)
        self.watch.ended.connect(self._on_ended)
        self.progress.show()
        self.progress.set_progress(texts.WAITING, None)
        self._show_state()

    def _on_progress(self, progress: Progress) -> None:
        share, numbers = how_far(progress)
        words = f"{progress.stage[:1].upper()}{progress.stage[1:]}" or texts.MERGING
        self.progress.set_progress(words, share, numbers if progress.unit else "", progress.seconds_left)

    def _on_made(self, artifact: Artifact) -> None:
        if artifact.kind == "verification":
            self._verification = msgspec.convert(artifact.result, VerificationReport)

    def _on_stop(self) -> None:
        if self.watch is not None:
            self.progress.set_progress(texts.STOPPING)
            self.watch.stop()

    def _on_ended(self, terminal: Terminal) -> None:
        self.progress.hide()
        if self.watch is not None:
            self.watch.deleteLater()
            self.watch = None
        verification = self._verification
        if isinstance(terminal, events.Finished):
            result = terminal.result if isinstance(terminal.result, dict) else {}
            model = str(result.get("model", "")) or self.name.text().strip()
            if verification is None and result.get("verification"):
                verification = msgspec.convert(result["verification"], VerificationReport)
            checked = (
                texts.VERIFIED_MERGE if verification is not None and verification.passed else texts.UNVERIFIED_MERGE
            )
            self.verdict.show_message(texts.MERGED_SHOWN.format(model=model, checked=checked), "success")
            self._done = True
            self.go.hide()
            self.merged.emit(model)
        elif isinstance(terminal, events.Cancelled):
            self.verdict.show_message(texts.MERGE_STOPPED, "info")
        else:
            lost = self._verification is not None and not self._verification.passed
            words = lost_words(self.type.value, self.quantization.value)
            self.verdict.show_message(words if lost else in_words(error_of(terminal)), "danger")
        lines = [counted_words(verification), *map(why, verification.agreements)] if verification is not None else []
        self.findings.setText("\n".join(line for line in lines if line))
        self.findings.setVisible(bool(self.findings.text()))
        self._show_state()
        if self._done:
            self.show_outcome_only()


def lost_words(type: str, quantization: str) -> str:
    """That a merge lost the training, and how it may keep it."""
    better = {"same": texts.BETTER_THAN_SAME, "Q8_0": texts.TYPE_F16, "F16": texts.TYPE_F32}.get(type, "")
    advice = texts.ADVICE_TYPE.format(better=better) if better else ""
    if quantization:
        advice += texts.ADVICE_QUANTIZATION.format(value=", and leave" if advice else " Leave")
    return texts.MERGE_LOST.format(advice=advice, value="." if advice else "")
