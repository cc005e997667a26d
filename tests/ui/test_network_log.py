"""The log of the network in the settings."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from ui.bridge import Bridge
from ui.components.choice_box import ChoiceBox
from ui.features.settings import network_texts as texts
from ui.features.settings.network_log import NetworkLogPart
from ui.features.settings.page import SettingsPage
from workbench import calls as c
from workbench.records.hub import NetworkRequest

REQUESTS = (
    NetworkRequest(at=3.0, purpose="endpoint", host="api.example.com", method="POST", path="/v1/chat/completions",
                   bytes_out=2_000, bytes_in=9_000, status=200),
    NetworkRequest(at=2.0, purpose="mcp", host="tools.example.com", method="POST", path="/mcp", failed="ReadTimeout"),
    NetworkRequest(at=1.0, purpose="hub", host="huggingface.co", refused="The network is switched off."),
)  # fmt: skip


@pytest.fixture
def part(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront) -> NetworkLogPart:
    front.home.requests = REQUESTS
    page = SettingsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    qtbot.waitUntil(lambda: page.network.model.total == 3)
    return page.network


def rows(part: NetworkLogPart) -> list[list[object]]:
    model = part.model
    return [[model.index(row, column).data() for column in range(6)] for row in range(model.rowCount())]


def test_each_request_has_its_purpose_host_bytes_and_result(part: NetworkLogPart) -> None:
    assert [row[1:] for row in rows(part)] == [
        ["Endpoint", "api.example.com", "2.0 kB", "9.0 kB", "answered (200)"],
        ["MCP server", "tools.example.com", "", "", "no answer (ReadTimeout)"],
        ["Models of the hub", "huggingface.co", "", "", "refused: The network is switched off."],
    ]
    assert part.count.text() == texts.SHOWN.format(shown=3, total=3)
    assert not part.empty.isVisibleTo(part)


def choose(box: ChoiceBox, value: str) -> None:
    box.setCurrentIndex(box.findData(value))
    box.chosen.emit(value)


def test_filters(part: NetworkLogPart) -> None:
    choose(part.purpose, "mcp")
    assert [row[2] for row in rows(part)] == ["tools.example.com"]
    choose(part.purpose, "")
    choose(part.result, "refused")
    assert [row[2] for row in rows(part)] == ["huggingface.co"]
    part.host.setText("nowhere")
    assert rows(part) == []
    assert part.empty.text() == texts.NO_MATCH
    assert not part.table.isVisibleTo(part)


def test_clearing_asks_first(part: NetworkLogPart, qtbot: QtBot, front: FakeFront) -> None:
    part.clear_button.click()
    assert part.confirm.isVisibleTo(part)
    assert front.asked(c.ClearNetworkLog) == []
    part.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: part.model.total == 0)
    assert part.empty.text() == texts.EMPTY
    assert not part.clear_button.isVisibleTo(part)


def test_exporting_names_the_file(part: NetworkLogPart, qtbot: QtBot, front: FakeFront) -> None:
    part.export_to("/tmp/log")
    qtbot.waitUntil(lambda: front.asked(c.ExportNetworkLog) == [c.ExportNetworkLog(path="/tmp/log.csv")])
    qtbot.waitUntil(lambda: part.message.isVisibleTo(part))
