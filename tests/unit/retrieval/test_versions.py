from __future__ import annotations

import numpy as np
import pytest

from tests.fakes import passage
from workbench.techniques.retrieval.search import prefer_versions
from workbench.techniques.retrieval.versions import (
    Versions,
    describe_version,
    find_valid_from,
    find_versions,
    versions_among,
)


def families(*documents: str | tuple[str, str, str]) -> list[list[str]]:
    """The families among documents of these names, each from its oldest to its newest."""
    described = [one if isinstance(one, tuple) else (f"/{one}", "", "") for one in documents]
    versions = find_versions(described)
    newest = {versions.newest(path) for path, _, _ in described} - {""}
    return [
        [*sorted(path[1:] for path, _, _ in described if versions.newest(path) == last), last[1:]]
        for last in sorted(newest)
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("Boat rules 2022.docx", "Boat rules 2025-03-15.docx"),
        ("Terms v4.docx", "Terms v5.docx"),
        ("Manual rev 6.pdf", "Manual rev 7.pdf"),
        ("Lagerordnung alt.odt", "Lagerordnung.docx"),
        ("beitraege_2023.txt", "Beiträge 2025.xlsx"),
        ("prices 1. März 2021.txt", "prices 2022-01.txt", "prices_2023.txt"),
        ("eintritt_2022.txt", "Eintritt und Gebühren 2025.odt"),
        ("stock_2025-10-31.csv", "stock_2025-11-30.csv"),
    ],
)
def test_versions_are_known_by_their_names(names: tuple[str, ...]) -> None:
    assert families(*reversed(names)) == [list(names)]


@pytest.mark.parametrize(
    "names",
    [
        ("Minutes 2024.docx", "Minutes 2025.docx"),
        ("Invoice 2025-001.pdf", "Invoice 2025-002.pdf"),
        ("Contract Smith 2023.docx", "Contract Jones 2025.docx"),
        ("Budget 2024.xlsx", "Summer party, who brings what 2025.docx"),
        ("Terms 2025.docx", "Terms 2025.pdf"),
        ("2024.xlsx", "2025.xlsx"),
        ("Rules.docx", "Rules.pdf"),
    ],
)
def test_other_documents_are_no_versions(names: tuple[str, ...]) -> None:
    assert families(*names) == []


def test_titles_that_say_a_version_make_one_as_well() -> None:
    assert families(("/scan1.pdf", "Boat rules 2022", ""), ("/scan2.pdf", "Boat rules 2025", "")) == [
        ["scan1.pdf", "scan2.pdf"]
    ]
    assert families(("/Smith 2022.pdf", "Lease contract", ""), ("/Jones 2025.pdf", "Lease contract", "")) == []


def test_the_date_of_the_text_comes_before_that_of_the_name() -> None:
    assert families(("/Fees 2025.docx", "", "2026-01-01"), ("/Fees 2025-11 v2.docx", "", "2025-12-01")) == [
        ["Fees 2025-11 v2.docx", "Fees 2025.docx"]
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Terms\n\nValid from 1 January 2026. All amounts net.", "2026-01-01"),
        ("Lagerordnung\nStand: 1. März 2021", "2021-03-01"),
        ("Gültig ab 01.02.2025, beschlossen am 3.1.2025", "2025-02-01"),
        ("Version of May 2, 2023", "2023-05-02"),
        ("Règlement en vigueur à partir du 3 février 2024", "2024-02-03"),
        ("Normas vigentes desde el 4 de marzo de 2025", "2025-03-04"),
        ("In force since 2022", "2022"),
        ("The founding was in 1994. The stand was built of oak in 2019.", ""),
        ("x" * 2_000 + "Valid from 2026", ""),
        ("", ""),
    ],
)
def test_a_text_says_from_when_it_is_valid(text: str, expected: str) -> None:
    assert find_valid_from(text) == expected


def test_a_version_has_a_date_a_number_and_a_mark() -> None:
    version = describe_version("/a/Terms of trade v5.1 from 2025-07-01 (old).docx", "Terms", "")
    assert (version.date, version.number, version.old) == ("2025-07-01", (5, 1), True)
    assert version.words == {"terms", "trade"}


RULES = find_versions([(f"/{name}", "", "") for name in ("Rules 2019 v1", "Rules 2022 v2", "Rules 2025 v3", "Other")])


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What does a guest pay?", "/Rules 2025 v3"),
        ("What does a guest pay now, in 2026?", "/Rules 2025 v3"),
        ("What did a guest pay in 2022?", "/Rules 2022 v2"),
        ("What did a guest pay in 2023?", "/Rules 2022 v2"),
        ("What does version 1 say of guests?", "/Rules 2019 v1"),
        ("Was zahlte ein Gast früher?", ""),
        ("How much more does a guest pay now than in 2022?", ""),
        ("What has changed from version 1 to version 2?", ""),
        ("What differs between 2019 and 2025?", ""),
        ("What did guests pay under the old rules?", ""),
    ],
)
def test_a_question_gets_the_version_that_it_asks_for(question: str, expected: str) -> None:
    assert RULES.preferred("/Rules 2022 v2", question) == expected
    assert RULES.preferred("/Other", question) == ""
    assert RULES.newest("/Rules 2022 v2") == "/Rules 2025 v3"
    assert RULES.newest("/Rules 2025 v3") == ""


def test_the_version_that_is_asked_for_takes_the_place_of_the_others() -> None:
    paths = ["/Rules 2022 v2", "/Rules 2022 v2", "/Rules 2025 v3", "/Rules 2025 v3", "/Other"]
    scores = np.array([0.9, 0.4, 0.6, 0.3, 0.7])
    newest = prefer_versions(scores, paths, RULES, "What does a guest pay?")
    assert newest[2] == pytest.approx(0.9)
    assert list(np.argsort(-newest)) == [2, 0, 4, 3, 1]
    older = prefer_versions(scores, paths, RULES, "What did a guest pay in 2022?")
    assert list(np.argsort(-older)) == [0, 4, 2, 1, 3]
    unrelated = np.array([0.9, 0.4, 0.1, 0.0, 0.7])
    assert list(prefer_versions(unrelated, paths, RULES, "What does a guest pay?")) == list(unrelated)
    assert list(prefer_versions(scores, paths, Versions(), "x")) == list(scores)


def test_a_date_within_a_year_is_before_a_version_of_that_year() -> None:
    old, new = "/Terms v4 (2023).docx", "/Terms v5 from 2025-07-01.docx"
    terms = find_versions([(old, "", ""), (new, "", "")])
    assert terms.preferred(old, "A customer signed in May 2025. What applies?") == old
    assert terms.preferred(old, "Signed on 2 July 2025, what applies?") == new
    assert terms.preferred(old, "What applied in 2025?") == new


def test_versions_among_hits_are_told_by_their_names() -> None:
    hits = [passage("A", "Rules 2022.txt"), passage("B", "Rules 2025.txt"), passage("C", "Minutes 2024.txt")]
    assert versions_among("What does a guest pay?", hits) == ({"Rules 2022.txt"}, {"Rules 2025.txt"})
    assert versions_among("What did a guest pay in 2023?", hits) == ({"Rules 2025.txt"}, {"Rules 2022.txt"})
    assert versions_among("What does a guest pay?", hits[1:]) == (set(), set())
