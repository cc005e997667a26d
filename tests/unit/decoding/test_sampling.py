"""The choice of tokens: penalties, phrases, bias; against llama.cpp's own samplers where there are any."""

from __future__ import annotations

import ctypes
import math
from collections import Counter

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from workbench.base.errors import UserError
from workbench.engine.library import llama
from workbench.engine.vocabulary import Vocabulary
from workbench.records.recipes import DecodingPart, with_preset
from workbench.techniques.decoding.repetition import DRY_BREAKERS
from workbench.techniques.decoding.sampling import LARGEST_SEED, Sampler
from workbench.techniques.decoding.token_rules import TokenRules
from workbench.techniques.registry import METHODS

Logits = npt.NDArray[np.float32]


def rows(count: int, size: int) -> list[Logits]:
    draw = np.random.default_rng(5)
    return [draw.normal(0, 3, size).astype(np.float32) for _ in range(count)]


def greedy(**settings: object) -> DecodingPart:
    return DecodingPart(**({"repetition_penalty": 1.0} | settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("part", [with_preset(DecodingPart(), METHODS.find("precise", "preset")),
                                  DecodingPart(strategy="greedy"), DecodingPart()])  # fmt: skip
def test_precise_and_greedy_take_the_most_probable_token_after_any_tokens(
    part: DecodingPart, vocabulary: Vocabulary
) -> None:
    sampler = Sampler(part, vocabulary)
    assert sampler.takes_best
    for row in rows(40, 12):
        for _ in range(3):  # a token that was used is as good as one that was not
            assert sampler.choose(None, 0, row)[0] == int(row.argmax())
    assert not TokenRules(msgspec.structs.replace(part, strategy="beam"), vocabulary).change_anything


def native_choice(chain: object, logits: Logits) -> int:
    """What a chain of llama.cpp's samplers takes from a row, without a model."""
    data = (llama.llama_token_data * logits.size)()
    array = np.frombuffer(data, dtype=[("id", "i4"), ("logit", "f4"), ("p", "f4")])
    array["id"] = np.arange(logits.size)
    array["logit"] = logits
    candidates = llama.llama_token_data_array(data, logits.size, -1, False)
    llama.llama_sampler_apply(chain, ctypes.byref(candidates))
    token = int(candidates.data[candidates.selected].id)
    llama.llama_sampler_accept(chain, token)
    return token


def native_chain(*samplers: object) -> object:
    chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
    for sampler in (*samplers, llama.llama_sampler_init_greedy()):
        llama.llama_sampler_chain_add(chain, sampler)
    return chain


@pytest.mark.parametrize(
    ("repetition", "presence", "frequency"),
    [(1.0, 0.0, 0.0), (1.1, 0.0, 0.0), (2.0, 0.0, 0.0), (1.0, 0.7, 0.0), (1.0, 0.0, 0.4), (1.2, -0.3, 0.2)],
)
@pytest.mark.parametrize("window", [256, 20])
def test_penalties_choose_what_llama_cpps_own_do(
    repetition: float, presence: float, frequency: float, window: int, vocabulary: Vocabulary
) -> None:
    size = 1_000
    chain = native_chain(llama.llama_sampler_init_penalties(size, window, repetition, frequency, presence))
    sampler = Sampler(
        greedy(
            repetition_penalty=repetition,
            presence_penalty=presence,
            frequency_penalty=frequency,
            penalty_window=window,
        ),
        vocabulary,
    )
    base, *noise = rows(21, size)
    ours, theirs = [], []
    for step in range(400):  # past the window of the penalty
        logits = (base + 0.1 * noise[step % 20] + 3 * noise[(step // 20) % 20]).astype(np.float32)
        before = logits.copy()
        theirs.append(native_choice(chain, logits.copy()))
        token, logit = sampler.choose(None, 0, logits)
        ours.append(token)
        assert logit == before[token]
        assert (logits == before).all()
    llama.llama_sampler_free(chain)
    assert ours == theirs
    assert len(set(ours)) > 10


def test_phrases_are_punished_as_llama_cpp_does(vocabulary: Vocabulary) -> None:
    size = vocabulary.size
    texts = [breaker.encode() for breaker in DRY_BREAKERS]
    chain = native_chain(
        llama.llama_sampler_init_dry(
            vocabulary.pointer, 0.8, 1.75, 2, 256, (ctypes.c_char_p * len(texts))(*texts), len(texts)
        )
    )
    sampler = Sampler(greedy(dry_multiplier=0.8, dry_allowed_length=2, penalty_window=256), vocabulary)
    # few tokens with letters, and some that break phrases, so that phrases come again
    words = vocabulary.tokenize(" the cat sat on a mat and then it ran\n: * he said", special=False)
    draw = np.random.default_rng(4)
    ours, theirs, plainly = [], [], []
    for _ in range(300):
        logits = np.full(size, -50, np.float32)
        logits[words] = draw.normal(0, 1, len(words))
        if ours:  # what came after this before is likely
            for place, token in enumerate(ours[:-1]):
                if token == ours[-1]:
                    logits[ours[place + 1]] += 0.7
        plainly.append(int(logits.argmax()))
        theirs.append(native_choice(chain, logits.copy()))
        ours.append(sampler.choose(None, 0, logits)[0])
    llama.llama_sampler_free(chain)
    assert ours == theirs
    assert ours != plainly


def test_no_phrase_comes_twice(vocabulary: Vocabulary) -> None:
    draw = np.random.default_rng(8)
    for size in (1, 2, 3):
        sampler = Sampler(greedy(no_repeat_ngram_size=size), vocabulary)
        answer = [sampler.choose(None, 0, draw.normal(0, 3, 40).astype(np.float32))[0] for _ in range(35)]
        phrases = Counter(tuple(answer[place : place + size]) for place in range(len(answer) - size + 1))
        assert max(phrases.values()) == 1
    free = Sampler(greedy(), vocabulary)
    answer = [free.choose(None, 0, draw.normal(0, 3, 40).astype(np.float32))[0] for _ in range(35)]
    assert max(Counter(answer).values()) > 1


def test_tokens_that_another_chose_count_as_said(vocabulary: Vocabulary) -> None:
    logits = np.array([0, 1, 3, 2.9], np.float32)
    sampler = Sampler(greedy(no_repeat_ngram_size=1), vocabulary)
    sampler.observe(2)
    assert sampler.choose(None, 0, logits) == (3, pytest.approx(2.9))


def test_penalties_come_where_the_order_says(vocabulary: Vocabulary) -> None:
    """After top-k the best may be punished below others that are out already; before, those take its place."""
    logits = np.array([4.0, 3.5, 3.0, 0.0], np.float32)

    def drawn(order: tuple[str, ...]) -> set[int]:
        decoding = DecodingPart(
            temperature=1.0, top_k=2, top_p=1.0, repetition_penalty=1.0, presence_penalty=2.0, seed=1, order=order
        )
        found = set()
        for seed in range(60):
            sampler = Sampler(decoding, vocabulary, sequence=seed)
            sampler.observe(0)
            found.add(sampler.choose(None, 0, logits)[0])
        return found

    assert drawn(("penalties", "top_k", "temperature")) == {1, 2}
    assert drawn(("top_k", "penalties", "temperature")) == {0, 1}
    assert logits.tolist() == [4.0, 3.5, 3.0, 0.0]


def test_after_heating_penalties_leave_the_models_logits_alone(vocabulary: Vocabulary) -> None:
    logits = rows(1, 50)[0]
    before = logits.copy()
    decoding = DecodingPart(
        temperature=0.5, top_k=0, top_p=1.0, repetition_penalty=1.3, seed=1, order=("temperature", "penalties")
    )
    sampler = Sampler(decoding, vocabulary)
    for _ in range(30):
        token, logit = sampler.choose(None, 0, logits)
        assert logit == before[token]
    assert (logits == before).all()


def test_a_bias_moves_and_forbids_tokens(vocabulary: Vocabulary) -> None:
    (yes,), (no,) = vocabulary.tokenize(" yes", special=False), vocabulary.tokenize(" no", special=False)
    logits = np.zeros(vocabulary.size, np.float32)
    logits[no] = 2.0

    def chosen(*bias: str) -> int:
        return Sampler(greedy(logit_bias=bias), vocabulary).choose(None, 0, logits)[0]

    assert chosen() == no
    assert chosen(" yes=3") == yes
    assert chosen(f"#{yes}=1.5") == no
    assert chosen(f"#{yes}=1.5", " yes=1.5") == yes
    assert chosen(" no=-inf") not in (no,)
    assert Sampler(greedy(logit_bias=(" no=-inf", " yes=1")), vocabulary).choose(None, 0, logits) == (yes, 0.0)
    (equals,) = vocabulary.tokenize("=", special=False)
    assert chosen("==5") == equals


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("a very long text=1", "a very long text"),
        ("#99999999=1", "99999999"),
        (" yes", " yes"),
        ("=1", "=1"),
        (" yes=much", "much"),
        (" yes=inf", "inf"),
        (" yes=nan", "nan"),
        ("#7=1e39", "#7"),  # no number of 32 bits
    ],
)
def test_a_bias_that_cannot_be_is_named(entry: str, named: str, vocabulary: Vocabulary) -> None:
    with pytest.raises(UserError, match=named):
        Sampler(greedy(logit_bias=(entry,)), vocabulary)


@pytest.mark.parametrize(("order", "named"), [(("top_k", "topp"), "topp"), (("top_k", "dry", "top_k"), "top_k")])
def test_an_order_that_cannot_be_is_named(order: tuple[str, ...], named: str, vocabulary: Vocabulary) -> None:
    with pytest.raises(UserError, match=f'"{named}"'):
        Sampler(DecodingPart(order=order), vocabulary)


def test_temperature_0_is_greedy_whatever_else_is_asked(vocabulary: Vocabulary) -> None:
    decoding = greedy(temperature=0.0, dynamic_temperature=1.0, xtc_probability=1.0, mirostat="v2", top_k=5)
    for logits in rows(20, 300):
        assert Sampler(decoding, vocabulary).choose(None, 0, logits)[0] == int(logits.argmax())


def test_a_seed_is_kept_and_minus_one_draws_one(vocabulary: Vocabulary) -> None:
    assert Sampler(DecodingPart(seed=7), vocabulary).seed == 7
    seeds = [Sampler(DecodingPart(seed=LARGEST_SEED), vocabulary, sequence=number).seed for number in range(16)]
    assert seeds[0] == LARGEST_SEED
    assert len(set(seeds)) == 16
    drawn = {Sampler(DecodingPart(seed=-1), vocabulary).seed for _ in range(4)}
    assert len(drawn) > 1
    assert all(0 <= seed <= LARGEST_SEED for seed in (*drawn, *seeds))


def test_everything_forbidden_is_as_if_nothing_were(vocabulary: Vocabulary) -> None:
    sampler = Sampler(greedy(no_repeat_ngram_size=1), vocabulary)
    logits = np.array([1.0, 2.0], np.float32)
    assert [sampler.choose(None, 0, logits)[0] for _ in range(3)] == [1, 0, 1]
    assert not math.isinf(float(logits.min()))
