"""Several answers, tokens, branches, adapters, forms and speed, as the terminal asks for and shows them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.unit.cli.conftest import SMOLLM, FakeFront, Ran
from workbench.api.events import Failed, TextDelta
from workbench.cli.arguments import split_adapter
from workbench.records.answers import AskResult, FormatCheck, StoredMessage
from workbench.records.messages import Alternative, Candidate, ChosenToken
from workbench.records.recipes import AdapterUse, ModelPart, Recipe
from workbench.subjects.chats.calls import (
    AnswerTokens,
    Ask,
    BranchPoint,
    Chat,
    ChatRecord,
    CheckFormat,
    DeleteChat,
    GetChat,
    InspectAnswer,
    SelectSequence,
)
from workbench.subjects.models.calls import Benchmark, BenchModel

Run = Callable[..., Ran]

SEVERAL = AskResult(
    answer="In 1911.",
    sequences=(
        Candidate(text="In 1911.", score=-0.25, finish="eos", tokens=2),
        Candidate(text="Long ago\nit was.", score=-0.75, finish="length", tokens=2),
    ),
    recipe=Recipe(model=ModelPart(name=SMOLLM.name)),
    chat="chat1",
    message="m2",
)
TOKENS = AnswerTokens(
    tokens=(
        ChosenToken(
            token=7,
            text="In",
            logprob=math.log(0.5),
            alternatives=(
                Alternative(token=7, text="In", logprob=math.log(0.5)),
                Alternative(token=9, text=" a\n", logprob=math.log(0.25)),
            ),
        ),
    ),
    next=ChosenToken(token=-1, text="", logprob=0, alternatives=(Alternative(token=2, text="", logprob=0),)),
)


@pytest.fixture
def answering(front: FakeFront) -> FakeFront:
    front.answer(Ask, SEVERAL, TextDelta(text="In 1911."), TextDelta(text="Long ago", sequence=1))
    front.answer(InspectAnswer, TOKENS)
    front.answer(DeleteChat, ChatRecord(id="chat1", title="t", created=1.0, updated=1.0))
    record = ChatRecord(id="c", title="t", created=1.0, updated=1.0, recipe=Recipe(model=ModelPart(name="Other")))
    front.answer(GetChat, Chat(chat=record, messages=()))
    return front


def test_several_answers_are_numbered_with_scores_and_endings(run: Run, answering: FakeFront) -> None:
    ran = run("ask", "When?", "--set", "decoding.strategy=beam", "--set", "decoding.num_beams=4")
    assert ran.out.splitlines() == [
        "answer 0, score -0.250, ended by the model",
        "In 1911.",
        "",
        "answer 1, score -0.750, ended by its length",
        "Long ago",
        "it was.",
    ]
    (call,) = answering.asked(Ask)
    assert (call.recipe.decoding.strategy, call.recipe.decoding.num_beams) == ("beam", 4)
    sequences = run("ask", "When?", "--json").result["sequences"]
    assert [(s["text"], s["score"], s["finish"]) for s in sequences] == [
        ("In 1911.", -0.25, "eos"),
        ("Long ago\nit was.", -0.75, "length"),
    ]
    assert answering.asked(InspectAnswer) == []


def test_a_program_gets_every_beam_unless_it_says_how_many(run: Run, answering: FakeFront) -> None:
    beam = ("ask", "When?", "--set", "decoding.strategy=beam", "--set", "decoding.num_beams=3")
    run(*beam, "--json")
    run(*beam)
    run(*beam, "--json", "--set", "decoding.n=1")
    run("ask", "When?", "--json", "--set", "decoding.num_beams=3")
    assert [call.recipe.decoding.n for call in answering.asked(Ask)] == [3, 1, 1, 1]


def test_a_value_of_another_strategy_is_said_to_have_no_effect(run: Run, answering: FakeFront) -> None:
    ran = run("ask", "When?", "--set", "decoding.num_beams=3")
    assert "decoding.num_beams has no effect: it is a setting of beam, and the strategy is sampling." in ran.err
    assert "In 1911." in ran.out
    assert (
        "no effect" not in run("ask", "When?", "--set", "decoding.strategy=beam", "--set", "decoding.num_beams=3").err
    )


def test_the_order_of_steps_is_written_with_commas(run: Run, answering: FakeFront) -> None:
    run("ask", "q", "--set", "decoding.order=temperature, top_k", "--set", r"decoding.stop=a,b\nc")
    (call,) = answering.asked(Ask)
    assert call.recipe.decoding.order == ("temperature", "top_k")
    assert call.recipe.decoding.stop == ("a,b", "c")
    assert "[penalties,dry,top_k,typical_p,top_p,min_p,xtc,temperature]" in run("ask", "--fields", "decoding.order").out


def test_tokens_are_told_of_every_sequence(run: Run, answering: FakeFront) -> None:
    ran = run("ask", "When?", "--tokens", "2", "--json")
    assert answering.asked(InspectAnswer) == [InspectAnswer(message="m2", sequence=n, alternatives=2) for n in range(2)]
    for sequence in ran.result["sequences"]:
        (token,) = sequence["tokens"]
        assert (token["token"], token["text"]) == (7, "In")
        assert [a["token"] for a in token["alternatives"]] == [7, 9]
        assert sequence["next"]["alternatives"][0]["token"] == 2
    lines = run("ask", "When?", "--tokens", "2").out.splitlines()
    header = next(line for line in lines if line.startswith("PLACE"))
    assert header.split() == ["PLACE", "TOKEN", "ID", "P", "ALTERNATIVES"]
    row = lines[lines.index(header) + 1]
    assert row.split() == ["0", '"In"', "7", "50.0%", '7:"In"', "50.0%", '9:"', 'a\\n"', "25.0%"]
    assert lines.count(header) == 2
    assert run("ask", "When?", "--tokens", "-1").status == 2


def test_an_answer_without_tokens_says_so(run: Run, answering: FakeFront) -> None:
    answering.end(InspectAnswer, Failed(message="The tokens of this answer are not known."))
    ran = run("ask", "When?", "--tokens", "2", "--json")
    assert ran.status == 0
    assert "are not known" in ran.err
    assert ran.result["sequences"][0]["tokens"] == []


def test_many_questions_tell_their_tokens_before_their_chats_go(run: Run, answering: FakeFront, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"id": "1", "text": "one"}\n')
    ran = run("ask", "--questions", str(file), "--tokens", "1", "--json")
    lines = run("ask", "--questions", str(file), "--tokens", "1").out.splitlines()
    assert lines[:2] == ["1  [0] In 1911.", "1  [1] Long ago it was."]
    assert len([line for line in lines if line.startswith("PLACE")]) == 2
    (artifact,) = [e for e in ran.events if e["event"] == "artifact"]
    assert [len(s["tokens"]) for s in artifact["result"]["sequences"]] == [1, 1]
    kinds = [type(call) for call in answering.calls if isinstance(call, Ask | InspectAnswer | DeleteChat)]
    assert kinds == [Ask, InspectAnswer, InspectAnswer, DeleteChat] * 2


def test_an_answer_branches_at_a_token(run: Run, answering: FakeFront) -> None:
    run("ask", "--chat", "c", "--again", "m2", "--branch", "3:77", "--sequence", "1")
    (call,) = answering.asked(Ask)
    assert (call.regenerate, call.branch) == ("m2", BranchPoint(position=3, token=77, sequence=1))
    for argv in (("q", "--branch", "3:77"), ("--chat", "c", "--again", "m2", "--branch", "x")):
        assert run("ask", *argv).status == 2
    assert "'x' is not PLACE:TOKEN" in run("ask", "--chat", "c", "--again", "m2", "--branch", "x").err


def test_adapters_and_their_scales(run: Run, answering: FakeFront, tmp_path: Path) -> None:
    file = tmp_path / "mine:1.gguf"
    file.touch()
    run("ask", "q", "--adapter", "tone:0.5", "--adapter", str(file), "--adapter", f"{file}:-2")
    assert answering.asked(Ask)[0].recipe.model.adapters == (
        AdapterUse(name="tone", scale=0.5),
        AdapterUse(name=str(file)),
        AdapterUse(name=str(file), scale=-2),
    )
    assert split_adapter("tone") == AdapterUse(name="tone")
    ran = run("ask", "q", "--adapter", "tone:50")
    assert (ran.status, "from -10 to 10" in ran.err) == (1, True)


def test_forms_are_read_from_files(run: Run, answering: FakeFront, tmp_path: Path) -> None:
    schema = tmp_path / "s.json"
    schema.write_text('{"type": "object"}')
    run("ask", "q", "--schema", str(schema))
    run("ask", "q", "--set", "decoding.format=regex", "--set", f"decoding.grammar=@{schema}")
    run("ask", "q", "--set", "decoding.stop=@home")
    decodings = [call.recipe.decoding for call in answering.asked(Ask)]
    assert [(d.format, d.grammar) for d in decodings[:2]] == [
        ("json_schema", '{"type": "object"}'),
        ("regex", '{"type": "object"}'),
    ]
    assert decodings[2].stop == ("@home",)
    ran = run("ask", "q", "--schema", str(tmp_path / "none.json"))
    assert (ran.status, "cannot be read" in ran.err) == (1, True)


@pytest.mark.parametrize("option", ["--schema", "--set=decoding.grammar=@"])
def test_a_description_that_is_too_long_is_refused_with_its_length(
    run: Run, answering: FakeFront, tmp_path: Path, option: str
) -> None:
    (schema := tmp_path / "s.json").write_text('{"title": "%s"}' % ("x" * 70_000))
    ran = run("ask", "q", *([option, str(schema)] if option == "--schema" else [f"{option}{schema}"]))
    assert ran.status == 1
    assert "s.json has 70,013 characters" in ran.err
    assert "at most 65,536" in ran.err
    assert not answering.asked(Ask)


@pytest.mark.parametrize(
    ("format", "finish", "status"),
    [("json_schema", "length", 3), ("json_schema", "grammar", 0), ("text", "length", 0)],
)
def test_a_form_that_is_cut_off_has_an_exit_status_of_its_own(
    run: Run, front: FakeFront, tmp_path: Path, format: str, finish: str, status: int
) -> None:
    recipe = msgspec.convert({"decoding": {"format": format}}, Recipe)
    sequences = msgspec.convert([{"text": '{"a"', "finish": finish}], tuple[Candidate, ...])
    front.answer(Ask, AskResult(answer='{"a"', sequences=sequences, recipe=recipe, chat="c", message="m"))
    assert run("ask", "q").status == status
    ran = run("ask", "q", "--json")
    assert (ran.status, ran.result["sequences"][0]["finish"]) == (status, finish)
    front.answer(DeleteChat, ChatRecord(id="c", title="", created=0.0, updated=0.0))
    (questions := tmp_path / "q.jsonl").write_text('{"text": "q"}\n')
    assert run("ask", "--questions", str(questions)).status == status


def test_help_groups_what_can_be_set(run: Run) -> None:
    lines = run("ask", "--fields", "decoding").out.splitlines()
    lines = [f"  {line}" if line.startswith("decoding, ") else line for line in lines]
    groups = [line.strip() for line in lines if line.startswith("  decoding, ")]
    assert groups[0] == "decoding, strategy:"
    assert len(groups) == len(set(groups)) > 5
    beam, num_beams = lines.index("  decoding, beams:"), lines.index("  decoding.num_beams")
    assert not [line for line in lines[beam + 1 : num_beams] if line.startswith("  decoding, ")]
    assert lines.count("  decoding.temperature") == 1


def test_another_answer_is_kept_and_its_tokens_told(run: Run, answering: FakeFront) -> None:
    message = StoredMessage(id="m2", chat="c", parent="m1", role="assistant", text="Long ago.", selected_sequence=1)
    answering.answer(SelectSequence, message)
    assert run("chats", "keep", "m2", "1").out == "Long ago.\n"
    assert answering.asked(SelectSequence) == [SelectSequence(message="m2", sequence=1)]
    answering.answer(InspectAnswer, msgspec.structs.replace(TOKENS, first=5))
    ran = run("chats", "tokens", "m2", "--sequence", "1", "--alternatives", "3", "--last", "1")
    assert answering.asked(InspectAnswer) == [InspectAnswer(message="m2", sequence=1, alternatives=3, last=1)]
    assert [line.split()[0] for line in ran.out.splitlines()] == ["PLACE", "5", "6"]


def test_speed_is_shown_with_and_without_batching(run: Run, front: FakeFront) -> None:
    measured = Benchmark(
        model="Tiny", prompt=1234.5, alone=100.0, together=350.0, sequences=8, prompt_tokens=64, new_tokens=16,
        load_seconds=0.5, device="CPU", threads=2, choice="All fits.", engine="fake 1",
    )  # fmt: skip
    front.answer(BenchModel, measured)
    argv = ("--prompt-tokens", "64", "--new-tokens", "16", "--sequences", "8", "--rounds", "2")
    out = run("bench", "Tiny", *argv).out
    assert front.asked(BenchModel) == [BenchModel(name="Tiny", prompt_tokens=64, new_tokens=16, sequences=8, rounds=2)]
    for shown in ("1,234.5", "100.0", "350.0", "3.50 times a single answer", "CPU, 2 threads", "All fits."):
        assert shown in out
    assert run("bench", "Tiny", "--json").result["together"] == 350.0


def test_a_form_is_checked(run: Run, front: FakeFront, tmp_path: Path) -> None:
    grammar, text = tmp_path / "g.txt", tmp_path / "t.txt"
    grammar.write_text("[a-z]+")
    text.write_text("abc")
    front.answer(CheckFormat, FormatCheck())
    assert run("format", "check", str(grammar), "--form", "regex", "--text", str(text)).out == "Valid.\n"
    assert front.asked(CheckFormat) == [CheckFormat(format="regex", grammar="[a-z]+", text="abc")]
    front.answer(CheckFormat, FormatCheck(problem="no such type", line=3))
    ran = run("format", "check", str(grammar))
    assert (ran.status, ran.err) == (1, f"{grammar}, line 3: no such type\n")
    front.answer(CheckFormat, FormatCheck(text_problem="not a number"))
    ran = run("format", "check", str(grammar), "--text", str(text))
    assert (ran.status, ran.err) == (1, f"{text}: not a number\n")
