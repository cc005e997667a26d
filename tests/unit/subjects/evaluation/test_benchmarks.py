"""Benchmarks are asked and scored as lm-evaluation-harness does: the expected texts are what its 0.4.13 writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from workbench.base.errors import UserError
from workbench.engine.inference_calls import Scored
from workbench.methods import METHODS
from workbench.records.evaluation import CellAnswer, QuestionRow
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.subjects.evaluation.benchmarks import BENCHMARKS, benchmark_recipe, find_benchmark, read_benchmark
from workbench.subjects.evaluation.methods import suited_scorers
from workbench.subjects.evaluation.scorers.benchmarks import Comparing, Extracting, choice, number
from workbench.subjects.evaluation.scorers.scorer import Scorable, ScorerContext

ROWS: dict[str, list[dict[str, Any]]] = {
    "mmlu": [
        {"subject": "high_school_physics", "question": " What falls? ", "choices": ["a", "b", "c", "d"], "answer": 2},
        {"subject": "high_school_physics", "question": "What rises?", "choices": ["e", "f", "g", "h"], "answer": "B"},
    ],
    "arc": [
        {"question": "What is hot?", "choices": {"text": ["ice", "fire"], "label": ["1", "2"]}, "answerKey": "2"},
        {"question": "What is cold?", "choices": {"text": ["ice", "fire"], "label": ["A", "B"]}, "answerKey": "A"},
    ],
    "hellaswag": [
        {
            "activity_label": "Cooking", "ctx_a": "A man stirs.", "ctx_b": "he", "label": "1",
            "endings": ["sleeps [title] now.", "tastes  it [substeps]."],
        },
        {
            "activity_label": "Golf", "ctx_a": "A ball flies.", "ctx_b": "it", "label": 0,
            "endings": ["lands.", "sings."],
        },
    ],
    "gsm8k": [
        {"question": "Two and two?", "answer": "It is 2+2.\n#### 4"},
        {"question": "1,000 and $5?", "answer": "Sum.\n#### 1,005"},
    ],
}  # fmt: skip
PROMPTS = {
    "mmlu": (
        "The following are multiple choice questions (with answers) about high school physics.\n\n"
        "What falls?\nA. a\nB. b\nC. c\nD. d\nAnswer: C\n\nWhat rises?\nA. e\nB. f\nC. g\nD. h\nAnswer:"
    ),
    "arc": "Question: What is hot?\nAnswer: fire\n\nQuestion: What is cold?\nAnswer:",
    "hellaswag": "Cooking: A man stirs. He tastes it .\n\nGolf: A ball flies. It",
    "gsm8k": "Question: Two and two?\nAnswer: It is 2+2.\n#### 4\n\nQuestion: 1,000 and $5?\nAnswer:",
}
CHOICES = {
    "mmlu": ((" A", " B", " C", " D"), 1),
    "arc": ((" ice", " fire"), 0),
    "hellaswag": ((" lands.", " sings."), 0),
    "gsm8k": ((), -1),
}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.mark.parametrize("benchmark", [one for one in BENCHMARKS if not one.chat], ids=lambda one: one.name)
def test_a_question_is_the_harness_s_prompt(benchmark: Any, tmp_path: Path) -> None:
    example, asked = ROWS[benchmark.name]
    examples = write(tmp_path / "dev.jsonl", [example])
    read = read_benchmark(benchmark, write(tmp_path / "test.jsonl", [asked]), examples, 1, 0, lambda rows: None)
    (row,) = read.rows
    assert row.prompt == PROMPTS[benchmark.name]
    assert row.conversation() == (Message("user", row.prompt),)
    assert (row.choices, row.choice) == CHOICES[benchmark.name]
    assert suited_scorers(read.rows) == (benchmark.scorers[0].name,)
    recipe = benchmark_recipe(benchmark, "Small")
    METHODS.find(recipe.prompting.technique, "technique")
    for use in benchmark.scorers:
        METHODS.find(use.name, "scorer").decode(use.options)


@pytest.mark.parametrize("name", ["gsm8k", "ifeval"])
def test_what_is_generated_is_the_most_probable_text(name: str) -> None:
    decoding = benchmark_recipe(find_benchmark(name), "Small").decoding
    penalties = decoding.repetition_penalty, decoding.presence_penalty, decoding.frequency_penalty
    assert (decoding.temperature, penalties, decoding.no_repeat_ngram_size) == (0.0, (1.0, 0.0, 0.0), 0)


def test_too_few_examples_and_other_rows_are_refused(tmp_path: Path) -> None:
    benchmark = find_benchmark("mmlu")
    rows = write(tmp_path / "test.jsonl", ROWS["mmlu"])
    with pytest.raises(UserError, match="There are 2 examples of high_school_physics, and 5 are to be shown"):
        read_benchmark(benchmark, rows, rows, 5, 0, lambda rows: None)
    with pytest.raises(UserError, match="no file of them"):
        read_benchmark(benchmark, rows, None, 5, 0, lambda rows: None)
    broken = write(tmp_path / "broken.jsonl", [{"question": "x"}, ROWS["mmlu"][0]])
    read = read_benchmark(benchmark, broken, None, 0, 0, lambda rows: None)
    assert len(read.rows) == 1
    assert "no row of MMLU" in read.refused[0]
    with pytest.raises(UserError, match="holds no rows of GSM8K"):
        read_benchmark(find_benchmark("gsm8k"), rows, None, 0, 0, lambda rows: None)
    with pytest.raises(UserError, match="Known are mmlu"):
        find_benchmark("chess")


class Fixed:
    """Gives these log-probabilities."""

    def __init__(self, *sums: float) -> None:
        self.sums = sums
        self.asked: list[str] = []

    def score(self, recipe: Recipe, conversation: Sequence[Message], continuations: Sequence[str]) -> list[Scored]:
        self.asked = [conversation[-1].content, *continuations]
        return [Scored(logprob=one, tokens=1) for one in self.sums]


def scorable(row: QuestionRow, text: str = "") -> Scorable:
    return Scorable(question=row, answer=CellAnswer(text=text), recipe=Recipe())


def test_the_most_probable_continuation_is_chosen_by_sum_or_by_character() -> None:
    row = QuestionRow(messages=(Message("user", "q"),), prompt="whole", choices=(" no", " certainly not"), choice=1)
    context = Fixed(-2.0, -3.0)
    assert choice(scorable(row), Comparing(), cast(ScorerContext, context)).value == 0.0
    assert context.asked == ["whole", " no", " certainly not"]
    assert choice(scorable(row), Comparing(per="character"), cast(ScorerContext, Fixed(-2.0, -3.0))).value == 1.0


@pytest.mark.parametrize(
    ("text", "strict", "flexible"),
    [
        (" 2 and 2 make 4.\n#### 1005", 1.0, 1.0),
        (" So it is $1,005.", 0.0, 1.0),
        (" #### 1,005\n\nand 7", 1.0, 0.0),
        (" #### 1004", 0.0, 0.0),
        (" I do not know.", 0.0, 0.0),
    ],
)
def test_the_number_of_a_solution_is_found_strictly_or_flexibly(text: str, strict: float, flexible: float) -> None:
    row = QuestionRow(messages=(Message("user", "q"),), prompt="whole", expected=(ROWS["gsm8k"][1]["answer"],))
    context = cast(ScorerContext, Fixed())
    assert number(scorable(row, text), Extracting(), context).value == strict
    assert number(scorable(row, text), Extracting(filter="flexible"), context).value == flexible
