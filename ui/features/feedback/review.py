"""Judgements as a table: searched, filtered, corrected, deleted, imported and exported.

One judgement in full: the question, both answers, who said what, and how it is corrected.
"""

from __future__ import annotations

from typing import Any, Literal

from PySide6.QtCore import QMargins, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QLineEdit, QMenu, QSplitter, QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import (
    Card,
    Chip,
    FoldButton,
    IconButton,
    InlineMessage,
    LinkButton,
    PlainButton,
    QuietButton,
    Text,
)
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.dialog import LabelledField
from ui.components.grid_view import GridView
from ui.components.layout import ScrolledColumn, column_of, row_of
from ui.components.lists import SearchField
from ui.components.notices import ConfirmRow, EmptyState
from ui.components.paged_table import PAGE_ROWS, PagedTable
from ui.components.wording import describe_count, in_words
from ui.components.words_editor import WordsEditor
from ui.features import Action, ShellActions
from ui.features.feedback import texts
from ui.features.feedback.files import ExportDialog, ImportDialog
from ui.features.feedback.seen_panel import SeenPanel
from ui.theme import tokens
from workbench.base.catalogue import translated
from workbench.records.judgement_reports import JudgementStatistics, UndoneAction
from workbench.records.judgements import JudgedAnswer, Judgement, JudgementFilter
from workbench.records.messages import Message
from workbench.subjects.judgements.calls import (
    ChangeJudgement,
    GetJudgement,
    GetJudgementStatistics,
    JudgementPage,
    ListJudgements,
    RemoveJudgements,
    UndoJudgement,
)

_WIDTHS = (112, 112)
_PANEL = 400


class JudgementTable(PagedTable):
    """Rows are ``Judgement``."""

    def show_all(self) -> None:
        columns = (texts.COLUMN_VERDICT, texts.COLUMN_SOURCE, texts.COLUMN_QUESTION, texts.COLUMN_BETTER)
        self.restart((*columns, texts.COLUMN_OTHER))

    def cell(self, row: Judgement, column: int) -> str:
        better = row.preferred or row.a
        other = row.other or row.b
        answers = (better.text, other.text if other is not None else "")
        said = (texts.describe_verdict(row), texts.describe_source(row), row.question, *answers)
        return " ".join(said[column].split())


