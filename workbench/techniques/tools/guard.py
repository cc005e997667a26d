"""The guard of an answer's tools: no call with an effect runs that the policy would have asked about.

Methods ask the policy themselves (``approval.judge``). The guard stands between them and the tools all the same, with
an exposure of its own made from the results that it has seen, so that an error in a method cannot become an effect.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.records.agents import Decision, ToolCall
from workbench.records.trace import TraceStep
from workbench.techniques.tools.approval import Exposure, Policy, calls_in, judge
from workbench.techniques.tools.tool import Tool, ToolOutput

NOT_CONFIRMED = "This call was not confirmed by the person, so it was not made."


class Guard:
    """``exposure`` is that of the conversation, ``decisions`` are those that were not carried out yet, ``earlier`` the
    steps of the answer that is resumed: results in it count as read, and a call that was begun is not begun again
    unasked. May be used by several threads."""

    def __init__(
        self,
        policy: Policy,
        exposure: Exposure,
        decisions: Sequence[Decision] = (),
        earlier: Sequence[TraceStep] = (),
    ) -> None:
        self._policy = policy
        self._lock = threading.Lock()  # guards all below
        self._exposure = exposure
        self._begun: list[str] = []
        self._results: list[tuple[str, str]] = []  # tool and result of earlier calls
        calls = calls_in(earlier)
        tools = {call.signature: call.tool for _, call, _ in calls}
        self._allowed = [  # signatures of the calls that the person has allowed, as they are to run
            ToolCall(tool=tools.get(one.signature, ""), arguments=one.arguments).signature
            if one.choice == "edit" and one.arguments is not None
            else one.signature
            for one in decisions
            if one.choice != "deny"
        ]
        for step, call, begun in calls:
            if step.state in ("done", "failed"):
                self._results.append((call.tool, step.output or step.error))
            elif begun:
                self._begun.append(call.signature)

    @property
    def tainted(self) -> bool:
        """Whether text of strangers was read, by this answer or before it."""
        with self._lock:
            return self._whole_exposure().tainted

    def expose(self, exposure: Exposure) -> None:
        """The context was exposed to more than its tools gave: the facts of its prompt."""
        with self._lock:
            self._exposure = self._exposure.joined(exposure)

    def protect(self, tool: Tool, allowed: Iterable[str] = ()) -> Tool:
        """The tool behind the guard. ``allowed`` are the tools that its recipe allows for good."""
        policy = replace(self._policy, allowed=self._policy.allowed | frozenset(allowed))
        with self._lock:
            for text in [text for name, text in self._results if name == tool.name]:
                self._exposure = self._exposure.after(tool, text)
            self._results = [one for one in self._results if one[0] != tool.name]

        def guarded(arguments: dict[str, Any], work: Callable[[], ToolOutput]) -> ToolOutput:
            if refused := self._refused(tool, ToolCall(tool=tool.name, arguments=arguments), policy):
                return ToolOutput(text=refused, failed=True)
            output = work()
            with self._lock:
                self._exposure = self._exposure.after(tool, output.text or output.question)
            return output

        def run(arguments: dict[str, Any], context: RequestContext) -> ToolOutput:
            return guarded(arguments, lambda: tool.run(arguments, context))

        def answered(arguments: dict[str, Any], answer: str, context: RequestContext) -> ToolOutput:
            assert tool.answered is not None
            taken = tool.answered
            return guarded(arguments, lambda: taken(arguments, answer, context))

        return msgspec.structs.replace(tool, run=run, answered=answered if tool.answered is not None else None)

    def _whole_exposure(self) -> Exposure:
        """With the results of earlier calls of tools that are not here now, of which nothing is known."""
        return self._exposure.with_untrusted(text for _, text in self._results)

    def _refused(self, tool: Tool, call: ToolCall, policy: Policy) -> str:
        """Why a call does not run; "" where it does. A decision that covers it is used up."""
        with self._lock:
            begun = call.signature in self._begun
            verdict = judge(tool, call, self._whole_exposure(), policy, begun=begun)
            if verdict.kind == "refuse":
                return verdict.text
            if verdict.kind == "run":
                return ""
            if call.signature not in self._allowed:
                return NOT_CONFIRMED
            self._allowed.remove(call.signature)
            if begun:
                self._begun.remove(call.signature)
            return ""
