"""Which documents requests in four languages mean."""

from __future__ import annotations

import pytest

from tests.fakes import passage
from workbench.records.documents import Document
from workbench.techniques.retrieval.document_choice import choose_pair, means_everything, rank_documents

NAMES = {
    "Subcontract Veldstra 2025.docx": "Haulage Subcontract",
    "Minutes committee 2025-05-13.docx": "Minutes of the committee",
    "Minutes committee 2024 collected.docx": "Minutes of the committee, 2024",
    "Merkblatt Gefahrgut.pdf": "Merkblatt Gefahrgut",
    "Lagerordnung 2021 alt.odt": "Lagerordnung",
    "Lagerordnung 2025-09.docx": "Lagerordnung",
    "Compte rendu septembre 2025.odt": "Compte rendu du séjour",
    "Contrato Valdemora 2026.pdf": "Contrato Valdemora 2026",
    "Offer Zenitron ZT-25.pdf": "Offer Zenitron",
    "Lumivault quotation 4417.pdf": "Lumivault quotation",
    "dome motor.eml": "Re: dome motor, third time",
}  # fmt: skip
DOCUMENTS = [
    ("papers", Document(id=name, path=f"/documents/{name}", title=title, kind=name.rpartition(".")[2], state="indexed"))
    for name, title in NAMES.items()
]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ("Sum up the agreement with Veldstra for me", "Subcontract Veldstra 2025.docx"),
        ("a summary of the committee meeting of 13 May", "Minutes committee 2025-05-13.docx"),
        ("Worum geht es im Merkblat zum Gefahrgut?", "Merkblatt Gefahrgut.pdf"),
        ("De quoi parle le compte-rendu de septembre ?", "Compte rendu septembre 2025.odt"),
        ("Resúmeme el contrato con Valdemora.", "Contrato Valdemora 2026.pdf"),
        ("Fasse das Angebot von Lumivault zusammen", "Lumivault quotation 4417.pdf"),
        ("sum up the email thread about the dome", "dome motor.eml"),
    ],
)
def test_document_is_named_loosely(request_: str, name: str) -> None:
    best = rank_documents(request_, DOCUMENTS, ())[0]
    assert best.document.id == name


def test_hits_decide_where_the_request_names_nothing() -> None:
    hits = [passage("dangerous goods", "Merkblatt Gefahrgut.pdf")]
    best = rank_documents("list the classes that may be stored", DOCUMENTS, hits)[0]
    assert (best.document.id, best.named) == ("Merkblatt Gefahrgut.pdf", 0.0)


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ("Was hat sich in der Lagerordnung geändert?", {"Lagerordnung 2021 alt.odt", "Lagerordnung 2025-09.docx"}),
        (
            "Vergleiche die Angebote von Zenitron und Lumivault!",
            {"Offer Zenitron ZT-25.pdf", "Lumivault quotation 4417.pdf"},
        ),
    ],
)  # fmt: skip
def test_pair_is_two_versions_or_two_names(request_: str, names: set[str]) -> None:
    pair = choose_pair(rank_documents(request_, DOCUMENTS, ()))
    assert pair is not None
    assert {one.document.id for one in pair} == names


def test_no_pair_where_one_document_is_meant() -> None:
    assert choose_pair(rank_documents("compare the three offers of the shipping lines", DOCUMENTS[3:4], ())) is None


def test_unreadable_documents_are_never_meant() -> None:
    failed = Document(id="x", path="/documents/Veldstra.docx", title="Veldstra", kind="docx", state="failed")
    assert rank_documents("the Veldstra agreement", [("papers", failed)], ()) == []


@pytest.mark.parametrize(
    ("request_", "everything"),
    [
        ("What are all these documents about?", True),
        ("Worum geht es in allen meinen Dokumenten?", True),
        ("What is each document about?", True),
        ("Was steht in diesen Unterlagen?", True),
        ("Résume tous les documents", True),
        ("de quoi parlent ces fichiers ?", True),
        ("¿De qué trata cada documento?", True),
        ("Was steht in diesem Dokument?", False),
        ("Worum geht es in diesen Text?", False),
        ("resume todos los documentos", True),
        ("summarise the document about the dome", False),
    ],
)
def test_all_documents(request_: str, everything: bool) -> None:
    assert means_everything(request_) is everything
