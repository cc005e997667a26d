from __future__ import annotations

import random
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.unit.tiny_models import VOCABULARY  # noqa: E402
from tests.unit.training.tiny_training import apply_method, loaded, sequences  # noqa: E402
from tests.unit.training.weights import tiny_families  # noqa: E402
from workbench.records.training import WeightsPart  # noqa: E402
from workbench.training import shared_prompts  # noqa: E402
from workbench.training.answer_pairs import pairs_fit  # noqa: E402
from workbench.training.evaluation import score_texts  # noqa: E402
from workbench.training.losses import chunked_loss, make_loss, on_sequences  # noqa: E402
from workbench.training.sequences import TokenSequence  # noqa: E402
from workbench.training.shared_prompts import can_pair, can_share, common_length, join_texts  # noqa: E402

MOST = 512
PLAIN = on_sequences(chunked_loss)


def texts_that_begin_alike(prompts: int, answers: int, *, template: int = 20, seed: int = 0) -> list[TokenSequence]:
    """So many prompts with so many answers each; all begin with the same ``template`` tokens."""
    numbers = random.Random(seed)

    def draw(count: int) -> tuple[int, ...]:
        return tuple(numbers.randrange(VOCABULARY) for _ in range(count))

    begin, made = draw(template), []
    for _ in range(prompts):
        prompt = begin + draw(numbers.randint(3, 12))
        for _ in range(answers):
            answer = draw(numbers.randint(1, 9))
            made.append(TokenSequence(prompt + answer, (False,) * len(prompt) + (True,) * len(answer)))
    return made


def passes(model: Any) -> list[tuple[int, ...]]:
    seen: list[tuple[int, ...]] = []
    model.register_forward_pre_hook(
        lambda module, given, named: seen.append(tuple(named["input_ids"].shape)), with_kwargs=True
    )
    return seen


def of_kind(kind: str) -> Any:
    return loaded(kind).model if kind == "gpt2" else tiny_families.build(kind).eval()


@pytest.mark.parametrize("kind", shared_prompts.TRIED)
@pytest.mark.parametrize(("prompts", "answers"), [(1, 6), (8, 1), (4, 3)])
def test_scores_in_shared_rows_are_those_of_single_texts(kind: str, prompts: int, answers: int) -> None:
    model = of_kind(kind)
    assert model.config.model_type == kind
    texts = texts_that_begin_alike(prompts, answers)
    alone = score_texts(model, on_sequences(chunked_loss), texts)
    shared = score_texts(model, on_sequences(chunked_loss), texts, micro_batch_tokens=MOST, shared=True)
    assert shared.tokens == alone.tokens
    assert shared.loss == pytest.approx(alone.loss, rel=1e-5)
    assert shared.token_accuracy == alone.token_accuracy


@pytest.mark.parametrize("kind", shared_prompts.TRIED)
def test_a_pair_is_computed_in_one_row_also_where_rounding_hides_that_it_can_be(kind: str) -> None:
    model = of_kind(kind)
    row = TokenSequence((5, 6, 7, 8, 9, 10, 11), (False, False, *(True,) * 5), (4,))
    assert pairs_fit(model, [row])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert can_pair(model, row.tokens)


def test_a_pair_is_computed_apart_behind_virtual_tokens() -> None:
    model = apply_method(loaded(), WeightsPart(method="prompt", virtual_tokens=3)).eval()
    assert not can_pair(model, (5, 6, 7))


def test_a_shared_prompt_is_computed_once() -> None:
    model = loaded().model
    texts = texts_that_begin_alike(1, 6, template=200)
    seen = passes(model)
    score_texts(model, on_sequences(chunked_loss), texts, micro_batch_tokens=MOST, shared=True)
    assert sum(rows * width for rows, width in seen) < 200 + 12 + 6 * 9 + 1
    told: list[float] = []
    score_texts(model, on_sequences(chunked_loss), texts, micro_batch_tokens=MOST, shared=True, advance=told.append)
    assert sum(told) == len(texts)


