"""The backend of endpoints, against a service with the faults of real ones."""

from __future__ import annotations

import base64
import contextlib
import io
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from PIL import Image

from tests.fake_endpoint import KEY, FakeEndpoint, Fault, serving
from workbench.api import events
from workbench.api.protocol import RequestContext, drain
from workbench.backends import chat_stream
from workbench.backends.backend import ModelUse
from workbench.backends.chat_stream import Connection, Refused
from workbench.backends.openai_compatible import OpenAICompatibleBackend, RemoteModel, body_of
from workbench.backends.probing import probe
from workbench.base.errors import Cancelled, UserError
from workbench.base.pixels import Pixels, pack_pixels
from workbench.engine.inference_calls import Generate, Generated, Score
from workbench.network.gate import Gate, Offline
from workbench.records.capabilities import capabilities_of
from workbench.records.endpoints import Endpoint, checked_address
from workbench.records.messages import ImagePart, Message, TextPart
from workbench.records.models import ModelRecord
from workbench.records.recipes import DecodingPart

ASKED = (Message("user", "Is it so?"),)
PLAIN = DecodingPart(repetition_penalty=1.0)


@pytest.fixture
def service() -> Iterator[FakeEndpoint]:
    with serving(FakeEndpoint()) as running:
        yield running


class Remote:
    """A leased model of the service. ``pauses`` are the waits between tries, ``spent`` the usage that was noted."""

    def __init__(self, service: FakeEndpoint, **fields: Any) -> None:
        made = {"streams": True, "streams_usage": True, "schemas": True, "several": True, "context_tokens": 4096}
        self.endpoint = Endpoint(address=service.address, model="big", **{**made, **fields})
        self.record = ModelRecord(
            name="Big", kind="chat", format="endpoint", path=service.address, architecture="", parameters=0,
            quantization="", context_tokens=4096, bytes=0, endpoint=self.endpoint,
        )  # fmt: skip
        self.pauses: list[float] = []
        self.spent: list[tuple[int, int]] = []
        self.most: list[tuple[int, int]] = []
        self.context = RequestContext()
        self.gate = Gate(lambda purpose: False)
        self.connection = Connection(self.gate, self.endpoint, KEY, lambda s, context: self.pauses.append(s))
        backend = OpenAICompatibleBackend(
            lambda model: self.connection,
            lambda model, prompt, new: contextlib.nullcontext(self.most.append((prompt, new))),
            lambda model, prompt, new: self.spent.append((prompt, new)),
        )
        with backend.lease(self.record, ModelUse(), self.context) as loading:
            self.model: RemoteModel = drain(loading)

    def ask(self, part: DecodingPart = PLAIN) -> tuple[list[events.Event], Generated]:
        told = list(self.model.generate(ASKED, part))
        assert isinstance(told[-1], events.Finished)
        return told, msgspec.convert(told[-1].result, Generated)


def test_an_answer_streams_with_its_usage(service: FakeEndpoint) -> None:
    remote = Remote(service)
    told, made = remote.ask(DecodingPart(repetition_penalty=1.0, temperature=0.5, seed=3, stop=("END",), max_tokens=9))
    assert [one.text for one in told if isinstance(one, events.TextDelta)] == ["It", " is", " so", " indeed."]
    assert (made.text, made.finish) == ("It is so indeed.", "eos")
    assert (made.usage.prompt_tokens, made.usage.new_tokens) == (7, 4)
    assert remote.spent == [(7, 4)]
    (body,) = service.asked
    assert body["messages"] == [{"role": "user", "content": "Is it so?"}]
    assert (body["temperature"], body["seed"], body["stop"], body["max_tokens"]) == (0.5, 3, ["END"], 9)
    assert service.keys == [f"Bearer {KEY}"]


def test_usage_that_is_not_reported_is_estimated(service: FakeEndpoint) -> None:
    service.tells_usage = False
    remote = Remote(service)
    _, made = remote.ask()
    assert made.usage.new_tokens == 5
    assert remote.spent == [(made.usage.prompt_tokens, 5)]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_is_busy_is_asked_again(service: FakeEndpoint, status: int) -> None:
    service.faults.extend([Fault(status=status, headers={"Retry-After": "7"}), Fault(status=status)])
    remote = Remote(service)
    _, made = remote.ask()
    assert made.text == service.reply
    assert remote.pauses[0] == 7
    assert 0.5 < remote.pauses[1] < 2
    assert len(service.asked) == 3


