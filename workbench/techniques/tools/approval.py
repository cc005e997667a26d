"""Which calls of an agent need a person: taint and the policy of approvals. Pure functions, no model, no storage.

Text of strangers (passages, files, web pages, results of MCP servers, and facts that an agent has written) taints the
context that it is read into, since it may hold instructions. From then on a call with an effect is only made once the
person has seen its exact arguments, with the spans that come from such text. What sends data away asks as well once the
context holds private text. The person's standing permissions count only in a context without taint, and the offline
setting refuses the network whatever was approved. It is information flow control (Willison 2023, the dual LLM pattern;
Debenedetti et al. 2025, CaMeL, arXiv:2503.18813), by whole contexts instead of by values.

Where the words of a text come from: the spans of it that also stand in other texts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.agents import Approval, Decision, TaintedSpan, ToolCall, ToolInfo
from workbench.records.trace import TraceStep

IN_TAINTED_CONTEXT = "The agent has read text that is not yours, which may have told it to do this."
SENDS_PRIVATE = "This sends data over the network, and the agent has read your documents, files or memory."
ACTS = "This has an effect beyond the conversation."
MAY_HAVE_HAPPENED = "The program ended while this was being done, so it may have happened already."
DONE_BEFORE = "This very call was made, or begun, in an earlier attempt at this answer."
OFFLINE = "The program is offline (Settings), so nothing is sent over the network."
NOBODY_TO_ASK = "This needs a person's confirmation, and there is nobody to ask here. It was not done."
DENIED = "The person did not allow this."

CALL = "call"
"""The kind of the step of a tool call; its output is the result, its error the failure."""

APPROVAL = "approval"
"""The kind of the step within a call that waited for a person; its input is an ``Approval`` as JSON, its output the
``Decision``."""


@dataclass(frozen=True)
class Exposure:
    """The texts that a context has been exposed to. ``untrusted`` are the texts of strangers in it, ``private``: it
    holds text of the person's documents, files or memory."""

    untrusted: tuple[str, ...] = ()
    private: bool = False

    @property
    def tainted(self) -> bool:
        return any(text.strip() for text in self.untrusted)

    def after(self, tool: ToolInfo, text: str) -> Exposure:
        """The exposure once a tool's result ``text`` has been read, be it a failure. An untrusted result is private too
        where the tool does not use the network."""
        if not text.strip():
            return self
        if tool.output == "trusted":
            return replace(self, private=self.private or tool.private)
        local = "network" not in tool.effects
        return replace(self, untrusted=(*self.untrusted, text), private=self.private or local)

    def joined(self, other: Exposure) -> Exposure:
        """Exposed to both."""
        return Exposure(untrusted=(*self.untrusted, *other.untrusted), private=self.private or other.private)

    def with_untrusted(self, texts: Iterable[str]) -> Exposure:
        """The exposure with private texts of strangers: passages, files, earlier answers that were made from them."""
        known = tuple(text for text in texts if text.strip())
        return replace(self, untrusted=(*self.untrusted, *known), private=self.private or bool(known))


