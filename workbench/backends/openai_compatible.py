"""The backend of endpoints: models that another program or service computes, through OpenAI's chat completions.

What an endpoint is able to do was probed (``probe``) and is part of its value; anything else is refused before it is
sent. It sees messages only: no token ids, no begun answers, no log-probabilities, so methods that need those are
refused by their capabilities.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Annotated, Any

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, failure_of, finish
from workbench.backends.backend import ModelUse
from workbench.backends.chat_stream import Connection, Refused, choices_of
from workbench.backends.image_urls import content_of, image_tokens
from workbench.backends.label_choice import MOST_TOKENS, body_of_choice, logprobs_of
from workbench.base.errors import Cancelled, UserError
from workbench.engine.inference_calls import (
    AssistantStart,
    Generate,
    Generated,
    GeneratedSequence,
    LoraUse,
    Rendered,
    RewardText,
    Score,
    Scored,
    Scores,
    TokenizerInfo,
)
from workbench.engine.tool_format import ToolFormat
from workbench.network.gate import Offline
from workbench.records.capabilities import Capabilities, capabilities_of
from workbench.records.endpoints import Endpoint
from workbench.records.messages import ChosenToken, Finish, ImagePart, Message, Usage
from workbench.records.models import ModelRecord
from workbench.records.recipes import DecodingPart

NAME = "openai-compatible"
MOST_AT_ONCE = 4
CHARACTERS_PER_TOKEN = 3.5
MARGIN = 2.0
"""An answer is cut where its estimated tokens are so many times those that were asked for: an endpoint's tokens may be
longer than the estimate's."""
FINISHES: dict[str, Finish] = {"stop": "eos", "length": "length"}
SENT = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "stop", "max_tokens", "n", "format",
        "grammar", "strategy", "ranked")  # fmt: skip
"""Fields of the decoding that such an API knows, or that have their effect here."""

NEUTRAL = {"repetition_penalty": 1.0, "top_k": 0}
"""Values that change nothing, so that it does not matter that they are not sent."""

Reserve = Callable[[ModelRecord, int, int], contextlib.AbstractContextManager[None]]
Spend = Callable[[ModelRecord, int, int], None]
ImagePath = Callable[[ImagePart], str]
"""The file of an image's pixels."""
ScoreRewards = Callable[[LoraUse, Sequence[RewardText], RequestContext], list[float]]


class OpenAICompatibleBackend:
    """``connect`` makes the connection to a model's endpoint. ``reserve`` holds what a request costs at most while it
    runs, and raises UserError where that could exceed the budget; ``spent`` notes what was used. ``score_rewards``
    scores an endpoint's answers by a reward model on this machine; the core sets it. ``image_path`` finds images."""

    score_rewards: ScoreRewards | None = None

    def __init__(
        self,
        connect: Callable[[ModelRecord], Connection],
        reserve: Reserve,
        spent: Spend,
        image_path: ImagePath = lambda part: part.path,
    ) -> None:
        self._connect = connect
        self._image_path = image_path
        self._reserve = reserve
        self._spent = spent
        self._places = threading.Semaphore(MOST_AT_ONCE)

    def capabilities(self, model: ModelRecord) -> Capabilities:
        return capabilities_of(endpoint_of(model))

    def build(self, context: RequestContext) -> str:
        return NAME

    @contextlib.contextmanager
    def lease(
        self, model: ModelRecord, use: ModelUse, context: RequestContext
    ) -> Iterator[Generator[Event, None, RemoteModel]]:
        def loading() -> Generator[Event, None, RemoteModel]:
            yield from ()
            connection = self._connect(model)
            remote = RemoteModel(
                model, use, connection, context, self._places, self._reserve, self._spent, self._image_path
            )
            remote.local_rewards = self.score_rewards
            return remote

        yield loading()


def endpoint_of(model: ModelRecord) -> Endpoint:
    if model.endpoint is None:
        raise UserError(f"{model.name} is no endpoint.")
    return model.endpoint


