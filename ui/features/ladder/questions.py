"""Where the questions come from: a set of the home, a set that is shipped, a file, rated chats, or documents."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import PurePath

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import Card, InlineMessage, LinkButton, PlainButton, ProgressLine, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import column_of, row_of
from ui.components.questions_from_documents import FromDocuments
from ui.components.wording import how_far, in_words
from ui.features.ladder import texts
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Event, Terminal
from workbench.api.protocol import Call, error_of, read_result
from workbench.base.errors import Cancelled
from workbench.records.evaluation import QuestionSet
from workbench.subjects.evaluation.calls import (
    AddSampleSet,
    CreateQuestionSet,
    ListQuestionSets,
    ListSampleSets,
    QuestionSetList,
    SampleSet,
    SampleSetList,
)

_LINK = 5  # px beside the words of a link
_SAMPLES_HEIGHT = 344
"""Pixels that the shipped sets take, so that nothing moves when they come."""


class QuestionChoice(QWidget):
    """``chosen`` sends the id of the set that is chosen, ``documents_wanted`` before it the name of the collection that
    answers it, "" for none, where that is known."""

    chosen = Signal(str)
    documents_wanted = Signal(str)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._wanted = ""
        self._adding: Handle | None = None
        self.samples: dict[str, SampleCard] = {}
        self.set = ChoiceBox(texts.QUESTIONS, (), 28, texts.CHOOSE_SET, chosen=self.chosen)
        self.file_button = PlainButton(texts.FROM_FILE, "upload", small=True, clicked=self._on_file)
        self.chats_button = PlainButton(texts.FROM_CHATS, "thumb-up", small=True, clicked=self._on_chats)
        self.documents = FromDocuments(bridge)
        self.documents.button.setProperty("small", True)
        layout = self.documents.layout()
        assert layout is not None
        layout.setAlignment(self.documents.button, Qt.AlignmentFlag.AlignLeft)
        self.documents.made.connect(self._on_made)
        self.progress = ProgressLine(visible=False, stop_clicked=self._on_stop)
        self.message = InlineMessage()
        self._ways = row_of(None, self.file_button, self.chats_button, None, gap=tokens.SPACE_2)
        self._holder = QWidget(minimumHeight=_SAMPLES_HEIGHT)
        self._cards = column_of(self._holder, gap=tokens.SPACE_2)
        self._samples = Text(texts.SAMPLES, "small")
        column_of(
            self,
            self.set,
            self._ways,
            self.documents,
            self.progress,
            self.message,
            self._samples,
            self._holder,
            gap=tokens.SPACE_3,
        )
        bridge.home.listing(ListQuestionSets()).follow(self._on_sets)
        bridge.home.listing(ListSampleSets()).follow(self._on_samples)

    @property
    def value(self) -> str:
        """The id of the set that is chosen, "" for none."""
        return self.set.value

    def choose(self, question_set: str) -> None:
        """Choose a set by its id, as soon as it is known."""
        known = self._bridge.home.listing(ListQuestionSets()).value
        if known is not None and any(one.id == question_set for one in known.sets):
            self.set.show_value(question_set)
            self.chosen.emit(question_set)
        else:
            self._wanted = question_set
            self._bridge.home.listing(ListQuestionSets()).refresh()

    def add_file(self, path: str) -> None:
        """Make a set of a file and choose it."""
        self._add(CreateQuestionSet(path=path), texts.READING_FILE.format(name=PurePath(path).name))

    def _on_sets(self, found: QuestionSetList) -> None:
        before = self.set.value
        sets = [one for one in found.sets if not one.unreadable]
        self.set.set_choices([(f"{one.name} ({one.questions:,})", one.id) for one in sets])
        self.set.show_value(before if any(one.id == before for one in sets) else "")
        if self._wanted and any(one.id == self._wanted for one in sets):
            wanted, self._wanted = self._wanted, ""
            self.choose(wanted)

    def _on_samples(self, found: SampleSetList) -> None:
        self._holder.setMinimumHeight(0)
        self._samples.setVisible(bool(found.samples))
        for place, sample in enumerate(found.samples):
            if sample.name not in self.samples:
                card = self.samples[sample.name] = SampleCard(sample)
                card.button.clicked.connect(partial(self._on_sample, sample))
                self._cards.insertWidget(place, card)

    def _on_sample(self, sample: SampleSet, checked: bool = False) -> None:
        self.documents_wanted.emit(sample.collection)
        self._add(AddSampleSet(name=sample.name), texts.ADDING.format(title=sample.title))

    def _on_made(self, made: QuestionSet) -> None:
        self.documents_wanted.emit(self.documents.collection)
        self.choose(made.id)

    def _on_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, texts.CHOOSE_FILE, "", texts.FILE_KINDS)
        if path:
            self.add_file(path)

    def _on_chats(self) -> None:
        name = texts.CHATS_NAME.format(date=time.strftime("%Y-%m-%d %H.%M"))
        self._add(CreateQuestionSet(source="chats", name=name), texts.READING_CHATS)

    def _add(self, call: Call[QuestionSet], words: str) -> None:
        if self._adding is not None:
            return

        def progressed(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, events.Progress):
                    self.progress.set_progress(words, *how_far(event))

        def ended(terminal: Terminal) -> None:
            self._adding = None
            self.progress.hide()
            self._allow(True)
            if isinstance(terminal, events.Finished):
                self.choose(read_result(call, terminal.result).id)
            elif not isinstance(error := error_of(terminal), Cancelled):
                self.message.show_message(in_words(error), "danger")

        self.message.hide()
        self.progress.set_progress(words)
        self.progress.show()
        self._allow(False)
        self._adding = self._bridge.stream(call, progressed, ended, self)

    def _allow(self, allowed: bool) -> None:
        for button in (self.file_button, self.chats_button, *(card.button for card in self.samples.values())):
            button.setEnabled(allowed)
            button.setToolTip("" if allowed else self.progress.words)

    def _on_stop(self) -> None:
        if self._adding is not None:
            self.progress.set_progress(texts.STOPPING)
            self._adding.cancel()


class SampleCard(Card):
    """A shipped set: what is asked, and how much."""

    def __init__(self, sample: SampleSet) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self.body.setSpacing(tokens.SPACE_1)
        self.button = LinkButton(sample.title, align="left", accessibleDescription=sample.sentence)
        self.body.addLayout(row_of(None, self.button, None))
        self.body.addWidget(Text(sample.sentence, "small", indent=_LINK))
        figures = [texts.questions(sample.questions), texts.TASKS[sample.task].lower()]
        if sample.minutes:
            figures.append(texts.MINUTES.format(minutes=sample.minutes))
        self.body.addWidget(Text(" · ".join(figures), "small", indent=_LINK))
