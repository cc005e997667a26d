"""How well retrieval finds: the right paragraph for the questions of XQuAD, the relevant abstracts of Cranfield.

    python benchmarks/retrieval.py --parts --compare

``--data`` holds ``xquad/{en,de,zh}`` and ``cranfield``. Each document becomes a file, the files are ingested by the
real embedding worker, and each question is one Search of it. Reported: the share of questions with the right
paragraph among the first five documents (hit@5), nDCG@10 with graded gains, documents a second while ingesting beside
those of SentenceTransformer.encode on the same texts in the same run (--compare), how long a search takes, and what
words and meaning find alone, on the same index (--parts).
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
import time
from pathlib import Path

from harness import DATA, arguments, read_lines

from workbench.processes.host import WorkerHost
from workbench.records.documents import SearchResult
from workbench.records.messages import Passage
from workbench.techniques.embedding_calls import Close, Ingest, Search, Similarities, State
from workbench.techniques.retrieval.config import SearchConfig
from workbench.techniques.retrieval.embedder_loading import EmbedderLoading
from workbench.techniques.retrieval.embedding import EmbeddingQueue
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.search import search

SETS = ("xquad-en", "xquad-de", "xquad-zh", "cranfield")
PARTS = {
    "words alone": SearchConfig(known_weight=0, unknown_weight=0, feedback=0),
    "meaning alone": SearchConfig(known_weight=1, unknown_weight=1, feedback=0),
    "both, without feedback": SearchConfig(feedback=0),
    "both": SearchConfig(),
}
WANTED = {"xquad-en": 0.99, "xquad-de": 0.975, "xquad-zh": 0.989, "cranfield": 0.41}
"""Above words alone (BM25) on the same index: 0.984, 0.973, 0.988, 0.359. With ``--parts`` the fusion must also be
at least as good as its better side."""


def load(data: Path, name: str) -> tuple[dict[str, str], list[tuple[str, dict[str, int]]]]:
    """Texts by document name, and questions with the grades of their relevant documents."""
    if name == "cranfield":
        texts = {str(d["id"]): d["text"] for d in read_lines(data / "cranfield" / "documents.jsonl")}
        queries = read_lines(data / "cranfield" / "queries.jsonl")
        return {k: t for k, t in texts.items() if t.strip()}, [(q["text"], q["relevant"]) for q in queries]
    folder = data / "xquad" / name.removeprefix("xquad-")
    texts = {p["id"]: p["text"] for p in read_lines(folder / "paragraphs.jsonl")}
    return texts, [(q["question"], {q["paragraph"]: 1}) for q in read_lines(folder / "questions.jsonl")]


def documents_of(hits: tuple[Passage, ...]) -> list[str]:
    """Names of the documents that the hits are from, each once, in the order of their best hit."""
    return list(dict.fromkeys(Path(hit.path).stem for hit in hits))


def ndcg(ranked: list[str], grades: dict[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain (Jarvelin and Kekalainen 2002), gain = grade."""
    gained = sum(grades.get(name, 0) / math.log2(place + 2) for place, name in enumerate(ranked[:depth]))
    ideal = sum(
        grade / math.log2(place + 2) for place, grade in enumerate(sorted(grades.values(), reverse=True)[:depth])
    )
    return gained / ideal if ideal else 0.0


def grade(name: str, found: SearchResult, grades: dict[str, int]) -> float:
    """The score of one question."""
    ranked = documents_of(found.hits)
    return ndcg(ranked, grades) if name == "cranfield" else float(any(key in grades for key in ranked[:5]))


def measure_parts(queue: EmbeddingQueue, embedder: Path, file: Path, data: Path, name: str) -> float:
    """Ask all questions of a collection again, of one side of the search at a time. Returns the better side's score."""
    _, questions = load(data, name)
    index, scores = CollectionIndex(file), {}
    for part, config in PARTS.items():
        found = [grade(name, search(index, queue, embedder, name, q, 30, config), grades) for q, grades in questions]
        scores[part] = statistics.fmean(found)
        print(f"{name}: {part} {scores[part]:.4f}", flush=True)
    index.close()
    return max(scores["words alone"], scores["meaning alone"])


def measure(worker: WorkerHost, embedder: Path, work: Path, data: Path, name: str) -> tuple[float, list[str]]:
    """Ingest one set and ask all its questions. Returns the score and the texts."""
    texts, questions = load(data, name)
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    for key, text in texts.items():
        (folder / f"{key}.txt").write_text(text, "utf-8")
    file = str(work / f"{name}.sqlite")
    began = time.perf_counter()
    added = worker.call(Ingest(file=file, collection=name, embedder=str(embedder), paths=(str(folder),)))
    ingest_s = time.perf_counter() - began
    state = worker.call(State(file=file))
    print(f"{name}: {added.indexed} documents ({len(added.failed)} failed), {state.chunks} chunks in {ingest_s:.1f} s, "
          f"{len(texts) / ingest_s:.1f} documents/s")  # fmt: skip
    scores: list[float] = []
    seconds: list[float] = []
    for question, grades in questions:
        began = time.perf_counter()
        found = worker.call(Search(file=file, collection=name, embedder=str(embedder), query=question, limit=30))
        seconds.append(time.perf_counter() - began)
        scores.append(grade(name, found, grades))
    score = statistics.fmean(scores)
    metric = "nDCG@10" if name == "cranfield" else "hit@5"
    verdict = "reached" if score >= WANTED[name] else "MISSED"
    print(
        f"{name}: {metric} {score:.4f} over {len(scores)} questions, wanted {WANTED[name]}: {verdict}; search "
        f"{statistics.median(seconds) * 1000:.0f} ms in the middle, {max(seconds) * 1000:.0f} ms at most"
    )
    return score, list(texts.values())


def encode_rate(embedder: Path, texts: list[str]) -> float:
    """Documents a second of plain SentenceTransformer.encode with its own defaults."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(embedder), local_files_only=True)
    model.encode(texts[:8])
    began = time.perf_counter()
    model.encode(texts)
    return len(texts) / (time.perf_counter() - began)


def main() -> int:
    parser = arguments(__doc__, "keep", data=DATA)
    parser.add_argument("--embedder", type=Path, help="default: the starter embedder, unpacked for this run")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--parts", action="store_true", help="measure words and meaning alone as well")
    parser.add_argument("--compare", action="store_true", help="time SentenceTransformer.encode on the same texts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = given.keep or Path(temporary)
        embedder = given.embedder or unpack_starter(Path(temporary))
        worker = WorkerHost("embedding")
        queue = EmbeddingQueue(EmbedderLoading(work / "embedders").load)
        worker.call(Similarities(embedder=str(embedder), texts=("warm",), others=("up",)))
        reached = True
        try:
            for name in given.sets:
                score, texts = measure(worker, embedder, work, given.data, name)
                reached = reached and score >= WANTED[name]
                worker.call(Close(file=str(work / f"{name}.sqlite")))
                if given.parts:
                    better = measure_parts(queue, embedder, work / f"{name}.sqlite", given.data, name)
                    reached = reached and score >= better
                if given.compare:
                    print(f"{name}: SentenceTransformer.encode {encode_rate(embedder, texts):.1f} documents/s")
        finally:
            worker.stop()
    return 0 if reached else 1


def unpack_starter(folder: Path) -> Path:
    from workbench.subjects.models.starter import find_starters

    return next(Path(m.path) for m in find_starters(folder / "models") if m.kind == "embedder")


if __name__ == "__main__":
    sys.exit(main())
