"""The same question answered with two recipes, side by side, also while both are being made: by the base model and by
the tuned one, or with whatever else differs.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.features.adapters.texts import describe_use
from ui.features.chat import texts
from ui.features.chat.adapter_form import describe_adapters
from ui.features.chat.answer_columns import AnswerColumn, AnswerColumns
from ui.features.chat.decoding_form import describe_decoding
from ui.features.chat.prompt_form import describe_prompting
from ui.features.chat.recipes import collections_of
from ui.features.chat.usage_line import describe_usage
from workbench.api.calls import StoredMessage
from workbench.records.messages import Candidate, Finish
from workbench.records.methods import Methods
from workbench.records.recipes import Recipe

BASE, TUNED = 0, 1
_FINISHES: dict[str, Finish] = {"stopped": "cancelled", "interrupted": "cancelled"}


class AnswerComparison(AnswerColumns):
    """Two columns, the base model's or the earlier one at the left. ``message_kept`` sends the id of the answer to go
    on from."""

    message_kept = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(texts.SIDE_BY_SIDE)
        self._ids: tuple[str, ...] = ()
        self.keep_wanted.connect(lambda column: self.message_kept.emit(self._ids[column]))

    @property
    def ids(self) -> tuple[str, ...]:
        """The messages that are shown, from the left."""
        return self._ids

    def show_pair(self, pair: tuple[StoredMessage, StoredMessage], titles: tuple[str, str], kept: str) -> None:
        """Show both as they are; one that streams keeps the text that it has. ``kept`` is the conversation's."""
        self._ids = (pair[0].id, pair[1].id)
        self.begin(2)
        done = all(message.state != "streaming" for message in pair)
        for column, message, title in zip(self.columns, pair, titles, strict=True):
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
    return ", ".join(filter(None, (*collections_of(recipe), mode))) or texts.NO_DOCUMENTS
