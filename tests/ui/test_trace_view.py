"""The steps of an answer in the window: stored, while it is generated, and the same as the core's."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.event_sequences import answer_events
from tests.fakes import passage
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.test_chat_page import answers, ask, begin, open_chat, page
from ui.bridge import Bridge
from ui.components.steps.trace_view import TraceView
from ui.features.chat.conversation.live_answer import LiveAnswer
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.api import events
from workbench.api.answer_state import AnswerState, with_trace
from workbench.records.messages import Usage
from workbench.records.recipes import Recipe
from workbench.records.trace import Trace, TraceStep

__all__ = ["page"]

FOUND = (passage("The warranty runs for 36 months.", "contract.pdf", n=1),)
STEPS = Trace(
    steps=(
        TraceStep(id="1", kind="search", title="Search the documents", input="How long?", passages=FOUND, seconds=0.08),
        TraceStep(id="2", kind="sections", title="Summarise 2 sections", state="running"),
        TraceStep(
            id="3",
            kind="section",
            parent="2",
            title="Section 1 of 2",
            output="It is long.",
            score=-0.4,
            seconds=61.0,
            usage=Usage(prompt_tokens=700, new_tokens=64),
        ),
        TraceStep(id="4", kind="section", parent="2", title="Section 2 of 2", state="failed", error="It failed."),
    )
)


@pytest.fixture
def view(qtbot: QtBot) -> TraceView:
    made = TraceView()
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    made.show_trace(STEPS)
    return made


def rows(view: TraceView) -> list[list[str]]:
    found, item = [], view.tree.topLevelItem(0)
    while item is not None:
        found.append([item.text(column) for column in range(4)])
        item = view.tree.itemBelow(item)
    return found


def test_steps_are_rows_with_their_figures(view: TraceView) -> None:
    assert rows(view) == [
        ["Search the documents", "", "0.08 s", ""],
        ["Summarise 2 sections", "", "Running…", ""],
        ["Section 1 of 2", "-0.40", "1 min", "64"],
        ["Section 2 of 2", "", "Failed", ""],
    ]
    assert view.selected is not None
    assert view.selected.id == "2"  # the one that runs


def test_the_keyboard_moves_through_the_tree_and_the_details_follow(qtbot: QtBot, view: TraceView) -> None:
    view.tree.setFocus()
    qtbot.keyClick(view.tree, Qt.Key.Key_Down)
    assert view.details.title.text() == "Section 1 of 2"
    assert view.details.parts["Output"][1].text() == "It is long."
    assert view.details.figures.text() == "Section · 1 min · score -0.40 · 700 prompt tokens · 64 new tokens"
    assert not view.details.parts["Input"][1].isVisible()
    qtbot.keyClick(view.tree, Qt.Key.Key_Down)
    assert view.details.error.text() == "It failed."
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left):  # to the parent, and close it
        qtbot.keyClick(view.tree, key)
    assert len(rows(view)) == 2
    qtbot.keyClick(view.tree, Qt.Key.Key_Up)
    with qtbot.waitSignal(view.source_wanted) as wanted:
        button = view.details._passages.itemAt(0).widget()  # type: ignore[union-attr]
        qtbot.keyClick(button, Qt.Key.Key_Space)
    assert wanted.args == [FOUND[0]]


def test_rows_grow_in_place_and_a_step_that_was_selected_stays_so(qtbot: QtBot, view: TraceView) -> None:
    kept = view.tree.topLevelItem(0)
    done = msgspec.structs.replace(STEPS.steps[1], state="done", seconds=3.0, output="2 summaries")
    answer = TraceStep(id="5", kind="generation", title="Summary", state="running")
    view.show_trace(Trace(steps=(STEPS.steps[0], done, *STEPS.steps[2:], answer)))
    assert view.tree.topLevelItem(0) is kept
    assert [row[0] for row in rows(view)] == ["Search the documents", "Summarise 2 sections", "Summary"]  # closed again
    assert view.selected is not None
    assert view.selected.title == "Summary"
    qtbot.keyClick(view.tree, Qt.Key.Key_Up)
    more = msgspec.structs.replace(answer, output="So far")
    view.show_trace(Trace(steps=(STEPS.steps[0], done, *STEPS.steps[2:], more)))
    assert view.selected.title == "Summarise 2 sections"


def test_the_steps_of_a_stored_answer_are_loaded_when_they_are_looked_at(
    qtbot: QtBot, page: ChatPage, front: FakeFront
) -> None:
    ask(page, "How long is the warranty?")
    qtbot.waitUntil(lambda: bool(answers(page)) and not page.session.busy)
    chat = page.session.chat.id
    open_chat(qtbot, page, "A polite refusal")
    page.session.open(chat)
    qtbot.waitUntil(lambda: page.session.chat.id == chat and bool(answers(page)))
    shown = answers(page)[-1]
    assert front.asked(c.GetTrace) == []
    shown.footer.menu.steps.trigger()
    qtbot.waitUntil(lambda: shown.inspection.steps.isVisible())
    assert [row[0] for row in rows(shown.inspection.steps)][-1] == "Answer"
    assert len(front.asked(c.GetTrace)) == 1
    shown.inspection.close_panel()
    shown.footer.menu.steps.trigger()
    assert shown.inspection.steps.isVisible()
    assert len(front.asked(c.GetTrace)) == 1


def test_steps_that_cannot_be_loaded_say_why_and_can_be_tried_again(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    ask(page, "How long is the warranty?")
    qtbot.waitUntil(lambda: bool(answers(page)) and not page.session.busy)
    chat = page.session.chat.id
    open_chat(qtbot, page, "A polite refusal")
    kept = home.traces.copy()
    home.traces.clear()
    page.session.open(chat)
    qtbot.waitUntil(lambda: page.session.chat.id == chat and bool(answers(page)))
    inspection = answers(page)[-1].inspection
    answers(page)[-1].footer.menu.steps.trigger()
    qtbot.waitUntil(lambda: inspection.failure.isVisible())
    assert "No steps" in inspection.failure.text
    home.traces.update(kept)
    inspection.failure.action_button.click()
    qtbot.waitUntil(lambda: inspection.steps.isVisible())


def test_steps_are_followed_while_the_answer_is_generated(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.Ask)
    ask(page, "Summarise it")
    answer = begin(front, home, held, qtbot)
    view = answers(page)[-1]
    held.emit(
        events.StepStarted(step="1", kind="sections", title="Summarise 2 sections"),
        events.StepStarted(step="2", parent="1", kind="section", title="Section 1 of 2"),
        events.TextDelta(text="The first ", step="2"),
    )
    qtbot.waitUntil(lambda: view.footer.menu.steps.isEnabled())
    view.footer.menu.steps.trigger()
    tree = view.inspection.steps
    assert [row[2] for row in rows(tree)] == ["Running…", "Running…"]
    held.emit(events.TextDelta(text="section.", step="2"))
    qtbot.waitUntil(lambda: tree.details.parts["Output"][1].text() == "The first section.")
    assert view.text.text == ""  # that is no text of the answer
    held.emit(events.StepFinished(step="2", seconds=0.5), events.TextDelta(text="All in all."))
    home.end_answer(answer, "All in all.")
    held.finish(c.AskResult(answer="All in all.", chat=answer.chat, message=answer.id, recipe=held.call.recipe))
    qtbot.waitUntil(lambda: not page.session.busy)
    assert view.text.text == "All in all."
    qtbot.waitUntil(lambda: rows(tree)[0][2] == "Stopped")  # it never said that it was done
    assert front.asked(c.GetTrace) == []


def test_what_the_window_was_sent_in_batches_is_what_the_core_stores(qtbot: QtBot) -> None:
    """The third copy of an answer: 200 streams through the bridge, where neighbouring pieces are joined."""
    front = FakeFront(FakeHome())
    bridge = Bridge(front)
    empty = c.StoredMessage(id="a", chat="c", parent="q", role="assistant", text="", state="streaming", recipe=Recipe())
    for seed in range(200):
        stream = list(with_trace(answer_events(seed)))
        front.answer(c.Ask, lambda call, sent=stream: sent)
        live, outcome = LiveAnswer("a", "c", Recipe(), bridge), []
        bridge.stream(c.Ask(), live.take, lambda end, live=live, got=outcome: got.append(live.outcome(empty, end)))
        qtbot.waitUntil(lambda got=outcome: bool(got))
        core = AnswerState.of(stream)
        assert outcome == [core.message(empty)], seed
        assert live.state.trace() == core.trace(), seed
    bridge.close()
