"""The four parts of a prompt, variables, and where examples stand."""

from __future__ import annotations

import pytest

from workbench.base.errors import UserError
from workbench.records.messages import Message
from workbench.records.recipes import (
    RECIPE,
    Example,
    PromptingPart,
    asked_text,
    check_parts,
    fill,
    literal,
    system_text,
    with_examples,
    with_question_asked,
)


def test_the_parts_are_joined_in_their_order() -> None:
    part = PromptingPart(
        instructions="Answer in a {{tone}} tone.",
        context="The shop opens at {{ hour }}.",
        input="Question: {{question}}",
        output="Answer in one word.",
        variables=("tone=formal", "hour = 9"),
    )
    assert system_text(part) == "Answer in a formal tone.\n\nThe shop opens at 9."
    assert asked_text(part, "When?") == "Question: When?\n\nAnswer in one word."
    conversation = (Message("user", "Hi"), Message("assistant", "Ho"), Message("user", "When?"))
    assert with_question_asked(part, conversation) == (*conversation[:2], Message("user", asked_text(part, "When?")))


@pytest.mark.parametrize(
    ("part", "asked"),
    [
        (PromptingPart(), "  Why?\n"),
        (PromptingPart(input="Translate into German:"), "Translate into German:\n\n  Why?\n"),
        (PromptingPart(output="Be brief."), "  Why?\n\nBe brief.".replace("\n\n\n", "\n\n")),
        (PromptingPart(input="Say \\{{question}} first."), "Say {{question}} first.\n\n  Why?\n"),
    ],
)
def test_a_question_is_put_as_the_input_says(part: PromptingPart, asked: str) -> None:
    assert asked_text(part, "  Why?\n") == asked


def test_braces_in_what_is_put_in_stay_what_they_are() -> None:
    question = 'What is {{tone}} in {"a": {"b": {{1}}}} and {{question}}?'
    part = PromptingPart(input="Q: {{question}} ({{tone}})", variables=("tone={{question}}",))
    assert asked_text(part, question) == f"Q: {question} ({{{{question}}}})"
    assert fill('{"a": {"b": 1}} {{}} {{ 1x }} {{a b}}', {}, "Input") == '{"a": {"b": 1}} {{}} {{ 1x }} {{a b}}'


@pytest.mark.parametrize("text", ["{{x}}", r"\{{x}}", r"\\{{ x }}", r"a \{{x}} {{y}}", "{{}} {{1x}}"])
def test_a_literal_text_is_filled_to_itself(text: str) -> None:
    assert fill(literal(text), {"x": "1", "y": "2"}, "Instructions") == text


@pytest.mark.parametrize(
    ("part", "named"),
    [
        (PromptingPart(instructions="Be {{tone}}."), r"\{\{tone\}\} of the prompt's instructions"),
        (PromptingPart(context="{{question}}"), r"\{\{question\}\} of the prompt's context"),
        (PromptingPart(output="{{größe}}"), "größe"),
        (PromptingPart(variables=("tone",)), "name=value"),
        (PromptingPart(variables=("tone=a", "tone=b")), "twice"),
        (PromptingPart(variables=("question=b",)), "twice"),
        (PromptingPart(variables=("2x=b",)), "name=value"),
    ],
)
def test_what_cannot_be_filled_is_named(part: PromptingPart, named: str) -> None:
    with pytest.raises(UserError, match=named):
        check_parts(part)


def test_examples_stand_after_the_system_message_in_the_form_of_the_question() -> None:
    part = PromptingPart(input="Q: {{question}}")
    messages = (
        Message("system", "Be kind."),
        Message("user", "Hi"),
        Message("assistant", "Ho"),
        Message("user", "?"),
    )
    shown = with_examples(part, messages, [Example(number=3, question="1+1", answer="2")])
    assert shown == (messages[0], Message("user", "Q: 1+1"), Message("assistant", "2"), *messages[1:])
    assert with_examples(part, messages[1:], []) == messages[1:]


def test_a_recipe_of_the_first_format_is_read() -> None:
    old = {"schema": 1, "prompting": {"system": "Be brief.", "technique": "direct", "options": {}}}
    recipe = RECIPE.decode(old)
    assert getattr(recipe, "prompting", None) == PromptingPart(instructions="Be brief.")
    assert RECIPE.plain(RECIPE.get({}))["schema"] == 5
