"""An evaluation that was scored by earlier rules of comparing texts is scored again when it is opened."""

from __future__ import annotations

import json
from pathlib import Path

import apsw
import msgspec
import pytest

from tests.e2e.training_core import call, opened
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.records.evaluation import EvaluationReport, EvaluationResult, ScorerUse
from workbench.records.recipes import DecodingPart, Recipe
from workbench.subjects.evaluation.calls import (
    AddScorers,
    CreateQuestionSet,
    Evaluate,
    ExportEvaluation,
    GetCell,
    GetEvaluation,
    ListGrid,
)
from workbench.subjects.runs.calls import FollowRun, ListRuns

ECHO = Recipe(name="Echo", decoding=DecodingPart(temperature=0.0))
SCORERS = (
    ScorerUse(name="contains-answer"),
    ScorerUse(name="exact-match"),
    ScorerUse(name="answer-length"),
    ScorerUse(name="weighted-rewards", options={"rewards": ["listed-words wanted=harbour"]}),
)
ASKED = 4


@pytest.fixture
def evaluation(trainer: Workbench, home: Home, tmp_path: Path) -> str:
    """One whose recipe repeats "“Tessin Harbour 1.” [1]" after two words of its own, as an earlier program left it: its
    answers counted as wrong wherever texts are compared."""
    path = tmp_path / "asked.jsonl"
    rows = [{"question": f"“Tessin Harbour {n}.” [1]", "answer": f"Tessin Harbour {n}"} for n in range(ASKED)]
    path.write_text("\n".join(map(json.dumps, rows)))
    asked = call(trainer, CreateQuestionSet(path=str(path)))
    run = call(trainer, Evaluate(question_set=asked.id, recipes=(ECHO,), scorers=SCORERS))
    made = msgspec.convert(call(trainer, FollowRun(run=run.id)), EvaluationResult).evaluation
    trainer.close()
    make_old(home, made)
    return made


def make_old(home: Home, evaluation: str) -> None:
    connection = apsw.Connection(str(home.database))
    [(raw,)] = connection.execute("select value from evaluations where id = ?", (evaluation,)).fetchall()
    plain = json.loads(raw)
    for name in ("comparison", "rescored"):
        plain.pop(name, None)
    for use in plain["scorers"]:
        if use["name"] != "answer-length":
            old = f"old {use['name']}"
            connection.execute("update scores set scorer = ?, value = 0 where scorer = ?", (old, use["key"]))
            use["key"] = old
    connection.execute("update evaluations set value = ? where id = ?", (json.dumps(plain), evaluation))
    connection.close()


def report_of(workbench: Workbench, evaluation: str) -> EvaluationReport:
    report = call(workbench, GetEvaluation(evaluation=evaluation))
    assert isinstance(report, EvaluationReport)
    return report


def test_it_is_scored_again_when_it_is_opened_and_says_so(evaluation: str, home: Home) -> None:
    workbench = opened(home)
    before = call(workbench, ListRuns())
    report = report_of(workbench, evaluation)
    values = [column.value for result in report.results for column in result.columns if column is not None]
    assert values == [1.0, 0.0, 6.0, 1.0]  # no exact match, and the number of words is as it was
    assert report.evaluation.rescored is not None
    assert (report.evaluation.rescored.scores, report.evaluation.rescored.changed) == (3 * ASKED, 2 * ASKED)
    assert "8 of 12 scores changed" in report.evaluation.rescored.words
    assert report.answered == ASKED
    assert call(workbench, ListRuns()) == before, "nothing was started for it"
    assert report_of(workbench, evaluation) == report, "once only"
    workbench.close()


def test_its_grid_cells_and_exports_are_opened_with_the_new_scores(evaluation: str, home: Home, tmp_path: Path) -> None:
    workbench = opened(home)
    grid = call(workbench, ListGrid(evaluation=evaluation, keep="wrong"))
    assert grid.total == 0
    cell = call(workbench, GetCell(evaluation=evaluation, number=1, column=0))
    assert cell.scores[0].value == 1.0
    assert cell.answer is not None
    assert "“Tessin Harbour" in cell.answer.text, "the answer is kept as it was recorded"
    out = tmp_path / "report.html"
    call(workbench, ExportEvaluation(evaluation=evaluation, path=str(out), form="html"))
    assert "8 of 12 scores changed" in out.read_text("utf-8")
    workbench.close()


def test_an_answer_that_cannot_be_read_keeps_its_scores(evaluation: str, home: Home) -> None:
    connection = apsw.Connection(str(home.database))
    connection.execute("update cells set value = x'00' where id = (select cell from evaluation_grid limit 1)")
    connection.close()
    workbench = opened(home)
    report = report_of(workbench, evaluation)
    assert report.evaluation.rescored is not None
    assert report.evaluation.rescored.scores == 3 * (ASKED - 1)
    [contains] = report.results[0].columns
    assert contains is not None
    assert (contains.value, contains.n) == (0.75, ASKED)
    workbench.close()


def test_a_scorer_that_is_added_finds_it_scored_again(evaluation: str, home: Home) -> None:
    workbench = opened(home)
    run = call(workbench, AddScorers(evaluation=evaluation, scorers=(ScorerUse(name="token-f1"),)))
    result = msgspec.convert(call(workbench, FollowRun(run=run.id)), EvaluationResult)
    assert (result.answered, result.scored) == (0, ASKED), "only the scorer that was added"
    report = report_of(workbench, evaluation)
    assert [column.value for one in report.results for column in one.columns if column is not None][-1] == 0.75
    workbench.close()


def test_a_new_evaluation_says_nothing_of_it(trainer: Workbench, tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    path.write_text(json.dumps({"question": "“Yes”", "answer": "yes"}))
    asked = call(trainer, CreateQuestionSet(path=str(path)))
    run = call(trainer, Evaluate(question_set=asked.id, recipes=(ECHO,), scorers=SCORERS[:1]))
    made = msgspec.convert(call(trainer, FollowRun(run=run.id)), EvaluationResult).evaluation
    report = report_of(trainer, made)
    assert report.evaluation.rescored is None
    assert report.results[0].columns[0] is not None
    assert report.results[0].columns[0].value == 1.0
