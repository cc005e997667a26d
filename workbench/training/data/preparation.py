"""Prepares a data set for training: loads, splits, tokenises and counts it; unusable sets are refused.

All of it needs a vocabulary and a chat template, and no weights: bad data is refused before a model is loaded. Examples
are set aside for evaluation by a hash of their content and the seed: so duplicates, white space and case aside, are on
the same side; the order of a file does not matter; and rows that are added to it later move none of the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.training.data.columns import ColumnMapping
from workbench.training.data.examples import Example
from workbench.training.data.formats import ROWS_LOOKED_AT, Refusal, Shape, recognise, to_examples
from workbench.training.data.packed_tokens import WrittenExamples
from workbench.training.data.reading import Split, find_splits, read_rows
from workbench.training.data.rows import ReadingLimits
from workbench.training.data.statistics import Overlap, SetStatistics, measure, measure_overlap
from workbench.training.data.tokenization import ExampleWriter

MOST_REFUSED = 0.1
"""With a larger share of rows that are no examples, a set is refused: it was taken for something else than it is."""

FEWEST_EXAMPLES = 2
"""One to learn from and one to look whether it did."""

NOTHING_TO_EVALUATE = "The held-out examples are empty or too long: the training examples are used for evaluation."


class LoadedSet(msgspec.Struct, frozen=True, kw_only=True):
    """``evaluation`` is what the set itself sets aside (a folder's validation or test split); often nothing. ``notes``
    say why where there is some that is of no use."""

    shape: Shape
    examples: tuple[Example, ...]
    evaluation: tuple[Example, ...] = ()
    refused: tuple[Refusal, ...] = ()
    notes: tuple[Shown, ...] = ()


class TrainingSet(msgspec.Struct, frozen=True, kw_only=True):
    """Examples to train on and to evaluate on, as tokens, and what there is to know of them."""

    train: WrittenExamples
    evaluation: WrittenExamples
    train_examples: tuple[Example, ...]
    evaluation_examples: tuple[Example, ...]
    train_statistics: SetStatistics
    evaluation_statistics: SetStatistics
    overlap: Overlap
    refused: tuple[Refusal, ...] = ()
    notes: tuple[Shown, ...] = ()


def load_set(path: Path, mapping: ColumnMapping | None = None, limits: ReadingLimits | None = None) -> LoadedSet:
    """Read a file or folder. ``mapping`` None: as its shape is recognised.

    A split to evaluate on most of whose rows are no examples (the answers are often kept secret) is left out. Raises
    UserError, naming file, row and reason: where a file cannot be read, the shape is not recognised, or more than
    ``MOST_REFUSED`` of the rows are no examples.
    """
    splits: tuple[Split | None, ...] = (None,)
    if path.is_dir():
        found = find_splits(path).splits
        held_out: Split | None = "validation" if "validation" in found else "test" if "test" in found else None
        splits = ("train", held_out) if "train" in found and held_out else (next(iter(found)),)
    read: list[tuple[Example, ...]] = []
    refused: list[Refusal] = []
    notes: list[Shown] = []
    shape = None
    for number, split in enumerate(splits):
        rows = read_rows(path, limits, split)
        first = list(islice(rows, ROWS_LOOKED_AT))
        if shape is None:
            shape = recognise(first)
            mapping = mapping or shape.mapping
        if mapping is None:
            raise UserError(
                f"{path.name}: the format of the examples is unclear. {shape.why}",
                "Map the columns of question and answer, of turns, or of text.",
            )
        of_split: list[Refusal] = []
        examples = tuple(to_examples(chain(first, rows), mapping, of_split))
        if number and _too_many(of_split, len(examples)):
            rows_of_it = len(of_split) + len(examples)
            notes.append(
                f"The split {split} is not used for evaluation: {len(of_split):,} of its {rows_of_it:,} rows are "
                f"not valid examples. The first is {of_split[0].source}: {of_split[0].reason}"
            )
            continue
        read.append(examples)
        refused += of_split
    _check_refused(refused, sum(map(len, read)), path.name)
    assert shape is not None
    return LoadedSet(
        shape=shape,
        examples=read[0],
        evaluation=read[1] if len(read) > 1 else (),
        refused=tuple(refused),
        notes=tuple(notes),
    )


def prepare(
    loaded: LoadedSet,
    writer: ExampleWriter,
    *,
    evaluation_share: float = 0.1,
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
) -> TrainingSet:
    """Split (``evaluation_share`` 0: not at all), write and count. Empty examples are left out, and so are those of
    which no token is trained.

    Where none of those set aside has trained tokens, a note says so: they cannot be evaluated on. ``check`` is called
    for every example and may raise to give up. Raises UserError when too few examples are left to train on, or the chat
    template refuses most of them.
    """
    train, evaluation = list(loaded.examples), list(loaded.evaluation)
    if not evaluation and evaluation_share:
        train, evaluation = split_examples(train, evaluation_share, seed)
    refused: list[Refusal] = []
    sides = [_written(side, writer, refused, check) for side in (train, evaluation)]
    _check_refused(refused, sum(map(len, sides)), "This set")
    _check_enough((train, evaluation), sides)
    notes = list(dict.fromkeys([*loaded.notes, *(note for side in sides for note in side.notes())]))
    if evaluation and not any(sides[1].packed.trained()):
        notes.append(NOTHING_TO_EVALUATE)
    return TrainingSet(
        train=sides[0].learnable(),
        evaluation=sides[1].learnable(),
        train_examples=tuple(train),
        evaluation_examples=tuple(evaluation),
        train_statistics=measure(train, sides[0]),
        evaluation_statistics=measure(evaluation, sides[1]),
        overlap=measure_overlap(train, evaluation),
        refused=(*loaded.refused, *refused),
        notes=tuple(notes),
    )


def _written(
    examples: Iterable[Example], writer: ExampleWriter, refused: list[Refusal], check: Callable[[], None]
) -> WrittenExamples:
    written = WrittenExamples()
    for example in examples:
        check()
        if example.is_empty:
            continue
        try:
            written.append(writer.write(example))
        except UserError as error:
            refused.append(Refusal(example.source, error.message))
    return written


def _check_refused(refused: Sequence[Refusal], kept: int, name: str) -> None:
    if _too_many(refused, kept):
        rows, first, one = len(refused) + kept, refused[0], len(refused) == 1
        place = str(first.source).removeprefix(f"{Path(first.source.path).parent}{os.sep}")
        raise UserError(
            f"{name}: {len(refused):,} of {rows:,} rows "
            f"{'is not a valid example: it is' if one else 'are not valid examples, first'} {place}: "
            f"{first.reason}",
            f"Correct or remove {'this row' if one else 'these rows'}.",
        )


def _too_many(refused: Sequence[Refusal], kept: int) -> bool:
    return len(refused) > MOST_REFUSED * (len(refused) + kept)


def _check_enough(given: Sequence[Sequence[Example]], sides: Sequence[WrittenExamples]) -> None:
    """That there is something to train on. ``sides`` are those of ``given`` that are not empty."""
    examples = list(chain(*given))
    if len(examples) < FEWEST_EXAMPLES:
        raise UserError(
            f"There {'is one example' if examples else 'are no examples'}; at least {FEWEST_EXAMPLES} are needed.",
            "Add examples: a few dozen teach a style, hundreds a task.",
        )
    if len({example.digest(normalised=True) for example in examples}) < FEWEST_EXAMPLES:
        raise UserError(f"All {len(examples):,} examples are identical.", "Add others.")
    learnable = [any(side.packed.trained()) for side in sides]
    if learnable[0]:
        return
    if any(learnable):  # what is set aside is no help
        examples, sides = list(given[0]), sides[:1]
    count = sum(map(len, sides))
    which = " to train on" if any(learnable) else ""
    if not count:
        raise UserError(
            f"{_all(len(examples), which)} empty. The first is {examples[0].source}."
            if examples
            else "All examples are held out for evaluation.",
            "Add answers to train on.",
        )
    first = next(side[0] for side in sides if side)
    raise UserError(
        f"{_all(count, which)} too long: within the first {len(first.tokens):,} tokens no trained token "
        f"is left. The first is {first.source}, with {first.whole_tokens:,} tokens.",
        "Allow longer examples, or shorten the questions.",
    )


def _all(count: int, which: str) -> str:
    return f"The only example{which} is" if count == 1 else f"All {count:,} examples{which} are"


def split_examples(
    examples: Sequence[Example], share: float = 0.1, seed: int = 0
) -> tuple[list[Example], list[Example]]:
    """Training and evaluation examples, in their order. About ``share``, in (0, 1), of them are for evaluation.

    Small sets: where no example, or all of them, would be set aside, the one with the lowest hash is (or all the others
    are kept for training): then, and only then, an added row can move another. Examples that all say the same are all
    for training.
    """
    places = [place_of(example, seed) for example in examples]
    distinct = set(places)
    if not distinct:
        return [], []
    threshold = share
    if len(distinct) == 1:
        threshold = 0.0
    elif min(places) >= share or max(places) < share:
        threshold = sorted(distinct)[1]
    train = [example for example, place in zip(examples, places, strict=True) if place >= threshold]
    evaluation = [example for example, place in zip(examples, places, strict=True) if place < threshold]
    return train, evaluation


def place_of(example: Example, seed: int) -> float:
    """In [0, 1), evenly spread over contents and seeds."""
    # answers to one prompt are on one side: a preference must be judged on prompts that were not trained on
    content = example.question_digest() if example.is_preference else example.digest(normalised=True)
    digest = blake2b(content, digest_size=8, key=seed.to_bytes(16, "little", signed=True))
    return (int.from_bytes(digest.digest(), "little") >> 11) / (1 << 53)