@dataclass(frozen=True)
class Policy:
    """``allowed`` are the acting tools that the person has allowed for good (``AgentPart.allowed``) or for this chat;
    ``offline``: the network is switched off. ``done`` are the signatures of calls that earlier attempts at the
    answer have made or begun: made anew, they would have their effect twice."""

    allowed: frozenset[str] = frozenset()
    offline: bool = False
    done: frozenset[str] = frozenset()

    def refuse(self, tool: ToolInfo) -> str:
        """Why a call cannot be made at all, whatever was approved; "" where it can."""
        return OFFLINE if self.offline and "network" in tool.effects else ""

    def ask(self, tool: ToolInfo, call: ToolCall, exposure: Exposure) -> str:
        """Why a call has to be confirmed by the person; "" where it has not."""
        if "network" in tool.effects and exposure.private:
            return SENDS_PRIVATE
        if not tool.acts:
            return ""
        if exposure.tainted:
            return IN_TAINTED_CONTEXT
        if call.signature in self.done:
            return DONE_BEFORE
        return "" if tool.name in self.allowed else ACTS


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a call: ``run`` the ``call``, which may be an edited one; ``refuse`` it, with ``text`` as the
    result that the model sees; or ``wait`` for the person, asked for ``reason`` with ``spans`` marked."""

    kind: Literal["run", "refuse", "wait"]
    call: ToolCall
    text: str = ""
    reason: Shown = ""
    spans: tuple[TaintedSpan, ...] = ()
    repeated: bool = False

    def approval(self, step: str, tool: ToolInfo) -> Approval:
        """The question to the person, of a call in the step ``step``."""
        return Approval(
            step=step,
            call=self.call,
            effects=tool.effects,
            reason=self.reason,
            spans=self.spans,
            repeated=self.repeated,
            only_once=self.reason in (IN_TAINTED_CONTEXT, SENDS_PRIVATE),
        )


def judge(
    tool: ToolInfo,
    call: ToolCall,
    exposure: Exposure,
    policy: Policy,
    decision: Decision | None = None,
    *,
    begun: bool = False,
    asks: bool = True,
) -> Verdict:
    """The verdict on a call. ``decision`` is the person's on this call, which counts once and for no call of another
    signature. ``begun``: the trace holds this call without a result, so an earlier attempt may have made it. ``asks``:
    there is a person who can be asked."""
    if refused := policy.refuse(tool):
        return Verdict(kind="refuse", call=call, text=refused)
    if decision is not None and decision.signature == call.signature:
        return decided(call, decision)
    repeated = begun and tool.acts
    reason = MAY_HAVE_HAPPENED if repeated else policy.ask(tool, call, exposure)
    if not reason:
        return Verdict(kind="run", call=call)
    if not asks:
        return Verdict(kind="refuse", call=call, text=NOBODY_TO_ASK)
    spans = tainted_spans(call, exposure.untrusted)
    return Verdict(kind="wait", call=call, reason=reason, spans=spans, repeated=repeated)


def calls_in(steps: Sequence[TraceStep]) -> list[tuple[TraceStep, ToolCall, bool]]:
    """The steps of calls, each with its call as it ran or would run, and whether it was begun. A step that holds no
    call is left out."""
    found = []
    for step in steps:
        if step.kind != CALL:
            continue
        try:
            call = msgspec.json.decode(step.input, type=ToolCall)
        except msgspec.DecodeError:
            continue
        found.append((step, *last_call(call, [one for one in steps if one.parent == step.id])))
    return found


def begun_in(steps: Sequence[TraceStep]) -> frozenset[str]:
    """The signatures of the calls that were begun in these steps."""
    return frozenset(call.signature for _, call, begun in calls_in(steps) if begun)


def last_call(call: ToolCall, steps: Iterable[TraceStep]) -> tuple[ToolCall, bool]:
    """The call as it would run, and whether it was begun, from the steps within it: a person may have edited it, and
    one that waited is begun once its approval has ended, unless it was denied. Without an approval a stored call counts
    as begun."""
    begun = True
    for step in steps:
        if step.kind == APPROVAL:
            begun = step.state == "done"
            if begun:
                verdict = decided(call, msgspec.json.decode(step.output, type=Decision))
                call, begun = verdict.call, verdict.kind == "run"
    return call, begun


def decided(call: ToolCall, decision: Decision) -> Verdict:
    """A call as a person has decided on it."""
    if decision.choice == "deny":
        text = decision.text.strip()
        return Verdict(kind="refuse", call=call, text=f"{DENIED} Their reason: {text}" if text else DENIED)
    if decision.choice == "edit" and decision.arguments is not None:
        return Verdict(kind="run", call=ToolCall(tool=call.tool, arguments=decision.arguments))
    return Verdict(kind="run", call=call)


def tainted_spans(call: ToolCall, untrusted: Sequence[str]) -> tuple[TaintedSpan, ...]:
    """The spans of a call's arguments that also stand in untrusted texts. Those of an argument that is no string are in
    its JSON text. What was reworded or encoded is not found: a span is a hint for the person, not the ground of the
    policy."""
    found: list[TaintedSpan] = []
    for name, value in call.arguments.items():
        text = argument_text(value)
        found += [TaintedSpan(name=name, start=start, end=end) for start, end in find_copies(text, untrusted)]
    return tuple(found)


def argument_text(value: object) -> str:
    """An argument as a person reads it: a string itself, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


SHORTEST_RUN = 3
"""Words in a row that are a copy; Chinese, Japanese and Korean characters count as a word each."""

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
    r"|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:[-'._@:/+%&=?#~][^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)*"
)


def find_copies(text: str, sources: Sequence[str]) -> list[tuple[int, int]]:
    """The spans (start, end) of ``text``, in order and apart, whose words stand in the same order in one of the
    sources, case and space aside: of three words and more, of one that is an address, a name or a number (``telling``),
    and of fewer when they are the whole text."""
    words = [(found.start(), found.end(), found[0].casefold()) for found in _WORD.finditer(text)]
    if not words:
        return []
    marked = [False] * len(words)
    for source in sources:
        known = [found[0].casefold() for found in _WORD.finditer(source)]
        places: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(known):
            places[word].append(place)
        at = 0
        while at < len(words):
            length = max((_run(words, at, known, place) for place in places.get(words[at][2], ())), default=0)
            run = words[at : at + length]
            if length >= SHORTEST_RUN or length == len(words):
                marked[at : at + length] = [True] * length
            else:
                for offset, (start, end, _) in enumerate(run):
                    marked[at + offset] = marked[at + offset] or telling(text[start:end], first=at + offset == 0)
            at += max(length, 1)
    spans: list[tuple[int, int]] = []
    for place, (start, end, _) in enumerate(words):
        if not marked[place]:
            continue
        if spans and place and marked[place - 1]:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((start, end))
    return spans


def telling(word: str, *, first: bool = False) -> bool:
    """Whether a single word says where it comes from: an address or a path, a figure, or a name, which begins with a
    capital letter in the middle of a text."""
    if len(word) < 2:
        return False
    if any(not letter.isalnum() for letter in word) or any(letter.isdigit() for letter in word):
        return True
    return word[0].isupper() and not first


def _run(words: Sequence[tuple[int, int, str]], at: int, known: Sequence[str], place: int) -> int:
    """The number of words from ``at`` that stand in ``known`` from ``place``."""
    length = 0
    while at + length < len(words) and place + length < len(known) and words[at + length][2] == known[place + length]:
        length += 1
    return length
