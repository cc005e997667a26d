"""Endpoints that never answer, never stop or send too much: they can be stopped, and what they send is bounded."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest

from tests import hostile_server as hostile
from tests.hostile_server import Hostile, serving
from workbench.api import events
from workbench.api.protocol import RequestContext, drain
from workbench.backends.backend import ModelUse
from workbench.backends.chat_stream import BYTES_AROUND, STREAM_BYTES, Connection
from workbench.backends.openai_compatible import OpenAICompatibleBackend
from workbench.backends.probing import probe
from workbench.base.errors import Cancelled, UserError
from workbench.engine.inference_calls import Generated
from workbench.network.gate import Gate
from workbench.records.endpoints import Endpoint
from workbench.records.messages import Message
from workbench.records.models import ModelRecord
from workbench.records.recipes import DecodingPart

ASKED = (Message("user", "Is it so?"),)
TOKENS = 100
JOIN_S = 60.0
"""Far above the moment that a stop takes, and far below the 600 seconds that an endpoint may be silent."""


class Asked:
    """A question to an endpoint, on a thread of its own. ``told`` are the events so far."""

    def __init__(
        self, address: str, *, streams: bool = True, gate: Gate | None = None, part: DecodingPart | None = None
    ) -> None:
        endpoint = Endpoint(address=address, model="big", streams=streams, several=True, context_tokens=4096)
        record = ModelRecord(
            name="Big", kind="chat", format="endpoint", path=address, architecture="", parameters=0,
            quantization="", context_tokens=4096, bytes=0, endpoint=endpoint,
        )  # fmt: skip
        self.context = RequestContext()
        self.told: list[events.Event] = []
        self.raised: BaseException | None = None
        self._part = part or DecodingPart(repetition_penalty=1.0, max_tokens=TOKENS)
        self._spent: list[tuple[int, int]] = []
        connection = Connection(gate or Gate(lambda purpose: False), endpoint, "", lambda seconds, context: None)
        backend = OpenAICompatibleBackend(
            lambda model: connection,
            lambda model, prompt, new: contextlib.nullcontext(),
            lambda model, prompt, new: self._spent.append((prompt, new)),
        )
        with backend.lease(record, ModelUse(), self.context) as loading:
            self._model = drain(loading)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.told.extend(self._model.generate(ASKED, self._part))
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.raised = error

    def end(self) -> None:
        self._thread.join(JOIN_S)
        assert not self._thread.is_alive(), "it goes on"

    @property
    def text(self) -> str:
        return "".join(one.text for one in self.told if isinstance(one, events.TextDelta))


@pytest.mark.parametrize("behaviour", hostile.WAITING, ids=lambda one: one.__name__)
def test_whatever_an_endpoint_does_it_can_be_stopped(behaviour: Callable[[Hostile], Iterator[bytes]]) -> None:
    with serving(Hostile(behaviour)) as server:
        asked = Asked(server.address)
        assert server.reached.wait(JOIN_S)
        asked.context.cancel()
        asked.end()
        assert isinstance(asked.raised, Cancelled) or isinstance(asked.told[-1], events.Cancelled)
        assert server.connections == 1, "it is not asked again"


def test_an_endpoint_that_does_not_read_can_be_stopped() -> None:
    def reads_nothing(server: Hostile) -> Iterator[bytes]:
        server.wait()
        yield b""

    with serving(Hostile(reads_nothing, reads_request=False)) as server:
        endpoint = Endpoint(address=server.address, model="big")
        context = RequestContext()
        ended: list[BaseException] = []

        def ask() -> None:
            try:
                Connection(Gate(lambda purpose: False), endpoint, "").ask({"filler": "x" * (32 << 20)}, context)
            except BaseException as error:  # noqa: BLE001
                ended.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        assert server.reached.wait(JOIN_S)
        context.cancel()
        thread.join(JOIN_S)
        assert [type(one) for one in ended] == [Cancelled]


def test_a_handshake_that_is_never_answered_can_be_stopped() -> None:
    with serving(Hostile(hostile.never_answers, reads_request=False)) as server:
        asked = Asked(server.address.replace("http://", "https://"))
        assert server.reached.wait(JOIN_S)
        asked.context.cancel()
        asked.end()
        assert isinstance(asked.told[-1], events.Cancelled)


def test_a_name_that_is_looked_up_for_ever_can_be_left() -> None:
    looking, over = threading.Event(), threading.Event()

    def resolve(host: str, port: int) -> Sequence[str]:
        looking.set()
        over.wait()
        return ["127.0.0.1"]

    try:
        asked = Asked("http://model.example/v1", gate=Gate(lambda purpose: True, resolve))
        assert looking.wait(JOIN_S)
        asked.context.cancel()
        asked.end()
        assert isinstance(asked.told[-1], events.Cancelled)
    finally:
        over.set()


def test_a_connection_that_comes_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    connecting, over, closed = threading.Event(), threading.Event(), threading.Event()

    class Late(socket.socket):
        def close(self) -> None:
            super().close()
            closed.set()

    def connect(address: object, timeout: float | None) -> socket.socket:
        connecting.set()
        over.wait()
        return Late()

    monkeypatch.setattr(socket, "create_connection", connect)
    asked = Asked("http://127.0.0.1:9/v1")
    assert connecting.wait(JOIN_S)
    asked.context.cancel()
    asked.end()
    over.set()
    assert closed.wait(JOIN_S)


@pytest.mark.parametrize("behaviour", hostile.OVERFLOWING, ids=lambda one: one.__name__)
def test_what_an_endpoint_sends_is_bounded(behaviour: Callable[[Hostile], Iterator[bytes]]) -> None:
    with serving(Hostile(behaviour)) as server:
        asked = Asked(server.address)
        asked.end()
        assert isinstance(asked.raised, UserError)
        assert asked.raised.hint
        assert asked.text == ""
        assert server.ended.wait(JOIN_S), "the connection is closed"
        assert server.sent < 32 << 20


def test_an_answer_without_end_is_cut_at_the_tokens_that_were_asked_for() -> None:
    with serving(Hostile(hostile.streams_for_ever)) as server:
        asked = Asked(server.address)
        asked.end()
        assert isinstance(asked.told[-1], events.Finished)
        made = msgspec.convert(asked.told[-1].result, Generated)
        assert made.finish == "length"
        assert TOKENS * 3.5 < len(made.text) <= TOKENS * 7 + 1
        assert made.text == asked.text
        (note,) = [one.text for one in asked.told if isinstance(one, events.Log)]
        assert note == "127.0.0.1 did not stop at 100 tokens; its answer was cut."
        assert server.ended.wait(JOIN_S)


def test_an_answer_that_ends_by_itself_is_not_cut() -> None:
    said = "word " * TOKENS  # as many tokens as were asked for

    def answers(server: Hostile) -> Iterator[bytes]:
        yield hostile.STREAM + hostile.text(said) + hostile.chunk(index=0, delta={}, finish_reason="stop")
        yield b"data: [DONE]\n\n"

    with serving(Hostile(answers)) as server:
        asked = Asked(server.address)
        asked.end()
        assert isinstance(asked.told[-1], events.Finished)
        assert msgspec.convert(asked.told[-1].result, Generated).finish == "eos"
        assert asked.text == said


def test_of_several_answers_one_without_end_does_not_cut_the_others() -> None:
    def answers(server: Hostile) -> Iterator[bytes]:
        yield hostile.STREAM + hostile.text("x" * 5_000) + hostile.text("So it is.", index=1)
        yield hostile.chunk(index=1, delta={}, finish_reason="stop")
        server.wait()

    with serving(Hostile(answers)) as server:
        asked = Asked(server.address, part=DecodingPart(repetition_penalty=1.0, max_tokens=TOKENS, n=2))
        asked.end()
        assert isinstance(asked.told[-1], events.Finished)
        made = msgspec.convert(asked.told[-1].result, Generated)
        assert [one.finish for one in made.sequences] == ["length", "eos"]
        assert made.sequences[1].text == "So it is."


def test_a_whole_reply_is_bounded_by_the_tokens_that_were_asked_for() -> None:
    with serving(Hostile(hostile.answers_without_end)) as server:
        asked = Asked(server.address, streams=False)
        asked.end()
        assert isinstance(asked.raised, UserError)
        assert "sends more than an answer can be" in asked.raised.message
        assert server.ended.wait(JOIN_S)
        assert server.sent < 16 << 20


def test_comments_for_ever_end_at_the_bytes_of_an_answer() -> None:
    def floods(server: Hostile) -> Iterator[bytes]:
        yield hostile.STREAM
        while True:
            yield b": still thinking\n\n" * 1000

    with serving(Hostile(floods)) as server:
        asked = Asked(server.address)
        asked.end()
        assert isinstance(asked.raised, UserError)
        assert server.ended.wait(JOIN_S)
        assert server.sent < BYTES_AROUND + TOKENS * STREAM_BYTES + (16 << 20)  # with what the sockets hold


@pytest.mark.parametrize("reported", [-(10**9), 10**12, "many", None])
def test_a_usage_that_cannot_be_is_estimated(reported: object) -> None:
    def answers(server: Hostile) -> Iterator[bytes]:
        usage = msgspec.json.encode({"choices": [], "usage": {"prompt_tokens": reported, "completion_tokens": 4}})
        yield hostile.STREAM + hostile.text("It is so.") + hostile.chunk(index=0, delta={}, finish_reason="stop")
        yield b"data: " + usage + b"\n\ndata: [DONE]\n\n"

    with serving(Hostile(answers)) as server:
        asked = Asked(server.address)
        asked.end()
        (spent,) = asked._spent
        assert 0 < spent[0] < 100
        assert 0 < spent[1] < 100


@pytest.mark.parametrize("choices", [5, "x", {"a": 1}, [1, None, []], [{"index": 0, "delta": 5}], [{"delta": None}]])
def test_choices_of_another_kind_are_passed_over(choices: object) -> None:
    def answers(server: Hostile) -> Iterator[bytes]:
        yield hostile.STREAM + b"data: " + msgspec.json.encode({"choices": choices}) + b"\n\ndata: [DONE]\n\n"

    with serving(Hostile(answers)) as server:
        asked = Asked(server.address)
        asked.end()
        assert asked.raised is None
        assert asked.text == ""


def test_probing_a_silent_endpoint_can_be_stopped() -> None:
    with serving(Hostile(hostile.never_answers)) as server:
        context = RequestContext()
        raised: list[BaseException] = []

        def work() -> None:
            try:
                endpoint = Endpoint(address=server.address, model="big")
                probe(Connection(Gate(lambda purpose: False), endpoint, ""), context)
            except BaseException as error:  # noqa: BLE001
                raised.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        assert server.reached.wait(JOIN_S)
        context.cancel()
        thread.join(JOIN_S)
        assert [type(one) for one in raised] == [Cancelled]
