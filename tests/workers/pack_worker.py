"""An inference worker whose runtime pack does what the name of its library says: works, is slow, lies, has no GPU,
cannot be loaded, hangs, or crashes. Without a pack it is the processor."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.engine.inference_calls import (
    DescribeLibrary,
    Generate,
    Generated,
    GeneratedSequence,
    LibraryState,
    ListDevices,
    Load,
    LoadedModel,
)
from workbench.processes.process import PACK_VARIABLE
from workbench.processes.serve import serve
from workbench.records.messages import Usage
from workbench.records.models import Device

PACK = Path(os.environ.get(PACK_VARIABLE, "")).stem
Answer = Iterator[Event]


def library(call: DescribeLibrary, context: RequestContext) -> Answer:
    yield finish(LibraryState(build="fake", pack_problem="bad magic" if PACK == "broken" else ""))


def devices(call: ListDevices, context: RequestContext) -> Answer:
    gpu = [Device(name="GPU0", kind="gpu")] if PACK and PACK != "blind" else []
    yield finish([Device(name="CPU"), *gpu])


def load(call: Load, context: RequestContext) -> Answer:
    if PACK == "crashes":
        os._exit(139)
    if PACK == "hangs":
        threading.Event().wait()
    yield finish(
        LoadedModel(
            path=call.path, architecture="llama", context_tokens=512, trained_context_tokens=512, vocabulary=9,
            parameters=1, gpu_layers=31 if call.gpu_layers and PACK else 0, threads=1,
            device="GPU0" if call.gpu_layers and PACK else "CPU", engine="fake", has_template=True,
        )
    )  # fmt: skip


def generate(call: Generate, context: RequestContext) -> Answer:
    tokens = (5, 6, 9, 9) if PACK == "lies" else (5, 6, 7, 8)
    speed = 5.0 if PACK == "slow" else 90.0 if PACK else 30.0
    made = Generated(text="one", sequences=(GeneratedSequence(text="one", tokens=tokens),))
    yield finish(Generated(text="one", sequences=made.sequences, usage=Usage(tokens_per_s=speed)))


if __name__ == "__main__":
    handlers = {DescribeLibrary: library, ListDevices: devices, Load: load, Generate: generate}
    serve("inference", DescribeLibrary | ListDevices | Load | Generate, handlers)
