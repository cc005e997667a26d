"""A method is named in one source file only: everything else asks its row."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from workbench.records.methods import Method
from workbench.techniques.registry import METHODS

ROOT = Path(__file__).parents[3]

HOMONYMS: dict[str, set[str]] = {}
"""Files in which the literal is not the method but another thing of the same name, by the method's name."""


@pytest.fixture(scope="module")
def literals() -> dict[str, set[str]]:
    """The files of each string literal of the program."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder in ("workbench", "ui"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found[node.value].add(path.relative_to(ROOT).as_posix())
    return found


@pytest.mark.parametrize(
    "method", [method for method in METHODS if method.technique != "finetuning"], ids=lambda method: method.name
)
def test_a_method_is_named_in_one_file(method: Method, literals: dict[str, set[str]]) -> None:
    files = literals[method.name] - HOMONYMS.get(method.name, set())
    assert len(files) == 1, sorted(files)


def test_a_homonym_is_still_there(literals: dict[str, set[str]]) -> None:
    for name, files in HOMONYMS.items():
        assert files <= literals[name], name
