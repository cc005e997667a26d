"""A model in a folder: config.json, safetensors and a tokenizer, described for the catalogue.

Pickles (.bin, .pt, .pth, .ckpt) are never opened: reading one can run arbitrary code.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import LARGEST_JSON_BYTES, json_object, open_regular, read_json_file, refuse_special_files
from workbench.gguf.folder_blocks import is_packed, unpacked_width
from workbench.gguf.licences import licence_of_folder, spell_licence
from workbench.gguf.names import name_of
from workbench.gguf.safetensors import Header, read_header
from workbench.records.models import ModelDetails, ModelRecord

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
MAX_WEIGHT_FILES = 2_000
INDEX = "model.safetensors.index.json"

_TOKENIZERS = (
    "tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.txt", "vocab.json",
    "tekken.json", "tiktoken.model",
)  # fmt: skip
_KEPT_SUFFIXES = frozenset({".json", ".txt", ".md", ".model", ".jinja", ".tiktoken", ".safetensors"})
_KEPT_NAMES = ("license", "licence", "notice")
_EMBEDDING_TYPES = frozenset({"bert", "roberta", "xlm-roberta", "mpnet", "distilbert", "nomic_bert", "modernbert"})


def describe_folder(folder: Path) -> ModelDetails:
    """Describe the model in a folder of safetensors; a sentence-transformers folder is an embedding model.

    Raises UserError with the folder or the file in it and the reason.
    """
    modules = _modules(folder)
    main = folder / modules[0] if modules else folder
    _refuse_adapter(folder)
    headers = _weights(main)
    if not any(sum(h.elements.values()) for h in headers):
        raise UserError(f"{headers[0].path} contains no weights.", "Download or copy it again.")
    config = json_object(main / "config.json")
    if not config:
        raise UserError(
            f"{folder} has no config.json.", "Choose the folder with config.json and the safetensors files."
        )
    tokenizer = next((name for name in _TOKENIZERS if (main / name).is_file()), "")
    if not tokenizer:
        raise UserError(f"{folder} has no tokenizer (tokenizer.json or the like).", "Get the missing files.")
    for module in modules[1:]:
        _refuse_pickles(folder / module)
        headers += [read_header(p) for p in sorted((folder / module).glob("*.safetensors"))]
    for module in modules or [""]:
        refuse_special_files(folder / module)  # what is opened later, by libraries
    refuse_special_files(folder)
    tokenizer_config = json_object(main / "tokenizer_config.json")
    template = _chat_template(main, tokenizer_config)
    files = _files(folder, modules)
    numbers = config
    if isinstance(config.get("text_config"), dict):
        # a vision model has its language model's figures there
        numbers = {**config, **config["text_config"]}
    architecture = _text(config, "model_type") or _first_text(config, "architectures")
    embedder = bool(modules) or architecture in _EMBEDDING_TYPES
    record = ModelRecord(
        name=name_of(folder),
        kind="embedder" if embedder else "chat" if template else "base",
        format="safetensors",
        path=str(folder),
        architecture=architecture,
        parameters=_parameters(headers, config),
        quantization=_quantization(headers, config),
        context_tokens=_context_tokens(numbers, json_object(main / "sentence_bert_config.json")),
        bytes=sum(Path(f).stat().st_size for f in files),
        licence=licence_of_folder(folder) or spell_licence(_text(config, "license")),
        files=files,
    )
    return ModelDetails(
        model=record,
        chat_template=template,
        tokenizer=_text(tokenizer_config, "tokenizer_class") or tokenizer,
        vocabulary=_number(numbers, "vocab_size"),
        layers=_number(numbers, "num_hidden_layers", "n_layer", "num_layers"),
        embedding_length=_number(numbers, "hidden_size", "d_model", "n_embd", "dim"),
        metadata={k: v for k, v in config.items() if isinstance(v, bool | int | float | str)},
    )


def _modules(folder: Path) -> list[str]:
    """The folders of a sentence-transformers model's modules, the transformer's first; none for other models."""
    path = folder / "modules.json"
    if not path.is_file():
        return []
    plain = read_json_file(path, kind=list[dict[str, Any]])
    modules = []
    for module in plain:
        kind, place = str(module.get("type", "")), str(module.get("path", ""))
        if not kind.startswith("sentence_transformers."):
            raise UserError(
                f"{path} requires code of its own ({kind}), which this program does not run.",
                "Choose a model of sentence-transformers' own modules.",
            )
        if place and not _inside(folder, folder / place):
            raise UserError(f"{path} is damaged: it refers to a place outside of its folder ({place}).")
        modules.append(place)
    if not modules:
        raise UserError(f"{path} lists no modules.", "Download or copy it again.")
    return modules


def _refuse_adapter(folder: Path) -> None:
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        raise UserError(f"{folder} is a LoRA adapter, not a model.", "Import its base model.")


def _refuse_pickles(folder: Path) -> None:
    pickles = sorted(p.name for p in folder.glob("*") if p.suffix.lower() in PICKLES and p.name != "training_args.bin")
    if pickles and not any(folder.glob("*.safetensors")):
        raise UserError(
            f"{folder} has its weights as Python pickles only ({', '.join(pickles[:3])}), which can run code "
            "when they are read.",
            "Get the model as safetensors or GGUF.",
        )


def _weights(folder: Path) -> list[Header]:
    """The headers of the files that hold the model's weights, all of them checked."""
    _refuse_pickles(folder)
    index = folder / INDEX
    if index.is_file():
        places = read_json_file(index, kind=_Index).weight_map
        names = sorted(set(places.values()))
        if any(Path(name).name != name for name in names) or len(names) > MAX_WEIGHT_FILES:
            raise UserError(f"{index} is damaged: it refers to files outside of its folder.", "Download it again.")
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            listed = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
            raise UserError(
                f"{folder} lacks {len(missing)} of {len(names)} weight files: {listed}.", "Get the missing files."
            )
        headers = [read_header(folder / name) for name in names]
        held = frozenset().union(*(h.tensors for h in headers))
        lost = sorted(set(places) - held)
        if lost:
            raise UserError(
                f"The weight files in {folder} lack {len(lost)} of {len(places)} tensors, such as {lost[0]!r}.",
                "Get the files of one model again.",
            )
        return headers
    paths = weight_files(folder)
    if not paths:
        raise UserError(
            f"{folder} contains no model: it has no .gguf and no .safetensors file.",
            "Choose a .gguf file, or a folder with config.json, safetensors and a tokenizer.",
        )
    if len(paths) > MAX_WEIGHT_FILES:
        raise UserError(f"{folder} contains {len(paths):,} weight files, too many for one model.")
    return [read_header(p) for p in paths]


