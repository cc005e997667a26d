"""The interface of objectives: their data, loss, metrics, charts and memory.

Plan, trainer, evaluation, page and terminal ask the objective; nothing else compares names. One file each, with its row
of the registry. Importing them loads no torch: a method that computes with torch imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from workbench.base.errors import UserError
from workbench.records.methods import Method, Methods
from workbench.records.training import (
    ArtifactKind,
    ColumnRole,
    MemoryPart,
    Scores,
    ScoresPair,
    SideReport,
    TrainingConfig,
)
from workbench.records.training.metrics import LANGUAGE_MODEL_CHARTS, LANGUAGE_MODEL_METRICS, ChartSpec, MetricSpec
from workbench.training.data.columns import ColumnMapping
from workbench.training.data.packed_tokens import WrittenExamples
from workbench.training.data.preparation import LoadedSet, TrainingSet
from workbench.training.data.tokenization import ExampleWriter
from workbench.training.sequences import Question, TokenSequence, TokenSequences, trained_tokens_of
from workbench.training.trl_trainer import USE_WORKBENCH, TrlTrainer

if TYPE_CHECKING:
    from workbench.training.defaults import Facts
    from workbench.training.losses import ComputeLoss
    from workbench.training.methods.weights_method import WeightsMethod
    from workbench.training.model_shape import ModelShape
    from workbench.training.sets import ReadySet, Writing
    from workbench.training.training_context import TrainingContext

FROM_EXAMPLES = "From examples"
FROM_PREFERENCES = "From better and worse answers (preferences)"
FROM_REWARDS = "From scores of the model's own answers (rewards)"
"""The families of objectives: what the model learns from."""


EPOCHS, EVALUATION_SHARE = 3.0, 0.1
"""Where nothing speaks for others."""


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An objective that has no settings of its own."""


