"""Results and reports: what is compared, and files that hold any text as it is."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser

import msgspec
import pytest

from workbench.records.evaluation import (
    CellAnswer,
    Column,
    ColumnCost,
    Evaluation,
    EvaluationReport,
    NumberedQuestion,
    QuestionRow,
    Score,
    ScorerUse,
)
from workbench.records.messages import Message, Usage
from workbench.records.recipes import Recipe
from workbench.subjects.evaluation.methods import SCORERS
from workbench.subjects.evaluation.report import Answered, amount, write_report
from workbench.subjects.evaluation.results import describe_agreement, summarise

ROWS = {row.name: row for row in SCORERS}
COST = ColumnCost(answers=3, failed=0, declined=0, prompt_tokens=10, new_tokens=5, seconds=0.5)
HOSTILE = '<script>alert("x")</script>, \n=1+1 "quoted"'


def report(
    *names: str,
    scorers: tuple[str, ...] = ("exact-match",),
    values: list[list[dict[int, float]]],
    instructions: dict[int, int] | None = None,
) -> EvaluationReport:
    evaluation = Evaluation(
        id="e", question_set="q", set_name="Set <b>", created=0.0, questions=3,
        columns=tuple(Column(name=name, recipe=Recipe()) for name in names),
        scorers=tuple(ScorerUse(name=name) for name in scorers),
    )  # fmt: skip
    costs = [COST] * len(names)
    cells = 3 * len(names)
    return summarise(
        evaluation, [ROWS[name] for name in scorers], values, costs, cells, cells, instructions=instructions
    )


def test_recipes_are_compared_on_the_questions_that_all_have_answered() -> None:
    first = dict.fromkeys(range(60), 0.0)
    second = dict.fromkeys(range(50), 1.0)  # ten are missing
    found = report("A", "B", "C", values=[[first, second, {}]])
    result = found.results[0]
    assert [column.n if column is not None else None for column in result.columns] == [60, 50, None]
    assert len(result.sentences) == 1  # C has not begun
    assert result.sentences[0].startswith("B is better than A by 100 points (")


def test_of_instructions_each_counts_once() -> None:
    first, second = {1: 1.0, 2: 1 / 3, 3: 0.0}, {1: 1.0, 2: 1.0, 3: 1.0}
    scorers = ("ifeval-prompt-level", "ifeval-instruction-level")
    prompts = {number: float(share == 1) for number, share in first.items()}
    found = report(
        "A", "B", scorers=scorers, values=[[prompts, second], [first, second]], instructions={1: 1, 2: 3, 3: 2}
    )
    by_prompt, by_instruction = (result.columns for result in found.results)
    assert [one.value for one in by_prompt if one is not None] == pytest.approx([1 / 3, 1.0])
    assert [one.value for one in by_instruction if one is not None] == pytest.approx([2 / 6, 1.0])
    for one in by_instruction:
        assert one is not None
        assert 0 <= one.low <= one.value <= one.high <= 1


def test_many_recipes_are_compared_with_the_best_in_one_sentence() -> None:
    right = {"A": 9, "B": 38, "C": 36, "D": 8}  # of 40
    found = report(*right, values=[[{n: float(n < most) for n in range(40)} for most in right.values()]])
    [sentence] = found.results[0].sentences
    assert sentence.startswith("B is the best: 95 % (83.5 to 98.6). Not shown to be worse: C. About ")
    assert sentence.endswith("more questions would be needed to see 5 points. Shown to be worse: A, D.")
    clear = report(*"ABC", values=[[{n: float(n < most) for n in range(40)} for most in (2, 39, 3)]])
    assert clear.results[0].sentences[0].endswith("The other 2 recipes are shown to be worse.")
    same = report(*"ABCDEF", values=[[{n: float(n % 2) for n in range(20)} for _ in "ABCDEF"]])
    [sentence] = same.results[0].sentences
    assert "Not shown to be worse: B, C, D, E, F." in sentence


def test_a_scorer_used_twice_is_numbered() -> None:
    found = report("A", scorers=("rouge-l", "rouge-l", "answer-length"), values=[[{1: 0.5}]] * 3)
    assert [result.title for result in found.results] == ["ROUGE-L 1", "ROUGE-L 2", "Length"]
    assert found.results[2].unit == "words"


def test_agreement_counts_right_and_wrong_alike() -> None:
    assert describe_agreement([]) == ""
    rated = [(1.0, 1), (0.2, -1), (0.9, -1), (0.4, 1)]
    assert describe_agreement(rated) == "Agrees with 2 of 4 of your ratings (15 to 85 %)."


@pytest.fixture
def cells() -> list[Answered]:
    question = QuestionRow(messages=(Message("user", HOSTILE),), expected=("a", "b"), id="x1")
    numbered = NumberedQuestion(number=7, split="tune", question=question)
    answer = CellAnswer(text=HOSTILE, usage=Usage(prompt_tokens=10, new_tokens=5), seconds=0.5)
    failed = CellAnswer(text="", error="Too long.")
    return [
        Answered(numbered, "A", answer, (Score(1.0, HOSTILE),)),
        Answered(numbered, "B", failed, (Score(0.0, "Too long."),)),
        Answered(numbered, "C", None, (Score(None),)),
    ]


def test_a_table_holds_texts_as_they_are(cells: list[Answered]) -> None:
    found = report("A", "B", "C", values=[[{7: 1.0}, {7: 0.0}, {}]])
    rows = list(csv.DictReader(io.StringIO("".join(write_report("csv", found, cells)))))
    assert [row["recipe"] for row in rows] == ["A", "B", "C"]
    assert rows[0]["answer"] == HOSTILE
    assert (rows[0]["Exact match"], rows[1]["Exact match"], rows[2]["Exact match"]) == ("1.0", "0.0", "")
    assert rows[1]["error"] == "Too long."
    assert rows[0]["expected"] == "a | b"


def test_scores_are_a_table_for_a_spreadsheet_a_text_and_a_slide(cells: list[Answered]) -> None:
    found = report("A|x", "B_1", values=[[{7: 1.0, 8: 1.0}, {7: 0.0, 8: 1.0}]])
    rows = list(csv.DictReader(io.StringIO("".join(write_report("scores", found, cells)))))
    assert [(row["recipe"], row["Exact match"], row["Exact match, n"]) for row in rows] == [
        ("A|x", "1.0", "2"),
        ("B_1", "0.5", "2"),
    ]
    markdown = "".join(write_report("markdown", found, cells))
    assert found.results[0].sentences[0] in markdown
    assert "| Recipe | Exact match | Questions | Tokens | Seconds |" in markdown
    assert "| A\\|x | 100 % (34.2 to 100) | 2 |" in markdown
    latex = "".join(write_report("latex", found, cells))
    assert r"\begin{tabular}{lrrrr}" in latex
    assert r"B\_1 & 50 \% (9.5 to 90.5) & 2 &" in latex


def test_json_lines_hold_scores_and_notes(cells: list[Answered]) -> None:
    found = report("A", "B", "C", values=[[{7: 1.0}, {7: 0.0}, {}]])
    lines = [json.loads(line) for line in "".join(write_report("jsonl", found, cells)).splitlines()]
    assert lines[0]["scores"] == {"Exact match": 1.0}
    assert lines[0]["notes"] == {"Exact match": HOSTILE}
    assert (lines[0]["id"], lines[0]["number"], lines[2]["answer"]) == ("x1", 7, "")


class _Tags(HTMLParser):
    """What a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(value and value.startswith(("http", "//")) for _, value in attrs)

    def handle_data(self, data: str) -> None:
        self.said += data


