"""Downloads against a hub with the faults of real servers: resumed, verified, whole or not there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_hub import FakeHub, Fault, serving
from workbench.api.protocol import RequestContext
from workbench.base import durability
from workbench.base.errors import Cancelled, UserError
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.records.hub import RemoteFile
from workbench.subjects.models.download import download

CONTENT = random.Random(0).randbytes(3 << 20)
PATH = "/owner/model/resolve/abc/model.gguf"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    hub = FakeHub()
    hub.files[PATH] = CONTENT
    with serving(hub):
        yield hub


def remote(hub: FakeHub, **changes: object) -> RemoteFile:
    known = {"url": hub.url + PATH, "name": "model.gguf", "bytes": len(CONTENT), "sha256": hub.sha256(PATH)}
    return RemoteFile(**(known | changes))  # type: ignore[arg-type]


def fetch(hub: FakeHub, folder: Path, **changes: object) -> list[float]:
    """Download; returns the waits between attempts."""
    waits: list[float] = []
    with open_client(Gate(lambda purpose: False), "hub", context=RequestContext()) as client:
        path = download(remote(hub, **changes), folder, client, RequestContext(), sleep=waits.append)
    assert path.read_bytes() == hub.files[PATH]
    assert [one.name for one in folder.iterdir()] == ["model.gguf"]
    return waits


def test_a_file_arrives_whole_and_is_not_fetched_twice(hub: FakeHub, tmp_path: Path) -> None:
    assert fetch(hub, tmp_path) == []
    fetch(hub, tmp_path)
    assert len(hub.asked) == 1


@pytest.mark.parametrize(
    ("faults", "asked"),
    [
        ([Fault(cut=1 << 20)], ["", f"bytes={1 << 20}-"]),
        ([Fault(cut=1000), Fault(cut=1000)], ["", "bytes=1000-", "bytes=2000-"]),
        ([Fault(status=503), Fault(status=429, headers={"Retry-After": "3"})], ["", "", ""]),
        ([Fault(cut=1 << 20), Fault(ignores_range=True)], ["", f"bytes={1 << 20}-"]),
    ],
)
def test_what_passes_is_waited_for_and_resumed(
    faults: list[Fault], asked: list[str], hub: FakeHub, tmp_path: Path
) -> None:
    hub.faults.extend(faults)
    waits = fetch(hub, tmp_path)
    assert [wanted for _, wanted, _ in hub.asked] == asked
    assert waits[-1:] == ([3.0] if faults[-1].headers else [1.0] if len(faults) < len(asked) else waits[-1:])


def test_another_version_on_the_server_begins_anew(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault(cut=1 << 20))

    def change(seconds: float) -> None:
        hub.files[PATH] = CONTENT[::-1]

    with open_client(Gate(lambda purpose: False), "hub", context=RequestContext()) as client:
        path = download(remote(hub, sha256=""), tmp_path, client, RequestContext(), sleep=change)
    assert path.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize(
    ("faults", "changes", "said"),
    [
        ([], {"sha256": "0" * 64}, "another content"),
        ([], {"bytes": 5}, "5 were announced"),
        ([Fault(status=401, headers={"X-Error-Message": "Access to model is restricted"})], {}, "restricted"),
        ([Fault(status=403)], {}, "gated"),
        ([Fault(status=404)], {}, "not there"),
        ([Fault(status=400)], {}, "refused"),
        ([Fault(status=302, headers={"Location": "http://elsewhere.example/x"})], {}, "without encryption"),
        ([Fault(status=302, headers={"Location": PATH})] * 9, {}, "redirects more than"),
        ([Fault(cut=1000), Fault(lies=True)], {}, "from byte 1,001"),
        ([Fault(status=503)] * 9, {}, "answered 503"),
        ([], {"bytes": 10**16}, "were announced"),
        ([], {"name": "../x"}, "cannot be the name"),
    ],
)
def test_what_does_not_pass_says_what_it_is(
    faults: list[Fault], changes: dict[str, object], said: str, hub: FakeHub, tmp_path: Path
) -> None:
    hub.faults.extend(faults)
    with pytest.raises(UserError) as caught:
        fetch(hub, tmp_path, **changes)
    assert said in f"{caught.value.message} {caught.value.hint}"
    assert not (tmp_path / "model.gguf").exists()
    if "another content" in said:
        assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_before(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durability, "free_bytes", lambda folder: 10 << 20)
    with pytest.raises(UserError, match=r"and 200 MB are kept free; 10 MB are free"):
        fetch(hub, tmp_path)


def test_a_login_page_of_the_network_is_no_file(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault(status=200, headers={"Content-Type": "text/html"}))
    with open_client(Gate(lambda purpose: False), "hub", context=RequestContext()) as client:
        with pytest.raises(UserError, match="answered with a web page instead of data"):
            download(remote(hub), tmp_path, client, RequestContext())
        assert list(tmp_path.iterdir()) == []
        assert download(remote(hub), tmp_path, client, RequestContext()).read_bytes() == CONTENT


def test_a_token_goes_to_its_host_only(hub: FakeHub, tmp_path: Path) -> None:
    other = FakeHub()
    other.files["/cdn"] = CONTENT
    with serving(other), open_client(Gate(lambda purpose: False), "hub", context=RequestContext()) as client:
        hub.faults.append(Fault(status=302, headers={"Location": "/again"}))
        hub.files["/again"] = CONTENT
        token = {"Authorization": "Bearer secret"}
        download(remote(hub), tmp_path, client, RequestContext(), headers=token)
    assert [one[2] for one in hub.asked] == ["Bearer secret", "Bearer secret"]


def test_stop_keeps_what_is_there(hub: FakeHub, tmp_path: Path) -> None:
    context = RequestContext()
    hub.block_s = 0.01

    def stop(done: int, total: int) -> None:
        if done > 1 << 20:
            context.cancel()

    with open_client(Gate(lambda purpose: False), "hub", context=RequestContext()) as client, pytest.raises(Cancelled):
        download(remote(hub), tmp_path, client, context, progress=stop)
    (part,) = tmp_path.glob("*.part")
    assert part.stat().st_size > 1 << 20
    fetch(hub, tmp_path)
    assert hub.asked[-1][1] == f"bytes={part_size(hub)}-"


def part_size(hub: FakeHub) -> int:
    return int(hub.asked[-1][1].removeprefix("bytes=").rstrip("-"))


def test_a_damaged_state_begins_anew(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "model.gguf.part").write_bytes(b"x" * 1000)
    (tmp_path / "model.gguf.part.json").write_text("{")
    fetch(hub, tmp_path)
    assert hub.asked[0][1] == ""


KILLED = """
import sys
from pathlib import Path
from workbench.base import durability
from workbench.api.protocol import RequestContext
from workbench.subjects.models.download import download
from workbench.records.hub import RemoteFile
from workbench.network.gate import Gate
from workbench.network.http import open_client
url, folder, size, sha256 = sys.argv[1:]
file = RemoteFile(url=url, name="model.gguf", bytes=int(size), sha256=sha256)
with open_client(Gate(lambda purpose: False), "hub", context=RequestContext()) as client:
    download(file, Path(folder), client, RequestContext(), progress=lambda done, total: print(done, flush=True))
"""


@pytest.mark.process
def test_a_killed_download_goes_on_where_it_was(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.block_s = 0.01
    command = [sys.executable, "-c", KILLED, hub.url + PATH, str(tmp_path), str(len(CONTENT)), hub.sha256(PATH)]
    reached = 0
    for kill_at in (1 << 20, 2 << 20):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                reached = int(line)
                if reached >= kill_at:
                    process.send_signal(signal.SIGKILL)
                    break
        assert not (tmp_path / "model.gguf").exists()
        assert (tmp_path / "model.gguf.part").exists()
    hub.block_s = 0.0
    fetch(hub, tmp_path)
    assert reached >= 2 << 20
