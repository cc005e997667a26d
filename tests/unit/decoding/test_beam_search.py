"""The search against transformers' own ``generate`` on small random models: the same sequences with the same scores."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.unit.decoding.random_decode_context import ENDINGS, VOCABULARY, Letters, random_llama, random_prompt
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.beam_search import BeamSearch, EarlyStopping, Row
from workbench.techniques.decoding.token_rules import TokenRules

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

NEW_TOKENS = 12
STOPPING: tuple[EarlyStopping, ...] = ("no", "yes", "never")
IN_TRANSFORMERS = {"no": False, "yes": True, "never": "never"}


class Reference:
    """A random Llama and a prompt."""

    def __init__(self, seed: int) -> None:
        self.model = random_llama(seed)
        self.prompt = random_prompt(seed)

    def logits(self, sequences: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        """After each of some sequences of one length; shape (sequences, vocabulary)."""
        with torch.no_grad():
            rows: npt.NDArray[np.float32] = self.model(torch.tensor(sequences)).logits[:, -1].numpy()
        return rows.copy()

    def generate(self, **options: Any) -> list[tuple[list[int], float]]:
        """Sequences without prompt and padding, an ending token included, with their scores."""
        with torch.no_grad():
            made = self.model.generate(
                torch.tensor([self.prompt]),
                attention_mask=torch.ones(1, len(self.prompt), dtype=torch.long),
                max_new_tokens=NEW_TOKENS,
                do_sample=False,
                return_dict_in_generate=True,
                output_scores=True,
                **options,
            )
        sequences = [up_to_ending(row[len(self.prompt) :]) for row in made.sequences.tolist()]
        return list(zip(sequences, made.sequences_scores.tolist(), strict=True))


def rules_of(**decoding: Any) -> TokenRules:
    vocabulary: Any = Letters()
    return TokenRules(DecodingPart(**{"repetition_penalty": 1.0, **decoding}), vocabulary)


def up_to_ending(tokens: list[int]) -> list[int]:
    return next((tokens[: at + 1] for at, token in enumerate(tokens) if token in ENDINGS), tokens)


def run(
    reference: Reference,
    search: BeamSearch[str],
    count: int,
    rules: TokenRules | None = None,
    ends: Callable[[Sequence[int]], bool] = lambda tokens: tokens[-1] in ENDINGS,
) -> list[tuple[list[int], float]]:
    """Drive the search with the reference model's logits; every token of the vocabulary is a candidate."""
    while not search.done:
        rows = []
        sequences = [[*reference.prompt, *beam.tokens] for beam in search.live]
        for beam, tokens, logits in zip(search.live, sequences, reference.logits(sequences), strict=True):
            normaliser = float(torch.logsumexp(torch.tensor(logits).double(), 0))
            if rules is not None:
                history = functools.reduce(rules.extend, beam.tokens, rules.begin())
                rules.apply(logits, tokens, history, normaliser)
            scores = logits.astype(np.float64) - normaliser
            order = np.argsort(-scores)
            order = order[scores[order] > -np.inf]
            rows.append(Row(order, scores[order], scores[order]))
        live = search.live
        search.advance(rows, lambda parent, token, live=live: "end" if ends([*live[parent].tokens, token]) else None)
    return [(complete.beam.tokens, complete.score) for complete in search.best(count)]


def assert_same(ours: list[tuple[list[int], float]], theirs: list[tuple[list[int], float]]) -> None:
    assert [tokens for tokens, _ in ours] == [tokens for tokens, _ in theirs]
    np.testing.assert_allclose([score for _, score in ours], [score for _, score in theirs], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(48))
