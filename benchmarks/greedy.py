"""Greedy decoding against transformers' greedy search, and the share of first choices that the token view shows.

    python benchmarks/greedy.py

same: the recipe *Greedy search* as it is, with nothing set, on f32 weights (unpacked from the GGUF); once with an f32
KV cache and flash attention off, once with the engine's defaults, whose last bits differ. transformers' model
computes the whole answer on the same weights and token ids: the answer is that of its greedy search if each token is
the most probable one there after those before it. Where one is not, it is said how far behind it is. The answers are
shorter than what the loop detector looks at.

first choices: the same recipe and the preset *Precise* on the model as it is installed; the tokens of each answer are
inspected as the token view does, and counted are those that were the most probable one. Needs the ``dev`` extra.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from beam import Theirs, ending_tokens, unpack
from harness import arguments, gemma, starter_model
from loops import prompts

from workbench.engine.inference_calls import Generate, Inspect, Load
from workbench.processes.host import WorkerHost
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, with_preset
from workbench.techniques.decoding.loops import FEWEST
from workbench.techniques.registry import METHODS


def first_difference(theirs: Theirs, prompt: Sequence[int], mine: Sequence[int], tokens: int) -> str:
    """Where transformers' greedy search leaves this answer; "" if nowhere."""
    rows = theirs.logprobs([[*prompt, *mine]])[0, len(prompt) - 1 :]
    for at, token in enumerate(mine):
        behind = float(rows[at].max() - rows[at, token])
        if behind > 0:
            return f"token {at} is {behind:.1e} behind the most probable one"
    behind = float(rows[-1].max() - rows[-1, theirs.endings].max())
    return f"its end is {behind:.1e} behind the most probable token" if len(mine) < tokens and behind > 0 else ""


def compare(name: str, path: Path, options: argparse.Namespace, asked: list[str]) -> None:
    unpacked = options.cache / f"{path.stem}.F32.gguf"
    if not unpacked.exists():
        unpack(path, unpacked)
    theirs = Theirs(unpacked, ending_tokens(unpacked))
    decoding = DecodingPart(strategy="greedy", max_tokens=options.tokens)
    ways: dict[str, dict[str, Any]] = {
        "f32 KV, flash attention off": {"kv_type": "f32", "flash_attention": "off"},
        "the engine's defaults": {},
    }
    for way, settings in ways.items():
        worker = WorkerHost("inference")
        worker.call(Load(path=str(unpacked), context_tokens=2048, threads=options.threads, **settings))
        calls = [
            Generate(messages=(Message("user", text),), decoding=decoding, plain=name == "gemma") for text in asked
        ]
        same = count = 0
        with ThreadPoolExecutor(options.together) as pool:
            for number, made in enumerate(pool.map(worker.call, calls), 1):
                mine = made.sequences[0].tokens
                count += len(mine)
                difference = first_difference(theirs, made.prompt, mine, options.tokens)
                same += not difference
                if difference:
                    print(f"    prompt {number}: {difference}", flush=True)
                if number % 5 == 0 or number == len(asked):
                    print(f"  same as transformers, {way}: {same} of {number} ({count} tokens)", flush=True)
        worker.stop()


def first_choices(name: str, path: Path, asked: list[str], tokens: int, threads: int) -> None:
    worker = WorkerHost("inference")
    worker.call(Load(path=str(path), context_tokens=2048, threads=threads))
    precise = with_preset(DecodingPart(), METHODS.find("precise", "preset"))
    for what, part in {"Greedy search": DecodingPart(strategy="greedy"), "Precise": precise}.items():
        first = count = 0
        for text in asked:
            decoding = DecodingPart(strategy=part.strategy, temperature=part.temperature, max_tokens=tokens)
            made = worker.call(Generate(messages=(Message("user", text),), decoding=decoding, plain=name == "gemma"))
            inspect = Inspect(prompt=made.prompt, answer=made.sequences[0].tokens, alternatives=2)
            chosen = [one for one in worker.call(inspect) if one.token >= 0]
            first += sum(one.alternatives[0].token == one.token for one in chosen)
            count += len(chosen)
        print(f"  {what}: {first} of {count} tokens of {len(asked)} answers were the first choice", flush=True)
    worker.stop()


def main() -> None:
    parser = arguments(__doc__, count=30, threads=0, cache=Path(tempfile.gettempdir()) / "llm-workbench-beam")
    parser.add_argument("--model", nargs="+", default=["starter", "gemma"])
    parser.add_argument("--what", nargs="+", default=["first choices", "same"], metavar="FIGURE")
    parser.add_argument("--tokens", type=int, default=32, choices=range(1, FEWEST), metavar="N")
    parser.add_argument("--together", type=int, default=1, help="answers computed side by side")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    options.cache.mkdir(parents=True, exist_ok=True)
    asked = prompts("judged")[: options.count]
    for name in options.model:
        print(name, flush=True)
        path = starter_model() if name == "starter" else gemma(options.cache)
        if "first choices" in options.what:
            first_choices(name, path, asked, options.tokens, options.threads)
        if "same" in options.what:
            compare(name, path, options, asked)


if __name__ == "__main__":
    main()
