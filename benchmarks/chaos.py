"""What survives when processes are killed: SIGKILL of a worker, the core or a client, in the middle of work.

    python benchmarks/chaos.py

Each round starts a client that ingests a few documents, one that chats, or both, waits for a random moment and kills
one of: inference worker, embedding worker, core, client. The clients say what was acknowledged to them: a document
that was reported as indexed, a question that was reported as stored, an answer that was reported as finished. Then:

- at once, and again after everything was taken up and has ended: ``pragma integrity_check`` and FTS5's own check of
  every database, as many vectors as chunks, a word of each acknowledged document found by MATCH, each acknowledged
  message in its chat with its text;
- the next start works: a new client is answered, interrupted ingests end with all their documents indexed, no answer
  is left "streaming".

Ends with exit status 1 and the list of what was violated, or with 0. Needs the starter models, and no network.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import apsw
import psutil
import sqlite_vec
from harness import arguments

from workbench.api import events
from workbench.api.client import Client
from workbench.api.ownership import read_owner
from workbench.base.errors import UserError, WorkerDied
from workbench.base.paths import Home
from workbench.records.recipes import DecodingPart, Recipe, RetrievalPart
from workbench.subjects.chats.calls import Ask, GetChat, ListChats
from workbench.subjects.documents.calls import AddDocuments, CreateCollection, ListCollections
from workbench.subjects.models.calls import RegisterStarter
from workbench.subjects.runs.calls import FollowRun, GetStatus, ListRuns, ResumeRun

ACTIVITIES = {
    "inference": ("chat", "both"),
    "embedding": ("ingest", "chat", "both"),
    "core": ("ingest", "chat", "both"),
    "client": ("ingest", "chat", "both"),
}
"""Victim -> in the middle of what it can be killed."""
COLLECTION = "Chaos"
DOCUMENTS_A_ROUND = 8
LATEST_KILL_S = 6.0
WAIT_S = 120.0
TEXT = (
    "The lighthouse on the northern cape was built of granite that ships had brought from the quarries in the south. "
    "Its keeper wrote down wind, waves and passing ships every evening, and his notes are kept in the town's archive. "
)


class Acknowledged:
    """What clients were told is safe, over all rounds."""

    def __init__(self) -> None:
        self.documents: set[str] = set()  # paths
        self.questions: dict[str, tuple[str, str]] = {}  # message -> chat, text
        self.answers: dict[str, tuple[str, str]] = {}
        self.runs: set[str] = set()

    def take(self, line: str) -> None:
        kind, *values = json.loads(line)
        if kind == "document":
            self.documents.add(values[0])
        elif kind == "run":
            self.runs.add(values[0])
        else:
            message, chat, text = values
            (self.questions if kind == "question" else self.answers)[message] = (chat, text)


# -- the clients that are killed ------------------------------------------------------------------


def say(*values: str) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def ingest(home: Home, folder: str) -> None:
    client = Client(home)
    run = client.call(AddDocuments(collection=COLLECTION, paths=(folder,)))
    say("run", run.id)
    for event in client.stream(FollowRun(run=run.id)):
        if isinstance(event, events.Artifact) and event.result.get("state") == "indexed":
            say("document", event.id)
    client.close()


def chat(home: Home, number: str) -> None:
    client = Client(home)
    recipe = Recipe(
        decoding=DecodingPart(max_tokens=48, temperature=0.8), retrieval=RetrievalPart(collection=COLLECTION)
    )
    for turn in range(3):
        question = f"Question {turn} of round {number}: what did the keeper of the lighthouse write down?"
        for event in client.stream(Ask(question=question, recipe=recipe)):
            if isinstance(event, events.Artifact) and event.kind == "message":
                in_chat = event.result["chat"]
                say("question", event.result["question"], in_chat, question)
            elif isinstance(event, events.Finished):
                say("answer", event.result["message"], event.result["chat"], event.result["answer"])
            elif isinstance(event, events.Failed):
                return
    client.close()


# -- one round ------------------------------------------------------------------------------------


def run_round(home: Home, folder: Path, number: int, chance: random.Random, acknowledged: Acknowledged) -> str:
    """Work, kill, collect what was acknowledged. Returns what was killed."""
    victim = tuple(ACTIVITIES)[number % len(ACTIVITIES)]
    activity = chance.choice(ACTIVITIES[victim])
    documents = folder / f"round{number}"
    documents.mkdir()
    for n in range(DOCUMENTS_A_ROUND):
        (documents / f"{n}.txt").write_text(f"{word_of(number, n)}. " + TEXT * chance.randint(2, 12))
    clients = []
    if activity in ("ingest", "both"):
        clients.append(start_client(home, "ingest", str(documents), acknowledged))
    if activity in ("chat", "both"):
        clients.append(start_client(home, "chat", str(number), acknowledged))
    time.sleep(chance.uniform(0.2, LATEST_KILL_S))
    kill(home, victim, clients[0][0])
    for process, reader in clients:
        process.wait(WAIT_S)
        reader.join(WAIT_S)
    return f"{victim} during {activity}"


def word_of(number: int, n: int) -> str:
    return f"marker{number}n{n}"


def start_client(
    home: Home, activity: str, argument: str, acknowledged: Acknowledged
) -> tuple[subprocess.Popen[str], threading.Thread]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--home", str(home.root), "--client", activity, argument],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def read() -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                if line.endswith("\n"):
                    acknowledged.take(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    return process, reader


def kill(home: Home, victim: str, client: subprocess.Popen[str]) -> None:
    """SIGKILL the victim, as soon as it is there."""
    if victim == "client":
        client.kill()
        return
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        owner = read_owner(home)
        with contextlib.suppress(psutil.NoSuchProcess):
            if owner is not None and kill_of_core(psutil.Process(owner.pid), victim):
                return
        time.sleep(0.02)
    raise RuntimeError(f"there was no {victim} to kill within {WAIT_S:g} s")


def kill_of_core(core: psutil.Process, victim: str) -> bool:
    """Kill the core or one of its workers; False when that worker is not there."""
    children = core.children(recursive=True)
    if victim == "core":
        core.kill()
        # the workers see the end of their stdin; databases are looked at when nobody has them open any more
        _, alive = psutil.wait_procs([core, *children], timeout=30)
        if alive:
            raise RuntimeError(f"these outlived the core by 30 s: {alive}")
        return True
    for child in children:
        if child.cmdline()[-2:] == ["workbench.workers", victim]:
            child.kill()
            return True
    return False


# -- what has to hold -------------------------------------------------------------------------------


def check(home: Home, acknowledged: Acknowledged) -> list[str]:
    """What is violated in the home's databases as they lie there."""
    wrong = []
    with open_database(home.database) as database:
        wrong += check_soundness(database, "workbench.sqlite", "history")
        for message, (chat_id, text) in {**acknowledged.questions, **acknowledged.answers}.items():
            if (chat_id, text) not in database.execute("select chat, text from messages where id = ?", (message,)):
                wrong.append(f"message {message} is lost or changed: {text[:40]!r}")
        files = [home.collection(id_) for (id_,) in database.execute("select id from collections")]
    found: set[str] = set()
    for file in files:
        if file.exists():
            wrong += check_collection(file, acknowledged.documents, found)
    wrong += [f"document {path} is lost" for path in acknowledged.documents - found]
    return wrong


