"""Greedy decoding against transformers' greedy search, and the share of first choices that the token view shows.

    python benchmarks/greedy.py [--model starter gemma] [--count 30] [--tokens 32] [--threads N] [--what same]

same: the recipe *Greedy search* as it is, with nothing set, against ``generate`` without a penalty, on the same f32
weights (unpacked from the starter's GGUF) and the same token ids; once with an f32 KV cache and flash attention off,
once with the engine's defaults, whose last bits differ; where an answer differs, how far apart the two tokens are at the
first difference. The answers are shorter than the loop detector looks at. first choices: the same recipe and the preset *Precise* on the
model as it is installed; the tokens of each answer are inspected as the token view does, and counted are those that
were the most probable one. Needs the ``dev`` extra.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from beam import Theirs, ending_tokens, greedy_gap, unpack
from decode import starter_model
from loops import prompts
from reasoning import gemma

from workbench.engine.inference_calls import Generate, Inspect, Load
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, with_preset
from workbench.techniques.decoding.loops import FEWEST
from workbench.techniques.registry import METHODS
from workbench.workers.host import WorkerHost


def compare(name: str, path: Path, folder: Path, asked: list[str], tokens: int, threads: int) -> None:
    unpacked = folder / f"{path.stem}.F32.gguf"
    if not unpacked.exists():
        unpack(path, unpacked)
    theirs = Theirs(unpacked, ending_tokens(unpacked))
    decoding = DecodingPart(strategy="greedy", max_tokens=tokens)
    ways = {"f32 KV, flash attention off": {"kv_type": "f32", "flash_attention": "off"}, "the engine's defaults": {}}
    expected: dict[str, list[int]] = {}
    for way, settings in ways.items():
        worker = WorkerHost("inference")
        worker.call(Load(path=str(unpacked), context_tokens=2048, threads=threads, **settings))
        same = count = 0
        for number, text in enumerate(asked, 1):
            made = worker.call(Generate(messages=(Message("user", text),), decoding=decoding, plain=name == "gemma"))
            mine = list(made.sequences[0].tokens)
            if text not in expected:
                expected[text] = theirs.generate(made.prompt, 1, tokens)
            same += mine == expected[text]
            count += len(mine)
            if mine != expected[text]:
                print(f"    prompt {number}: {greedy_gap(theirs, made.prompt, mine, expected[text])}", flush=True)
            if number % 10 == 0 or number == len(asked):
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="+", default=["starter", "gemma"])
    parser.add_argument("--what", nargs="+", default=["first choices", "same"], metavar="FIGURE")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--tokens", type=int, default=32, choices=range(1, FEWEST), metavar="N")
    parser.add_argument("--threads", type=int, default=0, help="1 is quickest where others use the processor")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "llm-workbench-beam")
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
            compare(name, path, options.cache, asked, options.tokens, options.threads)


if __name__ == "__main__":
    main()
