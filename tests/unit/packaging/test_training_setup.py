"""*Set up training*: from a folder, an index or a pack; whole or absent, whatever stops it; and its removal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.training_core import call, config, examples, opened
from tests.fake_hub import FakeHub, Fault, serving
from tests.unit.packaging.scripts import script
from tests.wheels import make_wheel, serve_wheels
from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext
from workbench.app import Workbench
from workbench.base import durability, training_environment
from workbench.base.errors import Cancelled, UserError
from workbench.base.launching import child_environment
from workbench.base.paths import Home
from workbench.base.training_environment import (
    FOLDER_VARIABLE,
    PACKAGES,
    TrainingFolder,
    installed_folder,
    missing_packages,
    require_packages,
)
from workbench.records.training_packages import TrainingPackages, TrainingSetUp
from workbench.subjects.machine import training_folder, training_setup
from workbench.subjects.machine.calls import (
    ChangeSettings,
    Diagnose,
    GetTrainingPackages,
    InstallPack,
    OfferTrainingPackages,
    RemoveTrainingPackages,
    SetUpTraining,
)
from workbench.subjects.machine.wheel_resolution import Choice, resolve
from workbench.subjects.machine.wheel_sources import FolderSource
from workbench.subjects.runs.calls import FollowRun, ResumeRun
from workbench.subjects.trainings.calls import PlanTraining, Train

pytestmark = pytest.mark.process
TORCH = b"""
class Tensor:
    def __init__(self):
        self.grad = None
    def __matmul__(self, other):
        return self
    def sum(self):
        return self
    def backward(self):
        self.grad = self
    def __float__(self):
        return 4.0
def ones(*size, requires_grad=False):
    return Tensor()
__version__ = "2.9"
"""
"""What the trial of a set-up computes with."""


def tiny_wheels(folder: Path, torch: bytes = TORCH) -> list[Path]:
    """Packages of a few lines with the names of those that training needs."""
    files = {"torch/__init__.py": torch, "torch/lib/big.bin": os.urandom(300_000)}
    made = [make_wheel(folder, "torch", "2.9", ["sympy"], files=files), make_wheel(folder, "sympy", "1.9")]
    for name, version in (("transformers", "5.9"), ("peft", "0.19"), ("trl", "1.16.2"), ("accelerate", "1.9")):
        made.append(make_wheel(folder, name, version, ["torch"]))
    made.append(make_wheel(folder, "sentence-transformers", "5.9", ["torch"]))
    return [*made, make_wheel(folder, "pyarrow", "20.0")]


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is installed without the packages, as far as this process can see."""
    own = training_environment._is_own
    monkeypatch.setattr(training_environment, "_is_own", lambda name: name not in PACKAGES and own(name))


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    tiny_wheels(tmp_path / "wheels")
    return tmp_path / "wheels"


@pytest.fixture
def core(home: Home) -> Iterator[Workbench]:
    core = opened(home)
    core._runs._kinds[training_setup.KIND]._installed = dict  # type: ignore[attr-defined]
    yield core
    core.close()


def set_up(core: Workbench, source: str | Path = "", watch: Any = None, **more: Any) -> TrainingSetUp:
    run = call(core, SetUpTraining(source=str(source), **more))
    result = call(core, FollowRun(run=run.id), watch)
    return TrainingSetUp(**result)


def state_of(core: Workbench) -> TrainingPackages:
    found = call(core, GetTrainingPackages())
    assert isinstance(found, TrainingPackages)
    return found


def left_in(home: Home) -> set[str]:
    return {path.name for path in home.training.parent.glob("*")} if home.training.parent.exists() else set()


def test_the_requirements_are_those_of_the_extra() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"]
    assert sorted(training_environment.REQUIREMENTS.values()) == sorted(project["optional-dependencies"]["training"])
    assert not {"torch", "peft", "pyarrow"} & {one.partition(">")[0] for one in project["dependencies"]}


def test_it_is_set_up_from_a_folder_of_wheels_without_a_network(core: Workbench, home: Home, wheels: Path) -> None:
    before = state_of(core)
    assert (before.ready, before.place, before.missing[0]) == (False, "", "torch")
    offer = call(core, OfferTrainingPackages(source=str(wheels), computer="cpu"))
    assert offer.download_bytes == 0
    assert offer.packages["trl"] == "1.16.2"
    stages: list[str] = []

    def watch(event: Event) -> None:
        if isinstance(event, Progress):
            stages.append(event.stage)

    done = set_up(core, wheels, watch)
    assert done.packages["torch"] == "2.9"
    assert done.bytes == offer.disk_bytes
    assert list(dict.fromkeys(stages)) == ["reading the wheels", "unpacking", "trying", "writing to the disk"]
    after = state_of(core)
    assert (after.ready, after.place, after.versions["torch"]) == (True, "folder", "2.9")
    assert left_in(home) == {"packages"}
    assert call(core, Diagnose()).fact("What computes", "training") == "ready: set up in the data folder"
    assert not call(core, RemoveTrainingPackages()).ready
    assert left_in(home) == set()


