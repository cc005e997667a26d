"""The score of an answer by a reward model: its adapter is on, and its head is applied to the last layer's states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.engine.inference_calls import ScoreRewards
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.keys import Key, make_key
from workbench.engine.loop import Engine
from workbench.engine.prompt import PromptWriter
from workbench.gguf.reward_head import read_head
from workbench.records.training.rewards import RewardHead


class RewardScoring(Job):
    """Scores an answer after a prompt; ends in the score, a number. The head is as wide as the model's states.

    Raises UserError for an answer without tokens, and one that is too long for the context.
    """

    needs_states = True
    kept = 0

    def __init__(
        self,
        prompt: Sequence[int],
        answer: Sequence[int],
        head: RewardHead,
        context: RequestContext,
        *,
        context_tokens: int,
        key: Key = (),
        background: bool = False,
    ) -> None:
        tokens = [*prompt, *answer]
        if not answer or not prompt:
            raise UserError("An answer without text has no score.", "Score an answer that says something.")
        if len(tokens) > context_tokens:
            raise UserError(
                f"Prompt and answer have {len(tokens):,} tokens; the reward model's context has {context_tokens:,}.",
                "Score a shorter answer, or set a longer context.",
            )
        first = len(prompt) if head.pooling == "mean" else len(tokens) - 1
        super().__init__(tokens, first, len(tokens), context, key=key, background=background)
        self._weight = np.asarray(head.weight, np.float64)
        self._bias = head.bias
        self._sum = 0.0
        self._taken, self._wanted = 0, len(tokens) - first

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        # the product of the mean is the mean of the products
        self._sum += float(self.memory.states(row).astype(np.float64) @ self._weight)
        self._taken += 1
        if self._taken == self._wanted:
            self._end(finish(self._sum / self._taken + self._bias))


def reward_jobs(
    call: ScoreRewards, engine: Engine, writer: PromptWriter | None, context: RequestContext
) -> list[RewardScoring | None]:
    """The job of each answer, None of one without text. ``writer`` is needed for texts that are not given as tokens.
    Raises UserError where the adapter is no reward model of the loaded model, or a question alone is too long."""
    model, key = engine.model, make_key((call.adapter,))
    head = read_head(Path(call.adapter.path))
    if len(head.weight) != model.width:
        raise UserError(
            f"The reward model {call.adapter.path} scores states of {len(head.weight):,} numbers; those of "
            f"{model.name} have {model.width:,}.",
            "Choose a reward model that was trained on this model.",
        )
    jobs: list[RewardScoring | None] = []
    for text in call.texts:
        if writer is None and not text.prompt:
            raise ValueError("without a prompt writer the tokens have to be given")
        answer = list(text.answer_tokens)
        if writer is not None and not text.prompt:
            answer = writer.continuation(text.answer.strip())
        while answer and model.vocabulary.ends_generation(answer[-1]):
            answer.pop()
        if not answer:
            jobs.append(None)
            continue
        prompt: Sequence[int] = text.prompt
        if writer is not None and not prompt:
            prompt = writer.write_fitting(text.messages, "", model.context_tokens - len(answer), 0).tokens
        jobs.append(
            RewardScoring(
                prompt,
                answer,
                head,
                context,
                context_tokens=model.context_tokens,
                key=key,
                background=call.background,
            )
        )
    return jobs
