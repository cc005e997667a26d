"""Typed requests for whole documents, over the roads ``whole`` and ``compare``; a small model quotes."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, document_text, passage
from tests.unit.retrieval.test_comparison import NEW, OLD
from tests.unit.retrieval.test_extracts import TEXT
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Generated
from workbench.records.answers import AskResult, DocumentTask
from workbench.records.documents import DocumentText
from workbench.records.messages import Message, Passage
from workbench.records.outcomes import Road
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.subjects.answering.answer import AnswerRequest, answer
from workbench.subjects.runs.journal import TaskSections
from workbench.techniques.retrieval.own_summary import whole_sentences

DOCUMENTS = (
    document_text(TEXT, "Contract Veldstra.docx", title="Contract"),
    document_text(OLD, "Rules 2021.docx", title="Rules"),
    document_text(NEW, "Rules 2025.docx", title="Rules"),
)


def ask(
    question: str,
    road: Road = "whole",
    model: FakeModelBackend | None = None,
    documents: tuple[DocumentText, ...] = DOCUMENTS,
    passages: tuple[Passage, ...] = (),
) -> tuple[AskResult, list[events.Event]]:
    recipe = Recipe(retrieval=RetrievalPart(collection="papers", road=road))
    request = AnswerRequest(conversation=(Message("user", question),), recipe=recipe)
    services = FakeServices(model or FakeModelBackend(), FakeRetriever(passages, documents=documents))
    made = list(answer(request, services, RequestContext()))
    assert isinstance(made[-1], events.Finished), made[-1]
    return msgspec.convert(made[-1].result, AskResult), made


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\d[\d.,]*", re.sub(r"\[\d+\]", "", text)))


def test_summary_quotes_under_the_headings() -> None:
    result, _ = ask("Summarise the contract with Veldstra")
    assert "**Term**\n\n- “The contract runs for 24 months from 1 February 2025.” [1]" in result.answer
    assert numbers(result.answer) <= numbers(TEXT)
    assert (result.outcome, result.road, result.reasons) == ("found", "whole", ())
    assert {Path(citation.path).name for citation in result.citations} == {"Contract Veldstra.docx"}
    assert result.verification is not None
    for statement in result.verification.statements:
        said = result.answer[statement.start : statement.end]
        assert said in TEXT[statement.sentence_start : statement.sentence_end]


def test_list_says_how_many_entries_and_where() -> None:
    result, _ = ask("List all dates of the Veldstra contract")
    assert result.answer.startswith("3 entries in Contract Veldstra.docx under *Contract · Dates*:")
    assert "“21 June: summer party” [1]\n- “5 July: outing” [1]\n- “23 August: championship” [1]" in result.answer


def test_summary_of_a_part() -> None:
    result, _ = ask("Summarise the rates in the Veldstra contract")
    assert "42 euros" in result.answer
    assert "24 months" not in result.answer


def test_overview_of_all_documents() -> None:
    result, _ = ask("What are all the documents about?")
    assert re.findall(r"\*\*(.+?)\*\*", result.answer) == [
        "Contract Veldstra.docx", "Rules 2021.docx", "Rules 2025.docx",
    ]  # fmt: skip


def test_comparison_pairs_the_older_with_the_newer() -> None:
    result, _ = ask("What has changed in the rules?", "compare")
    assert result.answer.startswith("Rules 2021.docx → Rules 2025.docx: 3 differences")
    assert "“At most 12 km/h in the hall.” [1] → “At most 10 km/h in the hall.” [2]" in result.answer
    assert "Only in Rules 2025.docx:\n\n**Dogs**\n\n- “Dogs stay in the car.”" in result.answer
    assert (result.outcome, result.road) == ("found", "compare")


def test_document_that_is_not_named_is_a_reason_to_doubt() -> None:
    result, _ = ask("List the dates", passages=(passage("dates of the summer", "Contract Veldstra.docx"),))
    assert result.outcome == "perhaps"
    assert "Contract Veldstra.docx" in result.reasons[0].text


def test_list_below_a_heading_that_is_named_in_a_document_that_is_named_is_not_doubted() -> None:
    hits = (passage("the rules of the radio", "Rules 2021.docx"),)
    result, _ = ask("List the dates of the contract", passages=hits)
    assert (result.outcome, result.citations[0].path) == ("found", "/documents/Contract Veldstra.docx")


def test_large_model_writes_and_is_checked() -> None:
    model = FakeModelBackend(["It runs for 24 months. The hour costs 95 euros."], parameters=8_000_000_000)
    result, _ = ask("Summarise the contract with Veldstra", model=model)
    assert result.answer.startswith("It runs for 24 months")
    assert result.outcome == "perhaps"  # 95 stands nowhere
    assert result.road == "whole"


def test_request_without_documents_takes_the_road_of_one_place() -> None:
    result, _ = ask("Summarise it", documents=())
    assert result.road == "place"


def test_pressed_summary_of_a_small_model_quotes_as_well() -> None:
    request = AnswerRequest(recipe=Recipe(), task=DocumentTask(document="Contract Veldstra.docx", task="summarise"))
    services = FakeServices(FakeModelBackend(), FakeRetriever(documents=DOCUMENTS))
    *_, last = answer(request, services, RequestContext())
    assert isinstance(last, events.Finished)
    result = msgspec.convert(last.result, AskResult)
    assert "“The hour costs 42 euros.” [" in result.answer
    assert any("quotes" in notice for notice in result.notices)
    assert result.verification is not None
    assert result.verification.quoted == len(result.answer)


def test_share_of_the_progress_never_falls() -> None:
    said = ["It is made of steel and more steel and steel again."] * 40
    long = "\n\n".join(f"Part {n} of the pump costs {n}0 euros. " + "It is made of steel. " * 8 for n in range(1, 20))
    model = FakeModelBackend(said, context_tokens=120)
    own = Recipe(retrieval=RetrievalPart(mode="own-words"))
    for recipe in (own, Recipe()):
        request = AnswerRequest(recipe=recipe, task=DocumentTask(document="pump.txt", task="summarise"))
        services = FakeServices(model, FakeRetriever(documents=[document_text(long)]))
        made = list(answer(request, services, RequestContext()))
        shares = [one.done / one.total for one in made if isinstance(one, events.Progress) and one.total]
        assert shares == sorted(shares)
        assert len(shares) > 1
        assert all(share < 1 for share in shares)


class Counting(FakeRetriever):
    """Counts the calls, and cancels at one of them."""

    calls = 0
    cancel_at = 0
    context: RequestContext

    def similarities(self, texts: list[str], others: list[str]) -> list[list[float]]:
        self.calls += 1
        if self.calls == self.cancel_at:
            self.context.cancel()
        return super().similarities(texts, others)


def test_stop_keeps_the_sections_until_then_and_a_resumed_task_measures_the_rest(tmp_path: Path) -> None:
    task = AnswerRequest(recipe=Recipe(), task=DocumentTask(document="Contract Veldstra.docx", task="summarise"))
    stopped = Counting(documents=DOCUMENTS)
    stopped.cancel_at, stopped.context = 2, RequestContext()
    *_, last = answer(task, FakeServices(FakeModelBackend(), stopped), stopped.context, saved=TaskSections(tmp_path))
    assert isinstance(last, events.Cancelled)
    kept = msgspec.convert(last.result, AskResult)
    assert "24 months" in kept.answer
    assert "42 euros" in kept.answer
    assert "June" not in kept.answer
    assert any("2 of the document's 3 sections" in notice for notice in kept.notices)
    resumed = Counting(documents=DOCUMENTS)
    *_, last = answer(task, FakeServices(FakeModelBackend(), resumed), RequestContext(), saved=TaskSections(tmp_path))
    assert isinstance(last, events.Finished)
    assert "June" in msgspec.convert(last.result, AskResult).answer
    assert resumed.calls == 1


@pytest.mark.parametrize(
    ("finish", "said"), [("length", "Seals cost 12 euros."), ("eos", "Seals cost 12 euros. Rotors cost")]
)
def test_summary_of_a_section_ends_with_a_sentence(finish: str, said: str) -> None:
    made = Generated(text="Seals cost 12 euros. Rotors cost", finish=finish)  # type: ignore[arg-type]
    assert whole_sentences(made) == said
