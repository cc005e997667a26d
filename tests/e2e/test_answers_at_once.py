"""Several answers at once, their tokens, branches, adapters and speed: the Workbench with a worker that stands in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gguf
import msgspec
import numpy as np
import pytest

from tests.e2e.test_core import WAIT_S, answer_of, begin, call, ingest, last, papers, until, workbench
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import read_result
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.answers import AskResult, DocumentTask, StoredMessage
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, Recipe, RetrievalPart
from workbench.subjects.chats import answers as answers_module
from workbench.subjects.chats.calls import (
    AT_END,
    Ask,
    BranchPoint,
    FollowAnswer,
    GetChat,
    GetTrace,
    InspectAnswer,
    ListChats,
    SelectSequence,
    StopAnswer,
)
from workbench.subjects.chats.requests import LEAVES_LOOP
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.documents.calls import CreateCollection
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import BenchModel, ImportModel
from workbench.subjects.runs.calls import Subscribe
from workbench.techniques.composition import LOOPED
from workbench.techniques.reported_generation import LOOP, LOOP_TITLE

__all__ = ["papers", "workbench"]  # fixtures


def decoded(**fields: Any) -> Recipe:
    return Recipe(decoding=DecodingPart(**{"temperature": 1.0, **fields}))


def spelled(tokens: Sequence[int]) -> str:
    """The stand-in's tokens are characters."""
    return "".join(chr(token) for token in tokens)


def message_of(workbench: Workbench, result: AskResult) -> StoredMessage:
    messages = call(workbench, GetChat(chat=result.chat)).messages
    return next(m for m in messages if m.id == result.message)


def test_several_answers_are_stored_and_another_one_can_be_kept(workbench: Workbench) -> None:
    result: AskResult = call(workbench, Ask(question="Well?", recipe=decoded(n=3)))
    assert [s.text for s in result.sequences] == ["You said Well? ", "(1) You said Well? ", "(2) You said Well? "]
    stored = message_of(workbench, result)
    assert (stored.text, stored.selected_sequence, stored.traced) == ("You said Well? ", 0, True)
    assert stored.sequences == result.sequences
    assert [s.tokens for s in stored.sequences] == [len(s.text) for s in stored.sequences]
    assert stored.usage is not None
    assert stored.usage.new_tokens == sum(s.tokens for s in stored.sequences)
    kept: StoredMessage = call(workbench, SelectSequence(message=stored.id, sequence=2))
    assert kept == message_of(workbench, result)
    assert (kept.text, kept.selected_sequence) == ("(2) You said Well? ", 2)
    followed: AskResult = call(workbench, Ask(question="And?", chat=result.chat))
    prompt = call(workbench, InspectAnswer(message=followed.message)).tokens
    assert prompt  # the next answer was made
    for wrong in (-1, 3):
        with pytest.raises(UserError, match="no answer"):
            call(workbench, SelectSequence(message=stored.id, sequence=wrong))
    with pytest.raises(UserError, match="only one"):
        call(workbench, SelectSequence(message=followed.message, sequence=0))
    replayed = list(workbench.handle(FollowAnswer(message=stored.id)))[-1]
    assert isinstance(replayed, events.Finished)
    assert read_result(Ask(), replayed.result).sequences == stored.sequences


def test_the_best_of_ranked_answers_is_the_message(workbench: Workbench) -> None:
    result: AskResult = call(workbench, Ask(question="Well?", recipe=decoded(n=2, ranked=True)))
    assert result.answer == message_of(workbench, result).text == "(1) You said Well? "
    tokens = call(workbench, InspectAnswer(message=result.message)).tokens
    assert spelled([t.token for t in tokens]) == result.answer


