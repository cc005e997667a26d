"""Write an adapter into its base model: asked for here, made by a run, called good only once the gate has said so."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, ProgressLine, Text
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.dialog import Dialog, LabelledField
from ui.components.layout import column_of
from ui.components.run_follower import RunFollower
from ui.components.strength import StrengthSlider
from ui.components.wording import how_far, in_words
from ui.theme import tokens
from workbench.api import events
from workbench.api.calls import MergeAdapter, RunRecord
from workbench.api.events import Artifact, Progress, Terminal
from workbench.api.protocol import error_of
from workbench.records.training import AdapterRecord, MergedType, Parity
from workbench.records.training.verdicts import counted_words, why

TYPES: dict[MergedType, tuple[str, str]] = {
    "Q8_0": (
        "8 bits (Q8_0)",
        "Keeps what was learnt; what feels rounding most stays at 16 bits.",
    ),
    "F16": ("16 bits (F16)", "Closest to the adapter; twice the size of 8 bits for what it changes."),
    "F32": ("32 bits (F32)", "Exact, four times the size of 8 bits for what it changes."),
    "same": ("As in the base", "Smallest. If the base has 4 bits, this is likely to erase the adapter."),
}
WHY = (
    "A merge in 4 bits erases a small adapter: its change is smaller than the steps between 4-bit numbers. So what it "
    "changes is written with more bits; the rest of the model is copied as it is."
)
QUANTIZATIONS = (
    ("", "Leave the rest as it is"),
    ("Q8_0", "Q8_0, 8 bits"),
    ("Q6_K", "Q6_K, about 6.6 bits"),
    ("Q5_K_M", "Q5_K_M, about 5.7 bits"),
    ("Q4_K_M", "Q4_K_M, about 4.9 bits: may lose what was learnt"),
)


class MergeDialog(Dialog):
    """``merged`` sends the new model's name once it has passed. Closed while it runs, the run goes on."""

    merged = Signal(str)

    def __init__(self, bridge: Bridge, adapter: AdapterRecord, parent: QWidget | None = None) -> None:
        words = f"Writes it into {adapter.base or 'the model that it fits'}, as a new model of its own."
        super().__init__(f"Merge {adapter.name}", words, "Merge", parent, 600)
        self._bridge = bridge
        self._adapter = adapter
        self._parity: Parity | None = None
        self._done = False
        self.watch: RunFollower | None = None
        self.name = QLineEdit("-".join(part for part in (adapter.base, adapter.name) if part))
        self.name.textChanged.connect(lambda _: self._show_state())
        self.type = ChoiceRow("Format of what it changes", [(name, title) for name, (title, _) in TYPES.items()])
        self.type.chosen.connect(self._on_type)
        self.type_help = Text("", "small")
        self.strength = StrengthSlider(adapter.name)
        self.quantization = ChoiceBox("The whole model afterwards", [(title, value) for value, title in QUANTIZATIONS])
        format_of_changes = column_of(None, self.type, self.type_help, gap=tokens.SPACE_1)
        self._fields = [
            LabelledField("Name of the new model", "", self.name),
            LabelledField("Format of what it changes", WHY, format_of_changes),
            LabelledField("Strength", "1 is the adapter as it was trained.", self.strength),
            LabelledField(
                "The whole model afterwards", "Written anew in a smaller format, if you like.", self.quantization
            ),
        ]
        for field in self._fields:
            self.inside.addWidget(field)
        self.progress = ProgressLine()
        self.progress.hide()
        self.progress.stop_clicked.connect(self._on_stop)
        self.verdict = InlineMessage(closable=False)
        self.findings = Text("", "small")
        self.findings.hide()
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
        self.go.setToolTip("It is being merged" if running else "" if named else "Give the new model a name first")
        self.leave.setText("Close; it goes on" if running else "Close" if self.verdict.isVisible() else "Cancel")
        for field in self._fields:
            field.setEnabled(not running)
            field.setVisible(not self._done)

    def _on_go(self) -> None:
        self.verdict.hide()
        self.findings.hide()
        self._parity = None
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
        self.progress.set_progress("Waiting for its turn", None)
        self._show_state()

    def _on_progress(self, progress: Progress) -> None:
        share, numbers = how_far(progress)
        words = f"{progress.stage[:1].upper()}{progress.stage[1:]}" or "Merging"
        self.progress.set_progress(words, share, numbers if progress.unit else "", progress.seconds_left)

    def _on_made(self, artifact: Artifact) -> None:
        if artifact.kind == "parity":
            self._parity = msgspec.convert(artifact.result, Parity)

    def _on_stop(self) -> None:
        if self.watch is not None:
            self.progress.set_progress("Stopping…")
            self.watch.stop()

    def _on_ended(self, terminal: Terminal) -> None:
        self.progress.hide()
        if self.watch is not None:
            self.watch.deleteLater()
            self.watch = None
        parity = self._parity
        if isinstance(terminal, events.Finished):
            result = terminal.result if isinstance(terminal.result, dict) else {}
            model = str(result.get("model", "")) or self.name.text().strip()
            if parity is None and result.get("parity"):
                parity = msgspec.convert(result["parity"], Parity)
            checked = "It says what was trained, and" if parity is not None and parity.passed else "It"
            self.verdict.show_message(f"{model} is made. {checked} stands under Models.", "success")
            self._done = True
            self.go.hide()
            self.merged.emit(model)
        elif isinstance(terminal, events.Cancelled):
            self.verdict.show_message("Stopped. There is no new model.", "info")
        else:
            lost = self._parity is not None and not self._parity.passed
            words = lost_words(self.type.value, self.quantization.value)
            self.verdict.show_message(words if lost else in_words(error_of(terminal)), "danger")
        lines = [counted_words(parity), *map(why, parity.agreements)] if parity is not None else []
        self.findings.setText("\n".join(line for line in lines if line))
        self.findings.setVisible(bool(self.findings.text()))
        self._show_state()
        if self._done:
            self.show_outcome_only()


def lost_words(type: str, quantization: str) -> str:
    """That a merge lost what was learnt, and how it may keep it."""
    better = {"same": "8 bits (Q8_0) or 16 bits (F16)", "Q8_0": "16 bits (F16)", "F16": "32 bits (F32)"}.get(type, "")
    advice = f" Choose {better} for what it changes" if better else ""
    if quantization:
        advice += f"{', and leave' if advice else ' Leave'} the rest of the model as it is"
    return f"The merged model lost what was learnt, and was deleted.{advice}{'.' if advice else ''}"
