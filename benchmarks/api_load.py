"""64 clients of the local API at once: no deadlock, the window's chat goes first, and how fast it is in all.

    python benchmarks/api_load.py --clients 64 --tokens 48

Measured in rounds that hold one of each: a question of the window, alone and while the clients are being answered; the
engine's own batch without HTTP, as background work, which the API's requests are, and the API with all clients at once,
on the same prompts. Medians of the rounds, and all values. `--what people` adds the batch as people's requests.
"""

from __future__ import annotations

import http.client
import json
import threading
import time

from api_harness import KEY
from harness import Core, arguments, spread, starter_model

from workbench.api import events
from workbench.api.protocol import RequestContext, drain
from workbench.backends.backend import ModelUse
from workbench.engine.inference_calls import Generate
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, ModelPart, Recipe
from workbench.subjects.chats.calls import Ask
from workbench.subjects.models.calls import ImportModel, ListModels
from workbench.subjects.serving.http.app import make_app
from workbench.subjects.serving.http.running import RunningServer
from workbench.subjects.serving.http.security import LocalAccess

UNDER_WAY_S = 3.0
"""After so long all clients are being answered, and the window asks."""

LONG_ANSWER = 400
"""Tokens of answers that are under way while the window is answered."""

WHAT = ("window", "throughput", "people")

TOPICS = ("rivers", "bridges", "whales", "clocks", "bread", "islands", "trains", "comets")


def prompt_of(number: int) -> str:
    return f"Write a long story, number {number}, about {TOPICS[number % len(TOPICS)]}."


def decoding(tokens: int) -> DecodingPart:
    return DecodingPart(temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0, max_tokens=tokens, seed=7)


def engine_batch(core: Core, clients: int, tokens: int, *, background: bool) -> float:
    """Tokens per second of all, without HTTP."""
    (record,) = core.call(ListModels()).models
    made = 0
    with core.workbench._computing.llama_cpp.lease(
        record, ModelUse(background=background), RequestContext()
    ) as loading:
        model = drain(loading)
        requests = [
            Generate(messages=(Message("user", prompt_of(number)),), decoding=decoding(tokens))
            for number in range(clients)
        ]
        began = time.perf_counter()
        for _, event in model.generate_many(requests, RequestContext()):
            if isinstance(event, events.Finished):
                made += event.result["usage"]["new_tokens"]
        return made / (time.perf_counter() - began)


def send(link: http.client.HTTPConnection, number: int, tokens: int) -> None:
    body = json.dumps({
        "model": "measured", "messages": [{"role": "user", "content": prompt_of(number)}], "max_tokens": tokens,
        "seed": 7, "stream": True, "stream_options": {"include_usage": True},
    })  # fmt: skip
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    link.request("POST", "/v1/chat/completions", body, headers)


def ask_api(port: int, number: int, tokens: int, made: list[int], failed: list[str]) -> None:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    try:
        send(link, number, tokens)
        answer = link.getresponse()
        lines = answer.read().decode().splitlines()
        if answer.status != 200 or "data: [DONE]" not in lines:
            failed.append(f"{answer.status} {lines[-1:]}")
            return
        chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        made.append(chunks[-1]["usage"]["completion_tokens"])
    except OSError as error:
        failed.append(str(error))
    finally:
        link.close()


def window_speed(core: Core, tokens: int) -> tuple[float, float]:
    """Seconds to the first token, and tokens per second after it, of a question in the window."""
    recipe = Recipe(model=ModelPart(name="measured"), decoding=decoding(tokens))
    began = time.perf_counter()
    first, count, last = 0.0, 0, 0.0
    for event in core.workbench.handle(Ask(question="Write a long story about the sea.", recipe=recipe)):
        if isinstance(event, events.TextDelta):
            last = time.perf_counter()
            first = first or last - began
            count += 1
        elif isinstance(event, events.Finished):
            count = event.result["usage"]["new_tokens"]
    return first, (count - 1) / (last - began - first)


def all_clients(port: int, clients: int, tokens: int) -> float:
    """Tokens per second of clients that ask at once. Ends the program where one is not answered."""
    made: list[int] = []
    failed: list[str] = []
    threads = [threading.Thread(target=ask_api, args=(port, number, tokens, made, failed)) for number in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed or len(made) != clients:
        raise SystemExit(f"{len(made)} of {clients} clients were answered: {failed[:2]}")
    return sum(made) / (time.perf_counter() - began)


def window_beside(core: Core, server: RunningServer, clients: int, tokens: int) -> tuple[float, float]:
    """As ``window_speed``, while so many clients are being answered; their connections are closed at its end."""
    port = int(server.address.rpartition(":")[2])
    links = [http.client.HTTPConnection("127.0.0.1", port, timeout=600) for _ in range(clients)]
    for number, link in enumerate(links):
        send(link, number, LONG_ANSWER)
    time.sleep(UNDER_WAY_S)
    speed = window_speed(core, tokens)
    if server.counts.now < clients:
        raise SystemExit(f"only {server.counts.now} of {clients} clients were still being answered")
    for link in links:
        link.close()
    ended = time.monotonic() + 60
    while server.counts.now and time.monotonic() < ended:
        time.sleep(0.1)
    if server.counts.now:
        raise SystemExit("closed connections are still being answered")
    return speed


def show(name: str, values: list[float], unit: str) -> None:
    if not values:
        return
    print(f"{name:34} {spread(values, 2)} {unit:9} {' '.join(f'{one:.2f}' for one in values)}", flush=True)


def main() -> None:
    parser = arguments(__doc__, "model", clients=64, window=128, tokens=48, rounds=5)
    parser.add_argument("--what", nargs="+", choices=WHAT, default=list(WHAT[:2]))
    options = parser.parse_args()
    clients, tokens = options.clients, options.tokens
    lists: list[list[float]] = [[] for _ in range(6)]
    alone, beside, first, people, behind, api = lists
    with Core(starter=False) as core:
        server = None
        try:
            core.call(ImportModel(path=str(options.model or starter_model()), name="measured"))
            window_speed(core, 8)
            server = RunningServer(make_app(core.workbench.handle, LocalAccess(lambda: KEY, tuple)), 0)
            port = int(server.address.rpartition(":")[2])
            for _ in range(options.rounds if "window" in options.what else 0):
                alone.append(window_speed(core, options.window)[1])
                waited, speed = window_beside(core, server, clients, options.window)
                first.append(waited)
                beside.append(speed)
                print(f"round {len(alone)}: {speed / alone[-1]:.2f} of the window's speed", flush=True)
            for _ in range(options.rounds if "throughput" in options.what else 0):
                behind.append(engine_batch(core, clients, tokens, background=True))
                api.append(all_clients(port, clients, tokens))
                print(f"round {len(api)}: {api[-1] / behind[-1]:.2f} of the background batch", flush=True)
            for _ in range(options.rounds if "people" in options.what else 0):
                people.append(engine_batch(core, clients, tokens, background=False))
        finally:
            if server is not None:
                server.close()
    show("window alone", alone, "tokens/s")
    show(f"window beside {clients} clients", beside, "tokens/s")
    show("  of its speed alone", [one / other for one, other in zip(beside, alone, strict=True)], "")
    show("  its first token after", first, "s")
    show("engine's batch, in the background", behind, "tokens/s")
    show(f"API, {clients} clients", api, "tokens/s")
    show("  of the background batch", [one / other for one, other in zip(api, behind, strict=True)], "")
    show("engine's batch, as people's", people, "tokens/s")


if __name__ == "__main__":
    main()
