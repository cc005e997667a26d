"""Reward model: a score head on the model's last layer and a low-rank adapter, trained on pairs by Bradley and Terry's
model of preferences (Ouyang et al. 2022, arXiv:2203.02155), with scores drawn to a mean of 0 (Eisenstein et al. 2023,
arXiv:2312.09244). The head starts from a linear probe on the frozen model's states."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec

from workbench.api import events
from workbench.base.fields import about
from workbench.records.judgement_reports import JudgementFacts
from workbench.records.methods import Method
from workbench.records.training import ArtifactKind, ChartSpec, MetricSpec, TrainingConfig
from workbench.records.training.metrics import EVALUATION_LOSS, LOSS, TRAINER_CHARTS, TRAINER_METRICS
from workbench.records.training.rewards import REWARD_FILE, REWARD_MODEL, RewardModelFile
from workbench.training.data.preparation import TrainingSet
from workbench.training.data.reward_writer import RewardWriter
from workbench.training.data.tokenization import ExampleWriter
from workbench.training.objectives.objective import FROM_PREFERENCES
from workbench.training.objectives.preferences import PairObjective, measured
from workbench.training.sequences import Question
from workbench.training.trl_trainer import TrlTrainer

if TYPE_CHECKING:
    from workbench.training.defaults import Facts
    from workbench.training.losses import ComputeLoss
    from workbench.training.methods.weights_method import WeightsMethod
    from workbench.training.sets import ReadySet, Writing
    from workbench.training.training_context import TrainingContext


UPPER_SHARE = 3
USUAL_PAIRS = 200


class RewardOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a reward model."""

    centring: Annotated[
        float,
        about("Centring", ge=0, le=1),
        "The scores of a pair are drawn to a mean of 0 more strongly at a higher value.",
    ] = 0.01
    margin: Annotated[
        float,
        about("Margin", ge=0, le=10, advanced=True),
        "The score of the chosen answer should be higher by at least this margin.",
    ] = 0.0
    pooling: Annotated[
        Literal["mean", "last"],
        about("States", advanced=True),
        "The score comes from the mean over the answer's tokens, or from the last one.",
    ] = "mean"
    probe_pairs: Annotated[
        int,
        about("Probe pairs", ge=0, le=100_000, advanced=True),
        "The first values of the head are fitted on this number of pairs with the model frozen. At 0, it begins with "
        "zeros.",
    ] = 512


class Reward(PairObjective):
    """Scores in place of probabilities: of both answers of a pair, and of nothing else."""

    title: ClassVar[str] = "The reward model"
    needs_reference: ClassVar[bool] = False
    generates: ClassVar[bool] = False
    charts: ClassVar[tuple[ChartSpec, ...]] = (
        ChartSpec(name="loss", title="Loss", help="The mean loss per pair; 0.69 is chance."),
        ChartSpec(
            name="pair_accuracy",
            title="Pair accuracy",
            help="The share of pairs whose chosen answer scores higher; one half is chance.",
        ),
        ChartSpec(name="rewards", title="Scores", help="The mean scores of chosen and rejected answers."),
        *TRAINER_CHARTS,
    )
    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        LOSS, *TRAINER_METRICS, EVALUATION_LOSS,
        *measured("pair_accuracy", "Pair accuracy", "Pairs whose chosen answer scores higher.", "pair_accuracy",
                  form="percent"),
        *measured("margin", "Margin", "The chosen answer's score minus the rejected one's.", ""),
        *measured("chosen_reward", "Score, chosen", "The mean score of the chosen answers.", "rewards"),
        *measured("rejected_reward", "Score, rejected", "The mean score of the rejected answers.", "rewards"),
    )  # fmt: skip
    options: RewardOptions

    def problem(self, method: WeightsMethod) -> tuple[str, str]:
        if method.artifact != "lora":
            return "A reward model is served as a low-rank adapter with its head.", "Choose LoRA as the method."
        return "", ""

    def suits(self, facts: JudgementFacts) -> tuple[int, str]:
        few = f" Some hundred pairs are usual; there are {facts.pairs:,}." if facts.pairs < USUAL_PAIRS else ""
        longer = " You prefer the longer answer more often: see whether it learns more." if facts.longer_wins else ""
        return 4, f"A score that ranks candidates, evaluates, and rewards a policy.{few}{longer}"

    def artifact(self, method: WeightsMethod) -> ArtifactKind:
        return "reward"

    def recommended(self, config: TrainingConfig, facts: Facts) -> TrainingConfig:
        """The adapter is in the last third of the layers: less is computed backwards, and the head reads the last."""
        weights = config.weights
        if not weights.adapted_layers:
            weights = msgspec.structs.replace(weights, adapted_layers=max(1, math.ceil(facts.layers / UPPER_SHARE)))
        return msgspec.structs.replace(config, weights=weights)

    def writer(self, writing: Writing, limit: int) -> ExampleWriter:
        return RewardWriter(writing.template, writing.tokenizer, writing.renderer, max_length=limit)

    def questions(self, prepared: TrainingSet, writing: Writing, limit: int) -> tuple[Question, ...]:
        return ()

    def trl(self) -> TrlTrainer:
        exported = ["The head starts at 0, not from a probe, and its result is no reward model of LLM Workbench."]
        if self.options.pooling != "last":
            exported.append("TRL scores the last token's state, not the mean over an answer's tokens.")
        return TrlTrainer(
            trainer="RewardTrainer",
            form="scored",
            columns={"margin": self.options.margin} if self.options.margin else {},
            scores=True,
            metrics={"accuracy": "pair_accuracy", "margin": "margin"},
            arguments={
                "center_rewards_coefficient": self.options.centring,
                "max_length": None,
                "disable_dropout": False,
            },
            exported_notes=tuple(exported),
        )

    def prepare(self, context: TrainingContext) -> None:
        from workbench.training.reward_training import attach_head, start_from_probe

        attach_head(context.model)
        if context.resumed or not self.options.probe_pairs:
            return

        def report(stage: str, done: int, total: int) -> None:
            context.check()
            context.emit(events.Progress(stage=stage, done=done, total=total, unit="examples"))

        start_from_probe(context.model, context.train, self.options, report, context.config.optimiser.seed)

    def make_loss(self, model: Any, sample: Sequence[int], dtype: Any) -> ComputeLoss:
        from workbench.training.reward_training import RewardLoss

        return RewardLoss(model, self.options, sample, dtype)

    def finish(self, model: Any, data: ReadySet, report: Callable[[str, int, int], None]) -> Mapping[str, bytes]:
        from workbench.training.reward_training import describe

        return describe(model, data, self.options, report)

    def report(self, files: Mapping[str, bytes]) -> tuple[str, dict[str, Any]] | None:
        described = REWARD_MODEL.decode(files[REWARD_FILE])
        return ("reward", msgspec.to_builtins(described.report)) if isinstance(described, RewardModelFile) else None


ROW = Method(
    name="reward",
    kind="objective",
    technique="preference",
    title="Reward model",
    family=FROM_PREFERENCES,
    summary="The model learns from pairs to score answers. Its scores rank candidates, evaluate answers and reward "
    "a policy.",
    source="Ouyang et al. 2022, Training language models to follow instructions with human feedback, arXiv:2203.02155",
    config=RewardOptions,
    entry=f"{__name__}:Reward",
    served="The result is a LoRA with a score head, which llama.cpp computes over the base model.",
    cost="A pair takes as long as its prompt and both answers.",
)
