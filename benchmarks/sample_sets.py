"""The sample question sets that are shipped: what the starter model reaches on each by several ways of adapting.

    python benchmarks/sample_sets.py

Each set is evaluated on its held-out questions, as the program splits it: as it is; with four similar examples of the
tuning half; sums also by the program with a calculator (ART); questions on the sample documents with these. With
--lora there is a LoRA as well, trained on the tuning half. ``--only`` names sets; ``--questions`` are drawn of each (0:
all held-out ones). With --write nothing is measured: the file of one-step sums is made anew from ``--seed``.
"""

from __future__ import annotations

import argparse
import random
import sys
from typing import Any

import msgspec
from harness import ROOT, Core, arguments, report, write_lines

from workbench.records.evaluation import QuestionSet
from workbench.records.recipes import (
    AdapterUse,
    DecodingPart,
    ModelPart,
    PromptingPart,
    Recipe,
    RetrievalPart,
)
from workbench.records.training import DataPart, OptimiserPart, TrainingConfig
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.evaluation.calls import (
    AddSampleSet,
    Evaluate,
    GetEvaluation,
    ListQuestions,
    ListSampleSets,
    SampleSet,
)
from workbench.subjects.trainings.calls import Train

SUMS = ROOT / "resources" / "questions" / "sums.jsonl"
NAMES = (
    "Ada",
    "Ben",
    "Chen",
    "Dana",
    "Emil",
    "Farah",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kofi",
    "Lena",
    "Milan",
    "Nora",
)
THINGS = ("apples", "books", "candles", "chairs", "coins", "cups", "eggs", "lamps", "nails", "pears", "pens", "plants",
          "plates", "stamps", "tickets", "tiles")  # fmt: skip
PLUS = (
    "{a} plus {b} is how much?",
    "What is the sum of {a} and {b}?",
    "{name} has {a} {things} and gets {b} more. How many {things} are that now?",
    "In a box there are {a} {things}, and in another one {b}. How many {things} are there in both boxes?",
    "{name} puts {b} {things} on a shelf that already holds {a}. How many {things} are on the shelf then?",
    "On Monday {name} sold {a} {things}, on Tuesday {b}. How many {things} were sold on the two days?",
    "A bus has {a} passengers, and {b} more get on. How many passengers are on the bus?",
    "{name} walked {a} minutes in the morning and {b} in the evening. How many minutes were that?",
    "{name} is {a} years old. How old is {name} in {b} years?",
    "Add {b} to {a}.",
)
MINUS = (
    "{a} minus {b} is how much?",
    "What is the difference between {a} and {b}?",
    "{name} had {a} {things} and gave away {b}. How many {things} are left?",
    "Of {a} {things}, {b} are broken. How many {things} are whole?",
    "{name} needs {a} {things} and has {b}. How many {things} are missing?",
    "A rope of {a} metres is shortened by {b} metres. How many metres long is it now?",
    "{a} birds sit on a roof, and {b} fly away. How many birds stay?",
    "{name} pays {b} euros with a note of {a} euros. How many euros does {name} get back?",
    "A book has {a} pages, of which {name} has read {b}. How many pages are left to read?",
    "Take {b} away from {a}.",
)
TIMES = (
    "{a} times {b} is how much?",
    "What is the product of {a} and {b}?",
    "There are {a} boxes with {b} {things} each. How many {things} are there?",
    "{name} buys {b} {things} in each of {a} shops. How many {things} does {name} buy?",
    "A hall has {a} rows of {b} seats. How many seats are there?",
    "One ticket costs {b} euros. How many euros do {a} tickets cost?",
    "{name} reads {b} pages a day. How many pages are that in {a} days?",
    "A wall is {a} tiles high and {b} tiles wide. How many tiles does it have?",
    "Each of {a} children draws {b} pictures. How many pictures are there?",
    "Multiply {b} by {a}.",
)
SHARED = (
    "{a} divided by {b} is how much?",
    "{name} shares {a} {things} equally among {b} friends. How many {things} does each friend get?",
    "{a} {things} are packed into boxes of {b}. How many boxes are filled?",
    "{a} euros are paid in {b} equal parts. How many euros is each part?",
    "A journey of {a} kilometres is made in {b} equal stages. How many kilometres is a stage?",
    "{name} cuts a ribbon of {a} centimetres into {b} equal pieces. How many centimetres long is a piece?",
    "{b} buses carry {a} pupils, the same number each. How many pupils are on a bus?",
    "Divide {a} by {b}.",
)


