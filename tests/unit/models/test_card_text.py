"""A model card shows its text, and nothing of it is fetched."""

from __future__ import annotations

from workbench.models.card_text import MOST_CHARACTERS, plain_card

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


def test_a_long_card_is_cut() -> None:
    assert len(plain_card("word\n" * MOST_CHARACTERS)) <= MOST_CHARACTERS + 4
