"""The form of an extracted answer, and when two answers are the same."""

from __future__ import annotations

import pytest

from workbench.base.errors import UserError
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.formats import check_format
from workbench.techniques.prompting.extraction import (
    EXPRESSION,
    NUMBER,
    AnswerForm,
    Extracting,
    extraction_of,
    normalised,
)

LETTERED = (Message("user", "Which?\n\nA. red\nB. green\nC. blue\n\nAnswer with the letter of the right choice."),)
PLAIN = (Message("user", "How many?"),)


@pytest.mark.parametrize(
    ("options", "messages", "decoding", "form", "constrained"),
    [
        (Extracting(), PLAIN, DecodingPart(), "text", "text"),
        (Extracting(), PLAIN, DecodingPart(format="choice", grammar="red\nblue"), "choice", "choice"),
        (Extracting(), LETTERED, DecodingPart(), "choice", "choice"),
        (
            Extracting(),
            PLAIN,
            DecodingPart(format="json_schema", grammar='{"type": "object"}'),
            "schema",
            "json_schema",
        ),
        (Extracting(), LETTERED, DecodingPart(format="regex", grammar="[0-9]+"), "number", "regex"),
        (Extracting(answer="number"), PLAIN, DecodingPart(), "number", "regex"),
        (Extracting(answer="expression"), PLAIN, DecodingPart(), "expression", "gbnf"),
        (Extracting(answer="choice", choices=("yes", "no")), PLAIN, DecodingPart(), "choice", "choice"),
        (Extracting(answer="schema", schema='{"type": "number"}'), PLAIN, DecodingPart(), "schema", "json_schema"),
    ],
)
def test_the_form_is_that_of_the_options_the_recipe_or_the_question(
    options: Extracting, messages: tuple[Message, ...], decoding: DecodingPart, form: AnswerForm, constrained: str
) -> None:
    made = extraction_of(options, messages, decoding)
    assert (made.form, made.decoding.format) == (form, constrained)
    assert (made.reasoning.format, made.reasoning.grammar) == ("text", "")
    if form == "choice":
        assert made.decoding.grammar.split("\n") == list(made.choices)


def test_forms_without_what_they_need_are_refused() -> None:
    for answer, named in (("choice", "choices"), ("schema", "schema")):
        with pytest.raises(UserError, match=named):
            extraction_of(Extracting(answer=answer), PLAIN, DecodingPart())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("format", "grammar", "right", "wrong"),
    [
        ("regex", NUMBER, ("42", "-3.5", "1000000"), ("", "4 2", "12.", "1,000", "four")),
        ("gbnf", EXPRESSION, ("4*6", "(1 + 2) * 3", "-4 / 2", "10"), ("", "4 *", "(1", "a + b", "1 + 2)")),
    ],
)
def test_the_grammars_take_what_they_should(
    format: str, grammar: str, right: tuple[str, ...], wrong: tuple[str, ...]
) -> None:
    for text in right:
        assert check_format(format, grammar, text).text_problem == "", text
    for text in wrong:
        assert check_format(format, grammar, text).text_problem != "", text


@pytest.mark.parametrize(
    ("form", "same", "other"),
    [
        ("number", ("1000", "1,000.0", " 1000. ", "1000.00"), "100"),
        ("expression", ("4 * 6", "(2+2)*6", "24"), "4 * 5"),
        ("choice", ("B", " b "), "C"),
        ("schema", ('{"a": 1, "b": 2}', '{"b":2,"a":1}'), '{"a": 1}'),
        ("text", ("The capital is Paris.", "capital is paris"), "Lyon"),
    ],
)
def test_answers_are_compared_by_what_they_mean(form: AnswerForm, same: tuple[str, ...], other: str) -> None:
    keys = {normalised(text, form) for text in same}
    assert len(keys) == 1
    assert normalised(other, form) not in keys
