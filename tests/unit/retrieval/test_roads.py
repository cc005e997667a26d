"""Roads: the cues of a request, the classifier that is shipped, and what becomes of an unsure one."""

from __future__ import annotations

import math
import zlib

import pytest

from workbench.records.outcomes import Road
from workbench.records.roads import ROADS
from workbench.techniques.retrieval.roads.classifier import FILE, FITTED, likelihoods, pairs_of, with_tables
from workbench.techniques.retrieval.roads.cues import cues_of, fold, is_of_conversation, names, patterns
from workbench.techniques.retrieval.roads.grams import ROWS, form_grams_of, form_of, grams_of
from workbench.techniques.retrieval.roads.route import SURE, decide


def test_the_shipped_weights_are_of_these_cues_and_roads() -> None:
    fitted = FITTED.load(FILE)
    assert getattr(fitted, "cues", None) == names()
    assert set(getattr(fitted, "roads", ())) == set(ROADS) == set(SURE)
    assert [one.embedder for one in getattr(fitted, "models", ())] == ["", "all-MiniLM-L6-v2", "multilingual-e5-small"]
    assert [one.languages for one in getattr(fitted, "models", ())] == [(), ("en",), ()]
    assert FILE.stat().st_size < 600_000


@pytest.mark.parametrize(
    ("text", "road"),
    [
        ("Summarise this document.", "whole"),
        ("Fass das Protokoll zusammen", "whole"),
        ("Résume ce document", "whole"),
        ("Compare the two offers", "compare"),
        ("Vergleiche die beiden Angebote", "compare"),
        ("How many invoices are still unpaid?", "table"),
        ("¿Cuántas facturas están sin pagar?", "table"),
        ("When does the museum open?", "place"),
        ("Wie lange ist der Gutschein gültig?", "place"),
        ("look in my mails instead", "other"),
        ("shorter please", "chat"),
        ("plus court s'il te plaît", "chat"),
    ],
)
def test_plain_requests_take_their_road_without_a_vector(text: str, road: Road) -> None:
    found = likelihoods(text)
    assert sum(found.values()) == pytest.approx(1)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert decide(text, found, begun=True, others=True) == road


def test_a_vector_of_an_unknown_model_counts_as_none() -> None:
    text = "When does the museum open?"
    assert likelihoods(text, [0.1] * 384, "another model") == likelihoods(text)
    known = FITTED.load(FILE)
    fingerprint = getattr(known, "models", ())[2].fingerprint
    assert likelihoods(text, [0.05] * 384, fingerprint) != likelihoods(text)
    assert likelihoods(text, [0.05] * 12, fingerprint).keys() == ROADS.keys(), "a vector of another size is left out"


def test_a_model_that_knows_english_alone_is_not_asked_about_other_languages() -> None:
    english, german = "When does the museum open?", "Wann öffnet das Museum und was kostet der Eintritt?"
    known = getattr(FITTED.load(FILE), "models", ())[1]
    assert known.embedder == "all-MiniLM-L6-v2"
    assert likelihoods(english, [0.05] * 384, known.fingerprint) != likelihoods(english)
    assert likelihoods(german, [0.05] * 384, known.fingerprint) == likelihoods(german)


def test_pieces_of_a_text_are_the_same_in_every_process() -> None:
    found = grams_of("Wo?")
    assert grams_of("wo ?") == found
    assert sorted(row >= ROWS for row in found) == [False] * 9 + [True] * 3, "parts of words; wo, ?, and both"
    for first, last in ((0, ROWS), (ROWS, 2 * ROWS)):
        assert math.fsum(share**2 for row, share in found.items() if first <= row < last) == pytest.approx(1)
    assert grams_of("") == {}
    assert grams_of("a" * 1_000_000) == grams_of("a" * 400), "a pasted text is read to its 400th letter"


def test_a_form_keeps_the_words_that_tell_what_is_asked() -> None:
    known = {"is", "the", "cheaper", "than", "one", "?"}
    form = form_of("Is the Allianz quote cheaper than the AXA one?", known)
    assert form == ["^", "is", "the", "_", "cheaper", "than", "the", "_", "one", "?", "$"]
    assert form_of("is the roofer's cheaper than the plumber's one?", known) == form, "another subject, the same form"
    assert form_of("1988", known) == ["^", "0", "$"]
    assert form_of("", known) == ["^", "$"]