def weight_files(folder: Path) -> list[Path]:
    """The files of the weights that lie in a folder, without a look into them. Raises UserError for a damaged index."""
    if (index := folder / INDEX).is_file():
        names = {Path(name).name for name in read_json_file(index, kind=_Index).weight_map.values()}
        return [folder / name for name in sorted(names)]
    whole = folder / "model.safetensors"
    return [whole] if whole.is_file() else sorted(folder.glob("*.safetensors"))


class _Index(msgspec.Struct):
    weight_map: dict[str, str]


def _chat_template(folder: Path, tokenizer_config: dict[str, Any]) -> str:
    with suppress(OSError), open_regular(folder / "chat_template.jinja") as file:
        if len(raw := file.read(LARGEST_JSON_BYTES + 1)) <= LARGEST_JSON_BYTES:
            return raw.decode("utf-8", errors="replace")
    for plain in (tokenizer_config, json_object(folder / "chat_template.json")):
        template = plain.get("chat_template")
        if isinstance(template, list):
            named = {t.get("name"): t.get("template") for t in template if isinstance(t, dict)}
            template = named.get("default")
        if isinstance(template, str) and template:
            return template
    return ""


def _files(folder: Path, modules: list[str]) -> tuple[str, ...]:
    """The files of the model: never pickles, never code."""
    found = []
    for place in dict.fromkeys(["", *modules]):
        # a module without figures of its own (normalising, say) may have no folder
        for path in sorted((folder / place).glob("*")):
            kept = path.suffix.lower() in _KEPT_SUFFIXES or path.name.lower().startswith(_KEPT_NAMES)
            if kept and path.is_file():
                found.append(str(path))
    return tuple(found)


def _inside(folder: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _bits(config: dict[str, Any]) -> int:
    quantised = config.get("quantization_config")
    bits = quantised.get("bits") if isinstance(quantised, dict) else None
    return bits if isinstance(bits, int) and 1 <= bits <= 8 else 0


def _parameters(headers: list[Header], config: dict[str, Any]) -> int:
    """GPTQ and AWQ pack several weights into one 32-bit number; all other formats hold one in each, but for blocks."""
    elements: Counter[str] = sum((h.elements for h in headers), Counter())
    if is_packed(config):
        elements["U8"] = unpacked_width(elements["U8"])
    packing = 32 // _bits(config) if _bits(config) else 1
    return sum(count * (packing if dtype == "I32" else 1) for dtype, count in elements.items())


def _quantization(headers: list[Header], config: dict[str, Any]) -> str:
    quantised = config.get("quantization_config")
    if isinstance(quantised, dict) and isinstance(quantised.get("quant_method"), str):
        bits = _bits(config)
        return f"{quantised['quant_method'].upper()} {bits}-bit" if bits else quantised["quant_method"].upper()
    by_type: Counter[str] = sum((h.bytes for h in headers), Counter())
    return by_type.most_common(1)[0][0]


def _context_tokens(config: dict[str, Any], sentence: dict[str, Any]) -> int:
    length = _number(config, "max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")
    shorter = _number(sentence, "max_seq_length")
    return min(length, shorter) if length and shorter else length or shorter


def _number(plain: dict[str, Any], *keys: str) -> int:
    for key in keys:
        value = plain.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return 0


def _text(plain: dict[str, Any], key: str) -> str:
    value = plain.get(key)
    return value if isinstance(value, str) else ""


def _first_text(plain: dict[str, Any], key: str) -> str:
    value = plain.get(key)
    return value[0] if isinstance(value, list) and value and isinstance(value[0], str) else ""
