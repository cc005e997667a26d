"""The page Evaluate: sets and evaluations, the grid that is fetched as it is seen, cells, runs, dialogs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, choose, settle
from tests.ui.fake_evaluation import furnish_evaluation
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome, furnished_home
from ui.bridge import Bridge
from ui.components.paged_table import PAGE_ROWS, RowRole
from ui.components.word_diff import WordDiff
from ui.features.evaluation import texts
from ui.features.evaluation.grid import FIXED
from ui.features.evaluation.page import EvaluatePage
from ui.features.evaluation.results import CellPanel
from workbench import calls as c
from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.evaluation import (
    CellAnswer,
    CellBrief,
    CellDetails,
    GridRow,
    NumberedQuestion,
    QuestionRow,
    Rescored,
    ScorerUse,
)
from workbench.records.messages import Message
from workbench.records.optimisation import OptimisationResult
from workbench.records.outcomes import Reason
from workbench.records.prompts import content_hash
from workbench.records.recipes import PromptingPart, PromptSource, Recipe

MANY = 10_000
_BETTER = PromptingPart(instructions="Be brief.")
BETTER = Recipe(
    name="Better",
    prompting=msgspec.structs.replace(
        _BETTER,
        sources=(PromptSource(kind="prompt", name="Better", version=2, hash=content_hash(_BETTER, "prompt")),),
    ),
)


@pytest.fixture
def home() -> FakeHome:
    home = furnished_home()
    furnish_evaluation(home)
    return home


@pytest.fixture
def page(bridge: Bridge, shell: RecordingShell, qtbot: QtBot) -> EvaluatePage:
    return opened(bridge, shell, qtbot)


def opened(bridge: Bridge, shell: RecordingShell, qtbot: QtBot) -> EvaluatePage:
    page = EvaluatePage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1124, 700)
    page.show()
    settle(bridge, qtbot)
    return page


def row(page: EvaluatePage, number: int) -> GridRow:
    found = page.results.table.index(number, 0).data(RowRole)
    assert isinstance(found, GridRow)
    return found


def open_cell(page: EvaluatePage, bridge: Bridge, qtbot: QtBot, number: int, column: int) -> None:
    page.results.grid.clicked.emit(page.results.table.index(number, FIXED + column))
    settle(bridge, qtbot)


def test_the_latest_evaluation_is_shown_with_bars_sentence_and_grid(page: EvaluatePage) -> None:
    results = page.results
    assert results.title.full_text == "Pump manual"
    assert "720 of 720 answers" in results.figures.full_text
    assert list(results.scorers.buttons) == ["0", "1", "2", "all"]
    assert results.overview.isHidden()
    assert " is the best: " in results.sentence.text()
    assert results.sentence.text().endswith("The other 2 recipes are shown to be worse.")
    assert "Plain 38 % (32 to 44)" in results.bars.accessibleName()
    assert results.table.total == 240
    headers = [results.table.headerData(n, Qt.Orientation.Horizontal) for n in range(6)]
    assert headers == ["No", "Question", "Expected", "Plain", "With examples", "Tuned"]
    assert results.table.index(0, FIXED).data().endswith("score 0.00")
    assert page.results.progress.isHidden()


def test_another_scorer_has_other_bars_and_colours(page: EvaluatePage, bridge: Bridge, qtbot: QtBot) -> None:
    page.results.scorers.buttons["2"].click()
    settle(bridge, qtbot)
    assert "words" in page.results.bars.accessibleName()
    assert page.results.table.scorer == 2
    assert " has the highest value: " in page.results.sentence.text()


def test_all_scores_are_shown_at_once(page: EvaluatePage, bridge: Bridge, qtbot: QtBot) -> None:
    results = page.results
    results.scorers.buttons["all"].click()
    settle(bridge, qtbot)
    assert results.overview.isVisible()
    assert not results.bars.isVisible()
    assert results.overview.cells["Contains", "Plain"] == "38 % (32 to 44)"
    assert "is the best" not in results.sentence.text()
    results.scorers.buttons["0"].click()
    settle(bridge, qtbot)
    assert results.bars.isVisible()
    assert results.overview.isHidden()
    report = results.report
    assert report is not None
    first, *others = report.results
    told = msgspec.structs.replace(report, results=(msgspec.structs.replace(first, fewer=True), *others))
    results.show_report(msgspec.structs.replace(told, evaluation=msgspec.structs.replace(told.evaluation, id="other")))
    assert results.overview.isVisible()  # rates of what became of each question are read side by side


def test_filters_keep_the_rows_that_they_name(
    page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot
) -> None:
    page.results.filter.buttons["disagreement"].click()
    settle(bridge, qtbot)
    total = page.results.table.total
    assert 0 < total < 240
    assert page.results.count.text() == f"{total:,} questions"
    for number in range(min(5, total)):
        right = [(cell.scores[0] or 0) >= 0.5 for cell in row(page, number).cells]
        assert any(right)
        assert not all(right)
    page.results.filter.buttons["failed"].click()
    settle(bridge, qtbot)
    assert page.results.nothing.isVisible()


def test_ten_thousand_rows_are_fetched_as_they_are_seen(
    home: FakeHome, front: FakeFront, bridge: Bridge, shell: RecordingShell, qtbot: QtBot
) -> None:
    home.evaluations.clear()
    furnish_evaluation(home, MANY)
    page = opened(bridge, shell, qtbot)
    assert page.results.table.total == MANY
    assert [call.first for call in front.asked(c.ListGrid)] == [0]
    bar = page.results.grid.verticalScrollBar()
    bar.setValue(bar.maximum())
    page.results.grid.repaint()
    settle(bridge, qtbot)
    assert row(page, MANY - 1).number == MANY
    firsts = [call.first for call in front.asked(c.ListGrid)]
    assert firsts[-1] == MANY - PAGE_ROWS
    assert len(firsts) <= 3  # not the pages in between
    assert all(call.limit == PAGE_ROWS for call in front.asked(c.ListGrid))


def test_a_cell_opens_answer_scores_steps_and_differences(page: EvaluatePage, bridge: Bridge, qtbot: QtBot) -> None:
    open_cell(page, bridge, qtbot, 2, 1)
    cell = page.results.cell
    assert cell.isVisible()
    assert cell.title.text() == "Question 3"
    assert cell.expected.text() == "6.4 bar"
    assert "Contains: " in cell.scores.text()
    cell.steps_button.setChecked(True)
    assert cell._trace is not None
    choose(cell.compare, texts.COMPARE_EXPECTED)
    assert cell.diff.isVisible()
    choose(cell.compare, "Plain")
    settle(bridge, qtbot)
    assert cell.diff.isVisible()
    cell.recipes.buttons["2"].click()
    settle(bridge, qtbot)
    assert cell.column == 2
    assert cell.compare.value == "0"  # it stays compared with the same recipe
    cell.close_button.click()
    assert cell.isHidden()
    assert page.results.grid.hasFocus() or not QApplication.activeWindow()


def test_a_rated_answer_is_compared_with_the_scorers(page: EvaluatePage, bridge: Bridge, qtbot: QtBot) -> None:
    open_cell(page, bridge, qtbot, 2, 1)  # which is wrong
    page.results.cell.feedback.down.click()
    qtbot.waitUntil(page.results.cell.feedback.down.isChecked)
    qtbot.waitUntil(lambda: "Agrees with 1 of 1 of your ratings (21 to 100 %)." in page.results.sentence.text())
    page.results.cell.feedback.up.click()
    qtbot.waitUntil(lambda: "Agrees with 0 of 1 of your ratings (0 to 79 %)." in page.results.sentence.text())


def test_a_run_shows_its_progress_and_stops(
    home: FakeHome, front: FakeFront, bridge: Bridge, shell: RecordingShell, qtbot: QtBot
) -> None:
    run = home.runs[furnish_evaluation(home, answered=0.4).run]
    home.runs[run.id] = msgspec.structs.replace(run, state="running")
    home.run_events[run.id] = []
    page = opened(bridge, shell, qtbot)
    front.tell(run.id, events.Progress(stage="answering", done=288, total=720, unit="answers", detail="Plain"))
    qtbot.waitUntil(lambda: "288 of 720 answers" in page.results.progress.words)
    assert page.results.progress.words.startswith("Answering with Plain")
    assert not page.results.score_button.isEnabled()
    assert row(page, 150).cells[0] == CellBrief()
    page.results.progress.stop_button.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.StopRun)))
    front.tell(run.id, events.Cancelled())
    qtbot.waitUntil(page.results.progress.isHidden)
    settle(bridge, qtbot)
    qtbot.waitUntil(page.results.message.isVisible)
    assert page.results.message.text == texts.UNFINISHED.format(missing="432 answers are")
    page.results.message.action_button.click()
    qtbot.waitUntil(lambda: [call.run for call in front.asked(c.ResumeRun)] == [run.id])


def test_answers_that_come_in_are_read_again(
    home: FakeHome, front: FakeFront, bridge: Bridge, shell: RecordingShell, qtbot: QtBot
) -> None:
    evaluation = furnish_evaluation(home, answered=0.1)
    page = opened(bridge, shell, qtbot)
    page._expiring.setInterval(1)
    assert row(page, 100).cells[0].state == "missing"
    home.answered[evaluation.id] = 1.0
    front.announce("evaluation", evaluation.id)
    qtbot.waitUntil(lambda: "720 of 720" in page.results.figures.full_text)
    page.results.grid.scrollTo(page.results.table.index(100, 0))
    qtbot.waitUntil(lambda: row(page, 100).cells[0].state != "missing")


def test_a_set_shows_its_questions_and_parts(page: EvaluatePage, bridge: Bridge, qtbot: QtBot) -> None:
    page.open_target(question_set="q1")
    settle(bridge, qtbot)
    view = page.questions
    assert view.isVisible()
    assert "240 questions · 120 to tune on, 120 to measure with" in view.figures.text()
    assert "2 rows are no questions" in view.notes.text()
    assert view.table.index(0, 3).data() == "36 months"
    view.part.buttons["held-out"].click()
    settle(bridge, qtbot)
    assert view.table.total == 120
    assert view.table.index(0, 1).data() == "To measure with"


def test_a_question_is_edited_in_its_row(page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot) -> None:
    page.open_target(question_set="q1")
    settle(bridge, qtbot)
    edited = page.begin_edit(page.questions.table.index(0, 0).data(RowRole))
    assert edited is not None
    assert edited.expected.toPlainText() == "36 months"
    edited.question.setPlainText("How long?")
    edited.expected.setPlainText("36 months\n\nthree years ")
    edited.go.click()
    qtbot.waitUntil(lambda: len(front.asked(c.EditQuestion)) == 1)
    [call] = front.asked(c.EditQuestion)
    assert (call.question_set, call.number) == ("q1", 1)
    assert (call.question.text, call.question.expected) == ("How long?", ("36 months", "three years"))
    settle(bridge, qtbot)
    without = page.begin_edit(page.questions.table.index(1, 0).data(RowRole))
    assert without is not None
    without.no_answer.click()
    assert not without.expected.isEnabled()
    without.go.click()
    qtbot.waitUntil(lambda: len(front.asked(c.EditQuestion)) == 2)
    asked = front.asked(c.EditQuestion)[1].question
    assert (asked.answerable, asked.expected) == (False, ())
    settle(bridge, qtbot)
    removed = page.begin_edit(page.questions.table.index(1, 0).data(RowRole))
    assert removed is not None
    removed.remove_button.click()
    qtbot.waitUntil(lambda: "239 questions" in page.questions.figures.text())
    assert front.asked(c.EditQuestion)[2].question is None


def test_a_new_evaluation_is_asked_for_and_begun(
    page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot
) -> None:
    dialog = page.begin_evaluation()
    settle(bridge, qtbot)
    assert dialog.set.value == "q1"
    assert [use.name for use in dialog.scorers.uses] == ["contains-answer", "token-f1"]
    assert dialog.figures.text() == "240 answers"
    for row in (0, 1, 0):
        dialog.recipes.rows[row].copy_button.click()
    first, *copies = (row.name.text() for row in dialog.recipes.rows)
    assert copies == [f"{first} 2", f"{first} 3", f"{first} 4"]
    for _ in range(2):
        dialog.recipes.rows[2].remove_button.click()
    dialog.recipes.rows[1].name.setText("Brief")
    dialog.recipes.rows[1].instructions.setPlainText("One word.")
    dialog.part.buttons["held-out"].click()
    choose(dialog.limit, "50")
    assert dialog.figures.text() == "100 answers"
    dialog.scorers.add(ScorerUse(name="number-match", options={"absolute": 0.5}))
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.Evaluate)))
    [call] = front.asked(c.Evaluate)
    assert (call.question_set, call.part, call.limit) == ("q1", "held-out", 50)
    assert [recipe.name for recipe in call.recipes] == ["SmolLM2-135M-Instruct", "Brief"]
    assert call.recipes[1].prompting.instructions == "One word."
    assert call.scorers[2] == ScorerUse(name="number-match", options={"absolute": 0.5})
    settle(bridge, qtbot)
    qtbot.waitUntil(lambda: page.results.progress.isVisible())
    assert page.side.current[0] == "evaluation"


def test_what_is_missing_for_an_evaluation_is_said(
    page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot
) -> None:
    dialog = page.begin_evaluation()
    settle(bridge, qtbot)
    dialog.recipes.rows[0].remove_button.click()
    assert not dialog.go.isEnabled()
    assert dialog.go.toolTip() == texts.RECIPE_NEEDED
    dialog.recipes._menu.aboutToShow.emit()
    dialog.recipes._menu.actions()[0].trigger()
    assert dialog.go.isEnabled()
    front.refuse(c.Evaluate, UserError("The model is gone.", "Choose another."))
    dialog.go.click()
    qtbot.waitUntil(dialog.message.isVisible)
    assert dialog.message.text == "The model is gone. Choose another."
    assert dialog.go.isEnabled()


def test_recipes_come_from_chats_and_files(page: EvaluatePage, bridge: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = page.begin_evaluation()
    settle(bridge, qtbot)
    dialog.recipes._menu.aboutToShow.emit()
    chats = next(action.menu() for action in dialog.recipes._menu.actions() if action.menu() is not None)
    before = len(dialog.recipes.rows)
    chats.actions()[0].trigger()
    qtbot.waitUntil(lambda: len(dialog.recipes.rows) == before + 1)
    (tmp_path / "cold.toml").write_text("schema = 1\n[decoding]\ntemperature = 0.25\n")
    dialog.recipes.add_file(str(tmp_path / "cold.toml"))
    assert dialog.recipes.recipes[-1].name == "cold"
    assert dialog.recipes.recipes[-1].decoding.temperature == 0.25
    (tmp_path / "bad.toml").write_text("temperature = 1")
    dialog.recipes.add_file(str(tmp_path / "bad.toml"))
    assert dialog.recipes.message.isVisible()


def test_recipes_come_from_the_prompt_library(
    page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot
) -> None:
    for text in ("Write letters.", "Write kind letters."):
        front.call(c.SavePrompt(name="Letter", part=PromptingPart(instructions=text)))
    part = PromptingPart(technique="chain-of-thought")
    front.call(c.SavePrompt(name="Thinking", part=part, kind="reasoning"))
    dialog = page.begin_evaluation()
    settle(bridge, qtbot)
    recipes = dialog.recipes
    recipes._menu.aboutToShow.emit()
    menu = next(one.menu() for one in recipes._menu.actions() if one.text() == texts.FROM_LIBRARY)
    assert isinstance(menu, QMenu)
    letter, thinking = menu.actions()
    assert (letter.text(), thinking.text()) == ("Letter", "Thinking")
    versions = letter.menu()
    assert isinstance(versions, QMenu)
    assert [one.text() for one in versions.actions()] == ["Version 2, the latest", "Version 1"]
    for action in (*versions.actions(), thinking):
        action.trigger()
    qtbot.waitUntil(lambda: len(recipes.rows) == 4)
    assert [row.recipe.name for row in recipes.rows[1:]] == [
        f"{name}, version {n}" for name, n in (("Letter", 2), ("Letter", 1), ("Thinking", 1))
    ]
    assert [row.recipe.prompting.instructions for row in recipes.rows[1:3]] == ["Write kind letters.", "Write letters."]
    assert recipes.rows[3].recipe.prompting.technique == "chain-of-thought"
    said = "prompt library: Letter, version 1"
    assert recipes.rows[2].rest.text().startswith(said)
    recipes.rows[2].instructions.setPlainText("Another text.")  # the row is not that version any more
    assert said not in recipes.rows[2].rest.text()
    dialog.go.click()
    settle(bridge, qtbot)
    call = front.asked(c.Evaluate)[-1]
    assert call.recipes[1].prompting.sources[0].version == 2


def test_scorers_are_added_to_answers(page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot) -> None:
    dialog = page.begin_scoring()
    assert dialog is not None
    settle(bridge, qtbot)
    assert not dialog.go.isEnabled()
    rouge = next(action for action in dialog.scorers._menu.actions() if action.text() == "ROUGE-L")
    rouge.trigger()
    next(action for action in dialog.scorers._menu.actions() if action.text() == "Grade of a judge").trigger()
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.AddScorers)))
    [call] = front.asked(c.AddScorers)
    assert call.evaluation == "e2"
    rouge_l, grade = call.scorers
    assert rouge_l == ScorerUse(name="rouge-l")
    assert grade.recipe.model.name == "SmolLM2-135M-Instruct"


def test_the_import_of_questions_opens_as_often_as_it_is_wanted(
    page: EvaluatePage, bridge: Bridge, qtbot: QtBot
) -> None:
    for _ in range(2):
        dialog = page.begin_import()
        settle(bridge, qtbot)  # what it asks the core for is known the second time
        qtbot.waitUntil(dialog.isVisible)
        assert not dialog.go.isEnabled()
        dialog.reject()
        qtbot.waitUntil(lambda dialog=dialog: not shiboken6.isValid(dialog))


def test_a_set_is_imported_and_shown(
    page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = page.begin_import()
    assert not dialog.go.isEnabled()
    dialog.path.setText(str(tmp_path / "Pump manual.jsonl"))
    choose(dialog.tune, "A quarter")
    dialog.go.click()
    qtbot.waitUntil(dialog.message.isVisible)
    assert "already a question set" in dialog.message.text
    dialog.name.setText("Other")
    dialog.go.click()
    qtbot.waitUntil(lambda: page.questions.shown is not None and page.questions.shown.name == "Other")
    call = front.asked(c.CreateQuestionSet)[-1]
    assert (call.source, call.tune_share, call.with_context) == ("file", 0.25, True)


@pytest.mark.parametrize("form", ["png", "svg"])
def test_the_bars_are_written_as_a_picture(page: EvaluatePage, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"scores.{form}"
    page.export_to(str(path), form)
    assert page.results.message.text == texts.EXPORTED.format(path=path)
    if form == "svg":
        assert "With examples" in path.read_text("utf-8")
    else:
        assert QImage(str(path)).width() == 3200
    page.export_to(str(tmp_path / "nowhere" / "scores.png"), "png")
    assert "could not be written" in page.results.message.text


def test_exporting_and_deleting(page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot) -> None:
    page.export_to("/tmp/out.html", "html")
    qtbot.waitUntil(page.results.message.isVisible)
    assert page.results.message.text == "Written to /tmp/out.html."
    page.results.delete_button.click()
    assert not front.asked(c.RemoveEvaluation)
    page.results.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: page.side.current == ("evaluation", "e1"))
    page.open_target(question_set="q2")
    settle(bridge, qtbot)
    page.side.delete_pressed.emit()
    page.questions.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: page.side.current[1] != "q2")


def test_nothing_there_says_what_to_do(
    home: FakeHome, front: FakeFront, bridge: Bridge, shell: RecordingShell, qtbot: QtBot
) -> None:
    home.question_sets.clear()
    home.evaluations.clear()
    page = opened(bridge, shell, qtbot)
    assert page.empty.isVisible()
    assert page.empty.button is not None
    page.empty.button.click()
    settle(bridge, qtbot)


def test_the_palette_finds_sets(page: EvaluatePage, shell: RecordingShell) -> None:
    found = page.find_entries()
    found[0].run()
    assert shell.opened[0] == ("evaluate", {"question_set": "q2"})


def test_a_difference_is_shown_without_markup(qtbot: QtBot, theme: object) -> None:
    diff = WordDiff()
    qtbot.addWidget(diff)
    diff.show_texts("a <b>", "a <i>")
    assert "&lt;" in diff.text()
    assert "removed: b" in diff.accessibleName()
    diff.show_texts("same", "same")
    assert diff.accessibleName() == "no difference"


def test_a_prompt_is_optimised_and_what_was_found_is_used_or_compared(
    page: EvaluatePage, bridge: Bridge, shell: RecordingShell, front: FakeFront, home: FakeHome, qtbot: QtBot
) -> None:
    page.open_target(question_set="q1")
    settle(bridge, qtbot)
    dialog = page.begin_search()
    settle(bridge, qtbot)
    assert [row.use.name for row in dialog.scorers.rows] == ["contains-answer"]
    assert dialog.form is not None
    assert dialog.form.has("examples")
    choose(dialog.method, "Instruction search (OPRO)")
    assert dialog.form.has("steps")
    dialog._on_option("steps", 2)
    dialog.recipes.rows[0].copy_button.click()
    assert not dialog.go.isEnabled()
    assert dialog.go.toolTip() == texts.ONE_RECIPE
    dialog.recipes.rows[1].remove_button.click()
    dialog.go.click()
    settle(bridge, qtbot)
    [call] = front.asked(c.Optimise)
    assert (call.question_set, call.method, call.options, call.writer) == ("q1", "opro", {"steps": 2}, None)
    evaluation = max(home.evaluations.values(), key=lambda one: one.created)
    run = home.runs[evaluation.run]
    going = events.Progress(stage="searching", done=20, total=400, unit="answers", detail="Instruction 1")
    front.tell(run.id, going)
    qtbot.waitUntil(lambda: "20 of 400 answers" in page.results.progress.words)
    assert page.results.progress.words.startswith("Searching: Instruction 1")
    assert page.results.found.isHidden()

    found = OptimisationResult(
        evaluation=evaluation.id, recipe=BETTER, candidate="Instruction 3", before=0.5, after=0.75,
        questions=20, candidates=6, asked=140, answered=140, held_out="e1", sentence="After is better than Before.",
    )  # fmt: skip
    home.runs[run.id] = msgspec.structs.replace(run, state="finished", result=msgspec.to_builtins(found))
    front.tell(run.id, finish(found))
    front.announce("run", run.id)
    result = page.results.found
    qtbot.waitUntil(result.isVisible)
    for words in ("Instruction 3", "50 % before, 75 % after", "After is better than Before.", "Better, version 2"):
        assert words in result.text.text()
    home.evaluations[evaluation.id] = msgspec.structs.replace(home.evaluations[evaluation.id], run="another")
    front.announce("evaluation", evaluation.id)  # its answers were scored further
    qtbot.waitUntil(lambda: page.results.report is not None and page.results.report.evaluation.run == "another")
    assert result.isVisible()
    result.use_button.click()
    assert shell.opened[-1] == ("chat", {"recipe": BETTER})
    result.compare_button.click()
    settle(bridge, qtbot)
    assert page.results.report is not None
    assert page.results.report.evaluation.id == "e1"
    assert result.isHidden()


def test_the_bars_of_many_candidates_are_scrolled(page: EvaluatePage) -> None:
    report = page.results.report
    assert report is not None
    area = page.results.bars.parentWidget().parentWidget()
    assert area is not None
    assert area.height() == page.results.bars.height()
    many = msgspec.structs.replace(
        report,
        evaluation=msgspec.structs.replace(report.evaluation, columns=report.evaluation.columns * 7),
        costs=report.costs * 7,
        results=tuple(msgspec.structs.replace(one, columns=one.columns * 7) for one in report.results),
    )
    page.results.show_report(many)
    assert area.height() < page.results.bars.height() == 21 * 30


def test_answers_that_repeated_themselves_are_counted_under_the_bars(page: EvaluatePage) -> None:
    report = page.results.report
    assert report is not None
    assert "repeated themselves" not in page.results.sentence.text()
    first, second, *others = report.costs
    costs = (first, msgspec.structs.replace(second, looped=7), *others)
    page.results.show_report(msgspec.structs.replace(report, costs=costs))
    lines = page.results.sentence.text().splitlines()
    assert lines[-1] == "With examples: 7 of 240 answers were ended because they repeated themselves."
    assert sum("repeated themselves" in line for line in lines) == 1


def test_an_evaluation_that_was_scored_again_says_so(page: EvaluatePage) -> None:
    report = page.results.report
    assert report is not None
    assert not page.results.rescored.isVisible()
    rescored = Rescored(at=report.evaluation.created, scores=24, changed=11)
    again = msgspec.structs.replace(report.evaluation, rescored=rescored)
    page.results.show_report(msgspec.structs.replace(report, evaluation=again))
    assert page.results.rescored.isVisible()
    assert "11 of 24 scores changed" in page.results.rescored.text()


def test_an_answer_that_may_not_be_right_says_why_beside_the_grid(qtbot: QtBot) -> None:
    panel = CellPanel()
    qtbot.addWidget(panel)
    asked = NumberedQuestion(number=1, split="tune", question=QuestionRow(messages=(Message("user", "When?"),)))
    reason = Reason(kind="missing", text="“1588” is in none of these passages.")
    answer = CellAnswer(text="In May.", outcome="perhaps", reasons=(reason,))
    details = CellDetails(question=asked, column="A", answer=answer, scores=())
    panel.show_cell(details, 0, ["A"], [])
    assert reason.text in panel.doubt.text()
    assert not panel.doubt.isHidden()
    sure = msgspec.structs.replace(answer, outcome="found", reasons=())
    panel.show_cell(msgspec.structs.replace(details, answer=sure), 0, ["A"], [])
    assert panel.doubt.isHidden()
