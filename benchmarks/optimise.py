"""What the search for a better prompt gains on real data, with the starter.

    python benchmarks/optimise.py FOLDER

The search sees the tuning half alone; before and after answer up to ``--measure`` of the held-out half. Tasks:

    subjects            mmlu questions (DIR/mmlu) and their subject, one of twelve, 40 of each, short ones; constrained
    a task of bbh       as in reasoning.py: a number or a letter, constrained

It runs in the home FOLDER/home, which stays, so that a stopped search is resumed by the same command.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from harness import DATA, arguments, read_lines, write_lines
from reasoning import TASKS, Front, Task, read_task

from workbench.records.evaluation import ScorerUse
from workbench.records.optimisation import OptimisationResult
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe
from workbench.subjects.evaluation.calls import CreateQuestionSet, ListQuestionSets, Optimise
from workbench.subjects.runs.calls import ListRuns, ResumeRun

PER_SUBJECT = 40


def subjects(data: Path) -> Task:
    rows: list[dict[str, Any]] = []
    for path in sorted((data / "mmlu" / "test").glob("*.jsonl")):
        questions = [row["question"] for row in read_lines(path)]
        name = path.stem.replace("_", " ")
        rows += [{"question": one, "answer": name} for one in sorted(questions, key=len)[20 : 20 + PER_SUBJECT]]
    names = "\n".join(sorted({row["answer"] for row in rows}))
    part = DecodingPart(temperature=0.0, seed=0, max_tokens=16, format="choice", grammar=names)
    return Task("subjects", rows, part, "exact-match")


def main() -> None:
    parser = arguments(__doc__, data=DATA, answers=400, measure=200)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", nargs="+", choices=("subjects", *TASKS), default=["subjects"])
    parser.add_argument("--method", nargs="+", choices=("bootstrap", "opro"), default=["bootstrap"])
    options = parser.parse_args()
    with Front(options.folder) as front:
        for name in options.task:
            task = subjects(options.data) if name == "subjects" else read_task(options.data, name, 300)
            for method in options.method:
                began = time.monotonic()
                found = search(front, task, method, options)
                print(
                    f"{name}, {method}: {found.candidate or 'nothing better'} of {found.candidates} candidates, "
                    f"{found.asked} answers; on {found.questions} tuning questions {found.before:.1%} before, "
                    f"{found.after:.1%} after. Held out: {found.sentence} {found.ended} "
                    f"({time.monotonic() - began:.0f} s)",
                    flush=True,
                )


def search(front: Front, task: Task, method: str, options: argparse.Namespace) -> OptimisationResult:
    title = f"{task.name} {method}"
    run = next((one for one in front.call(ListRuns()).runs if one.config.get("name") == title), None)
    if run is None:
        asked = "Which subject is this question from?\n\n{{question}}"
        prompting = PromptingPart(input=asked, output="Subject:") if task.name == "subjects" else PromptingPart()
        call = Optimise(
            question_set=make_set(front, task),
            recipe=Recipe(name=task.name, prompting=prompting, decoding=task.decoding),
            method=method, options={"max_answers": options.answers, "seconds": 100_000},
            scorer=ScorerUse(name=task.scorer), measure=options.measure, name=title,
        )  # fmt: skip
        run = front.call(call)
    elif run.state != "finished":
        run = front.call(ResumeRun(run=run.id))
    return msgspec.convert(front.follow(run), OptimisationResult)


def make_set(front: Front, task: Task) -> str:
    known = next((one for one in front.call(ListQuestionSets()).sets if one.name == task.name), None)
    if known is not None:
        return known.id
    with tempfile.TemporaryDirectory() as folder:
        path = write_lines(Path(folder) / "rows.jsonl", task.rows)
        return front.call(CreateQuestionSet(path=str(path), name=task.name)).id


if __name__ == "__main__":
    main()
