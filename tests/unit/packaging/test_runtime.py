"""What computes: a pack is used after a trial in a process of its own, and given up when it fails, with the reason."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.unit.packaging.scripts import script
from tests.workers import pack_worker
from workbench import calls
from workbench.api.events import Progress
from workbench.api.protocol import Call, RequestContext, result_of
from workbench.base.errors import Cancelled, UserError, WorkerDied
from workbench.base.paths import Home
from workbench.processes.host import WorkerHost
from workbench.processes.process import PACK_VARIABLE
from workbench.storage.database import open_home
from workbench.subjects.machine import service
from workbench.subjects.machine.service import RuntimePacks
from workbench.subjects.machine.trial import try_library
from workbench.subjects.models.store import ModelCatalogue

pytestmark = pytest.mark.process
BASE = "llama-cpp-python 1.2.3"
make_pack = script("packs/make_pack").make_pack


def make_host(environment: Mapping[str, str]) -> WorkerHost:
    return WorkerHost("inference", command=[sys.executable, pack_worker.__file__], environment=environment)


@pytest.mark.parametrize(
    ("library", "problem"),
    [
        ("works", ""),
        ("slow", "slower than the processor: 5.0 against 30.0 tokens per second"),
        ("lies", "computes another text than the processor"),
        ("blind", "found no GPU"),
        ("broken", "could not be loaded: bad magic"),
        ("crashes", r"crashed \(exit code 139\)"),
    ],
)
def test_a_trial_says_why_a_pack_should_not_be_used(library: str, problem: str) -> None:
    trial = try_library(make_host, f"/packs/{library}.so", "/model.gguf", limit_s=60)
    if problem:
        assert pytest.approx(0) == trial.speed or trial.speed > 0
        with pytest.raises(UserError, match=problem):
            raise UserError(trial.problem)
    else:
        assert (trial.problem, trial.layers, trial.device, trial.speed) == ("", 31, "GPU0", 90.0)


def test_a_pack_that_hangs_is_stopped_at_the_limit() -> None:
    trial = try_library(make_host, "/packs/hangs.so", "/model.gguf", limit_s=2.0)
    assert trial.problem == "It gave no answer within 2 seconds and was stopped."


class Chosen:
    """The packs of a home, whose pack is called as it behaves."""

    def __init__(self, home: Home, private: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self._private, self._folder = home, private, folder
        self.restarts = 0
        self.base = BASE
        monkeypatch.setattr(service, "driver_version", lambda backend: "1.3.2")
        monkeypatch.setattr(RuntimePacks, "_model", lambda packs: "/model.gguf")
        self.database = open_home(home)
        self.packs = self.opened()

    def opened(self) -> RuntimePacks:
        catalogue = ModelCatalogue(self.database, self.home.models)
        return RuntimePacks(self.home, catalogue, make_host, self._restarted, lambda: None, lambda: self.base)

    def _restarted(self) -> None:
        self.restarts += 1

    def file(self, behaviour: str) -> Path:
        library = self._folder / f"{behaviour}.so"
        library.write_bytes(behaviour.encode())
        made: Path = make_pack("vulkan", [library], self._private, self._folder, base=BASE, name=behaviour)
        return made

    def ask(self, call: Call[calls.RuntimeState]) -> calls.RuntimeState:
        return result_of(call, self.packs.handlers()[type(call)](call, RequestContext()))


@pytest.fixture
def chosen(home: Home, packs_key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chosen]:
    chosen = Chosen(home, packs_key, tmp_path, monkeypatch)
    yield chosen
    chosen.database.close()


def test_a_pack_that_works_is_used_from_the_next_start_on(chosen: Chosen) -> None:
    assert chosen.packs.environment() == {}
    state = chosen.ask(calls.InstallPack(path=str(chosen.file("works"))))
    assert state.choice.pack == "works"
    assert "90.0 tokens per second, the processor 30.0" in state.choice.reason
    assert chosen.restarts == 1
    library = chosen.home.packs / "works" / "works.so"
    assert chosen.packs.environment() == {PACK_VARIABLE: str(library)}
    assert chosen.opened().environment() == {PACK_VARIABLE: str(library)}  # by a later core as well


@pytest.mark.parametrize("behaviour", ["slow", "lies", "crashes", "broken"])
def test_a_pack_that_fails_stays_installed_and_the_processor_computes(chosen: Chosen, behaviour: str) -> None:
    state = chosen.ask(calls.InstallPack(path=str(chosen.file(behaviour))))
    assert state.choice.pack == ""
    assert "the processor computes: " in state.choice.reason
    assert state.choice.trials[behaviour].problem in state.choice.reason
    assert [pack.name for pack in state.packs] == [behaviour]
    assert chosen.packs.environment() == {}


def test_a_trial_that_is_cancelled_leaves_the_pack_untried(chosen: Chosen) -> None:
    context = RequestContext()
    install = chosen.packs.install(calls.InstallPack(path=str(chosen.file("hangs"))), context)
    stages = (event.stage for event in install if isinstance(event, Progress))
    assert "trying Vulkan" in stages
    context.cancel()
    with pytest.raises(Cancelled):
        list(install)
    state = chosen.packs.state()
    assert [pack.name for pack in state.packs] == ["hangs"]
    assert (state.choice.pack, state.choice.trials) == ("", {})
    assert (
        chosen.ask(calls.InstallPack(path=str(chosen.file("works")))).choice.pack == "works"
    )  # none is tried any more


def test_a_crash_with_a_pack_falls_back_by_itself_and_says_so(chosen: Chosen) -> None:
    chosen.ask(calls.InstallPack(path=str(chosen.file("works"))))
    chosen.packs.environment()
    chosen.packs.on_state("dead", WorkerDied("inference", -11))
    reason = chosen.packs.state().choice.reason
    assert "crashed (exit code -11) while it used the runtime pack works" in reason
    assert chosen.packs.environment() == {}
    assert chosen.opened().state().choice.reason == reason
    assert chosen.ask(calls.TryPack(name="works")).choice.pack == "works"  # once its driver is in order


def test_a_crash_without_a_pack_changes_nothing(chosen: Chosen) -> None:
    chosen.ask(calls.InstallPack(path=str(chosen.file("works"))))
    chosen.packs.on_state("dead", WorkerDied("inference", -9))  # a process from before
    assert chosen.packs.state().choice.pack == "works"


def later_program(chosen: Chosen) -> str:
    chosen.base = "llama-cpp-python 2.0.0"
    return "belongs to llama-cpp-python 1.2.3"


def changed_library(chosen: Chosen) -> str:
    (chosen.home.packs / "works" / "works.so").write_bytes(b"other")
    return "was changed"


def gone(chosen: Chosen) -> str:
    (chosen.home.packs / "works" / "works.so").unlink()
    return "cannot be read"


@pytest.mark.parametrize("change", [later_program, changed_library, gone])
def test_a_pack_that_no_longer_fits_is_given_up_with_the_reason(
    chosen: Chosen, change: Callable[[Chosen], str]
) -> None:
    chosen.ask(calls.InstallPack(path=str(chosen.file("works"))))
    reason = change(chosen)
    assert chosen.packs.environment() == {}
    assert reason in chosen.packs.state().choice.reason
    assert "The processor computes instead." in chosen.packs.state().choice.reason


def test_a_pack_waits_for_the_engine_that_it_belongs_to(chosen: Chosen) -> None:
    chosen.ask(calls.InstallPack(path=str(chosen.file("works"))))
    in_use = chosen.packs.environment()
    later_program(chosen)
    assert chosen.packs.environment() == {}
    assert chosen.packs.state().choice.pack == ""
    chosen.base = BASE
    assert chosen.packs.environment() == in_use != {}
    assert chosen.packs.state().choice.pack == "works"


def test_a_second_pack_that_fails_leaves_the_first_in_use(chosen: Chosen) -> None:
    chosen.ask(calls.InstallPack(path=str(chosen.file("works"))))
    state = chosen.ask(calls.InstallPack(path=str(chosen.file("slow"))))
    assert state.choice.pack == "works"
    assert state.choice.trials["slow"].problem


def test_the_person_may_choose_the_processor_and_remove_a_pack(chosen: Chosen) -> None:
    chosen.ask(calls.InstallPack(path=str(chosen.file("works"))))
    assert chosen.ask(calls.UseProcessor()).choice.reason == "You chose the processor."
    chosen.ask(calls.TryPack(name="works"))
    state = chosen.ask(calls.RemovePack(name="works"))
    assert (state.packs, state.choice.pack, state.choice.trials) == ((), "", {})
    with pytest.raises(UserError, match="There is no runtime pack 'works'"):
        chosen.ask(calls.TryPack(name="works"))


def test_a_driver_that_is_too_old_is_refused_before_the_library_is_loaded(
    chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "driver_version", lambda backend: "")
    state = chosen.ask(calls.InstallPack(path=str(chosen.file("crashes"))))
    assert "No driver for Vulkan was found" in state.choice.reason
    assert "crashed" not in state.choice.reason


def test_a_damaged_choice_is_the_processor_with_the_reason(chosen: Chosen) -> None:
    chosen.home.runtime.write_text("{")
    assert "damaged" in chosen.opened().state().choice.reason
    assert chosen.opened().environment() == {}
