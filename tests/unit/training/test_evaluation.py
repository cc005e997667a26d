"""Scores counted from logits, and answers as they come without a cache, alone and in batches."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.unit.tiny_models import VOCABULARY, torch_logits  # noqa: E402
from tests.unit.training.tiny_training import apply_method, loaded, sequences  # noqa: E402
from workbench.api import events  # noqa: E402
from workbench.base.errors import Cancelled  # noqa: E402
from workbench.records.training import WeightsPart  # noqa: E402
from workbench.training import evaluation  # noqa: E402
from workbench.training.evaluation import (  # noqa: E402
    ANSWERS_AT_ONCE,
    Advance,
    _batches,
    answer_questions,
    score_answers,
    score_texts,
)
from workbench.training.losses import chunked_loss, on_sequences  # noqa: E402
from workbench.training.sets import Question  # noqa: E402

END = 1


class Letters:
    """A vocabulary whose tokens are their numbers."""

    bos = -1
    eos = END
    adds_bos = False

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        return [int(word) for word in text.split()]

    def piece(self, token: int, *, special: bool = False) -> bytes:
        return f"{token} ".encode()

    def text(self, tokens: Any, *, special: bool = False) -> str:
        return " ".join(map(str, tokens))

    def specials_of(self, tokens: Any) -> list[int]:
        return [token for token in tokens if token == END]

    def ends_generation(self, token: int) -> bool:
        return token == END


def questions(count: int = 9) -> list[Question]:
    return [
        Question(prompt=one.tokens, question=f"number {n}", expected="x") for n, one in enumerate(sequences(count, 4))
    ]


def greedy(model: Any, prompt: Any, longest: int) -> str:
    """One token at a time, all computed anew."""
    said: list[int] = []
    while len(said) < longest:
        token = int(torch_logits(model, [*prompt, *said])[-1].argmax())
        if token == END:
            break
        said.append(token)
    return " ".join(map(str, said))


def test_scores_are_those_of_the_logits() -> None:
    model = loaded().model
    texts = sequences(7)
    found = score_texts(model, on_sequences(chunked_loss), texts)
    total, tokens, right = 0.0, 0, 0
    for text in texts:
        logits = torch.from_numpy(torch_logits(model, text.tokens)).double().log_softmax(dim=-1)
        for place in range(1, len(text.tokens)):
            if text.trained[place]:
                total -= float(logits[place - 1, text.tokens[place]])
                right += int(logits[place - 1].argmax()) == text.tokens[place]
                tokens += 1
    assert found.tokens == tokens
    assert found.loss == pytest.approx(total / tokens, rel=1e-5)
    assert found.perplexity == pytest.approx(math.exp(total / tokens), rel=1e-4)
    assert found.token_accuracy == pytest.approx(right / tokens)


@pytest.mark.filterwarnings("ignore:.past_key_values. is deprecated:FutureWarning")
@pytest.mark.parametrize("method", ["lora", "prompt", "p-tuning", "prefix", "norms"])
def test_answers_are_those_without_cache_and_batch(method: str) -> None:
    torch.manual_seed(3)
    model = apply_method(loaded(), WeightsPart(method=method, rank=4, virtual_tokens=3)).eval()
    asked = questions()
    told = answer_questions(model, asked, Letters(), 8)
    assert told == [greedy(model, question.prompt, 8) for question in asked]
    assert len({len(answer) for answer in told}) > 1


def test_exact_matches_are_counted() -> None:
    asked = [
        Question(prompt=(1,), question="q", expected="red door"),
        Question(prompt=(2,), question="r", expected="b"),
    ]
    exact, rouge, samples = score_answers(asked, ["The red door.", "it is b"], step=4)
    assert (exact, [sample.exact for sample in samples], samples[0].step) == (0.5, [True, False], 4)
    assert rouge == pytest.approx((2 * 2 / 5 + 2 * 1 / 4) / 2)
    assert score_answers(asked, ["The red door.", "it is b"], step=4, within=True)[0] == 1.0


def test_it_gives_up_when_it_is_told_to() -> None:
    def check() -> None:
        raise Cancelled

    model = loaded().model
    with pytest.raises(Cancelled):
        score_texts(model, on_sequences(chunked_loss), sequences(3), check)
    with pytest.raises(Cancelled):
        answer_questions(model, questions(2), Letters(), 4, check)


def test_few_long_questions_are_asked_at_once() -> None:
    lengths = [10] * 40 + [500] * 20 + [9000, 9000]
    asked = [Question(prompt=(2,) * length, question="", expected="") for length in lengths]
    batches = list(_batches([one.prompt for one in asked], 2048, of_one_length=False))
    assert sorted(place for batch in batches for place in batch) == list(range(len(asked)))
    assert [len(batch) for batch in batches[:2]] == [ANSWERS_AT_ONCE] * 2
    for batch in batches:
        tokens = len(batch) * max(lengths[place] for place in batch)
        assert len(batch) <= ANSWERS_AT_ONCE
        assert len(batch) == 1 or tokens <= 2048
    assert list(_batches([], 2048, of_one_length=False)) == []


def test_no_pass_of_an_evaluation_is_larger_than_one_of_the_training() -> None:
    """The plan's memory is that of so many tokens at once."""
    model = loaded().model
    seen: list[tuple[int, ...]] = []
    model.register_forward_pre_hook(
        lambda module, given, named: seen.append(tuple(named["input_ids"].shape)), with_kwargs=True
    )
    texts, asked = sequences(12), questions(12)
    longest = max(len(one.tokens) for one in texts)
    few = score_texts(model, on_sequences(chunked_loss), texts, micro_batch_tokens=longest)
    told = answer_questions(model, asked, Letters(), 4, micro_batch_tokens=longest)
    assert max(rows * width for rows, width in seen) <= longest
    seen.clear()
    assert score_texts(model, on_sequences(chunked_loss), texts).loss == pytest.approx(few.loss, rel=1e-5)
    assert answer_questions(model, asked, Letters(), 4) == told
    assert max(rows * width for rows, width in seen) > longest