class Objective:
    """The loss of a language model on each example by itself, which other objectives change in part.

    ``metrics`` and ``charts`` are what a run of it emits and draws. ``loss_metrics`` are the names of what its loss
    measures besides (``BatchLoss.metrics``): declared among the metrics, they are emitted for each step, and as
    ``evaluation_NAME``. ``roles`` are what columns of data can be, ``role_sets`` which of them make an example.
    ``verified_by`` names the score that verification compares beside the agreement of tokens. ``keeps_best``: the
    weights of the best evaluation are what is trained, whatever came after. ``parallel``: several processes can share
    a step. ``most_evaluated`` held-out examples are scored. ``generates``: what is trained writes text, so that its
    answers and what it forgot can be scored.
    ``rate_share`` is the recommended learning rate as a share of that at which facts are learnt.
    """

    metrics: ClassVar[tuple[MetricSpec, ...]] = LANGUAGE_MODEL_METRICS
    charts: ClassVar[tuple[ChartSpec, ...]] = LANGUAGE_MODEL_CHARTS
    loss_metrics: ClassVar[tuple[str, ...]] = ()
    roles: ClassVar[tuple[ColumnRole, ...]] = ()
    role_sets: ClassVar[tuple[tuple[str, ...], ...]] = ()
    verified_by: ClassVar[str] = "token_accuracy"
    rate_share: ClassVar[float] = 1.0
    keeps_best: ClassVar[bool] = False
    generates: ClassVar[bool] = True
    parallel: ClassVar[bool] = True
    most_evaluated: ClassVar[int] = 256

    def __init__(self, options: Any = None) -> None:
        self.options = options

    # -- the data ------------------------------------------------------------------------------------

    def mapping(self, columns: Mapping[str, Sequence[str]]) -> ColumnMapping | None:
        """The mapping of columns that were assigned by hand; None where none were. Raises UserError."""
        return ColumnMapping.of_roles(columns)

    def loaded(self, loaded: LoadedSet) -> LoadedSet:
        """The examples as they were read, before some are held out."""
        return loaded

    def limit(self, asked: int, context_tokens: int) -> int:
        """The maximum length of a sequence; 0: none. ``asked`` and ``context_tokens`` are 0 where not known."""
        return min(asked or context_tokens, context_tokens) if context_tokens else asked

    def writer(self, writing: Writing, limit: int) -> ExampleWriter:
        """The writer that turns examples into tokens with their loss mask."""
        return writing.writer(loss_on="all", max_length=limit)

    def longest(self, prepared: TrainingSet, limit: int) -> int:
        """The length of the longest sequence."""
        return max(max(side.packed.lengths(), default=0) for side in (prepared.train, prepared.evaluation))

    def sequences(self, written: WrittenExamples, limit: int) -> TokenSequences:
        """The sequences for training or evaluation."""
        return TokenSequences(written.packed)

    def texts(self, sequence: TokenSequence) -> Sequence[TokenSequence]:
        """The texts of a sequence, each with what comes before it: what verification computes."""
        return sequence.texts()

    def questions(self, prepared: TrainingSet, writing: Writing, limit: int) -> tuple[Question, ...]:
        """The questions for sample answers."""
        return ()

    def accepted(self) -> Mapping[tuple[int, ...], Sequence[str]]:
        """The accepted answers to prompts, by their tokens, where answers are sampled and scored."""
        return {}

    # -- what is recommended and planned --------------------------------------------------------------

    def recommended_length(self, facts: Facts, room: int) -> int:
        """The recommended maximum length of sequences, at most ``room``: they are kept whole up to twice the length
        that nine of ten do not exceed, since one giant must not decide what memory the others take."""
        return max(8, min(facts.longest, max(2 * facts.ninetieth, 64), room))

    def count(self, facts: Facts, max_length: int) -> int:
        """The number of sequences per epoch."""
        return max(1, facts.examples)

    def typical_length(self, facts: Facts, max_length: int) -> int:
        return facts.median

    def passed_length(self, train: SideReport, max_length: int) -> float:
        """Tokens per sequence, after truncation, as the model computes it."""
        return train.kept_tokens(max_length) / max(1, train.examples)

    def mean_length(self, train: SideReport, max_length: int) -> float:
        """Tokens that an example costs."""
        return self.passed_length(train, max_length)

    def notes(self, data: SideReport, max_length: int) -> list[str]:
        """The plan's notes on the sequences."""
        if data.longest <= max_length:
            return []
        cut = sum(one.count for one in data.lengths if one.low >= max_length)
        return [f"Examples are truncated at {max_length:,} tokens: about {cut:,} of {data.examples:,} are longer."]

    def problem(self, method: WeightsMethod) -> tuple[str, str]:
        """Why it cannot be trained by a weights method, and what to do; "" where it can."""
        return "", ""

    def memory(self, shape: ModelShape, config: TrainingConfig, updating: int = 0) -> tuple[MemoryPart, ...]:
        """Its memory beyond the model, trainable weights and ``updating``: the bytes of a micro-batch's activations and
        loss, which are free while the objective does something else."""
        return ()

    def disk_bytes(self, shape: ModelShape, config: TrainingConfig) -> int:
        """The disk space that it takes during the training, beyond the checkpoints."""
        return 0

    def evaluation_share(self, asked: float | None, count: int) -> float:
        """The share of ``count`` examples that is held out where ``asked`` is wanted; None leaves it to the
        objective."""
        return EVALUATION_SHARE if asked is None else asked

    def epochs(self, facts: Facts) -> tuple[float, str]:
        """The recommended number of epochs, and a sentence that says why; "" for the usual one."""
        return EPOCHS, ""

    def trained_share(self, train: SideReport) -> float:
        """The share of the computed tokens whose logits the loss needs."""
        return train.trained_tokens / max(1, train.tokens)

    def recommended(self, config: TrainingConfig, facts: Facts) -> TrainingConfig:
        """The config with what the objective chooses before the general rules do."""
        return config

    def artifact(self, method: WeightsMethod) -> ArtifactKind:
        """What the engine is given."""
        return method.artifact

    def finish(self, model: Any, data: ReadySet, report: Callable[[str, int, int], None]) -> Mapping[str, bytes]:
        """Files to be written beside the trained weights, by their names."""
        return {}

    def report(self, files: Mapping[str, bytes]) -> tuple[str, dict[str, Any]] | None:
        """What of these files a run tells as an artifact: its kind and its content; None: nothing."""
        return None

    # -- the loss ------------------------------------------------------------------------------------

    def prepare(self, context: TrainingContext) -> None:
        """Called once, with the model as it is trained, before it is scored. May put weights beside the model's."""

    def close(self) -> None:
        """Called once at the end, whatever happened."""

    def training_arguments(self) -> dict[str, Any]:
        """What it changes of transformers' ``TrainingArguments``."""
        return {}

    def without_optional_memory(self, resolved: TrainingConfig) -> TrainingConfig | None:
        """The resolved config in less memory and disk space, where only something that was chosen automatically for
        its speed is left out; None where there is no such thing."""
        return None

    def weights_restored(self, step: int) -> None:
        """The weights are now those after ``step``, which was not the last one."""

    def selected_by(self, scores: Scores) -> float | None:
        """The number by which the best evaluation is chosen, the lowest; None for one that must not be."""
        return scores.loss

    def final_notes(self, scores: ScoresPair, forgetting: ScoresPair) -> Sequence[str]:
        """What a person should know of the result, as sentences."""
        return ()

    def make_loss(self, model: Any, sample: Sequence[int], dtype: Any) -> ComputeLoss:
        """The loss of a micro-batch of sequences. ``sample`` are some tokens to try it with, ``dtype`` is that of the
        computation."""
        from workbench.training.losses import make_loss

        return make_loss(model, sample, dtype)

    @property
    def has_own_loss(self) -> bool:
        """Whether its loss is not that of a language model, which transformers' own trainer computes."""
        return type(self).make_loss is not Objective.make_loss

    def trl(self) -> TrlTrainer:
        """How TRL trains it. Raises UserError where it has no trainer for it."""
        if self.has_own_loss:
            raise UserError("This objective has a loss of its own, which no trainer of TRL computes.", USE_WORKBENCH)
        return TrlTrainer(trainer="SFTTrainer", form="texts", arguments={"max_length": None})

    def score_answers(
        self, step: int, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], record: bool
    ) -> list[float]:
        """The rewards of answers that TRL sampled to the prompts of step ``step`` (from 1), both as tokens. ``record``:
        they are written to the run's folder and looked at for hints."""
        raise NotImplementedError

    def exported(self) -> TrlTrainer:
        """The same for an exported folder, which has nothing of this program. Raises UserError where it needs some."""
        return self.trl()

    def loss_weights(self, sequences: Sequence[TokenSequence]) -> Sequence[int]:
        """By how much each sequence counts: a step's loss is the sum of its sequences' over the sum of these."""
        return trained_tokens_of(sequences)


def describe_roles(objective: Objective) -> str:
    """``prompt and completion, or messages``"""
    return ", or ".join(" and ".join(roles) for roles in objective.role_sets)


def objective_of(config: TrainingConfig, methods: Methods[Method]) -> Objective:
    """The objective of a training. Raises UserError for one that there is not, and for options that it does not
    take."""
    row = methods.find(config.objective.name, "objective")
    objective: Objective = row.load()(row.decode(config.objective.options))
    return objective
