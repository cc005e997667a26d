"""An answer's tokens turned into text, with a vocabulary that counts how often it is asked."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

from workbench.api.events import Event, TextDelta
from workbench.engine.detokenizer import LONGEST_DELAY_S, Writer

WORDS = {1: b"One", 2: b" two", 3: b" three", 4: b" f\xc3", 5: b"\xbcr", 6: b"<think>", 7: b"</think>"}
STEP_S = LONGEST_DELAY_S / 4


class Words:
    marks = frozenset[int]()

    def __init__(self) -> None:
        self.asked = Counter[int]()

    def piece(self, token: int, *, special: bool = False) -> bytes:
        self.asked[token] += 1
        return WORDS[token]


def made(stop: tuple[str, ...] = ()) -> tuple[Writer, Words, list[Event]]:
    words, sent = Words(), list[Event]()
    prompt: Any = SimpleNamespace(opened=None, stops=(), strips_start=False)
    vocabulary: Any = words
    return Writer(prompt, stop, vocabulary, sent.append), words, sent


def feed(writer: Writer, tokens: list[int]) -> list[bool]:
    """A token every STEP_S."""
    return [writer.feed(token, -1.0, 1.0 + STEP_S * at) for at, token in enumerate(tokens)]


def test_the_first_token_is_sent_at_once() -> None:
    writer, _, sent = made()
    writer.feed(1, -1.0, 1.0)
    assert sent == [TextDelta(text="One")]


def test_tokens_become_text_when_it_is_time_to_send_them() -> None:
    writer, words, sent = made()
    feed(writer, [1, 2, 3])
    assert (words.asked[2], words.asked[3], len(sent)) == (0, 0, 1)
    writer.feed(2, -1.0, 1.0 + 2 * LONGEST_DELAY_S)
    assert sent[1:] == [TextDelta(text=" two three two")]


def test_a_stop_text_ends_the_answer_with_the_token_that_completes_it() -> None:
    writer, _, sent = made(("two",))
    assert feed(writer, [1, 2]) == [False, True]
    assert writer.finish("stop").text == "One "
    assert "".join(event.text for event in sent if isinstance(event, TextDelta)) == "One "


def test_nothing_is_lost_at_the_end() -> None:
    writer, _, sent = made()
    feed(writer, [6, 1, 7, 2, 4, 5])
    result = writer.finish("length")
    assert (result.thought, result.text, result.tokens) == ("One", "two für", (6, 1, 7, 2, 4, 5))
    assert result.mean_logprob == -1.0
    assert "".join(event.text for event in sent if isinstance(event, TextDelta)) == "two für"
