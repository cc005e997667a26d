"""Sequences held packed: the same as they were given, in a few bytes a token."""

from __future__ import annotations

import tracemalloc

import pytest

from workbench.training.data.examples import Source
from workbench.training.data.packed_tokens import WrittenExamples
from workbench.training.data.tokenization import WrittenExample
from workbench.training.sequences import TokenSequence, TokenSequences, lengths_of, longest_of, trained_tokens_of


def written(number: int, length: int = 6) -> WrittenExample:
    return WrittenExample(
        tokens=tuple(40_000 + number + place for place in range(length)),
        trained=tuple(place > number % 7 for place in range(length)),
        whole_tokens=length + number,
        source=Source(row=number),
        notes=("odd",) if number % 2 else (),
    )


def test_what_is_packed_comes_out_as_it_went_in() -> None:
    given = [written(n, 4 + n % 2) for n in range(9)]
    held = WrittenExamples()
    for one in given:
        held.append(one)
    assert list(held) == given
    assert (held[-1], held[2:5], len(held)) == (given[-1], given[2:5], 9)
    assert list(held.notes()) == ["odd"] * 4
    with pytest.raises(IndexError):
        held[9]
    assert [one for one in given if one.trained_tokens] == list(held.learnable())
    assert len(held.learnable()) < len(held)
    assert held.learnable().learnable() == held.learnable()


def test_sequences_tell_their_lengths_without_being_made() -> None:
    plain = [
        TokenSequence((1, 2, 3), (True, False, True)),
        TokenSequence((4, 5, 6, 7), (False, True, True, True), (2,)),
        TokenSequence((8,), (True,)),
    ]
    held = TokenSequences()
    for one in plain:
        held.append(one)
    assert list(held) == plain
    assert list(held.lengths()) == list(lengths_of(plain)) == [3, 4, 1]
    assert list(held.trained_tokens()) == list(trained_tokens_of(plain)) == [1, 3, 0]
    assert longest_of(held) == longest_of(plain) == plain[1]


def test_a_token_takes_five_bytes() -> None:
    rows, length = 500, 200
    tracemalloc.start()
    try:
        held = WrittenExamples()
        for number in range(rows):
            held.append(written(number, length))
        sequences = TokenSequences(held.packed)
        del held
        taken, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(sequences) == rows
    assert taken < 7 * rows * length
    assert peak < 16 * rows * length
