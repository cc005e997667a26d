"""The score head of a reward model in the metadata of its adapter's GGUF file.

llama.cpp refuses an adapter with a further tensor, and reads over metadata that it does not know.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.base.stored import Unreadable
from workbench.gguf.reader import GGUF, Tensor, read_gguf
from workbench.gguf.writer import float_array_entry, float_entry, text_entry
from workbench.records.training.rewards import REWARD_FILE, REWARD_MODEL, RewardHead, RewardModelFile

HEAD, BIAS, POOLING = "workbench.reward.head", "workbench.reward.bias", "workbench.reward.pooling"
WIDEST = 65_536

_FLOAT32, _ARRAY = 6, 9  # numbers of types in GGUF's metadata
_EMBEDDING = "token_embd.weight"
_AGAIN_HINT = "Train the reward model again."


def read_reward_model(trained: Path) -> RewardModelFile | None:
    """What a training of a reward model left in its folder, None of another training. Raises UserError for a file that
    cannot be read."""
    found = REWARD_MODEL.load(trained / REWARD_FILE) if trained.is_dir() else None
    if isinstance(found, Unreadable):
        raise found.error()
    return found


def entries_of(head: RewardHead) -> dict[str, bytes]:
    """The metadata entries of a head."""
    return {
        HEAD: float_array_entry(HEAD, head.weight),
        BIAS: float_entry(BIAS, head.bias),
        POOLING: text_entry(POOLING, head.pooling),
    }


def has_head(file: GGUF) -> bool:
    return HEAD in file.types


def read_head(file: GGUF | Path) -> RewardHead:
    """The head of an adapter. Raises UserError where there is none, or it is not sound."""
    if isinstance(file, Path):
        file = read_gguf(file)
    if not has_head(file):
        raise UserError(f"{file.path} is not a reward model: it has no score head.", "Choose a reward model.")
    weight = _floats(file, HEAD)
    plain = {"weight": weight, "bias": file.metadata.get(BIAS), "pooling": file.metadata.get(POOLING)}
    try:
        head = msgspec.convert(plain, RewardHead)
    except msgspec.ValidationError as error:
        raise UserError(f"The score head of {file.path} is damaged: {error}.", _AGAIN_HINT) from error
    if not weight or not all(map(math.isfinite, (*weight, head.bias))):
        raise UserError(f"The score head of {file.path} holds no numbers.", _AGAIN_HINT)
    return head


def _floats(file: GGUF, key: str) -> tuple[float, ...]:
    """The float32 numbers of an entry that is an array of them; none of another one, and of one that is too long."""
    start, end = file.places[key]
    before = 8 + len(key.encode()) + 4 + 4 + 8  # the name with its length, two types, the number of items
    if file.types[key] != _ARRAY or not 0 < end - start - before <= 4 * WIDEST:
        return ()
    with open_regular(file.path) as stream:
        stream.seek(start)
        raw = stream.read(end - start)
    kind, count = struct.unpack_from("<IQ", raw, before - 12)
    if kind != _FLOAT32 or len(raw) != before + 4 * count:
        return ()
    return struct.unpack_from(f"<{count}f", raw, before)


def check_head(file: GGUF, model: str, base: Mapping[str, Tensor]) -> None:
    """Raises UserError where an adapter's head does not fit a model, which is known by its name and tensors."""
    width = len(read_head(file).weight)
    embedding = base.get(_EMBEDDING)
    if embedding is not None and embedding.shape[0] != width:
        raise UserError(
            f"The reward model {file.path} scores states of {width:,} numbers; {model}'s have {embedding.shape[0]:,}.",
            "Choose a reward model that was trained on this model.",
        )
