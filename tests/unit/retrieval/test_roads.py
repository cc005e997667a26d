"""Roads: the cues of a request, the classifier that is shipped, and what becomes of an unsure one."""

from __future__ import annotations

import pytest

from workbench.records.outcomes import Road
from workbench.records.roads import ROADS
from workbench.techniques.retrieval.roads.classifier import FILE, FITTED, likelihoods
from workbench.techniques.retrieval.roads.cues import CUES, NAMES, cues_of, fold, is_of_conversation
from workbench.techniques.retrieval.roads.route import SURE, decide


def test_the_shipped_weights_are_of_these_cues_and_roads() -> None:
    fitted = FITTED.load(FILE)
    assert getattr(fitted, "cues", None) == NAMES
    assert set(getattr(fitted, "roads", ())) == set(ROADS) == set(SURE)
    assert [one.embedder for one in getattr(fitted, "models", ())] == ["", "all-MiniLM-L6-v2", "multilingual-e5-small"]
    assert FILE.stat().st_size < 100_000


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


def test_what_is_unsure_goes_the_way_of_one_place() -> None:
    found: dict[Road, float] = {"whole": 0.5, "place": 0.4, "chat": 0.1}
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
    assert len(cues_of("How many?")) == len(NAMES)
    assert cues_of("How many?")[list(CUES).index("how_many")] == 1
    assert is_of_conversation("Danke dir!")
    assert not is_of_conversation("When does it open?")
