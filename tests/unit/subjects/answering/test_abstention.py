"""Evidence: which sentences of the hits are shown, and whether they are found, perhaps or not found at all."""

from __future__ import annotations

import dataclasses
from functools import partial

import msgspec
import pytest

from tests.fakes import FakeRetriever, passage
from workbench.base.errors import WorkerDied
from workbench.records.messages import Passage
from workbench.techniques.retrieval import abstention
from workbench.techniques.retrieval.abstention import measure_evidence
from workbench.techniques.retrieval.answer_types import (
    AnswerType,
    asked_types,
    asks_amount,
    counted_thing,
    holds_type,
    tells_amount,
)
from workbench.techniques.retrieval.belonging_rows import asked_names, name_behind
from workbench.techniques.retrieval.doubt import MARKS, marks_of, reasons_to_doubt
from workbench.techniques.retrieval.doubt_texts import language_reason, weak_reason
from workbench.techniques.retrieval.sentence_choice import choose
from workbench.techniques.retrieval.sentence_columns import COLUMN, NAMES
from workbench.techniques.retrieval.sentence_features import BACKGROUND, compare
from workbench.techniques.retrieval.sentence_pick import EMBEDDED, EMBEDDED_ELSEWHERE, MOST_EMBEDDED
from workbench.techniques.retrieval.sentence_units import split_units
from workbench.techniques.retrieval.sentence_weights import weights_for
from workbench.text.terms import Vocabulary

PUMP = passage("The warranty of the pump runs for 36 months. Claims must be made in writing to the seller.")
FRUIT = passage("Bananas are yellow. They grow in Ecuador and are shipped in cold containers.", "fruit.txt")
LEASE = passage("Die Miete für die Wohnung beträgt 900 Euro. Sie ist am ersten Werktag des Monats fällig.", "l.txt")


class Alike(FakeRetriever):
    """A collection whose embedder finds every pair of texts alike to the same degree."""

    def __init__(self, degree: float, background: float | None = None, passages: tuple[Passage, ...] = ()) -> None:
        super().__init__([*(passages or (PUMP, FRUIT))])
        self._degree = degree
        self._background = degree if background is None else background
        self.compared: list[str] = []

    def similarities(self, texts: list[str], others: list[str]) -> list[list[float]]:
        self.compared += others
        return [[self._background if other in BACKGROUND else self._degree for other in others] for _ in texts]


def feature(question: str, found: Passage, name: str, start: str, retriever: FakeRetriever | None = None) -> float:
    """A feature of the sentence that begins so."""
    compared = compare(question, [found], retriever or Alike(0.5, 0.0, (found,)))
    number = next(i for i, unit in enumerate(compared.chosen) if unit.text.startswith(start))
    return compared.value(number, name)


def test_answerable_question_is_found() -> None:
    retriever = Alike(0.6, background=0.0)
    found = measure_evidence("How long does the warranty of the pump run?", [PUMP, FRUIT], retriever)
    assert found.outcome == "found"
    assert found.suffices
    assert not found.reasons
    assert found.sentence == "The warranty of the pump runs for 36 months."


def test_a_heading_names_the_subject_and_is_not_quoted() -> None:
    note = "The pump delivers 42 litres a minute and needs no oil."
    titled = passage(f"Report on the repair of the pump P-204\n\n{note}", "report.txt")
    asked = "Who signed the report on the repair of the pump P-204?"
    found = measure_evidence(asked, [titled], Alike(0.6, 0.0, (titled,)))
    assert [one.text for one in found.sentences] == [note]
    alone = passage("Report on the repair of the pump P-204\n\n", "title.txt")
    (sentence,) = measure_evidence(asked, [alone], Alike(0.6, 0.0, (alone,))).sentences
    assert sentence.text.startswith("Report")


RULES = passage(
    "".join(f"- Rule {n} of the pump: hose {n} dry\n" for n in range(20)) + "- supply 230 V at 50 Hz\n", "rules.txt"
)


class Reads(Alike):
    """A collection whose cross-encoder knows which sentence answers."""

    def __init__(self, answer: str, degree: float = 0.78, passages: tuple[Passage, ...] = (RULES,)) -> None:
        super().__init__(degree, 0.78, passages)
        self._answer = answer
        self.read: list[str] = []

    def cross_encode(self, question: str, passages: list[list[str]]) -> list[list[float]]:
        self.read += [part for _, *parts in passages for part in parts]
        return [[5.0 if self._answer and self._answer in part else -6.0 for part in parts] for _, *parts in passages]


def test_the_cross_encoder_chooses_where_the_first_sentences_do_not_answer() -> None:
    asked = "What voltage does the pump need with the hose?"
    knows, none = Reads("230 V"), Reads("")
    found, missing = (measure_evidence(asked, [RULES], one) for one in (knows, none))
    assert len(knows.read) == 21, "the whole passage"
    assert "230 V" in found.sentence
    assert found.strength > missing.strength
    assert missing.outcome != "found"


