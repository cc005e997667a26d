"""The same question answered with two recipes, side by side, also while both are being made, and which is better.

Until the person has chosen, nothing says which recipe wrote which answer: the titles are A and B, the figures that
would tell are hidden, and no text is shown before both have begun.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from ui.components.adapter_texts import describe_use
from ui.components.basics import QuietButton
from ui.components.layout import column_of
from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.adapter_form import describe_adapters
from ui.components.recipe.decoding_form import describe_decoding
from ui.components.recipe.prompt_form import describe_prompting
from ui.components.recipe.recipes import collections_of
from ui.components.verdict_bar import VerdictBar
from ui.components.words_editor import WordsEditor
from ui.features.chat import compare_texts as texts
from ui.features.chat.conversation.answer_columns import AnswerColumn, AnswerColumns
from ui.features.chat.conversation.usage_line import describe_usage
from ui.theme import tokens
from workbench.records.answers import StoredMessage
from workbench.records.messages import Candidate, Finish
from workbench.records.methods import Methods
from workbench.records.recipes import Recipe

_FINISHES: dict[str, Finish] = {"stopped": "cancelled", "interrupted": "cancelled"}
_CHOSEN = {
    "left": texts.CHOSEN_LEFT,
    "right": texts.CHOSEN_RIGHT,
    "tie": texts.CHOSEN_TIE,
    "bad": texts.CHOSEN_BAD,
    "edited": texts.CHOSEN_EDIT,
    "named": texts.NOT_BLIND,
}


@dataclass(frozen=True)
class ShownPair:
    """Two answers in the order in which they are shown, with what tells their recipes apart. ``verdict``: "" while
    nothing was chosen, so that names are hidden; "named" where they were shown without a choice."""

    messages: tuple[StoredMessage, StoredMessage]
    titles: tuple[str, str]
    verdict: str = ""

    @property
    def complete(self) -> bool:
        return all(one.state not in ("streaming", "waiting") for one in self.messages)

    @property
    def comparable(self) -> bool:
        return all(one.text.strip() and one.state != "failed" for one in self.messages)


class AnswerComparison(QWidget):
    """``message_kept`` sends the id of the answer to go on from, ``judged`` which side is better, ``edited`` the id of
    an answer with what it should have been."""

    message_kept = Signal(str)
    judged = Signal(str)
    edited = Signal(str, str)
    undo_wanted = Signal()
    names_wanted = Signal()
    citation_clicked = Signal(int)
    link_clicked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(texts.SIDE_BY_SIDE)
        self._ids: tuple[str, ...] = ()
        self._pair: ShownPair | None = None
        self._sides = AnswerColumns()
        self._sides.setAccessibleName(texts.SIDE_BY_SIDE)
        self._sides.keep_wanted.connect(lambda column: self.message_kept.emit(self._ids[column]))
        self._sides.citation_clicked.connect(self.citation_clicked)
        self._sides.link_clicked.connect(self.link_clicked)
        self._sides.grown.connect(self._show_texts)
        self.bar = VerdictBar()
        self.bar.judged.connect(self.judged)
        self.bar.undo_wanted.connect(self.undo_wanted)
        self.bar.names_wanted.connect(self.names_wanted)
        self.edit_buttons: list[QuietButton] = []
        self.editor = WordsEditor(texts.EDITOR, texts.SAVE, texts.EDITOR_HELP, (3, 14))
        self.editor.taken.connect(self._on_edited)
        self.editor.given_up.connect(self.editor.hide)
        self._editing = 0
        self.blind = False
        """Whether nothing may tell which recipe wrote which answer."""
        column_of(self, self._sides, self.editor, self.bar, gap=tokens.SPACE_2)

    @property
    def columns(self) -> list[AnswerColumn]:
        return self._sides.columns

    @property
    def ids(self) -> tuple[str, ...]:
        """The messages that are shown, from the left."""
        return self._ids

    def show_pair(self, pair: ShownPair, kept: str) -> None:
        """Show both as they are; one that streams keeps the text that it has. ``kept`` is the conversation's."""
        if {one.id for one in pair.messages} != set(self._ids):
            self.editor.hide()
        self._pair, self._ids = pair, tuple(one.id for one in pair.messages)
        self._sides.begin(2)
        self._add_edit_buttons()
        blind = self.blind = not pair.verdict and (pair.comparable or not pair.complete)
        names = texts.SIDES if blind else pair.titles
        for place, (column, message, title) in enumerate(zip(self.columns, pair.messages, names, strict=True)):
            column.title.setText(title if blind else texts.NAMED_SIDE.format(side="AB"[place], title=title))
            column.title.setWordWrap(True)
            numbers = {source.n for source in message.citations} | {source.n for source in message.passages}
            if message.state != "streaming":
                show_message(column, message, not blind and message.id == kept, numbers, pair.complete and not blind)
            if blind:
                column.figures.setVisible(message.state == "streaming")
            column.keep_button.setText(texts.KEEP)
            column.keep_button.setAccessibleName(texts.KEEP_ANSWER_OF.format(title=title))
            self.edit_buttons[place].setVisible(blind and pair.complete)
        self._show_bar(pair, blind)
        self._show_texts()
        self._sides.fit_soon()

    def _show_bar(self, pair: ShownPair, blind: bool) -> None:
        self.bar.set_blind(blind)
        if pair.verdict:
            left, right = pair.titles
            words = _CHOSEN[pair.verdict].format(
                left=left, right=right, title=left if pair.verdict == "left" else right
            )
            self.bar.show_verdict(words, can_undo=pair.verdict not in ("named", "edited"))
        elif not pair.complete:
            self.bar.show_waiting(texts.BOTH_GENERATED)
        elif not pair.comparable:
            self.bar.show_waiting(texts.ONE_FAILED)
        else:
            same = pair.messages[0].text.strip() == pair.messages[1].text.strip()
            self.bar.show_question(texts.SAME, True) if same else self.bar.show_question()

    def _show_texts(self) -> None:
        """Which begins first would tell which is which: both appear together."""
        pair = self._pair
        if pair is None:
            return
        begun = all(column.text.text for column in self.columns) or pair.complete
        shown = begun or bool(pair.verdict)
        for column in self.columns:
            if column.text.isHidden() == shown:
                column.text.setVisible(shown)
            if not shown and column.text.text:
                column.figures.set_full_text(texts.WAITS_FOR_OTHER)
                column.figures.show()

    def _add_edit_buttons(self) -> None:
        for column in self.columns[len(self.edit_buttons) :]:
            place = column.number
            button = QuietButton(texts.EDIT_SIDE, "edit", small=True, toolTip=texts.EDIT_SIDE_HELP)
            button.setAccessibleName(texts.EDIT_SIDE_NAME.format(side=texts.SIDES[place]))
            button.clicked.connect(lambda _=False, place=place: self._on_edit(place))
            column.foot.insertWidget(0, button)
            self.edit_buttons.append(button)

    def _on_edit(self, place: int) -> None:
        if self._pair is not None:
            self._editing = place
            self.editor.begin(self._pair.messages[place].text)
            self.editor.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_edited(self, text: str) -> None:
        self.editor.hide()
        if self._pair is not None and text.strip() != self._pair.messages[self._editing].text.strip():
            self.edited.emit(self._ids[self._editing], text)


