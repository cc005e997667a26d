"""64 clients of the local API at once: no deadlock, the window's chat goes first, and how fast it is in all.

    python benchmarks/api_load.py --clients 64 --tokens 48

Three things are measured on the same prompts: the engine's own batch without HTTP, as people's requests and as
background work, which the API's are; the API with all clients at once; a question of the window, alone and meanwhile.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import threading
import time
from pathlib import Path

from api_harness import KEY, call, starter_path

from workbench.api import events
from workbench.api.calls import Ask, ImportModel, ListModels
from workbench.api.protocol import RequestContext, drain
from workbench.backends.backend import ModelUse
from workbench.core.app import Workbench
from workbench.engine.inference_calls import Generate
from workbench.paths import Home
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, ModelPart, Recipe
from workbench.server.app import make_app
from workbench.server.running import RunningServer

TOPICS = ("rivers", "bridges", "whales", "clocks", "bread", "islands", "trains", "comets")


def prompt_of(number: int) -> str:
    return f"Write a long story, number {number}, about {TOPICS[number % len(TOPICS)]}."


def decoding(tokens: int) -> DecodingPart:
    return DecodingPart(temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0, max_tokens=tokens, seed=7)


def engine_batch(workbench: Workbench, clients: int, tokens: int, *, background: bool) -> float:
    """Tokens per second of all, without HTTP."""
    (record,) = call(workbench, ListModels()).models
    made = 0
    with workbench._llama_cpp.lease(record, ModelUse(background=background), RequestContext()) as loading:
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


def ask_api(port: int, number: int, tokens: int, made: list[int], failed: list[str]) -> None:
    body = json.dumps({
        "model": "measured", "messages": [{"role": "user", "content": prompt_of(number)}], "max_tokens": tokens,
        "seed": 7, "stream": True, "stream_options": {"include_usage": True},
    })  # fmt: skip
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    try:
        link.request("POST", "/v1/chat/completions", body,
                     {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"})  # fmt: skip
        answer = link.getresponse()
        lines = answer.read().decode().splitlines()
        if answer.status != 200 or lines[-2:] == [] or "data: [DONE]" not in lines:
            failed.append(f"{answer.status} {lines[-1:]}")
            return
        chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        made.append(chunks[-1]["usage"]["completion_tokens"])
    except OSError as error:
        failed.append(str(error))
    finally:
        link.close()


def window_speed(workbench: Workbench, tokens: int) -> tuple[float, float]:
    """Seconds to the first token, and tokens per second after it, of a question in the window."""
    recipe = Recipe(model=ModelPart(name="measured"), decoding=decoding(tokens))
    began = time.perf_counter()
    first, count, last = 0.0, 0, 0.0
    for event in workbench.handle(Ask(question="Write a long story about the sea.", recipe=recipe)):
        if isinstance(event, events.TextDelta):
            last = time.perf_counter()
            first = first or last - began
            count += 1
        elif isinstance(event, events.Finished):
            count = event.result["usage"]["new_tokens"]
    return first, (count - 1) / (last - began - first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--model", type=Path, help="a GGUF file (default: the starter model)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        workbench = Workbench(Home(Path(name) / "home"))
        server = None
        try:
            call(workbench, ImportModel(path=str(options.model or starter_path()), name="measured"))
            window_speed(workbench, 8)
            alone = [window_speed(workbench, 96)[1] for _ in range(3)]
            print(f"window alone       {sorted(alone)[1]:6.1f} tokens/s (3 runs)", flush=True)
            for background in (False, True):
                speed = engine_batch(workbench, options.clients, options.tokens, background=background)
                print(
                    f"engine's own batch {speed:6.1f} tokens/s ({'background' if background else 'people'})", flush=True
                )
            server = RunningServer(make_app(workbench.handle, lambda: KEY, tuple), 0)
            port = int(server.address.rpartition(":")[2])
            for with_window in (False, True):
                made: list[int] = []
                failed: list[str] = []
                threads = [
                    threading.Thread(target=ask_api, args=(port, number, options.tokens, made, failed))
                    for number in range(options.clients)
                ]
                began = time.perf_counter()
                for thread in threads:
                    thread.start()
                if with_window:
                    time.sleep(3)
                    first, speed = window_speed(workbench, 96)
                    print(f"window meanwhile   {speed:6.1f} tokens/s, first token after {first:.2f} s", flush=True)
                for thread in threads:
                    thread.join()
                seconds = time.perf_counter() - began
                print(f"API, {options.clients} clients    {sum(made) / seconds:6.1f} tokens/s, {len(made)} answered, "
                      f"{len(failed)} failed {failed[:2]}", flush=True)  # fmt: skip
        finally:
            if server is not None:
                server.close()
            workbench.close()


if __name__ == "__main__":
    main()
