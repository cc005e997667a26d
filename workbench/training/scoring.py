"""Scores a training before, during and after it, on evaluation and general examples.

Scored are the loss of examples and answers to their questions; for what is forgotten, the same on a fixed general set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import torch

from workbench.api import events
from workbench.base.stored import Stored
from workbench.records.training import Scores, ScoresPair, TrainingConfig, score_of
from workbench.training.batching import MICRO_BATCH_TOKENS
from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.evaluation import Advance, GeneralSet, answer_questions, score_answers, score_texts
from workbench.training.losses import ComputeLoss, keeps_apart
from workbench.training.scoring_budget import FEWEST_SAMPLED, Sample, evaluated_tokens, sampled, scored_sample
from workbench.training.sequences import Question, TokenSequence, lengths_of
from workbench.training.sets import ReadySet
from workbench.training.shared_prompts import can_share
from workbench.training.stage_times import ANSWERS_DURING

MOST_EVALUATED, FEWEST_EVALUATED = 256, 16
"""Of the evaluation examples; they are the first ones, always the same."""
GENERAL_ANSWER_TOKENS = 24

Emit = Callable[[events.Event], None]


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """Scores before the training; a training that is gone on with does not take them again. ``share``, ``answering``,
    ``with_general`` and ``examples`` are the ``Sample`` that was scored."""

    scores: Scores
    general: Scores | None = None
    share: float = 1.0
    answering: bool = True
    with_general: bool = True
    examples: int = FEWEST_SAMPLED


_BEFORE = Stored("scores before this training", Before)


class Scorer:
    """Scores one model on one set; what it finds is emitted as it is found. ``check`` is called in between and raises
    what is to end it. ``cross_entropy``: ``loss_of`` is that of a language model, so that texts can share a prompt."""

    def __init__(
        self,
        model: Any,
        loss_of: ComputeLoss,
        general_loss_of: ComputeLoss,
        dtype: torch.dtype,
        device: str,
        *,
        config: TrainingConfig,
        data: ReadySet,
        general_set: GeneralSet | None,
        tokenizer: Tokenizer,
        parameters: int,
        check: Callable[[], None],
        emit: Emit,
        cross_entropy: bool = False,
        selected_by: Callable[[Scores], float | None] = lambda scores: scores.loss,
        most_evaluated: int = MOST_EVALUATED,
    ) -> None:
        self._model = model
        self._loss_of, self._general_loss_of = loss_of, general_loss_of
        self._dtype, self._device = dtype, device
        self._max_new_tokens = config.evaluation.max_new_tokens
        self._measured = data.report.measured
        self._config, self._data, self._all_general, self._most_evaluated = config, data, general_set, most_evaluated
        trained, there = _tokens_trained(config, data.train), sum(len(text.tokens) for text in data.evaluation)
        examples = len(data.evaluation)
        self._micro_batch_tokens = config.optimiser.micro_batch_tokens or MICRO_BATCH_TOKENS
        self._cross_entropy = cross_entropy
        self._take(scored_sample(config, there, trained, parameters, examples))
        self._apart = any(one.starts for one in self._texts) and keeps_apart(model, dtype)
        self._tokenizer = tokenizer
        self._check = check
        self._emit = emit
        self._selected_by = selected_by
        self._last: tuple[int, Scores] | None = None  # a step and what the texts gave then

    def _take(self, sample: Sample) -> None:
        """Score this sample from now on."""
        self._sample = sample
        tokens = _tokens_trained(self._config, self._data.train)
        texts = texts_of(self._data.evaluation, tokens, sample.share, sample.examples)
        self._texts = texts[: self._most_evaluated]
        answers = min(len(self._data.questions), self._config.evaluation.sample_answers)
        self._questions = spread(self._data.questions, sample.answers(answers))
        general = self._all_general if sample.general else None
        self._general_set = general.sample(sample) if general is not None else None
        with self._computing():
            self._shared = self._cross_entropy and can_share(
                self._model, self._loss_of, self._texts, self._micro_batch_tokens
            )

    def before(self, path: Path) -> Before:
        """The scores before the training: those of the file at ``path``, else they are taken and kept there."""
        known = _BEFORE.load(path)
        if isinstance(known, Before):
            self._take(Sample(known.share, known.answering, known.with_general, known.examples))
            return known
        advance = self._advance("scoring before", self._texts, self._questions, *self._general_sides)
        found = Before(
            scores=self._all(0, advance),
            general=self._general(0, advance),
            share=self._sample.share,
            answering=self._sample.answering,
            with_general=self._sample.general,
            examples=self._sample.examples,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        _BEFORE.save(path, found)
        self._tell(ScoresPair(before=found.scores, measured=self._measured), ScoresPair(before=found.general))
        return found

    def during(self, step: int) -> float | None:
        """The number by which the best evaluation is chosen, and a few answers to look at."""
        asked = self._questions[:ANSWERS_DURING]
        advance = self._advance("evaluating", self._texts, asked)
        scores = self._score_texts(advance)
        self._last = (step, scores)
        self._emit_scores(scores, step)
        for sample in self._answers(asked, step, advance)[2]:
            self._emit_sample(sample)
        return self._selected_by(scores)

    def forget(self) -> None:
        """The model is another one than it was last scored as."""
        self._last = None

    def after(self, before: Before, steps: int) -> tuple[ScoresPair, ScoresPair]:
        """The scores after the training, paired with those before: on the evaluation examples and general ones."""
        scored = self._last is not None and self._last[0] == steps
        advance = self._advance("scoring after", () if scored else self._texts, self._questions, *self._general_sides)
        after = self._all(steps, advance)
        scores = ScoresPair(before=before.scores, after=after, measured=self._measured)
        forgetting = ScoresPair(before=before.general, after=self._general(steps, advance))
        self._tell(scores, forgetting)
        return scores, forgetting

    @contextmanager
    def _computing(self) -> Iterator[None]:
        with torch.autocast(self._device, dtype=torch.bfloat16, enabled=self._dtype == torch.bfloat16):
            yield

    def _all(self, step: int, advance: Advance) -> Scores:
        """With all the answers that were asked for."""
        with self._computing():
            if self._last is not None and self._last[0] == step:
                scores = self._last[1]
            else:
                scores = self._score_texts(advance)
                self._emit_scores(scores, step)
            if not self._questions:
                return scores
            exact, rouge, samples = self._answers(self._questions, step, advance)
        for sample in samples:
            self._emit_sample(sample)
        self._emit(events.Metric(name="exact_match", value=exact, step=step))
        self._emit(events.Metric(name="rouge_l", value=rouge, step=step))
        return msgspec.structs.replace(scores, exact_match=exact, rouge_l=rouge, answers=len(samples))

    def _general(self, step: int, advance: Advance) -> Scores | None:
        if self._general_set is None:
            return None
        with self._computing():
            scores = score_texts(
                self._model,
                self._general_loss_of,
                self._general_set.texts,
                self._check,
                micro_batch_tokens=self._micro_batch_tokens,
                advance=advance,
            )
            questions = self._general_set.questions
            answers = self._ask(questions, GENERAL_ANSWER_TOKENS, advance)
        self._emit(events.Metric(name="general_loss", value=scores.loss, step=step))
        if not questions:
            return scores
        exact, rouge, _ = score_answers(questions, answers, step, within=True)
        self._emit(events.Metric(name="general_exact_match", value=exact, step=step))
        return msgspec.structs.replace(scores, exact_match=exact, rouge_l=rouge, answers=len(questions))

    def _score_texts(self, advance: Advance) -> Scores:
        return score_texts(
            self._model,
            self._loss_of,
            self._texts,
            self._check,
            micro_batch_tokens=self._micro_batch_tokens,
            apart=self._apart,
            shared=self._shared,
            advance=advance,
        )

    def _answers(self, questions: Sequence[Question], step: int, advance: Advance) -> Any:
        answers = self._ask(questions, self._max_new_tokens, advance)
        return score_answers(questions, answers, step)

    def _ask(self, questions: Sequence[Question], longest: int, advance: Advance) -> list[str]:
        return answer_questions(
            self._model,
            questions,
            self._tokenizer,
            longest,
            self._check,
            micro_batch_tokens=self._micro_batch_tokens,
            advance=advance,
        )

    @property
    def _general_sides(self) -> tuple[Sequence[Any], ...]:
        return (self._general_set.texts, self._general_set.questions) if self._general_set is not None else ()

    # -- telling -------------------------------------------------------------------------------------

    def _advance(self, stage: str, *examples: Sequence[Any]) -> Advance:
        return Advance(self._emit, stage, sum(map(len, examples)))

    def _emit_scores(self, scores: Scores, step: int) -> None:
        names = ("loss", "perplexity", "token_accuracy", *scores.metrics)
        for name in names:
            if (value := score_of(scores, name)) is not None:
                self._emit(events.Metric(name=f"evaluation_{name}", value=value, step=step))

    def _emit_sample(self, sample: Any) -> None:
        self._emit(events.Artifact(kind="sample", id=f"step {sample.step}", result=msgspec.to_builtins(sample)))

    def _tell(self, scores: ScoresPair, forgetting: ScoresPair) -> None:
        for kind, pair in (("scores", scores), ("forgetting", forgetting)):
            if pair != ScoresPair():
                side = "before" if pair.after is None else "after"
                self._emit(events.Artifact(kind=kind, id=side, result=msgspec.to_builtins(pair)))


def texts_of(
    texts: Sequence[TokenSequence], tokens_trained: float, share: float = 1.0, least: int = FEWEST_SAMPLED
) -> tuple[TokenSequence, ...]:
    """The examples whose loss is looked at by a training of so many tokens; ``share`` of them where that is less than
    1, and ``least`` of them at least."""
    there = float(sum(len(text.tokens) for text in texts))
    room = share * evaluated_tokens(there, tokens_trained)
    fewest = sampled(FEWEST_EVALUATED, share, least)
    taken: list[TokenSequence] = []
    for text in texts[:MOST_EVALUATED]:
        room -= len(text.tokens)
        if room < 0 and len(taken) >= fewest:
            break
        taken.append(text)
    return tuple(taken)


def spread(questions: Sequence[Question], count: int) -> tuple[Question, ...]:
    """``count`` of them, evenly spread."""
    if count >= len(questions):
        return tuple(questions)
    return tuple(questions[place * len(questions) // count] for place in range(count))


def _tokens_trained(config: TrainingConfig, train: Sequence[TokenSequence]) -> float:
    mean = sum(lengths_of(train)) / len(train)
    return config.optimiser.max_steps * config.optimiser.batch_size * mean
