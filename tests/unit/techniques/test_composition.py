"""How the parts of a recipe compose: every combination is run, and what has no effect in it is said."""

from __future__ import annotations

from collections.abc import Generator
from itertools import product
from typing import get_args

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, document_text, passage
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Generated
from workbench.records.answers import AskResult, DocumentTask
from workbench.records.messages import Message
from workbench.records.methods import Method, Methods
from workbench.records.recipes import (
    AgentPart,
    DecodingPart,
    PromptingPart,
    Recipe,
    RequestKind,
    RetrievalPart,
    decoding_of,
    notes_on_composition,
)
from workbench.records.recipes.composition import APPLIES, COMPOSITION, KEPT, WITH_AGENT
from workbench.subjects.answering import answer as answering
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.techniques import composition, registry
from workbench.techniques.composition import Prefix
from workbench.techniques.context import AnswerContext

TEXT = "The warranty of the pump runs for 36 months from delivery."
REPLY = "It runs for 36 months [4]."
ASKED = "How long does the warranty of the pump run?"
PREFIX = Prefix(prompt=(1, 2), answer=(3,), question=ASKED, query=ASKED, passages=(passage(TEXT, n=1),))


class Rounds(msgspec.Struct, frozen=True, kw_only=True):
    rounds: int = 2


def ask_in_rounds(
    messages: tuple[Message, ...], options: Rounds, context: AnswerContext
) -> Generator[Event, None, Generated]:
    """A technique of several generations, of which the last one is the answer."""
    for number in range(options.rounds - 1):
        yield from context.generate(messages, title=f"Round {number + 1}", quiet=True)
    return (yield from context.generate(messages))


TABLE: Methods[Method] = Methods(
    [
        *registry.METHODS,
        *(
            Method(
                name=name,
                kind="technique",
                technique="prompting",
                title=name.capitalize(),
                summary="Ask in rounds.",
                source="",
                config=Rounds,
                entry="tests.unit.techniques.test_composition:ask_in_rounds",
                traits=traits,
            )
            for name, traits in (("rounds", ()), ("funnel", ("one answer",)))
        ),
    ]
)

TECHNIQUES = {"direct": 1, "rounds": 2, "funnel": 2}
"""Generations of each technique for a question."""

DECODINGS = {
    "one": DecodingPart(seed=7),
    "three": DecodingPart(seed=7, n=3, temperature=0.7),
    "beams": DecodingPart(seed=7, strategy="beam", n=2),
    "idle": DecodingPart(seed=7, strategy="greedy", n=3, min_p=0.2),
    "json": DecodingPart(seed=7, format="json"),
}
SOURCES = ("none", "passages", "greeting", "declined")


