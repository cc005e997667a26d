"""Endpoints on the models page."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from ui.bridge import Bridge
from ui.features.models import endpoint_texts as texts
from ui.features.models.page import ModelsPage
from workbench.api import calls as c
from workbench.errors import UserError


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront) -> ModelsPage:
    front.call(c.CreateCollection(name="manuals"))
    page = ModelsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.open_target(section="endpoints")
    qtbot.waitUntil(lambda: len(front.asked(c.ListCollections)) > 0)
    return page


def add(page: ModelsPage, address: str) -> None:
    panel = page.endpoints
    panel.address.setText(address)
    panel.model.setText("big")
    panel.key.setText("sk-secret")
    QTest.mouseClick(panel.add_button, Qt.MouseButton.LeftButton)


def test_an_endpoint_is_added_with_its_key(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    panel = page.endpoints
    assert not panel.add_button.isEnabled(), "an address and a model are needed"
    add(page, "https://api.example.com/v1")
    qtbot.waitUntil(lambda: "big" in panel.cards)
    assert front.asked(c.AddEndpoint) == [
        c.AddEndpoint(address="https://api.example.com/v1", model="big", key="sk-secret")
    ]
    assert panel.key.text() == ""
    shown = " ".join(label.text() for label in panel.cards["big"].findChildren(QLabel))
    assert "Cannot use adapters." in shown
    qtbot.waitUntil(lambda: "big" in page.cards)
    assert not page.cards["big"].load_button.isVisibleTo(page.cards["big"])


def test_passages_are_sent_only_where_they_are_ticked(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    add(page, "https://api.example.com/v1")
    qtbot.waitUntil(lambda: any("manuals" in card.sending for card in page.endpoints.cards.values()))
    box = page.endpoints.cards["big"].sending["manuals"]
    assert not box.isChecked()
    assert box.text() == texts.PASSAGES.format(collection="manuals", host="api.example.com")
    box.setChecked(True)
    qtbot.waitUntil(lambda: len(front.asked(c.AllowSending)) == 1)
    assert front.asked(c.AllowSending)[0] == c.AllowSending(name="big", collection="manuals", allowed=True)
    qtbot.waitUntil(lambda: page.endpoints.cards["big"].sending["manuals"].isChecked())


def test_an_endpoint_on_this_machine_asks_for_nothing(page: ModelsPage, qtbot: QtBot) -> None:
    add(page, "http://localhost:11434/v1")
    qtbot.waitUntil(lambda: "big" in page.endpoints.cards)
    assert page.endpoints.cards["big"].sending == {}


def test_why_an_endpoint_was_refused_is_said(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    front.refuse(c.AddEndpoint, UserError("api.example.com refused the request (401).", "Check its key."))
    add(page, "https://api.example.com/v1")
    qtbot.waitUntil(lambda: "Check its key." in page.endpoints.state.text())
    assert page.endpoints.address.text(), "what was typed stays"


def test_other_machines_need_the_switch(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    panel = page.endpoints
    qtbot.waitUntil(lambda: panel.permission.isVisibleTo(panel))
    QTest.mouseClick(panel.permission.action_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.permission.isVisibleTo(panel))
    assert front.home.settings.network.endpoints
