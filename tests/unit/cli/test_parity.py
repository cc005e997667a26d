"""The terminal makes every call that the window makes, and the other way round, except where the call says why not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench import calls
from workbench.api.protocol import Call

ROOT = Path(__file__).parents[3]
CALLS = {call.__name__ for call in calls.ALL}


def calls_named(source: str) -> set[str]:
    """The calls that a module's code names. Imports, annotations and docstrings do not count."""
    return {name for name in _names(ast.parse(source)) if name in CALLS}


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _names(child)


def calls_below(folder: str) -> set[str]:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    return set().union(*(calls_named(file.read_text(encoding="utf-8")) for file in files))


@pytest.fixture(scope="module")
def terminal() -> set[str]:
    return calls_below("workbench/cli")


@pytest.fixture(scope="module")
def window() -> set[str]:
    return calls_below("ui")


@pytest.mark.parametrize("call", calls.ALL, ids=lambda call: call.__name__)
def test_the_window_and_the_terminal_both_make_it_or_the_call_says_why_not(
    call: type[Call[object]], terminal: set[str], window: set[str]
) -> None:
    name = call.__name__
    made = {(True, True): None, (True, False): "window", (False, True): "terminal", (False, False): "neither"}
    found = made[name in window, name in terminal]
    declared, reason = call.made_by or (None, "")
    assert found == declared, (
        f"{name} is made by {found or 'both'}, of window and terminal. Let both make it, or say in its class why not: "
        f'made_by = ("{found}", "REASON").'
    )
    assert (declared is None) == (not reason)


def test_a_call_counts_where_it_is_made_and_not_where_it_is_imported_or_annotated() -> None:
    assert calls_named("from workbench.calls import PinChat, GetChat\ndef f(x: PinChat) -> GetChat: ...") == set()
    assert calls_named("bridge.call(calls.PinChat(chat=id))") == {"PinChat"}
    assert calls_named("button.clicked.connect(lambda: self._ask(PauseRun))") == {"PauseRun"}
