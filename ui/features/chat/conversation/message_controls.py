"""What stands below and beside a message: the switch between versions and the actions on an answer."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import IconButton, QuietButton, Text
from ui.components.feedback_buttons import FeedbackButtons
from ui.components.layout import FlowLayout, row_of
from ui.components.recipe import texts as recipe_texts
from ui.features.chat import compare_texts, texts
from ui.features.chat.comparison.opponents import AGAIN, BASE, Opponent
from ui.theme import tokens
from workbench.records.answers import StoredMessage


class SiblingSwitch(QWidget):
    """Hidden while there is only one. ``chosen`` tells the id to show."""

    chosen = Signal(str)

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        self.place.setAccessibleName(f"{self._what} {self._at + 1} of {len(ids)}")
        self.back.setEnabled(self._at > 0)
        self.forward.setEnabled(self._at < len(ids) - 1)
        self.setVisible(len(ids) > 1)

    def _step(self, by: int) -> None:
        place = self._at + by
        if 0 <= place < len(self._ids):
            self.chosen.emit(self._ids[place])


_COPIED_MS = 1_500
_SIZE = 28  # px, as high as the small buttons beside


class AnswerFooter(QWidget):
    """Only what applies to the answer is in sight. The buttons say themselves that they were clicked."""

    def __init__(self, siblings: SiblingSwitch) -> None:
        super().__init__()
        self.copy_button = _small(texts.COPY, "copy")
        self.copy_button.setAccessibleName(texts.COPY_ANSWER)
        self.again_button = _small(texts.AGAIN, "refresh")
        self.again_button.setAccessibleName(texts.ANSWER_AGAIN)
        self.vary_button = _small(texts.VARY, "branch")
        self.vary_button.setToolTip(texts.VARY_HELP)
        self.continue_button = _small(texts.CONTINUE, "play")
        self.answers_button = _small("", "table")
        self.answers_button.setCheckable(True)
        self.answers_button.setToolTip(texts.ANSWERS_HELP)
        self.tokens_button = _small(texts.TOKENS, "search")
        self.tokens_button.setToolTip(texts.TOKENS_HELP)
        self.beams_button = _small(texts.BEAMS, "branch")
        self.beams_button.setToolTip(texts.BEAMS_HELP)
        self.steps_button = _small("", "summary")
        self.steps_button.setToolTip(texts.STEPS_HELP)
        self.passages_button = _small("", "eye")
        self.feedback = FeedbackButtons()
        self.compare_button = _small(compare_texts.COMPARE, "adapters")
        self.compare_button.setCheckable(True)
        self.compare_menu_button = IconButton("chevron-down", recipe_texts.WITH_MENU)
        self.compare_menu_button.setFixedSize(_SIZE, _SIZE)
        self._compare = QWidget()  # the two stay on one line
        row_of(self._compare, self.compare_button, self.compare_menu_button, gap=0)
        self.compare_menu_button.hide()
        self._copied = QTimer(
            self, singleShot=True, interval=_COPIED_MS, timeout=lambda: self.copy_button.setText(texts.COPY)
        )
        row = FlowLayout(self, tokens.SPACE_1)
        again = (self.continue_button, self.again_button, self.vary_button)
        for part in (siblings, self.copy_button, *again, self.feedback):
            row.addWidget(part)
        for button in (
            self._compare,
            self.answers_button,
            self.steps_button,
            self.tokens_button,
            self.beams_button,
            self.passages_button,
        ):
            button.hide()
            row.addWidget(button)
        self.setMinimumHeight(30)  # reserved from the start: nothing moves when it is filled

    def show_message(self, message: StoredMessage, by_beams: bool, repeats: bool) -> None:
        """``by_beams``: the answer comes of a beam search, whose tree can be shown. ``repeats``: another one with the
        same settings would be the same text."""
        written = message.state != "streaming" and bool(message.text)
        self.copy_button.setVisible(written)
        self.again_button.setVisible(message.state not in ("streaming", "failed"))  # that has its own Try again
        self.vary_button.setVisible(written and repeats and not message.declined and message.document is None)
        quoted = message.verification is not None and message.verification.quoted > 0
        self.continue_button.setToolTip(texts.LEAVE_LOOP_HELP if message.looped else texts.CONTINUE_HELP)
        broken_off = message.state == "stopped" or message.looped
        self.continue_button.setVisible(broken_off and message.traced and written and not quoted)
        self.feedback.setVisible(written)
        self.feedback.show_rating(message.rating)
        self.beams_button.setVisible(message.traced and by_beams)

    def show_answers(self, message: StoredMessage, beside: bool) -> None:
        """How many answers were made at once, and whether they stand ``beside`` each other now."""
        count = len(message.sequences)
        self.answers_button.setText(texts.ANSWERS_BUTTON.format(count=count))
        self.answers_button.setVisible(message.state != "streaming" and count > 1)
        self.answers_button.setChecked(beside)
        self.tokens_button.setVisible(message.traced and not beside)

    def show_steps(self, count: int) -> None:
        self.steps_button.setText(texts.STEPS_BUTTON.format(count=count))
        self.steps_button.setVisible(count > 0)

    def show_passages(self, count: int) -> None:
        self.passages_button.setText(texts.PASSAGES_BUTTON.format(count=count))
        self.passages_button.setVisible(count > 0)

    def offer_comparison(self, there: bool, can_ask: bool, opponent: Opponent) -> None:
        """Whether there is an answer to compare it with, and else whether one of ``opponent`` can be asked for."""
        helps = {BASE.name: compare_texts.COMPARE_ANSWER_HELP, AGAIN.name: compare_texts.COMPARE_AGAIN_HELP}
        ask = helps.get(opponent.name, compare_texts.COMPARE_RECIPE_HELP)
        self.compare_button.setText(compare_texts.BESIDE_BUTTON if there else compare_texts.COMPARE)
        self.compare_button.setToolTip(compare_texts.BESIDE_HELP if there else ask)
        self._compare.setVisible(there or can_ask)
        self.compare_menu_button.setVisible(can_ask)

    def show_blind(self) -> None:
        """Only the way back from a comparison: all else is about one of its answers."""
        for part in self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            part.setVisible(part is self._compare)
        self.compare_menu_button.hide()

    def show_copied(self) -> None:
        """Say for a moment that the answer was copied."""
        self.copy_button.setText(texts.COPIED)
        self._copied.start()


def _small(words: str, icon: str) -> QuietButton:
    button = QuietButton(words, icon, small=True)
    return button
