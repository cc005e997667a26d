"""Running one tool within limits of time and length: whatever it does, its result is an observation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base import errors
from workbench.techniques.tools.results import plain
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, ToolOutput

TOO_LONG = "The tool did not finish within {seconds:.0f} seconds."
STILL_ACTING = " What it was doing may still happen."
BROKEN = "The tool failed: {error}."
GRACE_S = 1.0
"""What a tool that was cancelled has for its end."""
_POLL_S = 0.02


def run_tool(
    tool: Tool,
    arguments: dict[str, Any],
    *,
    seconds: float,
    cancelled: Callable[[], bool] = lambda: False,
    longest: int = LONGEST_OUTPUT,
) -> ToolOutput:
    """The result of a call, at most ``longest`` printable characters of it, within ``seconds``. A tool that heeds no
    cancellation is left behind on its thread. Raises errors.Cancelled once the request was cancelled."""
    return _limited(lambda context: tool.run(arguments, context), seconds, cancelled, longest, _too_long(tool, seconds))


def run_answered(
    tool: Tool, arguments: dict[str, Any], answer: str, *, cancelled: Callable[[], bool], longest: int = LONGEST_OUTPUT
) -> ToolOutput:
    """As ``run_tool``, of a tool that had asked the person, with their answer."""
    answered = tool.answered
    if answered is None:
        return ToolOutput(text=plain(answer, longest))
    too_long = _too_long(tool, tool.seconds)
    return _limited(lambda context: answered(arguments, answer, context), tool.seconds, cancelled, longest, too_long)


def _too_long(tool: Tool, seconds: float) -> str:
    return TOO_LONG.format(seconds=seconds) + (STILL_ACTING if tool.acts else "")


def _limited(
    run: Callable[[RequestContext], ToolOutput],
    seconds: float,
    cancelled: Callable[[], bool],
    longest: int,
    too_long: str,
) -> ToolOutput:
    context = RequestContext()
    made: list[ToolOutput | BaseException] = []

    def work() -> None:
        try:
            made.append(run(context))
        except BaseException as error:  # noqa: BLE001 - what a tool raises is its result
            made.append(error)

    thread = threading.Thread(target=work, name="tool", daemon=True)
    thread.start()
    ends = time.monotonic() + seconds
    while thread.is_alive() and time.monotonic() < ends and not cancelled():
        thread.join(_POLL_S)
    if thread.is_alive():
        context.cancel()
        thread.join(GRACE_S)
    if cancelled():
        raise errors.Cancelled
    result = made[0] if made else None
    if result is None or isinstance(result, errors.Cancelled):
        return ToolOutput(text=too_long, failed=True)
    if isinstance(result, BaseException):
        said = str(result) or type(result).__name__
        return ToolOutput(text=plain(BROKEN.format(error=said.rstrip(".")), longest), failed=True)
    return msgspec.structs.replace(result, text=plain(result.text, longest))
