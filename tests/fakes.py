"""Fakes for what costs seconds in real life: a language model and a collection, both fed by the test."""

from __future__ import annotations

import contextlib
import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workbench.api.events import TERMINAL, BeamStep, Cancelled, Event, Progress, TextDelta
from workbench.api.protocol import RequestContext, finish
from workbench.backends.backend import Loading, ModelUse
from workbench.base.errors import UserError
from workbench.engine.inference_calls import (
    AssistantStart,
    Generate,
    Generated,
    LoraUse,
    Rendered,
    RewardText,
    Score,
    Scored,
    Scores,
    TokenizerInfo,
    start_text,
)
from workbench.engine.tool_format import ToolFormat
from workbench.reading.table_query import Database, QueryProblem, Table, TableInfo, TableRows, table_of
from workbench.records.agents import Fact
from workbench.records.capabilities import LOCAL, Capabilities
from workbench.records.demonstrations import Demonstration
from workbench.records.documents import Chunk, Collection, Document, DocumentText, SearchResult
from workbench.records.exam import ExamResult
from workbench.records.messages import Beam, ChosenToken, Message, Passage, Usage
from workbench.records.models import ModelRecord
from workbench.records.recipes import DecodingPart, Example, Recipe
from workbench.subjects.answering.request import AnswerRequest, Resolved
from workbench.techniques.agents.calling import NEUTRAL
from workbench.techniques.decoding.formats import matches_regex
from workbench.techniques.embedding_calls import NamedIn, QuestionVector, Retriever, TableReply, TermStatistics
from workbench.techniques.services import Helpers
from workbench.techniques.tools.services import PythonResult, ToolUnavailable, ValueForm
from workbench.techniques.tools.tool import Tool

Reply = str | Sequence[str] | Exception | Generated
Replies = Callable[[Sequence[Message], DecodingPart, str], Reply]
"""What is answered to messages, after the answer's beginning."""


def whole_start(start: AssistantStart) -> str:
    """An answer's beginning with its markers."""
    return start if isinstance(start, str) else "".join(p if isinstance(p, str) else p.text for p in start)


