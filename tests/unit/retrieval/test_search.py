from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.unit.retrieval.fakes import FakeEmbedder
from tests.unit.retrieval.test_index import EMBEDDER, entry
from workbench.base.errors import UserError
from workbench.records.documents import SearchResult
from workbench.techniques.retrieval.config import SearchConfig
from workbench.techniques.retrieval.embedding import EmbeddingQueue, Vectors
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.language_means import LanguageMeans
from workbench.techniques.retrieval.search import (
    Candidates,
    Sides,
    best_of_languages,
    count_terms,
    fuse,
    score_sides,
    search,
)
from workbench.techniques.retrieval.snapshot import FileStamp
from workbench.techniques.retrieval.versions import find_versions

FOLDER = Path("/embedder")
TEXTS = (
    "The lighthouse keeper",
    "A car on the road",
    "Rain in the mountains",
    "Ships in the harbour",
    "Bread and milk",
)


@pytest.fixture
def index(tmp_path: Path):
    opened = CollectionIndex(tmp_path / "c.sqlite")
    opened.record_embedder("fake", FakeEmbedder.dimensions)
    yield opened
    opened.close()


@pytest.fixture
def ask(index: CollectionIndex) -> Callable[..., SearchResult]:
    embedder = FakeEmbedder({"automobile": "car"})
    queue = EmbeddingQueue(lambda folder: embedder)
    return lambda query, limit=10, paths=None: search(index, queue, FOLDER, "c", query, limit, paths=paths)


def test_a_hit_says_everything_about_itself(index: CollectionIndex, ask: Callable[..., SearchResult]) -> None:
    document = index.put(entry("/a.txt", *TEXTS))
    result = ask("lighthouse keeper")
    best = result.hits[0]
    assert (best.collection, best.document, best.path, best.page) == ("c", document.id, "/a.txt", 1)
    assert (best.document_hash, best.title) == ("hash of /a.txt", "a")
    assert (best.start, best.end, best.text) == (0, len(TEXTS[0]), TEXTS[0])
    assert best.found_by == "both"
    assert best.similarity is not None
    assert 0.5 < best.similarity <= 1
    assert result.revision == 1
    assert [h.score for h in result.hits] == sorted((h.score for h in result.hits), reverse=True)


def test_meaning_finds_what_words_do_not(index: CollectionIndex, ask: Callable[..., SearchResult]) -> None:
    index.put(entry("/a.txt", *TEXTS))
    best = ask("automobile").hits[0]
    assert (best.text, best.found_by) == (TEXTS[1], "meaning")


def test_passages_are_searched_with_the_vector_for_searches_and_compared_with_the_embedder_s_own(
    index: CollectionIndex,
) -> None:
    class Asking(FakeEmbedder):
        def embed_searches(self, texts: Sequence[str], plain: Vectors) -> Vectors:
            return self.embed_queries(["car" if text == "wheels" else text for text in texts])

    index.put(entry("/a.txt", *TEXTS))
    best = search(index, EmbeddingQueue(lambda folder: Asking()), FOLDER, "c", "wheels").hits[0]
    assert (best.text, best.found_by) == (TEXTS[1], "meaning")
    assert best.similarity is not None
    assert best.similarity < 0.3, "the vectors of the question and of the passage share no word"


def test_words_find_what_meaning_has_lost(index: CollectionIndex, ask: Callable[..., SearchResult]) -> None:
    index.put(entry("/a.txt", "zebra " + "quiet evening " * 40, *("harbour ships",) * 30))
    hit = next(h for h in ask("harbour ships zebra", 3).hits if h.text.startswith("zebra"))
    assert hit.found_by == "words"
    assert hit.similarity is not None


def test_only_the_named_documents_are_searched(index: CollectionIndex, ask: Callable[..., SearchResult]) -> None:
    index.put(entry("/a.txt", *["The lighthouse keeper"] * 30))
    index.put(entry("/b.txt", "The lighthouse keeper", "Bread and milk"))
    index.put(entry("/c.txt", "A car on the road"))
    assert "/a.txt" in {hit.path for hit in ask("lighthouse keeper", 5).hits}
    hits = ask("lighthouse keeper", 5, ("/b.txt", "/c.txt", "/nowhere.txt")).hits
    assert [hit.path for hit in hits[:1]] == ["/b.txt"]
    assert {hit.path for hit in hits} == {"/b.txt", "/c.txt"}
    assert ask("automobile", 5, ("/b.txt",)).hits[0].path == "/b.txt"
    assert ask("lighthouse keeper", 5, ()).hits == ()


