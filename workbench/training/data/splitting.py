"""Setting examples aside for evaluation: by seed, and by what they say.

Each example goes to its side by a hash of its content and the seed. So duplicates, white space and case aside, are on
the same side; the order of a file does not matter; and rows that are added to it later move none of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from workbench.training.data.examples import Example


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
    digest = blake2b(example.digest(normalised=True), digest_size=8, key=seed.to_bytes(16, "little", signed=True))
    return (int.from_bytes(digest.digest(), "little") >> 11) / (1 << 53)
