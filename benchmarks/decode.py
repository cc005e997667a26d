"""Decoding speed against a C loop on the same library and model, interleaved.

    python benchmarks/decode.py

The C loop (loop.c, compiled here with cc against the library and headers that llama-cpp-python brought) is the least
that decoding takes: llama_decode and the most probable token. Ours is the inference worker as the program uses it: its
own process, a chat template, text, JSON lines, events, read here.

Both allocate in huge pages where the system has them; a second worker that does not is measured beside them.

one stream: both go on from the same prompt; what is timed is the way from the first token to the last. With
--llama-bench llama.cpp's own program, which draws its tokens at random and looks at no logits, generates as many in
each round, after as many as the prompt has.
8 samples: a prompt of 511 tokens and 8 answers to it at once, with temperature 0.8, against the same 8 to one prompt
one after the other (both ways compute the prompt once, and all of it is timed), and against 8 sequences of the C loop
(only generating is timed, as llama.cpp's llama-batched-bench does with a shared prompt; with --batched-bench that
program itself is run in each round as well). The end of the answer is forbidden, so that all have the same length.

The order within a round alternates. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from harness import ROOT, arguments, in_turns, show, starter_model

from workbench.api import events
from workbench.base.huge_pages import ask_for_huge_pages
from workbench.engine.inference_calls import Generate, Generated, Load
from workbench.engine.library import llama, start_library
from workbench.engine.prompt import PromptWriter
from workbench.engine.template import TemplateRenderer
from workbench.engine.vocabulary import Vocabulary
from workbench.processes.host import WorkerHost
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart

QUESTION = (Message("user", "Write a long story about a lighthouse keeper and the sea."),)
PREFIX_TOKENS, SAMPLES, SAMPLE_TOKENS = 511, 8, 64
CONTEXT = 4096
SMALL_PAGES = "ours, greedy, pages of 4 kB"


class CLoop:
    """loop.c, compiled and running."""

    def __init__(self, model: Path, threads: int, prompt: list[int], folder: Path) -> None:
        program, tokens = folder / "loop", folder / f"prompt-{len(prompt)}.txt"
        if not program.exists():
            compile_loop(program)
        tokens.write_text(" ".join(map(str, prompt)))
        self._process = subprocess.Popen(
            [program, model, str(threads), str(CONTEXT), tokens],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **ask_for_huge_pages()},
        )

    def ask(self, command: str) -> list[float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return [float(number) for number in self._process.stdout.readline().split()]

    def close(self) -> None:
        self._process.communicate("quit\n")


def compile_loop(program: Path) -> None:
    import llama_cpp

    package = Path(llama_cpp.__file__).parent
    libraries = package / "lib"
    source = Path(__file__).with_name("loop.c")
    command: list[str | Path] = ["cc", "-O2", "-o", program, source, "-I", package.parent / "include", "-L", libraries]
    subprocess.run([*command, "-lllama", "-lggml", "-lggml-base", f"-Wl,-rpath,{libraries}"], check=True)


class Ours:
    """The inference worker."""

    def __init__(self, path: Path, threads: int, huge_pages: bool = True) -> None:
        self.worker = WorkerHost("inference", environment=ask_for_huge_pages() if huge_pages else None)
        self.loaded = self.worker.call(Load(path=str(path), context_tokens=CONTEXT, threads=threads))

    def stream(self, decoding: DecodingPart) -> tuple[float, float]:
        """Tokens a second from the first to the last, and the longest gap between two pieces of text in seconds, as
        seen here. The first piece of a text may be of several tokens, so that the worker tells when the first came."""
        last = gap = 0.0
        for event in self.worker.stream(Generate(messages=QUESTION, decoding=decoding)):
            now = time.perf_counter()
            if isinstance(event, events.TextDelta):
                gap = max(gap, now - last) if last else 0.0
                last = now
            elif isinstance(event, events.Finished):
                result = msgspec.convert(event.result, Generated)
                return result.usage.tokens_per_s, gap
        raise RuntimeError(f"no answer: {event}")

    def sample(self, prompt: list[int], count: int, seed: int, ends: tuple[str, ...]) -> tuple[float, Generated]:
        """The seconds that ``count`` answers to a prompt take."""
        decoding = DecodingPart(
            temperature=0.8, repetition_penalty=1.0, n=count, seed=seed, max_tokens=SAMPLE_TOKENS, logit_bias=ends
        )
        began = time.perf_counter()
        result = self.worker.call(Generate(prompt=tuple(prompt), decoding=decoding))
        return time.perf_counter() - began, result


def batched_bench(program: Path, model: Path, threads: int) -> float:
    """Tokens a second of llama.cpp's own batched benchmark, generating ``SAMPLES`` sequences after a shared prompt."""
    command = [
        program, "-m", model, "-c", str(CONTEXT), "-b", "512", "-ub", "512", "-npp", str(PREFIX_TOKENS),
        "-ntg", str(SAMPLE_TOKENS), "-npl", str(SAMPLES), "-pps", "-t", str(threads), "-tb", str(threads),
        "-kvu", "--output-format", "jsonl",
    ]  # fmt: skip
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return float(lines[-1]["speed_tg"])


