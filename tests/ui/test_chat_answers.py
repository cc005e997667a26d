"""The chat page against a fake core: several answers at once, tokens, going on from another token, beam trees."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui import fake_tokens
from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.test_chat_page import answers, ask, begin, open_chat, page, questions
from ui.bridge import Bridge
from ui.components.code_view import CodeView
from ui.features.chat import texts
from ui.features.chat.conversation.live_answer import describe_progress
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.messages import Alternative, Candidate, ChosenToken, Usage
from workbench.records.recipes import DecodingPart, Recipe

__all__ = ["page"]  # the fixture


def decode_with(page: ChatPage, decoding: DecodingPart) -> None:
    recipe = page.parts.recipe.recipe
    page.parts.recipe.changed.emit(msgspec.structs.replace(recipe, decoding=decoding))


def ask_and_wait(qtbot: QtBot, page: ChatPage, question: str = "How long is the warranty?") -> None:
    count = len(answers(page))
    ask(page, question)
    qtbot.waitUntil(lambda: len(answers(page)) > count and not page.session.busy)
    shown = answers(page)[-1].message_id
    qtbot.waitUntil(lambda: page.session.chat.branches[shown].traced)


class ShownWindows(QObject):
    """Which widgets were shown as windows."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.seen.append(type(watched).__name__)
        return False


def test_no_part_of_an_answer_is_a_window_of_its_own_even_for_a_moment(
    qtbot: QtBot, qapp: QApplication, page: ChatPage, front: FakeFront
) -> None:
    """Such a window takes the keyboard away."""
    shown = ShownWindows()
    qapp.installEventFilter(shown)
    decode_with(page, DecodingPart(strategy="beam", n=2))
    ask_and_wait(qtbot, page)
    view = answers(page)[-1]
    view.inspection.open_tokens(0)
    qtbot.waitUntil(view.inspection.text.isVisible)
    view.inspection.text.point_at(1)
    front.refuse(c.InspectAnswer, UserError("No."))
    view.inspection.open_tokens(1)
    qtbot.waitUntil(view.inspection.failure.isVisible)
    qapp.removeEventFilter(shown)
    assert shown.seen == []


# -- several answers ---------------------------------------------------------------------------------


