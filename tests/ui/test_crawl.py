"""Every page, dialog, menu, context menu and drawer of the real window over the real core, in the dark theme with files
and texts given; nightly also in the light theme with none given.

The workers stand in for the models. The home is thrown away, and no connection leaves the machine.
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from PySide6.QtCore import qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from tests.e2e.training_core import call, opened
from tests.fixtures.make_home import make_home
from tests.ui.crawler import Crawler, Found
from tests.ui.watched_front import WatchedFront
from ui.bridge import Bridge
from ui.features import PAGES, WELCOME
from ui.shell import Shell
from ui.theme.theme import current_theme
from workbench.app import Workbench
from workbench.base import training_environment
from workbench.base.paths import Home
from workbench.base.training_environment import PACKAGES
from workbench.records.judgements import JudgedAnswer, Judgement
from workbench.records.mcp import McpServer
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe
from workbench.subjects.agents.calls import AddFact, SaveMcpServer
from workbench.subjects.evaluation.calls import CreateQuestionSet, Evaluate
from workbench.subjects.judgements.calls import AddJudgements, MakeCandidates
from workbench.subjects.prompts.calls import SavePrompt
from workbench.subjects.runs.calls import FollowRun

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(900)]
FRAME = "frame"
"""What stands around the pages."""
SCOPES = (*(entry.name for entry in PAGES), WELCOME.name, FRAME)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One of everything that is stored: ``make_home``, and what came later than it."""
    folder = tmp_path_factory.mktemp("filled")
    home = make_home(folder)
    workbench = opened(home)
    try:
        _fill(workbench, folder)
    finally:
        workbench.close()
    return home


def _fill(workbench: Workbench, folder: Path) -> None:
    rows = [{"question": f"number {n}", "answer": f"number {n}" if n % 2 else "nothing"} for n in range(6)]
    (folder / "asked.jsonl").write_text("\n".join(map(json.dumps, rows)))
    brief = Recipe(name="Brief", decoding=DecodingPart(temperature=0.0))
    drawn = Recipe(name="Drawn", decoding=DecodingPart(temperature=1.0))
    call(workbench, CreateQuestionSet(path=str(folder / "asked.jsonl")))
    run = call(workbench, Evaluate(question_set="asked", recipes=(brief, drawn)))
    call(workbench, FollowRun(run=run.id))
    (folder / "prompts.txt").write_text("\n".join(f"number {n}" for n in range(5)))
    run = call(
        workbench,
        MakeCandidates(name="Taste", recipes=(drawn,), prompts="file", path=str(folder / "prompts.txt"), limit=4),
    )
    call(workbench, FollowRun(run=run.id))
    prompt, low, high = (Message("user", "How high?"),), JudgedAnswer(text="Low."), JudgedAnswer(text="High.")
    call(workbench, AddJudgements(judgements=(Judgement(prompt=prompt, a=low, b=high, verdict="b", source="label"),)))
    call(workbench, SavePrompt(name="Short", part=PromptingPart(instructions="Be brief.")))
    call(workbench, AddFact(text="I write to clients in formal German."))
    call(workbench, SaveMcpServer(server=McpServer(name="files", command=("nothing-of-that-name",))))


@contextmanager
def crawled(home: Home, monkeypatch: pytest.MonkeyPatch, file: Path) -> Iterator[Crawler]:
    """A crawler of the window of a home; what failed is in it afterwards."""
    _keep_inside(monkeypatch)
    workbench = opened(home)
    front = WatchedFront(workbench)
    shell = Shell(Bridge(front), home.root / "window.ini")
    crawler = Crawler(shell, front, file)
    for owner, name, stand_in in crawler.replacements():
        monkeypatch.setattr(owner, name, staticmethod(stand_in))
    monkeypatch.setattr(sys, "excepthook", crawler.on_exception)
    monkeypatch.setattr(threading, "excepthook", crawler.on_thread_exception)
    before = qInstallMessageHandler(crawler.on_message)
    shell.resize(1280, 800)
    shell.show()
    shell.start()
    try:
        yield crawler
        shell.close()
        shell.deleteLater()
        crawler.settle(0)
    finally:
        qInstallMessageHandler(before)
        front.close()
        workbench.close()
        current_theme().choose("light")


def _keep_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1")):
            raise OSError(f"a test does not connect to {address}")
        connect(self, address)

    def refuse_names(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in (None, "", "localhost", "127.0.0.1", "::1"):
            raise socket.gaierror(f"a test does not look up {host}")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse_names)


def told(found: list[Found]) -> str:
    """Each fault once, with the first actions that it came of."""
    places: dict[str, list[str]] = {}
    for one in found:
        places.setdefault(one.what, []).append(one.where)
    return "\n\n".join(f"{len(where)} x: {'; '.join(where[:4])}\n{what}" for what, where in places.items())


@pytest.mark.parametrize("page", SCOPES)
@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.nightly), "dark"])
def test_everything_opens_and_does_something(
    filled: Home, page: str, scheme: Literal["light", "dark"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    qapp: QApplication,
) -> None:  # fmt: skip
    _crawl(filled, page, scheme, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "page",
    [pytest.param(name, marks=() if name in ("train", "feedback") else pytest.mark.nightly) for name in SCOPES],
)
def test_so_it_does_without_the_packages_of_training(
    filled: Home, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    own = training_environment._is_own
    monkeypatch.setattr(training_environment, "_is_own", lambda name: name not in PACKAGES and own(name))
    _crawl(filled, page, "dark", tmp_path, monkeypatch)


def _crawl(
    filled: Home, page: str, scheme: Literal["light", "dark"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(Path(shutil.copytree(filled.root, tmp_path / "home")))
    file = tmp_path / "files" / "bridge.txt"
    file.parent.mkdir()
    file.write_text("The bridge in Prague has 16 arches.")
    monkeypatch.chdir(file.parent)  # where a path that is typed leads to
    began = time.monotonic()
    with crawled(home, monkeypatch, file) as crawler:
        current_theme().choose(scheme)
        if page == FRAME:
            crawler.crawl_frame(gives=scheme == "dark")
        else:
            crawler.crawl_page(page, gives=scheme == "dark")
    seconds = time.monotonic() - began
    sys.stdout.write(f"{page}: {len(crawler.tried)} actions in {seconds:.0f} s\n{told(crawler.found)}\n")
    assert not crawler.found, told(crawler.found)
