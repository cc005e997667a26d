"""What an agent method gets and returns: the contract between the methods and ``techniques/composition.py``.

A method is ``run(messages, options, agent) -> Generator[Event, None, Outcome]``. Every tool call is a step of the kind
``call`` whose input is a ``ToolCall`` as JSON; its consumer has stored the step before the generator goes
on, so a call is on the disk before it has an effect. ``approval.judge`` says what becomes of a call. One that needs a
person opens a step of the kind ``approval`` within its own, leaves both open, and ends the run with ``waiting``.

Once there is a ``Decision`` the answer is resumed from its steps (``AgentSession.earlier``), which the run repeats
first, under their ids (``context.repeat``). The open approval is then ended with the decision as its output, which is
stored before the generator goes on: from there on the call counts as begun. A decision counts once. A call that was
begun and has no result is judged with ``begun=True``: what it would run is the call of its last decision
(``last_call``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from workbench.api.events import Event, StepFinished, StepStarted
from workbench.engine.inference_calls import Generated
from workbench.records.agents import Approval, Decision
from workbench.records.messages import Passage, Statement
from workbench.records.recipes import AgentPart
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.approval import APPROVAL, CALL, Exposure, Policy
from workbench.techniques.tools.tool import Tool

__all__ = ["APPROVAL", "CALL", "FINAL", "Agent", "Outcome", "settled"]

FINAL = "final_answer"
"""What is chosen instead of a tool when the agent answers."""


class Lookup(Protocol):
    """The searches that a question needs, and whether their passages answer it. It asks no model."""

    def next_query(self) -> str:
        """What to search for next; "" when nothing is left open."""

    def add(self, query: str, passages: Sequence[Passage]) -> None:
        """Take the numbered passages that a search has found."""

    @property
    def suffices(self) -> bool: ...


@dataclass(frozen=True)
class Agent:
    """The agent of one answer. ``tools`` are those that the recipe names, by name. ``decisions`` are those of the
    person that were not carried out yet, by the signature of their call. ``question`` is the last one, ``asked`` the
    text of the whole conversation, whose numbers a calculation may use. ``asks``: there is a person who can be asked;
    otherwise what would need one is denied. ``verify(text, passages, question)`` compares the sentences of a text with
    passages. ``look_up(question)`` leads the searches for a question, None without documents; ``quotes``: answers from
    documents are quoted, by the recipe and the model. ``policy`` and ``exposure``: as in ``AgentSession``."""

    part: AgentPart
    context: AnswerContext
    tools: Mapping[str, Tool]
    decisions: Mapping[str, Decision]
    question: str = ""
    asked: str = ""
    asks: bool = True
    verify: Callable[[str, Sequence[Passage], str], Sequence[Statement]] = lambda text, passages, question: ()
    look_up: Callable[[str], Lookup] | None = None
    quotes: bool = False
    policy: Policy = field(default_factory=Policy)
    exposure: Exposure = field(default_factory=Exposure)


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``write`` writes the final answer, streaming it; ``passages`` are those that the tools have
    found, numbered as the agent saw them. ``looked_up``: the answer is quoted from what these searches found, or says
    that they found none. ``waiting``: it cannot go on without a person, and there is no answer yet."""

    write: Generator[Event, None, Generated] | None = None
    passages: tuple[Passage, ...] = ()
    looked_up: Lookup | None = None
    waiting: Approval | None = None


NOT_FINISHED = "It was not finished: the agent's budget was used up."


def settled(run: Generator[Event, None, Outcome]) -> Generator[Event, None, Outcome]:
    """Pass on a run; the steps that it has left open are ended, unless it waits for a person."""
    opened: dict[str, None] = {}
    with closing(run):
        while True:
            try:
                event = next(run)
            except StopIteration as end:
                outcome: Outcome = end.value
                break
            if isinstance(event, StepStarted):
                opened[event.step] = None
            elif isinstance(event, StepFinished):
                opened.pop(event.step, None)
            yield event
    if outcome.waiting is None:
        for step in reversed(opened):
            yield StepFinished(step=step, error=NOT_FINISHED)
    return outcome