def llama_bench(program: Path, model: Path, threads: int, before: int, tokens: int) -> float:
    """Tokens a second of llama.cpp's own benchmark, one sequence."""
    command = [
        program, "-m", model, "-t", str(threads), "-p", "0", "-n", str(tokens), "-d", str(before), "-r", "1",
        "-b", "512", "-ub", "512", "-o", "jsonl",
    ]  # fmt: skip
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return float(lines[-1]["avg_ts"])


def main() -> None:
    parser = arguments(__doc__, "model", tokens=200, rounds=5, threads=0)
    parser.add_argument("--part", choices=("streams", "samples"), help="only this part")
    parser.add_argument("--batched-bench", type=Path, help="llama.cpp's llama-batched-bench, to be run as well")
    parser.add_argument("--llama-bench", type=Path, help="llama.cpp's llama-bench, to be run as well")
    options = parser.parse_args()
    path = (options.model or starter_model()).resolve()
    small = Ours(path, options.threads, huge_pages=False)
    ours = Ours(path, options.threads)
    threads = ours.loaded.threads
    question, prefix, ends = read_vocabulary(path)
    print(f"{path.name}, {threads} threads, median of {options.rounds}")
    with tempfile.TemporaryDirectory() as folder:
        if options.part != "samples":
            loop = CLoop(path, threads, question, Path(folder))
            streams = measure_streams(ours, small, loop, options, path, len(question))
            show(streams, "C loop", "tok/s", f"one stream, {options.tokens} tokens")
        if options.part != "streams":
            loop = CLoop(path, threads, prefix, Path(folder))
            samples = measure_samples(ours, loop, prefix, ends, options, path)
            show(samples, "C loop, 8 at once", "tok/s", f"{SAMPLES} x {SAMPLE_TOKENS} tokens after {PREFIX_TOKENS}")
            together, apart = (
                statistics.median(samples[n]) for n in ("ours, 8 at once, all of it", "ours, one by one")
            )
            print(f"8 at once are {together / apart:.2f} times as fast as one after the other (the prompt once each)")
    for worker in (ours.worker, small.worker):
        worker.stop()


