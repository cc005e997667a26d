"""The parts of the welcome page: numbered steps, a drop area, and the list of files as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QLabel, QListWidget, QListWidgetItem, QWidget

from ui.components.basics import Card, IconLabel, InlineMessage, PlainButton, ProgressLine, Text
from ui.components.layout import column_of, row_of
from ui.components.notices import TakesFiles
from ui.components.wording import describe_count, how_far, within
from ui.features.welcome import texts
from ui.theme import tokens
from ui.theme.theme import current_theme, set_icon, set_property
from workbench.api import events
from workbench.api.events import Event
from workbench.base.catalogue import _, ngettext

MOST_FILES, FILES_IN_SIGHT = 500, 8
_NAME = 28
"""Characters of the name of a file in the list, so that there is room for why it failed."""
WORDS = {"indexed": _("read"), "unchanged": _("unchanged"), "removed": _("removed"), "failed": texts.FILE_FAILED}


class PurposeCard(Card):
    """Asks once what the window is for. ``chosen`` sends whether all techniques are to be shown."""

    chosen = Signal(bool)

    def __init__(self) -> None:
        super().__init__(margin=tokens.SPACE_4)
        self.body.setSpacing(tokens.SPACE_3)
        self.body.addWidget(Text(texts.PURPOSE, "heading"))
        self.answers_button = PlainButton(texts.WANT_ANSWERS, "documents", align="left")
        self.techniques_button = PlainButton(texts.WANT_TECHNIQUES, "train", align="left")
        for button, help, all in (
            (self.answers_button, texts.WANT_ANSWERS_HELP, False),
            (self.techniques_button, texts.WANT_TECHNIQUES_HELP, True),
        ):
            button.clicked.connect(lambda _=False, all=all: self.chosen.emit(all))
            self.body.addWidget(button)
            self.body.addWidget(Text(help, "small"))
        self.setAccessibleName(texts.PURPOSE)


class StepCard(Card):
    """A numbered step: its explanation, its ``content`` and its result."""

    def __init__(self, number: int, title: str, words: str) -> None:
        super().__init__(margin=tokens.SPACE_4)
        self.body.setSpacing(tokens.SPACE_3)
        row = row_of(gap=tokens.SPACE_3)
        self._number = QLabel(str(number))
        self._number.setProperty("role", "number")
        self._number.setFixedSize(28, 28)
        self._number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = column_of(None, Text(title, "heading"), gap=tokens.SPACE_1)
        self._words = Text(words, "muted", textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # words, not a stop on the way of Tab
        column.addWidget(self._words)
        self.content = column_of(gap=tokens.SPACE_3, margins=(0, tokens.SPACE_2, 0, 0))
        column.addLayout(self.content)
        self._problem = InlineMessage()
        column.addWidget(self._problem)
        row.addWidget(self._number, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        self.body.addLayout(row)
        self.setAccessibleName(texts.STEP.format(number=number, title=title))

    @property
    def words(self) -> str:
        return self._words.text()

    @property
    def problem(self) -> str:
        return self._problem.text if not self._problem.isHidden() else ""

    def set_words(self, words: str) -> None:
        self._words.setText(words)

    def set_done(self, words: str) -> None:
        """The step was taken: ``words`` say what came of it."""
        self._words.setText(words)
        set_property(self._number, "done", True)
        self._number.setAccessibleName(texts.DONE)
        set_icon(self._number, "check", "success", 18)

    def show_problem(self, text: str) -> None:
        self._problem.show_message(text, "danger")

    def clear_problem(self) -> None:
        self._problem.hide()


class DropPlace(TakesFiles, QFrame):
    """Takes files and folders that are dropped on it or chosen; ``dropped`` is sent with their paths."""

    dropped = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "drop")
        self.setAcceptDrops(True)
        row = row_of(
            self,
            IconLabel("upload", "muted", 24),
            (Text(texts.DROP_FILES, "body"), 1),
            gap=tokens.SPACE_3,
            margins=(tokens.SPACE_4, tokens.SPACE_3),
        )
        self.files_button = PlainButton(texts.CHOOSE_FILES, "file")
        self.folder_button = PlainButton(texts.CHOOSE_FOLDER, "folder")
        self.files_button.clicked.connect(lambda: self._ask(QFileDialog.FileMode.ExistingFiles))
        self.folder_button.clicked.connect(lambda: self._ask(QFileDialog.FileMode.Directory))
        row.addWidget(self.files_button)
        row.addWidget(self.folder_button)

    def show_drop(self, over: bool) -> None:
        set_property(self, "over", over)

    def take_files(self, paths: list[str]) -> None:
        self.dropped.emit(paths)

    def _ask(self, mode: QFileDialog.FileMode) -> None:
        dialog = QFileDialog(self, texts.CHOOSE_DOCUMENTS)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        dialog.filesSelected.connect(self.dropped.emit)  # signal to signal, the lists' types differ
        dialog.open()


class FilesRead(QWidget):
    """The files of a run as they end, each with its state in words, and how far it is. Hidden until ``begin``."""

    stop_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        column = column_of(self, gap=tokens.SPACE_2)
        self.progress = ProgressLine(stop_clicked=self._on_stop)
        self._outcome = Text("", "muted", visible=False)
        self.list = QListWidget(accessibleName=texts.FILES_READ, iconSize=QSize(16, 16), uniformItemSizes=True)
        self.list.setProperty("dense", True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        column.addWidget(self.progress)
        column.addWidget(self._outcome)
        column.addWidget(self.list)
        self._title = ""
        self._counts: dict[str, int] = {}
        self.hide()

    @property
    def outcome(self) -> str:
        return self._outcome.text()

    def begin(self, title: str) -> None:
        self._title = title
        self._counts = {}
        self.list.clear()
        self.list.hide()
        self._outcome.hide()
        self.progress.set_progress(title)
        self.progress.show()
        self.show()

    def show_events(self, batch: Sequence[Event]) -> None:
        progress: events.Progress | None = None
        for event in batch:
            if isinstance(event, events.Artifact) and event.kind == "document":
                self._show_file(event.id, event.result)
            elif isinstance(event, events.Progress):
                progress = event
        if progress is not None:  # only the batch's last is drawn
            self.progress.set_progress(self._title, *how_far(progress), progress.seconds_left)
        self.list.scrollToBottom()

    def end(self, words: str) -> None:
        """The run has ended; without ``words`` a summary of its result is shown."""
        self.progress.hide()
        said = [
            ngettext("{count} file {state}", "{count} files {state}", count).format(count=f"{count:,}", state=WORDS[s])
            for s, count in self._counts.items()
        ]
        self._outcome.setText(words or ", ".join(said))
        self._outcome.setVisible(bool(self._outcome.text()))
        self.setVisible(bool(self._outcome.text()) or self.list.count() > 0)

    def _show_file(self, path: str, result: dict[str, object]) -> None:
        state = str(result.get("state", "indexed"))
        self._counts[state] = self._counts.get(state, 0) + 1
        words = WORDS.get(state, state)
        if state == "failed":
            words = str(result.get("reason") or words)
        elif state == "indexed":
            chunks = result.get("chunks")
            words = f"{words}, {describe_count(chunks if isinstance(chunks, int) else 0, 'passage')}"
        item = QListWidgetItem(f"{within(Path(path).name, _NAME)}  ·  {words}")
        failed = state == "failed"
        theme = current_theme()
        item.setIcon(theme.icon("warning" if failed else "check", "danger" if failed else "success", 16))
        item.setToolTip(f"{path}\n{words}")
        if self.list.count() >= MOST_FILES:
            self.list.takeItem(0)
        self.list.addItem(item)
        if self.list.isHidden():
            self.list.setFixedHeight(FILES_IN_SIGHT * self.list.sizeHintForRow(0) + 2 * self.list.frameWidth())
            self.list.show()

    def _on_stop(self) -> None:
        self.progress.set_progress(texts.STOPPING)
        self.stop_clicked.emit()
