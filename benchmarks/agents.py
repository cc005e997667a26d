"""Agents of a small model: sums with a calculator, questions of two hops in documents, trials that are checked.

What corrections make of drafts is measured by ``corrections.py``.

    python benchmarks/agents.py

``--data`` (default ../shared/data) holds ``xquad/en``. Parts:

    calculator  120 made-up sums of one and two steps: answered at once, and by the agent `react` with the
                calculator; the answer is constrained to a number in both
    documents   60 questions of two hops that are made from pairs of XQuAD questions: the answer to the first is part of
                the second, where X takes its place. Plain retrieval (as shipped, and in the model's own words) against
                an agent that searches, by look-up alone and step by step; right: the answer holds a gold answer
    reflexion   60 sums; the check is a test that a person could write: it computes the sum from the question, and is
                not told the answer. One trial against three
    edits       20 sums by the agent, then the result of its last call is changed: the part of the tokens before the
                change that is not computed again

Intervals are Wilson's, of 95 %; differences are of the same questions (Bonett and Price).
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from harness import DATA, arguments, read_lines, share
from prompting import Front, sums

from workbench.records.answers import AskResult
from workbench.records.recipes import AgentPart, DecodingPart, ModelPart, PromptingPart, Recipe, RetrievalPart
from workbench.records.trace import StepEdit, Trace
from workbench.subjects.chats.calls import Ask, GetTrace
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.subjects.evaluation.statistics import compare, describe

PARTS = ("calculator", "documents", "reflexion", "edits")
NUMBER = DecodingPart(format="regex", grammar="-?[0-9]{1,7}", temperature=0.0, max_tokens=10, seed=0)
FREE = DecodingPart(temperature=0.0, repetition_penalty=1.0, max_tokens=64, seed=0)
TOOL = ("calculator",)
Made = tuple[AskResult, Trace]


class Bench(Front):
    """A core on a scratch home; ``shows`` says how many answers of each way are printed with their steps."""

    def __init__(self, model: Path | None, shows: int) -> None:
        super().__init__(model)
        self.shows = shows

    def answer(
        self,
        question: str,
        agent: AgentPart | None = None,
        decoding: DecodingPart = FREE,
        retrieval: RetrievalPart | None = None,
        instructions: str = "",
    ) -> Made:
        recipe = Recipe(
            model=ModelPart(name=self.model),
            prompting=PromptingPart(instructions=instructions),
            decoding=decoding,
            retrieval=retrieval,
            agent=agent,
        )
        result = self.call(Ask(question=question, recipe=recipe))
        return result, self.call(GetTrace(message=result.message))

    def measure(
        self,
        name: str,
        rows: Sequence[tuple[str, Any]],
        way: Callable[[str], Made],
        right: Callable[[str, Any], bool],
    ) -> list[bool]:
        """How many rows a way answers right."""
        found, calls, cited, began = list[bool](), 0, 0, time.perf_counter()
        for number, (question, expected) in enumerate(rows):
            result, trace = way(question)
            found.append(right(result.answer, expected))
            calls += sum(step.kind == "call" for step in trace.steps)
            cited += bool(result.citations)
            if number % 10 == 9:
                print(f"  {name}: {sum(found)} of {number + 1} so far", file=sys.stderr, flush=True)
            if number < self.shows:
                print(f"  {question}\n    -> {result.answer!r} ({expected}) {'right' if found[-1] else 'wrong'}")
                for step in trace.steps:
                    print(f"    {step.kind}: {step.input[:90]!r} -> {step.output[:140]!r} {step.error[:60]}")
        count = len(rows)
        took = (time.perf_counter() - began) / count
        print(
            f"{name}: {share(sum(found), count, 1)} right; {cited} with a source; "
            f"{calls / count:.1f} calls and {took:.1f} s each",
            flush=True,
        )
        return found


def difference(name: str, one: Sequence[bool], other: Sequence[bool]) -> None:
    made = compare([float(right) for right in other], [float(right) for right in one])
    first, _, second = name.partition(" against ")
    print(f"  {describe(made, second, first)}", flush=True)


# -- sums ----------------------------------------------------------------------------------------------------


def two_steps(count: int, seed: int) -> list[tuple[str, int]]:
    """Made-up questions of two steps, with their answers."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        a, b, c = rng.randint(12, 60), rng.randint(3, 12), rng.randint(5, 40)
        made.append(rng.choice((
            (f"A box holds {a} pens. How many pens are in {b} boxes and {c} single pens together?", a * b + c),
            (f"What is {a} times {b} minus {c}?", a * b - c),
            (f"What is {a} plus {b} plus {c}?", a + b + c),
            (f"A train has {a} seats in each of {b} cars; {c} are broken. How many can be used?", a * b - c),
        )))  # fmt: skip
    return made


