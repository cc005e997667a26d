"""Agents and their tools in words."""

from __future__ import annotations

from typing import Any

from ui import texts
from ui.components.wording import describe_count
from workbench.records.methods import Methods
from workbench.records.recipes import AgentPart


def describe_lack(reason: str) -> str:
    """Why a tool cannot run: ``Not available: no folder is chosen.``; "" where it can."""
    return texts.NOT_AVAILABLE.format(reason=reason[:1].lower() + reason[1:]) if reason else ""


def describe_agent(part: AgentPart | None, methods: Methods[Any]) -> str:
    """``off``, or ``ReAct, 3 tools``."""
    if part is None:
        return texts.AGENT_OFF
    title = methods.row(part.method, "agent").title
    return f"{title}, {describe_count(len(part.tools), 'tool') if part.tools else texts.NO_TOOLS}"


def asks_documents(part: AgentPart | None, methods: Methods[Any]) -> bool:
    """Whether documents are asked by an answer that ``part`` gives, as far as the ``methods`` are known; None is an
    answer without an agent."""
    if part is None or not methods.of("tool"):
        return True
    tools = (methods.get(name, "tool") for name in part.tools)
    used = (methods.get(part.method, "agent"), *tools)
    return any("asks documents" in row.traits for row in used if row is not None)
