"""Supervised fine-tuning: the model learns to answer as the examples do (Wei et al. 2021, arXiv:2109.01652)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec

from workbench.base.fields import about
from workbench.records.methods import Method
from workbench.records.training import DEFAULT_OBJECTIVE, ColumnRole
from workbench.training.data.examples import Example, Source
from workbench.training.data.preparation import TrainingSet
from workbench.training.data.tokenization import ExampleWriter, WrittenExample
from workbench.training.objectives.objective import EPOCHS, FROM_EXAMPLES, Objective
from workbench.training.sequences import Question, question_of

if TYPE_CHECKING:
    from workbench.training.defaults import Facts
    from workbench.training.sets import Writing


SMALL_SET = 40
"""Examples: a tenth of fewer are too few to tell anything (three answers: plus or minus 50 points)."""


MOST_EPOCHS = 10.0
TOKENS_SEEN = 50.0
"""Trained tokens of an example, over all passes, from which on it is learnt: an answer of 5 tokens takes ten passes, of
17 and more the usual three (docs/finetuning.md)."""
MOST_EXAMPLES_PASSED = 5_000
"""Passes beyond the usual ones are for small sets: in a large one an example is no fact by itself."""
WHY_MORE = (
    "{epochs:g} epochs are planned instead of {usual:g}, because the {examples:,} examples have about {tokens:.0f} "
    "trained tokens each: so short an answer is learnt only when it is seen that often."
)


class SupervisedOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of supervised fine-tuning."""

    loss_on: Annotated[
        Literal["answers", "all"],
        about("Loss on"),
        "The model learns to write these parts of an example, since the loss counts the errors in them: the answers "
        "only, or questions and instructions as well.",
    ] = "answers"


class Supervised(Objective):
    """Conversations, of which the answers are trained; evaluated by asking the last question of each."""

    roles: ClassVar[tuple[ColumnRole, ...]] = (
        ColumnRole(name="prompt", title="Question", several=True),
        ColumnRole(name="completion", title="Answer"),
        ColumnRole(name="system", title="Instructions"),
        ColumnRole(name="messages", title="Conversation"),
    )
    role_sets: ClassVar[tuple[tuple[str, ...], ...]] = (("prompt", "completion"), ("messages",))
    verified_by: ClassVar[str] = "exact_match"
    options: SupervisedOptions

    def writer(self, writing: Writing, limit: int) -> ExampleWriter:
        return writing.writer(loss_on=self.options.loss_on, max_length=limit)

    def evaluation_share(self, asked: float | None, count: int) -> float:
        """A small set is trained whole: each example may be a fact."""
        return 0.0 if asked is None and count < SMALL_SET else super().evaluation_share(asked, count)

    def epochs(self, facts: Facts) -> tuple[float, str]:
        """More passes where answers are short and few: each is a fact to be learnt by itself."""
        tokens = facts.trained_tokens / max(1, facts.examples)
        passes = min(TOKENS_SEEN / max(1.0, tokens), MOST_EXAMPLES_PASSED / max(1, facts.examples), MOST_EPOCHS)
        if not facts.trained_tokens or passes <= EPOCHS:
            return EPOCHS, ""
        epochs = float(math.ceil(passes))
        return epochs, WHY_MORE.format(epochs=epochs, usual=EPOCHS, examples=facts.examples, tokens=tokens)

    def questions(self, prepared: TrainingSet, writing: Writing, limit: int) -> tuple[Question, ...]:
        asked, shown = prepared.evaluation_examples, prepared.evaluation
        if not shown:
            asked, shown = prepared.train_examples, prepared.train
        writer = writing.writer(max_length=limit)
        same: dict[int, int] = {}  # one object for each number in all of the prompts
        found = (question_of(one, its, writer, writing.tokenizer, same) for one, its in _pairs(asked, shown))
        return tuple(question for question in found if question is not None)


def _pairs(examples: Sequence[Example], written: Sequence[WrittenExample]) -> Iterator[tuple[Example, WrittenExample]]:
    by_source: dict[Source, Example] = {example.source: example for example in examples}
    for one in written:
        if (example := by_source.get(one.source)) is not None:
            yield example, one


ROW = Method(
    name=DEFAULT_OBJECTIVE,
    kind="objective",
    technique="finetuning",
    title="Supervised",
    family=FROM_EXAMPLES,
    summary="The model learns to answer as the examples do: a style, a format, facts or a task.",
    source="Wei et al. 2021, Finetuned Language Models Are Zero-Shot Learners, arXiv:2109.01652",
    config=SupervisedOptions,
    entry=f"{__name__}:Supervised",
    served="The method of the weights decides what the result is.",
    cost="The method of the weights decides the cost. Short examples take less.",
)
