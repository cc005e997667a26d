"""The rewards of a training by reinforcement: each with its settings and its weight, in the place of written lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from ui import texts
from ui.components.basics import Card, IconButton, PlainButton, Text
from ui.components.config_form import Control, Form, ValueRow
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.recipe.known_rows import NamedRow
from ui.theme import tokens
from workbench.base.errors import UserError
from workbench.base.fields import Field
from workbench.records.methods import MethodInfo, Methods
from workbench.records.reward_lines import RewardLine, read_line, write_line

REWARDS = "rewards"
_REWARD_MODEL, _JUDGE = "adapter", "recipe"
"""The fields of rewards that name things of the home."""


class RewardsRow(ValueRow):
    """The field of rewards."""

    def __init__(self, field: Field, methods: Methods[Any]) -> None:
        self.list = RewardList(methods)
        super().__init__(field, self._make)
        self.list.changed.connect(self.commit)
        column_of(
            self, Text(field.title, "strong"), Text(texts.REWARDS_HELP, "small"), self.list, self.error,
            gap=tokens.SPACE_2,
        )  # fmt: skip
        self.reset.setParent(self)
        self.reset.hide()

    def set_value(self, value: Any) -> None:
        super().set_value(value)
        self.reset.hide()

    def _make(self, row: ValueRow) -> Control:
        return Control(self.list, self.list.show_lines, lambda: self.list.lines, lambda value: False)


class RewardList(QWidget):
    """``changed`` sends the lines after an edit."""

    changed = Signal(object)

    def __init__(self, methods: Methods[Any]) -> None:
        super().__init__()
        self._methods = methods
        self._names: dict[str, tuple[str, ...]] = {}
        self._lines: tuple[str, ...] = ()
        self.cards: list[RewardCard] = []
        self._column = column_of(None, gap=tokens.SPACE_2)
        self.add_button = PlainButton(texts.ADD_REWARD, "plus", small=True)
        menu = QMenu(self.add_button)
        for row in methods.of("reward"):
            action = menu.addAction(row.title)
            action.setToolTip(row.summary)
            action.triggered.connect(lambda _=False, name=row.name: self.add(name))
        menu.setToolTipsVisible(True)
        self.add_button.setMenu(menu)
        column_of(self, self._column, row_of(None, self.add_button, None), gap=tokens.SPACE_2)

    @property
    def lines(self) -> tuple[str, ...]:
        return self._lines

    def show_lines(self, lines: tuple[str, ...]) -> None:
        """Show these rewards; rows of the same reward are reused."""
        lines = tuple(lines)
        if lines == self._lines:
            return
        self._lines = lines
        empty_layout(self._column)
        self.cards = []
        for number, line in enumerate(lines):
            card = RewardCard(line, self._methods)
            card.offer(self._names)
            card.changed.connect(lambda text, number=number: self._put(number, text))
            card.remove_button.clicked.connect(lambda _=False, number=number: self._remove(number))
            self.cards.append(card)
            self._column.addWidget(card)

    def offer(self, reward_models: Sequence[str], recipes: Sequence[str]) -> None:
        """The reward models and saved recipes that a reward can name."""
        self._names = {_REWARD_MODEL: tuple(reward_models), _JUDGE: tuple(recipes)}
        for card in self.cards:
            card.offer(self._names)

    def add(self, name: str) -> None:
        self._send((*self._lines, name))

    def _put(self, number: int, line: str) -> None:
        lines = (*self._lines[:number], line, *self._lines[number + 1 :])
        self._lines = lines  # its card stays, with what is being typed in it
        self.changed.emit(lines)

    def _remove(self, number: int) -> None:
        self._send((*self._lines[:number], *self._lines[number + 1 :]))

    def _send(self, lines: tuple[str, ...]) -> None:
        self.show_lines(lines)
        self.changed.emit(lines)


class RewardCard(Card):
    """One reward; a line that cannot be read is shown as it is, with the reason."""

    changed = Signal(str)

    def __init__(self, line: str, methods: Methods[Any]) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self.remove_button = IconButton("trash", texts.REMOVE_REWARD)
        self.weight = QLineEdit(accessibleName=texts.WEIGHT, editingFinished=self._on_weight)
        self.weight.setFixedWidth(72)
        self.weight.setValidator(QDoubleValidator(self.weight))
        self.form: Form | None = None
        try:
            self._reward = read_line(line, methods)
        except UserError as error:
            self._reward = RewardLine(name=line)
            self.body.addLayout(row_of(None, (Text(line, "strong"), 1), self.remove_button, gap=tokens.SPACE_2))
            self.body.addWidget(Text(error.message, "error"))
            return
        row: MethodInfo = next(one for one in methods.of("reward") if one.name == self._reward.name)
        self.weight.setText(f"{self._reward.weight:g}")
        words = Text(texts.WEIGHT, "muted", wordWrap=False)
        head = row_of(None, (Text(row.title, "strong"), 1), words, self.weight, self.remove_button, gap=tokens.SPACE_2)
        self.body.addLayout(head)
        self.body.addWidget(Text(row.summary, "small"))
        if row.fields:
            self.form = Form(row.fields, narrow=True, make_row=lambda field: make_reward_row(field, methods))
            self.form.set_values(self._values(row))
            self.form.changed.connect(self._on_option)
            self.body.addWidget(self.form)

    def offer(self, names: Mapping[str, Sequence[str]]) -> None:
        """The names that fields of it can have, by the fields."""
        for field, offered in names.items():
            row = self.form.rows.get(field) if self.form is not None else None
            if isinstance(row, NamedRow):
                row.offer(offered)

    def _values(self, row: MethodInfo) -> Mapping[str, Any]:
        return {field.name: self._reward.options.get(field.name, field.default) for field in row.fields}

    def _on_option(self, name: str, value: Any) -> None:
        self._send(msgspec.structs.replace(self._reward, options={**self._reward.options, name: value}))

    def _on_weight(self) -> None:
        try:
            weight = float(self.weight.text().replace(",", "."))
        except ValueError:
            weight = self._reward.weight
        self._send(msgspec.structs.replace(self._reward, weight=weight))

    def _send(self, reward: RewardLine) -> None:
        if reward != self._reward:
            self._reward = reward
            self.changed.emit(write_line(reward))


def make_reward_row(field: Field, methods: Methods[Any]) -> RewardsRow | NamedRow | None:
    """The row of a field that names rewards, a reward model or a judge; None for others."""
    if field.name == REWARDS and field.kind == "list":
        return RewardsRow(field, methods)
    return NamedRow(field) if field.name in (_REWARD_MODEL, _JUDGE) else None


def offer_to(rows: Iterable[QWidget], reward_models: Sequence[str], recipes: Sequence[str]) -> None:
    """Offer the reward models and saved recipes of the home to the rows that name them."""
    names = {_REWARD_MODEL: reward_models, _JUDGE: recipes}
    for row in rows:
        if isinstance(row, RewardsRow):
            row.list.offer(reward_models, recipes)
        elif isinstance(row, NamedRow):
            row.offer(names[row.field.name])
