"""Contrastive search against a plain implementation of the paper on the same random models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.unit.decoding.random_decode_context import (
    ENDINGS,
    DecodeContext,
    Letters,
    compute,
    random_llama,
    random_prompt,
)
from workbench.api.events import Cancelled, Finished, TextDelta
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Generated
from workbench.engine.prompt import Prompt
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.answer_job import GenerationRequest
from workbench.techniques.decoding.contrastive import ContrastiveJob

torch = pytest.importorskip("torch")

NEW_TOKENS = 8
LONG = 1  # a seed whose answer is cut by its length


def plain_search(model: Any, prompt: Sequence[int], k: int, alpha: float) -> list[int]:
    """Algorithm of Su et al. 2022, section 4: every candidate is computed from the beginning."""
    tokens = list(prompt)
    while len(tokens) - len(prompt) < NEW_TOKENS:
        logits, states = compute(model, tokens)
        probabilities = torch.softmax(torch.tensor(logits[-1]).double(), 0)
        best, best_score = -1, -np.inf
        for token in torch.topk(probabilities, k).indices.tolist():
            state = torch.tensor(compute(model, [*tokens, token])[1][-1])
            similarity = torch.cosine_similarity(torch.tensor(states), state[None], dim=1).max()
            score = float((1 - alpha) * probabilities[token] - alpha * similarity)
            if score > best_score:
                best, best_score = token, score
        tokens.append(best)
        if best in ENDINGS:
            break
    return tokens[len(prompt) :]


def make_job(prompt: Sequence[int], decoding: DecodingPart, context_tokens: int = 64, **more: Any) -> ContrastiveJob:
    vocabulary: Any = Letters()
    where = vocabulary, context_tokens, RequestContext()
    return ContrastiveJob(GenerationRequest(Prompt(list(prompt)), decoding, *where, started=0.0, **more))


def decoding_of(k: int, alpha: float, **more: Any) -> DecodingPart:
    return DecodingPart(
        strategy="contrastive",
        contrastive_k=k,
        penalty_alpha=alpha,
        max_tokens=NEW_TOKENS,
        repetition_penalty=1.0,
        **more,
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("k", "alpha"), [(1, 0.6), (4, 0.0), (4, 0.6), (3, 0.9)])
def test_search_is_that_of_the_paper(seed: int, k: int, alpha: float) -> None:
    model, prompt = random_llama(seed), random_prompt(seed)
    expected = plain_search(model, prompt, k, alpha)
    decode_context = DecodeContext(model)
    events = decode_context.run(make_job(prompt, decoding_of(k, alpha)))
    assert isinstance(events[-1], Finished)
    result = msgspec.convert(events[-1].result, Generated)
    shown = [token for token in expected if token not in ENDINGS]
    assert list(result.sequences[0].tokens) == shown
    assert result.finish == ("eos" if len(shown) < len(expected) else "length")
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == result.text
    assert result.text == Letters().text(shown)
    assert decode_context.most_branches == k


def test_alpha_changes_what_is_said() -> None:
    model, prompt = random_llama(1), random_prompt(1)
    assert plain_search(model, prompt, 4, 0.0) != plain_search(model, prompt, 4, 0.9)


def test_mean_log_probability_is_the_models_own() -> None:
    model, prompt = random_llama(2), random_prompt(2)
    decoding = msgspec.structs.replace(decoding_of(4, 0.6), repetition_penalty=1.4)
    result = msgspec.convert(DecodeContext(model).run(make_job(prompt, decoding))[-1].result, Generated)
    tokens = [*prompt, *result.sequences[0].tokens]
    logprobs = torch.log_softmax(torch.tensor(compute(model, tokens)[0]).double(), 1)
    own = [float(logprobs[at - 1, tokens[at]]) for at in range(len(prompt), len(tokens))]
    assert result.mean_logprob == pytest.approx(np.mean(own), abs=1e-4)


def test_it_heeds_what_changes_single_tokens() -> None:
    model, prompt = random_llama(LONG), random_prompt(LONG)

    def said(**more: Any) -> tuple[int, ...]:
        made = DecodeContext(model).run(make_job(prompt, decoding_of(4, 0.0, **more)))[-1].result
        return msgspec.convert(made, Generated).sequences[0].tokens

    plain = said()
    assert plain[0] not in said(logit_bias=(f"#{plain[0]}=-inf",))
    assert set(said(logit_bias=("#9=14",))) == {9}
    assert len(set(said(logit_bias=("#9=14",), presence_penalty=2.0, frequency_penalty=2.0))) > 1
    assert len(set(said(logit_bias=("#9=14",), dry_multiplier=5.0))) > 1


def test_it_ends_where_a_stop_text_begins() -> None:
    model, prompt = random_llama(LONG), random_prompt(LONG)
    whole = msgspec.convert(DecodeContext(model).run(make_job(prompt, decoding_of(4, 0.6)))[-1].result, Generated).text
    assert len(whole) > 4
    stop = whole[2:4]
    result = msgspec.convert(
        DecodeContext(model).run(make_job(prompt, decoding_of(4, 0.6, stop=(stop,))))[-1].result, Generated
    )
    assert (result.text, result.finish) == (whole[: whole.index(stop)], "stop")


def test_going_on_from_given_tokens_gives_the_same_answer() -> None:
    model, prompt = random_llama(3), random_prompt(3)
    whole = msgspec.convert(DecodeContext(model).run(make_job(prompt, decoding_of(4, 0.6)))[-1].result, Generated)
    given = whole.sequences[0].tokens[:3]
    again = msgspec.convert(
        DecodeContext(model).run(make_job(prompt, decoding_of(4, 0.6), answer=given))[-1].result, Generated
    )
    assert again.sequences[0].tokens[: len(whole.sequences[0].tokens)] == whole.sequences[0].tokens
    assert again.text.startswith(whole.text)


def test_a_cancelled_one_keeps_what_it_has() -> None:
    model, prompt = random_llama(LONG), random_prompt(LONG)
    whole = msgspec.convert(DecodeContext(model).run(make_job(prompt, decoding_of(4, 0.6)))[-1].result, Generated).text
    last = DecodeContext(model).run(make_job(prompt, decoding_of(4, 0.6)), steps=4)[-1]
    assert isinstance(last, Cancelled)
    assert msgspec.convert(last.result, Generated).text == whole[:3]


def test_what_cannot_be_done_is_refused() -> None:
    with pytest.raises(UserError, match="one answer"):
        make_job([1, 2], decoding_of(4, 0.6, n=2))
    with pytest.raises(UserError, match="no room"):
        make_job([1, 2], decoding_of(4, 0.6), context_tokens=6)