class ReviewPanel(SeenPanel):
    label_wanted = Signal()
    """The person wants to compare answers in a row."""

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__(bridge)
        self._shell = shell
        self._wanted = ""  # a judgement to be shown
        self.search = SearchField(texts.SEARCH, searched=lambda _: self._restart())
        self.verdict = ChoiceBox(texts.VERDICT, [(title, name) for name, title in texts.VERDICT_FILTERS])
        self.source = ChoiceBox(texts.SOURCE, [(title, name) for name, title in texts.SOURCE_FILTERS], 10)
        self.judge = ChoiceBox(texts.JUDGE, [(title, name) for name, title in texts.JUDGE_FILTERS])
        for box in (self.verdict, self.source, self.judge):
            box.chosen.connect(lambda _: self._restart())
        self.counts = Text("", "small")
        self.import_button = PlainButton(texts.IMPORT, "upload", small=True, clicked=self.begin_import)
        self.export_button = PlainButton(texts.EXPORT, "export", small=True, clicked=self.begin_export)
        self.undo_button = IconButton("restart", texts.UNDO, toolTip=texts.UNDO_HELP, clicked=self.undo)
        self.more_button = IconButton("more", texts.MORE, clicked=self._on_more)
        self.confirm = ConfirmRow(self.more_button)
        self.confirm.confirmed.connect(self._on_delete_shown)
        self.table = JudgementTable(self)
        self.table.page_wanted.connect(self._read)
        self.grid = GridView(texts.JUDGEMENTS, _WIDTHS)
        self.grid.setModel(self.table)
        self.grid.opened.connect(lambda row, _: self.show_judgement(row))
        self.nothing = Text(texts.NO_ROW, "muted", alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.empty = EmptyState("thumb-up", texts.EMPTY_TITLE, texts.EMPTY_HELP, texts.EMPTY_ACTION)
        if self.empty.button is not None:
            self.empty.button.clicked.connect(self.label_wanted)
        self.panel = JudgementPanel()
        self.panel.hide()
        self._connect_panel()
        self._lay_out()
        for keys, run in ((QKeySequence.StandardKey.Undo, self.undo), (QKeySequence("Del"), self._delete_current)):
            shortcut = QShortcut(QKeySequence(keys), self.grid)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(run)
        self.table.show_all()

    @property
    def which(self) -> JudgementFilter:
        """The judgements that are shown."""
        return JudgementFilter(
            search=self.search.text().strip(),
            verdicts=_chosen(self.verdict),
            sources=_chosen(self.source),
            judges=_chosen(self.judge),
        )

    def begin_import(self) -> ImportDialog:
        dialog = ImportDialog(self._bridge, self)
        dialog.open()
        return dialog

    def begin_export(self) -> ExportDialog:
        """Export what is shown."""
        dialog = ExportDialog(self._bridge, self.which, self.table.total, self)
        dialog.open()
        return dialog

    def take_files(self, paths: list[str]) -> None:
        self.begin_import().choose(paths[0])

    def show_id(self, judgement: str) -> None:
        """Show a judgement by its id."""
        self._wanted = judgement
        self._bridge.call(GetJudgement(judgement=judgement), self.show_judgement, owner=self)

    def show_judgement(self, judgement: Judgement) -> None:
        self.panel.show_judgement(judgement)
        if self.panel.isHidden():
            self.panel.show()
            width = self._split.width()
            self._split.setSizes([max(width - _PANEL, 360), _PANEL])

    def undo(self) -> None:
        def undone(action: UndoneAction) -> None:
            self._shell.show_message(texts.UNDONE.format(title=action.title), "info")

        self._bridge.call(UndoJudgement(), undone, owner=self)

    # -- reading -------------------------------------------------------------------------------------

    def read_again(self) -> None:
        """Read the visible rows again."""
        self.table.expire()
        self._read(0)
        self._bridge.call(GetJudgementStatistics(which=self.which), self._on_statistics, owner=self)
        if self.panel.shown is not None and not self.panel.isHidden():
            call = GetJudgement(judgement=self.panel.shown.id)
            self._bridge.call(call, self.panel.show_judgement, lambda _: self.panel.hide(), self)

    def _restart(self) -> None:
        self.table.show_all()
        self.grid.show_widths()
        self.read_again()

    def _read(self, first: int) -> None:
        which = self.which

        def take(page: JudgementPage) -> None:
            if which == self.which:
                self._put(page)

        self._bridge.call(ListJudgements(which=which, first=first, limit=PAGE_ROWS), take, owner=self)

    def _put(self, page: JudgementPage) -> None:
        self.table.put_rows(page.first, page.total, page.judgements)
        self.grid.show_widths()
        none = not page.total and self.which == JudgementFilter()
        self._rows.setCurrentWidget(self.empty if none else self.grid if page.total else self.nothing)
        self.export_button.setEnabled(bool(page.total))

    def _on_statistics(self, found: JudgementStatistics) -> None:
        self.counts.setText(texts.describe_counts(found.judgements, found.prompts) if found.judgements else "")

    # -- changing ------------------------------------------------------------------------------------

    def _connect_panel(self) -> None:
        panel = self.panel
        panel.closed.connect(self._on_closed)
        panel.corrected.connect(lambda verdict: self._change(verdict=verdict))
        panel.edited.connect(lambda side, text: self._change(edits=side, edited=text))
        panel.commented.connect(lambda words: self._change(comment=words))
        panel.delete_wanted.connect(lambda: self._delete(panel.shown))
        panel.chat_wanted.connect(lambda chat: self._shell.open_page("chat", chat=chat))

    def _change(self, **changes: Any) -> None:
        shown = self.panel.shown
        if shown is None:
            return

        def refused(error: Exception) -> None:
            self.panel.message.show_message(in_words(error), "danger")

        self.panel.message.hide()
        call = ChangeJudgement(judgement=shown.id, **changes)
        self._bridge.call(call, self.panel.show_judgement, refused, self)

    def _delete_current(self) -> None:
        index = self.grid.currentIndex()
        if index.isValid():
            self._delete(self.table.row(index.row()))

    def _delete(self, judgement: Judgement | None) -> None:
        if judgement is not None:
            self._remove(JudgementFilter(ids=(judgement.id,)))

    def _on_delete_shown(self) -> None:
        self._remove(self.which)

    def _remove(self, which: JudgementFilter) -> None:
        def removed(count: int) -> None:
            words = texts.DELETED.format(count=describe_count(count, "preference"))
            self._shell.show_message(words, "info", Action(texts.UNDO, self.undo))

        self.panel.hide()
        self._bridge.call(RemoveJudgements(which=which), removed, owner=self)

    def _on_closed(self) -> None:
        self.panel.hide()
        self.grid.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_more(self) -> None:
        menu = QMenu(self)
        count = describe_count(self.table.total, "preference")
        delete = menu.addAction(texts.DELETE_SHOWN.format(count=count), self._ask_delete)
        delete.setEnabled(bool(self.table.total))
        menu.popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft()))

    def _ask_delete(self) -> None:
        count = describe_count(self.table.total, "preference")
        self.confirm.set_question(texts.ASK_DELETE_SHOWN.format(count=count), texts.DELETE)
        self.confirm.ask()

    # -- building ------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        boxes = row_of(None, (self.search, 1), self.verdict, self.source, self.judge, gap=tokens.SPACE_2)
        self.search.setMinimumWidth(140)
        self.grid.setSelectionBehavior(GridView.SelectionBehavior.SelectRows)
        tools = (self.undo_button, self.import_button, self.export_button, self.more_button)
        head = row_of(None, (self.counts, 1), *tools, gap=tokens.SPACE_2)
        self._rows = QStackedWidget()
        for widget in (self.grid, self.nothing, self.empty):
            self._rows.addWidget(widget)
        left = QWidget()
        left.setMinimumWidth(420)
        margins = (tokens.SPACE_5, tokens.SPACE_3, tokens.SPACE_4, 0)
        column_of(left, boxes, head, self.confirm, (self._rows, 1), gap=tokens.SPACE_2, margins=margins)
        self._split = QSplitter()
        for part in (left, self.panel):
            self._split.addWidget(part)
        self._split.setCollapsible(0, False)
        self._split.setCollapsible(1, False)
        self._split.setStretchFactor(0, 1)
        column_of(self, self._split)


