"""The first start: from nothing to the first question."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome, running_ingest
from ui.bridge import Bridge
from ui.features.welcome import texts
from ui.features.welcome.page import SAMPLES, WelcomePage
from workbench import calls as c
from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.documents import SAMPLE_COLLECTION
from workbench.records.local_models import LocalModel
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.subjects.machine.calls import WarmUp
from workbench.subjects.models.calls import FindLocalModels, ImportModel, LocalModels
from workbench.subjects.runs.calls import FollowRun, StopRun


@pytest.fixture
def home() -> FakeHome:
    return FakeHome()


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> WelcomePage:
    page = WelcomePage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1000, 800)
    page.show()
    qtbot.waitUntil(lambda: "8 processor cores" in words(page))
    return page


def words(page: WelcomePage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel))


def files(page: WelcomePage) -> list[str]:
    return [page.files.list.item(row).text() for row in range(page.files.list.count())]


def test_it_says_what_this_machine_has(page: WelcomePage) -> None:
    said = words(page)
    assert texts.MEMORY.format(bytes="32 GB", bytes2="21 GB") in said
    assert texts.FREE_DISK.format(bytes="412 GB") in said
    assert page.question_step.words == texts.NEEDS_FIRST.format(names=f"{texts.A_MODEL} and {texts.SOME_DOCUMENTS}")


def simple(home: FakeHome) -> None:
    general = msgspec.structs.replace(home.settings.general, all_techniques=False)
    home.settings = msgspec.structs.replace(home.settings, general=general)


@pytest.mark.parametrize("all", [False, True])
def test_a_new_home_asks_once_what_the_window_is_for(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome, all: bool
) -> None:
    simple(home)
    page = WelcomePage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(page.purpose.isVisible)
    (page.purpose.techniques_button if all else page.purpose.answers_button).click()
    qtbot.waitUntil(lambda: home.settings.general.all_techniques is all)
    assert not page.purpose.isVisible()
    again = WelcomePage(bridge, shell)
    qtbot.addWidget(again)
    again.recall(page.remember())
    again.show()
    qtbot.waitUntil(lambda: "8 processor cores" in words(again))
    assert not again.purpose.isVisible()


def test_a_home_that_shows_all_techniques_is_not_asked(page: WelcomePage) -> None:
    assert not page.purpose.isVisible()


def test_the_document_process_warms_up_while_the_person_reads(
    page: WelcomePage, front: FakeFront, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: front.asked(WarmUp) == [WarmUp()])
    page.hide()
    page.show()
    front.wait_idle()
    assert front.asked(WarmUp) == [WarmUp()]


def test_a_model_that_is_on_the_disk_already_is_offered_where_it_fits(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront
) -> None:
    found = (
        LocalModel(name="small:1b", source="Ollama", path="/o/a", bytes=900_000_000),
        LocalModel(name="qwen3:4b", source="Ollama", path="/o/b", bytes=2_500_000_000),
        LocalModel(name="huge:70b", source="LM Studio", path="/l/c", bytes=40_000_000_000),
        LocalModel(name="mine", source="Ollama", path="/o/d", bytes=3_000_000_000, known="Mine"),
    )
    front.answer(FindLocalModels, lambda call: [finish(LocalModels(models=found))])
    page = WelcomePage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    offer = texts.FROM_DISK.format(name="qwen3:4b", source="Ollama", bytes="2.5 GB")
    qtbot.waitUntil(lambda: page.disk_button.isVisible() and page.disk_button.text() == offer)
    front.refuse(ImportModel, UserError("It is damaged.", "Pull it again."))
    page.disk_button.click()
    qtbot.waitUntil(lambda: page.model_step.problem == "It is damaged. Pull it again.")
    front.answer(ImportModel, lambda call: [finish(front.home.model("SmolLM2-135M-Instruct"))])
    page.starter_button.click()
    qtbot.waitUntil(lambda: not page.disk_button.isVisible())  # there is a model now
    assert [call.path for call in front.asked(ImportModel)] == ["/o/b"]


def test_the_starter_is_one_click(page: WelcomePage, qtbot: QtBot) -> None:
    page.starter_button.click()
    qtbot.waitUntil(
        lambda: texts.MODEL_READY.format(name="SmolLM2-135M-Instruct", bytes="92 MB") in page.model_step.words
    )
    assert not page.starter_button.isVisible()
    assert page.question_step.words == texts.NEEDS_FIRST.format(names=texts.SOME_DOCUMENTS)


def test_a_starter_that_went_says_what_to_do(page: WelcomePage, qtbot: QtBot, front: FakeFront) -> None:
    front.home.starters = ()
    page.starter_button.click()
    qtbot.waitUntil(lambda: "pip install" in page.model_step.problem)
    assert page.starter_button.isEnabled()


def test_a_missing_starter_is_told_before_the_click(page: WelcomePage, qtbot: QtBot, front: FakeFront) -> None:
    starters, front.home.starters = front.home.starters, ()
    front.announce("model")
    qtbot.waitUntil(lambda: "pip install" in page.model_step.words)
    assert not page.starter_button.isVisible()
    front.home.starters = starters
    page.look_button.click()
    qtbot.waitUntil(page.starter_button.isVisible)
    assert "pip install" not in page.model_step.words
    assert not page.look_button.isVisible()


def test_chosen_files_are_read(page: WelcomePage, qtbot: QtBot, front: FakeFront, tmp_path: Path) -> None:
    paper = tmp_path / "paper.txt"
    paper.write_text("Paper")
    page.drop.files_button.click()
    dialog = page.drop.findChild(QFileDialog)
    assert dialog is not None
    dialog.filesSelected.emit([str(paper)])
    dialog.close()
    qtbot.waitUntil(lambda: bool(front.asked(AddDocuments)))
    assert [call.paths for call in front.asked(AddDocuments)] == [(str(paper),)]


def test_the_sample_is_read_file_by_file_and_leads_to_its_questions(
    page: WelcomePage, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    page.starter_button.click()
    page.sample_button.click()
    qtbot.waitUntil(lambda: page.files.outcome == "8 files read")
    qtbot.waitUntil(lambda: len(page.question_buttons) == 3)
    assert front.asked(CreateCollection) == [CreateCollection(name=SAMPLE_COLLECTION)]
    assert len(files(page)) == len(list(SAMPLES.iterdir())) == 8
    assert any(text.startswith("warranty-terms.txt  ·  read, ") for text in files(page))
    assert [button.text() for button in page.question_buttons] == list(texts.SAMPLE_QUESTIONS)
    assert not page.sample_button.isEnabled()
    assert page.sample_button.text() == texts.SAMPLE_THERE
    page.question_buttons[0].click()
    target = {"new": True, "collection": SAMPLE_COLLECTION, "question": texts.SAMPLE_QUESTIONS[0]}
    assert shell.opened == [("chat", target)]


def test_the_keyboard_goes_on_from_the_sample_to_its_questions(page: WelcomePage, qtbot: QtBot) -> None:
    page.starter_button.click()
    page.activateWindow()
    page.sample_button.setFocus()
    qtbot.waitUntil(page.sample_button.hasFocus)
    QTest.keyClick(page.sample_button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(page.question_buttons) == 3)
    qtbot.waitUntil(page.question_buttons[0].hasFocus)


def test_a_long_name_leaves_room_for_the_reason(page: WelcomePage) -> None:
    path = "/papers/Quarterly report of the region, final version 3 (approved by the board).pdf"
    result = {"state": "failed", "reason": "The file has no text."}
    page.files.begin("Reading")
    page.files.show_events([events.Artifact(kind="document", id=path, result=result)])
    assert files(page) == ["Quarterly repo…he board).pdf  ·  The file has no text."]
    assert page.files.list.item(0).toolTip() == f"{path}\nThe file has no text."


def test_a_dropped_folder_becomes_a_collection_of_its_name(
    page: WelcomePage, qtbot: QtBot, front: FakeFront, shell: RecordingShell, tmp_path: Path
) -> None:
    front.home.models.update({model.name: model for model in front.home.starters})
    front.announce("model")
    folder = tmp_path / "Contracts"
    folder.mkdir()
    (folder / "lease.txt").write_text("The rent is due on the first day.\n\nNotice is three months.")
    (folder / "broken.txt").write_bytes(b"\xff\xfe\xff")
    page.drop.dropped.emit([str(folder)])
    qtbot.waitUntil(lambda: page.files.outcome == "1 file failed, 1 file read")
    qtbot.waitUntil(page.ask_button.isVisible)
    assert front.asked(CreateCollection) == [CreateCollection(name="Contracts")]
    assert front.asked(AddDocuments)[0].paths == (str(folder),)
    assert files(page) == ["broken.txt  ·  The file cannot be read.", "lease.txt  ·  read, 2 passages"]
    page.ask_button.click()
    assert shell.opened == [("chat", {"new": True, "collection": "Contracts", "question": ""})]


def test_dropping_on_a_known_name_adds_to_it(page: WelcomePage, qtbot: QtBot, front: FakeFront, tmp_path: Path) -> None:
    known = front.home.create_collection("My documents")
    collections = page._bridge.home.listing(c.ListCollections())
    front.announce("collection", known.id)
    qtbot.waitUntil(lambda: collections.value is not None and known in collections.value.collections)
    (tmp_path / "a.txt").write_text("One.")
    page.drop.dropped.emit([str(tmp_path / "a.txt")])
    qtbot.waitUntil(lambda: len(files(page)) == 1)
    assert front.asked(CreateCollection) == []
    assert front.asked(AddDocuments)[0].collection == known.id


def test_reading_can_be_stopped_and_shows_how_far_it_is(
    page: WelcomePage, qtbot: QtBot, front: FakeFront, tmp_path: Path
) -> None:
    held = front.hold(FollowRun)
    (tmp_path / "one.txt").write_text("One.")
    page.add_paths([str(tmp_path / "one.txt")])
    qtbot.waitUntil(lambda: held.call is not None)
    held.emit(
        events.Artifact(kind="document", id="/a/one.pdf", result={"state": "indexed", "chunks": 1}),
        events.Progress(stage="reading", done=1, total=8, unit="files", seconds_left=70),
    )
    qtbot.waitUntil(lambda: files(page) == ["one.pdf  ·  read, 1 passage"])
    assert page.files.progress.words.endswith("1 of 8 files · 1 min left")
    assert not page.sample_button.isEnabled()
    assert page.sample_button.toolTip() == texts.READING
    page.files.progress.stop_button.click()
    qtbot.waitUntil(lambda: len(front.asked(StopRun)) == 1)
    held.emit(events.Cancelled())
    qtbot.waitUntil(lambda: page.files.outcome == texts.STOPPED)
    qtbot.waitUntil(page.sample_button.isEnabled)


def test_why_reading_cannot_begin_is_said_in_its_step(page: WelcomePage, qtbot: QtBot, front: FakeFront) -> None:
    front.refuse(AddDocuments, UserError("There is no model for search.", "Use the starter first."))
    page.sample_button.click()
    qtbot.waitUntil(lambda: page.documents_step.problem == "There is no model for search. Use the starter first.")
    assert not page.files.isVisible()
    assert page.sample_button.isEnabled()


def test_a_wider_font_cuts_no_button_of_the_first_step(page: WelcomePage, qtbot: QtBot) -> None:
    font = QFont(page.font())
    font.setStretch(140)
    page.setFont(font)
    buttons = [one for one in page.model_step.findChildren(QPushButton) if one.isVisible()]
    assert len(buttons) == 3
    for one in buttons:
        one.setFont(font)
    qtbot.waitUntil(lambda: all(one.width() >= one.sizeHint().width() for one in buttons))
    assert len({one.y() for one in buttons}) == 2  # what has no room is on a line of its own


def test_the_first_start_needs_no_scrolling_in_a_window_of_760_pixels(page: WelcomePage, qtbot: QtBot) -> None:
    page.resize(1124, 668)  # what the frame leaves it of 1280 x 760
    qtbot.waitUntil(lambda: page.size() == QSize(1124, 668))
    QApplication.processEvents()
    assert page.scrolled.verticalScrollBar().maximum() == 0
    end = page.leave_button.mapTo(page, page.leave_button.rect().bottomLeft()).y()
    assert end < page.height()


def test_all_eight_files_of_the_sample_are_in_sight(page: WelcomePage, qtbot: QtBot) -> None:
    page.sample_button.click()
    qtbot.waitUntil(lambda: page.files.outcome == "8 files read")
    QApplication.processEvents()
    assert page.files.list.count() == 8
    assert page.files.list.verticalScrollBar().maximum() == 0


def test_nothing_moves_when_the_page_grows_longer_than_the_window(page: WelcomePage, qtbot: QtBot) -> None:
    place = page.model_step.mapTo(page, page.model_step.rect().topLeft()).x()
    page.resize(1000, 300)
    qtbot.waitUntil(lambda: page.scrolled.verticalScrollBar().maximum() > 0)
    assert page.model_step.mapTo(page, page.model_step.rect().topLeft()).x() == place
    page.resize(1000, 2000)
    qtbot.waitUntil(lambda: page.scrolled.verticalScrollBar().maximum() == 0)
    assert page.scrolled.verticalScrollBar().property("idle") is True  # its place is kept, unseen
    assert page.model_step.mapTo(page, page.model_step.rect().topLeft()).x() == place


def test_an_ingest_that_goes_on_from_before_is_shown(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront
) -> None:
    page = WelcomePage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    held = front.hold(FollowRun)
    run = running_ingest(front.home)
    front.announce("run", run.id)
    qtbot.waitUntil(lambda: held.call is not None)
    assert held.call.run == run.id
    assert page.files.isVisible()


def test_it_can_be_left(page: WelcomePage, shell: RecordingShell) -> None:
    page.leave_button.click()
    assert shell.opened == [("chat", {})]