def test_rows_hold_every_text_and_stay_within_a_micro_batch() -> None:
    texts = [*texts_that_begin_alike(9, 2), *sequences(5), *texts_that_begin_alike(1, 3, template=300, seed=1)]
    rows = join_texts(texts, 128)
    assert sum(row.count for row in rows) == len(texts)
    assert sum(sum(row.trained[1:]) for row in rows) == sum(sum(text.trained[1:]) for text in texts)
    assert all(row.length <= 128 or row.count == 1 for row in rows)
    assert all(len(row.trained) == row.length for row in rows)
    assert max(row.count for row in rows) > 1


def test_texts_of_two_long_prompts_are_not_joined_at_their_template() -> None:
    first = texts_that_begin_alike(1, 3, template=100, seed=1)
    second = texts_that_begin_alike(1, 3, template=100, seed=2)
    same = [TokenSequence((7, *text.tokens), (False, *text.trained)) for text in (*first, *second)]
    assert sorted(row.count for row in join_texts(same, MOST)) == [3, 3]


def test_only_texts_that_save_something_are_shared() -> None:
    model = loaded().model
    assert can_share(model, PLAIN, texts_that_begin_alike(4, 1), MOST)
    assert not can_share(model, PLAIN, sequences(1), MOST)
    assert not can_share(model, PLAIN, [], MOST)
    packed = [TokenSequence(text.tokens, text.trained, (5,)) for text in texts_that_begin_alike(4, 1)]
    assert not can_share(model, PLAIN, packed, MOST)


@pytest.mark.parametrize("fits", [True, False])
def test_other_models_are_asked_where_it_saves_much(monkeypatch: pytest.MonkeyPatch, fits: bool) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(shared_prompts, "pairs_fit", lambda model, rows: asked.append(rows) or fits)
    monkeypatch.setattr(shared_prompts, "TRIED", ())
    assert not can_share(loaded().model, PLAIN, texts_that_begin_alike(4, 1), MOST)
    assert not asked
    assert can_share(loaded().model, PLAIN, texts_that_begin_alike(20, 2), MOST) is fits
    assert asked


def test_a_model_that_does_more_to_its_logits_is_asked_text_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_prompts, "TRIED", ())
    model, texts = loaded().model, texts_that_begin_alike(20, 2)
    assert can_share(model, make_loss(model, texts[0].tokens), texts, MOST)
    forward = model.forward

    def sharper(*arguments: Any, **options: Any) -> Any:
        found = forward(*arguments, **options)
        found.logits = found.logits * 3
        return found

    model.forward = sharper
    assert not can_share(model, make_loss(model, texts[0].tokens), texts, MOST)


def test_rows_may_be_longer_than_the_positions_that_a_model_knows() -> None:
    model = loaded("gpt2").model
    texts = [*texts_that_begin_alike(1, 16), *sequences(1)]
    rows = join_texts(texts, MOST)
    assert min(row.length for row in rows) < max(row.length for row in rows)
    assert max(row.length for row in rows) > model.config.n_positions
    alone = score_texts(model, PLAIN, texts)
    with torch.no_grad():
        found = shared_prompts.shared_loss(model, rows)
    assert float(found.total) / found.tokens == pytest.approx(alone.loss, rel=1e-5)


def test_a_model_with_windows_is_asked_text_by_text() -> None:
    assert not can_share(loaded("gemma3").model, PLAIN, texts_that_begin_alike(20, 2), MOST)


def test_virtual_tokens_are_asked_with() -> None:
    model = apply_method(loaded(), WeightsPart(method="prompt", virtual_tokens=3)).eval()
    assert not can_share(model, PLAIN, texts_that_begin_alike(20, 2), MOST)


def test_common_beginnings_are_counted() -> None:
    assert common_length((1, 2, 3), (1, 2, 4, 5)) == 2
    assert common_length((1, 2), (1, 2, 3)) == 2
    assert common_length((), (1,)) == 0
