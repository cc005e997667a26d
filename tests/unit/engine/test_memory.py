"""What is kept in the decode context's memory and the store: nothing is given up that can still be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.loop import Engine


class Last(Job):
    """Ends when some tokens are computed."""

    def __init__(self, tokens: Sequence[int]) -> None:
        super().__init__(tokens, len(tokens) - 1, len(tokens), RequestContext())

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        self._end(events.Finished())

    def cancel(self) -> None:
        self._end(events.Cancelled())


def last(engine: Engine, tokens: Sequence[int]) -> Last:
    job = Last(tokens)
    list(engine.submit(job).events())
    return job


def made_up(seed: int, count: int) -> list[int]:
    return [int(token) for token in np.random.default_rng(seed).integers(1000, 9000, count)]


@pytest.mark.parametrize("name", ["smollm", "gemma", "narrow"])
def test_two_chats_that_share_half_of_what_they_are_both_stay(name: str, request: pytest.FixtureRequest) -> None:
    engine: Engine = request.getfixturevalue(name)
    engine.forget()
    common = made_up(1, 220)
    one, other = [*common, *made_up(2, 150)], [*common, *made_up(3, 150)]
    last(engine, one)
    assert last(engine, other).cached == len(common)
    assert last(engine, [*one, 5]).cached == len(one)
    assert last(engine, [*other, 6]).cached == len(other)


def test_what_has_left_the_window_is_not_missed(gemma: Engine) -> None:
    """llama.cpp puts others' tokens into cells that a sequence no longer sees, though there are free ones: the first
    position that is left was 3 after 300 tokens beside a chat of 960."""
    slots = gemma._decode_contexts[0].slots
    assert gemma.model.shares
    assert slots._reachable(880, 960, first=3, before=0) == 880
    assert slots._reachable(880, 960, first=880 - 512, before=0) == 880
    assert slots._reachable(880, 960, first=880 - 511, before=0) == 0
    assert slots._reachable(880, 960, first=880 - 511, before=1) == 880  # a virtual token shifts all positions
