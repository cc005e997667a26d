"""The part of the fake core that has question sets and evaluations. Answers are made up from the numbers of questions,
the same each time, so that there may be any number of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from workbench import calls as c
from workbench.api.protocol import Call
from workbench.base.errors import UserError
from workbench.methods import METHODS
from workbench.records.evaluation import (
    CellAnswer,
    CellBrief,
    CellDetails,
    Column,
    ColumnCost,
    Evaluation,
    EvaluationReport,
    GridPage,
    GridRow,
    NumberedQuestion,
    QuestionRow,
    QuestionSet,
    Score,
    ScorerUse,
)
from workbench.records.messages import Message, Usage
from workbench.records.recipes import ModelPart, PromptingPart, Recipe
from workbench.records.trace import Trace, TraceStep
from workbench.subjects.evaluation.results import summarise

if TYPE_CHECKING:
    from tests.ui.fake_home import FakeHome

FACTS = (
    ("Which seal does the Brunnen P40 use?", "A VX-7 ring"),
    ("How long is the warranty of the P12?", "36 months"),
    ("Who signs the winter protocol?", "The shift lead"),
    ("What pressure trips the relief valve of the P40 when the housing is warm?", "6.4 bar"),
    ("Where is the spare impeller kept?", "Locker 14"),
    ("How often is the filter rinsed?", "Every nine days"),
    ("What colour is the drain valve?", "Ochre"),
)
WRONG = (
    "It depends on the model of the pump and on how it is used.",
    "The manual says that this is decided by the dealer.",
    "Usually two years, as the law says.",
)
RECIPES = (
    Recipe(name="Plain", model=ModelPart(name="SmolLM2-135M-Instruct")),
    Recipe(
        name="With examples",
        model=ModelPart(name="SmolLM2-135M-Instruct"),
        prompting=PromptingPart(instructions="Answer with a phrase from the manual."),
    ),
    Recipe(name="Tuned", model=ModelPart(name="SmolLM2-135M-Instruct")),
)
CHANCE = (0.42, 0.61, 0.66)
"""By which the answers of each recipe are right."""


def furnish_evaluation(home: FakeHome, questions: int = 240, answered: float = 1.0) -> Evaluation:
    """A set and two evaluations on it; of the later one, which has three recipes, a share is ``answered``."""
    found = QuestionSet(
        id="q1", name="Pump manual", created=time.time() - 86_400, questions=questions, tune=questions // 2,
        origin="pump-questions.jsonl", notes=("2 rows are no questions and were left out.",),
    )  # fmt: skip
    other = QuestionSet(id="q2", name="Rated answers", created=time.time() - 3_600, questions=31, tune=16)
    home.question_sets |= {found.id: found, other.id: other}
    first = _begin(home, "e1", found, RECIPES[:2], (ScorerUse(name="contains-answer"),), time.time() - 80_000)
    home.answered[first.id] = 1.0
    scorers = tuple(ScorerUse(name=name) for name in ("contains-answer", "token-f1", "answer-length"))
    latest = _begin(home, "e2", found, RECIPES, scorers, time.time() - 1_200)
    home.answered[latest.id] = answered
    return latest


def _begin(
    home: FakeHome,
    identity: str,
    found: QuestionSet,
    recipes: Sequence[Recipe],
    scorers: tuple[ScorerUse, ...],
    created: float,
) -> Evaluation:
    columns = tuple(Column(name=recipe.name, recipe=recipe, digest=recipe.name) for recipe in recipes)
    run = c.RunRecord(
        id=f"run-{identity}", kind="evaluate", title=found.name, state="finished", created=created, resumable=True,
        config={"evaluation": identity},
    )  # fmt: skip
    home.runs[run.id] = run
    evaluation = Evaluation(
        id=identity, question_set=found.id, set_name=found.name, created=created, columns=columns, scorers=scorers,
        questions=found.questions, run=run.id,
    )  # fmt: skip
    home.evaluations[identity] = evaluation
    return evaluation


def do(home: FakeHome, call: Call[Any]) -> tuple[Any, list[tuple[str, str]]] | None:
    """What the call comes to, and what changed; None for a call that is not ours."""
    match call:
        case c.ListQuestionSets():
            return c.QuestionSetList(sets=_latest(home.question_sets)), []
        case c.CreateQuestionSet():
            name = call.name or Path(call.path or "From chats").stem
            if name in {one.name for one in home.question_sets.values()}:
                raise UserError(f"There is already a question set named {name!r}.", "Choose another name.")
            made = QuestionSet(
                id=f"q{next(home.numbers)}", name=name, created=time.time(), questions=40,
                tune=round(40 * call.tune_share), origin=Path(call.path).name,
            )  # fmt: skip
            home.question_sets[made.id] = made
            return made, [("questions", made.id)]
        case c.ListQuestions():
            found = _set(home, call.question_set)
            rows = [n for n in range(1, found.questions + 1) if call.part in ("all", _question(n).split)]
            shown = rows[call.first : call.first + call.limit]
            questions = tuple(map(_question, shown))
            return c.QuestionPage(total=len(rows), first=call.first, questions=questions), []
        case c.EditQuestion():
            found = _set(home, call.question_set)
            if call.question is None:
                found = msgspec.structs.replace(found, questions=found.questions - 1)
                home.question_sets[found.id] = found
            return found, [("questions", found.id)]
        case c.RemoveQuestionSet():
            gone = _set(home, call.question_set)
            del home.question_sets[gone.id]
            return c.QuestionSetList(sets=_latest(home.question_sets)), [("questions", gone.id)]
        case c.SuggestScorers():
            _set(home, call.question_set)
            return (ScorerUse(name="contains-answer"), ScorerUse(name="token-f1")), []
        case c.Evaluate():
            found = _set(home, call.question_set)
            evaluation = _begin(home, f"e{next(home.numbers) + 10}", found, call.recipes, call.scorers, time.time())
            return _work_on(home, evaluation, 0.0)
        case c.Optimise():
            found = _set(home, call.question_set)
            identity, recipe = f"e{next(home.numbers) + 10}", msgspec.structs.replace(call.recipe, name="Before")
            assert call.scorer is not None
            evaluation = _begin(home, identity, found, (recipe,), (call.scorer,), time.time())
            evaluation = msgspec.structs.replace(evaluation, search=True, part="tune")
            home.runs[evaluation.run] = msgspec.structs.replace(home.runs[evaluation.run], kind="optimise")
            return _work_on(home, evaluation, 0.0)
        case c.AddScorers():
            evaluation = _evaluation(home, call.evaluation)
            evaluation = msgspec.structs.replace(evaluation, scorers=(*evaluation.scorers, *call.scorers))
            return _work_on(home, evaluation, home.answered.get(evaluation.id, 1.0))
        case c.ListEvaluations():
            return c.EvaluationList(evaluations=_latest(home.evaluations)), []
        case c.GetEvaluation():
            return report(home, _evaluation(home, call.evaluation)), []
        case c.ListGrid():
            return _page(home, call), []
        case c.GetCell():
            return _cell(home, call), []
        case c.RateCell():
            home.cell_ratings[call.evaluation, call.number, call.column] = call.rating
            there = c.GetCell(evaluation=call.evaluation, number=call.number, column=call.column)
            return _cell(home, there), [("evaluation", call.evaluation)]
        case c.RemoveEvaluation():
            del home.evaluations[_evaluation(home, call.evaluation).id]
            return c.EvaluationList(evaluations=_latest(home.evaluations)), [("evaluation", call.evaluation)]
        case c.ExportEvaluation():
            _evaluation(home, call.evaluation)
            return call.path, []
    return None


def _work_on(home: FakeHome, evaluation: Evaluation, answered: float) -> tuple[Any, list[tuple[str, str]]]:
    run = msgspec.structs.replace(home.runs[evaluation.run], state="running")
    home.runs[run.id] = run
    home.run_events[run.id] = []  # it goes on until a test ends it
    home.evaluations[evaluation.id] = evaluation
    home.answered[evaluation.id] = answered
    return run, [("evaluation", evaluation.id), ("run", run.id)]


def report(home: FakeHome, evaluation: Evaluation) -> EvaluationReport:
    numbers = range(1, _answered(home, evaluation) + 1)
    columns = range(len(evaluation.columns))
    values = [
        [
            {number: score for number in numbers if (score := _score(use, number, column)) is not None}
            for column in columns
        ]
        for use in evaluation.scorers
    ]
    costs = [
        ColumnCost(
            answers=len(numbers), failed=0, declined=sum(_declines(n, column) for n in numbers),
            prompt_tokens=51 + 40 * column, new_tokens=22.4 - 6 * column, seconds=0.8 + 0.3 * column,
        )
        for column in columns
    ]  # fmt: skip
    methods = [METHODS.row(use.name, "scorer") for use in evaluation.scorers]
    cells = evaluation.questions * len(columns)
    places = [(*key[1:], rating) for key, rating in home.cell_ratings.items() if key[0] == evaluation.id and rating]
    rated = [[(_score(use, number, column), rating) for number, column, rating in places] for use in evaluation.scorers]
    return summarise(evaluation, methods, values, costs, cells, len(numbers) * len(columns), rated)


def _page(home: FakeHome, call: c.ListGrid) -> GridPage:
    evaluation = _evaluation(home, call.evaluation)
    use = evaluation.scorers[call.scorer]
    columns = range(len(evaluation.columns))

    def kept(number: int) -> bool:
        right = [_score(use, number, column) >= 0.5 for column in columns]
        match call.keep:
            case "wrong":
                return not all(right)
            case "disagreement":
                return any(right) and not all(right)
            case "declined":
                return any(_declines(number, column) for column in columns)
            case "failed":
                return False
        return True

    every = range(1, evaluation.questions + 1)
    numbers = every if call.keep == "all" else [number for number in every if kept(number)]
    shown = numbers[call.first : call.first + call.limit]
    answered = _answered(home, evaluation)
    scorers = tuple(use.name for use in evaluation.scorers)
    rows = tuple(_row(number, number <= answered, len(columns), scorers) for number in shown)
    return GridPage(first=call.first, total=len(numbers), rows=rows)


@cache
def _row(number: int, answered: bool, columns: int, scorers: tuple[str, ...]) -> GridRow:
    question = _question(number).question
    uses = tuple(ScorerUse(name=name) for name in scorers)
    cells = tuple(_brief(uses, number, column) if answered else CellBrief() for column in range(columns))
    return GridRow(number=number, question=question.text, expected=question.expected[0], cells=cells)


def _brief(uses: Sequence[ScorerUse], number: int, column: int) -> CellBrief:
    scores = tuple(_score(use, number, column) for use in uses)
    state = "declined" if _declines(number, column) else "answered"
    return CellBrief(state=state, text=_text(number, column), scores=scores)  # type: ignore[arg-type]


def _cell(home: FakeHome, call: c.GetCell) -> CellDetails:
    evaluation = _evaluation(home, call.evaluation)
    text, scores = _text(call.number, call.column), []
    for use in evaluation.scorers:
        scores.append(Score(_score(use, call.number, call.column), "3 of 4" if use.name == "token-f1" else ""))
    question = _question(call.number)
    step = TraceStep(
        id="1", kind="generation", title="Answer", output=text, seconds=0.8, writes_answer=True,
        usage=Usage(prompt_tokens=51, new_tokens=len(text.split())),
    )  # fmt: skip
    answer = CellAnswer(
        text=text, declined=_declines(call.number, call.column), usage=Usage(prompt_tokens=51, new_tokens=22),
        seconds=0.8, trace=Trace(steps=(step,)),
    )  # fmt: skip
    there = call.number <= _answered(home, evaluation)
    return CellDetails(
        question=question,
        column=evaluation.columns[call.column].name,
        answer=answer if there else None,
        scores=tuple(scores) if there else tuple(Score(None) for _ in scores),
        rating=home.cell_ratings.get((call.evaluation, call.number, call.column), 0),
    )


def _answered(home: FakeHome, evaluation: Evaluation) -> int:
    return round(evaluation.questions * home.answered.get(evaluation.id, 1.0))


def _draw(*what: object) -> float:
    """From 0 to 1, the same for the same."""
    return int.from_bytes(blake2b(repr(what).encode(), digest_size=4).digest(), "big") / 2**32


def _right(number: int, column: int) -> bool:
    return 0.5 * _draw(number) + 0.5 * _draw(number, column) < CHANCE[column % len(CHANCE)]


def _declines(number: int, column: int) -> bool:
    return not _right(number, column) and _draw(number, column, "declines") < 0.1


def _text(number: int, column: int) -> str:
    _, expected = FACTS[number % len(FACTS)]
    if _declines(number, column):
        return "I could not find anything about this in these documents."
    if _right(number, column):
        return f"{expected}." if column else f"According to the manual it is this: {expected.lower()}."
    return WRONG[int(3 * _draw(number, column, "wrong"))]


def _score(use: ScorerUse, number: int, column: int) -> float:
    right = _right(number, column)
    if use.name == "answer-length":
        return float(len(_text(number, column).split()))
    return float(right) if use.name == "contains-answer" else (0.4 + 0.6 * _draw(number, "f1") if right else 0.1)


def _question(number: int) -> NumberedQuestion:
    text, expected = FACTS[number % len(FACTS)]
    question = QuestionRow(
        messages=(Message("user", f"{text} (sheet {number:,})"),), expected=(expected,), id=str(number)
    )
    return NumberedQuestion(number=number, split="tune" if number % 2 else "held-out", question=question)


def _latest(known: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(known.values(), key=lambda one: -one.created))


def _set(home: FakeHome, name: str) -> QuestionSet:
    for found in home.question_sets.values():
        if name in (found.id, found.name):
            return found
    raise UserError(f"There is no question set {name!r}.", "Import one first.")


def _evaluation(home: FakeHome, evaluation: str) -> Evaluation:
    if evaluation not in home.evaluations:
        raise UserError(f"There is no evaluation {evaluation}.", "It may have been deleted.")
    return home.evaluations[evaluation]
