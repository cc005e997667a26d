"""Everything that other programs may use: answers, vectors and tokens as calls, and the server of the local API.

The server of the local API as the core holds it: on while the settings say so, or a client asks for it.

Answers for other programs: by ``workbench.subjects.answering.answer``, stored nowhere, with a lower
priority than the window.

Probabilities are computed again after the answer, as in the window (``Inspect``): its prompt is still in the prefix
cache. A raw prompt is an answer that is continued from the prompt's last token.

Vectors and relevances of texts, for other programs: by embedding and reranking models of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, finish, follow
from workbench.backends.backend import Loading, ModelBackend
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.stored import explained
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.images import ImageStore
from workbench.core.preferences import Preferences
from workbench.core.streams import Handlers, unary
from workbench.engine.inference_calls import Embed, Rank
from workbench.processes.host import WorkerHost
from workbench.records.agents import ToolInfo
from workbench.records.answers import AskResult, PromptText
from workbench.records.capabilities import Capabilities, require
from workbench.records.messages import Candidate, ChosenToken, ImagePart, Message, Part
from workbench.records.models import ModelRecord
from workbench.records.recipes import DecodingPart, Recipe, literal
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.preview import preview
from workbench.subjects.answering.request import AnswerRequest, Resolved
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.serving.calls import (
    AskServed,
    ClientTool,
    CountServed,
    DescribeServedTokenizer,
    DetokenizeServed,
    EmbedServed,
    ListServedModels,
    RankServed,
    Relevances,
    ServedAnswer,
    ServedModels,
    ServedTokenizer,
    TextToken,
    TokenCount,
    TokenizeServed,
    TokenList,
    TokensText,
    Vectors,
)
from workbench.subjects.serving.models import ServedRecipes, embedding_model
from workbench.subjects.serving.server import ApiService
from workbench.techniques.composition import Prefix
from workbench.techniques.embedding_calls import EmbedTexts, ReadTexts, Similarities, TextsRead


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
        images: ImageStore,
    ) -> None:
        self._answers = ServedAnswers(services, ServedRecipes(home.recipes, catalogue), images)
        self._texts = ServedTexts(catalogue, embedding, inference)
        self.server = ApiService(home, handle, lambda: preferences.current, changes)
        self._preferences = preferences
        preferences.when_changed(self.server.follow_settings)

    def handlers(self) -> Handlers:
        return {**self._answers.handlers(), **self._texts.handlers(), **self.server.handlers()}

    def start(self, context: RequestContext) -> None:
        """Serve where the settings say so."""
        if self._preferences.current.server.enabled:
            self.server.follow_settings()


TOKENS = Capabilities(token_logprobs=True, continues_from_tokens=True)
RAW = Capabilities(continues_from_tokens=True)


@dataclass(frozen=True, eq=False)
class ServedAnswers:
    _services: HomeServices
    _recipes: ServedRecipes
    _images: ImageStore

    def handlers(self) -> Handlers:
        return {
            ListServedModels: unary(lambda call: ServedModels(models=self._recipes.list_all())),
            AskServed: self.ask,
            CountServed: self.count,
            TokenizeServed: self.tokenize,
            DetokenizeServed: self.detokenize,
            DescribeServedTokenizer: self.describe_tokenizer,
        }

    def ask(self, call: AskServed, context: RequestContext) -> Iterator[Event]:
        recipe = changed(self._recipes.find(call.model), call.decoding)
        if call.prompt is not None:
            yield from self._complete(call, call.prompt, recipe, context)
            return
        with ExitStack() as passing:
            messages = self._shown(call.messages, call.images, passing, context)
            yield from self._ask(call, _request(recipe, messages, call.tools, call.must_call), context)

    def _ask(self, call: AskServed, request: AnswerRequest, context: RequestContext) -> Iterator[Event]:
        resolved = self._services.resolve(request.recipe)
        # programs shorten their conversations themselves, when they are refused as too long
        resolved = msgspec.structs.replace(resolved, use=msgspec.structs.replace(resolved.use, whole=True))
        if call.alternatives is not None:
            require(TOKENS, self._services.capabilities(resolved), resolved.model.name)
        result = yield from self._answered(request, resolved, context)
        tokens = yield from self._probabilities(call, result, resolved, context)
        yield finish(ServedAnswer(result=result, prompt_tokens=result.usage.prompt_tokens, tokens=tokens))

    def count(self, call: CountServed, context: RequestContext) -> Iterator[Event]:
        recipe = self._recipes.find(call.model)
        with ExitStack() as passing:
            messages = self._shown(call.messages, call.images, passing, context)
            request = _request(recipe, messages, call.tools)
            shown = yield from follow(PromptText, preview(request, self._services, context))
        yield finish(TokenCount(tokens=shown.tokens))

    def _shown(
        self, messages: Sequence[Message], files: dict[str, bytes], passing: ExitStack, context: RequestContext
    ) -> tuple[Message, ...]:
        """The messages with their images, which are there until ``passing`` is closed. Raises UserError for a file that
        is no image."""
        images: dict[str, ImagePart] = {}

        def shown(part: Part) -> Part:
            if not isinstance(part, ImagePart):
                return part
            if part.sha256 not in files:
                raise UserError("The content of an image is missing.", "Send it with the request.")
            if part.sha256 not in images:
                opened = self._images.passing(files[part.sha256], lambda: context.cancelled)
                images[part.sha256] = passing.enter_context(opened)
            return images[part.sha256]

        return tuple(Message.of_parts(one.role, map(shown, one.parts)) if one.images else one for one in messages)

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


def offered(tools: Sequence[ClientTool]) -> tuple[ToolInfo, ...]:
    """The tools as the model reads them, without the address of the schema's language: it says nothing of the tool, and
    a small model takes it for a value."""
    return tuple(
        ToolInfo(
            name=one.name,
            description=one.description,
            parameters={key: value for key, value in one.parameters.items() if key != "$schema"},
        )
        for one in tools
    )


def _request(
    recipe: Recipe, messages: Sequence[Message], tools: Sequence[ClientTool], must_call: bool = False
) -> AnswerRequest:
    recipe, conversation = with_system(recipe, messages)
    return AnswerRequest(
        recipe=recipe, conversation=conversation, tools=offered(tools), must_call=must_call, origins=()
    )


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
