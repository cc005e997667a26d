"""Guessing ahead: the same answer, how much faster.

    python benchmarks/speculation.py

same: 50 prompts in a deterministic model, 40 tokens each, greedy: token by token the same with guesses from the
prompt, and without any (a second row that means nothing is computed instead). speed: in a model loaded as usual, the
seconds of an answer with and without guesses, interleaved, medians: a text to copy (the end of the answer is forbidden
so that it goes on for 150 tokens), and a free story, where there is little to guess. With --draft, a smaller model of
the same vocabulary guesses as well.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from decode import read_vocabulary
from harness import arguments, in_turns, show, starter_model

from workbench.api.protocol import RequestContext, drain, result_of
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
    engine = Engine(drain(steps))
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
        last: dict[Kind, Generated] = {}

        def speed(
            kind: Kind, _round: int, messages: tuple[Message, ...] = messages, last: dict[Kind, Generated] = last
        ) -> float:
            decoding = DecodingPart(
                max_tokens=150, repetition_penalty=1.0, logit_bias=ends, speculation=kind, draft_tokens=8
            )
            last[kind] = worker.call(Generate(messages=messages, decoding=decoding, draft_path=str(draft or "")))
            return last[kind].usage.tokens_per_s

        speeds = in_turns(rounds, kinds, speed)
        show({str(kind): values for kind, values in speeds.items()}, "off", "tok/s", f"  {name}")
        for kind, made in last.items():
            print(
                f"  {kind}: {made.usage.accepted_tokens} of {made.usage.drafted_tokens} guesses right of "
                f"{made.usage.new_tokens} tokens{'' if made.text == last['off'].text else '; another text'}"
            )
    worker.stop()


def main() -> None:
    parser = arguments(__doc__, "draft", rounds=5, prompts=50)
    parser.add_argument("--model", type=Path, action="append")
    options = parser.parse_args()
    for path in options.model or [starter_model()]:
        print(path.name, flush=True)
        if options.prompts:
            print(f"  same tokens on {same_answers(path, options.prompts)} of {options.prompts} prompts", flush=True)
        if options.rounds:
            measure(path, options.draft, options.rounds)


if __name__ == "__main__":
    main()
