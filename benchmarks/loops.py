"""Answers that repeat themselves: how many there are in greedy decoding, and which of them the loop detector ends.

    python benchmarks/loops.py --collect FILE.jsonl [--model starter gemma] [--tokens 320] [--topics fit judged]

Greedy answers of both starter models to prompts that invite length (stories, lists, diaries, explanations), without the
detector and without a penalty, 16 at a time. The topics of the prompts are split: the detector's rules were looked at
on ``fit`` and are judged on ``judged``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import msgspec
from decode import starter_model
from reasoning import gemma

from workbench.api import events
from workbench.engine.inference_calls import Generate, GenerateMany, Generated, Load
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.workers.host import WorkerHost

FORMS = (
    "Write a long story about {}.",
    "List fifty facts about {}.",
    "Write a diary of ten days about {}.",
    "Explain everything that is known about {}, in detail.",
    "Write a poem of many verses about {}.",
    "Give me forty tips about {} as a numbered list.",
    "Write a dialogue between two friends about {}.",
    "Describe the history of {} from the beginning until today.",
)
TOPICS = {
    "fit": ("a lighthouse", "bicycles", "the winter", "a bakery", "honey bees"),
    "judged": ("an old railway", "gardens", "the moon", "a market town", "sailing ships", "mountain goats", "clocks", "rain"),
}
TOGETHER = 16


def prompts(split: str) -> list[str]:
    return [form.format(topic) for topic in TOPICS[split] for form in FORMS]


def collect(path: Path, asked: list[str], decoding: DecodingPart, plain: bool) -> list[Generated]:
    worker = WorkerHost("inference")
    worker.call(Load(path=str(path), context_tokens=TOGETHER * (decoding.max_tokens + 64)))
    found: list[Generated] = []
    for at in range(0, len(asked), TOGETHER):
        calls = tuple(
            Generate(messages=(Message("user", text),), decoding=decoding, plain=plain)
            for text in asked[at : at + TOGETHER]
        )
        results: dict[int, Generated] = {}
        for event in worker.stream(GenerateMany(requests=calls)):
            inner = getattr(event, "of", None)
            if inner is not None and isinstance(inner, events.Finished):
                results[event.part] = msgspec.convert(inner.result, Generated)
        found += [results[n] for n in range(len(calls))]
        print(f"  {len(found)} of {len(asked)}", flush=True)
    worker.stop()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--collect", type=Path, required=True)
    parser.add_argument("--model", nargs="+", default=["starter", "gemma"])
    parser.add_argument("--topics", nargs="+", default=["fit", "judged"])
    parser.add_argument("--tokens", type=int, default=320)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, options.collect.open("a") as out:
        for model in options.model:
            path = starter_model() if model == "starter" else gemma(Path(folder))
            for split in options.topics:
                asked = prompts(split)
                decoding = DecodingPart(strategy="greedy", repetition_penalty=1.0, max_tokens=options.tokens)
                for text, made in zip(asked, collect(path, asked, decoding, model == "gemma"), strict=True):
                    row = {"model": model, "split": split, "prompt": text, "finish": made.finish, "text": made.text}
                    row["tokens"] = made.sequences[0].tokens
                    out.write(json.dumps(row) + "\n")
                    out.flush()


if __name__ == "__main__":
    main()
