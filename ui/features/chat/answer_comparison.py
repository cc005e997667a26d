"""The same question answered by the base model and by the tuned one, side by side, also while both are being made."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.features.adapters.texts import describe_use
from ui.features.chat import texts
from ui.features.chat.answer_columns import AnswerColumn, AnswerColumns
from ui.features.chat.usage_line import describe_usage
from workbench.api.calls import StoredMessage
from workbench.records.messages import Candidate, Finish

BASE, TUNED = 0, 1
_FINISHES: dict[str, Finish] = {"stopped": "cancelled", "interrupted": "cancelled"}


class AnswerComparison(AnswerColumns):
    """Two columns, the base model's at the left. ``message_kept`` sends the id of the answer to go on from."""

    message_kept = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(texts.BASE_AND_TUNED)
        self._ids: tuple[str, ...] = ()
        self.keep_wanted.connect(lambda column: self.message_kept.emit(self._ids[column]))

    @property
    def ids(self) -> tuple[str, ...]:
        """The messages that are shown, the base model's first."""
        return self._ids

    def show_pair(self, base: StoredMessage, tuned: StoredMessage, kept: str) -> None:
        """Show both as they are; one that streams keeps the text that it has. ``kept`` is the conversation's."""
        self._ids = (base.id, tuned.id)
        self.begin(2)
        done = all(message.state != "streaming" for message in (base, tuned))
        for column, message, title in (
            (self.columns[BASE], base, texts.BASE),
            (self.columns[TUNED], tuned, describe_tuned(tuned)),
        ):
            column.title.setText(title)
            numbers = {source.n for source in message.citations} | {source.n for source in message.passages}
            if message.state != "streaming":
                show_message(column, message, message.id == kept, numbers, done)
            column.keep_button.setAccessibleName(texts.KEEP_ANSWER_OF.format(title=title))
        self._fit_soon.start()


def show_message(
    column: AnswerColumn, message: StoredMessage, kept: bool, numbers: Collection[int], can_keep: bool
) -> None:
    """A column with a whole message in the place of one of its sequences."""
    answer = Candidate(text=message.text, finish=_FINISHES.get(message.state, "eos"))
    column.show_answer(answer, kept, numbers, can_keep and bool(message.text), False)
    if message.state == "failed":
        column.finish.setText("failed")
        column.finish.set_tone("danger")
        column.figures.set_full_text(message.error)
        column.figures.show()
        return
    column.finish.setVisible(message.state != "done")
    figures = " · ".join(short for _, short in describe_usage(message.usage)[:3])
    column.figures.set_full_text(figures)
    column.figures.setVisible(bool(figures))


def describe_tuned(message: StoredMessage) -> str:
    """``+ my-notes 0.8``"""
    uses = message.recipe.model.adapters if message.recipe is not None else ()
    names = [describe_use(use) for use in uses if use.scale]
    return f"+ {', '.join(names)}" if names else texts.TUNED
