"""The row below a message: the switch between versions, and the actions on an answer."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from ui import texts as window_texts
from ui.components.basics import IconButton, QuietButton, Text
from ui.components.feedback_buttons import FeedbackButtons
from ui.components.layout import FlowLayout, row_of
from ui.features.chat import compare_texts, texts
from ui.features.chat.comparison.opponents import AGAIN, BASE, Opponent
from ui.features.chat.conversation.answer_menu import AnswerMenu
from ui.theme import tokens
from workbench.records.answers import StoredMessage


class SiblingSwitch(QWidget):
    """Hidden while there is only one. ``chosen`` tells the id to show."""

    chosen = Signal(str)

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what
        self._ids: tuple[str, ...] = ()
        self._at = 0
        self.back = IconButton("chevron-left", texts.PREVIOUS.format(what=what))
        self.forward = IconButton("chevron-right", texts.NEXT.format(what=what))
        self.place = Text("", "small", wordWrap=False)
        self.back.clicked.connect(lambda: self._step(-1))
        self.forward.clicked.connect(lambda: self._step(1))
        row_of(self, self.back, self.place, self.forward, gap=0)
        self.hide()

    def show_siblings(self, ids: tuple[str, ...], shown: str) -> None:
        self._ids = ids
        self._at = ids.index(shown) if shown in ids else 0
        self.place.setText(f"{self._at + 1}/{len(ids)}")
        self.place.setAccessibleName(texts.NUMBER_OF.format(what=self._what, number=self._at + 1, count=len(ids)))
        self.back.setEnabled(self._at > 0)
        self.forward.setEnabled(self._at < len(ids) - 1)
        self.setVisible(len(ids) > 1)

    def _step(self, by: int) -> None:
        place = self._at + by
        if 0 <= place < len(self._ids):
            self.chosen.emit(self._ids[place])


_COPIED_MS = 1_500


class AnswerFooter(QWidget):
    """Copy, Again, Sources, the rating, and the menu with all else, always in this order. Only what applies to the
    answer is in sight. The buttons say themselves that they were clicked."""

    def __init__(self, siblings: SiblingSwitch) -> None:
        super().__init__()
        self.copy_button = _small(texts.COPY, "copy")
        self.copy_button.setAccessibleName(texts.COPY_ANSWER)
        self.again_button = _small(texts.AGAIN, "refresh")
        self.again_button.setAccessibleName(texts.ANSWER_AGAIN)
        self.sources_button = _small("", "documents")
        self.sources_button.setToolTip(texts.SOURCES_HELP)
        self.feedback = FeedbackButtons()
        self.more_button = _small(texts.MORE, "more")
        self.more_button.setAccessibleName(texts.MORE_HELP)
        self.more_button.setToolTip(texts.MORE_HELP)
        self.menu = AnswerMenu(self)
        self.more_button.clicked.connect(self._on_more)
        self.single_button = _small(compare_texts.ONE_ANSWER, "close")
        self.single_button.setToolTip(compare_texts.ONE_ANSWER_HELP)
        self._copied = QTimer(
            self, singleShot=True, interval=_COPIED_MS, timeout=lambda: self.copy_button.setText(texts.COPY)
        )
        row = FlowLayout(self, tokens.SPACE_1)
        buttons = (self.copy_button, self.again_button, self.sources_button, self.feedback)
        for part in (siblings, *buttons, self.more_button, self.single_button):
            row.addWidget(part)
        self.sources_button.hide()
        self.single_button.hide()
        self.setMinimumHeight(30)  # reserved from the start: nothing moves when it is filled

    def show_message(self, message: StoredMessage, by_beams: bool, repeats: bool) -> None:
        """``by_beams``: the answer comes of a beam search, whose tree can be shown. ``repeats``: another one with the
        same settings would be the same text."""
        streaming = message.state == "streaming"
        written = not streaming and bool(message.text)
        self.copy_button.setVisible(written)
        self.again_button.setVisible(message.state not in ("streaming", "failed"))  # that has its own Try again
        self.feedback.setVisible(written)
        self.feedback.show_rating(message.rating)
        self.more_button.setVisible(not streaming)
        menu, task = self.menu, message.document is not None
        late = "" if written else texts.NOT_WRITTEN_YET
        menu.offer(menu.resume, late or _no_rest(message), texts.LEAVE_LOOP_HELP if message.looped else "")
        varied = late or (texts.NOTHING_TO_VARY if message.declined or task or not repeats else "")
        menu.offer(menu.vary, varied, texts.VARY_HELP)
        menu.offer(menu.edit, late, window_texts.EDIT_ANSWER_HELP)
        menu.offer(menu.beams, _unless(message.traced and by_beams, texts.NO_BEAMS), texts.BEAMS_HELP)
        menu.offer(menu.map, _unless(not streaming and message.recipe is not None, texts.NO_MAP), texts.MAP_OF_ANSWER)

    def show_answers(self, message: StoredMessage, beside: bool) -> None:
        """How many answers were made at once, and whether they stand ``beside`` each other now."""
        count, menu = len(message.sequences), self.menu
        several = message.state != "streaming" and count > 1
        menu.answers.setText(texts.ANSWERS_BUTTON.format(count=count) if several else texts.ALL_ANSWERS)
        menu.offer(menu.answers, _unless(several, texts.ONE_ANSWER), texts.ANSWERS_HELP)
        menu.answers.setChecked(beside and several)
        untraced = texts.TOKENS_BESIDE if beside else _unless(message.traced, texts.NO_TOKENS)
        menu.offer(menu.tokens, untraced, texts.TOKENS_HELP)

    def show_steps(self, count: int) -> None:
        self.menu.steps.setText(texts.STEPS_BUTTON.format(count=count) if count else texts.STEPS)
        self.menu.offer(self.menu.steps, _unless(count > 0, texts.NO_STEPS), texts.STEPS_HELP)

    def show_sources(self, count: int) -> None:
        """The number of passages that the model was shown."""
        self.sources_button.setText(texts.SOURCES_BUTTON.format(count=count))
        self.sources_button.setVisible(count > 0)

    def offer_comparison(self, there: bool, can_ask: bool, opponent: Opponent) -> None:
        """Whether there is an answer to compare it with, and else whether one of ``opponent`` can be asked for."""
        helps = {BASE.name: compare_texts.COMPARE_ANSWER_HELP, AGAIN.name: compare_texts.COMPARE_AGAIN_HELP}
        ask, menu = helps.get(opponent.name, compare_texts.COMPARE_RECIPE_HELP), self.menu
        menu.compare.setText(compare_texts.BESIDE_BUTTON if there else compare_texts.COMPARE)
        incomparable = compare_texts.INCOMPARABLE
        menu.offer(menu.compare, _unless(there or can_ask, incomparable), compare_texts.BESIDE_HELP if there else ask)
        menu.offer(menu.compare_with, _unless(can_ask, incomparable))

    def show_compared(self, shown: bool) -> None:
        """Whether two answers stand side by side in the place of this one."""
        self.menu.compare.setChecked(shown)
        self.single_button.setVisible(shown)

    def show_blind(self) -> None:
        """Only the way back from a comparison: all else is about one of its answers."""
        for part in self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if part is not self.menu:
                part.setVisible(part is self.single_button)

    def show_copied(self) -> None:
        """Say for a moment that the answer was copied."""
        self.copy_button.setText(texts.COPIED)
        self._copied.start()

    def _on_more(self) -> None:
        self.menu.popup(self.more_button.mapToGlobal(QPoint(0, self.more_button.height())))


def _no_rest(message: StoredMessage) -> str:
    """Why an answer cannot be continued at its end; "" where it can."""
    quoted = message.verification is not None and message.verification.quoted > 0
    broken_off = message.state == "stopped" or message.looped
    return _unless(broken_off and message.traced and not quoted, texts.COMPLETE)


def _unless(there: bool, reason: str) -> str:
    return "" if there else reason


def _small(words: str, icon: str) -> QuietButton:
    return QuietButton(words, icon, small=True)