class RemoteModel:
    """An endpoint's model (``ModelBackend``)."""

    parameters: int | None = None
    languages: tuple[str, ...] = ()
    local_rewards: ScoreRewards | None = None

    def __init__(
        self,
        model: ModelRecord,
        use: ModelUse,
        connection: Connection,
        context: RequestContext,
        places: threading.Semaphore,
        reserve: Reserve,
        spent: Spend,
        image_path: ImagePath = lambda part: part.path,
    ) -> None:
        self._model = model
        self._image_path = image_path
        self._endpoint = endpoint_of(model)
        self._connection = connection
        self._context = context
        self._places = places
        self._reserve = reserve
        self._spent = spent
        self.capabilities = capabilities_of(self._endpoint)
        self.engine = f"{self._endpoint.host} {self._endpoint.model}"
        self.context_tokens = use.context_tokens or self._endpoint.context_tokens

    def generate(
        self,
        messages: Sequence[Message],
        decoding: DecodingPart,
        assistant_start: AssistantStart = "",
        tools: Sequence[dict[str, Any]] = (),
    ) -> Iterator[Event]:
        request = Generate(
            messages=tuple(messages), decoding=decoding, assistant_start=assistant_start, tools=tuple(tools)
        )
        return self._generate(request, self._context)

    def generate_many(self, requests: Sequence[Generate], context: RequestContext) -> Iterator[tuple[int, Event]]:
        arrived: queue.SimpleQueue[tuple[int, Event]] = queue.SimpleQueue()

        def work(place: int, request: Generate) -> None:
            try:
                for event in self._generate(request, context.part(place)):
                    arrived.put((place, event))
            except Exception as error:  # noqa: BLE001 - it ends this request
                arrived.put((place, failure_of(error)))

        forget = self._context.when_cancelled(context.cancel)
        try:
            for place, request in enumerate(requests):
                threading.Thread(target=work, args=(place, request), name="endpoint", daemon=True).start()
            left = len(requests)
            while left:
                place, event = arrived.get()
                left -= isinstance(event, events.TERMINAL)
                yield place, event
        finally:
            context.cancel()
            forget()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [estimate_tokens(text) for text in texts]

    def render(self, request: Generate) -> Rendered:
        text = "\n\n".join(f"[{one.role}]\n{_marks(one)}{one.content}" for one in request.messages)
        return Rendered(text=text, tokens=estimate_tokens(text) + sum(map(image_tokens, request.messages)))

    def tool_format(self) -> ToolFormat:
        return ToolFormat()

    def score_many(self, requests: Sequence[Score], context: RequestContext) -> list[Scores]:
        """Of labels of one character only (``Capabilities.labels``)."""
        for one in requests:
            if one.prompt or one.assistant_start or one.tools or any(len(label) != 1 for label in one.continuations):
                raise self._cannot()
        forget = self._context.when_cancelled(context.cancel)
        try:
            return [self._choose(one, context) for one in requests]
        finally:
            forget()

    def _choose(self, request: Score, context: RequestContext) -> Scores:
        body = body_of_choice(self._endpoint, request.messages)
        prompt = sum(estimate_tokens(one.content) for one in request.messages)
        reading, charged = _Reading(self._endpoint.host, prompt, MOST_TOKENS), True
        with self._place(context), self._reserve(self._model, prompt, MOST_TOKENS):
            try:
                reply = self._connection.ask(body, context)
                for _ in reading.take(reply):
                    pass
            except (Offline, Refused) as error:
                charged = isinstance(error, Refused) and error.accepted
                raise
            finally:
                if charged:
                    self._spent(self._model, reading.usage.prompt_tokens, reading.usage.new_tokens)
        values = logprobs_of(reply, [str(label) for label in request.continuations])
        return Scores(values=tuple(Scored(logprob=one, tokens=1) for one in values), usage=reading.usage)

    @contextlib.contextmanager
    def _place(self, context: RequestContext) -> Iterator[None]:
        """One of the requests that may run at once. Those that wait hold nothing of the budget."""
        while not self._places.acquire(timeout=0.1):
            context.raise_if_cancelled()
        try:
            yield
        finally:
            self._places.release()

    def score_rewards(self, adapter: LoraUse, texts: Sequence[RewardText], context: RequestContext) -> list[float]:
        if self.local_rewards is None:
            raise self._cannot()
        forget = self._context.when_cancelled(context.cancel)
        try:
            return self.local_rewards(adapter, texts, context)
        finally:
            forget()

    def _generate(self, request: Generate, context: RequestContext) -> Iterator[Event]:
        if request.prompt or request.assistant_start or request.tools:
            raise UserError(
                f"{self._model.name} cannot begin or continue an answer: it sees messages only.",
                "Choose a model that runs on this machine, or the technique Direct without an agent.",
            )
        if ignored := _ignored(request.decoding):
            yield events.Log(text=f"{self._endpoint.host} ignores: {', '.join(ignored)}.", level="notice")
        if not self.capabilities.vision and any(one.images for one in request.messages):
            raise UserError(f"{self._model.name} cannot see images.", "Choose a vision model.")
        body = body_of(self._endpoint, request, self._image_path)
        prompt = sum(estimate_tokens(one.content) + image_tokens(one) for one in request.messages)
        part = request.decoding
        reading = _Reading(self._endpoint.host, prompt, part.max_tokens, part.n)
        with self._place(context), self._reserve(self._model, prompt, part.max_tokens * part.n):
            yield from self._received(body, reading, context)

    def _received(self, body: dict[str, Any], reading: _Reading, context: RequestContext) -> Iterator[Event]:
        charged = True
        began = time.perf_counter()
        first = 0.0
        try:
            if self._endpoint.streams:
                with contextlib.closing(self._connection.stream(body, context)) as chunks:
                    for chunk in chunks:
                        for event in reading.take(chunk):
                            first = first or time.perf_counter() - began
                            yield event
                        if reading.is_full:
                            break
            else:
                yield from reading.take(self._connection.ask(body, context))
        except Cancelled:
            yield events.Cancelled(result=finish(reading.generated(began, first, cancelled=True)).result)
            return
        except (Offline, Refused) as error:
            # nothing is charged for what was not sent, or was answered with an error
            charged = isinstance(error, Refused) and error.accepted
            raise
        finally:
            usage = reading.usage
            if charged:
                self._spent(self._model, usage.prompt_tokens, usage.new_tokens)
        yield finish(reading.generated(began, first))

    # -- what its capabilities deny ------------------------------------------------------------------

    def continue_from(self, prompt: Sequence[int], answer: Sequence[int], decoding: DecodingPart) -> Iterator[Event]:
        raise self._cannot()

    def inspect(
        self, prompt: Sequence[int], answer: Sequence[int], alternatives: int, last: int
    ) -> tuple[ChosenToken, ...]:
        raise self._cannot()

    def tokenize(self, texts: Sequence[str], *, special: bool, begin: bool) -> list[tuple[int, ...]]:
        raise self._cannot()

    def detokenize(self, sequences: Sequence[Sequence[int]]) -> list[str]:
        raise self._cannot()

    def describe_tokenizer(self) -> TokenizerInfo:
        raise self._cannot()

    def _cannot(self) -> UserError:
        return UserError(
            f"{self._model.name} gives no access to its tokens.",
            "Choose a model that runs on this machine (a GGUF file).",
        )


