"""Sums that a program with tools computes: how often its answer is right, and how often it spoils a right result.

    python benchmarks/calculator_results.py

Questions of one and of two steps are made of a seed. An answer is right when its number is the expected one (the scorer
*Number*). "spoilt" is one that is wrong although the calculator had given the right value last. Answers nothing else,
in a scratch home.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from harness import arguments, share
from reasoning import Front

from workbench.records.recipes import DecodingPart, ModelPart, PromptingPart, Recipe
from workbench.rewards.values import number
from workbench.subjects.chats.calls import Ask

NAMES = ("Anna", "Ben", "Carla", "David", "Eva", "Femi", "Gina", "Hugo")
THINGS = ("apples", "books", "stamps", "tickets", "chairs", "eggs", "pens", "plants")
Question = tuple[str, int]


def one_step(draw: random.Random) -> Question:
    a, b = draw.randint(12, 98), draw.randint(3, 11)
    who, what = draw.choice(NAMES), draw.choice(THINGS)
    return draw.choice(
        (
            (f"{who} has {a} {what} and buys {b} more. How many {what} does {who} have now?", a + b),
            (f"{who} has {a} {what} and gives {b} away. How many {what} are left?", a - b),
            (f"A box holds {b} {what}. How many {what} are in {a} boxes?", a * b),
            (f"{a * b} {what} are shared equally among {b} people. How many {what} does each get?", a),
        )
    )


def two_steps(draw: random.Random) -> Question:
    a, b, c = draw.randint(12, 60), draw.randint(3, 9), draw.randint(2, 11)
    who, what = draw.choice(NAMES), draw.choice(THINGS)
    return draw.choice(
        (
            (f"{who} buys {b} boxes of {a} {what} and gives {c} {what} away. How many are left?", a * b - c),
            (f"{who} has {a} {what}, gets {b} more and loses {c}. How many does {who} have now?", a + b - c),
            (f"A ticket costs {a} euros and a meal {b} euros. What do {c} tickets and {c} meals cost?", (a + b) * c),
            (f"{a * c} {what} are packed into {c} equal boxes. Then {b} are added to each. How many in each?", a + b),
        )
    )


def answers(model: str, questions: list[Question], form: str) -> Iterator[tuple[str, list[str]]]:
    """Each answer with the results of its calculator."""
    with Front() as front:
        recipe = Recipe(
            model=ModelPart(name=front.name_of(model, front.folder)),
            prompting=PromptingPart(technique="art", options={"answer": form}),
            decoding=DecodingPart(temperature=0.0, seed=0, max_tokens=64),
        )
        for question, _ in questions:
            made = front.call(Ask(question=question, recipe=recipe))
            steps = made.trace.steps if made.trace is not None else ()
            yield made.answer, [one.output for one in steps if one.kind == "tool"]


def main() -> None:
    parser = arguments(__doc__, each=30, seed=1, show=False)
    parser.add_argument("--model", choices=("starter", "gemma"), default="starter")
    parser.add_argument("--answer", choices=("automatic", "number"), default="automatic")
    given = parser.parse_args()
    draw = random.Random(given.seed)
    questions = [make(draw) for make in (one_step, two_steps) for _ in range(given.each)]
    right, spoilt, computed = [], 0, 0
    for (question, wanted), (answer, results) in zip(
        questions, answers(given.model, questions, given.answer), strict=True
    ):
        is_right = number(answer, [str(wanted)]) == 1
        has_value = bool(results) and number(results[-1], [str(wanted)]) == 1
        right.append(is_right)
        computed += has_value
        spoilt += has_value and not is_right
        if given.show:
            print(int(is_right), wanted, results, repr(answer), question, flush=True)
    for title, part in (("one step", right[: given.each]), ("two steps", right[given.each :])):
        print(f"{title}: right {share(sum(part), len(part))}")
    print(f"the calculator gave the right value last: {computed} of {len(right)}; of these spoilt: {spoilt}")


if __name__ == "__main__":
    main()
