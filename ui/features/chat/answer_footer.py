"""What can be done with an answer, in a row below it."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from ui.components.basics import QuietButton
from ui.components.flow import FlowLayout
from ui.features.chat.answer_feedback import FeedbackButtons
from ui.features.chat.siblings import SiblingSwitch
from ui.theme import tokens
from workbench.api.calls import StoredMessage

_COPIED_MS = 1_500


class AnswerFooter(QWidget):
    """Only what applies to the answer is in sight. The buttons say themselves that they were clicked."""

    def __init__(self, siblings: SiblingSwitch) -> None:
        super().__init__()
        self.copy_button = _small("Copy", "copy")
        self.copy_button.setAccessibleName("Copy answer")
        self.again_button = _small("Again", "refresh")
        self.again_button.setAccessibleName("Answer again")
        self.answers_button = _small("", "table")
        self.answers_button.setCheckable(True)
        self.answers_button.setToolTip("Show all the answers that were made at once, or only the kept one")
        self.tokens_button = _small("Tokens", "search")
        self.tokens_button.setToolTip("How probable each token was, and what else could have come")
        self.beams_button = _small("Beams", "branch")
        self.beams_button.setToolTip("The tree of the beam search that led to this answer")
        self.passages_button = _small("", "eye")
        self.feedback = FeedbackButtons()
        self.compare_button = _small("Compare", "adapters")
        self.compare_button.setCheckable(True)
        self._copied = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._copied.timeout.connect(lambda: self.copy_button.setText("Copy"))
        row = FlowLayout(self, tokens.SPACE_1)
        for part in (siblings, self.copy_button, self.again_button, self.feedback):
            row.addWidget(part)
        for button in (
            self.compare_button,
            self.answers_button,
            self.tokens_button,
            self.beams_button,
            self.passages_button,
        ):
            button.hide()
            row.addWidget(button)
        self.setMinimumHeight(30)  # reserved from the start: nothing moves when it is filled

    def show_message(self, message: StoredMessage) -> None:
        written = message.state != "streaming" and bool(message.text)
        self.copy_button.setVisible(written)
        self.again_button.setVisible(message.state not in ("streaming", "failed"))  # that has its own Try again
        self.feedback.setVisible(written)
        self.feedback.show_rating(message.rating)
        by_beams = message.recipe is not None and message.recipe.decoding.strategy == "beam"
        self.beams_button.setVisible(message.traced and by_beams)

    def show_answers(self, message: StoredMessage, beside: bool) -> None:
        """How many answers were made at once, and whether they stand ``beside`` each other now."""
        count = len(message.sequences)
        self.answers_button.setText(f"{count} answers")
        self.answers_button.setVisible(message.state != "streaming" and count > 1)
        self.answers_button.setChecked(beside)
        self.tokens_button.setVisible(message.traced and not beside)

    def show_passages(self, count: int) -> None:
        self.passages_button.setText(f"Passages shown ({count})")
        self.passages_button.setVisible(count > 0)

    def offer_comparison(self, there: bool, can_ask: bool) -> None:
        """Whether there is an answer to compare it with, and else whether one can be asked for."""
        self.compare_button.setText("Base and tuned" if there else "Compare")
        self.compare_button.setToolTip(
            "Show the answers of the base model and of the tuned one side by side, or only the kept one"
            if there
            else "Ask the base model the same, and see both answers side by side"
        )
        self.compare_button.setVisible(there or can_ask)

    def show_copied(self) -> None:
        """Say for a moment that the answer was copied."""
        self.copy_button.setText("Copied")
        self._copied.start()


def _small(words: str, icon: str) -> QuietButton:
    button = QuietButton(words, icon)
    button.setProperty("small", True)
    return button
