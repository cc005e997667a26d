"""An answer is the same while it is live, once it is stored, and when it is replayed."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.event_sequences import answer_events
from tests.fakes import passage
from workbench.api import events
from workbench.api.answer_state import AnswerState, replay, with_trace
from workbench.api.events import StepFinished, StepStarted, decode, encode
from workbench.api.protocol import finish
from workbench.base.paths import Home
from workbench.records.answers import AskResult, StoredMessage
from workbench.records.messages import Beam, Candidate, Usage
from workbench.records.recipes import Recipe
from workbench.records.trace import TRACE, TokenIds, Trace, TraceStep
from workbench.storage.database import open_home
from workbench.subjects.chats.store import Branch, ChatStore

EMPTY = StoredMessage(id="a", chat="c", parent="q", role="assistant", text="", state="streaming", recipe=Recipe())


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[ChatStore]:
    database = open_home(Home(tmp_path))
    yield ChatStore(database)
    database.close()


def test_live_stored_and_replayed_answers_are_equal(chats: ChatStore) -> None:
    kinds: set[type] = set()
    states: set[str] = set()
    for seed in range(200):
        _, empty = chats.store_question("Why?", Recipe(), Recipe(), after=Branch(), title="Why?")
        stream = list(with_trace(answer_events(seed)))
        core, window = AnswerState(), AnswerState()
        for event in stream:
            kinds.add(type(event))
            core.apply(event)
            crossed = decode(encode(event))
            assert crossed is not None
            window.apply(crossed)
        chats.store_ending(empty.id, core.trace(), **core.fields())

        live = window.message(empty)
        stored, trace = chats.get_message(empty.id), chats.get_trace(empty.id)
        replayed = AnswerState.of(replay(stored, trace))
        states.add(stored.state)
        assert live == stored, seed
        assert replayed.message(empty) == stored, seed
        assert window.trace() == (trace or Trace()) == replayed.trace(), seed
    assert states == {"done", "failed", "stopped", "interrupted"}
    wanted = {StepStarted, StepFinished, events.BeamStep, events.Retrieved, events.Thought, events.TextDelta}
    assert kinds > wanted | {events.Verified}


def test_an_answer_whose_end_could_not_be_stored_was_interrupted() -> None:
    left = AnswerState.of(replay(EMPTY, None)).message(EMPTY)
    assert (left.state, left.text) == ("interrupted", "")


def test_steps_form_a_tree_with_their_own_text_passages_and_beams() -> None:
    state = AnswerState()
    shown = passage("The pump runs.", n=1)
    beams = (Beam(parent=-1, token=5, text="a", score=-0.5),)
    used = Usage(prompt_tokens=3, new_tokens=4, tokens_per_s=2.0, first_token_s=0.5)
    for event in (
        StepStarted(step="1", kind="search", title="Search", input="pump"),
        events.Retrieved(query="pump", passages=(shown,), step="1"),
        StepFinished(step="1", output="1 passage", score=0.5, seconds=0.25),
        StepStarted(step="2", kind="section", title="Two sections"),
        StepStarted(step="3", parent="2", kind="generation", title="Section 1"),
        events.TextDelta(text="Half ", step="3"),
        events.TextDelta(text="of it", step="3"),
        events.Retrieved(query="inner", passages=(), step="3"),
        StepFinished(step="3", usage=used, error="cut short"),
        StepStarted(step="4", kind="generation", writes_answer=True),
        events.BeamStep(number=0, beams=beams, step="4"),
        events.TextDelta(text="It runs."),
        StepFinished(step="4", usage=used, tokens=TokenIds(prompt=(1,), sequences=((2, 3),))),
    ):
        state.apply(event)
    assert (state.text, state.query, state.passages) == (
        "It runs.",
        "pump",
        (shown,),
    )  # those of inner steps stay there
    trace = state.trace()
    assert [(depth, step.id, step.state) for depth, step in trace.walk()] == [
        (0, "1", "done"),
        (0, "2", "running"),
        (1, "3", "failed"),
        (0, "4", "done"),
    ]
    assert (trace.steps[0].passages, trace.steps[0].score, trace.steps[0].seconds) == ((shown,), 0.5, 0.25)
    assert (trace.steps[2].output, trace.steps[2].error) == ("Half of it", "cut short")
    assert (state.beams, trace.tokens) == ((beams,), TokenIds(prompt=(1,), sequences=((2, 3),)))
    assert state.usage == Usage(prompt_tokens=6, new_tokens=8, tokens_per_s=2.0, first_token_s=0.5)
    state.apply(events.Cancelled())
    assert state.step("2").state == "stopped"
    assert state.apply(events.TextDelta(text="more")) is False  # nothing follows the end
    assert state.message(EMPTY).text == "It runs."


def test_a_result_gets_the_usage_of_all_generations_and_the_trace() -> None:
    def stream() -> Iterator[events.Event]:
        for name in ("1", "2"):
            yield StepStarted(step=name, kind="generation", writes_answer=name == "2")
            yield StepFinished(step=name, usage=Usage(prompt_tokens=5, new_tokens=2))
        yield finish(AskResult(answer="So.", usage=Usage(prompt_tokens=5, new_tokens=2)))

    *_, last = with_trace(stream())
    result = AnswerState.of([last])
    assert result.usage == Usage(prompt_tokens=10, new_tokens=4)
    assert [step.id for step in result.trace().steps] == ["1", "2"]


def test_of_several_answers_the_thought_of_the_best_one_is_kept() -> None:
    best, other = Candidate(text="Yes.", thought="b"), Candidate(text="No.", thought="a")
    streamed = [
        events.Thought(text="a"),
        events.TextDelta(text="No."),
        events.Thought(text="b", sequence=1),
        events.TextDelta(text="Yes.", sequence=1),
    ]
    state = AnswerState.of([*streamed, finish(AskResult(answer="Yes.", sequences=(best, other)))])
    message = state.message(EMPTY)
    assert (message.text, message.thought, message.sequences) == ("Yes.", "b", (best, other))
    stopped = AnswerState.of([*streamed, events.Cancelled()]).message(EMPTY)
    assert [one.text for one in stopped.sequences] == ["No.", "Yes."]


def test_a_long_answer_takes_time_in_proportion_to_its_length() -> None:
    def seconds(pieces: int) -> float:
        state = AnswerState()
        state.apply(StepStarted(step="1", kind="generation"))
        began = time.process_time()
        for number in range(pieces):
            state.apply(events.TextDelta(text="some words of it ", step="1" if number % 2 else ""))
            if number % 1000 == 0:
                assert state.text
        assert len(state.text) == pieces // 2 * 17
        return time.process_time() - began

    short = min(seconds(20_000) for _ in range(3))
    assert min(seconds(200_000) for _ in range(3)) < 40 * short  # 100 times if each piece copied the text


def test_a_trace_of_the_first_format_is_read_as_one_generation() -> None:
    beams = (Beam(parent=-1, token=5, text="a", score=-0.25, ended=True),)
    old = zlib.compress(msgspec.msgpack.encode([[1, 2], [[5, 6], []], [beams]]))
    trace = TRACE.get(old)
    assert trace.tokens == TokenIds(prompt=(1, 2), sequences=((5, 6), ()))
    assert trace.generation is not None
    assert trace.generation.beams == (beams,)
    assert TRACE.get(TRACE.encode(trace)) == trace
    before_beams = zlib.compress(msgspec.msgpack.encode([[1, 2], [[5]]]))
    assert TRACE.get(before_beams).tokens == TokenIds(prompt=(1, 2), sequences=((5,),))


def test_tokens_are_the_answers_only_where_one_generation_wrote_it() -> None:
    writing = TraceStep(id="1", kind="generation", writes_answer=True, tokens=TokenIds(prompt=(1,), sequences=((2,),)))
    assert Trace(steps=(writing,)).tokens is not None
    assert Trace(steps=(writing, TraceStep(id="2", kind="generation"))).tokens is not None
    assert Trace(steps=(writing, TraceStep(id="2", kind="section", writes_answer=True))).tokens is None
    assert Trace().tokens is None