def check_collection(file: Path, documents: set[str], found: set[str]) -> list[str]:
    with open_database(file) as database:
        tables = {name for (name,) in database.execute("select name from sqlite_schema")}
        if "chunks" not in tables:
            return []  # killed before its first migration
        wrong = check_soundness(database, file.name, "words")
        ((chunks,),) = database.execute("select count(*) from chunks")
        vectors = 0
        if "vectors" in tables:
            ((vectors,),) = database.execute("select count(*) from vectors")
        if chunks != vectors:
            wrong.append(f"{file.name}: {chunks} chunks, {vectors} vectors")
        for path in documents:
            number, n = Path(path).parent.name.removeprefix("round"), Path(path).stem
            rows = list(
                database.execute(
                    "select d.path from words w join chunks c on c.number = w.rowid "
                    "join documents d on d.number = c.document where words match ?",
                    (f"marker{number}n{n}",),
                )
            )
            if (path,) in rows:
                found.add(path)
        return wrong


def check_soundness(database: apsw.Connection, name: str, fts: str) -> list[str]:
    wrong = [f"{name}: {row[0]}" for row in database.execute("pragma integrity_check") if row[0] != "ok"]
    try:
        for _ in database.execute(f"insert into {fts} ({fts}, rank) values ('integrity-check', 1)"):
            pass
    except apsw.Error as error:
        wrong.append(f"{name}: FTS5 integrity check: {error}")
    return wrong


