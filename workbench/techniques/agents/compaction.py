"""Compaction: a history that has become long, shortened until it fits, the oldest first.

In stages, each only as far as it is needed: results of tools to one line; examples of calls left out; the turns of the
conversation before the task to a running summary, which the model writes (as in MemGPT, Packer et al. 2023,
arXiv:2310.08560); calls with their results to a line each. The task is never touched, a call never parted from its
result, and the trace keeps everything.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from itertools import chain

import msgspec

from workbench.api.events import Event
from workbench.records.messages import Message

SHORT = 120
"""Characters of a result, or of a turn without the model, that are left of it."""
LINE_TOKENS = 20
"""What a message of a call that has become a line costs, about."""
MOST_LINES = 12
CHARACTERS_PER_TOKEN = 3
SUMMARY_TOKENS = 160
SUMMARY = "Summary of the conversation so far:"
STEPS = "What was done so far:"
ASK_FOR_SUMMARY = (
    "Sum up this conversation in at most five sentences, for the one who continues it. Keep names, numbers and what "
    "was decided.\n\n{text}"
)

Count = Callable[[Sequence[str]], list[int]]
Summarize = Callable[[str], Generator[Event, None, str]]


def compact(
    history: tuple[Message, ...], room: int, count: Count, summarize: Summarize
) -> Generator[Event, None, tuple[Message, ...]]:
    """The history in at most ``room`` tokens, as far as that goes: the instructions, the task and the last call with
    its result stay. ``summarize`` asks the model for a summary of a text; where it gives none, the beginnings of the
    turns stand for it."""
    if _tokens(history, count) <= room:
        return history
    history = with_short_results(history, room, count)
    if _tokens(history, count) <= room:
        return history
    before, task, after = parts_of(history)
    before = _without_examples(before, room - _tokens((*task, *after), count), count)
    turns = [one for one in before if one.role != "system"]
    if turns and _tokens((*before, *task, *after), count) > room:
        left = room - SUMMARY_TOKENS - _tokens((*_system(before), *task, *after), count)
        merged = _oldest(_turns(turns), left, count)
        text = _text(merged, _section(before, SUMMARY), CHARACTERS_PER_TOKEN * room)
        summary = " ".join((yield from summarize(ASK_FOR_SUMMARY.format(text=text))).split()) or _excerpt(text)
        rest = turns[len(merged) :]
        before = [*_with_section(_system(before), SUMMARY, summary), *rest]
    history = (*before, *task, *after)
    if _tokens(history, count) <= room:
        return history
    pairs = _pairs(after)
    merged_pairs: list[Message] = []
    fixed = _tokens((*before, *task), count)
    while len(pairs) > 1 and fixed + _tokens([*chain(*pairs)], count) + len(merged_pairs) * LINE_TOKENS > room:
        merged_pairs += pairs.pop(0)
    if not merged_pairs:
        return history
    lines = [*_section(before, STEPS).splitlines(), *_lines(merged_pairs)]
    system = _with_section(_system(before), STEPS, "\n".join(lines[-MOST_LINES:]))
    return (*system, *(one for one in before if one.role != "system"), *task, *chain(*pairs))


def with_short_results(history: tuple[Message, ...], room: int, count: Count) -> tuple[Message, ...]:
    """The oldest results of tools as one line each, as many as it takes, but for the last."""
    sizes = count([_whole(one) for one in history])
    messages, total = list(history), sum(sizes)
    results = [place for place, message in enumerate(history) if message.tool_result is not None]
    for place in results[:-1]:
        if total <= room:
            break
        messages[place] = _shortened(history[place])
        total += count([_whole(messages[place])])[0] - sizes[place]
    return tuple(messages)


def parts_of(history: Sequence[Message]) -> tuple[list[Message], list[Message], list[Message]]:
    """What is before the task, the task (the last message of the person), and the calls after it."""
    place = max((n for n, message in enumerate(history) if message.role == "user"), default=-1)
    if place < 0:
        return list(history), [], []
    return list(history[:place]), [history[place]], list(history[place + 1 :])


def _tokens(history: Sequence[Message], count: Count) -> int:
    return sum(count([_whole(one) for one in history])) if history else 0


def _whole(message: Message) -> str:
    return message.content + "".join(f"{call.name} {call.arguments}" for call in message.tool_calls)


def _system(before: Sequence[Message]) -> list[Message]:
    return [one for one in before if one.role == "system"]


def _turns(messages: Sequence[Message]) -> list[list[Message]]:
    """Questions with all that followed them."""
    turns: list[list[Message]] = []
    for message in messages:
        if message.role == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns


def _without_examples(before: Sequence[Message], room: int, count: Count) -> list[Message]:
    """Without the oldest turns that hold calls, as many as it takes: they show how to call, and are no conversation."""
    turns = _turns([one for one in before if one.role != "system"])
    left = _tokens(before, count)
    for turn in [turn for turn in turns if any(one.tool_calls for one in turn)]:
        if left <= room:
            break
        left -= _tokens(turn, count)
        turns.remove(turn)
    return [*_system(before), *chain(*turns)]


def _pairs(messages: Sequence[Message]) -> list[list[Message]]:
    """Calls with their results."""
    pairs: list[list[Message]] = []
    for message in messages:
        if message.role != "tool" or not pairs:
            pairs.append([])
        pairs[-1].append(message)
    return pairs


def _oldest(turns: list[list[Message]], room: int, count: Count) -> list[Message]:
    """The oldest turns, as many as it takes for the others to fit."""
    sizes = [_tokens(turn, count) for turn in turns]
    left, merged = sum(sizes), 0
    while merged < len(turns) and left > room:
        left -= sizes[merged]
        merged += 1
    return [*chain(*turns[: max(1, merged)])]


def _text(messages: Sequence[Message], summary: str, longest: int) -> str:
    """Turns as a text to be summed up, after what was summed up before; each is cut to its share of ``longest``
    characters."""
    lines = [f"Until now: {summary}"] if summary else []
    share = max(SHORT, (longest - len(summary)) // max(1, len(messages)))
    lines += [f"{'Person' if one.role == 'user' else 'Assistant'}: {_whole(one).strip()[:share]}" for one in messages]
    return "\n".join(lines)


def _excerpt(text: str) -> str:
    """The beginning of each line."""
    return " / ".join(line[:SHORT].strip() for line in text.splitlines() if line.strip())[: 8 * SHORT]


def _lines(messages: Sequence[Message]) -> list[str]:
    """A line for each call, with the beginning of its result."""
    lines: list[str] = []
    for message in messages:
        lines += [f"- {call.name} {call.arguments}" for call in message.tool_calls]
        if message.tool_result is not None and lines:
            lines[-1] += f" → {_first_line(message.tool_result.text)}"
    return [line[: 2 * SHORT] for line in lines]


def _first_line(text: str) -> str:
    line = " ".join(text[: 2 * SHORT].split("\n", 1)[0].split())
    return line if len(line) < SHORT and len(text) <= len(line) else f"{line[: SHORT - 1].rstrip()}…"


def _shortened(message: Message) -> Message:
    result = message.tool_result
    if result is None or len(result.text) <= SHORT:
        return message
    return Message.of_parts(message.role, (msgspec.structs.replace(result, text=_first_line(result.text)),))


def _section(before: Sequence[Message], heading: str) -> str:
    """What an earlier compaction has put under a heading of the instructions."""
    text = next((one.content for one in before if one.role == "system"), "")
    _, found, rest = text.partition(f"{heading}\n")
    if not found:
        return ""
    return rest.split(f"\n\n{STEPS}\n")[0].strip() if heading == SUMMARY else rest.strip()


def _with_section(system: Sequence[Message], heading: str, text: str) -> list[Message]:
    """The instructions with a text under a heading, which replaces what was there."""
    first = system[0].content if system else ""
    summary, steps = _section(system, SUMMARY), _section(system, STEPS)
    summary, steps = (text, steps) if heading == SUMMARY else (summary, text)
    kept = first.partition(f"{SUMMARY}\n")[0].partition(f"{STEPS}\n")[0].rstrip()
    sections = [f"{name}\n{content}" for name, content in ((SUMMARY, summary), (STEPS, steps)) if content]
    return [Message("system", "\n\n".join(filter(None, (kept, *sections)))), *system[1:]]
