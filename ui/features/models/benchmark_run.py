"""Running models on a benchmark: which, on how many questions; how far it is, with Stop and Resume."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QCheckBox, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, InlineMessage, PrimaryButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import FlowLayout, empty_layout, row_of
from ui.components.number_box import NumberBox
from ui.components.run_lines import RunLines, RunTexts
from ui.components.wording import in_words
from ui.features.models import benchmark_texts as texts
from ui.features.models import hub_texts
from ui.theme import tokens
from workbench.records.evaluation import Evaluation, QuestionSet
from workbench.subjects.evaluation.calls import (
    EvaluationList,
    ListEvaluations,
    ListQuestionSets,
    QuestionSetList,
    RunBenchmark,
)
from workbench.subjects.models.calls import ListModels, ModelList
from workbench.subjects.runs.calls import RunRecord

USUAL_QUESTIONS = 200
_TEXTS = RunTexts(
    waiting=texts.WAITING, running=texts.RUNNING, stopped=texts.STOPPED, failed=texts.FAILED, resume=texts.RESUME,
    stopping=texts.STOPPING,
)  # fmt: skip


class BenchmarkRunLines(RunLines):
    """The evaluations on sets that are benchmarks."""

    def __init__(self, bridge: Bridge) -> None:
        self._sets: dict[str, QuestionSet] = {}
        self._evaluations: dict[str, Evaluation] = {}
        super().__init__(bridge, "evaluate", _TEXTS)
        bridge.home.listing(ListQuestionSets()).follow(self._on_sets)
        bridge.home.listing(ListEvaluations()).follow(self._on_evaluations)

    def shows(self, run: RunRecord) -> bool:
        evaluation = self._evaluations.get(str(run.config.get("evaluation", "")))
        return evaluation is not None and evaluation.question_set in self._sets

    def show_finished(self, run: RunRecord, result: dict[str, Any]) -> None:
        self.message_of(run.id).show_message(texts.READY.format(name=self.name_of(run)), "success")

    def name_of(self, run: RunRecord) -> str:
        evaluation = self._evaluations[run.config["evaluation"]]
        models = ", ".join(column.recipe.model.name for column in evaluation.columns)
        return texts.RUN_NAME.format(set=evaluation.set_name, models=models)

    def _on_sets(self, found: QuestionSetList) -> None:
        self._sets = {one.id: one for one in found.sets if one.benchmark is not None}
        self.look_again()

    def _on_evaluations(self, found: EvaluationList) -> None:
        self._evaluations = {one.id: one for one in found.evaluations if not one.search}
        self.look_again()


class BenchmarkRun(Card):
    """Hidden while there is no benchmark."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._sizes: dict[str, int] = {}
        self.models: dict[str, QCheckBox] = {}
        self.body.setSpacing(tokens.SPACE_3)
        self.body.addWidget(Text(texts.RUN_TITLE, "heading"))
        self.set_choice = ChoiceBox(hub_texts.BOARD_SET, (), 24)
        self.set_choice.activated.connect(lambda _: self._on_set())
        self.limit = NumberBox(accessibleName=texts.LIMIT, specialValueText=texts.ALL)
        self.limit.setToolTip(texts.LIMIT_HELP)
        self.run_button = PrimaryButton(texts.RUN, clicked=self._on_run)
        self.body.addLayout(
            row_of(
                None, Text(hub_texts.BOARD_SET, "body", wordWrap=False), self.set_choice, tokens.SPACE_4,
                Text(texts.LIMIT, "body", wordWrap=False), self.limit, None, self.run_button, gap=tokens.SPACE_2,
            )
        )  # fmt: skip
        holder = QWidget(accessibleName=texts.MODELS)
        self._boxes = FlowLayout(holder, tokens.SPACE_4)
        self._hint = Text(texts.NO_MODELS, "small")
        self.message = InlineMessage()
        self.runs = BenchmarkRunLines(bridge)
        for part in (holder, self._hint, self.message, self.runs):
            self.body.addWidget(part)
        self.hide()
        bridge.home.listing(ListQuestionSets()).follow(self._on_sets)
        bridge.home.listing(ListModels()).follow(self._on_models)

    def choose(self, question_set: str) -> None:
        """Choose a benchmark once it is in the list."""
        self.set_choice.show_value(question_set)
        self._on_set()

    @property
    def chosen(self) -> tuple[str, ...]:
        return tuple(name for name, box in self.models.items() if box.isChecked())

    def _on_sets(self, found: QuestionSetList) -> None:
        sets = [one for one in found.sets if one.benchmark is not None]
        before = self.set_choice.value, self.limit.maximum()
        self._sizes = {one.id: one.questions for one in sets}
        self.set_choice.set_choices([(one.name, one.id) for one in sets])
        now = self.set_choice.value
        if (now, self._sizes.get(now, 0)) != before:  # else what was typed stays
            self._on_set()
        self.setVisible(bool(sets))

    def _on_set(self) -> None:
        most = self._sizes.get(self.set_choice.value, 0)
        self.limit.setRange(0, most)
        self.limit.setValue(USUAL_QUESTIONS if most > USUAL_QUESTIONS else 0)

    def _on_models(self, found: ModelList) -> None:
        able = [m for m in found.models if m.kind in ("chat", "base") and m.format == "gguf" and not m.missing]
        chosen = set(self.chosen)
        names = [model.name for model in able]
        if names == list(self.models):
            return
        empty_layout(self._boxes)
        self.models = {}
        default = found.default if found.default in names else next(iter(names), "")
        for name in names:
            box = self.models[name] = QCheckBox(name.replace("&", "&&"))
            box.setChecked(name in chosen or (not chosen and name == default))
            box.toggled.connect(self._on_toggled)
            self._boxes.addWidget(box)
        self._on_toggled()

    def _on_toggled(self) -> None:
        reason = "" if self.chosen else texts.CHOOSE_MODELS if self.models else texts.NO_MODELS
        self._hint.setText(reason)
        self._hint.setVisible(bool(reason))
        self.run_button.setEnabled(bool(self.chosen))
        self.run_button.setToolTip(reason)

    def _on_run(self) -> None:
        limit = self.limit.value()
        most = self._sizes.get(self.set_choice.value, 0)
        call = RunBenchmark(question_set=self.set_choice.value, models=self.chosen, limit=limit if limit < most else 0)
        self.message.hide()

        def refused(error: Exception) -> None:
            self.message.show_message(in_words(error), "danger")

        self._bridge.call(call, self.runs.follow, refused, self)
