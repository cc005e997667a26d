"""Memory, load and speed of larger models: files of the shapes of today's models with random weights.

    python benchmarks/sizes.py --keep FOLDER --shapes 1.5b 8b --types Q4_0 Q4_K --rounds 5

Each file is loaded in a process of its own, in turns with its weights in the mapped file (``mapped``) and as the
program loads it (``chosen``). Resident memory is measured after 16 tokens, less what the process held before the load.
``fit`` is what the program says before the load. The tokenizer is the starter model's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import psutil
from harness import arguments, in_turns, report, spread, starter_model
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Shape:
    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int


SHAPES = {
    "1.5b": Shape(28, 1536, 8960, 12, 2),
    "3b": Shape(28, 3072, 8192, 24, 8),
    "8b": Shape(32, 4096, 14336, 32, 8),
}
WAYS = ("mapped", "chosen")
TOKENS = 16
_SPREAD = 4.6  # the standard deviation of the 16 values of four bits


def random_blocks(rows: int, columns: int, kind: gguf.GGMLQuantizationType, rng: Any) -> NDArray[np.uint8]:
    """A matrix of random blocks, shape (rows, bytes of a row), whose values have the variance 1 / columns."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    made = rng.integers(0, 256, (rows * columns // block, size), np.uint8)
    scale = 1 / math.sqrt(columns) / _SPREAD
    if kind == gguf.GGMLQuantizationType.Q4_0:
        scales = [scale]
    elif kind == gguf.GGMLQuantizationType.Q4_K:  # times a scale of six bits; 7.5 steps below, times another
        scales = [scale / 32, scale / 32 * 7.5]
    else:
        raise SystemExit(f"no random blocks of {kind.name}: choose Q4_0 or Q4_K")
    made[:, : 2 * len(scales)] = np.frombuffer(np.array(scales, np.float16).tobytes(), np.uint8)
    matrix: NDArray[np.uint8] = made.reshape(rows, -1)
    return matrix


def tensors_of(shape: Shape, vocabulary: int) -> Iterator[tuple[str, int, int]]:
    """Name, rows and columns of each tensor, in a file's usual order; a norm has one row."""
    keys = shape.width // shape.heads * shape.kv_heads
    yield "token_embd.weight", vocabulary, shape.width
    for layer in range(shape.layers):
        for name, rows, columns in (
            ("attn_norm", 1, shape.width),
            ("ffn_down", shape.width, shape.inner),
            ("ffn_gate", shape.inner, shape.width),
            ("ffn_up", shape.inner, shape.width),
            ("ffn_norm", 1, shape.width),
            ("attn_k", keys, shape.width),
            ("attn_output", shape.width, shape.width),
            ("attn_q", shape.width, shape.width),
            ("attn_v", keys, shape.width),
        ):
            yield f"blk.{layer}.{name}.weight", rows, columns
    yield "output_norm.weight", 1, shape.width
    yield "output.weight", vocabulary, shape.width


