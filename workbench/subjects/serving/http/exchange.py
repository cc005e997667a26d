"""Calls run in threads; the event loop writes their events as a response.

A client that closes its connection cancels its calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import StreamingResponse

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, failure_of, read_result
from workbench.subjects.serving.http.errors import ApiError, error_of
from workbench.subjects.serving.http.security import CALLS

R = TypeVar("R")
Handle = Callable[[Call[Any], RequestContext], Iterator[Event]]
"""Answers a call with events that end in a terminal one, as ``Workbench.handle``."""

MOST_CALLS = 512
"""Calls of programs of this machine at the same time, each on a thread; one request may have 64."""

_places = threading.Semaphore(MOST_CALLS)

Arrived = AsyncIterator[tuple[int, Event]]
DONE = b"data: [DONE]\n\n"


@asynccontextmanager
async def following(handle: Handle, calls: Sequence[Call[Any]], request: Request) -> AsyncIterator[Arrived]:
    """The events of calls that begin together, each with the place of its call. Leaving the block, and the client's
    leaving, cancel them."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[int, Event]] = asyncio.Queue()
    contexts = [RequestContext() for _ in calls]
    places: threading.Semaphore = request.scope.get(CALLS, _places)

    def put(place: int, event: Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(queue.put_nowait, (place, event))

    def work(place: int, call: Call[Any]) -> None:
        try:
            for event in handle(call, contexts[place]):
                put(place, event)
        except Exception as error:  # noqa: BLE001 - any error ends the call
            put(place, failure_of(error))
        finally:
            places.release()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        for context in contexts:
            context.cancel()

    for taken in range(len(calls)):
        if not places.acquire(blocking=False):
            if taken:
                places.release(taken)
            raise ApiError(429, "Too many requests at the same time.", kind="requests", code="rate_limit_exceeded")
    for place, call in enumerate(calls):
        threading.Thread(target=work, args=(place, call), name="api-request", daemon=True).start()
    watching = asyncio.create_task(watch())
    try:
        yield _until_ended(queue, len(calls))
    finally:
        watching.cancel()
        for context in contexts:
            context.cancel()


async def _until_ended(queue: asyncio.Queue[tuple[int, Event]], calls: int) -> Arrived:
    while calls:
        place, event = await queue.get()
        calls -= isinstance(event, events.TERMINAL)
        yield place, event


async def results_of(handle: Handle, calls: Sequence[Call[R]], request: Request) -> list[R]:
    """The results of calls that begin together. Raises ApiError for the first that fails."""
    results: dict[int, R] = {}
    async with following(handle, calls, request) as arrived:
        async for place, event in arrived:
            if isinstance(event, events.Failed | events.Cancelled):
                raise error_of(event)
            if isinstance(event, events.Finished):
                results[place] = read_result(calls[place], event.result)
    return [results[place] for place in range(len(calls))]


async def result_of(handle: Handle, call: Call[R], request: Request) -> R:
    (result,) = await results_of(handle, (call,), request)
    return result


async def stream(
    handle: Handle,
    calls: Sequence[Call[Any]],
    request: Request,
    write: Callable[[Arrived], AsyncIterator[bytes]],
) -> StreamingResponse:
    """A response of server-sent events that ``write`` makes of the calls' events. It begins with the first text: a
    request that fails before that gets the status of an error. Raises ApiError for that."""
    stack = contextlib.AsyncExitStack()
    try:
        arrived = await stack.enter_async_context(following(handle, calls, request))
        before: list[tuple[int, Event]] = []
        async for place, event in arrived:
            if isinstance(event, events.Failed | events.Cancelled):
                raise error_of(event)
            before.append((place, event))
            if isinstance(event, (events.TextDelta, events.Thought, *events.TERMINAL)):
                break
    except BaseException:
        await stack.aclose()
        raise

    async def all_events() -> Arrived:
        for one in before:
            yield one
        async for one in arrived:
            yield one

    async def body() -> AsyncIterator[bytes]:
        async with stack:
            async for piece in write(all_events()):
                yield piece

    return StreamingResponse(body(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def sse(value: object, event: str = "") -> bytes:
    """One server-sent event."""
    name = f"event: {event}\n".encode() if event else b""
    return b"%sdata: %s\n\n" % (name, msgspec.json.encode(value))
