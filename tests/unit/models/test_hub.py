"""Searching a hub and reading what a repository holds, by the hub's own library through the gate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from tests.fake_hub import FakeHub, Fault, serving
from workbench.errors import UserError
from workbench.models.hub import Hub
from workbench.network.gate import Gate

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
    (found,) = hub_of(fake).search("model")
    assert (found.repository, found.licence, found.gated, found.updated) == (
        "owner/model-GGUF", "apache-2.0", True, "2026-05-04",
    )  # fmt: skip
    assert (found.architecture, found.parameters, found.context_tokens) == ("llama", 135_000_000, 8192)
    assert "filter=gguf" in fake.queries[-1]
    assert "search=model" in fake.queries[-1]


def test_the_models_of_a_repository_are_its_files_and_whole_split_ones(fake: FakeHub) -> None:
    found = hub_of(fake, token="secret").files("owner/model-GGUF")
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
        hub_of(fake).files("owner/model-GGUF")
    assert said in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("name", ["model", "../x/y", "a/b/c", "owner/", "-x/y"])
def test_what_is_no_repository_is_not_asked_for(name: str, fake: FakeHub) -> None:
    with pytest.raises(UserError, match="not the name of a repository"):
        hub_of(fake).files(name)
    assert fake.asked == []


def test_offline_nothing_is_asked_and_the_switch_is_named() -> None:
    with pytest.raises(UserError, match="switched off for searching") as caught:
        Hub(Gate(lambda purpose: False), endpoint="https://hub.example").search("x")
    assert "Settings" in caught.value.hint
