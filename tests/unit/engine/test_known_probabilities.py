"""What of a text's probabilities is known from texts that begin alike, and who waits for whom."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from tests.unit.engine.probing import TEXT, tokens_of
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled
from workbench.engine.inference_calls import Inspect
from workbench.engine.jobs import Job
from workbench.engine.known_probabilities import WORTH_WAITING, KnownProbabilities
from workbench.engine.loop import Engine
from workbench.records.messages import ChosenToken
from workbench.workers.inference import InferenceServer


def chosen(tokens: list[int]) -> tuple[ChosenToken, ...]:
    return tuple(ChosenToken(token=one, text=str(one), logprob=-1.0) for one in tokens[1:])


def score(known: KnownProbabilities, tokens: list[int], alternatives: int = 1, key: Any = ()) -> int:
    """Number of known probabilities."""
    with known.scoring(key, alternatives, tokens, RequestContext()) as text:
        text.chosen = chosen(tokens)
        assert text.known == text.chosen[: len(text.known)]
        return len(text.known)


def test_the_common_beginning_is_known_but_never_the_last_token() -> None:
    known = KnownProbabilities()
    assert score(known, [1, 2, 3, 4, 5]) == 0
    assert score(known, [1, 2, 3, 9]) == 2
    assert score(known, [1, 2, 3, 9]) == 2
    assert score(known, [7, 2, 3, 9]) == 0
    assert score(known, [1, 2, 3, 4, 5], alternatives=2) == 0
    assert score(known, [1, 2, 3, 4, 5], key=(("adapter", 1.0),)) == 0


def test_texts_that_were_used_long_ago_are_forgotten() -> None:
    known = KnownProbabilities(most=20)
    score(known, list(range(10)))
    score(known, list(range(100, 110)))
    assert score(known, list(range(100, 110))) == 8
    assert score(known, list(range(10))) == 0


def test_a_text_waits_for_one_that_begins_alike_and_is_being_scored() -> None:
    known = KnownProbabilities()
    begun = list(range(WORTH_WAITING + 10))
    inside, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with known.scoring((), 1, [*begun, 1], RequestContext()) as text:
            inside.set()
            go_on.wait(30)
            text.chosen = chosen([*begun, 1])

    found: list[int] = []
    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert inside.wait(30)
    threads.append(threading.Thread(target=lambda: found.append(score(known, [*begun, 2]))))
    threads[1].start()
    assert score(known, [5, 6, 7]) == 0, "another text does not wait"
    assert not found
    cancelled = RequestContext()
    cancelled.cancel()
    with pytest.raises(Cancelled), known.scoring((), 1, [*begun, 3], cancelled):
        pass
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert found == [len(begun) - 1]


def test_one_that_fails_leaves_nothing_and_is_waited_for_no_longer() -> None:
    known = KnownProbabilities()
    tokens = list(range(50))
    with pytest.raises(RuntimeError), known.scoring((), 1, tokens, RequestContext()):
        raise RuntimeError("the model's process ended")
    assert score(known, tokens) == 0


def test_only_the_rest_of_a_text_is_computed(smollm: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    server = InferenceServer()
    server._engine, server._writer = smollm, cast(Any, object())
    jobs: list[Job] = []
    submit = smollm.submit

    def noted(job: Job) -> Job:
        jobs.append(job)
        return submit(job)

    monkeypatch.setattr(smollm, "submit", noted)
    smollm.forget()
    tokens = tokens_of(smollm, TEXT)

    def inspected(ids: list[int]) -> list[Any]:
        *_, last = server.inspect(
            Inspect(prompt=tuple(ids[:1]), answer=tuple(ids[1:]), alternatives=2), RequestContext()
        )
        assert isinstance(last, events.Finished)
        return cast(list[Any], last.result)

    whole, again = inspected([*tokens, 100, 101]), inspected([*tokens, 100, 102, 103])
    assert [job.logits_from for job in jobs] == [0, len(tokens)]
    assert [one["token"] for one in again] == [*tokens[1:], 100, 102, 103, -1]
    assert again[: len(tokens)] == whole[: len(tokens)]
    server._known = type(server._known)()
    smollm.forget()
    cold = inspected([*tokens, 100, 102, 103])
    assert [one["logprob"] for one in again] == pytest.approx([one["logprob"] for one in cold], abs=0.02)
    server._engine = None
    server.leave()


def test_what_is_known_is_read_before_another_text_can_displace_it() -> None:
    known = KnownProbabilities()
    tokens = list(range(50))
    score(known, tokens)

    class Displacing(threading.Condition):
        def __exit__(self, *of: Any) -> None:
            super().__exit__(*of)
            known._texts.clear()  # by another thread

    known._changed = Displacing()
    assert score(known, tokens) == len(tokens) - 2
    assert known._under_way == []
