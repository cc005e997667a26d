"""The whole circle in one home: candidates, judgements of a hidden taste, a training, and a blind win rate.

    python benchmarks/circle.py

Everything goes through the calls that window and terminal make. Two recipes of the starter answer 320 prompts (a
labelling queue), one as it is and one with an instruction that leans to the taste; a rule in the place of a person
judges the pairs (``TASTES``; pairs where both or neither please are ties and teach nothing); a training set is made of
the judgements and trained; then base and adapter answer 64 prompts about other topics (a queue for a verdict), the same
rule judges blind, and the program gives the win rate: ties count half, the interval of 95 % is Wilson's, at equal
lengths by a logistic regression. The control compares the base with itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from itertools import product
from typing import Any

import msgspec
from harness import Core, arguments, report, with_values
from preferences import TOPICS, train

from workbench import calls
from workbench.records.judging import WinRate
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, PromptingPart, Recipe
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
)

PROMPTS = ("Tell me something about {}.", "What should I know about {}?")
MORE_PROMPTS = ("Explain {} to me.", "Why do people talk about {}?", "What is special about {}?")
TASTES = {
    "addressed": (
        "expression-match pattern='[Yy]our?[^A-Za-z]'",
        "Speak to the reader: say what you can do, see and use.",
    ),
    "sentence": (
        """expression-match pattern='(\\S+\\s+){11,31}\\S*[.!?]' whole=true""",
        "Answer in one short sentence.",
    ),
}
"""The rule, and the second recipe's instruction: an answer that speaks to the reader, or one of 12 to 32 words that
ends as a sentence does."""
TRAINED, HELD_OUT = 64, 32


def answers_by(name: str, adapter: str = "", instructions: str = "") -> Recipe:
    adapters = (AdapterUse(name=adapter),) if adapter else ()
    decoding = DecodingPart(temperature=1.0, max_tokens=56)
    prompting = PromptingPart(instructions=instructions)
    return Recipe(name=name, model=ModelPart(adapters=adapters), prompting=prompting, decoding=decoding)


class Circle:
    def __init__(self, core: Core, taste: str) -> None:
        self._core, self._taste = core, taste

    def queue(self, name: str, asked: Iterable[tuple[str, str]], *recipes: Recipe, verdict: bool = False) -> None:
        path = self._core.folder / f"{name}.txt"
        path.write_text("".join(form.format(topic) + "\n" for topic, form in asked), "utf-8")
        making = calls.MakeCandidates(
            name=name,
            recipes=recipes,
            prompts="file",
            path=str(path),
            limit=0,
            seed=1,
            purpose="verdict" if verdict else "label",
        )
        self._core.follow(self._core.call(making))
        self._core.follow(self._core.call(calls.JudgePairs(queue=name, rewards=(self._taste,))))

    def wins(self, name: str, *recipes: Recipe) -> dict[str, Any]:
        self.queue(name, product(TOPICS[-HELD_OUT:], PROMPTS), *recipes, verdict=True)
        found: WinRate = self._core.call(calls.GetWinRate(queue=name))
        return {"verdict": found.verdict, **msgspec.to_builtins(found)}


def main() -> None:
    parser = arguments(__doc__, "set", "home", "json", objective="dpo")
    parser.add_argument("--taste", choices=TASTES, default="addressed")
    given = parser.parse_args()
    rule, leaning = TASTES[given.taste]
    seconds: dict[str, float] = {}

    def timed(name: str, began: float) -> None:
        seconds[name] = round(time.perf_counter() - began, 1)
        print(f"{name}: {seconds[name]} s", file=sys.stderr, flush=True)

    with Core(given.home) as core:
        circle = Circle(core, rule)
        began = time.perf_counter()
        asked = product(TOPICS[:TRAINED], (*PROMPTS, *MORE_PROMPTS))
        circle.queue("labels", asked, answers_by("base"), answers_by("leaning", instructions=leaning))
        timed("candidates and judgements", began)
        data = core.call(calls.MakePreferenceSet(name="taste"))
        config = TrainingConfig(
            objective=ObjectivePart(
                name=given.objective, options={"sft_weight": 0.2} if given.objective == "dpo" else {}
            ),
            model="SmolLM2 135M Instruct",
            name="taste",
            data=DataPart(path=data.name),
            optimiser=OptimiserPart(epochs=2, batch_size=8, learning_rate=3e-4),
            evaluation=EvaluationPart(sample_answers=0, forgetting=False),
        )
        config = with_values(config, given.values)
        began = time.perf_counter()
        result, _ = train(core, config)
        timed("training with verification", began)
        began = time.perf_counter()
        tuned = circle.wins("worth it", answers_by("base"), answers_by("tuned", result["adapter"]))
        timed("verdict", began)
        found = {
            "taste": given.taste,
            "objective": given.objective,
            "pairs": data.examples,
            "seconds": seconds,
            "verification": result["verification"]["verdict"],
            "tuned_against_base": tuned,
            "base_against_itself": circle.wins("control", answers_by("base"), answers_by("base again")),
        }
    report(found, given.json)


if __name__ == "__main__":
    main()
