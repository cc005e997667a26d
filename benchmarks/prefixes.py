"""Going back and forth between two chats of about 700 tokens: time to the first token, cold and back again.

    python benchmarks/prefixes.py [--model FILE.gguf] [--rounds 5] [--threads N]

Two chats begin with texts of about 700 tokens. Cold: the first question of each chat (a text never seen before, in
each round). Back: the next question of the chat that was not the last one, so that its tokens have been moved out of
the model's memory by the other's. Times are those that the window would see: from the request to the first piece of
text out of the inference worker. The worker's resident memory is told as well: the saved states are capped at 512 MiB.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import msgspec
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from decode import starter_model

from workbench.api import events
from workbench.engine.inference_calls import Generate, Generated, Load
from workbench.processes.host import WorkerHost
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart

DECODING = DecodingPart(max_tokens=16, repetition_penalty=1.0)
SUBJECTS = ("The history of the harbour and of its keepers. ", "A report on the bridge, its repair and cost. ")


def ask(worker: WorkerHost, messages: list[Message]) -> tuple[float, Generated]:
    """Seconds to the first text, and the answer, which is added to the messages."""
    began = time.perf_counter()
    first = 0.0
    for event in worker.stream(Generate(messages=tuple(messages), decoding=DECODING)):
        if isinstance(event, events.TextDelta) and not first:
            first = time.perf_counter() - began
        elif isinstance(event, events.Finished):
            result = msgspec.convert(event.result, Generated)
            messages.append(Message("assistant", result.text or "Yes."))
            return first, result
    raise RuntimeError(f"no answer: {event}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    path = options.model or starter_model()
    worker = WorkerHost("inference")
    worker.call(Load(path=str(path), context_tokens=4096, threads=options.threads))
    cold, back, shares = list[float](), list[float](), list[float]()
    sizes = list[int]()
    for number in range(options.rounds):
        chats = []
        for subject in SUBJECTS:
            messages = [Message("user", f"Text number {number}. " + subject * 68 + "Say in a sentence what this is.")]
            seconds, result = ask(worker, messages)
            cold.append(seconds)
            sizes.append(result.usage.prompt_tokens)
            chats.append(messages)
        for _turn in range(2):
            for messages in chats:
                messages.append(Message("user", "And then?"))
                seconds, result = ask(worker, messages)
                back.append(seconds)
                shares.append(result.usage.cached_tokens / result.usage.prompt_tokens)
    memory = psutil.Process(worker.pid).memory_info().rss if worker.pid else 0
    worker.stop()
    middle, again = statistics.median(cold), statistics.median(back)
    print(f"{path.name}: chats of {min(sizes)}-{max(sizes)} tokens, {options.rounds} rounds")
    print(f"first token, cold      {middle * 1000:7.0f} ms  ({min(cold) * 1000:.0f}-{max(cold) * 1000:.0f})")
    print(f"first token, back      {again * 1000:7.0f} ms  ({min(back) * 1000:.0f}-{max(back) * 1000:.0f})")
    print(
        f"ratio {again / middle:.3f}; {statistics.median(shares):.1%} of the tokens were reused; {memory / 1e6:.0f} MB"
    )


if __name__ == "__main__":
    main()
