"""Searching a hub and reading what a repository holds, by the hub's own library through the gate."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator

import pytest

from tests import hostile_server as hostile
from tests.fake_hub import FakeHub, Fault, serving
from tests.hostile_server import Hostile
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError
from workbench.network.gate import Gate
from workbench.subjects.models.hub import Hub

INFO = {
    "id": "owner/model-GGUF",
    "modelId": "owner/model-GGUF",
    "sha": "c0ffee" + "0" * 34,
    "downloads": 1234,
    "likes": 5,
    "gated": "manual",
    "private": False,
    "lastModified": "2026-05-04T03:02:01.000Z",
    "tags": ["gguf", "license:apache-2.0"],
    "gguf": {"total": 135_000_000, "architecture": "llama", "context_length": 8192},
}


def sibling(name: str, size: int) -> dict[str, object]:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return {"rfilename": name, "size": size, "blobId": "x", "lfs": {"sha256": digest, "size": size, "pointerSize": 1}}


SIBLINGS = [
    sibling("model-Q8_0.gguf", 900),
    sibling("sub/big-Q4_K_M-00002-of-00002.gguf", 700),
    sibling("sub/big-Q4_K_M-00001-of-00002.gguf", 800),
    sibling("torn-00001-of-00002.gguf", 1),
    sibling("model.IQ3_XXS.gguf", 300),
    sibling("mmproj-model-f16.gguf", 10),
    sibling("README.md", 10),
]


@pytest.fixture
def fake() -> Iterator[FakeHub]:
    hub = FakeHub()
    with serving(hub):
        hub.files["/api/models/owner/model-GGUF"] = json.dumps({**INFO, "siblings": SIBLINGS}).encode()
        hub.files["/api/models"] = json.dumps([INFO]).encode()
        yield hub


def hub_of(fake: FakeHub, token: str = "") -> Hub:
    return Hub(Gate(lambda purpose: False), lambda: token, fake.url)


def test_a_search_tells_what_is_known_before_anything_is_downloaded(fake: FakeHub) -> None:
    (found,) = hub_of(fake).search("model", context=RequestContext())
    assert (found.repository, found.licence, found.gated, found.updated) == (
        "owner/model-GGUF", "apache-2.0", True, "2026-05-04",
    )  # fmt: skip
    assert (found.architecture, found.parameters, found.context_tokens) == ("llama", 135_000_000, 8192)
    assert "filter=gguf" in fake.queries[-1]
    assert "search=model" in fake.queries[-1]


def test_the_models_of_a_repository_are_its_files_and_whole_split_ones(fake: FakeHub) -> None:
    found = hub_of(fake, token="secret").files("owner/model-GGUF", context=RequestContext())
    assert [(one.name, one.bytes, one.quantization, len(one.parts)) for one in found.files] == [
        ("model.IQ3_XXS.gguf", 300, "IQ3_XXS", 1),
        ("model-Q8_0.gguf", 900, "Q8_0", 1),
        ("big-Q4_K_M-00001-of-00002.gguf", 1500, "Q4_K_M", 2),
    ]
    part = found.files[-1].parts[0]
    assert part.url == f"{fake.url}/owner/model-GGUF/resolve/{INFO['sha']}/sub/big-Q4_K_M-00001-of-00002.gguf"
    assert part.sha256 == hashlib.sha256(b"sub/big-Q4_K_M-00001-of-00002.gguf").hexdigest()
    assert fake.asked[-1][2] == "Bearer secret"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(status=404), "could not be looked up"),
        (Fault(status=403), "accept its terms"),
        (Fault(status=401), "token"),
    ],
)
def test_what_the_hub_refuses_is_said_with_what_to_do(fault: Fault, said: str, fake: FakeHub) -> None:
    fake.faults.append(fault)
    with pytest.raises(UserError) as caught:
        hub_of(fake).files("owner/model-GGUF", context=RequestContext())
    assert said in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("name", ["model", "../x/y", "a/b/c", "owner/", "-x/y"])
def test_what_is_no_repository_is_not_asked_for(name: str, fake: FakeHub) -> None:
    with pytest.raises(UserError, match="not the name of a repository"):
        hub_of(fake).files(name, context=RequestContext())
    assert fake.asked == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_hub_is_asked_once_and_not_waited_for(status: int, fake: FakeHub) -> None:
    fake.faults.append(Fault(status=status, headers={"Retry-After": "3600"}))
    with pytest.raises(UserError, match=rf"\({status}\)"):
        hub_of(fake).search("model", context=RequestContext())
    assert len(fake.queries) == 1


def test_a_name_that_cannot_be_resolved_is_looked_up_once() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        raise OSError("Name or service not known")

    hub = Hub(Gate(lambda purpose: True, resolve), endpoint="http://hub.invalid")
    with pytest.raises(UserError, match=r"hub\.invalid cannot be resolved") as failed:
        hub.search("model", context=RequestContext())
    assert failed.value.hint == "Check the connection."
    assert asked == ["hub.invalid"]


def test_offline_nothing_is_asked_and_the_switch_is_named() -> None:
    with pytest.raises(UserError, match="switched off for searching") as caught:
        Hub(Gate(lambda purpose: False), endpoint="https://hub.example").search("x", context=RequestContext())
    assert "Settings" in caught.value.hint


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=302, headers={"Location": "http://login.hotel.example/?for=hub"}),
        Fault(status=511, headers={"Content-Type": "text/html"}),
        Fault(status=200, headers={"Content-Type": "text/html; charset=utf-8"}),
    ],
    ids=["redirect", "status", "page"],
)
def test_a_login_page_of_the_network_is_named(fake: FakeHub, fault: Fault) -> None:
    fake.faults.append(fault)
    with pytest.raises(
        UserError, match=r"127\.0\.0\.1 (redirects to login.hotel.example|answered with a web page)"
    ) as said:
        hub_of(fake).search("model", context=RequestContext())
    assert "log in there" in said.value.hint


@pytest.mark.parametrize("said", [b"not json", b"[5]", b'{"id": 4}', b"[" * 100_000])
def test_an_answer_of_another_kind_is_no_bug(fake: FakeHub, said: bytes) -> None:
    fake.files["/api/models"] = said
    with pytest.raises(UserError, match="does not answer as a hub does"):
        hub_of(fake).search("model", context=RequestContext())


@pytest.mark.parametrize("behaviour", [hostile.never_answers, hostile.drips_its_body], ids=lambda one: one.__name__)
def test_a_hub_that_keeps_waiting_can_be_left(behaviour: Callable[[Hostile], Iterator[bytes]]) -> None:
    with hostile.serving(Hostile(behaviour)) as server:
        context = RequestContext()
        raised: list[BaseException] = []

        def search() -> None:
            try:
                Hub(Gate(lambda purpose: False), endpoint=server.address).search("x", context=context)
            except BaseException as error:  # noqa: BLE001 - looked at below
                raised.append(error)

        thread = threading.Thread(target=search, daemon=True)
        thread.start()
        assert server.reached.wait(60)
        context.cancel()
        thread.join(60)
        assert [type(one) for one in raised] == [Cancelled]


def test_an_answer_without_end_is_not_read_for_ever() -> None:
    with hostile.serving(Hostile(hostile.answers_without_end)) as server:
        with pytest.raises(UserError, match=r"sends more than 8 MB"):
            Hub(Gate(lambda purpose: False), endpoint=server.address).search("x", context=RequestContext())
        assert server.ended.wait(60)
