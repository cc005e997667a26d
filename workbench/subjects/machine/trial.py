"""The trial of a runtime pack: the engine itself, in processes of its own, with the pack and without, in limited time.

Whatever a driver does, crash, hang or compute wrongly, happens to those processes only.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError, WorkerDied
from workbench.engine.inference_calls import (
    DescribeLibrary,
    Generate,
    Generated,
    ListDevices,
    Load,
    LoadedModel,
)
from workbench.processes.alone import Overdue, last_line
from workbench.processes.host import WorkerHost
from workbench.processes.process import PACK_VARIABLE
from workbench.records.messages import Message
from workbench.records.models import Device
from workbench.records.recipes import DecodingPart
from workbench.records.runtime import Trial

TOKENS = 64
LIMIT_S = 120.0
ALIKE_TOKENS = 3
"""So many of the first tokens must equal the processor's; later ones may differ by rounding."""

CONTEXT_TOKENS = 512
_QUESTION = "What is the capital of France? Answer in one sentence, then describe the city."
"""The first tokens of its answer are far ahead of all others in a small model too (the first by 1.4 in the logit): with
a question whose first token is a near tie, right packs are refused for their rounding."""


MakeHost = Callable[[Mapping[str, str]], WorkerHost]


def try_library(
    make_host: MakeHost,
    library: str,
    model: str,
    *,
    driver: str = "",
    tokens: int = TOKENS,
    limit_s: float = LIMIT_S,
    context: RequestContext | None = None,
) -> Trial:
    """Compute ``tokens`` tokens of an answer of the model file with the pack's library, and without it. The trial's
    ``problem`` says why the pack should not be used. Raises errors.Cancelled."""
    context = context or RequestContext()
    began = time.monotonic()
    trial = Trial(tokens=tokens, driver=driver)
    try:
        with_pack = _Run(make_host({PACK_VARIABLE: library}), model, -1, tokens, limit_s, context)
        alone = _Run(make_host({}), model, 0, tokens, limit_s, context)
    except UserError as error:
        return _ended(trial, began, problem=error.message)
    except Overdue:
        return _ended(trial, began, problem=f"It gave no answer within {limit_s:g} seconds and was stopped.")
    except WorkerDied as death:
        return _ended(trial, began, problem=_in_words(death))
    same = with_pack.tokens[:ALIKE_TOKENS] == alone.tokens[:ALIKE_TOKENS] != ()
    return _ended(
        trial,
        began,
        speed=with_pack.speed,
        processor_speed=alone.speed,
        layers=with_pack.layers,
        device=with_pack.device,
        same=same,
        problem=_judged(with_pack.speed, alone.speed, same),
    )


def _judged(speed: float, processor_speed: float, same: bool) -> str:
    if not same:
        return "It computes another text than the processor."
    if speed < processor_speed:
        return f"It is slower than the processor: {speed:.1f} against {processor_speed:.1f} tokens per second."
    return ""


@contextlib.contextmanager
def ended_in_time(host: WorkerHost, limit_s: float, context: RequestContext) -> Iterator[None]:
    """Calls of a process that is ended with the block, and earlier when its time is up or ``context`` is cancelled.
    Raises UserError and WorkerDied as the calls do, Overdue and errors.Cancelled."""
    context.raise_if_cancelled()  # there is no process yet that a cancellation could end
    late = threading.Event()

    def end() -> None:
        late.set()
        host.kill()

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    forget = context.when_cancelled(host.kill)
    try:
        yield
    except (WorkerDied, UserError) as error:
        context.raise_if_cancelled()
        if late.is_set():
            raise Overdue from error
        raise
    finally:
        timer.cancel()
        forget()
        host.kill()


class _Run:
    """One process that loads the model and answers; its figures. Raises UserError, WorkerDied or Overdue."""

    def __init__(
        self, host: WorkerHost, model: str, gpu_layers: int, tokens: int, limit_s: float, context: RequestContext
    ) -> None:
        with ended_in_time(host, limit_s, context):
            if gpu_layers:
                _check_devices(host, context)
            load = Load(path=model, context_tokens=CONTEXT_TOKENS, gpu_layers=gpu_layers, sequences=2)
            loaded: LoadedModel = host.call(load, context=context)
            if gpu_layers and not loaded.gpu_layers:
                raise UserError("No layer of a model fits on the GPU.")
            decoding = DecodingPart(temperature=0.0, max_tokens=tokens)
            asked = Generate(messages=(Message("user", _QUESTION),), decoding=decoding)
            made: Generated = host.call(asked, context=context)
        self.tokens = made.sequences[0].tokens if made.sequences else ()
        self.speed = made.usage.tokens_per_s
        self.layers, self.device = loaded.gpu_layers, loaded.device


def _check_devices(host: WorkerHost, context: RequestContext) -> None:
    """Raises UserError when the pack was not loaded, or shows no GPU."""
    library = host.call(DescribeLibrary(), context=context)
    if library.pack_problem:
        raise UserError(f"Its library could not be loaded: {library.pack_problem}")
    devices: tuple[Device, ...] = host.call(ListDevices(), context=context)
    if not any(device.kind == "gpu" for device in devices):
        raise UserError("It found no GPU on this machine.")


def _in_words(death: WorkerDied) -> str:
    words = last_line(death.stderr_tail)
    code = f" (exit code {death.exit_code})" if death.exit_code is not None else ""
    return f"The process that tried it crashed{code}." + (f" Its last words: {words}" if words else "")


def _ended(trial: Trial, began: float, **figures: object) -> Trial:
    return msgspec.structs.replace(trial, seconds=round(time.monotonic() - began, 1), **figures)
