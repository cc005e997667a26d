"""The inference worker: one loaded model, and a handler for each call of ``workbench.engine.inference_calls``.

Loading and unloading wait until the running calls have ended; all other calls run side by side.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workbench.api.events import Event, Log, Progress
from workbench.api.protocol import RequestContext, finish
from workbench.engine import inference_calls
from workbench.engine.keys import make_key, virtual_tokens
from workbench.engine.library import list_devices
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.measuring import measure_speed
from workbench.engine.prompt import Prompt, PromptWriter, TemplateOptions
from workbench.engine.scoring import SIDE_BY_SIDE, Inspection, Scoring, TextScoring
from workbench.engine.template import TemplateRenderer
from workbench.errors import UserError
from workbench.techniques.decoding.strategies import Strategies, check_tokens
from workbench.workers.encoding import Encoding
from workbench.workers.serve import serve

_LOOK_S = 0.05
_NO_SWITCH = "this model's chat template has no switch for it."


class InferenceServer:
    """The handlers, and the model that they share. Thread-safe."""

    def __init__(self) -> None:
        self._renderer = TemplateRenderer()
        self._engine: Engine | None = None
        self._writer: PromptWriter | None = None
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
            self._engine = engine
            self._writer = PromptWriter(model.template, model.vocabulary, self._renderer)
            yield Progress(stage="loading", done=1.0, total=1.0)
        yield finish(model.info)

    def unload(self, call: inference_calls.Unload, context: RequestContext) -> Iterator[Event]:
        with self._exclusively(context):
            self._unload()
        yield finish(None)

    def generate(self, call: inference_calls.Generate, context: RequestContext) -> Iterator[Event]:
        started = time.perf_counter()
        with self._model(context) as (engine, writer):
            room = engine.model.context_tokens - virtual_tokens(make_key(call.adapters))
            prompt = self._prompt(call, engine, writer, room)
            if prompt.dropped_turns:
                yield Log(text=_left_out(prompt, room), level="notice")
            if call.thinking != "automatic" and not call.prompt and not writer.has_thinking_switch:
                yield Log(text=f"Thinking {call.thinking} has no effect: {_NO_SWITCH}", level="notice")
            for note in self._strategies.notes(call.decoding, engine.model):
                yield Log(text=note, level="notice")
            job = self._strategies.make_job(call, prompt, engine, context, started)
            yield from engine.submit(job).events()

    def score(self, call: inference_calls.Score, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, writer):
            prompt = writer.write(call.messages, options=TemplateOptions(thinking=call.thinking))
            continuations = [writer.continuation(text) for text in call.continuations]
            key = make_key(call.adapters)
            job = Scoring(
                prompt.tokens,
                continuations,
                context,
                together=min(SIDE_BY_SIDE, engine.model.sequences - 1) if engine.model.shares else 1,
                context_tokens=engine.model.context_tokens - virtual_tokens(key),
                key=key,
                background=call.background,
            )
            yield from engine.submit(job).events()

    def inspect(self, call: inference_calls.Inspect, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, _):
            vocabulary = engine.model.vocabulary
            check_tokens(call.prompt, vocabulary)
            check_tokens([*call.prompt, *call.answer], vocabulary)
            job = Inspection(
                call.prompt, call.answer, call.alternatives, call.last, vocabulary, context, key=make_key(call.adapters)
            )
            yield from engine.submit(job).events()

    def score_text(self, call: inference_calls.ScoreText, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, _):
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

    def devices(self, call: inference_calls.ListDevices, context: RequestContext) -> Iterator[Event]:
        yield finish(list_devices())

    def leave(self) -> None:
        """Called before the process ends. Its memory goes with it; the template process must be told."""
        self._renderer.close()

    def _prompt(self, call: inference_calls.Generate, engine: Engine, writer: PromptWriter, room: int) -> Prompt:
        if call.prompt:
            check_tokens([*call.prompt, *call.answer], engine.model.vocabulary)
            return writer.from_tokens(call.prompt)
        options = TemplateOptions(thinking=call.thinking, tools=call.tools)
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
            inference_calls.Score: inference.score,
            inference_calls.Inspect: inference.inspect,
            inference_calls.ScoreText: inference.score_text,
            inference_calls.MeasureSpeed: inference.measure,
            inference_calls.CountTokens: inference.count,
            inference_calls.Embed: encoding.embed,
            inference_calls.Rank: encoding.rank,
            inference_calls.ListDevices: inference.devices,
        },
        inference.leave,
    )
