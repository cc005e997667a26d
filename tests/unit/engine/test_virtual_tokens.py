"""Soft prompts and prefixes in the engine: what torch computes, after every way back into memory as well.

Most tests put the embeddings of words, or the keys and values that the model itself computed for them, in the place of
what would be learnt: then everything has to come out as if these words stood before the text.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.adapters import write_adapter
from tests.unit import tiny_models
from tests.unit.engine.probing import NOISE, Probe, UnableToGoBack, divergence, probe, result_of
from tests.virtual_tokens import Floats, write_prefix, write_soft_prompt, write_virtual
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine import slots
from workbench.engine.inference_calls import Generate, LoraUse
from workbench.engine.jobs import Job
from workbench.engine.keys import Key, make_key, virtual_tokens
from workbench.engine.loading import PARKED_CELLS, Model
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt
from workbench.engine.scoring import Inspection, Scoring, TextScoring
from workbench.engine.sequence_state import SequenceState
from workbench.engine.slots import EXACT_SLICE
from workbench.engine.virtual_tokens import Prefix, SoftPrompt, read_virtual_tokens, save_sequence
from workbench.gguf.weights import open_model
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.strategies import Strategies

WORDS = (44, 7, 91, 23, 60)
"""What stands for trained tokens."""

TEXT = tiny_models.TOKENS


def text(length: int, seed: int = 0) -> list[int]:
    """Some words, none of which ends an answer."""
    return np.random.default_rng(seed).integers(2, tiny_models.VOCABULARY, length).tolist()


def use(path: Path, scale: float = 1.0) -> Key:
    return make_key([LoraUse(path=str(path), scale=scale)])


@dataclass(frozen=True)
class Tiny:
    """A tiny llama in an engine, with float32 for what it keeps, and adapters that are as good as ``WORDS``."""

    engine: Engine
    keys: dict[str, Key]

    def logits(self, tokens: Sequence[int], kind: str) -> Floats:
        return found(probe(self.engine, tokens, self.keys[kind]))


def found(job: Probe) -> Floats:
    assert job.logits is not None
    return job.logits


@pytest.fixture(scope="module")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = tiny_models.build("llama")
    folder = tmp_path_factory.mktemp("tiny")
    write_soft_prompt(folder / "soft.gguf", model.get_input_embeddings().weight.detach().numpy()[list(WORDS)])
    return tiny_models.write_gguf(model, "llama", folder / "base.gguf", tokenizer="gpt2")


def start(base: Path, load_now: Callable[..., Model], context_tokens: int = 2048, **settings: Any) -> Tiny:
    engine = Engine(load_now(base, context_tokens, **{"kv_type": "f32", "flash_attention": "off"} | settings))
    probe(engine, WORDS)
    decode_context = engine._decode_contexts[0]
    state = engine.ask(lambda: SequenceState.parse(save_sequence(decode_context.context, 0)))
    path = base.with_name("prefix.gguf")
    write_prefix(path, [half.rows for half in state.keys], [half.rows for half in state.values])
    engine.forget()
    return Tiny(engine, {"soft-prompt": use(base.with_name("soft.gguf")), "prefix": use(path), "": ()})


@pytest.fixture(scope="module")
def tiny(tiny_base: Path) -> Iterator[Tiny]:
    from tests.unit.engine.conftest import _load

    made = start(tiny_base, _load)
    yield made
    made.engine.close()


@pytest.fixture(params=["soft-prompt", "prefix"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


# -- as torch ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "near"), [("llama", 1e-5), ("qwen2", 1e-5), ("gemma3", 3e-3), ("gpt2", 1e-3)])
def test_a_soft_prompt_computes_what_torch_does(
    family: str, near: float, tmp_path: Path, load_now: Callable[..., Model]
) -> None:
    torch = pytest.importorskip("torch")
    model = tiny_models.build(family)
    base = tiny_models.write_gguf(model, family, tmp_path / "base.gguf", tokenizer="gpt2")
    learnt = (np.random.default_rng(1).standard_normal((7, tiny_models.WIDTH)) * 0.3).astype(np.float32)
    key = use(write_soft_prompt(tmp_path / "soft.gguf", learnt, family))
    with torch.no_grad():
        embeddings = model.get_input_embeddings()(torch.tensor([TEXT]))
        wanted = model(inputs_embeds=torch.cat([torch.tensor(learnt)[None], embeddings], 1)).logits[0, -1].numpy()
    plain = tiny_models.torch_logits(model)[-1]
    engine = Engine(load_now(base, 64, kv_type="f32", flash_attention="off"))
    try:
        for expected, given in ((wanted, key), (plain, ()), (wanted, key)):
            assert np.abs(found(probe(engine, TEXT, given)) - expected).max() < near
        assert np.abs(wanted - plain).max() > 20 * near
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("family", "flash", "kept", "near", "settings"),
    [
        ("llama", "off", "f32", 1e-5, {}),
        ("qwen2", "off", "f32", 1e-5, {}),
        ("gpt2", "off", "f32", 1e-3, {}),
        ("llama", "off", "f16", 5e-3, {}),
        ("llama", "on", "f16", 5e-3, {}),
        ("gemma2", "off", "f32", 3e-3, {}),
        ("gemma3", "off", "f32", 3e-3, {}),  # with windows in all layers
        ("gemma3", "off", "f32", 3e-3, {"every": 2}),  # in one of two
        ("gemma3", "on", "f16", 1e-2, {"every": 2}),
        ("gemma3", "off", "f32", 3e-3, {"every": 2, "sequences": 2}),  # and without cells for what has left them
    ],
)
def test_a_prefix_computes_what_torch_does(
    family: str, flash: str, kept: str, near: float, settings: dict[str, int], tmp_path: Path,
    load_now: Callable[..., Model],
) -> None:  # fmt: skip
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    every, sequences = settings.get("every", 0), settings.get("sequences", 0)
    model = tiny_models.build(family, every=every)
    tokens = text(tiny_models.WINDOW + 8, 31)  # the prefix leaves a window
    base = tiny_models.write_gguf(model, family, tmp_path / "base.gguf", tokenizer="gpt2")
    heads = tiny_models.HEADS if family == "gpt2" else tiny_models.KV_HEADS
    random = np.random.default_rng(1)
    halves = random.standard_normal((2, tiny_models.LAYERS, 5, heads, tiny_models.HEAD)).astype(np.float32)
    cache = transformers.DynamicCache(config=model.config)
    for layer in range(tiny_models.LAYERS):
        cache.update(*(torch.tensor(half[layer]).transpose(0, 1)[None] for half in halves), layer)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # later versions call it another name
        wanted = model(input_ids=torch.tensor([tokens]), past_key_values=cache).logits[0, -1].numpy()
    keys, values = halves.reshape(2, tiny_models.LAYERS, 5, -1)
    if family == "llama":  # the two halves of each head, pairwise
        split = keys.reshape(tiny_models.LAYERS, 5, heads, 2, -1)
        keys = split.swapaxes(-1, -2).reshape(tiny_models.LAYERS, 5, -1)
    key = use(write_prefix(tmp_path / "prefix.gguf", list(keys), list(values), family))
    engine = Engine(load_now(base, 64, kv_type=kept, flash_attention=flash, sequences=sequences))
    try:
        first, again = probe(engine, tokens, key), probe(engine, tokens, key)
        assert (first.cached, again.cached) == (0, len(tokens) - 1)
        for job in (first, again):
            assert np.abs(found(job) - wanted).max() < near
        assert np.abs(wanted - found(probe(engine, tokens))).max() > 20 * near
    finally:
        engine.close()


def test_a_soft_prompt_of_words_is_as_these_words_to_real_models(engine: Engine, tmp_path: Path) -> None:
    path, vocabulary = Path(engine.model.path), engine.model.vocabulary
    stored = open_model(path).tensors["token_embd.weight"]
    words = vocabulary.tokenize("The capital of France is called Paris. ", special=False)
    embeddings = np.concatenate([stored.read(word, 1) for word in words])
    if engine.model.info.architecture == "gemma3":  # llama.cpp scales the embeddings of tokens only
        embeddings = embeddings * np.sqrt(embeddings.shape[1])
    architecture = engine.model.info.architecture
    key = use(write_soft_prompt(tmp_path / "soft.gguf", embeddings.astype(np.float32), architecture))
    short = vocabulary.tokenize("The capital of France is called", special=False)
    # longer than gemma's window, so that the first tokens leave it
    long = vocabulary.tokenize("One of these towns is the capital and the others are not. " * 42, special=False)
    other = vocabulary.tokenize("The boats came in with herring in the morning. " * 60, special=False)
    for tokens in (short, [*long, *short]) if engine.model.window else (short,):
        engine.forget()
        probe(engine, words)  # so that they are a batch of their own: another cut changes what a quantised model says
        wanted = found(probe(engine, [*words, *tokens]))
        cold = probe(engine, tokens, key)
        assert divergence(wanted, found(cold)) < NOISE
        probe(engine, other, key)  # moves it out of memory
        back = probe(engine, tokens, key)
        assert back.cached == len(tokens) - 1
        assert divergence(wanted, found(back)) < NOISE
        assert divergence(wanted, found(probe(engine, tokens))) > 2 * NOISE


# -- ways back into memory --------------------------------------------------------------------------------


def same(one: Floats, other: Floats) -> bool:
    return bool(np.abs(one - other).max() < 2e-5)


def test_every_way_back_gives_what_a_cold_run_gives(tiny: Tiny, kind: str) -> None:
    engine, key = tiny.engine, tiny.keys[kind]
    one, other = text(PARKED_CELLS + 60, 1), text(PARKED_CELLS + 40, 2)
    plain = probe(engine, one)
    assert plain.cached == 0

    def check(tokens: list[int], cached: int) -> None:
        job = probe(engine, tokens, key)
        assert job.cached == cached
        assert same(found(job), tiny.logits([*WORDS, *tokens], ""))

    engine.forget()
    check(one, 0)  # begun
    check([*one, 9], len(one))  # gone on with
    check([*one[:-30], 8, 8], len(one) - 30)  # gone back in
    check([*one[:200], *text(90, 3)], 200)  # shared with the one that stays
    check(other, 0)  # which puts the others into the store
    check([*one[:-30], 8, 8, 7], len(one) - 28)
    check([*other, 6], len(other))
    assert not same(tiny.logits(one, kind), found(plain))


def test_what_one_kind_computed_is_not_taken_for_another_s(tiny: Tiny) -> None:
    tiny.engine.forget()
    tokens = text(100, 4)
    for name in ("soft-prompt", "", "prefix"):
        assert probe(tiny.engine, tokens, tiny.keys[name]).cached == 0


def test_a_lora_beside_a_soft_prompt_counts_for_both(tiny: Tiny, tmp_path: Path) -> None:
    engine = tiny.engine
    lora = LoraUse(path=str(write_adapter(Path(engine.model.path), tmp_path / "lora.gguf")))
    soft = LoraUse(path=tiny.keys["soft-prompt"][0].path)
    tokens = text(40, 5)
    alone = found(probe(engine, [*WORDS, *tokens], make_key([lora])))
    both = probe(engine, tokens, make_key([soft, lora]))
    assert same(found(both), alone)
    assert not same(alone, tiny.logits([*WORDS, *tokens], ""))


def test_two_recipes_side_by_side_keep_to_their_own(tiny: Tiny, kind: str) -> None:
    engine = tiny.engine
    jobs = {}
    for name, tokens in (("", [*WORDS, *text(20, 6)]), (kind, text(20, 6))):
        engine.forget()
        jobs[name] = result_of(engine.submit(generate(engine, tokens, tiny.keys[name], max_tokens=30))).sequences
    assert jobs[""][0].tokens == jobs[kind][0].tokens
    running = [
        engine.submit(generate(engine, text(20, seed), tiny.keys[name], max_tokens=30))
        for seed in (6, 7)
        for name in (kind, "")
    ]
    assert result_of(running[0]).sequences[0].tokens == jobs[kind][0].tokens
    for job in running[1:]:
        result_of(job)
    assert len(engine._decode_contexts) == 2


def test_a_memory_that_cannot_go_back_begins_with_the_virtual_tokens_again(
    tiny: Tiny, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.engine.forget()
    prompt, endings = text(30, 8), [text(6, 9), text(7, 10)]
    wanted = scores(tiny.engine, Scoring(prompt, endings, RequestContext(), key=tiny.keys[kind]))
    tiny.engine.forget()
    monkeypatch.setattr(slots, "llama", UnableToGoBack())
    one_by_one = Scoring(prompt, endings, RequestContext(), together=1, key=tiny.keys[kind])
    assert scores(tiny.engine, one_by_one) == pytest.approx(wanted, abs=1e-3)
    monkeypatch.undo()
    tiny.engine.forget()


# -- jobs -------------------------------------------------------------------------------------------------


def generate(engine: Engine, tokens: Sequence[int], key: Key, **decoding: Any) -> Job:
    part = DecodingPart(**{"max_tokens": 12, "repetition_penalty": 1.0, "seed": 3} | decoding)
    adapters = tuple(LoraUse(path=one.path, scale=one.scale) for one in key)
    call = Generate(prompt=tuple(tokens), decoding=part, adapters=adapters)
    return Strategies().make_job(call, Prompt(list(tokens)), engine, RequestContext(), 0.0)


def scores(engine: Engine, job: Job) -> list[float]:
    *_, last = engine.submit(job).events()
    assert isinstance(last, events.Finished)
    return [scored["logprob"] for scored in last.result["values"]]


@pytest.mark.parametrize(
    "decoding",
    [
        {},
        {"temperature": 1.0, "n": 3},
        {"strategy": "beam", "num_beams": 3},
        {"speculation": "ngram", "max_tokens": 60},
    ],
)
def test_answers_are_those_that_the_words_themselves_give(tiny: Tiny, kind: str, decoding: dict[str, Any]) -> None:
    tokens = text(12, 11) * 3
    tiny.engine.forget()
    wanted = result_of(tiny.engine.submit(generate(tiny.engine, [*WORDS, *tokens], (), **decoding)))
    for cached in (0, len(tokens) - 1):
        answer = result_of(tiny.engine.submit(generate(tiny.engine, tokens, tiny.keys[kind], **decoding)))
        assert [one.tokens for one in answer.sequences] == [one.tokens for one in wanted.sequences]
        assert answer.prompt == tuple(tokens)
        assert (answer.usage.prompt_tokens, answer.usage.cached_tokens) == (len(tokens), cached)
        assert (answer.usage.accepted_tokens > 5) is ("speculation" in decoding)


def test_contrastive_search_goes_on_from_virtual_tokens(tiny: Tiny, kind: str) -> None:
    tokens = text(20, 12)
    answers = []
    for _ in range(2):
        job = generate(tiny.engine, tokens, tiny.keys[kind], strategy="contrastive", max_tokens=6)
        answers.append(result_of(tiny.engine.submit(job)))
    assert answers[0].sequences[0].tokens == answers[1].sequences[0].tokens
    assert answers[0].usage.prompt_tokens == len(tokens)


def test_penalties_do_not_see_virtual_tokens(tiny: Tiny) -> None:
    tokens = text(30, 13)
    hard = {"frequency_penalty": 2.0, "presence_penalty": 2.0, "repetition_penalty": 2.0}
    tiny.engine.forget()
    first = result_of(tiny.engine.submit(generate(tiny.engine, tokens, tiny.keys["soft-prompt"], max_tokens=1, **hard)))
    row = tiny.logits([*WORDS, *tokens], "")
    for token in set(tokens):
        row[token] = row[token] / 2 if row[token] > 0 else row[token] * 2
    assert first.sequences[0].tokens == (int(row.argmax()),)


def test_scores_inspections_and_perplexities_count_the_text_only(tiny: Tiny, kind: str) -> None:
    engine, key = tiny.engine, tiny.keys[kind]
    prompt, endings = text(30, 14), [text(5, 15), text(9, 16), text(7, 17)]
    wanted = scores(engine, Scoring([*WORDS, *prompt], endings, RequestContext()))
    for together in (1, 8):
        job = Scoring(prompt, endings, RequestContext(), together=together, key=key)
        assert scores(engine, job) == pytest.approx(wanted, abs=1e-3)
    looked = Inspection(prompt, endings[0], 3, 0, engine.model.vocabulary, RequestContext(), key=key)
    *_, last = engine.submit(looked).events()
    assert isinstance(last, events.Finished)
    assert [token["token"] for token in last.result] == [*endings[0], -1]
    assert sum(token["logprob"] for token in last.result[:-1]) == pytest.approx(wanted[0], abs=1e-3)
    long, window = text(96, 18), 32
    *_, last = engine.submit(TextScoring(long, window, None, RequestContext(), key=key)).events()
    assert isinstance(last, events.Finished)
    losses = []
    for at in range(0, len(long), window):
        of_it = long[at : at + window]
        half = [*WORDS, *of_it[: window // 2 + 1]]
        losses += scores(engine, Scoring(half, [of_it[window // 2 + 1 :]], RequestContext()))
    assert last.result["windows"] == 3
    assert np.log(last.result["perplexity"]) == pytest.approx(-sum(losses) / last.result["tokens"], abs=1e-3)


def test_a_deterministic_model_answers_the_same_cold_warm_and_beside_others(
    tiny_base: Path, kind: str, load_now: Callable[..., Model]
) -> None:
    tiny = start(tiny_base, load_now, deterministic=True)
    engine, key = tiny.engine, tiny.keys[kind]
    tokens = text(EXACT_SLICE + 70, 19)
    try:
        cold = probe(engine, tokens, key)
        warm = probe(engine, tokens, key)
        assert warm.cached == EXACT_SLICE
        assert np.array_equal(found(cold), found(warm))
        engine.forget()
        alone = result_of(engine.submit(generate(engine, tokens, key, max_tokens=24)))
        assert alone.usage.cached_tokens == 0
        beside = [
            engine.submit(generate(engine, text(40, seed), given, max_tokens=24))
            for seed in (20, 21)
            for given in (key, ())
        ]
        again = result_of(engine.submit(generate(engine, tokens, key, max_tokens=24, speculation="ngram")))
        assert again.sequences[0].tokens == alone.sequences[0].tokens
        for job in beside:
            result_of(job)
    finally:
        engine.close()


def test_the_context_has_to_have_room_for_the_virtual_tokens(
    tiny_base: Path, kind: str, load_now: Callable[..., Model]
) -> None:
    tiny = start(tiny_base, load_now, context_tokens=256)
    try:
        full = text(256 - len(WORDS), 22)
        assert probe(tiny.engine, full, tiny.keys[kind]).logits is not None
        with pytest.raises(UserError, match="with 5 virtual tokens of an adapter"):
            probe(tiny.engine, [*full, 4], tiny.keys[kind])
        answer = result_of(tiny.engine.submit(generate(tiny.engine, full[:-9], tiny.keys[kind], max_tokens=40)))
        assert len(answer.sequences[0].tokens) <= 9
        for seed in range(40):  # many conversations come and go in a small memory
            probe(tiny.engine, text(60, 100 + seed), tiny.keys[kind])
        assert probe(tiny.engine, full, tiny.keys[kind]).logits is not None
    finally:
        tiny.engine.close()


def test_a_prompt_that_cannot_be_shared_gets_its_own_virtual_tokens(
    tiny_base: Path, kind: str, load_now: Callable[..., Model]
) -> None:
    tiny = start(tiny_base, load_now, sequences=2)
    try:
        one = text(80, 23)
        probe(tiny.engine, one, tiny.keys[kind])
        job = probe(tiny.engine, [*one[:60], 5, 5], tiny.keys[kind])
        assert same(found(job), tiny.logits([*WORDS, *one[:60], 5, 5], ""))
    finally:
        tiny.engine.close()


# -- sets and files ---------------------------------------------------------------------------------------


def test_with_strength_zero_each_kind_is_the_base_model(tiny: Tiny, tmp_path: Path) -> None:
    lora = write_adapter(Path(tiny.engine.model.path), tmp_path / "lora.gguf")
    paths = [Path(tiny.keys[name][0].path) for name in ("soft-prompt", "prefix")]
    tiny.engine.forget()
    tokens = text(25, 24)
    base = result_of(tiny.engine.submit(generate(tiny.engine, tokens, (), max_tokens=20)))
    for path in (lora, *paths):
        assert use(path, 0.0) == ()
        tiny.engine.forget()
        off = result_of(tiny.engine.submit(generate(tiny.engine, tokens, use(path, 0.0), max_tokens=20)))
        assert off.sequences[0].tokens == base.sequences[0].tokens
        assert off.mean_logprob == base.mean_logprob
        tiny.engine.forget()
        on = result_of(tiny.engine.submit(generate(tiny.engine, tokens, use(path), max_tokens=20)))
        assert on.mean_logprob != pytest.approx(base.mean_logprob, abs=1e-3)
    assert virtual_tokens(use(lora)) == 0
    assert [virtual_tokens(use(path)) for path in paths] == [len(WORDS)] * 2


def test_what_stands_before_the_text_has_no_strength_and_stands_alone(tiny: Tiny) -> None:
    soft, prefix = (Path(tiny.keys[name][0].path) for name in ("soft-prompt", "prefix"))
    with pytest.raises(UserError, match=r"cannot have the strength 0\.5"):
        use(soft, 0.5)
    both = [LoraUse(path=str(soft)), LoraUse(path=str(prefix))]
    with pytest.raises(UserError, match="a recipe can have one of them"):
        make_key(both)
    assert len(make_key([both[0], LoraUse(path=str(prefix), scale=0.0)])) == 1


def test_a_file_that_is_replaced_or_deleted_while_it_is_loaded(tiny: Tiny, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(Path(tiny.keys[kind][0].path).read_bytes())
    tokens = text(30, 25)
    old = use(path)
    first = found(probe(tiny.engine, tokens, old))
    longer = (np.random.default_rng(2).standard_normal((9, tiny_models.WIDTH)) * 0.3).astype(np.float32)
    write_soft_prompt(tmp_path / "new.gguf", longer).replace(path)
    new = use(path)
    assert virtual_tokens(new) == 9
    second = probe(tiny.engine, tokens, new)
    assert second.cached == 0
    assert not same(found(second), first)
    path.unlink()
    assert same(found(probe(tiny.engine, tokens, old)), first)  # asked for before: it is in memory
    with pytest.raises(UserError, match="is missing"):
        use(path)


def test_a_file_that_was_replaced_before_it_is_loaded_is_not_taken_for_the_old_one(tiny: Tiny, tmp_path: Path) -> None:
    numbers = np.full((3, tiny_models.WIDTH), 0.2, np.float32)
    key = use(write_soft_prompt(tmp_path / "soft.gguf", numbers))
    write_soft_prompt(tmp_path / "new.gguf", -numbers).replace(tmp_path / "soft.gguf")
    with pytest.raises(UserError, match="replaced while"):
        probe(tiny.engine, text(10, 26), key)


def test_a_prefix_is_refused_with_the_reason(tiny: Tiny, tmp_path: Path, gemma: Engine) -> None:
    large = [np.full((2, 32), 1e6, np.float32)] * tiny_models.LAYERS
    assert probe(tiny.engine, text(10, 27), use(write_prefix(tmp_path / "l.gguf", large, large))).logits is not None
    rows = [np.zeros((513, 256), np.float32)] * 6
    with pytest.raises(UserError, match="513 tokens, but some of the model's layers have a sliding window of 512"):
        probe(gemma, [2, 3, 4], use(write_prefix(tmp_path / "g.gguf", rows, rows, "gemma3")))
    assert probe(gemma, [2, 3, 4]).logits is not None


def test_a_memory_of_sixteen_bits_refuses_too_large_numbers_and_a_quantised_one_all(
    smollm_path: Path, tmp_path: Path, load_now: Callable[..., Model]
) -> None:
    rows = [np.full((2, 192), 1e6, np.float32)] * 30
    key = use(write_prefix(tmp_path / "large.gguf", rows, rows))
    for kept, reason in (("f16", "too large for the cache precision f16"), ("q8_0", "number format 8")):
        engine = Engine(load_now(smollm_path, 256, kv_type=kept))
        try:
            with pytest.raises(UserError, match=reason):
                probe(engine, text(10, 28), key)
            assert probe(engine, text(10, 28)).logits is not None
        finally:
            engine.close()


def test_a_state_of_another_form_is_refused(tiny: Tiny) -> None:
    tiny.engine.forget()
    probe(tiny.engine, text(6, 29))
    decode_context, number = next(
        (decode_context, slot.number)
        for decode_context in tiny.engine._decode_contexts
        for slot in decode_context.slots._slots
        if slot.tokens
    )
    whole = tiny.engine.ask(lambda: bytes(save_sequence(decode_context.context, number)))
    parsed = SequenceState.parse(whole)
    assert [half.rows.shape for half in parsed.keys] == [(6, 32)] * tiny_models.LAYERS
    keys, values = [half.rows for half in parsed.keys], [half.rows for half in parsed.values]
    assert bytes(parsed.filled(keys, values)) == whole
    assert parsed.holds(keys, values)
    assert not parsed.holds(values, keys)
    broken = {
        "shorter": whole[:-1],
        "longer": whole + bytes(4),
        "more streams": whole[:8] + b"\2" + whole[9:],
        "other positions": whole[:16] + b"\7" + whole[17:],
        "more sequences": whole[:20] + b"\2" + whole[21:],
        "none": b"",
    }
    for name, data in broken.items():
        with pytest.raises(UserError, match="unknown form"):
            raise AssertionError(f"{name}: {SequenceState.parse(data)}")
    with pytest.raises(UserError, match="unknown form"):  # it has one memory
        SequenceState.parse(whole, [True, False])


def test_files_are_read_into_what_they_hold(tmp_path: Path) -> None:
    numbers = np.arange(3 * 64, dtype=np.float32).reshape(3, 64)
    soft = read_virtual_tokens(write_soft_prompt(tmp_path / "soft.gguf", numbers))
    assert isinstance(soft, SoftPrompt)
    assert np.array_equal(soft.embeddings, numbers)
    odd = [np.arange(9, dtype=np.float32).reshape(3, 3) + layer for layer in range(3)]  # 36 bytes: filled up to 64
    prefix = read_virtual_tokens(write_prefix(tmp_path / "prefix.gguf", odd, [-rows for rows in odd]))
    assert isinstance(prefix, Prefix)
    for layer in range(3):
        assert np.array_equal(prefix.keys[layer], odd[layer])
        assert np.array_equal(prefix.values[layer], -odd[layer])
    with pytest.raises(UserError, match="neither"):
        read_virtual_tokens(write_virtual(tmp_path / "lora.gguf", {"x": numbers}, "lora", "llama"))