def test_what_the_cross_encoder_denies_is_not_found() -> None:
    asked, note = "What supply does the pump need?", passage("- supply of the pump: 230 V at 50 Hz\n- hose: dry\n")
    agrees, denies = Reads("230 V", 0.95, (note,)), Reads("", 0.95, (note,))
    assert measure_evidence(asked, [note], agrees).outcome == "found"
    assert agrees.read
    assert measure_evidence(asked, [note], denies).outcome != "found"


def test_all_that_is_chosen_by_what_was_read_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds are fitted on answers that show all of it."""
    known = msgspec.structs.replace(abstention.second_look_weights(), mass=0.95)
    monkeypatch.setattr(abstention, "second_look_weights", lambda: known)
    rows = "- hose: dry\n- voltage of the pump with the hose: 230 V at 50 Hz\n- on the pier: 400 V at 60 Hz\n"
    asked, note = "What voltage does the pump need with the hose?", passage(rows, "rows.txt")
    evidence = measure_evidence(asked, [note], Reads("V at", 0.78, (note,)))
    first, second = (one.text for one in evidence.sentences if one.shown)
    assert "230 V" in first
    assert "400 V" in second


class FailsLater(Alike):
    """An embedder that embeds once, and fails from then on."""

    def question_similarities(self, question: str, texts: list[str]) -> list[float]:
        if self.compared:
            raise WorkerDied("embedding", 1)
        return super().question_similarities(question, texts)


def test_the_first_sentences_decide_where_further_ones_cannot_be_embedded(caplog: pytest.LogCaptureFixture) -> None:
    rules = passage(" ".join(f"Rule {n} of the pump says that hose {n} is dry." for n in range(30)))
    retriever = FailsLater(0.5, 0.0, (rules,))
    found = measure_evidence("What voltage and frequency does the pump require outdoors?", [rules], retriever)
    assert found.outcome != "found"
    assert found.sentences
    assert "the first ones decide" in caplog.text


def test_question_about_something_else_is_not_found() -> None:
    found = measure_evidence("Who painted the Mona Lisa in Florence?", [PUMP, FRUIT], Alike(0.1))
    assert found.outcome == "not_found"
    assert not found.suffices


def test_same_subject_without_the_words_is_less_probable_and_not_found() -> None:
    retriever = Alike(0.5, background=0.0)
    right = measure_evidence("How long does the warranty of the pump run?", [PUMP], retriever)
    found = measure_evidence("What voltage and frequency does the pump require outdoors?", [PUMP], retriever)
    assert found.strength < right.strength / 2
    assert found.outcome != "found"


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How long was the warranty of the pump in 1588?", "1588 is in none of these passages."),
        ("How long does Velázquez's warranty of the pump run?", "Velázquez is in none of these passages."),
        (
            "How long did Velázquez's warranty of the pump run in 1588?",
            "1588 and Velázquez are in none of these passages.",
        ),
    ],
)
def test_names_and_figures_that_no_passage_has_are_reasons_to_doubt(question: str, text: str) -> None:
    found = measure_evidence(question, [PUMP], Alike(0.7, background=0.0))
    assert found.outcome != "found"
    assert [(one.kind, one.text) for one in found.reasons] == [("missing", text)]


def test_days_of_something_else_are_a_reason_to_doubt() -> None:
    contract = "An important reason for the joiners is an instalment that is not paid 30 days after a reminder."
    found = passage(f"{contract} They may end the contract then.", "contract.docx")
    holiday = passage("The joiners have 30 days of holiday. They are taken in summer.", "holiday.docx")
    asked = "How many days of holiday do the joiners have?"
    evidence = measure_evidence(asked, [found], Alike(0.7, 0.0, (found,)))
    assert evidence.outcome != "found"
    said = "The passages have what you ask about, but nothing of “holiday”."
    assert said in [one.text for one in evidence.reasons]
    assert not measure_evidence(asked, [holiday], Alike(0.7, 0.0, (holiday,))).reasons


def test_a_doubtful_answer_says_what_the_passages_lack() -> None:
    asked = "What wattage does the pump of the warranty have?"
    compared = compare(asked, [PUMP], Alike(0.6, background=0.0))
    choice = choose(compared, weights_for(0.0).choice, 0.8)
    (reason,) = reasons_to_doubt(asked, compared, choice, (), probable=False, names=[], figures=[])
    assert reason.kind == "attribute"
    assert reason.text == "The passages have what you ask about, but tell no power or voltage."
    known = compare("How long is the warranty?", [PUMP], Alike(0.6, background=0.0))
    choice = choose(known, weights_for(0.0).choice, 0.8)
    doubted = partial(reasons_to_doubt, "How long is the warranty?", known, choice, (), names=[], figures=[])
    assert doubted(probable=False) == (weak_reason("en"),)
    assert doubted(probable=True) == ()


METER = (
    "Wohnung: 2.07 | Mieter: Kolbe | Kaltwasser m³ 31.12.2023: 386,043 | Kaltwasser m³ 31.12.2024: 448,614\n"
    "Wohnung: 3.07 | Mieter: Rahimi | Kaltwasser m³ 31.12.2023: 290,975 | Kaltwasser m³ 31.12.2024: 339,740"
)


@pytest.mark.parametrize(
    ("question", "rows", "is_doubted"),
    [
        ("Wie viel Kaltwasser hat Kolbe verbraucht?", METER, True),
        ("Wie viel Kaltwasser haben Kolbe und Rahimi zusammen?", METER, True),
        ("Welche Wohnung hat Kolbe?", METER, False),
        ("Wie lange wartet man im Durchschnitt auf 3 rooms?", "Flat: 3 rooms | Average wait: 4.5 years", False),
        ("Wie viel Kaltwasser hat Kolbe verbraucht?", METER.replace("Kaltwasser", "Verbrauch Kaltwasser"), False),
    ],
)
def test_rows_that_do_not_tell_what_has_to_be_computed_of_them_are_doubted(
    question: str, rows: str, is_doubted: bool
) -> None:
    hit = passage(rows, "meters.csv")
    evidence = measure_evidence(question, [hit], Alike(0.7, 0.0, (hit,)))
    said = "Die Zeilen sagen das nicht: Es muss aus ihnen berechnet werden."
    assert (said in [one.text for one in evidence.reasons]) == is_doubted


def test_an_attribute_that_no_shown_sentence_has_is_a_reason_to_doubt() -> None:
    stands = passage("Der Balkenmäher steht im Schuppen neben dem Tor. Der Balkenmäher läuft noch gut.", "b.txt")
    found = measure_evidence("Wie alt ist der Balkenmäher?", [stands], Alike(0.7, 0.0, (stands,)))
    assert found.outcome != "found"
    assert any(one.text.endswith("nennen aber kein Alter.") for one in found.reasons)


def test_the_newer_of_two_versions_is_told_from_the_older() -> None:
    old = passage("Day trips of more than 30 km need two boats.", "Boat rules 2022.docx")
    new = passage("Day trips of more than 25 km need two boats.", "Boat rules 2025-03-15.docx")
    retriever = Alike(0.5, 0.0, (old, new))

    def ages(question: str) -> dict[str, tuple[float, float]]:
        compared = compare(question, [old, new], retriever)
        return {
            unit.passage.path: (compared.value(i, "older"), compared.value(i, "newer"))
            for i, unit in enumerate(compared.chosen)
        }

    assert ages("When do day trips need two boats?") == {old.path: (1, 0), new.path: (0, 1)}
    assert ages("When did day trips need two boats in 2022?") == {old.path: (0, 1), new.path: (1, 0)}
    assert ages("Do day trips need two boats now as in 2022?") == {old.path: (0, 0), new.path: (0, 0)}


def test_similarity_counts_from_the_embedders_own_zero() -> None:
    question = "Who painted the Mona Lisa in Florence?"
    assert measure_evidence(question, [PUMP, FRUIT], Alike(0.9)).outcome == "not_found"


def test_misspelt_word_still_counts() -> None:
    def own(question: str) -> float:
        return feature(question, PUMP, "own", "The warranty")

    assert own("How long does the warrenty run?") == own("How long does the warranty run?")
    assert own("How long does the guarantor run?") < own("How long does the warrenty run?")


def test_a_german_compound_counts_for_its_parts() -> None:
    lease = passage("Das Mietverhältnis endet nach der Kündigungsfrist von drei Monaten. Es gilt die Hausordnung.")
    other = passage("Die Wohnung liegt im dritten Stock. Es gilt die Hausordnung und sie hat einen Balkon.")
    question = "Wie lange ist die Frist für die Kündigung der Miete?"
    assert feature(question, lease, "kin_own", "Das Miet") > 0.5
    assert feature(question, other, "kin_own", "Die Wohnung") < 0.3


def test_chinese_is_compared_by_pairs_of_characters() -> None:
    notice = passage("水泵的保修期是三十六个月。索赔必须以书面形式提出。")
    other = passage("香蕉是黄色的。它们生长在厄瓜多尔。")
    question = "水泵的保修期是多久？"
    assert feature(question, notice, "own", "水泵") > 0.9
    assert feature(question, other, "own", "香蕉") < 0.2


def test_the_type_of_the_answer_is_looked_for() -> None:
    asked = "Wie alt ist der Balkenmäher?"
    aged = passage("Der Balkenmäher wurde 2011 gebaut und läuft noch. Er steht im Schuppen.", "a.txt")
    stands = passage("Der Balkenmäher steht im Schuppen neben dem Tor. Er läuft noch.", "b.txt")
    assert feature(asked, aged, "attribute_met", "Der Balken") == 1
    assert feature(asked, stands, "attribute_missed", "Der Balken") == 1


@pytest.mark.parametrize(
    ("question", "telling", "other"),
    [
        (
            "How many days of holiday do the joiners have?",
            "Each of the joiners has 30 days of holiday. They are taken in summer.",
            "For the joiners it is an instalment that is 30 days late. They end the contract then.",
        ),
        (
            "Wie viele Tage Urlaub haben die Tischler?",
            "Die Tischler haben 30 Tage Urlaub im Jahr. Sie nehmen ihn im Sommer.",
            "Die Tischler warten 30 Tage auf eine Rate. Sie kündigen dann den Vertrag.",
        ),
    ],
)
def test_a_number_of_days_counts_only_beside_what_they_are_days_of(question: str, telling: str, other: str) -> None:
    for text, met in ((telling, True), (other, False)):
        found = passage(text, "contract.txt")
        assert feature(question, found, "counted_met", text[:9]) == met
        assert feature(question, found, "counted_missed", text[:9]) == (not met)
    assert counted_thing("Combien de jours de congé ?") == "congé"
    assert counted_thing("¿Cuántos días de vacaciones hay?") == "vacaciones"
    assert counted_thing("How many joiners are there?") == ""


@pytest.mark.parametrize(
    "question",
    [
        "Wie hoch ist der Stundensatz?",
        "Wie hoch ist der Mitgliedsbeitrag?",
        "Wie hoch sind die Stornogebühren?",
        "What is the hourly rate?",
        "listenpreis der gitarre G-10?",
        "Wie hoch ist die monatliche Leasingrate des Kastenwagens?",
        "Wie hoch ist der Zuschuss der Stadt?",
        "How high is the deductible?",
        "Whats the fine per day if a violin comes home late",
        "Quelle est l'amende ?",
        "¿Cuál es la cuota mensual?",
    ],
)
def test_rates_and_fees_are_asked_as_amounts_of_money(question: str) -> None:
    assert "money" in asked_types(question)
    assert "extent" not in asked_types(question)
    assert "money" not in asked_types("Wie hoch ist der Turm?")


def test_an_amount_does_not_tell_who_pays() -> None:
    text = passage("The party costs EUR 240. The drinks are given by Mr Aalto.")
    assert feature("Who paid for the drinks?", text, "kin_own", "The party") == 0
    assert feature("How much was paid for the drinks?", text, "kin_own", "The party") > 0


def test_an_amount_tells_the_price_that_is_asked_for() -> None:
    text = "Firm: Kastell | Hourly rate EUR: 119 | Emergency call-out EUR: 240\nFirm: Ott | Trade: lifts"
    row = passage(text, "r.xlsx")
    asked = "emergency call-out price of Kastell?"
    assert feature(asked, row, "everywhere", "Firm: Kastell") == pytest.approx(1)
    assert feature(asked, row, "own", "Firm: Kastell") < 1
    assert feature("emergency call-out colour of Kastell?", row, "everywhere", "Firm: Kastell") < 1
    flat = passage("Die Wohnung für Gäste ist neben der Küche und hat 38 m² mit zwei Betten.", "flat.odt")
    assert feature("Wie viele Quadratmeter hat die Küche der Gäste?", flat, "everywhere", "Die Wohnung") < 1


@pytest.mark.parametrize(
    ("question", "telling", "other"),
    [
        (
            "Wie viele Nächte dürfen die Gäste der Genossenschaft höchstens bleiben?",
            "Die Gäste der Genossenschaft bleiben in der Wohnung maximal zehn Nächte.",
            "Die Gäste der Genossenschaft bleiben in der Wohnung nur zehn Nächte.",
        ),
        ("What is the maximum stay?", "A stay of up to ten nights.", "A stay of ten nights."),
    ],
)
def test_a_bound_is_told_by_another_word_for_it(question: str, telling: str, other: str) -> None:
    share = [feature(question, passage(text, "stay.txt"), "everywhere", text[:5]) for text in (telling, other)]
    assert share[0] == pytest.approx(1)
    assert share[1] < 1


@pytest.mark.parametrize("question", ["Darf man hier rauchen?", "Müssen wir hier rauchen?"])
def test_a_modal_verb_is_no_word_that_an_answer_has(question: str) -> None:
    text = passage("Hier wird nicht geraucht. Rauchen ist auf dem Hof erlaubt.", "r.txt")
    assert set(compare(question, [text], Alike(0.5, 0.0, (text,))).weights) == {"rauch"}


def test_a_figure_under_a_head_with_a_currency_is_an_amount_of_money() -> None:
    head = "Fees of the house, valid from the first day of the year\nItem | Unit | EUR | Remark\n"
    table = passage(f"{head}Garage | month | 64 | waiting list\nCellar | month | none | not let", "fees.xlsx")
    asked = "What is the price of a garage?"
    assert feature(asked, table, "met_money", "Garage") == 1
    assert feature(asked, table, "everywhere", "Garage") == pytest.approx(1)
    assert feature("What is the price of a cellar?", table, "met_money", "Cellar") == 0


def test_the_question_of_a_list_of_questions_is_the_heading_of_its_answer() -> None:
    faq = passage("How many flats may I turn down? Two. After that your name goes to the end of the list.", "faq.html")
    assert feature("How many flats may be turned down?", faq, "everywhere", "After that") > 0.9
    assert feature("How many flats may be turned down?", faq, "own", "After that") == 0


def test_a_quote_that_another_one_contains_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    known = weights_for(0.0)
    monkeypatch.setattr(abstention, "weights_for", lambda zero: dataclasses.replace(known, mass=0.99999))
    text = "The pump of the harbour has a warranty. It runs for 36 months, as the seller of the pump says."
    found = passage(text, "pump.txt")
    evidence = measure_evidence("How long is the warranty of the pump?", [found], Alike(0.8, 0.0, (found,)))
    assert len(evidence.sentences) == 2
    assert [one.text for one in evidence.sentences if one.shown] == [text]


def test_a_question_in_another_language_has_an_outcome_too() -> None:
    german = passage("Die Gewährleistung der Pumpe beträgt 36 Monate und beginnt mit der Lieferung an den Kunden.")
    question = "How long does the warranty of the pump run?"
    compared = compare(question, [german], Alike(0.5, 0.0, (german,)))
    assert compared.features[0, COLUMN["other"]] == 1
    assert compared.features[0, COLUMN["other_alike"]] == pytest.approx(0.5)
    choice = choose(compared, weights_for(0.0).choice, 0.8)
    assert reasons_to_doubt(question, compared, choice, (), probable=False, names=[], figures=[]) == (
        language_reason("en"),
    )
    near = measure_evidence(question, [german], Alike(0.8, 0.0, (german,)))
    far = measure_evidence(question, [german], Alike(0.0, 0.0, (german,)))
    assert near.strength > far.strength
    same = compare("Wie hoch ist die Miete für die Wohnung?", [PUMP, FRUIT, LEASE], Alike(0.0))
    assert same.value(0, "other") == 0


def test_nothing_found_is_no_evidence() -> None:
    assert not measure_evidence("How long does the warranty run?", [], FakeRetriever()).suffices


def test_thanks_are_not_declined() -> None:
    assert measure_evidence("And what about it?", [PUMP], Alike(0.0)).suffices


@pytest.mark.parametrize("sentences", [1, 40])
def test_few_sentences_go_to_the_embedder(sentences: int) -> None:
    retriever = Alike(0.2)
    long = passage(" ".join(f"The pump number {n} has a warranty." for n in range(sentences)))
    compare("Which pump has a warranty?", [long], retriever)
    assert len(retriever.compared) == min(sentences, EMBEDDED) + len(BACKGROUND)


def test_more_sentences_go_to_the_embedder_only_where_the_first_do_not_do() -> None:
    others = " ".join(f"Machine number {n} stands in the hall of the yard." for n in range(30))
    long = passage(f"The warranty of the pump runs for 36 months. {others}")
    sure, unsure = Alike(0.6, background=0.0), Alike(0.0)
    found = measure_evidence("How long does the warranty of the pump run?", [long], sure)
    doubted = measure_evidence("How long may a boat stay at the jetty in winter?", [long], unsure)
    assert (found.outcome, len(sure.compared)) == ("found", EMBEDDED + len(BACKGROUND))
    assert doubted.outcome != "found"
    assert len(unsure.compared) == len({*unsure.compared}) == MOST_EMBEDDED + len(BACKGROUND)


def test_the_sentence_with_the_words_is_among_the_few_that_are_embedded() -> None:
    others = " ".join(f"Machine number {n} stands in the hall of the yard." for n in range(30))
    retriever = Alike(0.2)
    measure_evidence("Which pump has a warranty?", [passage(f"{others} The pump P-20 has a warranty.")], retriever)
    assert any("The pump P-20" in text for text in retriever.compared)


def test_more_sentences_are_embedded_in_another_language() -> None:
    english = passage(" ".join(f"The machine number {n} stands in the hall of the yard." for n in range(40)))
    retriever = Alike(0.2)
    compare("Wo steht die Maschine, die wir für die Werkstatt gekauft haben?", [english], retriever)
    assert len(retriever.compared) == EMBEDDED_ELSEWHERE + len(BACKGROUND)


def test_the_same_text_in_two_files_is_shown_once() -> None:
    copy = passage(PUMP.text, "copy.txt")
    found = measure_evidence("How long does the warranty of the pump run?", [PUMP, copy], Alike(0.6, 0.0))
    texts = [one.text for one in found.sentences]
    assert len(texts) == len(set(texts))


def test_a_further_sentence_is_shown_only_with_much_of_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    known = weights_for(0.0)
    monkeypatch.setattr(abstention, "weights_for", lambda zero: dataclasses.replace(known, mass=0.99999))
    best = passage("The joiners have 30 days of holiday in a year.", "holiday.docx")
    near = passage("Holiday of the joiners: five days are kept for winter.", "winter.docx")
    far = passage("The rest is paid ten days after fitting. Oil is in the shed.", "offer.pdf")
    asked = "How many days of holiday do the joiners have?"
    evidence = measure_evidence(asked, [best, near, far], Alike(0.8, 0.0, (best, near, far)))
    assert evidence.outcome == "found"
    shown = [one.passage.path for one in evidence.sentences if one.shown]
    assert shown[0] == best.path
    assert near.path in shown
    assert far.path not in shown
    assert far.path in [one.passage.path for one in evidence.sentences[: len(shown) + 1]]


def test_a_further_sentence_is_shown_only_with_a_value_as_the_best_has(monkeypatch: pytest.MonkeyPatch) -> None:
    known = weights_for(0.0)
    monkeypatch.setattr(abstention, "weights_for", lambda zero: dataclasses.replace(known, mass=0.99999))
    best = passage("The joiners have 30 days of holiday in a year. They are taken in summer.", "holiday.docx")
    near = passage("Days of holiday of the joiners are written into the list. Ask Ruth for more.", "list.docx")
    asked = "How many days of holiday do the joiners have?"
    evidence = measure_evidence(asked, [best, near], Alike(0.8, 0.0, (best, near)))
    assert [one.passage.path for one in evidence.sentences if one.shown] == [best.path]
    without = measure_evidence("Which holiday do the joiners have?", [best, near], Alike(0.8, 0.0, (best, near)))
    assert near.path in [one.passage.path for one in without.sentences if one.shown]


@pytest.mark.parametrize(
    ("path", "above", "reasons"),
    [
        ("a.eml", "The club night moves to Friday.", ["This comes from an earlier email that a newer one quotes."]),
        ("a.eml", "The entry fee of the club night is 9 euros now.", []),
        ("a.md", "The club night moves to Friday.", []),
    ],
)
def test_what_only_an_earlier_mail_says_is_marked(path: str, above: str, reasons: list[str]) -> None:
    text = (
        f"{above}\nOn 3 May Ute wrote:\n> The entry fee of the club night is 8 euros for everybody.\n> See you there."
    )
    found = passage(text, path)
    evidence = measure_evidence("How much is the entry fee of the club night?", [found], Alike(0.8, 0.0, (found,)))
    assert [str(one.text) for one in evidence.reasons] == reasons


def test_a_sentence_that_refers_to_the_one_before_is_shown_with_it() -> None:
    text = "The pump of the harbour was bought in 2019. It has a warranty of 36 months. Oil is in the shed."
    found = passage(text)
    evidence = measure_evidence("How long is the warranty of the pump?", [found], Alike(0.6, 0.0, (found,)))
    quoted = next(one for one in evidence.sentences if "36 months" in one.text)
    assert quoted.text == "The pump of the harbour was bought in 2019. It has a warranty of 36 months."
    assert found.text[quoted.start : quoted.end] == quoted.text


@pytest.mark.parametrize("zero", [0.05, 0.78])
def test_both_families_of_embedders_have_weights(zero: float) -> None:
    weights = weights_for(zero)
    assert weights.choice.shape == (len(NAMES),)
    for bounds in (weights.same, weights.other, *weights.prose.values()):
        assert 0 < bounds.shown <= bounds.found < 1
        assert set(bounds.marks) <= set(MARKS)
    assert weights.bounds("de", other=False, prose=True) == weights.prose["de"]
    assert weights.bounds("fr", other=False, prose=True) == weights.prose[""]
    assert weights.bounds("de", other=True, prose=True) == weights.other


def test_a_mark_counts_where_it_is_evidence() -> None:
    question = "Who bought the pump of the harbour?"
    bought = passage("The pump of the harbour was bought in the spring. The pump of the harbour runs well.")
    compared = compare(question, [bought], Alike(0.6, 0.0, (bought,)))
    choice = choose(compared, weights_for(0.0).choice, 0.8)
    assert marks_of(question, compared, choice, [], ["1588"]) == ("figures", "value")
    doubted = partial(reasons_to_doubt, question, compared, choice, probable=True, names=[], figures=["1588"])
    assert doubted(()) == ()
    assert [one.text for one in doubted(("value",))] == ["The passages have what you ask about, but tell no person."]
    assert [one.text for one in doubted(("figures",))] == ["1588 is in none of these passages."]


@pytest.mark.parametrize(
    ("question", "kind", "asked"),
    [
        ("When is the deposit due?", "date", True),
        ("How early do I have to tell the office?", "duration", True),
        ("Combien de nuits peut-on rester ?", "duration", True),
        ("wie lang darf man ein leeres zimmer haben", "duration", True),
        ("Wie lang ist das Kabel?", "duration", False),
        ("Welche Nummer hat die Versicherungspolice vom Kastenwagen?", "contact", True),
        ("Where do we gather when there is a fire?", "date", False),
        ("Wann ist Probe?", "date", True),
        ("How often is the filter changed?", "frequency", True),
        ("Kosten für den zweiten Anstrich?", "money", True),
        ("phone number of the caretaker", "contact", True),
        ("Wer hat den Schrank verschrammt?", "person", True),
        ("What do we pay the person who is on duty?", "person", False),
    ],
)
def test_what_a_question_asks_for(question: str, kind: AnswerType, asked: bool) -> None:
    assert (kind in asked_types(question)) == asked


@pytest.mark.parametrize(
    ("text", "kind", "question", "held"),
    [
        ("Vest and shoes behind the yellow line.", "colour", "What colour are vests behind the yellow line?", False),
        ("The vests are orange behind the yellow line.", "colour", "What colour are vests behind the line?", True),
        ("The cupboard is locked, key with Knut.", "person", "Who has the key?", True),
        ("Der Schrank kam mit einer Schramme an.", "person", "Wer war das?", False),
        ("Die Leitung hat Frau Brandis.", "person", "Wer leitet das?", True),
        ("Gisela Faber wird für zwei Jahre wiedergewählt.", "age", "Wie alt ist Gisela Faber?", False),
        ("Gisela Faber ist 61 Jahre alt.", "age", "Wie alt ist Gisela Faber?", True),
        ("It is renewed every summer.", "duration", "How long does it take?", False),
        ("The fee is 40 ct for each copy.", "money", "How much is the fee?", True),
        ("The fee is 12.50 for each copy.", "money", "How much is the fee?", True),
        ("Payable by transfer: 1,234.50.", "money", "How much is the fee?", True),
        ("Open 9.30-18.00, on Fridays from 8.15 to 14.45.", "money", "How much is the fee?", False),
        ("Treffen um 18.30 oder 19.15 Uhr.", "money", "Was kostet das Treffen?", False),
        ("The board is 2.50 m long, delivered on 12.03.2025.", "money", "What does the board cost?", False),
        ("Write to knut@averbeck.example.", "contact", "What is Knut's phone number?", False),
        ("The offer of 2025-09-18 is for EUR 84,600.00.", "contact", "What is the telephone number?", False),
        ("Knut: 0231 / 55 12-0", "contact", "What is Knut's phone number?", True),
        ("Knut is at +49 231 5512.", "contact", "What is Knut's e-mail?", False),
        ("Shares are repaid at the end of the financial year after that.", "date", "When are shares repaid?", True),
        ("You can object within twelve months of receipt.", "date", "By when can I object?", True),
        ("It must be reported three weeks before.", "date", "When must it be reported?", True),
        ("Die Kaution wird nach Auszug gezahlt.", "date", "Wann wird die Kaution gezahlt?", True),
        ("Payable à la fin du mois.", "date", "Quand faut-il payer ?", True),
        ("Se paga a la entrega del pedido.", "date", "¿Cuándo se paga?", True),
        ("The lift stops in the middle of the wall.", "date", "When does the lift stop?", False),
        ("Höchstens 10 Nächte am Stück.", "duration", "Wie lange darf man bleiben?", True),
        ("Write to knut@averbeck.example.", "contact", "What is Knut's e-mail?", True),
    ],
)
def test_a_value_counts_that_the_question_does_not_have(text: str, kind: AnswerType, question: str, held: bool) -> None:
    assert holds_type(text, kind, question) == held


PARTS = """article: B-I | name: Impeller for Gannet 300 | price_eur: 27.90
article: B-S | name: Seal for Gannet 300 | price_eur: 38.50
article: C | name: Controller | price_eur: 149.00 | remarks: for Gannet 300 and 450"""
PUMPS = f"{PARTS}\narticle: G | name: Gannet 300 submersible pump | price_eur: 289.00"


def test_a_row_of_another_thing_for_the_one_that_is_asked_for_is_not_shown_in_its_place() -> None:
    whole = passage(PUMPS, "prices.csv")
    found = measure_evidence("What does the Gannet 300 cost?", [whole], Alike(0.6, 0.0, (whole,)))
    assert [one.text.split(" | ")[0] for one in found.sentences if one.shown] == ["article: G"]
    parts = passage(PARTS, "prices.csv")
    found = measure_evidence("What does the Gannet 300 cost?", [parts], Alike(0.6, 0.0, (parts,)))
    assert found.outcome != "found"
    assert any("belongs to Gannet 300" in reason.text for reason in found.reasons)
    found = measure_evidence("What does the seal for the Gannet 300 cost?", [whole], Alike(0.6, 0.0, (whole,)))
    assert found.sentence.startswith("article: B-S")
    assert not any(reason.kind == "table" for reason in found.reasons)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What is the price of the Gannet 300?", ("Gannet 300",)),
        ("Was kostet die Gannet 300?", ("Gannet 300",)),
        ("What does the seal for the Gannet 300 cost?", ()),
        ("Which controller fits the Gannet 300?", ()),
        ("Was zahlen Kinder?", ()),
    ],
)
def test_the_name_whose_value_is_asked_for(question: str, names: tuple[str, ...]) -> None:
    assert asked_names(question) == names


@pytest.mark.parametrize(
    ("row", "question", "behind"),
    [
        ("Rent of Flat 3 | 780", "How much is Flat 3?", ""),
        ("Salary of Anna Berg | 3,000", "What does Anna Berg earn?", ""),
        ("Hire of the Hall | 100", "How much is the Hall?", ""),
        ("Leihgebühr für E-Bike | 20", "Was kostet ein E-Bike?", ""),
        ("Arbeitsbeginn von Anna Berg | 1.3.2020", "Wann hat Anna Berg angefangen?", ""),
        ("Deposit for Flat 3 | 1,500", "How much is Flat 3?", "Flat 3"),
        ("Versandkosten für E-Bike | 20", "Was kostet ein E-Bike?", "E-Bike"),
    ],
)
def test_a_row_that_calls_the_value_itself_is_of_no_other_thing(row: str, question: str, behind: str) -> None:
    language = "de" if question.startswith("Wa") else "en"
    assert name_behind(row, question, asked_names(question), Vocabulary(language)) == behind


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("Was verdient Corinna Pohl im Monat?", True),
        ("What does the nurse earn?", True),
        ("Combien gagne Marie ?", True),
        ("What is the salary of Anna?", True),
        ("What is included in the rent?", False),
        ("Who pays the deposit?", False),
        ("When must the rent be paid?", False),
        ("How do I pay?", False),
        ("How much rent does she pay?", True),
        ("Wie viel kostet das?", True),
        ("Combien coûte la chambre ?", True),
        ("How much time do I have to pay?", False),
        ("Wie viel Urlaub bekomme ich bezahlt?", False),
        ("Combien de personnes paient le tarif réduit ?", False),
        ("¿Cuánto tiempo tengo para pagar?", False),
        ("What costs the most?", False),
        ("Was kostet am meisten?", False),
        ("Was kostet 80 Euro?", False),
        ("Was kosten 3 Karten zum vollen Preis?", True),
        ("What is the cost centre of the workshop?", False),
        ("listenpreis der gitarre G-10?", True),
        ("hourly rate for a technician these days", True),
        ("price list of the bakery", False),
        ("Bezahlt die Gebühr der Verein?", False),
    ],
)
def test_questions_for_an_amount_of_money(question: str, asks: bool) -> None:
    assert asks_amount(question) == asks


def test_an_amount_that_is_asked_for_and_not_told_is_a_doubt() -> None:
    back = passage("Nurse Corinna Pohl came back from parental leave in September.", "team.txt")
    found = measure_evidence("What does Corinna Pohl earn?", [back], Alike(0.6, 0.0, (back,)))
    assert found.outcome != "found"
    assert any("no amount of money" in reason.text for reason in found.reasons)
    paid = passage("Nurse Corinna Pohl is paid 3,100 euros a month.", "team.txt")
    found = measure_evidence("What does Corinna Pohl earn?", [paid], Alike(0.6, 0.0, (paid,)))
    assert not any("no amount of money" in reason.text for reason in found.reasons)
    assert tells_amount("Rent: 780 | Flat: 3", "What is the rent?")
    assert tells_amount("There is no fee for members.", "What is the fee?")
    assert not tells_amount("Flat: 3 | Floor: 2", "What is the rent?")


@pytest.mark.parametrize(
    ("text", "question", "tells"),
    [
        ("Die Lieferung ist kostenfrei.", "Was kostet die Lieferung?", True),
        ("Der Eintritt ist frei.", "Was kostet der Eintritt?", True),
        ("Das Frühstück ist im Preis enthalten.", "Was kostet das Frühstück?", True),
        ("Le petit-déjeuner est compris.", "Combien coûte le petit-déjeuner ?", True),
        ("Heating is included.", "What does heating cost?", True),
        ("Heating is not included.", "What does heating cost?", False),
        ("No. 4 is red.", "What does it cost?", False),
        ("Das Zimmer ist frei.", "Was kostet das Zimmer?", False),
    ],
)
def test_a_text_tells_that_nothing_is_to_be_paid(text: str, question: str, tells: bool) -> None:
    assert tells_amount(text, question) == tells


def test_the_first_row_below_the_head_of_a_table_in_markdown_is_no_head() -> None:
    text = """## 5. When something is wrong

| What you see | Likely cause | What to do |
|---|---|---|
| The pump hums but gives no water | Impeller blocked | Free the impeller |
| Little water | Strainer clogged | Clean the strainer |"""
    (units,) = split_units([passage(text, "manual.md")])
    assert [unit.kind for unit in units] == ["heading", "head", "head", "row", "row"]
    assert [unit.lead for unit in units[3:]] == [1, 1]
    found = measure_evidence("The pump hums but gives no water", [units[0].passage], Alike(0.6, 0.0))
    assert "Impeller blocked" in found.sentence
