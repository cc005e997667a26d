"""Answers that repeat themselves: how many there are in greedy decoding, and which of them the loop detector ends.

    python benchmarks/loops.py
    python benchmarks/loops.py --texts FILE.jsonl...

Greedy answers of both starter models to prompts that invite length (stories, lists, diaries, explanations), without a
penalty, 8 at a time. Those that the detector ends go on without it for 64 tokens, and it is counted how many are still
the same repetition; an answer that reaches its maximum length and whose last tokens are repetition was missed. What is
repetition is said by zlib (less than a third of its size), which knows nothing of the detector. The topics of the
prompts are split: the detector's rules were looked at on ``fit`` and are judged on ``judged``.

--texts: the detector on ordinary texts (lines of JSON with ``text``, such as tests/fixtures/ordinary_answers.jsonl), as
tokens of both models, after every token at which it looks: how many it would have cut. --speed: greedy decoding with it
and without, interleaved.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import arguments, gemma, in_turns, spread, starter_model

from workbench.api.protocol import RequestContext, drain, result_of
from workbench.engine.inference_calls import Generate, Load
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
TOGETHER = 8
FURTHER = 64
"""Tokens for which an answer goes on, without the detector, after its end."""


def prompts(split: str) -> list[str]:
    return [form.format(topic) for topic in TOPICS[split] for form in FORMS]


def load(path: Path, tokens: int, threads: int) -> Engine:
    steps = load_model(
        Load(path=str(path), context_tokens=tokens, threads=threads), inspect_model(str(path)), RequestContext()
    )
    return Engine(drain(steps))


class Model:
    """A model in this process. A base model continues the prompt's text."""

    def __init__(self, path: Path, tokens: int, threads: int, *, base: bool) -> None:
        self.engine = load(path, tokens, threads)
        self._base = base
        self._renderer = TemplateRenderer()
        self._writer = PromptWriter(self.engine.model.template, self.engine.model.vocabulary, self._renderer)

    def submit(self, text: str, most: int, *, ends_loops: bool, answer: Sequence[int] = ()) -> Any:
        model, asked = self.engine.model, (Message("user", text),)
        prompt = plain_prompt(model.vocabulary, asked) if self._base else self._writer.write(asked)
        decoding = DecodingPart(strategy="greedy", max_tokens=most)
        where = model.vocabulary, model.context_tokens, RequestContext()
        started = time.perf_counter()
        request = GenerationRequest(prompt, decoding, *where, started=started, answer=answer, ends_loops=ends_loops)
        return self.engine.submit(Generation(request))

    def close(self) -> None:
        self.engine.close()
        self._renderer.close()


def compresses(tokens: Sequence[int], piece: Any) -> bool:
    """Whether these tokens are mostly repetition, as zlib sees it, which knows nothing of the detector."""
    text = b"".join(piece(token) for token in tokens)
    return len(zlib.compress(text, 9)) < len(text) / 3


def count(name: str, model: Model, asked: Sequence[str], most: int, out: Path | None) -> None:
    """Greedy answers to prompts with the detector; those that it ends go on without it for ``FURTHER`` tokens."""
    piece = model.engine.model.vocabulary.piece
    print(f"{name}, {len(asked)} prompts", flush=True)
    ended, went_on, missed, others, lengths = 0, 0, 0, 0, []
    for at in range(0, len(asked), TOGETHER):
        texts = asked[at : at + TOGETHER]
        made = [
            result_of(Generate(), job.events()) for job in [model.submit(text, most, ends_loops=True) for text in texts]
        ]
        further = {
            text: model.submit(text, FURTHER, ends_loops=False, answer=one.sequences[0].tokens)
            for text, one in zip(texts, made, strict=True)
            if one.finish == "loop"
        }
        for text, one in zip(texts, made, strict=True):
            tokens = one.sequences[0].tokens
            more: tuple[int, ...] = ()
            if text in further:
                more = result_of(Generate(), further[text].events()).sequences[0].tokens[len(tokens) :]
                ended += 1
                went_on += compresses((*tokens[-2 * FURTHER :], *more), piece)
                lengths.append(len(tokens))
            elif one.finish == "length":
                missed += compresses(tokens[-3 * FURTHER :], piece)
            others += one.finish == "eos"
            if out is not None:
                row = {"model": name, "prompt": text, "finish": one.finish, "tokens": len(tokens), "text": one.text}
                row |= {
                    "repeated": one.sequences[0].repeated,
                    "further": b"".join(map(piece, more)).decode("utf-8", "replace"),
                }
                with out.open("a") as file:
                    file.write(json.dumps(row) + "\n")
        print(
            f"  of {at + len(texts)}: ended by the detector {ended}, which would have gone on repeating {went_on}; "
            f"missed {missed}; ended by the model {others}; tokens when ended "
            f"{statistics.median(lengths) if lengths else 0:.0f} (up to {max(lengths, default=0)})",
            flush=True,
        )


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
    text = FORMS[0].format("a lighthouse")

    def made(ends_loops: bool, _round: int) -> float:
        return result_of(Generate(), model.submit(text, most, ends_loops=ends_loops).events()).usage.tokens_per_s

    found = in_turns(rounds, (True, False), made)
    ratios = [one / other for one, other in zip(found[True], found[False], strict=True)]
    print(
        f"  with the detector {spread(found[True])} tok/s, to without {spread(ratios, 3)}, {rounds} rounds", flush=True
    )


def main() -> None:
    parser = arguments(__doc__, "out", tokens=256, threads=0)
    parser.add_argument("--model", nargs="+", default=["starter", "gemma"])
    parser.add_argument("--topics", nargs="*", default=["judged"])
    parser.add_argument("--count", type=int)
    parser.add_argument("--texts", type=Path, nargs="*", default=[])
    parser.add_argument("--speed", type=int, default=0, metavar="ROUNDS")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.model:
            path = starter_model() if name == "starter" else gemma(Path(folder))
            model = Model(path, TOGETHER * (options.tokens + 192), options.threads, base=name == "gemma")
            if options.texts:
                print(name, flush=True)
                would_cut(model, options.texts)
            if options.speed:
                speed(model, options.speed, 100)
            if not options.texts and not options.speed:
                asked = [text for split in options.topics for text in prompts(split)]
                count(name, model, asked[: options.count], options.tokens, options.out)
            model.close()


if __name__ == "__main__":
    main()
