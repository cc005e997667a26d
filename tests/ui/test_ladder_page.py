"""The page *What pays*: begun with a set, followed while it runs, read as a sentence, a chart and a table, and used."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, settle
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.fake_ladder import MISSING, OFFERS, ROWS, SENTENCE, furnish_ladder, measured, rung_of, under_way
from ui.bridge import Bridge
from ui.components.basics import Text
from ui.features.evaluation.page import EvaluatePage
from ui.features.ladder import texts
from ui.features.ladder.chart_picture import ChartPicture, ChartPoint, Looks, frontier_of, points_of
from ui.features.ladder.page import LadderPage
from ui.features.ladder.report import LadderReportView
from ui.theme.tokens import LIGHT
from workbench import calls as c
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.evaluation import ColumnScore, QuestionSet
from workbench.records.ladder import AS_IT_IS, RungReport, Standing
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.evaluation.calls import AddSampleSet
from workbench.subjects.ladder.calls import ExportLadder, ExtendLadder, PlanLadder, StartLadder


def open_page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> LadderPage:
    page = LadderPage(bridge, shell)
    qtbot.addWidget(page)
    page.header().setParent(page)
    page.resize(1124, 720)
    page.show()
    settle(bridge, qtbot)
    return page


@pytest.fixture
def fresh(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> LadderPage:
    """In a home without a comparison."""
    return open_page(qtbot, bridge, shell)


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome) -> LadderPage:
    """A comparison that has ended."""
    furnish_ladder(home)
    page = open_page(qtbot, bridge, shell)
    qtbot.waitUntil(lambda: page.shown is not None)
    return page


def plan(page: LadderPage, qtbot: QtBot) -> None:
    page.setup.questions.samples["departments"].button.click()
    qtbot.waitUntil(lambda: page.setup.plan is not None)


# -- beginning one -----------------------------------------------------------------------------------


def test_a_home_without_a_comparison_asks_for_questions(fresh: LadderPage) -> None:
    assert fresh.shown is None
    assert fresh.setup.isVisible()
    assert not fresh.setup.start_button.isEnabled()
    assert fresh.setup.start_button.toolTip() == texts.CHOOSE_QUESTIONS
    assert not fresh.new_button.isVisible()


def test_a_sample_is_planned_by_one_click(fresh: LadderPage, qtbot: QtBot, front: FakeFront) -> None:
    plan(fresh, qtbot)
    assert front.asked(AddSampleSet) == [AddSampleSet(name="departments")]
    qtbot.waitUntil(lambda: len(front.asked(PlanLadder)) == 2)
    asked, measured = front.asked(PlanLadder)
    assert (asked.measure, measured) == (False, msgspec.structs.replace(asked, measure=True))
    assert (asked.question_set, asked.recipe.model.name) == ("sample-departments", "SmolLM2-135M-Instruct")
    picker = fresh.setup.picker
    assert list(picker.rows) == [offer.name for offer in OFFERS]
    assert picker.ticked == tuple(offer.name for offer in OFFERS if offer.proposed and not offer.missing)
    row = picker.rows["dpo"]
    assert (row.tick.isEnabled(), row.missing.text()) == (False, MISSING["dpo"])
    assert not picker.rows[AS_IT_IS].tick.isEnabled()  # the others are compared with it
    assert picker.rows["lora"].figures.text() == "about 16 min · 500 tokens · 310 MB memory"


@pytest.mark.parametrize("size", [(1124, 720), (1280, 800), (1920, 1080), (900, 700)])
def test_the_form_stays_where_it_is_when_the_plan_comes(
    fresh: LadderPage, bridge: Bridge, qtbot: QtBot, front: FakeFront, size: tuple[int, int]
) -> None:
    fresh.resize(*size)
    settle(bridge, qtbot)
    setup = fresh.setup

    def places() -> list[int]:
        form = (setup.questions, setup.model, setup.collection, setup.task, setup.edit_button)
        foot = (setup.limit, setup.start_button)
        return [part.mapTo(setup, QPoint(0, 0)).y() for part in (*form, *foot)]

    setup.questions.samples["departments"].button.click()
    qtbot.waitUntil(lambda: bool(setup.questions.value))
    settle(bridge, qtbot)
    before, seen = places(), list[list[int]]()
    while setup.plan is None:
        qtbot.wait(5)
        seen.append(places())
    qtbot.waitUntil(lambda: len(front.asked(PlanLadder)) == 2 and setup.progress.isHidden())
    settle(bridge, qtbot)
    for now in (*seen, places()):  # heights that follow widths are rounded
        assert all(abs(one - other) <= 1 for one, other in zip(now, before, strict=True))
    rows = [row.mapTo(setup, QPoint(0, 0)).y() for row in setup.picker.rows.values()]
    setup.progress.show()  # another measurement
    settle(bridge, qtbot)
    assert [row.mapTo(setup, QPoint(0, 0)).y() for row in setup.picker.rows.values()] == rows


@pytest.mark.parametrize("width", [800, 1124, 1764])
def test_no_words_of_the_ready_sets_are_cut_while_one_is_added(
    fresh: LadderPage, bridge: Bridge, qtbot: QtBot, width: int
) -> None:
    fresh.resize(width, 720)
    fresh.setup.questions.progress.set_progress(texts.ADDING.format(title="Questions on the sample documents"))
    fresh.setup.questions.progress.show()
    settle(bridge, qtbot)
    for card in fresh.setup.questions.samples.values():
        for words in card.findChildren(Text):
            assert words.height() >= words.heightForWidth(words.width())


def test_a_technique_without_a_model_has_no_tokens_to_tell() -> None:
    quoted = rung_of(ROWS[0], 0)
    quoted = msgspec.structs.replace(quoted, cost=msgspec.structs.replace(quoted.cost, tokens_per_right=0.0))
    assert texts.chosen(quoted, "").endswith(" · no model is asked for its answers")


def test_the_sample_on_documents_takes_its_documents_along(fresh: LadderPage, qtbot: QtBot, front: FakeFront) -> None:
    fresh.setup.questions.samples["sample-documents"].button.click()
    qtbot.waitUntil(lambda: bool(fresh.setup.collection.value))
    qtbot.waitUntil(lambda: bool(front.asked(PlanLadder)) and front.asked(PlanLadder)[-1].collection != "")


def test_the_total_follows_the_ticks_and_the_limit(fresh: LadderPage, qtbot: QtBot) -> None:
    plan(fresh, qtbot)
    setup = fresh.setup
    assert "more than the limit" in setup.total.text()
    for name, row in setup.picker.rows.items():
        row.tick.setChecked(name in (AS_IT_IS, "similar"))
    assert setup.total.text() == "2 techniques: about 3 min."
    setup.picker.rows["similar"].tick.setChecked(False)
    assert setup.total.text() == texts.CHOOSE_RUNGS
    assert not setup.start_button.isEnabled()


def test_another_task_is_planned_anew(fresh: LadderPage, qtbot: QtBot, front: FakeFront) -> None:
    plan(fresh, qtbot)
    assert fresh.setup.task.value == "choice"
    fresh.setup.task.show_value("number")
    fresh.setup.task.chosen.emit("number")
    qtbot.waitUntil(lambda: front.asked(PlanLadder)[-1].task == "number" and fresh.setup.plan is not None)


def test_a_plan_that_is_refused_says_why(fresh: LadderPage, qtbot: QtBot, front: FakeFront) -> None:
    front.refuse(PlanLadder, UserError("The set has two questions.", "Twenty are needed."))
    fresh.setup.questions.samples["sums"].button.click()
    qtbot.waitUntil(fresh.setup.problem.isVisible)
    assert fresh.setup.problem.text == "The set has two questions. Twenty are needed."
    assert not fresh.setup.start_button.isEnabled()


def test_questions_come_from_a_file_and_from_rated_chats(
    fresh: LadderPage, qtbot: QtBot, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/files/asked.jsonl", ""))
    fresh.setup.questions.file_button.click()
    qtbot.waitUntil(lambda: fresh.setup.plan is not None)
    assert front.asked(c.CreateQuestionSet)[-1].path == "/files/asked.jsonl"
    fresh.setup.questions.chats_button.click()
    qtbot.waitUntil(lambda: len(front.asked(c.CreateQuestionSet)) == 2)
    assert front.asked(c.CreateQuestionSet)[-1].source == "chats"
    qtbot.waitUntil(fresh.setup.questions.chats_button.isEnabled)
    fresh.setup.questions.chats_button.click()  # twice in a minute: the name is taken, and that is said
    qtbot.waitUntil(fresh.setup.questions.message.isVisible)


def test_questions_made_from_documents_are_answered_from_these(
    fresh: LadderPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    run = c.RunRecord(id="made", kind="document-questions", title="Pumps", state="running", created=1.0)
    made = QuestionSet(id="q7", name="Questions on pumps", created=2.0, questions=30, tune=15)

    def start(call: c.QuestionsFromDocuments) -> list[Event]:
        home.runs[run.id] = run
        home.question_sets[made.id] = made
        return [finish(run)]

    front.answer(c.QuestionsFromDocuments, start)
    front.answer(c.FollowRun, lambda call: [finish(made)])
    first = next(one for one in home.collections.values() if one.documents)
    fresh.setup.questions.documents.start(first.id)
    qtbot.waitUntil(lambda: fresh.setup.plan is not None)
    asked = front.asked(PlanLadder)[-1]
    assert (asked.question_set, asked.collection) == ("q7", first.name)


def test_it_is_started_followed_stopped_and_continued(fresh: LadderPage, qtbot: QtBot, front: FakeFront) -> None:
    plan(fresh, qtbot)
    fresh.setup.start_button.click()
    qtbot.waitUntil(lambda: fresh.shown is not None)
    [call] = front.asked(StartLadder)
    assert (call.rungs, call.minutes, call.task) == (fresh.setup.picker.ticked, 40.0, "choice")
    view = fresh.view
    qtbot.waitUntil(view.progress.isVisible)
    assert view.sentence.text() == texts.NO_SENTENCE
    assert not view.add_button.isEnabled()
    assert view.add_button.toolTip() == texts.WHILE_RUNNING
    view.progress.stop_button.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.StopRun)))
    front.tell(front.asked(c.StopRun)[0].run, events.Cancelled())
    qtbot.waitUntil(lambda: view.message.text == texts.STOPPED_WORDS)
    view.message.action_button.click()
    qtbot.waitUntil(lambda: bool(front.asked(ExtendLadder)))
    assert front.asked(ExtendLadder)[0].rungs == ()
    qtbot.waitUntil(view.progress.isVisible)


# -- while it runs -------------------------------------------------------------------------------------


def test_rungs_fill_in_where_they_stand(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome, front: FakeFront
) -> None:
    furnish_ladder(home, under_way(), "running", "")
    page = open_page(qtbot, bridge, shell)
    qtbot.waitUntil(lambda: page.shown is not None and len(page.view.table.lines) == len(ROWS))
    QApplication.processEvents()
    lines = page.view.table.lines
    assert lines["thoughts"].state.text() == "Answering"
    before = {name: line.geometry() for name, line in lines.items()}
    rungs = list(under_way())
    rungs[4] = rung_of(ROWS[4], 4)
    furnish_ladder(home, rungs, "running", "")
    front.announce("ladder", "l1")
    qtbot.waitUntil(lambda: lines["thoughts"].quality.isVisible())
    QApplication.processEvents()
    assert page.view.table.lines is lines
    assert {name: line.geometry() for name, line in lines.items()} == before
    assert not lines["greedy"].use_button.isVisible()


def test_what_was_left_out_or_failed_says_why(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome
) -> None:
    rungs = list(measured())
    rungs[5] = RungReport(offer=rungs[5].offer, state="skipped", reason="It was far behind.")
    rungs[12] = RungReport(offer=rungs[12].offer, state="failed", reason="Memory ran out.")
    rungs[11] = msgspec.structs.replace(rungs[11], leak="It was trained on 12 of the questions.")
    furnish_ladder(home, rungs, more=240)
    page = open_page(qtbot, bridge, shell)
    qtbot.waitUntil(lambda: page.shown is not None)
    assert page.view.table.lines["consistency"].state.text() == "Left out: It was far behind."
    assert page.view.table.lines["dpo"].state.text() == "Failed: Memory ran out."
    assert page.view.leaks.text() == "LoRA: It was trained on 12 of the questions."
    assert "240 questions" in page.view.more.text()


def test_without_a_winner_the_sentence_alone_says_what_is_lacking(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome
) -> None:
    sentence = "With 1 question nothing can be said yet: all techniques have to answer at least 12."
    report = furnish_ladder(home, sentence=sentence, more=11)
    home.ladders[report.ladder.id] = msgspec.structs.replace(report, winner="")
    page = open_page(qtbot, bridge, shell)
    qtbot.waitUntil(lambda: page.shown is not None)
    assert page.view.sentence.text() == sentence
    assert not page.view.more.isVisible()


def test_the_plan_counts_a_single_question_as_one(fresh: LadderPage, qtbot: QtBot) -> None:
    plan(fresh, qtbot)
    shown = fresh.setup.plan
    assert shown is not None
    fresh.setup._take(msgspec.structs.replace(shown, tune=2, held_out=1))
    assert fresh.setup.split.text() == "Tuning and training use 2 questions, and measuring uses 1 question."


# -- the result ----------------------------------------------------------------------------------------


def test_the_result_is_a_sentence_a_chart_and_a_table(page: LadderPage) -> None:
    view = page.view
    assert view.sentence.text() == SENTENCE.replace(" -", " −")
    line = view.table.lines["similar"]
    assert (line.quality.text(), line.between.text()) == ("79 %", "71 to 85")
    assert (line.difference.text(), line.between_difference.text()) == ("+38 points", "30 to 46")
    assert line.about.text() == "The questions that are most alike."
    assert line.standing.text() == texts.ENOUGH
    assert view.table.lines["calculator"].difference.text() == "−3 points"
    assert {point.name for point in view.chart.points} == {row[0] for row in ROWS}
    assert view.chart.buttons["similar"].accessibleName() == "Three similar examples: 79 % (71 to 85), 18 min"


def test_the_result_says_by_what_rule_it_is_named_and_is_used_where_it_stands(
    page: LadderPage, shell: RecordingShell
) -> None:
    view = page.view
    assert "not shown to be worse than the best one on the same 100 questions" in view.rule.text()
    assert "no proof" in view.rule.text()
    assert view.chosen.text() == (
        "Three similar examples: between +30 and +46 points against “As it is” · prepared once in 4 s · "
        "235 tokens (parts of words) read and written for each right answer"
    )
    view.use_button.click()
    assert shell.opened[-1][1]["recipe"].name == "Three similar examples"
    assert view.winner.mapTo(view, view.winner.rect().bottomLeft()).y() < view.chart.mapTo(view, QPoint()).y()


def test_an_interval_has_no_negative_nought() -> None:
    assert (texts.interval(-0.19, -0.004, ""), texts.interval(-2.5, -0.04, "words")) == ("-19 to 0", "-2.5 to 0")


def test_a_technique_that_is_not_shown_to_be_better_than_the_start_says_so() -> None:
    similar = measured()[3]
    assert similar.difference is not None
    little = msgspec.structs.replace(similar, difference=msgspec.structs.replace(similar.difference, low=-0.02))
    told = "between −2 and +46 points against “As it is”, so not shown to be better than it"
    assert told in texts.chosen(little, "")
    assert "so not" not in texts.chosen(similar, "")


def test_the_technique_with_the_most_right_answers_is_told(page: LadderPage) -> None:
    joined, lora = (page.view.table.lines[name] for name in ("joined", "lora"))
    assert (joined.standing.text(), joined.below.full_text) == (texts.HIGHEST, texts.HIGHEST_BELOW)
    assert (lora.standing.text(), lora.below.full_text) == ("Not worse", "Not shown to be worse")


def test_the_row_of_the_named_one_says_what_the_sentence_says(qtbot: QtBot, home: FakeHome) -> None:
    first, other = measured()[:4:3]
    view = LadderReportView()
    qtbot.addWidget(view)

    def words(standing: Standing) -> tuple[str, str]:
        rungs = (first, msgspec.structs.replace(other, standing=standing))
        report = furnish_ladder(home, rungs, identity=standing)
        view.show_report(msgspec.structs.replace(report, winner=other.offer.name), "")
        line = view.table.lines[other.offer.name]
        return line.standing.text(), line.below.full_text

    assert words("best") == (texts.STANDINGS["best"], "Better than all others")
    assert words("not worse") == (texts.ENOUGH, "Enough, right most often")


def test_the_best_is_named_by_its_own_rule(qtbot: QtBot, home: FakeHome) -> None:
    first, other = measured()[:4:3]
    best = msgspec.structs.replace(other, standing="best")
    view = LadderReportView()
    qtbot.addWidget(view)
    view.show_report(furnish_ladder(home, (first, best)), "")
    assert "Every other technique that was measured is shown to be worse" in view.rule.text()
    view.show_report(furnish_ladder(home, (first,), "running", "", "l2"), "")
    assert view.rule.isHidden()
    assert view.winner.isHidden()


def test_titles_keep_off_the_steps_of_the_frontier(qapp: QApplication) -> None:
    points = points_of(measured(), 1_000, "similar")
    picture = ChartPicture(points, "", 1_000, QRectF(0, 0, 1000, 300), Looks(LIGHT, QFont()))
    steps = [QRectF(a, b).normalized().adjusted(-1, -1, 1, 1) for a, b in pairwise(picture.frontier())]
    boxes = picture.place_titles()
    assert {"similar", "lora", "joined"} <= set(boxes)
    assert not [name for name, (box, _) in boxes.items() for step in steps if box.intersects(step)]


@pytest.mark.parametrize("width", [420, 450, 520])
def test_titles_keep_off_that_of_the_axis(qapp: QApplication, width: int) -> None:
    looks = Looks(LIGHT, QFont())
    picture = ChartPicture(points_of(measured(), 1_000, "similar"), "", 1_000, QRectF(0, 0, width, 256), looks)
    said = QRectF(0, 0, QFontMetricsF(looks.text(12)).horizontalAdvance(texts.AXIS_QUALITY), 17)
    boxes = picture.place_titles()
    assert boxes
    assert not [name for name, (box, _) in boxes.items() if box.intersects(said)]


def test_a_long_title_goes_on_in_further_lines(qapp: QApplication) -> None:
    lora, joined = measured()[-2:]
    title = "LoRA + Beam search + Three similar examples"
    long = msgspec.structs.replace(joined, offer=msgspec.structs.replace(joined.offer, title=title))
    points = points_of((lora, long), 1_000, lora.offer.name)
    for width in (400, 520, 1_000):
        picture = ChartPicture(points, "", 1_000, QRectF(0, 0, width, 256), Looks(LIGHT, QFont()))
        _, text = picture.place_titles()[joined.offer.name]
        assert " ".join(text.split()) == title


def test_the_slider_moves_preparing_against_answering(page: LadderPage) -> None:
    def fastest_of(*names: str) -> str:
        return next(point.name for point in page.view.chart.points if point.name in names)

    view = page.view
    view.slider.setValue(0)
    assert view.asked.text() == "I will ask about 10 questions"
    assert fastest_of("similar", "lora") == "similar"
    view.slider.setValue(view.slider.maximum())
    assert view.asked.text() == "I will ask about 100,000 questions"
    assert fastest_of("similar", "lora") == "lora"  # what is prepared once pays for many
    assert "LoRA" in view.fastest.text()


def test_a_rung_is_used_in_a_chat_and_its_answers_are_opened(page: LadderPage, shell: RecordingShell) -> None:
    page.view.table.lines["similar"].use_button.click()
    name, target = shell.opened[-1]
    assert (name, target["new"], target["recipe"].name) == ("chat", True, "Three similar examples")
    page.view.table.lines["lora"].title.click()
    page.view.chart.buttons["lora"].click()
    assert shell.opened[-2:] == [("evaluate", {"evaluation": "e-l1", "column": 11})] * 2


def test_the_answers_of_a_rung_open_beside_the_grid(
    page: LadderPage, qtbot: QtBot, bridge: Bridge, shell: RecordingShell
) -> None:
    evaluations = EvaluatePage(bridge, shell)
    qtbot.addWidget(evaluations)
    evaluations.show()
    for column in (11, 3):  # the second time it is shown already
        evaluations.open_target(evaluation="e-l1", column=column)
        qtbot.waitUntil(lambda column=column: evaluations.results.cell.column == column)
    assert evaluations.results.cell.isVisible()


def test_points_are_reached_with_the_keyboard(page: LadderPage, qtbot: QtBot, shell: RecordingShell) -> None:
    chart = page.view.chart
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    reached = [name for name, one in chart.buttons.items() if one.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert len(reached) == 1
    names = [point.name for point in chart.points]
    first = chart.buttons[reached[0]]
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    following = names[(names.index(reached[0]) + 1) % len(names)]
    QTest.keyClick(first, Qt.Key.Key_Right)
    assert chart.buttons[following].hasFocus()
    QTest.keyClick(chart.buttons[following], Qt.Key.Key_Return)
    assert shell.opened[-1][0] == "evaluate"
    QTest.keyClick(chart.buttons[following], Qt.Key.Key_Left)
    assert first.hasFocus()


def test_rungs_are_added(page: LadderPage, qtbot: QtBot, front: FakeFront, home: FakeHome) -> None:
    furnish_ladder(home, measured()[:9])
    front.announce("ladder", "l1")
    qtbot.waitUntil(lambda: len(page.view.table.lines) == 9)
    page.view.add_button.click()
    dialog = page.begin_adding()
    assert dialog is not None
    qtbot.waitUntil(lambda: bool(dialog.picker.rows))
    assert list(dialog.picker.rows) == [row[0] for row in ROWS[9:]]
    assert dialog.go.toolTip() == texts.CHOOSE_MORE
    dialog.picker.rows["lora"].tick.setChecked(True)
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(front.asked(ExtendLadder)))
    assert front.asked(ExtendLadder) == [ExtendLadder(ladder="l1", rungs=("lora",), minutes=40.0)]
    qtbot.waitUntil(lambda: "lora" in page.view.table.lines)


def test_it_is_deleted_after_asking(page: LadderPage, qtbot: QtBot, home: FakeHome) -> None:
    page.view.delete_button.click()
    assert home.ladders
    page.view.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: not home.ladders and page.setup.isVisible())


def test_the_palette_finds_a_comparison(page: LadderPage, shell: RecordingShell) -> None:
    [entry] = page.find_entries()
    entry.run()
    assert shell.opened == [("ladder", {"ladder": "l1"})]


def test_each_button_can_be_pressed_twice(
    page: LadderPage, qtbot: QtBot, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "chart"), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    for _ in range(2):
        for view in (page.view, page.setup):
            if view is page.setup:
                page.new_button.click()
                settle(bridge, qtbot)
            for button in view.findChildren(QAbstractButton):
                if button.isVisible() and button.isEnabled() and button is not page.view.confirm.confirm_button:
                    button.click()
                    popup = QApplication.activePopupWidget()
                    if popup is not None:
                        popup.close()
                    for dialog in QApplication.topLevelWidgets():
                        if dialog is not page and dialog.isVisible() and dialog.isModal():
                            dialog.close()
                    settle(bridge, qtbot)
        page.open_target(ladder="l1")
        settle(bridge, qtbot)
    assert page.shown is not None


# -- export --------------------------------------------------------------------------------------------


def test_the_chart_is_written_as_a_picture(page: LadderPage, tmp_path: Path) -> None:
    page.export_to(str(tmp_path / "chart.png"), "png")
    image = QImage(str(tmp_path / "chart.png"))
    assert (image.width(), image.height()) == (3200, 2000)
    colours = {image.pixelColor(x, y).name() for x in range(0, 3200, 7) for y in range(0, 2000, 7)}
    assert {LIGHT.surface, LIGHT.prompting, LIGHT.finetuning} <= colours
    page.export_to(str(tmp_path / "chart.svg"), "svg")
    drawn = (tmp_path / "chart.svg").read_text()
    assert "<svg" in drawn
    assert "Three similar examples" in drawn
    assert page.view.message.text == texts.EXPORTED.format(path=tmp_path / "chart.svg")


def test_a_picture_that_cannot_be_written_says_so(page: LadderPage, tmp_path: Path) -> None:
    page.export_to(str(tmp_path / "nowhere" / "chart.png"), "png")
    assert "could not be written" in page.view.message.text


@pytest.mark.parametrize(("form", "name"), [("csv", "t.csv"), ("markdown", "t.md"), ("latex", "t.tex")])
def test_tables_are_written_by_the_core(
    page: LadderPage, qtbot: QtBot, front: FakeFront, monkeypatch: pytest.MonkeyPatch, form: str, name: str
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("/out/t", ""))
    page.view.export_wanted.emit(form)
    qtbot.waitUntil(lambda: bool(front.asked(ExportLadder)))
    assert front.asked(ExportLadder)[0] == ExportLadder(ladder="l1", path=f"/out/{name}", form=form)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: page.view.message.text == texts.EXPORTED.format(path=f"/out/{name}"))


# -- the picture ---------------------------------------------------------------------------------------


def point(name: str, seconds: float, value: float) -> ChartPoint:
    score = ColumnScore(value=value, low=value - 0.1, high=value + 0.1, n=50)
    return ChartPoint(name=name, title=name, score=score, seconds=seconds, tone="text")


def test_the_frontier_holds_what_nothing_beats_in_both() -> None:
    points = [point("a", 1, 0.4), point("b", 2, 0.3), point("c", 5, 0.6), point("d", 60, 0.6), point("e", 90, 0.9)]
    assert [one.name for one in frontier_of(points)] == ["a", "c", "e"]


def test_time_is_on_a_logarithmic_axis_and_quality_goes_up(qapp: QApplication) -> None:
    points = [point("a", 10, 0.2), point("b", 100, 0.4), point("c", 1_000, 0.6)]
    picture = ChartPicture(points, "", 10, QRectF(0, 0, 800, 400), Looks(LIGHT, QFont()))
    a, b, c_ = (picture.places[name] for name in "abc")
    assert b.x() - a.x() == pytest.approx(c_.x() - b.x())
    assert a.y() > b.y() > c_.y()
    assert all(QRectF(0, 0, 800, 400).contains(QPointF(place)) for place in (a, b, c_))


def test_what_has_no_score_is_no_point() -> None:
    assert [one.name for one in points_of(under_way(), 10, "")] == [
        AS_IT_IS,
        "instructions",
        "fixed-examples",
        "similar",
    ]


def test_the_recipe_that_each_technique_starts_from_is_edited(fresh: LadderPage, bridge: Bridge, qtbot: QtBot) -> None:
    setup = fresh.setup
    settle(bridge, qtbot)
    model = setup.model.value
    assert model
    assert setup.recipe == Recipe(model=ModelPart(name=model))
    dialog = setup.begin_edit()
    settle(bridge, qtbot)
    part = msgspec.structs.replace(dialog.panel.recipe.prompting, instructions="Be brief.")
    dialog.panel.set_recipe(msgspec.structs.replace(dialog.panel.recipe, prompting=part))
    dialog.go.click()
    assert setup.recipe.prompting.instructions == "Be brief."
    assert setup.recipe.model.name == model
    assert not setup.edited.isHidden()
