"""Sequences of tokens as the tensors of a pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from workbench.training.sets import TokenSequence


def tensors_of(rows: Sequence[TokenSequence], device: Any) -> tuple[Any, Any]:
    """Tokens and labels of a pass, (rows, longest), padded to the right; -100: not learnt."""
    longest = max(len(row.tokens) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), longest), -100, dtype=torch.long)
    for place, row in enumerate(rows):
        values = torch.tensor(row.tokens, dtype=torch.long)
        tokens[place, : len(values)] = values
        labels[place, : len(values)] = torch.where(torch.tensor(row.trained), values, -100)
    return tokens.to(device), labels.to(device)


def positions_of(rows: Sequence[TokenSequence], device: Any) -> Any:
    """The positions of the tokens of ``tensors_of``, counted anew where another text begins; transformers lets none see
    the others then. None where each row is one text."""
    if not any(row.starts for row in rows):
        return None
    longest = max(len(row.tokens) for row in rows)
    positions = torch.arange(longest).repeat(len(rows), 1)
    for place, row in enumerate(rows):
        for start in row.starts:
            positions[place, start:] = torch.arange(longest - start)
    return positions.to(device)
