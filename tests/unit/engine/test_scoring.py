"""Scores on the real model, where little room is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.loop import Engine
from workbench.engine.scoring import Scoring, TextScoring


@pytest.fixture(scope="module")
def smollm_file(smollm_path: Path) -> Path:
    """All of the layers: with fewer, the rounding of other batches changes a score by more than it may."""
    return smollm_path


def scores(engine: Engine, prompt: list[int], continuations: list[list[int]], room: int | None) -> list[float]:
    job = Scoring(prompt, continuations, RequestContext(), context_tokens=room)
    *_, last = engine.submit(job).events()
    assert isinstance(last, events.Finished)
    return [scored["logprob"] for scored in last.result["values"]]


def test_fewer_are_computed_side_by_side_where_the_context_is_short(small: Engine) -> None:
    text = "The boats come in with herring every morning, and the market opens when they are in. "
    vocabulary = small.model.vocabulary
    prompt = vocabulary.tokenize(text * 24, special=False)[:430]
    continuations = [vocabulary.tokenize(f"Number {n} " + text * 2, special=False)[:36] for n in range(6)]
    assert len(prompt) + 3 * 36 > small.model.context_tokens > len(prompt) + 2 * 36
    found = scores(small, prompt, continuations, small.model.context_tokens)
    one_by_one = [scores(small, prompt, [tokens], None)[0] for tokens in continuations]
    # rows computed alone take another way through llama.cpp than rows in a batch: up to 0.01 nats a token, by processor
    assert found == pytest.approx(one_by_one, abs=0.02 * 36)


@pytest.mark.parametrize(
    ("window", "tokens", "said"),
    [(0, 100, "too short"), (2, 100, "too short"), (64, 100, "two windows"), (-512, 100, "too short")],
)
def test_what_is_too_short_to_be_measured_is_refused(window: int, tokens: int, said: str) -> None:
    with pytest.raises(UserError, match=said):
        TextScoring([1] * tokens, window, None, RequestContext())
