"""Guessing ahead: the same answer, how much faster.

    python benchmarks/speculation.py [--model FILE.gguf]... [--rounds 5] [--prompts 50] [--draft FILE.gguf]

same: 50 prompts in a deterministic model, 40 tokens each, greedy: token by token the same with guesses from the
prompt, and without any (a second row that means nothing is computed instead). speed: in a model loaded as usual, the
seconds of an answer with and without guesses, interleaved, medians: a text to copy (the end of the answer is forbidden
so that it goes on for 150 tokens), and a free story, where there is little to guess. With --draft, a smaller model of
the same vocabulary guesses as well.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from decode import read_vocabulary, starter_model

from workbench.api.protocol import RequestContext, result_of
from workbench.engine.inference_calls import Generate, Generated, Load
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt
from workbench.processes.host import WorkerHost
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.answer_job import GenerationRequest
from workbench.techniques.decoding.generation import Generation
from workbench.techniques.decoding.speculative import NgramDrafter, Speculation

Kind = Literal["off", "ngram", "draft"]

MINUTES = (
    "The committee met on Tuesday to discuss the new library. Mrs. Alder proposed that the reading room stay open "
    "until nine, and Mr. Finch asked who would pay for the lamps. It was decided to ask the council for the money, "
    "and to meet again on the second of May in the old school, where the windows are larger and the rent is lower. "
)
COPY = (Message("user", f"Copy this text word for word, again and again:\n\n{MINUTES}\n\n{MINUTES}"),)
STORY = (Message("user", "Write a long story about a lighthouse keeper and the sea."),)


def same_answers(path: Path, count: int) -> int:
    """How many of ``count`` prompts get the same tokens with and without guesses, in a deterministic model."""
    call = Load(path=str(path), context_tokens=2048, deterministic=True)
    steps = load_model(call, inspect_model(str(path)), RequestContext())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            engine = Engine(end.value)
            break
    vocabulary = engine.model.vocabulary
    decoding = DecodingPart(max_tokens=40, repetition_penalty=1.0)
    same = 0
    for number in range(count):
        text = f"{number}. {MINUTES[number * 5 :]}{MINUTES[: number * 5]} {MINUTES}"
        tokens = vocabulary.tokenize(text, special=False)
        prompt = Prompt([vocabulary.bos, *tokens] if vocabulary.adds_bos else tokens)
        answers = []
        for drafter in (None, NgramDrafter()):
            where = vocabulary, engine.model.context_tokens, RequestContext()
            request = GenerationRequest(prompt, decoding, *where, started=time.perf_counter())
            job = Generation(request, speculation=Speculation(drafter, 1, always=True))
            generated = result_of(Generate(), engine.submit(job).events())
            answers.append(generated.sequences[0].tokens)
        same += answers[0] == answers[1]
    engine.close()
    return same


def measure(path: Path, draft: Path | None, rounds: int) -> None:
    worker = WorkerHost("inference")
    worker.call(Load(path=str(path), context_tokens=4096))
    ends = read_vocabulary(path)[2]
    kinds: list[Kind] = ["off", "ngram"]
    if draft:
        kinds.append("draft")
    for name, messages in (("copy", COPY), ("story", STORY)):
        speeds: dict[Kind, list[float]] = {kind: [] for kind in kinds}
        last: dict[Kind, Generated] = {}
        for number in range(-1, rounds):
            for kind in kinds if number % 2 else kinds[::-1]:
                decoding = DecodingPart(
                    max_tokens=150, repetition_penalty=1.0, logit_bias=ends, speculation=kind, draft_tokens=8
                )
                call = Generate(messages=messages, decoding=decoding, draft_path=str(draft or ""))
                result = last[kind] = worker.call(call)
                if number >= 0:
                    speeds[kind].append(result.usage.tokens_per_s)
        base = statistics.median(speeds["off"])
        for kind, values in speeds.items():
            usage = last[kind].usage
            print(
                f"  {name:6s} {kind:6s} {statistics.median(values):6.1f} tok/s"
                f"  ratio {statistics.median(values) / base:.2f}"
                f"  ({usage.accepted_tokens} of {usage.drafted_tokens} guesses right of {usage.new_tokens} tokens)"
                f"{'' if last[kind].text == last['off'].text else '  [another text]'}"
            )
    worker.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--draft", type=Path)
    options = parser.parse_args()
    for path in options.model or [starter_model()]:
        print(path.name, flush=True)
        if options.prompts:
            print(f"  same tokens on {same_answers(path, options.prompts)} of {options.prompts} prompts", flush=True)
        if options.rounds:
            measure(path, options.draft, options.rounds)


if __name__ == "__main__":
    main()
