"""The protocol of an agent in the text of its answer: taken out while it streams, since no person should read it.

A model that was shown the lines of ReAct, or calls as JSON, may go on with them in its answer: "Action Input: file
name", "Final Answer: 12". What follows "Final Answer:" is the answer; thoughts, calls and observations are not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from workbench.techniques.agents.agent import FINAL

_ECHO = "(as often as needed)"
"""The one line of the form ReAct without a label."""

_DROPPED = ("thought:", "action:", "action input:", "observation:", _ECHO)
_KEPT = ("final answer:", "answer:")
_INNER = ("Action Input:", "Observation:", "Final Answer:")
_LABEL = re.compile(
    r"[ \t*_#>]*(final answer|answer|thought|action input|action|observation)[*_ ]*:[*_]*[ \t]*", re.IGNORECASE
)
_WITHIN = re.compile(r"[ \t]+(?=Action Input:|Final Answer:)|(?<=[.!?…\"')*`\d])[ \t]+(?=Observation:)")
_LIST_MARKER = re.compile(r"[ \t]*(?:[-*+•–]|\d{1,3}[.)])")
_SPACE = re.compile(r"[ \t]+")
_CALL = re.compile(r"<\|?tool_call\|?>.*?(?:</tool_call>|<\|?/tool_call\|?>|$)", re.DOTALL)
_NAMED = re.compile(r'\s*(?:```(?:json)?\s*)?\{\s*"(?:name|tool|action)"\s*:\s*"?(?P<name>[^"]*)')
_ARGUMENTS = ("arguments", "parameters", "input", "action_input")
_LONGEST_BEGINNING = 24
"""Characters in which a label, or the beginning of a call, shows."""


class ProtocolFilter:
    """Takes the protocol out of an answer that streams; an ``Editor``. ``tools`` are the names that a line "Action:"
    may have: another such line is the answer's own, and so are headings, and labels that the ``question`` speaks of, as
    one that asks for a report of an observation does. ``removed`` tells whether there was any."""

    def __init__(self, tools: Collection[str], question: str = "") -> None:
        self._names = {name.casefold() for name in (*tools, FINAL)}
        self._asked = question.casefold()
        self._held = ""
        self._begun = False  # something of the answer was passed on
        self._inside = False  # the beginning of the current line was
        self.removed = False

    def feed(self, piece: str) -> str:
        self._held += piece
        return self._drain(final=False)

    def end(self, cut_short: bool = False) -> str:
        return self._drain(final=True)

    def _drain(self, final: bool) -> str:
        out = ""
        while self._held:
            taken = self._step(final)
            if taken is None:
                break
            out += taken
            self._begun = self._begun or bool(taken.strip())
        return out

    def _step(self, final: bool) -> str | None:
        """Decide about the front of the held text: what to pass on, or None to wait for more."""
        if not self._begun and self._may_be_call():
            return self._of_call() if final else None
        line, feed, rest = self._held.partition("\n")
        whole = final or bool(feed)
        if self._inside:
            return self._go_on(line, feed, rest, whole)
        if not whole and self._is_undecided(line):
            return None
        kept = self._kept(line)
        if kept is None:
            self.removed, self._held = True, rest
            return ""
        self.removed |= kept != line
        self._held, self._inside = kept + feed + rest, True
        return ""

    def _go_on(self, line: str, feed: str, rest: str, whole: bool) -> str | None:
        """The rest of a line that belongs to the answer, up to a label within it."""
        within = _WITHIN.search(line)
        if within is not None and not self._is_own(line, within):
            self.removed, self._inside = True, False
            self._held = line[within.end() :] + feed + rest
            return line[: within.start()] + "\n"
        if not whole:
            for space in _SPACE.finditer(line):
                if any(label.startswith(line[space.end() :]) for label in _INNER):
                    self._held = line[space.start() :]
                    return line[: space.start()] or None
        self._held, self._inside = rest, not feed
        return line + feed

    def _is_undecided(self, line: str) -> bool:
        """Whether a line that has just begun may be, or become, one of the protocol."""
        plain = line.lstrip(" \t*_#>").casefold()
        label = _LABEL.match(line)
        if plain.startswith(_DROPPED) or (label is not None and label.end() == len(line)):
            return True
        return len(plain) < _LONGEST_BEGINNING and any(one.startswith(plain) for one in (*_DROPPED, *_KEPT))

    def _kept(self, line: str) -> str | None:
        """What of a line belongs to the answer; None for nothing."""
        label = _LABEL.match(line)
        if label is None:
            return None if line.strip().casefold() == _ECHO else line
        name, said = label.group(1).casefold(), line[label.end() :]
        if name == "final answer" or (name == "answer" and not self._begun):
            return said
        own = name == "answer" or (name == "action" and said.strip(" \t*_`\"'.").casefold() not in self._names)
        if name in ("thought", "observation"):
            own = line.lstrip().startswith("#") or name in self._asked
        return line if own else None

    def _is_own(self, line: str, within: re.Match[str]) -> bool:
        """Whether a label within a line is the answer's own: behind the marker of a list, or asked for."""
        if not line[within.end() :].startswith("Observation:"):
            return False
        return "observation" in self._asked or _LIST_MARKER.fullmatch(line[: within.start()]) is not None

    def _may_be_call(self) -> bool:
        text = self._held.lstrip()
        if text.startswith(("<tool_call", "<|tool_call")) or _NAMED.match(text):
            return True
        return text[:1] in ("{", "<", "`") and len(text) < _LONGEST_BEGINNING

    def _of_call(self) -> str:
        """The answer in a text that begins as a call does, or what stands beside the call."""
        text, self._held = self._held, ""
        rest = _CALL.sub("", text)
        if rest != text:
            self.removed = True
            return rest.strip()
        named = _NAMED.match(text)
        if named is None:
            return text
        begins = text.index("{")
        try:
            call, length = json.JSONDecoder().raw_decode(text[begins:])
            has_arguments = any(key in call for key in _ARGUMENTS)
        except ValueError:  # it was cut short
            call, length = None, len(text)
            has_arguments = any(f'"{key}"' in text for key in _ARGUMENTS)
        if not has_arguments and named["name"].casefold() not in self._names:
            return text  # an object that was asked for
        self.removed = True
        return _answer_in(call) or text[begins + length :].strip("`\n ")


def without_protocol(text: str, tools: Collection[str], question: str = "") -> str:
    """A whole text without the protocol."""
    edited = ProtocolFilter(tools, question)
    return (edited.feed(text) + edited.end()).strip()


def _answer_in(call: Any) -> str:
    """The answer that a call of ``final_answer`` holds; "" for another call."""
    if not isinstance(call, dict) or FINAL not in map(str, call.values()):
        return ""
    inside = next((call[key] for key in ("arguments", "parameters", "input") if key in call), "")
    values = list(inside.values()) if isinstance(inside, dict) else [inside]
    return next((one for one in values if isinstance(one, str)), "")
