"""Encoder-decoder models against torch, on a tiny T5 with random weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from tests.t5_gguf import make_t5, write_t5
from workbench.api.events import Finished, PartEvent
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.encoder_decoder import ENCODER_TOKENS, encoded_length
from workbench.engine.fitting import cannot_answer
from workbench.engine.inference_calls import (
    Generate,
    Generated,
    GenerateMany,
    Inspect,
    Load,
    MeasureSpeed,
    Score,
    ScoreText,
)  # fmt: skip
from workbench.engine.loading import inspect_model
from workbench.gguf.architecture_notes import describe_kind
from workbench.records.capabilities import LOCAL, capabilities_of_file, needs_of_model, require
from workbench.records.messages import ChosenToken, Message
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart
from workbench.training.protocol import JudgeUse
from workbench.workers.inference import InferenceServer
from workbench.workers.training_rewards import EngineJudges

QUESTIONS = ("the heron is in the lake", "who ate it?", "a", "one. two, three! " * 12)
GREEDY = DecodingPart(temperature=0.0, max_tokens=24, repetition_penalty=1.0)
START, END = 0, 1


def ask(question: str, decoding: DecodingPart = GREEDY, **more: Any) -> Generate:
    return Generate(messages=(Message("user", question),), decoding=decoding, **more)


class Served:
    """The worker's handlers with a loaded model, and the same model in torch."""

    def __init__(self, folder: Path, gated: bool, **settings: Any) -> None:
        self.torch = make_t5(gated=gated)
        self.path = write_t5(self.torch, folder / "t5.gguf")
        self.server = InferenceServer()
        load = Load(path=str(self.path), threads=1, kv_type="f32", flash_attention="off", **settings)
        self.info = list(self.server.load(load, RequestContext()))[-1]

    def last(self, handler: Callable[..., Iterator[Any]], call: Any) -> Any:
        end = list(handler(call, RequestContext()))[-1]
        assert isinstance(end, Finished)
        return end.result

    def generate(self, call: Generate) -> Generated:
        return msgspec.convert(self.last(self.server.generate, call), Generated)

    def encoded(self, generated: Generated) -> list[int]:
        return list(generated.prompt[: generated.prompt.index(START)])

    def greedy(self, encoded: list[int], most: int = 24) -> list[int]:
        with torch.no_grad():
            made = self.torch.generate(torch.tensor([encoded]), max_new_tokens=most, do_sample=False, num_beams=1)
        tokens: list[int] = made[0].tolist()[1:]
        return tokens[: tokens.index(END)] if END in tokens else tokens

    def logprobs(self, encoded: list[int], answer: list[int]) -> list[float]:
        with torch.no_grad():
            logits = self.torch(
                input_ids=torch.tensor([encoded]), decoder_input_ids=torch.tensor([[START, *answer]])
            ).logits[0]
        rows = logits.log_softmax(-1)
        return [float(rows[place, token]) for place, token in enumerate(answer)]


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("t5"), gated=True)
    yield served
    served.server.leave()


@pytest.mark.parametrize("gated", [True, False])
def test_the_most_probable_answers_are_those_of_transformers(gated: bool, tmp_path: Path) -> None:
    served = Served(tmp_path, gated)
    try:
        for question in QUESTIONS:
            answer = served.generate(ask(question))
            assert answer.sequences[0].tokens == tuple(served.greedy(served.encoded(answer)))
            assert len(answer.sequences[0].tokens) >= 16
            assert answer.usage.cached_tokens == 0
    finally:
        served.server.leave()


def test_the_model_says_what_it_is(t5: Served) -> None:
    details = inspect_model(str(t5.path))
    assert describe_kind(details) == ("Encoder-decoder: an encoder reads the question, a decoder writes the answer.")
    assert cannot_answer(details) == ""


def test_answers_at_the_same_time_are_those_of_each_question_alone(t5: Served) -> None:
    alone = [t5.generate(ask(question)).text for question in QUESTIONS]
    calls = GenerateMany(requests=tuple(ask(question) for question in QUESTIONS))
    ends = [
        (event.part, event.of.result["text"])
        for event in t5.server.generate_many(calls, RequestContext())
        if isinstance(event, PartEvent) and isinstance(event.of, Finished)
    ]
    assert [text for _, text in sorted(ends)] == alone


def test_several_answers_and_beams_share_what_the_encoder_read(t5: Served) -> None:
    drawn = t5.generate(ask(QUESTIONS[0], DecodingPart(temperature=1.0, n=4, max_tokens=12, seed=3)))
    beams = t5.generate(ask(QUESTIONS[0], DecodingPart(strategy="beam", num_beams=4, n=2, max_tokens=12)))
    for sequence in (*drawn.sequences, *beams.sequences):
        expected = t5.logprobs(t5.encoded(drawn), list(sequence.tokens))
        assert sequence.mean_logprob == pytest.approx(sum(expected) / len(expected), abs=0.01)
    assert len({sequence.tokens for sequence in drawn.sequences}) == 4


