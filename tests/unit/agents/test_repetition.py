"""Repetition: identical calls, cycles and empty results; what changed counts anew."""

from __future__ import annotations

import pytest

from workbench.records.agents import ToolCall
from workbench.techniques.agents.repetition import Repetition, key_of
from workbench.techniques.tools.tool import Tool, ToolOutput


def call(text: str, tool: str = "look") -> ToolCall:
    return ToolCall(tool=tool, arguments={"q": text})


class Made:
    """Calls that are made one after the other; a letter is a reading call, a capital one that acts."""

    def __init__(self) -> None:
        self.repetition = Repetition()
        self.step = 0

    def __call__(self, name: str, result: str = "") -> str:
        """The verdict of a call, which is made where it may be."""
        asked = call(name, "write" if name.isupper() else "look")
        verdict = self.repetition.verdict(asked)
        self.step += 1
        if verdict == "run":
            output = ToolOutput(text=result or f"result of {name}")
            self.repetition.add(asked, output, step=self.step, acts=name.isupper(), ran=True)
        elif verdict == "known":
            output, _ = self.repetition.known(asked)
            self.repetition.add(asked, output, step=self.step, acts=name.isupper(), ran=False)
        return verdict


@pytest.mark.parametrize(
    ("calls", "verdicts"),
    [
        ("aaa", "rkm"),
        ("abab", "rrkk"),
        ("ababab", "rrkkmm"),
        ("abcabcabc", "rrrkkkmmm"),
        ("abacada", "rrkrmrm"),
        ("AAA", "rkm"),
        ("aBa", "rrr"),  # an effect may have changed the result
        ("aBaBa", "rrrkm"),  # but not the same effect again: it is not made
        ("ABABAB", "rrrkmm"),
        ("abcdefgh", "rrrrrrrr"),
    ],
)
def test_what_is_run_known_or_masked(calls: str, verdicts: str) -> None:
    made = Made()
    assert "".join(made(one)[0] for one in calls) == verdicts


def test_a_changed_result_resets_the_count() -> None:
    made = Made()
    assert made("a", "1") == "run"
    assert made("a") == "known"
    assert made("A") == "run"
    assert made("a", "2") == "run"
    assert made("a") == "known"
    assert made("a") == "masked"


def test_what_means_the_same_is_the_same_call() -> None:
    one = ToolCall(tool="look", arguments={"b": 1.0, "a": " x\n y "})
    assert key_of(one) == key_of(ToolCall(tool="look", arguments={"a": "x y", "b": 1}))
    assert key_of(one) != key_of(ToolCall(tool="look", arguments={"a": "X y", "b": 1}))
    assert key_of(one) != key_of(ToolCall(tool="find", arguments={"a": "x y", "b": 1}))


def test_masked_arguments_are_those_of_calls_that_were_made_twice() -> None:
    made = Made()
    for name in "aab":
        made(name)
    assert made.repetition.masked("look") == [{"q": "a"}]
    assert made.repetition.masked("write") == []


def tool(name: str, *properties: str) -> Tool:
    schema = {"type": "object", "properties": {one: {"type": "string"} for one in properties}}
    return Tool(name=name, description="", parameters=schema, run=lambda arguments, context: ToolOutput())


def test_a_tool_whose_results_stay_empty_is_masked_until_something_changes() -> None:
    repetition = Repetition()
    tools = [tool("look", "q"), tool("write", "q")]
    notes = []
    for number, text in enumerate(("", "  ", ""), 1):
        assert repetition.masked_tools(tools) == {}
        notes.append(repetition.add(call(str(number)), ToolOutput(text=text), step=number, acts=False, ran=True))
    assert notes[0] == ""
    assert "2 times" in notes[1]
    assert list(repetition.masked_tools(tools)) == ["look"]
    repetition.add(call("x", "write"), ToolOutput(text="written"), step=4, acts=True, ran=True)
    assert repetition.masked_tools(tools) == {}


def test_a_tool_without_parameters_is_masked_as_a_whole() -> None:
    repetition = Repetition()
    for step in (1, 2):
        repetition.add(ToolCall(tool="now"), ToolOutput(text="noon"), step=step, acts=False, ran=step == 1)
    assert list(repetition.masked_tools([tool("now"), tool("look", "q")])) == ["now"]


def test_the_same_result_of_another_call_is_noted() -> None:
    repetition = Repetition()
    repetition.add(call("a"), ToolOutput(text="48"), step=1, acts=False, ran=True)
    assert "step 1" in repetition.add(call("b"), ToolOutput(text="48"), step=2, acts=False, ran=True)
