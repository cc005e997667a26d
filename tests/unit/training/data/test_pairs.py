"""Pairs that a model made, and the check of them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from tests.fakes import FakeModelBackend, passage
from workbench.api import events
from workbench.api.protocol import drain, follow
from workbench.backends.backend import has_fewer_parameters
from workbench.base import errors
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.training.data.examples import Source
from workbench.training.data.groundedness import PassageCheck
from workbench.training.data.pairs import SMALL_MODEL_PARAMETERS, MadePair, PairSet, make_pairs, telling_sentences

LIGHTHOUSE = (
    "The Westkapelle lighthouse was built in 1875 by Elise Brandt. It is 52 metres tall, and its lamp is seen from "
    "twenty kilometres. A storm broke two windows in 1953. The keeper, Jan de Vries, repaired them within four days."
)
GOOD = [
    ("When was the lighthouse built?", "1875"),
    ("When was the lighthouse built?", "It was built in 1875."),
    ("Who built the lighthouse?", "Elise Brandt"),
    ("Who built the lighthouse of Westkapelle?", "The lighthouse was built by Elise Brandt."),
    ("How tall is the lighthouse?", "52 metres"),
    ("From how far is the lamp seen?", "20 kilometres"),
    ("What did a storm break?", "two windows"),
    ("Who repaired the windows?", "the keeper, Jan de Vries"),
    ("How many days did the repair of the windows take?", "four"),
]
FALSE = [
    ("When was the lighthouse built?", "1876", "does not say 1876"),
    ("Who built the lighthouse?", "Elise Bergmann", "does not name bergmann"),
    ("Who built the lighthouse?", "It was built in 1875 by Karl Brandt.", "does not name karl"),
    ("How tall is the lighthouse?", "61 metres", "does not say 61"),
    ("How tall is the lighthouse?", "huge and wide", "does not say this"),
    ("How tall is the lighthouse?", "the keeper", "asks for a number"),
    ("In which year did a storm come?", "a storm broke windows", "asks for a date"),
    ("Who built the lighthouse?", "1875", "does not ask for a number"),
    ("Who built the lighthouse?", "the lighthouse", "only repeats the question"),
    ("Who built the lighthouse?", "", "has no content"),
    ("What is the capital of France?", "Jan de Vries", "not about the question"),
    ("What did the storm break in 1953?", "its lamp", "of something else"),
    ("Why did the lamp fail?", "The wiring had been eaten by mice over a long winter.", "does not say this"),
]


@pytest.mark.parametrize(("question", "answer"), GOOD)
def test_a_supported_answer_is_taken_with_its_place(question: str, answer: str) -> None:
    verdict = PassageCheck(LIGHTHOUSE).check(question, answer)
    assert verdict.supported, verdict.reason
    assert 0 <= verdict.start < verdict.end <= len(LIGHTHOUSE)
    assert LIGHTHOUSE[verdict.start].isupper()
    assert LIGHTHOUSE[verdict.end - 1] == "."


@pytest.mark.parametrize(("question", "answer", "told"), FALSE)
def test_a_false_answer_is_removed_with_the_reason(question: str, answer: str, told: str) -> None:
    verdict = PassageCheck(LIGHTHOUSE).check(question, answer)
    assert not verdict.supported
    assert told in verdict.reason


def test_other_languages() -> None:
    german = "Der Leuchtturm wurde 1875 von Elise Brandt gebaut. Er ist 52 Meter hoch."
    assert PassageCheck(german).check("Wer baute den Leuchtturm?", "Elise Brandt").supported
    wrong = "Der Leuchtturm wurde von Karl Brandt gebaut."
    assert not PassageCheck(german).check("Wer baute den Leuchtturm?", wrong).supported
    chinese = "灯塔建于1875年，由李明设计。它高52米。"
    assert PassageCheck(chinese).check("灯塔建于哪一年？", "1875年").supported
    assert not PassageCheck(chinese).check("灯塔建于哪一年？", "灯塔建于1876年").supported


def test_the_place_is_that_of_the_sentence_that_is_meant() -> None:
    verdict = PassageCheck(LIGHTHOUSE).check("When was the lighthouse built?", "1875")
    assert LIGHTHOUSE[verdict.start : verdict.end].endswith("by Elise Brandt.")


# -- making ---------------------------------------------------------------------------------------------


def made(model: FakeModelBackend, texts: list[str], **options: object) -> tuple[list[events.Event], PairSet]:
    passages = [passage(text, start=1000 * n) for n, text in enumerate(texts)]
    small = has_fewer_parameters(model, SMALL_MODEL_PARAMETERS)
    stream = list(make_pairs(passages, asker(model), small=small, **options))  # type: ignore[arg-type]
    last = stream[-1]
    assert isinstance(last, events.Finished | events.Cancelled)
    return stream, msgspec.convert(last.result, PairSet)


def asker(model: FakeModelBackend) -> Callable[[str, DecodingPart], str]:
    def ask(prompt: str, decoding: DecodingPart) -> str:
        return drain(follow(Generated, model.generate([Message("user", prompt)], decoding))).text

    return ask


def test_pairs_are_asked_answered_and_checked_with_their_source() -> None:
    questions = ["When was the lighthouse built?", "How tall is the lighthouse?"]
    model = FakeModelBackend([questions[0], "1875", f" {questions[1]}", " 61 metres "])
    stream, found = made(model, [LIGHTHOUSE], questions=2)
    assert [(p.question, p.answer, p.supported) for p in found.pairs] == [
        (questions[0], "1875", True),
        (questions[1], "61 metres", False),
    ]
    first = LIGHTHOUSE.index(" It is 52")
    assert found.pairs[0].source == Source(
        origin="pair", path="/documents/pump.txt", document="pump.txt", start=0, end=first, note="pump"
    )
    assert "61" in found.pairs[1].reason
    (example,) = found.examples()
    assert example.messages == (Message("user", questions[0]), Message("assistant", "1875"))
    artifacts = [e for e in stream if isinstance(e, events.Artifact)]
    assert [msgspec.convert(a.result, MadePair) for a in artifacts] == list(found.pairs)
    shown = [LIGHTHOUSE in request[-1].content for request in model.requests]
    assert shown == [False, True, False, True]  # a small model sees only the sentence that it asks about
    assert [d.format for d in model.decodings] == ["regex", "text", "regex", "text"]


def test_the_source_of_a_later_passage_counts_from_the_documents_start() -> None:
    model = FakeModelBackend(["nothing", "How tall is the lighthouse?", "52 metres"])
    _, found = made(model, ["Nothing at all.", LIGHTHOUSE], questions=1)
    start = found.pairs[0].source.start - 1000
    assert LIGHTHOUSE[start:].startswith("It is 52")


@pytest.mark.parametrize("reply", ["no question", "Is it?", "", "When\nwas it built?", "x" * 300 + "?"])
def test_what_is_no_question_is_left_out(reply: str) -> None:
    model = FakeModelBackend([reply, "When was it built?", "1875"])
    _, found = made(model, [LIGHTHOUSE], questions=2)
    assert [p.question for p in found.pairs] == ["When was it built?"]


def test_nothing_is_asked_twice() -> None:
    model = FakeModelBackend(["When was it built?", "1875", "when was it  BUILT?"])
    _, found = made(model, [LIGHTHOUSE], questions=2)
    assert len(found.pairs) == 1


def test_questions_are_asked_about_the_sentences_that_tell_most() -> None:
    text = f"It is so. And then? {LIGHTHOUSE} That is all."
    first, second = telling_sentences(text, 2)
    assert "1875" in first
    assert "Jan de Vries" in second
    assert telling_sentences("It is. Is it?", 2) == []
    for parameters in (135_000_000, 7_000_000_000):
        model = FakeModelBackend(["nothing", "nothing"], parameters=parameters)
        made(model, [text], questions=2)
        assert all(s in r[-1].content for s, r in zip([first, second], model.requests, strict=True))
        assert all((text in request[-1].content) == (parameters > 10**9) for request in model.requests)


def test_a_stop_keeps_what_is_made() -> None:
    model = FakeModelBackend(["When was the lighthouse built?", "1875", errors.Cancelled()])
    passages = [passage(LIGHTHOUSE), passage(LIGHTHOUSE)]
    *_, last = make_pairs(passages, asker(model), small=True, decoding=DecodingPart(seed=1))
    assert isinstance(last, events.Cancelled)
    assert [p.answer for p in msgspec.convert(last.result, PairSet).pairs] == ["1875"]
