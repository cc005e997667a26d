"""Formulas of policy optimisation against plain computations, and TRL's where it has them."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from workbench.training.experience.hints import distinct_pairs, diversity, find_hints, repetition  # noqa: E402
from workbench.training.policy_losses import (  # noqa: E402
    KlController,
    clipped_policy_loss,
    clipped_value_loss,
    gae,
    group_advantages,
    importance_weights,
    k1,
    k3,
    leave_one_out,
    whiten,
)


def test_advantages_are_sums_of_discounted_errors() -> None:
    rewards, values = torch.tensor([[0.1, 0.2, 1.0, 9.0]]), torch.tensor([[0.5, 0.4, 0.3, 7.0]])
    mask = torch.tensor([[True, True, True, False]])
    errors = [0.1 + 0.4 - 0.5, 0.2 + 0.3 - 0.4, 1.0 - 0.3]
    wanted = [errors[0] + 0.9 * errors[1] + 0.81 * errors[2], errors[1] + 0.9 * errors[2], errors[2], 0.0]
    advantages, returns = gae(rewards, values, mask, lam=0.9)
    torch.testing.assert_close(advantages, torch.tensor([wanted]), atol=1e-6, rtol=0)
    torch.testing.assert_close(
        returns, torch.tensor([[wanted[0] + 0.5, wanted[1] + 0.4, wanted[2] + 0.3, 0.0]]), atol=1e-6, rtol=0
    )


def test_whitening_is_over_the_mask_with_the_biased_variance() -> None:
    values = torch.tensor([[1.0, 2.0, 3.0], [5.0, 99.0, 99.0]])
    mask = torch.tensor([[True, True, True], [True, False, False]])
    found = whiten(values, mask)
    there = values[mask]
    wanted = (there - there.mean()) / torch.sqrt(there.var(unbiased=False) + 1e-8)
    torch.testing.assert_close(found[mask], wanted, atol=1e-6, rtol=0)
    assert not found[~mask].any()


def test_advantages_of_groups() -> None:
    rewards = torch.tensor([1.0, 2.0, 6.0, 4.0, 4.0, 4.0])
    deviation = math.sqrt(((1 - 3) ** 2 + (2 - 3) ** 2 + (6 - 3) ** 2) / 2)
    wanted = torch.tensor([-2.0, -1.0, 3.0]) / (deviation + 1e-4)
    torch.testing.assert_close(group_advantages(rewards, 3)[:3], wanted, atol=1e-6, rtol=0)
    assert not group_advantages(rewards, 3)[3:].any()
    assert group_advantages(rewards, 3, scaled=False).tolist() == [-2.0, -1.0, 3.0, 0.0, 0.0, 0.0]
    assert leave_one_out(rewards, 3).tolist() == [1 - 4.0, 2 - 3.5, 6 - 1.5, 0.0, 0.0, 0.0]
    assert not group_advantages(torch.tensor([1.0, 2.0]), 1).any()


def test_the_clipped_side_has_no_gradient() -> None:
    change = torch.tensor([0.0, 0.5, -0.5, 0.5, -0.5], requires_grad=True)
    advantages = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0])
    losses, clipped = clipped_policy_loss(change, advantages)
    losses.sum().backward()
    assert clipped.tolist() == [False, True, False, False, True]
    assert change.grad is not None
    assert (change.grad != 0).tolist() == [True, False, True, True, False]
    assert losses.tolist() == pytest.approx([-1, -1.2, -math.exp(-0.5), math.exp(0.5), 0.8])


def test_values_are_clipped_around_those_before() -> None:
    found = clipped_value_loss(torch.tensor([1.0, 0.1]), torch.tensor([0.0, 0.0]), torch.tensor([2.0, 0.1]))
    assert found.tolist() == pytest.approx([0.5 * 1.8**2, 0.0], abs=1e-6)


def test_estimates_of_the_divergence() -> None:
    torch.manual_seed(0)
    policy, reference = torch.log_softmax(torch.randn(2, 6, dtype=torch.float64), dim=-1)
    exact = float((policy.exp() * (policy - reference)).sum())
    assert float((policy.exp() * k1(policy, reference)).sum()) == pytest.approx(exact)
    assert float((policy.exp() * k3(policy, reference)).sum()) == pytest.approx(exact)
    assert (k3(policy, reference) >= 0).all()


def test_importance_weights_are_capped_and_carry_no_gradient() -> None:
    trained = torch.log(torch.tensor([0.5, 0.5, 0.1])).requires_grad_()
    found = importance_weights(trained, torch.log(torch.tensor([0.5, 0.1, 0.2])), 2.0)
    assert found.tolist() == pytest.approx([1.0, 2.0, 0.5])
    assert not found.requires_grad


def test_the_weight_of_the_divergence_follows_its_target() -> None:
    controller = KlController(0.1, 4.0, 80.0)
    assert controller.after(40.0, 16).beta == pytest.approx(0.1 * 1.04)
    assert controller.after(0.0, 16).beta == pytest.approx(0.1 * 0.96)
    assert controller.after(4.0, 16) == controller
    assert KlController(0.1, 0.0, 80.0).after(99.0, 16).beta == 0.1


def test_the_losses_of_grpo_are_trl_s() -> None:
    """TRL computes them within a trainer: these are the lines of its ``_compute_loss`` (1.16), with its names."""
    torch.manual_seed(1)
    per_token_logps, old_per_token_logps, ref_per_token_logps = (-torch.rand(3, 4, 5)).unbind()
    advantages, mask = torch.randn(4), torch.ones(4, 5)
    mask[1, 3:] = 0
    log_ratio = per_token_logps - old_per_token_logps
    coef_1 = torch.exp(log_ratio)
    coef_2 = torch.clamp(coef_1, 1 - 0.2, 1 + 0.28)
    per_token_loss = -torch.min(coef_1 * advantages[:, None], coef_2 * advantages[:, None])
    difference = ref_per_token_logps - per_token_logps
    per_token_loss = per_token_loss + 0.04 * (torch.exp(difference) - difference - 1)
    losses, _ = clipped_policy_loss(log_ratio, advantages[:, None].expand(4, 5), 0.2, 0.28)
    found = losses + 0.04 * k3(per_token_logps, ref_per_token_logps)
    torch.testing.assert_close(found * mask, per_token_loss * mask, atol=1e-6, rtol=0)


def test_hints_of_reward_hacking() -> None:
    cultural = [1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4]
    assert distinct_pairs(cultural) < 0.5
    assert distinct_pairs([1, 1, 1]) == 1.0
    plain = [list(range(n, n + 12)) for n in range(0, 48, 12)]
    before = {"answer_tokens": 12.0, "repetition": repetition(plain), "diversity": diversity(plain)}
    assert before["repetition"] == 0.0
    assert find_hints(before, before) == {}
    hacked = [cultural, *plain[:1], cultural, cultural]
    now = {"answer_tokens": 11.0, "repetition": repetition(hacked), "diversity": diversity(hacked)}
    assert set(find_hints(now, before)) == {"repetition", "diversity"}
    assert set(find_hints({**before, "answer_tokens": 5.0}, before)) == {"length"}
