"""Strategies of reasoning against the direct answer, on GSM8K and tasks of BIG-Bench Hard.

    python benchmarks/reasoning.py FOLDER

Questions are answered as `workbench eval` does it: by the run kind `evaluate`, several at a time, in a scratch home.
The answer is constrained in each strategy: a number, or the letter of a choice. A strategy generates at most 160 tokens
at a time. Each answered row is appended to FOLDER/MODEL-TASK-TECHNIQUE.jsonl at once, and rows that are there are not
asked again, so the script can be stopped and started as often as one likes. It goes through all strategies in blocks of
rows, so that partial results are comparable. --summary prints the table of the results so far and answers nothing.

MODEL is ``starter``, ``gemma`` (gemma-3-270m of its packages, a base model) or a GGUF file. DIR (default
../shared/data) holds ``gsm8k`` and ``bbh``; of a task of BIG-Bench Hard there are 125 rows at most.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from harness import DATA, Core, arguments, gemma, read_lines, share, write_lines
from msgspec.structs import replace

from workbench.api import events
from workbench.records.evaluation import ScorerUse
from workbench.records.recipes import DecodingPart, ModelPart, PromptingPart, Recipe
from workbench.subjects.evaluation.calls import (
    CreateQuestionSet,
    Evaluate,
    GetCell,
    GetEvaluation,
    ListQuestions,
    RemoveEvaluation,
)
from workbench.subjects.evaluation.statistics import compare, describe

NUMBER = r"-?[0-9]{1,9}(\.[0-9]{1,4})?"
LETTERS = "ABCDEF"
BUDGET = {"seconds": 3_600, "max_tokens_total": 4_000}  # the machine may be busy: no answer is cut short by the clock
TASKS = ("gsm8k", "object_counting", "date_understanding", "boolean_expressions", "multistep_arithmetic_two",
         "penguins_in_a_table")  # fmt: skip
TECHNIQUES: dict[str, dict[str, Any]] = {
    "direct": {},
    "chain-of-thought": {"reasoning_tokens": 128},
    "self-consistency": {"samples": 5, "reasoning_tokens": 128},
    "least-to-most": {"questions": 3, "step_tokens": 96},
    "art": {"steps": 6},
}


@dataclass(frozen=True)
class Task:
    name: str
    rows: list[dict[str, Any]]
    decoding: DecodingPart
    scorer: str


def read_task(data: Path, name: str, rows: int) -> Task:
    """The first rows of a task; choices are those that a question of BIG-Bench Hard lists, or True and False."""
    path = data / "gsm8k" / "test.jsonl" if name == "gsm8k" else data / "bbh" / f"{name}.jsonl"
    read = read_lines(path)[:rows]
    part = DecodingPart(temperature=0.0, seed=0, max_tokens=12)
    if name == "boolean_expressions":
        read = [{"question": row["question"], "choices": ["True", "False"], "answer": row["answer"]} for row in read]
    elif "Options:" in read[0]["question"]:
        read = [_with_choices(row) for row in read]
    else:
        return Task(name, read, replace(part, format="regex", grammar=NUMBER), "number-match")
    letters = ascii_uppercase[: max(len(row["choices"]) for row in read)]
    return Task(name, read, replace(part, format="choice", grammar="\n".join(letters)), "choice-match")


def _with_choices(row: dict[str, Any]) -> dict[str, Any]:
    asked, _, options = row["question"].partition("\nOptions:\n")
    choices = [re.sub(r"^\([A-Z]\) ", "", line) for line in options.splitlines()]
    return {"question": asked, "choices": choices, "answer": row["answer"].strip("()")}


def recipe_of(task: Task, technique: str, model: str) -> Recipe:
    options = dict(TECHNIQUES[technique]) | (BUDGET if technique != "direct" else {})
    return Recipe(
        name=technique,
        model=ModelPart(name=model),
        prompting=PromptingPart(technique=technique, options=options),
        decoding=task.decoding,
    )


class Answers:
    """The answered rows of a file, of the recipe as it is now."""

    def __init__(self, folder: Path, model: str, task: Task, technique: str) -> None:
        self.path = folder / f"{Path(model).stem}-{task.name}-{technique}.jsonl"
        self.recipe = recipe_of(task, technique, "")
        told = json.dumps([repr(self.recipe.prompting), repr(self.recipe.decoding)])
        self._of = hashlib.sha256(told.encode()).hexdigest()[:12]
        self.rows: dict[int, dict[str, Any]] = {}
        for line in self.path.read_text("utf-8").splitlines() if self.path.exists() else []:
            try:
                row = json.loads(line)
            except ValueError:  # the last line of a process that was killed
                continue
            if row["recipe"] == self._of and row["row"] < len(task.rows):
                self.rows[row["row"]] = row

    def add(self, place: int, values: dict[str, Any]) -> None:
        if place not in self.rows:
            self.rows[place] = {"row": place, "recipe": self._of, **values}
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(self.rows[place], ensure_ascii=False) + "\n")


class Front(Core):
    """A core that answers the rows of tasks."""

    def name_of(self, model: str, folder: Path) -> str:
        return self.chat_model(None if model == "starter" else gemma(folder) if model == "gemma" else Path(model))

    def answer(self, task: Task, places: Sequence[int], recipe: Recipe, into: Answers) -> None:
        """Evaluate these rows, and note each answer when it is there."""
        with tempfile.TemporaryDirectory() as folder:
            path = write_lines(
                Path(folder) / "rows.jsonl", ({**task.rows[place], "id": str(place)} for place in places)
            )
            made = self.call(CreateQuestionSet(path=str(path), name=f"{task.name} {time.time_ns()}"))
        asked = self.call(ListQuestions(question_set=made.id, limit=1_000)).questions
        waiting = {one.number: int(one.question.id) for one in asked}
        evaluate = Evaluate(question_set=made.id, recipes=(recipe,), scorers=(ScorerUse(name=task.scorer),))
        run = self.call(evaluate)

        def note(event: events.Event) -> None:
            if isinstance(event, events.Progress):
                self._note(run.config["evaluation"], waiting, into)

        self.follow(run, note)
        self._note(run.config["evaluation"], waiting, into)
        assert self.call(GetEvaluation(evaluation=run.config["evaluation"])).answered == len(asked)
        self.call(RemoveEvaluation(evaluation=run.config["evaluation"]))

    def _note(self, evaluation: str, waiting: dict[int, int], into: Answers) -> None:
        for number, place in list(waiting.items()):
            details = self.call(GetCell(evaluation=evaluation, number=number, column=0))
            if details.answer is None or details.scores[0].value is None:
                continue
            made = details.answer
            into.add(
                place,
                {
                    "right": details.scores[0].value, "answer": made.text, "error": made.error,
                    "expected": details.question.question.expected, "seconds": made.seconds,
                    "new_tokens": made.usage.new_tokens, "prompt_tokens": made.usage.prompt_tokens,
                    "notices": made.notices,
                },
            )  # fmt: skip
            del waiting[number]


def blocks(count: int, size: int) -> Iterator[range]:
    for begin in range(0, count, size):
        yield range(begin, min(begin + size, count))


def summary(folder: Path, models: Sequence[str], tasks: Sequence[Task], techniques: Sequence[str]) -> None:
    print("| model | task | technique | right (95 %) | new tokens | s | less direct |")
    print("|---|---|---|---|---|---|---|")
    for model in models:
        for task in tasks:
            direct = Answers(folder, model, task, "direct").rows
            for technique in techniques:
                rows = Answers(folder, model, task, technique).rows
                if not rows:
                    continue
                right, n = round(sum(row["right"] for row in rows.values())), len(rows)
                tokens, seconds = (sum(row[key] for row in rows.values()) / n for key in ("new_tokens", "seconds"))
                common = sorted(rows.keys() & direct.keys())
                pairs = [[side[place]["right"] for place in common] for side in (direct, rows)]
                told = describe(compare(*pairs), "direct", technique) if technique != "direct" and common else ""
                print(
                    f"| {Path(model).stem} | {task.name} | {technique} | {share(right, n)} | {tokens:.0f} | "
                    f"{seconds:.1f} | {told} |"
                )


def main() -> None:
    parser = arguments(__doc__, data=DATA, rows=150, block=25, summary=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", nargs="+", choices=TASKS, default=TASKS[:3])
    parser.add_argument("--model", nargs="+", default=["starter", "gemma"])
    parser.add_argument("--technique", nargs="+", choices=TECHNIQUES, default=list(TECHNIQUES))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    tasks = [read_task(options.data, name, options.rows) for name in options.task]
    if not options.summary:
        with Front() as front:
            for model in options.model:
                answer_all(front, options, tasks, model)
    summary(options.folder, options.model, tasks, options.technique)


def answer_all(front: Front, options: argparse.Namespace, tasks: Sequence[Task], model: str) -> None:
    name = front.name_of(model, options.folder)
    for block in blocks(max(len(task.rows) for task in tasks), options.block):
        for task in tasks:
            for technique in options.technique:
                into = Answers(options.folder, model, task, technique)
                places = [place for place in block if place < len(task.rows) and place not in into.rows]
                if not places:
                    continue
                began = time.monotonic()
                front.answer(task, places, recipe_of(task, technique, name), into)
                took, right = time.monotonic() - began, sum(into.rows[place]["right"] for place in places)
                print(
                    f"{Path(model).stem}, {task.name}, {technique}, rows {block.start + 1} to {block.stop}: "
                    f"{right:.0f} of {len(places)} right, {took:.0f} s",
                    file=sys.stderr, flush=True,
                )  # fmt: skip


if __name__ == "__main__":
    main()
