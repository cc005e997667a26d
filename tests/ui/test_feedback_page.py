"""The page of feedback: judgements reviewed and corrected, compared in a row by keyboard, imported, learnt from."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, choose, settle
from tests.ui.fake_adapters import furnish_adapters
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import SMOL, FakeHome
from tests.ui.judged_home import furnish_judgements, furnish_queue, judgement_of, judgements_in
from ui.bridge import Bridge
from ui.components.basics import Text
from ui.features.feedback import texts
from ui.features.feedback.blind_tests import BlindTestsPage
from ui.features.feedback.files import ImportDialog
from ui.features.feedback.page import FeedbackPage
from ui.features.feedback.queue_dialog import NewQueue
from ui.features.feedback.recipe_choice import SAME
from workbench import calls as c
from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.judgement_reports import MeanEstimate


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome) -> FeedbackPage:
    furnish_adapters(home)
    page = FeedbackPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1120, 720)
    return page


def show(page: FeedbackPage, bridge: Bridge, qtbot: QtBot, section: str = "review") -> None:
    bridge.home.listing(c.ListQueues()).refresh()  # what the test has furnished since the page was made
    page.open_target(section)  # type: ignore[arg-type]
    page.show()
    settle(bridge, qtbot)


# -- review -----------------------------------------------------------------------------------------


def test_a_home_without_judgements_says_how_to_make_some(page: FeedbackPage, bridge: Bridge, qtbot: QtBot) -> None:
    show(page, bridge, qtbot)
    qtbot.waitUntil(page.review.empty.isVisible)
    assert page.review.empty.button is not None
    page.review.empty.button.click()
    assert page.label.isVisible()


def test_judgements_are_filtered_and_one_is_corrected(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, front: FakeFront
) -> None:
    furnish_judgements(home)
    show(page, bridge, qtbot)
    review = page.review
    qtbot.waitUntil(lambda: review.table.total == 48)
    assert review.counts.text() == "48 preferences of 48 questions"
    review.verdict.show_value("good")
    review.verdict.chosen.emit("good")
    qtbot.waitUntil(lambda: review.table.total == 1)
    row = review.table.row(0)
    assert row.question == "How long is the warranty?"
    review.grid.opened.emit(row, -1)
    assert review.panel.isVisible()
    assert review.panel.earlier_button.text() == texts.BEFORE.format(count=1)
    review.panel.verdict.buttons["poor"].click()
    qtbot.waitUntil(lambda: judgement_of(home, row.id).verdict == "poor")
    qtbot.waitUntil(lambda: review.table.total == 0)
    assert review.nothing.isVisible()


def test_an_answer_of_a_judgement_is_edited_and_a_refusal_is_shown(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, front: FakeFront
) -> None:
    furnish_judgements(home, 1)
    show(page, bridge, qtbot)
    one = next(one for one in judgements_in(home) if one.is_pair)
    page.open_target("review", judgement=one.id)
    panel = page.review.panel
    qtbot.waitUntil(panel.isVisible)
    panel.answers[1].edit_button.click()
    panel.editor.field.setPlainText("The Sea")
    panel.editor.take_button.click()
    qtbot.waitUntil(lambda: judgement_of(home, one.id).edited)
    assert judgement_of(home, one.id).verdict == "b"
    qtbot.waitUntil(lambda: panel.title.text() == texts.EDITED)
    assert panel.answers[1].note.text().startswith("The model had written: The sea")
    front.refuse(c.ChangeJudgement, UserError("This preference belongs to a chat.", "Change it there."))
    panel.verdict.buttons["tie"].click()
    qtbot.waitUntil(panel.message.isVisible)
    assert "belongs to a chat" in panel.message.text


def test_a_judgement_is_deleted_and_the_deletion_undone(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, shell: RecordingShell
) -> None:
    furnish_judgements(home, 3)
    show(page, bridge, qtbot)
    qtbot.waitUntil(lambda: page.review.table.total == 5)
    page.review.grid.setCurrentIndex(page.review.table.index(0, 0))
    page.review.grid.setFocus()
    QTest.keyClick(page.review.grid, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: page.review.table.total == 4 and bool(shell.messages))
    words, _, action = shell.messages[-1]
    assert words == texts.DELETED.format(count="1 preference")
    assert action is not None
    action.run()
    qtbot.waitUntil(lambda: page.review.table.total == 5)


def test_a_file_is_imported_and_its_bad_rows_are_named(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, tmp_path: Path
) -> None:
    rows = (
        {"prompt": "A title?", "chosen": "The Sea", "rejected": "A very long title"},
        {"prompt": "A title?", "chosen": "Rain"},
        {"prompt": "A colour?", "chosen": "Teal", "rejected": "There are many"},
    )
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    show(page, bridge, qtbot)
    page.take_files([str(file)])
    (dialog,) = page.review.findChildren(ImportDialog)
    assert dialog.path.text() == str(file)
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.message.isVisibleTo(dialog))
    assert dialog.message.text.startswith("2 of 3 rows added.")
    assert "line 2" in dialog.details.text()
    dialog.go.click()  # closes it
    qtbot.waitUntil(lambda: page.review.table.total == 2)


def test_the_columns_of_a_file_can_be_named(page: FeedbackPage, bridge: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(json.dumps({"q": "A title?", "good": "The Sea", "worse": "A very long title"}), "utf-8")
    show(page, bridge, qtbot)
    dialog = page.review.begin_import()
    dialog.choose(str(file))
    dialog.go.click()
    qtbot.waitUntil(lambda: "'q', 'good', 'worse'" in dialog.message.text)
    assert not dialog.columns["prompt"].isVisible()
    dialog.columns_button.click()
    for role, column in (("prompt", "q"), ("a", "good"), ("b", "worse")):
        dialog.columns[role].setText(column)
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.message.text.startswith("1 of 1 row added."))
    dialog.accept()
    qtbot.waitUntil(lambda: page.review.table.total == 1)
    assert page.review.table.row(0).preferred.text == "The Sea"


def test_a_file_that_cannot_be_read_is_said_and_can_be_chosen_again(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot
) -> None:
    show(page, bridge, qtbot)
    dialog = page.review.begin_import()
    assert not dialog.go.isEnabled()
    dialog.choose("/home/ada/missing.jsonl")
    dialog.go.click()
    qtbot.waitUntil(lambda: "missing.jsonl" in dialog.message.text)
    assert dialog.go.isEnabled()
    dialog.reject()


def test_what_is_shown_is_exported_and_what_a_format_leaves_out_is_counted(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, tmp_path: Path
) -> None:
    furnish_judgements(home)
    show(page, bridge, qtbot)
    qtbot.waitUntil(lambda: page.review.table.total == 48)
    dialog = page.review.begin_export()
    dialog.choose(str(tmp_path / "out.jsonl"))
    dialog.form.show_value("trl")
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.message.isVisibleTo(dialog))
    written = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert set(json.loads(written[0])) >= {"prompt", "chosen", "rejected"}
    assert dialog.message.text.startswith(f"{len(written)} rows written")
    assert "left out" in dialog.details.text()
    dialog.accept()


# -- in a row ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "first", "second"), [("J", "a", "b"), ("K", "b", "a"), ("T", "tie", "tie")])
def test_pairs_are_judged_by_keys_in_the_order_in_which_they_stand(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, key: str, first: str, second: str
) -> None:
    queue = furnish_queue(home, waiting=2, running=False)
    bridge.home.listing(c.ListQueues()).refresh()
    show(page, bridge, qtbot, "label")
    pair = page.label.pair
    qtbot.waitUntil(pair.isVisible)
    one = pair.pair
    assert one is not None
    assert (one.shown, one.a.name) == ("ab", "")
    QTest.keyClick(pair, getattr(Qt.Key, f"Key_{key}"))
    qtbot.waitUntil(lambda: judgement_of(home, one.id).verdict == first)
    qtbot.waitUntil(lambda: pair.pair is not None and pair.pair.id != one.id)
    other = pair.pair
    assert other is not None
    assert other.shown == "ba"
    assert pair.sides[0].text.text == other.b.text if other.b is not None else False
    QTest.keyClick(pair, getattr(Qt.Key, f"Key_{key}"))
    qtbot.waitUntil(lambda: judgement_of(home, other.id).verdict == second)
    qtbot.waitUntil(page.label.done.isVisible)
    assert "compared 2 pairs" in page.label.done_words.text()
    assert queue.name == page.label.title.full_text


def test_a_pair_is_skipped_and_a_choice_taken_back(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome
) -> None:
    furnish_queue(home, waiting=3, running=False)
    bridge.home.listing(c.ListQueues()).refresh()
    show(page, bridge, qtbot, "label")
    pair = page.label.pair
    qtbot.waitUntil(pair.isVisible)
    one = pair.pair
    assert one is not None
    QTest.keyClick(pair, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: pair.pair is not None and pair.pair.id != one.id)
    two = pair.pair
    assert two is not None
    QTest.keyClick(pair, Qt.Key.Key_B)
    qtbot.waitUntil(lambda: pair.pair is not None and pair.pair.id not in (one.id, two.id))
    QTest.keyClick(pair, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: pair.pair is not None and pair.pair.id == two.id)
    assert judgement_of(home, two.id).verdict == ""


def test_an_answer_is_edited_with_a_key_and_escape_gives_up(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome
) -> None:
    furnish_queue(home, waiting=2, running=False)
    bridge.home.listing(c.ListQueues()).refresh()
    show(page, bridge, qtbot, "label")
    pair = page.label.pair
    qtbot.waitUntil(pair.isVisible)
    one = pair.pair
    assert one is not None
    assert one.b is not None
    QTest.keyClick(pair, Qt.Key.Key_R)
    assert pair.editor.field.toPlainText() == one.b.text
    QTest.keyClick(pair.editor.field, Qt.Key.Key_Escape)
    assert pair.editor.isHidden()
    QTest.keyClick(pair, Qt.Key.Key_R)
    pair.editor.field.setPlainText("The Sea")
    pair.editor.take_button.click()
    qtbot.waitUntil(lambda: judgement_of(home, one.id).verdict == "b")
    stored = judgement_of(home, one.id).b
    assert stored is not None
    assert (stored.text, stored.original) == ("The Sea", one.b.text)


def test_answers_are_generated_in_the_background_and_stopped(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, front: FakeFront
) -> None:
    furnish_queue(home, waiting=0)
    show(page, bridge, qtbot, "label")
    qtbot.waitUntil(page.label.waiting.isVisible)
    qtbot.waitUntil(page.label.progress.isVisible)
    page.label.progress.stop_button.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.StopRun)))
    run = front.asked(c.StopRun)[0].run
    front.tell(run, events.Cancelled())
    qtbot.waitUntil(lambda: page.label.message.text == texts.MAKING_STOPPED)


def test_a_run_whose_end_came_before_its_beginning_says_why_no_pair_was_made(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome
) -> None:
    queue = furnish_queue(home, waiting=0, running=False)
    begun = msgspec.structs.replace(home.runs[queue.run], state="queued")
    why = "There are no prompts in chats."
    home.runs[queue.run] = msgspec.structs.replace(begun, state="failed", message=why)
    home.run_events[queue.run] = [events.stamped(events.Failed(message=why, reason="user"), 1, 1.0)]
    show(page, bridge, qtbot, "label")
    bridge.home.runs.put_run(begun)  # as the reply of the call that began it, read after the news of its end
    qtbot.waitUntil(page.label.done.isVisible)
    assert page.label.done_title.text() == texts.LABEL_EMPTY
    assert page.label.done_words.text() == texts.MAKING_FAILED.format(why=why)


@pytest.mark.parametrize("paused", [False, True])
def test_what_the_pairs_wait_for_is_said(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, paused: bool
) -> None:
    queue = furnish_queue(home, waiting=0)
    own = home.runs[queue.run]
    if not paused:
        home.runs["training"] = msgspec.structs.replace(own, id="training", kind="train", title="polite")
    home.runs[own.id] = msgspec.structs.replace(own, state="running" if paused else "queued", paused=paused)
    words = texts.LABEL_PAUSED if paused else texts.LABEL_WAITS_FOR.format(title="polite")
    show(page, bridge, qtbot, "label")
    qtbot.waitUntil(lambda: page.label.waiting.isVisible() and page.label.waiting.title.text() == words)


def test_fewer_pairs_than_questions_are_explained_at_the_end(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome
) -> None:
    furnish_queue(home, waiting=1, running=False)
    show(page, bridge, qtbot, "label")
    qtbot.waitUntil(page.label.pair.isVisible)
    QTest.keyClick(page.label.pair, Qt.Key.Key_J)
    qtbot.waitUntil(page.label.done.isVisible)
    assert texts.LABEL_FEWER.format(asked="60 questions", made="1 pair") in page.label.done_words.text()


def test_without_chats_their_questions_cannot_be_compared(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome
) -> None:
    home.chats.clear()
    show(page, bridge, qtbot, "label")
    dialog = page.label.begin()
    settle(bridge, qtbot)
    assert dialog.prompts.value == "chats"
    assert (dialog.go.isEnabled(), dialog.go.toolTip()) == (False, texts.CHATS_NEEDED)
    assert any(one.isVisible() and one.text() == texts.CHATS_NEEDED for one in dialog.findChildren(Text))


def test_a_set_is_made_of_one_recipe_drawn_twice_or_of_two(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    show(page, bridge, qtbot, "label")
    dialog = page.label.begin()
    settle(bridge, qtbot)
    assert dialog.second.value == SAME
    dialog.prompts.buttons["file"].click()
    assert not dialog.go.isEnabled()
    assert dialog.go.toolTip() == texts.FILE_NEEDED
    dialog.file.setText("/home/ada/questions.txt")
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.MakeCandidates)))
    call = front.asked(c.MakeCandidates)[0]
    assert (call.prompts, call.path, call.limit, call.purpose) == ("file", "/home/ada/questions.txt", 50, "label")
    (recipe,) = call.recipes
    assert (recipe.model.name, recipe.decoding.max_tokens) == (SMOL.name, 128)
    assert recipe.decoding.temperature > 0
    qtbot.waitUntil(lambda: bool(page.label._shown))
    other = page.label.begin()
    settle(bridge, qtbot)
    other.second.choose_adapter("my-notes")
    assert [use.name for use in other.recipes[1].model.adapters] == ["my-notes"]
    other.reject()


def test_a_set_is_deleted(page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome) -> None:
    furnish_queue(home, waiting=2, running=False)
    bridge.home.listing(c.ListQueues()).refresh()
    show(page, bridge, qtbot, "label")
    qtbot.waitUntil(page.label.pair.isVisible)
    page.label.delete_button.click()
    page.label.confirm.confirm_button.click()
    qtbot.waitUntil(page.label.empty.isVisible)
    assert not home.judgements.queues.list_queues()


# -- what can be learnt -------------------------------------------------------------------------------


def lacking(page: FeedbackPage) -> str:
    """What is said of the objectives that have too few judgements."""
    return "\n".join(words.text() for words in page.learn.not_yet.findChildren(Text))


def test_what_can_be_learnt_leads_to_a_training_with_set_and_objective(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, shell: RecordingShell, front: FakeFront
) -> None:
    furnish_judgements(home)
    show(page, bridge, qtbot, "learn")
    qtbot.waitUntil(lambda: "dpo" in page.learn.cards)
    assert page.learn.title.text() == "What can be learnt from 48 preferences"
    assert "kto" not in page.learn.cards
    assert "KTO" in lacking(page)
    page.learn.cards["dpo"].button.click()
    qtbot.waitUntil(lambda: bool(shell.opened))
    name, target = shell.opened[-1]
    assert (name, target["objective"]) == ("train", "dpo")
    assert target["data"] == front.asked(c.MakePreferenceSet)[0].name
    assert front.asked(c.MakePreferenceSet)[0].skip_conflicts
    longer = page.learn.statistics.shares[texts.LONGER]
    assert "% of 38 (" in longer.words.text() or "% of 39 (" in longer.words.text()
    assert longer.words.text().startswith("23%")


def test_a_new_judgement_renews_what_is_shown(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, front: FakeFront
) -> None:
    show(page, bridge, qtbot, "learn")
    qtbot.waitUntil(page.learn.empty.isVisible)
    furnish_judgements(home, 4)
    front.announce("judgements")
    qtbot.waitUntil(page.learn.not_yet.isVisible)
    QApplication.processEvents()
    assert not page.learn.cards
    assert "It needs at least 10 pairs; there are 4 usable pairs." in lacking(page)


# -- blind tests --------------------------------------------------------------------------------------


@pytest.fixture
def tests(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome) -> BlindTestsPage:
    furnish_adapters(home)
    tests = BlindTestsPage(bridge, shell)
    qtbot.addWidget(tests)
    tests.resize(1120, 720)
    return tests


def test_the_page_of_preferences_leads_to_the_blind_tests(page: FeedbackPage, shell: RecordingShell) -> None:
    page.open_target("verdict")
    page.open_target(adapter="my-notes")
    assert shell.opened == [("blind-tests", {}), ("blind-tests", {"adapter": "my-notes"})]
    assert page.shown == "review"


def test_a_blind_test_begins_with_two_recipes_that_differ(
    tests: BlindTestsPage, bridge: Bridge, qtbot: QtBot, front: FakeFront
) -> None:
    dialog = NewQueue(bridge, tests, "verdict")
    settle(bridge, qtbot)
    assert dialog.first.value != dialog.second.value
    assert dialog.go.isEnabled()
    choose(dialog.second, dialog.first.currentText())
    assert not dialog.go.isEnabled()
    assert dialog.why.text() == dialog.go.toolTip() == texts.TWO_NEEDED
    assert not dialog.purpose.isVisibleTo(dialog)


def test_a_blind_test_of_an_adapter_is_begun_with_its_base(
    page: FeedbackPage, tests: BlindTestsPage, bridge: Bridge, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    bridge.home.listing(c.ListQueues()).refresh()
    tests.show()
    settle(bridge, qtbot)
    qtbot.waitUntil(tests.empty.isVisible)
    tests.open_target(adapter="my-notes")
    (dialog,) = tests.findChildren(NewQueue)
    settle(bridge, qtbot)
    assert dialog.name.text().startswith("my-notes, ")
    first, second = dialog.recipes
    assert first.model.adapters == ()
    assert [use.name for use in second.model.adapters] == ["my-notes"]
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.MakeCandidates)))
    call = front.asked(c.MakeCandidates)[0]
    assert (call.purpose, len(call.recipes)) == ("verdict", 2)
    qtbot.waitUntil(lambda: bool(shell.opened))
    name, target = shell.opened[0]
    assert name == "feedback"
    page.show()
    page.open_target(**target)
    qtbot.waitUntil(page.label.pair.isVisible)


def test_the_win_rate_is_shown_with_its_interval(
    page: FeedbackPage, tests: BlindTestsPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, shell: RecordingShell
) -> None:
    queue = furnish_queue(home, waiting=12, running=False, purpose="verdict", name="Was it worth it?")
    bridge.home.listing(c.ListQueues()).refresh()
    tests.show()
    qtbot.waitUntil(lambda: queue.id in tests.cards)
    card = tests.cards[queue.id]
    qtbot.waitUntil(lambda: card.sentence.text() == "Nothing has been compared yet.")
    assert not card.bar.isVisible()
    card.judge_button.click()
    assert shell.opened == [("feedback", {"queue": queue.id})]
    page.show()
    page.open_target(queue=queue.id)
    pair = page.label.pair
    qtbot.waitUntil(pair.isVisible)
    for _ in range(12):  # the shorter answer, whichever side it is on
        shown = pair.pair
        assert shown is not None
        left, right = (side.text.text for side in pair.sides)
        QTest.keyClick(pair, Qt.Key.Key_J if len(left) < len(right) else Qt.Key.Key_K)
        qtbot.waitUntil(lambda shown=shown: pair.pair is not shown)
    tests.hide()
    bridge.home.listing(c.ListQueues()).refresh()
    tests.show()
    second = queue.columns[1]
    qtbot.waitUntil(lambda: tests.cards[queue.id].sentence.text().startswith(f"{second} is better: it won"))
    qtbot.waitUntil(lambda: not tests.cards[queue.id].judge_button.isVisible())  # once none waits
    card = tests.cards[queue.id]
    qtbot.waitUntil(lambda: "12 prompts" in card.sentence.text())
    assert "At equal lengths" in card.figures.text()
    assert card.bar.isVisible()


def test_a_pair_that_a_judge_has_judged_is_shown_no_more(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, front: FakeFront
) -> None:
    furnish_queue(home, waiting=1, running=False)
    bridge.home.listing(c.ListQueues()).refresh()
    show(page, bridge, qtbot, "label")
    qtbot.waitUntil(page.label.pair.isVisible)
    settle(bridge, qtbot)
    assert page.label.pair.pair is not None
    front.call(c.ChangeJudgement(judgement=page.label.pair.pair.id, verdict="tie"))  # elsewhere
    qtbot.waitUntil(page.label.done.isVisible)


def test_a_pair_that_is_being_judged_is_not_shown_again(
    page: FeedbackPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = furnish_queue(home, waiting=2, running=False)
    bridge.home.listing(c.ListQueues()).refresh()
    show(page, bridge, qtbot, "label")
    pair = page.label.pair
    qtbot.waitUntil(pair.isVisible)
    settle(bridge, qtbot)
    first, shown = pair.pair, list[object]()
    monkeypatch.setattr(pair, "show_pair", shown.append)
    held = front.hold(c.ChangeJudgement)
    QTest.keyClick(pair, Qt.Key.Key_J)
    page.label.show_queue(queue.id)  # asks for the next pair, which is still this one
    settle(bridge, qtbot)
    assert not shown
    held.finish(first)
    qtbot.waitUntil(lambda: bool(shown))


def test_a_judge_is_asked_for_with_a_constitution_or_rules_and_a_refusal_shows_its_figures(
    tests: BlindTestsPage, bridge: Bridge, qtbot: QtBot, home: FakeHome, front: FakeFront, shell: RecordingShell
) -> None:
    queue = furnish_queue(home, waiting=3, running=False, purpose="verdict", name="Was it worth it?")
    bridge.home.listing(c.ListQueues()).refresh()
    run = c.RunRecord(id="r-judge", kind="judging", title="Judging", state="running", created=1.0)
    home.runs[run.id] = run
    front.answer(c.JudgePairs, lambda call: [finish(run)])
    held = front.hold(c.FollowRun)
    bridge.home.listing(c.ListQueues()).refresh()
    tests.show()
    qtbot.waitUntil(lambda: queue.id in tests.cards)
    dialog = tests.let_judge(queue)
    settle(bridge, qtbot)
    assert dialog.constitution.toPlainText().startswith("The better answer")
    dialog.kind.buttons["rewards"].click()
    assert not dialog.go.isEnabled()
    assert dialog.rewards is not None
    dialog.rewards.add("length-range")
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.JudgePairs)))
    assert front.asked(c.JudgePairs)[0].rewards == ("length-range",)
    held.fail(UserError("It said A 140 of 140 times.", "Take another judge."))
    qtbot.waitUntil(lambda: bool(shell.messages))
    assert shell.messages[-1][0] == texts.JUDGE_REFUSED.format(why="It said A 140 of 140 times. Take another judge.")


def test_one_pair_gives_no_difference_of_lengths() -> None:
    assert texts.describe_difference(MeanEstimate(value=5.0, low=-1e9, high=1e9, n=1)) == ""
    assert "5 characters longer" in texts.describe_difference(MeanEstimate(value=5.0, low=1.0, high=9.0, n=8))
