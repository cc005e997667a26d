"""Preferences of a hidden taste, from the model's own answers to an adapter in the engine: does it answer that way?

    python benchmarks/preferences.py

The starter answers each prompt four times (temperature 1, at most 40 tokens). The hidden taste prefers the answer with
fewer characters; the shortest and the longest of a prompt are a pair. They are trained through the core as the program
does it (plan, training, verification), and the adapter answers prompts on other topics. A held-out prompt is won where
the adapter's answer pleases the taste more than the base's with the same seed; the control is the base with another
seed. Intervals are 95 % (Wilson), ties count half. The mean length is reported beside it, since the taste is met best
by saying nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from harness import Core, arguments, interval, report, with_values, write_lines

from workbench import calls
from workbench.api import events
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, Recipe
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
)

TOPICS = (
    "rain", "bread", "bridges", "cats", "moons", "chess", "tea", "trains", "glass", "bees", "winter", "maps",
    "salt", "violins", "paper", "rivers", "clocks", "apples", "mountains", "soap", "ships", "dreams",
    "gardens", "coins", "wool", "lightning", "libraries", "horses", "steel", "markets", "snow", "poems",
    "bicycles", "lamps", "honey", "sand", "whales", "candles", "windows", "potatoes", "letters", "stars",
    "rope", "forests", "milk", "mirrors", "doors", "ants", "castles", "kites", "pepper", "tides", "drums",
    "owls", "bricks", "ice", "roads", "tents", "cheese", "clouds", "shoes", "volcanoes", "ink", "wheels",
    "islands", "frogs", "silk", "radios", "fire", "lemons", "towers", "wolves", "pencils", "caves", "rice",
    "engines", "feathers", "harbours", "spoons", "deserts", "chairs", "eagles", "wells", "gold", "mushrooms",
    "storms", "buttons", "canals", "pears", "spiders", "walls", "copper", "lakes", "masks", "eggs", "comets",
)  # fmt: skip
PROMPT = "Tell me something about {}."
AT_ONCE = 4


def ask_all(core: Core, topics: Sequence[str], recipe: Recipe) -> list[list[str]]:
    """The answers to each prompt, in their order."""

    def one(topic: str) -> list[str]:
        result = core.call(calls.Ask(question=PROMPT.format(topic), recipe=recipe))
        return [each.text.strip() for each in result.sequences] or [result.answer.strip()]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, topics))


def recipe_of(seed: int, answers: int, adapter: str = "") -> Recipe:
    adapters = (AdapterUse(name=adapter),) if adapter else ()
    decoding = DecodingPart(temperature=1.0, max_tokens=40, n=answers, seed=seed)
    return Recipe(model=ModelPart(adapters=adapters), decoding=decoding)


def compare(first: Sequence[str], second: Sequence[str]) -> dict[str, Any]:
    """How often the first pleases the taste more than the second."""
    won = [0.5 if len(a) == len(b) else float(len(a) < len(b)) for a, b in zip(first, second, strict=True)]
    share = statistics.mean(won)
    return {"n": len(won), "win_rate": round(share, 3), "interval": interval(share, len(won))}


def train(core: Core, config: TrainingConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result of the training's run, and its held-out scores before and after."""
    scores: dict[str, Any] = {}

    def watch(event: events.Event) -> None:
        if isinstance(event, events.Artifact) and event.kind == "scores":
            scores.update(event.result)

    return core.follow(core.call(calls.Train(config=config)), watch), scores


def main() -> None:
    given = arguments(__doc__, "set", "home", "json", objective="dpo", topics=64, held_out=32).parse_args()
    with Core(given.home) as core:
        train_topics, held_out = TOPICS[: given.topics], TOPICS[-given.held_out :]
        pairs = []
        for topic, answers in zip(train_topics, ask_all(core, train_topics, recipe_of(7, 4)), strict=True):
            ordered = sorted({text for text in answers if text}, key=len)
            if len(ordered) > 1 and len(ordered[0]) < len(ordered[-1]):
                pairs.append({"prompt": PROMPT.format(topic), "chosen": ordered[0], "rejected": ordered[-1]})
        data = write_lines(core.folder / "pairs.jsonl", pairs)
        config = TrainingConfig(
            objective=ObjectivePart(
                name=given.objective, options={"sft_weight": 0.2} if given.objective == "dpo" else {}
            ),
            model="SmolLM2 135M Instruct",
            name="taste",
            data=DataPart(path=str(data)),
            optimiser=OptimiserPart(epochs=2, batch_size=8, learning_rate=3e-4),
            evaluation=EvaluationPart(sample_answers=2, forgetting=False),
        )
        config = with_values(config, given.values)
        began = time.perf_counter()
        result, scores = train(core, config)
        seconds = time.perf_counter() - began
        base, again, tuned = (
            [answers[0] for answers in ask_all(core, held_out, recipe)]
            for recipe in (recipe_of(11, 1), recipe_of(12, 1), recipe_of(11, 1, "taste"))
        )
        found = {
            "objective": given.objective,
            "pairs": len(pairs),
            "training_s": round(seconds, 1),
            "adapter": result.get("adapter"),
            "scores": scores,
            "tuned_against_base": compare(tuned, base),
            "base_against_itself": compare(again, base),
            "mean_characters": {"base": statistics.mean(map(len, base)), "tuned": statistics.mean(map(len, tuned))},
            "samples": list(zip(held_out[:3], base[:3], tuned[:3], strict=True)),
        }
    report(found, given.json)


if __name__ == "__main__":
    main()
