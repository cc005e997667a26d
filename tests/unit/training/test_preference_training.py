"""Objectives over preferences, from a file to an adapter that prefers what was preferred."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.unit.training.test_token_logps import adapted, pairs  # noqa: E402
from tests.unit.training.tiny_training import save_folder  # noqa: E402
from workbench.api import events  # noqa: E402
from workbench.base.errors import UserError  # noqa: E402
from workbench.records.training import (  # noqa: E402
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    WeightsPart,
)
from workbench.techniques.registry import METHODS  # noqa: E402
from workbench.training.answer_losses import JudgedLoss, PairLoss  # noqa: E402
from workbench.training.control import Switch  # noqa: E402
from workbench.training.objectives.dpo import Dpo, DpoOptions  # noqa: E402
from workbench.training.objectives.kto import KtoOptions  # noqa: E402
from workbench.training.peft_models import trainable_parameters  # noqa: E402
from workbench.training.protocol import BaseModel, TrainModel  # noqa: E402
from workbench.training.ranks import Ranks  # noqa: E402
from workbench.training.run import train  # noqa: E402
from workbench.training.sequences import JUDGED_BAD, TokenSequence  # noqa: E402
from workbench.training.verifying import FEWEST_CHECKED  # noqa: E402
from workbench.verification.probe_prompts import read_prompts  # noqa: E402

PAIRS = [{"prompt": f"Question {n}?", "chosen": f"Yes {n}.", "rejected": f"No {n}, never."} for n in range(24)]
JUDGED = [
    {"prompt": one["prompt"], "completion": one[answer], "label": answer == "chosen"}
    for one in PAIRS
    for answer in ("chosen", "rejected")
]


def run(folder: Path, name: str, rows: list[dict[str, Any]], **weights: Any) -> tuple[Any, list[events.Event]]:
    path = folder / "set.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    config = TrainingConfig(
        objective=ObjectivePart(name=name),
        data=DataPart(path=str(path), evaluation_share=0.3),
        weights=WeightsPart(**({"base": "f32", "rank": 8} | weights)),
        optimiser=OptimiserPart(
            max_steps=12, batch_size=6, micro_batch_tokens=128, learning_rate=1e-2, gradient_checkpointing="off"
        ),
        evaluation=EvaluationPart(interval=6, sample_answers=2, max_new_tokens=4, forgetting=False),
    )
    model = BaseModel(name="tiny", path=str(save_folder(folder / "tiny")))
    told: list[events.Event] = []
    call = TrainModel(config=config, model=model, folder=str(folder / "run"), threads=1)
    live = train(call, METHODS, Switch(), told.append)
    assert live is not None
    return live.trained, told


@pytest.mark.parametrize("name", ["dpo", "ipo", "simpo", "orpo"])
def test_held_out_pairs_are_told_apart(name: str, tmp_path: Path) -> None:
    trained, told = run(tmp_path, name, PAIRS)
    before, after = trained.scores.before.metrics, trained.scores.after.metrics
    assert after["margin"] > before["margin"]
    assert after["pair_accuracy"] == 1.0
    if name == "dpo":
        assert before["margin"] == 0.0
        assert trained.scores.before.loss == pytest.approx(0.6931, abs=1e-3)
    measured = {e.name for e in told if isinstance(e, events.Metric)}
    assert measured >= {"pair_accuracy", "evaluation_pair_accuracy", "chosen_reward", "loss"}
    prompts = read_prompts(tmp_path / "run" / "trained" / "questions.jsonl")
    assert len(prompts) >= FEWEST_CHECKED  # those that were trained on as well, since few are held out
    for prompt in prompts:
        assert prompt.trained == tuple(sorted(prompt.trained))  # a prompt, and one answer
        assert 0 < sum(prompt.trained) < len(prompt.tokens)


def test_judged_answers_move_the_right_way(tmp_path: Path) -> None:
    trained, told = run(tmp_path, "kto", JUDGED)
    assert trained.scores.after.loss < 0.5 - 1e-3
    assert trained.scores.after.metrics["judged_right"] > 0.8
    assert any(isinstance(e, events.Metric) and e.name == "divergence" for e in told)


@pytest.mark.parametrize(
    ("name", "rows", "reason"),
    [
        ("dpo", [{"prompt": "a", "completion": "b"}] * 3, "no pairs"),
        ("kto", PAIRS, "not rated"),
        ("kto", [one for one in JUDGED if one["label"]], "All answers were judged good"),
    ],
)
def test_data_of_another_kind_is_refused(name: str, rows: list[dict[str, Any]], reason: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=reason):
        run(tmp_path, name, rows)


def test_what_has_no_adapter_to_switch_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="model before the training"):
        run(tmp_path, "dpo", PAIRS, method="full")


def test_a_reference_is_computed_once_and_is_the_base() -> None:
    model, rows = adapted(), pairs(4)
    loss = PairLoss(model, Dpo(DpoOptions()), range(20), torch.float32)
    reference = loss._reference
    assert reference is not None
    first = reference(rows, together=True)
    calls: list[Any] = []
    hook = model.register_forward_hook(lambda *_: calls.append(1))
    again = reference([rows[2], rows[0]], together=True)
    hook.remove()
    assert not calls
    assert again.sums.tolist() == [*first.sums[4:6].tolist(), *first.sums[:2].tolist()]
    with model.disable_adapter():
        found = loss(model, rows)
    assert float(found.total) == pytest.approx(4 * 0.693147, abs=1e-4)  # nothing but the base


def test_the_divergence_of_kto_is_that_of_the_whole_step() -> None:
    model = adapted()
    rows = [
        TokenSequence(one.tokens, one.trained, (), JUDGED_BAD * (place % 2))
        for place, one in enumerate(pairs(6, seed=3))
    ]
    options = KtoOptions(beta=0.5)
    gradients = []
    for parts in ([rows], [rows[:2], rows[2:3], rows[3:]]):
        model.zero_grad()
        loss = JudgedLoss(model, options)
        loss.begin_step(model, rows, Ranks())
        total = sum(loss(model, part).total for part in parts)
        total.backward()
        gradients.append({name: one.grad.clone() for name, one in trainable_parameters(model).items()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-3, atol=1e-5)
