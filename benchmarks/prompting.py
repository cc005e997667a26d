"""Shared prompts, trees of thoughts, verdicts, and programs with tools, on the starter model.

    python benchmarks/prompting.py

``--data`` (default ../shared/data) holds ``game24``. Parts:

    shared      six prompts of 500 shared tokens and 20 of their own, one after the other and together: prompt tokens
                that are computed, time, and by how much log-probabilities differ from those of cold runs
    puzzles     the Game of 24 without a model, exact proposer and checker: 100 of the puzzles, three searches
    trees       the same by the model, verdicts by log-probability: grammatical thoughts, budgets, time, solved
    verdicts    states judged by the log-probability of three verdicts, and by three sampled votes of 60 tokens
    examples    mmlu questions and their subject, one of twelve: without examples, with the three most similar of a
                question set, and as the nearest of them says (no model); from the mmlu of --data
    arithmetic  one-step sums that are made up: answered at once, by a chain of thought, and by a program with the
                calculator; the answer is a number in each
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from harness import DATA, Core, arguments, read_lines, share, starter_model, write_lines

from workbench.api import events
from workbench.api.protocol import drain
from workbench.engine.inference_calls import (
    CountTokens,
    Generate,
    Generated,
    GenerateMany,
    Load,
    Score,
    ScoreMany,
)
from workbench.processes.host import WorkerHost
from workbench.records.answers import AskResult
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, ModelPart, PromptingPart, Recipe
from workbench.records.trace import Trace, TraceStep
from workbench.subjects.chats.calls import Ask, GetTrace
from workbench.subjects.evaluation.calls import CreateQuestionSet
from workbench.subjects.evaluation.statistics import compare, describe
from workbench.techniques.prompting.tree_of_thoughts import VERDICTS, tree_of
from workbench.techniques.prompting.tree_problems import NumbersProblem, children
from workbench.techniques.prompting.tree_search import Plan, SearchKind, Tree, search

PARTS = ("shared", "puzzles", "trees", "verdicts", "arithmetic", "examples")
TEXT = "The harbour of the old town lies below the castle, and every morning the boats come in with herring. "
LONGEST_QUESTION = 250  # characters: longer ones take a minute each with their examples
POOL = 25  # questions of a subject that examples are chosen from
SEARCHES: tuple[SearchKind, ...] = ("breadth-first", "depth-first", "beam")


# -- prompts that arrive together ---------------------------------------------------------------------------


def shared(path: Path) -> None:
    worker = WorkerHost("inference")
    worker.call(Load(path=str(path), context_tokens=4096))
    size = worker.call(CountTokens(texts=(TEXT,)))[0]
    beginning = TEXT * (500 // size)
    prompts = [(Message("user", f"{beginning}{word} is what number {n} asks about, and nothing else in the text."),)
               for n, word in enumerate(("Salt", "Rope", "Fish", "Wind", "Rain", "Sail"))]  # fmt: skip
    part = DecodingPart(max_tokens=1, temperature=0.0)
    requests = [Generate(messages=prompt, decoding=part) for prompt in prompts]

    def again() -> None:
        worker.call(Load(path=str(path), context_tokens=4096))

    def computed(made: Sequence[Generated]) -> int:
        return sum(one.usage.prompt_tokens - one.usage.cached_tokens for one in made)

    cold = []
    began = time.perf_counter()
    for request in requests:
        taken = time.perf_counter() - began
        again()
        began = time.perf_counter() - taken
        cold.append(worker.call(request))
    alone = time.perf_counter() - began
    again()
    began = time.perf_counter()
    made: dict[int, Generated] = {}
    for event in worker.stream(GenerateMany(requests=tuple(requests))):
        if isinstance(event, events.PartEvent) and isinstance(event.of, events.Finished):
            made[event.part] = msgspec.convert(event.of.result, Generated)
    together = time.perf_counter() - began
    lengths = [one.usage.prompt_tokens for one in cold]
    prompt = cold[0].prompt
    common = next(n for n in range(len(prompt)) if len({one.prompt[n] for one in cold}) > 1)
    own = statistics.mean(lengths) - common
    bound = common + sum(length - common for length in lengths)
    print(f"shared: 6 prompts, {common} shared tokens and {own:.0f} of their own on average")
    print(f"  cold, one by one   {computed(cold):5} prompt tokens computed, {alone:5.1f} s")
    print(f"  together           {computed(list(made.values())):5} prompt tokens computed, {together:5.1f} s; "
          f"{computed(list(made.values())) / bound:.2f} x {bound}")  # fmt: skip
    longer = msgspec.structs.replace(part, max_tokens=8)
    likely = [worker.call(msgspec.structs.replace(one, decoding=longer)).sequences[0].tokens for one in requests]
    asked = [Score(messages=one, continuations=(tokens,)) for one, tokens in zip(prompts, likely, strict=True)]
    again()
    many = worker.call(ScoreMany(requests=tuple(asked)))
    apart, noise = list[float](), list[float]()
    for scoring, scores in zip(asked, many, strict=True):
        again()
        whole = worker.call(scoring)
        again()
        worker.call(Score(prompt=prompt[:250], continuations=((0,),)))  # the same, in batches that end elsewhere
        elsewhere = worker.call(scoring)
        for other, kept in ((scores, apart), (elsewhere, noise)):
            kept += [abs(a.logprob - b.logprob) / a.tokens for a, b in zip(whole.values, other.values, strict=True)]
    print(
        f"  log-probabilities of likely answers of 8 tokens, nats a token from a cold run: at most {max(apart):.4f}, "
        f"mean {statistics.mean(apart):.4f}; of cold runs in other batches "
        f"{max(noise):.4f}, {statistics.mean(noise):.4f}"
    )
    worker.stop()


# -- trees of thoughts --------------------------------------------------------------------------------------


def puzzles(data: Path, seed: int) -> None:
    every = [row["numbers"] for row in read_lines(data / "game24" / "puzzles.jsonl")]
    rows = random.Random(seed).sample(every, 100)
    for kind in SEARCHES:
        began, solved, nodes = time.perf_counter(), 0, []
        for numbers in rows:
            problem = NumbersProblem(tuple(numbers))
            tree = Tree.of(problem.start, problem.key(problem.start))

            def propose(asked: Sequence[Any], problem: NumbersProblem = problem) -> Any:
                yield from ()
                return [children(problem, one.state, problem.moves(one.state)) for one in asked]

            def judge(asked: Sequence[Any], problem: NumbersProblem = problem) -> Any:
                yield from ()
                return [problem.value(one.state) or 0.0 for one in asked]

            best = drain(search(tree, Plan(kind, problem.depth, 5), propose, judge))
            solved += best.solved
            nodes.append(len(tree.nodes))
        took = time.perf_counter() - began
        print(
            f"puzzles, {kind}: {solved} of {len(rows)} solved, {statistics.mean(nodes):.0f} states each, {took:.1f} s"
        )


def trees(front: Front, data: Path, count: int, seed: int) -> None:
    rows = [row["numbers"] for row in read_lines(data / "game24" / "puzzles.jsonl")]
    drawn = random.Random(seed).sample(rows, count)
    thoughts = grammatical = solved = over = 0
    tokens, seconds = list[int](), list[float]()
    for numbers in drawn:
        question = f"Make 24 from {' '.join(map(str, numbers))}."
        began = time.perf_counter()
        result, trace = front.ask(question, "tree-of-thoughts", problem="numbers", thoughts=5, width=3)
        seconds.append(time.perf_counter() - began)
        problem = NumbersProblem.of(question)
        kept = [step for step in trace.steps if step.kind == "thought"]
        assert len(tree_of(trace.steps, problem).nodes) == 1 + len(kept)
        for step in trace.steps:
            if step.kind == "generation":
                lines = [line.partition(". ")[2] for line in step.output.splitlines()]
                thoughts += len(lines)
                grammatical += sum(line in problem.moves(_state(step, trace, problem)) for line in lines)
        tokens.append(result.usage.new_tokens)
        over += len(kept) > 60 or result.usage.new_tokens > 4000 or seconds[-1] > 122
        solved += result.answer.endswith("= 24")
    print(f"trees: {grammatical} of {thoughts} proposed thoughts are possible ones; {over} of {count} over a budget; "
          f"{solved} solved; {statistics.median(tokens):.0f} tokens and {statistics.median(seconds):.1f} s "
          f"(at most {max(seconds):.1f} s) each")  # fmt: skip


def _state(step: TraceStep, trace: Trace, problem: NumbersProblem) -> Any:
    """The state in which a step was taken: that of the thoughts above it."""
    known = {one.id: one for one in trace.steps}
    path = []
    while step.parent in known:
        step = known[step.parent]
        path += [step.title] if step.kind == "thought" else []
    state: Any = problem.start
    for text in reversed(path):
        thought = problem.follow(state, text)
        assert thought is not None
        state = thought.state
    return state


def verdicts(path: Path) -> None:
    worker = WorkerHost("inference")
    worker.call(Load(path=str(path), context_tokens=4096))
    states = ["4 4 10", "10 14", "6 4", "24", "1 2 3", "11 12", "5 8 8", "3 8", "13 11", "2 9 10", "1 1 1", "7 7 3"]
    prompts = [
        (Message("user", f"Numbers left: {state}. Target: 24.\n\nCan the numbers reach the target with + - * /? "
                         "Reply with sure, likely or impossible."),)
        for state in states
    ]  # fmt: skip
    began = time.perf_counter()
    scored = worker.call(ScoreMany(requests=tuple(Score(messages=one, continuations=VERDICTS) for one in prompts)))
    by_score = time.perf_counter() - began
    assert all(abs(sum(one.probabilities()) - 1) < 1e-6 for one in scored)
    worker.call(Load(path=str(path), context_tokens=4096))
    readable = 0
    part = DecodingPart(max_tokens=60, temperature=0.7, seed=1)
    votes = [
        Generate(messages=one, decoding=msgspec.structs.replace(part, seed=n)) for one in prompts for n in range(3)
    ]
    began = time.perf_counter()
    for at in range(0, len(votes), 12):
        for event in worker.stream(GenerateMany(requests=tuple(votes[at : at + 12]))):
            if isinstance(event, events.PartEvent) and isinstance(event.of, events.Finished):
                text = msgspec.convert(event.of.result, Generated).text.casefold().strip()
                readable += text.startswith(VERDICTS)
    by_votes = time.perf_counter() - began
    print(
        f"verdicts: {len(states)} states by log-probability {by_score:.1f} s, by three sampled votes {by_votes:.1f} s, "
        f"{by_votes / by_score:.1f} times as long; {readable} of {len(votes)} votes begin with a verdict"
    )
    worker.stop()


# -- programs with tools -------------------------------------------------------------------------------------


class Front(Core):
    """A core with the model that is measured."""

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        self.model = self.chat_model(path) if path is not None else ""

    def ask(
        self,
        question: str,
        technique: str,
        decoding: DecodingPart | None = None,
        prompting: dict[str, Any] | None = None,
        **options: Any,
    ) -> tuple[AskResult, Trace]:
        recipe = Recipe(
            model=ModelPart(name=self.model),
            prompting=PromptingPart(technique=technique, options=options, **(prompting or {})),
            decoding=decoding or DecodingPart(seed=0),
        )
        result = self.call(Ask(question=question, recipe=recipe))
        return result, self.call(GetTrace(message=result.message))


def examples(front: Front, data: Path, count: int, seed: int) -> None:
    rng = random.Random(seed)
    pool, asked = list[tuple[str, str]](), list[tuple[str, str]]()
    for path in sorted((data / "mmlu" / "test").glob("*.jsonl")):
        rows = [row["question"] for row in read_lines(path)]
        needed = count // 12 + POOL  # history has long questions only: the shortest of them
        longest = max(LONGEST_QUESTION, sorted(map(len, rows))[min(needed, len(rows) - 1)])
        short = [row for row in rows if len(row) <= longest]
        rng.shuffle(short)
        name = path.stem.replace("_", " ")
        asked += [(row, name) for row in short[: count // 12]]
        pool += [(row, name) for row in short[count // 12 : needed]]
    subjects = sorted({name for _, name in pool})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "subjects.jsonl"
        write_lines(path, ({"question": question, "answer": name} for question, name in pool))
        front.call(CreateQuestionSet(path=str(path), name="subjects", tune_share=1.0))
    decoding = DecodingPart(format="choice", grammar="\n".join(subjects), temperature=0.0, max_tokens=16, seed=0)
    shown = {"input": "Which subject is this question from?\n\n{{question}}", "output": "Subject:"}
    right: dict[str, list[float]] = {"no examples": [], "three similar": [], "the nearest, no model": []}
    for question, name in asked:
        result, _ = front.ask(question, "direct", decoding, prompting=shown)
        right["no examples"].append(result.answer == name)
        similar = {**shown, "examples": "subjects", "example_count": 3}
        result, trace = front.ask(question, "direct", decoding, prompting=similar)
        right["three similar"].append(result.answer == name)
        nearest = int(trace.steps[0].output.rpartition(" ")[2])
        right["the nearest, no model"].append(pool[nearest - 1][1] == name)
    for way, marks in right.items():
        print(f"examples, {way}: {share(round(sum(marks)), len(marks))}")
    difference = compare(right["no examples"], right["three similar"])
    print(f"examples, similar ones less none: {describe(difference, 'none', 'similar ones')}")


def sums(count: int, seed: int) -> list[tuple[str, int]]:
    """Made-up one-step questions with their answers."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        a, b = rng.randint(12, 98), rng.randint(3, 49)
        high, low = max(a, b), min(a, b)
        made.append(rng.choice((
            (f"A shop has {a} lamps and gets {b} more. How many lamps does it have now?", a + b),
            (f"There are {high} birds on a roof and {low} fly away. How many birds are left?", high - low),
            (f"A row has {b} chairs. How many chairs are there in {a} rows?", a * b),
            (f"What is {a} plus {b}?", a + b),
            (f"What is {high} minus {low}?", high - low),
            (f"What is {a} times {b}?", a * b),
        )))  # fmt: skip
    return made


