"""A model's vocabulary without its weights, from a GGUF file or a folder with ``tokenizer.json``.

Runs where llama.cpp and ``tokenizers`` may be loaded: in a worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.base.errors import UserError
from workbench.base.files import read_json_file, refuse_special_files
from workbench.training.data.assistant_masks import Tokenizer


@contextmanager
def open_vocabulary(path: Path) -> Iterator[Tokenizer]:
    """The vocabulary of a GGUF file (of a split model the first one), or of a transformers folder.

    Raises UserError when it holds none that can be read. What is got out of a file is freed at the end.
    """
    if path.is_dir():
        yield FolderVocabulary(path)
        return
    from workbench.engine.library import llama, start_library
    from workbench.engine.vocabulary import Vocabulary

    start_library()
    parameters = llama.llama_model_default_params()
    parameters.vocab_only = True
    model = llama.llama_model_load_from_file(str(path).encode(), parameters)
    if not model:
        raise UserError(f"The vocabulary of {path.name} cannot be read.", "Get the model from another source.")
    try:
        yield Vocabulary(llama.llama_model_get_vocab(model))
    finally:
        llama.llama_model_free(model)


class FolderVocabulary:
    """The fast tokenizer of a transformers folder. ``bos`` and ``eos`` are -1 where there is none."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer as FastTokenizer

        refuse_special_files(folder)
        try:
            self._tokenizer = FastTokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # tokenizers raises nothing more precise
            raise UserError(
                f"{folder.name} has no tokenizer.json that can be read.", "Save the model's fast tokenizer with it."
            ) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        config = _read(folder / "tokenizer_config.json")
        self.size: int = self._tokenizer.get_vocab_size(with_added_tokens=True)
        self.bos = self._id(config.get("bos_token"))
        self.eos = self._id(config.get("eos_token"))
        begun = self._tokenizer.encode("a", add_special_tokens=True).ids
        self.adds_bos = self.bos >= 0 and begun[:1] == [self.bos]
        self._ends = {self.eos} if self.eos >= 0 else set()
        for name in ("generation_config.json", "config.json"):
            ends = _read(folder / name).get("eos_token_id")
            self._ends |= {end for end in (ends if isinstance(ends, list) else [ends]) if isinstance(end, int)}
        special = {token for token, added in self._tokenizer.get_added_tokens_decoder().items() if added.special}
        self._special = special | self._ends

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """As ``engine.vocabulary.Vocabulary.tokenize``."""
        self._tokenizer.encode_special_tokens = not special
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """A token's text; of a token that is a part of a character a replacement."""
        if token in self._special:
            return (self._tokenizer.id_to_token(token) or "").encode() if special else b""
        return str(self._tokenizer.decode([token])).encode()

    def text(self, tokens: Sequence[int], *, special: bool = False) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=not special))

    def specials_of(self, tokens: Sequence[int]) -> list[int]:
        return [token for token in tokens if token in self._special]

    def ends_generation(self, token: int) -> bool:
        return token in self._ends

    def _id(self, named: Any) -> int:
        name = named.get("content") if isinstance(named, dict) else named
        found = self._tokenizer.token_to_id(name) if isinstance(name, str) else None
        return -1 if found is None else int(found)


def _read(path: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = read_json_file(path)
    except (FileNotFoundError, UserError):
        return {}
    return config