def test_limit_is_kept(index: CollectionIndex, ask: Callable[..., SearchResult]) -> None:
    index.put(entry("/a.txt", *TEXTS))
    assert len(ask("the", 2).hits) == 2
    assert ask("the", 0).hits == ()


@pytest.mark.parametrize("query", ["", "   ", "\n"])
def test_a_blank_question_finds_nothing(index: CollectionIndex, ask: Callable[..., SearchResult], query: str) -> None:
    index.put(entry("/a.txt", *TEXTS))
    assert ask(query).hits == ()


def test_an_empty_collection_finds_nothing(ask: Callable[..., SearchResult]) -> None:
    assert ask("anything") == SearchResult(hits=(), revision=0)


@pytest.mark.parametrize("query", ['"NEAR(', "?!", "a" * 100_000, "🙂", "{text}: *"])
def test_whatever_is_typed_is_a_question(index: CollectionIndex, ask: Callable[..., SearchResult], query: str) -> None:
    index.put(entry("/a.txt", *TEXTS))
    assert len(ask(query).hits) == len(TEXTS)


def test_a_collection_of_another_embedder_is_refused(index: CollectionIndex) -> None:
    index.put(entry("/a.txt", *TEXTS))
    queue = EmbeddingQueue(lambda folder: FakeEmbedder(fingerprint="other"))
    with pytest.raises(UserError, match="another embedding model"):
        search(index, queue, FOLDER, "c", "harbour")


def test_terms_are_counted_without_function_words(index: CollectionIndex) -> None:
    index.put(entry("/a.txt", "the old harbour", "harbours of the north", "bread"))
    counted = count_terms(index, "Where is the harbour of bread and zebras?")
    assert counted.chunks == 3
    assert counted.terms == {"harbour": 2, "bread": 1, "zebras": 0}


def test_german_terms_are_counted_in_all_their_forms(index: CollectionIndex) -> None:
    index.put(entry("/a.txt", "alte Häuser", "ein Haus", "ein Hof", language="de"))
    assert count_terms(index, "Welches Haus ist das?").terms == {"haus": 2}


def unit(*rows: tuple[float, ...]) -> np.ndarray:
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_fusion_prefers_what_both_sides_like() -> None:
    vectors = unit((1, 0.1), (1, 0.2), (0.1, 1))
    scores = fuse(np.array([1.0, 8.0, 9.0]), vectors, unit((1, 0))[0], 0.5, SearchConfig(feedback=0))
    assert int(np.argmax(scores)) == 1
    assert 0 <= scores.min() <= scores.max() <= 1


def test_a_hit_of_words_is_before_vectors_that_are_like_nothing() -> None:
    vectors = unit((0.13, 1), (0.12, 1), (0.05, -1))
    words = np.array([0.0, 0.0, 22.0])
    assert int(np.argmax(fuse(words, vectors, unit((1, 0))[0], 0.7, SearchConfig()))) == 2


def test_meaning_counts_where_all_cosines_lie_in_a_narrow_band() -> None:
    """The words of one candidate are a little better; only its neighbour is about the question. Divided by the best,
    cosines of 0.78 to 0.87 are all but equal."""
    query = unit((1, 0))[0]
    angles = np.arccos(np.array([0.87, 0.79, 0.78, 0.785, 0.78]))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    words = np.array([8.0, 10.0, 0.0, 0.0, 0.0])
    config = SearchConfig(feedback=0)
    means = np.repeat(vectors.mean(axis=0, keepdims=True), 5, axis=0)
    wide = fuse(words, vectors, query, 0.6, config, unrelated=0.05)
    narrow = fuse(words, vectors, query, 0.6, config, 0.78, means)
    assert wide[0] - wide[1] < 0.05 < 0.3 < narrow[0] - narrow[1]
    alike = np.repeat(vectors[2:3], 5, axis=0)
    assert np.isfinite(fuse(words, alike, query, 0.6, config, 0.78, alike)).all()


