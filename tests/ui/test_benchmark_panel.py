"""Benchmarks from the window: data are recognised and added, models are run on them, stopped and resumed."""

from __future__ import annotations

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from ui.bridge import Bridge
from ui.components.basics import Text
from ui.features.models import benchmark_texts
from ui.features.models.leaderboard import LeaderboardPage
from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.evaluation import (
    BenchmarkData,
    BenchmarkUse,
    ColumnScore,
    Evaluation,
    Leaderboard,
    LeaderboardCell,
    LeaderboardColumn,
    LeaderboardRow,
    QuestionSet,
)
from workbench.records.exam import Rate
from workbench.records.hub import HubCard
from workbench.records.verified_pairs import VerificationResult, VerifiedSet
from workbench.subjects.evaluation.calls import (
    CreateQuestionSet,
    EvaluationList,
    FetchBenchmark,
    GetLeaderboard,
    InspectBenchmark,
    ListEvaluations,
    ListQuestionSets,
    MeasureVerification,
    QuestionSetList,
    RunBenchmark,
)
from workbench.subjects.models.calls import ReadHubCard
from workbench.subjects.runs.calls import FollowRun, ListRuns, ResumeRun, RunList, RunRecord, StopRun

SMOL = "SmolLM2-135M-Instruct"


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> LeaderboardPage:
    page = LeaderboardPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    qtbot.waitUntil(lambda: bridge.status is not None)
    return page


SUMS = QuestionSet(
    id="b1", name="MMLU sums", created=1.0, questions=900, tune=0,
    benchmark=BenchmarkUse(name="mmlu", title="MMLU", shots=5),
)  # fmt: skip


def test_a_benchmark_is_run_from_the_leaderboard(page: LeaderboardPage, qtbot: QtBot, front: FakeFront) -> None:
    own = QuestionSet(id="q1", name="Own", created=1.0, questions=4, tune=0)
    front.answer(ListQuestionSets, lambda call: [finish(QuestionSetList(sets=(own, SUMS)))])
    front.announce("questions")
    front.refuse(RunBenchmark, UserError("It is running already.", "Wait for its end."))
    running = page.running
    qtbot.waitUntil(lambda: running.set_choice.value == "b1" and running.chosen == (SMOL,))
    qtbot.waitUntil(running.run_button.isVisible)
    assert running.limit.value() == 200
    running.run_button.click()
    qtbot.waitUntil(lambda: running.message.text == "It is running already. Wait for its end.")
    running.limit.setValue(900)  # all of them: the same column as those of a run without a limit
    running.run_button.click()
    qtbot.waitUntil(lambda: len(front.asked(RunBenchmark)) == 2)
    assert [(call.models, call.limit) for call in front.asked(RunBenchmark)] == [((SMOL,), 200), ((SMOL,), 0)]
    running.models[SMOL].setChecked(False)
    assert not running.run_button.isEnabled()
    assert running.run_button.toolTip() == benchmark_texts.CHOOSE_MODELS


def test_another_question_set_leaves_the_number_of_questions_as_it_was_set(
    page: LeaderboardPage, qtbot: QtBot, front: FakeFront
) -> None:
    sets = [SUMS]
    front.answer(ListQuestionSets, lambda call: [finish(QuestionSetList(sets=tuple(sets)))])
    front.announce("questions")
    running = page.running
    qtbot.waitUntil(lambda: running.set_choice.value == "b1")
    running.limit.setValue(31)
    sets.append(msgspec.structs.replace(SUMS, id="b2", name="More", questions=50))
    front.announce("questions")
    qtbot.waitUntil(lambda: running.set_choice.count() == 2)
    assert (running.set_choice.value, running.limit.value()) == ("b1", 31)
    running.choose("b2")
    assert running.limit.maximum() == 50


