"""Agents in tests: a scripted model that thinks, chooses and calls, and the tools that it is given."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.fakes import FakeModelBackend, FakeRetriever
from workbench.api import events
from workbench.api.answer_state import AnswerState, with_trace
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Score
from workbench.records.agents import Decision, Fact
from workbench.records.answers import AskResult
from workbench.records.messages import Message
from workbench.records.recipes import AgentPart, DecodingPart, Recipe
from workbench.records.trace import StepEdit, TraceStep
from workbench.techniques.agent_session import AgentSession, Specialist
from workbench.techniques.agents.agent import FINAL
from workbench.techniques.composition import answer_question
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.approval import Exposure, Policy
from workbench.techniques.tools.services import PythonResult
from workbench.techniques.tools.tool import Tool, ToolOutput

Call = tuple[str, str, dict[str, Any]]
"""A thought, the tool and its arguments."""


class ScriptedModel(FakeModelBackend):
    """Makes the ``calls`` in their order, then writes the ``answers``. ``says`` is what is said to messages that hold a
    text, in turn; ``prefers`` what is chosen after them. ``chosen`` are the names that were offered, choice by
    choice. A call without a tool is the choice to answer."""

    def __init__(
        self,
        calls: Iterable[Call] = (),
        answers: Iterable[str] = ("Done.",),
        *,
        says: Mapping[str, Sequence[str]] | None = None,
        prefers: Mapping[str, Sequence[str]] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(self._reply_to, scores=self._score, **{"parameters": 1_500_000_000, **more})
        self.calls = deque(calls)
        self.answers = deque(answers)
        self.chosen: list[tuple[str, ...]] = []
        self.current: Call | None = None
        self._says = {text: deque(said) for text, said in (says or {}).items()}
        self._prefers = {text: deque(said) for text, said in (prefers or {}).items()}

    def _score(self, asked: Score) -> Sequence[float]:
        names = tuple(text.strip(' \n"') for text in asked.continuations if isinstance(text, str))
        self.chosen.append(names)
        said = _spoken(asked.messages, self._prefers)
        wanted = said.popleft() if said else self.current[1] if self.current is not None else FINAL
        return [0.0 if name == wanted else -9.0 for name in names]

    def _reply_to(self, messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        if said_of := _spoken(messages, self._says):
            return " ".join(said_of.popleft().split(" ")[: decoding.max_tokens])
        if decoding.format == "json_schema":
            assert self.current is not None
            arguments, self.current = self.current[2], None
            return json.dumps(arguments)
        if start.rstrip().endswith("Thought:"):
            self.current = self.calls.popleft() if self.calls else None
            self.current = self.current if self.current is not None and self.current[1] else None
            said = self.current[0] if self.current is not None else "I know the answer."
        else:
            said = self.answers.popleft()
        return " ".join(said.split()[: decoding.max_tokens])


def _spoken(messages: Sequence[Message], said: Mapping[str, deque[str]]) -> deque[str] | None:
    """What is left to be said to the last message, which holds a text."""
    last = messages[-1].content if messages else ""
    return next((texts for text, texts in said.items() if text in last and texts), None)


class GivenTools:
    """``ToolServices`` with tools of a server that the test has made; ``runs`` are the programs that were run."""

    def __init__(
        self,
        tools: Iterable[Tool] = (),
        retriever: FakeRetriever | None = None,
        python: Callable[[str, Mapping[str, Any]], PythonResult] = lambda code, inputs: PythonResult(),
    ) -> None:
        self.tools_by_name = {tool.name: tool for tool in tools}
        self.retriever = retriever
        self.folder: Path | None = None
        self.runs: list[tuple[str, dict[str, Any]]] = []
        self._python = python

    def run_python(self, code: str, inputs: Mapping[str, Any], context: RequestContext) -> PythonResult:
        self.runs.append((code, dict(inputs)))
        return self._python(code, inputs)

    def tables(self) -> Sequence[tuple[str, Path]]:
        return ()

    def facts(self, query: str, limit: int) -> Sequence[Fact]:
        return ()

    def remember(self, text: str, source: str) -> Fact:
        return Fact(id="1", text=text, source=source)

    def server_tool(self, name: str, context: RequestContext) -> Tool:
        return self.tools_by_name[name]


class Counted:
    """A tool that tells its calls: ``results`` by the call's number, the last one for all after it."""

    def __init__(self, name: str, *results: str | ToolOutput | Exception, **info: Any) -> None:
        self.calls: list[dict[str, Any]] = []
        self._results = results or ("ok",)
        schema = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
        self.tool = Tool(
            name=name,
            description=f"The tool {name}.",
            parameters=info.pop("parameters", schema),
            output=info.pop("output", "trusted"),
            run=self._run,
            **info,
        )

    def _run(self, arguments: dict[str, Any], context: RequestContext) -> ToolOutput:
        self.calls.append(arguments)
        result = self._results[min(len(self.calls), len(self._results)) - 1]
        if isinstance(result, Exception):
            raise result
        return ToolOutput(text=result) if isinstance(result, str) else result


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with all that it took."""

    events: tuple[Event, ...]
    state: AnswerState
    result: AskResult

    @property
    def steps(self) -> tuple[TraceStep, ...]:
        return self.state.trace().steps

    def of(self, kind: str) -> list[TraceStep]:
        return [step for step in self.steps if step.kind == kind]


def ask(
    model: FakeModelBackend,
    *tools: Counted | str,
    question: str = "What is asked?",
    before: Sequence[Message] = (),
    services: GivenTools | None = None,
    retriever: FakeRetriever | None = None,
    decisions: Sequence[Decision] = (),
    earlier: Sequence[TraceStep] = (),
    edit: StepEdit | None = None,
    asks: bool = True,
    policy: Policy | None = None,
    exposure: Exposure | None = None,
    decoding: DecodingPart | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    specialists: Mapping[str, Recipe] | None = None,
    **part: Any,
) -> Asked:
    """Answer a question by an agent with tools: those of the program by their names, and those of the test."""
    given = [tool.tool for tool in tools if isinstance(tool, Counted)]
    names = tuple(tool.tool.name if isinstance(tool, Counted) else tool for tool in tools)
    decoding = decoding or DecodingPart(max_tokens=200, seed=7)
    context = AnswerContext(
        model=model,
        retriever=retriever,
        cancelled=cancelled,
        decoding=decoding,
        agent=AgentSession(
            tools=services or GivenTools(given, retriever),
            earlier=tuple(earlier),
            edit=edit,
            decisions=tuple(decisions),
            asks=asks,
            policy=policy or Policy(),
            exposure=exposure or Exposure(),
            specialists={name: Specialist(recipe, model) for name, recipe in (specialists or {}).items()},
        ),
    )
    recipe = Recipe(agent=AgentPart(tools=names, **part), decoding=decoding)
    state, seen = AnswerState(), []
    for event in with_trace(answer_question((*before, Message("user", question)), recipe, context)):
        seen.append(event)
        state.apply(event)
    last = seen[-1]
    assert isinstance(last, events.Finished | events.Cancelled), last
    return Asked(events=tuple(seen), state=state, result=msgspec.convert(last.result, AskResult))
