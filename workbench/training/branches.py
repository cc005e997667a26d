"""Several continuations of one beginning in one row, so that the beginning is computed once.

A mask keeps each continuation from seeing the others, and its positions go on from the beginning's: it is computed as
if it stood alone after the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from workbench.training.losses import hidden_states
from workbench.training.peft_models import base_of


@dataclass(frozen=True)
class Branches:
    """``tokens`` are a beginning of ``stem`` tokens (at least 1) and the continuations one after the other. ``starts``
    are the places of all continuations but the first, which begins at ``stem``."""

    tokens: Sequence[int]
    stem: int
    starts: tuple[int, ...] = ()

    def predecessor(self, place: int) -> int:
        """The place whose output predicts the token at ``place`` (from 1 on)."""
        return self.stem - 1 if place in self.starts else place - 1


def branch_states(model: Any, rows: Sequence[Branches]) -> Any:
    """The blocks' output for each token, (rows, longest, width). Raises as ``losses.hidden_states``."""
    base = base_of(model)
    device = base.get_input_embeddings().weight.device
    longest = max(len(row.tokens) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    for place, row in enumerate(rows):
        tokens[place, : len(row.tokens)] = torch.tensor(row.tokens)
    placed: dict[str, Any] = {}
    if any(row.starts for row in rows):
        positions, mask = _placement(rows, longest)
        if getattr(base.config, "_attn_implementation", "") == "eager":
            mask = torch.where(mask, 0.0, torch.finfo(torch.float32).min)
        placed = {"position_ids": positions.to(device), "attention_mask": mask.to(device)}
    return hidden_states(model, tokens.to(device), **placed)


def _placement(rows: Sequence[Branches], longest: int) -> tuple[Any, Any]:
    """Positions, (rows, longest), and who sees whom, (rows, 1, longest, longest)."""
    positions = torch.arange(longest).repeat(len(rows), 1)
    mask = torch.ones(longest, longest, dtype=torch.bool).tril().repeat(len(rows), 1, 1, 1)
    for place, row in enumerate(rows):
        for start in row.starts:
            positions[place, start:] = torch.arange(row.stem, row.stem + longest - start)
            mask[place, 0, start:, row.stem : start] = False
        positions[place, len(row.tokens) :] = 0  # a row may be longer than the positions that the model knows
    return positions, mask
