"""Corrections: how often CRITIC, Reflexion and self-refine make a right draft worse, and repair a wrong one.

    python benchmarks/corrections.py

Each method answers ``items`` sums and ``items`` questions about made-up machines with a right draft, and ``wrong`` of
them with a wrong one, on the starter model:

    sums    critic and reflexion draft by themselves with the calculator, until so many drafts were right;
            self-refine is given the draft
    facts   the draft is given, as a sentence; critic and reflexion may search the documents, and what a search for the
            question finds is known to reflexion; self-refine has the passages before it

A draft is given in place of the generation that would write it; all that follows is the program's. Right: the last
number of a sum's answer is the result; an answer to a question holds what was asked for. Intervals are Wilson's, of
95 %.
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from agents import Bench, holds
from harness import arguments, share
from prompting import sums

from workbench.api.events import Event
from workbench.engine.inference_calls import Generated
from workbench.records.agents import ToolCall
from workbench.records.recipes import AgentPart, DecodingPart, ModelPart, PromptingPart, Recipe, RetrievalPart
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.techniques.agents.session import Session
from workbench.techniques.budget import Budget
from workbench.techniques.tools.methods import SEARCH

METHODS = ("critic", "reflexion", "self-refine")
FREE = DecodingPart(temperature=0.0, repetition_penalty=1.0, max_tokens=40, seed=0)
MOST_DRAFTS = 4
"""So many times the items are drafted at most, until enough drafts were right."""
NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper", "Larch", "Maple")
KINDS = ("pump", "crane", "press", "lathe", "winch")
CITIES = ("Ghent", "Porto", "Lyon", "Graz", "Turku", "Malmo", "Leeds", "Split")
COLOURS = ("red", "green", "blue", "yellow", "grey", "white")


@dataclass(frozen=True)
class Fact:
    question: str
    right: str
    wrong: str
    gold: str

    def is_answered(self, answer: str) -> bool:
        """Whether an answer holds what was asked for, and not the wrong draft beside it."""
        return holds(answer, [self.gold]) and self.wrong.rstrip(".").casefold() not in answer.casefold()


def machines(count: int, seed: int) -> tuple[list[str], list[Fact]]:
    """Texts about made-up machines, and a question about each with a right and a wrong draft."""
    rng = random.Random(seed)
    texts, facts = [], []
    every = [f"{name} {kind}" for kind in KINDS for name in NAMES]
    for machine in rng.sample(every, count):
        weight, price, year = rng.randint(120, 980), rng.randint(21, 99) * 100, rng.randint(1950, 2020)
        city, colour = rng.choice(CITIES), rng.choice(COLOURS)
        texts.append(
            f"The {machine} was built in {city} in {year}. It weighs {weight} kg and is painted {colour}. A new one "
            f"costs {price} euros, and its warranty ends after {rng.randint(2, 9)} years."
        )
        other, far = rng.choice([one for one in CITIES if one != city]), weight + rng.randint(11, 99)
        facts.append(rng.choice((
            Fact(f"How much does the {machine} weigh?", f"The {machine} weighs {weight} kg.",
                 f"The {machine} weighs {far} kg.", str(weight)),
            Fact(f"Where was the {machine} built?", f"It was built in {city}.", f"It was built in {other}.", city),
            Fact(f"When was the {machine} built?", f"They built the {machine} in the year {year}.",
                 f"They built the {machine} in the year {year + 7}.", str(year)),
            Fact(f"What does a new {machine} cost?", f"The price of a new {machine} is {price} euros.",
                 f"The price of a new {machine} is {price + 500} euros.", str(price)),
        )))  # fmt: skip
    return texts, facts


def result_is(answer: str, expected: str) -> bool:
    """Whether the last number of a text is the expected one."""
    numbers = re.findall(r"-?\d[\d,]*(?:\.\d+)?", re.sub(r"\[\d+\]", "", answer))
    return bool(numbers) and numbers[-1].replace(",", "").removesuffix(".0") == expected


@contextmanager
def given(text: str, query: str = "") -> Generator[None, None, None]:
    """The first draft of an answer is ``text``, after a search for ``query``."""
    drafted, generate_one = Session.drafted, Budget.generate_one
    left = [text]

    def draft(self: Session, *args: Any, **more: Any) -> Generator[Event, None, str]:
        if not left:
            return (yield from drafted(self, *args, **more))
        if query and SEARCH in self.agent.tools:
            call = ToolCall(tool=SEARCH, arguments={"query": query})
            yield from self.executor.execute(self.agent.tools[SEARCH], call, self.context)
        return left.pop()

    def generate(self: Budget, ask: Any, **more: Any) -> Generator[Event, None, Generated]:
        if left and ask.title == "Draft":
            return Generated(text=left.pop())
        return (yield from generate_one(self, ask, **more))

    Session.drafted, Budget.generate_one = draft, generate  # type: ignore[method-assign]
    try:
        yield
    finally:
        Session.drafted, Budget.generate_one = drafted, generate_one  # type: ignore[method-assign]


class Count:
    """Drafts that were right or wrong, and what became of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.right: list[bool] = []
        self.wrong: list[bool] = []

    def add(self, draft: bool, answer: bool) -> None:
        (self.right if draft else self.wrong).append(answer)

    def report(self) -> None:
        worse, repaired = len(self.right) - sum(self.right), sum(self.wrong)
        texts = []
        for what, count, of in (("made worse", worse, self.right), ("repaired", repaired, self.wrong)):
            shown = share(count, len(of), 1) if of else "0 of 0"
            texts.append(f"{what} {shown} {'right' if of is self.right else 'wrong'} drafts")
        print(f"{self.name}: {'; '.join(texts)}", flush=True)


