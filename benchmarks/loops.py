"""Answers that repeat themselves: how many there are in greedy decoding, and which of them the loop detector ends.

    python benchmarks/loops.py [--model starter gemma] [--tokens 320] [--topics judged] [--out FILE.jsonl]
    python benchmarks/loops.py --texts FILE.jsonl... [--speed]

Greedy answers of both starter models to prompts that invite length (stories, lists, diaries, explanations), without a
penalty, 16 at a time, with the detector and without. Without it, an answer counts as a loop when it reaches the
maximum length and its last 200 tokens compress to less than a fifth (zlib), which knows nothing of the detector. The
topics of the prompts are split: the detector's rules were looked at on ``fit`` and are judged on ``judged``.

--texts: the detector on ordinary texts (lines of JSON with ``text``, such as tests/fixtures/ordinary_answers.jsonl), as
tokens of both models, after every token at which it looks: how many it would have cut. --speed: greedy decoding with it
and without, interleaved.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from decode import starter_model
from reasoning import gemma

from workbench.api.protocol import RequestContext, result_of
from workbench.engine.inference_calls import Generate, Generated, Load
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.plain_prompts import plain_prompt
from workbench.engine.prompt import PromptWriter
from workbench.engine.template import TemplateRenderer
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding import loops
from workbench.techniques.decoding.answer_job import GenerationRequest
from workbench.techniques.decoding.generation import Generation

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
    "judged": (
        "an old railway",
        "gardens",
        "the moon",
        "a market town",
        "sailing ships",
        "mountain goats",
        "clocks",
        "rain",
    ),
}
TOGETHER = 16


def prompts(split: str) -> list[str]:
    return [form.format(topic) for topic in TOPICS[split] for form in FORMS]


def load(path: Path, tokens: int) -> Engine:
    steps = load_model(Load(path=str(path), context_tokens=tokens), inspect_model(str(path)), RequestContext())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return Engine(end.value)


class Model:
    """A model in this process. A base model continues the prompt's text."""

    def __init__(self, path: Path, tokens: int, *, base: bool) -> None:
        self.engine = load(path, tokens)
        self._base = base
        self._renderer = TemplateRenderer()
        self._writer = PromptWriter(self.engine.model.template, self.engine.model.vocabulary, self._renderer)

    def submit(self, text: str, most: int, *, ends_loops: bool) -> Any:
        model, asked = self.engine.model, (Message("user", text),)
        prompt = plain_prompt(model.vocabulary, asked) if self._base else self._writer.write(asked)
        decoding = DecodingPart(strategy="greedy", max_tokens=most)
        where = model.vocabulary, model.context_tokens, RequestContext()
        started = time.perf_counter()
        request = GenerationRequest(prompt, decoding, *where, started=started, ends_loops=ends_loops)
        return self.engine.submit(Generation(request))

    def answers(self, asked: Sequence[str], most: int, *, ends_loops: bool) -> list[Generated]:
        found: list[Generated] = []
        for at in range(0, len(asked), TOGETHER):
            jobs = [self.submit(text, most, ends_loops=ends_loops) for text in asked[at : at + TOGETHER]]
            found += [result_of(Generate(), job.events()) for job in jobs]
            print(f"  {len(found)} of {len(asked)}", flush=True)
        return found

    def close(self) -> None:
        self.engine.close()
        self._renderer.close()


def is_loop(made: Generated, piece: Any) -> bool:
    """Whether an answer without the detector goes round in circles until its maximum length."""
    if made.finish != "length":
        return False
    tail = b"".join(piece(token) for token in made.sequences[0].tokens[-200:])
    return len(zlib.compress(tail, 9)) < len(tail) / 5


def compare(name: str, model: Model, split: str, most: int, out: Path | None) -> None:
    asked, piece = prompts(split), model.engine.model.vocabulary.piece
    print(f"{name}, {split}, {len(asked)} prompts", flush=True)
    without = model.answers(asked, most, ends_loops=False)
    with_it = model.answers(asked, most, ends_loops=True)
    looping = [is_loop(one, piece) for one in without]
    ended = [one.finish == "loop" for one in with_it]
    both = sum(a and b for a, b in zip(looping, ended, strict=True))
    tokens = sorted(len(one.sequences[0].tokens) for one in with_it if one.finish == "loop")
    print(
        f"  loops without it {sum(looping)}, ended {both} of them; ended besides {sum(ended) - both}; "
        f"tokens when ended {statistics.median(tokens) if tokens else 0:.0f} "
        f"({tokens[0] if tokens else 0} to {tokens[-1] if tokens else 0})",
        flush=True,
    )
    if out is not None:
        with out.open("a") as file:
            for text, one, other, loop in zip(asked, without, with_it, looping, strict=True):
                row = {"model": name, "split": split, "prompt": text, "loop": loop, "without": one.text}
                row |= {"finish": one.finish, "with": other.text, "ended": other.finish}
                file.write(json.dumps(row | {"repeated": other.sequences[0].repeated}) + "\n")


def would_cut(model: Model, files: Sequence[Path]) -> None:
    vocabulary = model.engine.model.vocabulary
    texts = [json.loads(line)["text"] for file in files for line in file.read_text("utf-8").splitlines()]
    cut = count = 0
    seconds = 0.0
    for text in texts:
        tokens = vocabulary.tokenize(text, special=False)
        count += len(tokens)
        began = time.perf_counter()
        for length in range(loops.EVERY, len(tokens) + 1, loops.EVERY):
            if unit := loops.repeated(tokens[:length], vocabulary.piece):
                cut += 1
                print(f"  cut after {length} of {len(tokens)} tokens: {unit[:80]!r}")
                break
        seconds += time.perf_counter() - began
    print(f"  cut {cut} of {len(texts)} texts, {count:,} tokens, {1e6 * seconds / count:.0f} us a token", flush=True)


def speed(model: Model, rounds: int, most: int) -> None:
    """Tokens a second with the detector to those without, pairs of answers in turns."""
    text, ratios, absolute = FORMS[0].format("a lighthouse"), [], []
    for number in range(-1, rounds):
        found = {}
        for ends_loops in (True, False) if number % 2 else (False, True):
            made = result_of(Generate(), model.submit(text, most, ends_loops=ends_loops).events())
            found[ends_loops] = made.usage.tokens_per_s
        if number >= 0:
            ratios.append(found[True] / found[False])
            absolute.append(found[True])
    print(
        f"  with the detector {statistics.median(absolute):.1f} tok/s, to without {statistics.median(ratios):.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f}), {rounds} rounds",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="+", default=["starter", "gemma"])
    parser.add_argument("--topics", nargs="*", default=["judged"])
    parser.add_argument("--tokens", type=int, default=320)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--texts", type=Path, nargs="*", default=[])
    parser.add_argument("--speed", type=int, default=0, metavar="ROUNDS")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.model:
            path = starter_model() if name == "starter" else gemma(Path(folder))
            model = Model(path, TOGETHER * (options.tokens + 64), base=name == "gemma")
            if options.texts:
                print(name, flush=True)
                would_cut(model, options.texts)
            if options.speed:
                speed(model, options.speed, 100)
            for split in () if options.texts or options.speed else options.topics:
                compare(name, model, split, options.tokens, options.out)
            model.close()


if __name__ == "__main__":
    main()
