"""Projector files (mmproj): the image encoder of a vision model, which llama.cpp loads beside the language model.

A projector is a GGUF file of the architecture ``clip``. It turns an image into embeddings of the language model's
width, which take the place of tokens.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from workbench.base.errors import UserError
from workbench.gguf.reader import GGUF, read_gguf
from workbench.records.models import ModelDetails, Projector

ARCHITECTURE = "clip"
_HINT = "Get the projector (mmproj) file that belongs to the model."
_LARGEST_SIDE, _MOST_LAYERS = 1 << 14, 512
_COUNTS = {
    "image_size": _LARGEST_SIDE, "patch_size": _LARGEST_SIDE, "embedding_length": 1 << 20,
    "feed_forward_length": 1 << 22, "block_count": _MOST_LAYERS, "attention.head_count": 1 << 12,
}  # fmt: skip


def is_projector(file: GGUF) -> bool:
    """Whether a GGUF file is a projector and no model."""
    return file.text("general.architecture") == ARCHITECTURE or file.text("general.type") == "mmproj"


def describe_projector(path: Path) -> Projector:
    """Describe a projector file. Raises UserError when it is missing, damaged, no projector, or one without images."""
    file = read_gguf(path)
    if not is_projector(file):
        raise UserError(f"{path} is not a projector (mmproj) file.", _HINT)
    if file.metadata.get("clip.has_vision_encoder") is not True:
        raise UserError(f"{path} has no image encoder.", _HINT)
    _check_numbers(file)
    return Projector(
        path=str(path),
        kind=file.text("clip.vision.projector_type") or file.text("clip.projector_type"),
        bytes=file.size,
    )


def _check_numbers(file: GGUF) -> None:
    """Refuse numbers with which llama.cpp divides by zero or reserves without end."""
    for name, most in _COUNTS.items():
        key = f"clip.vision.{name}"
        value = file.metadata.get(key)
        if key in file.metadata and not (isinstance(value, int) and 0 <= value <= most):
            raise UserError(f"{file.path} is damaged: {key} is {value!r}.", _HINT)
        if name in ("image_size", "patch_size", "embedding_length", "attention.head_count") and not value:
            raise UserError(f"{file.path} is damaged: it does not tell its {name.replace('_', ' ')}.", _HINT)
    for name in ("image_mean", "image_std"):
        values = file.metadata.get(f"clip.vision.{name}")
        if not isinstance(values, list) or len(values) != 3:
            raise UserError(f"{file.path} is damaged: it has no three numbers {name}.", _HINT)
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
            raise UserError(f"{file.path} is damaged: {name} is not finite.", _HINT)
    if not any(tensor.name.startswith("v.") for tensor in file.tensors):
        raise UserError(f"{file.path} has no weights of an image encoder.", _HINT)


MOST_BESIDE = 200
"""So many GGUF files of a folder are looked at."""
_FORMATS = ("f16", "bf16", "q80", "f32")
"""Number formats in names of projector files, the usual one first."""
_WORDS = re.compile(r"[^a-z0-9]+")
_SAYS_NOTHING = frozenset({"mmproj", "model", "gguf", "chat", "instruct", "q", "k", "m", "s", *_FORMATS})


def find_projector(model: ModelDetails) -> str:
    """The projector file that lies beside a model and belongs to it, "" where there is none or it cannot be told.

    Its embeddings must have the model's width, and where the folder has other models, its name must share a word with
    the model's.
    """
    path = Path(model.model.path)
    try:
        files = sorted(one for one in path.parent.iterdir() if one.suffix.lower() == ".gguf")[:MOST_BESIDE]
    except OSError:
        return ""
    beside = [one for one in files if is_projector_name(one.name)]
    own = {Path(file).name for file in model.model.files}
    alone = all(one.name in own or one in beside for one in files)
    words = _words(path.name) | _words(model.model.name)
    found: list[tuple[int, int, str]] = []
    for one in beside:
        shared = len(_words(one.name) & words)
        if (shared or alone) and makes_embeddings_of(one, model.embedding_length):
            found.append((-shared, _rank_of_format(one.name), str(one)))
    return min(found)[2] if found else ""


def is_projector_name(name: str) -> bool:
    """Whether a file's name says that it is a projector, as all converters name them."""
    return "mmproj" in name.lower() and name.lower().endswith(".gguf")


def choose_projector(names: Sequence[str], model: str) -> str:
    """The projector among the files of a repository that goes with the model file ``model``, "" for none."""
    words = _words(Path(model).name)
    found = [
        (-len(_words(Path(name).name) & words), _rank_of_format(name), name)
        for name in names
        if is_projector_name(name)
    ]
    return min(found)[2] if found else ""


def _words(name: str) -> set[str]:
    return {word for word in _WORDS.split(name.lower().replace("q8_0", "q80")) if len(word) > 1} - _SAYS_NOTHING


def _rank_of_format(name: str) -> int:
    words = _WORDS.split(name.lower().replace("_", ""))
    return next((rank for rank, form in enumerate(_FORMATS) if form in words), len(_FORMATS))


def makes_embeddings_of(path: Path, width: int) -> bool:
    """Whether a file is a projector with a matrix or bias of the model's width behind its image encoder."""
    try:
        file = read_gguf(path)
        describe_projector(path)
    except UserError:
        return False
    return any(width in tensor.shape for tensor in file.tensors if not tensor.name.startswith("v.blk."))