def test_how_far_an_evaluation_is_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "TELL_EVERY_S", 0.0)
    model = loaded().model
    texts, asked = sequences(6), questions(5)
    told: list[events.Progress] = []
    advance = Advance(lambda event: told.append(event) if isinstance(event, events.Progress) else None, "scoring", 11)
    score_texts(model, on_sequences(chunked_loss), texts, micro_batch_tokens=64, advance=advance)
    assert told[-1].done == 6
    answer_questions(model, asked, Letters(), 8, micro_batch_tokens=64, advance=advance)
    done = [one.done for one in told]
    assert done == sorted(done)
    assert {(one.stage, one.total, one.unit) for one in told} == {("scoring", 11, "examples")}
    assert (done[0], done[-1]) == (0, 11)
    assert len(set(done)) > 6


@pytest.mark.parametrize("family", ["llama", "gemma3"])
def test_prompts_that_begin_alike_are_answered_as_by_themselves(family: str) -> None:
    model = loaded(family).model
    begin = tuple((7 * place) % VOCABULARY for place in range(40))
    asked = [Question(prompt=(*begin, *one.prompt), question="", expected="") for one in questions(6)]
    alone = [answer_questions(model, [one], Letters(), 6)[0] for one in asked]
    seen: list[tuple[int, ...]] = []
    model.register_forward_pre_hook(
        lambda module, given, named: seen.append(tuple(named["input_ids"].shape)), with_kwargs=True
    )
    assert answer_questions(model, asked, Letters(), 6) == alone
    assert ((1, len(begin)) in seen) == (family == "llama")  # a window keeps other things than all keys


def test_the_same_prompt_is_answered_once() -> None:
    model = loaded().model
    one, other = questions(2)
    asked = [one, other, one, one]
    told: list[float] = []
    answers = answer_questions(model, asked, Letters(), 5, advance=told.append)
    assert answers[0] == answers[2] == answers[3]
    assert answers[:2] == answer_questions(model, [one, other], Letters(), 5)
    assert sum(told) == pytest.approx(len(asked))