def test_it_is_not_asked_for_ever(service: FakeEndpoint) -> None:
    service.faults.extend([Fault(status=500)] * 9)
    remote = Remote(service)
    with pytest.raises(Refused, match=r"127.0.0.1 refused the request \(500\)"):
        remote.ask()
    assert len(service.asked) == 4


def test_a_wrong_key_is_not_tried_again_and_not_repeated(service: FakeEndpoint) -> None:
    service.faults.append(Fault(status=401, body={"error": {"message": f"Incorrect API key provided: {KEY}\x1b[31m"}}))
    with pytest.raises(Refused) as raised:
        Remote(service).ask()
    assert raised.value.status == 401
    assert KEY not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert len(service.asked) == 1


def test_a_refused_request_is_not_charged(service: FakeEndpoint) -> None:
    service.faults.append(Fault(status=401))
    remote = Remote(service)
    with pytest.raises(Refused):
        remote.ask()
    assert (len(remote.most), remote.spent) == (1, [])


def test_a_line_without_an_end_is_not_read_for_ever(service: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_stream, "LONGEST_LINE", 100)
    blocks = iter([b"x" * 60] * 50)
    response = httpx2.Response(200, content=blocks)
    with pytest.raises(Refused, match="sends more than an answer can be"):
        list(Remote(service).connection._lines(response, 1 << 20))
    assert len(list(blocks)) == 48


def test_the_reason_of_a_refusal_is_read_in_all_its_pieces_but_not_for_ever(service: FakeEndpoint) -> None:
    connection = Remote(service).connection
    pieces = iter([b'{"error": {"message": "There is no', b' such model."}}'])
    refused = connection._refusal(httpx2.Response(404, content=pieces))
    assert refused.message == "127.0.0.1 refused the request (404): There is no such model."
    blocks = iter([b"x" * 1000] * 1000)
    assert connection._refusal(httpx2.Response(404, content=blocks)).message == "127.0.0.1 refused the request (404)."
    assert len(list(blocks)) == 1000 - 66  # 64 KiB and the rest of a block


def test_a_request_that_timed_out_is_not_sent_again(service: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_stream, "READ_S", 0.05)
    answered = threading.Event()
    service.faults.append(Fault(waits_for=answered))
    remote = Remote(service)
    try:
        with pytest.raises(Refused, match="did not answer within"):
            remote.ask()
    finally:
        answered.set()
    assert len(service.asked) == 1
    assert remote.spent[0][0] > 0, "the service may charge for it"
    assert remote.gate.requests()[0].failed == "ReadTimeout"


@pytest.mark.parametrize("fault", [Fault(cut=2), Fault(cut=2, closes=True)], ids=["without an end", "by the line"])
def test_a_stream_that_is_cut_off_is_no_answer(service: FakeEndpoint, fault: Fault) -> None:
    service.faults.append(fault)
    remote = Remote(service)
    told: list[events.Event] = []
    stream = remote.model.generate(ASKED, PLAIN)
    with pytest.raises(Refused, match=r"cut off its answer|was lost within the answer"):
        told.extend(stream)
    assert "".join(one.text for one in told if isinstance(one, events.TextDelta)) == "It is"
    assert len(service.asked) == 1, "what has begun is not begun again"
    assert remote.spent, "what was generated is paid"


def test_a_redirect_is_never_followed(service: FakeEndpoint) -> None:
    with serving(FakeEndpoint()) as other:
        service.faults.append(Fault(status=307, headers={"Location": f"{other.address}/chat/completions"}))
        with pytest.raises(Refused, match=r"redirects to 127\.0\.0\.1, which is not followed"):
            Remote(service).ask()
        assert other.asked == []


@pytest.mark.parametrize("streams", [False, True])
def test_a_login_page_of_the_network_is_named(service: FakeEndpoint, streams: bool) -> None:
    service.faults.append(Fault(garbage=True))
    with pytest.raises(Refused, match=r"127.0.0.1 answered with a web page instead of data") as raised:
        Remote(service, streams=streams).ask()
    assert "log in" in raised.value.hint
    assert len(service.asked) == 1


def test_another_machine_is_not_asked_while_the_switch_is_off(service: FakeEndpoint) -> None:
    remote = Remote(service)
    away = msgspec.structs.replace(remote.endpoint, address="https://api.example.com/v1")
    with pytest.raises(Offline, match="switched off for answering by a remote model"):
        Connection(remote.gate, away, KEY).ask({}, RequestContext())
    assert remote.gate.requests()[0].refused


