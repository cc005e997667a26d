"""Rollouts of a policy by the engine, by the engine with unpacked weights, and by transformers: tokens per second of
processor and of clock, in turns.

    python benchmarks/rollouts.py

The starter with a LoRA of rank 16 in the last third of its layers, as the objectives train it. Each backend answers the
same prompts, in turns; reported are median, least and most of the rounds. Of each one's answers the mean importance
weight and the mean difference per token are reported, with log-probabilities by torch. The adapter is first given
random weights, so that it changes something.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import arguments, report, spread_of, starter_model
from preferences import PROMPT, TOPICS


def measure(backend: Any, asks: list[Any], tokens: int) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = backend.sample(asks, tokens, 1.0, lambda: None)
    spent, processor = time.perf_counter() - wall, time.process_time() - cpu
    count = sum(len(one.tokens) for one in found)
    return {"tokens": count, "per_s": count / spent, "per_cpu_s": count / processor}


def agreement(model: Any, asks: list[Any], found: list[Any]) -> dict[str, float]:
    """The log-probabilities of what sampled against those of torch's own pass."""
    import torch

    from workbench.training.experience.policy_loss import PolicyModel
    from workbench.training.policy_losses import importance_weights
    from workbench.training.sequences import TokenSequence

    rows = [
        TokenSequence(
            (*ask.prompt, *one.tokens), (False,) * len(ask.prompt) + (True,) * len(one.tokens), mark=number + 1
        )
        for number, (ask, one) in enumerate(zip(asks, found, strict=True))
    ]
    with torch.no_grad():
        trained = PolicyModel(model, 1.0, valued=False, sample=rows[0].tokens)(rows).logps.float()
    sampled = torch.tensor([logp for one in found for logp in one.logprobs])
    weights = importance_weights(trained, sampled)
    return {
        "tokens": len(sampled),
        "importance": round(float(weights.mean()), 4),
        "difference": round(float((trained - sampled).abs().mean()), 4),
    }


def adapter_parts(model: Any, base: Path, folder: Path, engine: Any) -> dict[str, float]:
    """The processor time of bringing new weights to the engine, by parts, and of all of it as a step does it."""
    from workbench.engine.inference_calls import LoraUse
    from workbench.engine.keys import make_key
    from workbench.gguf.lora import adapter_to_gguf

    out = folder / "policy.gguf"
    parts: dict[str, Callable[[], object]] = {
        "written": lambda: model.save_pretrained(folder, save_embedding_layers=False),
        "converted": lambda: adapter_to_gguf(folder, base, out, "policy"),
        "loaded": lambda: engine._engine._adapters.load(make_key([LoraUse(path=str(out))])),
        "all by refresh": engine.refresh,
    }
    found = {}
    for name, call in parts.items():
        began = time.process_time()
        call()
        found[name] = round(time.process_time() - began, 3)
    return found


def main() -> None:
    parser = arguments(__doc__, "json", rounds=5, tokens=24, base="auto", threads=1)
    parser.add_argument("--sequences", type=int, nargs="+", default=[1, 4, 16, 32])
    given = parser.parse_args()
    import torch

    from workbench.records.messages import Message
    from workbench.records.training import WeightsPart
    from workbench.techniques.registry import METHODS
    from workbench.training.data.examples import Example
    from workbench.training.data.prompt_writer import PromptWriter
    from workbench.training.experience.engine_rollouts import EngineRollouts
    from workbench.training.experience.rollouts import Ask, Rollouts, TorchRollouts
    from workbench.training.methods.weights_method import method_of
    from workbench.training.peft_models import trainable_parameters
    from workbench.training.protocol import BaseModel
    from workbench.training.sets import open_writing
    from workbench.training.weights.loading import load_base

    torch.manual_seed(0)
    torch.set_num_threads(given.threads)
    path = starter_model()
    weights = WeightsPart(base=given.base, rank=16, adapted_layers=10)
    loaded = load_base(path, given.base)
    model = method_of(weights, METHODS).apply(loaded).eval()
    with torch.no_grad():
        for name, parameter in trainable_parameters(model).items():
            if "lora_B" in name:
                parameter.normal_(std=0.01)
    folder = Path(tempfile.mkdtemp(prefix="rollouts-")) / "policy"
    with open_writing(BaseModel(name="starter", path=str(path))) as writing:
        writer = PromptWriter(writing.template, writing.tokenizer, writing.renderer, max_length=0)
        prompts = [
            tuple(writer.write(Example(messages=(Message("user", PROMPT.format(topic)),))).tokens)
            for topic in TOPICS[: max(*given.sequences, 16)]
        ]
        longest = max(map(len, prompts))
        backends: dict[str, Rollouts] = {"transformers": TorchRollouts(model, writing.tokenizer)}
        for name in ("engine", "unpacked"):
            backends[name] = EngineRollouts(
                model,
                path,
                folder / name,
                longest_prompt=longest,
                new_tokens=given.tokens,
                threads=given.threads,
                unpacked=name == "unpacked",
            )
        found: dict[str, Any] = {"base": loaded.form, "dtype": str(loaded.dtype), "prompt_tokens": longest}
        try:
            found["adapter_cpu_s"] = adapter_parts(model, path, folder / "parts", backends["engine"])
            for backend in backends.values():
                backend.refresh()
                backend.sample([Ask(prompts[0], (0,))], 4, 1.0, lambda: None)  # what is slow once only
            for count in given.sequences:
                made: dict[str, list[dict[str, float]]] = {name: [] for name in backends}
                for round_ in range(given.rounds):
                    asks = [Ask(prompt, (round_, place)) for place, prompt in enumerate(prompts[:count])]
                    for name, backend in backends.items():
                        made[name].append(measure(backend, asks, given.tokens))
                found[f"{count} sequences"] = {
                    name: {key: spread_of([run[key] for run in runs]) for key in ("per_s", "per_cpu_s")}
                    for name, runs in made.items()
                }
                print(count, json.dumps(found[f"{count} sequences"]), flush=True)
            asks = [Ask(prompt, (99, place)) for place, prompt in enumerate(prompts[:16])]
            found["agreement"] = {
                name: agreement(model, asks, backend.sample(asks, given.tokens, 1.0, lambda: None))
                for name, backend in backends.items()
            }
        finally:
            for backend in backends.values():
                backend.close()
    report(found, given.json)


if __name__ == "__main__":
    main()
