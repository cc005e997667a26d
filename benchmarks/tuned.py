"""What fine-tuning is worth on a real set: the metric that it was trained for, on rows it has not seen.

    python benchmarks/tuned.py

xquad: questions on paragraphs of Wikipedia, answered in a few words of the paragraph; trained on some articles,
tested on others. gsm8k: word problems in its own split; an answer is right when its last number is.

All goes the program's own way: the examples are written as a file, ``Train`` is queued in the core, and what it made is
put on the model in the engine, which then answers every test question greedily, as base and as tuned. Printed are
exact match (normalised as SQuAD does; of gsm8k the number), for xquad F1 as well, each with its 95 % interval
(Wilson), and the difference with the interval of a paired bootstrap over the questions.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from harness import DATA, Core, arguments, normalised, read_lines, report, with_values, write_lines

from workbench.api import events
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, Recipe
from workbench.records.training import DataPart, EvaluationPart, OptimiserPart, TrainingConfig, interval
from workbench.subjects.chats.calls import Ask
from workbench.subjects.trainings.calls import Train

DRAWS = 10_000


class Row(NamedTuple):
    """One example: what is asked, what is learnt, and what counts as right."""

    question: str
    answer: str
    golds: tuple[str, ...]


def main() -> None:
    parser = arguments(__doc__, "model", "home", "json", data=DATA, train=400, test=200)
    parser.add_argument("--set", choices=("xquad", "gsm8k"), default="xquad")
    parser.add_argument("--set-value", action="append", default=[], metavar="PART.FIELD=VALUE")
    options = parser.parse_args()
    train, test = (read_xquad if options.set == "xquad" else read_gsm8k)(options.data, options.train, options.test)
    with Core(options.home) as bench:
        found = run(bench, bench.chat_model(options.model), train, test, options)
    report(found, options.json)


def run(bench: Core, model: str, train: list[Row], test: list[Row], options: argparse.Namespace) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="workbench-tuned-data-"))
    write_rows(folder / "train.jsonl", train)
    write_rows(folder / "held-out.jsonl", test[:64])
    config = TrainingConfig(
        model=model,
        name=f"tuned-{options.set}",
        data=DataPart(path=str(folder / "train.jsonl"), evaluation_path=str(folder / "held-out.jsonl")),
        optimiser=OptimiserPart(epochs=2),
        evaluation=EvaluationPart(sample_answers=0, forgetting=True),
    )
    config = with_values(config, options.set_value)
    print(f"{options.set}: {len(train)} examples to learn from, {len(test)} questions to test with")
    before = answer_all(bench, model, test, ())
    started = time.monotonic()
    told = bench.follow(bench.call(Train(config=config)), watch)
    seconds = time.monotonic() - started
    print(f"trained in {seconds:.0f} s: {told['metrics']}")
    after = answer_all(bench, model, test, (AdapterUse(name=told["adapter"]),))
    measures: dict[str, Callable[[str, Row], float]] = {"exact match": exact if options.set == "xquad" else same_number}
    if options.set == "xquad":
        measures["F1"] = f1
    found: dict[str, Any] = {"seconds": seconds, "train": told}
    for name, measure in measures.items():
        pairs = [(measure(b, row), measure(a, row)) for b, a, row in zip(before, after, test, strict=True)]
        found[name] = told_apart(name, pairs)
    return found


def watch(event: events.Event) -> None:
    if isinstance(event, events.Metric) and event.name in ("evaluation_loss", "loss") and event.step % 10 == 0:
        print(f"  step {event.step}: {event.name} {event.value:.4f}", file=sys.stderr)


def answer_all(bench: Core, model: str, rows: list[Row], adapters: tuple[AdapterUse, ...]) -> list[str]:
    recipe = Recipe(
        model=ModelPart(name=model, adapters=adapters),
        decoding=DecodingPart(temperature=0.0, repetition_penalty=1.0, max_tokens=200),
    )
    answers = []
    for row in rows:
        answers.append(bench.call(Ask(question=row.question, recipe=recipe)).answer)
    return answers


def told_apart(name: str, pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """Means of before and after with their intervals, and of the difference; printed."""
    count = len(pairs)
    before, after = (sum(side) / count for side in zip(*pairs, strict=True))
    draw = random.Random(0)
    gains = sorted(
        sum(a - b for b, a in (pairs[draw.randrange(count)] for _ in range(count))) / count for _ in range(DRAWS)
    )
    low, high = gains[int(0.025 * DRAWS)], gains[int(0.975 * DRAWS)]
    verdict = "a gain" if low > 0 else "a loss" if high < 0 else "no difference that is not chance"
    shares = {side: (mean, *interval(mean, count)) for side, mean in (("before", before), ("after", after))}
    for side, (mean, least, most) in shares.items():
        print(f"{name:12} {side:7} {mean:.3f}  ({least:.3f}-{most:.3f})")
    print(f"{name:12} {'change':7} {after - before:+.3f}  ({low:+.3f} to {high:+.3f}): {verdict}")
    return {**shares, "change": (after - before, low, high), "questions": count}


# -- the sets -------------------------------------------------------------------------------------


def read_xquad(data: Path, train: int, test: int) -> tuple[list[Row], list[Row]]:
    """Split by article: nothing of a test paragraph's article is trained on."""
    paragraphs = {p["id"]: p for p in read_lines(data / "xquad" / "en" / "paragraphs.jsonl")}
    by_article: dict[str, list[Row]] = {}
    for q in read_lines(data / "xquad" / "en" / "questions.jsonl"):
        paragraph = paragraphs[q["paragraph"]]
        text = f"{paragraph['text']}\n\nAnswer in a few words of the text: {q['question']}"
        by_article.setdefault(paragraph["title"], []).append(Row(text, q["answers"][0], tuple(q["answers"])))
    articles = sorted(by_article)
    random.Random(0).shuffle(articles)
    held, learnt = list[Row](), list[Row]()
    for article in articles:
        (held if len(held) < test else learnt).extend(by_article[article])
    random.Random(1).shuffle(learnt)
    return learnt[:train], held[:test]


def read_gsm8k(data: Path, train: int, test: int) -> tuple[list[Row], list[Row]]:
    def rows(name: str, count: int) -> list[Row]:
        found = []
        for one in list(read_lines(next((data / "gsm8k").glob(f"{name}*.jsonl"))))[:count]:
            answer = re.sub(r"<<[^>]*>>", "", one["answer"])
            found.append(Row(one["question"], answer, (one["answer"].rpartition("####")[2].strip(),)))
        return found

    return rows("train", train), rows("test", test)


def write_rows(path: Path, rows: list[Row]) -> None:
    turns = ((("user", row.question), ("assistant", row.answer)) for row in rows)
    write_lines(path, ({"messages": [{"role": role, "content": text} for role, text in pair]} for pair in turns))


# -- the measures ---------------------------------------------------------------------------------


def exact(answer: str, row: Row) -> float:
    return float(any(normalised(answer) == normalised(gold) for gold in row.golds))


def f1(answer: str, row: Row) -> float:
    def one(gold: str) -> float:
        said, meant = Counter(normalised(answer).split()), Counter(normalised(gold).split())
        both = sum((said & meant).values())
        return 2 * both / (sum(said.values()) + sum(meant.values())) if both else 0.0

    return max(map(one, row.golds))


def same_number(answer: str, row: Row) -> float:
    numbers = re.findall(r"-?\d[\d,]*(?:\.\d+)?", answer)
    return float(bool(numbers) and float(numbers[-1].replace(",", "")) == float(row.golds[0].replace(",", "")))


if __name__ == "__main__":
    main()
