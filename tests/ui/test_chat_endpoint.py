"""Asking a model that another machine computes: what may be sent there, and what it cannot do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, settle
from tests.ui.fake_front import FakeFront
from ui.bridge import Bridge
from ui.components.choice_box import ChoiceBox
from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.limit_note import LimitNote
from ui.components.recipe.recipe_panel import RecipePanel
from ui.components.slide_row import SlideRow
from ui.features.chat import endpoint_texts
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.base.errors import UserError
from workbench.records.capabilities import capabilities_of, require
from workbench.records.messages import Message
from workbench.records.models import ModelRecord
from workbench.records.recipes import (
    AdapterUse,
    AgentPart,
    DecodingPart,
    ModelPart,
    PromptingPart,
    Recipe,
    RetrievalPart,
)  # fmt: skip
from workbench.subjects.answering.answer import needs_of
from workbench.subjects.answering.request import AnswerRequest

AWAY = "Away"


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront) -> ChatPage:
    for name in ("manuals", "letters"):
        front.call(c.CreateCollection(name=name))
    front.call(c.AddEndpoint(address="https://api.example.com/v1", model="big", name=AWAY))
    page = ChatPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1280, 760)
    page.show()
    qtbot.waitUntil(lambda: bool(page.parts.recipe.recipe.model.name))
    settle(bridge, qtbot)
    return page


def ask(page: ChatPage, qtbot: QtBot, *collections: str) -> None:
    first, *more = collections
    part = RetrievalPart(collection=first, more=tuple(more))
    page.bench.choose(Recipe(model=ModelPart(name=AWAY), retrieval=part))
    page.parts.composer.set_text("How long is the warranty?")
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: asks(page))


def asks(page: ChatPage) -> bool:
    return page.parts.sending.isVisibleTo(page)


def press(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_what_would_be_sent_is_asked_above_the_composer(
    page: ChatPage, qtbot: QtBot, shell: RecordingShell, front: FakeFront
) -> None:
    ask(page, qtbot, "manuals")
    card = page.parts.sending
    assert "passages of manuals will be sent to api.example.com" in card.words.text()
    assert not any("workbench models" in label.text() for label in card.findChildren(QLabel))
    assert card.allow.text() == endpoint_texts.ALLOW.format(collection="manuals")
    assert card.refuse.isVisibleTo(card)
    assert page.parts.composer.text == "How long is the warranty?"
    assert shell.messages == []
    assert front.asked(c.AllowSending) == []


def test_allowing_asks_again_at_once(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    ask(page, qtbot, "manuals")
    press(page.parts.sending.allow)
    qtbot.waitUntil(lambda: bool(page.session.chat.id) and not page.session.busy)
    assert front.asked(c.AllowSending) == [c.AllowSending(name=AWAY, collection="manuals", allowed=True)]
    first, second = front.asked(c.Ask)
    assert first == second
    assert not asks(page)
    assert page.parts.composer.text == ""
    question, answer = page.session.chat.branches.path()
    assert (question.text, answer.state) == ("How long is the warranty?", "done")


def test_each_collection_is_asked_for_by_itself(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    ask(page, qtbot, "manuals", "letters")
    press(page.parts.sending.allow)
    qtbot.waitUntil(lambda: asks(page) and "letters" in page.parts.sending.allow.text())
    assert page.session.chat.id is None
    press(page.parts.sending.allow)
    qtbot.waitUntil(lambda: bool(page.session.chat.id) and not page.session.busy)
    assert [one.collection for one in front.asked(c.AllowSending)] == ["manuals", "letters"]


def test_refusing_sends_nothing_and_can_be_thought_over(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    ask(page, qtbot, "manuals")
    card = page.parts.sending
    press(card.refuse)
    qtbot.waitUntil(lambda: card.words.text() == endpoint_texts.NOT_SENT.format(collection="manuals"))
    assert front.asked(c.AllowSending) == [c.AllowSending(name=AWAY, collection="manuals", allowed=False)]
    assert len(front.asked(c.Ask)) == 1
    assert not card.refuse.isVisibleTo(card)
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "You have refused" in card.words.text())
    assert not card.refuse.isVisibleTo(card)
    press(card.allow)
    qtbot.waitUntil(lambda: bool(page.session.chat.id) and not page.session.busy)
    assert front.home.sending == {"manuals": True}


@pytest.mark.parametrize("change", ["words", "model", "chat", "close", "escape"])
def test_the_question_goes_where_another_stands_in_its_place(page: ChatPage, qtbot: QtBot, change: str) -> None:
    ask(page, qtbot, "manuals")
    if change == "words":
        QTest.keyClicks(page.parts.composer.field, " And of what?")
    elif change == "model":
        page.bench.choose(Recipe(model=ModelPart(name="SmolLM2-135M-Instruct")))
    elif change == "chat":
        page.session.open(None)
    elif change == "escape":
        QTest.keyClick(page.parts.sending.allow, Qt.Key.Key_Escape)
    else:
        press_close = page.parts.sending.close_button
        QTest.mouseClick(press_close, Qt.MouseButton.LeftButton)
    assert not asks(page)


def test_a_decision_that_cannot_be_stored_says_why(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    ask(page, qtbot, "manuals")
    front.refuse(c.AllowSending, UserError("The disk is full.", "Free some space."))
    card = page.parts.sending
    press(card.allow)
    qtbot.waitUntil(lambda: "The disk is full." in card.error.text())
    assert card.allow.isEnabled()
    assert len(front.asked(c.Ask)) == 1


def choose_model(page: ChatPage, **parts: Any) -> RecipePanel:
    page.bench.choose(Recipe(model=ModelPart(name=AWAY), **parts))
    return page.parts.recipe


def refusal_of(recipe: Recipe, model: ModelRecord) -> str:
    """Why the core refuses a question with this recipe."""
    assert model.endpoint is not None
    request = AnswerRequest(conversation=(Message("user", "How?"),), recipe=recipe)
    with pytest.raises(UserError) as refused:
        require(needs_of(request), capabilities_of(model.endpoint), model.name)
    return refused.value.message


def test_what_the_model_cannot_do_is_greyed_for_the_reason_it_is_refused_for(page: ChatPage, front: FakeFront) -> None:
    panel = choose_model(page)
    model = front.home.models[AWAY]
    decoding, prompting = panel.decoding_form, panel.prompt_form
    beam = refusal_of(Recipe(decoding=DecodingPart(strategy="beam")), model)
    assert [name for name, button in decoding.strategy.buttons.items() if not button.isEnabled()] == [
        "beam",
        "contrastive",
    ]
    assert decoding.strategy.buttons["beam"].toolTip() == decoding.limits.text() == beam
    regex = refusal_of(Recipe(decoding=DecodingPart(format="regex", grammar="a")), model)
    assert greyed(decoding.format)["regex"] == regex
    assert regex.removeprefix(f"{AWAY} cannot ") in decoding.format_limits.text()
    assert "text" not in greyed(decoding.format)
    tree = Recipe(prompting=PromptingPart(technique="tree-of-thoughts"))
    assert greyed(prompting.technique)["tree-of-thoughts"].startswith(refusal_of(tree, model))
    assert "direct" not in greyed(prompting.technique)
    agent = refusal_of(Recipe(agent=AgentPart()), model)
    assert panel.agent_form.limits_note.text().startswith(agent)
    assert not panel.agent_form.switch.isEnabled()
    adapters = refusal_of(Recipe(model=ModelPart(adapters=(AdapterUse(name="calm"),))), model)
    assert panel.adapter_form.limits.text() == adapters
    assert {panel.agent.state, panel.adapters.state} == {recipe_texts.NOT_WITH_MODEL}
    several = decoding.row("n")
    assert isinstance(several, SlideRow)
    assert not several.slider.isEnabled()
    assert several.note.text() == f"{AWAY} gives at most 1 answer at once."


def test_nothing_is_greyed_for_a_model_on_this_machine(page: ChatPage) -> None:
    choose_model(page)
    page.bench.choose(Recipe(model=ModelPart(name="SmolLM2-135M-Instruct")))
    panel = page.parts.recipe
    assert all(button.isEnabled() for button in panel.decoding_form.strategy.buttons.values())
    assert greyed(panel.decoding_form.format) == greyed(panel.prompt_form.technique) == {}
    assert panel.agent_form.switch.isEnabled()
    assert panel.agent.state == "off"
    assert not [note for note in panel.findChildren(LimitNote) if note.text()]


def test_what_is_greyed_and_in_use_warns_and_can_be_taken_away(page: ChatPage) -> None:
    panel = choose_model(page, decoding=DecodingPart(strategy="beam", n=3), agent=AgentPart())
    assert panel.decoding_form.limits.property("role") == "attention"
    assert panel.decoding_form.strategy.value == "beam"
    assert panel.agent_form.switch.isEnabled()
    assert panel.agent_form.limits_note.property("role") == "attention"
    several = panel.decoding_form.row("n")
    assert isinstance(several, SlideRow)
    assert several.slider.isEnabled()
    panel.decoding_form.strategy.buttons["sampling"].click()
    panel.agent_form.switch.click()
    assert panel.decoding_form.limits.property("role") == "small"
    assert panel.recipe.agent is None
    assert not panel.agent_form.switch.isEnabled()


def test_passages_without_a_known_context_need_a_budget(page: ChatPage, front: FakeFront, qtbot: QtBot) -> None:
    model = front.home.models[AWAY]
    assert model.endpoint is not None
    unknown = msgspec.structs.replace(model.endpoint, context_tokens=0)
    front.home.models[AWAY] = msgspec.structs.replace(model, endpoint=unknown, context_tokens=0)
    front.call(c.SetDefaultModel(name=AWAY))
    panel = choose_model(page, retrieval=RetrievalPart(collection="manuals"))
    qtbot.waitUntil(lambda: panel.retrieval_limits.text() == f"{AWAY} has no known context length.")
    choose_model(page, retrieval=RetrievalPart(collection="manuals", token_budget=500))
    assert panel.retrieval_limits.text() == ""


def greyed(box: ChoiceBox) -> dict[str, str]:
    """The values that cannot be chosen, with the reasons shown."""
    model = box.model()
    assert isinstance(model, QStandardItemModel)
    rows = [(str(box.itemData(row)), model.item(row)) for row in range(box.count())]
    return {value: item.toolTip() for value, item in rows if not item.isEnabled()}
