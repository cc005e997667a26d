from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import SMOL, FakeHome
from ui import texts
from ui.bridge import Bridge
from ui.components.trash_dialog import TrashDialog
from workbench import calls as c


def test_what_was_deleted_is_listed_restored_and_deleted_for_good(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, home: FakeHome
) -> None:
    chat = home.put_chat("Pump warranty", [("Hello", "Good day")])
    other = home.put_chat("Another one", [("Hello", "Good day")])
    for call in (c.RemoveModel(name=SMOL.name), c.DeleteChat(chat=chat), c.DeleteChat(chat=other)):
        front.call(call)
    dialog = TrashDialog(bridge, None)
    qtbot.addWidget(dialog)
    dialog.open()
    qtbot.waitUntil(lambda: [row.entry.title for row in dialog.rows] == ["Another one", "Pump warranty", SMOL.name])
    assert dialog.amount.text() == "3 items, 92 MB on the disk"
    assert "kept until" in dialog.rows[0].accessibleName()
    dialog.rows[1].restore.click()
    qtbot.waitUntil(lambda: chat in home.chats and len(dialog.rows) == 2)
    assert dialog.message.text == texts.RESTORED.format(title="Pump warranty")
    dialog.rows[0].delete.click()
    qtbot.waitUntil(lambda: len(dialog.rows) == 1)
    dialog.go.click()
    assert front.asked(c.EmptyTrash) == []
    dialog.confirm.keep_button.click()
    assert len(dialog.rows) == 1
    dialog.go.click()
    dialog.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: dialog.rows == [])
    assert dialog.empty.isVisible()
    assert not dialog.go.isVisible()
