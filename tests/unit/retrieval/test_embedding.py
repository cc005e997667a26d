from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.unit.retrieval.fakes import FakeEmbedder, word_tokens
from workbench.api.events import Event, Finished
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError
from workbench.techniques.embedding_calls import EmbedTexts, Similarities
from workbench.techniques.retrieval.embedder_loading import EmbedderLoading
from workbench.techniques.retrieval.embedding import (
    BATCH_CHARACTERS,
    BATCH_TEXTS,
    EmbeddingQueue,
    ThreadChoice,
    Vectors,
    batches,
    measure_fluency,
    unknown_languages,
)
from workbench.techniques.retrieval.json_tokens import JsonTokens
from workbench.workers.embedding import EmbeddingService

FOLDER = Path("/embedder")


def test_whoever_waits_goes_before_the_next_batch_of_an_ingest() -> None:
    embedder = FakeEmbedder()
    queue = EmbeddingQueue(lambda folder: embedder)
    order: list[str] = []
    running, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        running.set()
        assert go_on.wait(10)

    embedder.before_batch = hold
    first = threading.Thread(target=queue.embed_passages, args=(FOLDER, ["first batch"]))
    first.start()
    assert running.wait(10)
    embedder.before_batch = lambda: order.append("batch")
    embedder_queries = embedder.embed_queries
    embedder.embed_queries = lambda texts: order.append("question") or embedder_queries(texts)  # type: ignore[method-assign,func-returns-value]
    later = [threading.Thread(target=queue.embed_passages, args=(FOLDER, ["next batch"])) for _ in range(3)]
    for thread in later:
        thread.start()
    waiting = threading.Thread(target=queue.embed_query, args=(FOLDER, "question"))
    waiting.start()
    while queue._work.qsize() < 4:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in (first, waiting, *later):
        thread.join(10)
    assert order == ["question", "batch", "batch", "batch"]


def test_the_texts_of_other_programs_take_turns_with_an_ingest_and_wait_for_a_question() -> None:
    embedder = FakeEmbedder()
    queue = EmbeddingQueue(lambda folder: embedder)
    service = EmbeddingService(queue)
    order: list[str] = []
    running, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        running.set()
        assert go_on.wait(10)

    embedder.before_batch = hold
    made: list[Event] = []
    call = EmbedTexts(embedder=str(FOLDER), texts=tuple(f"served {n}" for n in range(3 * BATCH_TEXTS)))
    served = threading.Thread(target=lambda: made.extend(service.handlers()[EmbedTexts](call, RequestContext())))
    served.start()
    assert running.wait(10)

    embedder.before_batch = lambda: None
    embed = embedder.embed_passages
    embedder.embed_passages = lambda texts: order.append(texts[0].split()[0]) or embed(texts)  # type: ignore[method-assign,func-returns-value]
    queries = embedder.embed_queries
    embedder.embed_queries = lambda texts: order.append("question") or queries(texts)  # type: ignore[method-assign,func-returns-value]

    def ingest() -> None:
        for _ in range(2):
            queue.embed_passages(FOLDER, ["ingest"])

    others = [threading.Thread(target=ingest), threading.Thread(target=queue.embed_query, args=(FOLDER, "?"))]
    for thread in others:
        thread.start()
    while queue._work.qsize() < 2:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in (served, *others):
        thread.join(10)
    assert order[:2] == ["question", "ingest"], "both came before the next texts of the other program"
    assert sorted(order[2:]) == ["ingest", "served", "served"]
    assert isinstance(made[-1], Finished)
    assert len(made[-1].result) == 3 * BATCH_TEXTS


def test_texts_that_nobody_wants_any_more_stop_at_the_next_batch() -> None:
    embedder = FakeEmbedder()
    service = EmbeddingService(EmbeddingQueue(lambda folder: embedder))
    context = RequestContext()
    embedder.before_batch = context.cancel
    call = EmbedTexts(embedder=str(FOLDER), texts=tuple(f"text {n}" for n in range(3 * BATCH_TEXTS)))
    with pytest.raises(Cancelled):
        list(service.handlers()[EmbedTexts](call, context))
    assert len(embedder.batches) == 1
    assert not service._known, "nothing is kept of what other programs send"


