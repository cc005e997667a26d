"""A tool's result is the answer: what the model makes of it is compared with it, and calls are looked at."""

from __future__ import annotations

import pytest

from tests.agents import ScriptedModel, ask
from tests.fakes import FakeRetriever, passage
from workbench.api.events import TextDelta
from workbench.records.agents import ToolCall
from workbench.records.recipes import DecodingPart
from workbench.records.timeline import Timeline
from workbench.techniques.agents.session import NO_CALL, PROTOCOL
from workbench.techniques.agents.tool_results import computed, remark_on, stating, unused
from workbench.techniques.tools.tool import ToolOutput

QUESTION = "How many apples are in 12 boxes of 4?"
MULTIPLY = ("I multiply.", "calculator", {"expression": "12 * 4"})
DONE = ("Enough.", "", {})


def results(*pairs: tuple[str, str]) -> list[tuple[ToolCall, ToolOutput]]:
    return [
        (ToolCall(tool="calculator", arguments={"expression": written}), ToolOutput(text=value))
        for written, value in pairs
    ]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("There are 48 apples.", "There are 48 apples."),
        ("That is forty-eight apples.", "That is forty-eight apples."),
        ("There are 50 apples.", "12 * 4 = 48"),
        ("12 * 4 = 48, so there are 50 apples.", "12 * 4 = 48"),
        ("There are 12 boxes with 4 apples each.", "There are 12 boxes with 4 apples each. (12 * 4 = 48)"),
        ("Yes, plenty.", "Yes, plenty. (12 * 4 = 48)"),
        ("1. There are 48 apples [1].", "1. There are 48 apples [1]."),
    ],
)
def test_answer_states_what_the_calculator_gave(said: str, answer: str) -> None:
    assert stating(said, results(("12 * 4", "48")), QUESTION) == answer


@pytest.mark.parametrize(
    ("written", "value", "said"),
    [
        ("10 / 3", "3.3333333333", "About 3.33 each."),
        ("3 / 12", "0.25", "That is 25 % of them."),
        ("1000 * 12", "12000", "That makes 12,000 euros."),
        ("3 - 12", "-9", "It is 9 below zero."),
    ],
)
def test_a_value_may_be_rounded_or_written_otherwise(written: str, value: str, said: str) -> None:
    (one,) = computed(results((written, value)), "3, 10, 12 and 1000")
    assert one.is_stated(said)


def test_values_that_are_no_numbers_are_compared_as_words() -> None:
    made = [(ToolCall(tool="read_value", arguments={"kind": "date"}), ToolOutput(text="2024-03-01"))]
    assert stating("It ends on 2024-03-01.", made, "When does it end?") == "It ends on 2024-03-01."
    assert stating("It ends on 1 March 2024.", made, "When does it end?") == "It ends on 1 March 2024."
    assert stating("It ends in 2025.", made, "When does it end?") == "2024-03-01"
    refused = [(ToolCall(tool="read_value", arguments={"kind": "yes or no"}), ToolOutput(text="no"))]
    assert stating("I know that it is allowed.", refused, "May I?") == "I know that it is allowed. (no)"


@pytest.mark.parametrize(
    "said",
    ["Es sind 12,5 Euro für jeden.", "Das macht 12,50 € für jeden.", "Each pays 12.50 euros."],
)
def test_a_value_may_stand_in_the_notation_of_another_language(said: str) -> None:
    assert stating(said, results(("25 / 2", "12.5")), "Was sind 25 Euro für 2?") == said


def test_a_value_may_be_written_with_its_power_of_ten() -> None:
    said = "That makes 3.5 million euros."
    assert stating(said, results(("7 * 500000", "3500000")), "What are 7 times 500000 euros?") == said


@pytest.mark.parametrize(
    ("tool", "output"),
    [
        ("query_table", "name | revenue\nMeier | 1200\nSchulz | 900"),
        ("query_table", "name\nMeier\n(there are more rows)"),
        ("query_table", "sales(name, revenue), 3 rows"),
        ("run_python", "True"),
        ("run_python", "The program printed nothing and has no value."),
        ("read_value", "not said"),
    ],
)
def test_what_is_no_single_value_replaces_no_answer(tool: str, output: str) -> None:
    made = [(ToolCall(tool=tool, arguments={}), ToolOutput(text=output))]
    for said in ("Meier is ahead, by 300.", "I cannot tell."):
        assert stating(said, made, "Who has the highest revenue?") == said


def test_the_only_cell_of_a_table_is_a_value() -> None:
    made = [(ToolCall(tool="query_table", arguments={}), ToolOutput(text="sum(revenue)\n2100"))]
    assert stating("It is 2150.", made, "What is the revenue?") == "2100"


@pytest.mark.parametrize(
    ("written", "asked", "remark"),
    [
        ("12 * 4", QUESTION, ""),
        ("7 * 9", QUESTION, "The calculation 7 * 9 uses none of the numbers of the question."),
        ("12 * 5", QUESTION, "The calculation 12 * 5 uses 5, which stands neither in the question nor in an earlier "
                             "result."),
        ("80 * 0.85", "What are 80 euros less 15 %?", ""),
        ("80 * 15 / 100", "What are 15 % of 80?", ""),
        ("7 + 5", "What is seven plus five?", ""),
        ("3 + 4", "What did we buy?", "The calculation 3 + 4 uses 3, 4, which stands neither in the question nor in an "
                                      "earlier result."),
    ],
)  # fmt: skip
def test_numbers_of_a_calculation_come_from_the_question(written: str, asked: str, remark: str) -> None:
    assert remark_on(ToolCall(tool="calculator", arguments={"expression": written}), asked, ()) == remark