def is_number(answer: str, expected: int) -> bool:
    return answer.strip() == str(expected)


def ends_in(answer: str, expected: int) -> bool:
    """Whether the last number of a text is the expected one."""
    numbers = re.findall(r"-?\d[\d,]*(?:\.\d+)?", answer)
    return bool(numbers) and numbers[-1].replace(",", "").removesuffix(".0") == str(expected)


def calculator(bench: Bench, count: int, seed: int) -> None:
    count = count or 120
    singles, doubles = sums(count - count // 4, seed + 11), two_steps(count // 4, seed + 12)
    rows = [*singles, *doubles]
    agent = AgentPart(tools=TOOL, max_steps=3, thought_tokens=0, max_tokens=600, seconds=120)
    direct = bench.measure("calculator, at once", rows, lambda q: bench.answer(q, None, NUMBER), is_number)
    by_agent = bench.measure("calculator, agent", rows, lambda q: bench.answer(q, agent, NUMBER), is_number)
    for name, part in (("one step", slice(0, len(singles))), ("two steps", slice(len(singles), None))):
        print(f"  {name}: {share(sum(by_agent[part]), len(by_agent[part]), 1)}")
    difference("agent against at once", by_agent, direct)


# -- documents -----------------------------------------------------------------------------------------------


def two_hops(data: Path, count: int, seed: int) -> list[tuple[str, list[str]]]:
    """Pairs of questions in one: the answer to the first is part of the second."""
    rows = read_lines(data / "xquad" / "en" / "questions.jsonl")
    made: dict[str, tuple[str, list[str]]] = {}
    for first in rows:
        name = first["answers"][0].strip()
        if len(name) < 4 or not any(sign.isupper() for sign in name):
            continue
        for second in rows:
            place = re.search(rf"\b{re.escape(name)}\b", second["question"])
            known = [name, *second["answers"]]
            if second is first or place is None or any(one.lower() in first["question"].lower() for one in known):
                continue
            if any(name in answer for answer in second["answers"]) or second["id"] in made:
                continue
            begun = second["question"][: place.start()] + "X" + second["question"][place.end() :]
            question = (
                f"{begun.strip().rstrip('?')}, where X is the answer to this question: {first['question'].strip()}"
            )
            made[second["id"]] = question, second["answers"]
    chosen = sorted(made.values())
    random.Random(seed).shuffle(chosen)
    return chosen[:count]


def holds(answer: str, gold: Sequence[str]) -> bool:
    plain = " ".join(re.sub(r"[^\w\s]", " ", answer.lower()).split())
    wanted = (" ".join(re.sub(r"[^\w\s]", " ", one.lower()).split()) for one in gold)
    return any(re.search(rf"\b{re.escape(one)}\b", plain) for one in wanted)


def documents(bench: Bench, data: Path, count: int, seed: int, alone: bool) -> None:
    rows = two_hops(data, count or 60, seed)
    folder = Path(tempfile.mkdtemp(dir=bench.folder))
    for one in read_lines(data / "xquad" / "en" / "paragraphs.jsonl"):
        (folder / f"{one['id']}.txt").write_text(f"{one['title'].replace('_', ' ')}\n\n{one['text']}\n", "utf-8")
    bench.call(CreateCollection(name="xquad"))
    run = bench.call(AddDocuments(collection="xquad", paths=(str(folder),)))
    bench.follow(run)
    own = RetrievalPart(collection="xquad", mode="own-words", decline=False)
    part = AgentPart(tools=("search_documents",), max_steps=3, thought_tokens=0, max_tokens=1200, seconds=180)
    searching = msgspec.structs.replace(part, method="lookup")
    plain = RetrievalPart(collection="xquad")
    ways: dict[str, Callable[[str], Made]] = {
        "retrieval, as shipped": lambda q: bench.answer(q, retrieval=plain),
        "retrieval, own words": lambda q: bench.answer(q, retrieval=own),
        "agent, look up and quote": lambda q: bench.answer(q, searching, retrieval=plain),
        "agent, step by step": lambda q: bench.answer(q, part, retrieval=plain),
    }
    if alone:
        ways = {name: way for name, way in ways.items() if "agent" in name}
    made = {name: bench.measure(f"documents, {name}", rows, way, holds) for name, way in ways.items()}
    for agent in (name for name in ways if "agent" in name):
        for name in (name for name in ways if "agent" not in name):
            difference(f"{agent} against {name}", made[agent], made[name])


# -- answers that are checked --------------------------------------------------------------------------------

TEST = """
import re
numbers = [int(one) for one in re.findall(r"\\d+", question)]
said = [int(one) for one in re.findall(r"-?\\d+", answer)]
a, b = numbers[0], numbers[1]
text = question.lower()
if "more" in text or "plus" in text:
    value = a + b
elif "away" in text or "minus" in text:
    value = a - b
else:
    value = a * b
len(said) > 0 and said[-1] == value
"""


def reflexion(bench: Bench, count: int, seed: int) -> None:
    rows = sums(count or 60, seed + 21)
    drawn = DecodingPart(format="regex", grammar="-?[0-9]{1,7}", temperature=0.7, max_tokens=10, seed=0)
    made = {}
    for trials in (1, 3):
        part = AgentPart(
            method="reflexion", tools=TOOL, max_steps=6, thought_tokens=0, max_tokens=1200, seconds=180,
            options={"trials": trials, "test": TEST},
        )  # fmt: skip
        name = f"reflexion, {trials} {'trial' if trials == 1 else 'trials'}"
        made[trials] = bench.measure(name, rows, partial(bench.answer, agent=part, decoding=drawn), ends_in)
    difference("three trials against one", made[3], made[1])


# -- going on from a step ------------------------------------------------------------------------------------


def edits(bench: Bench, count: int, seed: int) -> None:
    """What is computed again after the result of a call was changed. A prompt up to the arguments of that call stands
    before the change; of the next generation's prompt so much should be in the cache."""
    part = AgentPart(tools=TOOL, max_steps=3, thought_tokens=0, max_tokens=600, seconds=120)
    shares = list[float]()
    for question, _ in sums(count or 20, seed + 41):
        result, trace = bench.answer(question, part, NUMBER)
        calls = [step for step in trace.steps if step.kind == "call"]
        if not calls:
            continue
        place = trace.steps.index(calls[-1])
        before = [step.usage for step in trace.steps[:place] if step.usage is not None and step.usage.prompt_tokens]
        again = Ask(
            regenerate=result.message, resume=True, recipe=result.recipe,
            edit=StepEdit(step=calls[-1].id, action="result", text="7"),
        )  # fmt: skip
        made = bench.call(again)
        steps = bench.call(GetTrace(message=made.message))
        known = {step.id for step in trace.steps[: place + 1]}
        new = [step for step in steps.steps if step.id not in known and step.usage is not None]
        first = next(step.usage for step in new if step.usage is not None and step.usage.prompt_tokens)
        shares.append(min(1.0, first.cached_tokens / before[-1].prompt_tokens))
    shares.sort()
    mean = sum(shares) / len(shares)
    print(f"edits: {mean:.1%} of the tokens before a change in the cache on average, at least {shares[0]:.1%}, "
          f"n={len(shares)}", flush=True)  # fmt: skip


def main() -> None:
    parser = arguments(__doc__, "model", data=DATA, only=PARTS, seed=0, show=0)
    parser.add_argument("--items", type=int, default=0, help="questions of each part; 0: as many as the part has")
    parser.add_argument("--alone", action="store_true", help="documents: the agent without what it is compared with")
    options = parser.parse_args()
    with Bench(options.model, options.show) as bench:
        if "calculator" in options.only:
            calculator(bench, options.items, options.seed)
        if "documents" in options.only:
            documents(bench, options.data, options.items, options.seed, options.alone)
        if "reflexion" in options.only:
            reflexion(bench, options.items, options.seed)
        if "edits" in options.only:
            edits(bench, options.items, options.seed)


if __name__ == "__main__":
    main()
