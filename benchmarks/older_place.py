"""Time to an answer from documents, and the size of the index, against an older checkout of the program.

    python benchmarks/older_place.py --older CHECKOUT --documents FOLDER --questions FILE

Each checkout runs in a process of its own, with the interpreter of its ``.venv``: it makes a new home, reads the
documents into a collection and answers the questions of one place (``--kinds``) of a JSON-lines file with the program's
defaults. The checkouts take turns question by question, each of which is asked for the first time: with ``--rounds``
the median counts, in which the vectors of its sentences are known. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from harness import ROOT, Core, arguments, in_turns, read_lines, spread

KINDS = "fact,version,unanswerable"


def child(documents: str) -> None:
    """Print the size of the index, then the seconds to the answer of each question that comes in, a line each."""
    from workbench.records.recipes import Recipe, RetrievalPart
    from workbench.subjects.chats.calls import Ask
    from workbench.subjects.documents.calls import AddDocuments, CreateCollection
    from workbench.subjects.machine.calls import ChangeSettings

    with Core() as core:
        core.call(ChangeSettings(values={"documents": {"keep_embedder": True}}))
        core.call(CreateCollection(name="documents"))
        core.follow(core.call(AddDocuments(collection="documents", paths=(documents,))))
        sizes = [path.stat().st_size for path in core.folder.rglob("*.sqlite*") if path.name != "workbench.sqlite"]
        print(sum(sizes), flush=True)
        recipe = Recipe(retrieval=RetrievalPart(collection="documents"))
        for line in sys.stdin:
            began = time.perf_counter()
            core.call(Ask(question=json.loads(line), recipe=recipe))
            print(time.perf_counter() - began, flush=True)


class Checkout:
    def __init__(self, folder: Path, documents: Path) -> None:
        self._process = subprocess.Popen(
            [folder / ".venv/bin/python", folder / "benchmarks" / Path(__file__).name, "--child", documents.resolve()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder / "benchmarks",
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{folder / 'benchmarks'}:{folder}"},
        )  # fmt: skip
        self.index_bytes = int(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            raise SystemExit("A checkout has ended before its time; its error stands above.")
        return line

    def ask(self, question: str) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return float(self._read())

    def close(self) -> None:
        self._process.communicate()


def asking(ways: dict[str, Checkout], question: str, way: str, _: int) -> float:
    return ways[way].ask(question)


def main() -> None:
    parser = arguments(__doc__, "older", "documents", "questions", kinds=KINDS, rounds=1)
    parser.add_argument("--child", help="the documents that this process reads")
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return
    questions = [one["question"] for one in read_lines(options.questions) if one["kind"] in options.kinds.split(",")]
    ways = {name: Checkout(folder, options.documents) for name, folder in (("older", options.older), ("this", ROOT))}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for question in questions:
        for name, found in in_turns(options.rounds, tuple(ways), partial(asking, ways, question), warm=False).items():
            seconds[name].append(statistics.median(found))
    ratios = [new / old for new, old in zip(seconds["this"], seconds["older"], strict=True)]
    for name, way in ways.items():
        print(f"{name}: index {way.index_bytes / 1e6:.2f} MB; seconds to the answer {spread(seconds[name], 3)}")
        way.close()
    print(
        f"this by older: {spread(ratios, 2)}, n {len(ratios)}; sums {sum(seconds['this']) / sum(seconds['older']):.2f}"
    )


if __name__ == "__main__":
    main()
