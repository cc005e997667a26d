"""Going back and forth between two chats of about 700 tokens: time to the first token, cold and back again.

    python benchmarks/prefixes.py

Two chats begin with texts of about 700 tokens. Cold: the first question of each chat (a text never seen before, in
each round). Back: the next question of the chat that was not the last one, so that its tokens have been moved out of
the model's memory by the other's. Times are those that the window would see: from the request to the first piece of
text out of the inference worker. The worker's resident memory is told as well: the saved states are capped at 512 MiB.
"""

from __future__ import annotations

import statistics
import time

import msgspec
import psutil
from harness import arguments, show, starter_model

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
    options = arguments(__doc__, "model", rounds=5, threads=0).parse_args()
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
    show(
        {name: [1000 * seconds for seconds in values] for name, values in (("cold", cold), ("back", back))},
        "cold",
        "ms",
        f"{path.name}: the first token in chats of {min(sizes)} to {max(sizes)} tokens, {options.rounds} rounds",
    )
    print(f"{statistics.median(shares):.1%} of the tokens were reused; {memory / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
