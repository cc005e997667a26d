"""How much is evaluated on the way."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from tests.unit.finetuning.training.tiny_training import sequences
from workbench.techniques.finetuning.training import running
from workbench.techniques.finetuning.training.running import _evaluated, _spread
from workbench.techniques.finetuning.training.sets import Question


def test_a_short_training_is_not_held_up_by_a_large_evaluation_side() -> None:
    texts = sequences(600, longest=120)
    few, many = _evaluated(texts, 10_000), _evaluated(texts, 10_000_000)
    assert sum(len(one.tokens) for one in few) <= running.FEWEST_EVALUATED_TOKENS
    assert few == many[: len(few)]
    assert (len(many), many) == (running.MOST_EVALUATED, texts[: running.MOST_EVALUATED])
    assert len(_evaluated(sequences(50, longest=5000), 0)) >= running.FEWEST_EVALUATED


def test_questions_are_spread_over_all() -> None:
    asked = [Question(prompt=(n,), question=str(n), expected="") for n in range(10)]
    assert [one.question for one in _spread(asked, 4)] == ["0", "2", "5", "7"]
    assert _spread(asked, 20) == tuple(asked)
    assert _spread(asked, 0) == ()
