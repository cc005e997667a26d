"""The settings page: from the types to the core and back."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, choose, settle
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from ui.bridge import Bridge
from ui.components.choice_box import ChoiceBox
from ui.features.settings import network_texts, texts
from ui.features.settings.page import SettingsPage
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.base.fields import fields_of
from workbench.base.settings import SECTIONS
from workbench.subjects.machine.calls import ChangeSettings, GetSettings
from workbench.subjects.serving.calls import ApiState, GetApiState, RemoveApiClient


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront) -> SettingsPage:
    page = SettingsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    qtbot.waitUntil(lambda: bridge.status is not None and len(front.asked(GetSettings)) > 0)
    return page


def words(page: SettingsPage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel))


def line(page: SettingsPage, section: str, name: str) -> QLineEdit:
    control = page.forms[section].row(name).control
    assert isinstance(control, QLineEdit)
    return control


def test_every_setting_is_there(page: SettingsPage) -> None:
    for form in page.forms.values():
        form.fold.setChecked(True)
    said = words(page)
    for section, config in SECTIONS.items():
        for field in fields_of(config):
            assert field.title in said
            assert page.forms[section].row(field.name).field == field
    assert "takes effect when a model is next loaded" in said


def test_a_change_is_saved_at_once(page: SettingsPage, qtbot: QtBot, front: FakeFront) -> None:
    control = line(page, "engine", "threads")
    control.setFocus()
    control.selectAll()
    QTest.keyClicks(control, "6")
    QTest.keyClick(control, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: front.home.settings.engine.threads == 6)
    assert front.asked(ChangeSettings) == [ChangeSettings(values={"engine": {"threads": 6}})]


def test_what_the_core_refuses_stands_beside_the_field(page: SettingsPage, qtbot: QtBot, front: FakeFront) -> None:
    front.refuse(ChangeSettings, UserError("The settings file cannot be written.", "Free some disk space."))
    box = page.forms["general"].row("theme").control
    assert isinstance(box, QComboBox)
    choose(box, "Dark")
    row = page.forms["general"].row("theme")
    qtbot.waitUntil(row.error.isVisible)
    assert row.error.text() == "The settings file cannot be written. Free some disk space."


def test_the_default_model_is_one_of_those_that_there_are(
    page: SettingsPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    box = page.forms["general"].row("model").control
    assert isinstance(box, ChoiceBox)
    names = [model.name for model in home.models.values() if model.kind == "chat"]
    qtbot.waitUntil(lambda: [box.itemData(row) for row in range(box.count())] == ["", *names])
    box.setCurrentIndex(1)
    box.activated.emit(1)
    qtbot.waitUntil(lambda: front.asked(ChangeSettings) == [ChangeSettings(values={"general": {"model": names[0]}})])
    qtbot.waitUntil(lambda: home.settings.general.model == names[0])
    home.models.clear()
    front.announce("model", names[0])
    qtbot.waitUntil(lambda: box.count() == 2)  # it says that it is gone
    assert box.value == names[0]


def test_a_change_from_elsewhere_is_shown(page: SettingsPage, qtbot: QtBot, front: FakeFront) -> None:
    engine = msgspec.structs.replace(front.home.settings.engine, threads=3)
    front.home.settings = msgspec.structs.replace(front.home.settings, engine=engine)
    front.announce("settings")
    qtbot.waitUntil(lambda: line(page, "engine", "threads").text() == "3")


def test_what_of_the_file_cannot_be_read_is_said(page: SettingsPage, qtbot: QtBot, front: FakeFront) -> None:
    assert not page.problems.isVisible()
    problem = "The setting engine.threads in settings.toml is not used: expected `int` <= 256."
    front.home.settings = msgspec.structs.replace(front.home.settings, problems=(problem,))
    front.announce("settings")
    qtbot.waitUntil(page.problems.isVisible)
    assert page.problems.text() == problem


def test_a_field_can_be_opened_by_name(page: SettingsPage, qtbot: QtBot) -> None:
    page.activateWindow()
    page.open_target(section="engine", field="kv_type")
    control = page.forms["engine"].row("kv_type").control
    qtbot.waitUntil(control.hasFocus)
    qtbot.waitUntil(lambda: not control.visibleRegion().isEmpty())


def test_the_program_the_data_and_the_machine_are_told(page: SettingsPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "8 cores" in page.fact(texts.PROCESSOR))
    assert page.fact(texts.VERSION) == "0.1.0"
    assert page.fact(texts.DATA_FOLDER) == "/home/ada/workbench"
    assert page.fact(texts.MEMORY) == "32 GB, 21 GB free"
    assert page.fact(texts.GRAPHICS) == texts.NO_GRAPHICS
    assert page.fact(texts.FREE_DISK) == "412 GB"


def test_what_reads_scans_and_old_files_is_told(page: SettingsPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.fact(texts.TEXT_RECOGNITION) == "Tesseract 5.5.0 (deu, eng)")
    assert page.fact(texts.OLD_OFFICE) == "found"


def test_where_no_program_opens_folders_the_path_is_said(
    page: SettingsPage, shell: RecordingShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(url: object) -> bool:
        asked.append(str(url))
        return False

    monkeypatch.setattr(QDesktopServices, "openUrl", refuse)
    page.folder_button.click()
    assert "/home/ada/workbench" in asked[0]
    assert "/home/ada/workbench" in shell.messages[0][0]


def test_the_api_shows_a_request_to_copy_while_it_is_served(page: SettingsPage, qtbot: QtBot, front: FakeFront) -> None:
    assert not page.api.example.isVisibleTo(page)
    front.call(ChangeSettings(values={"server": {"enabled": True, "port": 5005}}))
    qtbot.waitUntil(lambda: page.api.example.isVisibleTo(page))
    qtbot.waitUntil(lambda: texts.HIDDEN_KEY in page.api.example.code)
    assert "wb-key-1" not in page.api.example.code + page.api.key.text()
    QTest.mouseClick(page.api.example.copy_button, Qt.MouseButton.LeftButton)
    assert "wb-key-1" in QGuiApplication.clipboard().text()
    page.api.show_key.click()
    assert "wb-key-1" in page.api.example.code
    assert "wb-key-1" in page.api.key.text()
    assert "http://127.0.0.1:5005/v1" in page.api.example.code
    assert "12 requests answered, 1 refused" in page.api.status.text()
    QTest.mouseClick(page.api.copy_key, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "wb-key-1"
    QTest.mouseClick(page.api.renew, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "wb-key-2" in page.api.example.code)
    front.call(ChangeSettings(values={"server": {"enabled": False}}))
    qtbot.waitUntil(lambda: not page.api.example.isVisibleTo(page))


def test_another_machine_gets_a_code_once_and_is_removed(page: SettingsPage, qtbot: QtBot, front: FakeFront) -> None:
    clients = page.clients
    assert clients.status.text() == network_texts.NOT_SERVED
    front.call(ChangeSettings(values={"server": {"enabled": True, "shared": True}}))
    qtbot.waitUntil(lambda: "https://192.168.1.20:4712/v1" in clients.status.text())
    assert not clients.make_button.isEnabled()
    clients.name.setText("Anna's laptop")
    QTest.mouseClick(clients.make_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Anna's laptop" in clients.rows)
    QTest.mouseClick(clients.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text().startswith("workbench1:")
    assert clients.name.text() == ""
    clients.name.setText("Anna's laptop")
    QTest.keyClick(clients.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "already" in clients.message.text)
    row = clients.rows["Anna's laptop"]
    QTest.mouseClick(row.remove_button, Qt.MouseButton.LeftButton)
    QTest.mouseClick(row.confirm.confirm_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not clients.rows)
    assert front.asked(RemoveApiClient) == [RemoveApiClient(name="Anna's laptop")]


def test_a_port_that_is_taken_is_said(page: SettingsPage, qtbot: QtBot, front: FakeFront) -> None:
    taken = ApiState(running=False, problem="The port 5005 cannot be used: Address already in use.")
    front.answer(GetApiState, lambda call: [finish(taken)])
    page.api.refresh()
    qtbot.waitUntil(lambda: page.api.problem.isVisibleTo(page))
    assert "port 5005" in page.api.problem.text()


def test_a_folder_for_models_is_chosen_in_a_dialog_or_typed(
    page: SettingsPage, qtbot: QtBot, bridge: Bridge, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = page.forms["general"].row("model_folder")
    line = row.control
    assert isinstance(line, QLineEdit)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *given: "/media/drive/models")
    (action,) = line.actions()
    action.trigger()
    settle(bridge, qtbot)
    assert front.home.settings.general.model_folder == "/media/drive/models"
    refusal = "The folder for models /nowhere is not there: its drive may not be connected."
    front.refuse(ChangeSettings, UserError(refusal, "Connect the drive."))
    line.setText("/nowhere")
    line.editingFinished.emit()
    settle(bridge, qtbot)
    assert row.error.text() == f"{refusal} Connect the drive."
    assert front.home.settings.general.model_folder == "/media/drive/models"
