"""Evidence: what a question and the sentences of the hits have in common decides before anything is generated."""

from __future__ import annotations

import msgspec
import pytest

from tests.fakes import FakeRetriever, passage
from workbench.techniques.retrieval.abstention import (
    LEAST_EVIDENCE,
    LEAST_EVIDENCE_ELSEWHERE,
    RAREST_MISSING,
    SENTENCES_EXAMINED,
    measure_evidence,
)

PUMP = passage("The warranty of the pump runs for 36 months. Claims must be made in writing to the seller.")
FRUIT = passage("Bananas are yellow. They grow in Ecuador and are shipped in cold containers.", "fruit.txt")


class Alike(FakeRetriever):
    """A collection whose embedder finds every pair of texts alike to the same degree."""

    def __init__(self, degree: float, background: float | None = None) -> None:
        super().__init__([PUMP, FRUIT])
        self._degree = degree
        self._background = degree if background is None else background
        self.compared: list[str] = []

    def similarities(self, texts: list[str], others: list[str]) -> list[list[float]]:
        self.compared = others
        own = len(others) - 4
        return [[self._degree] * own + [self._background] * 4 for _ in texts]


def test_answerable_question_has_evidence() -> None:
    retriever = Alike(0.6, background=0.0)
    found = measure_evidence("How long does the warranty of the pump run?", [PUMP, FRUIT], retriever)
    assert found.suffices
    assert found.strength > 0.9
    assert found.sentence == "The warranty of the pump runs for 36 months."


def test_a_heading_names_the_subject_and_is_no_evidence() -> None:
    note = "The pump delivers 42 litres a minute and needs no oil."
    titled = passage(f"Report on the repair of the pump P-204\n\n{note}", "report.txt")
    retriever = Alike(0.6, background=0.0)
    asked = "Who signed the report on the repair of the pump P-204?"
    found = measure_evidence(asked, [titled], retriever)
    strongest = max(s.evidence for s in found.sentences)
    assert next(s for s in found.sentences if s.evidence == strongest).text.startswith("Report")
    assert found.strength < strongest
    alone = measure_evidence(asked, [passage("Report on the repair of the pump P-204\n\n", "title.txt")], retriever)
    assert alone.strength == max(s.evidence for s in alone.sentences)


def test_question_about_something_else_has_none() -> None:
    assert not measure_evidence("Who painted the Mona Lisa in Florence?", [PUMP, FRUIT], Alike(0.1)).suffices


def test_same_subject_without_the_words_is_not_enough() -> None:
    retriever = Alike(0.5, background=0.0)
    found = measure_evidence("What voltage and frequency does the pump require outdoors?", [PUMP], retriever)
    assert not found.suffices


def test_less_is_the_evidence_where_none_of_the_rarest_words_is_named() -> None:
    retriever = Alike(0.6, background=0.0)
    retriever.passages += [passage("The pump runs.", f"{n}.txt") for n in range(30)]
    asked = "How long does the warranty of the pump run?"
    (named, *_) = measure_evidence(asked, [PUMP], retriever).sentences
    assert named.names_subject
    (unnamed, *_) = measure_evidence(
        "How long does the guarantee of the locomotive pump run?", [PUMP], retriever
    ).sentences
    assert not unnamed.names_subject
    named_after_all = msgspec.structs.replace(unnamed, names_subject=True)
    assert named_after_all.evidence - unnamed.evidence == pytest.approx(RAREST_MISSING)


def test_similarity_counts_from_the_embedders_own_zero() -> None:
    question = "Who painted the Mona Lisa in Florence?"
    everything_alike = measure_evidence(question, [PUMP, FRUIT], Alike(0.9))
    assert everything_alike.strength < LEAST_EVIDENCE["en"]


def test_misspelt_word_still_counts() -> None:
    retriever = Alike(0.0)
    right = measure_evidence("How long does the warranty run?", [PUMP], retriever)
    misspelt = measure_evidence("How long does the warrenty run?", [PUMP], retriever)
    assert misspelt.strength > 0.5 * right.strength
    assert measure_evidence("How long does the guarantor run?", [PUMP], retriever).strength < misspelt.strength


def test_a_german_compound_counts_for_its_parts() -> None:
    lease = passage("Das Mietverhältnis endet nach der Kündigungsfrist von drei Monaten. Es gilt die Hausordnung.")
    other = passage("Die Wohnung liegt im dritten Stock. Es gilt die Hausordnung und sie hat einen Balkon.")
    question = "Wann endet die Frist der Kündigung?"
    retriever = Alike(0.0)
    assert measure_evidence(question, [lease], retriever).strength > 0.5
    assert measure_evidence(question, [other], retriever).strength < 0.3


def test_a_chinese_question_is_compared_without_its_function_words() -> None:
    notice = passage("本合同的租金为每月三千元。押金为六千元。")
    other = passage("什么时候开会由经理决定。会议多少人参加是另行通知的。")
    question = "本合同的租金是多少？"
    retriever = Alike(0.0)
    assert measure_evidence(question, [notice], retriever).strength > 0.9
    assert measure_evidence(question, [other], retriever).strength < 0.2


def test_a_word_of_a_small_collection_is_not_common_because_its_only_chunk_holds_it() -> None:
    alone = FakeRetriever([PUMP])
    found = measure_evidence("How long does the warranty of the pump last?", [PUMP], alone)
    assert found.sentences[0].own_words > 0.5  # "long" and "last" are missing


def test_between_two_languages_it_is_not_judged() -> None:
    found = measure_evidence("Wie lange ist die Garantie der Pumpe?", [PUMP], Alike(0.3, background=0.0))
    assert not found.judged
    assert found.needed == LEAST_EVIDENCE_ELSEWHERE
    assert found.suffices


def test_in_a_mixed_collection_a_question_is_judged_by_the_passages_in_its_language() -> None:
    lease = passage("Die Miete für die Wohnung beträgt 900 Euro. Sie ist am ersten Werktag des Monats fällig.", "l.txt")
    found = measure_evidence("Wie hoch ist die Miete für die Wohnung?", [PUMP, FRUIT, lease], Alike(0.0))
    assert found.judged
    assert found.sentence.startswith("Die Miete")


def test_nothing_found_is_no_evidence() -> None:
    assert not measure_evidence("How long does the warranty run?", [], FakeRetriever()).suffices


def test_thanks_are_not_declined() -> None:
    assert measure_evidence("And what about it?", [PUMP], Alike(0.0)).suffices


@pytest.mark.parametrize("sentences", [1, 40])
def test_few_sentences_go_to_the_embedder(sentences: int) -> None:
    retriever = Alike(0.2)
    long = passage(" ".join(f"The pump number {n} has a warranty." for n in range(sentences)))
    measure_evidence("Which pump has a warranty?", [long], retriever)
    assert len(retriever.compared) == min(sentences, SENTENCES_EXAMINED) + 4


def test_question_in_another_language_is_declined_only_without_any_likeness() -> None:
    german = passage("Die Gewährleistung der Pumpe beträgt 36 Monate und beginnt mit der Lieferung an den Kunden.")
    question = "How long does the warranty of the pump run and when does it begin?"
    found = measure_evidence(question, [german], Alike(0.5, background=0.0))
    assert found.needed == LEAST_EVIDENCE_ELSEWHERE
    assert found.suffices