def test_several_answers_stream_into_columns_that_are_there_from_the_start(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    decode_with(page, DecodingPart(temperature=0.8, n=3))
    held = front.hold(c.Ask)
    ask(page, "How long is the warranty?")
    begin(front, home, held, qtbot)
    qtbot.waitUntil(lambda: len(answers(page)[-1].columns.columns) == 3)
    view = answers(page)[-1]
    qtbot.waitUntil(view.columns.isVisible)
    assert view.waiting.isVisible()
    held.emit(
        events.TextDelta(text="It runs ", sequence=0),
        events.TextDelta(text="For as ", sequence=2),
        events.TextDelta(text="for years.", sequence=0),
        events.TextDelta(text="long as ", sequence=2),
    )
    qtbot.waitUntil(lambda: view.columns.columns[2].text.text == "For as long as ")
    assert [column.text.text for column in view.columns.columns] == ["It runs for years.", "", "For as long as "]
    assert not view.waiting.isVisible()
    assert not view.text.isVisible()
    assert [column.keep_button.isVisible() for column in view.columns.columns] == [False] * 3


def test_a_second_sequence_that_was_not_announced_makes_columns_too(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.Ask)
    ask(page, "How?")
    begin(front, home, held, qtbot)
    held.emit(events.TextDelta(text="One"))
    qtbot.waitUntil(lambda: answers(page)[-1].text.text == "One")
    held.emit(events.TextDelta(text="Two", sequence=1), events.TextDelta(text=" more"))
    view = answers(page)[-1]
    qtbot.waitUntil(lambda: [column.text.text for column in view.columns.columns] == ["One more", "Two"])
    assert not view.text.isVisible()


def test_keep_makes_another_answer_the_conversations_and_shows_only_that(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    decode_with(page, DecodingPart(temperature=0.8, n=3))
    ask_and_wait(qtbot, page)
    view = answers(page)[-1]
    assert view.shows_columns
    first, second = (column.text.text for column in view.columns.columns[:2])
    assert view.columns.columns[0].kept_mark.isVisible()
    QTest.mouseClick(view.columns.columns[1].keep_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.text.isVisible() and view.text.text == second)
    assert front.asked(c.SelectSequence) == [c.SelectSequence(message=view.message_id, sequence=1)]
    assert not view.columns.isVisible()
    assert second != first
    assert view.footer.menu.answers.text() == "3 answers"
    view.footer.menu.answers.trigger()
    assert view.columns.isVisible()
    assert not view.text.isVisible()
    assert [column.kept_mark.isVisible() for column in view.columns.columns] == [False, True, False]
    view.footer.menu.answers.trigger()
    assert view.text.isVisible()


def test_keep_leaves_the_keyboard_with_the_input(qtbot: QtBot, page: ChatPage) -> None:
    decode_with(page, DecodingPart(temperature=0.8, n=2))
    ask_and_wait(qtbot, page)
    view = answers(page)[-1]
    button = view.columns.columns[1].keep_button
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not view.columns.isVisible())
    assert page.parts.composer.field.hasFocus()


def test_complete_answers_beside_each_other_are_shown_from_their_beginning(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    decode_with(page, DecodingPart(temperature=0.8, n=2))
    held = front.hold(c.Ask)
    ask(page, "How?")
    stored = begin(front, home, held, qtbot)
    long = "A long line of an answer.\n\n" * 60
    held.emit(events.TextDelta(text=long), events.TextDelta(text="Short.", sequence=1))
    talk, view = page.parts.conversation, answers(page)[-1]
    bar = talk.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 600 and bar.value() == bar.maximum())
    sequences = (Candidate(text=long, finish="eos"), Candidate(text="Short.", finish="eos"))
    result = c.AskResult(answer=long, sequences=sequences, chat=stored.chat, message=stored.id)
    held.finish(result)
    qtbot.waitUntil(lambda: not page.session.busy)
    top = view.columns.columns[1].text
    qtbot.waitUntil(lambda: 0 <= top.mapTo(talk.viewport(), QPoint(0, 0)).y() < talk.viewport().height() // 2)


def test_json_is_shown_as_code(qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome) -> None:
    decode_with(page, DecodingPart(format="json"))
    held = front.hold(c.Ask)
    ask(page, "Who?")
    begin(front, home, held, qtbot)
    text = '{\n  "a": "*b*",\n\n  "c": 1\n}'
    held.emit(events.TextDelta(text=text[:9]), events.TextDelta(text=text[9:]))
    view = answers(page)[-1]
    qtbot.waitUntil(lambda: view.text.text == text)
    (code,) = view.text.segments
    assert isinstance(code, CodeView)
    assert code.code == text


def test_a_refusal_is_taken_back_when_a_question_could_be_asked(
    qtbot: QtBot, page: ChatPage, front: FakeFront, shell: RecordingShell
) -> None:
    held = front.hold(c.Ask)
    ask(page, "How?")
    qtbot.waitUntil(lambda: held.call is not None)
    held.emit(events.Failed(message="Which model guesses ahead?", reason="user"))
    qtbot.waitUntil(lambda: len(shell.messages) == 1)
    ask_and_wait(qtbot, page)
    assert shell.messages == []


def test_an_answer_that_failed_at_once_takes_only_the_room_of_its_reason(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.Ask)
    ask(page, "How?")
    begin(front, home, held, qtbot)
    held.emit(events.Failed(message="No schema.", reason="user"))
    qtbot.waitUntil(lambda: not page.session.busy)
    view = answers(page)[-1]
    assert view.failure.isVisible()
    assert not view.footer.isVisible()


def test_no_traceback_is_shown(qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome) -> None:
    held = front.hold(c.Ask)
    ask(page, "How?")
    begin(front, home, held, qtbot)
    trace = 'Failed.\nTraceback (most recent call last):\n  File "beam.py", line 1\nTypeError: no such word'
    held.emit(events.Failed(message=trace, reason="bug"))
    qtbot.waitUntil(lambda: not page.session.busy)
    view = answers(page)[-1]
    assert view.failure.text == texts.FAULT.format(value="TypeError: no such word")
    assert "beam.py" in view.failure.toolTip()


def test_a_conversation_that_went_on_shows_what_was_kept(qtbot: QtBot, page: ChatPage) -> None:
    decode_with(page, DecodingPart(temperature=0.8, n=2))
    ask_and_wait(qtbot, page)
    decode_with(page, DecodingPart())
    ask_and_wait(qtbot, page, "And then?")
    first, last = answers(page)
    assert not first.columns.isVisible()
    assert first.text.isVisible()
    assert first.footer.menu.answers.isEnabled()
    assert not last.footer.menu.answers.isEnabled()


def test_keep_that_fails_is_told(qtbot: QtBot, page: ChatPage, front: FakeFront, bridge: Bridge) -> None:
    decode_with(page, DecodingPart(temperature=0.8, n=2))
    ask_and_wait(qtbot, page)
    front.refuse(c.SelectSequence, UserError("The chat has gone."))
    told: list[Exception] = []
    bridge.failed.connect(told.append)
    answers(page)[-1].columns.columns[1].keep_button.click()
    qtbot.waitUntil(lambda: bool(told))
    assert "The chat has gone." in str(told[0])


# -- tokens --------------------------------------------------------------------------------------------


def test_the_tokens_tell_of_the_penalties_that_acted_on_them(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    ask_and_wait(qtbot, page)
    chat = page.session.chat.id
    last = home.messages[chat][-1]
    punished = Recipe(decoding=DecodingPart(strategy="greedy", repetition_penalty=1.1))
    home.messages[chat][-1] = msgspec.structs.replace(last, recipe=punished)
    page.session.reload()
    view = answers(page)[-1]
    view.footer.menu.tokens.trigger()
    qtbot.waitUntil(view.inspection.text.isVisible)
    assert "These settings change which token counts as the most probable one: Repetition penalty 1.1." in (
        view.inspection.summary.text()
    )


@pytest.mark.parametrize(
    ("decoding", "told"), [(DecodingPart(strategy="greedy"), True), (DecodingPart(temperature=0.7), False)]
)
def test_near_ties_are_told_of_a_recipe_that_takes_the_most_probable_token(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, decoding: DecodingPart, told: bool
) -> None:
    ask_and_wait(qtbot, page)
    chat = page.session.chat.id
    home.messages[chat][-1] = msgspec.structs.replace(home.messages[chat][-1], recipe=Recipe(decoding=decoding))
    tie = ChosenToken(token=2, text="b", logprob=-0.8, alternatives=(Alternative(token=1, text="a", logprob=-0.7),))
    front.answer(c.InspectAnswer, lambda call: [finish(c.AnswerTokens(tokens=(tie,)))])
    page.session.reload()
    view = answers(page)[-1]
    view.footer.menu.tokens.trigger()
    qtbot.waitUntil(view.inspection.text.isVisible)
    assert ("1 token is nearly as probable as the first choice (90% of" in view.inspection.summary.text()) == told


def test_tokens_of_an_answer_are_fetched_once_and_shown(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    ask_and_wait(qtbot, page)
    view = answers(page)[-1]
    view.footer.menu.tokens.trigger()
    qtbot.waitUntil(view.inspection.text.isVisible)
    assert front.asked(c.InspectAnswer) == [c.InspectAnswer(message=view.message_id)]
    count = len(fake_tokens.split(view.text.text))
    assert view.inspection.summary.text().startswith(f"{count} tokens · mean probability ")
    assert "perplexity" in view.inspection.summary.text()
    assert view.inspection.legend.isVisible()
    QTest.mouseClick(view.inspection.close_button, Qt.MouseButton.LeftButton)
    assert not view.inspection.isVisible()
    view.footer.menu.tokens.trigger()
    assert view.inspection.text.isVisible()
    assert len(front.asked(c.InspectAnswer)) == 1


def test_an_answer_whose_tokens_are_not_known_offers_none(qtbot: QtBot, page: ChatPage) -> None:
    open_chat(qtbot, page, "A polite refusal")
    assert not answers(page)[-1].footer.menu.tokens.isEnabled()


def test_a_long_wait_for_tokens_is_told_and_can_be_stopped(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    ask_and_wait(qtbot, page)
    view = answers(page)[-1]
    held = front.hold(c.InspectAnswer)
    view.footer.menu.tokens.trigger()
    assert not view.inspection.progress.isVisible()  # a short wait is not told
    qtbot.waitUntil(view.inspection.progress.isVisible)
    held.emit(events.Progress(stage="loading", done=43, total=100))
    qtbot.waitUntil(lambda: "Loading SmolLM2-135M-Instruct… 43%" in view.inspection.progress.words)
    QTest.mouseClick(view.inspection.progress.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: held.cancelled and not view.inspection.isVisible())


def test_tokens_that_cannot_be_had_say_why_where_they_were_wanted(
    qtbot: QtBot, page: ChatPage, front: FakeFront
) -> None:
    ask_and_wait(qtbot, page)
    view = answers(page)[-1]
    front.refuse(c.InspectAnswer, UserError("The model of this answer is gone.", "Add it again."))
    view.footer.menu.tokens.trigger()
    qtbot.waitUntil(view.inspection.failure.isVisible)
    assert "The model of this answer is gone. Add it again." in view.inspection.failure.text
    front._answers.pop(c.InspectAnswer)
    view.inspection.failure.action_button.click()
    qtbot.waitUntil(view.inspection.text.isVisible)
    view.footer.menu.tokens.trigger()  # what has opened it closes it
    assert not view.inspection.isVisible()


def test_the_tokens_of_each_of_several_answers(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    decode_with(page, DecodingPart(temperature=0.8, n=3))
    ask_and_wait(qtbot, page)
    view = answers(page)[-1]
    QTest.mouseClick(view.columns.columns[1].tokens_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(view.inspection.text.isVisible)
    assert front.asked(c.InspectAnswer)[-1].sequence == 1
    assert view.inspection.picks.isVisible()
    view.inspection.open_tokens(2)
    qtbot.waitUntil(lambda: len(front.asked(c.InspectAnswer)) == 2 and view.inspection.text.isVisible())
    told: list[c.BranchPoint] = []
    view.inspection.branch_wanted.connect(told.append)
    view.inspection.text.branch_wanted.emit(4, fake_tokens.id_of(" two"))
    assert told == [c.BranchPoint(position=4, token=fake_tokens.id_of(" two"), sequence=2)]


def test_another_token_chosen_begins_an_answer_beside_that_goes_on_from_it(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    ask_and_wait(qtbot, page)
    old = answers(page)[-1]
    words = old.text.text
    old.footer.menu.tokens.trigger()
    qtbot.waitUntil(old.inspection.text.isVisible)
    page.activateWindow()
    old.inspection.text.setFocus()
    qtbot.waitUntil(old.inspection.text.hasFocus)
    for _ in range(4):
        QTest.keyClick(old.inspection.text, Qt.Key.Key_Right)
    QTest.keyClick(old.inspection.text, Qt.Key.Key_Down)
    QTest.keyClick(old.inspection.text, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2 and not page.session.busy)
    asked = front.asked(c.Ask)[1]
    assert asked.regenerate == old.message_id
    assert asked.branch.position == 3
    assert asked.recipe == page.parts.recipe.recipe
    new = answers(page)[-1]
    shared = "".join(fake_tokens.split(words)[:3])
    qtbot.waitUntil(lambda: new.text.text == shared + fake_tokens.word_of(asked.branch.token) + " and so it goes on.")
    assert new.siblings.place.text() == "2/2"
    assert page.focusWidget() is page.parts.composer.field
    assert len(questions(page)) == 1


def test_going_on_from_a_token_is_done_by_the_model_whose_token_it_is(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    ask_and_wait(qtbot, page)
    view = answers(page)[-1]
    made_with = page.session.chat.branches[view.message_id].recipe
    assert made_with is not None
    other = msgspec.structs.replace(made_with.model, name="Another model")
    page.parts.recipe.changed.emit(msgspec.structs.replace(made_with, model=other))
    view.inspection.branch_wanted.emit(c.BranchPoint(position=1, token=fake_tokens.id_of(" two")))
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2)
    assert front.asked(c.Ask)[1].recipe.model.name == "SmolLM2-135M-Instruct"


def test_escape_closes_the_alternatives_and_leaves_an_answer_that_is_made_alone(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    ask_and_wait(qtbot, page)
    view = answers(page)[-1]
    view.footer.menu.tokens.trigger()
    qtbot.waitUntil(view.inspection.text.isVisible)
    held = front.hold(c.Ask)
    ask(page, "And then?")
    answer = begin(front, home, held, qtbot)
    qtbot.waitUntil(lambda: answer.id in page.session.lives)
    page.activateWindow()
    text = view.inspection.text
    text.setFocus()
    qtbot.waitUntil(text.hasFocus)
    QTest.keyClick(text, Qt.Key.Key_Home)
    assert text.popover is not None
    QTest.keyClick(text, Qt.Key.Key_Escape)
    assert text.popover is None
    front.wait_idle()
    assert front.asked(c.StopAnswer) == []
    QTest.keyClick(text, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(front.asked(c.StopAnswer)))


# -- beams -----------------------------------------------------------------------------------------------


def test_the_beam_tree_grows_while_the_answer_is_made_and_ends_with_its_winner(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    decode_with(page, DecodingPart(strategy="beam", num_beams=4))
    held = front.hold(c.Ask)
    ask(page, "How long?")
    answer = begin(front, home, held, qtbot)
    text = "The warranty runs for 36 months."
    steps = fake_tokens.beams(text)
    held.emit(events.StepStarted(step="1", kind="generation", title="Answer", writes_answer=True))
    held.emit(*(events.BeamStep(number=step, beams=beams, step="1") for step, beams in enumerate(steps[:4])))
    qtbot.waitUntil(lambda: answers(page)[-1].inspection.beams.canvas.tree.steps == 4)
    view = answers(page)[-1]
    canvas = view.inspection.beams.canvas
    assert view.inspection.beams.isVisible()
    assert view.waiting.words == texts.SEARCHING_BEAMS.format(steps=4)
    assert canvas.winner is None
    held.emit(*(events.BeamStep(number=step + 4, beams=beams, step="1") for step, beams in enumerate(steps[4:])))
    held.emit(events.TextDelta(text=text))
    home.end_answer(answer, text, usage=Usage(new_tokens=7), traced=True)
    held.finish(c.AskResult(answer=text, chat=answer.chat, message=answer.id, recipe=held.call.recipe))
    qtbot.waitUntil(lambda: not page.session.busy and canvas.winner is not None)
    assert canvas.tree.text(canvas.winner or (0, 0)) == text
    assert front.asked(c.InspectAnswer) == []  # the tree is known already


def test_the_beam_tree_of_an_older_answer_is_fetched(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    decode_with(page, DecodingPart(strategy="beam", num_beams=4))
    ask_and_wait(qtbot, page)
    chat = page.session.chat.id
    open_chat(qtbot, page, "A polite refusal")
    page.session.open(chat)
    qtbot.waitUntil(lambda: bool(answers(page)) and answers(page)[-1].footer.menu.beams.isEnabled())
    view = answers(page)[-1]
    assert not view.inspection.isVisible()
    view.footer.menu.beams.trigger()
    qtbot.waitUntil(view.inspection.beams.isVisible)
    canvas = view.inspection.beams.canvas
    assert canvas.tree.text(canvas.winner or (0, 0)) == view.text.text
    QTest.mouseClick(view.inspection.tokens_button, Qt.MouseButton.LeftButton)
    assert view.inspection.text.isVisible()
    assert not view.inspection.beams.isVisible()
    assert len(front.asked(c.InspectAnswer)) == 1


# -- what it cost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1124, 804])
def test_buttons_and_usage_are_not_cut_beside_an_open_source(
    qtbot: QtBot, page: ChatPage, shell: RecordingShell, width: int
) -> None:
    """1124 px is the page's width in a window of 1280."""
    page.open_target(new=True, collection="Brunnen pumps")
    page.resize(width, 700)
    decode_with(page, DecodingPart(temperature=0.8, n=2))
    ask_and_wait(qtbot, page)
    view = answers(page)[-1]
    page.open_source(view.sources.citations[0])
    qtbot.waitUntil(lambda: page.parts.side.currentWidget() is page.parts.source and page.parts.side.isVisible())
    qtbot.waitUntil(lambda: view.width() < 480)
    buttons = [
        view.footer.copy_button,
        view.footer.again_button,
        view.footer.more_button,
        view.footer.sources_button,
    ]
    for button in buttons:
        assert button.isVisible()
        assert button.width() >= button.sizeHint().width()
        assert button.geometry().right() <= view.footer.width()
        assert button.geometry().bottom() <= view.footer.height()
    shown = view.usage
    assert shown.fontMetrics().horizontalAdvance(shown.text()) <= shown.width()
    assert shown.text().startswith("41 tokens/s")
    assert "120 of them reused" in shown.toolTip()


def test_after_the_load_a_slow_model_is_said_to_read_the_question() -> None:
    loading = events.Progress(stage="loading", done=0.5, total=1.0, detail="Llama 8B")
    assert describe_progress(loading, Recipe()) == "Loading Llama 8B… 50%"
    loaded = events.Progress(stage="loading", done=1.0, total=1.0, detail="Llama 8B")
    assert describe_progress(loaded, Recipe()) == "Reading the question…"


def test_reading_of_a_long_conversation_is_said_in_tokens() -> None:
    reading = events.Progress(stage="reading", done=1200, total=2700, unit="tokens", detail="the conversation")
    assert describe_progress(reading, Recipe()) == "Reading the conversation, 1,200 of 2,700 tokens…"
    slow = events.Progress(
        stage="reading", done=512, total=4000, unit="tokens", detail="the conversation", seconds_left=350
    )
    assert describe_progress(slow, Recipe()).endswith("512 of 4,000 tokens… 6 min left")
