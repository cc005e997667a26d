"""Prompts that arrive together compute what they share once, and their logits are those of a cold run."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.probing import TEXT, Probe, assert_like_cold, divergence, probe, tokens_of
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.engine import slots
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.loading import Model
from workbench.engine.loop import Engine
from workbench.engine.scoring import Scoring
from workbench.engine.slots import Slot, Slots, shared_length

SHARED, OWN, MANY = 500, 20, 6


def prompts_of(engine: Engine, shared: int = SHARED, own: int = OWN, many: int = MANY) -> list[list[int]]:
    """Prompts whose first ``shared`` tokens are the same and whose next one differs."""
    beginning = tokens_of(engine, TEXT * 16)[:shared]
    ends = [tokens_of(engine, f"{number} boats " + TEXT)[-own:] for number in range(many)]
    for number, end in enumerate(ends):
        end[0] = tokens_of(engine, " abcdefgh"[number + 1])[-1]
    return [beginning + end for end in ends]


def together(engine: Engine, prompts: Sequence[list[int]]) -> list[Probe]:
    engine.forget()
    jobs = [Probe(tokens) for tokens in prompts]
    engine.submit_all(jobs)
    for job in jobs:
        list(job.events())
    return jobs


def computed(jobs: Sequence[Job]) -> int:
    return sum(len(job.prompt) - job.cached for job in jobs)


def test_what_is_shared_is_computed_once(smollm: Engine) -> None:
    jobs = together(smollm, prompts_of(smollm))
    assert computed(jobs) <= 1.1 * (SHARED + MANY * OWN)
    for job in (jobs[0], jobs[-1]):
        assert_like_cold(smollm, job, job.prompt)


def test_sliding_windows_share_as_well(gemma: Engine) -> None:
    """Beyond the window of 512 tokens. How a prompt is cut into batches changes more here: cold runs are cut alike."""
    prompts = prompts_of(gemma, shared=600, many=3)
    jobs = together(gemma, prompts)
    assert [job.cached for job in jobs] == [0, 600, 600]
    for job in (jobs[0], jobs[-1]):
        gemma.forget()
        probe(gemma, job.prompt[:600])
        cold = probe(gemma, job.prompt)
        assert cold.logits is not None
        assert job.logits is not None
        assert divergence(cold.logits, job.logits) < 0.001


def test_equal_prompts_compute_but_their_last_token(smollm: Engine) -> None:
    prompt = prompts_of(smollm, shared=100, many=1)[0]
    jobs = together(smollm, [prompt] * 4)
    assert [job.cached for job in jobs] == [0] + [len(prompt) - 1] * 3
    assert_like_cold(smollm, jobs[-1], prompt)


def test_what_some_share_more_is_computed_once_as_well(smollm: Engine) -> None:
    first, second = (tokens + tokens_of(smollm, TEXT)[:40] for tokens in prompts_of(smollm, shared=100, many=2))
    jobs = together(smollm, [[*first, 70], [*second, 80], [*first, 90], [*second, 99]])
    assert [job.cached for job in jobs] == [0, 100, len(first), len(second)]
    for job in jobs[1:]:
        assert_like_cold(smollm, job, job.prompt)


def test_a_short_beginning_is_computed_once_where_many_share_it(smollm: Engine) -> None:
    assert [job.cached for job in together(smollm, prompts_of(smollm, shared=20, many=2))] == [0, 0]
    jobs = together(smollm, prompts_of(smollm, shared=20, many=5))
    assert [job.cached for job in jobs] == [0] + [20] * 4
    assert_like_cold(smollm, jobs[-1], jobs[-1].prompt)


def test_prompts_with_nothing_in_common_do_not_wait(smollm: Engine) -> None:
    smollm.forget()
    one, other = tokens_of(smollm, TEXT * 8), tokens_of(smollm, "Something else. " + TEXT * 8)
    jobs = together(smollm, [one, other])
    assert [job.cached for job in jobs] == [0, 0]


def test_a_job_whose_beginning_is_cancelled_goes_on_alone(smollm: Engine) -> None:
    smollm.forget()
    context = RequestContext()
    first, second = (Probe(tokens) for tokens in prompts_of(smollm, many=2))
    first._context = context
    smollm.submit_all([first, second])
    context.cancel()
    assert isinstance([*first.events()][-1], events.Cancelled)
    list(second.events())
    assert_like_cold(smollm, second, second.prompt)


def test_scores_share_their_prompts_too(smollm: Engine) -> None:
    def run(jobs: Sequence[Scoring]) -> list[list[float]]:
        smollm.submit_all(jobs)
        ends = [[*job.events()][-1] for job in jobs]
        return [[one["logprob"] for one in end.result["values"]] for end in ends if isinstance(end, events.Finished)]

    prompts = prompts_of(smollm, shared=200, many=3)
    continuations = [tokens_of(smollm, text) for text in (" The baker", " In")]
    smollm.forget()
    jobs = [Scoring(prompt, continuations, RequestContext(), together=2) for prompt in prompts]
    scores = run(jobs)
    assert computed(jobs) == 200 + 3 * OWN
    for prompt, found in zip(prompts, scores, strict=True):
        smollm.forget()
        probe(smollm, prompt[:200])  # cut into the same batches
        (cold,) = run([Scoring(prompt, continuations, RequestContext(), together=2)])
        assert found == pytest.approx(cold, abs=0.02)


def test_memory_that_cannot_be_shared_is_restored_where_the_prompts_part(
    load_now: Callable[..., Model], smollm_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_now(smollm_path, 1024, sequences=1)
    # as a recurrent model's: one sequence, of which nothing can be taken back
    model.rewindable = False
    monkeypatch.setattr(slots.llama, "llama_memory_seq_pos_min", slots.llama.llama_memory_seq_pos_max)
    single = Engine(model)
    try:
        jobs = together(single, prompts_of(single, shared=200, many=3))
        assert [job.cached for job in jobs] == [0, 200, 200]
        for job in jobs:
            assert_like_cold(single, job, job.prompt)
    finally:
        single.close()


def test_short_windows_are_restored_where_the_prompts_part(narrow: Engine) -> None:
    jobs = together(narrow, prompts_of(narrow, shared=600, many=3))
    assert [job.cached for job in jobs] == [0, 600, 600]
    narrow.forget()
    probe(narrow, jobs[-1].prompt[:600])
    cold = probe(narrow, jobs[-1].prompt)
    assert cold.logits is not None
    assert jobs[-1].logits is not None
    assert divergence(cold.logits, jobs[-1].logits) < 0.001


def test_shared_cells_count_once(small: Engine) -> None:
    """Four prompts of 420 tokens in a context of 512 are computed side by side."""
    seen: list[int] = []

    class Counting(Probe):
        def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
            seen.append(sum(not job.done for job in small._decode_contexts[0].jobs))
            super().take(branch, context, row, logits)

    small.forget()
    jobs = [Counting(tokens) for tokens in prompts_of(small, shared=400, many=4)]
    small.submit_all(jobs)
    for job in jobs:
        list(job.events())
    assert [job.cached for job in jobs] == [0, 400, 400, 400]
    assert max(seen) == 4
    assert_like_cold(small, jobs[2], jobs[2].prompt)


def test_loans_add_up_to_the_cells_in_use() -> None:
    """Whatever is lent and ends, no fewer cells are counted than the jobs' sequences take together."""
    rng = random.Random(7)
    memory = object.__new__(Slots)
    for _ in range(200):
        active: list[Job] = []
        cells: dict[int, list[object]] = {}  # of each job
        for _ in range(12):
            memory._slots = [Slot(0, job=job) for job in active]
            if active and rng.random() < 0.35:
                memory.settle_loans(gone := active.pop(rng.randrange(len(active))))
                del cells[id(gone)]
            else:
                new = Probe([rng.randrange(2) for _ in range(8)])
                lender = max(active, key=lambda other: shared_length(other.prompt, new.prompt), default=None)
                if lender is not None:
                    new.lender, new.borrowed = lender, shared_length(lender.prompt, new.prompt)
                shared = cells[id(lender)][: new.borrowed] if lender is not None else []
                cells[id(new)] = [*shared, *(object() for _ in range(8 - new.borrowed))]
                active.append(new)
            in_use = {id(cell) for held in cells.values() for cell in held}
            assert sum(8 - job.borrowed for job in active) == len(in_use)
            assert all(job.lender is None or job.lender in active for job in active)