def show_message(
    column: AnswerColumn, message: StoredMessage, kept: bool, numbers: Collection[int], can_keep: bool
) -> None:
    """A column with a whole message in the place of one of its sequences."""
    answer = Candidate(text=message.text, finish=_FINISHES.get(message.state) or message.finish or "eos")
    column.show_answer(answer, kept, numbers, can_keep and bool(message.text), False)
    if message.state == "failed":
        column.finish.setText(texts.SIDE_FAILED)
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


def is_tuned(message: StoredMessage) -> bool:
    """Whether adapters had a part in it."""
    return message.recipe is not None and any(use.scale for use in message.recipe.model.adapters)


def titles_of(first: Recipe, second: Recipe, methods: Methods[Any]) -> tuple[str, str]:
    """What differs between two recipes, in a phrase for each; "" twice where nothing does."""
    ours, theirs = _parts(first), _parts(second)
    differ = [part for part in ours if ours[part] != theirs[part]]
    if not differ:
        return "", ""
    one, other = (", ".join(_phrase(recipe, part, methods) for part in differ) for recipe in (first, second))
    return (one, other) if one != other else (f"{one} (1)", f"{other} (2)")


def _parts(recipe: Recipe) -> dict[str, object]:
    """What tells recipes apart, without what is filled in when one is resolved."""
    replace, retrieval = msgspec.structs.replace, recipe.retrieval
    return {
        "model": recipe.model.name,
        "adapters": tuple((use.name, use.scale) for use in recipe.model.adapters if use.scale),
        "prompting": replace(recipe.prompting, options={}, sources=()),
        "decoding": replace(recipe.decoding, seed=-1, n=1, draft_model=""),
        "retrieval": replace(retrieval, revision=0, attachments="")
        if collections_of(recipe)[0] and retrieval
        else None,
    }


def _phrase(recipe: Recipe, part: str, methods: Methods[Any]) -> str:
    match part:
        case "model":
            return recipe.model.name
        case "adapters":
            return describe_adapters(recipe.model.adapters)
        case "prompting":
            return describe_prompting(recipe.prompting, methods)
        case "decoding":
            return describe_decoding(recipe.decoding, methods)
    retrieval = recipe.retrieval
    mode = retrieval.mode if retrieval is not None and retrieval.mode != "automatic" else ""
    return ", ".join(filter(None, (*collections_of(recipe), mode))) or recipe_texts.NO_DOCUMENTS
