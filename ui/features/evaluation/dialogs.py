"""The dialogs before an evaluation begins, before answers are scored further, and before questions are imported.

The scorers of an evaluation: chosen from the registry's rows, each with its settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QMenu, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, IconButton, PlainButton, Text
from ui.components.call_dialog import StartDialog, StreamDialog
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.config_form import Form
from ui.components.dialog import LabelledField
from ui.components.layout import column_of, row_of
from ui.components.recipe.saved_recipes import saved_recipes
from ui.components.reward_list import make_reward_row, offer_to
from ui.components.wording import describe_count
from ui.features.evaluation import texts
from ui.features.evaluation.recipe_list import RecipeList
from ui.theme import tokens
from workbench.api.events import Progress
from workbench.api.protocol import Call
from workbench.records.evaluation import Evaluation, Part, QuestionSet, ScorerUse
from workbench.records.methods import MethodInfo, Methods
from workbench.records.models import ModelRecord
from workbench.records.recipes import ModelPart, Recipe
from workbench.records.training import AdapterList, DataSetList
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.chats.calls import ChatList, ListChats
from workbench.subjects.datasets.calls import ListDataSets
from workbench.subjects.evaluation.calls import (
    AddScorers,
    CreateQuestionSet,
    Evaluate,
    ListQuestionSets,
    QuestionSetList,
    SuggestScorers,
)
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.models.calls import ListModels, ModelList
from workbench.subjects.runs.calls import RunRecord


class ScoringDialog(StartDialog):
    """Asks for scorers, among other things."""

    def __init__(self, bridge: Bridge, title: str, help: str, action: str, parent: QWidget | None) -> None:
        super().__init__(bridge, title, help, action, parent)
        self.scorers = ScorerList()
        self.scorers.changed.connect(self._show_state)
        bridge.home.listing(ListMethods()).follow(self._on_methods)
        bridge.home.listing(ListModels()).follow(self._on_models)
        bridge.home.listing(ListAdapters()).follow(self._on_adapters)

    def _on_adapters(self, found: AdapterList) -> None:
        reward_models = [one.name for one in found.adapters if one.usable and one.kind == "reward"]
        self.scorers.offer(reward_models, [path.stem for path in saved_recipes(self._bridge)])

    def _on_models(self, found: ModelList) -> None:
        self.scorers.set_models(found.models, found.default)

    def _on_methods(self, found: MethodList) -> None:
        self.scorers.set_methods(Methods(found.methods))

    def missing(self) -> str:
        return "" if self.scorers.rows else texts.SCORER_NEEDED


class NewEvaluation(ScoringDialog):
    def __init__(self, bridge: Bridge, question_set: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, texts.NEW_TITLE, texts.NEW_HELP, texts.NEW_GO, parent)
        self._wanted = question_set
        self._sets: dict[str, QuestionSet] = {}
        self.set = ChoiceBox(texts.SET, (), 24, chosen=lambda _: self._on_set())
        self.part = ChoiceRow(texts.PART_OF_SET, list(texts.PARTS.items()), chosen=self._on_part)
        self.part.show_value("all")
        self.limit = ChoiceBox(texts.LIMIT, [(title, str(count)) for count, title in texts.LIMITS])
        self.limit.chosen.connect(lambda _: self._show_state())
        self.recipes = RecipeList(bridge)
        self.recipes.changed.connect(self._show_state)
        self.figures = Text("", "small")
        for field in (
            LabelledField(texts.SET, "", self.set),
            LabelledField(texts.PART, texts.PART_HELP, self.part),
            LabelledField(texts.LIMIT, "", row_of(None, self.limit, None)),
            LabelledField(texts.RECIPES, texts.RECIPES_HELP, self.recipes),
            LabelledField(texts.SCORERS, texts.SCORERS_HELP, self.scorers),
        ):
            self.inside.addWidget(field)
        self.inside.addStretch(1)
        self.inside.setSpacing(tokens.SPACE_4)
        self.below.insertWidget(0, self.figures)
        self.resize(680, 700)
        home = bridge.home
        home.listing(ListQuestionSets()).follow(self._on_sets)
        home.listing(ListModels()).follow(self._on_choices)
        home.listing(ListChats()).follow(self._on_choices)
        self._show_state()

    def missing(self) -> str:
        if not self.set.value:
            return texts.SET_NEEDED
        return super().missing() if self.recipes.rows else texts.RECIPE_NEEDED

    def make_call(self) -> Call[RunRecord]:
        return Evaluate(
            question_set=self.set.value,
            recipes=self.recipes.recipes,
            scorers=self.scorers.uses,
            part=self._part,
            limit=int(self.limit.value),
        )

    @property
    def _part(self) -> Part:
        return next(part for part in texts.PARTS if part == self.part.value)

    def _on_sets(self, found: QuestionSetList) -> None:
        before = self.set.value
        self._sets = {one.id: one for one in found.sets if not one.unreadable}
        self.set.set_choices([(f"{one.name} ({one.questions:,})", one.id) for one in self._sets.values()])
        if self._wanted in self._sets:
            self.set.show_value(self._wanted)
            self._wanted = ""
        if self.set.value != before:
            self._on_set()

    def _on_choices(self, _: ModelList | ChatList) -> None:
        models, chats = self._bridge.home.listing(ListModels()).value, self._bridge.home.listing(ListChats()).value
        if models is not None and chats is not None:
            self.recipes.set_choices(models.models, chats.chats, models.default)
        self._show_state()

    def _on_set(self) -> None:
        if self.set.value:
            self._bridge.call(SuggestScorers(question_set=self.set.value), self._on_suited, self._on_refused, self)
        self._show_state()

    def _on_suited(self, uses: Sequence[ScorerUse]) -> None:
        self.scorers.show_uses(uses)

    def _on_part(self, name: str) -> None:
        self.part.show_value(name)
        self._show_state()

    def _show_state(self) -> None:
        super()._show_state()
        found = self._sets.get(self.set.value)
        if found is None:
            self.figures.setText("")
            return
        questions = {"all": found.questions, "tune": found.tune, "held-out": found.questions - found.tune}[self._part]
        limit = int(self.limit.value or 0)
        count = min(questions, limit) if limit else questions
        self.figures.setText(describe_count(count * len(self.recipes.rows), "answer"))


class ScoreDialog(ScoringDialog):
    def __init__(self, bridge: Bridge, evaluation: Evaluation, parent: QWidget | None = None) -> None:
        super().__init__(bridge, texts.SCORERS_TITLE, texts.SCORERS_ONLY_HELP, texts.SCORERS_GO, parent)
        self._evaluation = evaluation
        self.inside.addWidget(self.scorers)
        self.inside.addStretch(1)
        self.resize(620, 420)
        self._show_state()

    def make_call(self) -> Call[RunRecord]:
        return AddScorers(evaluation=self._evaluation.id, scorers=self.scorers.uses)


class ImportDialog(StreamDialog):
    """``imported`` sends the id of the new set."""

    imported = Signal(str)

    def __init__(self, bridge: Bridge, parent: QWidget | None = None, path: str = "") -> None:
        super().__init__(bridge, texts.IMPORT_TITLE, texts.IMPORT_HELP, texts.IMPORT_GO, parent, 600)
        sources = (("file", texts.FROM_FILE), ("chats", texts.FROM_CHATS), ("data", texts.FROM_DATA))
        self.source = ChoiceRow(texts.SOURCE, sources, chosen=self._on_source)
        self.path = QLineEdit(path, accessibleName=texts.FILE, textChanged=lambda _: self._show_state())
        choose_file = PlainButton(texts.CHOOSE_FILE, "file", small=True, clicked=self._on_file)
        choose_folder = PlainButton(texts.CHOOSE_FOLDER, "folder", small=True, clicked=self._on_folder)
        place = column_of(
            None, self.path, row_of(None, choose_file, choose_folder, None, gap=tokens.SPACE_2), gap=tokens.SPACE_2
        )
        self.data = ChoiceBox(texts.DATA_SET, (), 24, chosen=lambda _: self._show_state())
        self.name = QLineEdit(accessibleName=texts.NAME)
        self.tune = ChoiceBox(texts.TUNE, texts.TUNE_SHARES)
        self.tune.show_value("0.5")
        self.context = QCheckBox(texts.WITH_CONTEXT, checked=True, toolTip=texts.WITH_CONTEXT_HELP)
        self._file = LabelledField(texts.FILE, "", place)
        self._data = LabelledField(texts.DATA_SET, "", self.data)
        for field in (
            LabelledField(texts.SOURCE, texts.SOURCE_HELP, self.source),
            self._file,
            self._data,
            LabelledField(texts.NAME, texts.NAME_HELP, self.name),
            LabelledField(texts.TUNE, texts.TUNE_HELP, self.tune),
            self.context,
        ):
            self.inside.addWidget(field)
        self.inside.addStretch(1)
        self.inside.setSpacing(tokens.SPACE_4)
        self.resize(620, 560)
        self._on_source("file")
        bridge.home.listing(ListDataSets()).follow(self._on_data_sets)

    def _on_data_sets(self, found: DataSetList) -> None:
        self.data.set_choices([(one.name, one.name) for one in found.sets])
        self._show_state()

    def _on_source(self, name: str) -> None:
        self.source.show_value(name)
        self._file.setVisible(name == "file")
        self._data.setVisible(name == "data")
        self.context.setVisible(name == "file")
        self._show_state()

    def missing(self) -> str:
        needed = {"file": self.path.text().strip(), "data": self.data.value, "chats": "all"}[self.source.value]
        return "" if needed else texts.SOURCE_NEEDED

    def _on_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, texts.CHOOSE_FILE, "", texts.FILE_KINDS)
        if path:
            self.path.setText(path)

    def _on_folder(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, texts.CHOOSE_FOLDER):
            self.path.setText(path)

    def make_call(self) -> CreateQuestionSet:
        source = self.source.value
        return CreateQuestionSet(
            source=next(one for one in ("file", "chats", "data") if one == source),
            path={"file": self.path.text().strip(), "data": self.data.value}.get(source, ""),
            name=self.name.text().strip(),
            with_context=self.context.isChecked(),
            tune_share=float(self.tune.value),
        )

    def words_of(self, progress: Progress | None) -> str:
        return f"{texts.READING_ROWS}, {progress.done:,.0f}" if progress is not None else texts.READING_ROWS

    def take_result(self, made: QuestionSet) -> None:
        self.imported.emit(made.id)
        self.accept()


class ScorerList(QWidget):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._methods: Methods[MethodInfo] = Methods()
        self._models: tuple[str, ...] = ()
        self._default = ""
        self._rewarding: tuple[Sequence[str], Sequence[str]] = ((), ())
        self.rows: list[ScorerRow] = []
        self._column = column_of(None, gap=tokens.SPACE_2)
        self.add_button = PlainButton(texts.ADD_SCORER, "plus", small=True)
        self._menu = QMenu(self.add_button)
        self._menu.setToolTipsVisible(True)
        self.add_button.setMenu(self._menu)
        column_of(self, self._column, row_of(None, self.add_button, None), gap=tokens.SPACE_2)

    @property
    def uses(self) -> tuple[ScorerUse, ...]:
        return tuple(row.use for row in self.rows)

    def set_models(self, models: Sequence[ModelRecord], default: str) -> None:
        """The models that can judge."""
        self._models = tuple(model.name for model in models if model.kind == "chat" and not model.missing)
        self._default = default or next(iter(self._models), "")
        for row in self.rows:
            row.show_models(self._models, self._default)

    def offer(self, reward_models: Sequence[str], recipes: Sequence[str]) -> None:
        """The reward models and saved recipes that a scorer can name."""
        self._rewarding = (reward_models, recipes)
        for row in self.rows:
            row.offer(*self._rewarding)

    def set_methods(self, methods: Methods[MethodInfo]) -> None:
        self._methods = methods
        self._menu.clear()
        for method in methods.of("scorer"):
            action = self._menu.addAction(method.title)
            action.setToolTip(f"{method.summary} {method.cost}".strip())
            action.triggered.connect(lambda _=False, name=method.name: self.add(ScorerUse(name=name)))

    def show_uses(self, uses: Sequence[ScorerUse]) -> None:
        """Show these in place of what was there."""
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows = []
        for use in uses:
            self.add(use)
        self.changed.emit()

    def add(self, use: ScorerUse) -> None:
        row = ScorerRow(use, self._methods)
        row.show_models(self._models, self._default)
        row.offer(*self._rewarding)
        row.remove_button.clicked.connect(lambda: self._on_remove(row))
        self.rows.append(row)
        self._column.addWidget(row)
        self.changed.emit()

    def _on_remove(self, row: ScorerRow) -> None:
        self.rows.remove(row)
        row.hide()
        row.deleteLater()
        self.changed.emit()


class ScorerRow(Card):
    def __init__(self, use: ScorerUse, methods: Methods[MethodInfo]) -> None:
        super().__init__(margin=tokens.SPACE_3)
        method = methods.row(use.name, "scorer")
        self._use = use
        self._options = dict(use.options)
        self.remove_button = IconButton("close", texts.REMOVE_SCORER.format(name=method.title))
        words = column_of(
            None, Text(method.title, "strong"), Text(f"{method.summary} {method.cost}".strip(), "small"), gap=0
        )
        self.body.addLayout(row_of(None, (words, 1), self.remove_button, gap=tokens.SPACE_2))
        self.judge: ChoiceBox | None = None
        if "judges" in method.traits:
            self.judge = ChoiceBox(texts.JUDGE_MODEL, (), 24)
            self.body.addWidget(LabelledField(texts.JUDGE_MODEL, "", self.judge))
        self.form: Form | None = None
        if method.fields:
            self.form = Form(method.fields, narrow=True, make_row=lambda field: make_reward_row(field, methods))
            self.form.set_values(self._options)
            self.form.changed.connect(self._on_option)
            self.body.addWidget(self.form)

    @property
    def use(self) -> ScorerUse:
        use = msgspec.structs.replace(self._use, options=self._options)
        if self.judge is None or not self.judge.value:
            return use
        return msgspec.structs.replace(use, recipe=Recipe(model=ModelPart(name=self.judge.value)))

    def offer(self, reward_models: Sequence[str], recipes: Sequence[str]) -> None:
        """The reward models and saved recipes that its fields can name."""
        offer_to(self.form.rows.values() if self.form is not None else (), reward_models, recipes)

    def show_models(self, models: Sequence[str], default: str) -> None:
        if self.judge is not None:
            chosen = self.judge.value or default
            self.judge.set_choices([(name, name) for name in models])
            if chosen in models:
                self.judge.show_value(chosen)

    def _on_option(self, name: str, value: Any) -> None:
        self._options[name] = msgspec.to_builtins(value)
        assert self.form is not None
        self.form.set_values(self._options)
