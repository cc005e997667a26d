"""Completion in the composer: documents behind #, prompts behind /, recipes behind @, and the chips of a choice."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.test_chat_page import ask, begin, open_chat, page, questions
from ui.bridge import Bridge
from ui.features.chat import texts
from ui.features.chat.composer.kept_drafts import KeptDrafts, read_drafts, write_drafts
from ui.features.chat.composer.one_question import AskedFile, OneQuestion
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe, RetrievalPart, save_recipe
from workbench.records.visible import visible_name

__all__ = ["page"]

ENTER, DOWN, UP, TAB, ESCAPE, BACK = (
    Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Tab, Qt.Key.Key_Escape, Qt.Key.Key_Backspace,
)  # fmt: skip


@pytest.fixture
def paths(qtbot: QtBot, page: ChatPage, home: FakeHome) -> list[str]:
    """The documents of the collection that is asked, as they are listed."""
    collection = home.collection("Brunnen pumps")
    page.bench.ask_only(collection.name)
    page.parts.composer.field.setFocus()
    return [one.path for one in home.documents_of(collection.id).values() if one.state != "failed"]


def shown(page: ChatPage) -> list[str]:
    popup = page.completion.popup
    return [offer.name for offer in popup.offers] if popup.isVisible() else []


def keys(page: ChatPage, text: str) -> None:
    QTest.keyClicks(page.parts.composer.field, text)


def press(page: ChatPage, key: Qt.Key) -> None:
    QTest.keyClick(page.parts.composer.field, key)


def chips(page: ChatPage) -> list[str]:
    return [chip.text() for chip in page.parts.composer.chosen.chips]


def retrieval(call: c.Ask) -> RetrievalPart:
    assert call.recipe.retrieval is not None
    return call.recipe.retrieval


def test_a_document_is_chosen_and_asked_alone(qtbot: QtBot, page: ChatPage, front: FakeFront, paths: list[str]) -> None:
    before = page.parts.recipe.recipe
    keys(page, "How long #")
    qtbot.waitUntil(lambda: len(shown(page)) == len(paths))
    keys(page, visible_name(paths[0])[:5])
    assert shown(page)[0] == visible_name(paths[0])
    press(page, ENTER)
    assert page.parts.composer.text == "How long "
    assert chips(page) == [visible_name(paths[0])]
    assert not page.completion.popup.isVisible()
    assert QApplication.focusWidget() is page.parts.composer.field
    assert front.asked(c.Ask) == [], "the key that chooses does not send"
    keys(page, "is it?")
    press(page, ENTER)
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)) and page.parts.composer.text == "")
    (call,) = front.asked(c.Ask)
    assert call.question == "How long is it?"
    assert (retrieval(call).collection, retrieval(call).more) == ("Brunnen pumps", ())
    assert retrieval(call).files == (paths[0],)
    assert call.chat_recipe == before == page.parts.recipe.recipe, "the chat goes on with what it asked before"
    assert chips(page) == []
    qtbot.waitUntil(lambda: not page.session.busy)
    assert questions(page)[-1].about.text() == texts.ONLY_FILES.format(files=visible_name(paths[0]))
    ask(page, "And then?")
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2)
    assert retrieval(front.asked(c.Ask)[1]).files == ()
    assert front.asked(c.Ask)[1].chat_recipe is None
    qtbot.waitUntil(lambda: not page.session.busy)
    page.parts.conversation.again_wanted.emit(page.session.chat.branches.path()[1].id)
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 3)
    assert retrieval(front.asked(c.Ask)[2]).files == (paths[0],), "another answer is to the same question"


def test_several_documents_are_asked_and_one_is_taken_away(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, paths: list[str]
) -> None:
    part = RetrievalPart(collection="Contracts 2025", more=("Brunnen pumps",))
    page.bench.choose(msgspec.structs.replace(page.parts.recipe.recipe, retrieval=part))
    others = [one.path for one in home.documents_of(home.collection("Contracts 2025").id).values()]
    for path in (paths[0], others[0], paths[1]):
        keys(page, f"#{visible_name(path)}")
        qtbot.waitUntil(lambda path=path: shown(page)[:1] == [visible_name(path)])
        press(page, TAB)
    assert chips(page) == [visible_name(path) for path in (paths[0], others[0], paths[1])]
    keys(page, "#")
    qtbot.waitUntil(lambda: bool(shown(page)))
    assert not set(chips(page)) & set(shown(page)), "what is chosen is not offered again"
    press(page, ESCAPE)
    press(page, BACK)
    press(page, BACK)
    assert chips(page) == [visible_name(path) for path in (paths[0], others[0])], "Backspace in an empty field"
    ask(page, "How long?")
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)))
    part = retrieval(front.asked(c.Ask)[0])
    assert (part.collection, part.more, part.files) == ("Brunnen pumps", ("Contracts 2025",), (paths[0], others[0]))


def test_a_chip_is_removed_by_mouse_and_by_keyboard(qtbot: QtBot, page: ChatPage, paths: list[str]) -> None:
    for path in paths[:2]:
        keys(page, f"#{visible_name(path)}")
        qtbot.waitUntil(lambda path=path: shown(page)[:1] == [visible_name(path)])
        press(page, ENTER)
    first, _ = page.parts.composer.chosen.chips
    assert first.accessibleName() == texts.REMOVE_FILE.format(name=visible_name(paths[0]))
    QTest.mouseClick(first, Qt.MouseButton.LeftButton)
    assert chips(page) == [visible_name(paths[1])]
    page.parts.composer.chosen.chips[0].setFocus()
    QTest.keyClick(page.parts.composer.chosen.chips[0], Qt.Key.Key_Space)
    assert chips(page) == []
    assert QApplication.focusWidget() is page.parts.composer.field


def test_the_list_is_chosen_from_by_arrows_and_mouse_and_closed(
    qtbot: QtBot, page: ChatPage, front: FakeFront, paths: list[str]
) -> None:
    keys(page, "#")
    qtbot.waitUntil(lambda: len(shown(page)) == len(paths))
    popup = page.completion.popup
    names = shown(page)
    press(page, UP)
    assert popup.list.currentRow() == len(names) - 1
    press(page, DOWN)
    press(page, DOWN)
    assert popup.list.currentRow() == 1
    assert page.rect().contains(popup.geometry())
    item = popup.list.visualItemRect(popup.list.item(0)).center()
    QTest.mouseClick(popup.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(item))
    assert chips(page) == [names[0]]
    assert page.parts.composer.text == ""
    keys(page, "#")
    qtbot.waitUntil(lambda: bool(shown(page)))
    press(page, ESCAPE)
    assert not popup.isVisible()
    keys(page, "1")
    assert not popup.isVisible(), "a list that was closed stays closed while the word goes on"
    press(page, ENTER)
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)))
    assert front.asked(c.Ask)[0].question == "#1"


@pytest.mark.parametrize("text", ["a and/or b", "see #9999999", "me@work", "/no/such/path", "#nothing like it @"])
def test_where_nothing_is_chosen_the_text_is_sent_as_typed(
    qtbot: QtBot, page: ChatPage, front: FakeFront, paths: list[str], text: str
) -> None:
    keys(page, text.removesuffix("@"))
    qtbot.waitUntil(lambda: not page.completion.popup.isVisible() or page.completion.popup.hint.text() != texts.LISTING)
    press(page, ENTER)
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)))
    call = front.asked(c.Ask)[0]
    assert call.question == text.removesuffix("@").strip()
    assert call.chat_recipe is None
    assert chips(page) == []


def test_a_stored_prompt_is_put_into_the_field(qtbot: QtBot, page: ChatPage, bridge: Bridge) -> None:
    part = PromptingPart(
        instructions="Answer in {{tone}} words.", input="Sum this up: {{question}}!", variables=("tone=plain",)
    )
    saved: list[object] = []
    for name, prompt in (("Summary", part), ("Letter", PromptingPart(instructions="Write a letter."))):
        bridge.call(c.SavePrompt(name=name, part=prompt, tags=("office",)), saved.append, owner=page)
    bridge.call(
        c.SavePrompt(name="Steps", part=PromptingPart(technique="self-refine"), kind="reasoning"),
        saved.append,
        owner=page,
    )
    qtbot.waitUntil(lambda: len(saved) == 3)
    keys(page, "/office")
    qtbot.waitUntil(lambda: shown(page) == ["Letter", "Summary"])
    for _ in "office":
        press(page, BACK)
    qtbot.waitUntil(lambda: sorted(shown(page)) == ["Letter", "Summary"])
    keys(page, "sum")
    press(page, TAB)
    assert page.parts.composer.text == "Answer in plain words.\n\nSum this up: !"
    keys(page, "the lease")
    assert page.parts.composer.text.endswith("Sum this up: the lease!"), "the caret is where the question belongs"


def test_a_saved_recipe_is_for_this_question(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, shell: RecordingShell, recipes: Path
) -> None:
    brief = Recipe(name="brief", prompting=PromptingPart(instructions="Be brief."), decoding=DecodingPart(max_tokens=9))
    save_recipe(recipes / "brief.toml", brief)
    (recipes / "broken.toml").write_text("schema = 'x'", "utf-8")
    usual = page.parts.recipe.recipe
    keys(page, "@br")
    qtbot.waitUntil(lambda: shown(page) == ["brief", "broken"])
    press(page, DOWN)
    press(page, ENTER)
    assert chips(page) == []
    assert shell.messages[-1][1] == "danger"
    keys(page, "@brief")
    press(page, ENTER)
    assert chips(page) == ["brief"]
    keys(page, "Why?")
    press(page, ENTER)
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)))
    call = front.asked(c.Ask)[0]
    assert call.recipe == msgspec.structs.replace(brief, model=usual.model), "it names no model: the usual one answers"
    assert call.chat_recipe == usual


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("ui.components.recipe.saved_recipes.recipe_folder", lambda bridge: tmp_path)
    return tmp_path


def test_chips_belong_to_their_chat_and_their_queued_question(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, paths: list[str]
) -> None:
    def choose(path: str) -> None:
        keys(page, f"#{visible_name(path)}")
        qtbot.waitUntil(lambda: shown(page)[:1] == [visible_name(path)])
        press(page, ENTER)

    choose(paths[0])
    open_chat(qtbot, page, "A polite refusal")
    assert chips(page) == []
    page.new_chat()
    assert chips(page) == [visible_name(paths[0])]
    page.bench.ask_only("Brunnen pumps")
    held = front.hold(c.Ask)
    ask(page, "First?")
    answer = begin(front, home, held, qtbot)
    qtbot.waitUntil(lambda: page.session.chat.id is not None and chips(page) == [])
    choose(paths[1])
    ask(page, "Second?")
    assert chips(page) == []
    row = page.parts.queue.rows[0]
    assert visible_name(paths[1]) in row.words.full_text
    row.edit_button.click()
    row.editor.field.setPlainText("Changed?")
    row.editor.take_button.click()
    home.end_answer(answer, "Done.")
    held.finish(c.AskResult(answer="Done.", chat=answer.chat, message=answer.id))
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2)
    assert front.asked(c.Ask)[1].question == "Changed?"
    assert retrieval(front.asked(c.Ask)[1]).files == (paths[1],)


def test_chips_outlive_the_window_with_their_draft(
    qtbot: QtBot, page: ChatPage, bridge: Bridge, front: FakeFront, paths: list[str], recipes: Path
) -> None:
    save_recipe(recipes / "brief.toml", Recipe(name="brief", decoding=DecodingPart(max_tokens=9)))
    keys(page, f"#{visible_name(paths[0])}")
    qtbot.waitUntil(lambda: shown(page)[:1] == [visible_name(paths[0])])
    press(page, ENTER)
    keys(page, "@bri")
    qtbot.waitUntil(lambda: shown(page) == ["brief"])
    press(page, ENTER)
    keys(page, "How long?")
    later = ChatPage(bridge, RecordingShell())
    qtbot.addWidget(later)
    later.recall(page.remember())
    assert later.parts.composer.text == page.parts.composer.text
    assert later.parts.composer.chosen.chosen == page.parts.composer.chosen.chosen
    assert chips(later) == [visible_name(paths[0]), "brief"]
    open_chat(qtbot, later, "A polite refusal")
    assert chips(later) == []


def test_drafts_of_the_first_format_are_read_and_other_texts_count_as_nothing() -> None:
    assert read_drafts('[[null,"half written"],["a1","more"]]').written == {None: "half written", "a1": "more"}
    for other in ("", "not JSON", "{", '{"format":3,"written":[]}', '[["a1"]]'):
        assert read_drafts(other) == KeptDrafts({}, {})


def test_a_choice_that_cannot_be_read_takes_no_draft_with_it() -> None:
    kept = write_drafts({"a1": "more"}, {"a1": OneQuestion((AskedFile("pumps", "/a.pdf"),))})
    assert read_drafts(kept).chosen["a1"].files == (AskedFile("pumps", "/a.pdf"),)
    assert read_drafts(kept.replace('"path"', '"place"')) == KeptDrafts({"a1": "more"}, {})


def test_a_sign_without_anything_to_offer_says_so(
    qtbot: QtBot, page: ChatPage, front: FakeFront, recipes: Path
) -> None:
    for sign, words in (("@", texts.NO_SAVED_RECIPES), ("/", texts.NO_STORED_PROMPTS)):
        keys(page, sign)
        qtbot.waitUntil(lambda words=words: page.completion.popup.hint.text() == words)
        assert page.completion.popup.isVisible()
        page.parts.composer.clear()
        assert not page.completion.popup.isVisible()
    page.parts.composer.set_text("#")
    assert not page.completion.popup.isVisible(), "a draft that is put back opens nothing"
