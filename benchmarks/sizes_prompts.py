"""Larger models at work: a long prompt, its stop, a context that grows, an adapter, and eight answers at once.

    python benchmarks/sizes_prompts.py --keep FOLDER --shapes 1.5b 8b

The models are those of ``sizes.py``, with random weights; the inference worker is the program's. Measured: memory of
the process against what the fit said before the load, where no conversation is kept that was left (``Fit.kept`` is no
part of it); the progress reports of a prompt of 4,000 tokens (how often, the estimate against the time that it then
took); how long Stop takes at several moments of such a prompt; memory after the context is full against the memory
before; a LoRA of rank 8 for all attention matrices, switched on; and eight answers at once against one. With
``--whole 0`` the long prompt is only begun and stopped, for models that would take an hour to read it on a busy
machine.
"""

from __future__ import annotations

import json
import math
import os
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import psutil
from harness import arguments, report
from sizes import SHAPES, Shape, in_process, write_random

from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Generate, Load, LoraUse
from workbench.processes.host import WorkerHost
from workbench.records.recipes import DecodingPart

CONTEXT = 6144
RANK = 8
LATEST_STOP_S = 40.0


class Worker:
    """The inference worker with one model."""

    def __init__(self, path: Path) -> None:
        self.host = WorkerHost("inference")
        self._random = random.Random(0)
        began = time.perf_counter()
        self.loaded = self.host.call(Load(path=str(path), context_tokens=CONTEXT, prefix_cache_bytes=0))
        self.load_s = time.perf_counter() - began

    @property
    def resident(self) -> int:
        return int(psutil.Process(self.host.pid).memory_info().rss)

    def prompt(self, tokens: int) -> tuple[int, ...]:
        return tuple(self._random.randrange(1000, 40_000) for _ in range(tokens))

    def ask(self, prompt: tuple[int, ...], new: int, count: int = 1, adapter: Path | None = None) -> dict[str, Any]:
        """The seconds, and the progress reports: (seconds since the beginning, tokens, seconds left)."""
        decoding = DecodingPart(max_tokens=new, temperature=0.8, n=count, seed=1, repetition_penalty=1.0)
        uses = () if adapter is None else (LoraUse(path=str(adapter)),)
        began, told, first = time.perf_counter(), list[tuple[float, float, float | None]](), 0.0
        for event in self.host.stream(Generate(prompt=prompt, decoding=decoding, adapters=uses)):
            now = time.perf_counter() - began
            if isinstance(event, events.Progress):
                told.append((now, event.done, event.seconds_left))
            elif isinstance(event, events.TextDelta):
                first = first or now
            elif isinstance(event, events.Failed):
                raise SystemExit(event.message)
            elif isinstance(event, events.Finished):
                return {"seconds": now, "first": first, "told": told, "rate": event.result["usage"]["tokens_per_s"]}
        raise SystemExit("The answer did not end.")

    def stop(self, after_s: float, tokens: int) -> float:
        """The seconds from Stop until the worker says that it has stopped."""
        context = RequestContext()
        pressed = list[float]()

        def press() -> None:
            pressed.append(time.perf_counter())
            context.cancel()

        timer = threading.Timer(after_s, press)
        timer.start()
        for event in self.host.stream(Generate(prompt=self.prompt(tokens), decoding=DecodingPart()), context):
            if isinstance(event, events.TERMINAL):
                timer.cancel()
                if not isinstance(event, events.Cancelled):
                    raise SystemExit(f"It was not stopped: {event}")
        return time.perf_counter() - pressed[0]


def write_adapter(path: Path, shape: Shape) -> None:
    """A LoRA for the attention matrices, of small random numbers."""
    writer = gguf.GGUFWriter(path, shape.architecture)
    writer.add_string(gguf.Keys.General.TYPE, gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 2.0 * RANK)
    rng = np.random.default_rng(0)
    queries, keys = shape.head_width * shape.heads, shape.head_width * shape.kv_heads
    sizes = {"attn_q": (shape.width, queries), "attn_k": (shape.width, keys), "attn_v": (shape.width, keys)}
    sizes["attn_output"] = (queries, shape.width)
    for layer in range(shape.layers):
        for name, (inputs, outputs) in sizes.items():
            for letter, dimensions in (("a", (RANK, inputs)), ("b", (outputs, RANK))):
                numbers = rng.standard_normal(dimensions, np.float32) * 1e-3
                writer.add_tensor(f"blk.{layer}.{name}.weight.lora_{letter}", numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def measure(path: Path, shape: Shape, options: Any, folder: Path) -> dict[str, Any]:
    tokens, stops = options.tokens, options.stops
    said = in_process(path, f"fit:{CONTEXT}")
    worker = Worker(path)
    try:
        worker.ask(worker.prompt(8), 4)
        begun = worker.resident
        read = worker.ask(worker.prompt(tokens if options.whole else 8), 8)
        reading = read["first"] if options.whole else math.inf
        estimates = [left / (reading - at) for at, _, left in read["told"] if left is not None and reading - at > 1]
        latest = min(LATEST_STOP_S, 0.8 * reading)
        stopped = [worker.stop(latest * (n + 1) / stops, tokens) for n in range(stops)]
        full = worker.resident
        adapter = folder / f"{path.stem}-lora.gguf"
        write_adapter(adapter, shape)
        short = worker.prompt(32)
        plain, tuned, plain_again = (worker.ask(short, 24, 1, use)["rate"] for use in (None, adapter, None))
        eight = worker.ask(worker.prompt(32), 24, 8)["rate"]
    finally:
        worker.host.stop()
    found = {
        "model": path.stem,
        "load_s": worker.load_s,
        "fit": said["total"],
        "begun": begun,
        "full": full,
        "of_plan": full / said["total"],
        "tokens": tokens,
        "reading_s": reading,
        "told": len(read["told"]),
        "estimate_over_time": [min(estimates), max(estimates)] if estimates else [],
        "stopped_s": [min(stopped), max(stopped)] if stopped else [],
        "tokens_per_s": [plain, plain_again],
        "adapter_ratio": 2 * tuned / (plain + plain_again),
        "eight_ratio": 2 * eight / (plain + plain_again),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(found), flush=True)
    return found


def main() -> None:
    parser = arguments(__doc__, "keep", "json", tokens=4000, stops=5, whole=1, shapes=tuple(SHAPES))
    options = parser.parse_args()
    if options.keep is None:
        raise SystemExit("Name a folder for the models with --keep: the largest takes 4.5 GB.")
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for name in options.shapes:
            path = options.keep / f"random-{name}-Q4_0.gguf"
            if not path.exists():
                write_random(path, SHAPES[name], gguf.GGMLQuantizationType.Q4_0)
            rows.append(measure(path, SHAPES[name], options, Path(folder)))
    report(rows, options.json)


if __name__ == "__main__":
    main()
