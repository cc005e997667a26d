"""Backups in the settings: written, stopped, restored beside or in the place of the present data."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, press, settle
from tests.ui.fake_front import FakeFront
from ui.bridge import Bridge
from ui.features.settings import backup_texts as texts
from ui.features.settings.page import SettingsPage
from workbench.api.events import Cancelled
from workbench.base.errors import UserError
from workbench.subjects.backup.calls import BackUp, InspectBackup, RestoreBackup
from workbench.subjects.runs.calls import FollowRun, StopRun


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront) -> SettingsPage:
    page = SettingsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    settle(bridge, qtbot)
    return page


@pytest.fixture
def backup(tmp_path: Path) -> str:
    path = tmp_path / "b.zip"
    path.touch()
    return str(path)


def test_a_backup_is_written_where_the_person_says(
    page: SettingsPage, qtbot: QtBot, bridge: Bridge, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: ("/backups/mine", ""))
    page.backup.without_downloads.setChecked(True)
    press(page.backup.back_up_button)
    qtbot.waitUntil(lambda: "The backup is /backups/mine.zip" in page.backup.message.text)
    assert front.asked(BackUp) == [BackUp(path="/backups/mine.zip", without_downloads=True)]
    said = page.backup.message.text
    assert "It holds 212 files." in said
    assert "Not in it: Read the manuals, the model Mistral 7B, which is in /data/mistral-7b.gguf." in said
    assert page.backup.back_up_button.isEnabled()


def test_a_backup_can_be_stopped(page: SettingsPage, qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    held = front.hold(FollowRun)
    page.backup.back_up_to("/backups/mine.zip")
    qtbot.waitUntil(lambda: page.backup.progress.isVisibleTo(page))
    assert not page.backup.back_up_button.isEnabled()
    assert page.backup.back_up_button.toolTip() == texts.BUSY
    press(page.backup.progress.stop_button)
    qtbot.waitUntil(lambda: bool(front.asked(StopRun)))
    held.emit(Cancelled())
    qtbot.waitUntil(lambda: page.backup.message.text == texts.STOPPED)


def test_a_backup_is_restored_into_a_folder_and_opened(
    page: SettingsPage, qtbot: QtBot, front: FakeFront, backup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = page.backup.restore_from(backup)
    qtbot.waitUntil(lambda: "was made on" in dialog.facts.text())
    assert "212 files, 104 MB" in dialog.facts.text()
    assert "Mistral 7B" in dialog.not_held.text()
    assert not dialog.go.isEnabled()
    assert dialog.go.toolTip() == texts.FOLDER_NEEDED
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *given: "/new/home")
    press(dialog.choose)
    press(dialog.go)
    qtbot.waitUntil(lambda: "was restored into /new/home" in page.backup.message.text)
    assert front.asked(RestoreBackup) == [RestoreBackup(path=backup, folder="/new/home")]
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **rest: started.append(command))
    press(page.backup.message.action_button)
    assert [command[-2:] for command in started] == [["ui.main", "--home=/new/home"]]


def test_a_backup_takes_the_place_of_the_data_after_a_restart(
    page: SettingsPage, qtbot: QtBot, bridge: Bridge, front: FakeFront, backup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = page.backup.restore_from(backup)
    qtbot.waitUntil(lambda: "was made on" in dialog.facts.text())
    dialog.in_place.setChecked(True)
    assert not dialog.folder.isEnabled()
    press(dialog.go)
    qtbot.waitUntil(lambda: page.backup.message.text == texts.RESTORED_IN_PLACE)
    assert front.asked(RestoreBackup) == [RestoreBackup(path=backup)]
    started: list[Any] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **rest: started.append(command))
    press(page.backup.message.action_button)
    assert bridge.status is not None
    assert started[0][-1] == f"--home={bridge.status.home}"
    assert not page.isVisible()


def test_what_is_no_backup_cannot_be_restored(page: SettingsPage, qtbot: QtBot, front: FakeFront, backup: str) -> None:
    front.refuse(InspectBackup, UserError("It is not a whole backup.", "Choose another one."))
    dialog = page.backup.restore_from(backup)
    qtbot.waitUntil(lambda: "not a whole backup" in dialog.message.text)
    dialog.in_place.setChecked(True)
    assert not dialog.go.isEnabled()
