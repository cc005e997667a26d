"""Text of strangers made printable and cut."""

from __future__ import annotations

import pytest

from workbench.techniques.tools.results import one_line, plain


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\x1b[31mred\x1b[0m", "a[31mred[0m"),
        ("bell\x07 back\x08\x00", "bell back"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("tab\tstays\n", "tab\tstays\n"),
        ("\u202eevil\u2066", "evil"),
        ("\ud800x", "x"),
        ("👩‍🚀 नमस्ते 漢字", "👩‍🚀 नमस्ते 漢字"),
        ("\x9b31mred", "31mred"),
    ],
)
def test_a_text_is_printable(given: str, shown: str) -> None:
    assert plain(given, 100) == shown


def test_a_long_text_is_cut_and_says_so() -> None:
    assert plain("x" * 1_250, 250) == "x" * 250 + "\n… (1,000 more characters)"


def test_one_line() -> None:
    assert one_line("a\n\x1b b", 10) == "a b"
    assert one_line("abcdef", 4) == "abc…"
