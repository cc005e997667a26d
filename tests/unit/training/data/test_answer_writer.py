"""Judged answers as tokens: as they were sampled, and without an end where they were cut off."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.engine.template import TemplateRenderer
from workbench.engine.vocabulary import Vocabulary
from workbench.training.data.answer_writer import AnswerWriter
from workbench.training.data.examples import Source
from workbench.training.data.formats import recognise, to_example
from workbench.training.data.rows import Row
from workbench.training.data.tokenization import pieces_of


@pytest.fixture
def written(smollm: tuple[Vocabulary, str], renderer: TemplateRenderer) -> Any:
    vocabulary, template = smollm

    def write(**values: Any) -> tuple[list[list[int]], Vocabulary]:
        row = Row({"prompt": "How high?", "chosen": "Forty metres.", "rejected": "Very.", **values}, Source())
        shape = recognise([row])
        assert shape.mapping is not None
        assert shape.left_out == ()
        one = AnswerWriter(template, vocabulary, renderer).write(to_example(row, shape.mapping))
        start = one.trained.index(True)
        [second] = one.starts
        return [list(one.tokens[start:second]), list(one.tokens[second:])], vocabulary

    return write


def other_tokens(vocabulary: Vocabulary, text: str) -> list[int]:
    """The text as tokens of single characters, which no tokenizer would make."""
    return [token for character in text for token in vocabulary.tokenize(character, special=False)]


def test_sampled_tokens_are_learnt_as_they_are(written: Any) -> None:
    (plain, _), vocabulary = written()
    drawn = other_tokens(vocabulary, "Forty metres.")
    assert drawn != plain[: len(drawn)]
    (chosen, rejected), _ = written(chosen_tokens=drawn)
    assert chosen[: len(drawn)] == drawn
    assert chosen[len(drawn) :] == plain[-len(chosen) + len(drawn) :]  # the same end
    assert vocabulary.ends_generation(chosen[len(drawn)])
    assert rejected == written()[0][1]


def test_tokens_that_say_something_else_are_not_taken(written: Any) -> None:
    plain, vocabulary = written()
    for wrong in (other_tokens(vocabulary, "Fifty metres."), [10_000_000], [-1], ["Forty"], "Forty", [True]):
        assert written(chosen_tokens=wrong)[0] == plain


def test_an_answer_that_was_cut_off_has_no_end_to_be_learnt(written: Any) -> None:
    plain, vocabulary = written()
    (chosen, rejected), _ = written(chosen_unfinished=True)
    assert vocabulary.text(chosen) == "Forty metres."
    assert not any(map(vocabulary.ends_generation, chosen))
    assert plain[0][: len(chosen)] == chosen
    assert rejected == plain[1]


def test_the_answers_of_a_pair_are_told_apart_in_its_preview(
    smollm: tuple[Vocabulary, str], renderer: TemplateRenderer
) -> None:
    vocabulary, template = smollm
    row = Row({"prompt": "How high?", "chosen": "Forty metres.", "rejected": "Very."}, Source())
    mapping = recognise([row]).mapping
    assert mapping is not None
    pieces = pieces_of(AnswerWriter(template, vocabulary, renderer).write(to_example(row, mapping)), vocabulary)
    answers = [(piece.text, piece.rejected) for piece in pieces if piece.trained]
    assert [rejected for _, rejected in answers] == [False, True]
    assert answers[0][0].startswith("Forty metres.")
    assert answers[1][0].startswith("Very.")
    assert not any(piece.rejected for piece in pieces if not piece.trained)
