"""The sixth technique from rated pairs to a blind test: a reward model, then PPO and GRPO with it as the reward.

    python benchmarks/reward_circle.py

Everything goes through the calls that the window's path *From preferences to a better model* makes. The starter
answers 48 prompts twice, as it is and with an instruction that leans to the taste. A rule in the place of a person
prefers the shorter of two answers, and rates pair after pair of the queue until ``--pairs`` are rated, as the window
does it: the next pair, its verdict. The rated pairs become a set of preferences, the set a reward model, and the reward
model the reward of PPO and of GRPO, ``--steps`` steps each. The training ``--stop`` is stopped after its second step
and resumed. A home that is kept (``--home``) keeps its reward model. Then base and adapter answer 40 prompts about
other topics in blind tests that the same rule rates; the control is the base against itself with other seeds. Ties
count half, and intervals are 95 % (Wilson).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Any

import msgspec
from harness import Core, arguments, report
from preferences import TOPICS

from workbench import calls
from workbench.api import events
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, PromptingPart, Recipe
from workbench.records.training import DataPart, EvaluationPart, ObjectivePart, OptimiserPart, TrainingConfig

PROMPT = "In one or two sentences, what are {} good for?"
LEANING = "Answer in at most eight words."
TRAINED, HELD_OUT = 48, 40
MODEL = "SmolLM2 135M Instruct"


def answers_by(name: str, adapter: str = "", instructions: str = "") -> Recipe:
    adapters = (AdapterUse(name=adapter),) if adapter else ()
    decoding = DecodingPart(temperature=1.0, max_tokens=48)
    return Recipe(
        name=name,
        model=ModelPart(adapters=adapters),
        prompting=PromptingPart(instructions=instructions),
        decoding=decoding,
    )


class Path:
    """The steps of the path, each with the seconds that it took."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.seconds: dict[str, float] = {}

    def timed(self, name: str, began: float) -> None:
        self.seconds[name] = round(time.perf_counter() - began, 1)
        print(f"{name}: {self.seconds[name]} s", file=sys.stderr, flush=True)

    def pairs(self, name: str, topics: Iterable[str], recipes: tuple[Recipe, ...], most: int, test: bool) -> int:
        """Let the recipes answer, and rate at most ``most`` pairs by the rule. Returns how many were rated."""
        path = self._core.folder / f"{name}.txt"
        path.write_text("".join(PROMPT.format(topic) + "\n" for topic in topics), "utf-8")
        making = calls.MakeCandidates(
            name=name,
            recipes=recipes,
            prompts="file",
            path=str(path),
            limit=0,
            seed=1,
            purpose="verdict" if test else "label",
        )
        self._core.follow(self._core.call(making))
        rated = 0
        while rated < most and (pair := self._core.call(calls.GetNextPair(queue=name)).pair) is not None:
            assert pair.b is not None
            first, second = len(pair.a.text.strip()), len(pair.b.text.strip())
            verdict = "tie" if first == second else "a" if first < second else "b"
            self._core.call(calls.ChangeJudgement(judgement=pair.id, verdict=verdict))  # type: ignore[arg-type]
            rated += 1
        return rated

    def train(self, name: str, objective: ObjectivePart, data: str, steps: int, stop_after: int = 0) -> dict[str, Any]:
        """Train to the end; with ``stop_after`` stopped once after that step, and resumed."""
        config = TrainingConfig(
            objective=objective,
            model=MODEL,
            name=name,
            data=DataPart(path=data),
            optimiser=OptimiserPart(
                max_steps=steps,
                batch_size=8 if steps else 0,
                learning_rate=1e-3 if steps else 0.0,
                schedule="constant" if steps else "cosine",
            ),
            evaluation=EvaluationPart(sample_answers=2, forgetting=False, interval=4 if steps else 0),
        )
        began = time.perf_counter()
        run = self._core.call(calls.Train(config=config))
        scores: dict[str, Any] = {}
        stopped = 0

        def watch(event: events.Event) -> None:
            nonlocal stopped
            if isinstance(event, events.Artifact) and event.kind == "scores":
                scores.update(event.result)
            if isinstance(event, events.Metric) and stop_after and not stopped and event.step >= stop_after:
                stopped = event.step
                self._core.call(calls.StopRun(run=run.id))

        try:
            result = self._core.follow(run, watch)
        except Exception:
            if not stopped:
                raise
            print(f"{name}: stopped after step {stopped}", file=sys.stderr, flush=True)
            result = self._core.follow(self._core.call(calls.ResumeRun(run=run.id)), watch)
        self.timed(name, began)
        return {
            "adapter": result.get("adapter"),
            "metrics": result.get("metrics"),
            "reward": {key: value for key, value in (result.get("reward") or {}).items() if key != "scores"},
            "verification": (result.get("verification") or {}).get("verdict"),
            "stopped_after": stopped,
            "scores": scores,
        }

    def blind_test(self, name: str, second: Recipe) -> dict[str, Any]:
        began = time.perf_counter()
        rated = self.pairs(name, TOPICS[-HELD_OUT:], (answers_by("base"), second), HELD_OUT, True)
        found = msgspec.to_builtins(self._core.call(calls.GetWinRate(queue=name)))
        self.timed(name, began)
        return {"rated": rated, **found}


def main() -> None:
    parser = arguments(__doc__, "home", "json", pairs=40, steps=8, stop="grpo")
    given = parser.parse_args()
    with Core(given.home) as core:
        path = Path(core)
        found: dict[str, Any] = {}
        if "taste" not in [adapter.name for adapter in core.call(calls.ListAdapters()).adapters]:
            began = time.perf_counter()
            both = (answers_by("base"), answers_by("leaning", instructions=LEANING))
            found["rated"] = path.pairs("rated pairs", TOPICS[:TRAINED], both, given.pairs, False)
            path.timed("pairs made and rated", began)
            data = core.call(calls.MakePreferenceSet(name="preferences"))
            found["pairs"] = data.examples
            found["reward model"] = path.train("taste", ObjectivePart(name="reward"), data.name, 0)
            print(json.dumps(found["reward model"], default=str)[:1500], file=sys.stderr, flush=True)
        options = {
            "rewards": ("reward-model adapter=taste",),
            "max_new_tokens": 48,
            "rollouts": "engine",
            "unpack": "on",
        }
        for name in ("ppo", "grpo"):
            stop = 2 if given.stop == name else 0
            policy = ObjectivePart(name=name, options=options)
            found[name] = path.train(f"by-{name}", policy, "preferences", given.steps, stop)
            print(json.dumps(found[name], default=str)[:1500], file=sys.stderr, flush=True)
        found["base against itself"] = path.blind_test("control", answers_by("base again"))
        for name in ("ppo", "grpo"):
            found[f"{name} against base"] = path.blind_test(f"test of {name}", answers_by(name, found[name]["adapter"]))
        found["seconds"] = path.seconds
    report(found, given.json)


if __name__ == "__main__":
    main()
