"""Building a set of examples: from marked answers, from pairs made of documents, from the documents' text."""

from __future__ import annotations

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from tests.ui.fake_adapters import BASE, furnish_adapters, mark_answers, pair
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from ui.bridge import Bridge
from ui.components.set_builder import texts
from ui.components.set_builder.dialog import SetBuilder
from ui.components.set_builder.pair_list import SHOWN, PairList
from ui.components.set_builder.sources import why_good
from workbench import calls as c
from workbench.api import events
from workbench.base.errors import UserError


@pytest.fixture
def home(home: FakeHome) -> FakeHome:
    furnish_adapters(home)
    mark_answers(home)
    return home


@pytest.fixture
def dialog(qtbot: QtBot, bridge: Bridge) -> SetBuilder:
    dialog = SetBuilder(bridge)
    dialog.open()
    qtbot.waitUntil(lambda: dialog.pairs.collection.count() > 0 and dialog.chats.list.count() > 0)
    qtbot.waitUntil(lambda: "answers of" in dialog.chats.summary.text())
    return dialog


def test_chats_are_counted_and_chosen(dialog: SetBuilder, qtbot: QtBot, front: FakeFront) -> None:
    assert dialog.chats.summary.text() == "5 answers of 4 chats: 4 rated good, 1 edited."
    first = dialog.chats.list.item(0)
    assert first.text() == "How long is the warranty?   (1 rated good, 1 edited)"
    dialog.chats._none.click()
    assert dialog.go.toolTip() == texts.TICK_FIRST
    first.setCheckState(first.checkState().Checked)
    assert dialog.chats.summary.text() == "2 answers of 1 chat: 1 rated good, 1 edited."
    with qtbot.waitSignal(dialog.built) as built:
        dialog.go.click()
    assert built.args == ["good answers"]
    assert front.asked(c.BuildData) == [c.BuildData(name="good answers", source="chats", chats=dialog.chats.chats)]
    assert len(dialog.chats.chats) == 1


