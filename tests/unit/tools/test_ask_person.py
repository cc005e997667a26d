"""Asking the person: a question first, then their answer."""

from __future__ import annotations

from tests.fakes import FakeToolServices
from workbench.api.protocol import RequestContext
from workbench.techniques.tools.ask_person import make
from workbench.techniques.tools.tool import ToolOutput


def test_a_call_asks_and_the_answer_is_its_result() -> None:
    tool = make(FakeToolServices())
    arguments = {"question": "Which year?\x1b[2J"}
    assert tool.run(arguments, RequestContext()) == ToolOutput(question="Which year?[2J")
    assert tool.answered is not None
    assert tool.answered(arguments, "1997", RequestContext()) == ToolOutput(text="1997")


def test_an_empty_question_is_a_failure() -> None:
    assert make(FakeToolServices()).run({"question": "  "}, RequestContext()).failed
