"""Follow-ups: told from questions that stand on their own, and written out with what was talked about."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.fakes import FakeRetriever, passage
from workbench.records.messages import Message
from workbench.techniques.retrieval.follow_ups import may_stand_alone, written_out
from workbench.techniques.retrieval.query_rewriting import is_follow_up, merged_by_rank

BOATS = ("What is the rack rent for private singles?", "Rack rent is 120 euros a year for singles [1].")
COACH = ("Who is the coach of the tennis section?", "The coach is Inês Ferreira [1].")


def told(*turns: tuple[str, str], asked: str) -> list[Message]:
    made = [
        message for question, answer in turns for message in (Message("user", question), Message("assistant", answer))
    ]
    return [*made, Message("user", asked)]


def not_needed(text: str, others: list[str]) -> Sequence[float]:
    raise AssertionError(f"the rules tell what {text} replaces in {others}")


def nearest_to(word: str) -> object:
    return lambda text, others: [float(word in other) for other in others]


@pytest.mark.parametrize(
    ("turn", "asked", "whole"),
    [
        (BOATS, "And for doubles?", "What is the rack rent for doubles?"),
        (
            ("How large is the van of team 1?", "Large."),
            "And team 2?",
            "How large is the van of team 2?",
        ),
        (("Wie viele Austritte gab es 2023?", "17."), "Und 2022?", "Wie viele Austritte gab es 2022?"),
        (
            ("Wie hoch ist der Lohn eines Gesellen bisher?", "19,80 €."),
            "Und ab Januar?",
            "Wie hoch ist der Lohn eines Gesellen ab Januar?",
        ),
        (
            ("¿Cuánto cuesta la pensión completa en Valdemora?", "41,50 €."),
            "¿Y la media pensión?",
            "¿Cuánto cuesta la media pensión en Valdemora?",
        ),
        (
            ("Qui est le correspondant pour Saint-Aubrac ?", "M. Reboul."),
            "Et pour Wendelmoor ?",
            "Qui est le correspondant pour Wendelmoor ?",
        ),
        (
            ("Was kostet das Inselcamp?", "135 Euro."),
            "Und für Geschwister?",
            "Was kostet das Inselcamp für Geschwister?",
        ),
    ],
)
def test_what_is_named_takes_the_place_of_its_like(turn: tuple[str, str], asked: str, whole: str) -> None:
    written = written_out(told(turn, asked=asked), not_needed)
    assert written.question == whole
    assert written.asks == whole  # its road is that of the whole question


def test_meaning_decides_where_no_rule_does() -> None:
    turn = ("How long does a kitchen take?", "14 weeks.")
    asked = told(turn, asked="And a wardrobe?")
    assert written_out(asked, nearest_to("kitchen")).question == "How long does a wardrobe take?"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("turn", "asked", "whole"),
    [
        (COACH, "Until when?", "Until when (coach of the tennis section, Inês Ferreira)?"),
        (COACH, "Where does she live?", "Where does Inês Ferreira live (coach of the tennis section)?"),
        (("Wann beginnt die Zollprüfung?", "Am 19. Januar."), "Wie lange?", "Wie lange (beginnt die Zollprüfung)?"),
        (("How long does the Kaplan pump run?", "36 months."), "And its warranty?", "Its warranty (Kaplan pump run)?"),
    ],
)
def test_a_question_without_a_subject_is_completed(turn: tuple[str, str], asked: str, whole: str) -> None:
    written = written_out(told(turn, asked=asked), not_needed)
    assert written.question == whole
    assert "(" not in written.asks  # what completes it says nothing about its road


def test_a_chain_of_follow_ups_goes_back_to_the_topic() -> None:
    between = ("and for doubles?", "150 euros.")
    written = written_out(told(BOATS, between, asked="How many may each have?"), not_needed)
    assert written.question == "How many may each have (rack rent for doubles)?"


@pytest.mark.parametrize(
    "question",
    [
        "When was the Royal Castle in Warsaw rebuilt?",
        "How long does the warranty of the pump run?",
        "Did Peter lose his claim against ENEL in Milan?",
        "Wann wird die Hecke zum Bootsweg geschnitten?",
        "Combien de places de parking y a-t-il au planétarium ?",
    ],
)
def test_a_question_of_its_own_is_left_alone(question: str) -> None:
    assert written_out(told(BOATS, asked=question), not_needed).question == question


def test_the_first_question_is_left_alone() -> None:
    assert written_out([Message("user", "And for doubles?")], not_needed).question == "And for doubles?"


def test_a_question_that_may_stand_alone_is_told() -> None:
    assert may_stand_alone("Who pays the premium?")
    assert not may_stand_alone("And who pays the premium?")
    assert not may_stand_alone("Who pays it?")
    assert not may_stand_alone("Why?")
    assert may_stand_alone("Wie hoch ist die Anfahrtspauschale?")
    assert not may_stand_alone("Wie hoch ist die Miete?")


def test_in_another_language_words_are_carried_over() -> None:
    turn = ("华沙的王宫是谁建造的？", "西吉斯蒙德三世")
    written = written_out(told(turn, asked="那什么时候？"), not_needed)
    assert written.question.startswith("那什么时候？ ")
    assert "王宫" in written.question


@pytest.mark.parametrize("question", ["And when was it rebuilt?", "Why?", "Where is it based?", "Und wann?"])
def test_a_part_that_points_to_another_is_told(question: str) -> None:
    assert is_follow_up(question)


def test_results_of_several_queries_are_fused() -> None:
    a, b, c = passage("alpha", start=0), passage("beta", start=10), passage("gamma", start=20)
    retriever = FakeRetriever(results=[[a, b], [b, c]])
    hits = merged_by_rank([retriever.search(query, 2).hits for query in ("one", "two")], 2)
    assert [h.text for h in hits] == ["beta", "alpha"]
    assert hits[0].score > hits[1].score


def test_a_question_that_is_asked_once_more_means_the_same() -> None:
    leave = ("How long ahead must I tell them if I want to leave?", "Six months [1].")
    assert written_out(told(leave, asked=leave[0]), not_needed).question == leave[0]
    doubles = ("And for doubles?", "150 euros [1].")
    assert written_out(told(BOATS, doubles, asked="and for doubles?"), not_needed).question == (
        "What is the rack rent for doubles?"
    )


def test_a_request_for_all_documents_is_no_follow_up_and_has_none() -> None:
    every = "What is each document about?"
    assert written_out(told(COACH, asked=every), not_needed).question == every
    after = written_out(told(COACH, (every, "Boats and courts [1]."), asked="Who is the mayor?"), not_needed)
    assert after.question == "Who is the mayor?"
