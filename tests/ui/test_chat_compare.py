"""Two answers side by side in the chat: blind until one is chosen, of any two recipes, and what is stored of it."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import SMOL, FakeHome
from tests.ui.judged_home import Unswapped, judgements_in
from tests.ui.test_chat_page import answers, ask, page
from ui import texts as shared_texts
from ui.features.chat import compare_texts as texts
from ui.features.chat.comparison.opponents import AGAIN, Opponent
from ui.features.chat.conversation.answer_view import AnswerView
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.api import events
from workbench.records.judgements import Judgement, JudgementFilter
from workbench.records.recipes import DecodingPart, ModelPart, PromptingPart, Recipe, save_recipe

__all__ = ["page"]  # a fixture
FIRST, SECOND = "It runs for 36 months from delivery.", "It depends on the seller."


class Swapped(random.Random):
    def random(self) -> float:
        return 0.1


def compare(qtbot: QtBot, page: ChatPage, home: FakeHome, opponent: Opponent = AGAIN) -> AnswerView:
    """Ask a question of two recipes, and wait for both answers."""
    home.answer_text, home.base_text = FIRST, SECOND
    page.new_chat()
    page.bench.put(Recipe(model=ModelPart(name=SMOL.name), decoding=DecodingPart(temperature=0.8)))
    page.compare.opponents.choose(opponent)
    ask(page, "How long is the warranty?")
    qtbot.waitUntil(lambda: bool(answers(page)) and len(answers(page)[-1].comparison.ids) == 2)
    qtbot.waitUntil(lambda: not page.session.busy)
    return answers(page)[-1]


def shown(page: ChatPage) -> AnswerView:
    return answers(page)[-1]


def stored(home: FakeHome) -> list[Judgement]:
    return judgements_in(home, JudgementFilter(sources=("compare",)))


def test_nothing_tells_which_is_which_until_one_is_chosen(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    page.compare.pairs.draw = Unswapped()
    view = compare(qtbot, page, home)
    assert [column.title.text() for column in view.comparison.columns] == list(texts.SIDES)
    assert [column.text.text for column in view.comparison.columns] == [FIRST, SECOND]
    hidden = (view.usage, view.siblings, view.footer.feedback, view.footer.copy_button)
    assert not any(part.isVisible() for part in hidden)
    assert not any(column.kept_mark.isVisible() or column.figures.isVisible() for column in view.comparison.columns)
    view.comparison.bar.buttons["left"].click()
    qtbot.waitUntil(lambda: bool(stored(home)) and shown(page).comparison.bar.undo_button.isVisible())
    titles = [column.title.text() for column in shown(page).comparison.columns]
    assert titles == [f"A · {texts.FIRST_DRAW}", f"B · {texts.SECOND_DRAW}"]
    assert shown(page).usage.isVisible()


@pytest.mark.parametrize(
    ("draw", "side", "verdict", "order"),
    [
        (Unswapped(), "left", "a", "ab"),
        (Unswapped(), "right", "b", "ab"),
        (Swapped(), "left", "b", "ba"),
        (Swapped(), "right", "a", "ba"),
        (Swapped(), "tie", "tie", "ba"),
        (Unswapped(), "bad", "bad", "ab"),
    ],
)
def test_a_choice_is_stored_with_both_answers_and_the_order_they_were_shown_in(
    qtbot: QtBot, page: ChatPage, home: FakeHome, draw: random.Random, side: str, verdict: str, order: str
) -> None:
    page.compare.pairs.draw = draw
    view = compare(qtbot, page, home)
    left = view.comparison.columns[0].text.text
    assert left == (FIRST if order == "ab" else SECOND)
    view.comparison.bar.buttons[side].click()
    qtbot.waitUntil(lambda: bool(stored(home)))
    (judgement,) = stored(home)
    assert judgement.b is not None
    assert (judgement.a.text, judgement.b.text) == (FIRST, SECOND)
    assert (judgement.verdict, judgement.shown) == (verdict, order)
    assert (judgement.source, judgement.judge) == ("compare", "person")
    assert [turn.content for turn in judgement.prompt] == ["How long is the warranty?"]
    assert judgement.a.recipe is not None
    assert judgement.chat == page.session.chat.id


def test_the_conversation_goes_on_from_the_better_answer(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    page.compare.pairs.draw = Unswapped()
    view = compare(qtbot, page, home)
    second = view.comparison.ids[1]
    view.comparison.bar.buttons["right"].click()
    qtbot.waitUntil(lambda: shown(page).message_id == second)
    qtbot.waitUntil(lambda: shown(page).comparison.columns[1].kept_mark.isVisible())
    assert home.chats[page.session.chat.id or ""].head == second


def test_a_choice_is_undone_and_asked_for_again(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    view = compare(qtbot, page, home)
    view.comparison.bar.buttons["tie"].click()
    qtbot.waitUntil(lambda: bool(stored(home)) and shown(page).comparison.bar.undo_button.isVisible())
    shown(page).comparison.bar.undo_button.click()
    qtbot.waitUntil(lambda: not stored(home) and shown(page).comparison.bar.buttons["tie"].isVisible())
    assert [column.title.text() for column in shown(page).comparison.columns] == list(texts.SIDES)


def test_an_answer_is_edited_into_what_was_wanted(
    qtbot: QtBot, page: ChatPage, home: FakeHome, front: FakeFront
) -> None:
    page.compare.pairs.draw = Swapped()
    view = compare(qtbot, page, home)
    view.comparison.edit_buttons[0].click()  # at the left stands the second one
    assert view.comparison.editor.field.toPlainText() == SECOND
    view.comparison.editor.field.setPlainText("36 months.")
    view.comparison.editor.take_button.click()
    qtbot.waitUntil(lambda: bool(stored(home)))
    (judgement,) = stored(home)
    assert judgement.b is not None
    assert (judgement.verdict, judgement.b.text, judgement.b.original) == ("b", "36 months.", SECOND)
    assert [(one.text, other.text) for one, other in judgement.pairs()] == [
        ("36 months.", FIRST),
        ("36 months.", SECOND),
    ]
    qtbot.waitUntil(lambda: shown(page).text.text == "36 months.")
    assert [call.text for call in front.asked(c.EditAnswer)] == ["36 months."]


def test_what_was_chosen_is_known_when_the_chat_is_opened_again(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    view = compare(qtbot, page, home)
    view.comparison.bar.buttons["tie"].click()
    qtbot.waitUntil(lambda: bool(stored(home)))
    chat = page.session.chat.id
    page.new_chat()
    page.session.open(chat)
    qtbot.waitUntil(lambda: bool(answers(page)))
    qtbot.waitUntil(lambda: page.compare.verdicts.find(*(one.id for one in home.messages[chat or ""][1:])) is not None)
    shown(page).footer.menu.compare.trigger()
    assert not shown(page).comparison.blind
    assert shown(page).comparison.bar.words.text().startswith("You said: equally good.")


def test_the_same_answer_twice_is_no_choice(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    page.compare.pairs.draw = Unswapped()
    view = compare(qtbot, page, home)
    view.comparison.bar.names_button.click()
    assert shown(page).comparison.bar.words.text().startswith("A is")
    assert not stored(home)
    home.base_text = FIRST
    page.compare.pairs.compare_with(view.message_id, AGAIN)
    qtbot.waitUntil(lambda: not page.session.busy and shown(page).comparison.bar.buttons["left"].isVisible())
    assert shown(page).comparison.bar.words.text() == texts.SAME
    assert not shown(page).comparison.bar.buttons["left"].isEnabled()
    assert shown(page).comparison.bar.buttons["bad"].isEnabled()
    assert shown(page).comparison.bar.buttons["left"].toolTip() == shared_texts.SAME_TEXTS


def test_pieces_that_come_after_the_comparison_was_left_go_nowhere(
    qtbot: QtBot, page: ChatPage, home: FakeHome, front: FakeFront
) -> None:
    view = compare(qtbot, page, home)
    held = front.hold(c.Ask)
    page.compare.pairs.compare_with(view.message_id, AGAIN)
    qtbot.waitUntil(lambda: held.call is not None)
    held.emit(events.TextDelta(text="It runs"))
    columns = shown(page).comparison.columns
    qtbot.waitUntil(lambda: "It runs" in [column.text.text for column in columns])
    with qtbot.waitSignal(columns[0].destroyed):
        page.new_chat()
    live = next(iter(page.session.lives.values()))
    with qtbot.waitSignal(live.text_added):
        held.emit(events.TextDelta(text=" for years."))


def test_a_recipe_that_draws_nothing_is_varied_where_it_is_compared_with_itself(
    qtbot: QtBot, page: ChatPage, front: FakeFront
) -> None:
    page.new_chat()
    page.bench.put(Recipe(model=ModelPart(name=SMOL.name), decoding=DecodingPart(strategy="greedy")))
    page.compare.opponents.choose(AGAIN)
    ask(page, "How long is the warranty?")
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2 and not page.session.busy)
    first, second = front.asked(c.Ask)
    assert (first.varied, second.varied, second.aside) == (False, True, True)


def test_it_is_compared_with_another_model_and_with_a_saved_recipe(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, tmp_path: Path, shell: RecordingShell
) -> None:
    home.models["Gemma 3"] = msgspec.structs.replace(SMOL, name="Gemma 3")
    front.announce("model")
    qtbot.waitUntil(lambda: page.parts.recipe.model_box.findData("Gemma 3") >= 0)
    menu = page.compare.make_menu()
    models = next(action.menu() for action in menu.actions() if action.text() == texts.WITH_MODEL)
    (gemma,) = models.actions()
    gemma.trigger()
    assert page.parts.composer.compare_chip.text() == texts.CHIP_ON.format(title="Gemma 3")
    saved = tmp_path / "rhymes.toml"
    save_recipe(saved, Recipe(prompting=PromptingPart(instructions="Rhyme.")))
    rhymes = page.compare.opponents.of_file(saved)
    assert rhymes is not None
    page.compare.opponents.choose(rhymes)
    ask(page, "How long is the warranty?")
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2 and not page.session.busy)
    asked = front.asked(c.Ask)[1].recipe
    assert (asked.prompting.instructions, asked.model.name) == ("Rhyme.", page.bench.recipe.model.name)
    page.compare.make_menu().actions()[0].trigger()  # with nothing any more
    assert page.compare.opponents.chosen is None
    assert page.parts.composer.compare_chip.text() == texts.CHIP_OFF
    saved.write_text("schema = 1\n[decoding]\ntemperature = 'hot'\n")
    assert page.compare.opponents.of_file(saved) is None
    assert shell.messages[-1][1] == "danger"


def test_a_new_chat_is_compared_with_nothing(page: ChatPage) -> None:
    page.compare.opponents.choose(AGAIN)
    page.new_chat()
    assert page.compare.opponents.chosen is None
