"""What an agent method gets and returns: the contract between the methods and ``techniques/composition.py``.

A method is ``run(messages, options, agent) -> Generator[Event, None, Outcome]``. Every tool call is a step of the kind
``call`` whose input is a ``ToolCall`` as JSON; its consumer has stored the step before the generator goes
on, so a call is on the disk before it has an effect. A call that needs a person ends the run with ``waiting``; the
answer is resumed from its steps (``context.earlier``) once there is a ``Decision``.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from workbench.api.events import Event
from workbench.engine.inference_calls import Generated
from workbench.records.agents import Approval, Decision
from workbench.records.messages import Passage
from workbench.records.recipes import AgentPart
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.tool import Tool

CALL = "call"
"""The kind of the step of a tool call; its output is the result, its error the failure."""

APPROVAL = "approval"
"""The kind of the step within a call that waited for a person; its input is an ``Approval`` as JSON, its output the
``Decision``."""

FINAL = "final_answer"
"""What is chosen instead of a tool when the agent answers."""


@dataclass(frozen=True)
class Agent:
    """The agent of one answer. ``tools`` are those that the recipe names, by name. ``decisions`` are those of the
    person so far, by the signature of their call. ``asks``: there is a person who can be asked; otherwise what would
    need one is denied."""

    part: AgentPart
    context: AnswerContext
    tools: Mapping[str, Tool]
    decisions: Mapping[str, Decision]
    asks: bool = True


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``write`` writes the final answer, streaming it; ``passages`` are those that the tools have
    found, numbered as the agent saw them. ``waiting``: it cannot go on without a person, and there is no answer yet."""

    write: Generator[Event, None, Generated] | None = None
    passages: tuple[Passage, ...] = ()
    waiting: Approval | None = None