def _chosen(box: ChoiceBox) -> tuple[Any, ...]:
    return tuple(box.value.split(",")) if box.value else ()


_ROLES = {"system": texts.SYSTEM, "user": texts.USER, "assistant": texts.ASSISTANT}
_SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard


class JudgementPanel(QFrame):
    """Shows a judgement; what the person wants is signalled, and shown once it is stored."""

    closed = Signal()
    corrected = Signal(str)
    """Another verdict."""
    edited = Signal(str, str)
    """Which answer, ``a`` or ``b``, and what it should have been."""
    commented = Signal(str)
    delete_wanted = Signal()
    chat_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setMinimumWidth(320)
        self.shown: Judgement | None = None
        self.title = Text("", "heading")
        self.close_button = IconButton("close", texts.CLOSE, clicked=self.closed)
        self.facts = Text("", "small")
        self.question = Text("", "body", textInteractionFlags=_SELECTABLE)
        self.earlier = Text("", "small", textInteractionFlags=_SELECTABLE)
        self.earlier_button = FoldButton("", self.earlier)
        self.answers = (AnswerCard("a"), AnswerCard("b"))
        for card in self.answers:
            card.edit_wanted.connect(self._on_edit)
        self.verdict = ChoiceRow(texts.CORRECT, texts.PAIR_CHOICES, chosen=self.corrected)
        self.editor = WordsEditor(texts.EDITOR, texts.SAVE, texts.EDITOR_HELP, (4, 12))
        self.editor.taken.connect(self._on_edited)
        self.editor.given_up.connect(self.editor.hide)
        self._editing: Literal["a", "b"] = "a"
        self.comment = QLineEdit(editingFinished=self._on_comment)
        self.delete_button = QuietButton(texts.DELETE, "trash", small=True, clicked=self.delete_wanted)
        self.chat_button = LinkButton(texts.OPEN_CHAT)
        self.chat_button.clicked.connect(lambda: self.chat_wanted.emit(self.shown.chat if self.shown else ""))
        self.message = InlineMessage()
        self._lay_out()

    def show_judgement(self, judgement: Judgement) -> None:
        """Show a judgement; one that is shown already keeps what is being written."""
        if self.shown is None or self.shown.id != judgement.id:
            self.editor.hide()
            self.message.hide()
            self.earlier_button.setChecked(False)
            self.comment.setText(judgement.comment)
        elif not self.comment.hasFocus():
            self.comment.setText(judgement.comment)
        self.shown = judgement
        self.title.setText(texts.describe_verdict(judgement))
        self.question.setText(judgement.question)
        self._show_earlier(judgement.prompt[:-1])
        self._show_answers(judgement)
        self.verdict.set_choices(texts.PAIR_CHOICES if judgement.is_pair else texts.SINGLE_CHOICES)
        self.verdict.show_value(judgement.verdict)
        self.facts.setText(_facts(judgement))
        self.chat_button.setVisible(bool(judgement.chat))
        if judgement.unreadable:
            self.message.show_message(judgement.unreadable, "attention")

    def _show_earlier(self, earlier: tuple[Message, ...]) -> None:
        self.earlier_button.setText(texts.BEFORE.format(count=len(earlier)))
        self.earlier_button.setVisible(bool(earlier))
        lines = [f"{_ROLES.get(turn.role, turn.role)}: {turn.content}" for turn in earlier]
        self.earlier.setText("\n\n".join(lines))
        self.earlier.setVisible(bool(earlier) and self.earlier_button.isChecked())

    def _show_answers(self, judgement: Judgement) -> None:
        for card, answer in zip(self.answers, (judgement.a, judgement.b), strict=True):
            card.setVisible(answer is not None)
            if answer is None:
                continue
            heading = texts.FIRST if card.side == "a" else texts.SECOND
            card.show_answer(answer, heading if judgement.is_pair else texts.ANSWER, answer is judgement.preferred)

    def _lay_out(self) -> None:
        head = row_of(None, (self.title, 1), self.close_button, gap=tokens.SPACE_2)
        head.setContentsMargins(tokens.SPACE_4, tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_1)
        margin = tokens.SPACE_4
        around = QMargins(margin, 0, margin, margin)
        area = ScrolledColumn(tokens.SPACE_3, width=tokens.READING_WIDTH, margins=around)
        words = column_of(None, Text(texts.QUESTION, "small"), self.question, gap=tokens.SPACE_1)
        area.column.addLayout(words)
        area.column.addWidget(self.earlier_button)
        area.column.addWidget(self.earlier)
        area.column.addWidget(LabelledField(texts.CORRECT, "", self.verdict))
        for card in self.answers:
            area.column.addWidget(card)
        area.column.addWidget(self.editor)
        area.column.addWidget(LabelledField(texts.COMMENT, texts.COMMENT_HELP, self.comment))
        area.column.addWidget(self.message)
        area.column.addWidget(self.facts)
        area.column.addLayout(row_of(None, self.delete_button, self.chat_button, None, gap=tokens.SPACE_2))
        column_of(self, head, (area, 1), gap=0)

    def _on_edit(self, side: Literal["a", "b"]) -> None:
        answer = (self.shown.a if side == "a" else self.shown.b) if self.shown is not None else None
        if answer is not None:
            self._editing = side
            self.editor.begin(answer.text)

    def _on_edited(self, text: str) -> None:
        self.editor.hide()
        self.edited.emit(self._editing, text)

    def _on_comment(self) -> None:
        words = self.comment.text().strip()
        if self.shown is not None and words != self.shown.comment:
            self.commented.emit(words)


