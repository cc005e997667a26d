"""Parts of an answer's view: what is waited for, a model's thinking, the note that the documents do not hold it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QMenu, QSizePolicy, QWidget

from ui.components.basics import Card, IconLabel, LinkButton, PlainButton, QuietButton, Text
from ui.components.layout import FlowLayout, column_of, empty_layout, row_of
from ui.components.wording import describe_place, within
from ui.features.chat import texts
from ui.theme import tokens
from workbench.records.answers import DocumentTask
from workbench.records.messages import Passage
from workbench.records.methods import MethodInfo
from workbench.records.outcomes import Road
from workbench.records.visible import visible_name

_COLLECTIONS, _NAMES = 3, 44


class Waiting(QWidget):
    """A line that says what is waited for. A dot that breathes is all that moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dot = QLabel("●")
        self._dot.setProperty("role", "muted")
        self._words = Text(texts.WAITING, "muted")
        row_of(self, self._dot, (self._words, 1), gap=tokens.SPACE_2)
        self.setFixedHeight(24)
        self._beat = QTimer(self, interval=500, timeout=self._on_beat)

    @property
    def words(self) -> str:
        return self._words.text()

    def show_words(self, words: str) -> None:
        self._words.setText(words)
        self._words.setAccessibleName(words)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._beat.start()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self._beat.stop()

    def _on_beat(self) -> None:
        self._dot.setText("●" if self._dot.text() == "○" else "○")


class ThoughtView(QWidget):
    """A reasoning model's thinking: closed, one click away."""

    def __init__(self) -> None:
        super().__init__()
        self.button = QuietButton(texts.THINKING, "chevron-right", small=True, checkable=True, toggled=self._on_toggled)
        self._text = Text("", "muted", textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse, visible=False)
        self._whole = ""
        column_of(self, (self.button, 0, Qt.AlignmentFlag.AlignLeft), self._text, gap=tokens.SPACE_1)
        self.hide()

    @property
    def text(self) -> str:
        """The thinking so far."""
        return self._whole

    def set_text(self, text: str) -> None:
        self._whole = text
        self.setVisible(bool(text))
        if self.button.isChecked():
            self._text.setText(text)

    def add_text(self, piece: str) -> None:
        self.set_text(self._whole + piece)

    def _on_toggled(self, opened: bool) -> None:
        self._text.setText(self._whole if opened else "")
        self._text.setVisible(opened)


class DeclinedNote(Card):
    """Says calmly that the documents do not hold the answer, with what comes nearest, and offers the other ways to an
    answer as buttons that take them."""

    nearest_wanted = Signal()
    plain_wanted = Signal()
    """The question is to be answered without documents."""
    collection_wanted = Signal(str)
    """The question is to be asked of another collection."""
    road_wanted = Signal(str)
    """The question is to take another road: ``whole`` documents, or all ``other`` collections."""
    task_wanted = Signal(object)
    """A DocumentTask is to be done on the nearest document."""

    def __init__(self) -> None:
        super().__init__()
        head = row_of(gap=tokens.SPACE_3)
        self.words = Text("", "reading")
        head.addWidget(IconLabel("info", "muted"), 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.words, 1)
        self.body.addLayout(head)
        self._nearest = Text(texts.NEAREST_PASSAGES, "muted")
        self.body.addWidget(self._nearest)
        self._list = column_of(gap=0)
        self.body.addLayout(self._list)
        self.nearest_button = PlainButton(texts.SHOW_NEAREST, "eye", small=True, clicked=self.nearest_wanted)
        self.plain_button = PlainButton(texts.WITHOUT_DOCUMENTS, "chat", small=True, clicked=self.plain_wanted)
        self.plain_button.setToolTip(texts.WITHOUT_DOCUMENTS_HELP)
        self.whole_button = PlainButton(texts.READ_WHOLE, "summary", small=True)
        self.whole_button.setToolTip(texts.READ_WHOLE_HELP)
        self.whole_button.clicked.connect(lambda: self.road_wanted.emit("whole"))
        self.task_button = PlainButton("", "file", small=True, clicked=self._on_tasks, visible=False)
        self.others: list[PlainButton] = []
        self._tasks: tuple[MethodInfo, ...] = ()
        self._document = ""
        self._buttons = QWidget()
        self._flow = FlowLayout(self._buttons, tokens.SPACE_2)
        for button in (self.nearest_button, self.whole_button, self.task_button, self.plain_button):
            self._flow.addWidget(button)
        self.body.addWidget(self._buttons)
        self.hide()

    def show_note(self, words: str, passages: tuple[Passage, ...], open_source: Callable[[Passage], None]) -> None:
        self.words.setText(words)
        empty_layout(self._list)
        self._nearest.setVisible(bool(passages))
        self.nearest_button.setVisible(bool(passages))
        self._document = passages[0].path if passages else ""
        self._show_tasks()
        for passage in passages[:3]:
            words = f"{describe_place(passage)}:  {_shortened(passage.text.lstrip('# '), 120)}"
            button = LinkButton(words, accessibleName=words)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # shortened to the room there is
            button.setToolTip(passage.text[:300])
            button.clicked.connect(lambda _=False, p=passage: open_source(p))
            self._list.addWidget(button)

    def show_ways(self, roads: Sequence[Road], collections: Sequence[str], tasks: Sequence[MethodInfo]) -> None:
        """The other ways: of ``roads`` whole documents and all other collections, each of the other ``collections`` by
        name, and ``tasks`` on the nearest document."""
        self.whole_button.setVisible("whole" in roads)
        self._tasks = tuple(task for task in tasks if not task.fields)  # one with a setting is begun in Documents
        self._show_tasks()
        for button in self.others:
            self._flow.removeWidget(button)
            button.deleteLater()
        self.others = []
        for name in collections[:_COLLECTIONS]:
            words = texts.ASK_COLLECTION.format(name=name)
            button = PlainButton(within(words, _NAMES), "folder", small=True, toolTip=words, accessibleName=words)
            button.clicked.connect(lambda _=False, name=name: self.collection_wanted.emit(name))
            self.others.append(button)
        if len(collections) > 1:
            every = PlainButton(texts.ASK_ALL_OTHERS, "folder", small=True)
            every.clicked.connect(lambda: self.road_wanted.emit("other"))
            self.others.append(every)
        for button in self.others:
            self._flow.addWidget(button)

    def make_task_menu(self) -> QMenu:
        """What can be done with the nearest document as a whole."""
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        for task in self._tasks:
            wanted = DocumentTask(document=self._document, task=task.name)
            menu.addAction(task.title).triggered.connect(lambda _=False, wanted=wanted: self.task_wanted.emit(wanted))
        return menu

    def _show_tasks(self) -> None:
        name = visible_name(self._document)
        self.task_button.setText(within(texts.WHOLE_TASKS.format(name=name), _NAMES))
        self.task_button.setToolTip(texts.WHOLE_TASKS.format(name=name))
        self.task_button.setVisible(bool(self._tasks and self._document))

    def _on_tasks(self) -> None:
        self.make_task_menu().popup(self.task_button.mapToGlobal(QPoint(0, self.task_button.height())))


def _shortened(text: str, length: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1].rsplit(" ", 1)[0] + "…"
