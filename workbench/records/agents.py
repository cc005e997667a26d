"""Values of agents: tools as they are described, calls, approvals and what is remembered.

A call is named by ``signature``, a digest of its tool and its canonical arguments, so that an approval is of one call
and of no other.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

from workbench.base.catalogue import Shown

Effect = Literal["read", "write", "network", "execute"]
"""The effects of a tool beyond its result: nothing; it changes files or memory; it sends something over the network; it
runs code."""

Output = Literal["trusted", "untrusted"]
"""Whether a result may hold text of strangers (documents, files, web pages, MCP servers), which taints what follows."""


class ToolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as a model and a person see it. ``parameters`` is a JSON schema of the type object. ``private``: its
    result says something of the person's documents or files, although it is trusted."""

    name: str
    description: str
    parameters: dict[str, Any] = {}
    effects: tuple[Effect, ...] = ("read",)
    output: Output = "untrusted"
    private: bool = False

    @property
    def acts(self) -> bool:
        """Whether it has an effect beyond its result."""
        return self.effects != ("read",)


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a tool, as the input of a step of the kind ``call`` holds it (JSON)."""

    tool: str
    arguments: dict[str, Any] = {}

    @property
    def signature(self) -> str:
        return hashlib.sha256(msgspec.json.encode([self.tool, self.arguments], order="sorted")).hexdigest()

    def encode(self) -> str:
        return msgspec.json.encode(self, order="sorted").decode()


Choice = Literal["allow", "allow-in-chat", "edit", "deny"]


class TaintedSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Characters ``start`` to ``end`` of the argument ``name`` that also stand in untrusted text."""

    name: str
    start: int
    end: int


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A call that waits for a person: ``step`` is its step, ``reason`` why it is asked, ``spans`` what of its arguments
    comes from untrusted text. ``repeated``: the call was begun before a crash and may already have had its effect.
    ``question``: the person is asked this, and the decision's ``text`` is the result. ``only_once``: a standing
    permission would not cover the call, since untrusted or private text is in its context."""

    step: str
    call: ToolCall
    effects: tuple[Effect, ...] = ()
    reason: Shown = ""
    spans: tuple[TaintedSpan, ...] = ()
    repeated: bool = False
    question: str = ""
    only_once: bool = False


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A person's decision on one call, bound to its ``signature``. ``arguments`` are the edited ones, ``text`` the
    reason of a denial, or the answer to a question."""

    signature: str
    choice: Choice
    arguments: dict[str, Any] | None = None
    text: str = ""


FROM_PERSON = "you"
"""The source of facts that the person has written or edited. All others taint the contexts that they are read into."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the program remembers. ``source`` says where it comes from (``FROM_PERSON``, or an agent in a
    chat), ``chat`` its id;
    ``created`` and ``changed`` are seconds since the epoch."""

    id: str
    text: str
    source: str = FROM_PERSON
    chat: str = ""
    created: float = 0.0
    changed: float = 0.0
