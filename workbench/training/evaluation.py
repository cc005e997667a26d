"""Evaluates a model: loss, perplexity and accuracy on texts; exact match and ROUGE-L of generated answers.

Answers are greedy and generated in batches over a key-value cache.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import groupby
from typing import Any

import torch

from workbench.api import events
from workbench.records.messages import Message
from workbench.records.training import SampleAnswer, Scores
from workbench.text.metrics import contains_answer, is_exact_match, rouge_l
from workbench.training.batching import MICRO_BATCH_TOKENS, make_micro_batches
from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.data.examples import Example
from workbench.training.losses import ComputeLoss
from workbench.training.peft_models import base_of, cache_of, given_cache, last_position
from workbench.training.sequences import Question, TokenSequence, answer_text, question_of
from workbench.training.sets import Writing

ANSWERS_AT_ONCE = 16
"""So many questions are answered together, or fewer: as many as are read in one micro-batch."""

TELL_EVERY_S = 0.3


class Advance:
    """Tells how far an evaluation of ``total`` texts and questions is, now and then; called with what more is done."""

    def __init__(self, emit: Callable[[events.Event], None], stage: str, total: int) -> None:
        self._emit, self._stage, self._total = emit, stage, total
        self._done = 0.0
        self._told = -math.inf
        self(0)

    def __call__(self, more: float) -> None:
        self._done = min(self._total, self._done + more)
        now = time.monotonic()
        if now - self._told >= TELL_EVERY_S:
            self._told = now
            done = math.floor(self._done + 1e-6)
            self._emit(events.Progress(stage=self._stage, done=done, total=self._total, unit="examples"))


@dataclass(frozen=True)
class GeneralSet:
    """The fixed general set: training must not cost it."""

    texts: tuple[TokenSequence, ...]
    questions: tuple[Question, ...]


def read_general_set(writing: Writing) -> GeneralSet:
    """The general questions and paragraphs that come with the program, in the model's tokens."""
    raw = json.loads(resources.files(__package__).joinpath("general.json").read_text("utf-8"))
    answers, whole = writing.writer(), writing.writer(loss_on="all")
    questions: list[Question] = []
    for question, answer in raw["questions"]:
        example = Example(messages=(Message("user", question), Message("assistant", answer)))
        found = question_of(example, answers.write(example), answers, writing.tokenizer)
        if found is not None:
            questions.append(found)
    texts = [whole.write(Example(text=text)) for text in raw["texts"]]
    return GeneralSet(tuple(TokenSequence(one.tokens, one.trained) for one in texts), tuple(questions))


def score_texts(
    model: Any,
    loss_of: ComputeLoss,
    texts: Sequence[TokenSequence],
    check: Callable[[], None] = lambda: None,
    *,
    micro_batch_tokens: int = MICRO_BATCH_TOKENS,
    apart: bool = False,
    advance: Callable[[float], None] = lambda more: None,
) -> Scores:
    """Loss, perplexity, token accuracy and what the objective measures besides on the trained tokens of ``texts``,
    computed in micro-batches as in training. ``check`` may raise to give up. ``apart``: the model can keep several
    texts in one sequence apart. ``advance`` is called with the number of texts of each micro-batch."""
    total, tokens, right = 0.0, 0, 0
    sums: dict[str, float] = {}
    with torch.no_grad():
        for rows in make_micro_batches([len(one.tokens) for one in texts], micro_batch_tokens):
            check()
            chosen = [texts[row] for row in rows]
            found = loss_of(model, chosen, apart)
            total += float(found.total)
            tokens += found.tokens
            right += found.right
            for name, value in found.metrics.items():
                sums[name] = sums.get(name, 0.0) + float(value)
            advance(len(rows))
    loss = total / max(1, tokens)
    return Scores(
        loss=loss,
        perplexity=math.exp(min(loss, 700.0)),
        token_accuracy=right / max(1, tokens),
        tokens=tokens,
        metrics={name: value / max(1, tokens) for name, value in sums.items()},
    )