def test_a_worker_imports_from_the_folder_before_the_programs_own(core: Workbench, home: Home, wheels: Path) -> None:
    set_up(core, wheels)
    code = (
        "from workbench.base.training_environment import *; use_given_folder(); use_given_folder()\n"
        "import torch, sys, json; print(json.dumps([torch.__version__, torch.__file__]))"
    )
    environment = {**child_environment(), FOLDER_VARIABLE: str(home.training)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    version, file = json.loads(done.stdout)
    assert version == "2.9"
    assert Path(file).is_relative_to(home.training)


def test_it_is_set_up_from_an_index_and_a_stopped_one_goes_on_where_it_was(
    core: Workbench, home: Home, tmp_path: Path
) -> None:
    hub = FakeHub()
    made = tiny_wheels(tmp_path / "wheels")
    serve_wheels(hub, *made)
    with serving(hub) as address:
        values = {"network": {"package_index": f"{address}/simple", "torch_index": f"{address}/simple"}}
        call(core, ChangeSettings(values=values))
        offer = call(core, OfferTrainingPackages(computer="cpu"))
        assert offer.download_bytes == sum(path.stat().st_size for path in made)
        assert offer.host == "127.0.0.1"
        hub.faults.extend([Fault()] * 3 + [Fault(status=403)])
        run = call(core, SetUpTraining(computer="cpu"))
        with pytest.raises(UserError):
            call(core, FollowRun(run=run.id))
        assert left_in(home) == {"wheels"}
        kept = {path.name for path in home.training_wheels.glob("*.whl")}
        assert kept
        hub.asked.clear()
        call(core, ResumeRun(run=run.id))
        result = call(core, FollowRun(run=run.id))
    assert result["packages"]["torch"] == "2.9"
    assert not {path.rpartition("/")[2] for path, *_ in hub.asked} & kept, "what was there was not fetched again"
    assert left_in(home) == {"packages"}


def test_without_permission_nothing_is_asked(core: Workbench, home: Home) -> None:
    for request in (OfferTrainingPackages(computer="cpu"), SetUpTraining(computer="cpu")):
        with pytest.raises(UserError, match="The network is switched off for packages of the program"):
            call(core, request)
    assert left_in(home) == set()


@pytest.mark.parametrize("torch", [b"raise ImportError('libc is too old')\n", b"import os\nos._exit(11)\n"])
def test_packages_that_do_not_work_here_are_not_installed(
    core: Workbench, home: Home, tmp_path: Path, torch: bytes
) -> None:
    tiny_wheels(tmp_path / "bad", torch)
    with pytest.raises(UserError, match=r"libc is too old|ended \(exit code 11\)") as raised:
        set_up(core, tmp_path / "bad")
    assert "Nothing was installed" in raised.value.hint
    assert left_in(home) == set()
    assert not state_of(core).ready


def test_wheels_for_another_system_are_named(core: Workbench, home: Home, wheels: Path) -> None:
    (wheel,) = wheels.glob("torch-*.whl")
    wheel.rename(wheels / "torch-2.9-cp27-cp27m-win32.whl")
    with pytest.raises(UserError, match=r"torch-2\.9-cp27-cp27m-win32\.whl is for another system or Python"):
        set_up(core, wheels)
    assert left_in(home) == set()


def test_a_full_disk_is_said_and_nothing_is_left(
    core: Workbench, home: Home, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "free_bytes", lambda folder: 100_000)
    with pytest.raises(UserError, match="needs 1 MB on the disk"):
        set_up(core, wheels)
    assert left_in(home) == set()


def test_a_disk_that_fills_up_on_the_way_is_said_and_nothing_is_left(
    core: Workbench, home: Home, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training_folder, "unpack_wheel", full)
    with pytest.raises(UserError, match="No space left on device"):
        set_up(core, wheels)
    assert left_in(home) == set()


def choices_of(wheels: Path) -> list[tuple[Choice, Path]]:
    from packaging.requirements import Requirement

    wanted = [Requirement(one) for one in training_environment.REQUIREMENTS.values()]
    found = resolve(wanted, FolderSource(wheels), {}, RequestContext())
    return [(choice, wheels / choice.wheel.file) for choice in found]


@pytest.mark.parametrize("earlier", [False, True])
def test_stopped_at_any_moment_it_is_as_it_was_before(home: Home, wheels: Path, earlier: bool) -> None:
    choices = choices_of(wheels)
    if earlier:
        training_folder.install_wheels(
            home, choices, "cpu", "the first", RequestContext(), lambda *a: None, lambda *a: None
        )
    steps = 0
    while True:
        context, seen = RequestContext(), 0

        def report(stage: str, done: int, total: int, last: int = steps, context: RequestContext = context) -> None:
            nonlocal seen
            seen += 1
            if seen > last:
                context.cancel()

        try:
            training_folder.install_wheels(home, choices, "cpu", "the second", context, report, lambda *a: None)
            break
        except Cancelled:
            found = installed_folder(home.training)
            assert (found.source if isinstance(found, TrainingFolder) else found) == ("the first" if earlier else None)
            assert left_in(home) == ({"packages"} if earlier else set())
        steps += 1
    found = installed_folder(home.training)
    assert isinstance(found, TrainingFolder)
    assert found.source == "the second"
    assert steps > 10


def test_what_a_killed_core_left_is_tidied_and_an_earlier_environment_is_back(home: Home, wheels: Path) -> None:
    training_folder.install_wheels(
        home, choices_of(wheels), "cpu", "the first", RequestContext(), lambda *a: None, lambda *a: None
    )
    home.training.rename(home.training.with_name(".replaced-packages"))
    half = home.training.with_name(".unfinished-training")
    (half / "torch").mkdir(parents=True)
    training_folder.recover(home)
    assert left_in(home) == {"packages"}
    assert missing_packages(home.training) == ()


def test_a_folder_without_its_description_is_no_environment(home: Home, wheels: Path) -> None:
    training_folder.install_wheels(
        home, choices_of(wheels), "cpu", "", RequestContext(), lambda *a: None, lambda *a: None
    )
    (home.training / training_environment.DESCRIPTION).unlink()
    assert missing_packages(home.training) == PACKAGES


def test_an_environment_of_another_python_is_said(
    core: Workbench, home: Home, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(core, wheels)
    monkeypatch.setattr(training_environment, "python_tag", lambda: "cpython-399-other")
    found = state_of(core)
    assert not found.ready
    assert "set up for another Python" in found.problem
    with pytest.raises(UserError, match="set up for another Python"):
        require_packages("Training", home.training)


def test_it_is_set_up_from_a_pack_that_is_signed(
    core: Workbench, home: Home, wheels: Path, packs_key: bytes, tmp_path: Path
) -> None:
    make = script("packs/make_training_pack").make_training_pack
    pack: Path = make(wheels, packs_key, tmp_path / "made", installed={})
    offer = call(core, OfferTrainingPackages(source=str(pack), computer="cpu"))
    assert offer.disk_bytes > 300_000
    assert set_up(core, pack).packages["torch"] == "2.9"
    assert state_of(core).place == "folder"
    with pytest.raises(UserError, match="is a pack of the training environment"):
        call(core, InstallPack(path=str(pack)))


def test_a_pack_that_is_not_signed_or_for_another_program_is_refused(
    core: Workbench, home: Home, wheels: Path, packs_key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = script("packs/make_training_pack")
    private, _ = script("keys").new_pair()
    unsigned = made.make_training_pack(wheels, private, tmp_path / "unsigned", installed={})
    with pytest.raises(UserError, match="signed"):
        set_up(core, unsigned)
    monkeypatch.setattr(made, "pack_base", lambda: "llm-workbench 9.9, cpython-311")
    other = made.make_training_pack(wheels, packs_key, tmp_path / "other", installed={})
    with pytest.raises(UserError, match=r"belongs to llm-workbench 9\.9"):
        set_up(core, other)
    assert left_in(home) == set()


def test_without_the_packages_a_training_is_refused_before_anything_is_computed(
    core: Workbench, tmp_path: Path
) -> None:
    asked = config(examples(tmp_path, "data"))
    for request in (PlanTraining(config=asked), Train(config=asked)):
        with pytest.raises(UserError) as raised:
            call(core, request)
        assert "torch" in raised.value.message or "There is no model" in raised.value.message


def test_only_one_set_up_runs_at_a_time(core: Workbench, home: Home, wheels: Path) -> None:
    going = threading.Event()

    def wait(*arguments: object) -> None:
        going.wait(20)

    setup = core._runs._kinds[training_setup.KIND]
    setup._trial = wait  # type: ignore[attr-defined]
    run = call(core, SetUpTraining(source=str(wheels)))
    with pytest.raises(UserError, match="already"):
        call(core, SetUpTraining(source=str(wheels)))
    assert state_of(core).run == run.id
    going.set()
    call(core, FollowRun(run=run.id))
    assert state_of(core).run == ""