def test_a_request_is_logged_without_its_key(service: FakeEndpoint) -> None:
    remote = Remote(service)
    remote.ask()
    (logged,) = remote.gate.requests()
    assert (logged.purpose, logged.host, logged.path, logged.status) == (
        "endpoint", "127.0.0.1", "/v1/chat/completions", 200,
    )  # fmt: skip
    assert logged.bytes_out > 0
    assert logged.bytes_in > 100, "of a stream without a Content-Length"
    assert KEY not in repr(logged)
    assert KEY not in repr(remote.connection)


def test_several_requests_end_each_by_itself(service: FakeEndpoint) -> None:
    remote = Remote(service)
    request = Generate(messages=ASKED, decoding=DecodingPart(repetition_penalty=1.0))
    begun = Generate(prompt=(1, 2), decoding=DecodingPart())
    ends = {
        place: event
        for place, event in remote.model.generate_many((request, begun, request), RequestContext())
        if isinstance(event, events.TERMINAL)
    }
    assert [type(ends[place]) for place in range(3)] == [events.Finished, events.Failed, events.Finished]


def test_a_cancelled_answer_has_the_text_so_far(service: FakeEndpoint) -> None:
    remote = Remote(service)
    stream = remote.model.generate(ASKED, DecodingPart(repetition_penalty=1.0))
    first = next(stream)
    assert isinstance(first, events.TextDelta)
    threading.Thread(target=remote.context.cancel).start()
    *_, last = stream
    assert isinstance(last, events.Cancelled | events.Finished)


def test_waiting_for_a_busy_service_can_be_stopped(service: FakeEndpoint) -> None:
    service.faults.extend([Fault(status=503, headers={"Retry-After": "50"})] * 4)
    remote = Remote(service)
    connection = Connection(remote.gate, remote.endpoint, KEY)
    threading.Timer(0.05, remote.context.cancel).start()
    with pytest.raises(Cancelled):
        connection.ask({}, remote.context)


def test_ignored_fields_are_named(service: FakeEndpoint) -> None:
    told, _ = Remote(service).ask(DecodingPart(repetition_penalty=1.3, top_k=7))
    (note,) = [one.text for one in told if isinstance(one, events.Log)]
    assert note == "127.0.0.1 ignores: top_k, repetition_penalty."


def test_a_schema_is_sent_as_the_api_has_it(service: FakeEndpoint) -> None:
    part = DecodingPart(format="json_schema", grammar='{"type": "object"}')
    body = body_of(Remote(service).endpoint, Generate(messages=ASKED, decoding=part))
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_probing_finds_the_supported_features(service: FakeEndpoint) -> None:
    remote = Remote(service, streams=False, several=False, schemas=False, context_tokens=0)
    found = probe(remote.connection, RequestContext())
    assert (found.streams, found.streams_usage, found.schemas, found.several) == (True, True, True, True)
    assert found.context_tokens == 32_768
    assert found.probed > 0
    assert all(body["max_tokens"] == 1 for body in service.asked)
    assert len(service.asked) <= 9
    assert found.alternatives == 0


def test_probing_a_service_that_refuses_fields(service: FakeEndpoint) -> None:
    service.refuses = {"max_tokens", "stream_options", "response_format", "n"}
    found = probe(Remote(service).connection, RequestContext())
    assert found.limit_field == "max_completion_tokens"
    assert (found.streams, found.streams_usage, found.schemas, found.several) == (True, False, False, False)
    assert capabilities_of(found).max_sequences == 1


@pytest.mark.parametrize(
    "address",
    ["ftp://x", "api.example.com", "https://me:pw@api.example.com/v1", "https://x/v1?key=1", "http://api.example.com"],
)
def test_addresses_that_are_none_or_hold_a_secret(address: str) -> None:
    with pytest.raises(UserError):
        checked_address(address)


def test_an_address_is_the_base_of_the_api() -> None:
    assert checked_address(" https://api.example.com/v1/chat/completions/ ") == "https://api.example.com/v1"
    assert checked_address("http://192.168.1.7:8000/v1") == "http://192.168.1.7:8000/v1"
    assert checked_address("http://localhost:11434/v1/") == "http://localhost:11434/v1"


def test_probing_finds_how_many_alternatives_are_reported(service: FakeEndpoint) -> None:
    service.alternatives = {"Hi": -0.1}
    assert probe(Remote(service).connection, RequestContext()).alternatives == 20


