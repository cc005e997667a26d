"""Everything that other programs may use: answers, vectors and tokens as calls, and the server of the local API.

The server of the local API as the core holds it: on while the settings say so, or a client asks for it.

Answers for other programs: by ``workbench.subjects.answering.answer``, stored nowhere, with a lower
priority than the window.

Probabilities are computed again after the answer, as in the window (``Inspect``): its prompt is still in the prefix
cache. A raw prompt is an answer that is continued from the prompt's last token.

Vectors and relevances of texts, for other programs: by embedding and reranking models of the catalogue.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, finish, follow
from workbench.backends.backend import Loading, ModelBackend
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.settings import ServerSettings
from workbench.base.stored import explained
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.preferences import Preferences
from workbench.core.streams import Handlers, unary
from workbench.engine.inference_calls import Embed, Rank
from workbench.processes.host import WorkerHost
from workbench.records.agents import ToolInfo
from workbench.records.answers import AskResult
from workbench.records.capabilities import Capabilities, require
from workbench.records.messages import Candidate, ChosenToken, Message
from workbench.records.models import ModelRecord
from workbench.records.recipes import DecodingPart, Recipe, literal
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest, Resolved
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.serving.calls import (
    ApiState,
    AskServed,
    DescribeServedTokenizer,
    DetokenizeServed,
    EmbedServed,
    GetApiState,
    ListServedModels,
    RankServed,
    Relevances,
    RenewApiKey,
    ServeApi,
    ServedAnswer,
    ServedModels,
    ServedTokenizer,
    TextToken,
    TokenizeServed,
    TokenList,
    TokensText,
    Vectors,
)
from workbench.subjects.serving.models import ServedRecipes, embedding_model
from workbench.techniques.composition import Prefix
from workbench.techniques.embedding_calls import EmbedTexts, ReadTexts, Similarities, TextsRead

if TYPE_CHECKING:
    from workbench.subjects.serving.http.running import RunningServer


class Serving:
    """``handle`` answers the calls that requests become; ``inference`` is the worker that computes GGUF models."""

    def __init__(
        self,
        home: Home,
        handle: Callable[[Call[Any], RequestContext], Iterator[Event]],
        services: HomeServices,
        catalogue: ModelCatalogue,
        embedding: Embedding,
        inference: WorkerHost,
        preferences: Preferences,
        changes: ChangeNotifier,
    ) -> None:
        self._answers = ServedAnswers(services, ServedRecipes(home.recipes, catalogue))
        self._texts = ServedTexts(catalogue, embedding, inference)
        self.server = ApiService(home, handle, lambda: preferences.current.server, changes)
        self._preferences = preferences
        preferences.when_changed(self.server.follow_settings)

    def handlers(self) -> Handlers:
        return {**self._answers.handlers(), **self._texts.handlers(), **self.server.handlers()}

    def start(self, context: RequestContext) -> None:
        """Serve where the settings say so."""
        if self._preferences.current.server.enabled:
            self.server.follow_settings()


KEY_BYTES = 24
_log = logging.getLogger(__name__)


class ApiService:
    """``handle`` answers the calls of requests. The libraries of the server are imported when it first starts."""

    def __init__(
        self,
        home: Home,
        handle: Callable[[Call[Any], RequestContext], Iterator[Event]],
        settings: Callable[[], ServerSettings],
        changes: ChangeNotifier,
    ) -> None:
        self._home = home
        self._handle = handle
        self._settings = settings
        self._changes = changes
        self._lock = threading.Lock()  # guards what follows
        self._running: RunningServer | None = None
        self._port = 0
        self._asked = 0  # clients that serve whatever the settings say
        self._problem = ""
        self._key = ""

    def handlers(self) -> Handlers:
        return {GetApiState: unary(lambda call: self.state()), RenewApiKey: unary(self.renew), ServeApi: self.serve}

    @property
    def busy(self) -> bool:
        """Whether a request is being answered."""
        running = self._running
        return running is not None and running.counts.now > 0

    def state(self) -> ApiState:
        with self._lock:
            running, problem = self._running, self._problem
        if running is None:
            return ApiState(running=False, key=self._read_key(), problem=problem)
        return ApiState(
            running=True,
            address=running.address,
            key=self._read_key(),
            answered=running.counts.answered,
            refused=running.counts.refused,
        )

    def follow_settings(self) -> None:
        """Start or stop as the settings say. A problem is part of the state."""
        settings = self._settings()
        with self._lock:
            wanted = settings.enabled or self._asked > 0
            moved = settings.enabled and self._running is not None and self._port != settings.port and not self._asked
            if self._running is not None and (not wanted or moved):
                self._stop()
            self._problem = ""
            if wanted and self._running is None:
                try:
                    self._start(settings.port)
                except UserError as error:
                    self._problem = f"{error.message} {error.hint}".strip()
                    _log.warning("The API is not served: %s", self._problem)
        self._changes.publish("api")

    def serve(self, call: ServeApi, context: RequestContext) -> Iterator[Event]:
        """Serve until the call is cancelled."""
        port = call.port or self._settings().port
        with self._lock:
            if self._running is not None and self._port != port:
                raise UserError(
                    f"The API is served already, at {self._running.address}.", "Use that one, or stop it first."
                )
            if self._running is None:
                self._start(port)
            self._asked += 1
        self._changes.publish("api")
        try:
            state = finish(self.state()).result
            yield events.Artifact(kind="api", id=str(port), result=state)
            while not context.wait_cancelled(None):
                pass
            yield events.Cancelled()
        finally:
            with self._lock:
                self._asked -= 1
            self.follow_settings()

    def renew(self, call: RenewApiKey) -> ApiState:
        with self._lock:
            self._write_key()
        self._changes.publish("api")
        return self.state()

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _start(self, port: int) -> None:
        try:
            from workbench.subjects.serving.http.app import make_app
            from workbench.subjects.serving.http.running import RunningServer
        except ImportError as error:
            raise UserError(
                f"The API needs a library that is not installed: {error.name}.", "Install starlette and uvicorn."
            ) from error
        self._read_key()
        app = make_app(self._handle, lambda: self._key, lambda: self._settings().origins)
        self._running = RunningServer(app, port)
        self._port = port
        _log.info("The API is served at %s", self._running.address)

    def _stop(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None
            _log.info("The API is served no more")

    def _read_key(self) -> str:
        """The key, made when there is none."""
        if not self._key:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                self._key = self._home.api_key.read_text("ascii").strip()
        if not self._key:
            self._write_key()
        return self._key

    def _write_key(self) -> None:
        """Make a key: whole or not at all, readable by its owner only. Raises UserError."""
        key = f"wb-{secrets.token_urlsafe(KEY_BYTES)}"
        beside = self._home.api_key.with_name("api.key.new")
        try:
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{key}\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self._home.api_key)
        except OSError as error:
            raise UserError(f"The key of the API cannot be written: {error.strerror or error}.") from error
        self._key = key


TOKENS = Capabilities(token_logprobs=True, continues_from_tokens=True)
RAW = Capabilities(continues_from_tokens=True)


@dataclass(frozen=True, eq=False)
class ServedAnswers:
    _services: HomeServices
    _recipes: ServedRecipes

    def handlers(self) -> Handlers:
        return {
            ListServedModels: unary(lambda call: ServedModels(models=self._recipes.list_all())),
            AskServed: self.ask,
            TokenizeServed: self.tokenize,
            DetokenizeServed: self.detokenize,
            DescribeServedTokenizer: self.describe_tokenizer,
        }

    def ask(self, call: AskServed, context: RequestContext) -> Iterator[Event]:
        recipe = changed(self._recipes.find(call.model), call.decoding)
        if call.prompt is not None:
            yield from self._complete(call, call.prompt, recipe, context)
            return
        recipe, messages = with_system(recipe, call.messages)
        tools = tuple(
            ToolInfo(name=one.name, description=one.description, parameters=one.parameters) for one in call.tools
        )
        request = AnswerRequest(recipe=recipe, conversation=messages, tools=tools, must_call=call.must_call, origins=())
        resolved = self._services.resolve(recipe)
        # programs shorten their conversations themselves, when they are refused as too long
        resolved = msgspec.structs.replace(resolved, use=msgspec.structs.replace(resolved.use, whole=True))
        if call.alternatives is not None:
            require(TOKENS, self._services.capabilities(resolved), resolved.model.name)
        result = yield from self._answered(request, resolved, context)
        tokens = yield from self._probabilities(call, result, resolved, context)
        yield finish(ServedAnswer(result=result, prompt_tokens=result.usage.prompt_tokens, tokens=tokens))

    def _answered(
        self, request: AnswerRequest, resolved: Resolved, context: RequestContext
    ) -> Generator[Event, None, AskResult]:
        """The answer. Raises what ended it otherwise."""
        return (
            yield from follow(AskResult, answer(request, self._services, context, background=True, resolved=resolved))
        )

    def _complete(
        self, call: AskServed, prompt: str | tuple[int, ...], recipe: Recipe, context: RequestContext
    ) -> Iterator[Event]:
        """Continue a raw prompt, or only score it. The token that ends an answer counts as one of it, as other servers
        have it: evaluation harnesses expect a token after the prompt.

        The model is leased anew for each part: a lease within another one would wait for a person who waits for the
        outer one to end."""
        plain = msgspec.structs.replace(recipe, retrieval=None, agent=None)
        resolved = self._services.resolve(plain)
        needs = TOKENS if call.alternatives is not None else RAW
        require(needs, self._services.capabilities(resolved), resolved.model.name)
        with self._lease(resolved, context) as loading:
            model = yield from loading
            tokens, text = _prompt_of(prompt, model)
            scored: tuple[ChosenToken, ...] = ()
            if call.echo and call.alternatives is not None:
                # before the generation, which then finds the prompt in the model's memory
                (first,) = model.detokenize([tokens[:1]])
                others = _inspected(model, tokens[:1], tokens[1:], call.alternatives)
                scored = (ChosenToken(token=tokens[0], text=first, logprob=0.0), *others)
        result = AskResult(answer="", sequences=(Candidate(text="", finish="length"),))
        sequences: tuple[tuple[int, ...], ...] = ((),)
        if call.generate:
            request = AnswerRequest(recipe=plain, prefix=Prefix(prompt=tokens, answer=(), question=""), origins=())
            result = yield from self._answered(request, resolved, context)
            sequences = _sequences_of(result)
        answered = ServedAnswer(result=result, prompt_text=text, prompt_tokens=len(tokens), prompt=scored)
        if call.alternatives is not None and not call.generate:
            answered = msgspec.structs.replace(answered, tokens=((),))
        elif call.alternatives is not None:
            with self._lease(resolved, context) as loading:
                model = yield from loading
                ends = (model.describe_tokenizer().eos,)
                sequences = tuple(
                    (*one, *ends) if made.finish == "eos" and ends[0] >= 0 else one
                    for one, made in zip(sequences, result.sequences, strict=True)
                )
                chosen = tuple(_inspected(model, tokens, one, call.alternatives) for one in sequences)
                answered = msgspec.structs.replace(answered, tokens=chosen)
        yield finish(answered)

    def _probabilities(
        self, call: AskServed, result: AskResult, resolved: Resolved, context: RequestContext
    ) -> Generator[Event, None, tuple[tuple[ChosenToken, ...], ...]]:
        """The tokens of a chat answer with their probabilities, where they are asked for and one generation wrote
        it."""
        generation = result.trace.generation if result.trace is not None else None
        if call.alternatives is None or generation is None or generation.tokens is None:
            return ()
        known, alternatives = generation.tokens, call.alternatives
        with self._lease(resolved, context) as loading:
            model = yield from loading
            return tuple(_inspected(model, known.prompt, one, alternatives) for one in known.sequences)

    # -- tokens -----------------------------------------------------------------------------------

    def tokenize(self, call: TokenizeServed, context: RequestContext) -> Iterator[Event]:
        resolved = self._with_vocabulary(call.model)
        with self._lease(resolved, context) as loading:
            model = yield from loading
            (tokens,) = model.tokenize([call.text], special=call.special, begin=call.begin)
            texts = model.detokenize([(token,) for token in tokens])
        shown = tuple(TextToken(token, text) for token, text in zip(tokens, texts, strict=True))
        yield finish(TokenList(model=resolved.model.name, tokens=shown, context_tokens=model.context_tokens))

    def detokenize(self, call: DetokenizeServed, context: RequestContext) -> Iterator[Event]:
        with self._lease(self._with_vocabulary(call.model), context) as loading:
            model = yield from loading
            (text,) = model.detokenize([call.tokens])
        yield finish(TokensText(text=text))

    def describe_tokenizer(self, call: DescribeServedTokenizer, context: RequestContext) -> Iterator[Event]:
        resolved = self._with_vocabulary(call.model)
        with self._lease(resolved, context) as loading:
            model = yield from loading
            info = model.describe_tokenizer()
        yield finish(ServedTokenizer(model=resolved.model.name, **msgspec.structs.asdict(info)))

    def _with_vocabulary(self, name: str) -> Resolved:
        resolved = self._services.resolve(Recipe(model=self._recipes.find(name).model))
        require(RAW, self._services.capabilities(resolved), resolved.model.name)
        return resolved

    def _lease(self, resolved: Resolved, context: RequestContext) -> AbstractContextManager[Loading]:
        return self._services.lease(resolved, context, background=True)


def changed(recipe: Recipe, fields: dict[str, Any]) -> Recipe:
    """The recipe with some fields of its decoding set otherwise. Raises UserError for one out of its range."""
    if not fields:
        return recipe
    try:
        decoding = msgspec.convert({**msgspec.to_builtins(recipe.decoding), **fields}, DecodingPart)
    except msgspec.ValidationError as error:
        raise UserError(f"The request cannot be answered: {explained(error)}.") from error
    return msgspec.structs.replace(recipe, decoding=decoding)


def with_system(recipe: Recipe, messages: Sequence[Message]) -> tuple[Recipe, tuple[Message, ...]]:
    """The client's system messages follow the recipe's own instructions: neither is lost."""
    said = [one.content for one in messages if one.role == "system" and one.content.strip()]
    if not said:
        return recipe, tuple(messages)
    conversation = tuple(one for one in messages if one.role != "system")
    added = "\n\n".join(filter(None, (recipe.prompting.instructions, literal("\n\n".join(said)))))
    prompting = msgspec.structs.replace(recipe.prompting, instructions=added)
    return msgspec.structs.replace(recipe, prompting=prompting), conversation


def _prompt_of(prompt: str | tuple[int, ...], model: ModelBackend) -> tuple[tuple[int, ...], str]:
    """The token ids of a raw prompt, and its text. Raises UserError for one without tokens."""
    if isinstance(prompt, str):
        (tokens,) = model.tokenize([prompt], special=True, begin=True)
        text = prompt
    else:
        (text,) = model.detokenize([prompt])
        tokens = prompt
    if not tokens:
        raise UserError("The prompt is empty.", "Write something first.")
    return tokens, text


def _sequences_of(result: AskResult) -> tuple[tuple[int, ...], ...]:
    """The token ids of an answer's sequences."""
    generation = result.trace.generation if result.trace is not None else None
    return generation.tokens.sequences if generation is not None and generation.tokens is not None else ((),)


