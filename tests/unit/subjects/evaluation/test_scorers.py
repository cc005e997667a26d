"""Scorers on constructed answers: what counts as right, what does not, and where they do not apply."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from workbench.base.errors import UserError
from workbench.engine.inference_calls import Scored
from workbench.records.evaluation import CellAnswer, QuestionRow, Score
from workbench.records.messages import Citation, Message, Statement, Verification
from workbench.records.recipes import PromptingPart, Recipe
from workbench.subjects.evaluation.methods import SCORERS, suited_scorers
from workbench.subjects.evaluation.scorers.scorer import Scorable, score_answer
from workbench.techniques.decoding.formats import check_format

ROWS = {row.name: row for row in SCORERS}
COLOURS = ("red", "dark red", "blue")


class FakeContext:
    """Log-probabilities in a queue; similarity is the share of common letters."""

    def __init__(self, *scores: Sequence[float]) -> None:
        self.scores = list(scores)
        self.asked: list[tuple[Recipe, tuple[Message, ...], tuple[str, ...]]] = []

    def score(self, recipe: Recipe, messages: Sequence[Message], continuations: Sequence[str]) -> list[Scored]:
        self.asked.append((recipe, tuple(messages), tuple(continuations)))
        return [Scored(logprob=one, tokens=1) for one in self.scores.pop(0)]

    def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        return [len(set(text) & set(other)) / len(set(text) | set(other)) for other in others]

    def find_problem(self, format: str, grammar: str, text: str) -> str:
        check = check_format(format, grammar, text)
        if check.problem:
            raise UserError(check.problem)
        return check.text_problem


def question(*expected: str, **fields: Any) -> QuestionRow:
    return QuestionRow(messages=(Message("user", "What?"),), expected=expected, **fields)


def scored(
    name: str,
    answer: str | CellAnswer,
    asked: QuestionRow,
    context: FakeContext | None = None,
    *,
    first: str | None = None,
    **options: Any,
) -> Score:
    row = ROWS[name]
    cell = Scorable(
        question=asked,
        answer=CellAnswer(text=answer) if isinstance(answer, str) else answer,
        recipe=Recipe(name="own", prompting=PromptingPart(instructions="Be brief.")),
        first=CellAnswer(text=first) if first is not None else None,
        judge=Recipe(name="judge"),
    )
    return score_answer(row, cell, row.decode(options), context or FakeContext())


def value(*args: Any, **options: Any) -> float | None:
    return scored(*args, **options).value


@pytest.mark.parametrize(
    ("name", "answer", "expected", "wanted"),
    [
        ("exact-match", "The Eiffel tower.", ("Eiffel Tower",), 1),
        ("exact-match", "An Eiffel tower in Paris", ("Eiffel Tower",), 0),
        ("exact-match", "two", ("2", "Two"), 1),
        ("contains-answer", "It gave up 308 points.", ("308",), 1),
        ("contains-answer", "It gave up 3081 points.", ("308",), 0),
        ("contains-answer", "他们失了308分。", ("308分",), 1),
        ("token-f1", "the tower in Paris", ("Eiffel tower",), 2 * 1 / 5),
        ("token-f1", "蓝色的车", ("蓝色车",), 6 / 7),
        ("rouge-l", "a b c d", ("a c d",), 6 / 7),
        ("number-match", "So 3 + 4 = 7 apples. The answer is 1,007 apples, not 9.", ("1007",), 1),
        ("number-match", "First 5, then 12.", ("12",), 1),
        ("number-match", "First 5, then 12.", ("5",), 0),
        ("number-match", "#### -3/4", ("-0.75",), 1),
        ("number-match", "none", ("4",), 0),
        ("number-match", "$1,000.50", ("1000.5",), 1),
    ],
)
def test_texts(name: str, answer: str, expected: tuple[str, ...], wanted: float) -> None:
    assert value(name, answer, question(*expected)) == pytest.approx(wanted)


def test_a_number_may_be_near() -> None:
    asked = question("200")
    assert value("number-match", "It is 203.", asked) == 0
    assert value("number-match", "It is 203.", asked, absolute=3) == 1
    assert value("number-match", "It is 197.", asked, relative=0.02) == 1
    assert value("number-match", "It is 195.", asked, relative=0.02, absolute=1) == 0


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("B", 1), ("B. dark red", 1), ("(C)", 2), ("**A)** red", 0), ("The answer is C, since the sky is blue.", 2),
        ("A sky is blue", 2), ("I think it is dark red.", 1), ("red or blue", None), ("D", None), ("It is A", 0),
        ("Answer: B", 1), ("Either A) or B)", None),
    ],
)  # fmt: skip
def test_choices_by_letter_or_text(answer: str, chosen: int | None) -> None:
    for place in range(3):
        asked = question(choices=COLOURS, choice=place)
        assert value("choice-match", answer, asked) == float(chosen == place), place


def test_expressions_are_tested_by_an_automaton() -> None:
    assert value("pattern-match", "Total: 12 EUR", question("12"), pattern="{expected} (EUR|USD)") == 1
    assert value("pattern-match", "Total: 1x2 EUR", question("1.2"), pattern="{expected} EUR") == 0  # it is escaped
    assert value("pattern-match", "no, twelve", question(), pattern="^twelve", whole=True) == 0
    assert value("pattern-match", "a" * 40 + "!", question(), pattern="(a+)+", whole=True) == 0  # and does not hang
    bad = scored("pattern-match", "x", question(), pattern="(")
    assert bad.value is None or bad.value == 0
    assert bad.note or bad.value == 0


def test_json() -> None:
    schema = json.dumps({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}})
    assert value("valid-json", '{"a": 1}', question()) == 1
    assert value("valid-json", '{"a": "x"}', question(), schema=schema) == 0
    assert "JSON" in scored("valid-json", "Sure: {}", question()).note
    wanted = question('{"name": "Ann", "at": {"city": "Rome", "zip": 5}, "ok": true}')
    assert (
        value("json-fields", '```json\n{"name": "ann", "at": {"city": "Rome", "zip": 5}, "ok": 1}\n```', wanted) == 0.75
    )
    assert value("json-fields", "no", wanted) == 0
    assert value("json-fields", "{}", question("Ann")) is None


def test_evidence() -> None:
    def cited(*paths: str, **fields: Any) -> CellAnswer:
        citations = tuple(
            Citation(n=n, collection="c", document=p, document_hash="", path=p, title="", start=0, end=1, text="x")
            for n, p in enumerate(paths, 1)
        )
        return CellAnswer(text="Yes [1].", citations=citations, **fields)

    asked = question("Yes", sources=("pump.pdf", "b/terms.docx"))
    answer = cited("/d/pump.pdf", "/d/a/terms.docx", "/d/pump.pdf")
    assert value("citation-precision", answer, asked) == pytest.approx(2 / 3)
    assert value("citation-recall", answer, asked) == 0.5
    assert value("citation-precision", "No.", asked) is None
    assert value("citation-recall", "No.", asked) == 0
    assert value("citation-recall", answer, question("Yes")) is None
    statements = tuple(Statement(start=0, end=1, verdict=v) for v in ("supported", "partly", "outside", "supported"))
    checked = CellAnswer(text="x", verification=Verification(statements=statements))
    assert value("supported-statements", checked, question()) == 0.5
    assert value("supported-statements", "x", question()) is None


def test_abstention_is_right_only_where_there_is_no_answer() -> None:
    declined, nothing = CellAnswer(text="Not in your documents.", declined=True), question(answerable=False)
    assert value("abstention-match", declined, nothing) == 1
    assert value("abstention-match", "Sorry, I do not know.", nothing) == 1
    assert value("abstention-match", "It is 5.", nothing) == 0
    assert value("abstention-match", declined, question("5")) == 0
    assert value("abstention-match", "It is 5.", question("5")) == 1
    assert value("exact-match", declined, nothing) == 1
    assert value("token-f1", "It is 5.", nothing) == 0


def test_choice_by_probability_asks_as_the_recipe_does_and_needs_no_answer() -> None:
    asked = question("B", "dark red", choices=COLOURS, choice=1)
    context = FakeContext([-3.0, -1.0, -2.0], [-3.0, -8.0, -4.0], [-3.0, -8.0, -4.1])
    none = CellAnswer(text="", error="nothing was generated")
    assert scored("choice-probability", none, asked, context) == Score(1.0, "B")
    recipe, messages, continuations = context.asked[0]
    assert (recipe.name, continuations) == ("own", ("A", "B", "C"))
    assert messages[-1].content.startswith("What?\n\nA. red\nB. dark red")
    assert scored("choice-probability", none, asked, context, of="texts") == Score(0.0, "A")
    assert context.asked[1][1][-1].content == "What?"
    assert context.asked[1][2] == COLOURS
    # -3 / 3, -8 / 8, -4.1 / 4 per byte
    assert scored("choice-probability", none, asked, context, of="texts", per="byte").note == "A"
    assert value("choice-probability", none, question("x"), context) is None


def test_similarity_is_that_of_the_nearest_accepted_answer() -> None:
    assert value("embedding-similarity", "abc", question("xyz", "abcd")) == 0.75
    assert value("embedding-similarity", " ", question("xyz")) == 0
    assert value("embedding-similarity", "abc", question()) is None


def test_a_grade_is_the_expected_value_over_the_digits() -> None:
    context = FakeContext([math.log(p) for p in (0.1, 0.1, 0.1, 0.2, 0.1)])  # other tokens have the rest
    found = scored("judge-grade", "42", question("42"), context, rubric="Be right.")
    expected = (1 + 2 + 3 + 2 * 4 + 5) / 6
    assert found.value == pytest.approx((expected - 1) / 4)
    recipe, messages, digits = context.asked[0]
    assert (recipe.name, digits) == ("judge", ("1", "2", "3", "4", "5"))
    for part in ("Be right.", "Question:\nWhat?", "Reference answer:\n42", "Answer:\n42"):
        assert part in messages[-1].content


def test_a_preference_is_asked_in_both_orders() -> None:
    always_a = FakeContext([math.log(0.9), math.log(0.1)], [math.log(0.9), math.log(0.1)])
    assert value("judge-preference", "mine", question(), always_a, first="other") == pytest.approx(0.5)
    contents = [messages[-1].content for _, messages, _ in always_a.asked]
    assert "Answer A:\nmine" in contents[0]
    assert "Answer A:\nother" in contents[1]
    for_mine = FakeContext([math.log(0.8), math.log(0.2)], [math.log(0.4), math.log(0.6)])
    assert value("judge-preference", "mine", question(), for_mine, first="other") == pytest.approx(0.7)
    assert value("judge-preference", "mine", question(), first=None) is None
    assert value("judge-preference", "same", question(), first="same") == 0.5


def test_a_failed_answer_is_wrong_and_a_failed_judge_has_no_score() -> None:
    failed = CellAnswer(text="", error="The prompt is too long.")
    assert scored("exact-match", failed, question("x")) == Score(0.0, "The prompt is too long.")
    assert value("answer-length", failed, question("x")) is None

    class Refusing(FakeContext):
        def score(self, *_: Any) -> list[Scored]:
            raise UserError("The judge's context is too short.")

    assert scored("judge-grade", "x", question("x"), Refusing()) == Score(None, "The judge's context is too short.")


@pytest.mark.parametrize("row", list(SCORERS), ids=lambda row: row.name)
def test_every_scorer_stays_in_its_range_or_does_not_apply(row: Any) -> None:
    context = FakeContext(*([[-1.0] * 5, [-1.0] * 2, [-1.0] * 2] if row.name == "judge-grade" else [[-1.0] * 2] * 2))
    found = scored(row.name, "something else", question("x"), context, first="x")
    assert found.value is None or 0 <= found.value <= 1 or row.unit


def test_suited_scorers() -> None:
    assert suited_scorers([question("A", "red", choices=COLOURS, choice=0)]) == ("choice-match",)
    assert suited_scorers([question("12"), question("1,004.5")]) == ("number-match",)
    outcomes = ("right-answer", "right-unmarked", "right-marked", "wrong-unmarked", "declined-wrongly")
    assert suited_scorers([question("Ann"), question(answerable=False)]) == (*outcomes, "declined-rightly", "token-f1")
    assert suited_scorers([question(need=(("Ann",), ("Bo",)))]) == outcomes
    assert suited_scorers([question()]) == ("answer-length",)


QUOTED = "“The capital of the canton is Tessin Harbour.” [1]"


@pytest.mark.parametrize(
    ("name", "answer", "asked", "wanted"),
    [
        ("contains-answer", QUOTED, question("Tessin Harbour"), 1),
        ("exact-match", QUOTED, question("Tessin Harbour"), 0),  # it says more
        ("exact-match", "“Tessin Harbour.” [1]", question("Tessin Harbour"), 1),
        ("token-f1", "„Tessin Harbour“ [2]", question("Tessin Harbour"), 1),
        ("rouge-l", "«Tessin Harbour» [2]", question("Tessin Harbour"), 1),
        ("number-match", "“It costs 1.234,50 €.” [3]", question("1234.5"), 1),
        ("number-match", "It costs 18 euros. [3]", question("3"), 0),
        (
            "choice-match",
            "“Dark red.” [1]",
            QuestionRow(messages=(Message("user", "?"),), choices=COLOURS, choice=1),
            1,
        ),
        ("choice-match", "Ｂ", QuestionRow(messages=(Message("user", "?"),), choices=COLOURS, choice=1), 1),
        ("json-fields", '{"city": "“Tessin Harbour”"}', question('{"city": "tessin harbour"}'), 1),
        ("abstention-match", "I don’t know. [1]", question(answerable=False), 1),
    ],
)
def test_quoted_and_cited_answers_are_compared_by_what_they_say(
    name: str, answer: str, asked: QuestionRow, wanted: float
) -> None:
    assert value(name, answer, asked) == wanted