def test_a_running_benchmark_is_stopped_and_resumed(page: LeaderboardPage, qtbot: QtBot, front: FakeFront) -> None:
    evaluation = Evaluation(
        id="e1", question_set="b1", set_name="MMLU sums", created=1.0, columns=(), scorers=(), run="r1"
    )  # fmt: skip
    run = RunRecord(
        id="r1", kind="evaluate", title="MMLU sums: A", state="running", created=1.0, config={"evaluation": "e1"}
    )  # fmt: skip
    other = msgspec.structs.replace(run, id="r2", state="failed", resumable=True, config={"evaluation": "e2"})
    front.answer(ListQuestionSets, lambda call: [finish(QuestionSetList(sets=(SUMS,)))])
    front.answer(ListEvaluations, lambda call: [finish(EvaluationList(evaluations=(evaluation,)))])
    front.answer(ListRuns, lambda call: [finish(RunList(runs=(run, other)))])
    front.answer(StopRun, lambda call: [finish(msgspec.structs.replace(run, state="cancelled"))])
    front.answer(ResumeRun, lambda call: [finish(run)])
    following, again = front.hold(FollowRun), front.hold(FollowRun)
    for kind in ("questions", "evaluation", "run"):
        front.announce(kind)
    lines = page.running.runs
    qtbot.waitUntil(lambda: list(lines.lines) == ["r1"])
    assert not lines.messages  # an evaluation of other questions is none of these
    following.emit(events.Progress(stage="answering", done=50, total=100, unit="answers"))
    qtbot.waitUntil(lambda: "50 of 100" in lines.lines["r1"].words)
    lines.lines["r1"].stop_button.click()
    qtbot.waitUntil(lambda: len(front.asked(StopRun)) == 1)
    following.emit(events.Cancelled())
    qtbot.waitUntil(lambda: list(lines.messages) == ["r1"])
    lines.messages["r1"].action_button.click()
    qtbot.waitUntil(lambda: list(lines.lines) == ["r1"])
    assert front.asked(ResumeRun)[0].run == "r1"
    again.finish({})
    qtbot.waitUntil(lambda: bool(lines.messages) and lines.messages["r1"].text.endswith("its scores are below."))


def test_data_of_a_benchmark_are_recognised_and_added(page: LeaderboardPage, qtbot: QtBot, front: FakeFront) -> None:
    data = BenchmarkData(
        benchmark="mmlu", title="MMLU", path="/data/mmlu", questions=14_042, subjects=57, examples=3, usual=5,
        examples_path="/data/mmlu", refused=("test.jsonl, line 7: it is no row of MMLU.",), more_refused=2,
    )  # fmt: skip
    front.answer(InspectBenchmark, lambda call: [finish(data)])
    front.answer(CreateQuestionSet, lambda call: [finish(SUMS)])
    front.answer(ListQuestionSets, lambda call: [finish(QuestionSetList(sets=(SUMS,)))])
    page.import_button.click()
    adding = page.data
    adding.inspect("/data/mmlu")
    qtbot.waitUntil(adding.found.isVisible)
    words = [label.text() for label in adding.found.findChildren(Text)]
    assert "MMLU: 14,042 questions in 57 subjects" in words
    assert "3 rows left out. test.jsonl, line 7: it is no row of MMLU." in words
    assert adding.shots.value() == 3  # as many as there are
    assert adding.name.text() == "MMLU"
    adding.add_button.click()
    qtbot.waitUntil(lambda: adding.message.text == "MMLU sums is ready to run.")
    call = front.asked(CreateQuestionSet)[-1]
    assert (call.benchmark, call.path, call.examples, call.shots) == ("mmlu", "/data/mmlu", "/data/mmlu", 3)
    front.refuse(FetchBenchmark, UserError("Searching the hub is switched off.", "Allow it."))
    adding.download_button.click()
    qtbot.waitUntil(lambda: "switched off" in adding.message.text)
    assert front.asked(FetchBenchmark) == [FetchBenchmark(benchmark="mmlu")]
    assert adding.found.isHidden()