def _marks(message: Message) -> str:
    return "".join(f"[image: {one.width} x {one.height} pixels]\n" for one in message.images)


def body_of(endpoint: Endpoint, request: Generate, image_path: ImagePath = lambda part: part.path) -> dict[str, Any]:
    """The body of a request to chat completions, with the content of its images."""
    part = request.decoding
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [{"role": one.role, "content": content_of(one, image_path)} for one in request.messages],
        endpoint.limit_field: part.max_tokens,
        "temperature": part.temperature,
    }
    if part.temperature:
        body["top_p"] = part.top_p
    for name in ("presence_penalty", "frequency_penalty"):
        if value := getattr(part, name):
            body[name] = value
    if part.seed >= 0:
        body["seed"] = part.seed % (1 << 31)
    if part.stop:
        body["stop"] = list(part.stop[:4])
    if part.n > 1:
        body["n"] = part.n
    if part.format == "json":
        body["response_format"] = {"type": "json_object"}
    elif part.format == "json_schema":
        schema = {"name": "answer", "schema": json.loads(part.grammar)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if endpoint.streams:
        body["stream"] = True
        if endpoint.streams_usage:
            body["stream_options"] = {"include_usage": True}
    return body


class _Reading:
    """A reply of ``n`` answers that arrives, whole or in chunks. Usage that the server does not report is estimated.
    What it sends of an answer beyond ``max_tokens``, with a margin, is cut."""

    def __init__(self, host: str, prompt_tokens: int, max_tokens: int, n: int = 1) -> None:
        self._host = host
        self._most_characters = int(MARGIN * CHARACTERS_PER_TOKEN * max_tokens) + 1
        self._max_tokens, self._n = max_tokens, n
        self._texts: dict[int, list[str]] = {}
        self._thoughts: dict[int, list[str]] = {}
        self._lengths: Counter[int] = Counter()  # in characters, of texts and thoughts
        self._cut: set[int] = set()
        self._finishes: dict[int, Finish] = {}
        self._prompt = prompt_tokens
        self._reported: Usage | None = None

    @property
    def is_full(self) -> bool:
        """Nothing more is wanted: an answer was cut, and all others have ended."""
        return bool(self._cut) and len(self._cut.union(self._finishes)) == self._n

    def take(self, reply: dict[str, Any]) -> Iterator[Event]:
        if isinstance(reported := reply.get("usage"), dict):
            with contextlib.suppress(msgspec.ValidationError):
                counts = msgspec.convert(reported, _ReportedUsage)
                self._reported = Usage(prompt_tokens=counts.prompt_tokens, new_tokens=counts.completion_tokens)
        for choice in choices_of(reply):
            place, said = choice.get("index") or 0, choice.get("delta") or choice.get("message")
            if not isinstance(place, int) or not 0 <= place < self._n:
                raise Refused(
                    f"{self._host} sends an answer that was not asked for.",
                    "Check its address and model.",
                    accepted=True,
                )
            if isinstance(said, dict):
                yield from self._take_texts(place, said)
            if isinstance(ended := choice.get("finish_reason"), str) and place not in self._cut:
                self._finishes[place] = FINISHES.get(ended, "stop")

    def _take_texts(self, place: int, said: dict[str, Any]) -> Iterator[Event]:
        thought = said.get("reasoning_content") or said.get("reasoning")
        if isinstance(thought, str) and (thought := self._cut_off(place, thought)):
            self._thoughts.setdefault(place, []).append(thought)
            yield events.Thought(text=thought, sequence=place)
        if isinstance(text := said.get("content"), str) and (text := self._cut_off(place, text)):
            self._texts.setdefault(place, []).append(text)
            yield events.TextDelta(text=text, sequence=place)
        if self._lengths[place] == self._most_characters and place not in self._cut:
            self._cut.add(place)
            self._finishes[place] = "length"
            yield events.Log(
                text=f"{self._host} did not stop at {self._max_tokens:,} tokens; its answer was cut.", level="notice"
            )

    def _cut_off(self, place: int, text: str) -> str:
        """What of the text an answer may still have."""
        text = text[: self._most_characters - self._lengths[place]]
        self._lengths[place] += len(text)
        return text

    @property
    def usage(self) -> Usage:
        if self._reported is not None:
            return self._reported
        written = [*self._texts.values(), *self._thoughts.values()]
        return Usage(prompt_tokens=self._prompt, new_tokens=sum(estimate_tokens("".join(one)) for one in written))

    def generated(self, began: float, first: float, *, cancelled: bool = False) -> Generated:
        seconds = time.perf_counter() - began - first
        usage = self.usage
        rate = usage.new_tokens / seconds if seconds > 0 else 0.0
        sequences = tuple(
            GeneratedSequence(
                text="".join(self._texts.get(place, ())),
                thought="".join(self._thoughts.get(place, ())),
                finish="cancelled" if cancelled else self._finishes.get(place, "stop"),
            )
            for place in sorted({0, *self._texts, *self._finishes})
        )
        return Generated(
            text=sequences[0].text,
            thought=sequences[0].thought,
            finish=sequences[0].finish,
            usage=msgspec.structs.replace(usage, first_token_s=first, tokens_per_s=rate),
            sequences=sequences,
        )


_Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]


class _ReportedUsage(msgspec.Struct):
    prompt_tokens: _Count = 0
    completion_tokens: _Count = 0


def estimate_tokens(text: str) -> int:
    """By the length of a text, where the vocabulary is not known."""
    return int(len(text) / CHARACTERS_PER_TOKEN) + 1 if text else 0


def _ignored(part: DecodingPart) -> list[str]:
    """Fields that were set and that such an API does not know."""
    default = DecodingPart()
    return [
        name
        for name in part.__struct_fields__
        if name not in SENT and getattr(part, name) not in (getattr(default, name), NEUTRAL.get(name))
    ]
