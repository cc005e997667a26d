"""The recommended models: known without a network, with what fits, and downloaded once the network is allowed."""

from __future__ import annotations

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from ui.bridge import Bridge
from ui.features.models import hub_texts as texts
from ui.features.models.page import ModelsPage
from ui.features.models.recommended_panel import RecommendedPanel
from workbench import calls as c

SMALL, LARGE = "Qwen3-4B-Q4_K_M.gguf", "Qwen3-30B-A3B-Q4_K_M.gguf"


@pytest.fixture
def panel(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> RecommendedPanel:
    page = ModelsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1100, 700)
    page.show()
    page.open_target(section="recommended")
    qtbot.waitUntil(lambda: bool(page.recommended.rows))
    return page.recommended


def test_the_list_is_there_before_a_network_is_allowed(panel: RecommendedPanel, front: FakeFront) -> None:
    assert not front.home.settings.network.hub
    assert panel.rows[SMALL].download_button.isEnabled()
    too_big = panel.rows[LARGE]
    assert not too_big.download_button.isEnabled()
    assert too_big.problem.isVisible()
    assert "half stays free" in too_big.download_button.toolTip()
    assert not front.asked(c.DownloadModel)


def test_a_press_asks_for_the_permission_and_downloads(
    qtbot: QtBot, panel: RecommendedPanel, front: FakeFront, home: FakeHome
) -> None:
    panel.rows[SMALL].download_button.click()
    assert panel.message.isVisible()
    assert "Qwen3 4B (2.5 GB)" in panel.message.text
    assert not front.asked(c.DownloadModel)
    panel.message.action_button.click()
    qtbot.waitUntil(lambda: len(front.asked(c.DownloadModel)) == 1)
    assert home.settings.network.hub
    assert front.asked(c.DownloadModel)[0].file == SMALL


def test_with_the_permission_the_press_downloads_at_once(
    qtbot: QtBot, home: FakeHome, bridge: Bridge, shell: RecordingShell, front: FakeFront
) -> None:
    network = msgspec.structs.replace(home.settings.network, hub=True)
    home.settings = msgspec.structs.replace(home.settings, network=network)
    page = ModelsPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    page.open_target(section="recommended")
    qtbot.waitUntil(lambda: bool(page.recommended.rows))
    page.recommended.rows[SMALL].download_button.click()
    qtbot.waitUntil(lambda: len(front.asked(c.DownloadModel)) == 1)
    qtbot.waitUntil(page.recommended.message.isVisible)
    assert page.recommended.message.text.startswith("There is no network")


def test_a_model_that_is_here_is_not_offered_again(
    qtbot: QtBot, panel: RecommendedPanel, home: FakeHome, front: FakeFront
) -> None:
    first = next(iter(home.models.values()))
    home.models[first.name] = msgspec.structs.replace(first, path=f"/models/{SMALL}")
    front.announce("model")
    qtbot.waitUntil(lambda: not panel.rows[SMALL].download_button.isEnabled())
    assert panel.rows[SMALL].download_button.toolTip() == texts.IS_HERE_HELP