def test_pieces_of_a_form_are_words_in_a_row_and_words_apart() -> None:
    known = {"cheaper", "than"}
    found = form_grams_of("cheaper than mine", known)
    in_a_row = ["^ cheaper", "cheaper than", "than _", "_ $", "^ cheaper than", "cheaper than _", "than _ $"]
    in_a_row += ["^ cheaper than _", "cheaper than _ $"]
    apart = ["^ .. than", "cheaper .. $", "than .. $", "^ .. $"]
    rows = {zlib.crc32(piece.encode()) % ROWS for piece in in_a_row + apart}
    assert found.keys() == rows
    assert math.fsum(share**2 for share in found.values()) == pytest.approx(1)
    assert form_grams_of("Cheaper than yours", known) == found


def test_a_question_of_several_parts_compares_only_where_it_says_so() -> None:
    found: dict[Road, float] = {"compare": 0.7, "places": 0.3}
    asked = "Guests in 2025: what had we aimed at, and what did we get?"
    assert decide(asked, found, begun=True, others=False) == "places"
    asked = "What has changed in the lease, and what is the same?"
    assert decide(asked, found, begun=True, others=False) == "compare"
    assert decide("The lease of 2019 and the one of 2025", found, begun=True, others=False) == "compare"


def test_pairs_of_cues_are_numbered() -> None:
    assert pairs_of([1, 1, 1]) == [0, 1, 2]
    assert pairs_of([0, 1, 0, 1]) == [4]
    assert pairs_of([0, 0, 1]) == []
    every = pairs_of([1.0] * len(names()))
    assert sorted(every) == list(range(len(names()) * (len(names()) - 1) // 2))


def test_the_shipped_words_of_forms_are_of_four_languages() -> None:
    words = getattr(FITTED.load(FILE), "words", ())
    assert {"what", "der", "les", "cuanto", "?"} <= set(words)
    assert list(words) == sorted(set(words))
    assert words == tuple(fold(word) for word in words)


def test_the_tables_of_a_collection_say_whether_a_request_is_one_for_them() -> None:
    found: dict[Road, float] = {"place": 0.6, "table": 0.3, "places": 0.1}
    answered, unsure, none = with_tables(found, 0.9), with_tables(found, 0.1), with_tables(found, None)
    for shares in (answered, unsure, none):
        assert sum(shares.values()) == pytest.approx(1)
        assert shares["place"] == pytest.approx(6 * shares["places"]), "the others keep their order and their ratio"
    assert decide("how much", answered, begun=False, others=False) == "table"
    assert decide("how much", unsure, begun=False, others=False) == "place"
    assert answered["table"] > unsure["table"] > none["table"]
    certain: dict[Road, float] = {"table": 1.0, "place": 0.0}
    assert 0 < with_tables(certain, None)["table"] < 1


def test_what_is_unsure_goes_the_way_of_one_place() -> None:
    found: dict[Road, float] = {"whole": 0.42, "place": 0.38, "chat": 0.2}
    assert decide("the whole thing", found, begun=True, others=True) == "place"
    assert decide("the whole thing", {**found, "whole": 0.8}, begun=True, others=True) == "whole"


def test_a_road_that_leads_nowhere_is_not_taken() -> None:
    elsewhere: dict[Road, float] = {"other": 0.9, "place": 0.1}
    assert decide("look in my mails", elsewhere, begun=True, others=True) == "other"
    assert decide("look in my mails", elsewhere, begun=True, others=False) == "place"
    talk: dict[Road, float] = {"chat": 0.9, "place": 0.1}
    assert decide("shorter please", talk, begun=True, others=False) == "chat"
    assert decide("shorter please", talk, begun=False, others=False) == "place", "there is no answer to shorten"
    assert decide("who are you", talk, begun=False, others=False) == "chat"


def test_texts_are_folded() -> None:
    assert fold("  Où  est l’Été 2024? ") == "ubi est l'ete 0000?"
    assert len(cues_of("How many?")) == len(names())
    assert cues_of("How many?")[list(patterns()).index("how_many")] == 1
    assert is_of_conversation("Danke dir!")
    assert not is_of_conversation("When does it open?")


@pytest.mark.parametrize(
    ("text", "road"),
    [("And its warranty?", "place"), ("Und für Hunde?", "place"), ("And in German?", "chat"), ("And shorter?", "chat")],
)
def test_question_that_goes_on_with_another_subject_is_looked_up(text: str, road: str) -> None:
    assert decide(text, {"chat": 0.95, "place": 0.05}, begun=True, others=False) == road
