"""Pairs that people have judged, from files of RAGTruth's and LLM-AggreFact's form; the run that verifies them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.local_front import LocalFront
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.exam import Rate
from workbench.records.verified_pairs import Share, VerificationResult, VerifiedSet, mean_of, share_of, table_of
from workbench.subjects.evaluation.calls import GetLeaderboard, InspectBenchmark, MeasureVerification
from workbench.subjects.evaluation.verification_data import Pair, read_pairs, recognise_pairs
from workbench.subjects.evaluation.verification_run import marks
from workbench.subjects.runs.calls import FollowRun

DOCUMENT = "The mill was built in 1842 by Jonas Reed. It has three floors. The wheel was replaced in 1911."
CLAIMS = (
    ("AggreFact-CNN", "The mill was built in 1842.", 1),
    ("AggreFact-CNN", "The mill was built in 1911 by Anna Lind.", 0),
    ("Wice", "The mill has three floors.", 1),
    ("Wice", "The restaurant serves fish on Fridays.", 0),
    ("Wice", "The wheel was replaced in 1950.", 0),
)
ROWS = [
    {"dataset": name, "doc": DOCUMENT, "claim": claim, "label": label, "contamination_identifier": "x"}
    for name, claim, label in CLAIMS
]


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def ragtruth(folder: Path) -> Path:
    folder.mkdir()
    span = {"start": 0, "end": 9, "text": "x", "label_type": "Evident Conflict", "meta": ""}
    sources = [
        {"source_id": "1", "task_type": "Summary", "source": "CNN/DM", "source_info": DOCUMENT, "prompt": "…"},
        {
            "source_id": "2", "task_type": "QA", "source": "MARCO", "prompt": "…",
            "source_info": {"question": "when was the mill built", "passages": f"passage 1:{DOCUMENT}\n\n"},
        },
        {
            "source_id": "3", "task_type": "Data2txt", "source": "Yelp", "prompt": "…",
            "source_info": {"name": "Mill Café", "hours": {"Monday": "9:0-17:0"}, "attributes": {"WiFi": None}},
        },
    ]  # fmt: skip
    responses = [
        {"source_id": "1", "response": "The mill has three floors.", "labels": []},
        {"source_id": "1", "response": "The mill has seven floors.", "labels": [span]},
        {"source_id": "2", "response": "The mill was built in 1842.", "labels": []},
        {"source_id": "3", "response": "Mill Café opens on Monday.", "labels": []},
        {"source_id": "1", "response": "The mill", "labels": [], "quality": "truncated"},
        {"source_id": "1", "response": "It was built in 1842.", "labels": [], "split": "train"},
        {"source_id": "9", "response": "Of no source.", "labels": []},
    ]
    whole = [{"id": str(n), "split": "test", "quality": "good", **one} for n, one in enumerate(responses)]
    lines(folder / "source_info.jsonl", sources)
    lines(folder / "response.jsonl", whole)
    return folder


def test_ragtruth_is_read_from_its_two_files(tmp_path: Path) -> None:
    folder, refused = ragtruth(tmp_path / "RAGTruth"), list[str]()
    pairs = list(read_pairs(folder, refused))
    assert [(one.dataset, one.supported) for one in pairs] == [
        ("Summary", True), ("Summary", False), ("QA", True), ("Data2txt", True),
    ]  # fmt: skip
    assert pairs[2].question == "when was the mill built"
    assert pairs[3].document == "name: Mill Café\nhours Monday: 9:0-17:0"
    assert len(refused) == 1
    assert "no source '9'" in refused[0]
    assert list(read_pairs(folder / "response.jsonl", [])) == pairs
    (folder / "source_info.jsonl").unlink()
    with pytest.raises(UserError, match=r"no source_info\.jsonl"):
        recognise_pairs(folder)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_aggrefact_is_read_from_rows(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"test.{form}"
    if form == "jsonl":
        lines(path, ROWS)
    elif form == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(ROWS[0]))
            writer.writeheader()
            writer.writerows(ROWS)
    else:
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    assert recognise_pairs(path) == "aggrefact"
    found = list(read_pairs(path, []))
    assert [(one.dataset, one.text, int(one.supported)) for one in found] == list(CLAIMS)
    assert {one.document for one in found} == {DOCUMENT}


def test_rows_that_are_no_pairs_are_told(tmp_path: Path) -> None:
    refused: list[str] = []
    path = lines(tmp_path / "rows.jsonl", [ROWS[0], {**ROWS[1], "label": 2}, {**ROWS[2], "claim": " "}])
    assert len(list(read_pairs(path, refused))) == 1
    assert "not 0 or 1" in refused[0]
    assert "'claim' is empty" in refused[1]
    with pytest.raises(UserError, match="no pairs of a document and a text"):
        read_pairs(lines(tmp_path / "others.jsonl", [{"question": "?", "answer": "x"}]), [])


def test_a_text_is_marked_where_its_document_does_not_support_it() -> None:
    said = [(bool(label), marks(Pair(name, DOCUMENT, claim, bool(label)))) for name, claim, label in CLAIMS]
    assert said == [(True, False), (False, True), (True, False), (False, True), (False, True)]


def test_rates_of_a_data_set() -> None:
    one = VerifiedSet(name="x", supported=Rate(80, 100), unsupported=Rate(30, 50))
    assert (one.pairs, one.recall, one.precision) == (150, Rate(30, 50), Rate(30, 50))
    balanced = one.balanced_accuracy
    assert balanced is not None
    assert balanced.value == pytest.approx(0.7)
    # statsmodels: Wilson's intervals are (0.7111, 0.8666) and (0.4618, 0.7239), put together by MOVER
    assert (balanced.low, balanced.high) == pytest.approx((0.6179, 0.7703), abs=2e-4)
    assert VerifiedSet(name="y", supported=Rate(1, 1), unsupported=Rate()).balanced_accuracy is None
    assert mean_of([Share(0.5, 0.4, 0.6), Share(0.7, 0.6, 0.8)]) == pytest.approx(
        Share(0.6, 0.6 - 0.02**0.5 / 2, 0.6 + 0.02**0.5 / 2)
    )
    assert share_of(Rate(1, 2)).value == 0.5


@pytest.fixture
def core(tmp_path: Path) -> Iterator[LocalFront]:
    workbench = Workbench(Home(tmp_path / "home"))
    workbench.start()
    yield LocalFront(workbench)
    workbench.close()


def test_the_verification_is_measured_by_a_run_and_shown_beside_benchmarks(core: LocalFront, tmp_path: Path) -> None:
    path = lines(tmp_path / "aggrefact.jsonl", [*ROWS, {**ROWS[0], "label": None}])
    data = core.call(InspectBenchmark(path=str(path)))
    assert (data.benchmark, data.questions, data.subjects, data.pairs) == ("aggrefact", 5, 2, True)
    assert len(data.refused) == 1
    run = core.call(MeasureVerification(path=str(path)))
    result = msgspec.convert(core.call(FollowRun(run=run.id)), VerificationResult)
    assert (result.title, result.pairs, result.of_all, result.left_out) == ("LLM-AggreFact", 5, 5, 1)
    assert result.sets == (
        VerifiedSet(name="AggreFact-CNN", supported=Rate(1, 1), unsupported=Rate(1, 1)),
        VerifiedSet(name="Wice", supported=Rate(1, 1), unsupported=Rate(2, 2)),
    )
    assert table_of(result)[-1][:2] == ("Mean", "5")
    assert core.call(GetLeaderboard()).verification == (result,)
    drawn = core.call(MeasureVerification(path=str(path), limit=2, seed=3))
    assert core.call(FollowRun(run=drawn.id))["pairs"] == 2
    assert [one.pairs for one in core.call(GetLeaderboard()).verification] == [2, 5]


def test_what_holds_no_pairs_is_refused_before_a_run(core: LocalFront, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No file"):
        core.call(MeasureVerification(path=""))
    with pytest.raises(UserError, match="no pairs"):
        core.call(MeasureVerification(path=str(lines(tmp_path / "a.jsonl", [{"question": "?"}]))))
