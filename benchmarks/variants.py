"""Speed of builds of llama.cpp against each other: prompt and decode, tokens per second and per CPU-second, in turn.

    python benchmarks/variants.py --model FILE.gguf NAME=FOLDER...

FOLDER holds a build's libraries (llama_cpp/lib). Each run is a process of its own, so that builds alternate; the first
round warms the files up and is not counted.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from harness import arguments

PROMPT = "The numbers from one to twenty in words are: one, two, three, four, five,"


def measure(model: str, prompt_tokens: int, new_tokens: int, gpu_layers: int, threads: int) -> dict[str, object]:
    """One process's run, with the library that LLAMA_CPP_LIB_PATH names."""
    from workbench.engine.library import describe_state, list_devices, llama

    state = describe_state()
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = gpu_layers
    loaded = llama.llama_model_load_from_file(model.encode(), parameters)
    settings = llama.llama_context_default_params()
    settings.n_ctx = settings.n_batch = 1024
    settings.n_threads = settings.n_threads_batch = threads
    context = llama.llama_init_from_model(loaded, settings)
    vocabulary = llama.llama_model_get_vocab(loaded)
    size = llama.llama_vocab_n_tokens(vocabulary)
    buffer = (llama.llama_token * 1024)()
    text = PROMPT.encode()
    count = llama.llama_tokenize(vocabulary, text, len(text), buffer, 1024, True, False)
    tokens = list(buffer[:count])
    while len(tokens) < prompt_tokens:
        tokens.append(int(7919 * len(tokens)) % size)

    def decode(given: list[int]) -> None:
        array = (llama.llama_token * len(given))(*given)
        if llama.llama_decode(context, llama.llama_batch_get_one(array, len(given))):
            raise RuntimeError("llama_decode failed")

    times = [(time.perf_counter(), time.process_time())]
    decode(tokens)
    times.append((time.perf_counter(), time.process_time()))
    made: list[int] = []
    for _ in range(new_tokens):
        logits = llama.llama_get_logits_ith(context, -1)
        row = (ctypes.c_float * size).from_address(ctypes.addressof(logits.contents))
        best = max(range(size), key=row.__getitem__) if new_tokens < 9 else _argmax(row)
        made.append(best)
        decode([best])
    times.append((time.perf_counter(), time.process_time()))
    (a, b), (c, d), (e, f) = times
    return {
        "variant": state.variant,
        "backends": state.backends,
        "problem": state.pack_problem,
        "devices": [device.name for device in list_devices()],
        "tokens": made,
        "prompt": len(tokens) / (c - a),
        "prompt_cpu": len(tokens) / max(1e-9, d - b),
        "decode": new_tokens / (e - c),
        "decode_cpu": new_tokens / max(1e-9, f - d),
    }


def _argmax(row: object) -> int:
    import numpy as np

    return int(np.frombuffer(row, dtype=np.float32).argmax())  # type: ignore[call-overload]


def run(folder: str, arguments: argparse.Namespace) -> dict[str, object]:
    environment = {**os.environ, "LLAMA_CPP_LIB_PATH": folder}
    command = [sys.executable, __file__, "--one", "--model", arguments.model, "--tokens", str(arguments.tokens)]
    command += ["--prompt", str(arguments.prompt), "--gpu-layers", str(arguments.gpu_layers)]
    command += ["--threads", str(arguments.threads)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = arguments(__doc__, rounds=5, tokens=64, prompt=256, gpu_layers=0, threads=2)
    parser.add_argument("build", nargs="*", metavar="NAME=FOLDER")
    parser.add_argument("--model", required=True)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.model, given.prompt, given.tokens, given.gpu_layers, given.threads)))
        return
    builds = dict(one.split("=", 1) for one in given.build)
    found: dict[str, list[dict[str, object]]] = {name: [] for name in builds}
    for number in range(given.rounds + 1):
        for name, folder in builds.items():
            result = run(str(Path(folder).resolve()), given)
            if number:
                found[name].append(result)
    first = next(iter(found))
    for name, results in found.items():
        shares = []
        for key in ("prompt", "prompt_cpu", "decode", "decode_cpu"):
            values = [float(str(one[key])) for one in results]
            against = [
                float(str(one[key])) / float(str(base[key])) for one, base in zip(results, found[first], strict=True)
            ]
            shares.append(f"{key} {statistics.median(values):.1f} ({statistics.median(against):.3f})")
        print(f"{name} [{results[0]['variant'] or 'native'}]: {', '.join(shares)}; n = {len(results)}", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
