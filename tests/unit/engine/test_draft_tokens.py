"""A model that guesses, on a model with short sliding windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from workbench.engine.draft_tokens import DraftModel
from workbench.engine.loading import Model


def test_going_back_behind_a_sliding_window_is_as_if_begun_anew(
    gemma_path: Path, load_now: Callable[..., Model]
) -> None:
    """llama.cpp says that it can go back, and has lost what the windows had left behind."""
    draft = DraftModel(load_now(gemma_path, 2048, sequences=1), lambda: 1)
    tokens = draft.model.vocabulary.tokenize("The boats come in with herring every morning. " * 125, special=False)
    short = [*tokens[:40], *draft.model.vocabulary.tokenize(" And then", special=False)]
    draft.propose(short, 1)
    cold = draft._logits().copy()
    draft.propose(tokens, 1)
    draft.propose(short, 1)
    assert np.array_equal(draft._logits(), cold)
    draft.retire()
