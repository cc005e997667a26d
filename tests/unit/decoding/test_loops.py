"""When an answer counts as a loop, as tokens of both starter models, and how each strategy ends one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Generate, Generated, Load
from workbench.engine.library import llama, start_library
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt
from workbench.engine.vocabulary import Vocabulary
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.loops import EVERY, FEWEST, repeated
from workbench.techniques.decoding.strategies import Strategies

ORDINARY = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures" / "ordinary_answers.jsonl").read_text("utf-8").splitlines()
]
HAPPY = "They were just as happy as before, and the dog was just as happy as they were."
LOOPS = {
    "words": "He was very " + "very " * 60,
    "phrase": "They were happy" + ", just as happy" * 20,
    "sentence": "There was a lighthouse. " + f"{HAPPY} " * 8,
    "lines": "Here is the list:\n" + "- A bakery bakes bread for the people of the town.\n" * 60,
    "numbered": "Here is the list:\n" + "".join(f"{n}. just as happy\n" for n in range(1, 60)),
    "numbered, from 95": "".join(f"{n}. Snow and ice are a part of every winter.\n\n" for n in range(95, 120)),
    "verse": "The sea\n"
    + "The boats go out at night,\nthe boats come home at dawn,\nand nobody is waiting there\n" * 6,
    "paragraphs": "It began.\n\n" + "The keeper climbed the stairs. He lit the lamp. The ships passed by.\n\n" * 7,
    "mixed": "So it was.\n" + "The bees fly home.\nThe hive is full.\nThe bees fly home.\nThe bees fly home.\n" * 9,
    "labels without an end": "".join(
        f"{n}. {'It is a rainy day' if n * n % 7 in (1, 2) else 'It is a sunny day'}\n" for n in range(1, 90)
    ),
    "Chinese": "从前有一座灯塔。" + "灯塔每天晚上都会亮起来，照亮海上的船只。" * 8,
    "blank lines": "The end." + "\n \n" * 80,
    "after code": "```python\nprint(1)\n```\n" + f"{HAPPY}\n" * 8,
}
PERMITTED = {
    "rule of a table": "| a | b |\n|" + "-" * 400 + "|" + "---|" * 90,
    "line": "=" * 300 + "\n" + "-" * 300 + "\n" + "* " * 200,
    "number": "1/3 is 0." + "3" * 400,
    "digits": "0101 " * 90,
    "fenced": "```\n" + "INFO nothing to do, waiting for the next run\n" * 40,
    "fenced, within a list": "- So:\n  ~~~text\n" + "  still waiting for the next run of it\n" * 40,
    "markup": "<ul>\n" + "  <li>empty</li>\n" * 60,
    "labels": "".join(f"{n}. {'Not spam' if n * n % 7 in (1, 2) else 'Spam mail'}\n" for n in range(1, 41)),
    "calls": 'print("hello to the big world")\n' * 30,
    "array": "[" + '"not started", ' * 60 + "]",
    "statements": "    total = total + next_value(source);\n" * 30,
}


@pytest.fixture(scope="session")
def gemma_vocabulary(gemma_path: Path) -> Iterator[Vocabulary]:
    start_library()
    parameters = llama.llama_model_default_params()
    parameters.vocab_only = True
    model = llama.llama_model_load_from_file(str(gemma_path).encode(), parameters)
    yield Vocabulary(llama.llama_model_get_vocab(model))
    llama.llama_model_free(model)


class Words:
    """A vocabulary that splits at words: every text is a few tokens."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        pieces = [piece.encode() for piece in re.findall(r" ?[a-z]+|\s|.", text, re.IGNORECASE)]
        self._pieces += sorted(set(pieces) - set(self._pieces))
        return [self._pieces.index(piece) for piece in pieces]

    def piece(self, token: int) -> bytes:
        return self._pieces[token]


def ended_after(tokens: Sequence[int], piece: Callable[[int], bytes]) -> int:
    """After how many tokens an answer that is looked at while it grows is ended; 0 for never."""
    return next((n for n in range(EVERY, len(tokens) + 1, EVERY) if repeated(tokens[:n], piece)), 0)


@pytest.fixture(params=["words", "vocabulary", "gemma_vocabulary"])
def some_vocabulary(request: pytest.FixtureRequest) -> Any:
    return Words() if request.param == "words" else request.getfixturevalue(request.param)


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS)
def test_a_loop_is_ended(text: str, some_vocabulary: Any) -> None:
    tokens = some_vocabulary.tokenize(text, special=False)
    assert FEWEST <= ended_after(tokens, some_vocabulary.piece) < len(tokens)


def test_a_unit_is_written_three_times_and_has_48_tokens_in_all() -> None:
    words = Words()
    sentence = "The keeper of the old light climbs three hundred steps every evening and lights the lamp for ships"
    begun = words.tokenize("Once there was a harbour with a mole. ")
    unit = words.tokenize(f"{sentence} and trims the wick and looks at the sea until dawn. ")
    assert len(unit) >= 24
    assert not repeated(begun + 2 * unit, words.piece)
    assert not repeated(begun + 2 * unit + unit[:-4], words.piece)  # the third is not complete
    assert repeated(begun + 3 * unit, words.piece).strip().endswith("until dawn.")
    short = words.tokenize(" so happy")
    assert not repeated(begun + 23 * short, words.piece)
    assert repeated(begun + 24 * short, words.piece) == "so happy "