def arithmetic(front: Front, count: int, seed: int) -> None:
    rows = sums(count, seed)
    number = DecodingPart(format="regex", grammar="-?[0-9]{1,6}", temperature=0.0, max_tokens=8, seed=0)
    chain: dict[str, Any] = {"answer": "number", "reasoning_tokens": 64}
    program: dict[str, Any] = {"answer": "number", "steps": 2, "max_tokens_total": 400}
    ways: dict[str, Any] = {
        "direct": lambda question: front.ask(question, "direct", number),
        "chain of thought": lambda question: front.ask(question, "chain-of-thought", **chain),
        "ART, calculator": lambda question: front.ask(question, "art", **program),
    }
    for name, way in ways.items():
        right, began = 0, time.perf_counter()
        for question, answer in rows:
            result, _ = way(question)
            right += result.answer.strip() == str(answer)
        print(f"arithmetic, {name}: {share(right, count)} right, {(time.perf_counter() - began) / count:.1f} s each")


def main() -> None:
    options = arguments(__doc__, "model", data=DATA, only=PARTS, questions=30, trees=10, seed=0).parse_args()
    path = options.model or starter_model()
    if "puzzles" in options.only:
        puzzles(options.data, options.seed)
    if "shared" in options.only:
        shared(path)
    if "verdicts" in options.only:
        verdicts(path)
    if {"trees", "arithmetic", "examples"} & set(options.only):
        with Front(options.model) as front:
            if "trees" in options.only:
                trees(front, options.data, options.trees, options.seed)
            if "examples" in options.only:
                examples(front, options.data, 120, options.seed)
            if "arithmetic" in options.only:
                arithmetic(front, options.questions, options.seed)


if __name__ == "__main__":
    main()
