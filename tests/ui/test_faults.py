"""What goes wrong in the window is seen: a note with the details, a log, and a failed test."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import qCritical, qWarning
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from ui import texts
from ui.bridge import Bridge
from ui.faults import CRASH, EARLIER_CRASH, LOG, Fault, FaultWatch
from ui.shell import Shell
from ui.theme.theme import Theme
from workbench.base.paths import Home

CODE = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from ui.faults import FaultWatch
application = QApplication([])
watch = FaultWatch(Path(sys.argv[1]))
print("earlier:", watch.install().partition("\\n")[0], flush=True)
{what}
"""


SLOTS = """
import threading
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton

def test_later(qapp):
    QTimer.singleShot(0, lambda: {}["later"])

def test_clicked(qtbot):
    button = QPushButton(clicked=lambda: {}["clicked"])
    qtbot.addWidget(button)
    button.click()

def test_thread(qapp):
    thread = threading.Thread(target=lambda: {}["thread"])
    thread.start()
    thread.join()
"""


def run(logs: Path, what: str) -> subprocess.CompletedProcess[str]:
    code = CODE.format(what=what)
    return subprocess.run([sys.executable, "-c", code, str(logs)], capture_output=True, text=True, check=False)


@pytest.fixture
def watch(qtbot: QtBot, tmp_path: Path) -> Iterator[FaultWatch]:
    watch = FaultWatch(tmp_path)
    hooks = sys.excepthook, threading.excepthook
    watch.install()
    yield watch
    watch.close()
    sys.excepthook, threading.excepthook = hooks


def logged(watch: FaultWatch) -> str:
    return (watch._logs / LOG).read_text("utf-8")


def broken(*_: object) -> None:
    raise KeyError("nothing of that name")


def test_an_exception_in_a_slot_is_told_once_with_its_count_and_logged(watch: FaultWatch, qtbot: QtBot) -> None:
    told: list[Fault] = []
    watch.occurred.connect(told.append)
    button = QPushButton(clicked=broken)
    qtbot.addWidget(button)
    for _ in range(3):
        button.click()
    qtbot.waitUntil(lambda: bool(told))
    [fault] = told
    assert (fault.summary, fault.count) == ("KeyError: 'nothing of that name'", 3)
    assert "in broken" in fault.trace
    assert logged(watch).count("Traceback") == 2  # the first, the second, the fourth…
    assert "test_faults.py" in logged(watch)
    button.click()
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told[1].count == 4


def test_an_exception_of_a_thread_or_a_listener_is_told(watch: FaultWatch, qtbot: QtBot) -> None:
    told: list[Fault] = []
    watch.occurred.connect(told.append)
    threading.Thread(target=lambda: {}["a thread"]).start()
    qtbot.waitUntil(lambda: any("a thread" in fault.summary for fault in told))
    try:
        broken()
    except KeyError:
        logging.getLogger("workbench.api.client").exception("A listener failed")
    qtbot.waitUntil(lambda: any("nothing of that name" in fault.summary for fault in told))


def test_what_qt_complains_of_is_logged_and_told_where_it_is_an_error(watch: FaultWatch, qtbot: QtBot) -> None:
    told: list[Fault] = []
    watch.occurred.connect(told.append)
    qWarning("a small complaint")
    qCritical("a large complaint")
    qtbot.waitUntil(lambda: bool(told))
    assert [fault.summary for fault in told] == ["a large complaint"]
    assert "WARNING MainThread qt: a small complaint" in logged(watch)


def test_a_fault_is_noted_above_the_page_and_its_details_are_copied(
    qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(Bridge(front), tmp_path / "window.ini")
    qtbot.addWidget(shell)
    shell.show()
    shell.start("models")
    qtbot.waitUntil(lambda: shell.current_page == "models")
    note, page = shell.faults, shell.made_page("models")
    assert page is not None
    note.show_fault(Fault("KeyError: 'x'", "Traceback of x"))
    qtbot.waitUntil(note.isVisible)
    assert note.text == "This did not work: KeyError: 'x'"
    qtbot.waitUntil(
        lambda: page.mapToGlobal(page.rect().topLeft()).y() >= note.mapToGlobal(note.rect().bottomLeft()).y()
    )
    note.show_fault(Fault("KeyError: 'x'", "Traceback of x", 3))
    assert note.text == "This did not work (3 times): KeyError: 'x'"
    note.copy_button.click()
    copied = QGuiApplication.clipboard().text()
    assert "Traceback of x" in copied
    assert copied.startswith("LLM Workbench ")
    assert note.copy_button.text() == texts.COPIED
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) or True)
    note.log_button.click()
    assert opened == [str(tmp_path / "logs")]
    shell.close()


def test_a_crash_is_offered_once_at_the_next_start(tmp_path: Path) -> None:
    crashed = run(tmp_path, "import ctypes; ctypes.string_at(0)")
    assert crashed.returncode != 0
    assert "Segmentation fault" in (tmp_path / CRASH).read_text()
    again = run(tmp_path, "watch.close()")
    assert again.stdout.startswith("earlier: Fatal Python error: Segmentation fault")
    assert "string_at" in (tmp_path / EARLIER_CRASH).read_text()
    assert run(tmp_path, "watch.close()").stdout.strip() == "earlier:"


def test_what_windows_goes_on_from_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / CRASH).write_text("Windows fatal exception: code 0x8001010d\n\nThread 0x1 (most recent call first):\n")
    assert run(tmp_path, "watch.close()").stdout.strip() == "earlier:"


def test_logs_that_cannot_be_written_are_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in their place")
    done = run(tmp_path / "logs", "print('goes on')")
    assert "goes on" in done.stdout
    assert "cannot be written" in done.stderr


def test_the_window_of_a_home_notes_its_faults_and_the_crash_before(tmp_path: Path) -> None:
    """The whole program, with a slot that fails."""
    home = Home(tmp_path / "home")
    home.create()
    (home.logs / CRASH).write_text("Fatal Python error: Segmentation fault\n")
    code = """
import os, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from ui import main
notes = []
def look():
    [window] = [w for w in QApplication.topLevelWidgets() if type(w).__name__ == "Shell"]
    notes.append(window.faults.text)
    if len(notes) == 1:
        QTimer.singleShot(0, lambda: {}["a slot"])
        QTimer.singleShot(1500, look)
    else:
        print(*notes, sep="\\n", flush=True)
        window.close()
opened = main.open_window
def open_window(home):
    from tests.ui.fake_front import FakeFront
    from tests.ui.fake_home import FakeHome
    QTimer.singleShot(1000, look)
    return opened(home, FakeFront(FakeHome()))
main.open_window = open_window
sys.exit(main.main(["--home", sys.argv[1]]))
"""
    done = subprocess.run([sys.executable, "-c", code, str(home.root)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [texts.CRASHED, "This did not work: KeyError: 'a slot'"], done.stderr
    assert done.returncode == 0
    assert "KeyError: 'a slot'" in (home.logs / LOG).read_text()


def test_an_exception_in_a_slot_fails_a_test(tmp_path: Path) -> None:
    """Whether or not the test waits for anything, and on a thread as well."""
    (tmp_path / "test_slots.py").write_text(SLOTS)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(root / "pyproject.toml"), str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert "3 failed" in done.stdout or "2 failed, 1 error" in done.stdout, done.stdout
    assert all(f"KeyError: '{name}'" in done.stdout for name in ("later", "clicked", "thread"))


def test_no_test_is_spared_it() -> None:
    spared = "qt_no_exception" + "_capture"
    for file in Path(__file__).parents[1].rglob("*.py"):
        assert spared not in file.read_text("utf-8"), file
