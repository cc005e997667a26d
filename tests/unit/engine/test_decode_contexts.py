"""Adapters, saved conversations, exactness, several answers, guesses and fairness on the real models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.adapters import write_adapter
from tests.unit.engine.probing import (
    GREEDY,
    TEXT,
    assert_like_cold,
    divergence,
    generation,
    log_softmax,
    probe,
    result_of,
    tokens_of,
)
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.decode_context import SHARED_SLICE, prompt_slice
from workbench.engine.inference_calls import LoraUse
from workbench.engine.jobs import Branch, Logits
from workbench.engine.keys import make_key
from workbench.engine.loading import PARKED_CELLS, Model
from workbench.engine.loop import MAX_DECODE_CONTEXTS, Engine
from workbench.engine.prompt import Prompt
from workbench.engine.scoring import Inspection, Scoring, TextScoring
from workbench.engine.slots import EXACT_SLICE
from workbench.gguf.reader import Tensor
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.answer_job import GenerationRequest
from workbench.techniques.decoding.contrastive import ContrastiveJob
from workbench.techniques.decoding.generation import Generation
from workbench.techniques.decoding.speculative import NgramDrafter, Speculation

REPORT = "In the year of the flood the bridge was rebuilt in stone, with five arches and a gate at its end. "


@pytest.fixture
def adapter(engine: Engine, tmp_path: Path) -> Path:
    return write_adapter(Path(engine.model.path), tmp_path / "adapter.gguf")


# -- adapters ---------------------------------------------------------------------------------------------


def test_what_an_adapter_computed_is_reused_under_the_same_one_only(engine: Engine, adapter: Path) -> None:
    engine.forget()
    tokens = tokens_of(engine, TEXT * 2)
    on, weaker = make_key([LoraUse(path=str(adapter))]), make_key([LoraUse(path=str(adapter), scale=0.5)])
    plain = probe(engine, tokens)
    changed = probe(engine, tokens, on)
    assert changed.cached == 0
    half = probe(engine, tokens, weaker)
    assert half.cached == 0
    assert plain.logits is not None
    assert changed.logits is not None
    assert half.logits is not None
    again = {key: probe(engine, tokens, key) for key in ((), on, weaker)}
    assert all(job.cached == len(tokens) - 1 for job in again.values())
    cold = {(): plain.logits, on: changed.logits, weaker: half.logits}
    for key, job in again.items():
        assert job.logits is not None
        nearest = min(divergence(cold[key], logits) for other, logits in cold.items() if other != key)
        assert divergence(cold[key], job.logits) < nearest / 5


def test_an_adapter_with_scale_zero_is_the_base_model(engine: Engine, adapter: Path) -> None:
    engine.forget()
    tokens = tokens_of(engine, TEXT)
    plain = probe(engine, tokens)
    off = probe(engine, tokens, make_key([LoraUse(path=str(adapter), scale=0.0)]))
    on = probe(engine, tokens, make_key([LoraUse(path=str(adapter))]))
    assert (off.cached, on.cached) == (len(tokens) - 1, 0)  # what the base model computed is taken, and only by it
    assert plain.logits is not None
    assert off.logits is not None
    assert on.logits is not None
    assert divergence(plain.logits, off.logits) < divergence(plain.logits, on.logits) / 5


def test_a_replaced_adapter_file_is_another_adapter(engine: Engine, adapter: Path) -> None:
    tokens = tokens_of(engine, TEXT)
    first = probe(engine, tokens, make_key([LoraUse(path=str(adapter))]))
    write_adapter(Path(engine.model.path), adapter.with_suffix(".new"), seed=2).replace(adapter)
    second = probe(engine, tokens, make_key([LoraUse(path=str(adapter))]))
    assert second.cached == 0
    assert first.logits is not None
    assert second.logits is not None
    assert divergence(first.logits, second.logits) > 0.01


def test_recipes_that_differ_in_adapters_answer_side_by_side(exact: Engine, tmp_path: Path) -> None:
    path = write_adapter(Path(exact.model.path), tmp_path / "a.gguf")
    key = make_key([LoraUse(path=str(path), scale=4.0)])
    alone = {k: result_of(exact.submit(generation(exact, TEXT, key=k))).text for k in ((), key)}
    assert alone[()] != alone[key]
    long = DecodingPart(max_tokens=80, repetition_penalty=1.0, logit_bias=("#2=-inf",))
    slow = exact.submit(generation(exact, TEXT, long))
    next(slow.events())
    quick = exact.submit(generation(exact, TEXT, key=key))
    assert result_of(quick).text == alone[key]
    assert not slow.done  # the other one did not wait for it
    assert result_of(slow).text == result_of(exact.submit(generation(exact, TEXT, long))).text


def test_an_adapter_that_does_not_fit_is_refused_and_the_rest_goes_on(smollm: Engine, tmp_path: Path) -> None:
    path = tmp_path / "none.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(UserError, match=r"none\.gguf"):
        probe(smollm, tokens_of(smollm, TEXT), make_key([LoraUse(path=str(path))]))
    assert probe(smollm, tokens_of(smollm, TEXT)).logits is not None


# -- conversations that lie idle ----------------------------------------------------------------------------


def test_going_back_to_a_conversation_computes_only_what_is_new(engine: Engine) -> None:
    engine.forget()
    one, other = tokens_of(engine, TEXT * 14), tokens_of(engine, REPORT * 26)
    assert min(len(one), len(other)) > PARKED_CELLS
    more = tokens_of(engine, " And then")[-2:]
    for tokens in (one, other):
        probe(engine, tokens)
    for _ in range(2):
        for tokens in (one, other):
            tokens += more
            job = probe(engine, tokens)
            assert job.cached == len(tokens) - len(more)
    assert len(engine._store) >= 1
    assert_like_cold(engine, job, tokens)


def test_what_lies_idle_slows_nobody(smollm: Engine) -> None:
    smollm.forget()
    one, other = tokens_of(smollm, TEXT * 4), tokens_of(smollm, REPORT * 7)
    assert smollm.model.parked_cells < min(len(one), len(other)) < PARKED_CELLS
    probe(smollm, one)
    probe(smollm, other)
    assert (
        sum(slot.cells for decode_context in smollm._decode_contexts for slot in decode_context.slots._slots)
        <= len(other) + smollm.model.parked_cells
    )
    assert probe(smollm, [*one, other[-1]]).cached == len(one)  # it was moved out, not forgotten


def test_a_saved_conversation_is_gone_on_with_from_its_middle(engine: Engine) -> None:
    engine.forget()
    one = tokens_of(engine, TEXT * 14)
    probe(engine, one)
    probe(engine, tokens_of(engine, REPORT * 26))  # moves the first one out
    edited = [*one[:-50], *tokens_of(engine, "In winter")[-2:]]
    job = probe(engine, edited)
    assert job.cached >= len(one) - 51
    assert_like_cold(engine, job, edited)


def test_a_saved_conversation_with_short_windows_is_gone_on_with(narrow: Engine) -> None:
    narrow.forget()
    long = tokens_of(narrow, TEXT * 20)
    probe(narrow, long)
    probe(narrow, tokens_of(narrow, REPORT * 26))
    near = [*long, *tokens_of(narrow, "At last")[-2:]]
    job = probe(narrow, near)
    assert job.cached == len(long)
    assert_like_cold(narrow, job, near)


def test_saved_conversations_stay_within_their_cap(smollm_file: Path, load_now: Callable[..., Model]) -> None:
    cap = 4_000_000
    engine = Engine(load_now(smollm_file, prefix_cache_bytes=cap))
    try:
        for number in range(4):
            probe(engine, tokens_of(engine, f"{number} " + TEXT * 12))
            assert engine._store.size <= cap
        assert len(engine._store) == 2  # each takes some 1.7 MB
    finally:
        engine.close()


def test_a_conversation_too_long_for_the_store_stays_where_it_is(
    smollm_file: Path, load_now: Callable[..., Model]
) -> None:
    engine = Engine(load_now(smollm_file, 768, prefix_cache_bytes=1_000_000))
    try:
        long = tokens_of(engine, TEXT * 12)
        probe(engine, long)
        probe(engine, tokens_of(engine, REPORT))  # such as a title for it
        assert not len(engine._store)
        assert probe(engine, [*long, long[1]]).cached == len(long)
        most = tokens_of(engine, REPORT * 100)[: engine.model.context_tokens - 20]
        probe(engine, most)  # needs its cells
        assert probe(engine, long).cached == 0
    finally:
        engine.close()


# -- the same every time ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["exact", "exact_gemma"])
def test_a_deterministic_model_answers_as_alone(name: str, request: pytest.FixtureRequest) -> None:
    engine: Engine = request.getfixturevalue(name)
    kinds = [
        (TEXT, GREEDY),
        (TEXT + "One", DecodingPart(temperature=0.9, seed=4, max_tokens=12)),
        (TEXT * 9, DecodingPart(max_tokens=8)),
        (REPORT, DecodingPart(temperature=1.0, seed=5, n=3, max_tokens=10)),
    ]
    alone = []
    for text, decoding in kinds:
        engine.forget()
        alone.append([s.tokens for s in result_of(engine.submit(generation(engine, text, decoding))).sequences])
    contexts = [RequestContext() for _ in range(3)]
    jobs = []
    for turn in range(2):
        for number, (text, decoding) in enumerate(kinds):
            jobs.append(engine.submit(generation(engine, text, decoding, background=(turn + number) % 2 == 0)))
        engine.submit(generation(engine, REPORT * 8, context=contexts[turn]))
    for context in contexts:
        context.cancel()
    assert [[s.tokens for s in result_of(job).sequences] for job in jobs] == alone * 2


@pytest.mark.parametrize("name", ["exact", "exact_gemma"])
def test_a_deterministic_model_says_the_same_with_good_guesses_bad_ones_and_none(
    name: str, request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(name)
    text = f"{REPORT}{REPORT}{REPORT}"
    answers = []
    for drafter in (None, NgramDrafter()):
        engine.forget()
        guesses = Speculation(drafter, 1, always=True)
        answers.append(result_of(engine.submit(generation(engine, text, speculation=guesses))))
        if drafter is not None:
            assert guesses.accepted > 5
    assert answers[0].sequences[0].tokens == answers[1].sequences[0].tokens


def test_a_deterministic_model_reuses_whole_slices_only(exact: Engine) -> None:
    exact.forget()
    tokens = tokens_of(exact, TEXT * 8)
    cold = probe(exact, tokens)
    again = probe(exact, tokens)
    assert again.cached == len(tokens) // EXACT_SLICE * EXACT_SLICE > 0
    assert cold.logits is not None
    assert again.logits is not None
    assert np.array_equal(cold.logits, again.logits)


# -- several answers, guesses -------------------------------------------------------------------------------


def test_several_answers_share_their_prompt_and_differ(smollm: Engine) -> None:
    smollm.forget()
    decoding = DecodingPart(temperature=1.0, seed=3, n=4, max_tokens=12, ranked=True)
    job = generation(smollm, TEXT, decoding)
    result = result_of(smollm.submit(job))
    assert result.usage.prompt_tokens == len(tokens_of(smollm, TEXT))
    assert result.usage.new_tokens == sum(len(s.tokens) for s in result.sequences)
    assert len({s.text for s in result.sequences}) == 4
    scores = [s.score for s in result.sequences if s.score is not None]
    assert scores == sorted(scores, reverse=True)
    first = DecodingPart(temperature=1.0, seed=3, max_tokens=12)
    assert result_of(smollm.submit(generation(smollm, TEXT, first))).text in {s.text for s in result.sequences}


def test_any_of_several_answers_is_gone_on_with(engine: Engine) -> None:
    engine.forget()
    stop = DecodingPart(temperature=1.0, seed=3, n=3, max_tokens=12, stop=(" in", "4"))
    result = result_of(engine.submit(generation(engine, TEXT, stop)))
    prompt, more = tokens_of(engine, TEXT), tokens_of(engine, "And then")[-2:]
    lengths = {len(s.tokens) for s in result.sequences}
    assert len(lengths) > 1  # they end at different times
    for sequence in result.sequences[::-1]:
        engine.forget()
        result = result_of(engine.submit(generation(engine, TEXT, stop)))
        chosen = [*prompt, *sequence.tokens]
        job = probe(engine, [*chosen, *more])
        assert job.cached >= len(chosen) - 1
        assert (
            sum(slot.cells for decode_context in engine._decode_contexts for slot in decode_context.slots._slots)
            <= len(job.prompt) + engine.model.parked_cells
        )
        assert len(engine._store) <= 1  # only the first one is worth it
        assert_like_cold(engine, job, job.prompt)


def test_each_of_several_answers_streams_as_its_own(smollm: Engine) -> None:
    job = smollm.submit(generation(smollm, TEXT, DecodingPart(temperature=1.0, seed=8, n=3, max_tokens=12)))
    texts = ["", "", ""]
    for event in job.events():
        if isinstance(event, events.TextDelta):
            texts[event.sequence] += event.text
        last = event
    assert isinstance(last, events.Finished)
    assert [sequence["text"] for sequence in last.result["sequences"]] == texts


def test_guesses_from_the_prompt_are_taken_where_the_model_copies(
    smollm_path: Path, load_now: Callable[..., Model]
) -> None:
    smollm = Engine(load_now(smollm_path))
    text = REPORT * 4
    decoding = DecodingPart(max_tokens=60, repetition_penalty=1.0, logit_bias=("#2=-inf",))
    plain = result_of(smollm.submit(generation(smollm, text, decoding)))
    guesses = Speculation(NgramDrafter(), 8)
    result = result_of(smollm.submit(generation(smollm, text, decoding, speculation=guesses)))
    assert result.text == plain.text
    assert result.usage.accepted_tokens > 20
    assert result.usage.accepted_tokens <= result.usage.drafted_tokens
    smollm.close()


def test_drawn_answers_are_the_same_with_guesses(exact: Engine) -> None:
    decoding = DecodingPart(temperature=0.7, seed=11, max_tokens=40)
    answers = []
    for drafter in (None, NgramDrafter()):
        exact.forget()
        job = generation(exact, REPORT * 3, decoding, speculation=Speculation(drafter, 1, always=True))
        answers.append(result_of(exact.submit(job)).sequences[0].tokens)
    assert answers[0] == answers[1]


# -- fairness ----------------------------------------------------------------------------------------------


def test_a_chat_does_not_wait_for_the_background(smollm: Engine) -> None:
    smollm.forget()
    long = DecodingPart(max_tokens=120, repetition_penalty=1.0, logit_bias=("#2=-inf",))
    behind = [smollm.submit(generation(smollm, f"{n} {TEXT}", long, background=True)) for n in range(6)]
    next(behind[0].events())
    chat = smollm.submit(generation(smollm, "The baker", DecodingPart(max_tokens=8)))
    result_of(chat)
    assert sum(job.done for job in behind) <= 1
    assert all(result_of(job).finish == "length" for job in behind[1:])


def test_a_chat_does_not_wait_for_a_long_prompt_in_the_background(smollm: Engine) -> None:
    smollm.forget()
    begun = threading.Event()
    computed: list[int] = []

    class Behind(Generation):
        def begin(self) -> None:
            begun.set()
            super().begin()

    class Chat(Generation):
        def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
            computed.append(behind.branches[0].computed)
            super().take(branch, context, row, logits)

    def make(kind: type[Behind | Chat], text: str, background: bool) -> Behind | Chat:
        where = smollm.model.vocabulary, smollm.model.context_tokens, RequestContext()
        prompt, decoding = Prompt(tokens_of(smollm, text)), DecodingPart(max_tokens=2)
        return kind(GenerationRequest(prompt, decoding, *where, started=0.0, background=background))

    behind = make(Behind, TEXT * 9, True)
    assert len(behind.prompt) > 400
    smollm.submit(behind)
    assert begun.wait(60)
    result_of(smollm.submit(make(Chat, "The baker", False)))
    assert computed[0] < len(behind.prompt) - 1  # its step was given up
    assert result_of(behind).usage.prompt_tokens == len(behind.prompt)


def test_a_chat_does_not_wait_for_the_background_that_takes_all_of_the_memory(
    smollm_file: Path, load_now: Callable[..., Model], tmp_path: Path
) -> None:
    path = write_adapter(smollm_file, tmp_path / "a.gguf")
    key = make_key([LoraUse(path=str(path))])
    engine = Engine(load_now(smollm_file, 256))
    unending = DecodingPart(max_tokens=256, repetition_penalty=1.0, logit_bias=("#2=-inf",))
    try:
        behind = [engine.submit(generation(engine, TEXT, unending, key=its, background=True)) for its in ((), key)]
        for job in behind:
            next(job.events())
        assert all(job.cells == engine.model.context_tokens for job in behind)
        for its in ((), key):
            result_of(engine.submit(generation(engine, TEXT, DecodingPart(max_tokens=8), key=its)))
            assert not any(job.done for job in behind)
        assert len(engine._decode_contexts) == MAX_DECODE_CONTEXTS + 1
        assert all(result_of(job).finish == "length" for job in behind)
    finally:
        engine.close()


def test_no_other_context_is_made_where_memory_is_short(
    smollm_file: Path, load_now: Callable[..., Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_adapter(smollm_file, tmp_path / "a.gguf")
    key = make_key([LoraUse(path=str(path))])
    engine = Engine(load_now(smollm_file, 256))
    free = psutil.virtual_memory()._replace(available=1_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    unending = DecodingPart(max_tokens=60, repetition_penalty=1.0, logit_bias=("#2=-inf",))
    try:
        first = engine.submit(generation(engine, TEXT, unending))
        next(first.events())
        assert result_of(engine.submit(generation(engine, TEXT, DecodingPart(max_tokens=8), key=key))).text
        assert first.done  # the second one had to wait for its decode context
        assert len(engine._decode_contexts) == 1
    finally:
        engine.close()


def test_a_chat_does_not_wait_for_a_search_in_the_background_that_needs_batches_of_its_own(smollm: Engine) -> None:
    smollm.forget()
    order: list[str] = []

    class Behind(ContrastiveJob):
        def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
            order.append("behind")
            super().take(branch, context, row, logits)

    class Chat(Generation):
        def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
            order.append("chat")
            super().take(branch, context, row, logits)

    def make(kind: type[Behind | Chat], text: str, background: bool, decoding: DecodingPart) -> Behind | Chat:
        model = smollm.model
        prompt = Prompt(tokens_of(smollm, text))
        where = model.vocabulary, model.context_tokens, RequestContext()
        return kind(GenerationRequest(prompt, decoding, *where, started=0.0, background=background))

    # a step of the search costs 16 of the chat's at most, which 30 earn: 240 leave time for several on any machine
    unending = DecodingPart(max_tokens=240, repetition_penalty=1.0, logit_bias=("#2=-inf",))
    searching = DecodingPart(strategy="contrastive", max_tokens=24, repetition_penalty=1.0)
    chat = smollm.submit(make(Chat, "Once upon a time", False, unending))
    next(chat.events())
    behind = smollm.submit(make(Behind, TEXT * 2, True, searching))
    result_of(chat)
    places = [at for at, who in enumerate(order) if who == "behind"]
    beside = " ".join(order[places[0] : places[-1]]).split("chat")[:-1]  # while both were under way
    turns = [step.split() for step in beside if step.strip()]
    assert len(turns) >= 3  # it goes on
    assert 2 * len(turns) < len(beside)  # in a few of the steps
    assert max(len(turn) for turn in turns) <= SHARED_SLICE // 2
    assert result_of(behind).usage.new_tokens > 0


def test_a_long_prompt_is_computed_in_slices_beside_a_running_answer(smollm: Engine) -> None:
    smollm.forget()
    long = DecodingPart(max_tokens=200, repetition_penalty=1.0, logit_bias=("#2=-inf",))
    running = smollm.submit(generation(smollm, "Once upon a time", long))
    stream = running.events()
    next(stream)
    reader = smollm.submit(generation(smollm, TEXT * 20, DecodingPart(max_tokens=1)))
    pieces = 0
    while not reader.done and pieces < 200:
        next(stream)
        pieces += 1
    assert pieces >= 3
    list(stream)


# -- looking at text ----------------------------------------------------------------------------------------


def test_tokens_are_told_with_what_else_could_have_come(engine: Engine) -> None:
    engine.forget()
    prompt = tokens_of(engine, TEXT + "The steps are")
    answer = engine.model.vocabulary.tokenize(" three hundred", special=False)
    job = Inspection(prompt, answer, 4, 0, engine.model.vocabulary, RequestContext())
    *_, last = engine.submit(job).events()
    assert isinstance(last, events.Finished)
    found = last.result
    assert "".join(token["text"] for token in found[:-1]) == " three hundred"
    assert [token["token"] for token in found] == [*answer, -1]
    for index, token in enumerate(found):
        # cold, with other tokens after the place: as many, since a row's place in its batch changes its last bits
        engine.forget()
        cold = probe(engine, [*prompt, *answer[:index], *prompt[1 : 1 + len(answer) - index]], count=len(found))
        expected = log_softmax(cold.rows[index])
        best = np.argsort(expected)[::-1][:4]
        assert [other["token"] for other in token["alternatives"]][:1] == [int(best[0])]
        for other in token["alternatives"]:
            assert other["logprob"] == pytest.approx(expected[other["token"]], abs=0.001)
    tail = Inspection(prompt, answer, 2, 1, engine.model.vocabulary, RequestContext())
    *_, last = engine.submit(tail).events()
    assert isinstance(last, events.Finished)
    assert [token["token"] for token in last.result] == [answer[-1], -1]


def test_continuations_score_the_same_side_by_side_and_one_by_one(engine: Engine) -> None:
    engine.forget()
    vocabulary = engine.model.vocabulary
    prompt = tokens_of(engine, TEXT + "The steps are")
    texts = [" three hundred and twelve", " many", " a long way up to the castle", " wet in winter"] * 3
    continuations = [vocabulary.tokenize(text, special=False) for text in texts]
    results = []
    for together in (1, 8):
        job = Scoring(prompt, continuations, RequestContext(), together=together)
        *_, last = engine.submit(job).events()
        assert isinstance(last, events.Finished)
        results.append([scored["logprob"] for scored in last.result["values"]])
    assert results[0] == pytest.approx(results[1], abs=0.2)
    assert results[0][:4] == pytest.approx(results[0][4:8], abs=0.2)


def test_perplexity_is_that_of_the_windows_logits(smollm: Engine) -> None:
    smollm.forget()
    window = 64
    tokens = smollm.model.vocabulary.tokenize((TEXT + REPORT) * 2, special=False)
    job = TextScoring(tokens, window, None, RequestContext())
    *_, last = smollm.submit(job).events()
    assert isinstance(last, events.Finished)
    windows = len(tokens) // window
    assert last.result["windows"] == windows
    losses = []
    for number in range(windows):
        of_it = tokens[number * window : (number + 1) * window]
        scored = Scoring(of_it[: window // 2 + 1], [of_it[window // 2 + 1 :]], RequestContext())
        *_, end = smollm.submit(scored).events()
        assert isinstance(end, events.Finished)
        losses.append(-end.result["values"][0]["logprob"])
    mean = sum(losses) / last.result["tokens"]
    assert last.result["perplexity"] == pytest.approx(float(np.exp(mean)), rel=0.01)
    with pytest.raises(UserError, match="two windows"):
        TextScoring(tokens[:100], window, None, RequestContext())


def test_asking_an_engine_that_has_ended_does_not_hang(smollm_file: Path, load_now: Callable[..., Model]) -> None:
    engine = Engine(load_now(smollm_file, 512))
    jobs = [engine.submit(generation(engine, TEXT, DecodingPart(max_tokens=300))) for _ in range(3)]
    next(jobs[0].events())  # it is being computed
    engine.close()
    assert all(result_of(job).finish in ("cancelled", "eos") for job in jobs)


@pytest.mark.parametrize(
    ("inner", "width", "tokens"), [(1536, 576, 512), (8960, 1536, 512), (8192, 3072, 256), (14336, 4096, 128)]
)
def test_a_large_model_reads_prompts_in_smaller_slices(inner: int, width: int, tokens: int) -> None:
    tensors = [
        Tensor("token_embd.weight", (width, 260_000), "Q4_0", 0),
        Tensor("blk.0.attn_norm.weight", (width,), "F32", 0),
        Tensor("blk.0.ffn_up.weight", (width, inner), "Q4_0", 0),
    ]
    assert prompt_slice(tensors) == tokens
    assert prompt_slice([Tensor("blk.0.ffn_up_exps.weight", (2048, 768, 128), "Q4_0", 0)]) == 512
