"""Files of judgements: each format is read as it is published, round-trips, and names the rows that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from workbench.base.errors import UserError
from workbench.records.judgements import JudgedAnswer, Judgement, PreferenceForm
from workbench.records.messages import Message
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.judgements.file_service import ReadFile, read_judgements, rows_of
from workbench.subjects.judgements.service import check_judgement

RATED: tuple[PreferenceForm, ...] = ("trl-rated", "trl-rated-chat")
TIES: tuple[PreferenceForm, ...] = ("workbench", "arena", "candidates", "argilla")


def read(path: Path, rows: list[Any], **options: Any) -> ReadFile:
    file = path / "judged.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_judgements(file, check=check_judgement, **options)


def pair(question: str, a: str, b: str, verdict: str = "a", **fields: Any) -> Judgement:
    prompt = fields.pop("prompt", (Message("user", question),))
    return Judgement(prompt=prompt, a=JudgedAnswer(text=a), b=JudgedAnswer(text=b), verdict=verdict, **fields)  # type: ignore[arg-type]


def rated(question: str, text: str, verdict: str) -> Judgement:
    return Judgement(prompt=(Message("user", question),), a=JudgedAnswer(text=text), verdict=verdict)  # type: ignore[arg-type]


def said(judgement: Judgement) -> tuple[Any, ...]:
    """Prompt, and the answers with who won, whichever is called a."""
    prompt = tuple((message.role, message.content) for message in judgement.prompt)
    texts = [answer.text for answer in judgement.answers]
    if judgement.verdict == "b":
        texts.reverse()
    return prompt, tuple(texts), "a" if judgement.verdict == "b" else judgement.verdict


@pytest.mark.parametrize("form", get_args(PreferenceForm))
def test_each_format_round_trips_and_is_recognised(form: PreferenceForm, tmp_path: Path) -> None:
    given = [
        pair("How high is the bridge?", "Forty metres.", "No idea: it\n\nis high.", "a"),
        pair("Wie tief ist der Fluß? 深い?", "Tief.", "Zwölf „Meter“ 🌊", "b"),
        rated("Is it open?", "Yes, it is.", "good"),
        rated("Is it shut?", "Maybe.", "poor"),
        pair("Is it old?", "Yes.", "Very.", "tie"),
        pair("Is it new?", "Yes.", "Very.", "bad"),
    ]
    judged = given[2:4] if form in RATED else given[:2] if form not in TIES else [*given[:2], *given[4:]]
    rows = [row for one in judged for row in rows_of(one, form)]
    found = read(tmp_path, rows)
    assert found.table.form == form
    assert found.refused == ()
    assert [said(one) for one in found.judgements] == [said(one) for one in judged]
    place = "judged.jsonl, line 2" if form == "rewards" else "judged.jsonl, line 1"  # the later of two responses
    assert found.judgements[0].origin == place
    assert {one.source for one in found.judgements} == {"import"}
    again = read(tmp_path, rows, form=form)
    assert again.judgements == found.judgements


@pytest.mark.parametrize("form", ["workbench", "trl-chat", "ultrafeedback", "arena", "sharegpt", "openai", "argilla"])
def test_turns_and_instructions_round_trip_where_a_format_has_them(form: PreferenceForm, tmp_path: Path) -> None:
    turns = (
        Message("system", "Be short."),
        Message("user", "How high?"),
        Message("assistant", "Forty metres."),
        Message("user", "And how long?"),
    )
    given = pair("", "Ninety.", "I do not know.", prompt=turns)
    [found] = read(tmp_path, rows_of(given, form)).judgements
    assert said(found) == said(given)
    for other in ("trl", "candidates", "hh-rlhf"):
        with pytest.raises(UserError, match="instructions"):
            rows_of(given, other)  # type: ignore[arg-type]


def test_our_own_format_keeps_everything(tmp_path: Path) -> None:
    answer = JudgedAnswer(
        text="Mine.",
        original="Its.",
        name="smol",
        recipe=Recipe(model=ModelPart(name="smol")),
        tokens=(3, 4),
        score=0.5,
    )
    given = msgspec.structs.replace(
        pair(
            "How?", "x", "y", judge="model", judge_name="strict", confidence=0.75, shown="ba", comment="So.", weight=2.0
        ),
        a=answer,
        created=5.0,
    )
    [found] = read(tmp_path, rows_of(given, "workbench")).judgements
    assert found == msgspec.structs.replace(given, source="import", origin="judged.jsonl, line 1")


def test_judgements_of_a_blind_test_stay_out_of_training_when_they_are_imported(tmp_path: Path) -> None:
    given = msgspec.structs.replace(pair("How?", "x", "y"), source="verdict")
    [found] = read(tmp_path, rows_of(given, "workbench")).judgements
    assert found.source == "verdict"


def test_a_pair_without_a_verdict_is_not_exported() -> None:
    with pytest.raises(UserError, match="not been judged"):
        rows_of(msgspec.structs.replace(pair("How?", "x", "y"), verdict=""), "arena")


def test_scores_of_ultrafeedback_and_margins_are_read(tmp_path: Path) -> None:
    row = {
        "prompt": "How?", "prompt_id": "x", "messages": [],
        "chosen": [{"role": "user", "content": "How?"}, {"role": "assistant", "content": "So."}],
        "rejected": [{"role": "user", "content": "How?"}, {"role": "assistant", "content": "Thus."}],
        "score_chosen": 8.5, "score_rejected": 6,
    }  # fmt: skip
    [found] = read(tmp_path, [row]).judgements
    assert (found.a.score, found.b and found.b.score) == (8.5, 6.0)
    assert rows_of(found, "ultrafeedback")[0]["chosen"] == row["chosen"]
    [plain] = read(tmp_path, [{"prompt": "How?", "chosen": "So.", "rejected": "Thus.", "margin": 2}]).judgements
    assert rows_of(plain, "trl") == [{"prompt": "How?", "chosen": "So.", "rejected": "Thus.", "margin": 2.0}]


def test_hh_dialogues_are_cut_at_turns_only(tmp_path: Path) -> None:
    start = "\n\nHuman: Hi\n\nAssistant: Hello, Human: friend.\n\nHuman: Bye?\n\nAssistant: "
    [found] = read(tmp_path, [{"chosen": f"{start}Good bye.", "rejected": f"{start}Good day."}]).judgements
    assert [message.content for message in found.prompt] == ["Hi", "Hello, Human: friend.", "Bye?"]
    assert (found.a.text, found.b and found.b.text) == ("Good bye.", "Good day.")
    assert rows_of(found, "hh-rlhf") == [{"chosen": f"{start}Good bye.", "rejected": f"{start}Good day."}]
    with pytest.raises(UserError, match="names of speakers"):
        rows_of(pair("Hi", "I say\n\nHuman: hello", "Bye"), "hh-rlhf")


@pytest.mark.parametrize(
    ("names", "values", "winners"),
    [
        (("candidate_0", "candidate_1"), [0, 1], "ab"),
        (("candidate_0", "candidate_1"), [1, 1], "bb"),  # by its name
        (("candidate1", "candidate2"), [1, 2], "ab"),
        (("candidate1", "candidate2"), [0, 1], "ab"),
        (("candidate1", "candidate2"), ["A", "b"], "ab"),
        (("candidate1", "candidate2"), ["candidate2", "candidate1"], "ba"),
        (("response_a", "response_b"), ["b", "a"], "ba"),
        (("candidate1", "candidate2"), [2.0, "1"], "ba"),
    ],
)
def test_candidates_are_named_by_number_letter_or_name(
    names: tuple[str, str], values: list[Any], winners: str, tmp_path: Path
) -> None:
    rows = [
        {"input_text": f"{n}?", names[0]: "First.", names[1]: "Second.", "human_preference": value}
        for n, value in enumerate(values)
    ]
    assert "".join(one.verdict for one in read(tmp_path, rows).judgements) == winners


def test_a_number_that_may_count_from_0_or_from_1_is_asked_about(tmp_path: Path) -> None:
    rows = [{"input_text": f"{n}?", "candidate1": "x", "candidate2": "y", "human_preference": 1} for n in range(3)]
    with pytest.raises(UserError, match="from 0 or 1") as raised:
        read(tmp_path, rows)
    assert "counted" in raised.value.hint
    assert [one.verdict for one in read(tmp_path, rows, counts_from=0).judgements] == ["b"] * 3
    assert [one.verdict for one in read(tmp_path, rows, counts_from=1).judgements] == ["a"] * 3


def test_responses_to_one_prompt_are_compared_by_their_rewards(tmp_path: Path) -> None:
    rows = [
        {"prompt": "High?", "response": "Yes.", "rewards": 0.9},
        {"prompt": "Deep?", "response": "Alone.", "rewards": 0.9},
        {"prompt": "High?", "response": "No.", "rewards": 0.2},
        {"prompt": "High?", "response": "Perhaps.", "rewards": {"help": 0.6, "style": 0.8}},
        {"prompt": "Long?", "response": ["Very.", "Not."], "rewards": [1, 0]},
    ]
    found = read(tmp_path, rows, margin=0.25)
    assert [(one.a.text, one.b and one.b.text, one.verdict) for one in found.judgements] == [
        ("Yes.", "No.", "a"), ("Yes.", "Perhaps.", "tie"), ("No.", "Perhaps.", "b"), ("Very.", "Not.", "a"),
    ]  # fmt: skip
    [refused] = found.refused
    assert (refused.source.line, refused.reason) == (2, "it is the only response to its prompt.")


def test_argilla_records_of_several_people_rankings_and_suggestions(tmp_path: Path) -> None:
    fields = {"prompt": "How?", "response1": "So.", "response2": "Thus."}
    ranking = [{"value": "response1", "rank": 2}, {"value": "response2", "rank": 1}]
    rows = [
        {**fields, "better.responses": ["response1", "response2", "response1"],
         "better.responses.users": ["ann", "bob", "cy"],
         "better.responses.status": ["submitted", "submitted", "draft"]},
        {**fields, "better.responses": [ranking], "better.responses.users": ["ann"]},
        {**fields, "better.responses": None, "better.suggestion": "response2", "better.suggestion.agent": "judge-7b",
         "better.suggestion.score": 0.8},
        {**fields, "better.responses": [], "better.suggestion": None},
    ]  # fmt: skip
    found = read(tmp_path, rows)
    assert [(one.verdict, one.judge, one.judge_name, one.confidence) for one in found.judgements] == [
        ("a", "person", "ann", None),
        ("b", "person", "bob", None),
        ("b", "person", "ann", None),
        ("b", "model", "judge-7b", 0.8),
    ]
    [refused] = found.refused
    assert (refused.source.line, refused.reason) == (4, "nobody has submitted an answer to 'better'.")


def test_llama_factory_tags_and_turns(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "How?"}, {"from": "gpt", "value": "So."}]
    found = read(tmp_path, [{"conversations": turns, "kto_tag": False}, {"conversations": turns[:1], "kto_tag": True}])
    assert [(one.question, one.a.text, one.verdict) for one in found.judgements] == [("How?", "So.", "poor")]
    assert "does not end with an answer" in found.refused[0].reason


BAD = [
    ({"prompt": "", "chosen": "So.", "rejected": "Thus."}, "no question comes before"),
    ({"prompt": "How?", "chosen": "So.", "rejected": "So. "}, "the same"),
    ({"prompt": "How?", "chosen": "", "rejected": "Thus."}, "'chosen' is empty"),
    ({"prompt": "How?", "chosen": ["So."], "rejected": "Thus."}, "'chosen' is no text but list"),
    ({"prompt": "How?", "chosen": "So."}, "no columns 'chosen' and 'rejected'"),
    ({"prompt": "How?", "chosen": "So.", "rejected": "Thus.", "margin": "much"}, "'margin' is no number"),
]


def test_bad_rows_are_refused_by_number_and_the_others_read(tmp_path: Path) -> None:
    good = {"prompt": "How?", "chosen": "So.", "rejected": "Thus."}
    rows = [good, *(row for row, _ in BAD), good]
    found = read(tmp_path, rows)
    assert len(found.judgements) == 2
    assert found.rows == len(rows)
    assert [one.source.line for one in found.refused] == list(range(2, 2 + len(BAD)))
    for one, (_, reason) in zip(found.refused, BAD, strict=True):
        assert reason in one.reason
    assert str(found.refused[0].source).endswith("judged.jsonl, line 2")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{"conversation_a": [], "conversation_b": [], "winner": "model_a"}], "does not end with an answer"),
        (
            [{"conversation_a": [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "x"}],
              "conversation_b": [{"role": "user", "content": "B?"}, {"role": "assistant", "content": "y"}],
              "winner": "model_a"}],
            "different prompts",
        ),
        (
            [{"prompt": "?", "completion": "x", "label": 7},
             *({"prompt": f"{n}?", "completion": "So.", "label": True} for n in range(9))],
            "neither true nor false",
        ),
        ([{"input_text": "How?", "candidate1": "x", "candidate2": "y", "human_preference": "z"}], "none of candidate1"),
        ([{"prompt": "How?", "response": "So.", "rewards": "NaN"}], "no finite number"),
    ],
)  # fmt: skip
def test_a_row_of_each_kind_that_is_none_says_why(rows: list[Any], reason: str, tmp_path: Path) -> None:
    assert reason in read(tmp_path, rows).refused[0].reason


def test_unknown_columns_are_named_and_can_be_assigned(tmp_path: Path) -> None:
    rows = [
        {"frage": "Wie?", "eins": "So.", "zwei": "Anders.", "besser": "zwei"},
        {"frage": "Wo?", "eins": "Hier.", "zwei": "Dort.", "besser": "drei"},
    ]
    with pytest.raises(UserError, match="'frage', 'eins', 'zwei', 'besser'"):
        read(tmp_path, rows)
    columns = {"prompt": "frage", "a": "eins", "b": "zwei", "verdict": "besser"}
    found = read(tmp_path, rows, columns=columns)
    assert [one.verdict for one in found.judgements] == ["b"]
    assert "none of eins, zwei" in found.refused[0].reason
    with pytest.raises(UserError, match="no role"):
        read(tmp_path, rows, columns={"frage": "prompt"})
    with pytest.raises(UserError, match="not the format 'arena'"):
        read(tmp_path, rows, form="arena")
