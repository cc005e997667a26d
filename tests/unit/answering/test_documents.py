"""Whole documents on fakes: in sections, with progress, cited, checked, stopped."""

from __future__ import annotations

import msgspec
import pytest

from tests.fakes import FakeLanguageModel, FakeRetriever, document_text
from workbench.answering import AnswerContext, work_on_document
from workbench.api import events
from workbench.api.calls import AskResult, Chunk, DocumentTask
from workbench.errors import UserError
from workbench.records.messages import Usage
from workbench.records.recipes import PromptingPart, Recipe

SHORT = "The seal costs 12 euros. The rotor costs 99 euros."
PARAGRAPHS = [f"Part {n} of the pump costs {n}0 euros. " + "It is made of steel. " * 8 for n in range(1, 7)]
PLAIN = Recipe()
LONG = "\n\n".join(p.strip() for p in PARAGRAPHS)


def work(
    task: DocumentTask, model: FakeLanguageModel, text: str, recipe: Recipe = PLAIN
) -> tuple[list[events.Event], AskResult]:
    context = AnswerContext(model, FakeRetriever(documents=[document_text(text, "pump.txt")]), cancelled=lambda: False)
    made = list(work_on_document(task, recipe, context))
    assert [type(e) for e in made if isinstance(e, events.TERMINAL)] == [events.Finished]
    last = made[-1]
    assert isinstance(last, events.Finished)
    result = msgspec.convert(last.result, AskResult)
    assert result.answer == "".join(e.text for e in made if isinstance(e, events.TextDelta))
    return made, result


def progress_of(made: list[events.Event]) -> list[str]:
    return [e.detail for e in made if isinstance(e, events.Progress)]


def test_short_document_is_summarised_in_one_go() -> None:
    model = FakeLanguageModel(["The seal costs 12 euros."])
    made, result = work(DocumentTask(document="pump.txt", task="summarise"), model, SHORT)
    assert result.answer == "The seal costs 12 euros [1]."
    assert [c.text for c in result.citations] == [SHORT]
    assert progress_of(made) == ["section 1 of 1"]
    assert SHORT in model.requests[0][-1].content


def test_short_document_is_cited_by_its_chunks() -> None:
    chunks = (Chunk(start=0, end=24), Chunk(start=25, end=len(SHORT)))
    document = document_text(SHORT, chunks=chunks)
    model = FakeLanguageModel(["The rotor costs 99 euros."])
    context = AnswerContext(model, FakeRetriever(documents=[document]), cancelled=lambda: False)
    made = list(work_on_document(DocumentTask(document="pump.txt", task="summarise"), Recipe(), context))
    result = msgspec.convert(made[-1].result, AskResult)  # type: ignore[union-attr]
    assert result.answer == "The rotor costs 99 euros [2]."
    assert [(c.start, c.end) for c in result.citations] == [(25, len(SHORT))]
    assert [p.n for p in result.passages] == [1, 2]


def test_long_document_is_summarised_section_by_section() -> None:
    model = FakeLanguageModel(
        [*(f"Part {n} costs {n}0 euros." for n in range(1, 7)), "Part 3 costs 30 euros."], context_tokens=100
    )
    made, result = work(DocumentTask(document="pump.txt", task="summarise"), model, LONG)
    assert progress_of(made)[:6] == [f"section {n} of 6" for n in range(1, 7)]
    assert "Part 6 costs 60 euros." in model.requests[-1][-1].content
    assert result.answer == "Part 3 costs 30 euros [3]."
    assert [c.text for c in result.citations] == [PARAGRAPHS[2].strip()]
    assert len(result.passages) == 6


def test_summaries_that_do_not_fit_are_summarised_again() -> None:
    wordy = "It is made of steel and more steel and steel again."
    model = FakeLanguageModel([*[wordy] * 6, *["Part 1 is steel."] * 2, "All steel."], context_tokens=100)
    _, result = work(DocumentTask(document="pump.txt", task="summarise"), model, LONG)
    assert len(model.requests) == 9
    assert result.answer.startswith("All steel")


