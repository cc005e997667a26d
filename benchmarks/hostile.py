"""Servers and clients that do not keep to the rules, against a core of its own: is it stopped, and what does it take?

    python benchmarks/hostile.py                     endpoints: seconds from Stop to the end, and the core's memory
    python benchmarks/hostile.py --what connections  1,100 idle connections beside a question
    python benchmarks/hostile.py --what embeddings   14 MB of embeddings beside an ingest and questions

The core is a process of its own over a new home with the starter models, limited to 1,024 descriptors. Its memory is
read every 20 ms; the largest is reported. Medians of the rounds, and the worst.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from harness import arguments

from tests import hostile_server as hostile
from tests.fake_endpoint import FakeEndpoint
from tests.fake_endpoint import serving as serving_endpoint
from workbench.api import client as client_module
from workbench.api import events
from workbench.api.client import Client
from workbench.api.ownership import read_owner
from workbench.base.paths import Home
from workbench.records.recipes import DecodingPart, ModelPart, Recipe
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.calls import AddDocuments, CreateCollection, ListCollections
from workbench.subjects.endpoints.calls import AddEndpoint
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import RegisterStarter
from workbench.subjects.runs.calls import FollowRun, GetStatus
from workbench.subjects.serving.calls import GetApiState, ServeApi

IDLE, LIMIT, FILES = 1_100, 1_024, 40
STOPPED = (hostile.never_answers, hostile.drips_its_head, hostile.is_silent_in_its_body,
           hostile.sends_comments_for_ever)  # fmt: skip
ENDED = (hostile.streams_for_ever, hostile.sends_a_huge_index, hostile.sends_a_line_without_end,
         hostile.sends_many_values, hostile.sends_a_bomb)  # fmt: skip
SHORT = Recipe(decoding=DecodingPart(max_tokens=24))


class Memory:
    """The largest resident memory of a process while the block runs, in MB."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self.most = 0.0

    def __enter__(self) -> Memory:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.most = max(self.most, self._process.memory_info().rss / 1e6)
            if self._over.wait(0.02):
                return


@contextlib.contextmanager
def core() -> Iterator[tuple[Client, int]]:
    """A client of a new core, and the core's process."""
    spawn: Any = subprocess.Popen
    starting: Any = client_module
    pid = 0

    def limited(*arguments: Any, **options: Any) -> Any:
        return spawn(*arguments, **options, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT,) * 2))

    with tempfile.TemporaryDirectory() as folder:
        starting.subprocess.Popen = limited
        client = Client(Home(Path(folder) / "home"), idle_s=1.0)
        try:
            client.call(RegisterStarter())
            starting.subprocess.Popen = spawn
            owner = read_owner(client.home)
            assert owner is not None
            pid = owner.pid
            yield client, pid
        finally:
            client.close()
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(pid).wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def ask(client: Client, recipe: Recipe, told: Callable[[events.Event], None]) -> Any:
    return client.start(Ask(question="Is it so?", recipe=recipe), told)


def measure_endpoints(rounds: int) -> None:
    with core() as (client, pid):
        with serving_endpoint(FakeEndpoint()) as fair:
            client.call(AddEndpoint(address=fair.address, model="big", name="Big"))
        port = urlsplit(fair.address).port or 0
        recipe = Recipe(model=ModelPart(name="Big"), decoding=DecodingPart(max_tokens=1_000, repetition_penalty=1.0))
        print(f"core before: {psutil.Process(pid).memory_info().rss / 1e6:.0f} MB")
        for behaviour in (*STOPPED, *ENDED):
            seconds, ends, most = [], set(), 0.0
            for _ in range(rounds):
                over = threading.Event()
                last: list[events.Event] = []

                def tell(event: events.Event, over: threading.Event = over, last: list[events.Event] = last) -> None:
                    if isinstance(event, events.TERMINAL):
                        last.append(event)
                        over.set()

                with hostile.serving(hostile.Hostile(behaviour), port) as server, Memory(pid) as memory:
                    began = time.perf_counter()
                    asked = ask(client, recipe, tell)
                    if behaviour in STOPPED:
                        server.reached.wait(60)
                        time.sleep(0.5)
                        began = time.perf_counter()
                        asked.cancel()
                    assert over.wait(600), "it goes on"
                    seconds.append(time.perf_counter() - began)
                ends.add(type(last[0]).__name__)
                most = max(most, memory.most)
            what = "after Stop" if behaviour in STOPPED else "by itself"
            print(
                f"{behaviour.__name__}: {what} {statistics.median(seconds):.2f} s (worst {max(seconds):.2f}), "
                f"n = {rounds}, core at most {most:.0f} MB, {'/'.join(sorted(ends))}"
            )


