"""The steps and the tokens of answers: the trace as a tree, and the probability of each token with its alternatives."""

from __future__ import annotations

import json
import math
from textwrap import shorten
from typing import Any

import msgspec

from workbench.api.events import Log
from workbench.base.errors import UserError
from workbench.cli.output import TextOutput, one_line
from workbench.cli.session import Events, Session
from workbench.cli.timeline import show_timeline
from workbench.records.answers import AskResult
from workbench.records.timeline import Timeline
from workbench.records.trace import Trace, TraceStep
from workbench.subjects.chats.calls import InspectAnswer

LONGEST = 300
"""Maximum characters of a step's input or output in the terminal. ``--json`` has the whole."""


def with_tokens(session: Session, result: AskResult, plain: dict[str, Any], alternatives: int) -> Events[None]:
    """Add the tokens of each sequence to a plain answer: ``tokens`` in place of their number, and ``next``, the
    possible next tokens. An answer that no model made has none."""
    for number, sequence in enumerate(plain["sequences"]):
        sequence["tokens"], sequence["next"] = [], None
        call = InspectAnswer(message=result.message, sequence=number, alternatives=alternatives)
        try:
            inspected = yield from session.call(call)
        except UserError as error:
            yield Log(text=str(error), level="notice")
            return
        known = msgspec.to_builtins(inspected)
        sequence["tokens"], sequence["next"] = known["tokens"], known["next"]


def show_tokens(result: dict[str, Any], output: TextOutput) -> None:
    table_of(result["tokens"], result["next"], result["first"], output)


def table_of(tokens: list[dict[str, Any]], after: dict[str, Any] | None, first: int, output: TextOutput) -> None:
    """A line per token: its position, as ``--branch`` takes it, and its alternatives as id, text and probability."""
    rows = [
        (place, quoted(one["text"]), one["token"], _percent(one["logprob"]), _alternatives(one))
        for place, one in enumerate(tokens, first)
    ]
    if after is not None:
        rows.append((first + len(tokens), "", "", "", _alternatives(after)))
    output.table(("PLACE", "TOKEN", "ID", "P", "ALTERNATIVES"), rows, numbers=("PLACE", "ID", "P"))


def quoted(text: str) -> str:
    """A token's text with visible spaces and line ends."""
    return json.dumps(text, ensure_ascii=False)


def _alternatives(chosen: dict[str, Any]) -> str:
    return "  ".join(f"{a['token']}:{quoted(a['text'])} {_percent(a['logprob'])}" for a in chosen["alternatives"])


def _percent(logprob: float) -> str:
    return f"{math.exp(logprob):.1%}"


def show_steps(result: dict[str, Any], output: TextOutput) -> None:
    """Each step with its figures and the beginning of its input and output, indented below its parent; of one that
    generated the number by which ``chats tokens --step`` names it. The steps of an agent are a timeline."""
    trace = msgspec.convert(result, Trace)
    if (timeline := Timeline.of(trace)) is not None:
        show_timeline(timeline, output)
        return
    for depth, step in trace.walk():
        indent = "  " * depth
        output.line(f"{indent}{' · '.join((step.title or step.kind, *figures_of(step)))}")
        for mark, text in (("<", step.input), (">", step.output), ("!", step.error)):
            if text.strip():
                output.line(f"{indent}  {mark} {shorten(one_line(text), LONGEST, placeholder=' …')}")


def figures_of(step: TraceStep) -> list[str]:
    """The known figures of a step: time, tokens and score."""
    figures = [f"{step.seconds:.2f} s"] if step.seconds else []
    if step.usage is not None:
        figures.append(f"{step.usage.prompt_tokens:,} prompt + {step.usage.new_tokens:,} new tokens")
    if step.score is not None:
        figures.append(f"score {step.score:.2f}")
    if step.usage is not None and not step.writes_answer:
        figures.append(f"step {step.id}")
    return figures if step.state == "done" else [*figures, step.state]
