"""The decoding card in the chat: when the last token's distribution is asked for, and the form's editor."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, choose
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import SMOL, FakeHome
from ui.bridge import Bridge
from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.distribution_chart import DistributionView
from ui.features.chat import texts
from ui.features.chat.page import ChatPage
from ui.features.chat.recipe.decoding import ALTERNATIVES, NO_ANSWER, NOT_KNOWN
from workbench import calls as c
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.messages import Alternative, ChosenToken
from workbench.records.recipes import DecodingPart, ModelPart, Recipe

LAST = ChosenToken(
    token=7,
    text=" days",
    logprob=math.log(0.3),
    alternatives=(
        Alternative(token=5, text=" months", logprob=math.log(0.5)),
        Alternative(token=7, text=" days", logprob=math.log(0.3)),
        Alternative(token=9, text=" years", logprob=math.log(0.2)),
    ),
)


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront) -> ChatPage:
    front.answer(c.InspectAnswer, lambda call: [finish(c.AnswerTokens(tokens=(LAST,), first=40))])
    page = ChatPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1280, 760)
    page.show()
    qtbot.waitUntil(lambda: bool(page.parts.recipe.recipe.model.name) and bridge.status is not None)
    qtbot.waitUntil(lambda: bool(page.parts.recipe.methods.of("decoding")))
    return page


def put_answer(home: FakeHome, text: str = "Within ten days", traced: bool = True) -> str:
    recipe = Recipe(model=ModelPart(name=SMOL.name), decoding=DecodingPart(temperature=1.0))
    chat = home.put_chat("Deadline", [("When?", text)], recipe)
    home.messages[chat][-1] = msgspec.structs.replace(home.messages[chat][-1], traced=traced)
    return chat


def view(page: ChatPage) -> DistributionView:
    return page.parts.recipe.decoding_form.distribution


def open_chat(qtbot: QtBot, page: ChatPage, chat: str) -> None:
    page.session.open(chat)
    qtbot.waitUntil(lambda: page.session.chat.id == chat)


def test_before_an_answer_a_sentence_says_so(page: ChatPage, front: FakeFront) -> None:
    page.parts.recipe.decoding.head.click()
    assert view(page).note.text() == NO_ANSWER
    assert view(page).note.isVisible()
    assert not view(page).button.isVisible()
    assert front.asked(c.InspectAnswer) == []


def test_the_distribution_is_asked_for_only_when_the_card_is_open(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    open_chat(qtbot, page, put_answer(home))
    front.wait_idle()
    assert front.asked(c.InspectAnswer) == []
    page.parts.recipe.decoding.head.click()
    qtbot.waitUntil(lambda: view(page).shows_tokens)
    (asked,) = front.asked(c.InspectAnswer)
    assert (asked.last, asked.alternatives) == (1, ALTERNATIVES)
    assert view(page).heading.text() == recipe_texts.LAST_TOKEN_IS.format(visible="·days")
    assert view(page).chart.tokens == LAST.alternatives
    page.parts.recipe.decoding.head.click()
    page.parts.recipe.decoding.head.click()
    front.wait_idle()
    assert len(front.asked(c.InspectAnswer)) == 1


def test_a_model_is_not_loaded_for_it_until_one_asks(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, bridge: Bridge
) -> None:
    home.loaded = ""
    bridge.refresh_status()
    qtbot.waitUntil(lambda: bridge.status is not None and not bridge.status.model)
    open_chat(qtbot, page, put_answer(home))
    page.parts.recipe.decoding.head.click()
    assert view(page).button.isVisible()
    assert SMOL.name in view(page).note.text()
    front.wait_idle()
    assert front.asked(c.InspectAnswer) == []
    view(page).button.click()
    qtbot.waitUntil(lambda: view(page).shows_tokens)
    assert not view(page).button.isVisible()


def test_it_is_not_asked_for_while_an_answer_is_made(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    open_chat(qtbot, page, put_answer(home))
    held = front.hold(c.Ask)
    page.parts.composer.set_text("And then?")
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: held.call is not None)
    page.parts.recipe.decoding.head.click()
    front.wait_idle()
    assert front.asked(c.InspectAnswer) == []
    assert view(page).note.isVisible()


def test_asking_a_question_takes_the_request_back(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    open_chat(qtbot, page, put_answer(home))
    looking = front.hold(c.InspectAnswer)
    page.parts.recipe.decoding.head.click()
    qtbot.waitUntil(lambda: looking.call is not None)
    front.hold(c.Ask)
    page.parts.composer.set_text("And then?")
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: looking.cancelled)


def test_an_answer_whose_tokens_are_not_known_says_so(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    open_chat(qtbot, page, put_answer(home, traced=False))
    page.parts.recipe.decoding.head.click()
    assert view(page).note.text() == NOT_KNOWN
    assert not view(page).button.isVisible()


def test_a_refusal_is_told_with_a_way_to_try_again(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    front.refuse(c.InspectAnswer, UserError("The model has changed since."))
    open_chat(qtbot, page, put_answer(home))
    page.parts.recipe.decoding.head.click()
    qtbot.waitUntil(lambda: "has changed" in view(page).note.text())
    front.answer(c.InspectAnswer, lambda call: [finish(c.AnswerTokens(tokens=(), next=LAST))])
    view(page).button.click()
    qtbot.waitUntil(lambda: view(page).shows_tokens)
    assert len(front.asked(c.InspectAnswer)) == 2


def choose_format(page: ChatPage, name: str) -> None:
    page.parts.recipe.decoding.open()
    box = page.parts.recipe.decoding_form.format
    choose(box, name)


def test_choosing_a_schema_opens_the_editor_beside_the_conversation(qtbot: QtBot, page: ChatPage) -> None:
    choose_format(page, recipe_texts.FORMAT_SCHEMA)
    pane = page.parts.format
    assert page.parts.side.currentWidget() is pane
    assert pane.editor.isVisible()
    assert page.parts.recipe.decoding.state == recipe_texts.STATE_UNUSABLE.format(state="Precise, JSON by schema")
    pane.templates[0].click()
    qtbot.waitUntil(lambda: pane.problem.text() == texts.VALID)
    assert json.loads(page.parts.recipe.recipe.decoding.grammar)["type"] == "object"
    assert page.parts.recipe.decoding.state == "Precise, JSON by schema"
    pane.close_button.click()
    assert page.parts.side.currentWidget() is page.parts.recipe


def test_what_cannot_be_used_stays_and_is_marked_with_its_line(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    choose_format(page, recipe_texts.FORMAT_SCHEMA)
    pane = page.parts.format
    assert pane.problem.text() == texts.EMPTY_FORM
    assert pane.editor.property("invalid") is False  # nobody did anything wrong so far
    for line in ("{", '"type": oops'):
        QTest.keyClicks(pane.editor, line)
        QTest.keyClick(pane.editor, Qt.Key.Key_Return)
    QTest.keyClicks(pane.editor, "}")
    assert pane.editor.toPlainText() == '{\n  "type": oops\n  }'
    qtbot.waitUntil(lambda: pane.editor.problem_line == 2)
    assert pane.problem.text().startswith("Line 2: ")
    assert len(pane.editor.extraSelections()) == 1
    assert pane.editor.property("invalid") is True
    panel = page.parts.recipe
    assert "oops" in panel.recipe.decoding.grammar
    assert panel.decoding_form.format_problem.text().startswith(recipe_texts.UNUSABLE.format(problem="Line 2: "))
    assert len(front.asked(c.CheckFormat)) < 5  # not at every key
    QTest.keyClick(pane.editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(pane.editor, "{}")
    qtbot.waitUntil(lambda: pane.problem.text() == texts.VALID)
    assert pane.editor.extraSelections() == []
    assert panel.decoding_form.format_problem.text() == ""


def test_the_last_answer_is_held_against_it(qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome) -> None:
    open_chat(qtbot, page, put_answer(home, "Within ten days"))
    choose_format(page, recipe_texts.FORMAT_SCHEMA)
    pane = page.parts.format
    pane.templates[1].click()
    qtbot.waitUntil(lambda: pane.verdict.text().startswith(texts.ANSWER_VIOLATES.format(text_problem="")))
    assert front.asked(c.CheckFormat)[-1].text == "Within ten days"
    open_chat(qtbot, page, put_answer(home, '["ten days"]'))
    choose_format(page, "Any JSON")
    assert not pane.editor.isVisible()
    choose_format(page, recipe_texts.FORMAT_SCHEMA)
    pane.editor.replace_all("{}")
    qtbot.waitUntil(lambda: pane.verdict.text() == texts.ANSWER_OBEYS)


def test_the_editor_shows_what_a_recipe_holds_like_what_is_written(qtbot: QtBot, page: ChatPage) -> None:
    choose_format(page, recipe_texts.FORMAT_CHOICE)
    editor = page.parts.format.editor
    narrow = editor.viewportMargins().left()
    for choices, format in ((1_000, "choice"), (1, "choice"), (12, "json_schema")):
        part = DecodingPart(format=format, grammar="\n".join(['"choice"'] * choices))  # type: ignore[arg-type]
        page.parts.recipe.changed.emit(Recipe(model=ModelPart(name=SMOL.name), decoding=part))
        qtbot.waitUntil(lambda part=part: editor.toPlainText() == part.grammar)
        assert (editor.viewportMargins().left() == narrow) is (choices < 100)
    qtbot.waitUntil(lambda: bool(editor.document().lastBlock().layout().formats()))
    page.parts.recipe.changed.emit(
        Recipe(model=ModelPart(name=SMOL.name), decoding=DecodingPart(format="json_schema", grammar='{"a": 1}'))
    )
    qtbot.waitUntil(lambda: len(editor.document().lastBlock().layout().formats()) == 2)


def test_each_kind_of_form_keeps_its_own_text(qtbot: QtBot, page: ChatPage) -> None:
    choose_format(page, recipe_texts.FORMAT_SCHEMA)
    pane = page.parts.format
    pane.templates[0].click()
    schema = pane.editor.toPlainText()
    choose(pane.kind, recipe_texts.FORMAT_CHOICE)
    assert pane.editor.toPlainText() == ""
    QTest.keyClicks(pane.editor, "perhaps")
    choose_format(page, recipe_texts.FORMAT_SCHEMA)
    assert pane.editor.toPlainText() == schema
    choose_format(page, "Free text")
    choose_format(page, recipe_texts.FORMAT_CHOICE)
    assert pane.editor.toPlainText() == "perhaps"
    assert page.parts.recipe.recipe.decoding.grammar == "perhaps"


def test_a_template_can_be_undone(qtbot: QtBot, page: ChatPage) -> None:
    choose_format(page, recipe_texts.FORMAT_CHOICE)
    pane = page.parts.format
    QTest.keyClicks(pane.editor, "perhaps")
    pane.templates[0].click()
    assert pane.editor.toPlainText() == "yes\nno"
    pane.editor.undo()
    assert pane.editor.toPlainText() == "perhaps"
    assert page.parts.recipe.recipe.decoding.grammar == "perhaps"
