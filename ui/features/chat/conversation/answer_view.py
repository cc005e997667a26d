"""An answer in the conversation: what is waited for, the text, its sources and what it cost, and what to do with it.

It shows a stored message, and one that is being made. Several answers made at once are columns beside each other. It
asks for nothing itself: what the person wants is signalled. Long because it joins all parts of an answer.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from ui.components.basics import InlineMessage, LinkButton, Text
from ui.components.layout import Centred, FlowLayout, column_of
from ui.components.markdown_view import MarkdownView
from ui.components.recipe.recipes import collections_of
from ui.components.words_editor import WordsEditor
from ui.features.chat import agent_texts, texts
from ui.features.chat.comparison.answer_comparison import AnswerComparison, ShownPair
from ui.features.chat.conversation.answer_columns import AnswerColumns
from ui.features.chat.conversation.answer_parts import DeclinedNote, ThoughtView, Waiting
from ui.features.chat.conversation.answer_sources import AnswerSources
from ui.features.chat.conversation.approval_card import ApprovalCard
from ui.features.chat.conversation.copying import copied_answer
from ui.features.chat.conversation.edited_note import EditedNote
from ui.features.chat.conversation.message_controls import AnswerFooter, SiblingSwitch
from ui.features.chat.conversation.outcome_view import PerhapsNote, RoadLine
from ui.features.chat.conversation.trust import marks_of
from ui.features.chat.conversation.usage_line import UsageLine
from ui.features.chat.traces.answer_inspection import AnswerInspection
from ui.features.chat.traces.beam_tree import BeamTree
from ui.theme import tokens
from ui.theme.theme import set_property
from workbench.base.catalogue import translated
from workbench.records.answers import StoredMessage
from workbench.records.messages import Citation, Passage, Verification
from workbench.records.methods import Methods
from workbench.records.places import columns_of
from workbench.records.recipes import DecodingPart, Recipe, draws, follows_beams, note_on_penalties, takes_best
from workbench.records.timeline import CALL
from workbench.records.trace import Trace
from workbench.records.trust import UNSURE, describe_trust

VARIED, PLAIN, CONTINUED = "varied", "plain", "continued"
"""How another answer differs: drawn more freely; without documents; the same one, continued at its end."""
_BY_REFUSAL = ("whole", "other", "chat")
"""The roads that the note of a refusal has buttons for."""
WIDE = 1180
"""How wide, in px, columns and trees may be; reading text stays at ``READING_WIDTH``."""


class AnswerView(QWidget):
    """One answer. ``message_id`` is the stored message that it shows."""

    source_wanted = Signal(object)
    side_by_side_wanted = Signal(object)
    """A Citation or Passage was clicked."""
    passages_wanted = Signal(str)
    again_wanted = Signal(str)
    sibling_wanted = Signal(str)
    link_clicked = Signal(str)
    keep_wanted = Signal(str, int)
    """Another of the answers made at once is to be the conversation's: the message and the answer's place."""

    rated = Signal(str, int)
    rewritten = Signal(str, str)
    """What the answer should have been; no words: what it was at first."""
    compare_wanted = Signal(str, bool)
    """Base and tuned are to stand side by side, or not any more."""
    pair_kept = Signal(str)
    editing = Signal(object)
    """The editor was opened."""
    decided = Signal(str, object)
    """The person's Decision on the call that the message waits for."""
    another_wanted = Signal(str, str)
    """Another answer is wanted: the message, and how it differs: ``VARIED``, ``PLAIN`` or ``CONTINUED``."""
    map_wanted = Signal(str)
    export_wanted = Signal()
    print_wanted = Signal()
    """The work of each technique for the message."""
    collection_wanted = Signal(str, str)
    """Another answer is wanted: the message, and the name of the collection that is asked."""
    task_wanted = Signal(object)
    """A DocumentTask is wanted."""
    road_wanted = Signal(str, str)
    """Another answer is wanted: the message, and the road that its question is to take."""

    def __init__(self, message: StoredMessage, methods: Methods[Any]) -> None:
        super().__init__()
        self.message_id = message.id
        self._methods = methods
        self._message = message
        self._collections: tuple[str, ...] = ()
        self._steps = 0
        self._tree_opened = False
        self._agent_opened = False
        self._followed = False
        self._opened: bool | None = None  # what the person chose: columns, or only the kept answer
        self.waiting = Waiting()
        self.thought = ThoughtView()
        self.text = MarkdownView()
        self.text.setAccessibleName(texts.ANSWER_TEXT)
        self.text.citation_clicked.connect(self._on_citation)
        self.text.link_clicked.connect(self.link_clicked)
        self.columns = self._make_columns()
        self.comparison = self._make_comparison()
        self.editor = WordsEditor(texts.CORRECTED_ANSWER, texts.SAVE, texts.EDITOR_HELP, (3, 14))
        self.editor.taken.connect(self._on_saved)
        self.editor.given_up.connect(self.end_edit)
        self.edited_note = EditedNote()
        self.edited_note.restore_wanted.connect(lambda: self.rewritten.emit(self.message_id, ""))
        self.declined_note = DeclinedNote()
        self.declined_note.nearest_wanted.connect(lambda: self.passages_wanted.emit(self.message_id))
        self.declined_note.plain_wanted.connect(lambda: self.another_wanted.emit(self.message_id, PLAIN))
        self.declined_note.road_wanted.connect(lambda road: self.road_wanted.emit(self.message_id, road))
        self.declined_note.collection_wanted.connect(lambda name: self.collection_wanted.emit(self.message_id, name))
        self.declined_note.task_wanted.connect(self.task_wanted)
        self.perhaps_note = PerhapsNote()
        self.roads = RoadLine()
        self.roads.road_wanted.connect(lambda road: self.road_wanted.emit(self.message_id, road))
        self.approval = ApprovalCard()
        self.approval.decided.connect(lambda decision: self.decided.emit(self.message_id, decision))
        self.approval.editing.connect(self.editing)
        self.notices = Text("", "attention")
        self.trust = Text("", "small")
        self.state_line = Text("", "small", wordWrap=False)
        self.continue_button = LinkButton(texts.CONTINUE, small=True, toolTip=texts.CONTINUE_HELP)
        self.continue_button.clicked.connect(lambda: self.another_wanted.emit(self.message_id, CONTINUED))
        self._ending = QWidget()
        ending = FlowLayout(self._ending, tokens.SPACE_1)
        ending.addWidget(self.state_line)
        ending.addWidget(self.continue_button)
        self.failure = InlineMessage(closable=False)
        self.sources = AnswerSources()
        self.sources.source_wanted.connect(self.source_wanted)
        self.sources.side_by_side_wanted.connect(self.side_by_side_wanted)
        self.siblings = SiblingSwitch("answer")
        self.siblings.chosen.connect(self.sibling_wanted)
        self.inspection = AnswerInspection()
        self.inspection.opened_changed.connect(self._on_inspection_opened)
        self.inspection.source_wanted.connect(self.source_wanted)
        self.footer = self._make_footer()
        self.usage = UsageLine()
        self._inspection_place = Centred(self.inspection)
        column = column_of(
            self,
            Centred(self.waiting, self.declined_note, self.thought, self.perhaps_note, self.text, self.editor),
            self.columns,
            self.comparison,
            gap=tokens.SPACE_2,
            margins=(0, 0, 0, tokens.SPACE_4),
        )
        told = (self.sources, self.trust, self.notices, self.roads)
        below = (self.edited_note, self._ending, self.approval, self.failure, *told)
        column.addWidget(Centred(*below, self.footer, self.usage))
        column.addWidget(self._inspection_place)
        self.show_message(message)

    # -- a stored message --------------------------------------------------------------------------

    def show_message(self, message: StoredMessage, siblings: tuple[str, ...] = ()) -> None:
        """Show the message as it is stored; what stands there already stays untouched."""
        self.message_id = message.id
        self._message = message
        streaming = message.state == "streaming"
        self.text.set_language(_language(message))
        self.columns.set_language(_language(message))
        self.sources.offers_comparison = message.road == "compare"
        self.show_sources(message.citations, message.passages)
        self.thought.set_text(message.thought)
        if streaming:
            self.text.set_numbers({passage.n for passage in message.passages})
        else:
            self.text.set_text(message.text, self._numbers())
            self.text.set_marks(marks_of(message.text, message.verification))
        self._show_trust(message)
        self.waiting.setVisible(streaming and not self.text.text and not self._has_columns_text())
        self._show_declined(message.declined and not streaming, message.text)
        self._show_outcome(message)
        self._show_answers()
        self._show_notices(message.notices)
        self._show_state(message)
        self.approval.show_approval(message.waiting if message.state == "waiting" else None)
        self._show_footer(message, streaming)
        if siblings:
            self.siblings.show_siblings(siblings, message.id)
        # with an answer that failed before its first word nothing can be done but to try again
        failed = message.state == "failed" and not message.text and not message.sequences
        self.footer.setVisible((not failed or self.siblings.isVisibleTo(self.footer)) and self.editor.isHidden())
        self.usage.setVisible(not failed)

    def set_followed(self, followed: bool) -> None:
        """Whether the conversation went on below it: then of several answers only the kept one is shown."""
        if followed != self._followed:
            self._followed = followed
            self._show_answers()
            self._show_outcome(self._message)

    def show_sources(self, citations: tuple[Citation, ...], passages: tuple[Passage, ...]) -> None:
        self.sources.show_sources(citations, passages)
        named = {source.n: names for source in (*passages, *citations) if (names := columns_of(source))}
        self.text.set_columns(named)
        self.footer.show_sources(len(passages))

    @property
    def shows_columns(self) -> bool:
        """Whether several answers stand side by side; else there is one, or only the kept one is shown."""
        if self._message.state == "streaming":
            return bool(self.columns.columns)
        if len(self._message.sequences) < 2:
            return False
        return self._opened if self._opened is not None else not self._followed

    @property
    def begins_above(self) -> bool:
        """Whether what is read first is its beginning, not its end."""
        return self.shows_columns or (self._agent_opened and self.inspection.is_open)

    # -- rating, editing, comparing ------------------------------------------------------------------

    def begin_edit(self) -> None:
        """Let the person write the answer anew, in its place."""
        self.text.hide()
        self.footer.hide()
        self.editor.begin(self._message.text)
        self.editing.emit(self.editor)

    def end_edit(self) -> None:
        self.editor.hide()
        self.footer.show()
        self._show_answers()
        self.footer.more_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_comparison(self, pair: ShownPair) -> None:
        """Show both answers side by side in the place of this one."""
        was_blind = self.comparison.blind
        self.comparison.show_pair(pair, self.message_id)
        self.comparison.show()
        if self.comparison.blind:  # what is below is of one of the two, and would tell which
            told = (self.sources, self.trust, self.notices, self.roads, self.perhaps_note)
            for part in (*told, self.usage, self.edited_note, self._ending):
                part.hide()
        elif was_blind:
            self.show_message(self._message)
        self.footer.show_compared(True)
        self.waiting.hide()
        self._show_answers()

    def close_comparison(self) -> None:
        self.footer.show_compared(False)
        if not self.comparison.isHidden():
            self.comparison.hide()
            self.show_message(self._message)

    # -- one that is being made --------------------------------------------------------------------

    def show_waiting(self, words: str) -> None:
        """The reason why the answer waits; no words hide the line."""
        self.waiting.show_words(words)

    def show_pace(self, parts: tuple[str, ...]) -> None:
        """How fast the answer is written, where what it cost will stand."""
        if self._message.state == "streaming":
            self.usage.show_pace(parts)

    def show_passages(self, passages: tuple[Passage, ...]) -> None:
        """The passages that the model is shown, before it answers."""
        self.show_sources(self.sources.citations, passages)
        numbers = {passage.n for passage in passages}
        self.text.set_numbers(numbers)
        self.columns.set_numbers(numbers)

    def show_trusted(self, text: str, verification: Verification | None, citations: tuple[Citation, ...]) -> None:
        """The verified and cited parts of an answer that has come as far as ``text``."""
        self.show_sources(citations, self.sources.passages)
        if not self.columns.columns:
            self.text.set_marks(marks_of(text, verification, written=False))

    def add_text(self, piece: str, sequence: int = 0) -> None:
        """The next piece of one of the answers."""
        if self.waiting.isVisibleTo(self):
            self.waiting.hide()
        if sequence and not self.columns.columns:
            self.columns.begin(sequence + 1)
            self.columns.add_text(0, self.text.text)
            self.text.hide()
            self._show_answers()
        if self.columns.columns:
            self.columns.add_text(sequence, piece)
            return
        if not self.text.isVisibleTo(self) and self.comparison.isHidden():
            self.text.show()
        self.text.add(piece)

    def add_thought(self, piece: str) -> None:
        self.thought.add_text(piece)

    def show_notices(self, notices: tuple[str, ...]) -> None:
        self._show_notices(notices)

    def show_steps(self, trace: Trace) -> None:
        """The steps so far of an answer that is being generated, or that has just ended."""
        self._steps = len(trace.steps)
        self.footer.show_steps(self._shown_steps)
        self.inspection.show_trace(trace)
        if not self._tree_opened and any(step.kind == "tree" for step in trace.steps):
            self._tree_opened = True  # once: a person may close it
            self._open_steps()
        elif not self._agent_opened and any(step.kind == CALL for step in trace.steps):
            self._agent_opened = True
            self._open_steps()

    def show_beams(self, tree: BeamTree) -> None:
        """The beams so far of a beam search that is going on."""
        self.inspection.show_live_beams(tree)

    def _open_steps(self) -> None:
        self._show_footer(self._message, self._message.state == "streaming")
        self.inspection.open_steps()

    # -- parts ---------------------------------------------------------------------------------------

    def _make_columns(self) -> AnswerColumns:
        columns = AnswerColumns()
        columns.keep_wanted.connect(self._on_keep)
        columns.tokens_wanted.connect(lambda number: self.inspection.toggle_tokens(number))
        columns.citation_clicked.connect(self._on_citation)
        columns.link_clicked.connect(self.link_clicked)
        columns.hide()
        return columns

    def _make_comparison(self) -> AnswerComparison:
        comparison = AnswerComparison()
        comparison.message_kept.connect(self.pair_kept)
        comparison.citation_clicked.connect(self._on_citation)
        comparison.link_clicked.connect(self.link_clicked)
        comparison.hide()
        return comparison

    def _make_footer(self) -> AnswerFooter:
        footer = AnswerFooter(self.siblings)
        footer.copy_button.clicked.connect(self._on_copy)
        footer.again_button.clicked.connect(lambda: self.again_wanted.emit(self.message_id))
        footer.sources_button.clicked.connect(lambda: self.passages_wanted.emit(self.message_id))
        footer.feedback.rated.connect(lambda rating: self.rated.emit(self.message_id, rating))
        footer.single_button.clicked.connect(lambda: self.compare_wanted.emit(self.message_id, False))
        menu = footer.menu
        menu.vary.triggered.connect(lambda: self.another_wanted.emit(self.message_id, VARIED))
        menu.resume.triggered.connect(lambda: self.another_wanted.emit(self.message_id, CONTINUED))
        menu.edit.triggered.connect(self.begin_edit)
        menu.compare.triggered.connect(lambda opened: self.compare_wanted.emit(self.message_id, opened))
        menu.answers.triggered.connect(self._on_answers_clicked)
        menu.tokens.triggered.connect(lambda: self.inspection.toggle_tokens(self._message.selected_sequence))
        menu.beams.triggered.connect(self.inspection.toggle_beams)
        menu.steps.triggered.connect(self.inspection.toggle_steps)
        menu.export.triggered.connect(self.export_wanted)
        menu.print.triggered.connect(self.print_wanted)
        menu.map.triggered.connect(lambda: self.map_wanted.emit(self.message_id))
        return footer

    def _show_footer(self, message: StoredMessage, streaming: bool) -> None:
        self.usage.show_usage(message.usage, message.recipe.prompting.sources if message.recipe is not None else ())
        self._steps = message.steps or self._steps
        decoding = message.recipe.decoding if message.recipe is not None else DecodingPart()
        strategy = self._methods.row(decoding.strategy, "decoding")
        by_beams = follows_beams(decoding, strategy)
        quoted = message.verification is not None and message.verification.quoted > 0
        self.footer.show_message(message, by_beams, repeats=quoted or not draws(decoding, strategy))
        continued = self.footer.menu.resume.isEnabled()
        self.continue_button.setVisible(continued)
        self._ending.setVisible(continued or bool(self.state_line.text()))
        self.continue_button.setToolTip(texts.LEAVE_LOOP_HELP if message.looped else texts.CONTINUE_HELP)
        self.footer.show_steps(self._shown_steps)
        self.edited_note.show_message(message)
        self.inspection.steps.set_changeable(not streaming and self._resumes(message.recipe or Recipe()))
        self.inspection.show_answer(
            "" if streaming else message.text,
            max(1, len(message.sequences)),
            self._shown_steps > 0,
            message.traced,
            by_beams and (message.traced or self.inspection.has_tree),
            decoding.length_penalty,
            translated(note_on_penalties(decoding, strategy)),
            takes_best(decoding, strategy),
        )

    def _resumes(self, recipe: Recipe) -> bool:
        agent, technique = recipe.agent, recipe.prompting.technique
        row = self._methods.row(agent.method, "agent") if agent else self._methods.row(technique, "technique")
        return "resumes" in row.traits

    def set_methods(self, methods: Methods[Any]) -> None:
        """The decoding strategies that there are."""
        self._methods = methods
        self._show_footer(self._message, self._message.state == "streaming")

    def set_collections(self, names: tuple[str, ...]) -> None:
        """The collections that can be asked: a refusal offers the others."""
        if names != self._collections:
            self._collections = names
            self._show_declined(self._message.declined and self._message.state != "streaming", self._message.text)

    @property
    def _shown_steps(self) -> int:
        """How many steps there are to look at. A single one that is under way is the answer that is being read."""
        return 0 if self._message.state == "streaming" and self._steps < 2 else self._steps

    def _show_answers(self) -> None:
        """The one text or the columns, whichever is to be seen."""
        message = self._message
        streaming = message.state == "streaming"
        if streaming and not self.columns.columns:
            self.columns.begin(_expected(message))
        elif not streaming and len(message.sequences) > 1:
            self.columns.show_answers(
                message.sequences, message.selected_sequence, self._numbers(), True, message.traced
            )
        elif not streaming:
            self.columns.begin(0)
        beside = self.shows_columns
        self.columns.setVisible(beside)
        elsewhere = beside or not self.comparison.isHidden() or not self.editor.isHidden()
        self.text.setVisible(bool(self.text.text) and not elsewhere and not self.declined_note.isVisibleTo(self))
        self.footer.show_answers(message, beside)
        if not self.comparison.isHidden() and self.comparison.blind:
            self.footer.show_blind()

    def _numbers(self) -> set[int]:
        message = self._message
        return {source.n for source in message.citations} | {source.n for source in message.passages}

    def _has_columns_text(self) -> bool:
        return any(column.text.text for column in self.columns.columns)

    def _show_declined(self, declined: bool, words: str) -> None:
        self.declined_note.setVisible(declined)
        if declined:
            self.declined_note.show_note(words, self.sources.passages, self.source_wanted.emit)
            asked = collections_of(self._message.recipe or Recipe())
            others = [name for name in self._collections if name not in asked]
            self.declined_note.show_ways(self._message.roads, others, self._methods.of("task"))

    def _show_outcome(self, message: StoredMessage) -> None:
        """The reasons to doubt the answer; the roads to ask again by, unless the conversation has gone on below."""
        ended = message.state != "streaming"
        if ended and message.outcome == "perhaps":
            self.perhaps_note.show_reasons(message.reasons)
        else:
            self.perhaps_note.hide()
        offered = ended and not self._followed and message.state == "done"
        by_note = _BY_REFUSAL if message.declined else ()
        roads = tuple(road for road in message.roads if road not in by_note)
        self.roads.show_roads(message.road if offered else None, roads)

    def _show_notices(self, notices: tuple[str, ...]) -> None:
        self.notices.setText("\n".join(notices))
        self.notices.setVisible(bool(notices))

    def _show_trust(self, message: StoredMessage) -> None:
        """How far the documents support the answer; an answer in columns has one verdict, the selected one's."""
        said, warns = describe_trust(message.verification) if message.state != "streaming" else ("", False)
        words, unsure = translated(said), translated(UNSURE)
        if any(reason.text == unsure for reason in message.reasons):
            words = " ".join(words.replace(unsure, "").split())  # it stands above the answer
        set_property(self.trust, "role", "attention" if warns else "small")
        self.trust.setText(words)
        self.trust.setVisible(bool(words))
        doubted = message.verification is not None and message.verification.unsure
        self.trust.setToolTip(texts.FITTED if doubted else "")
        self.perhaps_note.setToolTip(texts.FITTED if doubted else "")

    def _show_state(self, message: StoredMessage) -> None:
        states = {"stopped": texts.STOPPED, "interrupted": texts.INTERRUPTED, "waiting": agent_texts.WAITS_FOR_YOU}
        words = states.get(message.state, "")
        self.state_line.setText(words)
        self.state_line.setVisible(bool(words))
        self._ending.setVisible(bool(words))
        if message.state == "failed":
            reason = _in_a_sentence(message.error) or texts.FAILED
            self.failure.setToolTip(message.error if reason != message.error else "")
            self.failure.show_message(
                reason, "danger", texts.TRY_AGAIN, lambda: self.again_wanted.emit(self.message_id)
            )
        else:
            self.failure.hide()

    def _on_keep(self, sequence: int) -> None:
        self._opened = False
        self.keep_wanted.emit(self.message_id, sequence)

    def _on_answers_clicked(self, opened: bool) -> None:
        self._opened = opened
        self._show_answers()

    def _on_inspection_opened(self) -> None:
        self._inspection_place.setVisible(self.inspection.is_open)
        self._inspection_place.set_most(WIDE if self.inspection.is_wide else tokens.READING_WIDTH)

    def _on_citation(self, number: int) -> None:
        source = self.sources.source_of(number)
        if source is not None:
            self.source_wanted.emit(source)

    def _on_saved(self, text: str) -> None:
        changed = text != self._message.text
        self.end_edit()
        if changed:
            self.rewritten.emit(self.message_id, text)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setMimeData(copied_answer(self.text.text, self.sources.citations))
        self.footer.show_copied()


def _expected(message: StoredMessage) -> int:
    """How many answers will stand side by side, as far as the recipe tells; 0 when it is one."""
    count = message.recipe.decoding.n if message.recipe is not None else 1
    return count if count > 1 else 0


def _in_a_sentence(error: str) -> str:
    """Why it failed: of a fault inside the program what it was, not where in the code."""
    if "Traceback (most recent call last)" not in error:
        return error
    return texts.FAULT.format(value=error.strip().splitlines()[-1].strip())


def _language(message: StoredMessage) -> str | None:
    """The language of an answer that is code by its form."""
    form = message.recipe.decoding.format if message.recipe is not None else "text"
    return "json" if form in ("json", "json_schema") and not message.declined else None
