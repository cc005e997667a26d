"""The frame: pages made when first shown, shortcuts, banners, status, runs, finder, and what it remembers."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.fake_adapters import furnish_adapters
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import running_ingest
from ui import shell as shell_module
from ui import texts
from ui.bridge import Bridge
from ui.components.basics import InlineMessage
from ui.components.tab_bar import TabBar
from ui.drawer import RunRow, RunsDrawer
from ui.features import PAGES, Action, Found, PageEntry, ShellActions, stops_of
from ui.features.feedback.page import FeedbackPage
from ui.finder import Finder
from ui.navigation import Navigation
from ui.shell import Shell
from ui.statusbar import StatusBar
from ui.theme.theme import Theme, current_theme
from workbench import calls as c
from workbench.api import events
from workbench.base.errors import NewerEngineNeeded, UserError
from workbench.subjects.machine.calls import DismissEngineNotice, GetSettings, RestartWorker, WarmUp
from workbench.subjects.models.calls import LoadModel
from workbench.subjects.runs.calls import FollowRun, ResumeRun, StopRun

SHIFT = Qt.KeyboardModifier.ShiftModifier
MADE: list[str] = []


class PlainPage(QWidget):
    """A page that writes down how it was used."""

    name = title = icon = "plain"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        MADE.append(self.name)
        self.targets: list[dict[str, Any]] = []
        column = QVBoxLayout(self)
        self.field = QLineEdit()
        self.field.setAccessibleName("A field")
        column.addWidget(self.field)

    def open_target(self, **target: Any) -> None:
        self.targets.append(target)


class ChatLike(PlainPage):
    name = "chat"

    def header(self) -> QWidget:
        self.chip = QLabel("the loaded model")
        return self.chip

    def find_entries(self) -> list[Found]:
        return [Found("Add files…", "action", "plus", lambda: self.open_target(found="files"))]


class DocumentsLike(PlainPage):
    name = "documents"


@pytest.fixture
def pages() -> tuple[PageEntry, ...]:
    """Light pages in place of the chat and the documents; models and settings are the real ones."""
    MADE.clear()
    module = types.ModuleType("plain_pages")
    module.ChatLike, module.DocumentsLike = ChatLike, DocumentsLike  # type: ignore[attr-defined]
    sys.modules["plain_pages"] = module  # it stays: a window imports its other pages aside, perhaps after the test
    light = {"chat": "plain_pages:ChatLike", "documents": "plain_pages:DocumentsLike"}
    return tuple(replace(entry, entry=light.get(entry.name, entry.entry)) for entry in PAGES)


MakeShell = Callable[..., Shell]


@pytest.fixture
def make_shell(
    qtbot: QtBot, theme: Theme, front: FakeFront, pages: tuple[PageEntry, ...], tmp_path: Path
) -> Iterator[MakeShell]:
    made: list[Shell] = []

    def make(start: bool = True, fresh: bool = False) -> Shell:
        shell = Shell(Bridge(front), tmp_path / "window.ini", fresh, pages)
        shell.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        made.append(shell)
        shell.show()
        if start:
            shell.start()
            qtbot.waitUntil(lambda: shell._bridge.status is not None)
        return shell

    yield make
    for shell in made:
        shell.close()
        shell.deleteLater()


def banners(shell: Shell) -> list[str]:
    return [
        m.text for m in shell.findChildren(InlineMessage) if m.isVisible() and m.property("place") in ("banner", "over")
    ]


def button(parent: QWidget, text: str) -> QPushButton:
    return next(b for b in parent.findChildren(QPushButton) if b.text() == text)


def status_words(shell: Shell) -> str:
    bar = shell.findChild(StatusBar)
    assert bar is not None
    return " | ".join(b.text() for b in bar.findChildren(QPushButton) if b.isVisible())


# -- pages ------------------------------------------------------------------------------------------


def test_the_frame_is_there_before_any_page(make_shell: MakeShell) -> None:
    shell = make_shell(start=False)
    assert shell.isVisible()
    assert MADE == []


def test_a_page_is_made_once_when_it_is_first_shown(make_shell: MakeShell) -> None:
    shell = make_shell()
    assert MADE == ["chat"]
    shell.open_page("documents")
    shell.open_page("chat")
    shell.open_page("documents", document="d1")
    assert MADE == ["chat", "documents"]
    page = shell.made_page("documents")
    assert isinstance(page, DocumentsLike)
    assert page.targets == [{"document": "d1"}]


@pytest.mark.parametrize(
    ("number", "page"), [(1, "chat"), (2, "documents"), (3, "models"), (4, "data"), (6, "tool-list"), (7, "settings")]
)
def test_each_entry_of_the_navigation_has_its_shortcut(
    make_shell: MakeShell, qtbot: QtBot, number: int, page: str
) -> None:
    shell = make_shell()
    shell.open_page("settings" if number == 1 else "chat")
    shell.activateWindow()
    qtbot.waitUntil(shell.isActiveWindow)
    QTest.keyClick(shell, Qt.Key(Qt.Key.Key_0.value + number), Qt.KeyboardModifier.ControlModifier)
    assert shell.current_page == page


def test_old_places_are_tabs_of_the_new_ones(make_shell: MakeShell) -> None:
    shell = make_shell()
    for page, group in (("train", "Adapt"), ("feedback", "Adapt"), ("adapters", "Adapt"), ("evaluate", "Measure")):
        shell.open_page(page)
        assert shell.current_page == page
        assert shell._title.text() == group
        assert button(shell, group).isChecked()
        [tabs] = [tabs for tabs in shell.findChildren(TabBar) if tabs.isVisible()]
        assert (tabs.shown, tabs.accessibleName()) == (page, group)
    shell.open_page("models")
    assert not [tabs for tabs in shell.findChildren(TabBar) if tabs.isVisible()]


def test_targets_of_old_places_reach_the_tabs(make_shell: MakeShell) -> None:
    shell = make_shell()
    shell.open_page("models", section="leaderboard")
    assert shell.current_page == "leaderboard"
    shell.open_page("feedback", section="verdict")
    assert shell.current_page == "blind-tests"
    shell.open_page("feedback", section="learn")
    page = shell.made_page("feedback")
    assert isinstance(page, FeedbackPage)
    assert (shell.current_page, page.shown) == ("feedback", "learn")


def test_a_tab_is_made_when_it_is_first_shown(make_shell: MakeShell) -> None:
    shell = make_shell()
    shell.open_page("data")
    assert shell.made_page("data") is not None
    assert shell.made_page("train") is None


def test_tabs_are_turned_with_the_keyboard(make_shell: MakeShell, qtbot: QtBot) -> None:
    shell = make_shell()
    shell.open_page("data")
    shell.activateWindow()
    qtbot.waitUntil(shell.isActiveWindow)
    [tabs] = shell.findChildren(TabBar)
    tabs.setFocus()
    qtbot.waitUntil(tabs.hasFocus)
    QTest.keyClick(tabs, Qt.Key.Key_Right)
    assert shell.current_page == "train"
    assert tabs.hasFocus()  # the arrows go on from there
    QTest.keyClick(shell, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    assert shell.current_page == "feedback"
    for _ in range(2):
        QTest.keyClick(shell, Qt.Key.Key_Backtab, both := Qt.KeyboardModifier.ControlModifier | SHIFT)
    assert shell.current_page == "data"
    QTest.keyClick(shell, Qt.Key.Key_Backtab, both)
    assert shell.current_page == "adapters"  # round the end


def test_a_group_opens_at_the_tab_that_was_open_last(make_shell: MakeShell) -> None:
    shell = make_shell()
    shell.open_page("adapters")
    shell.open_page("chat")
    button(shell, "Adapt").click()
    assert shell.current_page == "adapters"
    shell.open_page("chat")
    shell.close()
    again = make_shell(start=False)
    button(again, "Adapt").click()
    assert again.current_page == "adapters"


def test_simple_first_shows_four_pages_and_the_way_to_the_rest(
    make_shell: MakeShell, front: FakeFront, qtbot: QtBot
) -> None:
    general = msgspec.structs.replace(front.home.settings.general, all_techniques=False)
    front.home.settings = msgspec.structs.replace(front.home.settings, general=general)
    shell = make_shell()
    navigation = shell.findChild(Navigation)
    qtbot.waitUntil(navigation.all_button.isVisible)
    shown = {stop.title for stop in stops_of(shell.pages) if button(shell, stop.title).isVisible()}
    assert shown == {"Chat", "Documents", "Models", "Settings"}
    shell.open_page("adapters")  # as Find… does
    assert shell.current_page == "adapters"
    assert button(shell, "Adapt").isVisible()
    assert not button(shell, "Measure").isVisible()
    shell.open_page("chat")
    assert not button(shell, "Adapt").isVisible()
    navigation.all_button.click()
    qtbot.waitUntil(button(shell, "Tools").isVisible)
    assert front.home.settings.general.all_techniques
    assert not navigation.all_button.isVisible()


def test_the_navigation_opens_pages_and_marks_the_open_one(make_shell: MakeShell) -> None:
    shell = make_shell()
    documents = button(shell, "Documents")
    documents.click()
    assert shell.current_page == "documents"
    assert documents.isChecked()
    assert not button(shell, "Chat").isChecked()
    documents.click()
    assert documents.isChecked()


def test_what_a_page_puts_beside_its_title_is_seen_with_it_only(make_shell: MakeShell) -> None:
    shell = make_shell()
    chat = shell.made_page("chat")
    assert isinstance(chat, ChatLike)
    assert chat.chip.isVisible()
    shell.open_page("documents")
    assert not chat.chip.isVisible()


def test_the_window_comes_back_as_it_was_left(make_shell: MakeShell, qtbot: QtBot) -> None:
    first = make_shell()
    first.resize(1111, 777)
    first.open_page("models")
    first.close()
    again = make_shell(start=False)
    again.start()
    assert (again.width(), again.height()) == (1111, 777)
    qtbot.waitUntil(lambda: again.current_page == "models")


def test_it_works_down_to_its_smallest_size(make_shell: MakeShell) -> None:
    shell = make_shell()
    for entry in PAGES[2:]:
        shell.open_page(entry.name)
    shell.resize(960, 640)
    assert (shell.width(), shell.height()) == (960, 640)


def test_the_keyboard_stays_on_the_page_when_what_had_it_goes(make_shell: MakeShell, qtbot: QtBot) -> None:
    shell = make_shell()
    page = shell.made_page("chat")
    assert isinstance(page, ChatLike)
    shell.activateWindow()
    qtbot.waitUntil(shell.isActiveWindow)
    for leave in (lambda: page.field.setEnabled(False), page.field.hide):
        page.field.show()
        page.field.setEnabled(True)
        page.field.setFocus()
        qtbot.waitUntil(page.field.hasFocus)
        leave()
        assert page.hasFocus()
    shell.open_page("documents")  # another page takes it
    assert not page.hasFocus()


# -- first steps ------------------------------------------------------------------------------------


def test_a_fresh_home_is_welcomed(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    front.home.models.clear()
    front.home.collections.clear()
    shell = make_shell(fresh=True)
    qtbot.waitUntil(lambda: shell.current_page == "welcome")
    assert button(shell, "Welcome").isVisible()


def test_a_home_without_documents_is_welcomed_until_it_was_left(
    make_shell: MakeShell, front: FakeFront, qtbot: QtBot
) -> None:
    front.home.collections.clear()
    shell = make_shell()
    qtbot.waitUntil(lambda: shell.current_page == "welcome")
    shell.open_page("chat")
    asked = len(front.asked(GetSettings))
    front.announce("collection", "")
    front.announce("settings", "")
    qtbot.waitUntil(lambda: len(front.asked(GetSettings)) > asked)
    assert shell.current_page == "chat"
    assert button(shell, "Welcome").isVisible()
    again = make_shell()
    qtbot.waitUntil(button(again, "Welcome").isVisible)
    assert again.current_page == "chat"


def test_a_furnished_home_is_not_welcomed(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    shell = make_shell()
    listings = [shell._bridge.home.listing(call) for call in (c.ListModels(), c.ListCollections())]
    qtbot.waitUntil(lambda: all(listing.value for listing in listings))
    assert shell.current_page == "chat"
    assert not button(shell, "Welcome").isVisible()


def test_the_embedder_is_loaded_ahead_where_there_are_documents(
    make_shell: MakeShell, front: FakeFront, qtbot: QtBot
) -> None:
    make_shell()
    qtbot.waitUntil(lambda: front.asked(WarmUp) == [WarmUp()])


def test_nothing_moves_when_the_welcome_comes_or_goes(make_shell: MakeShell, front: FakeFront) -> None:
    front.home.models.clear()
    front.home.collections.clear()
    shell = make_shell(fresh=True)
    shell.open_page("chat")
    navigation = shell.findChild(Navigation)
    places, stops = [], stops_of(shell.pages)
    for visible in (True, False):
        navigation.set_welcome_visible(visible)
        QApplication.processEvents()
        places.append([button(shell, entry.title).y() for entry in stops])
    assert places[0] == places[1]


# -- messages ---------------------------------------------------------------------------------------


def test_a_dead_worker_is_a_banner_with_restart(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    shell = make_shell()
    front.home.dead_workers.add("embedding")
    front.announce("worker", "embedding")
    qtbot.waitUntil(lambda: bool(banners(shell)))
    assert banners(shell)[0].startswith(texts.EMBEDDING_DIED)
    button(shell, "Restart").click()
    qtbot.waitUntil(lambda: banners(shell) == [])
    assert front.asked(RestartWorker) == [RestartWorker(name="embedding")]


def test_a_lost_core_is_a_banner_until_it_is_back(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    shell = make_shell()
    front.lose_connection()
    qtbot.waitUntil(lambda: bool(banners(shell)))
    assert "has stopped" in banners(shell)[0]
    assert "Not connected" in status_words(shell)
    front.reconnect()
    button(shell, "Restart").click()
    qtbot.waitUntil(lambda: banners(shell) == [])
    qtbot.waitUntil(lambda: "SmolLM2" in status_words(shell))


def test_an_error_that_no_page_took_is_said(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    shell = make_shell()
    front.refuse(LoadModel, UserError("The model is too large.", "Close another program."))
    shell._bridge.call(LoadModel(name="x"), lambda status: None)
    qtbot.waitUntil(lambda: banners(shell) == ["The model is too large. Close another program."])


def test_a_model_that_needs_a_newer_engine_leads_to_the_engines_whoever_asked(
    make_shell: MakeShell, front: FakeFront, qtbot: QtBot
) -> None:
    shell = make_shell()
    needed = NewerEngineNeeded("Future needs a newer engine.", "Add one.", what="architecture 'future'")
    front.refuse(LoadModel, needed)
    told: list[Exception] = []
    shell._bridge.call(LoadModel(name="x"), lambda status: None, told.append)
    qtbot.waitUntil(lambda: banners(shell) == ["Future needs a newer engine."])
    assert [type(error) for error in told] == [NewerEngineNeeded]
    button(shell, texts.SHOW_ENGINES).click()
    assert shell._current == "settings"


def test_an_engine_that_has_stopped_working_is_told_once(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    reason = "The model process crashed with the engine 1.0. The bundled engine computes now."
    front.home.engines = msgspec.structs.replace(front.home.engines, notice=reason)
    shell = make_shell()
    qtbot.waitUntil(lambda: banners(shell) == [reason])
    qtbot.waitUntil(lambda: front.home.engines.notice == "")
    front.announce("worker")
    front.wait_idle()
    assert front.asked(DismissEngineNotice) == [DismissEngineNotice()]


def test_a_message_may_carry_an_action(make_shell: MakeShell) -> None:
    shell = make_shell()
    done: list[str] = []
    shell.show_message("It was removed.", "info", Action("Undo", lambda: done.append("undone")))
    button(shell, "Undo").click()
    assert done == ["undone"]
    assert banners(shell) == []


def test_good_news_goes_with_the_page_that_it_was_told_on(make_shell: MakeShell) -> None:
    shell = make_shell()
    shell.open_page("models")
    shell.show_message("tuned was made.", "success")
    shell.open_page("models")
    assert banners(shell) == ["tuned was made."]
    shell.open_page("settings")
    assert banners(shell) == []
    shell.show_message("The disk is full.", "danger")
    shell.open_page("models")
    assert banners(shell) == ["The disk is full."]


def test_news_go_by_themselves_and_what_went_wrong_stays(make_shell: MakeShell) -> None:
    shell = make_shell()
    banner = next(one for one in shell.findChildren(InlineMessage) if one.property("place") == "over")
    shell.show_message("The recipe was saved.", "success")
    assert banner.findChild(QTimer).isActive()
    banner.findChild(QTimer).timeout.emit()
    assert banners(shell) == []
    for kind, action in (("danger", None), ("info", Action("Undo", lambda: None))):
        shell.show_message("The recipe was saved.", "success")
        shell.show_message("It was removed.", kind, action)
        assert not banner.findChild(QTimer).isActive()


def test_a_message_moves_nothing_and_covers_no_control_of_the_header(make_shell: MakeShell, qtbot: QtBot) -> None:
    shell = make_shell()
    for page, words in (("models", "tuned was made."), ("chat", "tuned was made. " * 30)):
        shell.open_page(page)
        QApplication.processEvents()
        before = shell._stack.geometry()
        shell.show_message(words, "attention")
        QApplication.processEvents()
        banner = next(m for m in shell.findChildren(InlineMessage) if m.text == words)
        assert banner.isVisible()
        assert shell._stack.geometry() == before
        assert banner.height() >= banner.heightForWidth(banner.width())
        header = shell._title.parentWidget()
        taken = [part for part in header.findChildren(QWidget) if part.isVisible()]
        assert not [part for part in taken if banner.geometry().intersects(_within(part, banner.parentWidget()))]
        banner.hide()


def _within(widget: QWidget, parent: QWidget) -> QRect:
    return QRect(widget.mapTo(parent, QPoint()), widget.size())


# -- settings and status ----------------------------------------------------------------------------


def test_a_change_of_the_theme_setting_is_followed_at_once(
    make_shell: MakeShell, front: FakeFront, qtbot: QtBot
) -> None:
    make_shell()
    general = msgspec.structs.replace(front.home.settings.general, theme="dark", text_size=18)
    front.home.settings = msgspec.structs.replace(front.home.settings, general=general)
    front.announce("settings")
    qtbot.waitUntil(lambda: current_theme().is_dark)
    assert current_theme().reading_size == 18
    current_theme().set_reading_size(15)


def test_the_status_bar_says_model_device_memory_and_network(make_shell: MakeShell, front: FakeFront) -> None:
    shell = make_shell()
    assert status_words(shell) == "SmolLM2-135M-Instruct · CPU · 412 MB | No network use | Nothing running"


def test_offline_is_said_of_the_switch_of_that_name_alone(
    make_shell: MakeShell, front: FakeFront, qtbot: QtBot
) -> None:
    shell = make_shell()
    button(shell, "No network use").click()
    assert banners(shell) == [texts.NETWORK_OFF_WORDS]
    assert "Offline" not in status_words(shell)
    settings = front.home.settings
    front.home.settings = msgspec.structs.replace(
        settings, general=msgspec.structs.replace(settings.general, offline=True)
    )
    front.announce("settings")
    qtbot.waitUntil(lambda: "| Offline |" in status_words(shell))
    button(shell, "Offline").click()
    assert banners(shell) == [texts.OFFLINE_WORDS]


def test_what_may_leave_the_machine_is_named_unless_the_program_is_offline(
    make_shell: MakeShell, front: FakeFront, qtbot: QtBot
) -> None:
    shell = make_shell()
    settings = front.home.settings
    network = msgspec.structs.replace(settings.network, hub=True, allow_mcp=True)
    front.home.settings = msgspec.structs.replace(settings, network=network)
    front.announce("settings")
    qtbot.waitUntil(lambda: "Network allowed" in status_words(shell))
    button(shell, "Network allowed").click()
    (said,) = banners(shell)
    assert "searching and downloading models, MCP servers over the network" in said
    general = msgspec.structs.replace(settings.general, offline=True)
    front.home.settings = msgspec.structs.replace(front.home.settings, general=general)
    front.announce("settings")
    qtbot.waitUntil(lambda: "| Offline |" in status_words(shell))


def test_serving_other_machines_is_use_of_the_network(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    shell = make_shell()
    settings = front.home.settings
    server = msgspec.structs.replace(settings.server, enabled=True, shared=True)
    front.home.settings = msgspec.structs.replace(settings, server=server)
    front.announce("settings")
    qtbot.waitUntil(lambda: "Network allowed" in status_words(shell))
    button(shell, "Network allowed").click()
    assert "answers to other machines of your network" in banners(shell)[0]


# -- runs -------------------------------------------------------------------------------------------


def test_running_work_is_summed_up_and_stopped(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    one = running_ingest(front.home)
    shell = make_shell()
    qtbot.waitUntil(lambda: "Add 214 files to Contract… · reading 43% · 55 s left" in status_words(shell))
    two = running_ingest(front.home, title="Another", progress=0.03, seconds_left=None)
    front.announce("run", two.id)
    qtbot.waitUntil(lambda: "2 runs · 23% · 55 s left" in status_words(shell))
    button(shell, "Stop all").click()
    qtbot.waitUntil(lambda: "Nothing running" in status_words(shell))
    assert {call.run for call in front.asked(StopRun)} == {one.id, two.id}


def test_the_word_of_the_network_stays_where_it_is_when_its_neighbours_grow(
    make_shell: MakeShell, front: FakeFront, qtbot: QtBot
) -> None:
    shell = make_shell()
    shell.resize(1280, 800)
    shell.show()
    word = button(shell, "No network use")

    def middle() -> int:
        return word.mapTo(shell, word.rect().center()).x()

    qtbot.waitUntil(lambda: abs(middle() - 640) < 8)
    before = middle()
    running_ingest(front.home, title="Add 214 files to a collection whose name is very long indeed")
    front.announce("run", "x")
    qtbot.waitUntil(lambda: "Nothing running" not in status_words(shell))
    front.home.loaded = ""
    front.announce("worker", "inference")
    qtbot.waitUntil(lambda: texts.NO_MODEL in status_words(shell))
    assert middle() == before


def rows(shell: Shell) -> list[RunRow]:
    return shell.findChildren(RunRow)


def test_the_drawer_follows_a_run_with_its_log(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    running_ingest(front.home)
    held = front.hold(FollowRun)
    shell = make_shell()
    shell.show_runs()
    qtbot.waitUntil(lambda: held.call is not None)
    held.emit(
        events.Progress(stage="reading", done=100, total=214, unit="files", detail="1,204 chunks", seconds_left=50),
        events.Artifact(kind="document", id="/a/b.pdf", result={"state": "failed", "reason": "The file is empty."}),
    )
    row = rows(shell)[0]
    qtbot.waitUntil(lambda: row.log_line == "/a/b.pdf: failed (The file is empty.)")
    assert row.progress.words == "Reading · 1,204 chunks 100 of 214 files · 50 s left"
    row.progress.stop_button.click()
    qtbot.waitUntil(lambda: row.resume_button.isVisible())
    assert len(front.asked(StopRun)) == 1


def test_what_a_run_evaluates_is_seen_in_the_status_bar(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    """Its stage and how far that is, also beside a long title; nothing that moves without an end."""
    title = "A set of questions and answers on pumps: LoRA on SmolLM2 135M Instruct"
    running_ingest(front.home, title=title, stage="evaluating", progress=0.3, seconds_left=None)
    shell = make_shell()
    qtbot.waitUntil(lambda: "… · evaluating 30%" in status_words(shell))
    bars = [bar for bar in shell.findChildren(QProgressBar) if bar.isVisible()]
    assert [(bar.maximum(), bar.value()) for bar in bars] == [(1000, 300)]


def test_what_is_paused_says_so_and_does_not_move(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    running_ingest(front.home, title="facts", progress=None, seconds_left=None, paused=True)
    shell = make_shell()
    qtbot.waitUntil(lambda: "facts · paused" in status_words(shell))
    shell.show_runs()
    qtbot.waitUntil(lambda: bool(rows(shell)))
    row = rows(shell)[0]
    qtbot.waitUntil(lambda: row.progress.words.startswith(texts.PAUSED_HELP))
    bars = [bar for bar in shell.findChildren(QProgressBar) if bar.isVisible()]
    assert bars
    assert all(bar.maximum() > 0 for bar in bars)


def test_a_stopped_run_is_resumed_from_the_drawer(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    run = running_ingest(front.home, state="interrupted", message="The program ended in the middle.")
    shell = make_shell()
    shell.show_runs()
    qtbot.waitUntil(lambda: bool(rows(shell)))
    row = rows(shell)[0]
    qtbot.waitUntil(row.resume_button.isVisible)
    assert row.log_line == "The program ended in the middle."
    row.resume_button.click()
    qtbot.waitUntil(lambda: row.progress.isVisible())
    assert front.asked(ResumeRun) == [ResumeRun(run=run.id)]


def test_a_run_that_cannot_be_read_says_why_and_is_not_resumed(
    make_shell: MakeShell, front: FakeFront, qtbot: QtBot
) -> None:
    why = "This version of LLM Workbench does not know runs of the kind 'evaluate'."
    running_ingest(front.home, kind="evaluate", state="finished", message=why, unreadable=why)
    shell = make_shell()
    shell.show_runs()
    qtbot.waitUntil(lambda: bool(rows(shell)))
    row = rows(shell)[0]
    qtbot.waitUntil(lambda: row.log_line == why)
    assert not row.resume_button.isVisible()


def test_the_drawer_says_so_when_nothing_has_run(make_shell: MakeShell, front: FakeFront, qtbot: QtBot) -> None:
    shell = make_shell()
    shell.show_runs()
    drawer = shell.findChild(RunsDrawer)
    assert drawer is not None
    qtbot.waitUntil(lambda: any(label.text() == texts.NO_RUNS for label in drawer.findChildren(QLabel)))
    QTest.keyClick(drawer, Qt.Key.Key_Escape)
    assert not drawer.isVisible()


# -- finder -----------------------------------------------------------------------------------------


def opened(shell: Shell, qtbot: QtBot) -> Finder:
    shell.activateWindow()
    qtbot.waitUntil(shell.isActiveWindow)
    QTest.keyClick(shell, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    finder = shell.findChild(Finder)
    assert finder is not None
    qtbot.waitUntil(lambda: finder.field.hasFocus())
    return finder


def found(finder: Finder) -> list[str]:
    items = [finder.list.item(row) for row in range(finder.list.count())]
    return [str(item.data(Qt.ItemDataRole.AccessibleTextRole)) for item in items]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("docu", "Documents, page"),
        ("contracts", "Contracts 2025, documents"),
        ("smol", "SmolLM2-135M-Instruct, model"),
        ("flash", "Flash attention, setting"),
        ("new", "New chat, action"),
        ("winter storage of", "Winter storage of the pump, chat"),
        ("aqualift-300", "AquaLift-300-manual.md, document"),
        ("temperature", "Temperature, recipe"),
        ("my-notes", "my-notes, adapter"),
    ],
)
def test_the_finder_finds_each_kind_of_thing(
    make_shell: MakeShell, front: FakeFront, qtbot: QtBot, text: str, first: str
) -> None:
    furnish_adapters(front.home)
    finder = opened(make_shell(), qtbot)
    QTest.keyClicks(finder.field, text)
    qtbot.waitUntil(lambda: found(finder)[:1] == [first])


def test_enter_opens_what_was_found_and_its_target(make_shell: MakeShell, qtbot: QtBot) -> None:
    shell = make_shell()
    finder = opened(shell, qtbot)
    QTest.keyClicks(finder.field, "brunnen")
    qtbot.waitUntil(lambda: found(finder)[:1] == ["Brunnen pumps, documents"])
    QTest.keyClick(finder.field, Qt.Key.Key_Return)
    assert not finder.isVisible()
    assert shell.current_page == "documents"
    page = shell.made_page("documents")
    assert isinstance(page, DocumentsLike)
    assert list(page.targets[0]) == ["collection"]


def test_arrows_choose_and_escape_gives_the_keyboard_back(make_shell: MakeShell, qtbot: QtBot) -> None:
    shell = make_shell()
    page = shell.made_page("chat")
    assert isinstance(page, ChatLike)
    page.field.setFocus()
    finder = opened(shell, qtbot)
    QTest.keyClick(finder.field, Qt.Key.Key_Down)
    QTest.keyClick(finder.field, Qt.Key.Key_Down)
    QTest.keyClick(finder.field, Qt.Key.Key_Up)
    assert finder.list.currentRow() == 1
    QTest.keyClick(finder.field, Qt.Key.Key_Escape)
    assert not finder.isVisible()
    assert page.field.hasFocus()


def test_what_a_page_offers_is_found_by_its_name_only(make_shell: MakeShell, qtbot: QtBot) -> None:
    finder = opened(make_shell(), qtbot)
    QTest.keyClicks(finder.field, "xyzzy")
    qtbot.waitUntil(lambda: finder._hint.text() == texts.NOTHING_FOUND.format(text="xyzzy"))
    assert found(finder) == []
    finder.field.clear()
    QTest.keyClicks(finder.field, "add f")
    qtbot.waitUntil(lambda: found(finder)[:1] == ["Add files…, action"])


def test_an_action_of_the_finder_changes_a_setting(make_shell: MakeShell, qtbot: QtBot, front: FakeFront) -> None:
    finder = opened(make_shell(), qtbot)
    QTest.keyClicks(finder.field, "dark theme")
    qtbot.waitUntil(lambda: found(finder)[:1] == ["Dark theme, action"])
    QTest.keyClick(finder.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: current_theme().is_dark)
    assert front.home.settings.general.theme == "dark"


def test_a_click_elsewhere_closes_the_finder(make_shell: MakeShell, qtbot: QtBot) -> None:
    shell = make_shell()
    finder = opened(shell, qtbot)
    page = shell.made_page("chat")
    assert isinstance(page, ChatLike)
    QTest.mouseClick(page.field, Qt.MouseButton.LeftButton)
    assert not finder.isVisible()
    QTest.keyClick(finder.field, Qt.Key.Key_Escape)  # the last focus of a window that is not active
    assert not finder.isVisible()


def test_what_pages_are_made_of_is_imported_before_they_are_opened(
    make_shell: MakeShell, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    asked: list[str] = []
    early = shell_module.EarlyImport

    def recording(module: str, then: Callable[[], None], parent: QObject) -> None:
        asked.append(module)
        early(module, then, parent)

    monkeypatch.setattr(shell_module, "EarlyImport", recording)
    monkeypatch.setattr(shell_module, "IDLE_MS", 1)
    shell = make_shell()
    qtbot.waitUntil(lambda: len(asked) == len(shell.pages) and set(asked) <= sys.modules.keys())
    current = next(entry for entry in shell.pages if entry.name == shell.current_page)
    later = [entry for entry in shell.pages if entry is not current]
    assert asked == [entry.entry.partition(":")[0] for entry in (current, *later)]


def test_the_first_page_is_made_of_parts_that_are_made_before(
    make_shell: MakeShell, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """Each in a turn of its own, so that the window stays alive meanwhile."""
    turns: list[str] = []

    def parts(bridge: Bridge) -> Iterator[tuple[str, QWidget]]:
        for name in ("list", "form"):
            turns.append(name)
            QTimer.singleShot(0, lambda: turns.append("turn"))
            yield name, QLabel(name)

    class InParts(ChatLike):
        make_parts = staticmethod(parts)

        def __init__(self, bridge: Bridge, shell: ShellActions, made: dict[str, QWidget]) -> None:
            super().__init__(bridge, shell)
            turns.append(" and ".join(made))

    monkeypatch.setattr(sys.modules["plain_pages"], "ChatLike", InParts)
    shell = make_shell()
    qtbot.waitUntil(lambda: shell.current_page == "chat")
    assert turns == ["list", "turn", "form", "turn", "list and form"]


def test_a_page_that_is_opened_before_the_first_one_is_made_stays(make_shell: MakeShell, qtbot: QtBot) -> None:
    shell = make_shell(start=False)
    shell.start("chat")
    shell.open_page("documents")
    qtbot.waitUntil(lambda: shell._bridge.status is not None)
    qtbot.wait(50)
    assert (shell.current_page, MADE) == ("documents", ["documents"])
