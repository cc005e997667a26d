"""The job around the search: memory, endings, texts and events, on random models whose logits are transformers'."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.unit.decoding.random_decode_context import (
    ENDINGS,
    VOCABULARY,
    DecodeContext,
    Letters,
    compute,
    random_llama,
    random_prompt,
)
from workbench.api.events import BeamStep, Cancelled, Finished, TextDelta
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Generate, Generated
from workbench.engine.prompt import Prompt
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.answer_job import GenerationRequest
from workbench.techniques.decoding.beam import BeamJob
from workbench.techniques.decoding.strategies import Strategies

torch = pytest.importorskip("torch")

NEW_TOKENS = 10
LONG = 1  # a seed whose answers are cut by their length


class OnlyLetters:
    """A constraint: tokens from ``letters``, ``length`` of them in all."""

    def __init__(self, letters: Sequence[int], length: int, taken: int = 0) -> None:
        self.letters = list(letters)
        self.length = length
        self.taken = taken
        self.limit = 1000

    @property
    def complete(self) -> bool:
        return self.taken >= self.length

    def mask(self, logits: Any) -> None:
        allowed = logits[self.letters].copy()
        logits[:] = -np.inf
        logits[self.letters] = allowed

    def affords(self, token: int) -> bool:
        return True

    def accept(self, token: int) -> None:
        assert token in self.letters
        self.taken += 1

    def copy(self) -> OnlyLetters:
        return OnlyLetters(self.letters, self.length, self.taken)


def decoding_of(**more: Any) -> DecodingPart:
    return DecodingPart(**{"strategy": "beam", "max_tokens": NEW_TOKENS, "repetition_penalty": 1.0, **more})


def make_job(prompt: Sequence[int], decoding: DecodingPart, context_tokens: int = 128, **more: Any) -> BeamJob:
    vocabulary: Any = Letters()
    options = {"constraint": more.pop("constraint")} if "constraint" in more else {}
    where = vocabulary, context_tokens, RequestContext()
    return BeamJob(GenerationRequest(Prompt(list(prompt)), decoding, *where, started=0.0, **more), **options)


def answer(seed: int, decoding: DecodingPart, **more: Any) -> tuple[Generated, list[Any]]:
    events = DecodeContext(random_llama(seed)).run(make_job(random_prompt(seed), decoding, **more))
    assert isinstance(events[-1], Finished)
    return msgspec.convert(events[-1].result, Generated), events


@pytest.mark.parametrize("seed", range(12))
def test_answers_are_those_of_transformers(seed: int) -> None:
    model, prompt = random_llama(seed), random_prompt(seed)
    with torch.no_grad():
        made = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=NEW_TOKENS,
            num_beams=4,
            num_return_sequences=3,
            repetition_penalty=1.2,
            return_dict_in_generate=True,
            output_scores=True,
        )
    result, events = answer(seed, decoding_of(n=3, repetition_penalty=1.2))
    for number, (row, score) in enumerate(zip(made.sequences.tolist(), made.sequences_scores.tolist(), strict=True)):
        new = row[len(prompt) :]
        end = next((at for at, token in enumerate(new) if token in ENDINGS), len(new))
        sequence = result.sequences[number]
        assert list(sequence.tokens) == new[:end]
        assert sequence.score == pytest.approx(score, rel=1e-4)
        assert sequence.finish == ("eos" if end < len(new) else "length")
        assert sequence.text == Letters().text(new[:end])
        sent = "".join(e.text for e in events if isinstance(e, TextDelta) and e.sequence == number)
        assert sent == sequence.text
        assert sequence.mean_logprob == pytest.approx(own_logprob(model, prompt, new[:end]), abs=1e-4)
    assert result.text == result.sequences[0].text
    assert result.usage.new_tokens == sum(len(sequence.tokens) for sequence in result.sequences)


def own_logprob(model: Any, prompt: Sequence[int], tokens: Sequence[int]) -> float:
    """The mean log-probability of an answer under the model alone."""
    logprobs = torch.log_softmax(torch.tensor(compute(model, [*prompt, *tokens])[0]).double(), 1)
    return float(np.mean([float(logprobs[len(prompt) - 1 + at, token]) for at, token in enumerate(tokens)]))


def test_steps_tell_the_tree() -> None:
    result, events = answer(3, decoding_of(n=4))
    steps = [event for event in events if isinstance(event, BeamStep)]
    assert [step.number for step in steps] == list(range(len(steps)))
    before: list[tuple[int, ...]] = []
    complete = set()
    for step in steps:
        assert [beam.score for beam in step.beams] == sorted((beam.score for beam in step.beams), reverse=True)
        paths = [(*(before[beam.parent] if step.number else ()), beam.token) for beam in step.beams]
        assert step.number or all(beam.parent == -1 for beam in step.beams)
        for path, beam in zip(paths, step.beams, strict=True):
            assert beam.text == Letters().text([beam.token])
            if beam.ended:
                complete.add(tuple(token for token in path if token not in ENDINGS))
        before = paths
    assert {sequence.tokens for sequence in result.sequences} <= complete


def test_groups_of_one_beam_differ() -> None:
    result, _ = answer(LONG, decoding_of(num_beam_groups=4, diversity_penalty=5.0, n=4))
    firsts = [sequence.tokens[0] for sequence in result.sequences]
    assert len(set(firsts)) == 4


def test_a_beam_ends_where_a_stop_text_begins() -> None:
    whole, _ = answer(LONG, decoding_of())
    stop = whole.text[3:5]
    result, _ = answer(LONG, decoding_of(stop=(stop,), n=4, early_stopping="never", length_penalty=0.0))
    stopped = [sequence for sequence in result.sequences if sequence.finish == "stop"]
    assert stopped
    assert all(stop not in sequence.text for sequence in result.sequences)
    assert all(stop in Letters().text(sequence.tokens) for sequence in stopped)


def test_each_beam_keeps_to_its_constraint() -> None:
    letters = [token for token in range(3, VOCABULARY) if token % 3 == 0]
    result, _ = answer(LONG, decoding_of(n=4), constraint=OnlyLetters(letters, 5))
    assert [sequence.finish for sequence in result.sequences] == ["grammar"] * 4
    assert all(len(sequence.tokens) == 5 for sequence in result.sequences)
    assert all(token in letters for sequence in result.sequences for token in sequence.tokens)
    assert len({sequence.tokens for sequence in result.sequences}) == 4


def test_a_forbidden_token_does_not_keep_a_constraint_from_being_met() -> None:
    decoding = decoding_of(n=2, num_beams=2, logit_bias=("#5=-inf", "#9=3"))
    result, _ = answer(LONG, decoding, constraint=OnlyLetters([5], 4))
    assert [sequence.tokens for sequence in result.sequences] == [(5, 5, 5, 5)]
    assert result.finish == "grammar"
    result, _ = answer(LONG, decoding)
    assert not any(5 in sequence.tokens for sequence in result.sequences)
    assert result.mean_logprob == pytest.approx(
        own_logprob(random_llama(LONG), random_prompt(LONG), result.sequences[0].tokens), abs=1e-4
    )


def test_the_greedy_path_is_followed_beside_the_beams() -> None:
    better = 0
    for seed in range(16):
        decoding = decoding_of(num_beams=2, n=2)
        plain, _ = answer(seed, decoding)
        events = DecodeContext(random_llama(seed)).run(
            make_job(random_prompt(seed), msgspec.structs.replace(decoding, keep_greedy=True))
        )
        kept = msgspec.convert(events[-1].result, Generated)
        alone, _ = answer(seed, msgspec.structs.replace(decoding, num_beams=1, n=1))  # greedy, a beam wide
        score, other, least = kept.sequences[0].score, plain.sequences[0].score, alone.sequences[0].score
        assert score is not None
        assert other is not None
        assert least is not None
        assert score >= max(other, least) - 1e-4
        told = [beam for event in events if isinstance(event, BeamStep) for beam in event.beams if beam.greedy]
        assert tuple(beam.token for beam in told if beam.token not in ENDINGS) == alone.sequences[0].tokens
        if score > other + 1e-4:
            better += 1
            assert kept.sequences[0].tokens == alone.sequences[0].tokens
            steps = [event for event in events if isinstance(event, BeamStep)]
            ends = [beam for step in steps for beam in step.beams if beam.ended]
            assert ends
            assert max(len(step.beams) for step in steps) >= 3
    assert better


def test_given_tokens_begin_each_answer() -> None:
    whole, _ = answer(LONG, decoding_of())
    given = whole.sequences[0].tokens[:3]
    result, _ = answer(LONG, decoding_of(n=2), answer=given, assistant_start="So: ")
    assert all(sequence.tokens[:3] == given for sequence in result.sequences)
    assert all(sequence.text == "So: " + Letters().text(sequence.tokens) for sequence in result.sequences)


def test_a_cancelled_one_tells_the_best_so_far() -> None:
    job = make_job(random_prompt(LONG), decoding_of(n=2))
    last = DecodeContext(random_llama(LONG)).run(job, steps=4)[-1]
    assert isinstance(last, Cancelled)
    result = msgspec.convert(last.result, Generated)
    assert [sequence.finish for sequence in result.sequences] == ["cancelled"] * 2
    assert [len(sequence.tokens) for sequence in result.sequences] == [4, 4]
    assert result.text == Letters().text(result.sequences[0].tokens)


def test_one_cancelled_before_its_first_step_is_empty() -> None:
    last = DecodeContext(random_llama(LONG)).run(make_job(random_prompt(LONG), decoding_of()), steps=0)[-1]
    assert isinstance(last, Cancelled)
    assert msgspec.convert(last.result, Generated).text == ""


def test_beams_share_what_they_have_in_common() -> None:
    decode_context = DecodeContext(random_llama(LONG))
    job = make_job(random_prompt(LONG), decoding_of())
    decode_context.run(job)
    assert decode_context.most_branches == 4
    assert decode_context.most_cells <= len(job.prompt) + 4 * NEW_TOKENS == job.room


def test_the_context_limits_the_beams() -> None:
    result, _ = answer(LONG, decoding_of(n=4), context_tokens=6 + 4 * 3)
    assert all(len(sequence.tokens) <= 3 for sequence in result.sequences)
    with pytest.raises(UserError, match="no room"):
        make_job([1, 2], decoding_of(), context_tokens=5)


def test_what_does_not_fit_together_is_refused() -> None:
    engine: Any = SimpleNamespace(model=SimpleNamespace())
    for decoding, named in ((decoding_of(num_beams=2, n=3), "3 answers"), (decoding_of(num_beam_groups=3), "3 groups")):
        with pytest.raises(UserError, match=named):
            Strategies().make_job(Generate(decoding=decoding), Prompt([1, 2]), engine, RequestContext(), 0.0)


def test_the_speed_is_that_of_all_beams(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(1.0)  # each step takes one
    monkeypatch.setattr(f"{BeamJob.__module__}.time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    result, _ = answer(LONG, decoding_of(num_beams=4))
    assert result.sequences[0].finish == "length"
    assert result.usage.tokens_per_s == 4
