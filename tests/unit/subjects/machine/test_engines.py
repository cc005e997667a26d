"""The choice of an engine: used only while its test holds, and given up with a reason where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.engine_folders import make_engine
from workbench.api.protocol import Call, RequestContext, result_of
from workbench.base.errors import UserError, WorkerDied
from workbench.base.installation import base_release
from workbench.base.paths import Home
from workbench.processes.host import WorkerHost
from workbench.processes.process import ENGINE_VARIABLE
from workbench.records.engines import EngineState, EngineTest
from workbench.subjects.machine import calls, engines
from workbench.subjects.machine.engines import Engines


def no_host(environment: Mapping[str, str]) -> WorkerHost:
    raise AssertionError("no process is needed")


@dataclass
class Chosen:
    """The engines of a home with one installed, ``1.0``, whose tests end as ``problem`` says."""

    home: Home
    problem: str = ""
    program: str = "1.0, llama-cpp-python 1"
    processor: str = "Fast 1"
    restarts: int = 0
    tested: list[str] = field(default_factory=list)

    def opened(self) -> Engines:
        return Engines(
            self.home, no_host, lambda: "", self._restarted, lambda: None,
            program=self.program, processor=self.processor,
        )  # fmt: skip

    def try_engine(self, make_host: object, engine: Path, model: str, **more: Any) -> EngineTest:
        self.tested.append(engine.name)
        more["report"]("computing")
        return EngineTest(problem=self.problem)

    def _restarted(self) -> None:
        self.restarts += 1


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chosen:
    chosen = Chosen(Home(tmp_path / "home"))
    monkeypatch.setattr(engines, "try_engine", chosen.try_engine)
    chosen.home.create()
    engine = make_engine(tmp_path / "engine", version="1.0")
    chosen.opened().store.add_folder(engine, RequestContext())
    return chosen


def ask(opened: Engines, call: Call[EngineState]) -> EngineState:
    return result_of(call, opened.handlers()[type(call)](call, RequestContext()))


def in_use(opened: Engines) -> str:
    return Path(opened.environment().get(ENGINE_VARIABLE, "bundled")).name


def test_an_engine_is_tested_before_it_is_used_and_stays_chosen(chosen: Chosen) -> None:
    opened = chosen.opened()
    assert (in_use(opened), opened.base()) == ("bundled", base_release())
    state = ask(opened, calls.UseEngine(name="1.0"))
    assert (state.chosen, state.used, state.notice) == ("1.0", "1.0", "")
    assert (in_use(opened), opened.base()) == ("1.0", "llama-cpp-python 1.0")
    assert (chosen.tested, chosen.restarts) == (["1.0"], 1)
    again = chosen.opened()
    again.watch(RequestContext())
    assert in_use(again) == "1.0"
    ask(again, calls.UseEngine(name="1.0"))
    assert chosen.tested == ["1.0"]
    assert ask(again, calls.UseEngine(name="bundled")).used == "bundled"
    assert in_use(again) == "bundled"


def test_one_that_does_not_pass_is_not_used_and_nothing_changes(chosen: Chosen) -> None:
    chosen.problem = "It crashed."
    opened = chosen.opened()
    with pytest.raises(UserError, match=r"The engine 1\.0 is not used\. It crashed\."):
        ask(opened, calls.UseEngine(name="1.0"))
    state = opened.state()
    assert (state.chosen, state.used) == ("bundled", "bundled")
    assert state.engines[0].test is not None
    assert state.engines[0].test.problem == "It crashed."


@pytest.mark.parametrize(("what", "value"), [("program", "1.1, llama-cpp-python 2"), ("processor", "Slow 2")])
def test_another_program_or_processor_needs_another_test_and_the_bundled_engine_computes_meanwhile(
    chosen: Chosen, what: str, value: str
) -> None:
    ask(chosen.opened(), calls.UseEngine(name="1.0"))
    setattr(chosen, what, value)
    opened = chosen.opened()
    assert in_use(opened) == "bundled"
    assert opened.inference_environment() == {}
    state = opened.state()
    assert (state.chosen, state.engines[0].outdated, state.notice) == ("1.0", True, "")
    assert "has not been tested with this version" in state.reason
    opened.watch(RequestContext())
    assert in_use(opened) == "1.0"
    chosen.problem = "It lacks llama_decode."
    setattr(chosen, what, "another one")
    opened = chosen.opened()
    opened.watch(RequestContext())
    state = opened.state()
    assert (in_use(opened), state.chosen, state.used) == ("bundled", "1.0", "bundled")
    assert "did not pass its test, so the bundled engine computes: It lacks llama_decode." in state.reason
    assert state.notice == state.reason


def test_a_missing_file_gives_it_up_with_a_notice_that_is_shown_once(chosen: Chosen) -> None:
    opened = chosen.opened()
    ask(opened, calls.UseEngine(name="1.0"))
    manifest = opened.store.find("1.0")
    (opened.store.place("1.0") / manifest.library).unlink()
    assert opened.inference_environment() == {}
    state = opened.state()
    assert (state.chosen, state.used) == ("1.0", "bundled")
    assert "was changed. The bundled engine computes instead." in state.notice
    again = chosen.opened()
    assert again.state().notice == state.notice
    ask(again, calls.DismissEngineNotice())  # type: ignore[arg-type]
    assert (again.state().notice, again.state().reason) == ("", state.reason)
    assert chosen.opened().state().notice == ""


@pytest.mark.parametrize("code", [-4, -6, -7, -11, 0xC0000005])
def test_a_crash_of_the_model_process_gives_it_up(chosen: Chosen, code: int) -> None:
    opened = chosen.opened()
    ask(opened, calls.UseEngine(name="1.0"))
    assert opened.inference_environment()
    opened.on_state("dead", WorkerDied("inference", code))
    assert in_use(opened) == "bundled"
    assert f"crashed with the engine 1.0 (signal {-code if code < 0 else 11}" in opened.state().notice
    opened.on_state("dead", WorkerDied("inference", code))  # of the bundled one: nobody's fault here
    tests = len(chosen.tested)
    assert ask(opened, calls.UseEngine(name="1.0")).used == "1.0"
    assert len(chosen.tested) == tests + 1


@pytest.mark.parametrize("death", [None, WorkerDied("inference", -9), WorkerDied("inference", 1)])
def test_a_process_that_was_killed_or_left_is_not_the_engines_fault(chosen: Chosen, death: WorkerDied | None) -> None:
    opened = chosen.opened()
    ask(opened, calls.UseEngine(name="1.0"))
    assert opened.inference_environment()
    opened.on_state("dead", death)
    assert in_use(opened) == "1.0"


def test_a_test_that_fails_later_gives_it_up_and_one_that_passes_brings_it_back(chosen: Chosen) -> None:
    opened = chosen.opened()
    ask(opened, calls.UseEngine(name="1.0"))
    chosen.problem = "It is slow."
    assert ask(opened, calls.TryEngine(name="1.0")).used == "bundled"
    chosen.problem = ""
    state = ask(opened, calls.TryEngine(name="1.0"))
    assert (state.used, state.notice) == ("1.0", "")


def test_a_removed_engine_makes_way_for_the_bundled_one(chosen: Chosen) -> None:
    opened = chosen.opened()
    ask(opened, calls.UseEngine(name="1.0"))
    state = ask(opened, calls.RemoveEngine(name="1.0"))
    assert (state.chosen, state.used, state.engines) == ("bundled", "bundled", ())
    with pytest.raises(UserError, match="Those that are installed: bundled"):
        ask(opened, calls.UseEngine(name="1.0"))


def test_a_choice_that_cannot_be_read_is_said(chosen: Chosen) -> None:
    opened = chosen.opened()
    ask(opened, calls.UseEngine(name="1.0"))
    (chosen.home.engines / "choice.json").write_text('{"format": 99}')
    again = chosen.opened()
    assert in_use(again) == "bundled"
    assert "was written by a newer version" in again.state().reason


def test_two_tests_at_once_are_refused(chosen: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = chosen.opened()
    refused: list[str] = []

    def try_both(*given: object, **more: object) -> EngineTest:
        with pytest.raises(UserError) as caught:
            opened.try_out(opened.store.find("1.0"), lambda step: None, RequestContext())
        refused.append(caught.value.message)
        return EngineTest()

    monkeypatch.setattr(engines, "try_engine", try_both)
    ask(opened, calls.TryEngine(name="1.0"))
    assert refused == ["An engine is being tested already."]
