from __future__ import annotations

import random

import pytest

from workbench.records.messages import Message
from workbench.training.data.examples import Example, Source
from workbench.training.data.preparation import place_of, split_examples
from workbench.training.data.statistics import MOST_BINS, measure, measure_lengths, measure_overlap
from workbench.training.data.tokenization import WrittenExample


def pair(question: str, answer: str, line: int = 0) -> Example:
    source = Source(path="set.jsonl", line=line)
    return Example(messages=(Message("user", question), Message("assistant", answer)), source=source)


def written(tokens: int, learnt: int, whole: int = 0) -> WrittenExample:
    return WrittenExample(
        tokens=tuple(range(tokens)),
        trained=(False,) * (tokens - learnt) + (True,) * learnt,
        whole_tokens=whole or tokens,
    )


def test_duplicates_empty_and_cut_examples_are_counted() -> None:
    examples = [
        pair("a", "b"), pair("a", "b"), pair("A ", " b\n"), pair("a", "c"), pair("ab", ""), pair("a", " \n"),
        Example(text="a b"), Example(text="A  B"), Example(text=" "),
    ]  # fmt: skip
    found = measure(examples, [written(8, 2), written(8, 0, 20), written(10, 3, 12)])
    assert (found.rows, found.duplicates, found.near_duplicates, found.empty) == (9, 1, 3, 3)
    assert (found.tokens, found.trained_tokens, found.truncated, found.unlearnable) == (26, 5, 2, 1)
    assert found.lengths is not None
    assert (found.lengths.shortest, found.lengths.median, found.lengths.longest) == (8, 12, 20)


def test_borders_between_turns_count() -> None:
    assert pair("ab", "c").digest() != pair("a", "bc").digest()
    assert Example(text="a").digest() != pair("text", "a").digest()


def test_lengths_and_their_histogram() -> None:
    lengths = list(range(1, 101))
    random.Random(1).shuffle(lengths)
    found = measure_lengths(lengths)
    assert found is not None
    assert (found.shortest, found.median, found.ninetieth, found.longest, found.total) == (1, 50, 90, 100, 5050)
    assert found.histogram[0].start == 0
    assert [b.end for b in found.histogram[:-1]] == [b.start for b in found.histogram[1:]]
    for b in found.histogram:
        assert b.count == sum(b.start <= n < b.end for n in lengths)
    assert measure_lengths([]) is None


@pytest.mark.parametrize("lengths", [[7], [0, 1], [5, 1_000_000], list(range(300, 340))])
def test_a_histogram_has_few_bins_and_holds_all(lengths: list[int]) -> None:
    found = measure_lengths(lengths)
    assert found is not None
    assert 1 <= len(found.histogram) <= MOST_BINS
    assert sum(b.count for b in found.histogram) == len(lengths)


def test_overlap_of_whole_examples_and_of_questions() -> None:
    train = [pair("What is it?", "A cat"), pair("And that?", "A dog"), Example(text="Once")]
    evaluation = [pair("What else?", "A cow", 1), pair("what IS it?", "a  cat", 2), pair("And that?", "A log", 3)]
    found = measure_overlap(train, [*evaluation, Example(text="once"), Example(text="Twice")])
    assert (found.examples, found.questions, found.first) == (2, 2, "set.jsonl, line 2")


def examples(count: int) -> list[Example]:
    return [pair(f"What is {n}?", f"It is {n}.") for n in range(count)]


def test_a_split_has_its_share_and_is_another_with_another_seed() -> None:
    train, evaluation = split_examples(examples(5000), 0.1, seed=3)
    assert len(train) + len(evaluation) == 5000
    assert 420 < len(evaluation) < 580  # four standard deviations
    assert evaluation == split_examples(examples(5000), 0.1, seed=3)[1]
    assert evaluation != split_examples(examples(5000), 0.1, seed=4)[1]


def test_appended_and_shuffled_rows_move_none_of_the_others() -> None:
    _, evaluation = split_examples(examples(500), 0.2, seed=7)
    more = examples(900)
    random.Random(2).shuffle(more)
    _, later = split_examples(more, 0.2, seed=7)
    old = {e.digest() for e in examples(500)}
    assert {e.digest() for e in later} & old == {e.digest() for e in evaluation}


def test_duplicates_are_on_one_side() -> None:
    twice = [*examples(300), *[pair(f"WHAT is  {n}? ", f"it is {n}.") for n in range(300)]]
    train, evaluation = split_examples(twice, 0.5, seed=1)
    assert len(evaluation) % 2 == 0
    assert measure_overlap(train, evaluation).examples == 0


@pytest.mark.parametrize("seed", range(20))
def test_small_sets_have_both_sides(seed: int) -> None:
    for count in (2, 3, 5):
        for share in (0.001, 0.1, 0.999):
            train, evaluation = split_examples(examples(count), share, seed)
            assert train
            assert evaluation
    assert split_examples([pair("a", "b")] * 4, 0.5, seed) == ([pair("a", "b")] * 4, [])
    assert split_examples([], 0.5, seed) == ([], [])
    assert 0 <= place_of(pair("a", "b"), -seed) < 1
