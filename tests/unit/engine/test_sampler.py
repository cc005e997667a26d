"""The choice of tokens, against llama.cpp's own samplers where there are any."""

from __future__ import annotations

import ctypes
import math

import numpy as np
import pytest

from workbench.engine.library import llama
from workbench.engine.sampler import LARGEST_SEED, Logits, LogProbabilities, Sampler, exact_normaliser
from workbench.recipes import DecodingPart

VOCABULARY = 1_000


def rows(count: int) -> list[Logits]:
    draw = np.random.default_rng(5)
    return [draw.normal(0, 3, VOCABULARY).astype(np.float32) for _ in range(count)]


def native_choice(chain: object, logits: Logits) -> int:
    """What a chain of llama.cpp's samplers takes from a row, without a model."""
    data = (llama.llama_token_data * VOCABULARY)(*[(i, float(x), 0.0) for i, x in enumerate(logits)])
    candidates = llama.llama_token_data_array(data, VOCABULARY, -1, False)
    llama.llama_sampler_apply(chain, ctypes.byref(candidates))
    token = int(candidates.data[candidates.selected].id)
    llama.llama_sampler_accept(chain, token)
    return token


@pytest.mark.parametrize("penalty", [1.0, 1.1, 2.0])
def test_the_penalty_chooses_what_llama_cpps_own_does(penalty: float) -> None:
    chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
    llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_penalties(VOCABULARY, 256, penalty, 0.0, 0.0))
    llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_greedy())
    sampler = Sampler(DecodingPart(repetition_penalty=penalty))
    base = rows(1)[0]
    noise = rows(20)
    ours, theirs = [], []
    for step in range(400):  # past the window of the penalty
        logits = (base + 0.1 * noise[step % 20] + 3 * noise[(step // 20) % 20]).astype(np.float32)
        theirs.append(native_choice(chain, logits.copy()))
        token, logit = sampler.choose(None, 0, scratch := logits.copy())
        ours.append(token)
        assert logit == logits[token]
        assert (scratch == logits).all() == (penalty == 1.0 or step == 0)
    llama.llama_sampler_free(chain)
    assert ours == theirs


def test_a_seed_is_kept_and_minus_one_draws_one() -> None:
    assert Sampler(DecodingPart(seed=7)).seed == 7
    drawn = {Sampler(DecodingPart(seed=-1)).seed for _ in range(4)}
    assert len(drawn) > 1
    assert all(0 <= seed <= LARGEST_SEED for seed in drawn)


@pytest.mark.parametrize("shift", [0.0, 60.0, 300.0, -300.0])
def test_the_quick_normaliser_agrees_with_the_exact_one(shift: float) -> None:
    logits = rows(1)[0] + np.float32(shift)
    exact = math.log(sum(math.exp(float(x) - shift) for x in logits)) + shift
    assert exact_normaliser(logits) == pytest.approx(exact, abs=1e-5)
    with np.errstate(over="ignore"):
        assert LogProbabilities(VOCABULARY).normaliser(logits) == pytest.approx(exact, abs=1e-4)