def answer_questions(
    model: Any,
    questions: Sequence[Question],
    tokenizer: Tokenizer,
    longest: int,
    check: Callable[[], None] = lambda: None,
    *,
    micro_batch_tokens: int = MICRO_BATCH_TOKENS,
    advance: Callable[[float], None] = lambda more: None,
) -> list[str]:
    """The model's greedy answers, of at most ``longest`` tokens each, in the order of the questions. So many are
    answered together as are read in a micro-batch of ``micro_batch_tokens``. ``advance`` is told how many more
    questions are done, by parts."""
    answers: dict[int, str] = {}
    prompted = bool(getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False))
    for places in _batches(questions, micro_batch_tokens, of_one_length=prompted):
        prompts = [questions[place].prompt for place in places]
        left = float(len(places))

        def step(part: float = len(places) / longest) -> None:
            nonlocal left
            check()
            left -= part
            advance(part)

        for place, said in zip(places, _generate(model, prompts, tokenizer, longest, step), strict=True):
            answers[place] = answer_text(said, tokenizer)
        advance(left)  # the answers were shorter than they may be
    return [answers[place] for place in range(len(questions))]


def score_answers(
    questions: Sequence[Question], answers: Sequence[str], step: int, *, within: bool = False
) -> tuple[float, float, list[SampleAnswer]]:
    """Exact match and ROUGE-L over the answers, and each of them. ``within``: it is enough that what was expected
    stands in the answer, for models that answer in sentences."""
    matches = contains_answer if within else is_exact_match
    samples = [
        SampleAnswer(
            step=step,
            question=question.question,
            expected=question.expected,
            answer=answer,
            exact=matches(answer, question.expected),
        )
        for question, answer in zip(questions, answers, strict=True)
    ]
    count = max(1, len(samples))
    exact = sum(sample.exact for sample in samples) / count
    return exact, sum(rouge_l(sample.answer, sample.expected) for sample in samples) / count, samples


def _batches(questions: Sequence[Question], micro_batch_tokens: int, *, of_one_length: bool) -> Iterator[list[int]]:
    """Places of questions that are answered together, by length. Where virtual tokens stand before the text, of the
    same length only: padding between them and it would move them apart."""
    order = sorted(range(len(questions)), key=lambda place: len(questions[place].prompt))
    groups: Sequence[list[int]] = [order]
    if of_one_length:
        groups = [list(group) for _, group in groupby(order, key=lambda place: len(questions[place].prompt))]
    for group in groups:
        batch: list[int] = []
        for place in group:
            rows = len(batch) + 1  # the longest is the last
            if batch and (rows > ANSWERS_AT_ONCE or rows * len(questions[place].prompt) > micro_batch_tokens):
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch


def _generate(
    model: Any, prompts: Sequence[Sequence[int]], tokenizer: Tokenizer, longest: int, check: Callable[[], None]
) -> list[list[int]]:
    """The tokens that follow each prompt, greedily, up to one that ends an answer."""
    base = base_of(model)
    device = base.get_input_embeddings().weight.device
    width = max(map(len, prompts))
    tokens = torch.zeros((len(prompts), width), dtype=torch.long)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        tokens[row, width - len(prompt) :] = torch.tensor(list(prompt))
        mask[row, width - len(prompt) :] = 1
    padded = not bool(mask.all())
    tokens, mask = tokens.to(device), mask.to(device)
    said: list[list[int]] = [[] for _ in prompts]
    open_rows = set(range(len(prompts)))
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    with torch.no_grad():
        arguments: dict[str, Any] = {"attention_mask": mask, "position_ids": positions} if padded else {}
        found = model(input_ids=tokens, use_cache=True, logits_to_keep=last_position(device), **arguments)
        for _ in range(longest):
            check()
            following = found.logits[:, -1].argmax(dim=-1)
            for row, token in enumerate(following.tolist()):
                if row in open_rows:
                    said[row].append(token)
                    if tokenizer.ends_generation(token):
                        open_rows.discard(row)
            if not open_rows:
                break
            if padded:
                mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], dim=1)
                positions = mask.sum(dim=1, keepdim=True) - 1
                arguments = {"attention_mask": mask, "position_ids": positions}
            # what stands before is in the cache, virtual tokens too: the model itself, not the wrapper that adds them
            arguments |= given_cache(base, cache_of(found))
            found = base(input_ids=following[:, None], use_cache=True, **arguments)
    return said
