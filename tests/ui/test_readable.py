"""JSON of a step as a list of names and values."""

from __future__ import annotations

import pytest

from ui.components.steps.readable import readable


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('{"name": "Ada", "age": 36}', ["name: Ada", "age: 36"]),
        ('{"tags": ["a", "b"], "none": {}}', ["tags: a, b", "none:"]),
        ('[{"n": 1}, {"n": 2}]', ["1.", "    n: 1", "2.", "    n: 2"]),
        ('{"rows": [{"price": 3.5}]}', ["rows:", "    1.", "        price: 3.5"]),
        ('["one", "two"]', ["1. one", "2. two"]),
    ],
)
def test_data_is_listed(text: str, lines: list[str]) -> None:
    assert readable(text).split("\n") == lines


@pytest.mark.parametrize(
    "text", ["Plain words.", "{not json}", '{"half": ', "", "{}", "[1] A citation [2].", "[" * 5_000]
)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert readable(text) == text


def test_what_is_very_deep_ends_in_a_line_of_data() -> None:
    deep: str = "1"
    for _ in range(40):
        deep = f'{{"a": {deep}}}'
    assert readable(deep).count("\n") == 12