@contextlib.contextmanager
def open_database(path: Path):  # type: ignore[no-untyped-def] # a generator of one apsw.Connection
    database = apsw.Connection(str(path))
    database.set_busy_timeout(30_000)
    database.enable_load_extension(True)
    sqlite_vec.load(database)
    try:
        yield database
    finally:
        database.close()


def recover(home: Home, acknowledged: Acknowledged) -> list[str]:
    """The next start: everything is taken up, ends, and is what was promised. Returns what is violated."""
    wrong = []
    client = Client(home)
    try:
        client.call(GetStatus())
        for run in client.call(ListRuns()).runs:
            if run.state in ("interrupted", "failed", "queued", "running"):
                client.call(ResumeRun(run=run.id))
                client.call(FollowRun(run=run.id))
        runs = {run.id: run for run in client.call(ListRuns(limit=10_000)).runs}
        for run_id in acknowledged.runs:
            if run_id not in runs:
                wrong.append(f"run {run_id} is lost")
            elif runs[run_id].state != "finished":
                wrong.append(f"run {run_id} is {runs[run_id].state}: {runs[run_id].message}")
            else:
                folder = Path(runs[run_id].config["paths"][0])
                acknowledged.documents |= {str(path) for path in folder.iterdir()}
        for chat_record in client.call(ListChats()).chats:
            for message in client.call(GetChat(chat=chat_record.id)).messages:
                if message.state == "streaming" and not await_answer(client, chat_record.id, message.id):
                    wrong.append(f"answer {message.id} is left streaming")
        (collection,) = client.call(ListCollections()).collections
        if collection.documents < len(acknowledged.documents):
            wrong.append(f"the registry counts {collection.documents} of {len(acknowledged.documents)} documents")
    except (UserError, WorkerDied, RuntimeError) as error:
        wrong.append(f"the next start failed: {error!r}")
    finally:
        client.close()
    return wrong


def await_answer(client: Client, chat_id: str, message: str) -> bool:
    """Wait for an answer whose client was killed: it goes on."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        states = {m.id: m.state for m in client.call(GetChat(chat=chat_id)).messages}
        if states[message] != "streaming":
            return True
        time.sleep(0.2)
    return False


def run(home: Home, rounds: int, seed: int) -> list[str]:
    """All rounds; prints one line each. Returns what was violated."""
    chance, acknowledged, killed = random.Random(seed), Acknowledged(), Counter[str]()
    wrong: list[str] = []
    client = Client(home)
    client.call(RegisterStarter())
    client.call(CreateCollection(name=COLLECTION))
    client.close()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        for number in range(rounds):
            began = time.monotonic()
            what = run_round(home, Path(folder), number, chance, acknowledged)
            killed[what.split()[0]] += 1
            found = check(home, acknowledged)
            found += recover(home, acknowledged)
            found += check(home, acknowledged)
            wrong += [f"round {number} ({what}): {violation}" for violation in found]
            print(
                f"round {number}: killed {what}, {len(acknowledged.documents)} documents, "
                f"{len(acknowledged.questions)} questions, {len(acknowledged.answers)} answers acknowledged so far, "
                f"{len(found)} violations, {time.monotonic() - began:.1f} s",
                flush=True,
            )
    print(f"killed: {dict(killed)}; violations: {len(wrong)}")
    return wrong


def main() -> int:
    parser = arguments(__doc__, "home", rounds=50, seed=1)
    parser.add_argument("--client", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        activity, argument = options.client
        (ingest if activity == "ingest" else chat)(Home(options.home), argument)
        return 0
    with tempfile.TemporaryDirectory(prefix="chaos-home-", ignore_cleanup_errors=True) as temporary:
        home = Home(options.home or Path(temporary))
        wrong = run(home, options.rounds, options.seed)
        owner = read_owner(home)
        if owner is not None:
            core = psutil.Process(owner.pid)
            core.terminate()
            core.wait(30)
    for violation in wrong:
        print(violation)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