def test_a_passage_in_another_language_is_not_behind_all_that_are_in_the_question_s() -> None:
    """Of the four directions one is English, one German, one what is asked about, one something else."""
    query = unit((4, 0, 2, 0))[0]
    vectors = unit((4, 0, 0, 2), (4, 0, 0.2, 2), (4, 0, -0.2, 2), (0, 4, 2, 0), (0, 4, 0, 2))
    english, german = vectors[:3].mean(axis=0), vectors[3:].mean(axis=0)
    means = np.stack([english] * 3 + [german] * 2)
    words, config = np.zeros(5), SearchConfig(feedback=0)
    assert int(np.argmax(fuse(words, vectors, query, 0.7, config, 0.8))) == 1
    assert int(np.argmax(fuse(words, vectors, query, 0.7, config, 0.8, means))) == 3


def test_the_means_of_languages_are_those_of_the_latest_revision(index: CollectionIndex) -> None:
    index.put(entry("/a.txt", "one two", "one three"))
    means = LanguageMeans()
    with index.reading() as snapshot:
        before = means.of(snapshot, [1, 2])
    index.put(entry("/b.txt", "vier fünf", language="de"))
    with index.reading() as snapshot:
        after = means.of(snapshot, [1, 3])
    assert before.shape == (2, FakeEmbedder.dimensions)
    assert np.array_equal(before[0], before[1])
    assert not np.allclose(before[0], after[0])
    german, english = EMBEDDER.embed_passages(["vier fünf", "one"])
    assert after[1] @ german > after[0] @ german
    assert after[1] @ english < after[0] @ english


def test_similarities_count_by_how_far_they_spread_among_the_texts_of_their_language(index: CollectionIndex) -> None:
    english = [f"one word{n}" for n in range(12)] + ["seven words", "seven stones", "seven rivers"]
    index.put(entry("/a.txt", *english))
    index.put(entry("/b.txt", *(f"vier wort{n}" for n in range(12)), language="de"))
    means = LanguageMeans()
    query = EMBEDDER.embed_passages(["seven"])[0]
    with index.reading() as snapshot:
        spreads = means.spreads(snapshot, [1, 16], query)
    assert spreads.shape == (2,)
    assert spreads[0] > 1.05 > 0.9 > spreads[1] > 0
    vectors = unit((1, 0), (1, 0))
    zero = np.zeros((2, 2), np.float32)
    sides = score_sides(np.zeros(2), vectors, vectors[0], 1.0, SearchConfig(feedback=0), 0.78, zero, spreads)
    assert sides.meaning[1] > sides.meaning[0]


def test_the_best_in_other_languages_take_the_last_places_of_the_hits() -> None:
    scores = np.linspace(1.0, 0.1, 10)
    nothing = np.zeros(10)
    pool = Candidates(list(range(10)), np.zeros((10, 2), np.float32), Sides(nothing, nothing, nothing), scores,
                      find_versions(()), [], [], [0, 8, 1, 9], 0.7)  # fmt: skip
    assert pool.best(6) == [0, 1, 2, 3, 8, 9]
    assert pool.best(3) == [0, 1, 8]
    assert pool.best(2) == [0, 1]
    assert dataclasses.replace(pool, reserved=[]).best(6) == [0, 1, 2, 3, 4, 5]


def test_a_passage_in_another_language_is_found_that_is_less_similar_than_all_others(index: CollectionIndex) -> None:
    embedder = FakeEmbedder()
    embedder.unrelated = 0.78
    queue = EmbeddingQueue(lambda folder: embedder)
    index.put(entry("/a.txt", *(f"rent cellar word{n}" for n in range(80))))
    index.put(entry("/b.txt", "cellar", "garten", "dach", "tor", language="de"))
    config = SearchConfig(pool=10)
    hits = search(index, queue, FOLDER, "c", "rent cellar", 9, config).hits
    assert "/b.txt" in {hit.path for hit in hits}
    only = search(index, queue, FOLDER, "c", "rent cellar", 9, config, ["/a.txt"]).hits
    assert {hit.path for hit in only} == {"/a.txt"}


