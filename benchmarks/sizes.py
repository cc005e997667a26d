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
    """``head``: the width of a head, where it is not the model's width by its heads. ``experts`` of which ``used`` are
    computed for a token; 0: there are none, and ``inner`` is the width of the only one."""

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    architecture: str = "llama"
    head: int = 0
    experts: int = 0
    used: int = 0

    @property
    def head_width(self) -> int:
        return self.head or self.width // self.heads


SHAPES = {
    "1.5b": Shape(28, 1536, 8960, 12, 2),
    "3b": Shape(28, 3072, 8192, 24, 8),
    "8b": Shape(32, 4096, 14336, 32, 8),
    "qwen3-1.7b": Shape(28, 2048, 6144, 16, 8, "qwen3", 128),
    "gemma3-1b": Shape(26, 1152, 6912, 4, 1, "gemma3", 256),
    "gemma3-4b": Shape(34, 2560, 10240, 8, 4, "gemma3", 256),
    "qwen3-moe": Shape(24, 2048, 768, 32, 4, "qwen3moe", 128, 32, 8),
    "qwen3-moe-1b": Shape(16, 1536, 2560, 12, 4, "qwen3moe", 128, 4, 2),
}
"""Of Qwen2.5 1.5B (as a llama), Llama 3.2 3B, Llama 3.1 8B, Qwen3 1.7B, Gemma 3 1B and 4B, and of Qwen3 30B-A3B with 24
layers of 32 experts in place of 48 of 128; the last one is a small mixture of four experts of that family."""
WAYS = ("mapped", "chosen")
TOKENS = 16
_SPREAD = 4.6  # the standard deviation of the 16 values of four bits


def random_blocks(rows: int, columns: int, kind: gguf.GGMLQuantizationType, rng: Any) -> NDArray[np.uint8]:
    """A matrix of random blocks, shape (rows, bytes of a row), whose values have a variance of about 1 / columns."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    made = rng.integers(0, 256, (rows * columns // block, size), np.uint8)
    scale = 1 / math.sqrt(columns) / _SPREAD
    if kind == gguf.GGMLQuantizationType.Q4_0:
        scales = [scale]
        # from -7 to 7: a mean that is not 0 makes one direction of each state grow, and with it the scores of
        # attention, whose exponentials are then numbers that are too small for the processor's fast path
        made |= np.where(made & 0x0F, 0, 0x08).astype(np.uint8) | np.where(made & 0xF0, 0, 0x80).astype(np.uint8)
    elif kind == gguf.GGMLQuantizationType.Q4_K:  # times a scale of six bits; 7.5 steps below, times another
        scales = [scale / 32, scale / 32 * 7.5]
    else:
        raise SystemExit(f"no random blocks of {kind.name}: choose Q4_0 or Q4_K")
    made[:, : 2 * len(scales)] = np.frombuffer(np.array(scales, np.float16).tobytes(), np.uint8)
    matrix: NDArray[np.uint8] = made.reshape(rows, -1)
    return matrix


def tensors_of(shape: Shape, vocabulary: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of each tensor, in a file's usual order; a norm has one dimension."""
    keys, queries = shape.head_width * shape.kv_heads, shape.head_width * shape.heads
    gemma = shape.architecture == "gemma3"
    experts = (shape.experts,) if shape.experts else ()
    suffix = "_exps" if shape.experts else ""
    layer: list[tuple[str, tuple[int, ...]]] = [
        ("attn_norm", (shape.width,)),
        (f"ffn_down{suffix}", (*experts, shape.width, shape.inner)),
        (f"ffn_gate{suffix}", (*experts, shape.inner, shape.width)),
        (f"ffn_up{suffix}", (*experts, shape.inner, shape.width)),
        ("ffn_norm", (shape.width,)),
        ("attn_k", (keys, shape.width)),
        ("attn_output", (shape.width, queries)),
        ("attn_q", (queries, shape.width)),
        ("attn_v", (keys, shape.width)),
    ]
    if shape.architecture != "llama":
        layer += [("attn_q_norm", (shape.head_width,)), ("attn_k_norm", (shape.head_width,))]
    if gemma:
        layer += [("post_attention_norm", (shape.width,)), ("post_ffw_norm", (shape.width,))]
    if shape.experts:
        layer.append(("ffn_gate_inp", (shape.experts, shape.width)))
    yield "token_embd.weight", (vocabulary, shape.width)
    for number in range(shape.layers):
        for name, dimensions in layer:
            yield f"blk.{number}.{name}.weight", dimensions
    yield "output_norm.weight", (shape.width,)
    if not gemma:  # its embeddings are the output layer too
        yield "output.weight", (vocabulary, shape.width)


def write_random(path: Path, shape: Shape, kind: gguf.GGMLQuantizationType) -> None:
    """A model of this shape with the starter's tokenizer, written aside and renamed."""
    reader = gguf.GGUFReader(starter_model())
    unfinished = path.with_suffix(".unfinished")
    writer = gguf.GGUFWriter(unfinished, shape.architecture)
    writer.add_name(path.stem)
    writer.add_context_length(8192)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    if shape.architecture == "gemma3":
        writer.add_sliding_window(512)
    if shape.experts:
        writer.add_expert_count(shape.experts)
        writer.add_expert_used_count(shape.used)
        writer.add_expert_feed_forward_length(shape.inner)
    writer.add_vocab_size(len(reader.fields["tokenizer.ggml.tokens"].data))
    for name, field in reader.fields.items():
        if name.startswith("tokenizer."):
            elements = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], elements)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    tensors = list(tensors_of(shape, len(reader.fields["tokenizer.ggml.tokens"].data)))
    for tensor, dimensions in tensors:
        if is_plain(tensor, dimensions, block):
            count = math.prod(dimensions)
            writer.add_tensor_info(tensor, dimensions, np.dtype(np.float32), 4 * count)
        else:
            *rows, columns = dimensions
            stored = (*rows, columns // block * size)
            writer.add_tensor_info(tensor, stored, np.dtype(np.uint8), math.prod(stored), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    rng = np.random.default_rng(0)
    for tensor, dimensions in tensors:
        *rows, columns = dimensions
        if not rows:
            writer.write_tensor_data(np.ones(columns, np.float32))
        elif is_plain(tensor, dimensions, block):
            writer.write_tensor_data(rng.standard_normal(dimensions, np.float32) / math.sqrt(columns))
        else:
            writer.write_tensor_data(random_blocks(math.prod(rows), columns, kind, rng))
    writer.close()
    unfinished.rename(path)


def is_plain(tensor: str, dimensions: tuple[int, ...], block: int) -> bool:
    """Whether a tensor stays in float32: norms, the choice of experts, and rows that are no whole number of blocks."""
    return len(dimensions) == 1 or "ffn_gate_inp" in tensor or bool(dimensions[-1] % block)


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


def fit(path: Path, context_tokens: int = 2048) -> dict[str, int]:
    from workbench.engine.fitting_calls import MeasureFit
    from workbench.engine.inference_calls import Load
    from workbench.workers.fitting import FittingServer

    (part,) = FittingServer()._fit(MeasureFit(load=Load(path=str(path), context_tokens=context_tokens))).parts
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
            kind, _, context = what.partition(":")
            found = fit(path, int(context or 2048)) if kind == "fit" else load(path, mapped=kind == "mapped")
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
