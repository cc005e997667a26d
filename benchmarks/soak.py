"""Many requests at once for a long time: nothing is lost, nothing leaks, and what is to be exact is exact.

    python benchmarks/soak.py

In each round 16 requests of mixed length and kind (greedy, drawn, several answers, beams, scores; some in the
background, some with the beginning of another) are made at nearly the same time, and some are cancelled at a random
moment. Checked in each round: each ends in one terminal event; after it no cell of the model's memory is held by
anybody (the cells are counted in llama.cpp's own memory), and the saved states are within their cap. With
--deterministic the model is loaded so, and each answer that was not cancelled must be, token by token, the one that
the same request gets alone. At each tenth of the way: the process's own memory when all conversations are forgotten (of
Linux without the files that it maps, whose pages come in one by one).
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil
from harness import arguments, starter_model

from workbench.api import events
from workbench.api.protocol import RequestContext, drain
from workbench.engine.inference_calls import Generate, Generated, Load
from workbench.engine.library import llama
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt
from workbench.engine.scoring import Scoring
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.strategies import Strategies

CACHE_BYTES = 64 << 20
KINDS = 24
TOPICS = ("the sea", "a bridge", "bread", "the number seven", "rain in the mountains", "a clock", "two sisters", "ink")


class Soak:
    """The engine with its requests. Request number ``n`` is always the same."""

    def __init__(self, path: Path, deterministic: bool, threads: int) -> None:
        call = Load(
            path=str(path),
            context_tokens=4096,
            deterministic=deterministic,
            prefix_cache_bytes=CACHE_BYTES,
            threads=threads,
        )
        steps = load_model(call, inspect_model(str(path)), RequestContext())
        self.engine = Engine(drain(steps))
        self.strategies = Strategies()
        self.tokens = [self._tokens(n) for n in range(KINDS)]

    def make(self, n: int, context: RequestContext) -> Any:
        model = self.engine.model
        tokens = self.tokens[n]
        if n % 8 == 7:
            continuations = [model.vocabulary.tokenize(f" {topic}", special=False) for topic in TOPICS]
            return Scoring(tokens, continuations, context, background=n % 3 == 0)
        decoding = DecodingPart(
            strategy="beam" if n % 8 == 5 else "sampling",
            num_beams=3,
            temperature=0.0 if n % 2 else 0.9,
            seed=n,
            n=3 if n % 8 == 4 else 1,
            max_tokens=3 + n % 5 * 2,
            speculation="ngram" if n % 8 == 3 else "off",
        )
        call = Generate(prompt=tuple(tokens), decoding=decoding, background=n % 3 == 0)
        return self.strategies.make_job(call, Prompt(list(tokens)), self.engine, context, time.perf_counter())

    def held(self) -> int:
        """Cells that llama.cpp has in use for sequences that nobody is known to have, counted on its own thread."""

        def count() -> int:
            wrong = 0
            for context in self.engine._decode_contexts:
                if context.jobs:
                    wrong += 1_000_000
                for slot in context.slots._slots:
                    last = llama.llama_memory_seq_pos_max(context.slots.memory, slot.number)
                    wrong += abs(last + 1 - slot.cells)
            return wrong

        return self.engine.ask(count)

    def _tokens(self, n: int) -> list[int]:
        vocabulary = self.engine.model.vocabulary
        topic, length = TOPICS[n % len(TOPICS)], (3, 15, 40, 290)[n % 4 if n % 8 < 7 else 2]
        text = (f"Here is what I know about {topic}. It was written down by my aunt. " * 60)[: length * 4] + f" {n}:"
        tokens = vocabulary.tokenize(text, special=False)
        return [vocabulary.bos, *tokens] if vocabulary.adds_bos else tokens


def answer_of(job: Any) -> Any:
    """What comes of a job: plain tokens or scores, None for a cancelled one."""
    terminal = None
    try:
        for event in job.events():
            assert terminal is None, "two endings"
            if isinstance(event, events.TERMINAL):
                terminal = event
    except Exception as error:
        from workbench.base.errors import Cancelled

        if isinstance(error, Cancelled):
            return None
        raise
    if isinstance(terminal, events.Cancelled):
        return None
    assert isinstance(terminal, events.Finished), terminal
    if "values" in terminal.result:
        return [scored["logprob"] for scored in terminal.result["values"]]
    return [sequence.tokens for sequence in msgspec.convert(terminal.result, Generated).sequences]


def own_memory() -> int:
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    return psutil.Process().memory_info().rss


def main() -> None:
    options = arguments(__doc__, "model", rounds=500, requests=16, deterministic=False, seed=1, threads=0).parse_args()
    path = options.model or starter_model()
    soak = Soak(path, options.deterministic, options.threads)
    alone: list[Any] = []
    if options.deterministic:
        for n in range(KINDS):
            soak.engine.forget()
            alone.append(answer_of(soak.engine.submit(soak.make(n, RequestContext()))))
    source = random.Random(options.seed)
    finished = cancelled = different = leaks = 0
    memory: list[int] = []
    began = time.monotonic()
    for number in range(options.rounds):
        chosen = [source.randrange(KINDS) for _ in range(options.requests)]
        contexts = [RequestContext() for _ in chosen]
        jobs = []
        for n, context in zip(chosen, contexts, strict=True):
            jobs.append(soak.engine.submit(soak.make(n, context)))
            if source.random() < 0.2:
                time.sleep(source.random() * 0.05)
        for context in source.sample(contexts, options.requests // 4):
            time.sleep(source.random() * 0.05)
            context.cancel()
        for n, job in zip(chosen, jobs, strict=True):
            answer = answer_of(job)
            if answer is None:
                cancelled += 1
                continue
            finished += 1
            if options.deterministic and answer != alone[n]:
                different += 1
                print(f"round {number}: request {n} was answered differently", flush=True)
        leaks += soak.held() != 0
        assert soak.engine._store.size <= CACHE_BYTES
        if (number + 1) % max(1, options.rounds // 10) == 0:
            soak.engine.forget()
            memory.append(own_memory())
        if number % 50 == 49:
            print(f"{number + 1} rounds, {time.monotonic() - began:.0f} s", flush=True)
    soak.engine.close()
    kind = "deterministic" if options.deterministic else "default"
    print(
        f"{path.name}, {kind}, {options.rounds} rounds of {options.requests}: {finished} finished, {cancelled} "
        f"cancelled, rounds with cells held at the end: {leaks}"
        + (f", different from alone: {different}" if options.deterministic else "")
        + f"; memory after each tenth: {', '.join(f'{one / 1e6:.0f}' for one in memory)} MB"
    )
    if leaks or different:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
