"""Where in JSON one is, in pieces cut anywhere."""

from __future__ import annotations

import json
import random

import pytest

from workbench.techniques.decoding.json_place import JsonPlace

TEXTS = [
    '{"a": 1, "b": {"a": 2, "c": [{"a": 3}, {"a": 4}]}, "c": "a\\"b{[,"}',
    '[{"a": "x", "b": [1, 22, "333"]}, "a", {"a": {}, "b": []}]',
    '{"": 0, " ": 1, "\\\\": 2, "\\"": 3}',
]
TWICE = ['{"a": 1, "a": 2}', '{"b": {"x": [], "y": 0, "x": 1}}', '[{"\\u0061": 1, "b": 2, "a": 3}]']


def has_twice(text: str) -> bool:
    found = False

    def look(pairs: list[tuple[str, object]]) -> None:
        nonlocal found
        found = found or len(dict(pairs)) < len(pairs)

    json.loads(text, object_pairs_hook=look)
    return found


@pytest.mark.parametrize("text", TEXTS + TWICE)
@pytest.mark.parametrize("seed", range(5))
def test_names_that_come_twice_are_found_however_the_text_is_cut(text: str, seed: int) -> None:
    source, place, told = random.Random(seed), JsonPlace(), False
    rest = text.encode()
    while rest:
        size = source.randint(1, 7)
        piece, rest = rest[:size], rest[size:]
        told = told or place.repeats_name(piece)
        place.read(piece)
    assert place.repeated is told is has_twice(text)
    assert not place.in_string


def test_the_name_that_is_being_written_may_be_there_already() -> None:
    place = JsonPlace()
    place.read(b'{"ab": 1, "a')
    assert not place.has_name
    assert place.repeats_name(b'b": 2')
    assert not place.repeats_name(b"b")
    place.read(b"b")
    assert place.has_name
    assert not place.repeats_name(b'c": 2')


def test_digits_count_outside_of_strings_only() -> None:
    place = JsonPlace()
    place.read(b'["12", 123')
    assert place.digits == 3
    place.read(b"4")
    assert place.digits == 4
    place.read(b', "5')
    assert (place.digits, place.in_string) == (0, True)