def test_without_a_marked_answer_it_says_where_to_mark_one(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    front.home.messages = {chat: [] for chat in front.home.messages}
    dialog = SetBuilder(bridge)
    dialog.open()
    qtbot.waitUntil(lambda: dialog.chats.summary.text().startswith("No answer was rated"))
    assert not dialog.go.isEnabled()
    assert dialog.go.toolTip().startswith("No answer was rated")
    dialog.reject()


def test_a_model_that_is_too_small_says_so(dialog: SetBuilder, qtbot: QtBot, front: FakeFront) -> None:
    dialog.source.chosen.emit("pairs")
    assert dialog.pairs.model.currentData() == BASE
    assert f"{BASE} is too small" in dialog.pairs.warning.text()
    large = msgspec.structs.replace(front.home.models[BASE], name="Large", parameters=7_000_000_000)
    dialog.pairs.set_models([front.home.models[BASE], large])
    dialog.pairs.model.setCurrentIndex(0)
    assert dialog.pairs.model.currentData() == "Large"
    assert dialog.pairs.warning.isHidden()
    dialog.reject()


def test_pairs_appear_as_they_are_made_those_left_out_with_the_reason(
    dialog: SetBuilder, qtbot: QtBot, front: FakeFront
) -> None:
    held = front.hold(c.FollowRun)
    dialog.source.chosen.emit("pairs")
    dialog.pairs.questions.setValue(3)
    dialog.pairs.limit.setValue(0)
    assert dialog.pairs.limit.text() == "all"
    dialog.go.click()
    qtbot.waitUntil(lambda: held.call is not None)
    call = front.asked(c.BuildData)[-1]
    assert (call.source, call.model, call.questions, call.limit) == ("pairs", BASE, 3, 0)
    held.emit(
        events.Progress(stage="asking", done=1, total=9, unit="passages"),
        events.Artifact(kind="pair", id="1", result=pair("How long?", "36 months")),
        events.Artifact(kind="pair", id="2", result=pair("Who?", "Acme", "The passage does not name Acme.")),
    )
    qtbot.waitUntil(lambda: dialog.pair_list.counts.text() == texts.COUNT_PAIRS.format(taken=1, left_out=1))
    assert dialog.progress.words == f"{texts.GENERATING_PAIRS} 1 of 9 passages"
    assert not dialog.go.isEnabled()
    rows = dialog.pair_list.rows
    assert [row.reason for row in rows] == ["", "The passage does not name Acme."]
    dialog.pair_list.filter.chosen.emit("taken")
    assert [row.isHidden() for row in rows] == [False, True]
    held.finish(msgspec.to_builtins(front.home.sets[call.name]))
    qtbot.waitUntil(dialog.message.isVisible)
    assert dialog.go.text() == texts.USE_IT
    with qtbot.waitSignal(dialog.built) as built:
        dialog.go.click()
    assert built.args == [call.name]


def test_a_run_that_came_to_nothing_shows_why_each_pair_was_left_out(
    dialog: SetBuilder, qtbot: QtBot, front: FakeFront
) -> None:
    held = front.hold(c.FollowRun)
    dialog.source.chosen.emit("pairs")
    dialog.go.click()
    held.emit(events.Artifact(kind="pair", id="1", result=pair("Who?", "Acme", "The passage does not say this.")))
    held.fail(UserError("No example came of it.", "Try a larger model."))
    qtbot.waitUntil(lambda: dialog.message.text == "No example came of it. Try a larger model.")
    assert dialog.pair_list.isVisible()
    assert not dialog.source.isVisible()
    dialog.go.click()
    assert dialog.source.isVisible()
    assert not dialog.pair_list.isVisible()
    assert dialog.go.text() == "Build"
    dialog.reject()


def test_text_of_documents(dialog: SetBuilder, qtbot: QtBot, front: FakeFront) -> None:
    dialog.source.chosen.emit("text")
    assert dialog.name.text() == texts.NAME_TEXT.format(documents="Brunnen pumps")
    with qtbot.waitSignal(dialog.built):
        dialog.go.click()
    assert front.asked(c.BuildData)[-1].source == "text"


def test_a_name_is_suggested_until_one_is_written(dialog: SetBuilder) -> None:
    dialog.source.chosen.emit("pairs")
    assert dialog.name.text() == texts.NAME_PAIRS.format(documents="Brunnen pumps")
    dialog.name.setText("mine")
    dialog.name.textEdited.emit("mine")
    dialog.source.chosen.emit("text")
    assert dialog.name.text() == "mine"
    dialog.reject()


def test_a_set_that_cannot_be_built_says_why(dialog: SetBuilder, qtbot: QtBot) -> None:
    dialog.name.setText("pump questions")
    dialog.name.textEdited.emit("pump questions")
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.message.text.startswith("There is already a set"))
    assert dialog.go.isEnabled()
    dialog.reject()


def test_a_run_that_is_stopped_can_be_gone_on_with(dialog: SetBuilder, qtbot: QtBot, front: FakeFront) -> None:
    held = front.hold(c.FollowRun)
    dialog.source.chosen.emit("pairs")
    dialog.go.click()
    qtbot.waitUntil(lambda: held.call is not None)
    dialog.progress.stop_button.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.StopRun)))
    held.emit(events.Cancelled())
    qtbot.waitUntil(lambda: dialog.message.text.startswith("Stopped."))
    assert dialog.source.isVisible()
    dialog.reject()


def test_what_can_be_learnt_from() -> None:
    def answer(**fields: object) -> c.StoredMessage:
        plain = {"id": "a", "chat": "c", "parent": "q", "role": "assistant", "text": "Yes."} | fields
        return msgspec.convert(plain, c.StoredMessage)

    assert why_good(answer()) == ""
    assert why_good(answer(rating=1)) == "rated"
    assert why_good(answer(rating=-1, selected_sequence=1)) == ""
    assert why_good(answer(selected_sequence=1)) == "chosen"
    assert why_good(answer(rating=-1, original="No.")) == "edited"
    assert why_good(answer(rating=1, declined=True)) == ""
    assert why_good(answer(rating=1, state="stopped")) == ""
    assert why_good(answer(rating=1, role="user")) == ""


def test_only_so_many_pairs_are_kept_on_the_screen(qtbot: QtBot) -> None:
    shown = PairList()
    qtbot.addWidget(shown)
    for number in range(SHOWN + 5):
        shown.add_pair(pair(f"Question {number}?", "Yes"))
    assert (len(shown.rows), shown.taken) == (SHOWN, SHOWN + 5)
