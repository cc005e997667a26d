"""Citations while they stream: the same text however it is cut into pieces, and only what was shown."""

from __future__ import annotations

import pytest

from tests.fakes import passage
from workbench.techniques.retrieval.citations import CitationEditor, PassageMatcher, citations_of

PUMP = passage("The warranty runs for 36 months from delivery. Claims must be made in writing.", "pump.txt", n=1)
FRUIT = passage("Bananas are yellow and grow in Ecuador. Dr. Alma Reyes counted four kinds.", "fruit.txt", n=2)
QUESTION = "How long does the warranty run?"

EDITED = [
    # the model's own number stays, one that was not shown goes with the space before it
    ("Claims must be in writing [1].", "Claims must be in writing [1]."),
    ("Claims must be in writing. [1]", "Claims must be in writing. [1]"),
    ("Claims must be in writing [7].", "Claims must be in writing [1]."),
    ("It is so [0].", "It is so."),
    ("Both say so [1, 2, 9].", "Both say so [1][2]."),
    ("Both say so [1-2].", "Both say so [1][2]."),
    # a sentence without a number gets that of the passage it stands in
    ("36 months", "36 months [1]"),
    ("It lasts 36 months. Bananas grow in Ecuador.", "It lasts 36 months [1]. Bananas grow in Ecuador [2]."),
    ("They were counted by Dr. Alma Reyes.", "They were counted by Dr. Alma Reyes [2]."),
    ("There are 4 kinds of bananas.", "There are 4 kinds of bananas [2]."),
    ("- 36 months from delivery\n- yellow bananas\n", "- 36 months from delivery [1]\n- yellow bananas [2]\n"),
    # what does not stand there gets none
    ("It lasts 48 months from delivery.", "It lasts 48 months from delivery."),
    ("The moon is made of cheese.", "The moon is made of cheese."),
    ("# Delivery in writing\n", "# Delivery in writing\n"),
    # brackets that are no citations, and code
    ("See [a](b) and x[i] of [].", "See [a](b) and x[i] of []."),
    ("Use `a[7]` here.", "Use `a[7]` here."),
    ("```\nx = a[7]  # 36 months from delivery.\n```\n", "```\nx = a[7]  # 36 months from delivery.\n```\n"),
    ("A stray ` tick\nClaims in writing [7].", "A stray ` tick\nClaims in writing [1]."),
    ("It costs [1", "It costs [1"),
    ("", ""),
]


@pytest.mark.parametrize(("written", "expected"), EDITED, ids=[w[:30] or "empty" for w, _ in EDITED])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_text_is_edited_the_same_in_any_pieces(written: str, expected: str, size: int) -> None:
    editor = CitationEditor([PUMP, FRUIT], QUESTION)
    streamed = [editor.feed(written[i : i + size]) for i in range(0, len(written), size)]
    assert "".join(streamed) + editor.end() == expected


def test_plain_text_is_not_held_back() -> None:
    editor = CitationEditor([PUMP])
    assert editor.feed("Claims") == "Claims"
    assert editor.feed(" must") == " must"
    assert editor.feed(" [") == ""


def test_sentence_that_was_cut_short_gets_no_citation() -> None:
    editor = CitationEditor([PUMP])
    text = editor.feed("Claims must be in writing. The warranty runs for 36 months from")
    assert text + editor.end(cut_short=True) == "Claims must be in writing [1]. The warranty runs for 36 months from"


def test_chinese_sentence_is_cited_before_its_mark() -> None:
    editor = CitationEditor([passage("保修期为三十六个月，从交货之日算起。", n=1)])
    assert editor.feed("保修期为三十六个月。好的。") + editor.end() == "保修期为三十六个月 [1]。好的。"


def test_citation_keeps_its_passage_and_who_claimed_it() -> None:
    editor = CitationEditor([PUMP, FRUIT])
    editor.feed("In writing [1]. Bananas grow in Ecuador.")
    editor.end()
    claimed, matched = citations_of(editor, [PUMP, FRUIT])
    assert (claimed.n, claimed.claimed, claimed.text, claimed.document_hash) == (1, True, PUMP.text, "hash of pump.txt")
    assert (matched.n, matched.claimed, matched.start, matched.end) == (2, False, 0, len(FRUIT.text))


def test_words_of_the_question_prove_nothing() -> None:
    matcher = PassageMatcher([PUMP], "Is the warranty for the delivery of months?")
    assert matcher.match("The warranty depends on the country.") is None


def test_best_of_several_passages_is_taken() -> None:
    other = passage("The warranty of the fan runs for 36 months.", n=2)
    assert PassageMatcher([PUMP, other]).match("The fan has a warranty of 36 months.") == 2


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_answer_of_a_form_stays_as_it_is_and_its_sources_are_known(size: int) -> None:
    written = '{\n"claims": "must be made in writing",\n"months": [36],\n"parts": [1]\n}'
    editor = CitationEditor([PUMP, FRUIT], QUESTION, verbatim=True)
    pieces = [written[at : at + size] for at in range(0, len(written), size)]
    assert "".join([*map(editor.feed, pieces), editor.end()]) == written
    assert (editor.claimed, editor.matched) == (set(), {1})
