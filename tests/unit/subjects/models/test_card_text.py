"""A model card shows its text, and nothing of it is fetched."""

from __future__ import annotations

import signal

import pytest

from workbench.subjects.models.hub import MOST_CHARACTERS, plain_card

CARD = """---
license: mit
---
# A model
<!-- hidden -->
![A chart](https://example.org/chart.png) <img src="https://example.org/x.png" alt="A logo" width=3>
<div align="center"><b>Bold</b> &amp; plain</div><script>fetch("https://example.org")</script>
[![badge](https://example.org/b.svg)](https://example.org)

```python
a < b and c > d
```
"""


def test_pictures_and_html_become_text() -> None:
    text = plain_card(CARD)
    assert "example.org/chart" not in text
    assert "example.org/x.png" not in text
    assert "fetch" not in text
    assert "hidden" not in text
    assert "license:" not in text
    assert text.startswith("# A model")
    assert "A chart A logo" in text
    assert "Bold & plain" in text
    assert "a < b and c > d" in text


def test_an_escaped_picture_is_no_picture() -> None:
    assert plain_card("&lt;img src='https://example.org/x.png' alt='A logo'&gt;") == "A logo"
    assert plain_card("&#33;[A chart](https://example.org/chart.png)") == "A chart"


def test_a_comment_without_an_end_hides_nothing_else() -> None:
    assert plain_card("<!-- a --> b <!-- c <style>d</style> e") == "b <!-- c  e"


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs SIGALRM")
@pytest.mark.parametrize("piece", ["<script ", "<!--", "![", "<img ", "[](", "![a](", "<svg></sv", "[ ", "\n \t"])
def test_a_card_that_is_made_to_take_long_is_read_at_once(piece: str) -> None:
    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)  # an unbounded pattern takes minutes, these take milliseconds
    try:
        assert len(plain_card(piece * MOST_CHARACTERS)) <= MOST_CHARACTERS + 4
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_long_card_is_cut() -> None:
    assert len(plain_card("word\n" * MOST_CHARACTERS)) <= MOST_CHARACTERS + 4
