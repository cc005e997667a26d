"""Token ids of texts, as an embedder's own tokenizer.json makes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer, normalizers

from workbench.base.errors import UserError
from workbench.base.files import LARGEST_JSON_BYTES


class JsonTokens:
    """``tokenizers`` alone. ``tokenizer`` is changed: it neither cuts nor pads any more."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.size: int = tokenizer.get_vocab_size()
        self.special: int = tokenizer.num_special_tokens_to_add(False)
        token = getattr(tokenizer.model, "unk_token", None)
        self.unknown: int | None = tokenizer.token_to_id(token) if token else None

    def ids(self, text: str, longest: int) -> list[int]:
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        encoded.truncate(max(0, longest - self.special))
        found: list[int] = self._tokenizer.post_process(encoded).ids
        return found

    def plain_ids(self, text: str) -> Sequence[int]:
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return found

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids))
        return text


def read_tokenizer(file: Path, lower_case: bool = False) -> Tokenizer:
    """The tokenizer of a tokenizer.json, which lowers all texts first where it does not yet and ``lower_case`` is set.
    Raises UserError that names the file."""
    try:
        if file.stat().st_size > LARGEST_JSON_BYTES:
            raise UserError(f"{file} is too large for a file of its name.", "Download or copy it again.")
        tokenizer = Tokenizer.from_file(str(file))
    except UserError:
        raise
    except Exception as error:  # tokenizers raises nothing more precise
        raise UserError(f"{file} cannot be read: {error}.", "Download or copy it again.") from error
    if lower_case:
        known = tokenizer.normalizer
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *([known] if known is not None else [])])
    return tokenizer