def test_scores_of_the_hub_are_beside_the_leaderboard_when_asked_for(
    page: LeaderboardPage, qtbot: QtBot, front: FakeFront
) -> None:
    run = RunRecord(
        id="d1", kind="download", title="small.gguf", state="finished", created=1.0, result={"model": SMOL},
        config={"repository": "owner/small", "revision": "c0ffee"},
    )  # fmt: skip
    column = LeaderboardColumn(benchmark="MMLU", shots=5, metric="acc", question_set="MMLU test", questions="all")
    cell = LeaderboardCell(score=ColumnScore(value=0.3, low=0.2, high=0.4, n=200), date=0.0, evaluation="e")
    row = LeaderboardRow(model=SMOL, quantization="Q4_1", bytes=1, parameters=1, cells=(cell,))
    front.answer(GetLeaderboard, lambda call: [finish(Leaderboard(columns=(column,), rows=(row,)))])
    front.answer(ListRuns, lambda call: [finish(RunList(runs=(run,)))])
    card = HubCard(repository="owner/small", results=(("MMLU", "acc", "31.5"),))
    front.answer(ReadHubCard, lambda call: [finish(card)])
    front.announce("run")
    front.announce("evaluation")
    reported = page.reported
    qtbot.waitUntil(reported.isVisible)
    assert not front.asked(ReadHubCard)  # nothing is sent before it is asked for
    reported.button.click()
    qtbot.waitUntil(lambda: reported.results == {SMOL: (("MMLU", "acc", "31.5"),)})
    assert "31.5" in [label.text() for label in reported.findChildren(Text)]
    assert benchmark_texts.REPORTED_HELP in [label.text() for label in reported.findChildren(Text)]
    front.refuse(ReadHubCard, UserError("The network is switched off.", "Switch it on."))
    reported.button.click()
    qtbot.waitUntil(lambda: "switched off" in reported.message.text)


def test_the_verification_is_measured_on_pairs_and_shown_in_a_table(
    page: LeaderboardPage, qtbot: QtBot, front: FakeFront
) -> None:
    pairs = BenchmarkData(
        benchmark="aggrefact", title="LLM-AggreFact", path="/d/a.csv", questions=900, subjects=2, pairs=True
    )
    run = RunRecord(id="v1", kind="verification", title="Verification on LLM-AggreFact", state="queued", created=1.0)
    result = VerificationResult(
        title="LLM-AggreFact", path="/d/a.csv", pairs=300, of_all=900, ended=1.0, seconds=2.0,
        sets=(VerifiedSet(name="Wice", supported=Rate(100, 150), unsupported=Rate(120, 150)),),
    )  # fmt: skip
    front.answer(InspectBenchmark, lambda call: [finish(pairs)])
    front.answer(MeasureVerification, lambda call: [finish(run)])
    data = page.data
    page.import_button.click()
    data.inspect("/d/a.csv")
    qtbot.waitUntil(lambda: data.add_button.text() == benchmark_texts.MEASURE)
    assert not data.name.isVisible()
    following = front.hold(FollowRun)
    data.limit.setValue(300)
    data.add_button.click()
    qtbot.waitUntil(lambda: list(page.verifying.lines) == ["v1"])
    assert front.asked(MeasureVerification) == [MeasureVerification(path="/d/a.csv", limit=300)]
    following.emit(events.Progress(stage="verifying", done=50, total=300, unit="pairs"))
    qtbot.waitUntil(lambda: "50 of 300" in page.verifying.lines["v1"].words)
    front.answer(GetLeaderboard, lambda call: [finish(Leaderboard(verification=(result,)))])
    following.emit(finish(result))
    qtbot.waitUntil(lambda: len(page.verifications) == 1)
    [table] = page.verifications
    assert table.rows[0][:3] == ("Wice", "300", "73.3 % (68.0–77.8)")
    assert page.empty.isHidden()
