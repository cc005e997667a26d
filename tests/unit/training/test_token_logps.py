"""Log-probabilities of answers: chunked as whole, pairs in one row as apart, values and gradients."""

from __future__ import annotations

import random
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.unit.tiny_models import VOCABULARY  # noqa: E402
from tests.unit.training.tiny_training import apply_method, loaded  # noqa: E402
from workbench.records.training import WeightsPart  # noqa: E402
from workbench.training.answer_pairs import answer_logps, apart, pairs_fit  # noqa: E402
from workbench.training.losses import Head  # noqa: E402
from workbench.training.peft_models import trainable_parameters  # noqa: E402
from workbench.training.sequences import TokenSequence  # noqa: E402
from workbench.training.token_logps import token_logps  # noqa: E402


def pairs(count: int, seed: int = 0) -> list[TokenSequence]:
    numbers = random.Random(seed)
    rows = []
    for _ in range(count):
        prompt, first, second = numbers.randint(1, 9), numbers.randint(1, 8), numbers.randint(1, 8)
        tokens = tuple(numbers.randrange(VOCABULARY) for _ in range(prompt + first + second))
        rows.append(TokenSequence(tokens, (False,) * prompt + (True,) * (first + second), (prompt + first,)))
    return rows


def adapted(family: str = "llama") -> Any:
    model = apply_method(loaded(family), WeightsPart(method="lora", rank=4))
    torch.manual_seed(1)
    for parameter in trainable_parameters(model).values():
        parameter.data.normal_(std=0.2)
    return model.eval()


def test_in_chunks_values_and_gradients_are_those_of_the_whole() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(16, 50, bias=False).requires_grad_(False)
    head = Head.__new__(Head)
    head.layer, head._cap, head._divisor, head._factor = layer, 3.0, None, None
    hidden = torch.randn(70, 16, requires_grad=True)
    targets = torch.randint(0, 50, (70,))
    weights = torch.randn(70)
    whole = torch.log_softmax(head(hidden), dim=-1).gather(-1, targets[:, None])[:, 0]
    (wanted,) = torch.autograd.grad((whole * weights).sum(), hidden)
    found = token_logps(hidden, targets, head, chunk_bytes=1)  # 16 positions at a time
    (gradient,) = torch.autograd.grad((found * weights).sum(), hidden)
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-6)
    torch.testing.assert_close(gradient, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma3"])
def test_a_pair_in_one_row_is_as_two_rows(family: str) -> None:
    model, rows = adapted(family), pairs(5)
    gradients = []
    for together in (True, False):
        model.zero_grad()
        found = answer_logps(model, rows, together=together)
        chosen, rejected = found.pairs(found.sums)
        torch.nn.functional.softplus(rejected - chosen).sum().backward()
        gradients.append({name: one.grad.clone() for name, one in trainable_parameters(model).items()})
        if together:
            first = found
    torch.testing.assert_close(first.sums, found.sums, rtol=0, atol=1e-4)
    assert first.counts.tolist() == found.counts.tolist() == [sum(one.trained) for one in apart(rows)]
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-3, atol=1e-4)
    assert pairs_fit(model, rows[:2])


def test_a_pair_does_not_fit_a_model_that_counts_positions_by_itself() -> None:
    model, rows = adapted(), pairs(2)
    forward = model.forward
    model.forward = lambda *all_, position_ids=None, attention_mask=None, **named: forward(*all_, **named)
    assert not pairs_fit(model, rows)


def test_single_answers_and_pairs_share_a_batch() -> None:
    model, (pair, other) = adapted(), pairs(2)
    single = apart([other])[0]
    found = answer_logps(model, [pair, single])
    alone = torch.cat([answer_logps(model, [one]).sums for one in (pair, single)])
    torch.testing.assert_close(found.sums, alone, rtol=0, atol=1e-4)


def test_an_answer_needs_something_before_it() -> None:
    with pytest.raises(ValueError, match="no prompt"):
        answer_logps(adapted(), [TokenSequence((1, 2), (True, True))])
