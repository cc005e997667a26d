"""A packed base against bf16 and f32: LoRA on a model of 1.1 billion weights, memory, tokens a second, loss.

    python benchmarks/packed.py

The model is TinyLlama's shape (22 layers of 2,048, vocabulary 32,000) with random blocks, Q4_K and Q6_K where a Q4_K_M
file has them; it is written to --cache once. Each form is trained in a process of its own, and they take turns step by
step on the same batch, so that what else runs on the machine meets all of them. Memory for weights is what the
process holds more after loading and touching every weight, pages of the mapped file included; peak is the whole
process. Where a processor has no bfloat16, "bf16" is held so and computed in float32 (the column "computes" says).
To be met by packed: memory <= 0.4 and tokens/s >= 0.5 of bf16, losses within 2 %.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from harness import arguments

VOCABULARY, WIDTH, INNER, HEADS, KV_HEADS = 32_000, 2048, 5632, 32, 4
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
Q4_K, Q6_K = gguf.GGMLQuantizationType.Q4_K, gguf.GGMLQuantizationType.Q6_K


def blocks(rng: np.random.Generator, rows: int, length: int, kind: gguf.GGMLQuantizationType) -> np.ndarray[Any, Any]:
    """Random blocks whose numbers have mean 0 and a deviation of about 0.02, (rows, bytes of a row)."""
    size = {Q4_K: 144, Q6_K: 210}[kind]
    made = rng.integers(0, 256, (rows, length // 256, size), dtype=np.uint8)
    if kind == Q4_K:  # super-block scales of the numbers and of what is taken away, then six-bit scales, then nibbles
        made[..., :4] = np.array([1e-4, 7.5e-4], np.float16).view(np.uint8)
    else:
        made[..., 208:] = np.array([1.5e-5], np.float16).view(np.uint8)
    return made.reshape(rows, -1)


def write_model(path: Path, layers: int) -> None:
    """A random model as llama.cpp lays it out; Q6_K where Q4_K_M has it: the output, and half of values and downs."""
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("random 1.1B")
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_tokenizer_model("none")
    shapes: dict[str, tuple[int, int, gguf.GGMLQuantizationType]] = {"token_embd": (VOCABULARY, WIDTH, Q4_K)}
    narrow = WIDTH // HEADS * KV_HEADS
    for layer in range(layers):
        more = Q6_K if layer < layers // 8 or layer >= 7 * layers // 8 or layer % 3 == 2 else Q4_K
        shapes |= {
            f"blk.{layer}.attn_q": (WIDTH, WIDTH, Q4_K),
            f"blk.{layer}.attn_k": (narrow, WIDTH, Q4_K),
            f"blk.{layer}.attn_v": (narrow, WIDTH, more),
            f"blk.{layer}.attn_output": (WIDTH, WIDTH, Q4_K),
            f"blk.{layer}.ffn_gate": (INNER, WIDTH, Q4_K),
            f"blk.{layer}.ffn_up": (INNER, WIDTH, Q4_K),
            f"blk.{layer}.ffn_down": (WIDTH, INNER, more),
        }
    shapes["output"] = (VOCABULARY, WIDTH, Q6_K)
    norms = ["output_norm"] + [f"blk.{layer}.{name}" for layer in range(layers) for name in ("attn_norm", "ffn_norm")]
    for name in norms:
        writer.add_tensor_info(f"{name}.weight", [WIDTH], np.dtype(np.float32), WIDTH * 4)
    for name, (rows, length, kind) in shapes.items():
        bytes_of_row = length // 256 * {Q4_K: 144, Q6_K: 210}[kind]
        shape = [rows, bytes_of_row]
        writer.add_tensor_info(f"{name}.weight", shape, np.dtype(np.uint8), rows * bytes_of_row, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _ in norms:
        writer.write_tensor_data(np.ones(WIDTH, np.float32))
    for rows, length, kind in shapes.values():
        writer.write_tensor_data(blocks(rng, rows, length, kind))
    writer.close()


def batch(rows: int, length: int) -> Any:
    """Texts that can be learnt: each repeats eight tokens of its own. The same at each step, so that the loss falls."""
    own = np.random.default_rng(1).integers(100, VOCABULARY, (rows, 8))
    return np.tile(own, (1, length // 8 + 1))[:, :length]


def train(connection: Connection, path: Path, form: str, options: argparse.Namespace) -> None:
    """A child process: loads, says what it holds, then makes one step whenever it is told to."""
    warnings.simplefilter("ignore")
    import peft
    import psutil
    import torch

    from workbench.training.weights.loading import load_base

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    process = psutil.Process()
    from transformers import LlamaForCausalLM  # noqa: F401  (else its import counts as weights)

    before = process.memory_info().rss
    began = time.perf_counter()
    loaded = load_base(path, form)  # type: ignore[arg-type]
    took = time.perf_counter() - began
    with torch.no_grad():
        loaded.model(input_ids=torch.tensor([[1, 2, 3]]))
        for number in range(0, VOCABULARY, 2048):
            loaded.model.get_input_embeddings()(torch.arange(number, min(number + 2048, VOCABULARY)))
    held = process.memory_info().rss - before
    config = peft.LoraConfig(r=16, lora_alpha=32, target_modules=TARGETS, task_type="CAUSAL_LM")
    model = peft.get_peft_model(loaded.model, config).train()
    model.config.use_cache = False
    if options.checkpointing:
        model.enable_input_require_grads()
        model.base_model.model.gradient_checkpointing_enable({"use_reentrant": False})
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    connection.send((loaded.weights_bytes, held, str(loaded.dtype).removeprefix("torch."), took))
    ids = torch.from_numpy(batch(options.rows, options.length))
    while connection.recv():
        began = time.perf_counter()
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        took = time.perf_counter() - began
        connection.send((took, float(loss.detach()), process.memory_info().rss))
    connection.close()


def main() -> None:
    parser = arguments(
        __doc__,
        cache=Path(tempfile.gettempdir()) / "packed-benchmark",
        rounds=5,
        rows=8,
        length=64,
        layers=22,
        threads=os.cpu_count() or 1,
        checkpointing=False,
    )
    parser.add_argument("--f32", action="store_true", help="with f32 as a third form")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    path = options.cache / f"random-{options.layers}.gguf"
    if not path.exists():
        began = time.perf_counter()
        write_model(path.with_suffix(".part"), options.layers)
        path.with_suffix(".part").rename(path)
        print(f"wrote {path} ({path.stat().st_size / 1e6:.0f} MB) in {time.perf_counter() - began:.0f} s")
    forms = ["bf16", "packed"] + (["f32"] if options.f32 else [])
    context = multiprocessing.get_context("spawn")
    ends, held, steps = dict[str, Any](), dict[str, Any](), {form: list[Any]() for form in forms}
    children = []
    for form in forms:  # one after the other, so that none is measured while another loads
        ends[form], theirs = context.Pipe()
        children.append(context.Process(target=train, args=(theirs, path, form, options), daemon=True))
        children[-1].start()
        held[form] = ends[form].recv()
    for number in range(options.rounds + 1):
        for form in forms if number % 2 else reversed(forms):
            ends[form].send(True)
            steps[form].append(ends[form].recv())
    for form in forms:
        ends[form].send(False)
    tokens = options.rows * options.length
    print(f"{path.name}, LoRA r=16, {options.rows} x {options.length} tokens a step, {options.threads} threads,")
    print(f"median of {options.rounds} steps after one")
    print("form    computes   weights     held   peak    load   tokens/s  (range)          loss, first to last")
    speeds, losses = dict[str, float](), dict[str, list[float]]()
    for form in forms:
        weights, resident, dtype, took = held[form]
        rates = [tokens / seconds for seconds, _, _ in steps[form][1:]]
        losses[form] = [loss for _, loss, _ in steps[form]]
        speeds[form] = statistics.median(rates)
        peak = max(resident_bytes for _, _, resident_bytes in steps[form])
        print(
            f"{form:7} {dtype:9} {weights / 1e6:6.0f} MB {resident / 1e6:5.0f} MB {peak / 1e9:4.1f} GB {took:5.1f} s"
            f" {speeds[form]:9.1f}  ({min(rates):.1f}-{max(rates):.1f})"
            f"      {losses[form][0]:.3f} {losses[form][-1]:.3f}"
        )
    furthest = max(abs(a / b - 1) for a, b in zip(losses["packed"], losses["bf16"], strict=True))
    print(
        f"packed against bf16: weights {held['packed'][0] / held['bf16'][0]:.2f}, "
        f"held {held['packed'][1] / held['bf16'][1]:.2f} (<= 0.40), "
        f"tokens/s {speeds['packed'] / speeds['bf16']:.2f} (>= 0.50), losses within {furthest:.2%} (<= 2 %)"
    )


if __name__ == "__main__":
    main()
