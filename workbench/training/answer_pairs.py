"""Log-probabilities of answers: a pair in one row, its prompt computed once, or each answer in a row of its own.

A pair row is a ``TokenSequence``: the prompt, the chosen answer and the rejected one, of which the answers are trained
and ``starts`` holds the place of the second. The positions of the second answer begin where those of the first do, and
a mask keeps it from seeing the first: so it is computed as if it stood alone after the prompt. An answer without
another is a row without ``starts``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch

from workbench.training.branches import Branches, branch_states
from workbench.training.losses import Head
from workbench.training.peft_models import base_of
from workbench.training.sequences import TokenSequence
from workbench.training.token_logps import token_logps

_AGREES = 1e-3


@dataclass(frozen=True)
class AnswerLogps:
    """For each answer, in the order of the rows, the first before the second: the sum of its tokens' log-probabilities,
    shape (answers,), and their number."""

    sums: Any
    counts: Any

    @property
    def means(self) -> Any:
        return self.sums / self.counts

    def pairs(self, of: Any) -> tuple[Any, Any]:
        """Chosen and rejected of numbers per answer, where all rows are pairs."""
        return of[0::2], of[1::2]


def prompt_length(row: TokenSequence) -> int:
    """The tokens before the first answer. Raises ValueError where there are none, so that nothing predicts it."""
    length = row.trained.index(True)
    if not length:
        raise ValueError("an answer has no prompt before it")
    return length


def answers_of(row: TokenSequence) -> list[tuple[int, int]]:
    """Start and end of each answer."""
    return list(pairwise((prompt_length(row), *row.starts, len(row.tokens))))


def apart(rows: Sequence[TokenSequence]) -> list[TokenSequence]:
    """Each answer after its prompt in a row of its own."""
    found = []
    for row in rows:
        prompt = prompt_length(row)
        for start, end in answers_of(row):
            tokens = (*row.tokens[:prompt], *row.tokens[start:end])
            found.append(TokenSequence(tokens, (False,) * prompt + (True,) * (end - start)))
    return found


def answer_logps(model: Any, rows: Sequence[TokenSequence], *, together: bool = True) -> AnswerLogps:
    """The log-probabilities of the answers of ``rows``; ``together``: pairs are computed in one row each."""
    if not together:
        rows = apart(rows)
    hidden = _row_states(model, rows)
    device = hidden.device
    longest = hidden.shape[1]
    sources, targets, owners = _predictions(rows, longest)
    flat = hidden.reshape(-1, hidden.shape[-1])[sources.to(device)]
    logps = token_logps(flat, targets.to(device), Head(base_of(model)))
    count = int(owners[-1]) + 1
    sums = torch.zeros(count, dtype=logps.dtype, device=device).index_add(0, owners.to(device), logps)
    return AnswerLogps(sums, torch.bincount(owners, minlength=count).to(device))


def answer_states(model: Any, rows: Sequence[TokenSequence], pooling: str, *, together: bool = True) -> Any:
    """A state of the last layer for each answer, (answers, width), the first answer of a row before the second: with
    ``pooling`` "mean" that over its tokens, with "last" that of its last token."""
    if not together:
        rows = apart(rows)
    hidden = _row_states(model, rows)
    found = []
    for place, row in enumerate(rows):
        for start, end in answers_of(row):
            found.append(hidden[place, end - 1] if pooling == "last" else hidden[place, start:end].float().mean(dim=0))
    return torch.stack(found)


def _row_states(model: Any, rows: Sequence[TokenSequence]) -> Any:
    """The blocks' output for each token, (rows, longest, width)."""
    return branch_states(model, [Branches(row.tokens, prompt_length(row), row.starts) for row in rows])


def sample_pairs(sample: Sequence[int]) -> list[TokenSequence]:
    """Pairs made of some tokens, to try a model with: of unequal length, so that one is padded."""
    tokens = (tuple(sample) * 24)[:24]
    rows = []
    for length, first, second in ((24, 8, 17), (18, 5, 9)):
        trained = (False,) * first + (True,) * (length - first)
        rows.append(TokenSequence(tokens[:length], trained, (second,)))
    return rows


def pairs_fit(model: Any, rows: Sequence[TokenSequence]) -> bool:
    """Whether the model computes pair rows as it does single ones: asked of the model itself, since some attend within
    windows, some count positions in their own way, and virtual tokens stand before the text."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            alone = answer_logps(model, rows, together=False)
            found = answer_logps(model, rows)
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return False
    finally:
        model.train(was_training)
    return bool(((alone.sums - found.sums).abs() <= _AGREES * alone.sums.abs().clamp(min=1)).all())


def _predictions(rows: Sequence[TokenSequence], longest: int) -> tuple[Any, Any, Any]:
    """For each answer token the place (in all rows one after the other) that predicts it, the token, and the number of
    its answer."""
    sources: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    answer = 0
    for place, row in enumerate(rows):
        before = place * longest
        last = prompt_length(row) - 1
        for start, end in answers_of(row):
            sources += [before + last, *range(before + start, before + end - 1)]
            targets += row.tokens[start:end]
            owners += [answer] * (end - start)
            answer += 1
    return torch.tensor(sources), torch.tensor(targets), torch.tensor(owners)
