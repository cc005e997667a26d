"""What answers are worth: from the model alone, from documents, and from the right paragraph handed over.

    python benchmarks/answers.py

``--data`` (default ../shared/data) holds ``xquad/en``. Its paragraphs become one file each and are ingested by the real
embedding worker; the starter model answers through ``workbench.subjects.answering.answer`` in the real inference
worker. Parts:

    closed     the model alone: does the answer contain a gold answer (normalised as SQuAD does)?
    retrieval  the same from the collection, with the rule that declines switched on, as shipped
    gold       the same with the right paragraph handed over and nothing to decline
    removed    questions whose paragraph is removed from the search results: how many are declined?
    unrelated  the questions of benchmarks/unrelated.txt (or --unrelated FILE), about nothing in the documents
    followups  hit@5 of the scripted follow-ups in benchmarks/followups.jsonl, and of the same questions written out

``--questions`` is how many are drawn, ``--seed`` which ones: of those that the rule that declines was not fitted on
(``FITTED``). Of the cited answers it is counted whether the cited sentence holds the gold answer, not only whether the
paragraph is the right one; benchmarks/trust.py measures quotes and the marks on unsupported answers.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness import DATA, HERE, arguments, holds, read_lines, report

from workbench.api.protocol import RequestContext, drain, follow
from workbench.backends.backend import Loading, ModelBackend, ModelUse
from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.base.errors import UserError
from workbench.base.settings import EngineSettings
from workbench.gguf.inspection import inspect_path
from workbench.processes.host import WorkerHost
from workbench.records.answers import AskResult
from workbench.records.capabilities import Capabilities
from workbench.records.documents import Collection, Document, DocumentText, SearchResult
from workbench.records.messages import Citation, Message, Passage
from workbench.records.models import ModelRecord
from workbench.records.recipes import DecodingPart, Recipe, RetrievalPart
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest, Resolved
from workbench.subjects.documents.embedder import WorkerRetriever
from workbench.subjects.models.starter import find_starters
from workbench.techniques.embedding_calls import Ingest, NamedIn, QuestionVector, Retriever, TableReply, TermStatistics
from workbench.techniques.retrieval.roads.understood import question_of
from workbench.techniques.services import Helpers
from workbench.techniques.tools.services import ToolServices

PARTS = ("closed", "retrieval", "gold", "removed", "unrelated", "followups")
LONGEST_ANSWER = 96  # tokens
FITTED = (1, 320)
"""Seed and number of the questions that the program's figures are not taken from: they are left out of every other
draw."""


class Without:
    """A collection as if some of its documents were not there."""

    def __init__(self, whole: Retriever, documents: set[str]) -> None:
        self._whole = whole
        self._documents = documents

    @property
    def collection(self) -> Collection:
        return self._whole.collection

    def search(self, query: str, limit: int) -> SearchResult:
        found = self._whole.search(query, limit + 4)
        kept = tuple(h for h in found.hits if Path(h.path).stem not in self._documents)
        return SearchResult(hits=kept[:limit], revision=found.revision)

    def document(self, document: str) -> DocumentText:
        return self._whole.document(document)

    def documents(self) -> Sequence[tuple[str, Document]]:
        return self._whole.documents()

    def similarities(self, texts: list[str], others: list[str]) -> list[list[float]]:
        return self._whole.similarities(texts, others)

    def question_similarities(self, question: str, texts: list[str]) -> list[float]:
        return self._whole.question_similarities(question, texts)

    def cross_encode(self, question: str, passages: list[list[str]]) -> list[list[float]]:
        return self._whole.cross_encode(question, passages)

    def count_terms(self, query: str) -> TermStatistics:
        return self._whole.count_terms(query)

    def ask_tables(self, question: str, language: str, *, read: bool = True) -> TableReply | None:
        return None

    def names_in(self, text: str, limit: int) -> NamedIn:
        return self._whole.names_in(text, limit)

    def embed_question(self, question: str) -> QuestionVector:
        return self._whole.embed_question(question)


class HandedOver(Without):
    """A collection in which every search finds one paragraph."""

    def __init__(self, whole: Retriever, name: str, text: str) -> None:
        super().__init__(whole, set())
        self.text = text
        self._passage = Passage(
            collection="",
            document=name,
            document_hash="",
            path=name,
            title=name,
            start=0,
            end=len(text),
            text=text,
        )

    def search(self, query: str, limit: int) -> SearchResult:
        return SearchResult(hits=(self._passage,))


class Services:
    """The starter model and one collection, as ``workbench.subjects.answering.answer`` asks for them."""

    def __init__(self, backend: LlamaCppBackend, model: ModelRecord, retriever: Retriever | None) -> None:
        self._backend = backend
        self._model = model
        self._retriever = retriever

    def resolve(self, recipe: Recipe) -> Resolved:
        collections = (Collection(id="xquad", name="xquad"),) if self._retriever is not None else ()
        return Resolved(recipe=recipe, model=self._model, use=ModelUse(), collections=collections)

    def capabilities(self, resolved: Resolved) -> Capabilities:
        return self._backend.capabilities(resolved.model)

    def declared(self, request: AnswerRequest, resolved: Resolved) -> Resolved:
        return resolved

    def origin_titles(self, origins: Sequence[str]) -> Sequence[str]:
        return origins

    def lease(
        self, resolved: Resolved, context: RequestContext, *, background: bool = False
    ) -> contextlib.AbstractContextManager[Loading]:
        return self._backend.lease(resolved.model, resolved.use, context)

    def retriever(
        self,
        collections: Sequence[Collection],
        context: RequestContext,
        files: Sequence[str] = (),
        *,
        rerank: bool = True,
    ) -> Retriever:
        assert self._retriever is not None
        return self._retriever

    def helpers(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> Helpers:
        return Helpers()

    def tools(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> ToolServices:
        raise UserError("There are no tools here.")

    def recipe(self, name: str) -> Recipe:
        raise UserError(f"There is no recipe {name!r} here.")

    def checksum(self, resolved: Resolved) -> str:
        return ""


class Bench:
    """The workers, the collection and the questions of one run. ``model``: a GGUF file instead of the starter."""

    def __init__(
        self,
        data: Path,
        folder: Path,
        questions: int,
        seed: int,
        show: int,
        unrelated: Path,
        language: str = "en",
        model: Path | None = None,
    ) -> None:
        self._show = show
        self._unrelated_file = unrelated
        source = data / "xquad" / language
        self.paragraphs = {p["id"]: p["text"] for p in read_lines(source / "paragraphs.jsonl")}
        everything = read_lines(source / "questions.jsonl")
        fitted = random.Random(FITTED[0]).sample(everything, min(FITTED[1], len(everything) // 2))
        left = everything if seed == FITTED[0] else [q for q in everything if q not in fitted]
        self.questions = random.Random(seed).sample(left, min(questions, len(left)))
        self._start(folder, self._write_paragraphs, model)

    def _write_paragraphs(self, folder: Path) -> None:
        for name, text in self.paragraphs.items():
            (folder / f"{name}.txt").write_text(text, "utf-8")

    def _start(self, folder: Path, write_documents: Callable[[Path], None], model: Path | None = None) -> None:
        """Start the workers and ingest the documents."""
        self._embedding = WorkerHost("embedding")
        starters = {m.kind: m for m in find_starters(folder / "models")}
        self._model = starters["chat"] if model is None else inspect_path(model).model
        self._backend = LlamaCppBackend(
            lambda on_state: WorkerHost("inference", on_state=on_state), lambda: None, EngineSettings
        )
        documents = folder / "documents"
        documents.mkdir(exist_ok=True)
        write_documents(documents)
        file, embedder = folder / "collection.sqlite", starters["embedder"].path
        self._embedding.call(Ingest(file=str(file), collection="xquad", embedder=embedder, paths=(str(documents),)))
        collection = Collection(id="xquad", name="xquad", documents=len(list(documents.iterdir())))
        self.collection = WorkerRetriever(self._embedding, file, collection, lambda: embedder, RequestContext())

    def close(self) -> None:
        self._backend.host.stop()
        self._embedding.stop()

    def ask(self, question: str, retriever: Retriever | None, recipe: Recipe) -> AskResult:
        request = AnswerRequest(recipe=recipe, conversation=(Message("user", question),))
        services = Services(self._backend, self._model, retriever)
        return drain(follow(AskResult, answer(request, services, RequestContext())))

    @contextlib.contextmanager
    def model(self) -> Iterator[ModelBackend]:
        """The chat model, loaded, for what no answer asks of it."""
        with self._backend.lease(self._model, ModelUse(), RequestContext()) as loading:
            yield drain(loading)

    def measure(self, part: str) -> dict[str, Any]:
        started = time.monotonic()
        result: dict[str, Any] = getattr(self, f"_{part}")()
        return {**result, "seconds": round(time.monotonic() - started, 1)}

    def _closed(self) -> dict[str, Any]:
        return self._answered((q, self.ask(q["question"], None, _recipe())) for q in self.questions)

    def _retrieval(self) -> dict[str, Any]:
        recipe = _recipe(RetrievalPart(collection="xquad"))
        return self._answered((q, self.ask(q["question"], self.collection, recipe)) for q in self.questions)

    def _gold(self) -> dict[str, Any]:
        recipe = _recipe(RetrievalPart(collection="xquad", decline=False))
        return self._answered((q, self.ask(q["question"], self._handed_over(q), recipe)) for q in self.questions)

    def _handed_over(self, question: dict[str, Any]) -> HandedOver:
        name = question["paragraph"]
        return HandedOver(self.collection, name, self.paragraphs[name])

    def _answered(self, results: Iterator[tuple[dict[str, Any], AskResult]]) -> dict[str, Any]:
        right = declined = cited = rightly_cited = supported = cited_and_right = shown = 0
        total = 0
        for question, result in results:
            total += 1
            good = holds(result.answer, question["answers"])
            right += good
            declined += result.declined
            if not result.declined and result.citations:
                cited += 1
                rightly_cited += question["paragraph"] in {Path(c.path).stem for c in result.citations}
                supported += any(holds(_sentence(c), question["answers"]) for c in result.citations)
                cited_and_right += good
            if shown < self._show:
                shown += 1
                print(f"{'+' if good else '-'} {question['question']} | {question['answers'][0]} | {result.answer!r}")
        return {
            "n": total,
            "contains_gold": round(right / total, 4),
            "declined": round(declined / total, 4),
            "cited": round(cited / max(1, total - declined), 4),
            "cited_right_paragraph": round(rightly_cited / max(1, cited), 4),
            "cited_sentence_holds_gold": round(supported / max(1, cited), 4),
            "right_of_cited": round(cited_and_right / max(1, cited), 4),
            "right_of_uncited": round((right - cited_and_right) / max(1, total - declined - cited), 4),
        }

    def _removed(self) -> dict[str, Any]:
        recipe = _recipe(RetrievalPart(collection="xquad"), longest=1)
        wanted = self.questions[:100] if len(self.questions) > 100 else self.questions
        results = [self.ask(q["question"], Without(self.collection, {q["paragraph"]}), recipe) for q in wanted]
        return _declined(results)

    def unrelated_questions(self) -> list[str]:
        return [line.strip() for line in self._unrelated_file.read_text("utf-8").splitlines() if line.strip()]

    def _unrelated(self) -> dict[str, Any]:
        recipe = _recipe(RetrievalPart(collection="xquad"), longest=1)
        results = []
        for question in self.unrelated_questions():
            results.append(self.ask(question, self.collection, recipe))
            if not results[-1].declined and self._show:
                print(f"not declined: {question} | {results[-1].passages[0].text[:80]!r}")
        return _declined(results)

    def _followups(self) -> dict[str, Any]:
        scripts = read_lines(HERE / "followups.jsonl")
        hits = {"follow_up": 0, "as_it_stands": 0, "written_out": 0}
        for script in scripts:
            earlier = [Message(turn["role"], turn["content"]) for turn in script["turns"]]
            conversation = [*earlier, Message("user", script["question"])]
            queries = {
                "follow_up": question_of(conversation, self.collection).question,
                "as_it_stands": script["question"],
                "written_out": script["written_out"],
            }
            for way, asked in queries.items():
                found = [Path(h.path).stem for h in self.collection.search(asked, 10).hits]
                hit = script["paragraph"] in list(dict.fromkeys(found))[:5]
                hits[way] += hit
                if way == "follow_up" and not hit and self._show:
                    print(f"missed: {script['question']} -> {asked}")
        return {"n": len(scripts), **{way: round(n / len(scripts), 4) for way, n in hits.items()}}


@contextlib.contextmanager
def opened(chosen: argparse.Namespace, language: str) -> Iterator[Bench]:
    """The bench of a script with the arguments ``data``, ``questions``, ``seed``, ``keep`` and perhaps ``model``."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = (chosen.keep or Path(temporary)) / language
        folder.mkdir(parents=True, exist_ok=True)
        unrelated = HERE / ("unrelated.txt" if language == "en" else f"unrelated_{language}.txt")
        model = getattr(chosen, "model", None)
        bench = Bench(chosen.data, folder, chosen.questions, chosen.seed, 0, unrelated, language, model)
        try:
            yield bench
        finally:
            bench.close()


