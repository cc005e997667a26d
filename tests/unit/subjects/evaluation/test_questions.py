"""Questions from rows of the usual shapes, and the split that stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.base.errors import UserError
from workbench.records.evaluation import ASK_FOR_LETTER, QUESTION, QuestionRow
from workbench.records.messages import Message
from workbench.subjects.evaluation.questions import Columns, draw_splits, questions_of, read_questions
from workbench.training.data.examples import Example, Source

SQUAD_QUESTION = {"id": "7", "question": "How many points?", "answers": [{"text": "308", "answer_start": 4}]}


def written(folder: Path, *rows: dict[str, Any], name: str = "set.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


def only(path: Path, **options: Any) -> QuestionRow:
    [row] = read_questions(path, **options).rows
    return row


@pytest.mark.parametrize(
    ("row", "text", "expected"),
    [
        ({"question": "How many?", "answer": "2 + 2 = <<2+2=4>>4\n#### 1,004"}, "How many?", ("1004",)),
        ({"context": "They gave 308.", **SQUAD_QUESTION}, "They gave 308.\n\nHow many points?", ("308",)),
        ({"question": "Who?", "answers": {"text": ["A", "B", "A"], "answer_start": [0, 1, 2]}}, "Who?", ("A", "B")),
        ({"id": "1", "paragraph": "0", "question": "Who?", "answers": ["Ann"]}, "Who?", ("Ann",)),
        ({"input": "not True is", "target": "False"}, "not True is", ("False",)),
        ({"prompt": "Capital of France?", "expected": "Paris"}, "Capital of France?", ("Paris",)),
        ({"input": [{"role": "user", "content": "Hi?"}], "ideal": ["Yes", "Oui"]}, "Hi?", ("Yes", "Oui")),
        ({"prompt": "Write freely."}, "Write freely.", ()),
    ],
)
def test_shapes_of_open_questions(tmp_path: Path, row: dict[str, Any], text: str, expected: tuple[str, ...]) -> None:
    made = only(written(tmp_path, row))
    assert (made.text, made.expected, made.choices) == (text, expected, ())
    assert made.answerable


@pytest.mark.parametrize(
    "row",
    [
        {"subject": "x", "question": "Two?", "choices": ["1", "2", "3"], "answer": 1},
        {"question": "Two?", "choices": {"text": ["1", "2", "3"], "label": ["A", "B", "C"]}, "answerKey": "B"},
        {"question": "Two?", "choices": {"text": ["1", "2", "3"], "label": ["1", "2", "3"]}, "answerKey": "2"},
        {"ctx": "Two?", "endings": ["1", "2", "3"], "label": "1"},
        {"question": "Two?", "A": "1", "B": "2", "C": "3", "answer": "B"},
        {"input": "Two?", "target_scores": {"1": 0, "2": 1, "3": 0}},
        {"question": "Two?", "choices": ["one", "two", "three"], "answer": "two"},
    ],
    ids=["mmlu", "arc", "arc-numbers", "hellaswag", "columns", "big-bench", "by-text"],
)
def test_shapes_of_multiple_choice(tmp_path: Path, row: dict[str, Any]) -> None:
    made = only(written(tmp_path, row))
    assert made.choice == 1
    assert made.expected == ("B", made.choices[1])
    assert made.conversation()[-1].content == f"Two?\n\nA. {made.choices[0]}\nB. {made.choices[1]}\n" + (
        f"C. {made.choices[2]}\n\n{ASK_FOR_LETTER}"
    )


def test_squad_as_it_is_published(tmp_path: Path) -> None:
    impossible = {"question": "And now?", "answers": [], "is_impossible": True}
    paragraph = {"context": "They gave 308.", "qas": [SQUAD_QUESTION, impossible]}
    path = tmp_path / "dev.json"
    path.write_text(json.dumps({"version": "2.0", "data": [{"title": "Bowl", "paragraphs": [paragraph]}]}))
    first, second = read_questions(path, with_context=False).rows
    assert (first.text, first.expected, first.id) == ("How many points?", ("308",), "7")
    assert (second.text, second.expected, second.answerable) == ("And now?", (), False)


def test_big_bench_as_it_is_published(tmp_path: Path) -> None:
    path = tmp_path / "task.json"
    examples = [{"input": "1 + 1 =", "target": ["2", "two"]}]
    path.write_text(json.dumps({"name": "sums", "metrics": ["exact_str_match"], "examples": examples}))
    assert only(path).expected == ("2", "two")


def test_conversations_expect_their_last_answer(tmp_path: Path) -> None:
    turns = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Ho"), ("user", "And?"), ("assistant", "So.")]
    row = {"messages": [{"role": role, "content": content} for role, content in turns]}
    made = only(written(tmp_path, row))
    assert [m.content for m in made.messages] == ["Be brief.", "Hi", "Ho", "And?"]
    assert made.expected == ("So.",)


def test_tables_and_folders(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('question,answers\n"One?","[""1"", ""one""]"\n"Two?",2\n')
    assert [row.expected for row in read_questions(tmp_path / "t.csv").rows] == [("1", "one"), ("2",)]
    import pyarrow
    from pyarrow import parquet

    folder = tmp_path / "squad" / "data"
    folder.mkdir(parents=True)
    table = pyarrow.table({"question": ["Who?"], "answers": [{"text": ["Ann"], "answer_start": [0]}]})
    parquet.write_table(table, folder / "train-00000-of-00001.parquet")
    assert only(tmp_path / "squad").expected == ("Ann",)


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, {"q": "Who?", "a": "Ann", "ctx2": "Ann did."})
    with pytest.raises(UserError, match="none of its columns is a question"):
        read_questions(path)
    made = only(path, columns=Columns(question="q", expected="a", context="ctx2"))
    assert (made.text, made.expected) == ("Ann did.\n\nWho?", ("Ann",))
    with pytest.raises(UserError, match="no column 'b'"):
        read_questions(path, columns=Columns(question="q", expected="b"))


def test_rows_that_are_no_questions_are_told_and_left_out(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"question": "One?", "answer": "1"}, {"question": " ", "answer": "2"}]
    rows += [{"question": "Three?", "choices": ["a", "b"], "answer": "c"}]
    read = read_questions(written(tmp_path, *rows))
    assert [row.text for row in read.rows] == ["One?"]
    assert [note.partition(": ")[2] for note in read.refused] == ["'question' is empty.", "'c' is none of its choices."]
    assert "line 2" in read.refused[0]


def test_a_limit_stops_the_reading(tmp_path: Path) -> None:
    rows = [{"question": f"{n}?", "answer": "1"} for n in range(30)]
    assert len(read_questions(written(tmp_path, *rows), limit=7).rows) == 7


def test_examples_of_sets_and_chats_become_questions() -> None:
    messages = (Message("user", "How far?"), Message("assistant", "5 km"))
    source = Source(origin="pair", path="/home/x/route.pdf")
    [row] = questions_of([Example(messages=messages, source=source), Example(text="plain")])
    assert (row.text, row.expected, row.sources) == ("How far?", ("5 km",), ("route.pdf",))


def test_the_split_follows_content_and_seed_only() -> None:
    rows = [QuestionRow(messages=(Message("user", f"{n % 90}?"),), id=str(n)) for n in range(100)]
    splits = draw_splits(rows, 0.5, 3)
    assert splits.count("tune") == pytest.approx(50, abs=6)
    side = dict(zip((row.key for row in rows), splits, strict=True))
    assert [side[row.key] for row in rows] == splits  # no content is on both sides
    backwards = draw_splits(rows[::-1], 0.5, 3)
    assert backwards[::-1] == splits
    assert draw_splits(rows, 0.5, 4) != splits
    assert set(draw_splits(rows, 0.0, 3)) == {"held-out"}


def test_a_question_is_stored_with_its_format() -> None:
    row = QuestionRow(messages=(Message("user", "Who?"),), expected=("Ann",), choices=("Ann", "Bo"), choice=0)
    assert QUESTION.decode(QUESTION.encode(row)) == row
    assert msgspec_plain(row)["format"] == 1
    assert row.key == QuestionRow(**{**{f: getattr(row, f) for f in row.__struct_fields__}, "id": "9"}).key


def msgspec_plain(row: QuestionRow) -> dict[str, Any]:
    return dict(json.loads(QUESTION.encode(row)))


def test_rows_that_say_that_there_is_no_answer(tmp_path: Path) -> None:
    rows = [
        {"question": "a?", "answers": []},
        {"question": "b?", "kind": "unanswerable", "answers": []},
        {"question": "c?", "answer": "", "answerable": "no"},
        {"question": "d?", "unanswerable": True},
        {"question": "e?", "answers": ["x"], "is_impossible": False},
        {"question": "f?", "answer": "x", "answerable": "yes"},
        {"question": "g?", "need": [["x"]], "answers": []},
    ]
    made = read_questions(written(tmp_path, *rows)).rows
    assert [row.answerable for row in made] == [False] * 4 + [True] * 3
    assert [row.gold for row in made] == ["no answer"] * 4 + ["x"] * 3


def test_groups_of_accepted_answers_also_from_cells_of_a_table(tmp_path: Path) -> None:
    row = {"question": "Who, and when?", "need": [["Ann", "Ms Lee"], "May"], "reject": ["June"], "sources": ["a.md"]}
    made = only(written(tmp_path, row))
    assert (made.need, made.reject, made.expected) == ((("Ann", "Ms Lee"), ("May",)), ("June",), ())
    assert made.gold == "Ann | Ms Lee + May"
    table = tmp_path / "set.csv"
    table.write_text('question,points\nWhich?,"[[""a""], [""b"", ""B""]]"\n', "utf-8")
    assert only(table).points == (("a",), ("b", "B"))
    assert QUESTION.get(QUESTION.encode(made)) == made
    assert "need" not in QUESTION.plain(only(written(tmp_path, {"question": "Who?", "answer": "Ann"})))
