"""``workbench prompts``, and questions that are asked with a prompt of the library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import FakeFront, Ran
from workbench.api.protocol import finish
from workbench.records.answers import AskResult, StoredMessage
from workbench.records.demonstrations import Demonstration, DemonstrationStep
from workbench.records.prompts import PromptRecord, PromptVersion, content_hash, source_of, with_version
from workbench.records.recipes import PromptingPart, PromptKind, Recipe
from workbench.subjects.chats.calls import Ask, Chat, ChatRecord, GetChat
from workbench.subjects.prompts.calls import (
    DemonstrationList,
    ExportPrompt,
    GetPrompt,
    ListDemonstrations,
    ListPrompts,
    PromptDetails,
    PromptList,
    RemoveDemonstration,
    RemovePrompt,
    RestorePrompt,
    SaveDemonstration,
    SavedPrompt,
    SavePrompt,
)

Run = Callable[..., Ran]


def version(number: int, content: PromptingPart, kind: PromptKind = "prompt", note: str = "") -> PromptVersion:
    return PromptVersion(number=number, hash=content_hash(content, kind), created=1e9, note=note, content=content)


VERSIONS = (
    version(2, PromptingPart(instructions="Write kind letters.", output="One page."), note="kinder"),
    version(1, PromptingPart(instructions="Write letters.", output="One page.")),
)
LETTER = PromptRecord(id="p1", name="Office letter", kind="prompt", created=1e9, head=VERSIONS[0], tags=("office",))
THINKING = version(1, PromptingPart(technique="self-refine", options={"rounds": 2}), "reasoning")
REFINED = PromptRecord(id="p2", name="Refined", kind="reasoning", created=1e9, head=THINKING)


@pytest.fixture
def library(front: FakeFront) -> FakeFront:
    front.answer(ListPrompts, PromptList(prompts=(LETTER, REFINED)))
    known = {
        LETTER.name: PromptDetails(prompt=LETTER, versions=VERSIONS),
        REFINED.name: PromptDetails(prompt=REFINED, versions=(THINKING,)),
    }
    front.scripts[GetPrompt] = lambda call, cancelled: iter((finish(known[call.prompt]),))
    front.answer(SavePrompt, SavedPrompt(prompt=LETTER, added=True))
    front.answer(Ask, AskResult(answer="Dear Sir"))
    return front


def test_a_question_is_asked_with_a_prompt_and_a_preset_of_the_library(run: Run, library: FakeFront) -> None:
    assert run("ask", "To whom?", "--prompt", "office@1", "--prompt", "refined").status == 0
    part = library.asked(Ask)[0].recipe.prompting
    assert (part.instructions, part.technique, part.options) == ("Write letters.", "self-refine", {"rounds": 2})
    assert [(one.name, one.version) for one in part.sources] == [("Office letter", 1), ("Refined", 1)]
    run("ask", "To whom?", "--prompt", f"Office letter@{VERSIONS[0].hash[:8]}")
    assert library.asked(Ask)[1].recipe.prompting.sources == (source_of(LETTER, VERSIONS[0]),)
    ran = run("ask", "To whom?", "--prompt", "office@7")
    assert (ran.status, "no version '7' of 'Office letter'" in ran.err) == (1, True)


def test_options_change_what_the_library_holds(run: Run, library: FakeFront) -> None:
    run("ask", "q", "--prompt", "refined", "--prompt", "office", "--technique", "direct", "--set", "prompting.output=x")
    part = library.asked(Ask)[0].recipe.prompting
    assert (part.instructions, part.output, part.technique, part.options) == ("Write kind letters.", "x", "direct", {})


def test_a_version_is_saved_of_a_recipe_file_an_entry_and_options(run: Run, library: FakeFront, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('schema = 2\n[prompting]\ninstructions = "From a file."\n')
    ran = run(
        "prompts", "save", "New", "--recipe", str(recipe), "--set", "prompting.output=x", "--note", "n", "--tag", "t"
    )
    assert ran.out == f"Office letter, version 2 ({VERSIONS[0].hash[:8]}) was saved.\n"
    run("prompts", "save", "Other", "--prompt", "office", "--technique", "self-refine", "--reasoning")
    first, second = library.asked(SavePrompt)
    assert (first.name, first.kind, first.note, first.tags) == ("New", "prompt", "n", ("t",))
    assert (first.part.instructions, first.part.output) == ("From a file.", "x")
    assert (second.kind, second.tags, second.part.technique) == ("reasoning", None, "self-refine")
    library.answer(SavePrompt, SavedPrompt(prompt=LETTER, added=False))
    assert "holds that already" in run("prompts", "save", "New", "--prompt", "office").out


def test_the_library_is_listed_and_searched(run: Run, library: FakeFront) -> None:
    lines = run("prompts", "list").out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["NAME", "Office letter", "Refined"]
    assert "kinder" in lines[1]
    assert "Refined" not in run("prompts", "list", "--search", "letters KIND").out
    assert [one["name"] for one in run("prompts", "list", "--tag", "Office", "--json").result["prompts"]] == [
        LETTER.name
    ]
    library.answer(ListPrompts, PromptList(prompts=()))
    assert "empty" in run("prompts", "list").out


def test_a_version_is_shown_with_its_texts_and_all_versions(run: Run, library: FakeFront) -> None:
    out = run("prompts", "show", "office@1").out
    assert "Instructions:\nWrite letters.\n" in out
    assert VERSIONS[1].hash in out
    assert "kinder" in out
    assert "Technique:\nself-refine\n\nOptions:\nRounds: 2\n" in run("prompts", "show", "Refined").out


def test_two_versions_are_compared_by_words(run: Run, library: FakeFront) -> None:
    out = run("prompts", "diff", "office").out
    assert out == "Office letter, version 1 to 2\n\nInstructions:\nWrite {+kind +}letters.\n"
    assert "Write [-kind -]letters." in run("prompts", "diff", "office", "2", "1").out
    assert "No difference." in run("prompts", "diff", "Refined").out
    parts = run("prompts", "diff", "office", "--json").result["parts"]
    assert parts[0]["pieces"] == [["same", "Write "], ["added", "kind "], ["same", "letters."]]


def test_entries_are_restored_exported_and_only_removed_by_their_whole_name(
    run: Run, library: FakeFront, tmp_path: Path
) -> None:
    library.answer(RestorePrompt, SavedPrompt(prompt=LETTER, added=True))
    library.answer(ExportPrompt, "/tmp/x.json")
    library.answer(RemovePrompt, PromptList(prompts=()))
    run("prompts", "restore", "office", "1")
    assert library.asked(RestorePrompt) == [RestorePrompt(prompt=LETTER.name, version="1")]
    assert run("prompts", "export", "office", "--output", str(tmp_path / "x.json")).out == "Written to /tmp/x.json.\n"
    assert library.asked(ExportPrompt) == [ExportPrompt(prompts=(LETTER.name,), path=str(tmp_path / "x.json"))]
    run("prompts", "remove", "office")
    assert library.asked(RemovePrompt) == [RemovePrompt(prompt="office")]


def test_a_chat_shows_which_version_made_an_answer(run: Run, front: FakeFront) -> None:
    part = with_version(PromptingPart(), VERSIONS[1].content, source_of(LETTER, VERSIONS[1]))
    answer = StoredMessage(
        id="m2", chat="c", parent=None, role="assistant", text="Dear Sir", created=1.0, recipe=Recipe(prompting=part)
    )
    front.answer(
        GetChat, Chat(chat=ChatRecord(id="c", title="T", created=1.0, updated=1.0, head="m2"), messages=(answer,))
    )
    assert "(prompt: Office letter, version 1)" in run("chats", "show", "c").out
    stored = run("chats", "show", "c", "--json").result["messages"][0]["recipe"]["prompting"]["sources"]
    assert stored == [{"kind": "prompt", "name": "Office letter", "version": 1, "hash": VERSIONS[1].hash}]


def test_demonstrations_are_saved_listed_and_removed(run: Run, front: FakeFront) -> None:
    step = DemonstrationStep(tool="calculator", input="46 * 7", result="322")
    made = Demonstration(id="d1", created=1e9, question="How many days are 46 weeks?", steps=(step,), answer="322")
    front.answer(SaveDemonstration, made)
    ran = run("demonstrations", "save", "m1")
    assert front.asked(SaveDemonstration)[-1].message == "m1"
    assert "Step 1: calculator: 46 * 7\nResult 1: 322\nAnswer: 322" in ran.out
    front.answer(ListDemonstrations, DemonstrationList(demonstrations=(made,)))
    assert "How many days are 46 weeks?" in run("demonstrations", "list").out
    front.answer(RemoveDemonstration, DemonstrationList(demonstrations=()))
    assert "There are no demonstrations." in run("demonstrations", "remove", "d1").out
    assert front.asked(RemoveDemonstration)[-1].demonstration == "d1"
    front.answer(ListDemonstrations, DemonstrationList(demonstrations=(), unreadable="The file is damaged."))
    unreadable = run("demonstrations", "list")
    assert "The file is damaged." in unreadable.err
