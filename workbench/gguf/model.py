"""A GGUF model: one file, or the files of a split one, described for the catalogue."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from workbench.base.errors import UserError
from workbench.gguf.assertions import check_assertions
from workbench.gguf.ggml_types import FILE_TYPES, UNQUANTISED
from workbench.gguf.licences import spell_licence
from workbench.gguf.names import name_of
from workbench.gguf.reader import GGUF, read_pieces
from workbench.records.models import ModelDetails, ModelRecord

GUESSED_FILE_TYPE = 1024  # llama.cpp adds this bit when it guessed the type from the tensors
MAX_SHOWN_TEXT = 4_096

_EMBEDDING_ARCHITECTURES = frozenset(
    {
        "bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "neo-bert", "modern-bert",
        "eurobert", "gemma-embedding", "t5encoder",
    }
)  # fmt: skip
_NOT_A_MODEL = {
    "adapter": ("a LoRA adapter, not a model", "Import its base model."),
    "mmproj": ("an image encoder (mmproj) of a model, not a model", "Import its language model."),
    "imatrix": ("an importance matrix for quantisation, not a model", "Import its model."),
    "vocab": ("only a vocabulary, not a model", "Import its model."),
}


def describe_gguf(path: Path) -> ModelDetails:
    """Describe the model in a GGUF file; any file of a split model stands for the whole.

    Raises UserError when a file is missing, damaged, or no model.
    """
    pieces = read_pieces(path)
    first = pieces[0]
    _refuse_other_kinds(first)
    if not any(piece.parameters for piece in pieces):
        raise UserError(f"{first.path} contains no weights.", "Import its model.")
    architecture = first.text("general.architecture")
    if not architecture:
        raise UserError(f"{first.path} does not declare its architecture (general.architecture).")
    tokenizer = first.text("tokenizer.ggml.model")
    if tokenizer in ("", "none", "no_vocab"):
        raise UserError(
            f"{first.path} is not a language model: it has no tokenizer (architecture {architecture}).",
            "Choose a text generation model or an embedding model.",
        )
    check_assertions(pieces)
    template = _chat_template(first)
    record = ModelRecord(
        name=name_of(first.path, first.text("general.name")),
        kind=_kind(first, architecture, template),
        format="gguf",
        path=str(first.path),
        architecture=architecture,
        parameters=sum(piece.parameters for piece in pieces),
        quantization=quantization_of(pieces),
        context_tokens=first.number(f"{architecture}.context_length"),
        bytes=sum(piece.size for piece in pieces),
        licence=_licence(first),
        files=tuple(str(piece.path) for piece in pieces),
        thinking=has_thinking_switch(template),
    )
    pre = first.text("tokenizer.ggml.pre")
    return ModelDetails(
        model=record,
        chat_template=template,
        tokenizer=f"{tokenizer} ({pre})" if pre else tokenizer,
        vocabulary=first.lengths.get("tokenizer.ggml.tokens", first.number(f"{architecture}.vocab_size")),
        layers=first.number(f"{architecture}.block_count"),
        embedding_length=first.number(f"{architecture}.embedding_length"),
        metadata={key: value for key, value in first.metadata.items() if _is_short(value)},
    )


def _is_short(value: object) -> bool:
    if isinstance(value, list):
        return sum(len(item) if isinstance(item, str) else 8 for item in value) <= MAX_SHOWN_TEXT
    return not isinstance(value, str) or len(value) <= MAX_SHOWN_TEXT


def _refuse_other_kinds(file: GGUF) -> None:
    kind = file.text("general.type")
    if file.text("general.architecture") == "clip":
        kind = "mmproj"
    if file.text("general.architecture") == "controlvector":
        raise UserError(f"{file.path} is a control vector, not a model.", "Import its model.")
    if kind in _NOT_A_MODEL:
        what, hint = _NOT_A_MODEL[kind]
        raise UserError(f"{file.path} is {what}.", hint)


def has_thinking_switch(template: str) -> bool:
    """Whether a chat template can be told to have the model think or not (``enable_thinking``)."""
    return bool(re.search(r"\benable_thinking\b|\bthinking is (?:not )?defined", template))


def _chat_template(file: GGUF) -> str:
    return file.text("tokenizer.chat_template") or file.text("tokenizer.chat_template.default")


def _kind(file: GGUF, architecture: str, template: str) -> Literal["chat", "base", "embedder"]:
    if architecture in _EMBEDDING_ARCHITECTURES or file.number(f"{architecture}.pooling_type"):
        return "embedder"
    return "chat" if template else "base"


def quantization_of(pieces: list[GGUF]) -> str:
    """The declared quantisation, unless the weights contradict it."""
    by_type = sum((piece.bytes_by_type() for piece in pieces[1:]), pieces[0].bytes_by_type())
    dominant = by_type.most_common(1)[0][0]
    number = pieces[0].number("general.file_type", -1)
    named = FILE_TYPES.get(number & ~GUESSED_FILE_TYPE, "") if number >= 0 else ""
    if not named or (named in UNQUANTISED and named != dominant):
        return dominant
    return named


def _licence(file: GGUF) -> str:
    return spell_licence(file.text("general.license")) or spell_licence(file.text("general.license.name"))
