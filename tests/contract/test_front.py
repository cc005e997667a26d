"""What every front owes the window. Each test runs against the window's fake and against the real core."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.contract.conftest import Desk
from tests.ui.fake_agents import WRITES
from tests.ui.fake_home import FakeHome
from tests.ui.fake_judgements import JudgementRoom
from workbench import calls as c
from workbench.api import events
from workbench.api.answer_state import AnswerState, replay
from workbench.api.protocol import Call
from workbench.base.errors import SendingRefused, UserError
from workbench.records.agents import Decision, Fact
from workbench.records.documents import Document
from workbench.records.endpoints import Endpoint
from workbench.records.evaluation import CellDetails, EvaluationReport, GridPage, QuestionSet, ScorerUse
from workbench.records.judgements import JudgedAnswer, Judgement, JudgementFilter
from workbench.records.mcp import McpServer
from workbench.records.messages import Message
from workbench.records.recipes import AgentPart, DecodingPart, ModelPart, PromptingPart, Recipe, RetrievalPart
from workbench.records.trace import StepEdit

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "nowhere"
UNKNOWN: dict[str, Call[Any]] = {
    "model": c.RemoveModel(name=NOWHERE),
    "model to load": c.LoadModel(name=NOWHERE),
    "model to look into": c.InspectModel(name=NOWHERE),
    "collection": c.ListDocuments(collection=NOWHERE),
    "collection to embed": c.SetEmbedder(collection=NOWHERE),
    "collection to unlock": c.UnlockDocument(collection=NOWHERE, document="d", password="p"),
    "collection to split": c.SetPassageLength(collection=NOWHERE, tokens=64),
    "collection to rename": c.RenameCollection(collection=NOWHERE, name="x"),
    "collection to remove": c.RemoveCollection(collection=NOWHERE),
    "collection to add to": c.AddDocuments(collection=NOWHERE, paths=("/tmp",)),
    "collection to search": c.SearchDocuments(collection=NOWHERE, query="x"),
    "chat": c.GetChat(chat=NOWHERE),
    "chat to withdraw in": c.WithdrawTool(chat=NOWHERE, tool="write_file"),
    "chat to rename": c.RenameChat(chat=NOWHERE, title="x"),
    "chat to delete": c.DeleteChat(chat=NOWHERE),
    "chat to pin": c.PinChat(chat=NOWHERE),
    "chat to export": c.ExportChat(chat=NOWHERE),
    "message to go to": c.SetHead(chat=NOWHERE, message=NOWHERE),
    "message to rate": c.RateAnswer(message=NOWHERE, rating=1),
    "message to edit": c.EditAnswer(message=NOWHERE, text="x"),
    "message to keep": c.SelectSequence(message=NOWHERE, sequence=0),
    "message to inspect": c.InspectAnswer(message=NOWHERE),
    "model to examine": c.ExamineModel(name=NOWHERE),
    "run": c.GetRun(run=NOWHERE),
    "run to follow": c.FollowRun(run=NOWHERE),
    "run to stop": c.StopRun(run=NOWHERE),
    "run to pause": c.PauseRun(run=NOWHERE),
    "run to resume": c.ResumeRun(run=NOWHERE),
    "run to remove": c.RemoveRun(run=NOWHERE),
    "adapter to rename": c.RenameAdapter(adapter=NOWHERE, name="x"),
    "question set": c.ListQuestions(question_set=NOWHERE),
    "question to edit": c.EditQuestion(question_set=NOWHERE, number=1),
    "question set to remove": c.RemoveQuestionSet(question_set=NOWHERE),
    "question set to score": c.SuggestScorers(question_set=NOWHERE),
    "question set to search on": c.Optimise(question_set=NOWHERE, recipe=Recipe(), method="opro"),
    "question set to evaluate on": c.Evaluate(question_set=NOWHERE, recipes=(Recipe(),)),
    "prompt": c.GetPrompt(prompt=NOWHERE),
    "prompt to restore": c.RestorePrompt(prompt=NOWHERE, version="1"),
    "prompt to remove": c.RemovePrompt(prompt=NOWHERE),
    "prompt to export": c.ExportPrompt(prompts=(NOWHERE,), path="/tmp/x.json"),
    "evaluation": c.GetEvaluation(evaluation=NOWHERE),
    "evaluation to list": c.ListGrid(evaluation=NOWHERE),
    "evaluation to look into": c.GetCell(evaluation=NOWHERE, number=1, column=0),
    "evaluation to rate": c.RateCell(evaluation=NOWHERE, number=1, column=0, rating=1),
    "evaluation to score": c.AddScorers(evaluation=NOWHERE),
    "evaluation to export": c.ExportEvaluation(evaluation=NOWHERE, path="/tmp/x.html"),
    "evaluation to remove": c.RemoveEvaluation(evaluation=NOWHERE),
    "judgement": c.GetJudgement(judgement=NOWHERE),
    "judgement to change": c.ChangeJudgement(judgement=NOWHERE, verdict="a"),
    "judgement to remove": c.RemoveJudgements(which=JudgementFilter(ids=(NOWHERE,))),
    "judgement to undo": c.UndoJudgement(),
    "judgements to import": c.ImportJudgements(path="/tmp/nowhere/judged.jsonl"),
    "judgements to export": c.ExportJudgements(path="/tmp/nowhere/judged.jsonl"),
    "judgements to learn from": c.MakePreferenceSet(name="x"),
    "queue": c.GetNextPair(queue=NOWHERE),
    "pair to skip": c.SkipPair(judgement=NOWHERE),
    "queue to remove": c.RemoveQueue(queue=NOWHERE),
    "queue to judge": c.JudgePairs(queue=NOWHERE, rewards=("letter-share",)),
    "queue that compares": c.GetWinRate(queue=NOWHERE),
    "reward": c.ScoreAnswers(rewards=("telepathy",), answers=()),
    "prompts to answer": c.MakeCandidates(name="x", recipes=(Recipe(),), prompts="questions", path=NOWHERE),
    "adapter to remove": c.RemoveAdapter(adapter=NOWHERE),
    "fact to edit": c.EditFact(fact=NOWHERE, text="x"),
    "fact to forget": c.ForgetFact(fact=NOWHERE),
    "server to remove": c.RemoveMcpServer(name=NOWHERE),
    "server to agree to": c.AgreeToMcpTools(name=NOWHERE, digests=()),
    "runtime pack to try": c.TryPack(name=NOWHERE),
    "runtime pack to remove": c.RemovePack(name=NOWHERE),
    "runtime pack to install": c.InstallPack(path="/tmp/nowhere/one.pack"),
    "answer to decide on": c.Decide(message=NOWHERE, decision=Decision(signature="", choice="deny")),
}


def recipe(desk: Desk, **parts: Any) -> Recipe:
    return Recipe(model=ModelPart(name=desk.model), **parts)


@pytest.mark.parametrize("call", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_there_is_not_is_an_error_that_says_so(desk: Desk, call: Call[Any]) -> None:
    with pytest.raises(UserError) as raised:
        desk.call(call)
    assert raised.value.message.endswith((".", "?"))


# -- the program -------------------------------------------------------------------------------------


def test_status_names_the_home_the_version_and_the_workers(desk: Desk) -> None:
    status: c.Status = desk.call(c.GetStatus())
    assert status.home
    assert status.version.count(".") >= 1
    assert status.model == ""
    assert {"inference", "embedding"} <= {worker.name for worker in status.workers}
    assert status.runs == ()


def test_a_setting_is_changed_told_and_checked(desk: Desk) -> None:
    changed = desk.call(c.ChangeSettings(values={"general": {"text_size": 18}}))
    assert changed.general.text_size == 18
    assert desk.call(c.GetSettings()) == changed
    desk.wait_for_change("settings", "")
    with pytest.raises(UserError, match=r"(?i)text.size"):
        desk.call(c.ChangeSettings(values={"general": {"text_size": 400}}))
    assert desk.call(c.GetSettings()) == changed


def test_a_loaded_model_is_in_the_status_until_it_is_unloaded(desk: Desk) -> None:
    told = desk.told(c.LoadModel(name=desk.model))
    assert any(isinstance(event, events.Progress) for event in told)
    assert isinstance(told[-1], events.Finished)
    status: c.Status = desk.call(c.GetStatus())
    assert status.model == desk.model
    assert status.context_tokens > 0
    assert desk.call(c.UnloadModel()).model == ""


def test_models_are_listed_looked_into_and_removed(desk: Desk) -> None:
    listed: c.ModelList = desk.call(c.ListModels())
    assert {model.kind for model in listed.models} == {"chat", "embedder"}
    chat = next(model for model in listed.models if model.name == desk.model)
    assert (chat.format, chat.architecture, chat.missing) == ("gguf", "llama", False)
    details: c.ModelDetails = desk.call(c.InspectModel(name=desk.model))
    assert details.model == chat
    assert details.layers > 0
    assert desk.call(c.RemoveModel(name=desk.model)) == chat
    desk.wait_for_change("model", desk.model)
    assert desk.model not in [model.name for model in desk.call(c.ListModels()).models]


def test_default_model_is_chosen_and_goes_with_its_model(desk: Desk) -> None:
    assert desk.call(c.ListModels()).default == ""
    assert desk.call(c.SetDefaultModel(name=desk.model)).default == desk.model
    desk.wait_for_change("settings", "")
    assert desk.call(c.GetSettings()).general.model == desk.model
    assert desk.call(c.ListModels()).default == desk.model
    desk.call(c.RemoveModel(name=desk.model))
    assert desk.call(c.GetSettings()).general.model == ""
    with pytest.raises(UserError, match=desk.model):
        desk.call(c.SetDefaultModel(name=desk.model))


def test_exam_is_a_run_that_is_stopped_and_resumed(desk: Desk) -> None:
    exam: c.RunRecord = desk.call(c.ExamineModel(name=desk.model))
    assert (exam.kind, exam.config["model"]) == ("exam", desk.model)
    desk.wait_for_change("run", exam.id)
    assert desk.call(c.ExamineModel(name=desk.model)).id == exam.id  # it is under way
    desk.call(c.StopRun(run=exam.id))
    assert desk.call(c.GetRun(run=exam.id)).config["model"] == desk.model
    assert desk.call(c.ListModels()).models[0].exam is None


def test_a_file_that_is_no_model_is_refused_by_its_name(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("No model.")
    with pytest.raises(UserError, match=r"notes\.txt"):
        desk.call(c.ImportModel(path=str(tmp_path / "notes.txt")))


# -- documents ---------------------------------------------------------------------------------------


def test_a_collection_is_made_renamed_and_removed(desk: Desk) -> None:
    made: c.Collection = desk.call(c.CreateCollection(name="Papers"))
    desk.wait_for_change("collection", made.id)
    assert (made.name, made.documents) == ("Papers", 0)
    assert desk.call(c.ListCollections()).collections == (made,)
    assert desk.call(c.ListDocuments(collection="Papers")).documents == ()
    renamed = desk.call(c.RenameCollection(collection=made.id, name="Reports"))
    assert (renamed.id, renamed.name) == (made.id, "Reports")
    desk.call(c.RemoveCollection(collection=made.id))
    assert desk.call(c.ListCollections()).collections == ()


@pytest.mark.parametrize("name", ["", "   ", "Papers"])
def test_a_collection_needs_a_name_of_its_own(desk: Desk, name: str) -> None:
    desk.call(c.CreateCollection(name="Papers"))
    with pytest.raises(UserError):
        desk.call(c.CreateCollection(name=name))
    assert len(desk.call(c.ListCollections()).collections) == 1


def test_reading_a_folder_is_a_run_that_tells_of_each_file(desk: Desk, papers: Path) -> None:
    collection: c.Collection = desk.call(c.CreateCollection(name="Papers"))
    desk.forget_changes()
    run: c.RunRecord = desk.call(c.AddDocuments(collection="Papers", paths=(str(papers),)))
    assert (run.kind, run.config["collection"]) == ("ingest", collection.id)
    told = desk.told(c.FollowRun(run=run.id))
    files = [event for event in told if isinstance(event, events.Artifact) and event.kind == "document"]
    assert {Path(file.id).name for file in files} == {"bridge.txt", "river.txt", "tower.txt"}
    assert {(file.result["state"], file.result["chunks"]) for file in files} == {("indexed", 1)}
    counted = [event for event in told if isinstance(event, events.Progress) and event.unit == "files"]
    assert (counted[-1].done, counted[-1].total) == (3, 3)
    ended = told[-1]
    assert isinstance(ended, events.Finished)
    assert ended.result["indexed"] == 3
    assert [event.seq for event in told] == sorted(event.seq for event in told)
    assert desk.told(c.FollowRun(run=run.id, after=files[1].seq))[0].seq > files[1].seq
    desk.wait_for_change("run", run.id)
    desk.wait_for_change("collection", collection.id)
    assert desk.call(c.GetRun(run=run.id)).state == "finished"
    assert desk.call(c.ListCollections()).collections[0].documents == 3


def test_a_document_is_listed_read_found_and_removed(desk: Desk, papers: Path) -> None:
    desk.call(c.CreateCollection(name="Papers"))
    desk.read("Papers", papers)
    documents: tuple[Document, ...] = desk.call(c.ListDocuments(collection="Papers")).documents
    assert {document.state for document in documents} == {"indexed"}
    bridge = next(document for document in documents if document.path.endswith("bridge.txt"))
    text: c.DocumentText = desk.call(c.GetDocumentText(collection="Papers", document=bridge.id))
    assert text.text == "All about the bridge."
    assert [(chunk.start, chunk.end) for chunk in text.chunks] == [(0, len(text.text))]
    hits = desk.call(c.SearchDocuments(collection="Papers", query="bridge", limit=2)).hits
    assert 1 <= len(hits) <= 2
    assert all(text.text[hit.start : hit.end] or hit.document for hit in hits)
    left = desk.call(c.RemoveDocument(collection="Papers", document=bridge.id))
    assert left.documents == 2
    assert bridge.id not in [known.id for known in desk.call(c.ListDocuments(collection="Papers")).documents]


def test_the_length_of_passages_belongs_to_a_collection(desk: Desk, papers: Path) -> None:
    desk.call(c.CreateCollection(name="Papers"))
    run = desk.call(c.AddDocuments(collection="Papers", paths=(str(papers),)))
    desk.call(c.FollowRun(run=run.id))
    with pytest.raises(UserError, match="5 tokens"):
        desk.call(c.SetPassageLength(collection="Papers", tokens=5))
    assert desk.call(c.SetPassageLength(collection="Papers", tokens=64)).passage_tokens == 64
    assert desk.call(c.ListCollections()).collections[0].passage_tokens == 64


def test_the_embedding_model_belongs_to_a_collection(desk: Desk, papers: Path) -> None:
    collection = desk.call(c.CreateCollection(name="Papers"))
    desk.read("Papers", papers)
    embedder = next(model.name for model in desk.call(c.ListModels()).models if model.kind == "embedder")
    for wrong in ("nowhere", desk.model):
        with pytest.raises(UserError):
            desk.call(c.SetEmbedder(collection="Papers", model=wrong))
    desk.forget_changes()
    assert desk.call(c.SetEmbedder(collection="Papers", model=embedder)).embedder == embedder
    desk.wait_for_change("collection", collection.id)
    assert desk.call(c.SetEmbedder(collection="Papers")).embedder == ""


def test_a_locked_file_is_read_with_its_password_which_is_stored_nowhere(desk: Desk, papers: Path) -> None:
    path = papers / "lease.txt"
    path.write_text("LOCKED The notice is ninety days.")
    desk.call(c.CreateCollection(name="Papers"))
    desk.read("Papers", papers)

    def lease() -> Document:
        known = desk.call(c.ListDocuments(collection="Papers")).documents
        return next(one for one in known if one.path == str(path))

    assert (lease().state, lease().locked) == ("failed", True)
    for password, state in (("sesame", "failed"), ("open sesame", "indexed")):
        run = desk.call(c.UnlockDocument(collection="Papers", document=lease().id, password=password))
        desk.told(c.FollowRun(run=run.id))
        assert (lease().state, lease().locked) == (state, state == "failed")
        assert password not in str(desk.call(c.GetRun(run=run.id)))
    with pytest.raises(UserError, match="not protected"):
        desk.call(c.UnlockDocument(collection="Papers", document=str(path), password="open sesame"))


def test_a_folder_is_watched_until_it_is_not(desk: Desk, papers: Path) -> None:
    desk.call(c.CreateCollection(name="Papers"))
    run = desk.call(c.AddDocuments(collection="Papers", paths=(str(papers),), watch=True))
    desk.told(c.FollowRun(run=run.id))
    assert desk.call(c.ListCollections()).collections[0].watched == (str(papers),)
    left = desk.call(c.Unwatch(collection="Papers", path=str(papers)))
    assert (left.watched, left.folders) == ((), (str(papers),))  # it can be watched again


def test_a_folder_leaves_with_its_files_and_nothing_else(desk: Desk, papers: Path, tmp_path: Path) -> None:
    other = tmp_path / "papers-2"
    other.mkdir()
    (other / "pump.txt").write_text("All about the pump.")
    desk.call(c.CreateCollection(name="Papers"))
    run = desk.call(c.AddDocuments(collection="Papers", paths=(str(papers), str(other)), watch=True))
    desk.call(c.FollowRun(run=run.id))
    left = desk.call(c.RemoveFolder(collection="Papers", path=str(papers)))
    assert (left.folders, left.watched, left.documents) == ((str(other),), (str(other),), 1)
    found = desk.call(c.ListDocuments(collection="Papers")).documents
    assert [document.path for document in found] == [str(other / "pump.txt")]
    with pytest.raises(UserError, match="not added"):
        desk.call(c.RemoveFolder(collection="Papers", path=str(papers)))


# -- runs --------------------------------------------------------------------------------------------


def test_runs_are_listed_the_latest_first_and_removed(desk: Desk, papers: Path) -> None:
    desk.call(c.CreateCollection(name="Papers"))
    first, second = desk.read("Papers", papers), desk.read("Papers", papers)
    assert [run.id for run in desk.call(c.ListRuns()).runs] == [second.id, first.id]
    assert [run.id for run in desk.call(c.ListRuns(limit=1)).runs] == [second.id]
    assert desk.call(c.GetRun(run=first.id)) == desk.call(c.ListRuns()).runs[1]
    desk.forget_changes()
    assert desk.call(c.RemoveRun(run=first.id)) is None
    desk.wait_for_change("run", first.id)
    assert [run.id for run in desk.call(c.ListRuns()).runs] == [second.id]


def test_a_run_that_has_ended_is_not_paused_and_stays_as_it_is_when_stopped(desk: Desk, papers: Path) -> None:
    desk.call(c.CreateCollection(name="Papers"))
    run = desk.read("Papers", papers)
    with pytest.raises(UserError):
        desk.call(c.PauseRun(run=run.id))
    with pytest.raises(UserError):
        desk.call(c.ResumeRun(run=run.id))
    assert desk.call(c.StopRun(run=run.id)).state == "finished"


# -- chats -------------------------------------------------------------------------------------------


def test_a_question_is_stored_streamed_and_answered(desk: Desk) -> None:
    told = desk.told(c.Ask(question="How tall is it?", recipe=recipe(desk)))
    first, last = told[0], told[-1]
    assert isinstance(first, events.Artifact)
    assert first.kind == "message"
    assert isinstance(last, events.Finished)
    chat, question, answer = (first.result[name] for name in ("chat", "question", "answer"))
    pieces = "".join(event.text for event in told if isinstance(event, events.TextDelta))
    assert pieces.strip() == last.result["answer"].strip() != ""
    assert (last.result["chat"], last.result["message"]) == (chat, answer)
    assert last.result["usage"]["new_tokens"] > 0
    desk.wait_for_change("chat", chat)
    stored: c.Chat = desk.call(c.GetChat(chat=chat))
    assert [(message.id, message.role, message.state) for message in stored.messages] == [
        (question, "user", "done"),
        (answer, "assistant", "done"),
    ]
    assert stored.messages[1].parent == question
    assert stored.messages[1].recipe is not None
    assert stored.messages[1].recipe.model.name == desk.model
    assert (stored.chat.head, stored.chat.title) == (answer, "How tall is it?")
    found = desk.call(c.ListChats())
    assert found.chats == (msgspec.structs.replace(stored.chat, recipe=None),)  # thousands of recipes would be sent
    assert found.latest == stored.chat.recipe


def test_a_chat_has_branches_and_a_head(desk: Desk) -> None:
    first: c.AskResult = desk.call(c.Ask(question="One", recipe=recipe(desk)))
    second: c.AskResult = desk.call(c.Ask(question="Two", chat=first.chat, recipe=recipe(desk)))
    again: c.AskResult = desk.call(c.Ask(regenerate=second.message, recipe=recipe(desk)))
    edited: c.AskResult = desk.call(c.Ask(question="Another", chat=first.chat, root=True, recipe=recipe(desk)))
    stored: c.Chat = desk.call(c.GetChat(chat=first.chat))
    parents = {message.id: message.parent for message in stored.messages}
    assert parents[again.message] == parents[second.message]
    assert parents[str(parents[second.message])] == first.message
    assert parents[str(parents[edited.message])] is None
    assert stored.chat.head == edited.message
    assert desk.call(c.SetHead(chat=first.chat, message=again.message)).head == again.message


def test_a_chat_is_found_renamed_exported_and_deleted(desk: Desk) -> None:
    asked: c.AskResult = desk.call(c.Ask(question="Where is the lighthouse?", recipe=recipe(desk)))
    desk.call(c.Ask(question="Anything else", recipe=recipe(desk)))
    assert [chat.id for chat in desk.call(c.ListChats(search="lighthouse")).chats] == [asked.chat]
    assert desk.call(c.RenameChat(chat=asked.chat, title="Lights")).title == "Lights"
    assert "Where is the lighthouse?" in desk.call(c.ExportChat(chat=asked.chat))
    assert desk.call(c.DeleteChat(chat=asked.chat)).id == asked.chat
    assert asked.chat not in [chat.id for chat in desk.call(c.ListChats()).chats]
    with pytest.raises(UserError):
        desk.call(c.GetChat(chat=asked.chat))


def test_an_answer_from_documents_names_its_passages(desk: Desk, papers: Path) -> None:
    desk.call(c.CreateCollection(name="Papers"))
    desk.read("Papers", papers)
    told = desk.told(
        c.Ask(
            question="What about the bridge?",
            recipe=recipe(desk, retrieval=RetrievalPart(mode="own-words", collection="Papers", decline=False)),
        )
    )
    retrieved = next(event for event in told if isinstance(event, events.Retrieved))
    assert retrieved.query
    assert [passage.n for passage in retrieved.passages] == list(range(1, len(retrieved.passages) + 1))
    answer = desk.call(c.GetChat(chat=told[0].result["chat"])).messages[-1]  # type: ignore[union-attr]
    assert answer.passages == retrieved.passages


def test_statements_and_citations_are_told_before_the_end_and_stored(desk: Desk, papers: Path) -> None:
    desk.call(c.CreateCollection(name="Papers"))
    desk.read("Papers", papers)
    part = RetrievalPart(mode="quoted-first", collection="Papers", decline=False)
    *told, last = desk.told(c.Ask(question="What about the bridge?", recipe=recipe(desk, retrieval=part)))
    assert isinstance(last, events.Finished)
    result = msgspec.convert(last.result, c.AskResult)
    live = AnswerState.of(told)
    assert live.state == "streaming"
    assert live.verification is not None
    assert result.verification is not None
    statements = live.verification.statements
    assert statements == result.verification.statements[: len(statements)] != ()
    assert {one.n: one for one in live.citations} == {one.n: one for one in result.citations}
    stored = desk.call(c.GetChat(chat=result.chat)).messages[-1]
    assert (stored.verification, stored.citations) == (result.verification, result.citations)
    again = AnswerState.of(replay(stored, desk.call(c.GetTrace(message=result.message))))
    assert (again.verification, again.citations) == (result.verification, result.citations)


def test_a_file_is_attached_to_one_chat_and_goes_with_it(desk: Desk, papers: Path) -> None:
    path = sorted(papers.iterdir())[0]
    attached: c.Attached = desk.call(c.AttachFiles(paths=(str(path),)))
    desk.told(c.FollowRun(run=attached.run.id))
    collection, chat = attached.collection.id, attached.chat.id
    assert [Path(one.path) for one in desk.call(c.ListDocuments(collection=collection)).documents] == [path]
    assert desk.call(c.ListCollections()).collections == ()
    (listed,) = desk.call(c.ListChats()).chats
    assert (listed.title, listed.attachments) == ("", collection)
    result: c.AskResult = desk.call(c.Ask(question="What about the tower?", chat=chat, recipe=recipe(desk)))
    assert {passage.collection for passage in result.passages} <= {collection}
    assert desk.call(c.GetChat(chat=chat)).chat.title == "What about the tower?"
    desk.call(c.DeleteChat(chat=chat))
    with pytest.raises(UserError):
        desk.call(c.ListDocuments(collection=collection))


def test_a_path_that_is_wrong_attaches_nothing(desk: Desk) -> None:
    with pytest.raises(UserError, match="/nowhere"):
        desk.call(c.AttachFiles(paths=("/nowhere",)))
    assert desk.call(c.ListChats()).chats == ()


def test_a_pinned_chat_stands_first(desk: Desk) -> None:
    chats = [desk.call(c.Ask(question=text, recipe=recipe(desk))).chat for text in ("First?", "Second?")]
    assert desk.call(c.PinChat(chat=chats[0])).pinned
    assert [one.id for one in desk.call(c.ListChats()).chats] == chats


def test_chats_are_put_into_folders_that_are_made_renamed_and_removed(desk: Desk) -> None:
    chat = desk.call(c.Ask(question="First?", recipe=recipe(desk))).chat
    desk.forget_changes()
    assert desk.call(c.CreateChatFolder(name=" Two  cases ")).folders == ("Two cases",)
    assert desk.call(c.CreateChatFolder(name="appeals")).folders == ("appeals", "Two cases")
    for taken in ("two cases", " "):
        with pytest.raises(UserError):
            desk.call(c.CreateChatFolder(name=taken))
    assert desk.call(c.MoveChat(chat=chat, folder="two cases")).folder == "Two cases"
    desk.wait_for_change("chat", chat)
    with pytest.raises(UserError):
        desk.call(c.MoveChat(chat=chat, folder="nowhere"))
    with pytest.raises(UserError):
        desk.call(c.RenameChatFolder(folder="Two cases", name="Appeals"))
    assert desk.call(c.WithdrawTool(chat=chat, tool="write_file")).allowed == ()
    renamed = desk.call(c.RenameChatFolder(folder="Two cases", name="Case 7"))
    assert renamed.folders == ("appeals", "Case 7")
    assert [one.folder for one in renamed.chats] == ["Case 7"]
    assert desk.call(c.RemoveChatFolder(folder="Case 7")).folders == ("appeals",)
    (left,) = desk.call(c.ListChats()).chats
    assert (left.id, left.folder) == (chat, "")
    desk.call(c.MoveChat(chat=chat, folder="appeals"))
    assert desk.call(c.MoveChat(chat=chat)).folder == ""


def test_several_answers_are_kept_and_one_of_them_chosen(desk: Desk) -> None:
    told = desk.told(c.Ask(question="Tell", recipe=recipe(desk, decoding=DecodingPart(n=2, temperature=1.0))))
    assert {event.sequence for event in told if isinstance(event, events.TextDelta)} == {0, 1}
    message = told[0].result["answer"]  # type: ignore[union-attr]
    kept: c.StoredMessage = desk.call(c.SelectSequence(message=message, sequence=1))
    assert len(kept.sequences) == 2
    assert (kept.selected_sequence, kept.text) == (1, kept.sequences[1].text)


def test_another_answer_goes_on_from_a_changed_step_and_an_impossible_change_stores_nothing(desk: Desk) -> None:
    tree = PromptingPart(technique="tree-of-thoughts")
    asked_with = msgspec.structs.replace(recipe(desk), prompting=tree)
    first: c.AskResult = desk.call(c.Ask(question="How tall is it?", recipe=asked_with))
    [root] = [step for step in desk.call(c.GetTrace(message=first.message)).steps if step.kind == "tree"]
    before = desk.call(c.GetChat(chat=first.chat)).messages
    for edit in (StepEdit(step="99", action="expand"), StepEdit(step=root.id, action="prune")):
        with pytest.raises(UserError, match="cannot be changed"):
            desk.call(c.Ask(recipe=asked_with, regenerate=first.message, edit=edit))
    with pytest.raises(UserError, match="Only an answer that is there"):
        desk.call(c.Ask(question="?", recipe=asked_with, edit=StepEdit(step=root.id, action="expand")))
    assert desk.call(c.GetChat(chat=first.chat)).messages == before
    edit = StepEdit(step=root.id, action="expand")
    second: c.AskResult = desk.call(c.Ask(recipe=asked_with, regenerate=first.message, edit=edit))
    assert second.message != first.message
    stored = {message.id: message for message in desk.call(c.GetChat(chat=first.chat)).messages}
    assert stored[second.message].parent == stored[first.message].parent
    assert "tree" in [step.kind for step in desk.call(c.GetTrace(message=second.message)).steps]


def test_an_answer_is_rated_edited_and_given_back(desk: Desk) -> None:
    asked: c.AskResult = desk.call(c.Ask(question="Tell", recipe=recipe(desk)))
    assert desk.call(c.RateAnswer(message=asked.message, rating=1)).rating == 1
    edited: c.StoredMessage = desk.call(c.EditAnswer(message=asked.message, text="Better."))
    assert (edited.text, edited.original.strip()) == ("Better.", asked.answer.strip())
    back: c.StoredMessage = desk.call(c.EditAnswer(message=asked.message, text=""))
    assert (back.text.strip(), back.original) == (asked.answer.strip(), None)


def test_the_tokens_of_an_answer_are_its_text(desk: Desk) -> None:
    asked: c.AskResult = desk.call(c.Ask(question="Tell", recipe=recipe(desk)))
    tokens: c.AnswerTokens = desk.call(c.InspectAnswer(message=asked.message))
    assert "".join(token.text for token in tokens.tokens).strip() == asked.answer.strip()
    assert all(token.logprob <= 0 and token.alternatives for token in tokens.tokens)


def test_a_beam_search_tells_its_steps(desk: Desk) -> None:
    told = desk.told(c.Ask(question="Tell me", recipe=recipe(desk, decoding=DecodingPart(strategy="beam"))))
    steps = [event.number for event in told if isinstance(event, events.BeamStep)]
    assert steps == list(range(len(steps)))
    assert len(steps) > 1


def test_the_form_of_an_answer_is_checked_where_it_is_wrong(desk: Desk) -> None:
    schema = '{"type": "object"}'
    assert desk.call(c.CheckFormat(format="json_schema", grammar=schema, text="{}")) == c.FormatCheck()
    assert desk.call(c.CheckFormat(format="json_schema", grammar=schema, text="{")).text_problem
    broken: c.FormatCheck = desk.call(c.CheckFormat(format="json_schema", grammar='{\n"type": }'))
    assert (broken.line, bool(broken.problem)) == (2, True)


# -- everything --------------------------------------------------------------------------------------


def test_lists_of_what_is_made_here_are_empty_at_first(desk: Desk) -> None:
    assert desk.call(c.ListAdapters()).adapters == ()
    assert desk.call(c.ListDataSets()).sets == ()
    assert desk.call(c.ListChats()).chats == ()
    assert desk.call(c.ListRuns()).runs == ()


# -- evaluations -------------------------------------------------------------------------------------


def test_a_question_set_is_made_listed_paged_and_removed(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "capitals.jsonl"
    path.write_text("\n".join(f'{{"question": "Number {n}?", "answer": "{n}"}}' for n in range(40)))
    made: QuestionSet = desk.call(c.CreateQuestionSet(path=str(path), tune_share=0.25))
    desk.wait_for_change("questions", made.id)
    assert (made.name, made.questions, made.tune, made.origin) == ("capitals", 40, 10, "capitals.jsonl")
    assert desk.call(c.ListQuestionSets()).sets == (made,)
    with pytest.raises(UserError, match="already"):
        desk.call(c.CreateQuestionSet(path=str(path)))
    page: c.QuestionPage = desk.call(c.ListQuestions(question_set=made.name, first=38, limit=5))
    assert (page.total, page.first, [one.number for one in page.questions]) == (40, 38, [39, 40])
    assert desk.call(c.SuggestScorers(question_set=made.id))
    assert desk.call(c.RemoveQuestionSet(question_set=made.id)).sets == ()


def test_an_evaluation_is_begun_listed_and_removed(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "capitals.jsonl"
    path.write_text("\n".join(f'{{"question": "Number {n}?", "answer": "{n}"}}' for n in range(40)))
    made: QuestionSet = desk.call(c.CreateQuestionSet(path=str(path)))
    uses = (ScorerUse(name="exact-match"),)
    run: c.RunRecord = desk.call(c.Evaluate(question_set=made.id, recipes=(recipe(desk, name="A"),), scorers=uses))
    assert run.kind == "evaluate"
    desk.wait_for_change("run", run.id)
    evaluation = run.config["evaluation"]
    assert [one.id for one in desk.call(c.ListEvaluations()).evaluations] == [evaluation]
    report: EvaluationReport = desk.call(c.GetEvaluation(evaluation=evaluation))
    assert (report.evaluation.run, report.cells) == (run.id, 40)
    assert [column.name for column in report.evaluation.columns] == ["A"]
    assert [one.title for one in report.results] == ["Exact match"]
    grid: GridPage = desk.call(c.ListGrid(evaluation=evaluation, first=10, limit=5))
    assert (grid.total, [row.number for row in grid.rows]) == (40, [11, 12, 13, 14, 15])
    assert all(len(row.cells) == 1 for row in grid.rows)
    details: CellDetails = desk.call(c.GetCell(evaluation=evaluation, number=11, column=0))
    assert (details.column, details.question.number) == ("A", 11)
    desk.call(c.StopRun(run=run.id))


# -- the prompt library ------------------------------------------------------------------------------


def test_a_prompt_is_saved_restored_shared_and_removed(desk: Desk, tmp_path: Path) -> None:
    def save(words: str, **fields: Any) -> c.SavedPrompt:
        saved: c.SavedPrompt = desk.call(c.SavePrompt(name="Letter", part=PromptingPart(instructions=words), **fields))
        return saved

    first = save("one", note="begun", tags=("office",))
    desk.wait_for_change("prompts", first.prompt.id)
    assert (first.added, first.prompt.head.number, first.prompt.tags) == (True, 1, ("office",))
    assert not save("one").added
    second = save("two")
    assert desk.call(c.ListPrompts()).prompts == (second.prompt,)
    restored: c.SavedPrompt = desk.call(c.RestorePrompt(prompt="letter", version=first.prompt.head.hash[:8]))
    found: c.PromptDetails = desk.call(c.GetPrompt(prompt=second.prompt.id))
    assert [(one.number, one.content.instructions) for one in found.versions] == [(3, "one"), (2, "two"), (1, "one")]
    assert found.prompt == restored.prompt
    path = desk.call(c.ExportPrompt(prompts=("Letter",), path=str(tmp_path / "letter.json")))
    assert [one.name for one in desk.call(c.ImportPrompt(path=path)).prompts] == ["Letter 2"]
    assert [one.name for one in desk.call(c.RemovePrompt(prompt="Letter")).prompts] == ["Letter 2"]
    with pytest.raises(UserError, match="empty"):
        desk.call(c.SavePrompt(name="Nothing", part=PromptingPart()))


# -- agents ------------------------------------------------------------------------------------------


def test_tools_say_what_they_do_and_why_they_cannot_run(desk: Desk, tmp_path: Path) -> None:
    def tools(**agent: Any) -> dict[str, c.ToolRecord]:
        found: c.ToolList = desk.call(c.ListTools(agent=AgentPart(**agent)))
        return {tool.name: tool for tool in found.tools}

    without, within = tools(), tools(folder=str(tmp_path), memory="read-write")
    assert list(without) == list(within)
    assert (without["calculator"].effects, without["calculator"].output) == (("read",), "trusted")
    assert without["write_file"].unavailable
    assert without["write_file"].description == ""  # it is not made, so what it does is not known
    assert within["write_file"].unavailable == ""
    assert within["write_file"].effects == ("write",)
    assert (within["read_file"].effects, within["read_file"].output) == (("read",), "untrusted")
    assert within["remember"].effects == ("write",)
    assert all(tool.title and tool.summary for tool in within.values())


def test_facts_are_added_edited_found_and_forgotten(desk: Desk) -> None:
    assert desk.call(c.ListFacts()).facts == ()
    first: Fact = desk.call(c.AddFact(text=" I write formal German. "))
    desk.wait_for_change("facts", first.id)
    assert (first.text, first.source, first.chat) == ("I write formal German.", "you", "")
    assert first.created > 0
    second: Fact = desk.call(c.AddFact(text="The pump came in March."))
    assert [fact.id for fact in desk.call(c.ListFacts()).facts] == [second.id, first.id]
    assert first.id in [fact.id for fact in desk.call(c.ListFacts(search="German")).facts]
    desk.forget_changes()
    edited: Fact = desk.call(c.EditFact(fact=first.id, text="I write formal French."))
    assert (edited.id, edited.text, edited.source) == (first.id, "I write formal French.", "you")
    desk.wait_for_change("facts", first.id)
    desk.forget_changes()
    assert desk.call(c.ForgetFact(fact=first.id)) == edited
    desk.wait_for_change("facts", first.id)
    assert [fact.id for fact in desk.call(c.ListFacts()).facts] == [second.id]
    for call in (c.AddFact(text="  "), c.EditFact(fact=second.id, text="")):
        with pytest.raises(UserError):
            desk.call(call)


def test_a_server_is_kept_without_its_secrets_though_it_cannot_be_started(desk: Desk) -> None:
    assert desk.call(c.ListMcpServers(connect=False)).servers == ()
    server = McpServer(name="files", command=("/nowhere/serve",), environment={"TOKEN": "secret"})
    saved: c.McpServerRecord = desk.call(c.SaveMcpServer(server=server))
    desk.wait_for_change("mcp", "")
    assert saved.problem
    assert saved.server == McpServer(name="files", command=("/nowhere/serve",), environment={"TOKEN": ""})
    assert desk.call(c.ListMcpServers(connect=False)).servers == (c.McpServerRecord(server=saved.server),)
    with pytest.raises(UserError):
        desk.call(c.SaveMcpServer(server=McpServer(name="no command")))
    desk.call(c.RemoveMcpServer(name="files"))
    assert desk.call(c.ListMcpServers()).servers == ()


def test_an_answer_that_does_not_wait_takes_no_decision(desk: Desk) -> None:
    asked: c.AskResult = desk.call(c.Ask(question="Tell", recipe=recipe(desk)))
    with pytest.raises(UserError, match="decision"):
        desk.call(c.Decide(message=asked.message, decision=Decision(signature="x", choice="allow")))
    assert desk.call(c.GetChat(chat=asked.chat)).messages[-1].state == "done"


def test_an_answer_waits_for_a_decision_which_can_hold_for_the_chat(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    order = f"CALL {WRITES.tool} {msgspec.json.encode(WRITES.arguments).decode()} END"
    agent = AgentPart(tools=(WRITES.tool,), folder=str(tmp_path))
    asked: c.AskResult = desk.call(c.Ask(question=f"Do it. {order}", recipe=recipe(desk, agent=agent)))
    assert asked.waiting is not None
    assert asked.waiting.call == WRITES
    chat: c.Chat = desk.call(c.GetChat(chat=asked.chat))
    assert (chat.messages[-1].state, chat.messages[-1].waiting) == ("waiting", asked.waiting)
    assert (chat.chat.waiting, chat.chat.allowed) == (asked.message, ())
    assert [one.waiting for one in desk.call(c.ListChats()).chats] == [asked.message]
    desk.forget_changes()
    decision = Decision(signature=WRITES.signature, choice="allow-in-chat")
    done: c.AskResult = desk.call(c.Decide(message=asked.message, decision=decision))
    assert (done.message, done.waiting) == (asked.message, None)
    desk.wait_for_change("chat", asked.chat)
    (record,) = desk.call(c.ListChats()).chats
    assert (record.waiting, record.allowed) == ("", (WRITES.tool,))
    assert desk.call(c.GetChat(chat=asked.chat)).messages[-1].state == "done"
    desk.forget_changes()
    assert desk.call(c.WithdrawTool(chat=asked.chat, tool=WRITES.tool)).allowed == ()
    desk.wait_for_change("chat", asked.chat)


def _judged(question: str, a: str, b: str, verdict: str = "a") -> Judgement:
    return Judgement(
        prompt=(Message("user", question),),
        a=JudgedAnswer(text=a, name="base"),
        b=JudgedAnswer(text=b, name="tuned"),
        shown="ab",
        verdict=verdict,  # type: ignore[arg-type]
    )


def test_judgements_are_added_listed_changed_removed_and_taken_back(desk: Desk) -> None:
    assert desk.call(c.ListJudgements()).judgements == ()
    first, second = desk.call(
        c.AddJudgements(judgements=(_judged("High?", "Yes.", "No."), _judged("Deep?", "Yes.", "No.", "tie")))
    )
    desk.wait_for_change("judgements", "")
    assert first.created > 0
    assert first.id != second.id
    page: c.JudgementPage = desk.call(c.ListJudgements(which=JudgementFilter(verdicts=("tie",))))
    assert (page.total, page.judgements) == (1, (second,))
    desk.forget_changes()
    changed: Judgement = desk.call(c.ChangeJudgement(judgement=first.id, verdict="b", comment=" It is low. "))
    desk.wait_for_change("judgements", first.id)
    assert (changed.verdict, changed.comment) == ("b", "It is low.")
    edited: Judgement = desk.call(c.ChangeJudgement(judgement=second.id, edits="b", edited="Very deep."))
    assert edited.b is not None
    assert (edited.b.text, edited.b.original, edited.verdict, edited.edited) == ("Very deep.", "No.", "b", True)
    with pytest.raises(UserError, match="says nothing of two answers"):
        desk.call(c.ChangeJudgement(judgement=first.id, verdict="good"))
    assert desk.call(c.RemoveJudgements(which=JudgementFilter(search="high"))) == 1
    with pytest.raises(UserError):
        desk.call(c.RemoveJudgements(which=JudgementFilter()))
    undone = desk.call(c.UndoJudgement())
    assert undone.ids == (first.id,)
    assert desk.call(c.GetJudgement(judgement=first.id)) == changed


def test_ratings_and_edits_of_chats_are_judgements_and_stay_with_the_chat(desk: Desk) -> None:
    asked: c.AskResult = desk.call(c.Ask(question="How tall?", recipe=recipe(desk)))
    desk.call(c.RateAnswer(message=asked.message, rating=1))
    [rated] = desk.call(c.ListJudgements()).judgements
    assert (rated.source, rated.verdict, rated.chat, rated.question) == ("chat", "good", asked.chat, "How tall?")
    turned: Judgement = desk.call(c.ChangeJudgement(judgement=rated.id, verdict="poor"))
    assert turned.verdict == "poor"
    assert desk.call(c.GetChat(chat=asked.chat)).messages[-1].rating == -1
    desk.call(c.EditAnswer(message=asked.message, text="Forty metres."))
    [edit] = desk.call(c.ListJudgements(which=JudgementFilter(edited=True))).judgements
    assert edit.preferred is not None
    assert edit.preferred.text == "Forty metres."
    assert edit.preferred.original == asked.answer
    with pytest.raises(UserError, match="chat"):
        desk.call(c.ChangeJudgement(judgement=edit.id, verdict="b"))
    assert desk.call(c.RemoveJudgements(which=JudgementFilter(ids=(edit.id,)))) == 1
    assert edit.id not in [one.id for one in desk.call(c.ListJudgements()).judgements]
    assert desk.call(c.GetChat(chat=asked.chat)).messages[-1].text == "Forty metres."


def test_judgements_are_exported_imported_measured_and_made_into_a_set(desk: Desk, tmp_path: Path) -> None:
    given = tuple(_judged(f"Number {n}?", f"It is {n}.", "I do not know.") for n in range(12))
    desk.call(c.AddJudgements(judgements=(*given, _judged("Number 3?", "I do not know.", "It is 3."))))
    statistics = desk.call(c.GetJudgementStatistics())
    [conflict] = statistics.contradictions
    assert (statistics.judgements, conflict.prompt, len(conflict.ids)) == (13, "Number 3?", 2)
    assert statistics.longer_preferred.n == 13
    learnable = desk.call(c.GetLearnable(held_out_share=0.25))
    assert (learnable.pairs, learnable.objectives[0].fits, learnable.objectives[0].held_out) == (11, True, 3)
    path = tmp_path / "judged.jsonl"
    exported = desk.call(c.ExportJudgements(path=str(path), form="trl"))
    assert (exported.rows, exported.left_out) == (13, ())
    again = desk.call(c.ImportJudgements(path=str(path)))
    assert (again.form, again.rows, again.added, again.duplicates) == ("trl", 13, 0, 13)
    path.write_text(path.read_text() + '{"prompt": "Old?", "chosen": "Yes.", "rejected": "Yes."}\n')
    path.write_text(path.read_text() + '{"prompt": "New?", "chosen": "Yes.", "rejected": "No."}\n')
    more = desk.call(c.ImportJudgements(path=str(path)))
    assert (more.added, more.refused) == (1, ("judged.jsonl, line 14: its two answers are the same.",))
    made = desk.call(c.MakePreferenceSet(name="taste"))
    desk.wait_for_change("data", "taste")
    assert (made.name, made.examples) == ("taste", 12)
    assert "taste" in [one.name for one in desk.call(c.ListDataSets()).sets]
    with pytest.raises(UserError, match="already"):
        desk.call(c.MakePreferenceSet(name="taste"))


def test_pairs_of_a_queue_are_judged_blind_in_a_row(desk: Desk) -> None:
    for question in ("How tall?", "How deep?"):
        desk.call(c.Ask(question=question, recipe=recipe(desk)))
    drawn = DecodingPart(temperature=1.0, max_tokens=8)
    recipes = (recipe(desk, name="Plain", decoding=drawn),)
    run: c.RunRecord = desk.call(c.MakeCandidates(name="Taste", recipes=recipes))
    assert run.kind == "candidates"
    assert isinstance(desk.told(c.FollowRun(run=run.id))[-1], events.Finished)
    with pytest.raises(UserError, match="already"):
        desk.call(c.MakeCandidates(name="taste", recipes=recipes))
    [queue] = desk.call(c.ListQueues()).queues
    assert (queue.name, queue.columns, queue.run, queue.judged) == ("Taste", ("Plain",), run.id, 0)
    assert queue.waiting >= 2
    shown: c.NextPair = desk.call(c.GetNextPair(queue="Taste"))
    assert shown.pair is not None
    assert all(not answer.name and answer.recipe is None for answer in shown.pair.answers)
    judged: Judgement = desk.call(c.ChangeJudgement(judgement=shown.pair.id, verdict="b"))
    desk.wait_for_change("labelling", queue.id)
    assert (judged.source, judged.b is not None and judged.b.name) == ("label", "Plain")
    following: c.NextPair = desk.call(c.GetNextPair(queue=queue.id))
    assert following.queue.judged == 1
    assert following.pair is None or following.pair.id != shown.pair.id
    assert desk.call(c.UndoJudgement(queue=queue.id)).ids == (shown.pair.id,)
    back: c.NextPair = desk.call(c.GetNextPair(queue="Taste"))
    assert back.pair == shown.pair
    skipped: c.NextPair = desk.call(c.SkipPair(judgement=shown.pair.id))
    assert skipped.pair is not None
    assert skipped.pair.id != shown.pair.id
    assert desk.call(c.RemoveQueue(queue="Taste")).queues == ()


def test_two_recipes_are_compared_and_judged_by_a_rule(desk: Desk) -> None:
    desk.call(c.Ask(question="How tall?", recipe=recipe(desk)))
    said = PromptingPart(instructions="Say 3.")
    recipes = (recipe(desk, name="Before"), recipe(desk, name="After", prompting=said))
    run: c.RunRecord = desk.call(c.MakeCandidates(name="Worth it", recipes=recipes, purpose="verdict"))
    desk.told(c.FollowRun(run=run.id))
    waiting = desk.call(c.GetNextPair(queue="Worth it")).queue.waiting
    before = desk.call(c.GetWinRate(queue="Worth it"))
    assert (before.n, before.waiting) == (0, waiting)
    judged: c.RunRecord = desk.call(c.JudgePairs(queue="Worth it", rewards=("length-range minimum=0 maximum=1",)))
    assert judged.kind == "judging"
    assert isinstance(desk.told(c.FollowRun(run=judged.id))[-1], events.Finished)
    after = desk.call(c.GetWinRate(queue="Worth it"))
    assert (after.n, after.waiting) == (waiting, 0)
    assert after.won + after.lost + after.tied == waiting
    assert list(after.judges) == ["length-range minimum=0 maximum=1"]
    [one] = desk.call(c.ListJudgements(which=JudgementFilter(judges=("rule",)), limit=1)).judgements
    assert one.source == "verdict"


def test_a_judge_is_measured_on_what_the_person_judged(desk: Desk) -> None:
    with pytest.raises(UserError, match="No judge"):
        desk.call(c.JudgePairs())
    run: c.RunRecord = desk.call(c.JudgePairs(recipe=recipe(desk)))
    ended = desk.told(c.FollowRun(run=run.id))[-1]
    assert isinstance(ended, events.Failed)
    assert "no pairs" in ended.message


def test_answers_are_scored_by_rewards(desk: Desk) -> None:
    answer = c.AnswerToScore(prompt=(Message("user", "How?"),), answer="eee")
    [found] = desk.call(c.ScoreAnswers(rewards=("letter-share scale=1", "length-range weight=2"), answers=(answer,)))
    assert found.parts == pytest.approx({"Letters": 0.0, "Length": 0.2})
    assert found.value == pytest.approx(0.4)


def test_passages_are_not_sent_before_a_person_allows_it(desk: Desk) -> None:
    endpoint = Endpoint(address="https://api.example.com/v1", model="big", context_tokens=4096)
    away = c.ModelRecord(
        name="Away", kind="chat", format="endpoint", path=endpoint.address, architecture="", parameters=0,
        quantization="", context_tokens=4096, bytes=0, endpoint=endpoint,
    )  # fmt: skip
    desk.put_model(away)
    desk.call(c.CreateCollection(name="manuals"))
    asked = c.Ask(
        question="How long?", recipe=Recipe(model=ModelPart(name="Away"), retrieval=RetrievalPart(collection="manuals"))
    )
    for refused in (False, True):
        (ended,) = desk.told(asked)
        assert isinstance(ended, events.Failed)
        assert ended.sending == events.Sending(model="Away", collection="manuals", refused=refused)
        assert "manuals" in ended.message
        assert "api.example.com" in ended.message
        desk.call(c.AllowSending(name="Away", collection="manuals", allowed=False))
    with pytest.raises(SendingRefused):
        desk.call(asked)
    assert desk.call(c.ListChats()).chats == ()


def test_a_backup_is_a_run_and_what_is_none_is_refused(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "b.zip"
    with pytest.raises(UserError, match="There is no file"):
        desk.call(c.InspectBackup(path=str(out)))
    run = desk.call(c.BackUp(path=str(out)))
    assert (run.kind, run.config["path"]) == ("backup", str(out))
    written = desk.call(c.FollowRun(run=run.id))
    assert written["path"] == str(out)
    out.touch(exist_ok=True)
    assert desk.call(c.InspectBackup(path=str(out))).files == written["summary"]["files"]
    run = desk.call(c.RestoreBackup(path=str(out), folder=str(tmp_path / "new")))
    assert (run.kind, desk.call(c.FollowRun(run=run.id))["home"]) == ("restore", str(tmp_path / "new"))


def test_the_fake_answers_every_call_that_the_window_makes() -> None:
    calls = {name for name, kind in vars(c).items() if isinstance(kind, type) and issubclass(kind, Call)} - {"Call"}
    made = {name for path in (ROOT / "ui").rglob("*.py") for name in _names(path) if name in calls}
    known = {name for path in (ROOT / "tests" / "ui").glob("fake_*.py") for name in _names(path)}
    known |= {call.__name__ for call in JudgementRoom(FakeHome()).handlers}  # which are the program's own
    assert len(made) > 40
    assert made - known == set()


def _names(path: Path) -> set[str]:
    """What a file mentions: names, and attributes of ``c``."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in nodes if isinstance(node, ast.Name)}