def test_a_calculation_goes_on_from_an_earlier_result() -> None:
    call = ToolCall(tool="calculator", arguments={"expression": "48 / 2"})
    assert remark_on(call, "Half of 12 boxes of 4, in 2 piles?", results(("12 * 4", "48"))) == ""


def test_the_agents_answer_is_the_tools_result_and_it_is_said() -> None:
    made = ask(ScriptedModel([MULTIPLY, DONE], ["There are 50 apples."]), "calculator", question=QUESTION)
    assert made.result.answer == "12 * 4 = 48"
    assert any("“There are 50 apples.”" in notice for notice in made.result.notices)
    assert made.result.sequences[0].text == made.result.answer
    assert "".join(one.text for one in made.events if isinstance(one, TextDelta) and not one.step) == "12 * 4 = 48"


def test_an_answer_that_states_the_result_stays_as_it_is() -> None:
    made = ask(ScriptedModel([MULTIPLY, DONE], ["There are 48 apples."]), "calculator", question=QUESTION)
    assert (made.result.answer, made.result.notices) == ("There are 48 apples.", ())


def test_an_answer_that_is_a_number_is_the_tools_number() -> None:
    form = DecodingPart(format="regex", grammar="-?[0-9]{1,7}", max_tokens=10, seed=7)
    made = ask(ScriptedModel([MULTIPLY, DONE], ["50"]), "calculator", question=QUESTION, decoding=form)
    assert made.result.answer == "48"


def test_a_calculation_with_other_numbers_is_noted_and_replaces_nothing() -> None:
    call = ("I add.", "calculator", {"expression": "7 + 9"})
    made = ask(ScriptedModel([call, DONE], ["There are 50 apples."]), "calculator", question=QUESTION)
    assert made.result.answer == "There are 50 apples."
    remark = "The calculation 7 + 9 uses none of the numbers of the question."
    assert made.result.notices == (remark, "No calculation uses these numbers of the question: 4, 12.")
    timeline = Timeline.of(made.state.trace())
    assert timeline is not None
    assert [entry.note for entry in timeline.entries if entry.call is not None] == [remark]


@pytest.mark.parametrize(
    ("written", "question", "remark"),
    [
        (("7 * 13",), "A box holds 28 pens. How many are 7 boxes and 13 pens?",
         "No calculation uses these numbers of the question: 28."),
        (("28 * 7", "196 + 13"), "A box holds 28 pens. How many are 7 boxes and 13 pens?", ""),
        (("80 * 0.85",), "What are 80 euros less 15 %?", ""),
        ((), "A box holds 28 pens.", ""),
    ],
)  # fmt: skip
def test_numbers_of_the_question_that_no_calculation_uses_are_named(
    written: tuple[str, ...], question: str, remark: str
) -> None:
    assert unused(question, results(*((one, "1") for one in written))) == remark


def test_an_answer_without_a_call_says_so() -> None:
    made = ask(ScriptedModel([DONE], ["There are 50 apples."]), "calculator", question=QUESTION)
    assert made.result.notices == (NO_CALL,)


@pytest.mark.parametrize("said", ["Action Input: file name of the report", "Thought: I need a file."])
def test_an_answer_of_protocol_alone_is_no_answer(said: str) -> None:
    made = ask(ScriptedModel([MULTIPLY, DONE], [said]), "calculator", question=QUESTION)
    assert made.result.answer == "12 * 4 = 48"
    assert PROTOCOL in made.result.notices


def test_protocol_is_left_out_of_an_answer() -> None:
    made = ask(ScriptedModel([DONE], ["It is so. Final Answer: nobody knows."]), "calculator", question="Why?")
    assert made.result.answer == "It is so.\nnobody knows."
    assert made.result.notices == (PROTOCOL, NO_CALL)


def test_what_was_noted_is_said_again_when_an_answer_goes_on() -> None:
    call = ("I add.", "calculator", {"expression": "7 + 9"})
    before = ask(ScriptedModel([call, DONE], ["There are 16."]), "calculator", question=QUESTION)
    earlier = [step for step in before.steps if not step.writes_answer]
    made = ask(ScriptedModel([], ["There are 16."]), "calculator", question=QUESTION, earlier=earlier)
    assert made.result.notices == before.result.notices != ()


def test_numbers_of_passages_may_be_calculated_with() -> None:
    retriever = FakeRetriever([passage("A box holds 25 apples.")])
    calls = [
        ("I search.", "search_documents", {"query": "apples in a box"}),
        ("I multiply.", "calculator", {"expression": "12 * 25"}),
        DONE,
    ]
    model = ScriptedModel(calls, ["There are 310 apples."])
    made = ask(model, "search_documents", "calculator", question="How many apples are in 12 boxes?",
               retriever=retriever)  # fmt: skip
    assert made.result.answer == "12 * 25 = 300"


def test_a_step_of_a_plan_states_its_own_results_only() -> None:
    model = ScriptedModel(
        [MULTIPLY, DONE, DONE],
        ["There are 50 apples.", "There are 3 pears.", "There are 50 apples."],
        says={"Before you answer, plan": ['["Multiply them.", "Count the pears."]']},
    )
    made = ask(model, "calculator", question=QUESTION, method="planning")
    assert [step.output for step in made.of("finding")] == ["12 * 4 = 48", "There are 3 pears."]
    assert made.result.answer == "12 * 4 = 48"
