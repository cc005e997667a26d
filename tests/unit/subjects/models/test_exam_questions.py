"""The exam's own questions and the grading of answers."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from workbench.records.exam import KINDS, UNANSWERABLE, Ends, ExamRates, Rate, describe_office
from workbench.subjects.evaluation.accepted import names
from workbench.subjects.evaluation.exam import (
    FOLDER,
    OFFICE_FOLDER,
    OfficeQuestion,
    Outcome,
    Question,
    holds,
    load_questions,
    summarise,
)
from workbench.techniques.retrieval.confidence import fit_shift, shifted
from workbench.text.sentences import split_sentences


def test_questions_are_answered_by_few_sentences_of_their_document() -> None:
    questions = [one for one in load_questions() if isinstance(one, Question)]
    assert len({one.id for one in questions}) == len(questions) >= 60
    counts = Counter((one.language, bool(one.answers)) for one in questions)
    assert min(counts[language, True] for language in ("en", "de")) >= 30
    assert min(counts[language, False] for language in ("en", "de")) >= 15
    for one in (one for one in questions if one.answers):
        text = (FOLDER / f"{one.document}.txt").read_text("utf-8")
        holding = [text[start:end] for start, end in split_sentences(text) if holds(text[start:end], one.answers)]
        assert len(holding) in (1, 2), one.id


def test_the_documents_of_the_office_hold_what_its_questions_accept() -> None:
    questions = [one for one in load_questions() if isinstance(one, OfficeQuestion)]
    assert len({one.id for one in questions}) == len(questions) >= 60
    counts = Counter(one.kind for one in questions)
    assert set(counts) == set(KINDS)
    assert 0.3 < counts[UNANSWERABLE] / len(questions) < 0.4
    texts = {path.name: path.read_text("utf-8") for path in (FOLDER / OFFICE_FOLDER).iterdir()}
    asked_of = {source for one in questions for source in one.sources}
    assert asked_of == set(texts)
    for one in questions:
        assert one.answerable == bool(one.answers or one.need) == bool(one.sources), one.id
        held = [part for source in one.sources for part in parts_of(source, texts[source])]
        groups = one.need or ((one.answers,) if one.answerable and one.id not in COMPUTED else ())
        assert all(any(names(sentence, group) for sentence in held) for group in groups), one.id


def parts_of(name: str, text: str) -> list[str]:
    if name.endswith(".csv"):
        return re.split("[;\n]" if ";" in text else "[,\n]", text)
    if name.endswith(".html"):
        return re.split("<[^>]*>", text)
    return [text[start:end] for start, end in split_sentences(text)]


COMPUTED = ("office/two/1",)
"""Questions whose answer stands nowhere: it has to be computed."""


@pytest.mark.parametrize(
    ("text", "answers", "right"),
    [
        ("It is £1,281.60 [2].", ("1281.60",), True),
        ("Es sind 1.281,60 Euro.", ("1281.6",), True),
        ("It costs 1,180 pounds.", ("118",), False),
        ("Ab dem 31. August 2025", ("31. August",), True),
        ("The lease runs for 18 months.", ("8 months",), False),
        ("4.5 millimetres", ("45",), False),
        ("Frau Dr. Yıldız wurde gewählt.", ("Yıldız",), True),
        ("Only 2% are deducted.", ("2%",), True),
        ("It is passage [18].", ("18",), False),
        ("", ("x",), False),
    ],
)
def test_answers_are_compared_word_for_word_after_normalisation(text: str, answers: tuple[str], right: bool) -> None:
    assert holds(text, answers) is right


def test_confidence_is_shifted_to_the_share_of_right_answers() -> None:
    graded = [(0.5, False)] * 30 + [(0.5, True)] * 10
    shift = fit_shift(graded)
    assert shifted(0.5, shift) == pytest.approx(11 / 42, abs=1e-3)  # with one right and one wrong one added
    assert shifted(0.3, 0.0) == pytest.approx(0.3)
    assert -5 < fit_shift([(0.9, False)] * 3) < 0  # few answers that are all wrong


def test_rates_are_counted_by_language_and_marks() -> None:
    def outcome(number: int, **fields: object) -> Outcome:
        return Outcome(question=f"en/d{number}/1", **{"answerable": True, "declined": False, **fields})  # type: ignore[arg-type]

    outcomes = [
        outcome(1, own=True, quoted=True),
        outcome(2, own=False, quoted=True, confidence=0.9, contradicts=True),
        outcome(3, own=False, quoted=False, confidence=0.1),
        outcome(4, declined=True),
        outcome(5, answerable=False, declined=True),
        outcome(6, answerable=False),
        Outcome(question="de/d/1", answerable=True, declined=False, own=True, quoted=True),
    ]
    result = summarise(outcomes, "ab", ended=2.0, seconds=3.0)
    english = result.languages["en"]
    assert (english.own, english.quoted) == (Rate(1, 3), Rate(2, 3))
    assert (english.answers, english.unmarked, english.marked) == (Rate(1, 4), Rate(1, 2), Rate(0, 2))
    assert (english.abstained, english.declined) == (Rate(1, 2), Rate(1, 4))
    assert result.languages["de"].own == Rate(1, 1)
    assert (result.sha256, result.seconds) == ("ab", 3.0)
    assert result.confidence_shift < 0


def test_the_office_is_counted_by_kind_and_decides_nothing() -> None:
    def outcome(number: int, kind: str, **fields: object) -> Outcome:
        return Outcome(
            question=f"office/{kind}/{number}",
            kind=kind,
            answerable=kind != UNANSWERABLE,
            **{"declined": False, **fields},  # type: ignore[arg-type]
        )

    texts = [Outcome(question="en/d/1", answerable=True, declined=False, own=True, quoted=True)]
    office = [
        outcome(1, "fact", quoted=True, own=True),
        outcome(2, "fact", quoted=True, quoted_marked=True, own_asked=False),
        outcome(3, "fact", declined=True),
        outcome(4, "fact", own_declined=True),
        outcome(1, UNANSWERABLE, declined=True),
        outcome(2, UNANSWERABLE, quoted_marked=True, confidence=0.001),
    ]
    result = summarise([*texts, *office], "ab", ended=2.0, seconds=3.0)
    alone = summarise(texts, "ab", ended=2.0, seconds=3.0)
    assert (result.languages, result.confidence_shift) == (alone.languages, alone.confidence_shift)
    fact, nothing = result.office
    assert fact.quoted == Ends(asked=4, right_unmarked=1, right_marked=1, wrong_unmarked=1)
    assert fact.own == Ends(asked=3, right_unmarked=1)
    assert (fact.quoted.declined, fact.own.declined) == (1, 2)
    assert nothing.quoted == nothing.own == Ends(asked=2, wrong_marked=1)
    assert list(result.rows) == ["English", "Office"]
    assert result.rows["Office"] == ExamRates(
        own=Rate(1, 1), quoted=Rate(2, 3), answers=Rate(1, 2), unmarked=Rate(1, 1), abstained=Rate(1, 2),
        declined=Rate(1, 4),
    )  # fmt: skip
    assert describe_office(result) == (
        "Office, quoted: facts 2 of 4 right, 1 marked, 1 declined; questions without an answer 1 marked, 1 declined. "
        "Wrong and not marked: 1 of 6 (17 %, 3–56 %).",
        "Office, in its own words: facts 1 of 3 right, 2 declined; questions without an answer 1 marked, 1 declined. "
        "Wrong and not marked: 0 of 5 (0 %, 0–43 %).",
    )
    assert describe_office(alone) == ()