def test_probing_finds_whether_images_are_taken(service: FakeEndpoint) -> None:
    def sees() -> bool:
        service.asked.clear()
        return probe(Remote(service).connection, RequestContext()).vision

    def shown() -> list[Any]:
        return [one for one in service.asked if isinstance(one["messages"][0]["content"], list)]

    assert not sees()
    service.sees = True
    assert sees()
    [body] = shown()
    assert body["max_tokens"] == 1
    # what the list of models says is not asked for
    for listed, says in (
        ({"architecture": {"input_modalities": ["text", "image"]}}, True),
        ({"architecture": {"input_modalities": ["text"]}}, False),
        ({"capabilities": {"vision": False}}, False),
    ):
        service.listed = listed
        assert sees() is says
        assert not shown()


def test_an_image_is_sent_as_a_data_address(service: FakeEndpoint, tmp_path: Path) -> None:
    service.sees = True
    files = [tmp_path / "small.pixels", tmp_path / "large.pixels"]
    small = Pixels(40, 30, bytes(range(250)) * 14 + bytes(100))
    files[0].write_bytes(pack_pixels(small))
    files[1].write_bytes(pack_pixels(Pixels(2_000, 40, bytes(2_000 * 40 * 3))))
    parts = [ImagePart(path=str(files[0]), width=40, height=30), ImagePart(path=str(files[1]), width=2_000, height=40)]
    asked = (Message("user", "Before?"), Message.of_parts("user", [*parts, TextPart("What is it?")]))
    remote = Remote(service, vision=True)
    told = list(remote.model.generate(asked, PLAIN))
    assert isinstance(told[-1], events.Finished)
    [body] = service.asked
    assert body["messages"][0]["content"] == "Before?"
    *images, text = body["messages"][1]["content"]
    assert text == {"type": "text", "text": "What is it?"}
    shown = []
    for one in images:
        head, _, data = one["image_url"]["url"].partition(",")
        assert head == "data:image/png;base64"
        shown.append(Image.open(io.BytesIO(base64.b64decode(data))))
    assert shown[0].tobytes() == small.rgb
    assert shown[1].size == (1_000, 20)
    [(prompt, _)] = remote.most
    assert prompt > 1_536 * 40 // 750  # images count in what a request may cost
    shown_prompt = remote.model.render(Generate(messages=asked, decoding=PLAIN))
    assert "[image: 40 x 30 pixels]" in shown_prompt.text


def test_an_endpoint_that_does_not_see_is_sent_no_image(service: FakeEndpoint) -> None:
    asked = (Message.of_parts("user", [ImagePart(path="/nowhere"), TextPart("What is it?")]),)
    with pytest.raises(UserError, match="Big cannot see images"):
        list(Remote(service).model.generate(asked, PLAIN))
    assert service.asked == []


@pytest.mark.parametrize(("probed", "said", "sees"), [(True, None, True), (True, False, False), (False, True, True)])
def test_the_persons_word_goes_before_what_was_probed(probed: bool, said: bool | None, sees: bool) -> None:
    endpoint = Endpoint(address="http://127.0.0.1/v1", model="big", vision=probed, sees=said)
    assert capabilities_of(endpoint).vision is sees


def choose(service: FakeEndpoint, labels: tuple[str, ...] = ("A", "B"), **known: Any) -> tuple[list[float], Remote]:
    remote = Remote(service, **known)
    (scores,) = remote.model.score_many([Score(messages=ASKED, continuations=labels)], RequestContext())
    return [one.logprob for one in scores.values], remote


def test_a_judge_reads_the_reported_probabilities_of_its_labels(service: FakeEndpoint) -> None:
    service.alternatives = {"B": -0.7, " A": -1.2, "A": -3.0, "x": -6.0}
    (a, b), remote = choose(service, alternatives=20)
    assert a == pytest.approx(math.log(math.exp(-1.2) + math.exp(-3.0)))
    assert b == pytest.approx(-0.7)
    assert (service.asked[-1]["max_tokens"], service.asked[-1]["top_logprobs"]) == (1, 20)
    assert remote.spent == [(7, 3)]
    service.alternatives = {"B": -0.1, "x": -4.0}
    (a, b), _ = choose(service, alternatives=20)
    assert a == -4.0, "it is not more probable than the least one that is reported"


def test_a_judge_without_probabilities_has_the_label_that_it_writes(service: FakeEndpoint) -> None:
    service.reply = " B."
    (a, b), _ = choose(service)
    assert (a, b) == (-20.0, 0.0)
    assert "logprobs" not in service.asked[-1]
    service.reply = "I cannot say."
    (a, b), _ = choose(service)
    assert a == b == -20.0


def test_only_labels_can_be_chosen_among(service: FakeEndpoint) -> None:
    with pytest.raises(UserError, match="no access to its tokens"):
        choose(service, ("Paris", "Rome"))
    assert service.asked == []
