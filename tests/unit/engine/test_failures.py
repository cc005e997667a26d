"""What one request meets does not become another's: faults, cancels, the end of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.probing import UnableToGoBack, result_of
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine import slots
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.loading import Model
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.answer_job import GenerationRequest
from workbench.techniques.decoding.generation import Generation

TEXT = "The harbour of the old town lies below the castle. Every morning the boats come in with herring. "


class Going(Job):
    """Goes on with the given tokens, one a step, and notes in which row of a batch the logits of each came."""

    def __init__(self, prompt: Sequence[int], rest: Sequence[Sequence[int]], context: RequestContext | None = None):
        room = len(prompt) + sum(len(tokens) for tokens in rest)
        super().__init__(prompt, len(prompt) - 1, room, context or RequestContext())
        self._rest = [list(tokens) for tokens in rest]
        self.rows: list[int] = []

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        self.rows.append(row)
        if not branch.missing and len(self.rows) == 1:
            self.settle()

    def settle(self) -> None:
        if not self._rest:
            self._end(events.Finished())
        else:
            self.branches[0].tokens += self._rest.pop(0)

    def cancel(self) -> None:
        self._end(events.Cancelled())


class Breaking(Going):
    """Has a fault when a token's logits come for the third time."""

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        super().take(branch, context, row, logits)
        if len(self.rows) == 3:
            raise ZeroDivisionError("a bug in a job")


class BreakingBetween(Going):
    def settle(self) -> None:
        if len(self.rows) == 3:
            raise ZeroDivisionError("a bug in a job")
        super().settle()


class SoonCancelled(RequestContext):
    """Cancelled when it was asked so often: in the middle of a computation, which asks often."""

    def __init__(self, asked: int) -> None:
        super().__init__()
        self._left_to_ask = asked

    @property
    def cancelled(self) -> bool:
        self._left_to_ask -= 1
        return self._left_to_ask < 0


def tokens_of(engine: Engine, text: str) -> list[int]:
    return engine.model.vocabulary.tokenize(text, special=False)


def generation(engine: Engine, text: str, max_tokens: int = 8) -> Generation:
    model = engine.model
    decoding = DecodingPart(max_tokens=max_tokens, repetition_penalty=1.0)
    prompt = Prompt(tokens_of(engine, text))
    where = model.vocabulary, model.context_tokens, RequestContext()
    return Generation(GenerationRequest(prompt, decoding, *where, started=0.0))


@pytest.mark.parametrize("kind", [Breaking, BreakingBetween])
def test_a_fault_in_one_job_leaves_those_beside_it_alone(smollm: Engine, kind: type[Going]) -> None:
    counting = "One, two, three, four,"  # what follows is sure: batches change the last bits
    alone = result_of(smollm.submit(generation(smollm, counting))).text
    smollm.forget()
    prompt = tokens_of(smollm, TEXT)
    beside = generation(smollm, counting)

    def submit_both() -> Job:
        smollm.submit(beside)
        return smollm.submit(kind(prompt, [[token] for token in prompt]))

    broken = smollm.ask(submit_both)
    with pytest.raises(ZeroDivisionError):
        list(broken.events())
    assert result_of(beside).text == alone
    again = Going([*prompt, 1], [])
    list(smollm.submit(again).events())
    assert again.cached == 0  # of what the broken one left nothing is taken


def test_a_fault_in_a_job_that_is_alone_leaves_what_lies_idle(smollm: Engine) -> None:
    smollm.forget()
    idle = tokens_of(smollm, "One, two, three, four, five, six,")
    assert len(idle) <= smollm.model.parked_cells
    list(smollm.submit(Going(idle, [])).events())
    with pytest.raises(ZeroDivisionError):
        list(smollm.submit(Breaking(tokens_of(smollm, "A lighthouse"), [[7], [8], [9], [10]])).events())
    again = Going([*idle, 1], [])
    list(smollm.submit(again).events())
    assert again.cached == len(idle)


def test_a_job_without_a_token_fails_and_the_next_one_is_computed(smollm: Engine) -> None:
    with pytest.raises(UserError, match="no tokens"):
        list(smollm.submit(Going([], [[5]])).events())
    assert result_of(smollm.submit(generation(smollm, TEXT, 2))).usage.new_tokens == 2


def test_a_model_that_cannot_go_back_goes_on_after_another_s_cancel(
    smollm_path: Path, load_now: Callable[..., Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all of the layers, so that the other one is still computed when it is cancelled."""
    smollm = Engine(load_now(smollm_path))
    prompt = TEXT * 4
    alone = result_of(smollm.submit(generation(smollm, prompt))).text
    smollm.forget()
    list(smollm.submit(Going(tokens_of(smollm, prompt)[:40], [])).events())
    monkeypatch.setattr(slots, "llama", UnableToGoBack())
    cancelled = Going(tokens_of(smollm, "Another " + prompt), [], SoonCancelled(100))
    beside = generation(smollm, prompt)

    def submit_both() -> None:
        smollm.submit(beside)
        smollm.submit(cancelled)

    smollm.ask(submit_both)
    *_, last = cancelled.events()
    assert isinstance(last, events.Cancelled)
    assert result_of(beside).text == alone
    assert beside.cached > 0
    smollm.close()


def test_a_deterministic_model_computes_a_guess_beside_its_token_everywhere(
    smollm_file: Path, load_now: Callable[..., Model]
) -> None:
    engine = Engine(load_now(smollm_file, 512, deterministic=True))
    try:
        job = Going(list(range(100, 355)), [[5, 6], [7, 8]])
        list(engine.submit(job).events())
        assert job.rows[1:] == [0, 1, 0, 1]
    finally:
        engine.close()


def test_a_closed_engine_says_so(smollm_file: Path, load_now: Callable[..., Model]) -> None:
    engine = Engine(load_now(smollm_file, 512))
    late = generation(engine, TEXT)
    engine.close()
    assert result_of(engine.submit(late)).finish == "cancelled"
    with pytest.raises(RuntimeError, match="closed"):
        engine.ask(lambda: None)


def test_a_fault_while_work_is_taken_in_leaves_the_engine_running(
    smollm_file: Path,
    load_now: Callable[..., Model],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    class Faulty:
        def begin(self) -> None:
            raise OSError("the processor's times cannot be read")

        def now(self) -> int:
            return 1

    engine = Engine(load_now(smollm_file, 512))
    try:
        monkeypatch.setattr(engine, "_thread_count", Faulty())
        assert result_of(engine.submit(generation(engine, TEXT, 4))).usage.new_tokens == 4
    finally:
        engine.close()
    assert "cannot be read" in capfd.readouterr().err
