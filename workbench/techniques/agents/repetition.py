"""Repetition: calls that bring nothing new are answered from what is known, then no longer offered.

A call is named by its tool, its canonical arguments and the hash of its result. The second identical call gets the
known result with a note, the third is masked; so do cycles of up to three calls, and tools whose results stay empty. A
call that acts may have changed what others find: those are run again, and a changed result resets the count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from workbench.records.agents import ToolCall
from workbench.techniques.tools.tool import Tool, ToolOutput

Verdict = Literal["run", "known", "masked"]

LONGEST_CYCLE = 3
MOST_EMPTY = 3
AGAIN = "Note: this is the same call as in step {step}, and its result is the same. Do something else, or answer."
ALIKE = "Note: this result is the same as that of step {step}."
NOTHING = "Note: {tool} has found nothing {times} times. Use another tool, or answer."
MASKED = "This call was made before and is no longer possible. Do something else, or answer."


def canonical(value: Any) -> Any:
    """The same for arguments that mean the same: white space, whole numbers and the order of fields do not count."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return value


def key_of(call: ToolCall) -> str:
    """A digest of a call's tool and canonical arguments."""
    return ToolCall(tool=call.tool, arguments=canonical(call.arguments)).signature


def is_empty(output: ToolOutput) -> bool:
    """Whether a result says nothing: it is blank, or there is none."""
    return output.failed or not output.text.strip()


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was made; ``ran``: its tool was run for it."""

    key: str
    call: ToolCall
    step: int
    result: str
    output: ToolOutput
    acts: bool
    ran: bool


class Repetition:
    """The calls of a run so far."""

    def __init__(self) -> None:
        self._made: list[_Made] = []
        self._times: dict[str, int] = {}
        self._changed: set[str] = set()  # keys whose result may be another by now
        self._empty: dict[str, int] = {}
        self._in_vain: dict[str, ToolCall] = {}

    def verdict(self, call: ToolCall) -> Verdict:
        """Whether a call is run, is answered with its known result, or is not possible."""
        key = key_of(call)
        if key in self._in_vain:
            return "masked"
        times = self._times.get(key, 0)
        if key in self._changed:
            times = 0
        times = max(times, self._rounds(key) - 1)
        return "run" if not times else "known" if times == 1 else "masked"

    def known(self, call: ToolCall) -> tuple[ToolOutput, str]:
        """The result of an identical earlier call, and the note for it."""
        earlier = next(one for one in reversed(self._made) if one.key == key_of(call))
        return earlier.output, AGAIN.format(step=earlier.step)

    def add(self, call: ToolCall, output: ToolOutput, *, step: int, acts: bool, ran: bool) -> str:
        """Count a call with its ``output`` (without a note); returns the note for it, or ""."""
        key, result = key_of(call), hashlib.sha256(output.text.encode()).hexdigest()
        before = next((one for one in reversed(self._made) if one.key == key), None)
        same = before is not None and before.result == result
        self._times[key] = self._times.get(key, 0) + 1 if same else 1
        self._changed.discard(key)
        if ran and acts and not output.failed:
            self._changed = {one.key for one in self._made} - {key}
            self._empty.clear()
        alike = next((one for one in self._made if one.result == result and one.call.tool == call.tool), None)
        self._made.append(_Made(key=key, call=call, step=step, result=result, output=output, acts=acts, ran=ran))
        if not is_empty(output):
            self._empty[call.tool] = 0
            return ALIKE.format(step=alike.step) if ran and not acts and alike is not None else ""
        self._empty[call.tool] = times = self._empty.get(call.tool, 0) + 1
        return NOTHING.format(tool=call.tool, times=times) if times > 1 else ""

    def restart(self) -> None:
        """Begin another attempt: what was read may be read again, what acted was done."""
        acted = {one.key for one in self._made if one.acts}
        self._times = {key: times for key, times in self._times.items() if key in acted}
        self._made = [one for one in self._made if one.acts]
        self._changed.clear()
        self._empty.clear()

    def forbid(self, call: ToolCall) -> None:
        """This call has led to nothing in an attempt that has failed: it is masked from now on."""
        self._in_vain[key_of(call)] = call

    def masked(self, tool: str) -> list[dict[str, Any]]:
        """The arguments that a tool's next call may not have."""
        known = {**{one.key: one.call for one in self._made}, **self._in_vain}
        calls = {key: call for key, call in known.items() if call.tool == tool}
        return [call.arguments for call in calls.values() if self.verdict(call) == "masked"]

    def masked_tools(self, tools: Sequence[Tool]) -> dict[str, str]:
        """The tools that may not be called next, with the reason: their results stay empty, or the only call that they
        have is masked."""
        reasons: dict[str, str] = {}
        for tool in tools:
            if self._empty.get(tool.name, 0) >= MOST_EMPTY:
                reasons[tool.name] = f"its last {MOST_EMPTY} results were empty"
            elif not tool.parameters.get("properties") and self.masked(tool.name):
                reasons[tool.name] = "its result is known"
        return reasons

    def _rounds(self, key: str) -> int:
        """How often in a row the last calls, with this one at their end, form the same cycle of two or three."""
        keys = [(one.key, one.result) for one in self._made]
        most = 1
        for length in range(2, LONGEST_CYCLE + 1):
            last = [*(keys[-length + 1 :]), (key, "")]
            rounds, end = 1, len(keys) - length + 1
            while end >= length and _alike(keys[end - length : end], last):
                rounds, end = rounds + 1, end - length
            if len({name for name, _ in last}) > 1:
                most = max(most, rounds)
        return most


def _alike(calls: Sequence[tuple[str, str]], last: Sequence[tuple[str, str]]) -> bool:
    """Whether calls are those of the last cycle, whose last call has no result yet."""
    return len(calls) == len(last) and calls[-1][0] == last[-1][0] and list(calls[:-1]) == list(last[:-1])
