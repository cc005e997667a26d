from __future__ import annotations

import pytest

from workbench.engine.reasoning_parser import MARKS, Marks, ThoughtSplitter, opened_by

THINK = MARKS[0]


def split(text: str, size: int, opened: Marks | None = None) -> tuple[str, str]:
    splitter = ThoughtSplitter(opened)
    parts = [part for at in range(0, len(text), size) for part in splitter.feed(text[at : at + size])]
    parts += splitter.finish()
    return tuple("".join(text for kind, text in parts if kind == wanted) for wanted in ("thought", "text"))  # type: ignore[return-value]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("stream", "thought", "text"),
    [
        ("<think>\nHm, 1 < 2.\n</think>\n\nTwo.", "Hm, 1 < 2.", "Two."),
        ("\n<think></think>Two.", "", "Two."),
        ("<thinking>a</thinking> b", "a", "b"),
        ("[THINK]a[/THINK]b", "a", "b"),
        ("◁think▷a◁/think▷b", "a", "b"),
        ("  Plain answer.", "", "  Plain answer."),
        ("The tag <think> opens </think> thoughts.", "", "The tag <think> opens </think> thoughts."),
        ("<thin", "", "<thin"),
        ("<think>never closed </thi", "never closed </thi", ""),
        ("", "", ""),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Two.",
            "hm",
            "Two.",
        ),
        ("<|channel|>final<|message|>Two.", "", "Two."),
    ],
)
def test_thoughts_and_answer_are_told_apart(stream: str, thought: str, text: str, size: int) -> None:
    assert split(stream, size) == (thought, text)


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_template_may_have_opened_the_thoughts(size: int) -> None:
    assert opened_by("<|im_start|>assistant\n<think>\n") == THINK
    assert opened_by("<|im_start|>assistant\n") is None
    assert split("Hm.\n</think>\n\nTwo.", size, THINK) == ("Hm.", "Two.")


def test_thoughts_stream_before_they_end() -> None:
    splitter = ThoughtSplitter()
    assert splitter.feed("<think>first ") == [("thought", "first")]
    assert splitter.feed("second </th") == [("thought", " second")]
    assert splitter.feed("ird") == [("thought", " </third")]
