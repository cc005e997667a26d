from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from ui.bridge import Bridge
from ui.features.settings.chats_card import ChatsCard
from workbench.base.errors import UserError
from workbench.subjects.chats.calls import ImportChats


def test_an_import_says_what_arrived_and_what_did_not(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, home: FakeHome
) -> None:
    card = ChatsCard(bridge)
    qtbot.addWidget(card)
    card.show()
    card.imports.import_from("/tmp/conversations.json")
    qtbot.waitUntil(lambda: "Imported from" in card.message.text)
    assert card.message.text == (
        "Imported from ChatGPT: 1 chat with 2 messages. Imported before and left as they are: 1 chat. "
        "Left out, since they are of tools, pictures and the like: 3 messages."
    )
    assert "Imported" in [chat.title for chat in home.chats.values()]


def test_a_broken_export_is_named_by_its_place(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    front.refuse(ImportChats, UserError("conversations.json[1].mapping is missing.", "Nothing was imported."))
    card = ChatsCard(bridge)
    qtbot.addWidget(card)
    card.show()
    card.imports.import_from("/tmp/conversations.json")
    qtbot.waitUntil(lambda: "mapping is missing" in card.message.text)