@pytest.fixture(autouse=True)
def with_techniques(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (composition, answering):
        monkeypatch.setattr(module, "METHODS", TABLE)


def run(request: AnswerRequest, retriever: FakeRetriever | None) -> tuple[FakeModelBackend, AskResult]:
    model = FakeModelBackend([REPLY] * 8, parameters=7_000_000_000)
    *_, last = answer(request, FakeServices(model, retriever), RequestContext())
    assert isinstance(last, events.Finished), last
    return model, msgspec.convert(last.result, AskResult)


def expected_notes(technique: str, decoding: str, kind: RequestKind) -> set[str]:
    """Written out by hand: what is said of each combination."""
    notes = set()
    part = DECODINGS[decoding]
    one_answer = kind == "task" or (kind == "question" and technique == "funnel")
    if technique != "direct" and kind == "task":
        notes.add(
            f"The technique {technique.capitalize()} has no effect on a document task: each section is one generation."
        )
    if technique != "direct" and kind == "continuation":
        notes.add(
            f"The technique {technique.capitalize()} is not run again: the answer continues from the chosen token."
        )
    if kind == "task" and part.n > 1:
        notes.add(f"A document task has one answer, not {part.n}.")
    if technique == "funnel" and kind == "question" and part.n > 1:
        notes.add(f"The technique Funnel has one answer, not {part.n}.")
    if decoding == "idle":
        notes.add("No effect in greedy search: Min-p 0.2.")
        if not one_answer:
            notes.add(
                "Greedy search gives one answer, not 3. For several, set a temperature above 0, or use beam search."
            )
    return notes


@pytest.mark.parametrize(("technique", "decoding", "source"), list(product(TECHNIQUES, DECODINGS, SOURCES)))
def test_a_question(technique: str, decoding: str, source: str) -> None:
    recipe = Recipe(
        prompting=PromptingPart(instructions="Be kind.", technique=technique),
        decoding=DECODINGS[decoding],
        retrieval=None if source == "none" else RetrievalPart(collection="papers"),
    )
    retriever = None if source == "none" else FakeRetriever([] if source == "declined" else [passage(TEXT)])
    question = "Thank you!" if source == "greeting" else ASKED
    model, result = run(AnswerRequest(recipe=recipe, conversation=(Message("user", question),)), retriever)
    # retrieval gives context, the technique drives generations over it
    generations = 0 if source == "declined" else TECHNIQUES[technique]
    assert len(model.requests) == generations
    assert len(set(model.requests)) == min(1, generations)
    for messages in model.requests:
        assert messages[0].content.startswith("Be kind.")
        assert (TEXT in messages[-1].content) == (source == "passages")
    # decoding shapes each generation, with a seed of its own
    shaped = decoding_of(recipe, TABLE, "question")
    assert shaped.n == (1 if technique == "funnel" else DECODINGS[decoding].n)
    assert model.decodings == [msgspec.structs.replace(shaped, seed=7 + number) for number in range(generations)]
    # citations are checked at the end, whichever the technique
    cites = source == "passages" and decoding != "json"
    answers = {"passages": "It runs for 36 months [1]." if cites else REPLY, "declined": result.answer}
    assert result.answer == answers.get(source, REPLY)
    assert [citation.n for citation in result.citations] == ([1] if source == "passages" else [])
    assert result.declined == (source == "declined")
    assert set(result.notices) == expected_notes(technique, decoding, "question")
    assert len(result.notices) == len(set(result.notices))
    # every generation is a step, and the last one writes the answer
    assert result.trace is not None
    steps = [step for step in result.trace.steps if step.kind == "generation"]
    assert [step.writes_answer for step in steps] == [False] * (generations - 1) + [True] * bool(generations)
    assert all(step.output == REPLY for step in steps)


@pytest.mark.parametrize(
    ("technique", "decoding", "task"),
    list(product(TECHNIQUES, DECODINGS, [method.name for method in registry.METHODS.of("task")])),
)
def test_a_document_task(technique: str, decoding: str, task: str) -> None:
    recipe = Recipe(
        prompting=PromptingPart(instructions="Be kind.", technique=technique),
        decoding=DECODINGS[decoding],
        retrieval=RetrievalPart(collection="papers", passages=3),
    )
    asked = DocumentTask(document="pump.txt", task=task, language="German", columns=("months",))
    retriever = FakeRetriever(documents=[document_text(TEXT)])
    model, result = run(AnswerRequest(recipe=recipe, task=asked), retriever)
    assert [one.n for one in model.decodings] == [1]
    assert [one.format for one in model.decodings] == [DECODINGS[decoding].format]
    assert model.requests[0][0].content == "Be kind."
    unused = {"No effect on a document task: Passages 3."}
    said = {note for note in result.notices if "found no row" not in note}
    assert said == expected_notes(technique, decoding, "task") | unused


@pytest.mark.parametrize(("technique", "decoding"), list(product(TECHNIQUES, DECODINGS)))
def test_a_continuation(technique: str, decoding: str) -> None:
    recipe = Recipe(
        prompting=PromptingPart(technique=technique),
        decoding=DECODINGS[decoding],
        retrieval=RetrievalPart(collection="papers", passages=3),
    )
    model, result = run(AnswerRequest(recipe=recipe, prefix=PREFIX), FakeRetriever())
    assert (model.requests, model.continued) == ([], [((1, 2), (3,))])
    assert model.decodings == [DECODINGS[decoding]]
    assert result.answer == (REPLY if decoding == "json" else "It runs for 36 months [1].")
    assert [citation.n for citation in result.citations] == [1]
    assert set(result.notices) == expected_notes(technique, decoding, "continuation")


OTHERS = {
    "prompting.technique": "rounds",
    "prompting.input": "Question:",
    "prompting.output": "Be brief.",
    "prompting.examples": "pumps",
    "decoding.n": 3,
    "retrieval.passages": 3,
    "retrieval.token_budget": 300,
    "retrieval.decline": False,
    "retrieval.quote_length": "span",
    "retrieval.road": "table",
    "retrieval.rerank": False,
    "retrieval.pictures": "off",
    "retrieval.mode": "quoted",
    "agent": AgentPart(),
}


@pytest.mark.parametrize(("setting", "kind"), list(product(COMPOSITION, get_args(RequestKind))))
def test_each_cell_of_the_table_is_what_is_said(setting: str, kind: RequestKind) -> None:
    cell = COMPOSITION[setting][kind]
    recipe = Recipe(retrieval=RetrievalPart(collection="papers"))
    assert notes_on_composition(recipe, TABLE, kind) == ()
    if cell in (APPLIES, KEPT):
        return
    part, _, name = setting.partition(".")
    if not name:
        (note,) = notes_on_composition(msgspec.structs.replace(recipe, **{part: OTHERS[setting]}), TABLE, kind)
        assert note == cell
        return
    changed = msgspec.structs.replace(getattr(recipe, part), **{name: OTHERS[setting]})
    (note,) = notes_on_composition(msgspec.structs.replace(recipe, **{part: changed}), TABLE, kind)
    assert note.startswith(cell.partition("{")[0])
    assert "{" not in note


@pytest.mark.parametrize("setting", WITH_AGENT)
def test_each_setting_without_effect_beside_an_agent_is_said(setting: str) -> None:
    recipe = Recipe(retrieval=RetrievalPart(collection="papers"), agent=AgentPart())
    assert notes_on_composition(recipe, TABLE, "question") == ()
    part, _, name = setting.partition(".")
    changed = msgspec.structs.replace(getattr(recipe, part), **{name: OTHERS[setting]})
    (note,) = notes_on_composition(msgspec.structs.replace(recipe, **{part: changed}), TABLE, "question")
    assert note.startswith(WITH_AGENT[setting].partition("{")[0])
    assert "{" not in note


def test_an_agent_has_one_answer() -> None:
    recipe = Recipe(decoding=DECODINGS["three"], agent=AgentPart())
    assert decoding_of(recipe, TABLE, "question").n == 1
    assert decoding_of(recipe, TABLE, "continuation").n == 3


def test_an_option_of_the_technique_reaches_it_and_a_wrong_one_is_refused_before_anything_is_computed() -> None:
    conversation = (Message("user", ASKED),)
    three = Recipe(prompting=PromptingPart(technique="rounds", options={"rounds": 3}))
    model, _ = run(AnswerRequest(recipe=three, conversation=conversation), None)
    assert len(model.requests) == 3
    for prompting, named in (
        (PromptingPart(technique="rounds", options={"rounds": "many"}), "rounds"),
        (PromptingPart(technique="rounds", options={"turns": 3}), "turns"),
        (PromptingPart(technique="telepathy"), "telepathy"),
    ):
        idle = FakeModelBackend()
        request = AnswerRequest(recipe=Recipe(prompting=prompting), conversation=conversation)
        *_, last = answer(request, FakeServices(idle), RequestContext())
        assert isinstance(last, events.Failed)
        assert last.reason == "user"
        assert named in last.message
        assert idle.requests == []


def test_a_technique_that_is_cancelled_in_a_quiet_generation_leaves_no_answer() -> None:
    context = RequestContext()
    model = FakeModelBackend([REPLY, REPLY], cancelled=lambda: context.cancelled)
    request = AnswerRequest(
        recipe=Recipe(prompting=PromptingPart(technique="rounds")), conversation=(Message("user", ASKED),)
    )
    made: list[Event] = []
    for event in answer(request, FakeServices(model), context):
        made.append(event)
        if isinstance(event, events.TextDelta):
            context.cancel()
    assert isinstance(made[-1], events.Cancelled)
    assert len(model.requests) == 1
    assert not [event for event in made if isinstance(event, events.TextDelta) and not event.step]