class FakeModelBackend:
    """Answers from a queue of replies: a text (streamed word by word), its pieces, or an exception to raise.

    A ``Generated`` with ``sequences`` streams them side by side, numbered by ``streamed_as`` (empty: by their
    places); under beam search nothing streams but a step. ``requests`` keeps what was asked, ``continued`` prompts
    and answers that were continued; ``scores`` is a queue of lists of log-probabilities (otherwise each word costs
    -2). Both may be functions instead. ``together`` counts the requests of each ``generate_many``, ``starts`` are the
    answers' beginnings with their markers, ``tools`` those of each request. One word is one token. The scores that
    agents are calibrated by (``choosing.NEUTRAL``) are 0 each, and are not counted. Once ``cancelled`` says so an
    answer ends with what there is. An empty queue is an AssertionError: the test did not expect the question.
    """

    def __init__(
        self,
        replies: Iterable[Reply] | Replies = (),
        *,
        scores: Iterable[Sequence[float]] | Callable[[Score], Sequence[float]] = (),
        context_tokens: int = 2048,
        parameters: int | None = 135_000_000,
        languages: tuple[str, ...] = (),
        cancelled: Callable[[], bool] = lambda: False,
        streamed_as: Sequence[int] = (),
        capabilities: Capabilities = LOCAL,
        tool_format: ToolFormat | None = None,
    ) -> None:
        self.engine = "fake 1"
        self.context_tokens = context_tokens
        self.parameters = parameters
        self.languages = languages
        self.capabilities = capabilities
        self.replies = replies if callable(replies) else deque(replies)
        self.scores = scores if callable(scores) else deque(scores)
        self.requests: list[tuple[Message, ...]] = []
        self.decodings: list[DecodingPart] = []
        self.starts: list[str] = []
        self.tools: list[tuple[dict[str, Any], ...]] = []
        self.together: list[int] = []
        self.continued: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self.scored: list[tuple[tuple[Message, ...], tuple[str, ...]]] = []
        self._cancelled = cancelled
        self._tool_format = tool_format or ToolFormat()
        self._streamed_as = streamed_as

    def generate(
        self,
        messages: Sequence[Message],
        decoding: DecodingPart,
        assistant_start: AssistantStart = "",
        tools: Sequence[dict[str, Any]] = (),
    ) -> Iterator[Event]:
        self.requests.append(tuple(messages))
        self.tools.append(tuple(tools))
        prompt_tokens = sum(self.count_tokens([m.content for m in messages]))
        reply = self._next(messages, decoding, whole_start(assistant_start))
        yield from self._reply(reply, decoding, prompt_tokens, start_text(assistant_start))

    def continue_from(self, prompt: Sequence[int], answer: Sequence[int], decoding: DecodingPart) -> Iterator[Event]:
        self.continued.append((tuple(prompt), tuple(answer)))
        yield from self._reply(self._next((), decoding, ""), decoding, len(prompt), "")

    def generate_many(self, requests: Sequence[Generate], context: RequestContext) -> Iterator[tuple[int, Event]]:
        """Each in its turn, one event of each."""
        self.together.append(len(requests))
        streams: dict[int, Iterator[Event]] = {}
        for place, one in enumerate(requests):
            if one.prompt:
                streams[place] = self.continue_from(one.prompt, one.answer, one.decoding)
            else:
                streams[place] = self.generate(one.messages, one.decoding, one.assistant_start, one.tools)
        while streams:
            for place, stream in list(streams.items()):
                event = Cancelled() if context.cancelled or context.part(place).cancelled else next(stream)
                yield place, event
                if isinstance(event, TERMINAL):
                    del streams[place]

    def _next(self, messages: Sequence[Message], decoding: DecodingPart, start: str) -> Reply:
        self.decodings.append(decoding)
        self.starts.append(start)
        if callable(self.replies):
            return self.replies(messages, decoding, start)
        assert self.replies, f"nothing was queued for {messages[-1].content if messages else 'a continuation'!r}"
        return self.replies.popleft()

    def _reply(self, reply: Reply, decoding: DecodingPart, prompt_tokens: int, assistant_start: str) -> Iterator[Event]:
        if isinstance(reply, Exception):
            raise reply
        result = reply if isinstance(reply, Generated) else None
        if result is not None and result.sequences:
            yield from self._several(result, decoding)
            return
        whole = result.text if result else reply
        pieces = _words_of(whole) if isinstance(whole, str) else list(whole)  # type: ignore[arg-type]
        if assistant_start:
            pieces.insert(0, assistant_start)
        for number, piece in enumerate(pieces):
            if self._cancelled():
                usage = Usage(prompt_tokens=prompt_tokens, new_tokens=number)
                told = finish(Generated(text="".join(pieces[:number]), finish="cancelled", usage=usage))
                yield Cancelled(result=told.result)
                return
            yield TextDelta(text=piece)
        usage = Usage(prompt_tokens=prompt_tokens, new_tokens=len(pieces))
        yield finish(result or Generated(text="".join(pieces), usage=usage))

    def _several(self, result: Generated, decoding: DecodingPart) -> Iterator[Event]:
        if decoding.strategy == "beam":
            yield BeamStep(number=0, beams=(Beam(parent=-1, token=1, text="x", score=-1.0),))
        else:
            numbers = self._streamed_as or range(len(result.sequences))
            streams = [(n, _words_of(s.text)) for n, s in zip(numbers, result.sequences, strict=True)]
            while any(words for _, words in streams):
                for number, words in streams:
                    if words:
                        yield TextDelta(text=words.pop(0), sequence=number)
        yield finish(result)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\S+", text)) for text in texts]

    def inspect(
        self, prompt: Sequence[int], answer: Sequence[int], alternatives: int, last: int
    ) -> tuple[ChosenToken, ...]:
        return tuple(ChosenToken(token=token, text=f"{token} ", logprob=-1.0) for token in answer[-last:])

    def tokenize(self, texts: Sequence[str], *, special: bool, begin: bool) -> list[tuple[int, ...]]:
        return [(*((1,) if begin else ()), *map(ord, text)) for text in texts]

    def detokenize(self, sequences: Sequence[Sequence[int]]) -> list[str]:
        return ["".join(map(chr, tokens)) for tokens in sequences]

    def describe_tokenizer(self) -> TokenizerInfo:
        return TokenizerInfo(vocabulary=256)

    def render(self, request: Generate) -> Rendered:
        text = "\n".join(f"<{one.role}>{one.content}" for one in request.messages)
        return Rendered(text=text, tokens=self.count_tokens([text])[0])

    def tool_format(self) -> ToolFormat:
        return self._tool_format

    def score_rewards(self, adapter: LoraUse, texts: Sequence[RewardText], context: RequestContext) -> list[float]:
        """Longer answers are better."""
        return [float(len(one.answer)) for one in texts]

    def score_many(self, requests: Sequence[Score], context: RequestContext) -> list[Scores]:
        return [self._scores(one) for one in requests]

    def _scores(self, asked: Score) -> Scores:
        texts = [one for one in asked.continuations if isinstance(one, str)]
        if asked.messages and asked.messages[-1] == NEUTRAL:
            calibrating = tuple(Scored(logprob=0.0, tokens=1) for _ in texts)
            return Scores(values=calibrating, usage=Usage(new_tokens=len(texts)))
        self.scored.append((asked.messages, tuple(texts)))
        tokens = self.count_tokens(texts)
        if callable(self.scores):
            logprobs = self.scores(asked)
        else:
            logprobs = self.scores.popleft() if self.scores else [-2.0 * n for n in tokens]
        values = tuple(Scored(logprob=p, tokens=n) for p, n in zip(logprobs, tokens, strict=True))
        return Scores(values=values, usage=Usage(new_tokens=sum(tokens)))