def _inspected(
    model: ModelBackend, prompt: Sequence[int], tokens: Sequence[int], alternatives: int
) -> tuple[ChosenToken, ...]:
    """Tokens with their probabilities. A token has the same text as the alternative that it is, so that a client can
    tell whether it was the most probable one."""
    if not tokens:
        return ()
    inspected = model.inspect(prompt, tokens, max(1, alternatives), 0)[: len(tokens)]
    named = []
    for one in inspected:
        text = next((other.text for other in one.alternatives if other.token == one.token), one.text)
        named.append(msgspec.structs.replace(one, text=text, alternatives=one.alternatives[:alternatives]))
    return tuple(named)


@dataclass(frozen=True, eq=False)
class ServedTexts:
    """``inference`` computes GGUF models, the embedding worker the others."""

    _catalogue: ModelCatalogue
    _embedding: Embedding
    _inference: WorkerHost

    def handlers(self) -> Handlers:
        return {EmbedServed: self.embed, RankServed: self.rank}

    def embed(self, call: EmbedServed, context: RequestContext) -> Iterator[Event]:
        model = embedding_model(call.model, self._catalogue, self._embedding)
        _check_embeds(model)
        if model.format == "gguf":
            made = self._inference.call(Embed(path=model.path, texts=call.texts), context=context)
            yield finish(Vectors(model=model.name, vectors=made.vectors, tokens=made.tokens))
            return
        read = self._read(model, call.texts, context)
        vectors = self._embedding.host.call(EmbedTexts(embedder=model.path, texts=read.texts), context=context)
        yield finish(Vectors(model=model.name, vectors=vectors, tokens=sum(read.tokens)))

    def rank(self, call: RankServed, context: RequestContext) -> Iterator[Event]:
        model = embedding_model(call.model, self._catalogue, self._embedding)
        if model.format == "gguf":
            ranked = self._inference.call(
                Rank(path=model.path, query=call.query, documents=call.documents), context=context
            )
            yield finish(Relevances(model=model.name, scores=ranked.scores, method="reranker", tokens=ranked.tokens))
            return
        _check_embeds(model)
        read = self._read(model, (call.query, *call.documents), context)
        asked = Similarities(embedder=model.path, texts=(call.query,), others=call.documents, background=True)
        (row,) = self._embedding.host.call(asked, context=context)
        yield finish(Relevances(model=model.name, scores=row, method="vectors", tokens=sum(read.tokens)))

    def _read(self, model: ModelRecord, texts: tuple[str | tuple[int, ...], ...], context: RequestContext) -> TextsRead:
        return self._embedding.host.call(ReadTexts(embedder=model.path, texts=texts), context=context)


def _check_embeds(model: ModelRecord) -> None:
    if model.kind != "embedder":
        raise UserError(f"{model.name} is not an embedding model.", "Name one that is, or none for the default one.")
