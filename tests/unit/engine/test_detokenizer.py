"""An answer's tokens turned into text, with a vocabulary that counts how often it is asked."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

from workbench.api.events import Event, TextDelta
from workbench.engine.detokenizer import LONGEST_DELAY_S, Detokenizer

WORDS = {1: b"One", 2: b" two", 3: b" three", 4: b" f\xc3", 5: b"\xbcr", 6: b"<think>", 7: b"</think>"}
STEP_S = LONGEST_DELAY_S / 4


class Words:
    marks = frozenset[int]()

    def __init__(self) -> None:
        self.asked = Counter[int]()

    def piece(self, token: int, *, special: bool = False) -> bytes:
        self.asked[token] += 1
        return WORDS[token]

    def text(self, tokens: list[int]) -> str:
        return b"".join(WORDS[token] for token in tokens).decode("utf-8", "replace")


def made(stop: tuple[str, ...] = ()) -> tuple[Detokenizer, Words, list[Event]]:
    words, sent = Words(), list[Event]()
    prompt: Any = SimpleNamespace(opened=None, stops=(), strips_start=False)
    vocabulary: Any = words
    return Detokenizer(prompt, stop, vocabulary, sent.append), words, sent


def feed(detokenizer: Detokenizer, tokens: list[int]) -> list[bool]:
    """A token every STEP_S."""
    return [detokenizer.feed(token, -1.0, 1.0 + STEP_S * at) for at, token in enumerate(tokens)]


def test_the_first_token_is_sent_at_once() -> None:
    detokenizer, _, sent = made()
    detokenizer.feed(1, -1.0, 1.0)
    assert sent == [TextDelta(text="One", tokens=1)]


def test_tokens_become_text_when_it_is_time_to_send_them() -> None:
    detokenizer, words, sent = made()
    feed(detokenizer, [1, 2, 3])
    assert (words.asked[2], words.asked[3], len(sent)) == (0, 0, 1)
    detokenizer.feed(2, -1.0, 1.0 + 2 * LONGEST_DELAY_S)
    assert sent[1:] == [TextDelta(text=" two three two", tokens=4)]


def test_a_stop_text_ends_the_answer_with_the_token_that_completes_it() -> None:
    detokenizer, _, sent = made(("two",))
    assert feed(detokenizer, [1, 2]) == [False, True]
    result = detokenizer.finish("stop")
    assert result.text == "One "
    assert result.spelled == (("One", -1.0), (" two", -1.0))
    assert "".join(event.text for event in sent if isinstance(event, TextDelta)) == "One "


def test_nothing_is_lost_at_the_end() -> None:
    detokenizer, _, sent = made()
    feed(detokenizer, [6, 1, 7, 2, 4, 5])
    result = detokenizer.finish("length")
    assert (result.thought, result.text, result.tokens) == ("One", "two für", (6, 1, 7, 2, 4, 5))
    assert result.mean_logprob == -1.0
    assert result.spelled == ()  # it has a thought
    assert "".join(event.text for event in sent if isinstance(event, TextDelta)) == "two für"