class FakeServices:
    """Hands one model and one collection to ``answering``. ``leases`` tells each lease's ``background``; ``leased`` is
    how many are held now. The recipe's seed is drawn as 7."""

    def __init__(
        self, model: FakeModelBackend, retriever: FakeRetriever | None = None, exam: ExamResult | None = None
    ) -> None:
        self.model = model
        self.exam = exam
        self._retriever = retriever
        self.tool_services: FakeToolServices | None = None
        self.recipes: dict[str, Recipe] = {}
        self.question_sets: dict[str, Sequence[Example]] = {}
        self.saved_demonstrations: Sequence[Demonstration] = ()
        self.other_collections: Sequence[Retriever] = ()
        self.leases: list[bool] = []
        self.leased = 0

    def resolve(self, recipe: Recipe) -> Resolved:
        collections = (self._retriever.collection,) if self._retriever is not None else ()
        resolved = msgspec.structs.replace(recipe, decoding=msgspec.structs.replace(recipe.decoding, seed=7))
        model = msgspec.structs.replace(MODEL, exam=self.exam, name=recipe.model.name or MODEL.name)
        adapters = tuple(LoraUse(path=one.name, scale=one.scale) for one in recipe.model.adapters)
        return Resolved(recipe=resolved, model=model, use=ModelUse(adapters=adapters), collections=collections)

    def capabilities(self, resolved: Resolved) -> Capabilities:
        return self.model.capabilities

    def declared(self, request: AnswerRequest, resolved: Resolved) -> Resolved:
        return resolved

    def origin_titles(self, origins: Sequence[str]) -> Sequence[str]:
        return origins

    @contextlib.contextmanager
    def lease(self, resolved: Resolved, context: RequestContext, *, background: bool = False) -> Iterator[Loading]:
        self.leases.append(background)

        def loading() -> Loading:
            yield Progress(stage="loading the model")
            self.leased += 1
            return self.model

        try:
            yield loading()
        finally:
            self.leased -= 1

    def retriever(
        self,
        collections: Sequence[Collection],
        context: RequestContext,
        files: Sequence[str] = (),
        *,
        rerank: bool = True,
    ) -> FakeRetriever:
        assert self._retriever is not None
        return self._retriever

    def helpers(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> Helpers:
        def reward_model(name: str) -> LoraUse:
            if name != "taste":
                raise UserError(f"There is no adapter {name}.")
            return LoraUse(path=name)

        return Helpers(
            similarities=lambda texts, others: FakeRetriever().similarities(list(texts), list(others)),
            demonstrations=lambda: self.saved_demonstrations,
            examples=lambda question_set: self.question_sets[question_set],
            matches=matches_regex,
            run_python=lambda code, inputs: self.tools(resolved, retriever, context, chat).run_python(
                code, inputs, context
            ),
            reward_model=reward_model,
            other_collections=lambda: self.other_collections,
        )

    def tools(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> FakeToolServices:
        if self.tool_services is None:
            self.tool_services = FakeToolServices(retriever=self._retriever)
        return self.tool_services

    def recipe(self, name: str) -> Recipe:
        if name not in self.recipes:
            raise UserError(f"There is no saved recipe {name!r}.")
        return self.recipes[name]

    def checksum(self, resolved: Resolved) -> str:
        return "f00d"


class FakeToolServices:
    """What tools use: a retriever, a folder, tables, facts in memory, and programs that are answered by ``python``.

    ``facts_asked`` keeps the queries; ``servers`` are tools of MCP servers by name."""

    def __init__(
        self,
        *,
        retriever: FakeRetriever | None = None,
        folder: Path | None = None,
        tables: Sequence[tuple[str, Path]] = (),
        python: Callable[[str, Mapping[str, Any]], PythonResult] | None = None,
        servers: Iterable[Tool] = (),
        offline: bool = False,
    ) -> None:
        self.offline = offline
        self.retriever = retriever
        self.folder = folder
        self.python = python
        self.kept: list[Fact] = []
        self.facts_asked: list[str] = []
        self._tables = tables
        self._servers = {tool.name: tool for tool in servers}

    def sandbox_problem(self) -> str:
        return "" if self.python is not None else "There is no sandbox."

    def run_python(self, code: str, inputs: Mapping[str, Any], context: RequestContext) -> PythonResult:
        assert self.python is not None
        return self.python(code, inputs)

    def tables(self) -> Sequence[tuple[str, Path]]:
        return self._tables

    def table_infos(self, context: RequestContext) -> Sequence[TableInfo]:
        return [TableInfo(name=one.name, columns=one.columns, rows=len(one.rows)) for one in self._read()]

    def query_tables(self, sql: str, context: RequestContext) -> TableRows:
        database = Database(self._read())
        try:
            return database.query(sql, 20)
        except QueryProblem as problem:
            raise UserError(f"The query failed: {problem}.") from problem
        finally:
            database.close()

    def _read(self) -> list[Table]:
        found = []
        for name, path in self._tables:
            with path.open(newline="", encoding="utf-8") as file:
                found.append(table_of(name, list(csv.reader(file))))
        return found

    def facts(self, query: str, limit: int) -> Sequence[Fact]:
        self.facts_asked.append(query)
        return self.kept[:limit]

    def remember(self, text: str, source: str) -> Fact:
        self.kept.append(Fact(id=str(len(self.kept) + 1), text=text, source=source))
        return self.kept[-1]

    def read_value(self, text: str, question: str, form: ValueForm, context: RequestContext) -> str:
        raise UserError("There is no model.")

    def server_tool(self, name: str, context: RequestContext) -> Tool:
        if name not in self._servers:
            raise ToolUnavailable(f"there is no tool {name}.")
        return self._servers[name]


MODEL = ModelRecord(
    name="Fake",
    kind="chat",
    format="gguf",
    path="/models/fake.gguf",
    architecture="fake",
    parameters=135_000_000,
    quantization="",
    context_tokens=2048,
    bytes=1,
)


PAPERS = Collection(id="c", name="papers", documents=3)


class FakeRetriever:
    """A collection of passages held in memory, searched by the share of the query's words in a passage.

    ``results`` is a queue of hit lists that go before that. ``queries`` keeps what was searched for. Similarity is
    the share of common words (Jaccard), so that texts about the same thing are alike.
    """

    def __init__(
        self,
        passages: Iterable[Passage] = (),
        *,
        results: Iterable[Sequence[Passage]] = (),
        documents: Iterable[DocumentText] = (),
        collection: Collection = PAPERS,
    ) -> None:
        self.collection = collection
        self.passages = list(passages)
        self.results = deque(results)
        self.texts = {text.document.id: text for text in documents}
        self.queries: list[str] = []
        self.table_reply: TableReply | None = None
        self.named: dict[str, NamedIn] = {}

    def search(self, query: str, limit: int) -> SearchResult:
        self.queries.append(query)
        if self.results:
            return SearchResult(hits=tuple(self.results.popleft())[:limit], revision=1)
        wanted = _words(query)
        scored = [(len(wanted & _words(p.text)) / max(1, len(wanted)), p) for p in self.passages]
        scored.sort(key=lambda pair: -pair[0])
        hits = (msgspec.structs.replace(p, score=s, similarity=s) for s, p in scored if s > 0)
        return SearchResult(hits=tuple(hits)[:limit], revision=1)

    def document(self, document: str) -> DocumentText:
        if document not in self.texts:
            raise UserError(f"There is no document {document}.")
        return self.texts[document]

    def documents(self) -> list[tuple[str, Document]]:
        return [(self.collection.id, text.document) for text in self.texts.values()]

    def similarities(self, texts: list[str], others: list[str]) -> list[list[float]]:
        return [[_alike(_words(a), _words(b)) for b in others] for a in texts]

    def question_similarities(self, question: str, texts: list[str]) -> list[float]:
        return self.similarities([question], texts)[0]

    def embed_question(self, question: str) -> QuestionVector:
        return QuestionVector()

    def cross_encode(self, question: str, passages: list[list[str]]) -> list[list[float]]:
        return []

    def count_terms(self, query: str) -> TermStatistics:
        terms = {w: sum(w in _words(p.text) for p in self.passages) for w in _words(query) if len(w) > 3}
        return TermStatistics(chunks=len(self.passages), terms=terms)

    def names_in(self, text: str, limit: int) -> NamedIn:
        return next((named for name, named in self.named.items() if name in text), NamedIn())

    def ask_tables(self, question: str, language: str, *, read: bool = True) -> TableReply | None:
        return self.table_reply


def passage(text: str, document: str = "pump.txt", *, start: int = 0, score: float = 0.0, n: int = 0) -> Passage:
    """A passage of a document of the collection ``papers``."""
    return Passage(
        collection="papers",
        document=document,
        document_hash=f"hash of {document}",
        path=f"/documents/{document}",
        title=document.partition(".")[0],
        start=start,
        end=start + len(text),
        text=text,
        score=score,
        similarity=score,
        n=n,
    )


def document_text(
    text: str, document: str = "pump.txt", *, title: str = "", chunks: Sequence[Chunk] = ()
) -> DocumentText:
    """A document's text with one chunk over all of it, unless given others."""
    return DocumentText(
        document=Document(
            id=document,
            path=f"/documents/{document}",
            title=title or document.partition(".")[0],
            kind="txt",
            state="indexed",
            chunks=len(chunks) or 1,
            characters=len(text),
            hash=f"hash of {document}",
        ),
        text=text,
        chunks=tuple(chunks) or (Chunk(start=0, end=len(text)),),
    )


def _words_of(text: str) -> list[str]:
    """The text cut before each word."""
    return re.findall(r"\s*\S+|\s+$", text)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _alike(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0
