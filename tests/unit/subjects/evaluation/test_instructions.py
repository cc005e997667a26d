"""The instructions of IFEval: each with a text that follows it and one that does not, strictly and loosely."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.base.errors import UserError
from workbench.records.evaluation import QUESTION, CellAnswer, Instruction, QuestionRow, Score
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.subjects.evaluation.benchmarks import benchmark_recipe, find_benchmark, read_benchmark
from workbench.subjects.evaluation.instructions import (
    CHECKS,
    LONGEST_ANSWER,
    followed,
    loose_variants,
    read_instructions,
)
from workbench.subjects.evaluation.methods import SCORERS, suited_scorers
from workbench.subjects.evaluation.scorers.scorer import Scorable, score_answer

GERMAN = "Die Katze, die auf der Matte saß, war nicht die, die wir vorher gesehen hatten."
ENGLISH = "The cat that sat on the mat was not the one that we had seen before."
FIRST_WORD = {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"}
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("keywords:existence", {"keywords": ["lake", "North"]}, "Lakes of the north", "Lakes of the south"),
    ("keywords:existence", {"keywords": ["C++"]}, "c++ is fast", "C is fast"),
    ("keywords:frequency", {"keyword": "sea", "frequency": 2, "relation": "at least"}, "Sea, seaside", "the sea"),
    ("keywords:frequency", {"keyword": "sea", "frequency": 2, "relation": "less than"}, "the sea", "sea and sea"),
    ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "a category", "a Cat, then"),
    ("keywords:letter_frequency", {"letter": "L", "let_frequency": 2, "let_relation": "at least"}, "Lull", "lit"),
    ("keywords:letter_frequency", {"letter": "#", "let_frequency": 1, "let_relation": "at least"}, "# A", "A"),
    ("language:response_language", {"language": "de"}, GERMAN, ENGLISH),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 3, "relation": "less than"},
        "Dr. Smith came. He\n\nsat down.",
        "He came. He sat. He left.",
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 4, "relation": "at least"},
        "1. Eat well.\n2. Sleep well.",
        "Eat well.\nSleep well.",
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "at least"},
        "Well!!!!!! So it is.",
        "." * 50_000,  # quadratic in a splitter that is not careful
    ),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\nOne\n***\nTwo\n***", "One\n\nTwo"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "One***Two", "One*** ***Two"),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "It's so.", "It is"),
    ("length_constraints:number_words", {"num_words": 3, "relation": "less than"}, "It is", "It is so"),
    ("length_constraints:nth_paragraph_first_word", FIRST_WORD, 'First.\n\n"Then, they ate', "First.\n\nThey then ate"),
    ("length_constraints:nth_paragraph_first_word", FIRST_WORD, "First.\n\nThen.", "First.\n\nThen.\n\nLast."),
    (
        "detectable_content:number_placeholders",
        {"num_placeholders": 2},
        "[name], [my address]",
        "[name], [my\naddress]",
    ),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye.\nP. S. More", "Bye.\nPS More"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Bye.\nP.P.S. More", "Bye.\nP.S. More"),
    ("detectable_content:postscript", {"postscript_marker": "N.B."}, "Bye.\nn.b. More", "Bye.\nNxBx More"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "Two:\n * one\n- two", "* one\n**two**\n"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "*\n* one", "* one\n* two"),
    ("detectable_format:constrained_response", {}, "So: My answer is maybe.", "My answer is no idea."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and **b**", "*a* and ** **"),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Section", "num_sections": 2},
        "Section 1\nA\nSection2\nB",
        "Section 1\nA\nsection 2\nB",
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": [1]}\n```', '{"a": [1]} is it'),
    ("detectable_format:json_format", {}, "3", "[" * 50_000),
    ("detectable_format:title", {}, "<<A day>>\nIt was", "<< >>\nIt <<was\nso>>"),
    ("combination:two_responses", {}, "One\n******\nTwo", "One\n******\nOne"),
    ("combination:two_responses", {}, "******One******Two", "One******\n******Two"),
    (
        "combination:repeat_prompt",
        {"prompt_to_repeat": "Why is it so? "},
        " why is it so? Since",
        "Since. Why is it so?",
    ),
    ("startend:end_checker", {"end_phrase": "Is that all?"}, 'Yes. "Is that ALL?"', "Is that all? Yes"),
    ("startend:quotation", {}, ' "Yes." ', '"Yes." he said'),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 3, "capital_relation": "at least"},
        "I DON'T know",
        "I know a WELL-KNOWN one",
    ),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "less than"},
        "NASA is well",
        "NASA,ESA",
    ),
    ("change_case:english_capital", {}, ENGLISH.upper(), ENGLISH),
    ("change_case:english_capital", {}, ENGLISH.upper(), GERMAN.upper()),
    ("change_case:english_lowercase", {}, ENGLISH.lower(), ENGLISH),
    ("punctuation:no_comma", {}, "one; two", "one, two"),
]


@pytest.mark.parametrize(("name", "settings", "right", "wrong"), CASES, ids=lambda one: str(one)[:30])
def test_each_instruction_is_followed_by_one_text_and_not_by_the_other(
    name: str, settings: dict[str, Any], right: str, wrong: str
) -> None:
    instructions = read_instructions([name], [settings])
    assert followed(instructions, right, "strict") == [True]
    assert followed(instructions, wrong, "strict") == [False]


def test_all_25_instructions_are_tested() -> None:
    assert len(CHECKS) == 25
    assert {name for name, *_ in CASES} == set(CHECKS)


def test_an_empty_text_follows_nothing() -> None:
    instructions = read_instructions(
        ["punctuation:no_comma", "keywords:forbidden_words"], [{}, {"forbidden_words": ["a"]}]
    )
    assert followed(instructions, " \n", "loose") == [False, False]


def test_there_are_eight_loose_variants() -> None:
    text = "*Sure:*\none *two*\nthree\n*Bye*"
    assert loose_variants(text) == (
        text, "one *two*\nthree\n*Bye*", "*Sure:*\none *two*\nthree", "one *two*\nthree",
        "Sure:\none two\nthree\nBye", "one two\nthree\nBye", "Sure:\none two\nthree", "one two\nthree",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "settings", "text"),
    [
        ("detectable_format:json_format", {}, "Here it is:\n[1]"),
        ("startend:end_checker", {"end_phrase": "The end."}, "So it was. The end.\nAnything else?"),
        ("punctuation:no_comma", {}, "Sure, here:\nOne two\nIs it, so?"),
        ("keywords:existence", {"keywords": ["red car"]}, "a **red** car"),
        ("startend:quotation", {}, 'Sure:\n**"One"**'),
        ("startend:quotation", {}, '**"One"**\nBye'),
        ("startend:quotation", {}, 'Sure:\n**"One"**\nBye'),
    ],
)
def test_loosely_what_a_model_adds_is_passed_over(name: str, settings: dict[str, Any], text: str) -> None:
    instructions = read_instructions([name], [settings])
    assert followed(instructions, text, "strict") == [False]
    assert followed(instructions, text, "loose") == [True]


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        (["keywords:rhyme"], [{}], "no instruction 'keywords:rhyme'"),
        (["punctuation:no_comma"], [], "not lists of one length"),
        ([], [], "it has 0 instructions"),
        (["length_constraints:number_words"], [{"num_words": 3}], "number_words: .*`relation`"),
        (["length_constraints:number_words"], [{"num_words": -3, "relation": "at least"}], "number_words: .*>= 0"),
        (["length_constraints:number_words"], [{"num_words": 3, "relation": "about"}], "number_words: .*'about'"),
        (["punctuation:no_comma"], [{"num_words": 3}], "no_comma: .*`num_words`"),
        (["punctuation:no_comma"], ["{}"], "settings of punctuation:no_comma are not an object"),
        (["language:response_language"], [{"language": "tlh"}], "language 'tlh' .* is not detected"),
    ],
)
def test_what_cannot_be_checked_is_refused_by_name(names: list[str], settings: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_instructions(names, settings)


def test_a_long_answer_and_an_instruction_of_another_program_have_no_score() -> None:
    (known,) = read_instructions(["punctuation:no_comma"], [{}])
    with pytest.raises(UserError, match="longer than the 100,000 characters"):
        followed((known,), "a" * (LONGEST_ANSWER + 1), "strict")
    with pytest.raises(UserError, match="no instruction 'keywords:rhyme'"):
        followed((Instruction(name="keywords:rhyme"),), "a", "strict")


def imported(tmp_path: Path, *rows: dict[str, Any]) -> Callable[[], Any]:
    path = tmp_path / "ifeval.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return lambda: read_benchmark(find_benchmark("ifeval"), path, None, 0, 0, lambda count: None)


ROW = {
    "key": 1000,
    "prompt": "Write about lakes. Use at least 4 words and no commas.",
    "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
    "kwargs": [
        {"num_words": None, "relation": None},  # as tables hold them
        {"num_words": 4.0, "relation": "at least"},
    ],
}


def test_a_published_row_is_a_question_with_instructions(tmp_path: Path) -> None:
    unknown = {**ROW, "instruction_id_list": ["punctuation:no_comma", "keywords:rhyme"]}
    read = imported(tmp_path, ROW, unknown, {**ROW, "prompt": " "}, {"prompt": "Why?"})()
    (row,) = read.rows
    assert row.conversation() == (Message("user", ROW["prompt"]),)
    assert (row.expected, row.choices, row.prompt) == ((), (), "")
    assert row.instructions == (
        Instruction(name="punctuation:no_comma"),
        Instruction(name="length_constraints:number_words", settings={"num_words": 4, "relation": "at least"}),
    )
    assert QUESTION.get(QUESTION.encode(row).decode()) == row
    assert suited_scorers(read.rows) == ("ifeval-prompt-level", "ifeval-instruction-level")
    assert len(read.refused) == 3
    assert "there is no instruction 'keywords:rhyme'" in read.refused[0]
    assert benchmark_recipe(find_benchmark("ifeval"), "Small").prompting.technique == "direct"


def test_it_is_asked_without_examples(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROW))
    with pytest.raises(UserError, match="IFEval is asked without examples"):
        read_benchmark(find_benchmark("ifeval"), path, path, 2, 0, lambda count: None)


@pytest.mark.parametrize(
    ("text", "scores", "note"),
    [
        ("Lakes are deep and cold.", (1.0, 1.0, 1.0, 1.0), ""),
        ("Lakes, deep, cold", (0.0, 0.0, 0.0, 0.0), "punctuation:no_comma, length_constraints:number_words"),
        ("Deep, cold, and so on", (0.0, 0.5, 0.0, 0.5), "punctuation:no_comma"),
        ("Sure, here it is:\nLakes are deep and cold.", (0.0, 0.5, 1.0, 1.0), "punctuation:no_comma"),
    ],
)
def test_the_four_accuracies_of_an_answer(text: str, scores: tuple[float, ...], note: str, tmp_path: Path) -> None:
    (row,) = imported(tmp_path, ROW)().rows
    found = [scored(row, use.name, text, use.options) for use in find_benchmark("ifeval").scorers]
    assert tuple(one.value for one in found) == scores
    assert found[0].note == (f"not followed: {note}" if note else "")


def test_questions_without_instructions_have_no_score_and_failed_answers_are_wrong(tmp_path: Path) -> None:
    plain = QuestionRow(messages=(Message("user", "Why?"),))
    assert scored(plain, "ifeval-prompt-level", "a", {}).value is None
    assert scored(plain, "ifeval-instruction-level", "a", {}).value is None
    (row,) = imported(tmp_path, ROW)().rows
    assert scored(row, "ifeval-instruction-level", CellAnswer(text="", error="stopped"), {}).value == 0.0


def scored(row: QuestionRow, name: str, answer: str | CellAnswer, options: dict[str, Any]) -> Score:
    method = next(one for one in SCORERS if one.name == name)
    given = CellAnswer(text=answer) if isinstance(answer, str) else answer
    cell = Scorable(question=row, answer=given, recipe=Recipe())
    return score_answer(method, cell, method.decode(options), None)  # type: ignore[arg-type]  # it asks no model
