"""*Set up training*: every page opens without the packages, says what it needs, and goes on once they are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, settle
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.fake_machine import WITHOUT_TRAINING
from ui import texts
from ui.bridge import Bridge
from ui.components.training_setup import TrainingSetupCard
from ui.features.feedback.learn import LearnPanel
from ui.features.settings.machine_card import MachineCard
from ui.features.training import texts as train_texts
from ui.features.training.page import TrainPage
from workbench.api.events import Failed, Progress
from workbench.subjects.machine.calls import ChangeSettings, OfferTrainingPackages, SetUpTraining
from workbench.subjects.trainings.calls import PlanTraining

NEEDS = "The packages of training are not installed."


@pytest.fixture
def card(qtbot: QtBot, bridge: Bridge, home: FakeHome) -> TrainingSetupCard:
    home.training_packages = WITHOUT_TRAINING
    parent = QWidget()
    qtbot.addWidget(parent)
    card = TrainingSetupCard(bridge, NEEDS)
    card.setParent(parent)
    parent.show()
    settle(bridge, qtbot)
    return card


def test_it_is_shown_only_where_the_packages_are_missing(qtbot: QtBot, bridge: Bridge, card: TrainingSetupCard) -> None:
    assert not card.isHidden()
    assert card.words.text() == NEEDS
    own = TrainingSetupCard(bridge, NEEDS)
    qtbot.addWidget(own)
    assert own.isHidden(), "nothing is said before it is known"


def test_nothing_is_asked_before_the_person_allows_it(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, card: TrainingSetupCard
) -> None:
    card.set_up_button.click()
    settle(bridge, qtbot)
    assert not front.asked(OfferTrainingPackages)
    assert texts.SET_UP_OFF in card.permission.text
    card.permission.action_button.click()
    qtbot.waitUntil(lambda: card.install_button.isVisible())
    (change,) = front.asked(ChangeSettings)
    assert change.values["network"] == {"packages": True}
    assert "304 MB to download from pypi.org" in card.message.text
    assert "1.0 GB on the disk" in card.message.text


def test_it_installs_from_a_folder_and_goes_away(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, card: TrainingSetupCard, tmp_path: Path
) -> None:
    card.ask(str(tmp_path))
    qtbot.waitUntil(lambda: card.install_button.isVisible())
    assert "Nothing is downloaded" in card.message.text
    card.install_button.click()
    qtbot.waitUntil(lambda: card.isHidden())
    assert front.asked(SetUpTraining) == [SetUpTraining(source=str(tmp_path))]
    assert card.state is not None
    assert card.state.ready


def test_what_cannot_be_used_is_said(qtbot: QtBot, bridge: Bridge, card: TrainingSetupCard, tmp_path: Path) -> None:
    card.ask(str(tmp_path / "gone"))
    qtbot.waitUntil(lambda: "There is no" in card.message.text)
    assert card.set_up_button.isVisible()


def test_asking_can_be_cancelled(qtbot: QtBot, bridge: Bridge, front: FakeFront, card: TrainingSetupCard) -> None:
    held = front.hold(OfferTrainingPackages)
    card.ask("/somewhere")
    held.emit(Progress(stage="asking for torch"))
    qtbot.waitUntil(lambda: "asking for torch" in card.progress.words)
    card.progress.stop_button.click()
    qtbot.waitUntil(lambda: held.cancelled)
    held.emit(Failed(message="It was stopped."))
    qtbot.waitUntil(lambda: card.set_up_button.isVisible())


def test_the_train_page_plans_once_the_packages_are_there(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, home: FakeHome, shell: RecordingShell
) -> None:
    home.training_packages = WITHOUT_TRAINING
    page = TrainPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1280, 800)
    page.show()
    settle(bridge, qtbot)
    page.setup.changed.emit(page.setup.config)
    assert not page.packages.isHidden()
    assert train_texts.PLAN_NEEDS_PACKAGES in page.setup.reason.full_text
    assert not front.asked(PlanTraining)
    page.packages.ask(str(Path(__file__).parent))
    qtbot.waitUntil(lambda: page.packages.install_button.isVisible())
    page.packages.install_button.click()
    qtbot.waitUntil(lambda: page.packages.isHidden())
    assert train_texts.PLAN_NEEDS_PACKAGES not in page.setup.reason.full_text


def test_preferences_and_settings_say_what_they_need(
    qtbot: QtBot, bridge: Bridge, home: FakeHome, shell: RecordingShell
) -> None:
    home.training_packages = WITHOUT_TRAINING
    learn, machine = LearnPanel(bridge, shell), MachineCard(bridge)
    for widget in (learn, machine):
        qtbot.addWidget(widget)
        widget.show()
    settle(bridge, qtbot)
    assert not learn.packages.isHidden()
    assert not machine.training.setup.isHidden()
    assert machine.training.summary.isHidden()


def test_the_settings_remove_what_was_set_up(qtbot: QtBot, bridge: Bridge, home: FakeHome, tmp_path: Path) -> None:
    home.training_packages = WITHOUT_TRAINING
    machine = MachineCard(bridge)
    qtbot.addWidget(machine)
    machine.show()
    settle(bridge, qtbot)
    part = machine.training
    part.setup.ask(str(tmp_path))
    qtbot.waitUntil(lambda: part.setup.install_button.isVisible())
    part.setup.install_button.click()
    qtbot.waitUntil(lambda: part.remove_button.isVisible())
    assert "torch 2.13.0+cpu" in part.summary.text()
    part.remove_button.click()
    part.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: not part.setup.isHidden())
    assert not home.training_packages.ready