def test_a_kept_answer_brings_its_own_citations(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    recipe = msgspec.structs.replace(
        decoded(n=2), retrieval=RetrievalPart(mode="own-words", collection="Papers", decline=False, passages=3)
    )
    result: AskResult = call(workbench, Ask(question="the bridge", recipe=recipe))
    before = message_of(workbench, result)
    after: StoredMessage = call(workbench, SelectSequence(message=before.id, sequence=1))
    one = after.sequences[1]
    assert [(c.n, c.claimed) for c in after.citations] == [
        (p.n, p.n in one.claimed) for p in after.passages if p.n in (*one.claimed, *one.matched)
    ]
    assert call(workbench, SelectSequence(message=before.id, sequence=0)).citations == before.citations


def test_nothing_is_done_with_an_answer_that_is_being_made(workbench: Workbench) -> None:
    arrived, context = begin(workbench, Ask(question="slow please", recipe=decoded(n=2)))
    answer = until(arrived, events.Artifact).result["answer"]
    until(arrived, events.TextDelta)
    for request in (
        SelectSequence(message=answer, sequence=1),
        InspectAnswer(message=answer),
        Ask(regenerate=answer, branch=BranchPoint(position=0, token=65)),
    ):
        with pytest.raises(UserError, match="still being generated"):
            call(workbench, request)
    context.cancel()
    last(arrived)


def test_a_stopped_answer_keeps_all_its_sequences_and_their_tokens(workbench: Workbench) -> None:
    arrived, _ = begin(workbench, Ask(question="slow please", recipe=decoded(n=2)))
    stored = until(arrived, events.Artifact).result
    for _ in range(6):
        until(arrived, events.TextDelta)
    call(workbench, StopAnswer(message=stored["answer"]))
    assert isinstance(last(arrived), events.Cancelled)
    answer = answer_of(workbench, stored["chat"])
    assert (answer.state, len(answer.sequences), answer.traced) == ("stopped", 2, True)
    for number, one in enumerate(answer.sequences):
        tokens = call(workbench, InspectAnswer(message=answer.id, sequence=number)).tokens
        assert spelled([t.token for t in tokens]) == one.text
        assert one.finish == "cancelled"


def test_tokens_of_an_answer_are_told_with_what_else_could_have_come(workbench: Workbench) -> None:
    result: AskResult = call(workbench, Ask(question="Well?", recipe=decoded(n=2)))
    told = call(workbench, InspectAnswer(message=result.message, sequence=1, alternatives=3))
    assert spelled([t.token for t in told.tokens]) == result.sequences[1].text
    assert (told.first, told.next.token, len(told.next.alternatives)) == (0, -1, 3)
    end = call(workbench, InspectAnswer(message=result.message, last=4))
    assert (end.first, spelled([t.token for t in end.tokens])) == (len(result.answer) - 4, result.answer[-4:])
    with pytest.raises(UserError, match="no sequence 2"):
        call(workbench, InspectAnswer(message=result.message, sequence=2))
    question = call(workbench, GetChat(chat=result.chat)).messages[0]
    with pytest.raises(UserError, match="not stored"):
        call(workbench, InspectAnswer(message=question.id))


def test_a_beam_search_keeps_its_steps(workbench: Workbench) -> None:
    seen: list[Event] = []
    recipe = decoded(strategy="beam", num_beams=2, n=2)
    result: AskResult = call(workbench, Ask(question="Well?", recipe=recipe), seen.append)
    steps = [e.beams for e in seen if isinstance(e, events.BeamStep)]
    assert len(steps) == 3
    assert call(workbench, InspectAnswer(message=result.message)).beams == tuple(steps)
    deltas = [e for e in seen if isinstance(e, events.TextDelta)]
    assert [e.text for e in deltas] == [s.text for s in result.sequences]


def test_tokens_are_not_told_by_another_model(workbench: Workbench, tmp_path: Path, smollm_path: Path) -> None:
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(smollm_path.read_bytes())
    call(workbench, ImportModel(path=str(copy), name="Copy"))
    recipe = Recipe(model=ModelPart(name="Copy"))
    call(workbench, Ask(question="Well?", recipe=recipe))
    result: AskResult = call(workbench, Ask(question="Well?", recipe=recipe))
    while not message_of(workbench, result).recipe.model.sha256:  # it is computed beside the first answers
        result = call(workbench, Ask(question="Well?", recipe=recipe))
    assert call(workbench, InspectAnswer(message=result.message)).tokens
    with copy.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x55")
    with pytest.raises(UserError, match="files of Copy have changed"):
        call(workbench, InspectAnswer(message=result.message))
    copy.unlink()
    with pytest.raises(UserError, match="no longer at"):
        call(workbench, InspectAnswer(message=result.message))


def test_an_answer_branches_at_a_token(workbench: Workbench) -> None:
    result: AskResult = call(workbench, Ask(question="Well?", recipe=decoded(n=2)))
    seen: list[Event] = []
    point = BranchPoint(sequence=1, position=4, token=ord("X"))
    branched: AskResult = call(workbench, Ask(regenerate=result.message, branch=point, recipe=decoded()), seen.append)
    first = next(e for e in seen if isinstance(e, events.TextDelta))
    assert first.text == result.sequences[1].text[:4] + "X"
    assert branched.answer == first.text + "and so on "
    old, new = message_of(workbench, result), message_of(workbench, branched)
    assert (new.parent, new.text, new.traced) == (old.parent, branched.answer, True)
    assert new.recipe is not None
    assert old.recipe is not None
    same = msgspec.structs.replace(
        old.recipe.model, sha256=new.recipe.model.sha256
    )  # known a moment after the first answer
    assert (new.recipe.model, new.recipe.decoding.n) == (same, 1)
    assert spelled([t.token for t in call(workbench, InspectAnswer(message=new.id)).tokens]) == new.text
    further = BranchPoint(position=len(new.text), token=ord("!"))
    again: AskResult = call(workbench, Ask(regenerate=new.id, branch=further))
    assert again.answer == new.text + "!and so on "


def test_a_stopped_answer_is_continued_at_its_end(workbench: Workbench) -> None:
    arrived, context = begin(workbench, Ask(question="slow please"))
    ids = until(arrived, events.Artifact).result
    until(arrived, events.TextDelta)
    context.cancel()
    assert isinstance(last(arrived), events.Cancelled)
    before = next(one for one in call(workbench, GetChat(chat=ids["chat"])).messages if one.id == ids["answer"])
    assert (before.state, before.traced) == ("stopped", True)
    end = BranchPoint(position=AT_END, token=AT_END)
    arrived, context = begin(workbench, Ask(regenerate=before.id, branch=end))
    beside = until(arrived, events.Artifact).result
    assert until(arrived, events.TextDelta).text == before.text
    context.cancel()
    last(arrived)
    assert beside["question"] == before.parent


def test_an_answer_that_repeats_itself_is_marked_and_continued_with_a_penalty(workbench: Workbench) -> None:
    greedy = decoded(temperature=0.0)
    result: AskResult = call(workbench, Ask(question="Go in circles", recipe=greedy))
    stored = message_of(workbench, result)
    assert (stored.finish, stored.looped, stored.state, stored.notices) == ("loop", True, "done", (LOOPED,))
    rows = [(step.kind, step.title, step.output) for step in call(workbench, GetTrace(message=stored.id)).steps]
    assert rows[-1] == (LOOP, LOOP_TITLE, "in circles")
    replayed = [last(begin(workbench, FollowAnswer(message=stored.id))[0])]
    assert isinstance(replayed[0], events.Finished)
    assert replayed[0].result["sequences"][0]["finish"] == "loop"

    end = BranchPoint(position=AT_END, token=AT_END)
    again: AskResult = call(workbench, Ask(regenerate=stored.id, branch=end, recipe=greedy))
    assert again.answer.startswith(stored.text)
    beside = message_of(workbench, again)
    assert beside.recipe is not None
    assert (beside.recipe.decoding.dry_multiplier, beside.looped) == (0.8, False)
    assert beside.notices == (LEAVES_LOOP.format(dry=0.8),)
    chat = call(workbench, GetChat(chat=result.chat)).chat
    assert chat.recipe is not None
    assert chat.recipe.decoding.dry_multiplier == 0  # the next question is asked without it


def test_each_of_several_answers_is_marked_by_itself(workbench: Workbench) -> None:
    result: AskResult = call(workbench, Ask(question="Go in circles", recipe=decoded(n=2)))
    stored = message_of(workbench, result)
    assert stored.finish is None
    assert [one.finish for one in stored.sequences] == ["loop", "loop"]
    assert stored.looped


def test_another_place_of_a_loop_is_continued_as_it_was_asked(workbench: Workbench) -> None:
    result: AskResult = call(workbench, Ask(question="Go in circles", recipe=decoded(temperature=0.0)))
    branch = BranchPoint(position=3, token=ord("!"))
    again: AskResult = call(workbench, Ask(regenerate=result.message, branch=branch, recipe=decoded(temperature=0.0)))
    assert again.recipe.decoding.dry_multiplier == 0


@pytest.mark.parametrize(
    ("point", "message"),
    [
        (BranchPoint(position=99, token=1), "no position 99"),
        (BranchPoint(position=-1, token=1), "no position -1"),
        (BranchPoint(position=0, token=-1), "token -1"),
        (BranchPoint(position=0, token=1, sequence=1), "no sequence 1"),
    ],
)
def test_a_branch_that_cannot_be_is_refused_and_stores_nothing(
    workbench: Workbench, point: BranchPoint, message: str
) -> None:
    result: AskResult = call(workbench, Ask(question="Well?"))
    with pytest.raises(UserError, match=message):
        call(workbench, Ask(regenerate=result.message, branch=point))
    with pytest.raises(UserError, match="starts from an answer"):
        call(workbench, Ask(question="x", branch=point))
    assert len(call(workbench, GetChat(chat=result.chat)).messages) == 2
    assert len(call(workbench, ListChats()).chats) == 1


def test_a_branch_of_an_answer_from_documents_searches_nothing_anew(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    recipe = Recipe(retrieval=RetrievalPart(mode="own-words", collection="Papers", road="place", decline=False))
    result: AskResult = call(workbench, Ask(question="What about the bridge?", recipe=recipe))
    (papers / "bridge.txt").write_text("All about the bridge, which has gone.")
    ingest(workbench, "Papers", papers)
    point = BranchPoint(position=3, token=ord("X"))
    branched: AskResult = call(workbench, Ask(regenerate=result.message, branch=point, recipe=recipe))
    old, new = message_of(workbench, result), message_of(workbench, branched)
    assert new.passages == old.passages != ()
    assert new.recipe is not None
    assert old.recipe is not None
    assert new.recipe.retrieval == old.recipe.retrieval


def test_whole_documents_are_worked_on_in_the_background(workbench: Workbench, tmp_path: Path) -> None:
    folder = tmp_path / "describe"
    folder.mkdir()
    (folder / "note.txt").write_text("describe")
    call(workbench, CreateCollection(name="Notes"))
    ingest(workbench, "Notes", folder)
    recipe = Recipe(retrieval=RetrievalPart(mode="own-words", collection="Notes"))
    task = DocumentTask(document=str(folder / "note.txt"), task="translate", language="German")
    assert "background=True" in call(workbench, Ask(recipe=recipe, document=task)).answer
    assert "background=False" in call(workbench, Ask(question="describe")).answer


def test_a_draft_model_is_looked_up_before_anything_is_stored(workbench: Workbench, gemma_path: Path) -> None:
    call(workbench, ImportModel(path=str(gemma_path), name="Gemma"))
    recipe = Recipe(model=ModelPart(name="SmolLM"), decoding=DecodingPart(speculation="draft", draft_model="gemma"))
    result: AskResult = call(workbench, Ask(question="describe", recipe=recipe))
    assert f"draft={gemma_path.name}" in result.answer
    assert result.recipe.decoding.draft_model == "Gemma"
    for name, message in (("nobody", "no model 'nobody'"), ("", "No draft model"), ("all-Mi", "cannot answer")):
        wrong = msgspec.structs.replace(recipe, decoding=DecodingPart(speculation="draft", draft_model=name))
        with pytest.raises(UserError, match=message):
            call(workbench, Ask(question="x", recipe=wrong))
    assert len(call(workbench, ListChats()).chats) == 1


def test_an_adapter_that_is_not_there_or_is_none_is_refused(workbench: Workbench, smollm_path: Path) -> None:
    for name, message in (("nowhere", "nowhere"), (str(smollm_path), "not an adapter")):
        recipe = Recipe(model=ModelPart(adapters=(AdapterUse(name=name),)))
        with pytest.raises(UserError, match=message):
            call(workbench, Ask(question="x", recipe=recipe))
    assert call(workbench, ListChats()).chats == ()


def write_adapter(path: Path, seed: int) -> None:
    """A LoRA on one layer of SmolLM2, of random weights."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    for half, shape in (("a", (4, 576)), ("b", (576, 4))):
        weights = random.normal(size=shape).astype(np.float32)
        writer.add_tensor(f"blk.0.attn_q.weight.lora_{half}", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_adapters_go_with_the_answer_and_must_be_the_same_to_look_into_it(workbench: Workbench, home: Home) -> None:
    home.adapters.mkdir()
    write_adapter(home.adapters / "tone.gguf", 1)
    recipe = Recipe(model=ModelPart(adapters=(AdapterUse(name="tone", scale=0.5),)))
    result: AskResult = call(workbench, Ask(question="describe", recipe=recipe))
    assert "adapters=tone.gguf:0.5" in result.answer
    (used,) = result.recipe.model.adapters
    assert (used.name, used.scale, len(used.sha256)) == ("tone", 0.5, 64)
    assert call(workbench, InspectAnswer(message=result.message)).tokens
    point = BranchPoint(position=0, token=65)
    branched: AskResult = call(workbench, Ask(regenerate=result.message, branch=point))
    assert branched.recipe.model.adapters == (used,)
    write_adapter(home.adapters / "tone.gguf", 2)
    for request in (InspectAnswer(message=result.message), Ask(regenerate=result.message, branch=point)):
        with pytest.raises(UserError, match="adapter tone has changed"):
            call(workbench, request)
    (home.adapters / "tone.gguf").unlink()
    with pytest.raises(UserError, match="tone"):
        call(workbench, InspectAnswer(message=result.message))


def test_a_changed_setting_holds_from_the_next_answer_on(workbench: Workbench) -> None:
    assert "deterministic=False" in call(workbench, Ask(question="describe")).answer
    call(workbench, ChangeSettings(values={"engine": {"deterministic": True}}))
    seen: list[Event] = []
    assert "deterministic=True" in call(workbench, Ask(question="describe"), seen.append).answer
    assert any(isinstance(e, events.Progress) and e.stage == "loading the model" for e in seen)
    seen.clear()
    result: AskResult = call(workbench, Ask(question="Well?"), seen.append)
    call(workbench, InspectAnswer(message=result.message), seen.append)
    assert not any(isinstance(e, events.Progress) and e.stage == "loading the model" for e in seen)


def test_speed_is_measured_alone(workbench: Workbench) -> None:
    arrived, context = begin(workbench, Ask(question="slow please"))
    until(arrived, events.TextDelta)
    measured, _ = begin(workbench, BenchModel(name="SmolLM", sequences=4, rounds=2))
    assert until(measured, events.Progress).stage == "waiting for another answer"
    context.cancel()
    finished = last(measured)
    assert isinstance(finished, events.Finished)
    benchmark = read_result(BenchModel(name=""), finished.result)
    assert (benchmark.model, benchmark.prompt, benchmark.together) == ("SmolLM", 1000.0, 400.0)
    assert (benchmark.choice, benchmark.engine, benchmark.device) == ("It fits.", "fake 1", "CPU")
    assert benchmark.load_seconds > 0
    assert "again" in call(workbench, Ask(question="again")).answer


def test_an_end_for_which_there_was_no_room_is_stored_once_there_is_some(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_module, "STORE_AGAIN_S", 0.05)
    full = True
    store_ending = ChatStore.store_ending

    def refuse(*arguments: Any, **fields: Any) -> None:
        if full:
            raise UserError("The disk is full.", "Free some space.")
        store_ending(*arguments, **fields)

    monkeypatch.setattr(ChatStore, "store_ending", refuse)
    changes, _ = begin(workbench, Subscribe())
    arrived, _ = begin(workbench, Ask(question="Well?"))
    chat = until(arrived, events.Artifact).result["chat"]
    failed = last(arrived)
    assert isinstance(failed, events.Failed)
    assert "full" in failed.message
    assert answer_of(workbench, chat).state == "streaming"
    full = False
    while (answer := answer_of(workbench, chat)).state == "streaming":
        changes.get(timeout=WAIT_S)
    assert (answer.state, answer.text) == ("done", "You said Well? ")