def write_random(path: Path, shape: Shape, kind: gguf.GGMLQuantizationType) -> None:
    """A llama of this shape with the starter's tokenizer, written aside and renamed."""
    reader = gguf.GGUFReader(starter_model())
    unfinished = path.with_suffix(".unfinished")
    writer = gguf.GGUFWriter(unfinished, "llama")
    writer.add_name(path.stem)
    writer.add_context_length(8192)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_vocab_size(len(reader.fields["tokenizer.ggml.tokens"].data))
    for name, field in reader.fields.items():
        if name.startswith("tokenizer."):
            elements = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], elements)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    tensors = list(tensors_of(shape, len(reader.fields["tokenizer.ggml.tokens"].data)))
    for tensor, rows, columns in tensors:
        if rows == 1:
            writer.add_tensor_info(tensor, (columns,), np.dtype(np.float32), 4 * columns)
        else:
            stored, taken = (rows, columns // block * size), rows * columns // block * size
            writer.add_tensor_info(tensor, stored, np.dtype(np.uint8), taken, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    rng = np.random.default_rng(0)
    for _, rows, columns in tensors:
        made = np.ones(columns, np.float32) if rows == 1 else random_blocks(rows, columns, kind, rng)
        writer.write_tensor_data(made)
    writer.close()
    unfinished.rename(path)


def load(path: Path, *, mapped: bool) -> dict[str, Any]:
    """Load a model as the inference worker does, and decode some tokens."""
    from workbench.api.protocol import RequestContext
    from workbench.engine import dry_load, loading
    from workbench.engine.inference_calls import Load
    from workbench.engine.library import llama, start_library

    start_library()
    process = psutil.Process()
    before = process.memory_info().rss
    if mapped:
        dry_load.SMALL_FILE = sys.maxsize  # a small file is always mapped
    began = time.perf_counter()
    steps = loading.load_model(
        Load(path=str(path), context_tokens=2048), loading.inspect_model(str(path)), RequestContext()
    )
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            model = stop.value
            break
    model.warm_up(model.first_context, RequestContext())
    loaded_s = time.perf_counter() - began
    token = (llama.llama_token * 1)(1000)
    began = time.perf_counter()
    for _ in range(TOKENS):
        if llama.llama_decode(model.first_context, llama.llama_batch_get_one(token, 1)):
            raise SystemExit("llama.cpp does not decode")
        llama.llama_synchronize(model.first_context)
    rate = TOKENS / (time.perf_counter() - began)
    (part,) = model.info.memory
    return {
        "load_s": loaded_s,
        "resident": process.memory_info().rss - before,
        "tokens_per_s": rate,
        "mapped": part.mapped,
        "cache": part.cache,
        "computing": part.computing,
    }


def fit(path: Path) -> dict[str, int]:
    from workbench.engine.fitting_calls import MeasureFit
    from workbench.engine.inference_calls import Load
    from workbench.workers.fitting import FittingServer

    (part,) = FittingServer()._fit(MeasureFit(load=Load(path=str(path), context_tokens=2048))).parts
    return {"total": part.total, "weights": part.weights, "cache": part.cache, "mapped": part.mapped}


def in_process(path: Path, what: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, "--keep", str(path.parent), "--child", what, path.name],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(path: Path, rounds: int) -> dict[str, Any]:
    """The fit of a model, and each way of loading it in turns."""
    said = in_process(path, "fit")
    size = path.stat().st_size
    print(f"{path.stem}: the file has {size / 1e6:.0f} MB, the fit says {said['total'] / 1e6:.0f}", flush=True)
    loads = in_turns(rounds, WAYS, lambda way, _: in_process(path, way))
    for way, found in loads.items():
        expected = size + found[0]["cache"] + found[0]["computing"]
        resident = [one["resident"] for one in found]
        print(
            f"  {way}: resident {spread([value / 1e6 for value in resident], 0)} MB, "
            f"{spread([value / expected for value in resident], 2)} of file, cache and results; "
            f"load {spread([one['load_s'] for one in found])} s; "
            f"{spread([one['tokens_per_s'] for one in found])} tokens/s",
            flush=True,
        )
    return {"model": path.stem, "bytes": size, "fit": said, **loads}


def main() -> None:
    parser = arguments(__doc__, "keep", "json", rounds=5, shapes=tuple(SHAPES), types=("Q4_0", "Q4_K"))
    parser.add_argument("--child", nargs=2, help="what to do with which file, in a process of its own")
    options = parser.parse_args()
    if options.keep is None:
        raise SystemExit("Name a folder for the models with --keep: the largest takes 4.5 GB.")
    options.keep.mkdir(parents=True, exist_ok=True)
    if options.child:
        what, path = options.child[0], options.keep / options.child[1]
        with contextlib.redirect_stdout(sys.stderr):
            found = fit(path) if what == "fit" else load(path, mapped=what == "mapped")
        print(json.dumps(found))
        return
    rows: list[dict[str, Any]] = []
    for name in options.shapes:
        for kind in options.types:
            path = options.keep / f"random-{name}-{kind}.gguf"
            if not path.exists():
                began = time.perf_counter()
                write_random(path, SHAPES[name], gguf.GGMLQuantizationType[kind])
                print(f"{path.name} written in {time.perf_counter() - began:.0f} s", flush=True)
            rows.append(measure(path, options.rounds))
    report(rows, options.json)


if __name__ == "__main__":
    main()
