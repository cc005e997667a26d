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
from transformers.cache_utils import DynamicCache

from workbench.api import events
from workbench.records.messages import Message
from workbench.records.training import SampleAnswer, Scores
from workbench.text.metrics import contains_answer, is_exact_match, rouge_l
from workbench.training.batching import MICRO_BATCH_COST_TOKENS, MICRO_BATCH_TOKENS, make_micro_batches
from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.data.examples import Example
from workbench.training.losses import ComputeLoss
from workbench.training.peft_models import base_of, cache_of, given_cache, last_position
from workbench.training.scoring_budget import Sample, sampled
from workbench.training.sequences import Question, TokenSequence, answer_text, question_of
from workbench.training.sets import Writing
from workbench.training.shared_prompts import common_length, join_texts, keeps_all_keys, shared_loss

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

    def sample(self, sample: Sample) -> GeneralSet:
        """The first of the texts and of the questions."""
        return GeneralSet(
            self.texts[: sampled(len(self.texts), sample.share, 1)],
            self.questions[: sample.answers(len(self.questions))],
        )


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
    shared: bool = False,
    advance: Callable[[float], None] = lambda more: None,
) -> Scores:
    """Loss, perplexity, token accuracy and what the objective measures besides on the trained tokens of ``texts``,
    computed in micro-batches as in training. ``check`` may raise to give up. ``apart``: the model can keep several
    texts in one sequence apart. ``shared``: ``loss_of`` is the cross-entropy, and what texts begin with alike is
    computed once (``shared_prompts.can_share``). ``advance`` is called with the number of texts of each micro-batch."""
    total, tokens, right = 0.0, 0, 0
    sums: dict[str, float] = {}
    joined = join_texts(texts, micro_batch_tokens) if shared else []
    lengths = [row.length for row in joined] if shared else [len(one.tokens) for one in texts]
    with torch.no_grad():
        for rows in make_micro_batches(lengths, micro_batch_tokens):
            check()
            if shared:
                found = shared_loss(model, [joined[row] for row in rows])
            else:
                found = loss_of(model, [texts[row] for row in rows], apart)
            total += float(found.total)
            tokens += found.tokens
            right += found.right
            for name, value in found.metrics.items():
                sums[name] = sums.get(name, 0.0) + float(value)
            advance(sum(joined[row].count for row in rows) if shared else len(rows))
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
    prompts = list(dict.fromkeys(question.prompt for question in questions))
    each = len(questions) / max(1, len(prompts))
    answers: dict[tuple[int, ...], str] = {}
    prompted = bool(getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False))
    sharing = not prompted and keeps_all_keys(base_of(model))
    for places in _batches(prompts, micro_batch_tokens, of_one_length=prompted):
        asked = [prompts[place] for place in places]
        left = each * len(asked)

        def step(part: float = left / longest) -> None:
            nonlocal left
            check()
            left -= part
            advance(part)

        stem = _stem_of(asked) if sharing else 0
        for prompt, said in zip(asked, _generate(model, asked, stem, tokenizer, longest, step), strict=True):
            answers[prompt] = answer_text(said, tokenizer)
        advance(left)  # the answers were shorter than they may be
    return [answers[question.prompt] for question in questions]


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


def _batches(prompts: Sequence[Sequence[int]], micro_batch_tokens: int, *, of_one_length: bool) -> Iterator[list[int]]:
    """Places of prompts that are answered together: by length, or those together that begin alike where that computes
    fewer tokens. Where virtual tokens stand before the text, of the same length only: padding between them and it would
    move them apart."""
    lengths = [len(prompt) for prompt in prompts]
    order = sorted(range(len(prompts)), key=lengths.__getitem__)
    if of_one_length:
        for _, group in groupby(order, key=lengths.__getitem__):
            yield from _cut(list(group), lengths, micro_batch_tokens)
        return
    by_length = list(_cut(order, lengths, micro_batch_tokens))
    alike = list(_cut(sorted(order, key=lambda place: tuple(prompts[place])), lengths, micro_batch_tokens))

    def computed(batches: list[list[int]]) -> int:
        return sum(_computed([prompts[place] for place in batch]) for batch in batches)

    yield from alike if len(alike) <= len(by_length) and computed(alike) < computed(by_length) else by_length


def _cut(order: Sequence[int], lengths: Sequence[int], micro_batch_tokens: int) -> Iterator[list[int]]:
    batch: list[int] = []
    for place in order:
        longest = max(lengths[one] for one in (*batch, place))
        if batch and (len(batch) == ANSWERS_AT_ONCE or (len(batch) + 1) * longest > micro_batch_tokens):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _computed(prompts: Sequence[Sequence[int]]) -> int:
    stem = _stem_of(prompts)
    return stem + len(prompts) * (max(map(len, prompts)) - stem)


def _stem_of(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens that all prompts begin with are computed once; 0 where that saves less than a pass costs."""
    first, last = min(prompts, key=tuple), max(prompts, key=tuple)
    stem = min(common_length(first, last), min(map(len, prompts)) - 1)
    return stem if (len(prompts) - 1) * stem > MICRO_BATCH_COST_TOKENS else 0


def _generate(
    model: Any,
    prompts: Sequence[Sequence[int]],
    stem: int,
    tokenizer: Tokenizer,
    longest: int,
    check: Callable[[], None],
) -> list[list[int]]:
    """The tokens that follow each prompt, greedily, up to one that ends an answer. All prompts begin with the same
    ``stem`` tokens, which are computed once."""
    base = base_of(model)
    device = base.get_input_embeddings().weight.device
    said: list[list[int]] = [[] for _ in prompts]
    open_rows = set(range(len(prompts)))
    with torch.no_grad():
        width = max(map(len, prompts)) - stem
        tokens = torch.zeros((len(prompts), width), dtype=torch.long)
        mask = torch.ones((len(prompts), stem + width), dtype=torch.long)
        for row, prompt in enumerate(prompts):
            rest = torch.tensor(list(prompt[stem:]))
            tokens[row, width - len(rest) :] = rest
            mask[row, stem : stem + width - len(rest)] = 0
        padded = not bool(mask.all())
        tokens, mask = tokens.to(device), mask.to(device)
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, stem:]
        arguments: dict[str, Any] = {"attention_mask": mask, "position_ids": positions} if padded else {}
        if stem:
            arguments |= given_cache(base, _stem_cache(base, prompts[0][:stem], len(prompts)))
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
            arguments = {}
            if padded:
                mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], dim=1)
                positions = mask.sum(dim=1, keepdim=True) - 1
                arguments = {"attention_mask": mask, "position_ids": positions}
            # what stands before is in the cache, virtual tokens too: the model itself, not the wrapper that adds them
            arguments |= given_cache(base, cache_of(found))
            found = base(input_ids=following[:, None], use_cache=True, **arguments)
    return said


def _stem_cache(base: Any, stem: Sequence[int], rows: int) -> Any:
    """Keys and values of ``stem`` for each of so many rows."""
    device = base.get_input_embeddings().weight.device
    cache = DynamicCache(config=base.config.get_text_config())
    tokens = torch.tensor([list(stem)], device=device)
    base(input_ids=tokens, use_cache=True, logits_to_keep=last_position(device), **given_cache(base, cache))
    cache.batch_repeat_interleave(rows)
    return cache
