"""A sentence-transformers folder as llama.cpp can compute it: its modules, its longest text, its prompts. No weights.

What is read here decides whether the folder can be computed without torch at all. The rules are those of
sentence-transformers: https://sbert.net/docs/package_reference/sentence_transformer/models.html
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.base.errors import UserError
from workbench.base.files import json_object, read_json_file

MODULES = "modules.json"
TOKENIZER = "tokenizer.json"
IMPORT_HINT = "Choose another embedder on the Models page, or import this one again."

_LENGTHS = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
_POOLINGS = {"mean": "mean", "cls": "cls", "lasttoken": "last"}
_OLD_POOLING = "pooling_mode_"
_OLD_POOLINGS = {"cls_token": "cls", "mean_tokens": "mean", "lasttoken": "lasttoken"}


class NotForEngineError(Exception):
    """llama.cpp cannot compute a model in the way that sentence-transformers does; the message is the reason, as a
    clause: "its vectors go through a Dense module"."""


@dataclass(frozen=True)
class SentenceFolder:
    """``main`` is the folder of the transformer with ``config``, its config.json. ``longest``: tokens of the longest
    text, special ones included, as the folder says; 0 where it does not. ``pooling``: "mean", "cls" or "last"."""

    folder: Path
    main: Path
    config: dict[str, Any]
    longest: int
    lower_case: bool
    pooling: str
    query_prompt: str
    passage_prompt: str


def read_sentence_folder(folder: Path) -> SentenceFolder:
    """Read the small files of a folder. Raises UserError when it is no sentence-transformers model or one of its files
    is damaged, and NotForEngineError when llama.cpp cannot compute it."""
    if not (folder / MODULES).is_file():
        raise UserError(f"{folder} holds no sentence-transformers model: there is no {MODULES} in it.", IMPORT_HINT)
    modules = read_json_file(folder / MODULES, kind=list[dict[str, Any]])
    kinds = [str(module.get("type", "")).rpartition(".")[2] for module in modules]
    places = [folder / str(module.get("path", "")) for module in modules]
    if kinds[:2] != ["Transformer", "Pooling"]:
        raise NotForEngineError("its first modules are not a Transformer and a Pooling")
    for kind in kinds[2:]:
        if kind != "Normalize":
            raise NotForEngineError(f"its vectors go through a {kind} module")
    main = places[0]
    if not (main / TOKENIZER).is_file():
        raise NotForEngineError(f"it has no {TOKENIZER}")
    of_model = json_object(folder / "config_sentence_transformers.json")
    query, passage = _prompts(of_model)
    pooling = _pooling(json_object(places[1] / "config.json"), bool(query or passage))
    if of_model.get("truncate_dim"):
        raise NotForEngineError("its vectors are cut to a shorter length")
    config = json_object(main / "config.json")
    settings = next((json_object(main / name) for name in _LENGTHS if (main / name).is_file()), {})
    if settings.get("transformer_task", "feature-extraction") != "feature-extraction":
        raise NotForEngineError(f"its Transformer is used for {settings['transformer_task']}")
    tokenizer = json_object(main / "tokenizer_config.json")
    if tokenizer.get("truncation_side", "right") != "right":
        raise NotForEngineError("it drops the beginnings of long texts")
    return SentenceFolder(
        folder=folder,
        main=main,
        config=config,
        longest=_longest(settings, tokenizer, config),
        lower_case=settings.get("do_lower_case") is True,
        pooling=pooling,
        query_prompt=query,
        passage_prompt=passage,
    )


def whole_number(plain: dict[str, Any], *keys: str) -> int:
    """The first of these entries that is a positive whole number, 0 for none."""
    for key in keys:
        value = plain.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1 << 31:
            return int(value)
    return 0


def _prompts(of_model: dict[str, Any]) -> tuple[str, str]:
    """The prompts of queries and of documents. Where a folder has none of these names, sentence-transformers (5.0 and
    later) has empty ones, so that it never comes to another name or to the default prompt."""
    given = of_model.get("prompts")
    prompts = given if isinstance(given, dict) else {}
    return str(prompts.get("query") or ""), str(prompts.get("document") or "")


def _pooling(config: dict[str, Any], prompted: bool) -> str:
    mode = config.get("pooling_mode")
    if isinstance(mode, list) and len(mode) == 1:
        mode = mode[0]
    if mode is None:
        chosen = [key.removeprefix(_OLD_POOLING) for key, on in config.items() if key.startswith(_OLD_POOLING) and on]
        mode = "mean" if not chosen else _OLD_POOLINGS.get(chosen[0], chosen[0]) if len(chosen) == 1 else chosen
    if not isinstance(mode, str) or mode not in _POOLINGS:
        raise NotForEngineError(f"it pools by {mode if isinstance(mode, str) else ' and '.join(map(str, mode))}")
    if prompted and config.get("include_prompt") is False:
        raise NotForEngineError("its pooling leaves out the prompt")
    return _POOLINGS[mode]


def _longest(settings: dict[str, Any], tokenizer: dict[str, Any], config: dict[str, Any]) -> int:
    if length := whole_number(settings, "max_seq_length"):
        return length
    lengths = (whole_number(tokenizer, "model_max_length"), whole_number(config, "max_position_embeddings"))
    return min((length for length in lengths if length), default=0)
