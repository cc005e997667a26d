"""Question sets and evaluations in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.unit.cli.conftest import SMOLLM, FakeFront, Ran
from tests.unit.cli.test_prompts import LETTER, REFINED, THINKING, VERSIONS
from workbench.api.protocol import finish
from workbench.records.evaluation import (
    BenchmarkData,
    CellBrief,
    Column,
    ColumnCost,
    ColumnScore,
    Evaluation,
    EvaluationReport,
    EvaluationResult,
    GridPage,
    GridRow,
    Leaderboard,
    NumberedQuestion,
    QuestionRow,
    QuestionSet,
    ScorerResult,
    ScorerUse,
)
from workbench.records.exam import Rate
from workbench.records.messages import Message
from workbench.records.optimisation import OptimisationResult
from workbench.records.prompts import source_of
from workbench.records.recipes import PromptingPart, Recipe
from workbench.records.verified_pairs import VerificationResult, VerifiedSet
from workbench.subjects.evaluation.calls import (
    AddScorers,
    CreateQuestionSet,
    EditQuestion,
    Evaluate,
    EvaluationList,
    ExportEvaluation,
    FetchBenchmark,
    GetEvaluation,
    GetLeaderboard,
    InspectBenchmark,
    ListEvaluations,
    ListGrid,
    ListQuestions,
    ListQuestionSets,
    MeasureVerification,
    Optimise,
    QuestionPage,
    QuestionSetList,
    SuggestScorers,
)
from workbench.subjects.models.calls import ListModels, ModelList
from workbench.subjects.prompts.calls import GetPrompt, ListPrompts, PromptDetails, PromptList
from workbench.subjects.runs.calls import FollowRun, RunRecord

Run = Callable[..., Ran]
RUN = RunRecord(id="r1", kind="evaluate", title="capitals", state="queued", created=0.0)
SET = QuestionSet(id="q1", name="capitals", created=0.0, questions=40, tune=20, origin="capitals.jsonl")
EVALUATION = Evaluation(
    id="e1",
    question_set="q1",
    set_name="capitals",
    created=0.0,
    columns=(Column(name="A", recipe=Recipe()), Column(name="B", recipe=Recipe())),
    scorers=(ScorerUse(name="exact-match"),),
    questions=40,
)
COST = ColumnCost(answers=40, failed=1, declined=2, prompt_tokens=51.4, new_tokens=9.6, seconds=0.52)
LOOPING = msgspec.structs.replace(COST, looped=7)
REPORT = EvaluationReport(
    evaluation=EVALUATION,
    cells=80,
    answered=80,
    costs=(COST, LOOPING),
    results=(
        ScorerResult(
            title="Exact match",
            unit="",
            columns=(
                ColumnScore(value=0.5, low=0.352, high=0.648, n=40),
                ColumnScore(value=0.75, low=0.598, high=0.858, n=40),
            ),
            sentences=("B is better than A by 25 points (7 to 41).",),
        ),
    ),
)


@pytest.fixture
def answers(front: FakeFront) -> FakeFront:
    front.answer(ListQuestionSets, QuestionSetList(sets=(SET,)))
    front.answer(ListModels, ModelList(models=(SMOLLM,)))
    front.answer(ListPrompts, PromptList(prompts=(LETTER, REFINED)))
    known = {
        LETTER.name: PromptDetails(prompt=LETTER, versions=VERSIONS),
        REFINED.name: PromptDetails(prompt=REFINED, versions=(THINKING,)),
    }
    front.scripts[GetPrompt] = lambda call, cancelled: iter((finish(known[call.prompt]),))
    front.answer(ListEvaluations, EvaluationList(evaluations=(EVALUATION,)))
    front.answer(Evaluate, RUN)
    front.answer(AddScorers, RUN)
    front.answer(FollowRun, EvaluationResult(evaluation="e1", answered=80, scored=80))
    front.answer(GetEvaluation, REPORT)
    return front


def test_recipes_are_files_recipes_of_the_home_and_models(run: Run, answers: FakeFront, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "recipes").mkdir(parents=True)
    (tmp_path / "mine.toml").write_text('schema = 1\nname = "Mine"')
    (home / "recipes" / "kept.toml").write_text("schema = 1")
    ran = run(
        "--home", str(home), "eval", "capi", "--recipe", str(tmp_path / "mine.toml"), "--recipe", "kept", "--recipe",
        "Smol", "--scorer", "exact-match", "--scorer", "number-match:absolute=0.5,relative=0.1", "--part", "held-out",
    )  # fmt: skip
    assert ran.status == 0
    call = answers.asked(Evaluate)[-1]
    assert [recipe.name for recipe in call.recipes] == ["Mine", "kept", SMOLLM.name]
    assert call.recipes[2].model.name == SMOLLM.name
    assert (call.question_set, call.part) == ("capitals", "held-out")
    assert [(use.name, use.options) for use in call.scorers] == [
        ("exact-match", {}),
        ("number-match", {"absolute": 0.5, "relative": 0.1}),
    ]


def test_a_field_takes_several_values(run: Run, answers: FakeFront) -> None:
    values = ("--vary", "decoding.temperature=0,0.7", "--vary", "decoding.max_tokens=8,64")
    assert run("eval", "capi", "--recipe", "Smol", *values).status == 0
    decoding = [recipe.decoding for recipe in answers.asked(Evaluate)[-1].recipes]
    assert [(one.temperature, one.max_tokens) for one in decoding] == [(0, 8), (0, 64), (0.7, 8), (0.7, 64)]
    ran = run("eval", "capi", "--recipe", "Smol", "--vary", "decoding.warmth=1,2")
    assert ran.status == 1
    assert "warmth" in ran.err


def test_prompts_of_the_library_are_recipes_of_the_default_model(run: Run, answers: FakeFront) -> None:
    ran = run(
        "eval", "capitals", "--recipe", "office letter@1", "--recipe", "Office letter", "--recipe", "Refined",
        "--recipe", SMOLLM.name,
    )  # fmt: skip
    assert ran.status == 0
    first, latest, refined, plain = answers.asked(Evaluate)[-1].recipes
    assert [one.name for one in (first, latest, refined)] == ["Office letter@1", "Office letter@2", "Refined@1"]
    assert [one.model.name for one in (first, latest, refined)] == [SMOLLM.name] * 3
    assert first.prompting.instructions == "Write letters."
    assert latest.prompting.sources == (source_of(LETTER, VERSIONS[0]),)
    assert (refined.prompting.technique, refined.prompting.options) == ("self-refine", {"rounds": 2})
    assert plain.prompting == PromptingPart()
    unknown = run("eval", "capitals", "--recipe", "Office letter@7")
    assert unknown.status == 1
    assert "There is no version '7' of 'Office letter'" in unknown.err


def test_the_result_is_a_table_with_intervals_and_a_sentence(run: Run, answers: FakeFront) -> None:
    ran = run("eval", "capitals", "--recipe", SMOLLM.name)
    assert "80 of 80" in ran.out
    assert "75.0  59.8 to 85.8" in ran.out
    assert "B is better than A by 25 points (7 to 41)." in ran.out
    costs = [line.split() for line in ran.out.splitlines()][-3:]
    assert costs == [
        ["PER", "ANSWER", "PROMPT", "TOKENS", "NEW", "TOKENS", "SECONDS", "FAILED", "DECLINED", "LOOPS"],
        ["A", "51", "10", "0.52", "1", "2", "0"],
        ["B", "51", "10", "0.52", "1", "2", "7"],
    ]
    plain = run("eval", "capitals", "--recipe", SMOLLM.name, "--json").result
    assert [cost["looped"] for cost in plain["costs"]] == [0, 7]
    assert plain["results"][0]["columns"][1]["value"] == 0.75


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--recipe", "nobody"), "no prompt of the library and no chat model"),
        (("--recipe", SMOLLM.name, "--scorer", "truth"), "no scorer 'truth'"),
        (("--recipe", SMOLLM.name, "--scorer", "number-match:near=1"), "no setting 'near'"),
        (("--recipe", SMOLLM.name, "--scorer", "number-match:relative=x"), "relative cannot be 'x'"),
    ],
)
def test_what_is_wrong_is_said(run: Run, answers: FakeFront, arguments: tuple[str, ...], reason: str) -> None:
    ran = run("eval", "capitals", *arguments)
    assert ran.status == 1
    assert reason in ran.err


def test_a_judge_is_the_recipe_of_the_scorers_that_judge(run: Run, answers: FakeFront) -> None:
    run("evaluations", "score", "e1", "--judge", "Smol", "--scorer", "judge-grade:rubric=Short.", "--scorer", "rouge-l")
    grade, rouge = answers.asked(AddScorers)[-1].scorers
    assert grade.options == {"rubric": "Short."}
    assert grade.recipe is not None
    assert grade.recipe.model.name == SMOLLM.name
    assert rouge.recipe is None


def test_scorers_are_listed(run: Run) -> None:
    ran = run("eval", "--list-scorers")
    assert ran.status == 0
    assert "choice-probability" in ran.out
    assert "SCORER.per" in ran.out


def test_evaluations_are_listed_and_their_rows_shown(run: Run, answers: FakeFront) -> None:
    assert "A, B" in run("evaluations", "list").out
    cells = (CellBrief(state="answered", text="Paris", scores=(1.0,)), CellBrief())
    row = GridRow(number=7, question="Capital?", expected="Paris", cells=cells)
    answers.answer(ListGrid, GridPage(first=0, total=1, rows=(row,)))
    ran = run("evaluations", "rows", "e", "--keep", "wrong")
    assert "Paris (1)" in ran.out
    asked = answers.asked(ListGrid)[-1]
    assert (asked.evaluation, asked.keep) == ("e1", "wrong")


def test_the_form_of_an_export_is_that_of_its_name(run: Run, answers: FakeFront, tmp_path: Path) -> None:
    answers.answer(ExportEvaluation, str(tmp_path / "a.csv"))
    assert run("evaluations", "export", "e1", "--output", str(tmp_path / "a.csv")).status == 0
    assert answers.asked(ExportEvaluation)[-1].form == "csv"
    assert run("evaluations", "export", "e1", "--output", "a.doc").status == 2


def test_a_question_set_is_imported_from_one_place(run: Run, front: FakeFront, tmp_path: Path) -> None:
    front.answer(CreateQuestionSet, SET)
    path = tmp_path / "capitals.jsonl"
    path.write_text("")
    ran = run("questions", "import", str(path), "--column", "question=q", "--tune", "0.25", "--without-context")
    assert ran.status == 0
    assert "40 questions, 20 to tune on, 20 to measure with" in ran.out
    call = front.asked(CreateQuestionSet)[-1]
    assert (call.path, call.columns, call.tune_share, call.with_context) == (str(path), {"question": "q"}, 0.25, False)
    assert run("questions", "import").status == 2
    assert run("questions", "import", str(path), "--chats").status == 2
    assert run("questions", "import", str(path), "--tune", "2").status == 2


def test_a_question_is_edited_by_its_number(run: Run, answers: FakeFront) -> None:
    def numbered(number: int) -> NumberedQuestion:
        question = QuestionRow(messages=(Message("user", f"{number}?"),), expected=("x",))
        return NumberedQuestion(number=number, split="tune", question=question)

    page = QuestionPage(total=3, first=0, questions=tuple(map(numbered, (1, 2, 4))))
    answers.answer(ListQuestions, page)
    answers.answer(EditQuestion, SET)
    ran = run("questions", "edit", "capi", "4", "--expected", "a", "--expected", "b")
    assert ran.status == 0
    call = answers.asked(EditQuestion)[-1]
    assert (call.question_set, call.number, call.question.text, call.question.expected) == (
        "capitals", 4, "4?", ("a", "b"),
    )  # fmt: skip
    assert run("questions", "edit", "capi", "4", "--no-answer").status == 0
    asked = answers.asked(EditQuestion)[-1].question
    assert (asked.answerable, asked.expected, asked.text) == (False, (), "4?")
    assert run("questions", "edit", "capi", "4", "--no-answer", "--expected", "a").status == 2
    assert run("questions", "edit", "capi", "2", "--remove").status == 0
    assert answers.asked(EditQuestion)[-1].question is None
    assert "no question 3" in run("questions", "edit", "capi", "3", "--question", "New?").err
    assert run("questions", "edit", "capi", "2").status == 2


def test_a_prompt_is_optimised(run: Run, answers: FakeFront) -> None:
    found = OptimisationResult(
        evaluation="e9", recipe=Recipe(prompting=PromptingPart(instructions="Say it briefly.")), candidate="One",
        before=0.5, after=0.75, questions=20, candidates=6, asked=140, answered=140, path="brief.toml", held_out="e10",
        sentence="After is better than Before by 20 points (4 to 36).", ended="The maximum time was reached.",
    )  # fmt: skip
    answers.answer(Optimise, RUN)
    answers.answer(FollowRun, found)
    ran = run(
        "evaluations", "optimise", "capi", "--recipe", "Smol", "--method", "opro:steps=2,candidates=3", "--writer",
        "Smol", "--scorer", "exact-match", "--name", "Brief",
    )  # fmt: skip
    assert ran.status == 0
    call = answers.asked(Optimise)[-1]
    assert (call.question_set, call.method, call.options) == ("capitals", "opro", {"steps": 2, "candidates": 3})
    assert (call.recipe.model.name, call.name) == (SMOLLM.name, "Brief")
    assert call.writer is not None
    assert call.scorer == ScorerUse(name="exact-match")
    for text in ("50.0 % before, 75.0 % after", found.sentence, found.ended, "brief.toml", "Say it briefly."):
        assert text in ran.out
    for wrong in (("--method", "luck"), ("--method", "opro:hats=2"), ("--method", "opro", "--recipe", "nothing")):
        assert run("evaluations", "optimise", "capi", "--recipe", "Smol", *wrong).status != 0
    assert "bootstrap" in run("evaluations", "optimise", "--list-methods").out


def test_the_rows_of_a_benchmark_are_recognised_and_downloaded(run: Run, front: FakeFront) -> None:
    data = BenchmarkData(
        benchmark="mmlu", title="MMLU", path="/data/mm lu", questions=1200, subjects=57, examples=5, usual=5,
        refused=("row 3: no answer",), more_refused=2,
    )  # fmt: skip
    front.answer(InspectBenchmark, data)
    front.answer(FetchBenchmark, data)
    out = run("benchmarks", "inspect", "/data/mm lu", "--examples", "/data/dev").out
    assert front.asked(InspectBenchmark) == [InspectBenchmark(path="/data/mm lu", examples="/data/dev")]
    assert out.startswith("MMLU: 1,200 questions in 57 subjects, in /data/mm lu\n")
    assert "  left out: row 3: no answer\n  and 2 more\n" in out
    assert out.endswith("workbench benchmarks import mmlu '/data/mm lu'\n")
    assert run("benchmarks", "fetch", "mmlu").out == out
    assert front.asked(FetchBenchmark) == [FetchBenchmark(benchmark="mmlu")]
    assert run("benchmarks", "fetch", "other").status == 2


def test_the_verification_is_measured_on_pairs(run: Run, front: FakeFront) -> None:
    data = BenchmarkData(
        benchmark="aggrefact", title="LLM-AggreFact", path="/d/a.csv", questions=9, subjects=2, pairs=True
    )
    front.answer(InspectBenchmark, data)
    out = run("benchmarks", "inspect", "/d/a.csv").out
    assert out == (
        "LLM-AggreFact: 9 pairs in 2 data sets, in /d/a.csv\n"
        "Measure the verification on it with: workbench benchmarks verify /d/a.csv\n"
    )
    wice = VerifiedSet(name="Wice", supported=Rate(3, 4), unsupported=Rate(4, 4))
    result = VerificationResult(
        title="LLM-AggreFact", path="/d/a.csv", pairs=8, of_all=9, seed=2, sets=(wice,), ended=1.0, seconds=2.0,
        left_out=1, first_left_out="row 3: its label is None.",
    )  # fmt: skip
    front.answer(MeasureVerification, RunRecord(id="r1", kind="verification", title="V", state="queued", created=1.0))
    front.answer(FollowRun, result)
    ran = run("benchmarks", "verify", "/d/a.csv", "--limit", "8", "--seed", "2")
    assert front.asked(MeasureVerification) == [MeasureVerification(path="/d/a.csv", limit=8, seed=2)]
    text = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert "Verification of statements on LLM-AggreFact, 8 of 9 pairs, drawn with 2" in ran.out
    assert "Wice 8 87.5 % (54.3–97.7) 80.0 % (37.6–96.4) 100.0 % (51.0–100.0)" in text
    assert "1 row left out. row 3: its label is None." in text
    front.answer(GetLeaderboard, Leaderboard(verification=(result,)))
    assert "Wice" in run("benchmarks", "leaderboard").out


def test_the_scorers_that_suit_a_set_are_listed_as_options_take_them(run: Run, front: FakeFront) -> None:
    front.answer(ListQuestionSets, QuestionSetList(sets=(SET,)))
    front.answer(
        SuggestScorers, (ScorerUse(name="token-f1"), ScorerUse(name="number-match", options={"absolute": 0.5}))
    )
    lines = run("questions", "scorers", "capi").out.splitlines()
    assert front.asked(SuggestScorers) == [SuggestScorers(question_set="capitals")]
    assert [line.split()[0] for line in lines] == ["token-f1", "number-match:absolute=0.5"]
