"""Ladders in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.unit.cli.conftest import FakeFront, Ran
from workbench.records.evaluation import ColumnScore, QuestionSet, ScorerUse
from workbench.records.ladder import (
    Ladder,
    LadderList,
    LadderPlan,
    LadderReport,
    LadderResult,
    RungCost,
    RungEstimate,
    RungOffer,
    RungReport,
)
from workbench.records.recipes import Recipe
from workbench.subjects.evaluation.calls import ListQuestionSets, QuestionSetList
from workbench.subjects.ladder.calls import (
    ExportLadder,
    ExtendLadder,
    GetLadder,
    ListLadders,
    PlanLadder,
    StartLadder,
)
from workbench.subjects.runs.calls import FollowRun, RunRecord

Run = Callable[..., Ran]
RUN = RunRecord(id="r1", kind="ladder", title="What pays: capitals", state="queued", created=0.0)
SET = QuestionSet(id="q1", name="capitals", created=0.0, questions=40, tune=20)
SCORER = ScorerUse(name="contains-answer")
AS_IT_IS = RungOffer(name="as-it-is", title="As it is", sentence="Nothing is changed.", place="nowhere")
LORA = RungOffer(
    name="lora", title="LoRA", sentence="The answers are learnt.", place="in the model", technique="finetuning",
    proposed=False, missing="The packages of trainings are not installed.",
    estimate=RungEstimate(preparing_s=600.0, answering_s=30.0, tokens=12_000, memory_bytes=2_000_000_000),
)  # fmt: skip
PLAN = LadderPlan(
    question_set="q1", set_name="capitals", task="short", tune=20, held_out=20, scorer=SCORER, rungs=(AS_IT_IS, LORA),
    notes=("There are only 20 held-out questions.",),
)  # fmt: skip
LADDER = Ladder(
    id="l1", created=0.0, question_set="q1", set_name="capitals", task="short", recipe=Recipe(),
    rungs=("as-it-is", "lora"), scorer=SCORER,
)  # fmt: skip
SCORE = ColumnScore(value=0.79, low=0.71, high=0.85, n=20)
REPORT = LadderReport(
    ladder=LADDER,
    state="finished",
    rungs=(
        RungReport(
            offer=AS_IT_IS,
            state="measured",
            score=SCORE,
            standing="not worse",
            frontier=True,
            leak="It was trained.",
            cost=RungCost(answer_s=1.1, answer_tokens=120.0),
        ),
        RungReport(offer=LORA, state="skipped", reason="There is no room above."),
    ),
    sentence="“As it is” is enough: 79 % (71 to 85) at 1.1 s an answer.",
    winner="as-it-is",
)


def test_a_plan_says_what_each_rung_takes_and_lacks(run: Run, front: FakeFront) -> None:
    front.answer(ListQuestionSets, QuestionSetList(sets=(SET,)))
    front.answer(PlanLadder, PLAN)
    ran = run("ladder", "capi", "--plan", "--task", "number")
    assert ran.status == 0
    assert "NOTE: There are only 20 held-out questions." in ran.out
    assert "The packages of trainings are not installed." in ran.out
    assert "10:00" in ran.out
    assert front.calls[-1] == PlanLadder(question_set="capitals", task="number", measure=True)


def test_a_plan_is_no_wider_than_the_terminal(run: Run, front: FakeFront) -> None:
    front.answer(ListQuestionSets, QuestionSetList(sets=(SET,)))
    long = msgspec.structs.replace(AS_IT_IS, sentence="The model answers without any change. " * 6)
    front.answer(PlanLadder, msgspec.structs.replace(PLAN, rungs=(long, LORA)))
    ran = run("ladder", "capitals", "--plan")
    assert max(map(len, ran.out.splitlines())) <= 100
    assert " ".join(ran.out.split()).count("The model answers without any change.") == 6


def test_a_ladder_is_climbed_and_shown(run: Run, front: FakeFront) -> None:
    front.answer(ListQuestionSets, QuestionSetList(sets=(SET,)))
    front.answer(PlanLadder, PLAN)
    front.answer(StartLadder, RUN)
    front.answer(FollowRun, LadderResult(ladder="l1", answered=40))
    front.answer(GetLadder, REPORT)
    ran = run("ladder", "capitals", "--rungs", "as-it-is,lora", "--minutes", "40", "--questions", "20")
    assert ran.status == 0
    assert REPORT.sentence in ran.out
    assert "71 to 85" in ran.out
    assert "There is no room above." in ran.out
    assert "LEAK" in ran.out
    started = next(one for one in front.calls if isinstance(one, StartLadder))
    assert (started.rungs, started.minutes, started.questions) == (("as-it-is", "lora"), 40.0, 20)


def test_a_ladder_is_extended_listed_and_exported(run: Run, front: FakeFront, tmp_path: Path) -> None:
    front.answer(ExtendLadder, RUN)
    front.answer(FollowRun, LadderResult(ladder="l1", answered=4))
    front.answer(GetLadder, REPORT)
    front.answer(ListLadders, LadderList(ladders=(LADDER,)))
    front.answer(ExportLadder, str(tmp_path / "l.md"))
    assert run("ladders", "extend", "l1", "--rungs", "lora", "--minutes", "5").status == 0
    assert ExtendLadder(ladder="l1", rungs=("lora",), minutes=5.0) in front.calls
    assert "capitals" in run("ladders", "list").out
    for name, form in (
        ("l.md", "markdown"),
        ("l.tex", "latex"),
        ("l.csv", "csv"),
        ("l.html", "html"),
        ("l", "recipes"),
    ):
        assert run("ladders", "export", "l1", "--output", str(tmp_path / name)).status == 0
        assert front.calls[-1] == ExportLadder(ladder="l1", path=str(tmp_path / name), form=form)  # type: ignore[arg-type]
