"""A benchmark in a whole core: imported, run on the starter model without a template, shown on the leaderboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_hub import FakeHub, serving
from workbench import calls
from workbench.api import events
from workbench.api.protocol import Call, drain, follow, result_type
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.recipes import DecodingPart, ModelPart, Recipe
from workbench.subjects.evaluation.benchmarks import find_benchmark

ROWS = [
    {"subject": "", "question": f"What is {n} and {n}?", "choices": [str(n), str(2 * n), "0", "99"], "answer": 1}
    for n in range(2, 6)
]


@pytest.fixture
def core(tmp_path: Path, smollm_file: Path) -> Iterator[Workbench]:
    core = Workbench(Home(tmp_path / "home"))
    core.start()
    ask(core, calls.ImportModel(path=str(smollm_file), name="Small"))
    yield core
    core.close()


def ask(core: Workbench, call: Call[Any]) -> Any:
    return drain(follow(result_type(type(call)), core.handle(call)))


def run(core: Workbench, **options: Any) -> events.Event:
    record = ask(core, calls.RunBenchmark(models=("Small",), **options))
    *_, last = core.handle(calls.FollowRun(run=record.id))
    return last


def test_a_folder_is_recognised_and_asked_from_its_test_split(core: Workbench, tmp_path: Path) -> None:
    folder = tmp_path / "sums"
    folder.mkdir()
    for split, rows in (("test", ROWS), ("dev", ROWS[:2]), ("train", ROWS * 3)):
        (folder / f"{split}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    found = ask(core, calls.InspectBenchmark(path=str(folder)))
    assert (found.benchmark, found.questions, found.examples, found.usual) == ("mmlu", 4, 2, 5)
    made = ask(core, calls.CreateQuestionSet(source="benchmark", benchmark="mmlu", path=str(folder), shots=2))
    (first, *_) = ask(core, calls.ListQuestions(question_set=made.id)).questions
    assert first.question.prompt.count("Answer:") == 3


def test_wrong_data_are_refused_by_file_row_and_columns(core: Workbench, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"title": "a", "body": "b"}\n')
    with pytest.raises(UserError, match=r"wrong\.jsonl, line 1: it is no row of MMLU.*Its columns are title, body"):
        ask(core, calls.InspectBenchmark(path=str(wrong)))
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text("".join(f"{json.dumps(row)}\n" for row in (ROWS[0], {"question": "?"}, ROWS[1])))
    found = ask(core, calls.InspectBenchmark(path=str(mixed)))
    assert (found.questions, found.examples) == (2, 0)
    assert "mixed.jsonl, line 2" in found.refused[0]
    numbers = tmp_path / "numbers.jsonl"
    numbers.write_text('{"question": "1 and 1?", "answer": "#### 2"}\n')
    with pytest.raises(UserError, match="holds no rows of MMLU"):
        ask(core, calls.InspectBenchmark(path=str(mixed), examples=str(numbers)))


def test_data_come_from_the_hub_only_when_it_is_allowed(core: Workbench, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def parquet(rows: list[dict[str, Any]]) -> bytes:
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        return bytes(sink.getvalue())

    hub = FakeHub()
    with serving(hub):
        hub.add_data_set(
            "cais/mmlu",
            {
                "all/test-00000-of-00001.parquet": parquet(ROWS),
                "all/dev-00000-of-00001.parquet": parquet(ROWS[:2]),
                "all/auxiliary_train-00000-of-00001.parquet": b"large",
                "virology/test-00000-of-00001.parquet": b"another",
            },
        )
        ask(core, calls.ChangeSettings(values={"network": {"hub_address": "https://hub.example"}}))
        with pytest.raises(UserError):
            ask(core, calls.FetchBenchmark(benchmark="mmlu"))
        assert not hub.asked
        ask(core, calls.ChangeSettings(values={"network": {"hub_address": hub.url}}))
        found = ask(core, calls.FetchBenchmark(benchmark="mmlu"))
        assert (found.questions, found.examples) == (4, 2)
        assert hub.commit[:12] in found.path
        with pytest.raises(UserError, match="could not be looked up"):
            ask(core, calls.FetchBenchmark(benchmark="gsm8k"))


def test_a_benchmark_is_run_and_shown_on_the_leaderboard(core: Workbench, tmp_path: Path) -> None:
    data = tmp_path / "sums.jsonl"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    made = ask(
        core,
        calls.CreateQuestionSet(source="benchmark", benchmark="mmlu", path=str(data), examples=str(data), shots=2),
    )
    assert (made.name, made.benchmark.shots) == ("MMLU sums", 2)
    assert isinstance(run(core, question_set=made.id), events.Finished)
    assert isinstance(run(core, question_set=made.id, limit=2), events.Finished)
    board = ask(core, calls.GetLeaderboard())
    assert [(one.metric, one.questions) for one in board.columns] == [("acc", "2 drawn with 0"), ("acc", "all")]
    (row,) = board.rows
    assert (row.model, row.quantization) == ("Small", "Q4_1")
    assert [cell.score.n for cell in row.cells] == [2, 4]
    other = Recipe(model=ModelPart(name="Small"), decoding=DecodingPart(temperature=0.0, max_tokens=1))
    scorers = find_benchmark("mmlu").scorers
    record = ask(core, calls.Evaluate(question_set=made.id, recipes=(other,), scorers=scorers))
    assert isinstance([*core.handle(calls.FollowRun(run=record.id))][-1], events.Finished)
    assert ask(core, calls.GetLeaderboard()) == board, "a recipe of one's own is another setting"
    prompt = ask(core, calls.ListQuestions(question_set=made.id)).questions[0].question.prompt
    assert prompt.startswith("What is 2 and 2?\nA. 2\nB. 4\nC. 0\nD. 99\nAnswer: B\n\nWhat is 3 and 3?")


def test_another_set_is_no_benchmark(core: Workbench, tmp_path: Path) -> None:
    data = tmp_path / "own.jsonl"
    data.write_text('{"question": "Why?", "answer": "Because."}\n')
    made = ask(core, calls.CreateQuestionSet(path=str(data)))
    with pytest.raises(UserError, match="is no benchmark"):
        ask(core, calls.RunBenchmark(question_set=made.id, models=("Small",)))
    assert ask(core, calls.GetLeaderboard()).rows == ()


def test_ifeval_is_asked_in_a_chat_and_scored_by_its_instructions(core: Workbench, tmp_path: Path) -> None:
    names = ["punctuation:no_comma", "length_constraints:number_words"]
    rows = [
        {
            "prompt": f"Say {word}.",
            "instruction_id_list": names[:n],
            "kwargs": [{}, {"num_words": 900, "relation": "at least"}][:n],
        }
        for n, word in ((1, "hello"), (2, "goodbye"))
    ]
    data = tmp_path / "instructions.jsonl"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    made = ask(core, calls.CreateQuestionSet(source="benchmark", benchmark="ifeval", path=str(data)))
    assert (made.name, made.questions, made.benchmark.shots) == ("IFEval instructions", 2, 0)
    assert isinstance(run(core, question_set=made.id), events.Finished)
    (evaluation,) = ask(core, calls.ListEvaluations()).evaluations
    cells = [ask(core, calls.GetCell(evaluation=evaluation.id, number=n, column=0)) for n in (1, 2)]
    commas = ["," in cell.answer.text for cell in cells]
    long = len(cells[1].answer.text.split()) >= 900  # without a penalty it may repeat itself
    assert all(cell.answer.text.strip() for cell in cells)
    board = ask(core, calls.GetLeaderboard())
    (row,) = board.rows
    values = {column.metric: cell.score.value for column, cell in zip(board.columns, row.cells, strict=True)}
    assert values["prompt_level_strict_acc"] == pytest.approx(((not commas[0]) + (not commas[1] and long)) / 2)
    # of three instructions, not the mean over the two questions
    assert values["inst_level_strict_acc"] == pytest.approx((2 - sum(commas) + long) / 3)
    assert set(values) >= {"prompt_level_loose_acc", "inst_level_loose_acc"}
