"""A long history is shortened: results first, then turns, then calls; never the task, never half a call and result."""

from __future__ import annotations

import random
from collections.abc import Generator, Sequence

from workbench.api.events import Event
from workbench.records.messages import Message, ToolCallPart, ToolResultPart
from workbench.techniques.agents.compaction import (
    LINE_TOKENS,
    MOST_LINES,
    STEPS,
    SUMMARY,
    SUMMARY_TOKENS,
    compact,
    parts_of,
)

SYSTEM, TASK = Message("system", "Be brief."), Message("user", "What does the pump weigh? " * 3)


def count(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def total(history: Sequence[Message]) -> int:
    calls = [f"{one.content} " + " ".join(f"{c.name} {c.arguments}" for c in one.tool_calls) for one in history]
    return sum(count(calls))


class Summarizer:
    def __init__(self, text: str = "They spoke about pumps.") -> None:
        self.asked: list[str] = []
        self.text = text

    def __call__(self, text: str) -> Generator[Event, None, str]:
        yield from ()
        self.asked.append(text)
        return self.text


def pair(number: int, words: int) -> tuple[Message, Message]:
    name = f"call{number:05}"
    return (
        Message.of_parts("assistant", (ToolCallPart("look", f'{{"n":{number}}}', name),)),
        Message.of_parts("tool", (ToolResultPart(f"result{number} " * words, "look", name),)),
    )


def turn(number: int, words: int) -> tuple[Message, Message]:
    return Message("user", f"q{number} " * words), Message("assistant", f"a{number} " * words)


def compacted(history: Sequence[Message], room: int, summarizer: Summarizer | None = None) -> tuple[Message, ...]:
    work = compact(tuple(history), room, count, summarizer or Summarizer())
    while True:
        try:
            next(work)
        except StopIteration as end:
            made: tuple[Message, ...] = end.value
            return made


def test_what_fits_stays_as_it_is() -> None:
    history = (SYSTEM, *turn(1, 10), TASK, *pair(1, 10))
    assert compacted(history, 1000) == history


def test_first_the_oldest_results_are_cut_to_a_line() -> None:
    history = (SYSTEM, TASK, *pair(1, 200), *pair(2, 200), *pair(3, 50))
    summarizer = Summarizer()
    made = compacted(history, 300, summarizer)
    assert [len(one.content.split()) for one in made if one.role == "tool"] == [15, 200, 50]
    assert not summarizer.asked
    assert made[:3] == history[:3]


def test_then_whole_turns_become_a_summary_that_runs_on() -> None:
    summarizer = Summarizer()
    history = (SYSTEM, *turn(1, 100), *turn(2, 100), *turn(3, 20), TASK, *pair(1, 10))
    made = compacted(history, 300, summarizer)
    assert made[0].content == f"Be brief.\n\n{SUMMARY}\nThey spoke about pumps."
    assert made[1:] == (*turn(3, 20), TASK, *pair(1, 10))
    assert "q1" in summarizer.asked[0]
    assert "a2" in summarizer.asked[0]
    summarizer.text = "Pumps, and more."
    again = compacted((*made, *pair(2, 200)), 250, summarizer)
    assert again[0].content == f"Be brief.\n\n{SUMMARY}\nPumps, and more."
    assert "Until now: They spoke about pumps." in summarizer.asked[1]


def test_an_empty_summary_is_replaced_by_the_beginnings_of_the_turns() -> None:
    made = compacted((SYSTEM, *turn(1, 300), TASK), 250, Summarizer(" \n "))
    assert "q1 q1" in made[0].content
    assert "a1 a1" in made[0].content
    assert len(made[0].content) < 1200


def test_then_calls_with_their_results_become_a_line_each() -> None:
    history = [SYSTEM, TASK]
    for number in range(1, 12):
        history += pair(number, 10)
    made = compacted(history, 100)
    assert STEPS in made[0].content
    assert '- look {"n":1} → result1' in made[0].content
    assert made[1] == TASK
    assert made[-2:] == tuple(history[-2:])


def test_whatever_the_history_nothing_is_torn_and_the_task_stays() -> None:
    drawn = random.Random(5)
    for _ in range(300):
        history: list[Message] = [SYSTEM] if drawn.random() < 0.8 else []
        for number in range(drawn.randrange(6)):
            history += turn(number, drawn.choice([1, 20, 200]))
        history.append(TASK)
        for number in range(drawn.randrange(8)):
            history += pair(number, drawn.choice([1, 20, 300]))
        room = drawn.choice([60, 150, 400, 900])
        made = compacted(history, room, Summarizer(drawn.choice(["Short.", ""])))
        for _ in range(2):  # and again, as the run goes on
            history, made = list(made), compacted((*made, *pair(99, 30)), room)
        assert TASK in made
        before, task, after = parts_of(made)
        assert task == [TASK]
        assert all(one.role == ("tool" if place % 2 else "assistant") for place, one in enumerate(after))
        for call, result in zip(after[::2], after[1::2], strict=True):
            assert call.tool_calls[0].id == (result.tool_result or ToolResultPart("")).call
        assert [one.role for one in before if one.role != "system"] == ["user", "assistant"] * (
            sum(one.role != "system" for one in before) // 2
        )
        assert all(one.content.strip() or one.tool_calls for one in made)
        fixed = total([*before[:1], TASK, *after[-2:]])
        assert total(made) <= max(room, fixed + SUMMARY_TOKENS + MOST_LINES * 2 * LINE_TOKENS)


def test_examples_of_calls_are_left_out_before_anything_is_summed_up() -> None:
    example = (Message("user", "e " * 100), *pair(7, 3), Message("assistant", "42"))
    summarizer = Summarizer()
    made = compacted((SYSTEM, *example, *turn(1, 20), TASK, *pair(1, 10)), 100, summarizer)
    assert made == (SYSTEM, *turn(1, 20), TASK, *pair(1, 10))
    assert not summarizer.asked
