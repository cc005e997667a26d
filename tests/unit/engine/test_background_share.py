"""How much background work a person's steps hold, on machines where it costs much and little."""

from pathlib import Path

import pytest

from tests.adapters import write_adapter
from tests.unit.engine.probing import TEXT, Probe, generation, tokens_of
from workbench.engine.background_share import LARGEST_EXTRA, MEASURE_EVERY, PERSON_SHARE, BackgroundShare
from workbench.engine.decode_context import MOST_STEPS_BEHIND
from workbench.engine.inference_calls import LoraUse
from workbench.engine.keys import make_key
from workbench.engine.loop import Engine
from workbench.records.recipes import DecodingPart


def spend_steps(share: BackgroundShare, own: float, row: float, steps: int) -> tuple[float, int]:
    """Seconds of a person's steps on a machine where a background token costs ``row``, and the tokens computed."""
    seconds, tokens = 0.0, 0
    for _ in range(steps):
        rows = share.rows(1)
        tokens += rows
        seconds += own + rows * row
        if rows:
            share.beside(1, own + rows * row)
        else:
            share.alone(1, own)
    return seconds, tokens


@pytest.mark.parametrize("row", [0.2, 0.75, 1.0, 3.0])
def test_a_person_has_their_share_of_the_time_whatever_a_background_token_costs(row: float) -> None:
    seconds, tokens = spend_steps(BackgroundShare(), 0.01, 0.01 * row, 400)
    assert PERSON_SHARE - 0.02 <= 0.01 * 400 / seconds <= PERSON_SHARE + 0.05
    assert tokens > 0


def test_more_tokens_are_computed_at_once_where_they_cost_nothing() -> None:
    share = BackgroundShare()
    seconds, tokens = spend_steps(share, 0.01, 0.0, 100)
    assert share.rows(1) > 30
    assert tokens > 1_000
    assert seconds == pytest.approx(1.0)


def test_nothing_is_computed_in_the_background_before_a_step_without_it_has_been_measured() -> None:
    share = BackgroundShare()
    assert share.rows(1) == 0
    share.alone(1, 0.01)
    assert share.rows(1) > 0
    assert share.rows(2) == 0  # a step of two answers is another one


def test_what_a_step_costs_by_itself_is_measured_again() -> None:
    share = BackgroundShare()
    share.alone(1, 0.01)
    for _ in range(MEASURE_EVERY):
        assert share.rows(1)
        share.beside(1, 0.01)
    assert not share.rows(1)
    share.alone(1, 0.02)
    assert share.rows(1)


def test_a_step_that_another_program_interrupted_does_not_stop_the_background() -> None:
    share = BackgroundShare()
    share.alone(1, 0.01)
    share.beside(1, 100.0)
    waited = 0
    while not share.rows(1):
        share.alone(1, 0.01)
        waited += 1
    assert waited <= LARGEST_EXTRA / (1 / PERSON_SHARE - 1) + 1


def test_batches_of_their_own_are_paid_for_as_well() -> None:
    share = BackgroundShare()
    share.alone(1, 0.01)
    assert share.rows(1)
    share.spend(1, 0.02)
    assert not share.rows(1)


def test_texts_of_ever_other_lengths_are_measured_as_few_sizes() -> None:
    share = BackgroundShare()
    share.alone(400, 0.1)
    assert share.rows(399)
    assert share.rows(300)
    assert not share.rows(200)
    share.alone(3_000, 0.2)
    assert share.rows(9_000)
    assert len(share._own) == 1, "a step holds no more than a batch"


def test_work_beside_a_step_that_was_never_measured_costs_nothing() -> None:
    share = BackgroundShare()
    share.beside(1, 5.0)
    share.spend(1, 5.0)
    share.alone(1, 0.01)
    assert share.rows(1)


@pytest.mark.parametrize("apart", [False, True], ids=["in the same context", "in a context of their own"])
def test_background_work_progresses_where_a_person_takes_every_step(
    smollm: Engine, apart: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    adapter = write_adapter(Path(smollm.model.path), tmp_path / "a.gguf")
    monkeypatch.setattr(smollm._share, "rows", lambda people: 0)
    smollm.forget()
    endless = DecodingPart(max_tokens=5 * MOST_STEPS_BEHIND, repetition_penalty=1.0, logit_bias=("#2=-inf",))
    person = smollm.submit(generation(smollm, TEXT, endless))
    next(person.events())
    behind = Probe(tokens_of(smollm, "The heron"), make_key([LoraUse(path=str(adapter))]) if apart else ())
    behind.background = True
    list(smollm.submit(behind).events())
    assert not person.done
    person.cancel()
    assert behind.logits is not None
