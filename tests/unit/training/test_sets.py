"""From a file to what is trained on and asked, in a tiny model's own tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("torch")

from tests.unit.training.tiny_training import save_folder, write_rows
from workbench.base.errors import UserError
from workbench.records.training import (
    FINGERPRINTS,
    DataPart,
    DataReport,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
)
from workbench.techniques.registry import METHODS
from workbench.training.evaluation import read_general_set
from workbench.training.objectives.objective import objective_of
from workbench.training.protocol import BaseModel
from workbench.training.sets import ReadySet, Writing, inspect_set, open_writing, ready_set


@pytest.fixture(scope="module")
def writing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writing]:
    folder = save_folder(tmp_path_factory.mktemp("model") / "tiny")
    with open_writing(BaseModel(name="tiny", path=str(folder))) as found:
        yield found


def config(path: Path, **data: Any) -> TrainingConfig:
    objective = ObjectivePart(name=data.pop("objective", "sft"))
    if "loss_on" in data:
        objective = ObjectivePart(options={"loss_on": data.pop("loss_on")})
    return TrainingConfig(objective=objective, data=DataPart(path=str(path), **data))


def ready(config: TrainingConfig, writing: Writing) -> ReadySet:
    return ready_set(config, objective_of(config, METHODS), writing)


def inspected(config: TrainingConfig, writing: Writing, **options: Any) -> DataReport:
    return inspect_set(config, objective_of(config, METHODS), writing, **options)


def test_a_set_is_held_out_from_and_asked_about(writing: Writing, tmp_path: Path) -> None:
    found = ready(config(write_rows(tmp_path / "rows.jsonl", 40), evaluation_share=0.25), writing)
    assert found.held_out
    assert len(found.train) + len(found.evaluation) == 40
    assert not set(found.train) & set(found.evaluation)
    assert len(found.questions) == len(found.evaluation)
    question, text = found.questions[0], found.evaluation[0]
    assert text.tokens[: len(question.prompt)] == question.prompt
    assert text.trained == tuple(place >= len(question.prompt) for place in range(len(text.tokens)))
    assert writing.tokenizer.text(question.prompt, special=True) == f"<|user|>{question.question}<|end|><|assistant|>"
    assert question.expected.startswith("It is")
    assert "<|end|>" not in question.expected


def test_the_report_names_what_is_held_back_and_warns_of_a_small_set(writing: Writing, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", 12)
    held = [note for note in ready(config(rows, evaluation_share=0.1), writing).report.notes if "Held out" in note]
    assert len(held) == 1
    assert re.match(r"Held out for evaluation: \d of 12 examples \((line \d+(, )?)+\)\. .* does not learn", held[0])
    large = config(write_rows(tmp_path / "large.jsonl", 100), evaluation_share=0.1)
    [note] = [note for note in ready(large, writing).report.notes if "Held out" in note]
    assert re.search(r"of 100 examples \((line \d+, ){5}and others\)\.$", note)
    unsplit = ready(config(rows, evaluation_share=0.0), writing).report.notes
    assert not any("Held out" in note for note in unsplit)


def test_a_small_set_is_trained_whole_unless_a_split_is_asked_for(writing: Writing, tmp_path: Path) -> None:
    small = ready(config(write_rows(tmp_path / "rows.jsonl", 12)), writing)
    assert (len(small.train), small.held_out) == (12, False)
    assert any(note.startswith("All 12 examples are trained, since") for note in small.report.notes)
    large = ready(config(write_rows(tmp_path / "large.jsonl", 60)), writing)
    assert large.held_out
    asked = ready(config(tmp_path / "rows.jsonl", evaluation_share=0.3), writing)
    assert asked.held_out


def write_questions(path: Path, questions: list[str]) -> Path:
    rows = ({"prompt": question, "completion": f"It is {number}."} for number, question in enumerate(questions))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


TOWNS = [f"Which river flows through town{number}?" for number in range(50)]


@pytest.mark.parametrize(
    ("split", "evaluated", "on", "shared"),
    [
        ({"evaluation_share": 0.0}, None, "trained", 50),
        ({"evaluation_share": 0.2}, None, "held out", 0),
        ({}, ["Who was the first mayor?", "When does the market open?"], "unseen", 0),
        ({}, ["Who was the first mayor?", "WHICH river flows through town7"], "trained", 1),
    ],
)
def test_a_set_says_what_its_scores_are_measured_on(
    split: dict[str, float], evaluated: list[str] | None, on: str, shared: int, writing: Writing, tmp_path: Path
) -> None:
    data = dict(split) if evaluated is None else {"evaluation_path": str(tmp_path / "other.jsonl")}
    if evaluated is not None:
        write_questions(tmp_path / "other.jsonl", evaluated)
    path = write_questions(tmp_path / "towns.jsonl", TOWNS)
    for measured in (
        ready(config(path, **data), writing).report.measured,
        inspected(config(path, **data), writing).measured,
    ):
        assert measured is not None
        assert (measured.on, measured.shared) == (on, shared)


def test_what_an_earlier_training_of_the_base_had_is_not_held_out(writing: Writing, tmp_path: Path) -> None:
    split = config(write_questions(tmp_path / "towns.jsonl", TOWNS), evaluation_share=0.2)
    first = ready(split, writing)
    assert first.report.measured is not None
    assert first.report.measured.on == "held out"
    kept = tmp_path / "questions.fingerprints"
    kept.write_bytes(FINGERPRINTS.encode(first.fingerprints))
    again = msgspec.structs.replace(split, optimiser=OptimiserPart(seed=1))  # another tenth is kept apart
    measured = inspected(again, writing, earlier={"first": str(kept)}).measured
    assert measured is not None
    assert (measured.on, measured.earlier) == ("trained", "first")
    assert 0 < measured.shared <= measured.examples


def test_a_text_that_is_trained_is_not_unseen_in_another_file(writing: Writing, tmp_path: Path) -> None:
    for name, texts in (("river.jsonl", ["The river is long.", "It ends here."]), ("other.jsonl", ["It ends here."])):
        (tmp_path / name).write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    data = config(tmp_path / "river.jsonl", evaluation_path=str(tmp_path / "other.jsonl"))
    measured = inspected(data, writing).measured
    assert measured is not None
    assert (measured.on, measured.examples, measured.shared) == ("trained", 1, 1)


def test_nothing_is_claimed_where_an_earlier_training_of_the_base_is_not_known(
    writing: Writing, tmp_path: Path
) -> None:
    split = config(write_questions(tmp_path / "towns.jsonl", TOWNS), evaluation_share=0.2)
    assert inspected(split, writing, earlier={"first": ""}).measured is None
    damaged = tmp_path / "questions.fingerprints"
    damaged.write_bytes(b"no fingerprints")
    assert inspected(split, writing, earlier={"first": str(damaged)}).measured is None


def test_without_a_share_it_is_evaluated_on_what_is_trained(writing: Writing, tmp_path: Path) -> None:
    found = ready(config(write_rows(tmp_path / "rows.jsonl"), evaluation_share=0.0), writing)
    assert not found.held_out
    assert found.evaluation == found.train
    assert len(found.train) == len(found.questions) == 12


def test_questions_are_found_when_all_is_learnt(writing: Writing, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl")
    answers = ready(config(rows, evaluation_share=0.0), writing)
    everything = ready(config(rows, evaluation_share=0.0, loss_on="all"), writing)
    assert all(all(one.trained[1:]) for one in everything.train)
    assert everything.questions == answers.questions


def test_an_evaluation_file_is_what_is_evaluated_on(writing: Writing, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"prompt": "Apart?", "completion": "Yes."}\n{"prompt": "Really?", "completion": "Yes, so."}\n')
    found = ready(config(write_rows(tmp_path / "rows.jsonl"), evaluation_path=str(other)), writing)
    assert [question.expected for question in found.questions] == ["Yes.", "Yes, so."]
    assert len(found.train) == 12


def test_an_evaluation_file_of_which_nothing_is_left_is_refused(writing: Writing, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"prompt": "Apart?", "completion": ""}\n')
    with pytest.raises(UserError, match=r"other\.jsonl has no examples for evaluation"):
        inspected(config(write_rows(tmp_path / "rows.jsonl"), evaluation_path=str(other)), writing)


def test_questions_with_another_answer_on_the_other_side_are_told(writing: Writing, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    known = [json.loads(line) for line in write_rows(tmp_path / "rows.jsonl").read_text().splitlines()[:3]]
    rows = [{"prompt": row["prompt"], "completion": f"Other {n}"} for n, row in enumerate(known[1:])] + known[:1]
    other.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = inspected(config(tmp_path / "rows.jsonl", evaluation_path=str(other)), writing)
    assert report.overlap == 1
    assert report.notes == ("2 evaluation questions are also in the training data, with another answer.",)
    assert not any("another answer" in note for note in inspected(config(tmp_path / "rows.jsonl"), writing).notes)


def test_examples_are_cut_and_such_questions_left_out(writing: Writing, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl")
    longest = 30
    found = ready(config(rows, evaluation_share=0.0, max_length=longest), writing)
    assert max(len(one.tokens) for one in found.train) == longest
    assert found.report.train.truncated > 0
    assert 0 < len(found.questions) < len(found.train)


def test_a_domain_is_packed_into_windows(writing: Writing, tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    texts = [f"Text number {n}. " + "It goes on. " * (n % 5 + 1) for n in range(20)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    found = ready(config(path, objective="domain", max_length=64, evaluation_share=0.2), writing)
    assert {len(one.tokens) for one in found.train[:-1]} == {64}
    assert any(one.starts for one in found.train)
    apart = [text for one in found.train for text in one.texts()]
    assert len(apart) == len(found.train) + sum(len(one.starts) for one in found.train)
    assert [token for text in apart for token in text.tokens] == [token for one in found.train for token in one.tokens]
    assert not any(text.starts for text in apart)
    for one in found.train:
        assert [place for place, learnt in enumerate(one.trained) if not learnt] == list(one.starts)
        assert all(writing.tokenizer.ends_generation(one.tokens[start - 1]) for start in one.starts)
    assert found.questions == ()
    together = writing.tokenizer.text([token for one in found.train for token in one.tokens], special=True)
    assert "It goes on. <|end|>Text number" in together
    assert found.report.max_length == 64


def test_a_single_long_text_is_enough_for_a_domain(writing: Writing, tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    text = "\n\n".join(f"Paragraph {n}. " + "It goes on. " * (n % 9 + 1) for n in range(150))
    path.write_text(text)
    found = ready(config(path, objective="domain", max_length=64, evaluation_share=0.2), writing)
    assert found.held_out
    assert 10 < found.report.train.examples + found.report.evaluation.examples <= 40
    sides = [
        writing.tokenizer.text([token for one in side for token in one.tokens], special=True)
        for side in (found.train, found.evaluation)
    ]
    assert sum(side.count("Paragraph") for side in sides) == 150
    assert all(piece.startswith("Paragraph") for side in sides for piece in side.split("<|end|>") if piece)
    unsplit = ready(config(path, objective="domain", max_length=64, evaluation_share=0.0), writing)
    assert unsplit.evaluation == unsplit.train
    with pytest.raises(UserError, match="one example"):
        ready(config(path), writing)
    path.write_text("Too short to be taken apart.")
    with pytest.raises(UserError, match="one example"):
        ready(config(path, objective="domain"), writing)


def test_previews_begin_where_they_are_asked_to(writing: Writing, tmp_path: Path) -> None:
    rows = config(write_rows(tmp_path / "rows.jsonl"), evaluation_share=0.25)
    every = inspected(rows, writing, previews=100)
    assert [preview.side for preview in every.previews].index("evaluation") == every.train.examples
    some = inspected(rows, writing, previews=4, first=7)
    assert some.previews == every.previews[7:11]
    assert sum(one.count for one in every.train.lengths) == every.train.examples


def test_columns_can_be_mapped_by_hand(writing: Writing, tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text("".join(json.dumps({"ask": f"Say {n}", "tell": f"So {n}"}) + "\n" for n in range(6)))
    assert inspected(config(path), writing).shape == "unknown"
    report = inspected(
        config(path, columns={"prompt": ("ask",), "completion": ("tell",)}, evaluation_share=0.0), writing
    )
    assert (report.shape, report.train.examples, report.left_out) == ("columns", 6, ())


def test_what_cannot_be_learnt_is_refused(writing: Writing, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("")
    with pytest.raises(UserError, match=r"bad\.jsonl"):
        ready(config(path), writing)
    with pytest.raises(UserError, match="too long"):
        ready(config(write_rows(tmp_path / "rows.jsonl"), max_length=4), writing)


def test_the_general_set_has_questions_and_texts(writing: Writing) -> None:
    found = read_general_set(writing)
    assert (len(found.questions), len(found.texts)) == (24, 8)
    assert found.questions[0].expected == "Paris"
    assert all(all(text.trained[1:]) for text in found.texts)
