from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny_embedders import WORDS, unigrams, word_pieces
from workbench.techniques.retrieval import pieces
from workbench.techniques.retrieval.json_tokens import JsonTokens, read_tokenizer
from workbench.techniques.retrieval.pieces import PROBES, PieceTokens, write_pieces

TEXTS = (*PROBES, "The Bridge over the RIVER", "  <mask>bread </s></s>haus<pad> ", "straße" * 30)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "LARGE_VOCABULARY", 10)


def test_the_ids_are_those_of_tokenizers(small: None, tmp_path: Path) -> None:
    unigrams().save(str(tmp_path / "tokenizer.json"))
    settings = write_pieces(tmp_path / "tokenizer.json", tmp_path / "pieces.model")
    assert settings is not None
    lean, whole = PieceTokens(tmp_path / "pieces.model", settings), JsonTokens(unigrams())
    assert (lean.size, lean.special, lean.unknown) == (whole.size, whole.special, 3)
    for text in TEXTS:
        assert list(lean.plain_ids(text)) == list(whole.plain_ids(text)), text
        for longest in (1, 2, 3, 9, 1_000):
            assert lean.ids(text, longest) == whole.ids(text, longest), (text, longest)
    ids = whole.ids("the bridge over the river", 99)
    assert lean.decode(ids) == whole.decode(ids) == "the bridge over the river"


def test_a_small_vocabulary_and_one_of_another_kind_stay_with_tokenizers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unigrams().save(str(tmp_path / "tokenizer.json"))
    assert write_pieces(tmp_path / "tokenizer.json", tmp_path / "pieces.model") is None
    monkeypatch.setattr(pieces, "LARGE_VOCABULARY", 10)
    word_pieces().save(str(tmp_path / "other.json"))
    assert write_pieces(tmp_path / "other.json", tmp_path / "pieces.model") is None


def test_a_vocabulary_of_which_one_id_would_differ_stays_with_tokenizers(small: None, tmp_path: Path) -> None:
    """sentencepiece takes a space for the piece that begins a word; in this one it is a piece of its own as well."""
    tokenizer = unigrams([*WORDS, "\u2581bridge\u2581over", "a  b"])
    from tokenizers import normalizers, pre_tokenizers

    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", "first", split=False)
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert write_pieces(tmp_path / "tokenizer.json", tmp_path / "pieces.model") is None


def test_a_text_is_lowered_where_the_folder_says_so(tmp_path: Path) -> None:
    word_pieces().save(str(tmp_path / "tokenizer.json"))
    plain = JsonTokens(read_tokenizer(tmp_path / "tokenizer.json"))
    lowered = JsonTokens(read_tokenizer(tmp_path / "tokenizer.json", lower_case=True))
    assert lowered.plain_ids("THE Bridge") == plain.plain_ids("the bridge") != plain.plain_ids("THE Bridge")
