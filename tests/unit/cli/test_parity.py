"""The terminal makes every call that the window makes, and the other way round, except where a reason is given here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench import calls

ROOT = Path(__file__).parents[3]
CALLS = {call.__name__ for call in calls.ALL}

WINDOW_ONLY = {
    "ListMethods": "The terminal reads the methods from the program; the window may not import them.",
    "RestoreBackup": "`workbench restore` restores without a core, since the folder that it restores has none.",
    "InspectBackup": "`workbench restore --inspect` reads the file itself, without a core.",
    "SaveReport": "`workbench doctor --report` writes the report itself: it must work where no core can be started.",
    "Subscribe": "A command shows what it asked for and ends; it has no lists to keep fresh.",
    "WarmUp": "It loads a model ahead of the first question; `workbench models load` does that for a person.",
}
TERMINAL_ONLY = {
    "CallTool": "In the window an agent calls the tools; a person edits and repeats its calls in the steps.",
    "ShowPrompt": "The window shows the exact prompt of each answer among its steps, once there is an answer.",
    "ServeApi": "The window serves the local API by a setting, for as long as the core runs.",
}
NEITHER = {
    "AskServed": "Requests of other programs to the local API.",
    "EmbedServed": "The same.",
    "RankServed": "The same.",
    "TokenizeServed": "The same.",
    "DetokenizeServed": "The same.",
    "DescribeServedTokenizer": "The same.",
    "ScoreAnswers": "Scripts score answers; window and terminal train with rewards, or let them judge.",
}


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


def test_the_terminal_makes_every_call_of_the_window(terminal: set[str], window: set[str]) -> None:
    assert window - terminal == set(WINDOW_ONLY)


def test_the_window_makes_every_call_of_the_terminal(terminal: set[str], window: set[str]) -> None:
    assert terminal - window == set(TERMINAL_ONLY)


def test_calls_that_neither_makes_are_those_of_other_clients(terminal: set[str], window: set[str]) -> None:
    assert CALLS - terminal - window == set(NEITHER)


def test_a_call_counts_where_it_is_made_and_not_where_it_is_imported_or_annotated() -> None:
    assert calls_named("from workbench.calls import PinChat, GetChat\ndef f(x: PinChat) -> GetChat: ...") == set()
    assert calls_named("bridge.call(calls.PinChat(chat=id))") == {"PinChat"}
    assert calls_named("button.clicked.connect(lambda: self._ask(PauseRun))") == {"PauseRun"}
