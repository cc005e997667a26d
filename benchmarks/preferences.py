"""Preferences of a hidden taste, from the model's own answers to an adapter in the engine: does it answer that way?

    python benchmarks/preferences.py [--objective dpo] [--topics 64] [--held-out 32] [--set part.field=value]
        [--home FOLDER] [--json FILE]

The starter answers each prompt four times (temperature 1, at most 40 tokens). The hidden taste prefers the answer with
fewer characters; the shortest and the longest of a prompt are a pair. They are trained through the core as the program
does it (plan, training, verification), and the adapter answers prompts on other topics. A held-out prompt is won where
the adapter's answer pleases the taste more than the base's with the same seed; the control is the base with another
seed. Intervals are 95 % (Wilson), ties count half. The mean length is reported beside it, since the taste is met best
by saying nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from workbench.records.answers import AskResult

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workbench import calls
from workbench.api import events
from workbench.api.protocol import Call, result_of
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, Recipe
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    set_value,
)
from workbench.records.training.scores import interval
from workbench.techniques.registry import METHODS

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


def ask_all(core: Workbench, topics: Sequence[str], recipe: Recipe) -> list[list[str]]:
    """The answers to each prompt, in their order."""

    def one(topic: str) -> list[str]:
        call: Call[AskResult] = calls.Ask(question=PROMPT.format(topic), recipe=recipe)
        result = result_of(call, core.handle(call))
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
    return {"n": len(won), "win_rate": round(share, 3), "interval": [round(b, 3) for b in interval(share, len(won))]}


def train(core: Workbench, config: TrainingConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result of the training's run, and its held-out scores before and after."""
    call: Call[calls.RunRecord] = calls.Train(config=config)
    run = result_of(call, core.handle(call))
    scores: dict[str, Any] = {}
    for event in core.handle(calls.FollowRun(run=run.id)):
        if isinstance(event, events.Artifact) and event.kind == "scores":
            scores = event.result
        if isinstance(event, events.Failed):
            raise SystemExit(f"{event.message} {event.hint}")
        if isinstance(event, events.Finished):
            return event.result, scores
    raise SystemExit("the training did not end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objective", default="dpo")
    parser.add_argument("--topics", type=int, default=64)
    parser.add_argument("--held-out", type=int, default=32)
    parser.add_argument("--set", action="append", default=[], dest="values")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="preferences-"))
    core = Workbench(Home(home))
    try:
        starter: Call[calls.ModelList] = calls.RegisterStarter()
        result_of(starter, core.handle(starter))
        train_topics, held_out = TOPICS[: given.topics], TOPICS[-given.held_out :]
        pairs = []
        for topic, answers in zip(train_topics, ask_all(core, train_topics, recipe_of(7, 4)), strict=True):
            ordered = sorted({text for text in answers if text}, key=len)
            if len(ordered) > 1 and len(ordered[0]) < len(ordered[-1]):
                pairs.append({"prompt": PROMPT.format(topic), "chosen": ordered[0], "rejected": ordered[-1]})
        data = home / "pairs.jsonl"
        data.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
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
        for value in given.values:
            name, _, text = value.partition("=")
            config = set_value(config, name, text, METHODS.find(given.objective, "objective").config)
        began = time.perf_counter()
        result, scores = train(core, config)
        seconds = time.perf_counter() - began
        base, again, tuned = (
            [answers[0] for answers in ask_all(core, held_out, recipe)]
            for recipe in (recipe_of(11, 1), recipe_of(12, 1), recipe_of(11, 1, "taste"))
        )
        report = {
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
    finally:
        core.close()
    text = json.dumps(report, indent=1, default=str)
    print(text)
    if given.json:
        given.json.write_text(text)


if __name__ == "__main__":
    main()
