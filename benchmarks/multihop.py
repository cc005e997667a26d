"""How well a second search finds all the passages that a question needs.

    python benchmarks/multihop.py --keep FOLDER

HotpotQA and MuSiQue (``--data``: ``multihop/{hotpot,musique}``, 50 questions each that need two or more passages; each
passage is a file), and XQuAD, whose questions need one and must not lose it. Each question is asked of the real
embedding worker once and twice (``retrieval/second_search.py``), on the same index. Reported, paired on the same rows:
questions with all their passages among the first five, with one of them, and with one of them first; the questions that
the second search wins and loses; and how long both take.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from harness import DATA, arguments, read_lines, report, share
from retrieval import documents_of, load, unpack_starter

from workbench.processes.host import WorkerHost
from workbench.records.documents import SearchResult
from workbench.records.messages import Passage
from workbench.techniques.embedding_calls import Close, Ingest, Search, Similarities
from workbench.techniques.retrieval.second_search import search_further

SETS = ("hotpot", "musique", "xquad-en", "xquad-de")
WANTED = {"hotpot": 0.10, "musique": 0.08}
"""By so much more of the questions all passages are among the first five."""
DEPTH = 5


def read_set(data: Path, name: str) -> tuple[dict[str, str], list[tuple[str, list[str]]]]:
    """Texts by document name, and questions with the documents that they need."""
    if name.startswith("xquad"):
        texts, questions = load(data, name)
        return texts, [(question, list(grades)) for question, grades in questions]
    folder = data / "multihop" / name
    passages = {one["id"]: one["text"] for one in read_lines(folder / "passages.jsonl")}
    return passages, [(one["question"], one["gold"]) for one in read_lines(folder / "questions.jsonl")]


class Asked:
    """The questions of a set, asked once and twice of an index."""

    def __init__(self, worker: WorkerHost, embedder: Path, file: Path, name: str) -> None:
        self._worker, self._embedder, self._file, self._name = worker, embedder, file, name
        self.milliseconds: list[float] = []

    def search(self, query: str, limit: int) -> SearchResult:
        call = Search(
            file=str(self._file), collection=self._name, embedder=str(self._embedder), query=query, limit=limit
        )
        return self._worker.call(call)

    def ask(self, question: str) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
        """The hits of the first search, and those of both."""
        first = self.search(question, 10).hits
        began = time.perf_counter()
        both = search_further(question, first, self.search, 10)
        self.milliseconds.append(1000 * (time.perf_counter() - began))
        return first, both


def grade(hits: tuple[Passage, ...], gold: Sequence[str]) -> tuple[bool, bool, bool]:
    """Whether all are among the first five, any, and one is the first."""
    ranked = documents_of(hits)[:DEPTH]
    return (
        all(one in ranked for one in gold),
        any(one in ranked for one in gold),
        any(one in gold for one in ranked[:1]),
    )


def measure(worker: WorkerHost, embedder: Path, work: Path, data: Path, name: str) -> dict[str, float]:
    texts, questions = read_set(data, name)
    folder, file = work / name, work / f"{name}.sqlite"
    folder.mkdir(parents=True, exist_ok=True)
    for key, text in texts.items():
        (folder / f"{key}.txt").write_text(text, "utf-8")
    worker.call(Ingest(file=str(file), collection=name, embedder=str(embedder), paths=(str(folder),)))
    asked = Asked(worker, embedder, file, name)
    once, twice = [], []
    for question, gold in questions:
        first, both = asked.ask(question)
        once.append(grade(first, gold))
        twice.append(grade(both, gold))
    worker.call(Close(file=str(file)))
    n = len(questions)
    middle = statistics.median(asked.milliseconds)
    print(f"{name}, {n} questions; the second search takes {middle:.0f} ms in the middle")
    found: dict[str, float] = {"n": n, "ms": middle}
    for place, title in enumerate((f"all in {DEPTH}", f"one in {DEPTH}", "one first")):
        before, after = [row[place] for row in once], [row[place] for row in twice]
        wins = sum(b and not a for a, b in zip(before, after, strict=True))
        losses = sum(a and not b for a, b in zip(before, after, strict=True))
        print(f"  {title}: {share(sum(before), n)} -> {share(sum(after), n)}; {wins} won, {losses} lost", flush=True)
        found |= {f"{title}, once": sum(before) / n, f"{title}, twice": sum(after) / n}
    return found


def main() -> int:
    parser = arguments(__doc__, "keep", "json", data=DATA)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = given.keep or Path(temporary)
        embedder = unpack_starter(work)
        worker = WorkerHost("embedding")
        worker.call(Similarities(embedder=str(embedder), texts=("warm",), others=("up",)))
        try:
            found = {name: measure(worker, embedder, work, given.data, name) for name in given.sets}
        finally:
            worker.stop()
    report(found, given.json)
    gains = {name: found[name][f"all in {DEPTH}, twice"] - found[name][f"all in {DEPTH}, once"] for name in found}
    return 0 if all(gains[name] >= wanted for name, wanted in WANTED.items() if name in gains) else 1


if __name__ == "__main__":
    sys.exit(main())
