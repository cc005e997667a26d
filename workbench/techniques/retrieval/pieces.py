"""Token ids of a large vocabulary by ``sentencepiece``: for 250,000 pieces ``tokenizers`` takes 280 MB.

``sentencepiece`` segments what ``tokenizers`` has normalised. Whether its ids are those of ``tokenizers`` is tried when
the pieces are written; where they are not, ``tokenizers`` does all. Kudo 2018, Subword Regularization, arXiv:1804.10959
(the model); Kudo and Richardson 2018, SentencePiece, arXiv:1808.06226.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sentencepiece
from tokenizers import Tokenizer

from workbench.base.durability import written_beside
from workbench.base.files import read_json_file
from workbench.techniques.retrieval.json_tokens import JsonTokens, read_tokenizer

LARGE_VOCABULARY = 60_000
"""From so many pieces on ``sentencepiece`` is used where it can be."""

PROBES = (
    "", "x", " a  b\tc\nd ",
    "The bridge over the river was opened in 1937.",
    "Die Brücke über den Fluß öffnet um 9:30 Uhr.",
    "北京大学的学生在河边散步。",
    "Мост через реку открыли в 1937 году.",
    "افتتح الجسر فوق النهر.",
    "नदी पर बना पुल खुला।",
    "서울의 다리가 열렸다。", "สะพานข้ามแม่น้ำเปิดแล้ว",
    "ＡＢＣ１２３ ﬁne ①②③ ㎏ ½ … “quoted” — dash",
    "naïve cafe\u0301 A\u030a 🙂 \U0001f469\u200d\U0001f467",
    "\u00a0no-break\u3000wide\u200bzero\u00adsoft",
    "e-mail@example.org https://example.org/a?b=c&d=1",
    "<s>x</s> <mask> y", "a" * 300, "1234567890" * 12, "~～ \U0001f23b",
    "ΑΒΓ αβγ ς", "İstanbul ıŞĞ", "query: what? passage: that.",
)  # fmt: skip
"""Texts on which both must agree before ``sentencepiece`` is used."""

_UNKNOWN, _CONTROL = 2, 3  # sentencepiece_model.proto: ModelProto.SentencePiece.Type


class AddedToken(msgspec.Struct, frozen=True):
    """A token of tokenizer.json that is found in a text before all else."""

    id: int
    content: str
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    single_word: bool = False
    special: bool = False


class PieceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What ``sentencepiece`` needs beside its file. ``normalizer`` is a tokenizer.json without a vocabulary."""

    normalizer: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    added: tuple[AddedToken, ...]
    size: int


class PieceTokens:
    """``sentencepiece`` behind the normalisation of ``tokenizers``. ``file`` was written by ``write_pieces``."""

    def __init__(self, file: Path, settings: PieceSettings) -> None:
        self._pieces: Any = sentencepiece.SentencePieceProcessor(model_file=str(file))
        normalizer = Tokenizer.from_str(settings.normalizer).normalizer
        self._normalise: Callable[[str], str] = normalizer.normalize_str if normalizer is not None else str
        self._settings = settings
        self._added = {one.content: one for one in settings.added}
        names = sorted(map(re.escape, self._added), key=len, reverse=True)
        self._find_added = re.compile("|".join(names)) if names else None
        self.size = settings.size
        self.special = len(settings.before) + len(settings.after)
        self.unknown: int | None = self._pieces.unk_id()

    def ids(self, text: str, longest: int) -> list[int]:
        plain = self.plain_ids(text)[: max(0, longest - self.special)]
        return [*self._settings.before, *plain, *self._settings.after]

    def plain_ids(self, text: str) -> Sequence[int]:
        found: list[int] = []
        for part in self._parts(text):
            if isinstance(part, str):
                found += self._pieces.encode(self._normalise(part))
            else:
                found.append(part.id)
        return found

    def decode(self, ids: Sequence[int]) -> str:
        special = {one.id for one in self._settings.added if one.special}
        kept = [one for one in ids if one not in special and one < self._pieces.vocab_size()]
        text: str = self._pieces.decode(kept)
        return text

    def _parts(self, text: str) -> Iterator[str | AddedToken]:
        """The text between added tokens, and these."""
        start, strip = 0, False
        for match in self._find_added.finditer(text) if self._find_added is not None else ():
            token = self._added[match[0]]
            part = text[start : match.start()]
            part = part.lstrip() if strip else part
            part = part.rstrip() if token.lstrip else part
            if part:
                yield part
            yield token
            start, strip = match.end(), token.rstrip
        rest = text[start:].lstrip() if strip else text[start:]
        if rest:
            yield rest


