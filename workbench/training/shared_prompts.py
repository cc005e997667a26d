"""Scores texts that begin alike in one row: their prompt, or what their prompts begin with, is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

from workbench.training.answer_pairs import apart, pairs_fit, sample_pairs
from workbench.training.branches import Branches, branch_states
from workbench.training.losses import AGREES, BatchLoss, ComputeLoss, loss_of_states
from workbench.training.peft_models import base_of
from workbench.training.sequences import TokenSequence

FEWEST_SAVED = 256
"""Tokens that a scoring has to save before the model is asked whether it can, which costs two passes of about fifty
tokens each."""

TRIED = ("llama", "mistral", "qwen2", "qwen3", "smollm3", "olmo2", "gpt2")
"""Of these kinds of transformers a model is not asked: the tests compare shared rows with single texts."""


@dataclass(frozen=True)
class SharedRow:
    """``count`` texts that begin alike. ``trained`` says of each token in ``branches`` whether it is scored."""

    branches: Branches
    trained: Sequence[bool]
    count: int

    @property
    def length(self) -> int:
        return len(self.branches.tokens)


def join_texts(texts: Sequence[TokenSequence], most_tokens: int) -> list[SharedRow]:
    """The texts in rows of at most ``most_tokens`` (a longer text is a row by itself), those that begin alike together
    where that makes fewer tokens. No text may hold several (``TokenSequence.starts``)."""
    rows: list[SharedRow] = []
    group: list[TokenSequence] = []
    stem = length = 0
    for text in sorted(texts, key=lambda one: one.tokens):
        own = _longest_stem(text)
        if group:
            alike = min(stem, own, common_length(group[-1].tokens, text.tokens))
            joined = sum(len(one.tokens) - alike for one in (*group, text)) + alike
            if alike and joined <= most_tokens and joined < length + len(text.tokens):
                group.append(text)
                stem, length = alike, joined
                continue
            rows.append(_row(group, stem))
        group, stem, length = [text], own, len(text.tokens)
    if group:
        rows.append(_row(group, stem))
    return rows


def common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """The number of tokens with which both begin."""
    shorter = min(len(first), len(second))
    return next((place for place in range(shorter) if first[place] != second[place]), shorter)


def can_share(model: Any, loss_of: ComputeLoss, texts: Sequence[TokenSequence], most_tokens: int) -> bool:
    """Whether shared rows of ``texts`` save something, and ``model`` computes them as it does single texts. ``loss_of``
    is that of single texts: some models do more to their logits than ``shared_loss`` knows."""
    if not texts or any(text.starts for text in texts) or not keeps_all_keys(base_of(model)):
        return False
    shared = sum(row.length for row in join_texts(texts, most_tokens))
    saved = sum(len(text.tokens) for text in texts) - shared
    if _is_tried(model):
        return saved > 0
    pairs = sample_pairs(texts[0].tokens)
    return saved >= FEWEST_SAVED and pairs_fit(model, pairs) and _losses_agree(model, loss_of, apart(pairs))


def can_pair(model: Any, sample: Sequence[int]) -> bool:
    """Whether ``model`` computes both answers of a pair in one row as it does each alone. It is asked with the tokens
    of ``sample`` where its kind was not tried: in 16 bits rounding looks like a difference, and it then computes the
    answers apart, which takes twice as long."""
    return (_is_tried(model) and keeps_all_keys(base_of(model))) or pairs_fit(model, sample_pairs(sample))


def keeps_all_keys(base: Any) -> bool:
    """Whether each layer of a model looks back at all tokens and at nothing else: no windows, which rows that hold
    several texts would hide, and no states, which cannot stand before several continuations."""
    layers = DynamicCache(config=base.config.get_text_config()).layers
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)


def shared_loss(model: Any, rows: Sequence[SharedRow]) -> BatchLoss:
    """The cross-entropy of the trained tokens of ``rows``."""
    hidden = branch_states(model, [row.branches for row in rows])
    longest = hidden.shape[1]
    sources: list[int] = []
    targets: list[int] = []
    for number, row in enumerate(rows):
        for place in range(1, row.length):
            if row.trained[place]:
                sources.append(number * longest + row.branches.predecessor(place))
                targets.append(row.branches.tokens[place])
    states = hidden.reshape(-1, hidden.shape[-1])[torch.tensor(sources, dtype=torch.long, device=hidden.device)]
    return loss_of_states(base_of(model), states, torch.tensor(targets, dtype=torch.long, device=hidden.device))


def _losses_agree(model: Any, loss_of: ComputeLoss, texts: Sequence[TokenSequence]) -> bool:
    with torch.no_grad():
        alone = float(loss_of(model, texts, False).total)
        shared = float(shared_loss(model, join_texts(texts, sum(len(text.tokens) for text in texts))).total)
    return abs(alone - shared) <= AGREES * max(1.0, abs(alone))


def _is_tried(model: Any) -> bool:
    return base_of(model).config.model_type in TRIED and not _is_prompted(model)


def _is_prompted(model: Any) -> bool:
    """Whether virtual tokens stand before each text."""
    return bool(getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False))


def _longest_stem(text: TokenSequence) -> int:
    """The tokens that others may share: at least 1, none of them trained but the first, which is never predicted, and
    one is left."""
    first = next((place for place in range(1, len(text.tokens)) if text.trained[place]), len(text.tokens))
    return max(1, min(first, len(text.tokens) - 1))


def _row(group: Sequence[TokenSequence], stem: int) -> SharedRow:
    tokens, trained = list(group[0].tokens[:stem]), list(group[0].trained[:stem])
    lengths = [stem]
    for text in group:
        tokens += text.tokens[stem:]
        trained += text.trained[stem:]
        lengths.append(len(tokens))
    starts = tuple(begin for begin, _ in pairwise(lengths))[1:]
    return SharedRow(Branches(tokens, stem, starts), trained, len(group))