def measure_streams(
    ours: Ours, small: Ours, loop: CLoop, options: argparse.Namespace, path: Path, prompt: int
) -> dict[str, list[float]]:
    tokens: int = options.tokens
    greedy = DecodingPart(max_tokens=tokens, repetition_penalty=1.0)
    kinds = {
        "C loop": None,
        "ours, greedy": greedy,
        SMALL_PAGES: greedy,
        "ours, repetition penalty 1.1": msgspec.structs.replace(greedy, repetition_penalty=1.1),
        "ours, temperature 0.8": msgspec.structs.replace(greedy, temperature=0.8, seed=1),
    }
    if options.llama_bench:
        kinds["llama-bench"] = None

    def speed(name: str, _round: int) -> float:
        decoding = kinds[name]
        if decoding is not None:
            return (small if name == SMALL_PAGES else ours).stream(decoding)[0]
        if name == "llama-bench":
            return llama_bench(options.llama_bench, path, ours.loaded.threads, prompt, tokens)
        return loop.ask(f"one {tokens}")[0]

    speeds = in_turns(options.rounds, list(kinds), speed)
    loop.close()
    return speeds


def measure_samples(
    ours: Ours, loop: CLoop, prefix: list[int], ends: tuple[str, ...], options: argparse.Namespace, path: Path
) -> dict[str, Sequence[float]]:
    total = SAMPLES * SAMPLE_TOKENS

    def c_loop(_round: int) -> tuple[float, ...]:
        return (SAMPLES * (SAMPLE_TOKENS - 1) / loop.ask(f"many {SAMPLES} {SAMPLE_TOKENS}")[1],)

    def at_once(number: int) -> tuple[float, ...]:
        seconds, result = ours.sample(other(prefix, 101 + number), SAMPLES, number + 1, ends)
        assert result.usage.cached_tokens < 8, result.usage
        return result.usage.tokens_per_s, total / seconds

    def one_by_one(number: int) -> tuple[float, ...]:
        taken = 0.0
        prompt = other(prefix, 1001 + number)
        for sample in range(SAMPLES):
            seconds, result = ours.sample(prompt, 1, (number + 1) * SAMPLES + sample, ends)
            assert result.usage.new_tokens == SAMPLE_TOKENS, result.usage
            assert (result.usage.cached_tokens > PREFIX_TOKENS - 8) == (sample > 0), result.usage
            taken += seconds
        return (total / taken,)

    ways: dict[str, Callable[[int], tuple[float, ...]]] = {"loop": c_loop, "once": at_once, "apart": one_by_one}
    if options.batched_bench:
        ways["bench"] = lambda _: (batched_bench(options.batched_bench, path, ours.loaded.threads),)
    made = {
        name: list(zip(*values, strict=True))
        for name, values in in_turns(options.rounds, list(ways), lambda way, number: ways[way](number)).items()
    }
    loop.close()
    names = ("C loop, 8 at once", "ours, 8 at once", "ours, 8 at once, all of it", "ours, one by one")
    speeds = dict(zip(names, (*made["loop"], *made["once"], *made["apart"]), strict=True))
    return speeds | ({"llama-batched-bench": made["bench"][0]} if options.batched_bench else {})


def other(prefix: list[int], number: int) -> list[int]:
    """A prompt of the same length that has only its first token in common with any other number's."""
    return [prefix[0], *[(token + number * 31) % 20_000 + 300 for token in prefix[1:4]], *prefix[4:]]


def read_vocabulary(path: Path) -> tuple[list[int], list[int], tuple[str, ...]]:
    """The question's tokens, a text of ``PREFIX_TOKENS``, and a bias that forbids every end."""
    start_library()
    parameters = llama.llama_model_default_params()
    parameters.vocab_only = True
    model = llama.llama_model_load_from_file(str(path).encode(), parameters)
    vocabulary = Vocabulary(llama.llama_model_get_vocab(model))
    template = llama.llama_model_chat_template(model, None)
    renderer = TemplateRenderer()
    question = PromptWriter(template.decode() if template else "", vocabulary, renderer).write(QUESTION).tokens
    renderer.close()
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    prefix = vocabulary.tokenize(text, special=False)[:PREFIX_TOKENS]
    ends = tuple(f"#{token}=-inf" for token in range(vocabulary.size) if vocabulary.ends_generation(token))
    return question, prefix, ends


if __name__ == "__main__":
    main()
