"""A choice is corrected for what would be chosen anyway."""

from __future__ import annotations

from workbench.techniques.agents.calling import best_of, words_of

NAMES = ("weather.get_forecast", "calculateTax", "final_answer")


def chosen(logprobs: list[float], neutral: list[float], question: str = "", *, called: bool = False) -> str:
    return NAMES[best_of(NAMES, logprobs, neutral, answering="final_answer", question=question, called=called)]


def test_a_name_that_is_likely_after_any_question_says_nothing() -> None:
    assert chosen([-2.0, -9.0, -9.0], [0.0, 0.0, 0.0]) == NAMES[0]
    assert chosen([-2.0, -9.0, -9.0], [-1.0, -14.0, -8.0]) == NAMES[1]


def test_words_of_the_question_in_a_name_count() -> None:
    assert words_of("weather.get_forecast calculateTax") == {"weath", "forec", "tax"}
    level = [-5.0, -5.0, -5.0]
    assert chosen(level, level) == "final_answer"
    assert chosen(level, level, "What will the weather be?") == NAMES[0]
    assert chosen(level, level, "How much is the tax?") == NAMES[1]


def test_once_a_tool_was_called_words_count_no_more() -> None:
    level = [-5.0, -5.0, -4.5]
    assert chosen(level, [-5.0, -5.0, -5.0], "What will the weather be?", called=True) == "final_answer"
