"""A method is named in one source file only: everything else asks its row."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from workbench.methods import METHODS
from workbench.records.methods import Method

ROOT = Path(__file__).parents[3]
NAMES = {method.name for method in METHODS}

COMMON_WORDS = {"lora", "prefix", "prompt", "reward"}
"""Methods whose name is a word of the whole program: kinds of adapter files, what a model reads, what it is worth."""

HOMONYMS = {
    "calculator": {"ui/components/steps/timeline_row.py"},  # icons, by words of the names
    "team": {"ui/components/steps/timeline_row.py"},
    "sft": {"workbench/training/objectives/dpo.py"},  # a loss of TRL
    "critic": {  # a check, and the kind of its step
        "ui/components/steps/texts.py",
        "workbench/techniques/agents/checks.py",
        "workbench/techniques/prompting/self_refine.py",
        "workbench/techniques/prompting/tree_of_thoughts.py",
    },
    "beam": {"workbench/techniques/prompting/tree_search.py"},  # of thoughts, not of tokens
    "full": {"workbench/storage/database.py"},  # a pragma of SQLite
    "remember": {"ui/shell.py", "ui/components/steps/timeline_row.py"},  # a method of pages; an icon
    "layers": {  # of a model, on a graphics card, of an archive
        "workbench/cli/models.py",
        "workbench/subjects/models/local_sources.py",
        "workbench/base/settings.py",
    },
}
"""Files in which the literal is not the method but another thing of the same name."""

CHOSEN_BY = {"method", "strategy", "technique", "objective", "task"}
"""Fields that hold a method's name."""


_QUOTED = re.compile(rf"""["'](?:{"|".join(map(re.escape, NAMES))})["']""")


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """The modules in which a name of a method stands as a literal; to parse all takes seconds."""
    texts = {path: path.read_text("utf-8") for folder in ("workbench", "ui") for path in (ROOT / folder).rglob("*.py")}
    return {path.relative_to(ROOT).as_posix(): ast.parse(text) for path, text in texts.items() if _QUOTED.search(text)}


@pytest.fixture(scope="module")
def literals(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """The files of each string literal of these."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found[node.value].add(path)
    return found


@pytest.mark.parametrize(
    "method", [method for method in METHODS if method.name not in COMMON_WORDS], ids=lambda method: method.name
)
def test_a_method_is_named_in_one_file(method: Method, literals: dict[str, set[str]]) -> None:
    files = literals[method.name] - HOMONYMS.get(method.name, set())
    assert len(files) == 1, sorted(files)


def test_a_homonym_is_still_there(literals: dict[str, set[str]]) -> None:
    for name, files in HOMONYMS.items():
        assert files <= literals[name], name


def test_no_field_that_holds_a_method_is_compared_with_a_name(trees: dict[str, ast.Module]) -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(part, ast.Attribute) and part.attr in CHOSEN_BY for part in ast.walk(node.left))
        and NAMES.intersection(
            part.value
            for side in node.comparators
            for part in ast.walk(side)
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        )
    ]
    assert found == []
