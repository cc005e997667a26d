"""The packages of training: whether they are there, their set-up and their removal."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, PlainButton, Text
from ui.components.layout import column_of, row_of
from ui.components.notices import ConfirmRow
from ui.components.training_setup import TrainingSetupCard
from ui.components.wording import describe_bytes, in_words
from ui.features.settings import texts
from ui.theme import tokens
from workbench.records.training_packages import TrainingPackages
from workbench.subjects.machine.calls import GetTrainingPackages, RemoveTrainingPackages

_SHOWN = ("torch", "transformers", "peft", "trl")


class TrainingPart(QWidget):
    """Only what *Set up training* has installed can be removed here."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.summary = Text("", "body", visible=False)
        self.setup = TrainingSetupCard(bridge, texts.TRAINING_NEEDED)
        self.remove_button = PlainButton(texts.REMOVE_TRAINING, "trash", small=True, clicked=self._on_remove)
        self.confirm = ConfirmRow(self.remove_button)
        self.confirm.set_question(texts.REMOVE_TRAINING_QUESTION, texts.REMOVE_TRAINING)
        self.confirm.confirmed.connect(self._remove)
        self.message = InlineMessage()
        self._removal = QWidget()
        row_of(self._removal, self.remove_button, None)
        column_of(
            self, Text(texts.TRAINING, "strong"), Text(texts.TRAINING_HELP, "small"), self.summary, self.setup,
            self._removal, self.confirm, self.message, gap=tokens.SPACE_2,
        )  # fmt: skip
        self._removal.hide()
        self.setup.changed.connect(self._on_state)

    def _on_state(self, state: TrainingPackages) -> None:
        versions = ", ".join(f"{name} {state.versions[name]}" for name in _SHOWN if state.versions.get(name))
        if state.place == "folder":
            words = texts.TRAINING_SET_UP.format(versions=versions, bytes=describe_bytes(state.bytes))
        else:
            words = texts.TRAINING_OWN.format(versions=versions)
        self.summary.setText(words)
        self.summary.setVisible(state.ready)
        self._removal.setVisible(state.place == "folder")

    def _on_remove(self) -> None:
        self.message.hide()
        self.confirm.ask()

    def _remove(self) -> None:
        def removed(state: TrainingPackages) -> None:
            self._bridge.home.listing(GetTrainingPackages()).put(state)

        def refused(error: Exception) -> None:
            self.message.show_message(in_words(error), "danger")

        self._bridge.call(RemoveTrainingPackages(), removed, refused, self)