def test_search_is_that_of_transformers(seed: int) -> None:
    reference = Reference(seed)
    choose = random.Random(seed)
    early_stopping = STOPPING[seed % 3]
    length_penalty = choose.choice([-1.0, 0.0, 1.0, 2.0])
    repetition, ngram = choose.choice([(1.0, 0), (1.3, 0), (1.0, 2), (1.3, 3)])
    beams = choose.choice([1, 2, 3, 4, 6]) + 1
    count = choose.choice([1, beams])
    theirs = reference.generate(
        num_beams=beams,
        num_return_sequences=count,
        early_stopping=IN_TRANSFORMERS[early_stopping],
        length_penalty=length_penalty,
        repetition_penalty=repetition,
        no_repeat_ngram_size=ngram,
    )
    search: BeamSearch[str] = BeamSearch(
        beams, NEW_TOKENS, length_penalty=length_penalty, early_stopping=early_stopping
    )
    rules = rules_of(repetition_penalty=repetition, no_repeat_ngram_size=ngram)
    assert_same(run(reference, search, count, rules), theirs)


class AnswerPenalties:
    """Presence and frequency penalties and DRY, of what stands after ``start``, written down plainly."""

    def __init__(self, start: int, presence: float, frequency: float, dry: float) -> None:
        self._start = start
        self._presence = presence
        self._frequency = frequency
        self._dry = dry

    def __call__(self, tokens: Any, scores: Any) -> Any:
        for row, changed in zip(tokens.tolist(), scores, strict=True):
            answer = row[self._start :]
            for token in set(answer):
                changed[token] -= self._presence + self._frequency * answer.count(token)
            longest: dict[int, int] = {}
            for at in range(1, len(answer)):  # the token there could come again after what came before it
                length = 0
                while length < at and answer[at - 1 - length] == answer[-1 - length]:
                    length += 1
                longest[answer[at]] = max(longest.get(answer[at], 0), length)
            for token, length in longest.items():
                if length >= 1:
                    changed[token] -= self._dry * 1.75 ** (length - 1)
        return scores


@pytest.mark.parametrize("seed", range(24))
def test_beams_heed_what_changes_single_tokens(seed: int) -> None:
    """Each beam with its own history, as transformers' ``generate`` does it with processors."""
    reference = Reference(seed)
    choose = random.Random(seed)
    presence, frequency = choose.choice([(0.0, 0.0), (1.5, 0.0), (0.0, 0.8), (-0.5, 0.3)])
    dry = choose.choice([0.0, 1.2])
    repetition, ngram = choose.choice([(1.0, 0), (1.3, 3)])
    biased = {choose.randrange(3, VOCABULARY): choose.choice([2.5, -3.0, -math.inf]) for _ in range(seed % 4)}
    theirs = reference.generate(
        num_beams=4,
        num_return_sequences=4,
        early_stopping=IN_TRANSFORMERS[STOPPING[seed % 3]],
        repetition_penalty=repetition,
        no_repeat_ngram_size=ngram,
        sequence_bias={(token,): bias for token, bias in biased.items()} or None,
        logits_processor=transformers.LogitsProcessorList(
            [AnswerPenalties(len(reference.prompt), presence, frequency, dry)]
        ),
    )
    rules = rules_of(
        repetition_penalty=repetition,
        no_repeat_ngram_size=ngram,
        presence_penalty=presence,
        frequency_penalty=frequency,
        dry_multiplier=dry,
        dry_allowed_length=1,
        logit_bias=tuple(f"#{token}={bias}" for token, bias in biased.items()),
    )
    search: BeamSearch[str] = BeamSearch(4, NEW_TOKENS, early_stopping=STOPPING[seed % 3])
    ours = run(reference, search, 4, rules)
    assert_same(ours, theirs)
    if presence or frequency or dry or biased:
        plain: BeamSearch[str] = BeamSearch(4, NEW_TOKENS, early_stopping=STOPPING[seed % 3])
        without = run(reference, plain, 4, rules_of(repetition_penalty=repetition, no_repeat_ngram_size=ngram))
        assert [score for _, score in without] != [score for _, score in ours]


