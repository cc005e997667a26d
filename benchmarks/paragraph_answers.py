"""Questions on encyclopedia paragraphs, asked of the program with its defaults: how many are right, marked, declined?

    python benchmarks/paragraph_answers.py --home HOME --sets en,de,zh [--embedder all-MiniLM-L6-v2]

``--data`` (default ../shared/data) holds ``xquad``. Asked are the questions about the articles that nothing is trained
on (``train_cross_encoder.LEFT_OUT_FROM``), of a collection of all paragraphs, and those about every other of these
paragraphs once more of a collection without them (*removed*), where declining or marking is right. ``--embedder`` takes
another embedding model than the program's choice. Shares come with their 95 % intervals.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import DATA, Core, arguments, read_lines, share
from office_answers import answers
from sentence_rows import article
from train_cross_encoder import ARTICLE_FOLDS, LEFT_OUT_FROM
from trust import contains

from workbench.records.recipes import Recipe, RetrievalPart
from workbench.subjects.documents.calls import AddDocuments, CreateCollection, ListCollections, SetEmbedder
from workbench.subjects.machine.calls import ChangeSettings


def left_out(paragraphs: Sequence[str]) -> list[str]:
    articles = sorted(set(map(article, paragraphs)))
    return [one for one in paragraphs if articles.index(article(one)) % ARTICLE_FOLDS >= LEFT_OUT_FROM]


def ask(core: Core, name: str, texts: dict[str, str], questions: list[dict[str, Any]], embedder: str) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        for id, text in texts.items():
            (Path(folder) / f"{id}.txt").write_text(text, "utf-8")
        known = {collection.name for collection in core.call(ListCollections()).collections}
        if name not in known:
            core.call(CreateCollection(name=name))
            core.call(SetEmbedder(collection=name, model=embedder))
            core.follow(core.call(AddDocuments(collection=name, paths=(folder,))))
    return list(answers(core, name, questions, Recipe(retrieval=RetrievalPart(collection=name))))


def main() -> None:
    chosen = arguments(__doc__, "home", data=DATA, sets="en,de,zh", embedder="").parse_args()
    with Core(chosen.home) as core:
        core.call(ChangeSettings(values={"documents": {"keep_embedder": True}}))
        for language in chosen.sets.split(","):
            source = chosen.data / "xquad" / language
            texts = {one["id"]: one["text"] for one in read_lines(source / "paragraphs.jsonl")}
            kept = left_out(list(texts))
            removed = set(kept[::2])
            asked = [one for one in read_lines(source / "questions.jsonl") if one["paragraph"] in kept]
            without = [one for one in asked if one["paragraph"] in removed]
            named = f"{language}-{chosen.embedder or 'default'}"
            rows = ask(core, named, texts, asked, chosen.embedder)
            rest = {id: text for id, text in texts.items() if id not in removed}
            lost = ask(core, f"{named}-removed", rest, without, chosen.embedder)
            shown = [
                (row, contains(row["answer"], one["answers"], language)) for row, one in zip(rows, asked, strict=True)
            ]
            right = [row for row, held in shown if held and not row["declined"]]
            print(named, f"n {len(asked)}, of them removed {len(without)}")
            print("  right", share(len(right), len(rows)))
            print("  right ones marked", share(sum(row["marked"] for row in right), len(right)))
            print("  declined", share(sum(row["declined"] for row in rows), len(rows)))
            wrong = sum(not held and not row["declined"] and not row["marked"] for row, held in shown)
            print("  wrong and unmarked", share(wrong, len(rows)))
            print("  removed: declined or marked", share(sum(r["declined"] or r["marked"] for r in lost), len(lost)))
            answered = [row["answer"] for row in rows if not row["declined"]]
            print(f"  characters on average {statistics.mean(map(len, answered)):.0f}", end=", ")
            print(f"seconds, median {statistics.median(row['seconds'] for row in rows):.2f}", flush=True)


if __name__ == "__main__":
    main()