def test_contrastive_search_compares_tokens_of_the_answer(t5: Served) -> None:
    decoding = DecodingPart(strategy="contrastive", penalty_alpha=0.0, contrastive_k=4, max_tokens=12)
    greedy = t5.generate(ask(QUESTIONS[1], msgspec.structs.replace(GREEDY, max_tokens=12)))
    assert t5.generate(ask(QUESTIONS[1], msgspec.structs.replace(decoding, repetition_penalty=1.0))).text == greedy.text
    punished = msgspec.structs.replace(decoding, repetition_penalty=1.0, penalty_alpha=0.9)
    assert t5.generate(ask(QUESTIONS[1], punished)).text != greedy.text


def test_formats_hold(t5: Served) -> None:
    decoding = DecodingPart(temperature=0.0, format="regex", grammar="(yes|no), [0-9]{3}", max_tokens=24)
    text = t5.generate(ask(QUESTIONS[1], decoding)).text
    assert text[:4] in ("yes,", "no, ")
    assert text[-3:].isdigit()


def test_a_begun_answer_is_continued(t5: Served) -> None:
    whole = t5.generate(ask(QUESTIONS[0]))
    tokens = whole.sequences[0].tokens
    rest = msgspec.structs.replace(GREEDY, max_tokens=24 - 7)
    again = t5.generate(Generate(prompt=whole.prompt, answer=tokens[:7], decoding=rest))
    assert again.sequences[0].tokens == tokens
    begun = t5.generate(ask(QUESTIONS[0], assistant_start="the "))
    assert begun.text.startswith("the ")
    assert begun.prompt[: len(t5.encoded(whole))] == tuple(t5.encoded(whole))


def test_probabilities_of_tokens_and_continuations_are_those_of_torch(t5: Served) -> None:
    whole = t5.generate(ask(QUESTIONS[0]))
    tokens = list(whole.sequences[0].tokens)
    found = msgspec.convert(
        t5.last(t5.server.inspect, Inspect(prompt=whole.prompt, answer=tuple(tokens))), tuple[ChosenToken, ...]
    )
    assert [one.logprob for one in found[:-1]] == pytest.approx(t5.logprobs(t5.encoded(whole), tokens), abs=0.01)
    texts = ("on the lake", "no")
    call = Score(messages=(Message("user", QUESTIONS[0]),), continuations=texts)
    scores = t5.last(t5.server.score, call)
    for text, score in zip(texts, scores["values"], strict=True):
        continuation = t5.server._engine.model.vocabulary.tokenize(text, special=False)  # type: ignore[union-attr]
        assert score["logprob"] == pytest.approx(sum(t5.logprobs(t5.encoded(whole), continuation)), abs=0.05)


def test_its_speed_is_measured(t5: Served) -> None:
    speed = t5.last(t5.server.measure, MeasureSpeed(prompt_tokens=600, new_tokens=4, sequences=2, rounds=1))
    assert min(speed["prompt"], speed["alone"], speed["together"]) > 0


def test_what_the_encoder_cannot_read_is_refused(t5: Served) -> None:
    with pytest.raises(UserError, match=r"only 5[0-9]{2} of the model's context of 1,024"):
        list(t5.server.generate(ask("the lake " * 400), RequestContext()))
    with pytest.raises(UserError, match="no prompt of an encoder-decoder model"):
        list(t5.server.generate(Generate(prompt=(5, 6, 7), decoding=GREEDY), RequestContext()))
    with pytest.raises(UserError, match="reads at most 512"):
        encoded_length([5] * (ENCODER_TOKENS + 1) + [START], START)
    with pytest.raises(UserError, match="a text alone has no perplexity"):
        list(t5.server.score_text(ScoreText(text="the lake " * 600), RequestContext()))
    drafted = DecodingPart(speculation="draft", max_tokens=8)
    with pytest.raises(UserError, match="without an encoder"):
        list(t5.server.generate(ask(QUESTIONS[0], drafted, draft_path=str(t5.path)), RequestContext()))
    assert t5.generate(ask(QUESTIONS[0])).text  # and it answers as before


def test_a_conversation_names_who_speaks(t5: Served) -> None:
    messages = (Message("user", "hi"), Message("assistant", "yes"), Message("user", "why?"))
    whole = t5.generate(Generate(messages=messages, decoding=GREEDY))
    vocabulary = t5.server._engine.model.vocabulary  # type: ignore[union-attr]
    assert vocabulary.text(t5.encoded(whole)).replace(" ", "") == "User:hiAssistant:yesUser:why?"


def test_what_it_cannot_do_is_refused_for_the_reason_that_the_window_shows(t5: Served) -> None:
    has = capabilities_of_file("t5")
    assert has.missing(LOCAL) == ("schemas", "adapters", "tools")
    assert capabilities_of_file("llama") == LOCAL
    with pytest.raises(UserError, match="Tiny T5 cannot use adapters") as caught:
        require(needs_of_model(ModelPart(adapters=(AdapterUse(name="any"),))), has, "Tiny T5")
    assert "decoder-only" in caught.value.hint


def test_a_judge_within_a_training_grades_as_the_worker_does(t5: Served) -> None:
    question = (Message("user", QUESTIONS[1]),)
    judges = EngineJudges({"t5": JudgeUse(name="t5", path=str(t5.path))}, threads=1)
    try:
        (found,) = judges.grade_logprobs("t5", [question], ("a", "e"))
    finally:
        judges.close()
    scored = t5.last(t5.server.score, Score(messages=question, continuations=("a", "e")))
    assert found == pytest.approx([one["logprob"] for one in scored["values"]], abs=0.05)