class AnswerCard(Card):
    """One of the answers, with the name of its recipe, and whether it was preferred."""

    edit_wanted = Signal(str)

    def __init__(self, side: Literal["a", "b"]) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self.side = side
        self.heading = Text("", "strong")
        self.mark = Chip(texts.BETTER, "success")
        self.edit_button = QuietButton(texts.EDIT, "edit", small=True)
        self.edit_button.clicked.connect(lambda: self.edit_wanted.emit(self.side))
        self.text = Text("", "body", textInteractionFlags=_SELECTABLE)
        self.note = Text("", "small", textInteractionFlags=_SELECTABLE)
        self.body.addLayout(row_of(None, (self.heading, 1), self.mark, self.edit_button, gap=tokens.SPACE_2))
        self.body.addWidget(self.text)
        self.body.addWidget(self.note)

    def show_answer(self, answer: JudgedAnswer, heading: str, preferred: bool) -> None:
        name = texts.name_answer(answer)
        self.heading.setText(f"{heading} · {name}" if name != texts.UNNAMED else heading)
        self.edit_button.setAccessibleName(texts.EDIT_NAME.format(name=heading))
        self.text.setText(answer.text.strip() or "–")
        notes = [texts.ORIGINAL.format(text=answer.original)] if answer.original is not None else []
        notes += filter(None, (texts.CUTS.get(answer.finish),))
        self.note.setText("\n".join(notes))
        self.note.setVisible(bool(notes))
        self.mark.setVisible(preferred)
        self.set_selected(preferred)


def _facts(judgement: Judgement) -> str:
    judge = judgement.judge_name or texts.JUDGES[judgement.judge]
    source = judgement.origin or texts.SOURCES.get(judgement.source, judgement.source)
    said = [texts.FACTS.format(judge=judge, date=texts.describe_moment(judgement.created), source=source)]
    said += [texts.SHOWN_FIRST[judgement.shown]] if judgement.is_pair and judgement.shown else []
    said += [texts.CONFIDENCE.format(value=judgement.confidence)] if judgement.confidence is not None else []
    said += (
        [texts.COMPUTED_BY.format(who=translated(judgement.judged_by.describe()))]
        if judgement.judged_by is not None
        else []
    )
    return "\n".join(said)