def test_a_short_line_may_be_sung_three_times() -> None:
    words = Words()
    line = words.tokenize("Put him in the scuppers with a hose pipe on him until he is quite sober,\n")
    assert 16 <= len(line) < 24
    assert not repeated(3 * line, words.piece)
    assert repeated(4 * line, words.piece)


@pytest.mark.parametrize("text", PERMITTED.values(), ids=PERMITTED)
def test_what_may_repeat_is_never_ended(text: str, some_vocabulary: Any) -> None:
    assert not ended_after(some_vocabulary.tokenize(text, special=False), some_vocabulary.piece)


def test_ordinary_answers_are_never_ended(some_vocabulary: Any) -> None:
    kinds = [one["kind"] for one in ORDINARY]
    assert len(ORDINARY) == 200
    assert [kinds.count(kind) for kind in ("table", "code", "verse", "list")] == [40, 40, 20, 20]
    ended = [
        one["text"][:80]
        for one in ORDINARY
        if ended_after(some_vocabulary.tokenize(one["text"], special=False), some_vocabulary.piece)
    ]
    assert ended == []


# -- how strategies end one ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(smollm_path: Path) -> Iterator[Engine]:
    call = Load(path=str(smollm_path), context_tokens=2048, threads=1)
    steps = load_model(call, inspect_model(str(smollm_path)), RequestContext())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            engine = Engine(end.value)
            break
    yield engine
    engine.close()


BEGUN = "A winter's night, a winter's night,\nA winter's night, a winter's night,\nA winter's night,"
"""Its continuation is the same line again, for both models."""


def answer(engine: Engine, decoding: DecodingPart, text: str = BEGUN) -> tuple[Generated, list[events.Event]]:
    prompt = Prompt(engine.model.vocabulary.tokenize(text, special=False))
    job = Strategies().make_job(Generate(decoding=decoding), prompt, engine, RequestContext(), 0.0)
    arrived = list(engine.submit(job).events())
    (*streamed, last) = arrived
    assert isinstance(last, events.Finished), last
    return msgspec.convert(last.result, Generated), streamed


STRATEGIES = {
    "greedy": DecodingPart(strategy="greedy", max_tokens=400),
    "temperature 0": DecodingPart(max_tokens=400),
    "sampling": DecodingPart(temperature=0.2, top_k=2, seed=1, max_tokens=400),
    "several answers": DecodingPart(temperature=0.2, top_k=2, n=3, seed=1, max_tokens=300),
    "draft tokens": DecodingPart(strategy="greedy", speculation="ngram", max_tokens=400),
    "beam": DecodingPart(strategy="beam", num_beams=2, max_tokens=400),
    "contrastive": DecodingPart(strategy="contrastive", contrastive_k=2, penalty_alpha=0.0, max_tokens=400),
}


@pytest.mark.parametrize("decoding", STRATEGIES.values(), ids=STRATEGIES)
def test_every_strategy_ends_a_loop_and_marks_it(engine: Engine, decoding: DecodingPart) -> None:
    made, streamed = answer(engine, decoding)
    assert made.finish == "loop"
    assert len(made.sequences) == decoding.n
    for number, sequence in enumerate(made.sequences):
        if sequence.finish == "loop":
            assert FEWEST <= len(sequence.tokens) < 250
            assert sequence.repeated
            assert sequence.repeated in sequence.text
        shown = [one.text for one in streamed if isinstance(one, events.TextDelta) and one.sequence == number]
        assert "".join(shown) == sequence.text  # what was shown stays


@pytest.mark.parametrize(
    "decoding",
    [
        DecodingPart(format="regex", grammar="( a winter's night,)*", max_tokens=120),
        DecodingPart(strategy="greedy", logit_bias=("#2=-inf",), max_tokens=120),
    ],
    ids=["constrained", "end banned"],
)
def test_constrained_answers_and_those_of_a_fixed_length_are_not_ended(engine: Engine, decoding: DecodingPart) -> None:
    made, _ = answer(engine, decoding)
    assert made.finish == "length" or (decoding.format != "text" and made.finish == "grammar")
    assert len(made.sequences[0].tokens) > 100


def test_draft_tokens_change_nothing_of_it(engine: Engine) -> None:
    alone, _ = answer(engine, STRATEGIES["greedy"])
    drafted, _ = answer(engine, STRATEGIES["draft tokens"])
    assert drafted.sequences[0].tokens == alone.sequences[0].tokens


@pytest.mark.parametrize("decoding", [DecodingPart(strategy="greedy"), DecodingPart(strategy="beam", num_beams=2)])
def test_an_answer_that_goes_on_from_a_loop_with_a_penalty_leaves_it(engine: Engine, decoding: DecodingPart) -> None:
    decoding = msgspec.structs.replace(decoding, max_tokens=200)
    looped, _ = answer(engine, decoding)
    prompt = Prompt(engine.model.vocabulary.tokenize(BEGUN, special=False))
    begun = looped.sequences[0].tokens

    def go_on(part: DecodingPart) -> Generated:
        call = Generate(decoding=part, answer=begun)
        *_, last = engine.submit(Strategies().make_job(call, prompt, engine, RequestContext(), 0.0)).events()
        return msgspec.convert(last.result, Generated)

    again = go_on(decoding)  # which is no loop at once, but soon
    assert again.finish == "loop"
    assert FEWEST <= len(again.sequences[0].tokens) - len(begun) < 120
    left = go_on(msgspec.structs.replace(decoding, dry_multiplier=0.8, max_tokens=60))
    new = left.sequences[0].tokens[len(begun) :]
    assert left.sequences[0].tokens[: len(begun)] == begun
    assert left.finish == "eos" or len(new) > 2 * EVERY
