"""Is the right passage found? For questions on the made offices, and on long technical documents.

    python benchmarks/passages.py --made MADE
    python benchmarks/passages.py --made MADE --multilingual --only offices

The documents of each office (``benchmarks/offices/make.py`` has written them to ``--made``/NAME) and of the Python
Enhancement Proposals (``--data``: ``peps``) become a collection of the real embedding worker, and each question is one
Search of it. A passage is right when it holds an accepted answer and its document is a source. Reported by kind of
question and by office: the share of questions with the right passage first and among five, and with a right document
first and among five, with 95 % intervals; passages per document; and the collection's size. ``--plain`` leaves the
contexts out, ``--keep`` keeps the collections.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from harness import DATA, HERE, arguments, holds, read_lines, share
from office_answers import MADE

from workbench.api.events import Finished
from workbench.api.protocol import RequestContext
from workbench.reading.process import ReaderProcess
from workbench.subjects.models.starter import find_multilingual, find_starters
from workbench.techniques.embedding_calls import Ingest
from workbench.techniques.retrieval.embedder_loading import EmbedderLoading
from workbench.techniques.retrieval.embedding import EmbeddingQueue
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.ingest import ingest
from workbench.techniques.retrieval.passage_context import ContextSource
from workbench.techniques.retrieval.search import search

KINDS = ("fact", "crosslang", "version")
"""Kinds of questions that one passage answers."""
PARTS = ("offices", "peps")
NEVER = 99


class Bench:
    """Collections of one embedding model."""

    def __init__(self, embedder: Path, work: Path) -> None:
        self._embedder, self._work = embedder, work
        self._queue = EmbeddingQueue(EmbedderLoading(work / "embedders").load)

    def ranks(self, name: str, documents: Path, questions: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
        """Of each question the ranks of the right passage and of a right document among ten hits."""
        index = self._collection(name, documents)
        found = []
        for question in questions:
            hits = search(index, self._queue, self._embedder, name, question["question"], 10).hits
            sources = [Path(hit.path).name in question["sources"] for hit in hits]
            right = [known and holds(hit.text, question["answers"]) for known, hit in zip(sources, hits, strict=True)]
            found.append((_first(right), _first(sources)))
        index.close()
        return found

    def _collection(self, name: str, documents: Path) -> CollectionIndex:
        file = self._work / f"{name}.sqlite"
        known = file.exists()
        index = CollectionIndex(file)
        if not known:
            call = Ingest(file=str(file), collection=name, embedder=str(self._embedder), paths=(str(documents),))
            reader = ReaderProcess()
            (*_, last) = ingest(index, self._queue, reader, call, RequestContext())
            reader.close()
            assert isinstance(last, Finished)
            seconds = last.result["seconds"]
            print(f"{name}: {last.result['chunks']} passages of {last.result['indexed']} documents in {seconds:.0f} s, "
                  f"{file.stat().st_size / 1e6:.2f} MB")  # fmt: skip
        return index


def _first(right: Sequence[bool]) -> int:
    return right.index(True) + 1 if True in right else NEVER


def tell(name: str, ranks: Sequence[tuple[int, int]]) -> None:
    n = len(ranks)
    told = (
        ("passage first", sum(passage == 1 for passage, _ in ranks)),
        ("passage among five", sum(passage <= 5 for passage, _ in ranks)),
        ("document first", sum(document == 1 for _, document in ranks)),
        ("document among five", sum(document <= 5 for _, document in ranks)),
    )
    print(f"{name} (n={n}): " + "; ".join(f"{what} {share(right, n)}" for what, right in told), flush=True)


def measure_offices(bench: Bench, made: Path) -> None:
    by_kind: dict[str, list[tuple[int, int]]] = {kind: [] for kind in KINDS}
    for office in MADE:
        questions = [one for one in read_lines(HERE / "offices" / office / "questions.jsonl") if one["kind"] in KINDS]
        ranks = bench.ranks(office, made / office, questions)
        tell(office, ranks)
        for question, rank in zip(questions, ranks, strict=True):
            by_kind[question["kind"]].append(rank)
    for kind, ranks in by_kind.items():
        tell(kind, ranks)
    tell("all", [rank for ranks in by_kind.values() for rank in ranks])


def main() -> int:
    parser = arguments(__doc__, "keep", "made", data=DATA, only=PARTS, multilingual=False, plain=False)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = given.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        models = work / "models"
        if given.multilingual:
            model = find_multilingual(models)
        else:
            model = next((one for one in find_starters(models) if one.kind == "embedder"), None)
        if model is None:
            print("The embedding model is not installed.")
            return 1
        bench = Bench(Path(model.path), work)
        without = mock.patch.multiple(
            ContextSource, with_contexts=lambda self, chunks: list(chunks), most_tokens=property(lambda self: 0)
        )
        if given.plain:
            without.start()
        if "offices" in given.only:
            measure_offices(bench, given.made)
        if "peps" in given.only:
            tell("peps", bench.ranks("peps", given.data / "peps", read_lines(HERE / "pep_questions.jsonl")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
