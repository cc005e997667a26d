"""A model's header by range: as much of the file as it takes, and a hole behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.fake_hub import FakeHub, Fault, serving
from tests.synthetic_models import write_synthetic
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.gguf.model import describe_gguf
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.records.hub import HubFile, RemoteFile
from workbench.subjects.models import fitting as remote_header
from workbench.subjects.models.fitting import fetch_headers


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    hub = FakeHub()
    path = write_synthetic(tmp_path / "there.gguf", "qwen3moe", layers=2, vocabulary=20_000)
    hub.files["/model.gguf"] = path.read_bytes()
    with serving(hub):
        yield hub


def fetch(hub: FakeHub, folder: Path, size: int | None = None) -> tuple[Path, int]:
    part = RemoteFile(
        url=f"{hub.url}/model.gguf", name="model.gguf",
        bytes=len(hub.files["/model.gguf"]) if size is None else size,
    )  # fmt: skip
    with open_client(Gate(lambda purpose: False), "hub", context=RequestContext()) as client:
        return fetch_headers(
            HubFile(name="model.gguf", bytes=part.bytes, parts=(part,)), folder, client, RequestContext()
        )


def test_the_header_describes_the_model_as_the_whole_file_does(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_header, "FIRST_BYTES", 100_000)  # less than the vocabulary takes
    path, fetched = fetch(hub, tmp_path / "headers")
    whole = len(hub.files["/model.gguf"])
    assert fetched < whole / 10
    assert path.stat().st_size == whole
    assert path.stat().st_blocks * 512 < whole / 10
    there, here = describe_gguf(tmp_path / "there.gguf"), describe_gguf(path)
    assert here.metadata == there.metadata
    assert (here.vocabulary, here.layers) == (there.vocabulary, there.layers)
    assert (here.model.parameters, here.model.quantization) == (there.model.parameters, there.model.quantization)
    assert [asked[1] for asked in hub.asked] == ["bytes=0-99999", "bytes=100000-199999", "bytes=200000-399999"]


def test_a_server_that_ignores_ranges_is_read_no_further_than_needed(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault(ignores_range=True))
    path, _ = fetch(hub, tmp_path / "headers")
    assert describe_gguf(path).layers == 2


@pytest.mark.parametrize(
    ("fault", "said"), [(Fault(status=403), "may not be downloaded"), (Fault(status=404), "is not there")]
)
def test_a_refusal_has_the_server_s_reason(fault: Fault, said: str, hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(fault)
    with pytest.raises(UserError, match=said):
        fetch(hub, tmp_path / "headers")


def test_what_is_no_model_leaves_nothing(hub: FakeHub, tmp_path: Path) -> None:
    hub.files["/model.gguf"] = b"<html>a page</html>" * 100
    with pytest.raises(UserError, match="web page"):
        fetch(hub, tmp_path / "headers")
    assert not list((tmp_path / "headers").iterdir())


def test_another_part_than_the_requested_one_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault(lies=True))
    with pytest.raises(UserError, match=r"sent another part of model\.gguf"):
        fetch(hub, tmp_path / "headers")


@pytest.mark.parametrize("text", ["bytes 0-1", "items 0-1/2", "bytes x-y/z", ""])
def test_a_range_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="without saying which one"):
        remote_header._range_of(httpx2.Response(206, headers={"Content-Range": text}), "model.gguf")


def test_a_size_may_be_unknown() -> None:
    response = httpx2.Response(206, headers={"Content-Range": "bytes 7-9/*"})
    assert remote_header._range_of(response, "model.gguf") == (7, 0)


def test_another_size_than_announced_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="were announced"):
        fetch(hub, tmp_path / "headers", size=5)
