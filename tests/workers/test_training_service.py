"""What the training worker does around a training, without a process and without weights."""

from __future__ import annotations

import platform
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.records.training import TrainingConfig
from workbench.training import gguf_export as serving
from workbench.training.control import Switch
from workbench.training.protocol import BaseModel, Served, Trained, TrainModel
from workbench.workers.training import TrainingService, _waiting


@pytest.mark.parametrize("name", ["../../out", "a/b", "Über 7B"])
def test_a_name_is_no_path_to_what_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    asked: list[tuple[Path, str]] = []

    def convert(trained: Path, base: BaseModel, out: Path, name: str, *, report: object) -> Served:
        asked.append((out, name))
        return Served(kind="merged", path=str(out), bytes=0)

    monkeypatch.setattr(serving, "convert_trained", convert)
    folder = tmp_path / "run" / "served"
    model = BaseModel(name="tiny", path=str(tmp_path / "tiny.gguf"))
    call = TrainModel(
        config=TrainingConfig(),
        model=model,
        folder=str(tmp_path / "run"),
        serve=str(folder),
        serve_name=name,
        check=False,
    )
    trained = Trained(folder="", form="changed", kind="merged", steps=1, seconds=1.0)
    TrainingService()._serve_and_check(call, trained, None, RequestContext(), lambda event: None)
    [(out, said)] = asked
    assert (out.parent, out.suffix, said) == (folder, ".gguf", name)


def test_what_tells_waits_while_it_is_paused() -> None:
    switch, told = Switch(), threading.Event()
    switch.pause(True)
    tell = _waiting(lambda event: told.set(), switch)
    thread = threading.Thread(target=tell, args=(events.Progress(stage="checking"),))
    thread.start()
    assert not told.wait(0.2)
    switch.stop()  # stopping lets it go, too
    thread.join(10)
    assert told.is_set()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's settings")
def test_freed_memory_is_reused_without_new_pages() -> None:
    program = """
import resource
from workbench.workers.training import keep_freed_memory
keep_freed_memory()
def work():
    blocks = [bytes([1]) * (5 << 20) for _ in range(8)]
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 2_000  # 50,000 where each time is given back and asked for