def test_the_best_of_each_language_are_reserved_places() -> None:
    meaning = np.array([0.9, 0.8, 0.7, 0.2, 0.6, 0.0])
    assert best_of_languages(["en", "en", "en", "de", "de", "fr"], meaning) == [0, 1, 4, 3]


def test_a_side_without_weight_decides_nothing() -> None:
    vectors = unit((1, 0), (0, 1))
    config = SearchConfig(feedback=0)
    words = np.array([0.0, 5.0])
    assert int(np.argmax(fuse(words, vectors, vectors[0], 0.0, config))) == 1
    assert int(np.argmax(fuse(words, vectors, vectors[0], 1.0, config))) == 0


def test_feedback_lifts_what_is_like_the_best_hit() -> None:
    vectors = unit((1, 0.5, 0), (0.6, 0.8, 0), (0.62, 0, 0.8))
    words, query = np.array([5.0, 0.0, 0.0]), unit((1, 0, 0))[0]
    without = fuse(words, vectors, query, 0.65, SearchConfig(feedback=0))
    assert without[2] > without[1]
    fed_back = fuse(words, vectors, query, 0.65, SearchConfig(feedback=1.0, feedback_hits=1))
    assert fed_back[1] > fed_back[2]


def test_no_words_at_all_and_no_likeness_at_all_are_no_errors() -> None:
    vectors = unit((1, 0), (0, 1))
    assert np.isfinite(fuse(np.zeros(2), vectors, vectors[0], 0.65, SearchConfig())).all()
    assert np.isfinite(fuse(np.zeros(2), -vectors, unit((1, 1))[0], 0.65, SearchConfig())).all()


def test_meaning_weighs_less_the_less_the_embedder_knows_the_language() -> None:
    weights = [SearchConfig().vector_weight(fluency) for fluency in (0.0, 0.5, 0.65, 0.8, 1.0)]
    assert weights == sorted(weights)
    assert (weights[0], weights[-1]) == (SearchConfig().unknown_weight, SearchConfig().known_weight)
    assert weights[0] < weights[2] < weights[-1]


def test_a_hit_says_whether_its_file_is_as_it_was_read(
    index: CollectionIndex, ask: Callable[..., SearchResult], tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("\n".join(TEXTS))
    status = file.stat()
    stamp = FileStamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    index.put(msgspec.structs.replace(entry(str(file), *TEXTS), stamp=stamp, hash=digest))

    def changed() -> bool:
        return ask("lighthouse keeper").hits[0].changed

    assert not changed()
    os.utime(file, ns=(1, 1))
    assert not changed()  # the same bytes
    file.write_text("\n".join(TEXTS).replace("lighthouse", "LIGHTHOUSE"))
    assert changed()
    file.write_text("Other")
    assert changed()
    file.unlink()
    assert changed()


def test_a_hit_says_whether_its_text_was_recognised(index: CollectionIndex, ask: Callable[..., SearchResult]) -> None:
    scanned = entry("/a.txt", *TEXTS)
    first, *others = scanned.chunks
    index.put(msgspec.structs.replace(scanned, chunks=[msgspec.structs.replace(first, recognised=True), *others]))
    assert ask("lighthouse keeper").hits[0].recognised
    assert not ask("bread and milk").hits[0].recognised
    with index.reading() as snapshot:
        assert [chunk.recognised for chunk in snapshot.text("/a.txt").chunks] == [True, False, False, False, False]


def test_a_hit_of_an_older_version_names_the_newest(index: CollectionIndex, ask: Callable[..., SearchResult]) -> None:
    index.put(entry("/Boat rules 2025.txt", "A guest of the boat house pays nine euros"))
    index.put(entry("/Boat rules 2022.txt", "A guest pays seven euros"))
    now, before = ask("What does a guest pay?").hits
    assert (now.path, now.superseded_by) == ("/Boat rules 2025.txt", "")
    assert (before.path, before.superseded_by) == ("/Boat rules 2022.txt", "/Boat rules 2025.txt")
    assert [hit.path for hit in ask("What did a guest pay in 2022?").hits] == [before.path, now.path]
