"""The confidence of an answer in the model's own words, and what of it is marked on the screen."""

from __future__ import annotations

import pytest

from tests.fakes import passage
from workbench.records.messages import Statement, Verification
from workbench.records.trust import is_marked, marks
from workbench.techniques.retrieval.abstention import Sentence
from workbench.techniques.retrieval.confidence import UNSURE, Spelled, estimate, measure
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.statements import StatementVerifier
from workbench.techniques.retrieval.verification import verify_answer

BEST = "The warranty of the pump runs for 36 months from delivery."
OTHER = "The crate of the pump weighs 80 kg and is returned to the seller."
TERMS = passage(f"{BEST} {OTHER}", n=1)
ASKED = "How long does the warranty of the pump run?"


def sentence(text: str, strength: float) -> Sentence:
    start = TERMS.text.index(text)
    return Sentence(
        text=text,
        own_words=strength,
        words_around=strength,
        alike=strength,
        passage_alike=strength,
        passage=TERMS,
        start=start,
        end=start + len(text),
    )


SENTENCES = (sentence(BEST, 0.9), sentence(OTHER, 0.2))
CERTAINTY, RESTS, KIND = 5, 6, 7
"""Places of features in ``measure``."""
GROUNDING = Grounding(ASKED, (TERMS,), ASKED, sentences=SENTENCES)


def spelled(text: str, of: dict[str, float]) -> Spelled:
    """The words of a text as two tokens each, with the log-probability of their word, -0.1 by default."""
    words = [(f" {word}", of.get(word, -0.1)) for word in text.split()]
    return [piece for word, logprob in words for piece in ((word[:2], logprob), (word[2:], logprob)) if piece[0]]


def test_what_the_model_is_unsure_of_in_the_words_that_answer_counts_most() -> None:
    said = "The warranty of the pump runs for 36 months."
    certain = [measure(ASKED, said, SENTENCES, -0.5, spelled(said, {"36": a, "The": b}))[CERTAINTY] for a, b in
               ((-0.1, -0.1), (-3.0, -0.1), (-0.1, -3.0))]  # fmt: skip
    assert certain[0] == pytest.approx(-0.1)
    assert certain[1] < certain[0] - 1
    assert certain[2] == pytest.approx(certain[0])  # a function word is no answer


def test_an_answer_without_a_word_of_the_best_sentences_is_less_certain_than_any_other() -> None:
    said = "It was painted by Leonardo."
    assert measure(ASKED, said, SENTENCES, -0.1, spelled(said, {}))[CERTAINTY] == -2.0
    sure = estimate(ASKED, "It runs for 36 months from delivery.", SENTENCES, -0.3)
    unsure = estimate(ASKED, said, SENTENCES, -0.3)
    assert sure is not None
    assert unsure is not None
    assert unsure < UNSURE < sure


def test_an_answer_rests_on_the_best_sentence_and_has_what_is_asked_for() -> None:
    def features(said: str) -> tuple[float, float]:
        measured = measure(ASKED, said, SENTENCES, -0.1)
        return measured[RESTS], measured[KIND]

    assert features("It runs for 36 months from delivery.") == (1.0, 1.0)
    assert features("The crate weighs 80 kg.") == (0.0, 1.0)
    assert features("It runs from delivery.") == (1.0, 0.0)
    who = "Who returned the crate?"
    assert measure(who, "It is returned to the seller.", SENTENCES, -0.1)[KIND] == 0.0
    assert measure(who, "It was Leonardo.", SENTENCES, -0.1)[KIND] == 1.0


def test_whole_sentences_of_the_passages_are_as_good_as_a_quoted_answer() -> None:
    for said in (OTHER, f"{OTHER[:-1]} [1]."):  # no answer to the question, and likely unsure
        checked = verify_answer(said, GROUNDING, -4.0)
        assert checked is not None
        assert checked.confidence is not None
        assert checked.confidence < UNSURE
        assert not is_marked(checked)
    changed = verify_answer(OTHER.replace("80", "60"), GROUNDING, -4.0)
    assert changed is not None
    assert is_marked(changed)


@pytest.mark.parametrize(
    ("said", "contradicts"),
    [
        ("The warranty of the pump runs for 12 months from delivery.", True),  # the sentence with another number
        ("The warranty of the pump runs for 80 months from delivery.", True),  # one that stands elsewhere
        ("The warranty of the pump runs for 36 weeks from delivery.", True),
        ("The warranty of the pump does not run for 36 months from delivery.", True),
        ("The pump has a warranty of some months, and Leonardo made it.", True),  # a name that is nowhere
        ("The pump is under warranty for long, and its crate weighs 80 kg.", False),
        ("The warranty runs for 36 months, as delivery is the beginning of it.", False),
    ],
)
def test_a_contradiction_is_marked_however_sure_the_program_is(said: str, contradicts: bool) -> None:
    (one,) = StatementVerifier([TERMS], ASKED).verify(said)
    assert bool(one.contradictions) == contradicts
    assert marks(one, Verification(statements=(one,), confidence=0.99)) == contradicts


def test_of_an_unsure_answer_all_that_is_not_supported_is_marked() -> None:
    partly, outside = (Statement(start=0, end=9, verdict=verdict) for verdict in ("partly", "outside"))
    sure, unsure, unknown = Verification(confidence=0.9), Verification(confidence=0.1, unsure=True), Verification()
    assert [marks(partly, checked) for checked in (sure, unsure, unknown)] == [False, True, True]
    assert [marks(outside, checked) for checked in (sure, unsure, unknown)] == [True, True, True]
    assert not marks(partly, unsure, written=False)
    assert not is_marked(replace_statements(sure, partly))
    assert is_marked(replace_statements(unknown, partly))


def replace_statements(checked: Verification, *statements: Statement) -> Verification:
    return Verification(statements=statements, confidence=checked.confidence, unsure=checked.unsure)


def test_a_year_before_a_function_word_is_no_number_with_a_unit() -> None:
    source = passage("The indicator was first used in 1851 by Charles Porter.", n=1)
    (one,) = StatementVerifier([source]).verify("The indicator was first used in 1851, when Porter made it.")
    assert one.conflicts == ()
