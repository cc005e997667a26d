"""Endpoints on the models page."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from ui.bridge import Bridge
from ui.features.models import endpoint_texts as texts
from ui.features.models.endpoint_panel import EndpointCard, EndpointForm
from ui.features.models.page import ModelsPage
from workbench import calls as c
from workbench.api.events import Cancelled
from workbench.base.errors import UserError
from workbench.records.endpoints import Endpoint, EndpointUse


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


def test_the_code_of_another_machine_needs_neither_key_nor_model(
    page: ModelsPage, qtbot: QtBot, front: FakeFront
) -> None:
    panel = page.endpoints
    panel.address.setText(" workbench1:QUJD ")
    assert panel.add_button.isEnabled()
    assert not panel.key.isEnabled()
    assert panel.model.placeholderText() == texts.MODEL_OF_CODE
    panel.name.setText("Colleague")
    QTest.mouseClick(panel.add_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Colleague" in panel.cards)
    assert front.asked(c.AddEndpoint) == [c.AddEndpoint(address="workbench1:QUJD", name="Colleague")]


def test_an_endpoint_that_does_not_answer_can_be_left(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    panel, held = page.endpoints, front.hold(c.AddEndpoint)
    assert not panel.stop_button.isVisible()
    add(page, "https://silent.example.com/v1")
    assert panel.state.text() == texts.PROBING
    panel.name.setText("silent")
    assert not panel.add_button.isEnabled(), "it is being added"
    QTest.mouseClick(panel.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: held.cancelled)
    held.emit(Cancelled())
    qtbot.waitUntil(lambda: panel.state.text() == texts.STOPPED)
    assert not panel.stop_button.isVisible()
    assert panel.add_button.isEnabled()
    assert panel.address.text() == "https://silent.example.com/v1"


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


def edit(page: ModelsPage, qtbot: QtBot) -> EndpointForm:
    add(page, "https://api.example.com/v1")
    qtbot.waitUntil(lambda: "big" in page.endpoints.cards)
    card = page.endpoints.cards["big"]
    card.edit_button.click()
    assert card.form is not None
    return card.form


def test_an_endpoint_is_edited_and_its_key_is_never_shown(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    form = edit(page, qtbot)
    assert form.key.text() == ""
    assert form.key.placeholderText() == texts.KEY_STORED
    form.name.setText("Large")
    form.price_in.setValue(2.0)
    form.budget.setValue(5.0)
    form.terms.setText("https://example.com/terms")
    form.save_button.click()
    qtbot.waitUntil(lambda: "Large" in page.endpoints.cards and page.endpoints.cards["Large"].form is None)
    assert front.asked(c.ChangeEndpoint) == [
        c.ChangeEndpoint(name="big", new_name="Large", price_in=2.0, budget=5.0, terms="https://example.com/terms")
    ]
    shown = page.endpoints.cards["Large"].cost.text()
    assert "spent 0.0014 of a budget of 5, 4.9986 left" in shown
    assert "https://example.com/terms" in shown


def test_an_endpoint_that_was_probed_before_images_says_so(page: ModelsPage, qtbot: QtBot, bridge: Bridge) -> None:
    edit(page, qtbot)
    known = page.endpoints.cards["big"]
    assert texts.IMAGES_NOT_TRIED not in "".join(label.text() for label in known.findChildren(QLabel))
    endpoint = known._record.model.endpoint
    assert endpoint is not None
    model = msgspec.structs.replace(known._record.model, endpoint=msgspec.structs.replace(endpoint, vision=None))
    card = EndpointCard(bridge, msgspec.structs.replace(known._record, model=model), ())
    qtbot.addWidget(card)
    assert texts.IMAGES_NOT_TRIED in "".join(label.text() for label in card.findChildren(QLabel))
    card.edit_button.click()
    assert card.form is not None
    assert card.form.images.currentText() == texts.IMAGES_NOT_TRIED_CHOICE


def test_whether_it_sees_images_is_said(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    form = edit(page, qtbot)
    assert form.images.value == "automatic"
    assert form.images.currentText() == texts.IMAGES_NOT_FOUND
    form.images.show_value("yes")
    before = page.endpoints.cards["big"]
    form.save_button.click()
    qtbot.waitUntil(lambda: page.endpoints.cards["big"] is not before)
    assert front.asked(c.ChangeEndpoint) == [c.ChangeEndpoint(name="big", images="yes")]
    page.endpoints.cards["big"].edit_button.click()
    again = page.endpoints.cards["big"].form
    assert again is not None
    assert again.images.value == "yes"


def test_a_key_is_replaced_or_removed(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    form = edit(page, qtbot)
    form.key.setText("sk-other")
    form.save_button.click()
    qtbot.waitUntil(lambda: front.home.endpoint_keys["big"] == "sk-other")
    qtbot.waitUntil(lambda: page.endpoints.cards["big"].form is None)
    page.endpoints.cards["big"].edit_button.click()
    again = page.endpoints.cards["big"].form
    assert again is not None
    assert again.key.text() == ""
    again.remove_key.click()
    qtbot.waitUntil(lambda: front.home.endpoint_keys["big"] == "")
    assert front.asked(c.ChangeEndpoint)[-1] == c.ChangeEndpoint(name="big", key="")


def test_why_a_change_was_refused_is_said_and_what_was_typed_stays(
    page: ModelsPage, qtbot: QtBot, front: FakeFront
) -> None:
    form = edit(page, qtbot)
    front.refuse(c.ChangeEndpoint, UserError("There is a model 'Small' already.", "Choose another name."))
    form.name.setText("Small")
    form.save_button.click()
    qtbot.waitUntil(lambda: "Choose another name." in form.state.text())
    assert form.isEnabled()
    front.call(c.AllowSending(name="big", collection="manuals", allowed=True))  # something else changes meanwhile
    assert page.endpoints.cards["big"].form is form
    assert form.name.text() == "Small"


def test_nothing_is_sent_where_nothing_was_changed(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    form = edit(page, qtbot)
    form.save_button.click()
    assert page.endpoints.cards["big"].form is None
    assert front.asked(c.ChangeEndpoint) == []


def test_prices_with_more_digits_than_are_shown_are_not_changed_by_themselves(qtbot: QtBot) -> None:
    endpoint = Endpoint(address="https://api.example.com/v1", model="big", price_in=0.00123456, budget=2.00005)
    model = c.ModelRecord(
        name="big", kind="chat", format="endpoint", path="", architecture="", parameters=0, quantization="",
        context_tokens=0, bytes=0, endpoint=endpoint,
    )  # fmt: skip
    form = EndpointForm(c.EndpointRecord(model=model, use=EndpointUse(name="big")))
    qtbot.addWidget(form)
    assert form.changes == c.ChangeEndpoint(name="big")
