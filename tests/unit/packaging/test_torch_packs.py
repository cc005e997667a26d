"""A pack that replaces torch: tried in a process of its own, used by the workers that compute with torch alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.packaging.scripts import script
from tests.unit.packaging.test_runtime import Chosen
from workbench import calls
from workbench.base.errors import UserError
from workbench.base.launching import child_environment, python_command
from workbench.base.paths import Home
from workbench.processes.process import TORCH_VARIABLE
from workbench.records.runtime import Trial
from workbench.subjects.machine import packs, service, torch_trial

pytestmark = pytest.mark.process
make_torch_pack = script("packs/make_torch_pack").make_torch_pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What pip would install, with a torch of a few lines."""
    found = tmp_path / "site"
    for name, content in {
        "torch/__init__.py": "__version__ = '1.2.3+cu130'\nclass cuda:\n    is_available = lambda: False\n",
        "torch/include/a.h": "x",
        "torch-1.2.3.dist-info/METADATA": "Name: torch\nVersion: 1.2.3\n",
        "torch/bin/torch_shm_manager": "ELF",
        "nvidia/cu13/lib/libcudart.so.13": "ELF",
        "sympy/__init__.py": "",
    }.items():
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_text(content)
    return found


@pytest.fixture
def chosen(home: Home, packs_key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chosen]:
    monkeypatch.setattr(packs, "torch_release", lambda training=None: "torch 1.2.3")
    chosen = Chosen(home, packs_key, tmp_path, monkeypatch)
    yield chosen
    chosen.database.close()


@pytest.fixture
def pack(folder: Path, packs_key: bytes, tmp_path: Path) -> Path:
    made: Path = make_torch_pack(folder, packs_key, tmp_path / "made")
    return made


def test_the_torch_of_a_pack_is_imported_by_the_process_that_tries_it(chosen: Chosen, pack: Path) -> None:
    state = chosen.ask(calls.InstallPack(path=str(pack)))
    (manifest,) = state.packs
    assert sorted(file.name for file in manifest.files) == [
        "nvidia/cu13/lib/libcudart.so.13", "torch-1.2.3.dist-info/METADATA", "torch/__init__.py",
        "torch/bin/torch_shm_manager",
    ]  # fmt: skip
    program = chosen.home.packs / manifest.name / "torch" / "bin" / "torch_shm_manager"
    assert os.access(program, os.X_OK) or os.name == "nt"
    assert state.choice.trials[manifest.name].problem == "It found no GPU on this machine."
    assert state.choice.torch_reason.endswith("compute on the processor: It found no GPU on this machine.")
    assert chosen.packs.torch_environment() == {}


def test_one_that_works_is_used_by_the_workers_of_torch_until_it_is_changed(
    chosen: Chosen, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "try_torch", lambda folder, **more: Trial(device="GPU0"))
    state = chosen.ask(calls.InstallPack(path=str(pack)))
    name = state.packs[0].name
    assert (state.choice.torch, state.choice.pack) == (name, "")
    assert state.choice.torch_reason == "Search and training compute on GPU0 from their next start on."
    assert chosen.packs.environment() == {}  # the engine's worker has nothing of it
    assert chosen.opened().torch_environment() == {TORCH_VARIABLE: str(chosen.home.packs / name)}
    (chosen.home.packs / name / "torch" / "__init__.py").write_text("")
    assert chosen.packs.torch_environment() == {}
    assert "torch/__init__.py" in chosen.packs.state().choice.torch_reason
    assert chosen.packs.state().choice.torch == ""


def test_it_goes_beside_a_pack_of_the_engine(chosen: Chosen, pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "try_torch", lambda folder, **more: Trial(device="GPU0"))
    chosen.ask(calls.InstallPack(path=str(chosen.file("works"))))
    state = chosen.ask(calls.InstallPack(path=str(pack)))
    assert (state.choice.pack, state.choice.torch) == ("works", state.packs[0].name)
    state = chosen.ask(calls.RemovePack(name=state.choice.torch))
    assert (state.choice.pack, state.choice.torch, len(state.packs)) == ("works", "", 1)
    chosen.ask(calls.InstallPack(path=str(pack)))
    state = chosen.ask(calls.UseProcessor())
    assert (state.choice.pack, state.choice.torch) == ("", "")
    assert state.choice.torch_reason == "You chose the processor for search and training."


def test_one_for_another_torch_is_refused(chosen: Chosen, pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "torch_release", lambda training=None: "torch 2.0.0")
    with pytest.raises(UserError, match=r"belongs to torch 1\.2\.3; this program has torch 2\.0\.0"):
        chosen.ask(calls.InstallPack(path=str(pack)))


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("import time; time.sleep(60)", "gave no answer within 1 seconds"),
        ("import subprocess; subprocess.Popen(['sleep', '600'])", "gave no answer within 1 seconds"),
        ("import os; os.abort()", r"ended \(exit code -6\) without a result"),
        ("raise ImportError('libcudart.so.13: cannot open')", "Its last words: ImportError: libcudart"),
    ],
)
def test_one_that_hangs_or_crashes_is_not_used(tmp_path: Path, program: str, problem: str) -> None:
    limit = 1 if "sleep" in program else 60
    trial = torch_trial.try_torch(tmp_path, command=[sys.executable, "-c", program], limit_s=limit)
    with pytest.raises(UserError, match=problem):
        raise UserError(trial.problem)


def test_the_folder_goes_before_the_programs_own_packages(folder: Path) -> None:
    """In the worker that is started, and in those that it starts."""
    command = python_command("workbench.workers", "--worker", "torch-trial")
    environment = {**child_environment(dict(os.environ)), TORCH_VARIABLE: str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["version"] == "1.2.3+cu130"
