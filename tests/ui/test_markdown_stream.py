"""Markdown that grows piece by piece comes to the same leaves as Markdown read at once, at a bounded cost."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from ui.components.markdown_blocks import Leaf, Span, make_parser, parse
from ui.components.markdown_stream import MarkdownStream

SAMPLE = """# Warranty *terms*

The pump is covered for **36 months** [1]. Claims must be
in writing [2, 3]; see `claim.form` and \\(a_b*c*\\).

1. First item
2. Second item
   - nested one
   - nested two

   with a paragraph
3. Third

- a
- b

> Quoted **words**
> - in a list

| part | price |
|------|------:|
| seal [1] | 12 |
| shaft | 140 |

```python
def f(x):
    return "`" * x
```

~~~
plain
```
~~~

    indented code

---

<b>not bold</b> ![a picture](http://example.org/x.png) [a link](http://example.org)

[1]: pump.pdf
"""


def joined(leaves: list[Leaf]) -> list[Leaf]:
    """The leaves with those that go on in the paragraph before put back into it."""
    found: list[Leaf] = []
    for leaf in leaves:
        if leaf.joins and found:
            found[-1] = replace(found[-1], spans=merged(found[-1].spans + leaf.spans))
        else:
            found.append(leaf)
    return found


def merged(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    result: list[Span] = []
    for span in spans:
        if result and not span.cite and replace(result[-1], text=span.text) == span:
            result[-1] = replace(span, text=result[-1].text + span.text)
        else:
            result.append(span)
    return tuple(result)


def stream(text: str, seed: int) -> tuple[list[Leaf], MarkdownStream]:
    dice = random.Random(seed)
    growing = MarkdownStream()
    leaves: list[Leaf] = []
    position = 0
    while position < len(text):
        size = dice.randint(1, 12)
        growing.add(text[position : position + size])
        position += size
        leaves += growing.take().finished
    last = growing.finish()
    assert last.open == ()
    return joined(leaves + list(last.finished)), growing


@pytest.mark.parametrize("seed", range(12))
def test_pieces_come_to_the_same_as_the_whole(seed: int) -> None:
    leaves, growing = stream(SAMPLE, seed)
    assert leaves == parse(SAMPLE, make_parser())
    assert growing.text == SAMPLE


@pytest.mark.parametrize("seed", range(2))
def test_a_long_paragraph_is_settled_by_sentences(seed: int) -> None:
    text = "The seal holds **ten bar** as the sheet says [1]. When it leaks, call us; the part costs $5 more. " * 30
    whole = parse(text, make_parser())
    leaves, growing = stream(text, seed)
    assert leaves == whole
    growing = MarkdownStream()
    growing.add(text)
    assert len(growing.take().finished) == 1


def test_only_the_newest_item_of_a_long_list_stays_open() -> None:
    growing = MarkdownStream()
    growing.add("".join(f"{n}. item {n}\n" for n in range(1, 101)))
    update = growing.take()
    assert [leaf.marker for leaf in update.finished] == [f"{n}." for n in range(1, 100)]
    assert [leaf.marker for leaf in update.open] == ["100."]
    growing.add("101. item 101\n")
    update = growing.take()
    assert [leaf.marker for leaf in update.finished] == ["100."]


def test_open_code_is_whole_at_every_step_and_its_closing_fence_is_never_shown() -> None:
    growing = MarkdownStream()
    for character in "```py\na = 1\nb = 2\n```\nAfter":
        growing.add(character)
        update = growing.take()
        for leaf in update.open + update.finished:
            if leaf.kind == "code":
                assert "`" not in leaf.code
    assert update.open == (Leaf("paragraph", (Span("After"),)),)


def test_html_and_images_are_text_and_citations_are_spans() -> None:
    (leaf,) = parse("<script>x</script> ![cat](http://e.org/c.png) see [2, 10] and `[3]`", make_parser())
    assert leaf.spans[0].text == "<script>x</script> "
    assert [span.text for span in leaf.spans if span.italic] == ["cat"]
    assert [span.cite for span in leaf.spans if span.cite] == [2, 10]
    assert leaf.spans[-1] == Span("[3]", code=True)


def test_the_lines_of_a_verse_stay_lines() -> None:
    (leaf,) = stream("The sea,\nthe sea.", 1)[0]
    assert "".join(span.text for span in leaf.spans) == "The sea,\u2028the sea."


def test_latex_keeps_its_signs() -> None:
    (leaf,) = parse(r"Let \(a_1*b*\) and $x_i$ cost $5 or $6.", make_parser())
    assert "".join(span.text for span in leaf.spans) == r"Let \(a_1*b*\) and $x_i$ cost $5 or $6."
    assert not any(span.italic for span in leaf.spans)