def greedy(reference: Reference, rules: TokenRules, length_penalty: float) -> tuple[list[int], float]:
    """Greedy decoding under the same rules, and its score."""
    tokens: list[int] = []
    total = 0.0
    while len(tokens) < NEW_TOKENS and not (tokens and tokens[-1] in ENDINGS):
        (logits,) = reference.logits([[*reference.prompt, *tokens]])
        normaliser = float(torch.logsumexp(torch.tensor(logits).double(), 0))
        rules.apply(
            logits, [*reference.prompt, *tokens], functools.reduce(rules.extend, tokens, rules.begin()), normaliser
        )
        tokens.append(int(logits.argmax()))
        total += float(logits[tokens[-1]]) - normaliser
    return tokens, total / len(tokens) ** length_penalty


def searches(seed: int) -> tuple[Reference, TokenRules, dict[str, Any]]:
    """A model, what changes its tokens' scores, and the options of a search: a random case."""
    choose = random.Random(seed)
    beams = choose.choice([2, 3, 4, 6])
    groups = choose.choice([1, 1, 1, beams // 2 if beams % 2 == 0 else 1])
    options = {
        "width": beams,
        "limit": NEW_TOKENS,
        "length_penalty": choose.choice([-1.0, 0.0, 1.0, 2.0]),
        "early_stopping": STOPPING[seed % 3],
        "groups": groups,
        "diversity_penalty": choose.choice([0.0, 1.0]) if groups > 1 else 0.0,
    }
    rules = rules_of(
        repetition_penalty=choose.choice([1.0, 1.3]),
        presence_penalty=choose.choice([0.0, 1.0]),
        logit_bias=choose.choice([(), ("#5=2",)]),
    )
    return Reference(seed), rules, options


def test_with_the_greedy_path_kept_nothing_is_less_probable_than_it() -> None:
    below = 0
    for seed in range(60):
        reference, rules, options = searches(seed)
        tokens, score = greedy(reference, rules, options["length_penalty"])
        plain = run(reference, BeamSearch[str](**options), 3, rules)
        kept = run(reference, BeamSearch[str](**options, keep_greedy=True), 3, rules)
        assert kept[0][1] >= score - 1e-5
        assert kept[0][1] >= plain[0][1] - 1e-5  # it is the same search with one more in the ranking
        others = [made for made, _ in kept if made != tokens]
        assert others == [made for made, _ in plain if made != tokens][: len(others)]
        assert [one for _, one in kept] == sorted((one for _, one in kept), reverse=True)
        assert len({tuple(made) for made, _ in kept}) == len(kept) or options["groups"] > 1
        below += plain[0][1] < score - 1e-5
    assert below >= 3  # without it there are such cases


def test_the_greedy_path_is_computed_once_where_a_beam_takes_it() -> None:
    search: BeamSearch[str] = BeamSearch(2, 8, keep_greedy=True)
    first = row_of({5: -0.1, 6: -2.0})
    search.advance([first], lambda _parent, _token: None)
    assert [beam.tokens for beam in search.live] == [[5], [6]]
    # what follows the greedy beam is so improbable that both beams go on from the other one
    step = search.advance([row_of({8: -9.0, 9: -9.5}), row_of({3: -0.1, 4: -0.2})], lambda _parent, _token: None)
    assert [(choice.parent, choice.beam.tokens) for choice in step.live] == [(1, [6, 3]), (1, [6, 4]), (0, [5, 8])]


def test_the_references_reach_every_kind_of_ending() -> None:
    lengths = [
        len(tokens)
        for seed in (2, 3, 8, 10)
        for tokens, _ in Reference(seed).generate(num_beams=4, num_return_sequences=4, length_penalty=0.0)
    ]
    assert min(lengths) < 4
    assert max(lengths) == NEW_TOKENS
    assert len(set(lengths)) > 4


class Hamming:
    """A group's processor: tokens lose ``penalty`` for each time that groups before have chosen them at that step."""

    def __init__(self, prompt_length: int, penalty: float, chosen: Sequence[dict[int, list[int]]]) -> None:
        self._start = prompt_length
        self._penalty = penalty
        self._chosen = chosen

    def __call__(self, tokens: Any, scores: Any) -> Any:
        for group in self._chosen:
            for token in group.get(tokens.shape[1] - self._start, ()):
                scores[:, token] -= self._penalty
        return scores


class Recorder:
    """Hears of each step's candidates, best first, before they are chosen from; keeps which ones go on."""

    def __init__(self, prompt_length: int, width: int) -> None:
        self._start = prompt_length
        self._width = width
        self.chosen: dict[int, list[int]] = {}

    def __call__(self, tokens: Any, scores: Any, **_options: Any) -> Any:
        last = tokens[:, -1].tolist()
        self.chosen[tokens.shape[1] - 1 - self._start] = [t for t in last if t not in ENDINGS][: self._width]
        return torch.zeros(tokens.shape[0], dtype=torch.bool)


@pytest.mark.parametrize("seed", range(12))
def test_groups_are_searches_kept_apart(seed: int) -> None:
    """Group by group with transformers' own search: each is penalised for what the recorded ones before it chose."""
    reference, groups, width, penalty = Reference(seed), 2 + seed % 2, 2, 0.8 + seed / 5
    early_stopping = STOPPING[seed % 3]
    start = len(reference.prompt)
    recorded: list[dict[int, list[int]]] = []
    theirs: list[tuple[list[int], float]] = []
    for _ in range(groups):
        recorder = Recorder(start, width)
        theirs += reference.generate(
            num_beams=width,
            num_return_sequences=width,
            early_stopping=IN_TRANSFORMERS[early_stopping],
            logits_processor=transformers.LogitsProcessorList([Hamming(start, penalty, recorded)]),
            stopping_criteria=transformers.StoppingCriteriaList([recorder]),
        )
        recorded.append(recorder.chosen)
    theirs.sort(key=lambda made: -made[1])
    search: BeamSearch[str] = BeamSearch(
        groups * width, NEW_TOKENS, early_stopping=early_stopping, groups=groups, diversity_penalty=penalty
    )
    assert_same(run(reference, search, groups * width), theirs)


def test_groups_without_a_penalty_find_the_same() -> None:
    reference = Reference(3)
    alone = run(reference, BeamSearch[str](2, NEW_TOKENS), 2)
    both = run(reference, BeamSearch[str](4, NEW_TOKENS, groups=2), 4)
    assert [tokens for tokens, _ in both] == [tokens for tokens, _ in alone for _ in range(2)]


def test_a_row_needs_enough_tokens_that_go_on() -> None:
    assert BeamSearch[str](4, 8).needed == 4
    assert BeamSearch[str](4, 8, groups=2, diversity_penalty=1).needed == 4
    assert BeamSearch[str](4, 8, groups=2).needed == 2


def test_groups_must_divide_the_beams() -> None:
    with pytest.raises(ValueError, match="cannot be split"):
        BeamSearch[str](4, 8, groups=3)


def test_a_search_without_a_way_on_ends_with_what_it_has() -> None:
    search: BeamSearch[str] = BeamSearch(2, 8)
    search.advance([row_of({5: -0.1, 6: -2.0})], lambda _parent, _token: None)
    nothing = row_of({})
    search.advance([nothing, nothing], lambda _parent, _token: None)
    assert search.done
    assert [complete.beam.tokens for complete in search.best(2)] == [[5], [6]]


def test_what_is_under_way_counts_when_asked() -> None:
    search: BeamSearch[str] = BeamSearch(2, 8)
    search.advance([row_of({5: -0.1, 6: -2.0, 0: -0.5})], lambda _parent, token: "end" if token == 0 else None)
    assert [complete.beam.tokens for complete in search.best(2)] == [[0]]
    assert [complete.beam.tokens for complete in search.best(3, unfinished=True)] == [[5], [0], [6]]


def row_of(logprobs: dict[int, float]) -> Row:
    """A row from tokens with log-probabilities, best first."""
    scores = np.array(list(logprobs.values()), np.float64)
    return Row(np.array(list(logprobs), np.intp), scores, scores)
