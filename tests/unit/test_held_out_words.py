"""The words "held out" stand in texts that are made of a ``Measured`` value alone, or that claim nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = re.compile(
    r"held[ -]?(out|back)|holds? (it )?(out|back)|(not|never) (used|seen) in (the )?training|(not|never) trained on"
    r"|unseen",
    re.IGNORECASE,
)
DERIVED = {"workbench/records/training/measured.py", "workbench/records/training/reward_texts.py"}
"""These make the words of a value: their own tests ask for each value what is said."""
NO_CLAIM = {
    "held-out": "the part of a question set, or its option in the terminal, by its name",
    "--held-out": "an option of the terminal",
    "--held-out SHARE": "the same, with its value",
    ", none held out": "says that there are none",
    "Held out for evaluation: ": "names the rows that a split keeps apart; nothing is scored yet",
    "The held-out examples are empty or too long: the training examples are used for evaluation.": "there are none",
    "All examples are held out for evaluation.": "an error: nothing is left to train on",
    "held-out-": "files of a run",
    "held out": "the value itself",
    "unseen": "the value itself, or a feature: terms of the question that no passage has",
    ", held out": "the title of a measure in a plan of an earlier release, which is replaced",
    "The share that is held out must be from 0 to below 1.": "an error on a setting",
    "The training is evaluated on the examples of this set or file. Otherwise some of the training examples are held "
    "out, as the evaluation split says.": "explains a setting",
    "Held out of the data": "a choice of the same setting",
    "Prompts and examples are chosen on the questions to tune on. Those to measure with are held out.": "a part",
    "Choose another file, or none: then some of the training examples are held out.": "explains a setting",
    " In a set this small each held-back example is a fact that the model does not learn: to train on all, leave the "
    "evaluation split empty, or choose evaluation examples that ask the same in other words.": "explains a split",
    "other_unseen": "a feature: terms of the question that no passage has",
    "unseen_any": "a feature: terms of the question that no passage has",
    "{tune} are for tuning and training, {held_out} are held out for measuring.": "how a comparison splits questions",
    "This is the share of right answers to the held-out questions. The intervals of 95 % hold for all techniques "
    "at once.": "the same",
    "maximum number of held-out questions; 0: all": "the same",
    "{model} · {task} · {held_out} held out, {tune} to learn from": "how a comparison of techniques splits questions",
    " held out, ": "how a comparison of techniques splits questions",
    "What pays, held-out questions": "how a comparison of techniques splits questions",
    " has no held-out questions to measure on.": "the same",
    " held-out questions": "the same",
    "held-out question": "the same",
    "Vector scores are weighted by this against word scores where the embedding model was not trained on the "
    "language.": "of an embedding model's languages",
}


def texts() -> Iterator[tuple[str, str]]:
    """Each text of the program that holds the words, with its file; docstrings are no texts."""
    for folder in ("ui", "workbench"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            place, source = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
            if not CLAIMS.search(" ".join(source.split())):
                continue
            tree = ast.parse(source)
            documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
                    yield from ((place, node.value) for _ in CLAIMS.finditer(node.value))


def test_no_text_says_held_out_by_itself() -> None:
    claiming = [(place, words) for place, words in texts() if place not in DERIVED and words not in NO_CLAIM]
    assert claiming == []


def test_the_words_are_looked_for_where_they_are() -> None:
    assert any(place in DERIVED and "Held-out examples" in words for place, words in texts())


@pytest.mark.parametrize("words", ["{n} held-out questions", "Not used in training.", "10 held out", "Unseen examples"])
def test_the_words_are_known(words: str) -> None:
    assert CLAIMS.search(words)