def _recipe(retrieval: RetrievalPart | None = None, longest: int = LONGEST_ANSWER) -> Recipe:
    return Recipe(decoding=DecodingPart(max_tokens=longest), retrieval=retrieval)


def _sentence(citation: Citation) -> str:
    """The cited sentence, or the passage where it is not known."""
    start, end = citation.sentence_start - citation.start, citation.sentence_end - citation.start
    return citation.text[start:end] if citation.sentence_end else citation.text


def _declined(results: Sequence[AskResult]) -> dict[str, Any]:
    return {"n": len(results), "declined": round(sum(r.declined for r in results) / len(results), 4)}


def main() -> None:
    chosen = arguments(
        __doc__, "keep", "json", data=DATA, questions=200, seed=0, only=PARTS, unrelated=HERE / "unrelated.txt", show=0
    ).parse_args()
    found: dict[str, Any] = {"questions": chosen.questions, "seed": chosen.seed}
    with contextlib.ExitStack() as stack:
        folder = chosen.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(chosen.data, folder, chosen.questions, chosen.seed, chosen.show, chosen.unrelated)
        try:
            for part in chosen.only:
                found[part] = bench.measure(part)
                print(part, json.dumps(found[part]), flush=True)
        finally:
            bench.close()
    report(found, chosen.json)


if __name__ == "__main__":
    main()
