from __future__ import annotations

import pytest

from tests.unit.retrieval.fakes import word_tokenizer, word_tokens
from workbench.base.errors import Cancelled
from workbench.techniques.retrieval import chunking
from workbench.techniques.retrieval.chunking import Chunker
from workbench.techniques.retrieval.json_tokens import JsonTokens

MIXED = (
    "Grüße aus Köln! 🙂🙂 Ein Satz mit Umlauten: äöüß. 北京是中国的首都。\r\n\r\n"
    "Second paragraph — with “quotes”, a family 👨‍👩‍👧‍👦 and e\u0301 combined.\n\n\n   \n\tThird 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 paragraph. "
) * 20


def test_every_chunk_is_where_it_says_and_all_words_are_in_one() -> None:
    chunks = Chunker(word_tokens(), 12).split(MIXED)
    assert len(chunks) > 20
    covered = 0
    for chunk in chunks:
        assert MIXED[covered : chunk.start].strip() == ""
        assert MIXED[chunk.start : chunk.end].strip() == MIXED[chunk.start : chunk.end] != ""
        covered = chunk.end
    assert MIXED[covered:].strip() == ""


def test_no_chunk_has_more_tokens_than_it_may() -> None:
    tokens = word_tokens()
    for chunk in Chunker(tokens, 12).split(MIXED):
        assert len(tokens.plain_ids(MIXED[chunk.start : chunk.end])) <= 12


def test_a_tokenizer_that_cuts_does_not_hide_the_rest() -> None:
    tokenizer = word_tokenizer()
    tokenizer.enable_truncation(5)
    chunks = Chunker(JsonTokens(tokenizer), 10).split("one two three. " * 40)
    assert max(c.end - c.start for c in chunks) < 100


def test_a_chunk_stands_on_the_page_on_which_it_begins() -> None:
    first, second, third = "Page one. " * 8, "Page two. " * 8, "Page three. " * 8
    starts = (0, len(first), len(first) + len(second))
    chunks = Chunker(word_tokens(), 12).split(first + second + third, page_starts=starts)
    for chunk in chunks:
        assert chunk.page is not None
        assert starts[chunk.page - 1] <= chunk.start < [*starts, 10_000][chunk.page]
    assert {c.page for c in chunks} == {1, 2, 3}


def test_a_text_without_pages_has_none_in_its_chunks() -> None:
    assert [c.page for c in Chunker(word_tokens(), 12).split("some text")] == [None]


def test_an_empty_page_has_no_chunk() -> None:
    assert [c.page for c in Chunker(word_tokens(), 12).split("a b\fc d", page_starts=(0, 4, 4))] == [1]
    assert {c.page for c in Chunker(word_tokens(), 2).split("a b\fc d", page_starts=(0, 4, 4))} == {1, 3}


def test_markdown_is_cut_at_its_headings() -> None:
    text = "# One\n\nfirst text here\n\n# Two\n\nsecond text here"
    pieces = [text[c.start : c.end] for c in Chunker(word_tokens(), 8).split(text, "markdown")]
    assert pieces == ["# One\n\nfirst text here", "# Two\n\nsecond text here"]


def test_a_slide_is_a_passage_and_none_holds_two() -> None:
    text = "# One\n\nfew words\n\n# Two\n\nsome more"
    starts = (0, text.index("# Two"))
    assert len(Chunker(word_tokens(), 40).split(text, "text", starts)) == 1
    pieces = [text[c.start : c.end] for c in Chunker(word_tokens(), 40).split(text, "pptx", starts)]
    assert pieces == ["# One\n\nfew words", "# Two\n\nsome more"]


def test_chunk_and_context_fit_into_the_window() -> None:
    tokens = word_tokens()
    chunker = Chunker(tokens, 12, 16)
    assert chunker.most_context == 4
    for reserved, most in ((0, 12), (4, 12), (8, 8)):
        chunks = chunker.split(MIXED, reserved=reserved)
        assert max(len(tokens.plain_ids(MIXED[c.start : c.end])) for c in chunks) <= most


def test_a_long_text_is_cut_in_sections_without_losing_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "SECTION_CHARACTERS", 300)
    chunks = Chunker(word_tokens(), 12).split(MIXED)
    assert "".join("".join(MIXED[c.start : c.end].split()) for c in chunks) == "".join(MIXED.split())


def test_a_word_without_an_end_is_cut_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "SECTION_CHARACTERS", 300)
    endless = "x" * 2_000
    chunks = Chunker(word_tokens(), 12).split(endless)
    assert "".join(endless[c.start : c.end] for c in chunks) == endless


def test_splitting_can_be_given_up() -> None:
    def give_up() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        Chunker(word_tokens(), 12).split("some text", check=give_up)


@pytest.mark.parametrize("blank", ["", "  \n\t\n "])
def test_blank_text_has_no_chunks(blank: str) -> None:
    assert Chunker(word_tokens(), 12).split(blank) == []


def test_a_sentence_that_is_cut_at_its_line_goes_whole_into_the_next_chunk() -> None:
    text = (
        "The offer is for stairs of oak. We keep to it for a month. Payment: a part on ordering, a part on\n"
        "delivery, the rest ten days later.\nThe plaster is not in it."
    )
    for capacity in range(24, 31):
        chunks = Chunker(word_tokens(), capacity).split(text)
        shown = [text[chunk.start : chunk.end] for chunk in chunks]
        assert shown[1].startswith("Payment"), (capacity, shown)
        assert "".join(shown).replace(" ", "").replace("\n", "") == text.replace(" ", "").replace("\n", "")
        assert all(len(word_tokens().plain_ids(one)) <= capacity for one in shown)
    # a sentence that does not fit stays cut
    assert Chunker(word_tokens(), 12).split("one two three four five six seven eight nine ten " * 3)[0].start == 0
