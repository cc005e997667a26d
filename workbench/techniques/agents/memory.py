"""What an agent remembers of earlier chats: the facts nearest to the question, as a part of its instructions.

Retrieval from a store of memories as in Park et al. 2023, "Generative Agents" (arXiv:2304.03442), by relevance alone. A
fact that an agent has written taints the context: a document may have put it there.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field

from workbench.api.events import Event
from workbench.records.agents import FROM_PERSON, Fact
from workbench.records.recipes import AgentPart
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.approval import Exposure

MEMORY = "memory"
"""The kind of the step that recalls facts: its input is the question, its output a fact a line."""
MOST_RECALLED = 5
HEADING = "You remember from earlier:"
_OWN = f", {FROM_PERSON})"


@dataclass(frozen=True)
class Recalled:
    """The ``text`` for the instructions, "" for none, and what the context is exposed to by it."""

    text: str = ""
    exposure: Exposure = field(default_factory=Exposure)


def recall(question: str, part: AgentPart, context: AnswerContext) -> Generator[Event, None, Recalled]:
    """The facts for a question, as a step. An answer that goes on keeps those that it began with, so that its prompt
    stays the same."""
    if part.memory == "off" or context.agent.tools is None:
        return Recalled()
    if context.agent.earlier:
        return recalled(next((step.output for step in context.agent.earlier if step.kind == MEMORY), ""))
    facts = context.agent.tools.facts(question, MOST_RECALLED)
    if not facts:
        return Recalled()
    lines = "\n".join(map(_line, facts))
    step = context.step(MEMORY, "Recall", question)
    yield step.started
    yield step.finished(lines)
    return recalled(lines)


def recalled(lines: str) -> Recalled:
    """Facts from the output of their step."""
    if not lines.strip():
        return Recalled()
    others = [line for line in lines.splitlines() if not line.endswith(_OWN)]
    exposure = Exposure(untrusted=tuple(others), private=True)
    return Recalled(f"{HEADING}\n{lines}", exposure)


def _line(fact: Fact) -> str:
    """A fact with its date and its source, which is at the end, where no text of the fact can be."""
    source = FROM_PERSON if fact.source == FROM_PERSON else f"“{fact.source}”"
    day = time.strftime("%Y-%m-%d", time.localtime(fact.changed))
    return f"- {' '.join(fact.text.split())} ({day}, {source})"