def sums(count: int, seed: int) -> list[dict[str, Any]]:
    """One-step questions in turn of the four kinds, no two alike, with results of at most two digits."""
    drawn = random.Random(seed)
    made: dict[str, int] = {}
    kinds = (PLUS, MINUS, TIMES, SHARED)
    turn = 0
    while len(made) < count:
        kind = kinds[turn % len(kinds)]
        wording = kind[turn // len(kinds) % len(kind)]
        x, y = drawn.randint(3, 48), drawn.randint(2, 48)
        low, times = drawn.randint(2, 9), drawn.randint(2, 10)
        a, b, result = {
            PLUS: (x, y, x + y),
            MINUS: (x + y, y, x),
            TIMES: (low, times, low * times),
            SHARED: (low * times, low, times),
        }[kind]
        text = wording.format(a=a, b=b, name=drawn.choice(NAMES), things=drawn.choice(THINGS))
        if text not in made:
            made[text] = result
            turn += 1
    rows = [{"question": text, "answer": str(result)} for text, result in made.items()]
    drawn.shuffle(rows)
    return rows


def main() -> int:
    parser = arguments(__doc__, "home", "json", only=("departments", "sums", "sample-documents"), seed=26, questions=0)
    parser.add_argument("--write", action="store_true", help="write the one-step sums, and measure nothing")
    parser.add_argument("--lora", action="store_true", help="train a LoRA on the tuning half as well")
    parser.add_argument("--epochs", type=float, default=0.0, help="of the LoRA, instead of the proposed ones")
    options = parser.parse_args()
    if options.write:
        write_lines(SUMS, sums(200, options.seed))
        return 0
    found = []
    with Core(options.home) as core:
        model = core.chat_model()
        for sample in core.call(ListSampleSets()).samples:
            if sample.name in options.only:
                found.append({"set": sample.name, **measured(core, sample, model, options)})
                print(found[-1], flush=True)
    report(found, options.json)
    return 0


def measured(core: Core, sample: SampleSet, model: str, options: argparse.Namespace) -> dict[str, Any]:
    asked = core.call(AddSampleSet(name=sample.name))
    plain = Recipe(
        name="as it is",
        model=ModelPart(name=model),
        decoding=DecodingPart(strategy="greedy", max_tokens=96 if sample.collection else 24, seed=0),
    )
    recipes = [plain]
    replace = msgspec.structs.replace
    if sample.collection:
        read = RetrievalPart(collection=sample.collection)
        recipes.append(replace(plain, name="with the documents", retrieval=read))
    else:
        shown = PromptingPart(examples=asked.name, example_count=4)
        recipes.append(replace(plain, name="four similar examples", prompting=shown))
    if sample.task == "number":
        program = PromptingPart(technique="art", options={"answer": "number"})
        recipes.append(replace(plain, name="program with a calculator", prompting=program))
    if options.lora and not sample.collection:
        tuned = ModelPart(name=model, adapters=(AdapterUse(name=trained(core, asked, model, options.epochs)),))
        recipes.append(replace(plain, name="LoRA", model=tuned))
    call = Evaluate(question_set=asked.id, recipes=tuple(recipes), part="held-out", limit=options.questions)
    result = core.call(GetEvaluation(evaluation=core.follow(core.call(call))["evaluation"]))
    main = result.results[0]
    columns = {
        column.name: [round(score.value, 3), round(score.low, 3), round(score.high, 3)] if score else None
        for column, score in zip(result.evaluation.columns, main.columns, strict=True)
    }
    return {"n": result.evaluation.questions, "scorer": main.title, "columns": columns}


def trained(core: Core, asked: QuestionSet, model: str, epochs: float) -> str:
    """The name of a LoRA that is trained on the tuning half."""
    rows = core.call(ListQuestions(question_set=asked.id, part="tune", limit=1_000)).questions
    path = core.folder / f"{asked.id}.jsonl"
    write_lines(
        path,
        ({"prompt": one.question.conversation()[-1].content, "completion": one.question.answer} for one in rows),
    )
    config = TrainingConfig(model=model, data=DataPart(path=str(path)), optimiser=OptimiserPart(epochs=epochs))
    run = core.call(Train(config=config))
    core.follow(run)
    return next(one.name for one in core.call(ListAdapters()).adapters if one.run == run.id)


if __name__ == "__main__":
    sys.exit(main())
