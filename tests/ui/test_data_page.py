"""The page of training data: what there is, and how a set is trained on or deleted."""

from __future__ import annotations

import time

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, settle
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from ui.bridge import Bridge
from ui.components.set_builder.dialog import SetBuilder
from ui.features.training import texts
from ui.features.training.data_page import DataPage
from workbench.base.errors import UserError
from workbench.records.training import DataSet
from workbench.subjects.datasets.calls import RemoveDataSet


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome) -> DataPage:
    for name in ("pumps", "letters"):
        home.sets[name] = DataSet(
            name=name, path=f"/sets/{name}.jsonl", examples=96, bytes=40_000, created=time.time(), origin="9 chats"
        )
    page = DataPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: len(page.cards) == 2)
    return page


def test_a_set_is_trained_on(page: DataPage, shell: RecordingShell) -> None:
    card = page.cards["pumps"]
    assert card.facts.text().startswith("96 examples · 40 kB · ")
    assert card.origin.text() == "9 chats"
    card.train_button.click()
    assert shell.opened == [("train", {"data": "pumps"})]


def test_a_set_is_deleted_after_asking_and_a_refusal_is_told(
    page: DataPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    front.refuse(RemoveDataSet, UserError("A training reads it.", "Wait for its end."))
    card = page.cards["letters"]
    card.delete_button.click()
    assert "96 examples" in card.confirm.findChild(type(card.facts)).text()
    card.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: card.message.text == "A training reads it. Wait for its end.")
    front.forget(RemoveDataSet)
    card.delete_button.click()
    card.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: list(page.cards) == ["pumps"])


def test_a_home_without_data_offers_to_build_some(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> None:
    page = DataPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    settle(bridge, qtbot)
    qtbot.waitUntil(page.empty.isVisible)
    assert page.empty.button is not None
    assert page.empty.button.text() == texts.BUILD_SET
    page.empty.button.click()
    [dialog] = page.findChildren(SetBuilder)
    dialog.built.emit("answers")
    assert shell.opened == [("train", {"data": "answers"})]
