"""How long it takes until the first token of an answer with other adapters than the one before.

Usage: python benchmarks/switching.py model.gguf [adapter.gguf another.gguf] [--rounds 15]

Without adapters, LoRAs of rank 16 on attention and feed-forward layers are made up, and a soft prompt of 20 embeddings.
Each line is the time to the first token of a short prompt that was not asked before, less that of the same prompt
asked with the adapters that are on already: the median, and the slowest. "first use" is once, from a file that the
engine has not read.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np
from harness import arguments, spread

from workbench.api.protocol import RequestContext, drain
from workbench.engine.inference_calls import Load, LoraUse
from workbench.engine.keys import Key, make_key
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt
from workbench.gguf.reader import read_gguf
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.answer_job import GenerationRequest
from workbench.techniques.decoding.generation import Generation

RANK, VIRTUAL = 16, 20
PROMPT_TOKENS = 16


def main() -> None:
    parser = arguments(__doc__, rounds=15)
    parser.add_argument("model", type=Path)
    parser.add_argument("adapters", type=Path, nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = options.adapters or make_adapters(options.model, Path(folder))
        engine = start(options.model)
        try:
            measure(engine, paths, options.rounds)
        finally:
            engine.close()


def measure(engine: Engine, paths: Sequence[Path], rounds: int) -> None:
    random = np.random.default_rng(5)
    names = ["base", *[path.stem for path in paths]]

    def ask(path: Path | None) -> float:
        """Seconds from the request, the look at the adapter's file with it, to the first token."""
        tokens = random.integers(300, engine.model.vocabulary.size - 300, PROMPT_TOKENS).tolist()
        started = time.perf_counter()
        key: Key = make_key([LoraUse(path=str(path))]) if path else ()
        decoding = DecodingPart(max_tokens=1, repetition_penalty=1.0)
        where = engine.model.vocabulary, 1024, RequestContext()
        job = Generation(GenerationRequest(Prompt(tokens), decoding, *where, started=started, key=key))
        list(engine.submit(job).events())
        return time.perf_counter() - started

    for _ in range(3):
        ask(None)
    for path, name in zip(paths, names[1:], strict=True):
        first = ask(path)
        usual = statistics.median(ask(path) for _ in range(rounds))
        print(f"{'first use of ' + name:32} {1000 * (first - usual):8.1f} ms beside {1000 * usual:.1f} ms as usual")
    places = [None, *paths]
    pairs = [(0, 1), (1, 0), *[(one, one + 1) for one in range(1, len(paths))]]
    for before, after in pairs:
        extra = []
        for _ in range(rounds):
            ask(places[before])
            switched = ask(places[after])
            usual = statistics.median(ask(places[after]) for _ in range(3))
            extra.append(1000 * (switched - usual))
        name = f"{names[before]} -> {names[after]}"
        print(f"{name:32} {spread(extra)} ms")


def start(path: Path) -> Engine:
    steps = load_model(Load(path=str(path), context_tokens=2048), inspect_model(str(path)), RequestContext())
    engine = Engine(drain(steps))
    engine.warm_up(RequestContext())
    return engine


def make_adapters(model: Path, folder: Path) -> list[Path]:
    base = read_gguf(model)
    architecture = base.text("general.architecture")
    random = np.random.default_rng(1)
    paths = []
    for name in ("lora-1", "lora-2"):
        writer = begin(folder / f"{name}.gguf", architecture, "lora")
        writer.add_float32("adapter.lora.alpha", float(RANK))
        for tensor in base.tensors:
            if any(f".{part}.weight" in tensor.name for part in ("attn_q", "attn_k", "attn_v", "attn_output")) or (
                ".ffn_" in tensor.name and len(tensor.shape) == 2
            ):
                for half, shape in (("a", (RANK, tensor.shape[0])), ("b", (tensor.shape[1], RANK))):
                    weights = random.standard_normal(shape, np.float32) * 0.01
                    writer.add_tensor(f"{tensor.name}.lora_{half}", weights.astype(np.float32))
        paths.append(finish(writer, folder / f"{name}.gguf"))
    width = next(tensor.shape[0] for tensor in base.tensors if tensor.name == "token_embd.weight")
    writer = begin(folder / "soft-prompt.gguf", architecture, "soft-prompt")
    writer.add_tensor("soft_prompt", random.standard_normal((VIRTUAL, width), np.float32))
    paths.append(finish(writer, folder / "soft-prompt.gguf"))
    return paths


def begin(path: Path, architecture: str, kind: str) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", kind)
    return writer


def finish(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


if __name__ == "__main__":
    main()
