"""The losses of preference learning against the formulas of TRL, on fixed tensors."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")
from torch.nn import functional  # noqa: E402

from workbench.training import preference_losses as losses  # noqa: E402


def values(seed: int, low: float = -3.0, high: float = 3.0) -> Any:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(32, generator=generator, dtype=torch.float64) * (high - low) + low).float()


def close(found: Any, wanted: Any) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-6)


def test_dpo_and_its_kin() -> None:
    # trl 1.16, trainer/dpo_trainer.py: "sigmoid" with label smoothing as in cDPO, "robust"
    delta, beta, epsilon = values(1), 0.1, 0.2
    close(losses.dpo(delta, beta), -functional.logsigmoid(beta * delta))
    smoothed = -(1 - epsilon) * functional.logsigmoid(beta * delta) - epsilon * functional.logsigmoid(-beta * delta)
    close(losses.dpo(delta, beta, epsilon), smoothed)
    clean = -(1 - epsilon) * functional.logsigmoid(beta * delta)
    flipped = -epsilon * functional.logsigmoid(-beta * delta)
    close(losses.dpo(delta, beta, epsilon, robust=True), (clean - flipped) / (1 - 2 * epsilon))


def test_the_first_loss_of_dpo_is_log_2() -> None:
    assert float(losses.dpo(torch.zeros(1), 0.1)) == pytest.approx(math.log(2))


def test_ipo_and_simpo() -> None:
    delta = values(2)
    close(losses.ipo(delta, 0.1), (delta - 5.0) ** 2)
    chosen, rejected = values(3, -4, -0.1), values(4, -4, -0.1)
    gamma_logratios = 0.5 / 2.0  # trl.experimental.cpo: simpo_gamma / beta
    close(losses.simpo(chosen, rejected, 2.0, 0.5), -functional.logsigmoid(2.0 * (chosen - rejected - gamma_logratios)))


def test_orpo() -> None:
    chosen, rejected = values(5, -4, -0.01), values(6, -4, -0.01)
    # trl.experimental.orpo, odds_ratio_loss, in float64 where 1 - exp(x) keeps its digits
    c, r = chosen.double(), rejected.double()
    odds = (c - r) - (torch.log1p(-torch.exp(c)) - torch.log1p(-torch.exp(r)))
    close(losses.orpo(chosen, rejected, 0.1), (-c - 0.1 * functional.logsigmoid(odds)).float())


def test_orpo_stays_finite_where_an_answer_is_certain() -> None:
    chosen = torch.tensor([0.0, -1e-9, -50.0], requires_grad=True)
    losses.orpo(chosen, torch.tensor([-50.0, 0.0, -1e-9]), 0.1).sum().backward()
    assert torch.isfinite(chosen.grad).all()


def test_kto() -> None:
    ratio, desirable = values(7), values(8) > 0
    for divergence in (-1.0, 0.7):
        kl = torch.tensor(divergence).clamp(min=0)
        good = 1 - torch.sigmoid(0.1 * (ratio - kl))
        bad = 1 - torch.sigmoid(0.1 * (kl - ratio))
        found = losses.kto(ratio, desirable, torch.tensor(divergence), 0.1, 1.5, 0.5)
        close(found, torch.where(desirable, 1.5 * good, 0.5 * bad))


def test_the_loss_of_a_reward_model() -> None:
    chosen, rejected = values(9), values(10)
    wanted = -functional.logsigmoid(chosen - rejected - 0.3) + 0.01 * (chosen + rejected) ** 2
    close(losses.reward(chosen, rejected, 0.3), wanted)
