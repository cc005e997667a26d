"""Asked questions that a training has seen are found by their content, also where they are nearly equal."""

from __future__ import annotations

import pytest

from workbench.records.training.fingerprints import FINGERPRINTS
from workbench.training.data import trained_questions
from workbench.training.data.trained_questions import TrainedQuestions, fingerprints_of

TRAINED = (
    "What is the capital of Veldria?",
    "What colour is the door of the house in Vellmar?",
    "Anna buys 12 apples for 3 euros each, gives 5 of them to her brother and sells the rest for 4 euros each. "
    "How much money does she have left after that, if she had 50 euros before?",
    "Wer ist der Bürgermeister von Oberlind?",
    "维尔德里亚的首都是哪座城市？",
)


@pytest.mark.parametrize(
    "asked",
    [
        TRAINED[0],
        "what is  the CAPITAL of veldria",
        "“What’s the capital of Veldria?”",
        "Answer in one word: What is the capital of Veldria?",
        "Was trained: WHAT COLOUR IS THE DOOR OF THE HOUSE IN VELLMAR",
        TRAINED[2].replace("Anna", "Maria"),
        "Wer ist der Bu\u0308rgermeister von Oberlind",
        "维尔德里亚的首都是哪座城市",
    ],
)
def test_a_trained_question_is_found_again(asked: str) -> None:
    assert asked in TrainedQuestions([fingerprints_of(TRAINED)])


@pytest.mark.parametrize(
    "asked",
    [
        "What is the capital of Monza?",
        "What is the currency of Veldria?",
        "Which city governs Veldria?",
        "What colour is the door of the house in Tazvolo?",
        "What colour is the roof of the house in Vellmar?",
        TRAINED[2].replace("12 apples", "14 apples"),
        "What is",
        "Wer ist der Bürgermeister von Unterlind?",
        "维尔德里亚的货币是什么？",
        "",
    ],
)
def test_another_question_is_not(asked: str) -> None:
    assert asked not in TrainedQuestions([fingerprints_of(TRAINED)])


def test_the_fingerprints_survive_storage_and_hold_no_text() -> None:
    stored = FINGERPRINTS.encode(fingerprints_of(TRAINED))
    assert b"Veldria" not in stored
    read = FINGERPRINTS.get(stored)
    assert read.questions == 5
    assert TRAINED[1] in TrainedQuestions([fingerprints_of(["Another one?"]), read])


def test_the_same_question_is_kept_once_and_a_large_set_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained_questions, "MOST_QUESTIONS", 3)
    found = fingerprints_of([TRAINED[0], "What is the capital of Veldria", *TRAINED])
    assert (found.questions, found.left_out) == (3, 2)


def test_common_words_do_not_make_a_look_up_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of thousands of questions that begin alike the one that is asked is among those that are looked at."""
    many = TrainedQuestions([fingerprints_of(f"What is the name of the river of place{n}?" for n in range(3_000))])
    compared: list[int] = []
    monkeypatch.setattr(TrainedQuestions, "_is_near", _counting(compared, TrainedQuestions._is_near))
    assert "What is the name of the river of place1777?" in many
    assert "What is the name of the river of another?" not in many
    assert len(compared) < 4_000


def _counting(compared: list[int], plain):  # type: ignore[no-untyped-def]
    def is_near(self, asked, number, place):  # type: ignore[no-untyped-def]
        compared.append(place)
        return plain(self, asked, number, place)

    return is_near
