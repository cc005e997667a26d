"""The loop on real models. Logits after every reuse of memory must be those of a cold run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.engine.probing import (
    TEXT,
    Probe,
    assert_like_cold,
    generation,
    log_softmax,
    probe,
    result_of,
    tokens_of,
)
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Scores
from workbench.engine.jobs import Branch, Logits
from workbench.engine.loading import Model
from workbench.engine.loop import Engine
from workbench.engine.scoring import Scoring
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding import answer_job


class Breaking(Probe):
    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        raise ZeroDivisionError("a bug in a job")


def forget(engine: Engine) -> None:
    engine.forget()


def test_a_longer_prompt_goes_on_from_the_shorter_one(engine: Engine) -> None:
    forget(engine)
    first, longer = tokens_of(engine, TEXT), tokens_of(engine, TEXT + "At the top they rest")
    probe(engine, first)
    job = probe(engine, longer)
    assert job.cached >= len(first) - 1
    assert_like_cold(engine, job, longer)


def test_long_prompt_tells_how_far_it_is_read(smollm: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_job, "REPORT_EVERY_S", 0.0)
    forget(smollm)
    long = TEXT * (1500 // len(tokens_of(smollm, TEXT)))
    greedy = DecodingPart(temperature=0, max_tokens=2)

    def told(text: str) -> list[events.Progress]:
        seen = list(smollm.submit(generation(smollm, text, greedy)).events())
        first_text = next(n for n, event in enumerate(seen) if isinstance(event, events.TextDelta))
        assert not any(isinstance(event, events.Progress) for event in seen[first_text:])
        return [event for event in seen if isinstance(event, events.Progress)]

    reading = told(long)
    assert [event.done for event in reading] == [0, 512, 1024]
    assert {event.total for event in reading} == {len(tokens_of(smollm, long))}
    assert reading[0].unit == "tokens"
    first, second, third = (event.seconds_left for event in reading)
    assert first is None
    assert second is not None
    assert third is not None
    assert second > 0 < third
    assert told(long + " And so on.") == []  # nearly all of it is in memory
    assert told("A short question?") == []


def test_another_ending_goes_on_from_the_common_beginning(engine: Engine) -> None:
    forget(engine)
    probe(engine, tokens_of(engine, TEXT + "In winter the harbour freezes, and the boats lie still."))
    tokens = tokens_of(engine, TEXT + "In summer the children swim")
    job = probe(engine, tokens)
    assert 0 < job.cached < len(tokens) - 1
    assert_like_cold(engine, job, tokens)


def test_a_shorter_prompt_keeps_all_but_its_last_token(engine: Engine) -> None:
    forget(engine)
    tokens = tokens_of(engine, TEXT)
    probe(engine, tokens_of(engine, TEXT * 2))
    job = probe(engine, tokens)
    assert job.cached == len(tokens) - 1
    assert_like_cold(engine, job, tokens)


def test_a_short_request_takes_its_beginning_from_a_long_conversation_and_leaves_it_whole(engine: Engine) -> None:
    forget(engine)
    long, short = tokens_of(engine, TEXT * 4), tokens_of(engine, TEXT[:60] + " at the top of")
    probe(engine, long)
    job = probe(engine, short)
    assert job.cached >= 8
    again = probe(engine, [*long, *tokens_of(engine, " So they rest")[1:]])
    assert again.cached == len(long)
    assert_like_cold(engine, job, short)
    assert_like_cold(engine, again, again.prompt)


def test_what_a_sliding_window_has_lost_is_computed_again(gemma_path: Path, load_now: Callable[..., Model]) -> None:
    """With all of the layers: with fewer, the rounding of other batches is as large as what is looked for."""
    gemma = Engine(load_now(gemma_path, 4096, sequences=2))
    assert gemma.model.window == 512
    long = tokens_of(gemma, TEXT * 38)
    assert len(long) > 1700
    probe(gemma, long)
    near = [*long[:-40], *tokens_of(gemma, "And so on")[1:]]
    job = probe(gemma, near)
    assert job.cached == len(long) - 40
    assert_like_cold(gemma, job, near)
    far = long[:700]
    job = probe(gemma, far)
    assert job.cached <= 1  # the tokens 188 to 700, which the next one sees, are gone
    assert_like_cold(gemma, job, far)
    gemma.close()


def test_memory_is_sound_after_a_cancelled_prompt(engine: Engine) -> None:
    forget(engine)
    context = RequestContext()
    long = generation(engine, TEXT * 8, context=context)
    threading.Timer(0.1, context.cancel).start()
    engine.submit(long)
    assert result_of(long).finish == "cancelled"
    tokens = tokens_of(engine, TEXT * 8)
    job = probe(engine, tokens)
    assert_like_cold(engine, job, tokens)


def test_memory_is_sound_after_a_cancelled_answer(engine: Engine) -> None:
    forget(engine)
    context = RequestContext()
    job = generation(engine, TEXT, DecodingPart(max_tokens=500, repetition_penalty=1.3), context)
    engine.submit(job)
    stream = job.events()
    next(stream)
    context.cancel()
    *_, last = stream
    assert isinstance(last, events.Cancelled)
    assert last.result["finish"] == "cancelled"
    assert 1 <= last.result["usage"]["new_tokens"] < 20
    after = tokens_of(engine, TEXT + last.result["text"] + " Then")
    again = probe(engine, after)
    assert again.cached > 0
    assert_like_cold(engine, again, after)


def test_two_at_once_answer_as_each_alone(smollm: Engine) -> None:
    questions = [TEXT + "The baker", "One, two, three, four,"]
    alone = []
    for question in questions:
        forget(smollm)
        job = generation(smollm, question)
        smollm.submit(job)
        alone.append(result_of(job).text)
    forget(smollm)
    jobs = [generation(smollm, question) for question in questions]
    for job in jobs:
        smollm.submit(job)
    assert [result_of(job).text for job in jobs] == alone


def test_more_requests_than_slots_are_all_answered(smollm: Engine) -> None:
    jobs = [generation(smollm, f"Number {n} is", DecodingPart(max_tokens=4)) for n in range(6)]
    for job in jobs:
        smollm.submit(job)
    assert all(result_of(job).usage.new_tokens >= 1 for job in jobs)


def test_requests_that_do_not_fit_together_take_turns(small: Engine) -> None:
    jobs = [generation(small, f"{n} " + TEXT * 6, DecodingPart(max_tokens=8)) for n in range(3)]
    assert all(job.room > small.model.context_tokens // 2 for job in jobs)
    for job in jobs:
        small.submit(job)
    assert all(result_of(job).finish in ("eos", "length") for job in jobs)


def test_more_than_the_context_is_refused(small: Engine) -> None:
    with pytest.raises(UserError, match="context has 512"):
        probe(small, tokens_of(small, TEXT * 20))


def test_an_answer_ends_at_the_end_of_the_context(small: Engine) -> None:
    text = TEXT * 20
    while len(tokens_of(small, text)) > 500:
        text = text[:-8]
    job = generation(small, text, DecodingPart(max_tokens=500))
    small.submit(job)
    result = result_of(job)
    assert result.usage.prompt_tokens + result.usage.new_tokens == 512
    assert result.finish == "length"


def test_a_failing_job_takes_nobody_with_it_that_comes_later(smollm: Engine) -> None:
    forget(smollm)
    with pytest.raises(ZeroDivisionError):
        list(smollm.submit(Breaking(tokens_of(smollm, TEXT))).events())
    tokens = tokens_of(smollm, TEXT)
    job = probe(smollm, tokens)
    assert job.cached == 0
    assert_like_cold(smollm, job, tokens)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_draws_the_same_answer_again(engine: Engine, seed: int) -> None:
    decoding = DecodingPart(temperature=1.0, seed=seed, max_tokens=12)
    texts = []
    for _ in range(2):
        forget(engine)
        job = generation(engine, TEXT, decoding)
        engine.submit(job)
        result = result_of(job)
        assert result.seed == seed
        texts.append(result.text)
    assert texts[0] == texts[1]


def test_a_drawn_seed_is_told_and_repeats_the_answer(smollm: Engine) -> None:
    forget(smollm)
    first = generation(smollm, TEXT, DecodingPart(temperature=1.5, max_tokens=12))
    smollm.submit(first)
    result = result_of(first)
    forget(smollm)
    again = generation(smollm, TEXT, DecodingPart(temperature=1.5, max_tokens=12, seed=result.seed))
    smollm.submit(again)
    assert result_of(again).text == result.text


def test_scores_are_those_of_the_logits_of_cold_runs(engine: Engine) -> None:
    vocabulary = engine.model.vocabulary
    prompt = tokens_of(engine, TEXT + "The steps are")
    texts = [" three hundred and twelve", " steep", "", " three thousand"]
    continuations = [vocabulary.tokenize(text, special=False) for text in texts]
    forget(engine)
    job = Scoring(prompt, continuations, RequestContext())
    *_, last = engine.submit(job).events()
    assert isinstance(last, events.Finished)
    scored = msgspec.convert(last.result, Scores).values
    assert [s.tokens for s in scored] == [len(tokens) for tokens in continuations]
    for tokens, score in zip(continuations, scored, strict=True):
        expected = 0.0
        for index, token in enumerate(tokens):
            forget(engine)
            logits = probe(engine, [*prompt, *tokens[:index]]).logits
            assert logits is not None
            expected += log_softmax(logits)[token]
        assert score.logprob == pytest.approx(expected, abs=0.15)


def test_the_mean_logprob_is_that_of_scoring_the_answer(smollm: Engine) -> None:
    forget(smollm)
    job = generation(smollm, TEXT, DecodingPart(max_tokens=10, repetition_penalty=1.5))
    smollm.submit(job)
    result = result_of(job)
    answer = result.sequences[0].tokens
    assert len(answer) == result.usage.new_tokens
    assert result.mean_logprob is not None
    scoring = Scoring(tokens_of(smollm, TEXT), [answer], RequestContext())
    *_, last = smollm.submit(scoring).events()
    assert isinstance(last, events.Finished)
    assert result.mean_logprob * result.usage.new_tokens == pytest.approx(last.result["values"][0]["logprob"], abs=0.15)


def test_closing_ends_what_is_in_flight(smollm_path: Path, load_now: Callable[..., Model]) -> None:
    engine = Engine(load_now(smollm_path))
    job = generation(engine, TEXT, DecodingPart(max_tokens=1000))
    engine.submit(job)
    first = next(job.events())
    assert isinstance(first, events.TextDelta)
    engine.close()
    *_, last = job.events()
    assert isinstance(last, events.Cancelled)
