"""Whole documents on fakes: in sections, with progress, cited, checked, stopped."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests import documents
from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, document_text
from workbench.api import events
from workbench.api.protocol import RequestContext, error_of
from workbench.base.errors import UserError
from workbench.reading.word import read_docx
from workbench.records.answers import AskResult, DocumentTask
from workbench.records.documents import Chunk
from workbench.records.messages import Usage
from workbench.records.recipes import PromptingPart, Recipe, RetrievalPart
from workbench.records.trust import describe_trust, marks
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest

SHORT = "The seal costs 12 euros. The rotor costs 99 euros."
PARAGRAPHS = [f"Part {n} of the pump costs {n}0 euros. " + "It is made of steel. " * 8 for n in range(1, 7)]
LARGE = 8_000_000_000
OWN_WORDS = Recipe(retrieval=RetrievalPart(mode="own-words"))
LONG = "\n\n".join(p.strip() for p in PARAGRAPHS)


def work(
    task: DocumentTask, model: FakeModelBackend, text: str, recipe: Recipe = OWN_WORDS
) -> tuple[list[events.Event], AskResult]:
    services = FakeServices(model, FakeRetriever(documents=[document_text(text, "pump.txt")]))
    _, *made = answer(AnswerRequest(recipe=recipe, task=task), services, RequestContext())  # after the loading
    last = made[-1]
    if isinstance(last, events.Failed):
        raise error_of(last)
    assert [type(e) for e in made if isinstance(e, events.TERMINAL)] == [events.Finished]
    assert isinstance(last, events.Finished)
    result = msgspec.convert(last.result, AskResult)
    assert result.answer == "".join(e.text for e in made if isinstance(e, events.TextDelta) and not e.step)
    return made, result


def progress_of(made: list[events.Event]) -> list[str]:
    return [e.detail for e in made if isinstance(e, events.Progress)]


def test_short_document_is_summarised_in_one_go() -> None:
    model = FakeModelBackend(["The seal costs 12 euros."])
    made, result = work(DocumentTask(document="pump.txt", task="summarise"), model, SHORT)
    assert result.answer == "The seal costs 12 euros [1]."
    assert [c.text for c in result.citations] == [SHORT]
    assert progress_of(made) == ["section 1 of 1"]
    assert SHORT in model.requests[0][-1].content


def test_statement_of_a_summary_that_the_document_does_not_support_is_marked() -> None:
    model = FakeModelBackend(["The seal costs 12 euros. The rotor costs 3 million euros."], parameters=LARGE)
    _, result = work(DocumentTask(document="pump.txt", task="summarise"), model, SHORT)
    assert result.verification is not None
    right, wrong = result.verification.statements
    assert not marks(right, result.verification)
    assert marks(wrong, result.verification)
    assert result.answer[wrong.start : wrong.end].startswith("The rotor costs 3 million")
    assert describe_trust(result.verification) == ("Your documents support 1 of 2 statements.", True)


def test_summary_of_many_sections_is_verified_against_all_of_them() -> None:
    said = [f"Part {n} costs {n}0 euros." for n in range(1, 7)]
    model = FakeModelBackend(
        [*said, "Part 3 of the pump costs 30 euros. Part 4 costs 95 euros."], context_tokens=100, parameters=LARGE
    )
    _, result = work(DocumentTask(document="pump.txt", task="summarise"), model, LONG)
    assert result.verification is not None
    assert [marks(one, result.verification) for one in result.verification.statements] == [False, True]
    assert [one.sentence_end > one.sentence_start for one in result.citations if one.n == 3] == [True]


def test_small_model_keeps_what_each_section_bears_out_and_quotes_where_that_is_nothing() -> None:
    said = [
        "Part 1 of the pump costs 10 euros. Part 1 of the pump weighs 77 kg. Pump manual Page 41. Pump manual Page 42.",
        "Page 1\nPage 2\nPage 3",
        "Part 3 of the pump costs 95 euros.",
        "It is made of steel.",
        "It is made of steel.",
        "The part of the pump costs",
    ]
    made, result = work(
        DocumentTask(document="pump.txt", task="summarise"), FakeModelBackend(said, context_tokens=100), LONG
    )
    assert result.answer.splitlines() == [
        "- Part 1 of the pump costs 10 euros [1].",
        "- “Part 2 of the pump costs 20 euros.” [2]",
        "- “Part 3 of the pump costs 30 euros.” [3]",
        "- It is made of steel [4].",
        "- “Part 5 of the pump costs 50 euros.” [5]",
        "- “Part 6 of the pump costs 60 euros.” [6]",
    ]
    assert [c.n for c in result.citations] == [1, 2, 3, 4, 5, 6]
    assert progress_of(made) == [f"section {n} of 6" for n in range(1, 7)]
    assert result.verification is not None
    assert not any(marks(one, result.verification) for one in result.verification.statements)
    assert any("The default quotes the document" in notice for notice in result.notices)


def test_a_text_without_a_sentence_is_quoted_where_a_small_model_says_nothing_of_it() -> None:
    _, result = work(DocumentTask(document="pump.txt", task="summarise"), FakeModelBackend(["Blue skies."]), "Rotor")
    assert result.answer == "“Rotor” [1]"


def test_model_is_not_shown_running_heads_and_lines_of_contents() -> None:
    said = ("The rotor is made of steel.", "A seal costs 12 euros.", "Oil it every spring.", "Keep it dry.")
    pages = [f"Pump manual\n{text}\nPage {n} of 4\n" for n, text in enumerate(said, start=1)]
    text = "Oil it every spring .......... 3\n\n" + "".join(pages)
    starts = [0, *(text.index(f"Pump manual\n{one}") for one in said[1:])]
    document = msgspec.structs.replace(document_text(text, "pump.txt"), page_starts=tuple(starts))
    model = FakeModelBackend(["It is made of steel."], parameters=LARGE)
    request = AnswerRequest(recipe=OWN_WORDS, task=DocumentTask(document="pump.txt", task="summarise"))
    *_, last = answer(request, FakeServices(model, FakeRetriever(documents=[document])), RequestContext())
    assert isinstance(last, events.Finished)
    shown = model.requests[0][-1].content
    assert all(one in shown for one in said)
    assert not any(one in shown for one in ("Pump manual", "Page ", "......"))


def test_texts_that_are_checked_or_taken_otherwise_have_no_statements() -> None:
    table = FakeModelBackend(["| Part | Price |\n|---|---|\n| Seal | 12 |"])
    _, extracted = work(DocumentTask(document="pump.txt", task="extract", columns=("Part", "Price")), table, SHORT)
    translation = FakeModelBackend(["Die Dichtung kostet 12 Euro."])
    _, translated = work(DocumentTask(document="pump.txt", task="translate", language="German"), translation, SHORT)
    assert extracted.verification is None
    assert translated.verification is None


def test_short_document_is_cited_by_its_chunks() -> None:
    chunks = (Chunk(start=0, end=24), Chunk(start=25, end=len(SHORT)))
    document = document_text(SHORT, chunks=chunks)
    model = FakeModelBackend(["The rotor costs 99 euros."])
    request = AnswerRequest(recipe=OWN_WORDS, task=DocumentTask(document="pump.txt", task="summarise"))
    *_, last = answer(request, FakeServices(model, FakeRetriever(documents=[document])), RequestContext())
    result = msgspec.convert(last.result, AskResult)  # type: ignore[union-attr]
    assert result.answer == "The rotor costs 99 euros [2]."
    assert [(c.start, c.end) for c in result.citations] == [(25, len(SHORT))]
    assert [p.n for p in result.passages] == [1, 2]


def test_long_document_is_summarised_section_by_section() -> None:
    model = FakeModelBackend(
        [*(f"Part {n} costs {n}0 euros." for n in range(1, 7)), "Part 3 costs 30 euros."],
        context_tokens=100,
        parameters=LARGE,
    )
    made, result = work(DocumentTask(document="pump.txt", task="summarise"), model, LONG)
    assert progress_of(made)[:6] == [f"section {n} of 6" for n in range(1, 7)]
    assert "Part 6 costs 60 euros." in model.requests[-1][-1].content
    assert result.answer == "Part 3 costs 30 euros [3]."
    assert [c.text for c in result.citations] == [PARAGRAPHS[2].strip()]
    assert len(result.passages) == 6


def test_sections_without_a_statement_are_summarised_by_their_first_sentences() -> None:
    model = FakeModelBackend(
        [*("- steel\n- a seal" for _ in range(6)), "Part 3 of the pump costs 30 euros."],
        context_tokens=100,
        parameters=LARGE,
    )
    work(DocumentTask(document="pump.txt", task="summarise"), model, LONG)
    shown = model.requests[-1][-1].content
    assert all(f"Part {n} of the pump costs {n}0 euros." in shown for n in range(1, 7))


def test_summaries_that_do_not_fit_are_summarised_again() -> None:
    wordy = "It is made of steel and more steel and steel again."
    model = FakeModelBackend(
        [*[wordy] * 6, *["Part 1 is steel."] * 2, "All steel."], context_tokens=100, parameters=LARGE
    )
    _, result = work(DocumentTask(document="pump.txt", task="summarise"), model, LONG)
    assert len(model.requests) == 9
    assert result.trace is not None
    assert [(depth, step.kind, step.title) for depth, step in result.trace.walk()] == [
        (0, "sections", "Summarise 6 sections"),
        *((1, "section", f"Section {n} of 6") for n in range(1, 7)),
        (0, "sections", "Summarise 2 sections"),
        *((1, "section", f"Section {n} of 2") for n in (1, 2)),
        (0, "generation", "Summary"),
    ]
    assert result.trace.steps[1].output == wordy
    assert result.trace.steps[-1].writes_answer
    assert result.answer.startswith("All steel")


def test_extracted_rows_are_checked_merged_and_cited() -> None:
    table = "| Part | Price |\n|---|---|\n| {0} | {0}0 |\n| 9 | 1234 |"
    model = FakeModelBackend([table.format(n) for n in range(1, 7)], context_tokens=120)
    task = DocumentTask(document="pump.txt", task="extract", columns=("Part", "Price"))
    made, result = work(task, model, LONG)
    assert result.answer.splitlines()[:3] == ["| Part | Price |", "| --- | --- |", "| 1 | 10 [1] |"]
    assert "1234" not in result.answer
    assert [c.n for c in result.citations] == [1, 2, 3, 4, 5, 6]
    assert progress_of(made)[-1] == "section 6 of 6"


def test_rows_of_the_documents_own_tables_are_copied_without_the_model() -> None:
    table = "# Parts\n\nPart: Seal | Price: 12 | Stock: 3\nPart: Rotor, big | Stock: 1\nPart: Seal | Price: 12"
    model = FakeModelBackend([])
    task = DocumentTask(document="pump.txt", task="extract", columns=("price", "Part"))
    _, result = work(task, model, table)
    assert result.answer.splitlines() == [
        "| price | Part |", "| --- | --- |", "| 12 | Seal [1] |", "|  | Rotor, big [1] |", "| 12 | Seal [1] |",
    ]  # fmt: skip
    assert model.requests == []
    assert "3 rows were copied from tables of the document." in result.notices


def test_table_of_a_word_document_is_extracted_as_it_is(tmp_path: Path) -> None:
    def row(*cells: str) -> str:
        return "<w:tr>" + "".join(f"<w:tc><w:p><w:r><w:t>{c}</w:t></w:r></w:p></w:tc>" for c in cells) + "</w:tr>"

    body = f"<w:tbl>{row('Spare part', 'Order no.')}{row('Gasket', 'A-17')}{row('Impeller', 'B-2')}</w:tbl>"
    text = read_docx(documents.write_docx_body(tmp_path / "parts.docx", body).read_bytes()).text
    task = DocumentTask(document="pump.txt", task="extract", columns=("Spare part", "Order no."))
    _, result = work(task, FakeModelBackend([]), text)
    assert result.answer.splitlines()[2:] == ["| Gasket | A-17 [1] |", "| Impeller | B-2 [1] |"]


def test_text_beside_a_table_is_searched_by_the_model() -> None:
    prose = "The pump also has a valve that costs 80 euros. " + "It is made of steel. " * 10
    model = FakeModelBackend(["| Part | Price |\n|---|---|\n| valve | 80 |\n| seal | 12 |"])
    task = DocumentTask(document="pump.txt", task="extract", columns=("Part", "Price"))
    _, result = work(task, model, f"{prose}\n\n| Part | Price |\n|---|---|\n| Seal | 12 |\n\nThe end.")
    assert result.answer.splitlines()[2:] == ["| Seal | 12 [1] |", "| valve | 80 [1] |"]
    assert "| Seal |" not in model.requests[0][-1].content
    assert "The end." in model.requests[0][-1].content


def test_table_without_rows_says_so() -> None:
    task = DocumentTask(document="pump.txt", task="extract", columns=("Colour",))
    _, result = work(task, FakeModelBackend(["| Purple |"]), SHORT)
    assert result.answer == "| Colour |\n| --- |"
    assert any("no row" in notice for notice in result.notices)


def test_translation_keeps_the_paragraphs() -> None:
    model = FakeModelBackend([f"Teil {n}." for n in range(1, 7)], context_tokens=160)
    task = DocumentTask(document="pump.txt", task="translate", language="German")
    _, result = work(task, model, LONG)
    assert result.answer == "\n\n".join(f"Teil {n}." for n in range(1, 7))
    assert "German" in model.requests[0][-1].content
    assert result.citations == ()


def test_usage_is_that_of_all_sections() -> None:
    model = FakeModelBackend([f"Teil {n}." for n in range(1, 7)], context_tokens=160)
    _, result = work(DocumentTask(document="pump.txt", task="translate", language="German"), model, LONG)
    assert result.usage.new_tokens == 12
    assert result.usage.prompt_tokens > 6 * 30


def test_small_model_is_warned_about_and_a_big_one_is_not() -> None:
    task = DocumentTask(document="pump.txt", task="summarise")
    _, small = work(task, FakeModelBackend(["Steel."]), SHORT)
    _, big = work(task, FakeModelBackend(["Steel."], parameters=8_000_000_000), SHORT)
    assert "small" in small.notices[0]
    assert big.notices == ()


def test_instructions_of_the_recipe_are_kept() -> None:
    model = FakeModelBackend(["Steel."])
    recipe = msgspec.structs.replace(OWN_WORDS, prompting=PromptingPart(instructions="Write like a lawyer."))
    work(DocumentTask(document="pump.txt", task="summarise"), model, SHORT, recipe)
    assert model.requests[0][0].content == "Write like a lawyer."


def test_stop_keeps_what_is_translated() -> None:
    model = FakeModelBackend([f"Teil {n}." for n in range(1, 7)], context_tokens=160)
    seen, context = "", RequestContext()
    services = FakeServices(model, FakeRetriever(documents=[document_text(LONG)]))
    made: list[events.Event] = []
    task = DocumentTask(document="pump.txt", task="translate", language="German")
    for event in answer(AnswerRequest(recipe=Recipe(), task=task), services, context):
        made.append(event)
        seen += event.text if isinstance(event, events.TextDelta) and not event.step else ""
        if seen.endswith("Teil 2."):
            context.cancel()
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
        work(task, FakeModelBackend(), text)


def test_document_task_needs_a_collection() -> None:
    request = AnswerRequest(recipe=OWN_WORDS, task=DocumentTask(document="pump.txt", task="summarise"))
    (last,) = answer(request, FakeServices(FakeModelBackend()), RequestContext())
    assert isinstance(last, events.Failed)
    assert "collection" in last.message


def test_usage_of_nothing_is_nothing() -> None:
    task = DocumentTask(document="pump.txt", task="extract", columns=("Part",))
    _, result = work(task, FakeModelBackend([""]), SHORT)
    assert isinstance(result.usage, Usage)
    assert result.usage.new_tokens == 0
