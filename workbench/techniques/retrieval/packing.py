"""Packs the best passages into a token budget that fits the model's context."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workbench.backends.backend import ModelBackend, has_fewer_parameters
from workbench.records.messages import Passage
from workbench.records.recipes import DecodingPart, RetrievalPart
from workbench.text.sentences import split_sentences

# More context hurts a small model: measured with benchmarks/answers.py, see docs/benchmarks.md
_SHOWN_BY_PARAMETERS = ((400_000_000, 1), (1_200_000_000, 3), (5_000_000_000, 5))
_SHOWN_BY_LARGE_MODELS = 8
_LEFT_FOR_CONVERSATION = 0.25


def passages_for(model: ModelBackend, part: RetrievalPart) -> int:
    """Number of passages for the model: the recipe's, or one that suits its size."""
    if part.passages:
        return part.passages
    for parameters, shown in _SHOWN_BY_PARAMETERS:
        if has_fewer_parameters(model, parameters):
            return shown
    return _SHOWN_BY_LARGE_MODELS


def token_budget(model: ModelBackend, part: RetrievalPart, decoding: DecodingPart) -> int:
    """Maximum tokens of the passages, with room for question and answer."""
    answer = min(decoding.max_tokens, model.context_tokens // 4)
    room = int(model.context_tokens * (1 - _LEFT_FOR_CONVERSATION)) - answer
    wanted = part.token_budget or model.context_tokens // 2
    return max(64, min(wanted, room))


def pack(hits: Sequence[Passage], model: ModelBackend, part: RetrievalPart, decoding: DecodingPart) -> list[Passage]:
    """The best hits that fit, numbered from 1. The first one is cut at a sentence when it does not fit."""
    budget = token_budget(model, part, decoding)
    best = list(hits[: passages_for(model, part)])
    if not best:
        return []
    shown: list[Passage] = []
    for passage, tokens in zip(best, model.count_tokens([p.text for p in best]), strict=True):
        if tokens > budget and not shown:
            passage = _cut(passage, tokens, budget)
        elif tokens > budget:
            continue
        budget -= min(tokens, budget)
        shown.append(msgspec.structs.replace(passage, n=len(shown) + 1))
    return shown


def _cut(passage: Passage, tokens: int, budget: int) -> Passage:
    """The beginning of a passage, in whole sentences where possible, about ``budget`` tokens long."""
    characters = max(1, int(len(passage.text) * budget / tokens * 0.9))
    ends = [end for _, end in split_sentences(passage.text) if end <= characters]
    keep = ends[-1] if ends else characters
    return msgspec.structs.replace(passage, text=passage.text[:keep], end=passage.start + keep)
