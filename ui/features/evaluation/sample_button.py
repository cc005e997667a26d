"""The button that adds one of the question sets which are shipped with the program."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, PlainButton
from ui.components.layout import column_of
from ui.components.wording import in_words
from ui.features.evaluation import texts
from ui.theme import tokens
from workbench.subjects.evaluation.calls import AddSampleSet, ListSampleSets, SampleSetList


class SampleButton(QWidget):
    """``made`` sends the QuestionSet once its documents are read, where it needs some."""

    made = Signal(object)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.button = PlainButton(texts.SAMPLES, toolTip=texts.SAMPLES_HELP)
        self.message = InlineMessage(visible=False)
        self._menu = QMenu(self.button)
        self._menu.setToolTipsVisible(True)
        self.button.setMenu(self._menu)
        column_of(self, self.button, self.message, gap=tokens.SPACE_2)
        bridge.home.listing(ListSampleSets()).follow(self._on_samples)

    def add(self, name: str) -> None:
        self.message.hide()
        self.button.setEnabled(False)
        self.button.setText(texts.ADDING_SAMPLE)

        def ended(take: object) -> None:
            self.button.setEnabled(True)
            self.button.setText(texts.SAMPLES)
            if isinstance(take, Exception):
                self.message.show_message(in_words(take), "danger")
            else:
                self.made.emit(take)

        self._bridge.call(AddSampleSet(name=name), ended, ended, self)

    def _on_samples(self, found: SampleSetList) -> None:
        self._menu.clear()
        for one in found.samples:
            action = self._menu.addAction(texts.SAMPLE.format(title=one.title, questions=one.questions))
            action.setToolTip(one.sentence)
            action.triggered.connect(lambda _=False, name=one.name: self.add(name))
