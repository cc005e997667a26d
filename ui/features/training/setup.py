"""The setup of a training: model and data, method and settings, plan, Start.

The weights methods as cards: trainable weights, artifact and use of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QComboBox,
    QFrame,
    QLabel,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ui.components.basics import (
    Card,
    Chip,
    ElidedLabel,
    FoldButton,
    IconButton,
    InlineMessage,
    Line,
    PlainButton,
    PrimaryButton,
    Text,
)
from ui.components.choice_box import ChoiceBox, ChoiceList
from ui.components.edge_fade import EdgeFade
from ui.components.layout import WIDTH, column_of, empty_layout, row_of
from ui.components.notices import ConfirmRow
from ui.components.wording import describe_bytes, describe_count, describe_parameters
from ui.features.training import texts
from ui.features.training.data_report import DataReportView
from ui.features.training.plan_view import PlanView
from ui.features.training.settings import TrainingSettings
from ui.theme import tokens
from workbench.records.methods import MethodInfo, Methods
from workbench.records.models import ModelRecord
from workbench.records.training import DataSet, ObjectivePart, TrainingConfig

TWO_COLUMNS = 1240
"""From this width on, in px, what a choice leads to stands beside it."""

_ABOUT = texts.INTRODUCTION


class TrainSetup(QWidget):
    """``changed`` sends the whole config after an edit. What it is to show of it, the page tells it."""

    changed = Signal(object)
    file_wanted = Signal()
    folder_wanted = Signal()
    new_set_wanted = Signal()
    start_wanted = Signal()
    remove_wanted = Signal(str)
    """A set of the home folder is to be deleted; the person has confirmed it."""

    def __init__(self) -> None:
        super().__init__()
        self._config = TrainingConfig()
        self._methods: Methods[Any] = Methods()
        self._sets: tuple[DataSet, ...] = ()
        self._paths: list[str] = []
        self._fits_kind = True  # false until new examples have been looked at
        self.message = InlineMessage()
        self.model = ChoiceBox(texts.MODEL, characters=20)
        self.examples = ChoiceBox(texts.DATA, characters=20)
        self.file_button = PlainButton(texts.FILE, "file")
        self.folder_button = PlainButton(texts.FOLDER, "folder")
        self.new_set_button = PlainButton(texts.NEW_SET, "plus", toolTip=texts.NEW_SET_HELP)
        self.remove_button = IconButton("trash", texts.REMOVE_SET, clicked=self._on_remove)
        self.confirm = ConfirmRow(self.remove_button)
        self.objective = ChoiceList(texts.OBJECTIVE, [], beside=True)
        self.report = DataReportView()
        self.methods = MethodPicker()
        self.settings = TrainingSettings()
        self.plan = PlanView()
        self.sentence = ElidedLabel("", "body")
        self.reason = ElidedLabel("", "attention")
        self.start_button = PrimaryButton(texts.START, "play")
        self._wide: bool | None = None
        self._build()
        self._connect()
        self.show_config(self._config)

    @property
    def config(self) -> TrainingConfig:
        """The training as it is put together so far."""
        return self._config

    # -- showing -------------------------------------------------------------------------------------

    def show_config(self, config: TrainingConfig) -> None:
        """Show a config in all fields."""
        if config.data.path != self._config.data.path:
            self.confirm.hide()
        named = next((known.name for known in self._sets if known.path == config.data.path), config.data.path)
        if named != config.data.path:  # a run keeps where its set lay
            config = msgspec.structs.replace(config, data=msgspec.structs.replace(config.data, path=named))
        self._config = config
        self.show_chosen()
        self.methods.show_method(config.weights.method)
        self.objective.show_value(config.objective.name)
        if config.data.path and config.data.path not in self._known_data():
            self._paths.append(config.data.path)
            self._fill_examples()
        self._select(self.model, config.model)
        self._select(self.examples, config.data.path)

    def set_methods(self, methods: Methods[Any]) -> None:
        """The objectives and weights methods that there are."""
        self._methods = methods
        rows = methods.of("objective")
        self.objective.set_described(
            [(row.name, row.title) for row in rows],
            {row.name: row.family for row in rows},
            {row.name: row.summary for row in rows},
        )
        self.objective.explain({row.name: row.summary for row in rows})
        self.methods.set_methods(methods)
        self.settings.set_methods(methods)
        self.show_config(self._config)

    def show_models(self, models: Sequence[ModelRecord]) -> None:
        """The models that can be trained."""
        self.model.blockSignals(True)
        self.model.clear()
        for model in models:
            size = " · ".join(part for part in (describe_parameters(model.parameters), model.quantization) if part)
            self.model.addItem(f"{model.name}   {size} · {describe_bytes(model.bytes)}", model.name)
            self.model.setItemData(self.model.count() - 1, model.path, Qt.ItemDataRole.ToolTipRole)
        self.model.setPlaceholderText(texts.CHOOSE_MODEL if models else texts.NO_MODEL_TO_TRAIN)
        self.model.blockSignals(False)
        self._select(self.model, self._config.model)

    def show_sets(self, sets: Sequence[DataSet]) -> None:
        """The sets of the home folder."""
        self._sets = tuple(sets)
        self._fill_examples()

    def show_place(self, part: QWidget) -> None:
        """Scroll to one of the parts."""
        inside = self._area.widget()
        top = part.mapTo(inside, part.rect().topLeft()).y() if inside is not None else 0
        self._area.verticalScrollBar().setValue(max(0, top - 3 * tokens.SPACE_6))

    def begin(self) -> None:
        """Go to the top, with the keyboard."""
        self._area.verticalScrollBar().setValue(0)
        self.model.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_chosen(self) -> None:
        """Say beside the settings what the plan has chosen for those that are left to it."""
        plan, config = self.plan.plan, self._config
        planned = plan.config if plan is not None else None
        same = planned is not None and (planned.objective.name, planned.weights.method, planned.processes) == (
            config.objective.name,
            config.weights.method,
            config.processes,
        )
        self.settings.show_config(config, planned, plan.not_by_trl if plan is not None and same else "")

    def show_readiness(self, sentence: str, reason: str) -> None:
        """The plan in a sentence; ``reason`` says why it cannot be started, "" when it can."""
        self.sentence.set_full_text(sentence)
        self.reason.set_full_text(reason)
        self.reason.setVisible(bool(reason))
        self.sentence.setVisible(not reason)
        self.start_button.setEnabled(not reason)
        self.start_button.setToolTip(reason)

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._data_card = _card("1", texts.MODEL_AND_DATA)
        body = self._data_card.body
        body.addWidget(Text(_ABOUT, "muted"))
        body.addSpacing(tokens.SPACE_1)
        for label, box in ((texts.MODEL, self.model), (texts.DATA, self.examples)):
            words = Text(label, "strong")
            words.setBuddy(box)
            body.addWidget(words)
            if box is self.model:
                body.addWidget(box)
                body.addSpacing(tokens.SPACE_1)
        body.addLayout(row_of(None, (self.examples, 1), self.remove_button, gap=tokens.SPACE_2))
        body.addWidget(self.confirm)
        row = row_of(gap=tokens.SPACE_2)
        for button in (self.file_button, self.folder_button, self.new_set_button):
            button.setProperty("small", True)
            row.addWidget(button)
        row.addWidget(Text(texts.OR_DROP, "small"), 1)
        body.addLayout(row)
        body.addSpacing(tokens.SPACE_1)
        body.addWidget(Text(texts.OBJECTIVE, "strong"))
        body.addWidget(self.objective)
        self._shown_card = _card("", texts.PREVIEW)
        self._shown_card.body.addWidget(self.report)
        self._method_card = _card("2", texts.COLUMN_METHOD)
        self._method_card.body.addWidget(self.methods)
        self._settings_card = _card("", texts.SETTINGS)
        self._settings_card.body.addWidget(self.settings)
        self._plan_card = _card("3", texts.PLAN)
        self._plan_card.body.addWidget(self.plan)
        inside = QWidget()
        inside.setProperty("role", "page")
        self._left, self._right = QVBoxLayout(), QVBoxLayout()
        self._sides = tuple(QWidget() for _ in range(2))
        both = row_of(gap=tokens.SPACE_4)
        for side, column in zip(self._sides, (self._left, self._right), strict=True):
            side.setMaximumWidth(WIDTH)
            side.setLayout(column)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(tokens.SPACE_4)
            both.addWidget(side, 100)
        both.addStretch(0)
        whole = column_of(inside, self.message, (both, 1), gap=tokens.SPACE_3, margins=None)
        self._area = QScrollArea(
            widgetResizable=True,
            focusPolicy=Qt.FocusPolicy.NoFocus,
            horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff,
            verticalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOn,
        )
        right = tokens.SPACE_5 - tokens.SCROLL_BAR  # as the footer
        whole.setContentsMargins(tokens.SPACE_5, tokens.SPACE_4, right, tokens.SPACE_4)
        self._area.setWidget(inside)
        EdgeFade(self._area)
        footer = QFrame()
        footer.setProperty("role", "panel")
        row_of(
            footer,
            (self.sentence, 1),
            (self.reason, 1),
            self.start_button,
            gap=tokens.SPACE_3,
            margins=(tokens.SPACE_5, tokens.SPACE_3),
        )
        column_of(self, (self._area, 1), Line(), footer, gap=0)
        self._arrange(False)

    def _arrange(self, wide: bool) -> None:
        """One column in the order of the steps; in a wide window what they lead to beside them."""
        if wide == self._wide:
            return
        self._wide = wide
        first = (self._data_card, self._method_card, self._settings_card)
        second = (self._shown_card, self._plan_card)
        order = (self._data_card, self._shown_card, self._method_card, self._settings_card, self._plan_card)
        for column in (self._left, self._right):
            for card in order:  # (takeAt would leave the old item behind, which Qt goes on asking for the height)
                column.removeWidget(card)
            while column.count():
                column.takeAt(0)
        for card in first if wide else order:
            self._left.addWidget(card)
        for card in second if wide else ():
            self._right.addWidget(card)
        self._left.addStretch(1)
        self._right.addStretch(1)
        self._sides[1].setVisible(wide)
        before: QWidget | None = None
        for card in (*first, *second) if wide else order:  # Tab goes as the eye does
            if before is not None:
                QWidget.setTabOrder(_last_of(before), _first_of(card))
            before = card
        if before is not None:
            QWidget.setTabOrder(_last_of(before), self.start_button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(event.size().width() >= TWO_COLUMNS)

    def _on_focus(self, before: QWidget | None, now: QWidget | None) -> None:
        """Bring what Tab reaches from outside into sight; among its own the area does that."""
        inside = self._area.widget()
        if inside is None or now is None or not inside.isAncestorOf(now):
            return
        if before is None or not inside.isAncestorOf(before):
            self._area.ensureWidgetVisible(now, 0, tokens.SPACE_6)

    def _connect(self) -> None:
        self.model.activated.connect(lambda _: self._edit(model=str(self.model.currentData())))
        self.examples.activated.connect(self._on_examples)
        self.file_button.clicked.connect(self.file_wanted)
        self.folder_button.clicked.connect(self.folder_wanted)
        self.new_set_button.clicked.connect(self.new_set_wanted)
        self.objective.chosen.connect(self.choose_objective)
        self.methods.chosen.connect(self.choose_method)
        self.settings.changed.connect(self._emit)
        self.confirm.confirmed.connect(lambda: self.remove_wanted.emit(self._config.data.path))
        self.report.mapped.connect(lambda data: self._edit(data=data))
        self.start_button.clicked.connect(self.start_wanted)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._on_focus)

    # -- what happens --------------------------------------------------------------------------------

    def forget_data(self, name: str) -> None:
        """A set was deleted: where it was chosen, no examples are."""
        if self._config.data.path == name:
            self._edit(data=msgspec.structs.replace(self._config.data, path="", columns={}))

    def choose_data(self, path: str) -> None:
        """Take these examples: a file, a folder or the name of a set. Columns that were mapped are forgotten."""
        data = msgspec.structs.replace(self._config.data, path=path, columns={})
        self._fits_kind = False
        self._edit(data=data)

    def fit_objective(self, name: str) -> None:
        """New examples were looked at, which suit this objective. What is chosen by hand later stays."""
        if not self._fits_kind:
            self._fits_kind = True
            self._on_objective(name)

    def choose_objective(self, name: str) -> None:
        """Train with this objective, whatever the examples would suit."""
        self._fits_kind = True
        self._on_objective(name)

    def _edit(self, **changes: object) -> None:
        self._emit(msgspec.structs.replace(self._config, **changes))

    def _emit(self, config: TrainingConfig) -> None:
        if config != self._config:
            self.show_config(config)
            self.changed.emit(config)

    def _on_objective(self, name: str) -> None:
        if name != self._config.objective.name:
            self._edit(objective=ObjectivePart(name=name))

    def choose_reward(self, line: str) -> None:
        """Train with this reward alone."""
        objective = self._config.objective
        self._edit(objective=msgspec.structs.replace(objective, options={**objective.options, "rewards": (line,)}))

    def choose_method(self, method: str) -> None:
        """Train these weights."""
        self._edit(weights=msgspec.structs.replace(self._config.weights, method=method))

    def _on_examples(self, index: int) -> None:
        self.choose_data(str(self.examples.itemData(index)))

    def _on_remove(self) -> None:
        chosen = self._chosen_set()
        if chosen is not None:
            count = describe_count(chosen.examples, "example")
            self.confirm.set_question(texts.ASK_REMOVE_SET.format(name=chosen.name, count=count), texts.DELETE)
            self.confirm.ask()

    def _chosen_set(self) -> DataSet | None:
        """The set of the home folder that is chosen; None for a file, a folder and nothing."""
        return next((known for known in self._sets if known.name == self._config.data.path), None)

    def _known_data(self) -> list[str]:
        return [*(known.name for known in self._sets), *self._paths]

    def _fill_examples(self) -> None:
        box = self.examples
        box.blockSignals(True)
        box.clear()
        self._paths = [path for path in self._paths if path not in {known.name for known in self._sets}]
        for path in reversed(self._paths):
            pure = PurePath(path)
            folder = pure.parent.name
            box.addItem(texts.FILE_IN.format(name=pure.name, folder=folder) if folder else pure.name, path)
            box.setItemData(box.count() - 1, path, Qt.ItemDataRole.ToolTipRole)
        for known in self._sets:
            note = texts.CARD_UNREADABLE if known.unreadable else ""
            box.addItem(f"{known.name}   {describe_count(known.examples, 'example')}{note}", known.name)
            box.setItemData(box.count() - 1, known.origin or known.unreadable, Qt.ItemDataRole.ToolTipRole)
        words = texts.CHOOSE_EXAMPLES if box.count() else texts.NO_SETS
        box.setPlaceholderText(words)
        box.blockSignals(False)
        self._select(box, self._config.data.path)

    def _select(self, box: QComboBox, value: str) -> None:
        box.blockSignals(True)
        box.setCurrentIndex(box.findData(value) if value else -1)
        box.blockSignals(False)
        box.setToolTip(str(box.itemData(box.currentIndex(), Qt.ItemDataRole.ToolTipRole) or ""))
        if box is self.examples:
            self.remove_button.setVisible(self._chosen_set() is not None)


def _card(number: str, title: str) -> Card:
    card = Card(margin=tokens.SPACE_5)
    row = row_of(gap=tokens.SPACE_3)
    if number:
        label = QLabel(number)
        label.setProperty("role", "number")
        label.setFixedSize(28, 28)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row.addWidget(label)
    row.addWidget(Text(title, "heading"))
    row.addStretch(1)
    card.body.addLayout(row)
    card.body.addSpacing(tokens.SPACE_1)
    return card


def _first_of(card: QWidget) -> QWidget:
    found = [w for w in card.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    return found[0] if found else card


def _last_of(card: QWidget) -> QWidget:
    found = [w for w in card.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    return found[-1] if found else card


class MethodPicker(QWidget):
    """``chosen`` sends the name of a method. It shows what it is told by ``show_method``."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, QRadioButton] = {}
        self._chosen = ""
        self._folded: set[str] = set()
        self._group = QButtonGroup(self)
        others = QWidget()
        self.more = FoldButton(texts.MORE_METHODS, others)
        self._first, self._others = column_of(gap=tokens.SPACE_3), column_of(others, gap=tokens.SPACE_3)
        column_of(self, self._first, self.more, others, gap=tokens.SPACE_3)

    def set_methods(self, methods: Methods[Any]) -> None:
        """Offer these: those without a family first, the others folded away by their families."""
        rows = methods.of("weights")
        if [row.name for row in rows] == list(self.buttons):
            return
        for column in (self._first, self._others):
            empty_layout(column)
        self.buttons = {}
        self._folded = {row.name for row in rows if row.family}
        for row in rows:
            if not row.family:
                self._add(self._first, row, says_all=True, recommended=row is rows[0])
        for family in dict.fromkeys(row.family for row in rows if row.family):
            self._others.addWidget(Text(family, "strong"))
            for row in rows:
                if row.family == family:
                    self._add(self._others, row, says_all=False)
        self.show_method(self._chosen)

    def show_method(self, method: str) -> None:
        """Mark a method as the chosen one."""
        self._chosen = method
        if method in self._folded:
            self.more.setChecked(True)
        if method in self.buttons:
            self.buttons[method].setChecked(True)

    def _add(self, column: QVBoxLayout, row: MethodInfo, says_all: bool, recommended: bool = False) -> None:
        """A method with what it makes: in a sentence, or in a word or two, whose sentence is the tooltip."""
        makes = texts.MAKES.get(row.artifact, "")
        button = self.buttons[row.name] = QRadioButton(row.title)
        button.setAccessibleDescription(f"{row.summary} {makes}")
        button.clicked.connect(lambda _=False: self.chosen.emit(row.name))
        self._group.addButton(button)
        line = row_of(None, button, gap=tokens.SPACE_2)
        if recommended:
            line.addWidget(Chip(texts.RECOMMENDED, "accent"))
        if not says_all:
            made = Chip(texts.MADE.get(row.artifact, row.artifact), toolTip=makes)
            line.addWidget(made)
        line.addStretch(1)
        about = column_of(None, Text(row.summary, "muted"), gap=0, margins=(tokens.SPACE_5 + 2, 0, 0, 0))
        if says_all:
            about.addWidget(Text(makes, "small"))
        both = QWidget()
        column_of(both, line, about, gap=0)
        column.addWidget(both)