def test_extracted_rows_are_checked_merged_and_cited() -> None:
    table = "| Part | Price |\n|---|---|\n| {0} | {0}0 |\n| 9 | 1234 |"
    model = FakeLanguageModel([table.format(n) for n in range(1, 7)], context_tokens=120)
    task = DocumentTask(document="pump.txt", task="extract", columns=("Part", "Price"))
    made, result = work(task, model, LONG)
    assert result.answer.splitlines()[:3] == ["| Part | Price |", "| --- | --- |", "| 1 | 10 [1] |"]
    assert "1234" not in result.answer
    assert [c.n for c in result.citations] == [1, 2, 3, 4, 5, 6]
    assert progress_of(made)[-1] == "section 6 of 6"


def test_table_without_rows_says_so() -> None:
    task = DocumentTask(document="pump.txt", task="extract", columns=("Colour",))
    _, result = work(task, FakeLanguageModel(["| Purple |"]), SHORT)
    assert result.answer == "| Colour |\n| --- |"
    assert any("no row" in notice for notice in result.notices)


def test_translation_keeps_the_paragraphs() -> None:
    model = FakeLanguageModel([f"Teil {n}." for n in range(1, 7)], context_tokens=160)
    task = DocumentTask(document="pump.txt", task="translate", language="German")
    _, result = work(task, model, LONG)
    assert result.answer == "\n\n".join(f"Teil {n}." for n in range(1, 7))
    assert "German" in model.requests[0][-1].content
    assert result.citations == ()


def test_usage_is_that_of_all_sections() -> None:
    model = FakeLanguageModel([f"Teil {n}." for n in range(1, 7)], context_tokens=160)
    _, result = work(DocumentTask(document="pump.txt", task="translate", language="German"), model, LONG)
    assert result.usage.new_tokens == 12
    assert result.usage.prompt_tokens > 6 * 30


def test_small_model_is_warned_about_and_a_big_one_is_not() -> None:
    task = DocumentTask(document="pump.txt", task="summarise")
    _, small = work(task, FakeLanguageModel(["Steel."]), SHORT)
    _, big = work(task, FakeLanguageModel(["Steel."], parameters=8_000_000_000), SHORT)
    assert "small" in small.notices[0]
    assert big.notices == ()


def test_instructions_of_the_recipe_are_kept() -> None:
    model = FakeLanguageModel(["Steel."])
    recipe = Recipe(prompting=PromptingPart(system="Write like a lawyer."))
    work(DocumentTask(document="pump.txt", task="summarise"), model, SHORT, recipe)
    assert model.requests[0][0].content == "Write like a lawyer."


def test_stop_keeps_what_is_translated() -> None:
    model = FakeLanguageModel([f"Teil {n}." for n in range(1, 7)], context_tokens=160)
    seen = ""
    context = AnswerContext(
        model, FakeRetriever(documents=[document_text(LONG)]), cancelled=lambda: seen.endswith("Teil 2.")
    )
    made: list[events.Event] = []
    task = DocumentTask(document="pump.txt", task="translate", language="German")
    for event in work_on_document(task, Recipe(), context):
        made.append(event)
        seen += event.text if isinstance(event, events.TextDelta) else ""
    assert isinstance(made[-1], events.Cancelled)
    assert made[-1].result["answer"] == "Teil 1.\n\nTeil 2."
    assert len(model.requests) <= 3


@pytest.mark.parametrize(
    ("task", "text", "message"),
    [
        (DocumentTask(document="pump.txt", task="extract"), SHORT, "column"),
        (DocumentTask(document="pump.txt", task="translate", language=" "), SHORT, "language"),
        (DocumentTask(document="gone.txt", task="summarise"), SHORT, "gone.txt"),
        (DocumentTask(document="pump.txt", task="summarise"), " \n", "no text"),
    ],
)
def test_what_is_missing_is_named(task: DocumentTask, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        work(task, FakeLanguageModel(), text)


def test_document_task_needs_a_collection() -> None:
    context = AnswerContext(FakeLanguageModel(), None, cancelled=lambda: False)
    with pytest.raises(UserError, match="collection"):
        list(work_on_document(DocumentTask(document="pump.txt", task="summarise"), Recipe(), context))


def test_usage_of_nothing_is_nothing() -> None:
    task = DocumentTask(document="pump.txt", task="extract", columns=("Part",))
    _, result = work(task, FakeLanguageModel([""]), SHORT)
    assert isinstance(result.usage, Usage)
    assert result.usage.new_tokens == 0
