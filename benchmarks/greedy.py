"""Greedy decoding against transformers' greedy search, and the share of first choices that the token view shows.

    python benchmarks/greedy.py [--model starter gemma] [--count 30] [--tokens 32]

same: the recipe *Greedy search* as it is, with nothing set, against ``generate`` without a penalty, on the same f32
weights (unpacked from the starter's GGUF) and the same token ids; once with an f32 KV cache and flash attention off,
once with the engine's defaults, whose last bits differ. first choices: the same recipe and the preset *Precise* on the
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

from beam import Theirs, unpack
from decode import starter_model
from loops import prompts
from reasoning import gemma

from workbench.engine.inference_calls import Generate, Inspect, Load
from workbench.engine.library import llama, start_library
from workbench.engine.vocabulary import Vocabulary
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, with_preset
from workbench.techniques.registry import METHODS
from workbench.workers.host import WorkerHost


def endings_of(path: Path) -> list[int]:
    start_library()
    parameters = llama.llama_model_default_params()
    parameters.vocab_only = True
    model = llama.llama_model_load_from_file(str(path).encode(), parameters)
    vocabulary = Vocabulary(llama.llama_model_get_vocab(model))
    return [token for token in range(vocabulary.size) if vocabulary.ends_generation(token)]


def compare(name: str, path: Path, folder: Path, asked: list[str], tokens: int) -> None:
    unpacked = folder / f"{name}-f32.gguf"
    unpack(path, unpacked)
    theirs = Theirs(unpacked, endings_of(path))
    decoding = DecodingPart(strategy="greedy", max_tokens=tokens)
    ways = {
        "f32 KV, flash attention off": Load(
            path=str(unpacked), kv_type="f32", flash_attention="off", context_tokens=2048
        ),
        "the engine's defaults": Load(path=str(unpacked), context_tokens=2048),
    }
    expected: dict[str, list[int]] = {}
    for way, load in ways.items():
        worker = WorkerHost("inference")
        worker.call(load)
        same = 0
        for text in asked:
            call = Generate(messages=(Message("user", text),), decoding=decoding, plain=name == "gemma")
            made = worker.call(call)
            if text not in expected:
                expected[text] = theirs.generate(made.prompt, 1, tokens)
            same += list(made.sequences[0].tokens) == expected[text][: len(made.sequences[0].tokens)]
        worker.stop()
        print(f"  same as transformers, {way}: {same} of {len(asked)}", flush=True)


def first_choices(name: str, path: Path, asked: list[str], tokens: int) -> None:
    worker = WorkerHost("inference")
    worker.call(Load(path=str(path), context_tokens=2048))
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
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--tokens", type=int, default=32)
    options = parser.parse_args()
    asked = prompts("judged")[: options.count]
    with tempfile.TemporaryDirectory() as folder:
        for name in options.model:
            print(name, flush=True)
            path = starter_model() if name == "starter" else gemma(Path(folder))
            first_choices(name, path, asked, options.tokens)
            compare(name, path, Path(folder), asked, options.tokens)


if __name__ == "__main__":
    main()
