"""The section on this machine: packs, new versions, and the report, as a person without a terminal uses them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import msgspec
import pytest
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, press, settle
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.fake_machine import GPU, UPDATE, WORKS
from ui.bridge import Bridge
from ui.features.settings import texts
from ui.features.settings.page import SettingsPage
from workbench.api.events import Progress
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.diagnosis import NO_PACK, Diagnosis
from workbench.records.models import Device
from workbench.subjects.machine.calls import (
    ChangeSettings,
    CheckUpdate,
    Diagnose,
    DownloadPack,
    DownloadUpdate,
    FindPacks,
    InstallPack,
    PackOffers,
    RemovePack,
    TryPack,
    UseProcessor,
)


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront) -> SettingsPage:
    page = SettingsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    settle(bridge, qtbot)
    return page


@pytest.fixture
def pack(tmp_path: Path) -> str:
    path = tmp_path / "vulkan-1.pack"
    path.touch()
    return str(path)


# -- what the machine has ----------------------------------------------------------------------------


def test_the_variant_and_the_reason_are_said(page: SettingsPage) -> None:
    assert page.fact(texts.VARIANT).startswith("zen4, the best that this processor has the instructions for")
    assert page.fact(texts.ENGINE) == "b6942 (1b7d4c3)"
    assert page.machine.reason.text() == "No runtime pack is installed, so the processor computes."
    assert not page.machine.problems.isVisibleTo(page)
    assert not page.machine.packs.processor_button.isVisibleTo(page)  # it is used already


def test_problems_are_shown_and_a_model_process_that_cannot_start_is_one(
    page: SettingsPage, qtbot: QtBot, front: FakeFront
) -> None:
    front.refuse(Diagnose, UserError("The data folder cannot be read.", "Check its permissions."))
    page.machine.refresh()
    qtbot.waitUntil(lambda: page.machine.problems.isVisibleTo(page))
    assert "The data folder cannot be read. Check its permissions." in page.machine.problems.text()
    assert page.fact(texts.VARIANT) == texts.UNKNOWN


def test_a_problem_is_said_once(page: SettingsPage, qtbot: QtBot, front: FakeFront) -> None:
    full = "The disk of the data folder has only 0.4 GB free. Free some space."
    found = Diagnosis(problems=(NO_PACK.format(reason="The Vulkan pack is not used."), full))
    front.answer(Diagnose, lambda call: [finish(found)])
    page.machine.refresh()
    qtbot.waitUntil(lambda: page.machine.problems.text() == full)


# -- runtime packs -----------------------------------------------------------------------------------


def test_a_pack_is_chosen_tried_and_used(
    page: SettingsPage, qtbot: QtBot, front: FakeFront, home: FakeHome, pack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *asked: (pack, ""))
    gpu = Device(name="Vulkan0", description=GPU, kind="gpu", memory_bytes=12_000_000_000)
    home.machine = msgspec.structs.replace(home.machine, devices=(gpu,))
    packs = page.machine.packs
    press(packs.install_button)
    qtbot.waitUntil(lambda: "vulkan-1" in packs.rows)
    assert front.asked(InstallPack) == [InstallPack(path=pack)]
    assert packs.rows["vulkan-1"].chip.text() == texts.IN_USE
    assert packs.rows["vulkan-1"].words == f"142.3 tokens per second on {GPU}, the processor 31.8."
    qtbot.waitUntil(lambda: packs.message.text == page.machine.reason.text())
    assert packs.message.text.startswith(f"Vulkan on {GPU} computes")
    qtbot.waitUntil(lambda: page.fact(texts.GRAPHICS) == f"{GPU}, 12 GB")  # what the new library sees


def test_a_dialog_that_is_left_asks_nothing(
    page: SettingsPage, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *asked: ("", ""))
    press(page.machine.packs.install_button)
    assert front.asked(InstallPack) == []


def test_a_trial_shows_its_stage_and_can_be_cancelled(
    page: SettingsPage, qtbot: QtBot, front: FakeFront, pack: str
) -> None:
    held = front.hold(InstallPack)
    packs = page.machine.packs
    packs.install(pack)
    held.emit(Progress(stage="trying Vulkan"))
    qtbot.waitUntil(lambda: "vulkan-1.pack: trying Vulkan." in packs.progress.words)
    assert not packs.install_button.isEnabled()
    assert packs.install_button.toolTip() == texts.PACK_BUSY
    press(packs.progress.stop_button)
    qtbot.waitUntil(lambda: not packs.busy)
    assert held.cancelled
    assert not packs.progress.isVisibleTo(page)
    assert packs.message.text.startswith("The trial of vulkan-1.pack was cancelled. No runtime pack is installed")
    assert packs.install_button.isEnabled()


def test_a_pack_that_is_slower_is_kept_and_not_used(
    page: SettingsPage, qtbot: QtBot, tmp_path: Path, front: FakeFront
) -> None:
    (tmp_path / "slow.pack").touch()
    packs = page.machine.packs
    packs.install(str(tmp_path / "slow.pack"))
    qtbot.waitUntil(lambda: "slow" in packs.rows)
    assert packs.rows["slow"].chip.text() == texts.NOT_USED
    assert "12.0 against 31.8 tokens per second" in packs.rows["slow"].words
    assert packs.message.text.startswith("The runtime pack slow is installed and not used;")
    qtbot.waitUntil(lambda: packs.rows["slow"].try_button.isVisibleTo(page))
    press(packs.rows["slow"].try_button)
    qtbot.waitUntil(lambda: front.asked(TryPack) == [TryPack(name="slow")])


def test_a_file_that_is_no_pack_is_named(page: SettingsPage, qtbot: QtBot) -> None:
    page.machine.packs.install("/nowhere/one.pack")
    qtbot.waitUntil(lambda: page.machine.packs.message.isVisibleTo(page))
    assert page.machine.packs.message.text == "/nowhere/one.pack cannot be read: No such file or directory."
    assert page.machine.packs.install_button.isEnabled()


def test_the_processor_can_be_chosen_and_the_pack_removed(
    page: SettingsPage, qtbot: QtBot, front: FakeFront, home: FakeHome, pack: str
) -> None:
    packs = page.machine.packs
    packs.install(pack)
    qtbot.waitUntil(lambda: packs.processor_button.isVisibleTo(page) and not packs.busy)
    press(packs.processor_button)
    qtbot.waitUntil(lambda: page.machine.reason.text() == "You chose the processor.")
    assert front.asked(UseProcessor) == [UseProcessor()]
    row = packs.rows["vulkan-1"]
    assert row.chip.text() == texts.WORKS
    qtbot.waitUntil(lambda: row.remove_button.isVisibleTo(page))
    press(row.remove_button)
    assert home.runtime.packs  # asked first
    press(row.confirm.confirm_button)
    qtbot.waitUntil(lambda: not packs.rows)
    assert front.asked(RemovePack) == [RemovePack(name="vulkan-1")]
    assert packs.message.text == "The runtime pack vulkan-1 was removed."


def test_a_pack_given_up_elsewhere_is_shown(
    page: SettingsPage, qtbot: QtBot, front: FakeFront, home: FakeHome, pack: str
) -> None:
    page.machine.packs.install(pack)
    qtbot.waitUntil(lambda: "vulkan-1" in page.machine.packs.rows)
    reason = "The model process crashed (exit code -11) while it used the runtime pack vulkan-1."
    choice = msgspec.structs.replace(home.runtime.choice, pack="", reason=reason, trials={"vulkan-1": WORKS})
    home.runtime = msgspec.structs.replace(home.runtime, choice=choice)
    front.announce("worker")
    qtbot.waitUntil(lambda: page.machine.reason.text() == reason)
    assert page.machine.packs.rows["vulkan-1"].chip.text() == texts.WORKS


# -- new versions ------------------------------------------------------------------------------------


def test_nothing_is_asked_by_itself_and_the_network_is_allowed_here(
    page: SettingsPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    home.update = UPDATE
    updates = page.machine.updates
    assert front.asked(CheckUpdate) == []
    assert updates.permission.text == texts.UPDATES_OFF
    press(updates.check_button)
    qtbot.waitUntil(lambda: "switched off for looking for new versions and runtime packs" in updates.message.text)
    press(updates.permission.action_button)
    qtbot.waitUntil(lambda: home.settings.network.updates)
    qtbot.waitUntil(lambda: not updates.permission.isVisibleTo(page))
    assert not updates.message.isVisibleTo(page)
    assert len(front.asked(CheckUpdate)) == 1  # to allow is not to ask


def test_offline_is_named_and_switched_off_by_allowing(
    page: SettingsPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    general = msgspec.structs.replace(home.settings.general, offline=True)
    home.settings = msgspec.structs.replace(home.settings, general=general)
    front.announce("settings")
    updates = page.machine.updates
    qtbot.waitUntil(lambda: texts.OFFLINE_TOO in updates.permission.text)
    press(updates.permission.action_button)
    qtbot.waitUntil(lambda: not home.settings.general.offline and home.settings.network.updates)


@pytest.fixture
def allowed(page: SettingsPage, qtbot: QtBot, home: FakeHome) -> SettingsPage:
    home.update = UPDATE
    press(page.machine.updates.permission.action_button)
    qtbot.waitUntil(lambda: not page.machine.updates.permission.isVisibleTo(page))
    return page


def test_a_newer_version_is_shown_downloaded_and_not_started(
    allowed: SettingsPage, qtbot: QtBot, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: not opened.append(url.toLocalFile()))
    updates = allowed.machine.updates
    press(updates.check_button)
    qtbot.waitUntil(lambda: updates.version.isVisibleTo(allowed))
    assert updates.version.text() == "Version 0.2.0 of 2026-11-26 is there. This one is 0.1.0."
    assert updates.file.text() == "File for this system: llm-workbench_0.2.0_amd64.deb, 574 MB"
    assert "checked twice as fast" in updates.notes.toPlainText()
    assert UPDATE.url in updates.place.text()
    press(updates.copy_button)
    assert QGuiApplication.clipboard().text() == UPDATE.url
    held = front.hold(DownloadUpdate)
    press(updates.download_button)
    held.emit(Progress(stage="downloading", done=287e6, total=574e6, unit="bytes"))
    qtbot.waitUntil(lambda: "287 MB of 574 MB" in updates.progress.words)
    path = "/home/ada/workbench/updates/new.deb"
    held.finish(msgspec.structs.replace(UPDATE, path=path, how=f"Install it with: sudo apt install {path}"))
    qtbot.waitUntil(lambda: path in updates.message.text)
    assert opened == []
    press(updates.message.action_button)
    assert opened == ["/home/ada/workbench/updates"]


def test_a_download_can_be_cancelled(allowed: SettingsPage, qtbot: QtBot, front: FakeFront) -> None:
    updates = allowed.machine.updates
    press(updates.check_button)
    qtbot.waitUntil(lambda: updates.version.isVisibleTo(allowed) and updates.download_button.isEnabled())
    held = front.hold(DownloadUpdate)
    press(updates.download_button)
    press(updates.progress.stop_button)
    qtbot.waitUntil(lambda: updates.download_button.isEnabled())
    assert held.cancelled
    assert not updates.message.isVisibleTo(allowed)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"newer": False, "version": "0.1.0"}, ""), ({"file": "", "bytes": 0, "url": ""}, "no installer for this system")],
)
def test_where_there_is_nothing_to_get_that_is_said(
    allowed: SettingsPage, qtbot: QtBot, home: FakeHome, changes: dict[str, object], said: str
) -> None:
    home.update = msgspec.structs.replace(UPDATE, **changes)
    updates = allowed.machine.updates
    press(updates.check_button)
    qtbot.waitUntil(lambda: updates.found is not None)
    assert not updates.download_button.isVisibleTo(allowed)
    if said:
        assert said in updates.file.text()
    else:
        assert updates.message.text == "This is the latest version, 0.1.0."


# -- the report --------------------------------------------------------------------------------------


def test_a_report_is_saved_where_the_person_says(
    page: SettingsPage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = page.machine.report
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *asked: (str(tmp_path / "mine"), ""))
    press(report.save_button)
    out = tmp_path / "mine.zip"
    qtbot.waitUntil(lambda: str(out) in report.message.text)
    assert zipfile.ZipFile(out).namelist() == ["diagnosis.txt"]
    assert not report.content.isVisibleTo(page)
    report.fold.setChecked(True)
    assert report.content.isVisibleTo(page)
    assert "zen4" in report.content.text()


def test_a_report_that_cannot_be_written_says_why(page: SettingsPage, qtbot: QtBot) -> None:
    page.machine.report.save_to("/nowhere/at/all/report.zip")
    qtbot.waitUntil(lambda: "cannot be written" in page.machine.report.message.text)
    assert page.machine.report.message.text.startswith("/nowhere/at/all/report.zip cannot be written: ")


def test_a_part_can_be_opened_by_name(page: SettingsPage, qtbot: QtBot) -> None:
    page.activateWindow()
    for part in ("pack", "update", "report"):
        page.open_target(section="machine", field=part)
        button = page.machine.part(part)
        qtbot.waitUntil(button.hasFocus)
        qtbot.waitUntil(lambda button=button: not button.visibleRegion().isEmpty())
    with pytest.raises(KeyError):
        page.open_target(section="machine", field="colour")


def test_packs_are_looked_for_after_permission_and_one_is_downloaded_and_tried(
    page: SettingsPage, qtbot: QtBot, front: FakeFront
) -> None:
    front.home.update = UPDATE
    packs = page.machine.packs
    assert not packs.offers.isVisibleTo(page)
    press(packs.offers.find_button)
    assert packs.offers.message.text.startswith(texts.PACKS_OFF)
    settle(page._bridge, qtbot)
    assert not front.asked(FindPacks)
    press(packs.offers.message.action_button)
    qtbot.waitUntil(lambda: list(packs.offers.rows) == ["vulkan-1"])
    assert front.asked(ChangeSettings)[-1].values == {"network": {"updates": True}, "general": {"offline": False}}
    qtbot.waitUntil(lambda: packs.offers.rows["vulkan-1"].isVisibleTo(page))
    press(packs.offers.rows["vulkan-1"])
    qtbot.waitUntil(lambda: "vulkan-1" in packs.rows)
    assert front.asked(DownloadPack) == [DownloadPack(name="vulkan-1")]
    qtbot.waitUntil(lambda: not packs.busy)
    assert packs.message.text == front.home.runtime.choice.reason
    assert packs.offers.rows == {}  # it is here now
    front.answer(FindPacks, lambda call: [finish(PackOffers())])
    press(packs.offers.find_button)
    qtbot.waitUntil(lambda: packs.offers.message.text == texts.NO_PACKS)