def serve(client: Client) -> tuple[str, str]:
    """The address and the key of the API."""
    client.call(ChangeSettings(values={"server": {"port": free_port()}}))
    client.start(ServeApi(), lambda event: None)
    while not (state := client.call(GetApiState())).address:
        time.sleep(0.05)
    return state.address, state.key


def post(address: str, key: str, path: str, body: object) -> int:
    link = http.client.HTTPConnection(urlsplit(address).netloc, timeout=600)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with contextlib.closing(link):
        link.request("POST", path, json.dumps(body), headers)
        return link.getresponse().status


def timed_ask(client: Client) -> float:
    began = time.perf_counter()
    assert client.call(Ask(question="Are you there?", recipe=SHORT)).answer
    return time.perf_counter() - began


def measure_connections(rounds: int) -> None:
    with core() as (client, pid):
        address, _ = serve(client)
        client.call(Ask(question="Wake up.", recipe=SHORT))
        host, _, port = urlsplit(address).netloc.partition(":")
        alone = [timed_ask(client) for _ in range(rounds)]
        print(f"a question alone: {statistics.median(alone):.2f} s (worst {max(alone):.2f}), n = {rounds}")
        places: tuple[tuple[str, int, Any], ...] = (
            ("the local socket", socket.AF_UNIX, client.home.address),
            ("the API", socket.AF_INET, (host, int(port))),
        )
        for name, family, to in places:
            seconds = []
            with contextlib.ExitStack() as stack:
                began = time.perf_counter()
                for _ in range(IDLE):
                    stack.enter_context(socket.socket(family, socket.SOCK_STREAM)).connect(to)
                opened = time.perf_counter() - began
                seconds = [timed_ask(client) for _ in range(rounds)]
                fds = psutil.Process(pid).num_fds()
            print(
                f"{IDLE} idle connections to {name}, opened in {opened:.1f} s: a question "
                f"{statistics.median(seconds):.2f} s (worst {max(seconds):.2f}), n = {rounds}; "
                f"the core has {fds} descriptors"
            )


def measure_embeddings(rounds: int) -> None:
    texts = [f"{number} " + "word " * 110 for number in range(2_000)]
    with core() as (client, _), tempfile.TemporaryDirectory() as folder:
        address, key = serve(client)
        for number in range(FILES):
            text = f"Pump {number} has a warranty of {number + 1} months. " * 40
            (Path(folder) / f"{number}.txt").write_text(text)
        client.call(Ask(question="Wake up.", recipe=SHORT))
        print("14 MB in one text:", post(address, key, "/v1/embeddings", {"input": "word " * 2_800_000}))
        worker = next(one.pid for one in client.call(GetStatus()).workers if one.name == "embedding")
        for what in ("alone", "beside 1.1 MB of texts", "beside 1.1 MB, hung up"):
            collection = client.call(CreateCollection(name=what))
            link = http.client.HTTPConnection(urlsplit(address).netloc, timeout=600)
            if what != "alone":
                headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
                link.request("POST", "/v1/embeddings", json.dumps({"input": texts}), headers)
            began = time.perf_counter()
            run = client.call(AddDocuments(collection=collection.id, paths=(folder,)))
            seconds = [timed_ask(client) for _ in range(rounds)]
            if what.endswith("hung up"):
                link.close()
            client.call(FollowRun(run=run.id))
            took = time.perf_counter() - began
            known = next(one for one in client.call(ListCollections()).collections if one.id == collection.id)
            status = link.getresponse().status if what.endswith("texts") else ""
            now = next(one for one in client.call(GetStatus()).workers if one.name == "embedding")
            print(
                f"ingest of {FILES} files {what}: {took:.1f} s, {known.documents} documents; questions meanwhile "
                f"{statistics.median(seconds):.2f} s (worst {max(seconds):.2f}), n = {rounds}; embeddings {status}; "
                f"the process {'is the same' if now.pid == worker or not worker else 'IS ANOTHER'}, "
                f"{now.memory_bytes / 1e6:.0f} MB"
            )
            worker = now.pid


WHAT = {"endpoints": measure_endpoints, "connections": measure_connections, "embeddings": measure_embeddings}


def main() -> None:
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--what", choices=WHAT, default="endpoints")
    options = parser.parse_args()
    WHAT[options.what](options.rounds)


if __name__ == "__main__":
    main()