class Prompted(FakeEmbedder):
    """Puts a word before questions, as multilingual-e5-small does."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return super().embed_queries([f"query {text}" for text in texts])


@pytest.mark.parametrize(("questions", "nearest"), [(True, 1), (False, 0)])
def test_a_question_is_compared_with_texts_by_the_vector_of_a_question(*, questions: bool, nearest: int) -> None:
    service = EmbeddingService(EmbeddingQueue(lambda folder: Prompted()))
    call = Similarities(embedder=str(FOLDER), texts=("rent",), others=("rent", "query rent"), questions=questions)
    (ended,) = service.handlers()[Similarities](call, RequestContext())
    assert isinstance(ended, Finished)
    assert ended.result[0][nearest] == pytest.approx(1)
    assert ended.result[0][1 - nearest] < 0.9


def test_an_embedder_is_loaded_once_and_another_takes_its_place() -> None:
    loaded: list[Path] = []

    made: list[FakeEmbedder] = []

    def load(folder: Path) -> FakeEmbedder:
        loaded.append(folder)
        made.append(FakeEmbedder())
        return made[-1]

    queue = EmbeddingQueue(load)
    for folder in ("/a", "/a", "/b", "/b"):
        queue.embed_query(Path(folder), "x")
        queue.embedder(Path(folder))
    assert loaded == [Path("/a"), Path("/b")]
    assert [one.closed for one in made] == [True, False], "the first one's memory is free"


def test_a_question_is_embedded_once_until_it_is_forgotten() -> None:
    embedder = FakeEmbedder()
    embedded: list[str] = []
    queries = embedder.embed_queries
    embedder.embed_queries = lambda texts: embedded.extend(texts) or queries(texts)  # type: ignore[method-assign,func-returns-value]
    queue = EmbeddingQueue(lambda folder: embedder)
    first = queue.embed_query(FOLDER, "who pays")
    assert (queue.embed_query(FOLDER, "who pays") == first).all()
    assert embedded == ["who pays"]
    queue.forget({"who pays"})
    queue.embed_query(FOLDER, "who pays")
    assert embedded == ["who pays", "who pays"]


def test_what_goes_wrong_on_the_lane_reaches_whoever_asked_and_nobody_else(tmp_path: Path) -> None:
    queue = EmbeddingQueue(EmbedderLoading(tmp_path).load)
    queue.warm_up(lambda: 1 / 0)
    with pytest.raises(UserError, match=r"no modules\.json"):
        queue.embed_query(FOLDER, "x")
    with pytest.raises(UserError, match=r"no modules\.json"):
        queue.embedder(FOLDER)


def test_batches_hold_every_text_once_and_are_small_and_even() -> None:
    texts = ["x" * (n * 37 % 2000 + 1) for n in range(200)]
    made = batches(texts)
    assert sorted(i for batch in made for i in batch) == list(range(200))
    for batch in made:
        lengths = [len(texts[i]) for i in batch]
        assert len(batch) <= BATCH_TEXTS
        assert max(lengths) * len(batch) <= max(BATCH_CHARACTERS, max(lengths))
    padding = sum(max(len(texts[i]) for i in b) * len(b) - sum(len(texts[i]) for i in b) for b in made)
    assert padding < 0.05 * sum(map(len, texts))
    assert batches([]) == []
    assert batches(["x" * 50_000]) == [[0]]


def test_fluency_is_the_share_of_words_known_whole() -> None:
    known = word_tokens(["the", "cat", "sat"])
    assert measure_fluency(known, ["the cat sat"]) == 1.0
    assert measure_fluency(known, ["der Kater saß"]) < 0.2
    assert measure_fluency(known, ["1 2 3 ..."]) == 1.0
    assert measure_fluency(known, []) == 1.0


def test_a_vocabulary_for_many_languages_knows_them_all() -> None:
    tokens = word_tokens(["the"])
    assert measure_fluency(tokens, ["der Kater saß"]) < 0.2
    tokens.size = 250_037
    assert measure_fluency(tokens, ["der Kater saß"]) == 1.0


def test_languages_that_are_known_badly_on_average_are_named() -> None:
    documents = [("en", 0.9), ("en", 0.6), ("de", 0.45), ("fr", 0.6), ("de", 0.68), ("", 0.1)]
    assert unknown_languages(documents) == ("de", "fr")
    assert unknown_languages([]) == ()


def test_a_vocabulary_of_word_pieces_is_less_fluent_in_what_it_takes_apart() -> None:
    pieces = {p: i for i, p in enumerate(["[UNK]", "house", "ha", "##us", "##boot", "北", "京", "大", "学"])}
    tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    assert measure_fluency(JsonTokens(tokenizer), ["house house"]) == 1.0
    assert measure_fluency(JsonTokens(tokenizer), ["haus"]) == 0.5
    assert measure_fluency(JsonTokens(tokenizer), ["hausboot"]) == pytest.approx(1 / 3)


def test_the_fastest_number_of_threads_is_used_and_the_others_tried_again() -> None:
    choice = ThreadChoice(8)
    assert choice.fewest == 2
    rates = {2: 10.0, 4: 30.0, 8: 20.0}

    def run(batches: int) -> list[int]:
        used = []
        for _ in range(batches):
            used.append(choice.choose())
            choice.note(used[-1], rates[used[-1]])
        return used

    first = run(60)
    assert set(first[:3]) == {2, 4, 8}
    assert first.count(4) > 50
    rates[2], rates[4] = 50.0, 1.0  # something else began to compute
    run(60)
    assert run(60).count(2) > 50


def test_two_cores_are_used_until_another_program_computes() -> None:
    choice = ThreadChoice(2)
    assert choice.fewest == 1
    rates = {1: 10.0, 2: 20.0}

    def run(batches: int) -> list[int]:
        used = []
        for _ in range(batches):
            used.append(choice.choose())
            choice.note(used[-1], rates[used[-1]])
        return used

    assert run(40).count(2) > 30
    rates[2] = 3.0
    assert run(4)[2:] == [1, 1]
    assert ThreadChoice(1).choose() == 1
