"""Adding the data of a benchmark: chosen here or downloaded from the hub, recognised, then made a question set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import Card, IconButton, InlineMessage, PlainButton, PrimaryButton, ProgressLine, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import column_of, row_of
from ui.components.number_box import NumberBox
from ui.components.wording import describe_count, how_far, in_words
from ui.features.models import benchmark_texts as texts
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Event, Terminal
from workbench.api.protocol import Call, error_of
from workbench.base.errors import Cancelled
from workbench.records.evaluation import BenchmarkData, QuestionSet
from workbench.subjects.evaluation.calls import (
    CreateQuestionSet,
    FetchBenchmark,
    InspectBenchmark,
    MeasureVerification,
)
from workbench.subjects.runs.calls import RunRecord


class BenchmarkImport(Card):
    """``added`` carries the id of a new question set, ``measured`` the run that measures the verification."""

    added = Signal(str)
    measured = Signal(object)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._handle: Handle | None = None
        self.data: BenchmarkData | None = None
        self.body.setSpacing(tokens.SPACE_3)
        self.close_button = IconButton("close", texts.CLOSE, clicked=self.hide)
        self.body.addLayout(row_of(None, Text(texts.DATA, "heading"), None, self.close_button))
        self.body.addWidget(Text(texts.DATA_HELP, "small"))
        self.file_button = PlainButton(texts.CHOOSE_FILE, "file", clicked=partial(self._choose, False))
        self.folder_button = PlainButton(texts.CHOOSE_FOLDER, "folder", clicked=partial(self._choose, True))
        self.hub_choice = ChoiceBox(texts.FROM_HUB, texts.HUB_NAMES, 22)
        self.download_button = PlainButton(texts.DOWNLOAD, "download", clicked=self._on_download)
        self.body.addLayout(
            row_of(
                None, self.file_button, self.folder_button, tokens.SPACE_4,
                Text(texts.FROM_HUB, "muted", wordWrap=False), self.hub_choice, self.download_button, None,
                gap=tokens.SPACE_2,
            )
        )  # fmt: skip
        self.progress = ProgressLine(stop_clicked=self._on_stop, visible=False)
        self.message = InlineMessage()
        self.body.addWidget(self.progress)
        self.body.addWidget(self.message)
        self.found = QWidget(visible=False)
        self._title = Text("", "strong")
        self._refused = Text("", "small")
        self._shots_help = Text("", "small")
        self.shots = NumberBox(accessibleName=texts.SHOTS)
        self.name = QLineEdit(accessibleName=texts.NAME)
        self.examples_button = PlainButton(texts.CHOOSE_EXAMPLES, "file", clicked=self._choose_examples)
        self.add_button = PrimaryButton(texts.ADD, clicked=self._on_add)
        self._shots_row = QWidget()
        row_of(self._shots_row, Text(texts.SHOTS, "body", wordWrap=False), self.shots, self.examples_button, None)
        self._limit_row, self._name_row = QWidget(), QWidget()
        self.limit = NumberBox(accessibleName=texts.PAIRS, specialValueText=texts.ALL)
        self.limit.setToolTip(texts.PAIRS_LIMIT_HELP)
        row_of(self._limit_row, Text(texts.PAIRS, "body", wordWrap=False), self.limit, None)
        row_of(self._name_row, Text(texts.NAME, "body", wordWrap=False), (self.name, 1), gap=tokens.SPACE_2)
        last = row_of(None, (self._name_row, 1), (self._limit_row, 1), self.add_button, gap=tokens.SPACE_2)
        column_of(self.found, self._title, self._refused, self._shots_row, self._shots_help, last, gap=tokens.SPACE_2)
        self.body.addWidget(self.found)

    def open(self) -> None:
        self.show()
        self.file_button.setFocus()

    def inspect(self, path: str, examples: str = "") -> None:
        """Recognise a file or folder of the person."""
        self._start(InspectBenchmark(path=path, examples=examples), _reading)

    # -- what happens --------------------------------------------------------------------------------

    def _on_download(self) -> None:
        name = self.hub_choice.currentText()
        self._start(
            FetchBenchmark(benchmark=self.hub_choice.value),
            lambda progress: texts.READING if progress.unit == "rows" else texts.DOWNLOADING.format(name=name),
        )

    def _on_add(self) -> None:
        data = self.data
        assert data is not None
        if data.pairs:
            limit = self.limit.value()
            self._start(MeasureVerification(path=data.path, limit=limit if limit < data.questions else 0), _reading)
            return
        call = CreateQuestionSet(
            source="benchmark", benchmark=data.benchmark, path=data.path, examples=data.examples_path,
            shots=self.shots.value(), name=self.name.text().strip(), tune_share=0.0,
        )  # fmt: skip
        self._start(call, _reading)

    def _on_stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _start(self, call: Call[Any], words: Callable[[events.Progress], str]) -> None:
        def progressed(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, events.Progress):
                    share, numbers = how_far(event) if event.total else (None, "")
                    self.progress.set_progress(words(event), share, numbers)

        self._set_busy(True)
        self.message.hide()
        if not isinstance(call, CreateQuestionSet | MeasureVerification):
            self.found.hide()  # it is of other data
        self.progress.set_progress(texts.READING, None)
        self._handle = self._bridge.stream(call, progressed, partial(self._on_end, call), self)

    def _on_end(self, call: Call[Any], terminal: Terminal) -> None:
        self._handle = None
        self._set_busy(False)
        if not isinstance(terminal, events.Finished):
            error = error_of(terminal)
            if not isinstance(error, Cancelled):
                self.message.show_message(in_words(error), "danger")
        elif isinstance(call, CreateQuestionSet):
            made = msgspec.convert(terminal.result, QuestionSet)
            self.found.hide()
            self.message.show_message(texts.ADDED.format(name=made.name), "success")
            self.added.emit(made.id)
        elif isinstance(call, MeasureVerification):
            self.found.hide()
            self.measured.emit(msgspec.convert(terminal.result, RunRecord))
        else:
            self._show(msgspec.convert(terminal.result, BenchmarkData))

    def _show(self, data: BenchmarkData) -> None:
        self.data = data
        several = describe_count(data.subjects, "data set") if data.pairs else describe_count(data.subjects, "subject")
        subjects = texts.SUBJECTS.format(count=several) if data.subjects > 1 else ""
        count = describe_count(data.questions, "pair") if data.pairs else describe_count(data.questions, "question")
        self._title.setText(texts.FOUND.format(title=data.title, questions=count, subjects=subjects))
        left_out = len(data.refused) + data.more_refused
        if left_out:
            rows = describe_count(left_out, "row")
            self._refused.setText(texts.REFUSED.format(rows=rows, first=data.refused[0]))
        self._refused.setVisible(bool(left_out))
        self.shots.setRange(0, data.examples)
        self.shots.setValue(min(data.usual, data.examples))
        self._shots_row.setVisible(data.usual > 0)
        self._limit_row.setVisible(data.pairs)
        self._name_row.setVisible(not data.pairs)
        self.limit.setRange(0, data.questions)
        self.limit.setValue(0)
        self.add_button.setText(texts.MEASURE if data.pairs else texts.ADD)
        words = (
            texts.PAIRS_HELP
            if data.pairs
            else texts.SHOTS_HELP
            if data.examples
            else texts.NO_EXAMPLES
            if data.usual
            else texts.WITHOUT_EXAMPLES
        )
        self._shots_help.setText(words.format(title=data.title, usual=data.usual, count=data.examples))
        stem = Path(data.path).stem
        self.name.setText(data.title if stem.lower() == data.benchmark else f"{data.title} {stem}")
        self.found.show()

    def _set_busy(self, busy: bool) -> None:
        self.progress.setVisible(busy)
        for button in (
            self.file_button,
            self.folder_button,
            self.download_button,
            self.add_button,
            self.examples_button,
        ):
            button.setEnabled(not busy)

    # -- choosing files ------------------------------------------------------------------------------

    def _choose(self, folder: bool) -> None:
        self._ask(texts.FOLDER_TITLE if folder else texts.FILE_TITLE, folder, self.inspect)

    def _choose_examples(self) -> None:
        assert self.data is not None
        self._ask(texts.EXAMPLES_TITLE, False, partial(self.inspect, self.data.path))

    def _ask(self, title: str, folder: bool, chosen: Callable[[str], None]) -> None:
        dialog = QFileDialog(self, title)
        dialog.setFileMode(QFileDialog.FileMode.Directory if folder else QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _reading(progress: events.Progress) -> str:
    return texts.READING
