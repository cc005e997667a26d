"""Answers under JSON schemas: do all of them parse, validate and end because the grammar was complete?

    python benchmarks/structured.py

Drives the inference worker as the program does. Schemas are varied: objects in arrays in objects, enums, numbers with
and without bounds, strings with and without a longest length, patterns, optional properties, open objects, ``$ref`` to
definitions, ``anyOf``. (Real schemas of others: JSONSchemaBench, arXiv:2501.10868.) Half of the answers are drawn at
temperature 1, a quarter at 0.7 and a quarter is greedy. What was made is checked with jsonschema. "at the limit" counts
answers that used every token they had: there the constraint may have completed them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema
import msgspec
from harness import arguments, starter_model

from workbench.api import events
from workbench.engine.inference_calls import Generate, Generated, Load
from workbench.processes.host import WorkerHost
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart

SUBJECTS = ("a harbour", "a small bakery", "the planet Mars", "a chess club", "a red fox", "an old library", "a storm")
WORDS = ("name", "kind", "size", "price", "year", "rating", "note", "place", "owner", "colour", "weight", "state")
DEFINITIONS = {
    "code": {"type": "string", "pattern": "^[a-z]+(-[a-z0-9]+)?$", "maxLength": 12},
    "place": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 16}, "zip": {"type": "string", "pattern": "^[0-9]{5}$"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
CHOICES = ("low", "middle", "high", "unknown", "red", "green", "blue", "open", "closed")


def draw_schema(source: random.Random, depth: int = 0) -> dict[str, Any]:
    """An object schema: always an enum, a number and, down to the third level, an array of such objects."""
    names = iter(source.sample(WORDS, len(WORDS)))
    properties: dict[str, Any] = {
        next(names): {"enum": source.sample(CHOICES, source.randint(2, 4))},
        next(names): draw_number(source),
    }
    for _ in range(source.randint(0, 2)):
        properties[next(names)] = draw_leaf(source)
    if depth < source.randint(1, 2):
        array: dict[str, Any] = {"type": "array", "items": draw_schema(source, depth + 1)}
        if source.random() < 0.5:
            array |= {"minItems": 1, "maxItems": source.randint(1, 3)}
        properties["parts"] = array
    required = [name for name in properties if name == "parts" or source.random() < 0.8]
    closed: Any = source.choice([False, False, {"type": "integer"}])
    if closed is not False:
        required = list(properties)  # open objects with optional fields are not supported
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": closed}
    return schema if depth else {"$defs": DEFINITIONS, **schema}


def draw_number(source: random.Random) -> dict[str, Any]:
    low = source.randint(-50, 50)
    return source.choice(
        [
            {"type": "number"},
            {"type": "integer"},
            {"type": "integer", "minimum": low, "maximum": low + source.randint(1, 1000)},
            {"type": "number", "minimum": 0, "maximum": source.choice([1, 5, 99.5])},
        ]
    )


def draw_leaf(source: random.Random) -> dict[str, Any]:
    return source.choice(
        [
            {"type": "string"},
            {"type": "string", "minLength": 1, "maxLength": 24},
            {"type": "boolean"},
            {"type": ["string", "null"]},
            {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"},
            {"type": "string", "pattern": "^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$"},
            {"$ref": "#/$defs/code"},
            {"$ref": "#/$defs/place"},
            {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 12}, {"type": "null"}]},
            {"anyOf": [{"$ref": "#/$defs/place"}, {"type": "boolean"}]},
            {"type": "array", "items": {"enum": source.sample(CHOICES, 3)}, "minItems": 2, "maxItems": 5},
            {"type": "array", "items": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2}},
            draw_number(source),
        ]
    )


def tasks(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any], DecodingPart]]:
    source = random.Random(options.seed)
    for number in range(options.answers):
        schema = draw_schema(source)
        decoding = DecodingPart(
            temperature=(1.0, 0.0, 1.0, 0.7)[number % 4],
            format="json_schema",
            grammar=json.dumps(schema),
            max_tokens=options.tokens,
            seed=source.randrange(2**32 - 2),
        )
        yield source.choice(SUBJECTS), schema, decoding


def answer(worker: WorkerHost, subject: str, decoding: DecodingPart) -> Generated:
    question = Message("user", f"Describe {subject} as JSON.")
    for event in worker.stream(Generate(messages=(question,), decoding=decoding)):
        if isinstance(event, events.Finished):
            return msgspec.convert(event.result, Generated)
    raise RuntimeError(f"no answer: {event}")


def judge(schema: dict[str, Any], text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return "does not parse"
    validator = jsonschema.Draft202012Validator(schema)
    return "valid" if validator.is_valid(value) else "does not validate"


def main() -> None:
    options = arguments(__doc__, "model", answers=1000, tokens=160, together=4, threads=0, seed=1).parse_args()
    path = options.model or starter_model()
    worker = WorkerHost("inference")
    worker.call(Load(path=str(path), context_tokens=2048, threads=options.threads))
    began = time.perf_counter()
    rows: list[tuple[float, str, Generated]] = []

    def one(task: tuple[str, dict[str, Any], DecodingPart]) -> tuple[float, str, Generated]:
        subject, schema, decoding = task
        generated = answer(worker, subject, decoding)
        verdict = judge(schema, generated.text)
        if verdict != "valid" or generated.finish != "grammar":
            print(f"{verdict}, {generated.finish}: {decoding.grammar}\n  seed {decoding.seed}: {generated.text!r}")
        return decoding.temperature, verdict, generated

    with ThreadPoolExecutor(options.together) as pool:
        todo = tasks(options)
        while group := list(itertools.islice(todo, 20 * options.together)):
            rows += pool.map(one, group)
            print(f"\r{len(rows)} of {options.answers}", end="", file=sys.stderr, flush=True)
    taken = time.perf_counter() - began
    worker.stop()
    print(f"\n{path.name}: {len(rows)} answers in {taken:.0f} s, at most {options.tokens} tokens each")
    print(
        f"{'temperature':>12s} {'answers':>8s} {'parse':>6s} {'valid':>6s} {'grammar':>8s} {'at the limit':>13s} tokens"
    )
    for temperature in (*sorted({row[0] for row in rows}), None):
        chosen = [row for row in rows if temperature in (None, row[0])]
        verdicts = Counter(verdict for _, verdict, _ in chosen)
        parse = len(chosen) - verdicts["does not parse"]
        ended = sum(generated.finish == "grammar" for _, _, generated in chosen)
        counts = [generated.usage.new_tokens for _, _, generated in chosen]
        full = sum(count >= options.tokens for count in counts)
        print(
            f"{'all' if temperature is None else temperature:>12} {len(chosen):8d} {parse:6d} {verdicts['valid']:6d} "
            f"{ended:8d} {full:13d} {statistics.median(counts):.0f} (median)"
        )


if __name__ == "__main__":
    main()
