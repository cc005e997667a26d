"""Answers from real documents by the real starter models, through the whole core."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.adapters import write_adapter
from tests.local_front import LocalFront
from workbench.api import events
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.answers import AskResult, DocumentTask
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, Recipe, RetrievalPart
from workbench.subjects.adapters.calls import ImportAdapter
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.calls import AddDocuments, CreateCollection, ListDocuments
from workbench.subjects.models.calls import RegisterStarter
from workbench.subjects.runs.calls import FollowRun

DOCUMENTS = {
    "pump.txt": "The Aquaflow pump carries a warranty of 36 months from delivery. Claims must be made in writing. "
    "The motor draws 750 watts and the pump weighs 14 kilograms.",
    "castle.txt": "Riegersburg Castle was built by Rudiger of Hohenberg in 1122. A fire destroyed its roof in 1797 and "
    "it was rebuilt in 1803. Today a museum about witches attracts visitors.",
    "bread.md": "# Rye bread\n\nRye bread needs a sourdough of rye flour and water. Bake it for 55 minutes at 230.",
}
RECIPE = Recipe(
    retrieval=RetrievalPart(mode="own-words", collection="papers"),
    decoding=DecodingPart(max_tokens=40),
)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, smollm_path: Path, minilm_path: Path) -> Iterator[LocalFront]:
    folder = tmp_path_factory.mktemp("answering")
    documents = folder / "documents"
    documents.mkdir()
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text, "utf-8")
    workbench = Workbench(Home(folder / "home"))
    workbench.start()
    front = LocalFront(workbench)
    front.call(RegisterStarter())
    front.call(CreateCollection(name="papers"))
    run = front.call(AddDocuments(collection="papers", paths=(str(documents),)))
    front.call(FollowRun(run=run.id))
    yield front
    front.close()
    workbench.close()


def ask(front: LocalFront, question: str, chat: str | None = None, recipe: Recipe = RECIPE) -> AskResult:
    pieces: list[str] = []

    def watch(event: events.Event) -> None:
        if isinstance(event, events.TextDelta) and not event.step:
            pieces.append(event.text)

    result = front.call(Ask(question=question, recipe=recipe, chat=chat), watch)
    assert "".join(pieces) == result.answer
    return result


def test_answer_is_found_and_cited(front: LocalFront) -> None:
    result = ask(front, "How long is the warranty of the Aquaflow pump?")
    assert not result.declined
    assert "36" in result.answer
    assert "[1]" in result.answer
    (citation,) = result.citations
    assert citation.text == DOCUMENTS["pump.txt"]
    assert Path(citation.path).name == "pump.txt"


def test_follow_up_finds_what_it_is_about(front: LocalFront) -> None:
    first = ask(front, "Who built Riegersburg Castle?")
    assert [Path(p.path).name for p in first.passages] == ["castle.txt"]
    second = ask(front, "And when was it rebuilt?", first.chat)
    assert not second.declined
    assert [Path(p.path).name for p in second.passages] == ["castle.txt"]
    assert "Riegersburg" in second.query


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital city of Australia?",
        "Who won the football World Cup in 2014?",
        "What do pandas eat in China?",
    ],
)
def test_what_the_documents_do_not_hold_is_declined(front: LocalFront, question: str) -> None:
    result = ask(front, question)
    assert result.declined
    assert result.citations == ()
    assert result.usage.new_tokens == 0
    assert result.answer.startswith("I could not find")


def test_only_the_chosen_files_are_searched(front: LocalFront) -> None:
    paths = {Path(d.path).name: d.path for d in front.call(ListDocuments(collection="papers")).documents}

    def only(*names: str) -> Recipe:
        files = tuple(paths.get(name, name) for name in names)
        part = RetrievalPart(collection="papers", mode="own-words", decline=False, passages=3, files=files)
        return msgspec.structs.replace(RECIPE, retrieval=part)

    question = "How long is the warranty of the Aquaflow pump?"
    found = ask(front, question, recipe=only("castle.txt", "bread.md"))
    (search,) = [step for step in found.trace.steps if step.kind == "search"]
    assert search.output.startswith("2 passages found")  # one of each chosen file
    assert {Path(p.path).name for p in found.passages} == {"castle.txt", "bread.md"}
    for name in ("castle.txt", "bread.md", "pump.txt"):
        assert {Path(p.path).name for p in ask(front, question, recipe=only(name)).passages} == {name}
    with pytest.raises(UserError, match=r"/gone\.txt is not in papers any more"):
        front.call(Ask(question=question, recipe=only("/gone.txt")))


def test_a_recipe_without_reranking_keeps_the_order_of_the_first_search(front: LocalFront) -> None:
    def scores(rerank: bool) -> dict[str, float]:
        part = RetrievalPart(collection="papers", mode="own-words", decline=False, passages=3, rerank=rerank)
        question = "How long does the Aquaflow pump of the castle bake?"
        found = ask(front, question, recipe=msgspec.structs.replace(RECIPE, retrieval=part))
        return {Path(one.path).name: one.score for one in found.passages}

    reranked, first = scores(True), scores(False)
    assert set(first) == set(reranked) == set(DOCUMENTS)
    assert first != pytest.approx(reranked, rel=1e-3)


def test_whole_document_is_summarised(front: LocalFront) -> None:
    (document,) = [
        d for d in front.call(ListDocuments(collection="papers")).documents if Path(d.path).name == "castle.txt"
    ]
    task = DocumentTask(document=document.path, task="summarise")
    result = front.call(Ask(question="Summarise castle.txt", recipe=RECIPE, document=task))
    assert "castle" in result.answer.lower()
    assert [p.text for p in result.passages] == [DOCUMENTS["castle.txt"]]
    assert {c.n for c in result.citations} <= {1}


def test_spans_that_a_model_with_an_adapter_chooses_stand_in_their_passage(
    front: LocalFront, smollm_path: Path, tmp_path: Path
) -> None:
    file = write_adapter(smollm_path, tmp_path / "noise.gguf", strength=0.05)
    adapter = front.call(ImportAdapter(path=str(file)))
    part = RetrievalPart(mode="quoted", quote_length="span", collection="papers")
    plain = Recipe(retrieval=part, decoding=DecodingPart(temperature=0.0))
    adapted = msgspec.structs.replace(plain, model=ModelPart(adapters=(AdapterUse(name=adapter.name),)))
    scores = []
    for recipe in (plain, adapted):
        result = ask(front, "How long is the warranty of the Aquaflow pump?", recipe=recipe)
        assert result.verification is not None
        assert result.verification.statements
        for one in result.verification.statements:
            (passage,) = [p for p in result.passages if p.n == one.n]
            start, end = (one.span_start, one.span_end) if one.span_end else (one.sentence_start, one.sentence_end)
            assert passage.text[start - passage.start : end - passage.start] == result.answer[one.start : one.end]
        assert result.trace is not None
        scores += [step.score for step in result.trace.steps if step.kind == "quote"]
    assert len(set(scores)) == 2  # the adapter was on the model
