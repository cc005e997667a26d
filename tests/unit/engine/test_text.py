from __future__ import annotations

import random

import pytest

from workbench.engine.text import CharacterDecoder, StopFinder, partial_match_length


def test_characters_split_over_pieces_come_out_whole() -> None:
    text = "a 你好 🌍👩‍👩‍👧 é"
    raw = text.encode()
    for size in (1, 2, 3, 5):
        decoder = CharacterDecoder()
        pieces = [decoder.feed(raw[at : at + size]) for at in range(0, len(raw), size)]
        assert "".join(pieces) == text
        assert all("\ufffd" not in piece for piece in pieces)


def test_bytes_that_are_no_utf8_are_replaced_and_an_unfinished_character_is_dropped() -> None:
    decoder = CharacterDecoder()
    assert decoder.feed(b"a\xffb") == "a\ufffdb"
    assert decoder.feed("🌍".encode()[:3]) == ""


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["Hello END more"], "Hello "),
        (["Hello E", "N", "D more"], "Hello "),
        (["Hello EN", "E", "ND"], "Hello EN"),
        (["E", "EE", "END"], "EEE"),
        (["no stop here E"], "no stop here E"),
    ],
)
def test_a_stop_text_ends_the_stream_wherever_the_pieces_are_cut(pieces: list[str], shown: str) -> None:
    finder = StopFinder(["END"])
    out = ""
    for piece in pieces:
        text, stopped = finder.feed(piece)
        out += text
        if stopped:
            break
    else:
        out += finder.finish()
    assert out == shown


def test_nothing_of_a_stop_text_is_ever_shown_and_nothing_else_is_lost() -> None:
    draw = random.Random(1)
    for _ in range(2000):
        stops = ["".join(draw.choices("ab", k=draw.randint(1, 4))) for _ in range(draw.randint(1, 3))]
        text = "".join(draw.choices("abc", k=draw.randint(0, 20)))
        places = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
        expected = text[: min(places)[1]] if places else text
        finder = StopFinder(stops)
        out, at, stopped = "", 0, False
        while at < len(text) and not stopped:
            size = draw.randint(1, 4)
            shown, stopped = finder.feed(text[at : at + size])
            out += shown
            assert expected.startswith(out)
            at += size
        out += "" if stopped else finder.finish()
        assert stopped == bool(places)
        assert out == expected


def test_without_stop_texts_nothing_is_kept_back() -> None:
    assert StopFinder(["", ""]).feed("abc") == ("abc", False)


def test_possible_start_is_the_longest_partial_match() -> None:
    assert partial_match_length("xxaba", "abab") == 3
    assert partial_match_length("abab", "abab") == 2
    assert partial_match_length("x", "abab") == 0
