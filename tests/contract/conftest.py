"""The two fronts that have to agree: the window's fake, and the real core in process with small workers."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local_front import LocalFront
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import MINILM, SMOL, FakeHome
from tests.workers import fake_embedding, fake_inference
from workbench import calls as c
from workbench.api import events
from workbench.api.client import Front
from workbench.api.events import Event
from workbench.api.protocol import Call
from workbench.app import Workbench
from workbench.base.paths import Home

COMMANDS = {
    "inference": [sys.executable, fake_inference.__file__],
    "embedding": [sys.executable, fake_embedding.__file__],
}
WAIT_S = 30.0


class Desk:
    """A front, a chat model that it knows, what puts another model into its catalogue, and what it has announced
    since the desk was made."""

    def __init__(self, front: Front, model: str, put_model: Callable[[c.ModelRecord], None]) -> None:
        self.front = front
        self.model = model
        self.put_model = put_model
        self._announced: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._heard: set[tuple[str, str]] = set()
        front.start(c.Subscribe(), self._announced.put)

    def call(self, call: Call[Any]) -> Any:
        return self.front.call(call)

    def told(self, call: Call[Any]) -> list[Event]:
        """Every event of a call."""
        return list(self.front.stream(call))

    def wait_for_change(self, kind: str, id: str) -> None:
        """Wait until a change was announced; fails when it is not."""
        deadline = time.monotonic() + WAIT_S
        while (kind, id) not in self._heard:
            event = self._announced.get(timeout=max(0.01, deadline - time.monotonic()))
            if isinstance(event, events.Changed):
                self._heard.add((event.kind, event.id))

    def forget_changes(self) -> None:
        """Hear of what is announced from now on only."""
        self._heard.clear()
        while not self._announced.empty():
            self._announced.get()

    def read(self, collection: str, folder: Path) -> c.RunRecord:
        """Read a folder into a collection, to its end."""
        run: c.RunRecord = self.call(c.AddDocuments(collection=collection, paths=(str(folder),)))
        self.told(c.FollowRun(run=run.id))
        return run


@pytest.fixture(params=["fake", "core"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    make: Callable[..., Iterator[Desk]] = _fake if request.param == "fake" else _core
    yield from make(request, tmp_path)


def _fake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    home = FakeHome(models={SMOL.name: SMOL, MINILM.name: MINILM})
    home.answer_text = "It is forty metres tall."
    front = FakeFront(home)
    yield Desk(front, SMOL.name, lambda model: home.models.update({model.name: model}))
    front.close()


def _core(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    workbench = Workbench(Home(tmp_path / "home"), commands=COMMANDS)
    workbench.start()
    front = LocalFront(workbench)
    for fixture in ("smollm_path", "minilm_path"):
        front.call(c.ImportModel(path=str(request.getfixturevalue(fixture))))
    names = [model.name for model in front.call(c.ListModels()).models if model.kind == "chat"]
    yield Desk(front, names[0], workbench._models._catalogue.put)
    front.close()
    workbench.close()


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A folder with three short texts."""
    folder = tmp_path / "papers"
    folder.mkdir()
    for name in ("bridge", "river", "tower"):
        (folder / f"{name}.txt").write_text(f"All about the {name}.")
    return folder
