"""From a repository of the hub to a model of the catalogue, through the core."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_hub import FakeHub, Fault, serving
from tests.unit.subjects.models.conftest import gguf_bytes
from tests.unit.subjects.models.test_hub import INFO
from workbench import calls
from workbench.api import events
from workbench.api.protocol import Call, error_of
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.network import secrets

pytestmark = pytest.mark.process

NAME = "tiny-Q8_0.gguf"


@pytest.fixture
def fake() -> Iterator[FakeHub]:
    hub = FakeHub()
    with serving(hub):
        content = gguf_bytes()
        path = f"/owner/model-GGUF/resolve/{INFO['sha']}/{NAME}"
        hub.files[path] = content
        lfs = {"sha256": hub.sha256(path), "size": len(content), "pointerSize": 1}
        sibling = {"rfilename": NAME, "size": len(content), "blobId": "x", "lfs": lfs}
        hub.files["/api/models/owner/model-GGUF"] = json.dumps({**INFO, "siblings": [sibling]}).encode()
        yield hub


@pytest.fixture
def core(tmp_path: Path, fake: FakeHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    monkeypatch.setattr(secrets, "_to_keyring", lambda name, value: False)
    monkeypatch.setattr(secrets, "_from_keyring", lambda name: "")
    workbench = Workbench(Home(tmp_path / "home"))
    try:
        ask(workbench, calls.ChangeSettings(values={"network": {"hub_address": fake.url}}))
        yield workbench
    finally:
        workbench.close()


def ask(core: Workbench, call: Call[Any]) -> Any:
    *_, last = core.handle(call)
    if isinstance(last, events.Failed):
        raise error_of(last)
    assert isinstance(last, events.Finished)
    return last.result


def follow(core: Workbench, run: str) -> list[events.Event]:
    return list(core.handle(calls.FollowRun(run=run)))


def test_a_model_is_downloaded_verified_and_in_the_catalogue(core: Workbench, fake: FakeHub) -> None:
    fake.faults.extend([Fault(), Fault(cut=100)])  # the look-up, and the first attempt
    run = ask(core, calls.DownloadModel(repository="owner/model-GGUF", file="q8_0"))
    told = follow(core, run["id"])
    assert isinstance(told[-1], events.Finished)
    (model,) = ask(core, calls.ListModels())["models"]
    assert model["name"] == told[-1].result["model"]
    assert Path(model["path"]).name == NAME
    assert model["owned"]
    assert model["sha256"] == fake.sha256(f"/owner/model-GGUF/resolve/{INFO['sha']}/{NAME}")
    assert any(isinstance(event, events.Progress) and event.unit == "bytes" for event in told)
    sent = ask(core, calls.ListNetworkRequests())["requests"]
    assert {one["purpose"] for one in sent} == {"hub"}
    ask(core, calls.RemoveModel(name=model["name"]))
    assert not Path(model["path"]).exists()


def test_another_content_than_announced_is_refused_and_leaves_nothing(core: Workbench, fake: FakeHub) -> None:
    path = f"/owner/model-GGUF/resolve/{INFO['sha']}/{NAME}"
    fake.files[path] = fake.files[path][:-1] + b"x"
    run = ask(core, calls.DownloadModel(repository="owner/model-GGUF", file=NAME))
    last = follow(core, run["id"])[-1]
    assert isinstance(last, events.Failed)
    assert "another content" in last.message
    assert not list(core.home.models.rglob("*.gguf*"))
    assert ask(core, calls.ListModels())["models"] == ()


def test_a_file_that_is_not_there_is_named_with_those_that_are(core: Workbench) -> None:
    with pytest.raises(UserError, match="has no model 'Q2_K'") as caught:
        ask(core, calls.DownloadModel(repository="owner/model-GGUF", file="Q2_K"))
    assert NAME in caught.value.hint


def test_another_machine_is_not_reached_until_the_network_is_switched_on(core: Workbench) -> None:
    ask(core, calls.ChangeSettings(values={"network": {"hub_address": "https://hub.example"}}))
    with pytest.raises(UserError, match="switched off"):
        ask(core, calls.SearchHub(words="x"))
    (refused,) = ask(core, calls.ListNetworkRequests())["requests"]
    assert (refused["host"], "switched off" in refused["refused"]) == ("hub.example", True)


def test_a_token_is_kept_for_the_session_and_in_no_file(core: Workbench, fake: FakeHub) -> None:
    assert ask(core, calls.SetHubToken(token=" hf_secret ")) == {"has_token": True, "kept": False}
    ask(core, calls.ListHubFiles(repository="owner/model-GGUF"))
    assert fake.asked[-1][2] == "Bearer hf_secret"
    core.close()
    for path in core.home.root.rglob("*"):
        assert path.is_dir() or b"hf_secret" not in path.read_bytes()
