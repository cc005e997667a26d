"""The section on engines, as a person without a terminal uses it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, press, settle
from tests.ui.fake_engines import CRASHED, engine
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from ui.bridge import Bridge
from ui.components.basics import Chip
from ui.features.settings import engine_texts as texts
from ui.features.settings.page import SettingsPage
from workbench.api.events import Progress
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.subjects.machine.calls import AddEngine, FindEngines, GetEngines, RemoveEngine, TryEngine, UseEngine


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome) -> SettingsPage:
    engines = (engine("0.3.35"), engine("0.3.34", CRASHED))
    home.engines = msgspec.structs.replace(home.engines, engines=engines)
    page = SettingsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    settle(bridge, qtbot)
    return page


def test_each_engine_says_its_state_and_why(page: SettingsPage) -> None:
    card = page.engines
    assert card.reason.text() == "Models are computed by the engine that the program came with."
    assert list(card.rows) == ["bundled", "0.3.35", "0.3.34"]
    assert card.rows["bundled"].buttons == []
    assert "33.1 tokens per second" in card.rows["0.3.35"].words
    assert card.rows["0.3.34"].words == CRASHED.problem
    assert card.rows["0.3.34"].use_button not in card.rows["0.3.34"].buttons


def test_an_engine_that_was_given_up_says_so(page: SettingsPage, qtbot: QtBot, bridge: Bridge, home: FakeHome) -> None:
    reason = "The model process crashed with the engine 0.3.35. The bundled engine computes now."
    home.engines = msgspec.structs.replace(home.engines, chosen="0.3.35", reason=reason)
    bridge.home.listing(GetEngines()).put(home.engines)
    settle(bridge, qtbot)
    assert page.engines.problem.isVisibleTo(page)
    assert page.engines.problem.text() == reason
    assert [chip.text() for chip in page.engines.rows["0.3.35"].findChildren(Chip)] == [texts.GIVEN_UP]


def test_a_file_is_added_by_a_run_and_its_end_is_told(
    page: SettingsPage, qtbot: QtBot, bridge: Bridge, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/home/ada/llama_cpp_python-0.3.37-py3-none-linux_x86_64.whl"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *given: (path, ""))
    press(page.engines.add_button)
    settle(bridge, qtbot)
    assert front.asked(AddEngine) == [AddEngine(path=path)]
    assert page.engines.message.text == texts.ADDED.format(name="0.3.37")
    assert page.engines.rows["0.3.37"].buttons[0].text() == texts.TEST  # it is in use already


def test_one_that_does_not_pass_is_told_with_its_reason(page: SettingsPage, qtbot: QtBot, bridge: Bridge) -> None:
    page.engines.add("/home/ada/broken.whl")
    settle(bridge, qtbot)
    assert page.engines.message.text == texts.NOT_USED.format(name="0.3.37", problem=CRASHED.problem)
    assert page.engines.reason.text().endswith("the engine that the program came with.")


def test_a_test_is_followed_can_be_stopped_and_nothing_else_goes_on_meanwhile(
    page: SettingsPage, qtbot: QtBot, bridge: Bridge, front: FakeFront
) -> None:
    held = front.hold(TryEngine)
    card = page.engines
    press(card.rows["0.3.34"].test_button)
    held.emit(Progress(stage="loading a model"))
    settle(bridge, qtbot)
    assert card.progress.words == "0.3.34: loading a model"
    assert not card.add_button.isEnabled()
    assert card.add_button.toolTip() == texts.BUSY
    assert not card.rows["bundled"].buttons
    card.stop()
    held.emit(finish(page.engines._state))
    settle(bridge, qtbot)
    assert not card.busy
    assert card.add_button.isEnabled()


def test_an_engine_is_used_and_the_bundled_one_again(
    page: SettingsPage, qtbot: QtBot, bridge: Bridge, home: FakeHome
) -> None:
    press(page.engines.rows["0.3.35"].use_button)
    settle(bridge, qtbot)
    assert home.engines.used == "0.3.35"
    assert page.engines.message.text == texts.ADDED.format(name="0.3.35")
    press(page.engines.rows["bundled"].use_button)
    settle(bridge, qtbot)
    assert home.engines.used == "bundled"
    assert page.engines.message.text == texts.BUNDLED_CHOSEN


def test_a_refusal_is_shown(page: SettingsPage, qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    front.refuse(UseEngine, UserError("The engine 0.3.35 is not used. It crashed.", "The one before goes on."))
    press(page.engines.rows["0.3.35"].use_button)
    settle(bridge, qtbot)
    assert page.engines.message.text == "The engine 0.3.35 is not used. It crashed. The one before goes on."


def test_removing_asks_first(page: SettingsPage, qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    row = page.engines.rows["0.3.35"]
    press(row.remove_button)
    assert front.asked(RemoveEngine) == []
    press(row.confirm.confirm_button)
    settle(bridge, qtbot)
    assert front.asked(RemoveEngine) == [RemoveEngine(name="0.3.35")]
    assert "0.3.35" not in page.engines.rows


def test_the_index_is_asked_once_the_network_is_allowed(
    page: SettingsPage, qtbot: QtBot, bridge: Bridge, front: FakeFront, home: FakeHome
) -> None:
    offers = page.engines.offers
    press(offers.find_button)
    settle(bridge, qtbot)
    assert front.asked(FindEngines) == []
    assert offers.message.text == texts.NETWORK_OFF
    press(offers.message.action_button)
    settle(bridge, qtbot)
    assert home.settings.network.packages
    assert list(offers.rows) == ["0.3.38", "0.3.37"]  # the bundled version is here already
    press(offers.rows["0.3.37"])
    settle(bridge, qtbot)
    assert front.asked(AddEngine) == [AddEngine(version="0.3.37")]
    assert list(offers.rows) == ["0.3.38"]


def test_a_target_shows_the_section(page: SettingsPage, qtbot: QtBot, tmp_path: Path) -> None:
    page.open_target(section="engines", field="find")
    assert page.engines.offers.find_button.hasFocus() or page.focusWidget() is page.engines.offers.find_button
