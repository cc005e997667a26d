"""What is asked before a judge judges the pairs of a set: a recipe with a constitution, or rewards."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QPlainTextEdit, QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import Text
from ui.components.call_dialog import StartDialog
from ui.components.choice_box import ChoiceRow
from ui.components.dialog import LabelledField
from ui.components.layout import column_of
from ui.components.recipe.saved_recipes import saved_recipes
from ui.components.reward_list import RewardList
from ui.features.feedback import texts
from ui.features.feedback.recipe_choice import RecipeChoice
from ui.theme import tokens
from workbench.records.judgements import LabellingQueue
from workbench.records.judging import CONSTITUTION
from workbench.records.methods import Methods
from workbench.records.training import AdapterList
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.judgements.calls import JudgePairs
from workbench.subjects.machine.calls import ListMethods, MethodList


class JudgeDialog(StartDialog):
    """``started`` sends the run in which the judge is measured and judges."""

    def __init__(self, bridge: Bridge, queue: LabellingQueue, parent: QWidget | None = None) -> None:
        super().__init__(bridge, texts.JUDGE_TITLE, texts.JUDGE_HELP, texts.JUDGE_GO, parent, 600)
        self._queue = queue
        self.kind = ChoiceRow(texts.JUDGE, texts.JUDGE_KINDS, chosen=self._on_kind)
        self.recipe = RecipeChoice(bridge, texts.JUDGE_RECIPE)
        self.constitution = QPlainTextEdit(CONSTITUTION, accessibleName=texts.CONSTITUTION)
        self.constitution.setTabChangesFocus(True)
        self.constitution.setFixedHeight(120)
        self.rewards: RewardList | None = None
        self._rewards_place = column_of(None, gap=0)
        model, rules = QWidget(), QWidget()
        column_of(
            model,
            LabelledField(texts.JUDGE_RECIPE, texts.JUDGE_RECIPE_HELP, self.recipe),
            LabelledField(texts.CONSTITUTION, texts.CONSTITUTION_HELP, self.constitution),
            None,
            gap=tokens.SPACE_4,
        )
        column_of(rules, Text(texts.RULES_HELP, "small"), self._rewards_place, None, gap=tokens.SPACE_3)
        self._stack = QStackedWidget()
        self._places = {"recipe": model, "rewards": rules}
        for place in self._places.values():
            self._stack.addWidget(place)
        self.inside.setSpacing(tokens.SPACE_4)
        self.inside.addWidget(self.kind)
        self.inside.addWidget(self._stack, 1)
        self.resize(620, 560)
        self._reward_models: list[str] = []
        bridge.home.listing(ListMethods()).follow(self._on_methods)
        bridge.home.listing(ListAdapters()).follow(self._on_adapters)
        self.recipe.known.connect(self._show_state)
        self._on_kind("recipe")

    def make_call(self) -> JudgePairs:
        if self.kind.value == "rewards":
            return JudgePairs(queue=self._queue.id, rewards=self.rewards.lines if self.rewards is not None else ())
        words = self.constitution.toPlainText().strip()
        return JudgePairs(queue=self._queue.id, recipe=self.recipe.recipe, constitution=words)

    def missing(self) -> str:
        if self.kind.value == "rewards":
            return "" if self.rewards is not None and self.rewards.lines else texts.REWARD_NEEDED
        return "" if self.recipe.recipe is not None else texts.MODEL_NEEDED

    def _on_methods(self, found: MethodList) -> None:
        methods: Methods[Any] = Methods(found.methods)
        if self.rewards is None:
            self.rewards = RewardList(methods)
            self.rewards.changed.connect(lambda _: self._show_state())
            self._rewards_place.addWidget(self.rewards)
            self._offer()
        self._show_state()

    def _on_adapters(self, found: AdapterList) -> None:
        self._reward_models = [one.name for one in found.adapters if one.usable and one.kind == "reward"]
        self._offer()

    def _offer(self) -> None:
        if self.rewards is not None:
            self.rewards.offer(self._reward_models, [path.stem for path in saved_recipes(self._bridge)])

    def _on_kind(self, value: str) -> None:
        self.kind.show_value(value)
        self._stack.setCurrentWidget(self._places[value])
        self._show_state()
