"""Objectives over pairs of answers: their data, what they measure, and the model before training as the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.base.errors import UserError
from workbench.records.judgement_reports import Advice, JudgementFacts
from workbench.records.training import ChartSpec, ColumnRole, MetricSpec, SideReport
from workbench.records.training.metrics import (
    EVALUATION_LOSS,
    GENERAL_LOSS,
    LOSS,
    TRAINER_CHARTS,
    TRAINER_METRICS,
)
from workbench.training.data.answer_writer import AnswerWriter
from workbench.training.data.packed_tokens import WrittenExamples
from workbench.training.data.preparation import LoadedSet, TrainingSet
from workbench.training.data.tokenization import ExampleWriter
from workbench.training.objectives.objective import Objective
from workbench.training.sequences import Question, TokenSequence, TokenSequences, question_of

if TYPE_CHECKING:
    from workbench.training.answer_pairs import AnswerLogps
    from workbench.training.losses import ComputeLoss
    from workbench.training.methods.weights_method import WeightsMethod
    from workbench.training.sets import Writing

FEWEST_JUDGED = 10
"""Judged examples without which nothing can be held out and learnt."""
FEW_JUDGED = 40
"""Below so many the effect of a training is rarely seen: 48 pairs taught the starter model a taste
(docs/benchmarks.md)."""
MANY_CONFLICTS = 0.05
_REFERENCE = 1 / 9
"""A third of a pass with gradient, in one of three epochs."""

_PAIR_LOSS = "The mean loss per pair; 0.69 is chance."


def measured(name: str, title: str, help: str, chart: str, *, form: str = "number") -> tuple[MetricSpec, MetricSpec]:
    """A number of each step, and of the evaluation examples."""
    return (
        MetricSpec(name=name, title=title, help=help, form=form, chart=chart, drawn="smooth"),  # type: ignore[arg-type]
        MetricSpec(
            name=f"evaluation_{name}", title=f"{title}, evaluation", label=title.lower(), help=help, better="higher",
            form=form, chart=chart, drawn="dots", score=name,  # type: ignore[arg-type]
        ),
    )  # fmt: skip


class Preferences(Objective):
    """What objectives over judged answers share. ``needs_reference``: the loss compares with the model before the
    training, which is the model without its adapter."""

    needs_reference: ClassVar[bool] = True
    rate_share: ClassVar[float] = 0.3
    """As in the runs of docs/benchmarks.md. At the rate for facts, 63 pairs made the loss on held-out pairs rise, and a
    small model answered no general question any more."""
    title: ClassVar[str] = ""

    def problem(self, method: WeightsMethod) -> tuple[str, str]:
        if self.needs_reference and method.own_weights:
            return (
                f"{self.title} compares with the model as it was before, which training its own weights changes.",
                "Choose a method that trains an adapter, such as LoRA.",
            )
        return "", ""

    def writer(self, writing: Writing, limit: int) -> ExampleWriter:
        return AnswerWriter(writing.template, writing.tokenizer, writing.renderer, max_length=limit)

    def sequences(self, written: WrittenExamples, limit: int) -> TokenSequences:
        found = TokenSequences()
        for one in written:
            found.append(TokenSequence(one.tokens, one.trained, one.starts))
        return found

    def texts(self, sequence: TokenSequence) -> Sequence[TokenSequence]:
        """The prompt with the chosen answer, or with the only one."""
        end = sequence.starts[0] if sequence.starts else len(sequence.tokens)
        return (TokenSequence(sequence.tokens[:end], sequence.trained[:end]),)

    def questions(self, prepared: TrainingSet, writing: Writing, limit: int) -> tuple[Question, ...]:
        writer = writing.writer(max_length=limit)
        same: dict[int, int] = {}
        asked = prepared.evaluation_examples if prepared.evaluation else prepared.train_examples
        found = (
            question_of(one, writer.write(one), writer, writing.tokenizer, same)
            for one in asked
            if one.desirable is not False
        )
        return tuple(question for question in found if question is not None)

    def mean_length(self, train: SideReport, max_length: int) -> float:
        """With the pass of the reference, in the first epoch and without gradient."""
        return super().mean_length(train, max_length) * (1 + _REFERENCE if self.needs_reference else 1.0)

    def loss_weights(self, sequences: Sequence[TokenSequence]) -> Sequence[int]:
        return [1] * len(sequences)

    def advise(self, facts: JudgementFacts) -> Advice:
        """What can be learnt from judgements with this objective."""
        raise NotImplementedError


class PairObjective(Preferences):
    """A loss per pair, from the log-probabilities of both answers."""

    roles: ClassVar[tuple[ColumnRole, ...]] = (
        ColumnRole(name="prompt", title="Prompt", several=True),
        ColumnRole(name="chosen", title="Chosen answer"),
        ColumnRole(name="rejected", title="Rejected answer"),
        ColumnRole(name="system", title="Instructions"),
    )
    role_sets: ClassVar[tuple[tuple[str, ...], ...]] = (("prompt", "chosen", "rejected"), ("chosen", "rejected"))
    loss_metrics: ClassVar[tuple[str, ...]] = ("pair_accuracy", "margin", "chosen_reward", "rejected_reward")
    charts: ClassVar[tuple[ChartSpec, ...]] = (
        ChartSpec(name="loss", title="Loss", help=_PAIR_LOSS),
        ChartSpec(
            name="pair_accuracy",
            title="Pair accuracy",
            help="The share of pairs whose chosen answer the model prefers; one half is chance.",
        ),
        ChartSpec(
            name="rewards",
            title="Rewards",
            help="How much more probable answers became. Both falling far means that the model unlearns to answer.",
        ),
        *TRAINER_CHARTS,
    )
    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        LOSS, *TRAINER_METRICS, EVALUATION_LOSS,
        *measured("pair_accuracy", "Pair accuracy", "Pairs whose chosen answer is preferred.", "pair_accuracy",
                  form="percent"),
        *measured("margin", "Margin", "The chosen answer's reward minus the rejected one's.", ""),
        *measured("chosen_reward", "Reward, chosen", "Log-probability gained by the chosen answers.", "rewards"),
        *measured("rejected_reward", "Reward, rejected", "Log-probability gained by the rejected answers.", "rewards"),
        GENERAL_LOSS,
    )  # fmt: skip

    def loaded(self, loaded: LoadedSet) -> LoadedSet:
        if loaded.examples and loaded.examples[0].rejected is None:
            raise UserError(
                "These examples are no pairs: each needs a chosen and a rejected answer.",
                "Choose a set with the columns chosen and rejected, or another objective.",
            )
        return loaded

    def advise(self, facts: JudgementFacts) -> Advice:
        if facts.pairs < FEWEST_JUDGED:
            reason = f"It needs at least {FEWEST_JUDGED} pairs; there {_are(facts.pairs, 'usable pair')}."
            return Advice(usable=facts.pairs, fits=False, rank=9, reason=reason)
        rank, reason = self.suits(facts)
        if facts.pairs < FEW_JUDGED:
            reason = f"{reason} With fewer than {FEW_JUDGED} pairs an effect is rarely seen."
        return Advice(usable=facts.pairs, fits=True, rank=rank, reason=reason)

    def suits(self, facts: JudgementFacts) -> tuple[int, str]:
        """The rank among objectives over pairs, lower first, and a sentence on when to choose it."""
        return 5, ""

    def losses(self, policy: AnswerLogps, reference: AnswerLogps | None) -> Any:
        """A loss per pair, shape (pairs,)."""
        raise NotImplementedError

    def rewards(self, policy: AnswerLogps, reference: AnswerLogps | None) -> Any:
        """The implied reward of each answer, shape (answers,)."""
        return policy.sums if reference is None else policy.sums - reference.sums

    def make_loss(self, model: Any, sample: Sequence[int], dtype: Any) -> ComputeLoss:
        from workbench.training.answer_losses import PairLoss

        return PairLoss(model, self, sample, dtype)


def _are(count: int, what: str) -> str:
    return f"is one {what}" if count == 1 else f"are {count:,} {what}s"
