"""The start of the program: light, a worker without Qt, and a window that is there at once."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from tests.ui.first_start import SCREENS, run_on_screen
from ui import texts
from ui.features.models.page import ModelsPage
from ui.main import check_platform, main, open_window
from ui.navigation import Navigation
from ui.theme.theme import Theme, current_theme
from workbench import __version__
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.settings import load_settings
from workbench.subjects.models.calls import ImportModel

HEAVY = ("torch", "transformers", "llama_cpp", "sentence_transformers", "apsw", "numpy", "pygments")


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_importing_the_window_loads_nothing_heavy_and_no_qt() -> None:
    done = run_python(f"import sys, ui.main; print(*sorted({{*{HEAVY!r}, 'PySide6'}} & set(sys.modules)))")
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [], "")


def test_the_frame_loads_nothing_heavy() -> None:
    done = run_python(f"import sys, ui.shell; print(*sorted({set(HEAVY)!r} & set(sys.modules)))")
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [], "")


def test_a_worker_is_started_without_qt() -> None:
    done = run_python(
        "import sys; from ui.main import main; print(main(['--worker', 'nonsense']), 'PySide6' in sys.modules)"
    )
    assert done.stdout.split() == ["2", "False"]
    assert "usage" in done.stderr


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_the_window_is_shown_at_once_and_its_page_follows(
    qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    window = open_window(home, front)
    assert window.isVisible()
    assert window.current_page == ""
    qtbot.waitUntil(lambda: window.current_page == "welcome")  # nothing is in this home yet
    assert home.root.is_dir()
    window.close()
    window.deleteLater()
    assert (home.root / "window.ini").is_file()


def test_a_model_that_is_opened_from_the_desktop_is_offered_for_import(
    qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path
) -> None:
    window = open_window(Home(tmp_path / "home"), front)
    window.open_file("/models/a large one.gguf")  # before the window was painted
    qtbot.waitUntil(lambda: window.current_page == "models")
    page = window.made_page("models")
    assert isinstance(page, ModelsPage)
    assert page.import_panel.isVisible()
    page.import_panel.import_button.click()
    qtbot.waitUntil(lambda: front.asked(ImportModel) == [ImportModel(path="/models/a large one.gguf", copy=False)])
    window.open_page("welcome")
    window.open_file("/models/b.gguf")
    assert window.current_page == "models"
    window.close()
    window.deleteLater()


def test_a_model_that_is_not_there_is_no_window(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--home", str(tmp_path), str(tmp_path / "none.gguf")]) == 1
    assert capsys.readouterr().err == texts.NO_FILE.format(path=tmp_path / "none.gguf") + "\n"
    assert main(["--home", str(tmp_path), "a" * 5000]) == 1
    assert capsys.readouterr().err.startswith("There is no file ")


def test_the_application_hears_of_files_that_the_desktop_opens() -> None:
    done = run_python(
        "from PySide6.QtGui import QFileOpenEvent\nfrom ui.application import Application\n"
        "application = Application([])\napplication.file_opened.connect(print)\n"
        "application.sendEvent(application, QFileOpenEvent('/models/a.gguf'))"
    )
    assert (done.stdout, done.returncode) == ("/models/a.gguf\n", 0), done.stderr


def test_the_stored_theme_is_there_from_the_first_picture(
    qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    home.settings.write_text('[general]\ntheme = "dark"\ntext_size = 17\n')
    window = open_window(home, front)
    assert current_theme().is_dark
    assert current_theme().reading_size == 17
    window.close()
    window.deleteLater()
    current_theme().set_reading_size(15)


@pytest.mark.parametrize("fresh", [False, True])
def test_only_a_new_home_begins_with_the_simple_window(
    qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path, fresh: bool
) -> None:
    home = Home(tmp_path / "home")
    if not fresh:
        home.create()
        home.database.touch()
    window = open_window(home, front)
    assert load_settings(home.settings).general.all_techniques is not fresh
    assert window.findChild(Navigation).all_button.isVisible() is fresh  # before the core has said a word
    window.close()
    window.deleteLater()


def test_what_is_there_once_all_is_imported_is_not_looked_through_for_garbage_again(
    qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen: list[bool] = []
    monkeypatch.setattr("ui.main.gc.freeze", lambda: frozen.append(True))
    window = open_window(Home(tmp_path / "home"), front)
    with qtbot.waitSignal(window.imported, timeout=60_000):
        pass
    assert frozen == [True]
    window.close()
    window.deleteLater()


def test_settings_that_cannot_be_read_do_not_keep_the_window_away(
    qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    home.settings.write_text("[general\n")
    window = open_window(home, front)
    assert window.isVisible()
    window.close()
    window.deleteLater()


@pytest.mark.parametrize(("width", "height", "scale"), SCREENS)
def test_the_first_window_is_whole_on_small_and_on_scaled_screens(
    tmp_path: Path, width: int, height: int, scale: float
) -> None:
    screen = json.loads(Path(__file__).with_name("screen.json").read_text())
    screen["screens"][0].update(width=width, height=height)
    config = tmp_path / "screen.json"
    config.write_text(json.dumps(screen))
    environment = {"QT_QPA_PLATFORM": f"offscreen:configfile={config}"}
    assert run_on_screen(scale, tmp_path / "screen.png", environment) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Qt brings all that it draws with")
@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libxcb-icccm.so.4", "libxcb-icccm4"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
        ("libEGL.so.1", "libegl1"),
        ("libglib-2.0.so.0", "libglib2.0-0"),
    ],
)
def test_a_missing_system_library_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, library: str, package: str
) -> None:
    def refuse(path: str) -> None:
        raise OSError(f"{library}: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    with pytest.raises(UserError) as refused:
        check_platform()
    assert library in refused.value.message
    assert f"apt install {package}." in refused.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
@pytest.mark.parametrize("display", ["", ":987"])
def test_a_missing_screen_is_said_in_a_sentence(tmp_path: Path, display: str) -> None:
    unwanted = ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    if display:
        environment["DISPLAY"] = display
    command = [sys.executable, "-m", "ui.main", "--home", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert texts.NO_SCREEN_HINT in done.stderr
    assert "Traceback" not in done.stderr


def test_a_screen_that_can_be_drawn_on_passes() -> None:
    check_platform()
