"""The first window of an empty home, on screens of several sizes.

``python -m tests.ui.first_start FOLDER`` takes pictures of whole screens under Xvfb, with the real core. With
``--look`` it is the program on one screen: it writes what of the window is out of sight to its standard output.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

SCREENS = ((1280, 800, 1.0), (1366, 768, 1.0), (1920, 1080, 1.5), (1280, 800, 1.5))
"""Width and height in pixels, and the scale of the desktop."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--theme", default="light")
    parser.add_argument("--look", action="store_true")
    parser.add_argument("--home", default="")
    arguments = parser.parse_args()
    if arguments.look:
        look(arguments.folder, arguments.home)
        return
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for width, height, scale in SCREENS:
        with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
            (Path(home) / "settings.toml").write_text(f'[general]\ntheme = "{arguments.theme}"\n')
            display = _start_screen(stack, width, height)
            child = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
            picture = arguments.folder / f"first-{width}x{height}-{scale * 100:.0f}-{arguments.theme}.png"
            sys.stdout.write(f"{picture.name}: out of sight: {run_on_screen(scale, picture, child, home)}\n")


def run_on_screen(scale: float, picture: Path, environment: dict[str, str], home: str = "") -> dict[str, list[str]]:
    """What is out of sight, by page, of the window that a process of its own shows on the screen of ``environment``."""
    command = [sys.executable, "-m", "tests.ui.first_start", "--look", str(picture), "--home", home]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QT_")}
    child = {**inherited, **environment, "QT_SCALE_FACTOR": str(scale)}
    done = subprocess.run(command, env=child, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def look(picture: Path, home: str) -> None:
    """Open the window of ``home`` (without one, of a fake core), and say what cannot be seen of each page; the screen
    with the first page is saved as ``picture``."""
    from PySide6.QtCore import QRect
    from PySide6.QtWidgets import QApplication, QWidget

    from tests.ui.fake_front import FakeFront
    from tests.ui.fake_home import FakeHome
    from tests.ui.screenshots import settle
    from ui.features.chat.composer.composer import Composer
    from ui.main import open_window
    from ui.navigation import Navigation
    from ui.shell import TITLE_BAR
    from ui.statusbar import StatusBar
    from workbench.base.paths import Home

    faulthandler.enable()
    application = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        window = open_window(Home(Path(home or folder)), None if home else FakeFront(FakeHome()))
        settle(3_000 if home else 500)
        screen = window.screen()
        screen.grabWindow(0).save(str(picture))
        room = screen.availableGeometry()
        hidden: dict[str, list[str]] = {}
        if window.height() + TITLE_BAR > room.height():
            hidden["window"] = [f"{window.size()}, with its title bar, in {room}"]
        for page in (window.current_page, *(entry.name for entry in window.pages)):
            window.open_page(page)
            settle(100)
            for kind in (Navigation, StatusBar, Composer):
                for whole in window.findChildren(kind):
                    if whole.isVisible() and whole.height() < whole.minimumSizeHint().height():
                        hidden.setdefault(page, []).append(f"{kind.__name__} is squeezed to {whole.size()}")
                for part in (whole for found in window.findChildren(kind) for whole in [found, *found.children()]):
                    if isinstance(part, QWidget) and part.isVisible():
                        place = QRect(part.mapToGlobal(part.rect().topLeft()), part.size())
                        if not room.contains(place):
                            hidden.setdefault(page, []).append(f"{kind.__name__} {type(part).__name__} {place}")
        window.close()
    application.quit()
    sys.stdout.write(json.dumps(hidden))


def _start_screen(stack: ExitStack, width: int, height: int) -> str:
    """An X server without a window manager; its display's name."""
    reads, writes = os.pipe()
    command = ["Xvfb", "-displayfd", str(writes), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    server = stack.enter_context(subprocess.Popen(command, pass_fds=(writes,), stderr=subprocess.DEVNULL))
    stack.callback(server.terminate)
    os.close(writes)
    with os.fdopen(reads) as answer:
        return f":{answer.readline().strip()}"


if __name__ == "__main__":
    main()
