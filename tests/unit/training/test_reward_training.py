"""Reward models in torch: the probe, the loss, the report, and a training from a file to a head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.unit.training.test_preference_training import run  # noqa: E402
from tests.unit.training.test_token_logps import adapted, pairs  # noqa: E402
from tests.unit.training.tiny_training import weights_method  # noqa: E402
from workbench.api import events  # noqa: E402
from workbench.gguf.reward_head import read_reward_model  # noqa: E402
from workbench.records.training import WeightsPart  # noqa: E402
from workbench.training.answer_pairs import answer_states  # noqa: E402
from workbench.training.objectives.reward import Reward, RewardOptions  # noqa: E402
from workbench.training.peft_models import trainable_parameters  # noqa: E402
from workbench.training.reward_report import calibrate, fit_temperature, make_report, paired_interval  # noqa: E402
from workbench.training.reward_training import (  # noqa: E402  # noqa: E402
    HEAD,
    RewardLoss,
    attach_head,
    choose_penalty,
    fit_probe,
    logistic,
    start_from_probe,
)

ROWS = [
    {"prompt": f"Question {n}?", "chosen": f"yes {n} yes", "rejected": f"NO {n} NO"} for n in range(40)
]  # capitals are disliked


@pytest.mark.parametrize("shape", [(30, 12), (12, 30)])
def test_the_probe_is_the_minimum_of_its_loss(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    rows = torch.randn(shape, dtype=torch.float64)
    weight = logistic(rows, 0.5).requires_grad_(True)
    loss = -torch.nn.functional.logsigmoid(rows @ weight).mean() + 0.25 / shape[1] ** 0.5 * weight.square().sum()
    (gradient,) = torch.autograd.grad(loss, weight)
    assert float(gradient.abs().max()) < 1e-7


def test_a_direction_of_taste_is_found_and_scores_are_centred() -> None:
    torch.manual_seed(0)
    chosen, rejected = torch.randn(200, 20), torch.randn(200, 20)
    better = chosen[:, 3] > rejected[:, 3]
    first, second = torch.where(better[:, None], chosen, rejected), torch.where(better[:, None], rejected, chosen)
    weight, bias = fit_probe(first, second, range(200))
    assert int(weight.abs().argmax()) == 3
    scores = torch.cat([first, second]) @ weight + bias
    assert float(scores.mean()) == pytest.approx(0, abs=1e-5)


def test_pairs_of_one_prompt_do_not_choose_the_penalty_for_each_other() -> None:
    torch.manual_seed(1)
    noise = torch.randn(61, 30, dtype=torch.float64)
    repeated = torch.cat([noise, noise])  # the same pair twice: leaked, the smallest penalty looks best
    prompts = [n % 61 for n in range(122)]
    assert choose_penalty(repeated, prompts) > choose_penalty(repeated, range(122))


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_states_of_a_pair_row_are_those_of_its_answers_alone(pooling: str) -> None:
    model, rows = adapted(), pairs(3)
    with torch.no_grad():
        together = answer_states(model, rows, pooling)
        alone = answer_states(model, rows, pooling, together=False)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


def test_the_head_is_trained_and_starts_from_the_probe() -> None:
    model = adapted()
    attach_head(model)
    trained = trainable_parameters(model)
    assert {f"{HEAD}.weight", f"{HEAD}.bias"} <= set(trained)
    loss = RewardLoss(model, RewardOptions(), range(20), torch.float32)
    rows = pairs(4)
    found = loss(model, rows)
    assert float(found.total.detach()) == pytest.approx(4 * 0.693147, abs=1e-4), "a head of zeros tells nothing apart"
    start_from_probe(model, rows, RewardOptions(probe_pairs=4), lambda *_: None, 0)
    assert float(loss(model, rows).total.detach()) < 4 * 0.69


def test_a_held_out_taste_is_learnt_and_described(tmp_path: Path) -> None:
    trained, told = run(tmp_path, "reward", ROWS)
    assert trained.kind == "reward"
    assert trained.forgetting.after is None, "it writes nothing that could be forgotten"
    described = read_reward_model(Path(trained.folder))
    assert described is not None
    report = described.report
    assert report.held_out
    assert report.accuracy == 1.0
    assert report.beats_chance
    assert report.pairs + report.train_pairs == len(ROWS)
    assert sum(one.chosen + one.rejected for one in report.scores) == 2 * report.pairs
    assert any(isinstance(e, events.Artifact) and e.kind == "reward" for e in told)
    assert not any(isinstance(e, events.Artifact) and e.kind == "sample" for e in told)


def test_weights_that_no_adapter_holds_are_refused() -> None:
    problem, hint = Reward(RewardOptions()).problem(weights_method(WeightsPart(method="full")))
    assert "low-rank" in problem
    assert "LoRA" in hint
    assert Reward(RewardOptions()).problem(weights_method(WeightsPart())) == ("", "")


def test_the_report_compares_with_the_length() -> None:
    generator = np.random.default_rng(0)
    quality = generator.normal(size=400)
    scores = np.stack([quality + 1, quality - 1], axis=1).ravel() + generator.normal(size=800)
    lengths = [(5, 9), (9, 5)] * 100
    report = make_report(scores, scores[:400], [(5, 9)] * 30 + [(9, 5)] * 10, lengths)
    assert report.length_rule == "shorter"
    assert report.length_accuracy == 0.5
    assert report.accuracy > 0.85
    assert report.low < report.accuracy < report.high
    assert report.beats_length
    assert report.gain == pytest.approx(report.accuracy - 0.5)


def test_calibration_says_how_often_predictions_hold() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=20_000) * 2
    margins = np.where(generator.random(20_000) < 1 / (1 + np.exp(-logits)), logits, -logits)
    assert fit_temperature(margins * 3) == pytest.approx(3, rel=0.1)
    assert 0.2 < fit_temperature(np.full(50, 2.0)) < 1, "fifty right of fifty are not taken for certain"
    for one in calibrate(margins):
        assert one.observed == pytest.approx(one.predicted, abs=0.03)
    over = calibrate(margins * 3)  # too sure of itself
    assert over[-1].observed < over[-1].predicted - 0.03


def test_a_paired_interval_is_the_same_again_and_holds_the_mean() -> None:
    differences = np.array([0.5, -0.5, 1, 0, 0, 1, -1, 1] * 20)
    low, high = paired_interval(differences)
    assert (low, high) == paired_interval(differences)
    assert low < differences.mean() < high
