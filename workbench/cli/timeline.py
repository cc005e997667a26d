"""The steps of an agent in the terminal: each with its figures, arguments, decision and result."""

from __future__ import annotations

from textwrap import shorten

from workbench.base.counting import counted
from workbench.cli.output import TextOutput, one_line
from workbench.records.approvals import describe_decision, shown, tool_title
from workbench.records.timeline import CALL, Entry, Timeline
from workbench.records.visible import visible

LONGEST = 300
"""Maximum characters of an argument or a result; ``--json`` has the whole."""


def show_timeline(timeline: Timeline, output: TextOutput) -> None:
    for entry in timeline.entries:
        indent = "  " * entry.depth
        output.line(f"{indent}{' · '.join((_title(entry), *_figures(entry)))}")
        for line in _lines(entry):
            output.line(f"{indent}  {line}")
    calls, tokens = counted(timeline.calls, "tool call"), counted(timeline.new_tokens, "token")
    output.line(f"{calls}, {timeline.seconds:.1f} s, {tokens}")


def _title(entry: Entry) -> str:
    step = entry.step
    if step.kind == CALL and entry.call is not None:
        return tool_title(entry.call.tool)
    return "Answer" if step.writes_answer else step.title or step.kind.capitalize()


def _figures(entry: Entry) -> list[str]:
    figures = [f"{entry.seconds:.2f} s"] if entry.seconds else []
    figures += [counted(entry.new_tokens, "token")] if entry.new_tokens else []
    figures += [f"step {entry.step.id}"] if entry.actions or entry.waits else []
    if entry.waits:
        return [*figures, "waits for you"]
    return figures if entry.step.state == "done" else [*figures, entry.step.state]


def _lines(entry: Entry) -> list[str]:
    arguments = entry.call.arguments if entry.call is not None else {}
    lines = [f"{name}: {_short(shown(value))}" for name, value in arguments.items()]
    lines += [describe_decision(entry.decision)] if entry.decision is not None else []
    lines += [entry.edit] if entry.edit else []
    step = entry.step
    if step.error:
        lines.append(f"! {_short(step.error)}")
    elif step.output.strip() and not step.writes_answer:
        lines.append(f"> {_short(step.output)}")
    return [*lines, *([_short(entry.note)] if entry.note else [])]


def _short(text: str) -> str:
    return shorten(one_line(visible(text)), LONGEST, placeholder=" …")
