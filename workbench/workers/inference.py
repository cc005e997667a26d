"""The inference worker: holds one loaded model and answers what ``workbench.engine.protocol`` can ask.

Loading and unloading wait until what runs has ended; everything else runs side by side.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workbench.engine.jobs import Generation, Scoring
from workbench.engine.library import list_devices
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt, PromptWriter
from workbench.engine.protocol import CountTokens, Generate, InferenceCall, ListDevices, Load, Score, Unload
from workbench.engine.template import TemplateRenderer
from workbench.errors import UserError
from workbench.events import Event, Log, Progress
from workbench.protocol import RequestContext, finish
from workbench.workers.serve import serve

_LOOK_S = 0.05


class Inference:
    """The handlers, and the model that they share. All may be called from any thread."""

    def __init__(self) -> None:
        self._renderer = TemplateRenderer()
        self._engine: Engine | None = None
        self._writer: PromptWriter | None = None
        self._users = 0
        self._changing = False
        self._changed = threading.Condition()

    # -- handlers -------------------------------------------------------------------------------------

    def load(self, call: Load, context: RequestContext) -> Iterator[Event]:
        """A model that cannot be run for what it is leaves the loaded one in place; one that fails later does not."""
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

    def unload(self, call: Unload, context: RequestContext) -> Iterator[Event]:
        with self._exclusively(context):
            self._unload()
        yield finish(None)

    def generate(self, call: Generate, context: RequestContext) -> Iterator[Event]:
        started = time.perf_counter()
        with self._model(context) as (engine, writer):
            prompt = writer.write_fitting(
                call.messages, call.assistant_start, engine.model.context_tokens, call.decoding.max_tokens
            )
            if prompt.dropped_turns:
                yield Log(text=_left_out(prompt, engine.model.context_tokens), level="notice")
            job = Generation(
                prompt,
                call.decoding,
                call.assistant_start,
                engine.model.vocabulary,
                engine.model.context_tokens,
                context,
                started,
            )
            yield from engine.submit(job).events()

    def score(self, call: Score, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, writer):
            prompt = writer.write(call.messages)
            continuations = [writer.continuation(text) for text in call.continuations]
            yield from engine.submit(Scoring(prompt.tokens, continuations, context)).events()

    def count(self, call: CountTokens, context: RequestContext) -> Iterator[Event]:
        with self._model(context) as (engine, _):
            vocabulary = engine.model.vocabulary
            yield finish(tuple(len(vocabulary.tokenize(text, special=False)) for text in call.texts))

    def devices(self, call: ListDevices, context: RequestContext) -> Iterator[Event]:
        yield finish(list_devices())

    def leave(self) -> None:
        """Called before the process ends. Its memory goes with it; the rendering process must be told."""
        self._renderer.close()

    # -- who may use the model --------------------------------------------------------------------------

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
        """Alone with the model: whoever uses it ends first, whoever comes now waits."""
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
            engine.close()


def _left_out(prompt: Prompt, context_tokens: int) -> str:
    turns = "turn was" if prompt.dropped_turns == 1 else f"{prompt.dropped_turns} turns were"
    return (
        f"The conversation has grown longer than the {context_tokens:,} tokens that the model can see: "
        f"its oldest {turns} left out."
    )


def main() -> None:
    inference = Inference()
    serve(
        "inference",
        InferenceCall,
        {
            Load: inference.load,
            Unload: inference.unload,
            Generate: inference.generate,
            Score: inference.score,
            CountTokens: inference.count,
            ListDevices: inference.devices,
        },
        inference.leave,
    )