def write_pieces(file: Path, out: Path) -> PieceSettings | None:
    """Write the pieces of a large vocabulary for ``sentencepiece``. None where the vocabulary is small or of another
    kind, or where the ids of ``PROBES`` are not those of ``tokenizers``. Takes as much memory as ``tokenizers``."""
    plain = read_json_file(file)
    model = plain.get("model")
    if not isinstance(model, dict) or model.get("type") != "Unigram" or model.get("byte_fallback"):
        return None
    vocabulary, unknown = model.get("vocab"), model.get("unk_id")
    splitting = _kinds(plain.get("pre_tokenizer"), "pretokenizers")
    if (
        not isinstance(vocabulary, list)
        or len(vocabulary) < LARGE_VOCABULARY
        or not isinstance(unknown, int)
        or splitting not in (["Metaspace"], ["WhitespaceSplit", "Metaspace"])
    ):
        return None
    added = msgspec.convert(plain.get("added_tokens") or [], tuple[AddedToken, ...])
    if any(one.single_word or (one.normalized and one.id >= len(vocabulary)) for one in added):
        return None
    tokenizer = JsonTokens(read_tokenizer(file))
    around = tokenizer.ids("x", 1 << 20)
    inner = list(tokenizer.plain_ids("x"))
    begin = next((n for n in range(len(around)) if around[n : n + len(inner)] == inner), 0)
    bare = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]], "byte_fallback": False}
    kept = {"version": plain.get("version", "1.0"), "normalizer": plain.get("normalizer"), "model": bare}
    settings = PieceSettings(
        normalizer=msgspec.json.encode({**kept, "truncation": None, "padding": None, "added_tokens": [],
                                        "pre_tokenizer": None, "post_processor": None, "decoder": None}).decode(),
        before=tuple(around[:begin]),
        after=tuple(around[begin + len(inner) :]),
        added=added,
        size=tokenizer.size,
    )  # fmt: skip
    special = {one.id for one in added if one.special}
    kinds = {**dict.fromkeys(special, _CONTROL), unknown: _UNKNOWN}
    with written_beside(out) as beside, beside.open("wb") as writing:
        for number, (piece, score) in enumerate(vocabulary):
            writing.write(_field(1, _piece(str(piece), float(score), kinds.get(number, 1))))
        writing.write(_field(2, _number(3, 1) + _number(40, unknown)))  # a Unigram model
        collapse = int("WhitespaceSplit" in splitting)
        writing.write(_field(3, _field(1, b"identity") + _number(3, 1) + _number(4, collapse) + _number(5, 1)))
    try:
        lean = PieceTokens(out, settings)
    except (RuntimeError, OSError):  # sentencepiece refuses the vocabulary
        return None
    same = all(lean.ids(text, 1 << 20) == tokenizer.ids(text, 1 << 20) for text in (*PROBES, *_every_script()))
    return settings if same else None


def _every_script() -> Iterator[str]:
    """A line of each script: 40 letters of each block of 256 code points."""
    for block in range(0, 0x20000, 0x100):
        letters = [chr(code) for code in range(block, block + 0x100) if unicodedata.category(chr(code))[0] in "LMNPSZ"]
        if letters:
            yield "".join(letters[:40])


def _kinds(plain: Any, members: str) -> list[str]:
    if not isinstance(plain, dict):
        return []
    if plain.get("type") == "Sequence":
        return [kind for one in plain.get(members) or [] for kind in _kinds(one, members)]
    return [str(plain.get("type"))]


def _piece(text: str, score: float, kind: int) -> bytes:
    return _field(1, text.encode()) + b"\x15" + struct.pack("<f", score) + (_number(3, kind) if kind != 1 else b"")


def _field(number: int, raw: bytes) -> bytes:
    """A field of bytes in the encoding of protocol buffers."""
    return _variable(number << 3 | 2) + _variable(len(raw)) + raw


def _number(number: int, value: int) -> bytes:
    return _variable(number << 3) + _variable(value)


def _variable(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