def part_of(method: str, tool: str) -> AgentPart:
    return AgentPart(method=method, tools=(tool,), max_steps=6, thought_tokens=0, max_tokens=1500, seconds=180)


def drafted_sums(bench: Corrected, method: str, count: int, seed: int, shows: int) -> Count:
    """Sums whose drafts the method makes with the calculator."""
    made = Count(f"{method}, sums")
    for question, value in sums(MOST_DRAFTS * count, seed + 51):
        result, trace = bench.answer(question, part_of(method, "calculator"), FREE)
        draft = next((step.output for step in trace.steps if step.kind == "draft"), result.answer)
        before, after = result_is(draft, str(value)), result_is(result.answer, str(value))
        made.add(before, after)
        show(shows, before, after, question, str(value), draft, result.answer)
        if len(made.right) >= count:
            break
    return made


def given_sums(bench: Corrected, count: int, wrong: int, seed: int, shows: int) -> Count:
    made = Count("self-refine, sums")
    rng = random.Random(seed)
    for number, (question, value) in enumerate(sums(count, seed + 51)):
        first, second = re.findall(r"\d+", question)
        for said in (value, value + rng.choice((-10, 7, 10, 13)))[: 2 if number < wrong else 1]:
            draft = rng.choice((f"The answer is {said}.", f"{said}", f"With {first} and {second} it is {said}."))
            answer = refined(bench, question, draft, RetrievalPart(), False)
            made.add(said == value, result_is(answer, str(value)))
            show(shows, said == value, result_is(answer, str(value)), question, str(value), draft, answer)
    return made


def refined(bench: Corrected, question: str, draft: str, retrieval: RetrievalPart, documents: bool) -> str:
    recipe = Recipe(
        model=ModelPart(name=bench.model),
        prompting=PromptingPart(technique="self-refine"),
        decoding=FREE,
        retrieval=retrieval if documents else None,
    )
    with given(draft):
        return bench.answer_of(recipe, question)


def given_facts(bench: Corrected, method: str, facts: list[Fact], wrong: int, shows: int) -> Count:
    made = Count(f"{method}, facts")
    own = RetrievalPart(collection="machines", mode="own-words", decline=False)
    for number, fact in enumerate(facts):
        for draft in (fact.right, fact.wrong)[: 2 if number < wrong else 1]:
            if method == "self-refine":
                answer = refined(bench, fact.question, draft, own, True)
            else:
                query = fact.question if method == "reflexion" else ""
                with given(draft, query):
                    answer = bench.answer(fact.question, part_of(method, SEARCH), FREE, retrieval=own)[0].answer
            before, after = draft == fact.right, fact.is_answered(answer)
            made.add(before, after)
            show(shows, before, after, fact.question, fact.gold, draft, answer)
    return made


def show(shows: int, before: bool, after: bool, question: str, gold: str, draft: str, answer: str) -> None:
    if shows and (before != after or shows > 1):
        print(f"  {question} ({gold})\n    {before} {draft!r}\n    {after} {answer!r}", flush=True)


class Corrected(Bench):
    """A bench that answers by any recipe."""

    def answer_of(self, recipe: Recipe, question: str) -> str:
        return self.call(Ask(question=question, recipe=recipe)).answer


def main() -> None:
    parser = arguments(__doc__, "model", only=METHODS, seed=0, show=0)
    parser.add_argument("--items", type=int, default=30, help="right drafts of each kind")
    parser.add_argument("--wrong", type=int, default=15, help="wrong drafts of each kind that are given")
    options = parser.parse_args()
    with Corrected(options.model, 0) as bench:
        texts, facts = machines(options.items, options.seed)
        documents = bench.folder / "machines"
        documents.mkdir()
        for number, text in enumerate(texts):
            (documents / f"machine-{number}.txt").write_text(text + "\n", "utf-8")
        bench.call(CreateCollection(name="machines"))
        bench.follow(bench.call(AddDocuments(collection="machines", paths=(str(documents),))))
        for method in options.only:
            if method == "self-refine":
                given_sums(bench, options.items, options.wrong, options.seed, options.show).report()
            else:
                drafted_sums(bench, method, options.items, options.seed, options.show).report()
            given_facts(bench, method, facts, options.wrong, options.show).report()


if __name__ == "__main__":
    main()
