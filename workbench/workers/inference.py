"""The inference worker: one loaded model, and a handler for each call of ``workbench.engine.inference_calls``.

Loading and unloading wait until the running calls have ended; all other calls run side by side. One embedding or
reranking model stays loaded, beside the chat model.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from workbench.api.events import TERMINAL, Event, Finished, Log, PartEvent, Progress
from workbench.api.protocol import RequestContext, drain, failure_of, finish, follow
from workbench.base.errors import UserError
from workbench.engine import inference_calls
from workbench.engine.encoder_prompts import writer_for
from workbench.engine.encoding import Encoder, open_encoder
from workbench.engine.inference_calls import Embed, Embedded, Rank, Ranked
from workbench.engine.jobs import Job
from workbench.engine.keys import make_key, virtual_tokens
from workbench.engine.known_probabilities import KnownProbabilities
from workbench.engine.library import describe_library, describe_state, list_devices
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.machine import read_machine
from workbench.engine.measuring import measure_speed
from workbench.engine.plain_prompts import plain_pair, plain_prompt
from workbench.engine.prompt import Prompt, PromptWriter, TemplateOptions
from workbench.engine.reward_scoring import reward_jobs
from workbench.engine.scoring import SIDE_BY_SIDE, Inspection, Scoring, TextScoring
from workbench.engine.segment_tokenizer import SegmentTokenizer
from workbench.engine.template import TemplateRenderer
from workbench.engine.tool_format import ToolFormat
from workbench.engine.vision import ReadImage, see, with_image_marks
from workbench.processes.serve import serve
from workbench.records.messages import ChosenToken
from workbench.techniques.decoding.strategies import Strategies, check_prompt, check_tokens

CHUNK_TEXTS, CHUNK_CHARACTERS = 64, 8_000
"""Cancellation is checked after so many texts, and after texts of so many characters (tokens for token ids)."""

_LOOK_S = 0.05
T = TypeVar("T", bound=str | tuple[int, ...])


class Encoding:
    """The handlers, and the encoder that they share. One request computes at a time; the others wait."""

    def __init__(self) -> None:
        self._turn = threading.Lock()  # guards what follows
        self._encoder: Encoder | None = None
        self._file: tuple[str, int, int] | None = None

    def embed(self, call: Embed, context: RequestContext) -> Iterator[Event]:
        with self._encoder_of(call.path, context) as encoder:
            vectors: list[tuple[float, ...]] = []
            tokens = 0
            for texts in _chunks(call.texts):
                context.raise_if_cancelled()
                found, read = encoder.embed(texts)
                tokens += read
                vectors += [tuple(float(value) for value in vector) for vector in found]
                yield Progress(stage="embedding", done=len(vectors), total=len(call.texts))
        yield finish(Embedded(vectors=tuple(vectors), tokens=tokens))

    def rank(self, call: Rank, context: RequestContext) -> Iterator[Event]:
        with self._encoder_of(call.path, context) as encoder:
            scores: list[float] = []
            tokens = 0
            for documents in _chunks(call.documents):
                context.raise_if_cancelled()
                found, read = encoder.rank(call.query, documents)
                tokens += read
                scores += found
                yield Progress(stage="ranking", done=len(scores), total=len(call.documents))
        yield finish(Ranked(scores=tuple(scores), tokens=tokens))

    @contextmanager
    def _encoder_of(self, path: str, context: RequestContext) -> Iterator[Encoder]:
        """The encoder of a file in its present state, in place of another one; no other request uses it meanwhile."""
        while not self._turn.acquire(timeout=_LOOK_S):
            context.raise_if_cancelled()
        try:
            yield self._open(Path(path))
        finally:
            self._turn.release()

    def _open(self, path: Path) -> Encoder:
        stat = path.stat() if path.is_file() else None
        file = (str(path), stat.st_mtime_ns, stat.st_size) if stat else None
        if self._encoder is not None and file is not None and file == self._file:
            return self._encoder
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = self._file = None
        self._encoder = open_encoder(path, read_machine(path.parent).cores)
        self._file = file
        return self._encoder


def _chunks(texts: Sequence[T]) -> Iterator[Sequence[T]]:
    """The texts in their order, a few at a time; one chunk without texts where there are none."""
    begin = size = 0
    for place, text in enumerate(texts):
        if place > begin and (place - begin == CHUNK_TEXTS or size + len(text) > CHUNK_CHARACTERS):
            yield texts[begin:place]
            begin, size = place, 0
        size += len(text)
    yield texts[begin:]


_NO_SWITCH = "this model's chat template has no switch for it."


class InferenceServer:
    """The handlers, and the model that they share. Thread-safe."""

    def __init__(self) -> None:
        self._renderer = TemplateRenderer()
        self._engine: Engine | None = None
        self._writer: PromptWriter | None = None
        self._tool_formats: dict[str, ToolFormat] = {}
        self._known = KnownProbabilities()
        self._strategies = Strategies()
        self._users = 0
        self._changing = False
        self._changed = threading.Condition()

    # -- handlers -------------------------------------------------------------------------------------

    def load(self, call: inference_calls.Load, context: RequestContext) -> Iterator[Event]:
        """A model of an unsupported type leaves the loaded one in place; one that fails later does not."""
        details = inspect_model(call.path)
        with self._exclusively(context):
            self._unload()
            self._renderer.start()
            model = yield from load_model(call, details, context)
            engine = Engine(model)
            try:
                engine.warm_up(context)
            except BaseException:
                engine.close()
                raise
            self._engine, self._known = engine, KnownProbabilities()
            self._writer = writer_for(model, self._renderer, self._tool_formats)
            yield Progress(stage="loading", done=1.0, total=1.0)
        yield finish(model.info)

    def unload(self, call: inference_calls.Unload, context: RequestContext) -> Iterator[Event]:
        with self._exclusively(context):
            self._unload()
        yield finish(None)

    def generate(self, call: inference_calls.Generate, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, writer):
            started = time.perf_counter()
            prompt = self._prompt(call, engine, writer)
            images = yield from see(prompt.tokens, engine.model, context)
            job, notes = self._generation(call, prompt, images, engine, writer, context, started)
            yield from notes
            yield from engine.submit(job).events()

    def generate_many(self, call: inference_calls.GenerateMany, context: RequestContext) -> Iterator[Event]:
        arrived: _Arrived = queue.SimpleQueue()
        jobs: list[Job] = []
        with self._model(context) as (engine, writer):
            try:
                for place, request in enumerate(call.requests):
                    try:
                        started = time.perf_counter()
                        prompt, part = self._prompt(request, engine, writer), context.part(place)
                        images = drain(see(prompt.tokens, engine.model, part))
                        job, notes = self._generation(request, prompt, images, engine, writer, part, started)
                    except UserError as error:
                        arrived.put((place, error))
                        continue
                    for note in notes:
                        yield PartEvent(part=place, of=note)
                    job.send_to(partial(_put, arrived, place))
                    jobs.append(job)
            except BaseException:
                for job in jobs:
                    job.cancel()
                raise
            engine.submit_all(jobs)
            left = len(call.requests)
            while left:
                place, item = arrived.get()
                event = failure_of(item) if isinstance(item, BaseException) else item
                left -= isinstance(event, TERMINAL)
                yield PartEvent(part=place, of=event)
        context.raise_if_cancelled()
        yield finish(None)

    def render(self, call: inference_calls.Render, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, writer):
            tokens = [*self._prompt(call.request, engine, writer).tokens, *call.request.answer]
            text = with_image_marks(tokens, engine.model.vocabulary)
            yield finish(inference_calls.Rendered(text=text, tokens=len(tokens)))

    def tool_format(self, call: inference_calls.FindToolFormat, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (_, writer):
            yield finish(writer.tool_format)

    def score(self, call: inference_calls.Score, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, writer):
            job = self._scoring(call, engine, writer, context)
            job.images = yield from see(job.prompt, engine.model, context)
            yield from engine.submit(job).events()

    def score_many(self, call: inference_calls.ScoreMany, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, writer):
            jobs = [self._scoring(request, engine, writer, context) for request in call.requests]
            for job in jobs:
                job.images = yield from see(job.prompt, engine.model, context)
            engine.submit_all(jobs)
            ends = [list(job.events())[-1] for job in jobs]
            context.raise_if_cancelled()
            yield finish([end.result for end in ends if isinstance(end, Finished)])

    def score_rewards(self, call: inference_calls.ScoreRewards, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, writer):
            jobs = reward_jobs(call, engine, writer, context)
            engine.submit_all([job for job in jobs if job is not None])
            ends = [list(job.events())[-1] if job is not None else finish(0.0) for job in jobs]
            context.raise_if_cancelled()
            yield finish([end.result for end in ends if isinstance(end, Finished)])

    def inspect(self, call: inference_calls.Inspect, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, _):
            vocabulary = engine.model.vocabulary
            check_prompt(call.prompt, call.answer, vocabulary)
            key = make_key(call.adapters)
            images = yield from see(call.prompt, engine.model, context)

            def inspected(last: int) -> Iterator[Event]:
                job = Inspection(
                    call.prompt, call.answer, call.alternatives, last, vocabulary, context, key=key,
                    background=call.background,
                )  # fmt: skip
                job.images = images
                yield from engine.submit(job).events()

            if len(call.prompt) > 1 or call.last or engine.model.deterministic:
                yield from inspected(call.last)
                return
            # a whole text
            with self._known.scoring(key, call.alternatives, [*call.prompt, *call.answer], context) as text:
                known = text.known
                rest = yield from follow(tuple[ChosenToken, ...], inspected(len(call.answer) - len(known)))
                text.chosen = (*known, *rest[:-1])
            yield finish((*known, *rest))

    def score_text(self, call: inference_calls.ScoreText, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, _):
            if engine.model.decoder_start is not None:
                raise UserError(
                    f"{engine.model.name} is an encoder-decoder model: a text alone has no perplexity.",
                    "Choose a model without an encoder.",
                )
            vocabulary = engine.model.vocabulary
            tokens = vocabulary.tokenize(call.text, special=False)
            first = vocabulary.bos if vocabulary.adds_bos else None
            job = TextScoring(
                tokens, call.window, first, context, key=make_key(call.adapters), background=call.background
            )
            yield from engine.submit(job).events()

    def measure(self, call: inference_calls.MeasureSpeed, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, _):
            yield from measure_speed(engine, call, context)

    def count(self, call: inference_calls.CountTokens, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, _):
            vocabulary = engine.model.vocabulary
            yield finish(tuple(len(vocabulary.tokenize(text, special=False)) for text in call.texts))

    def tokenize(self, call: inference_calls.Tokenize, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, _):
            vocabulary = engine.model.vocabulary
            first = [vocabulary.bos] if call.begin and vocabulary.adds_bos else []
            yield finish(tuple((*first, *vocabulary.tokenize(text, special=call.special)) for text in call.texts))

    def detokenize(self, call: inference_calls.Detokenize, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, _):
            vocabulary = engine.model.vocabulary
            for tokens in call.sequences:
                if tokens:
                    check_tokens(tokens, vocabulary)
            yield finish(tuple(vocabulary.text(tokens, special=True) for tokens in call.sequences))

    def tokenizer(self, call: inference_calls.DescribeTokenizer, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, _):
            vocabulary = engine.model.vocabulary
            bos, eos = vocabulary.bos, vocabulary.eos
            yield finish(
                inference_calls.TokenizerInfo(
                    vocabulary=vocabulary.size,
                    bos=bos,
                    eos=eos,
                    bos_text=vocabulary.text([bos], special=True) if bos >= 0 else "",
                    eos_text=vocabulary.text([eos], special=True) if eos >= 0 else "",
                    adds_bos=vocabulary.adds_bos,
                    template=engine.model.template,
                    context_tokens=engine.model.context_tokens,
                )
            )

    def devices(self, call: inference_calls.ListDevices, context: RequestContext) -> Iterator[Event]:
        yield finish(list_devices())

    def build(self, call: inference_calls.DescribeBuild, context: RequestContext) -> Iterator[Event]:
        yield finish(describe_library())

    def library(self, call: inference_calls.DescribeLibrary, context: RequestContext) -> Iterator[Event]:
        yield finish(describe_state())

    def leave(self) -> None:
        """Called before the process ends. Its memory is freed with it; the template process must be closed."""
        self._renderer.close()

    def _generation(
        self,
        call: inference_calls.Generate,
        prompt: Prompt,
        images: Mapping[int, ReadImage],
        engine: Engine,
        writer: PromptWriter,
        context: RequestContext,
        started: float,
    ) -> tuple[Job, list[Event]]:
        """The job of a generation, and what is to be said of it."""
        notes = [_left_out(prompt, _room(call, engine))] if prompt.dropped_turns else []
        if call.thinking != "automatic" and not call.prompt and not writer.has_thinking_switch:
            notes.append(f"Thinking {call.thinking} has no effect: {_NO_SWITCH}")
        notes += self._strategies.notes(call.decoding, engine.model)
        job = self._strategies.make_job(call, prompt, engine, context, started)
        job.images = images
        return job, [Log(text=note, level="notice") for note in notes]

    def _scoring(
        self, call: inference_calls.Score, engine: Engine, writer: PromptWriter, context: RequestContext
    ) -> Scoring:
        vocabulary, model = engine.model.vocabulary, engine.model
        given = [token for one in call.continuations if not isinstance(one, str) for token in one]
        if given:
            check_tokens(given, vocabulary)
        if call.plain and model.decoder_start is None:
            return self._plain_scoring(call, engine, context)
        if call.prompt:
            check_prompt(call.prompt, call.answer, vocabulary)
            tokens = [*call.prompt, *call.answer]
        else:
            options = TemplateOptions(thinking=call.thinking, tools=call.tools)
            tokens = writer.write(call.messages, call.assistant_start, options).tokens
        begun = bool(call.prompt or call.assistant_start)
        key = make_key(call.adapters)
        return Scoring(
            tokens,
            [writer.continuation(one, begun=begun) if isinstance(one, str) else one for one in call.continuations],
            context,
            together=min(SIDE_BY_SIDE, model.sequences - 1) if model.shares else 1,
            context_tokens=model.context_tokens - virtual_tokens(key),
            key=key,
            background=call.background,
        )

    def _plain_scoring(self, call: inference_calls.Score, engine: Engine, context: RequestContext) -> Scoring:
        model, key = engine.model, make_key(call.adapters)
        pairs = [plain_pair(model.vocabulary, call.messages, one) for one in call.continuations if isinstance(one, str)]
        if not pairs:
            raise UserError("Nothing is to be scored.")
        return Scoring(
            pairs[0][0],
            [continuation for _, continuation in pairs],
            context,
            together=min(SIDE_BY_SIDE, model.sequences - 1) if model.shares else 1,
            context_tokens=model.context_tokens - virtual_tokens(key),
            key=key,
            background=call.background,
        )

    def _prompt(self, call: inference_calls.Generate, engine: Engine, writer: PromptWriter) -> Prompt:
        if call.prompt:
            check_prompt(call.prompt, call.answer, engine.model.vocabulary)
            prompt = writer.from_tokens(call.prompt)
            if not call.append:
                return prompt
            appended = SegmentTokenizer(engine.model.vocabulary).literal_tokens(call.append)
            return replace(prompt, tokens=[*prompt.tokens, *appended], opened=None)
        if call.plain and engine.model.decoder_start is None:
            return plain_prompt(engine.model.vocabulary, call.messages)
        options = TemplateOptions(thinking=call.thinking, tools=call.tools)
        if call.whole:
            return writer.write(call.messages, call.assistant_start, options)
        room = _room(call, engine)
        return writer.write_fitting(call.messages, call.assistant_start, room, call.decoding.max_tokens, options)

    # -- use of the model -----------------------------------------------------------------------------

    @contextmanager
    def _model(self, context: RequestContext) -> Iterator[tuple[Engine, PromptWriter]]:
        """The loaded model, which stays loaded meanwhile."""
        with self._changed:
            self._wait_until(lambda: not self._changing, context)
            if self._engine is None or self._writer is None:
                raise UserError("No model is loaded.", "Load a model first.")
            engine, writer = self._engine, self._writer
            self._users += 1
        try:
            yield engine, writer
        finally:
            with self._changed:
                self._users -= 1
                self._changed.notify_all()

    @contextmanager
    def _exclusively(self, context: RequestContext) -> Iterator[None]:
        """Exclusive use of the model: waits for present users, and new ones wait."""
        with self._changed:
            self._wait_until(lambda: not self._changing, context)
            self._changing = True
        try:
            with self._changed:
                self._wait_until(lambda: not self._users, context)
            yield
        finally:
            with self._changed:
                self._changing = False
                self._changed.notify_all()

    def _wait_until(self, ready: Callable[[], bool], context: RequestContext) -> None:
        while not self._changed.wait_for(ready, _LOOK_S):
            context.raise_if_cancelled()

    def _unload(self) -> None:
        engine, self._engine, self._writer = self._engine, None, None
        if engine is not None:
            engine.ask(self._strategies.forget)
            engine.close()


def _room(call: inference_calls.Generate, engine: Engine) -> int:
    """Number of tokens of the context that text and images have room in."""
    return engine.model.context_tokens - virtual_tokens(make_key(call.adapters))


_Arrived = queue.SimpleQueue[tuple[int, Event | BaseException]]


def _put(arrived: _Arrived, place: int, item: Event | BaseException) -> None:
    arrived.put((place, item))


def _left_out(prompt: Prompt, context_tokens: int) -> str:
    turns = "turn was" if prompt.dropped_turns == 1 else f"{prompt.dropped_turns} turns were"
    return (
        f"The conversation is longer than the model's context of {context_tokens:,} tokens: its oldest {turns} "
        "left out."
    )


def main() -> None:
    inference = InferenceServer()
    encoding = Encoding()
    serve(
        "inference",
        inference_calls.InferenceCall,
        {
            inference_calls.Load: inference.load,
            inference_calls.Unload: inference.unload,
            inference_calls.Generate: inference.generate,
            inference_calls.GenerateMany: inference.generate_many,
            inference_calls.Render: inference.render,
            inference_calls.FindToolFormat: inference.tool_format,
            inference_calls.Score: inference.score,
            inference_calls.ScoreMany: inference.score_many,
            inference_calls.ScoreRewards: inference.score_rewards,
            inference_calls.Inspect: inference.inspect,
            inference_calls.ScoreText: inference.score_text,
            inference_calls.MeasureSpeed: inference.measure,
            inference_calls.CountTokens: inference.count,
            inference_calls.Tokenize: inference.tokenize,
            inference_calls.Detokenize: inference.detokenize,
            inference_calls.DescribeTokenizer: inference.tokenizer,
            inference_calls.Embed: encoding.embed,
            inference_calls.Rank: encoding.rank,
            inference_calls.ListDevices: inference.devices,
            inference_calls.DescribeBuild: inference.build,
            inference_calls.DescribeLibrary: inference.library,
        },
        inference.leave,
    )
