"""Statements and citations are verified while the answer is written, and nothing that was said is taken back."""

from __future__ import annotations

import random

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, passage
from workbench.api import events
from workbench.api.answer_state import AnswerState
from workbench.api.protocol import RequestContext
from workbench.records.answers import AskResult
from workbench.records.messages import Citation, Message, Statement
from workbench.records.recipes import DecodingPart, Recipe, RetrievalPart
from workbench.records.recipes.parts import Mode
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.live_verification import LiveVerifier
from workbench.techniques.retrieval.statements import StatementVerifier

PUMP = passage("The pump weighs 80 kg. The warranty of the pump runs for 36 months. It is painted green.", n=1)
TERMS = passage("Claims under the warranty must be made in writing. Payment is due within ten days.", n=2)
SAYS = "The warranty runs for 48 months. The pump weighs 80 kg. Claims must be made in writing. It is blue."


def ask(mode: Mode, says: str = SAYS, **decoding: object) -> list[events.Event]:
    services = FakeServices(FakeModelBackend([says]), FakeRetriever([PUMP, TERMS]))
    part = RetrievalPart(mode=mode, decline=False, passages=2)
    recipe = Recipe(retrieval=part, decoding=msgspec.convert(decoding, DecodingPart))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", "How long does the warranty run?"),))
    return list(answer(request, services, RequestContext()))


def test_a_statement_is_verified_before_the_next_one_is_written() -> None:
    made = ask("own-words")
    text, seen = "", []
    for event in made:
        if isinstance(event, events.TextDelta) and not event.step:
            text += event.text
        if isinstance(event, events.Verified):
            seen += [(text[s.start : s.end].split(".")[0], s.verdict, text[s.end :].strip()) for s in event.statements]
    assert [(words, verdict) for words, verdict, _ in seen] == [
        ("The warranty runs for 48 months", "unsupported"),
        ("The pump weighs 80 kg [1]", "supported"),
        ("Claims must be made in writing [2]", "supported"),
    ]
    assert [after for _, _, after in seen] == ["The", "Claims", "It"]  # one word of the next sentence is enough


@pytest.mark.parametrize("mode", ["own-words", "quoted", "quoted-first"])
def test_what_was_said_while_it_was_written_is_said_at_its_end(mode: Mode) -> None:
    *made, last = ask(mode)
    state = AnswerState.of(made)
    assert isinstance(last, events.Finished)
    result = msgspec.convert(last.result, AskResult)
    assert state.verification is not None
    assert result.verification is not None
    told, final = state.verification.statements, result.verification.statements
    assert told
    assert told == (final if mode == "quoted" else final[:-1])
    assert state.verification.quoted == result.verification.quoted
    assert by_number(state.citations) == by_number(result.citations) != {}
    assert all(citation.sentence_end for citation in state.citations)


def by_number(citations: tuple[Citation, ...]) -> dict[int, Citation]:
    return {citation.n: citation for citation in citations}


def test_several_answers_and_formats_are_not_verified_while_they_are_written() -> None:
    for made in (ask("own-words", n=2, temperature=1.0), ask("own-words", '{"months": 36}', format="json")):
        assert not [event for event in made if isinstance(event, events.Verified)]


def test_however_the_text_comes_in_pieces_its_statements_are_the_same() -> None:
    text = (
        "On 31. August the pump weighs 80 kg. Dr. Lang says that approx. 36 months are meant! Is it painted green? "
        "“It is painted green.” The warranty [1] runs for 36 months [1]. 1. In writing\n2. Within ten days\n\nNo. 5 is "
        "due e.g. on 3. Oktober. The rate is 3.5 per cent… Payment is due.\n- Claims"
    )
    whole = StatementVerifier((PUMP, TERMS), "warranty").verify(text)
    for seed in range(60):
        chance, found, left = random.Random(seed), list[Statement](), text
        live = LiveVerifier(Grounding("", (PUMP, TERMS), "warranty"), shift=7)
        while left:
            size = chance.choice((1, 1, 2, 5, 30))
            found += live.feed(left[:size])[0]
            left = left[size:]
        moved = [msgspec.structs.replace(s, start=s.start - 7, end=s.end - 7) for s in found]
        assert moved == list(whole[: len(moved)]), seed
        assert len(moved) == len(whole) - 1, seed
