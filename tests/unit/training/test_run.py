"""A domain from its texts to what it leaves; how much is evaluated on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from tests.unit.training.tiny_training import save_folder, sequences
from workbench.api import events
from workbench.api.protocol import failure_of
from workbench.base.errors import UserError
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    WeightsPart,
)
from workbench.subjects.adapters.out_of_memory import explain
from workbench.techniques.registry import METHODS
from workbench.training import scoring
from workbench.training.control import Switch
from workbench.training.out_of_memory import translate_out_of_memory
from workbench.training.protocol import BaseModel, TrainModel
from workbench.training.run import _check_same, find_computing, finished_before, note_computing, train
from workbench.training.scoring import spread, texts_of
from workbench.training.scoring_budget import FEWEST_EVALUATED_TOKENS
from workbench.training.sequences import Question
from workbench.training.weights.loading import LoadedBase
from workbench.verification.probe_prompts import read_prompts


def test_a_short_training_is_not_held_up_by_a_large_evaluation_side() -> None:
    texts = sequences(600, longest=120)
    few, many = texts_of(texts, 10_000), texts_of(texts, 10_000_000)
    assert sum(len(one.tokens) for one in few) <= FEWEST_EVALUATED_TOKENS
    assert few == many[: len(few)]
    assert (len(many), many) == (scoring.MOST_EVALUATED, texts[: scoring.MOST_EVALUATED])
    assert len(texts_of(sequences(50, longest=5000), 0)) >= scoring.FEWEST_EVALUATED


def test_want_of_memory_is_known_as_such_where_the_plan_is() -> None:
    import torch

    config = TrainingConfig(optimiser=OptimiserPart(micro_batch_tokens=1024))
    with pytest.raises(MemoryError) as caught, translate_out_of_memory():
        torch.empty(1 << 58)
    told = explain(failure_of(caught.value), config, None)
    assert "memory ran out" in told.message
    assert "start one that takes less" in told.hint  # the settings of one that is resumed stay
    assert "fewer micro-batch tokens (now 1,024)" in told.hint
    with pytest.raises(RuntimeError, match="shape"), translate_out_of_memory():
        torch.zeros(3).view(2)
    with pytest.raises(RuntimeError, match="row 7"), translate_out_of_memory():
        raise RuntimeError("row 7 says: not enough memory")


def test_questions_are_spread_over_all() -> None:
    asked = [Question(prompt=(n,), question=str(n), expected="") for n in range(10)]
    assert [one.question for one in spread(asked, 4)] == ["0", "2", "5", "7"]
    assert spread(asked, 20) == tuple(asked)
    assert spread(asked, 0) == ()


def test_what_was_trained_and_cannot_be_read_is_not_trained_over(tmp_path: Path) -> None:
    assert finished_before(tmp_path) is None
    record = tmp_path / "trained" / "trained.json"
    record.parent.mkdir()
    record.write_text('{"folder": "x", "form": "peft", "kind": "lora", "steps": 4, "seconds": 1.5}')
    done = finished_before(tmp_path)
    assert done is not None
    assert done.steps == 4
    record.write_text('{"format": 2}')
    with pytest.raises(UserError, match="newer version"):
        finished_before(tmp_path)
    assert record.read_text() == '{"format": 2}'


def test_a_domain_is_learnt_and_evaluated_on_what_is_trained_where_nothing_is_held_out(tmp_path: Path) -> None:
    rows = tmp_path / "texts.jsonl"
    texts = [f"Text {n} goes on and on." for n in range(30)]
    rows.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    config = TrainingConfig(
        objective=ObjectivePart(name="domain"),
        data=DataPart(path=str(rows), evaluation_share=0.0, max_length=96),
        weights=WeightsPart(base="f32", rank=8),
        optimiser=OptimiserPart(
            max_steps=12, batch_size=4, micro_batch_tokens=192, learning_rate=2e-2, gradient_checkpointing="off"
        ),
        evaluation=EvaluationPart(interval=6, sample_answers=4, forgetting=False),
    )
    model = BaseModel(name="tiny", path=str(save_folder(tmp_path / "tiny")))
    told: list[Any] = []
    live = train(
        TrainModel(config=config, model=model, folder=str(tmp_path / "run"), threads=1), METHODS, Switch(), told.append
    )
    assert live is not None
    scores = live.trained.scores
    assert scores.before is not None
    assert scores.after is not None
    assert scores.after.loss < scores.before.loss
    assert scores.after.token_accuracy > scores.before.token_accuracy + 0.2
    assert (scores.after.exact_match, scores.after.answers) == (None, 0)
    assert [e.step for e in told if isinstance(e, events.Metric) and e.name == "evaluation_loss"] == [0, 6, 12]
    prompts = read_prompts(tmp_path / "run" / "trained" / "questions.jsonl")
    # each is one text, or a part of one where a window ends in it; what one begins with is not learnt
    assert len(prompts) > len(texts) / 2
    assert all(prompt.trained == (False, *[True] * (len(prompt.tokens) - 1)) for prompt in prompts)
    assert max(len(prompt.tokens) for prompt in prompts) < 30


def test_a_checkpoint_of_an_earlier_version_is_not_said_to_be_of_other_examples() -> None:
    _check_same("2:ab", "2:ab")
    _check_same("ab", "2:ab")  # written while this version was developed
    with pytest.raises(UserError, match="examples or the settings have changed"):
        _check_same("2:cd", "2:ab")
    with pytest.raises(UserError, match="earlier version"):
        _check_same("cd", "2:ab")


def test_that_something_else_computes_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    assert find_computing(tmp_path, said.append) is None
    found = LoadedBase(None, None, "packed", torch.bfloat16, "cpu", 0)  # type: ignore[arg-type]
    note_computing(tmp_path, found)
    known = find_computing(tmp_path, said.append)
    assert known is not None
    assert (known.form, known.dtype, said) == ("packed", "bfloat16", [])
    file = tmp_path / "computing.json"
    file.write_text(file.read_text().replace(torch.__version__, "1.0"))
    find_computing(tmp_path, said.append)
    assert len(said) == 1
    assert f"torch 1.0 (now {torch.__version__})" in said[0]
