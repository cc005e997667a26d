"""A token is drawn with the probability that the logits give it; the faster way of sampling is taken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from workbench.records.training import OptimiserPart, TrainingConfig
from workbench.techniques.registry import METHODS
from workbench.training.experience import collection
from workbench.training.experience.options import PolicyOptions
from workbench.training.experience.rollouts import PART, Ask, Sampled, draw


@pytest.mark.parametrize("size", [7, PART, 2 * PART, 5 * PART + 3])
def test_a_token_is_drawn_where_the_cumulated_probabilities_pass_the_random_number(size: int) -> None:
    logits = (4 * np.random.default_rng(size).standard_normal(size)).astype(np.float32)
    exact = np.exp(logits.astype(np.float64))
    exact /= exact.sum()
    cumulated = exact.cumsum()
    for seed in range(300):
        token, logprob = draw(logits, np.random.default_rng(seed))
        wanted = np.random.default_rng(seed).random()
        assert (cumulated[token - 1] if token else 0.0) - 1e-6 <= wanted <= cumulated[token] + 1e-6
        assert logprob == pytest.approx(np.log(exact[token]), abs=1e-5)


def test_a_token_without_probability_is_never_drawn() -> None:
    logits = np.full(3 * PART, -np.inf, dtype=np.float32)
    logits[[0, PART - 1, 2 * PART]] = 0.0
    drawn = [draw(logits, np.random.default_rng(seed)) for seed in range(300)]
    assert {token for token, _ in drawn} == {0, PART - 1, 2 * PART}
    assert {round(logprob, 6) for _, logprob in drawn} == {round(-np.log(3), 6)}


class Timed:
    """Samples answers of two tokens, each in ``seconds``."""

    def __init__(self, clock: list[float], seconds: float) -> None:
        self.clock, self.seconds, self.answers = clock, seconds, 0

    def refresh(self) -> None:
        pass

    def close(self) -> None:
        pass

    def sample(self, asks: Sequence[Ask], *_: Any) -> list[Sampled]:
        self.clock[0] += self.seconds * len(asks)
        self.answers += len(asks)
        return [Sampled((1, 2), (0.0, 0.0), True)] * len(asks)


@pytest.mark.parametrize(("seconds", "steps", "fast", "slow"), [
    ((0.001, 0.004), 1, 65, 65),  # soon done: all is compared
    ((1.0, 4.0), 100, 65, 17),  # the slower way is given up after the first 16 answers
    ((1.0, 4.0), 1, 17, 17),  # and no more is sampled than in the only step
    ((1.0, 1.5), 100, 65, 65),  # not so much slower that it were sure
])  # fmt: skip
def test_a_slow_way_of_sampling_is_given_up_before_it_takes_longer_than_the_training(
    seconds: tuple[float, float], steps: int, fast: int, slow: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(collection.time, "perf_counter", lambda: clock[0])
    config = TrainingConfig(optimiser=OptimiserPart(batch_size=4, max_steps=steps))
    context: Any = SimpleNamespace(
        methods=METHODS, folder=tmp_path, config=config, check=None, emit=lambda event: None,
        train=[SimpleNamespace(tokens=(1, 2, 3))],
    )  # fmt: skip
    collector = collection.Collector(context, PolicyOptions(rewards=("letter-share",), answers=4), {})
    ways = {name: Timed(clock, each) for name, each in zip(("engine", "transformers"), seconds, strict=True)}
    monkeypatch.setattr(collector, "_open_all", lambda: collector._opened.update(ways))  # type: ignore[arg-type]
    monkeypatch.setattr(collector, "_rewarded", lambda asks, found: [])
    first = collection.Start(chosen="engine", tokens_per_second={}, samples=0, reward=0.0, deviation=0.0, answers={})
    monkeypatch.setattr(collector, "_first", lambda chosen, speeds, answers: first if chosen == "engine" else None)
    assert collector.start() is first
    assert (ways["engine"].answers, ways["transformers"].answers) == (fast, slow)