def test_a_report_shows_hostile_texts_as_texts(cells: list[Answered]) -> None:
    found = report("A", "B", "<i>C</i>", values=[[{7: 1.0}, {7: 0.0}, {}]])
    page = _Tags()
    page.feed("".join(write_report("html", found, cells)))
    assert "script" not in page.tags
    assert "i" not in page.tags
    assert page.tags.count("tr") == 6  # costs with its heading, one question with its heading
    assert page.said.count('<script>alert("x")</script>') == 2
    assert "svg" in page.tags


def test_a_report_counts_the_answers_that_ended_in_a_loop(cells: list[Answered]) -> None:
    found = report("A", "B", "C", values=[[{7: 1.0}, {7: 0.0}, {}]])
    looping = msgspec.structs.replace(COST, failed=1, declined=2, looped=3)
    found = msgspec.structs.replace(found, costs=(COST, looping, COST))
    looped = cells[0]._replace(answer=CellAnswer(text="again and again", looped=True))
    page = "".join(write_report("html", found, [looped, *cells[1:]]))
    rows = re.findall(r"<tr>(.*?)</tr>", page.partition("Cost per answer")[2].partition("</table>")[0])
    assert [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)[-3:] for row in rows] == [
        ["Failed", "Declined", "Ended in a loop"],
        ["0", "0", "0"],
        ["1", "2", "3"],
        ["0", "0", "0"],
    ]
    table = list(csv.DictReader(io.StringIO("".join(write_report("csv", found, [looped, *cells[1:]])))))
    assert [row["looped"] for row in table[:2]] == ["True", "False"]


def test_amounts() -> None:
    assert [amount(value, "") for value in (None, 0.5, 1 / 3)] == ["", "50 %", "33.3 %"]
    assert [amount(value, "words") for value in (12.0, 1234.56)] == ["12 words", "1,234.6 words"]


def test_of_faults_fewer_are_better() -> None:
    few, many = dict.fromkeys(range(60), 0.0), dict.fromkeys(range(60), 1.0)
    [result] = report("A", "B", scorers=("wrong-unmarked",), values=[[few, many]]).results
    assert result.fewer
    assert result.sentences[0].startswith("A is better than B")
    asked = NumberedQuestion(number=1, split="tune", question=QuestionRow(messages=(Message("user", "?"),)))
    cells = [Answered(asked, name, CellAnswer(text="x"), (Score(value),)) for name, value in (("A", 0.0), ("B", 1.0))]
    whole = "".join(write_report("html", report("A", "B", scorers=("wrong-unmarked",), values=[[few, many]]), cells))
    assert re.findall("<td class=([rw])>", whole) == ["r", "w"]


def test_a_column_that_was_added_while_the_values_were_read_waits_for_the_next_report() -> None:
    found = report("A", values=[[{1: 1.0}, {1: 0.0}]])
    assert [len(result.columns) for result in found.results] == [1]
