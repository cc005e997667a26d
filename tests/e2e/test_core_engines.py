"""Engines in a whole core: added by runs, used by workers, given up when they crash, and asked for by new models."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine_folders import crash_in, make_engine, make_wheel
from tests.fake_hub import FakeHub, serving
from workbench import calls
from workbench.api import events
from workbench.api.protocol import Call, RequestContext, drain, follow, result_type
from workbench.app import Workbench
from workbench.base.errors import NewerEngineNeeded, UserError, WorkerDied
from workbench.base.paths import Home
from workbench.engine.trial_models import write_generator


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def core(home: Home, tmp_path: Path) -> Iterator[Workbench]:
    core = opened(home)
    ask(core, calls.ImportModel(path=str(write_generator(tmp_path / "tiny.gguf")), name="Tiny"))
    yield core
    core.close()


def opened(home: Home) -> Workbench:
    core = Workbench(home)
    core.start()
    return core


def ask(core: Workbench, call: Call[Any]) -> Any:
    return drain(follow(result_type(type(call)), core.handle(call)))


def add(core: Workbench, path: Path) -> events.Event:
    run = ask(core, calls.AddEngine(path=str(path)))
    *_, last = core.handle(calls.FollowRun(run=run.id))
    return last


def build(core: Workbench) -> str:
    """What computes, as the inference worker says it."""
    return core._computing.llama_cpp.build(RequestContext())


def test_a_newer_engine_computes_until_it_crashes_and_then_the_bundled_one(
    core: Workbench, home: Home, tmp_path: Path
) -> None:
    ended = add(core, make_wheel(tmp_path, "0.99.1"))
    assert isinstance(ended, events.Finished), ended
    assert ended.result["used"], ended.result
    assert ask(core, calls.GetEngines()).used == "0.99.1"
    ask(core, calls.LoadModel(name="Tiny"))
    assert "(llama-cpp-python 0.99.1)" in build(core)
    ask(core, calls.UnloadModel())
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return  # only there is it known how to break the library
    crash_in("llama_decode")(home.engines / "0.99.1" / "llama_cpp")
    with pytest.raises(WorkerDied):
        ask(core, calls.LoadModel(name="Tiny"))
    state = ask(core, calls.GetEngines())
    assert (state.chosen, state.used) == ("0.99.1", "bundled")
    assert "crashed with the engine 0.99.1 (signal 4" in state.notice
    ask(core, calls.LoadModel(name="Tiny"))
    assert "0.99.1" not in build(core)
    assert any("crashed with the engine 0.99.1" in problem for problem in ask(core, calls.Diagnose()).problems)
    with pytest.raises(UserError, match="was changed"):
        ask(core, calls.UseEngine(name="0.99.1"))


def test_one_that_does_not_pass_is_installed_with_its_reason_and_not_used(core: Workbench, tmp_path: Path) -> None:
    def spoil(package: Path) -> None:
        (package / "llama_cpp.py").write_text("raise ImportError('it was built for another C library')\n")

    ended = add(core, make_wheel(tmp_path, "0.99.2", spoil))
    assert isinstance(ended, events.Finished)
    assert not ended.result["used"]
    state = ask(core, calls.GetEngines())
    assert (state.chosen, state.used, state.notice) == ("bundled", "bundled", "")
    assert "it was built for another C library" in state.engines[0].test.problem
    ask(core, calls.LoadModel(name="Tiny"))


def test_a_stopped_run_leaves_no_engine_or_a_whole_one(core: Workbench, home: Home, tmp_path: Path) -> None:
    run = ask(core, calls.AddEngine(path=str(make_engine(tmp_path / "engine", version="0.99.3"))))
    for event in core.handle(calls.FollowRun(run=run.id)):
        if isinstance(event, events.Progress) and event.stage.startswith("testing"):
            ask(core, calls.StopRun(run=run.id))
    assert isinstance(event, events.Cancelled)
    state = ask(core, calls.GetEngines())
    assert (state.used, [engine.test for engine in state.engines]) == ("bundled", [None])
    assert not [one for one in home.engines.iterdir() if one.name.startswith(".")]


def test_what_is_no_engine_is_refused_with_what_to_choose(core: Workbench, tmp_path: Path) -> None:
    for given, problem in (({}, "either a file or a version"), ({"path": "/nowhere/at/all.whl"}, "no file or folder")):
        with pytest.raises(UserError, match=problem):
            ask(core, calls.AddEngine(**given))
    (tmp_path / "engine.zip").touch()
    ended = add(core, tmp_path / "engine.zip")
    assert isinstance(ended, events.Failed)
    assert "is neither a wheel" in ended.message


def test_the_latest_engine_of_an_index_is_fetched_tested_and_used(core: Workbench, home: Home, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "0.99.4")
    content, hub = wheel.read_bytes(), FakeHub()
    digest = hashlib.sha256(content).hexdigest()
    offered = [
        {"filename": name, "url": f"/files/{name}", "hashes": {"sha256": digest}, "size": len(content)}
        for name in (wheel.name, "llama_cpp_python-0.99.3.tar.gz")
    ]
    hub.files["/simple/llama-cpp-python/"] = json.dumps({"files": offered}).encode()
    hub.files[f"/files/{wheel.name}"] = content
    with serving(hub) as address:
        ask(core, calls.ChangeSettings(values={"network": {"package_index": f"{address}/simple"}}))
        found = ask(core, calls.FindEngines())
        assert [(one.version, one.wheel) for one in found.engines] == [("0.99.4", True), ("0.99.3", False)]
        missing = fetched(core, "1.0")
        assert isinstance(missing, events.Failed)
        assert "has no llama-cpp-python 1.0" in missing.message
        assert "0.99.4, 0.99.3" in missing.hint
        ended = fetched(core, "latest")
    assert isinstance(ended, events.Finished), ended
    assert ended.result["used"]
    assert ask(core, calls.GetEngines()).used == "0.99.4"
    assert list((home.engines / ".downloads").iterdir()) == []


def fetched(core: Workbench, version: str) -> events.Event:
    run = ask(core, calls.AddEngine(version=version))
    *_, last = core.handle(calls.FollowRun(run=run.id))
    return last


def test_the_index_is_not_asked_while_the_network_is_off(core: Workbench) -> None:
    with pytest.raises(UserError, match="switched off for packages"):
        ask(core, calls.FindEngines())
    run = ask(core, calls.AddEngine(version="latest"))
    *_, last = core.handle(calls.FollowRun(run=run.id))
    assert isinstance(last, events.Failed)
    assert "switched off for packages" in last.message


def test_a_model_of_an_unknown_architecture_needs_a_newer_engine(core: Workbench, tmp_path: Path) -> None:
    future = tmp_path / "future.gguf"
    future.write_bytes((tmp_path / "tiny.gguf").read_bytes().replace(b"llama", b"futur"))
    ask(core, calls.ImportModel(path=str(future), name="Future"))
    with pytest.raises(NewerEngineNeeded, match=r"Future|a tiny model") as raised:
        ask(core, calls.LoadModel(name="Future"))
    assert raised.value.what == "architecture 'futur'"
    assert "Settings · Engine" in raised.value.hint
    assert "does not know its architecture 'futur'" in ask(core, calls.FitModel(name="Future")).reason
