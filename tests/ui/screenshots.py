"""Take a picture of every page in both themes, into docs/screenshots.

``python -m tests.ui.screenshots [--out DIR] [--home DIR] [--size WxH] [--only NAME]``. Without ``--home`` the pages
show the furnished fake home; with it the real program on that home.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import msgspec
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome, furnished_home, running_ingest
from ui.bridge import Bridge
from ui.pages.models import ModelsPage
from ui.pages.welcome import WelcomePage
from ui.shell import Shell
from ui.theme.theme import current_theme
from workbench.calls import ListChats
from workbench.client import Front
from workbench.settings import Settings

SETTLE_MS = 700
ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--home", help="show this home through the real program")
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--only", default="", help="only pictures whose name holds this")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    width, _, height = arguments.size.partition("x")
    application = QApplication(sys.argv[:1])
    current_theme()  # before any widget is made, as the program does
    for scheme in ("light", "dark"):
        for name, page, furnish, act in SCENES:
            if arguments.only not in name:
                continue
            home = furnish()
            home.settings = _themed(home, scheme)
            front = _front(arguments.home, home)
            with tempfile.TemporaryDirectory() as folder:
                shell = Shell(Bridge(front), Path(folder) / "window.ini")
                current_theme().choose("dark" if scheme == "dark" else "light")
                shell.resize(int(width), int(height))
                shell.show()
                shell.start(page)
                settle()
                if act is not None:
                    act(shell, front)
                    settle()
                shell.grab().save(str(arguments.out / f"{name}-{scheme}.png"))
                shell.close()
                shell.deleteLater()
                settle(10)
    application.quit()


def settle(milliseconds: int = SETTLE_MS) -> None:
    """Let the window live for a while. (QTest.qWait would keep Python's lock from the front's thread.)"""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def _front(home: str | None, fake: FakeHome) -> Front:
    if home is None:
        return FakeFront(fake)
    from workbench.client import Client
    from workbench.paths import find_home

    return Client(find_home(home))


def _themed(home: FakeHome, scheme: str) -> Settings:
    general = msgspec.structs.replace(home.settings.general, theme=scheme)
    return msgspec.structs.replace(home.settings, general=general)


def _busy_home() -> FakeHome:
    home = furnished_home()
    running_ingest(home)
    return home


def _latest_chat(shell: Shell, front: Front) -> None:
    chats = front.call(ListChats()).chats
    if chats:
        shell.open_page("chat", chat=chats[0].id)


def _model_details(shell: Shell, front: Front) -> None:
    page = shell.made_page("models")
    assert isinstance(page, ModelsPage)
    settle()
    shell.open_page("models", add=True)
    next(iter(page.cards.values())).details_button.click()


def _runs(shell: Shell, front: Front) -> None:
    shell.show_runs()


def _finder(shell: Shell, front: Front) -> None:
    shell.show_finder()


def _first_steps(shell: Shell, front: Front) -> None:
    page = shell.made_page("welcome")
    assert isinstance(page, WelcomePage)
    page.starter_button.click()
    page.sample_button.click()


def _dead_worker(shell: Shell, front: Front) -> None:
    if isinstance(front, FakeFront):
        front.home.dead_workers.add("inference")
        front.announce("worker", "inference")


Scene = tuple[str, str, Callable[[], FakeHome], Callable[[Shell, Front], None] | None]
SCENES: tuple[Scene, ...] = (
    ("welcome", "welcome", FakeHome, None),
    ("first-steps", "welcome", FakeHome, _first_steps),
    ("chat", "chat", furnished_home, _latest_chat),
    ("chat-new", "chat", furnished_home, None),
    ("documents", "documents", furnished_home, None),
    ("models", "models", furnished_home, None),
    ("models-empty", "models", FakeHome, None),
    ("model-details", "models", furnished_home, _model_details),
    ("settings", "settings", furnished_home, None),
    ("runs", "models", _busy_home, _runs),
    ("finder", "models", furnished_home, _finder),
    ("banner", "models", furnished_home, _dead_worker),
)


if __name__ == "__main__":
    main()
