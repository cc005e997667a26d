"""Tools and calls in words, the same in window and terminal: what a tool does, its arguments, and a decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.base.catalogue import _
from workbench.records.agents import Choice, Decision, Effect, TaintedSpan
from workbench.records.visible import visible

_SHORT: dict[Effect, str] = {
    "read": _("reads only"),
    "write": _("changes files or memory"),
    "network": _("uses the network"),
    "execute": _("runs code"),
}
_LONG: dict[Effect, str] = {
    "read": _("It only reads."),
    "write": _("It changes files or what is remembered."),
    "network": _("It sends data over the network."),
    "execute": _("It runs code in a sandbox on this machine."),
}
REPEATED = _("The program ended while this call was running: it may already have had its effect.")
UNTRUSTED = _("Marked text comes from a document, a file, a web page or another program, not from you.")
_DECIDED: dict[Choice, str] = {
    "allow": _("Allowed once"),
    "allow-in-chat": _("Allowed in this chat"),
    "edit": _("Allowed with other arguments"),
    "deny": _("Denied"),
}


def describe_effects(effects: Sequence[Effect]) -> str:
    """``changes files or memory, uses the network``; reading is named only where it is all."""
    acting = [_SHORT[effect] for effect in effects if effect != "read"]
    return ", ".join(acting) or _SHORT["read"]


def explain_effects(effects: Sequence[Effect]) -> str:
    """The effects in whole sentences."""
    return " ".join(_LONG[effect] for effect in effects if effect != "read") or _LONG["read"]


def describe_decision(decision: Decision) -> str:
    """``Denied: not today.``"""
    words = _DECIDED[decision.choice]
    return f"{words}: {decision.text}" if decision.text else words


def tool_title(name: str) -> str:
    """The name of a tool in words: ``list_files`` is ``List files``; one of a server keeps the server before it."""
    server, _, tool = name.rpartition(".")
    words = tool.replace("_", " ").replace("-", " ").strip()
    title = words[:1].upper() + words[1:]
    return f"{server}: {title}" if server else title


def shown(value: Any) -> str:
    """An argument as text: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def pieces(value: Any, spans: Sequence[TaintedSpan] = ()) -> list[tuple[str, bool]]:
    """An argument as ``visible`` text in pieces, each with whether it comes from untrusted text: ``spans`` are those of
    this argument."""
    text = shown(value)
    parts: list[tuple[str, bool]] = []
    place = 0
    for start, end in _merged(spans, len(text)):
        parts += [(text[place:start], False), (text[start:end], True)]
        place = end
    return [(visible(part), marked) for part, marked in (*parts, (text[place:], False)) if part] or [("", False)]


def _merged(spans: Sequence[TaintedSpan], length: int) -> list[tuple[int, int]]:
    """The spans within a text, in order, none overlapping."""
    merged: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda one: one.start):
        start, end = max(0, span.start), min(length, span.end)
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif start < end:
            merged.append((start, end))
    return merged
