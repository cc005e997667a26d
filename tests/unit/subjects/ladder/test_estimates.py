"""Estimates of rungs: before the start from speeds, while a ladder runs from what was measured."""

from __future__ import annotations

import msgspec
import pytest

from workbench.records.endpoints import Endpoint
from workbench.records.ladder import RungEstimate, RungNote
from workbench.subjects.ladder.estimates import Point, Speed, answering, combined, measured_speed, renewed
from workbench.subjects.ladder.rungs import rung_named

SPEED = Speed(read_s=0.001, written_s=0.01, answer_s=0.0)
PLANNED = RungEstimate(preparing_s=100.0, racing_s=24.0, answering_s=90.0)


def test_answers_that_were_measured_count_more_than_the_speed() -> None:
    rung = rung_named("beam")
    assumed = answering(rung, SPEED, 100, 10, 90, raced=24)
    assert assumed.answering_s == pytest.approx(90 * (0.1 + 0.1 * rung.written))
    assert assumed.racing_s == pytest.approx(assumed.answering_s * 24 / 90)
    assert not assumed.measured
    known = answering(rung, SPEED, 100, 10, 90, Point(120, 8, 0.5, 8), 24)
    assert (known.answering_s, known.racing_s, known.tokens) == (45.0, 12.0, 114 * 128)
    assert known.measured


def test_an_endpoint_with_prices_has_its_price() -> None:
    endpoint = Endpoint(address="https://models.example/v1", model="m", price_in=2.0, price_out=10.0)
    found = answering(rung_named("greedy"), SPEED, 100, 10, 90, Point(100, 20, 0.5, 8), 10, endpoint)
    assert found.price == pytest.approx(100 * (100 * 2.0 + 20 * 10.0) / 1e6)
    assert answering(rung_named("greedy"), SPEED, 100, 10, 90).price == 0.0


def test_reading_and_writing_are_told_apart_by_points() -> None:
    truth = Speed(read_s=0.004, written_s=0.01, answer_s=0.0)
    points = [Point(r, w, truth.seconds(r, w), 8) for r, w in ((40, 60), (400, 2), (100, 20), (300, 10))]
    found = measured_speed(points, SPEED)
    assert found.seconds(500, 3) == pytest.approx(truth.seconds(500, 3), rel=0.35)
    assert found.seconds(30, 100) == pytest.approx(truth.seconds(30, 100), rel=0.35)


def test_tokens_that_were_computed_before_take_no_time() -> None:
    truth = Speed(read_s=0.004, written_s=0.01, answer_s=0.0)
    points = [Point(r, w, truth.seconds(r - c, w), 8, c) for r, w, c in ((40, 60, 30), (400, 2, 300), (300, 10, 0))]
    found = measured_speed(points, SPEED)
    assert found.seconds(300, 3) == pytest.approx(truth.seconds(300, 3), rel=0.35)
    plain, warm = (answering(rung_named("greedy"), truth, 100, 10, 90, cached=cached) for cached in (0, 40))
    assert warm.answering_s == pytest.approx(plain.answering_s - 90 * 40 * 0.004)
    assert warm.tokens == plain.tokens


def test_estimates_follow_what_a_running_ladder_has_measured() -> None:
    notes = {
        "as-it-is": RungNote(name="as-it-is", state="measured", answering_s=180.0, estimate=PLANNED),
        "raced": RungNote(name="raced", raced=12, racing_s=6.0, estimate=PLANNED),
        "waiting": RungNote(name="waiting", estimate=PLANNED),
        "lora": RungNote(
            name="lora", state="measured", adapter="a", preparing_s=150.0, answering_s=180.0, estimate=PLANNED
        ),
        "layers": RungNote(name="layers", estimate=PLANNED),
    }
    found = renewed(notes, 90)
    assert found["waiting"].answering_s == pytest.approx(180.0)  # answers take twice as long as estimated
    assert found["raced"].answering_s == pytest.approx(45.0)  # by its own answers
    assert found["layers"].preparing_s == pytest.approx(150.0)  # trainings take 1.5 times as long
    assert renewed({"waiting": notes["waiting"]}, 90)["waiting"] == PLANNED


def test_a_combination_takes_as_many_times_as_long_as_each_technique() -> None:
    plain = RungEstimate(answering_s=30.0, racing_s=10.0, tokens=4_000, measured=True)
    similar = msgspec.structs.replace(plain, answering_s=120.0, tokens=32_000)
    fixed = msgspec.structs.replace(plain, answering_s=60.0, tokens=8_000)
    beam = msgspec.structs.replace(plain, answering_s=120.0)
    lora = msgspec.structs.replace(plain, answering_s=7.5, preparing_s=300.0, tokens=60_000, memory_bytes=7)
    found = combined(plain, [[similar, fixed], [beam], [lora]])
    # of nothing and the rungs of a technique: 2 times, 2 times, half
    assert found.answering_s == pytest.approx(30 * (1 * 4 * 2) ** (1 / 3) * 2 / 2)
    assert found.tokens == round(0.75 * 4_000 * (1 * 8 * 2) ** (1 / 3))  # of the held-out questions alone
    assert (found.preparing_s, found.racing_s, found.memory_bytes) == (0.0, 0.0, 7)
    assert combined(plain, []).answering_s == pytest.approx(30.0)
    assert combined(RungEstimate(), [[lora]]).answering_s == 0.0
