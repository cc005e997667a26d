"""An inference worker without llama.cpp: it answers with the words of the last message, slowly when told to.

A question that holds ``slow`` is answered word by word for as long as it takes, ``crash`` kills the worker after the
first words.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator

from workbench import events
from workbench.engine.protocol import (
    CountTokens,
    Generate,
    Generated,
    InferenceCall,
    ListDevices,
    Load,
    LoadedModel,
    Score,
    Scored,
    Unload,
)
from workbench.errors import UserError
from workbench.events import Event
from workbench.messages import Usage
from workbench.protocol import RequestContext, finish
from workbench.workers.serve import serve

STEP_S = 0.02


def _load(call: Load, context: RequestContext) -> Iterator[Event]:
    if "broken" in call.path:
        raise UserError("The model is broken.", "Get another.")
    yield events.Progress(stage="loading", done=0.5, total=1)
    yield finish(
        LoadedModel(
            path=call.path,
            architecture="llama",
            context_tokens=call.context_tokens or 2048,
            trained_context_tokens=2048,
            vocabulary=100,
            parameters=135_000_000,
            gpu_layers=0,
            threads=1,
            device="CPU",
            engine="fake 1",
            has_template=True,
        )
    )


def _generate(call: Generate, context: RequestContext) -> Iterator[Event]:
    asked = call.messages[-1].content
    words = (
        itertools.cycle(["word "]) if "slow" in asked else iter([f"{word} " for word in f"You said {asked}".split()])
    )
    text = ""
    for number, word in enumerate(words):
        if context.wait_cancelled(STEP_S if "slow" in asked else 0):
            break
        text += word
        yield events.TextDelta(text=word)
        if "crash" in asked and number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    cancelled = context.cancelled
    ended = finish(
        Generated(
            text=text,
            finish="cancelled" if cancelled else "eos",
            usage=Usage(prompt_tokens=sum(len(m.content) for m in call.messages), new_tokens=len(text.split())),
        )
    )
    yield events.Cancelled(result=ended.result) if cancelled else ended  # as the engine does


def _score(call: Score, context: RequestContext) -> Iterator[Event]:
    yield finish(tuple(Scored(logprob=-1.0, tokens=1) for _ in call.continuations))


def _count(call: CountTokens, context: RequestContext) -> Iterator[Event]:
    yield finish(tuple(len(text) // 4 + 1 for text in call.texts))


def _nothing(call: Unload | ListDevices, context: RequestContext) -> Iterator[Event]:
    yield finish(None if isinstance(call, Unload) else ())


if __name__ == "__main__":
    serve(
        "inference",
        InferenceCall,
        {
            Load: _load,
            Unload: _nothing,
            Generate: _generate,
            Score: _score,
            CountTokens: _count,
            ListDevices: _nothing,
        },
    )
