"""What each command asks the core for, and what it shows."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.cli.conftest import SMOLLM, FakeFront, Ran
from workbench.api.events import Artifact, Cancelled, Event, Failed, Log, Progress, TextDelta
from workbench.api.protocol import finish
from workbench.base.settings import EngineSettings, Settings
from workbench.records.answers import AskResult, DocumentTask, StoredMessage
from workbench.records.documents import (
    AddResult,
    Collection,
    Document,
    DocumentList,
    FailedFile,
    NameEntry,
    NameList,
    NamePlaces,
    PagePicture,
    SearchResult,
)
from workbench.records.exam import EXAM_VERSION, Ends, ExamRates, ExamResult, OfficeKind, Rate
from workbench.records.messages import Candidate, Citation, Passage, Usage
from workbench.records.models import Machine, ModelDetails
from workbench.records.outcomes import Reason
from workbench.records.projects import ChatProject
from workbench.records.recipes import ModelPart, Recipe, RetrievalPart, save_recipe
from workbench.records.trace import StepEdit, TokenIds, Trace, TraceStep
from workbench.subjects.chats.calls import (
    Ask,
    ChangeChatFolder,
    Chat,
    ChatFolder,
    ChatList,
    ChatRecord,
    CreateChatFolder,
    DeleteChat,
    ExportChat,
    ExportChats,
    Exported,
    GetChat,
    GetChatFolder,
    GetTrace,
    ListChats,
    MoveChat,
    RemoveChatFolder,
    RenameChatFolder,
)
from workbench.subjects.documents.calls import (
    AddDocuments,
    CollectionList,
    CreateCollection,
    DrawPage,
    FindName,
    GetDocumentText,
    ListCollections,
    ListDocuments,
    ListNames,
    RemoveCollection,
    RemoveDocument,
    SearchDocuments,
    UnlockDocument,
)
from workbench.subjects.evaluation.calls import ExamineModel
from workbench.subjects.machine.calls import ChangeSettings, GetMachine, GetSettings, RestartWorker
from workbench.subjects.models.calls import (
    GetHubAccount,
    HubAccount,
    ImportModel,
    InspectModel,
    ListModels,
    LoadModel,
    ModelList,
    RemoveModel,
    UnloadModel,
)
from workbench.subjects.runs.calls import FollowRun, ListRuns, RunList, RunRecord, Status

Run = Callable[..., Ran]

PASSAGE = Passage(
    collection="c1", document="d1", document_hash="h", path="/docs/tower.pdf", title="Tower", start=10, end=40,
    text="The tower was rebuilt in 1911.", page=3, score=0.5, similarity=0.7, n=1,
)  # fmt: skip
CITATION = Citation(
    n=1, collection="c1", document="d1", document_hash="h", path="/docs/tower.pdf", title="Tower", start=10, end=40,
    text="The tower was rebuilt in 1911.", page=3, score=0.5,
)  # fmt: skip
ANSWER = AskResult(
    answer="In 1911 [1].",
    sequences=(Candidate(text="In 1911."),),
    citations=(CITATION,),
    usage=Usage(prompt_tokens=100, new_tokens=5),
    recipe=Recipe(model=ModelPart(name=SMOLLM.name)),
    chat="chat1",
    message="m2",
    query="When was it rebuilt?",
    passages=(PASSAGE,),
)
RUN = RunRecord(id="r1", kind="ingest", title="notes", state="running", created=1.0, progress=0.25)


DOCUMENTS = (
    Document(id="d1", path="/docs/图.md", title="t", kind="md", state="indexed", chunks=3),
    Document(id="d2", path="/docs/b.pdf", title="b", kind="pdf", state="failed", reason="no text in it"),
    Document(id="d3", path="/docs/old/b.pdf", title="b", kind="pdf", state="indexed", chunks=1),
)


@pytest.fixture(autouse=True)
def documents(front: FakeFront) -> None:
    front.answer(ListDocuments, DocumentList(documents=DOCUMENTS))


@pytest.fixture
def answering(front: FakeFront) -> FakeFront:
    front.answer(Ask, ANSWER, TextDelta(text="In 1911."))
    return front


TRACE = Trace(
    steps=(
        TraceStep(id="1", kind="search", title="Search the documents", input="When?", output="1 passage", seconds=0.08),
        TraceStep(id="2", kind="sections", title="Summarise 2 sections", state="stopped"),
        TraceStep(
            id="3",
            kind="section",
            title="Section 1 of 2",
            parent="2",
            score=-0.4,
            usage=Usage(prompt_tokens=100, new_tokens=5),
            tokens=TokenIds(prompt=(1,), sequences=((2,),)),
        ),
    )
)


def test_thoughts_are_shown_as_a_tree_and_changed(run: Run, front: FakeFront) -> None:
    thoughts = (
        TraceStep(id="1", kind="tree", title="Tree of thoughts"),
        TraceStep(id="2", kind="thought", parent="1", title="13 - 9 = 4", score=0.25),
        TraceStep(id="3", kind="score", parent="2", usage=Usage(prompt_tokens=9, new_tokens=1200)),
        TraceStep(id="4", kind="thought", parent="1", title="10 - 4 = 6", score=0.75),
        TraceStep(id="5", kind="thought", parent="4", title="6 * 4 = 24", output="solved", score=1.0),
        TraceStep(id="6", kind="edit", parent="2", output="prune"),
    )
    front.answer(GetTrace, Trace(steps=thoughts))
    assert run("chats", "steps", "m2", "--tree").out == (
        "* Tree of thoughts · step 1\n"
        "    13 - 9 = 4 · score 0.25 · 1,200 tokens · pruned · step 2\n"
        "*   10 - 4 = 6 · score 0.75 · step 4\n"
        "*     6 * 4 = 24 · score 1.00 · solved · step 5\n"
    )
    front.answer(Ask, ANSWER)
    record = ChatRecord(id="c", title="t", created=1.0, updated=1.0, recipe=Recipe())
    front.answer(GetChat, Chat(chat=record, messages=()))
    run("ask", "--chat", "c", "--again", "m2", "--prune", "4")
    run("ask", "9 - 4 = 5", "--chat", "c", "--again", "m2", "--edit-step", "2")
    asked = front.asked(Ask)
    assert [(call.question, call.edit) for call in asked] == [
        ("", StepEdit(step="4", action="prune")),
        ("", StepEdit(step="2", action="edit", text="9 - 4 = 5")),
    ]
    for argv in (["x", "--expand", "2"], ["--chat", "c", "--again", "m", "--edit-step", "2"],
                 ["--chat", "c", "--again", "m", "--expand", "2", "--prune", "3"]):  # fmt: skip
        assert run("ask", *argv).status == 2


def test_steps_are_shown_on_request_and_are_in_the_result(run: Run, front: FakeFront) -> None:
    front.answer(Ask, msgspec.structs.replace(ANSWER, trace=TRACE))
    front.answer(GetTrace, TRACE)
    shown = """\
Search the documents · 0.08 s
  < When?
  > 1 passage
Summarise 2 sections · stopped
  Section 1 of 2 · 100 prompt + 5 new tokens · score -0.40 · step 3
"""
    assert run("ask", "When?", "--trace").out.endswith(shown)
    assert run("chats", "steps", "m2").out == shown
    assert "Search the documents" not in run("ask", "When?").out
    assert "no tree" in run("chats", "steps", "m2", "--tree").err
    told = run("ask", "When?", "--json").result["trace"]["steps"]
    assert [(step["title"], "tokens" in step) for step in told] == [(s.title, False) for s in TRACE.steps]
    assert run("ask", "When?", "--json", "--trace").result["trace"]["steps"][2]["tokens"]["prompt"] == [1]


def test_models_table_is_aligned(run: Run) -> None:
    header, row = run("models", "list").out.splitlines()
    assert header.index("KIND") == row.index("chat")
    assert header.index("PARAMETERS") + len("PARAMETERS") == row.index("134.5M") + len("134.5M")
    for shown in ("SmolLM2 135M Instruct", "Q4_1", "8,192", "98.4 MB", "Apache-2.0"):
        assert shown in row


def test_no_models_says_what_to_do(run: Run, front: FakeFront) -> None:
    front.answer(ListModels, ModelList(models=()))
    assert "workbench models starter" in run("models", "list").out


def test_import_sends_an_absolute_path(
    run: Run, front: FakeFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    front.answer(ImportModel, SMOLLM)
    ran = run("models", "import", "a.gguf", "--copy", "--name", "Mine", "--json")
    assert front.asked(ImportModel) == [ImportModel(path=str(tmp_path / "a.gguf"), name="Mine", copy=True)]
    assert ran.result["name"] == SMOLLM.name


def test_inspect_takes_a_name_or_a_path(
    run: Run, front: FakeFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.gguf", SMOLLM.name):
        (tmp_path / name).touch()
    details = ModelDetails(model=SMOLLM, chat_template="{{ x }}", tokenizer="gpt2", vocabulary=49_152, layers=30)
    front.answer(InspectModel, details)
    ran = run("models", "inspect", SMOLLM.name)
    run("models", "inspect", "a.gguf")
    run("models", "inspect", "unknown")
    assert [c.name for c in front.asked(InspectModel)] == [SMOLLM.name, str(tmp_path / "a.gguf"), "unknown"]
    for shown in ("134,515,008", "8,192 tokens", "49,152", "{{ x }}", "/models/smollm.gguf"):
        assert shown in ran.out


def test_show_and_exam_tell_the_rates_with_counts_and_intervals(run: Run, front: FakeFront) -> None:
    english = ExamRates(own=Rate(12, 30), quoted=Rate(24, 30), answers=Rate(12, 40), unmarked=Rate(8, 12))
    facts = OfficeKind(kind="fact", quoted=Ends(asked=9, right_unmarked=6), own=Ends(asked=9, right_marked=2))
    exam = ExamResult(
        version=EXAM_VERSION, sha256="ab", ended=1.0, seconds=240.0, languages={"en": english}, office=(facts,)
    )
    front.answer(ListModels, ModelList(models=(msgspec.structs.replace(SMOLLM, exam=exam),)))
    front.answer(ExamineModel, msgspec.structs.replace(RUN, kind="exam"))
    front.answer(FollowRun, exam)
    for ran in (run("models", "show", SMOLLM.name), run("models", "exam", SMOLLM.name)):
        assert ran.status == 0
        lines = [" ".join(line.split()) for line in ran.out.splitlines()]
        assert "English Right in its own words 40 % 12 of 30, 25–58 %" in lines
        assert "English Right when not marked 67 % 8 of 12, 39–86 %; 12 of 40 not marked" in lines
        assert "Office Right when quoting 100 % 6 of 6, 61–100 %" in lines
        assert "Office, quoted: facts 6 of 9 right, 3 declined. Wrong and not marked: 0 of 9 (0 %, 0–30 %)." in lines
        assert "In English answers are quoted: quoting is measurably better." in lines
    assert front.asked(ExamineModel) == [ExamineModel(name=SMOLLM.name)]
    plain = run("models", "show", SMOLLM.name, "--json").result["exam"]
    own, office = (one for one in plain["rates"] if one["rate"] == "own")
    assert (office["language"], office["right"], office["count"]) == ("office", 2, 2)
    assert (own["language"], own["right"], own["count"], own["share"]) == ("en", 12, 30, 0.4)
    assert own["interval"] == pytest.approx([0.2459, 0.5768], abs=1e-4)
    assert run("models", "show", "nope").status == 1


def test_remove_tells_what_became_of_the_files(run: Run, front: FakeFront) -> None:
    front.answer(RemoveModel, SMOLLM)
    assert "its files were not deleted: /models/smollm.gguf" in run("models", "remove", SMOLLM.name).out


def test_add_follows_its_run(run: Run, front: FakeFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    added = AddResult(
        indexed=2, unchanged=1, failed=(FailedFile(path="/a/b.pdf", reason="no text in it"),), chunks=9, seconds=1.5
    )
    front.answer(AddDocuments, RUN)
    front.answer(FollowRun, added, Progress(stage="reading", done=1, total=4, unit="files"))
    ran = run("docs", "add", "notes", "x", "/abs/y", "--watch", "--json")
    assert front.asked(AddDocuments) == [
        AddDocuments(collection="notes", paths=(str(tmp_path / "x"), "/abs/y"), watch=True)
    ]
    assert front.asked(FollowRun) == [FollowRun(run="r1")]
    assert [e["event"] for e in ran.events] == ["progress", "finished"]
    assert ran.result == {
        "run": "r1", "indexed": 2, "unchanged": 1, "removed": 0, "chunks": 9, "seconds": 1.5,
        "failed": [{"path": "/a/b.pdf", "reason": "no text in it"}],
    }  # fmt: skip
    ran = run("docs", "add", "notes", "x")
    assert "2 indexed, 1 unchanged, 0 removed, 1 failed; 9 passages in 1.5 s" in ran.out
    assert "/a/b.pdf: no text in it" in ran.out


def test_add_to_an_unknown_collection_names_docs_create(run: Run, front: FakeFront) -> None:
    ran = run("docs", "add", "my notes", "x")
    assert ran.status == 1
    assert 'workbench docs create "my notes"' in ran.err
    assert front.asked(AddDocuments) == []


def test_create_list_and_remove(run: Run, front: FakeFront, tmp_path: Path) -> None:
    collection = Collection(id="c1", name="notes", documents=2, chunks=1234, bytes=5_000_000, watched=("/docs",))
    front.answer(CreateCollection, collection)
    front.answer(RemoveCollection, collection)
    front.answer(RemoveDocument, collection)
    front.answer(ListCollections, CollectionList(collections=(collection,)))
    assert run("docs", "create", "notes", "--json").result["name"] == "notes"
    listed = run("docs", "list").out
    assert "1,234" in listed
    assert "5.0 MB" in listed
    assert run("docs", "list", "--json").result["collections"][0]["watched"] == ["/docs"]
    assert "was removed" in run("docs", "remove", "notes").out
    run("docs", "remove", "notes", "图.md")
    assert front.asked(RemoveDocument) == [RemoveDocument(collection="notes", document="d1")]


def test_what_cannot_be_seen_in_a_file_name_is_named(run: Run, front: FakeFront) -> None:
    bad = msgspec.structs.replace(DOCUMENTS[0], path="/docs/invoice\u202efdp.exe\x1b[31m\n.txt")
    front.answer(ListDocuments, DocumentList(documents=(bad,)))
    out = run("docs", "list", "notes").out
    assert "/docs/invoice⟨U+202E⟩fdp.exe⟨U+001B⟩[31m⟨U+000A⟩.txt" in out
    assert "\u202e" not in out


def test_documents_are_listed_with_their_reasons(run: Run, front: FakeFront) -> None:
    out = run("docs", "list", "notes").out
    assert "\n  /docs/b.pdf: no text in it\n" in out
    assert run("docs", "list", "notes", "--json").result["documents"][0]["path"] == "/docs/图.md"


@pytest.mark.parametrize(("name", "id"), [("d2", "d2"), ("/docs/b.pdf", "d2"), ("old/b.pdf", "d3"), ("图.md", "d1")])
def test_documents_are_named_by_id_path_or_the_end_of_one(run: Run, front: FakeFront, name: str, id: str) -> None:
    front.end(GetDocumentText, Failed(message="has no text"))
    run("docs", "show", "notes", name)
    assert front.asked(GetDocumentText) == [GetDocumentText(collection="notes", document=id)]


@pytest.mark.parametrize(("name", "reason"), [("b.pdf", "matches 2 documents"), ("c.pdf", "There is no document")])
def test_unclear_document_is_refused(run: Run, front: FakeFront, name: str, reason: str) -> None:
    ran = run("docs", "show", "notes", name)
    assert ran.status == 1
    assert reason in ran.err
    assert front.asked(GetDocumentText) == []


def test_a_locked_file_is_unlocked_with_a_password_that_is_no_argument(
    run: Run, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = Document(id="d1", path="/a/lease.pdf", title="lease", kind="pdf", state="failed", locked=True)
    front.answer(ListDocuments, DocumentList(documents=(locked,)))
    front.answer(UnlockDocument, RUN)
    front.answer(FollowRun, {"indexed": 1, "chunks": 2})
    monkeypatch.setattr("sys.stdin", io.StringIO("open sesame\n"))
    ran = run("docs", "unlock", "Papers", "lease.pdf", "--password-stdin")
    assert front.asked(UnlockDocument) == [UnlockDocument(collection="Papers", document="d1", password="open sesame")]
    assert "1 indexed" in ran.out
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert "--password-stdin" in run("docs", "unlock", "Papers", "lease.pdf").err


def test_names_are_listed_and_followed_in_the_documented_shape(run: Run, front: FakeFront) -> None:
    entries = tuple(NameEntry(name=name, kind="person", passages=2, documents=1) for name in ("Anna Kolbe", "Bert"))
    front.answer(ListNames, NameList(names=entries, total=2))
    ran = run("docs", "names", "notes", "--limit", "1", "--json")
    assert ran.result["total"] == 2
    assert ran.result["names"] == [{"name": "Anna Kolbe", "kind": "person", "passages": 2, "documents": 1}]
    assert "2 names in all" in run("docs", "names", "notes", "--limit", "1").out
    chain = NamePlaces(name="Anna Kolbe", other="Bert", passages=(PASSAGE, PASSAGE), joined_by=("Lamotte",), total=2)
    front.answer(FindName, chain)
    ran = run("docs", "names", "notes", "kolbe", "--with", "bert", "--json")
    assert front.asked(FindName)[-1] == FindName(collection="notes", name="kolbe", other="bert", limit=200)
    assert ran.result["joined_by"] == ["Lamotte"]
    assert ran.result["passages"][0].keys() == {"document", "path", "page", "start", "end", "text"}
    assert "joined with the next passage by: Lamotte" in run("docs", "names", "notes", "kolbe", "--with", "bert").out
    front.answer(FindName, NamePlaces(name="Anna Kolbe", other="Bert", passages=()))
    assert "Nothing in these documents connects Anna Kolbe with Bert." in run("docs", "names", "notes", "k").out
    assert run("docs", "names", "notes", "--with", "bert").status == 2


def test_search_has_the_documented_shape(run: Run, front: FakeFront) -> None:
    front.answer(SearchDocuments, SearchResult(hits=(PASSAGE,)))
    ran = run("docs", "search", "notes", "tower", "--limit", "3", "--json")
    assert front.asked(SearchDocuments) == [SearchDocuments(collection="notes", query="tower", limit=3)]
    assert ran.result == {
        "hits": [
            {
                "document": "d1", "path": "/docs/tower.pdf", "page": 3, "start": 10, "end": 40,
                "text": "The tower was rebuilt in 1911.", "score": 0.5, "found_by": "both",
                "context": "", "superseded_by": "",
            }
        ]
    }  # fmt: skip
    out = run("docs", "search", "notes", "tower").out
    assert "1. /docs/tower.pdf p.3" in out
    assert "The tower was rebuilt in 1911." in out


def test_many_queries_give_an_artifact_each(run: Run, front: FakeFront, tmp_path: Path) -> None:
    front.answer(SearchDocuments, SearchResult(hits=(PASSAGE,)))
    file = tmp_path / "q.jsonl"
    file.write_text('{"id": "a", "text": "one"}\n\n{"id": 7, "text": "two"}\n{"text": "three"}\n')
    ran = run("docs", "search", "notes", "--queries", str(file), "--json")
    artifacts = [e for e in ran.events if e["event"] == "artifact"]
    assert [a["id"] for a in artifacts] == ["a", "7", "4"]
    assert all(a["result"]["hits"][0]["document"] == "d1" for a in artifacts)
    assert ran.result == {"count": 3}
    assert [c.query for c in front.asked(SearchDocuments)] == ["one", "two", "three"]
    assert run("docs", "search", "notes", "--queries", str(file)).out.splitlines()[0] == "a  /docs/tower.pdf p.3"


@pytest.mark.parametrize("line", ["nonsense", '{"id": "1"}', "[1]"])
def test_bad_query_file_names_the_line(run: Run, tmp_path: Path, line: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"id": "a", "text": "one"}\n' + line + "\n")
    ran = run("docs", "search", "notes", "--queries", str(file))
    assert ran.status == 1
    assert f"Line 2 of {file}" in ran.err


def test_ask_takes_the_only_model_and_shows_sources(run: Run, answering: FakeFront) -> None:
    ran = run("ask", "When was it rebuilt?", "--collection", "notes")
    assert ran.out == "In 1911 [1].\n\n[1] /docs/tower.pdf p.3\n"
    (call,) = answering.asked(Ask)
    assert call.question == "When was it rebuilt?"
    assert call.recipe == Recipe(model=ModelPart(name=SMOLLM.name), retrieval=RetrievalPart(collection="notes"))


def test_ask_names_a_file_once_with_all_its_numbers(run: Run, front: FakeFront) -> None:
    further = msgspec.structs.replace(CITATION, n=2, start=50, end=60)
    front.answer(Ask, msgspec.structs.replace(ANSWER, citations=(CITATION, further)))
    assert run("ask", "When?").out.endswith("\n\n[1][2] /docs/tower.pdf p.3\n")


def test_ask_has_the_documented_shape(run: Run, answering: FakeFront) -> None:
    ran = run("ask", "When?", "--json")
    assert [e["event"] for e in ran.events] == ["text", "finished"]
    documented = {
        "answer",
        "sequences",
        "citations",
        "declined",
        "outcome",
        "reasons",
        "road",
        "roads",
        "usage",
        "recipe",
    }
    assert documented | {"chat", "message", "query", "passages", "notices"} <= set(ran.result)
    assert {"n", "document", "path", "page", "start", "end", "text", "score"} <= set(ran.result["citations"][0])
    assert {"text", "score", "finish", "thought", "tokens"} <= set(ran.result["sequences"][0])
    usage = {"prompt_tokens", "cached_tokens", "new_tokens", "first_token_s", "tokens_per_s"}
    assert usage <= set(ran.result["usage"])
    assert ran.result["recipe"]["model"]["name"] == SMOLLM.name


def test_an_answer_that_may_not_be_the_right_one_says_so_with_its_reasons(run: Run, front: FakeFront) -> None:
    missing = Reason(kind="missing", text="1588 is in none of these passages.")
    answer = msgspec.structs.replace(ANSWER, outcome="perhaps", reasons=(missing,), road="place", roads=("places",))
    front.answer(ListModels, ModelList(models=(SMOLLM,)))
    front.answer(Ask, answer)
    ran = run("ask", "When?", "--collection", "notes", "--road", "place")
    assert "\nPerhaps: This may not be it.\n  1588 is in none of these passages.\n" in ran.out
    assert "Other routes: --road places\n" in ran.out
    assert front.asked(Ask)[0].road == "place"


def test_ask_reads_the_question_from_stdin(run: Run, answering: FakeFront, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("When\nwas it?\n"))
    run("ask", "-")
    assert answering.asked(Ask)[0].question == "When\nwas it?"


def test_recipe_file_and_options_are_put_together(run: Run, answering: FakeFront, tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text('schema = 1\n[model]\nname = "Other"\n[decoding]\ntop_k = 5\nseed = 1\n')
    run("ask", "q", "--recipe", str(recipe), "--set", "decoding.seed=7", "--set", "retrieval.passages=2")
    sent = answering.asked(Ask)[0].recipe
    assert (sent.model.name, sent.decoding.top_k, sent.decoding.seed) == ("Other", 5, 7)
    assert sent.retrieval is not None
    assert sent.retrieval.passages == 2


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--set", "decoding.temperature=9"), "temperature cannot be '9'."),
        (("--set", "nonsense"), "not of the form part.field=value"),
        (("--recipe", "/nowhere.toml"), "There is no recipe file /nowhere.toml"),
        (("--document", "d", "--task", "summarise"), "--collection"),
        (("--file", "a.txt"), "Name the collection with --collection"),
    ],
)
def test_ask_refuses_what_it_cannot_take(run: Run, answering: FakeFront, argv: tuple[str, ...], message: str) -> None:
    question = () if "--document" in argv else ("q",)
    ran = run("ask", *question, *argv)
    assert ran.status == 1
    assert message in ran.err
    assert answering.asked(Ask) == []


def test_ask_searches_single_files_of_its_collections(run: Run, answering: FakeFront) -> None:
    known = [Document(id=f"d{n}", path=f"/a/{n}.txt", title="t", kind="txt", state="indexed") for n in (1, 2)]
    answering.answer(ListDocuments, DocumentList(documents=tuple(known)))
    run("ask", "q", "--collection", "Papers", "--file", "2.txt", "--file", "d1")
    (call,) = answering.asked(Ask)
    assert call.recipe.retrieval is not None
    assert call.recipe.retrieval.files == ("/a/2.txt", "/a/1.txt")
    assert "no document '3.txt'" in run("ask", "q", "--collection", "Papers", "--file", "3.txt").err


def test_ask_goes_on_with_a_chat_and_its_recipe(run: Run, answering: FakeFront) -> None:
    recipe = Recipe(model=ModelPart(name="Other"))
    record = ChatRecord(id="chat1", title="t", created=1.0, updated=1.0, recipe=recipe)
    answering.answer(GetChat, Chat(chat=record, messages=()))
    run("ask", "and then?", "--chat", "chat1")
    (call,) = answering.asked(Ask)
    assert (call.chat, call.recipe) == ("chat1", recipe)


def test_model_that_is_not_named_is_the_default_one(run: Run, answering: FakeFront) -> None:
    other = msgspec.structs.replace(SMOLLM, name="Other")
    gone = msgspec.structs.replace(SMOLLM, name="Gone", missing=True)
    embedder = msgspec.structs.replace(SMOLLM, name="Embedder", kind="embedder")
    answering.answer(ListModels, ModelList(models=(SMOLLM, other, gone, embedder)))
    ran = run("ask", "q")
    assert answering.asked(Ask)[-1].recipe.model.name == SMOLLM.name
    assert ran.err.startswith(f"Using {SMOLLM.name}: `workbench ")
    answering.answer(ListModels, ModelList(models=(SMOLLM, other, gone, embedder), default="Other"))
    ran = run("ask", "q")
    assert (answering.asked(Ask)[-1].recipe.model.name, ran.err) == ("Other", "")
    answering.answer(ListModels, ModelList(models=(gone, embedder, other)))
    run("ask", "q")
    assert answering.asked(Ask)[-1].recipe.model.name == "Other"
    answering.answer(ListModels, ModelList(models=(gone, embedder)))
    assert "workbench models starter" in run("ask", "q").err


def test_notices_are_shown_beside_the_answer(run: Run, front: FakeFront) -> None:
    front.answer(Ask, ANSWER, Log(text="Two turns were left out.", level="notice"), Log(text="debug"))
    ran = run("ask", "q")
    assert ran.err == "Two turns were left out.\n"


def test_whole_document_task(run: Run, answering: FakeFront) -> None:
    argv = ("--document", "图.md", "--task", "extract", "--column", "name", "--column", "year", "--collection", "notes")
    run("ask", *argv)
    task = DocumentTask(document="/docs/图.md", task="extract", columns=("name", "year"))
    assert answering.asked(Ask)[0].document == task


def test_stopped_task_tells_how_it_goes_on(run: Run, front: FakeFront) -> None:
    front.end(Ask, Artifact(kind="message", id="m"), Artifact(kind="run", id="r7"), Cancelled(result=None))
    front.answer(ListDocuments, DocumentList(documents=DOCUMENTS))
    ran = run("ask", "--document", "图.md", "--task", "summarise", "--collection", "notes")
    assert ran.status == 130
    assert "runs resume r7` continues" in ran.err
    front.end(Ask, Artifact(kind="message", id="m"), Cancelled(result=None))
    assert "resume" not in run("ask", "q").err


def test_many_questions_give_an_artifact_each_and_leave_no_chats(run: Run, front: FakeFront, tmp_path: Path) -> None:
    def answer(call: Ask, cancelled: Any) -> list[Event]:
        if call.question == "bad":
            return [Failed(message="Too long.", hint="Ask less.")]
        return [TextDelta(text="In 1911."), finish(ANSWER)]

    front.scripts[Ask] = lambda call, cancelled: iter(answer(call, cancelled))
    front.answer(DeleteChat, ChatRecord(id="chat1", title="t", created=1.0, updated=1.0))
    file = tmp_path / "q.jsonl"
    file.write_text("".join(json.dumps({"id": n, "text": t}) + "\n" for n, t in enumerate(("one", "bad", "two"))))
    ran = run("ask", "--questions", str(file), "--json")
    assert ran.status == 0
    artifacts = {e["id"]: e["result"] for e in ran.events if e["event"] == "artifact"}
    assert artifacts["0"]["answer"] == artifacts["2"]["answer"] == "In 1911 [1]."
    assert "chat" not in artifacts["0"]
    assert artifacts["1"] == {"error": "Too long.", "hint": "Ask less."}
    assert ran.result == {"count": 3, "failed": 1}
    assert not [e for e in ran.events if e["event"] == "text"]
    assert front.asked(DeleteChat) == [DeleteChat(chat="chat1", forever=True)] * 2
    ran = run("ask", "--questions", str(file), "--keep-chats")
    assert ran.out == "0  In 1911 [1].\n1  Too long.\n2  In 1911 [1].\n"
    assert len(front.asked(DeleteChat)) == 2


def test_questions_end_at_once_when_the_first_one_fails(run: Run, front: FakeFront, tmp_path: Path) -> None:
    front.end(Ask, Failed(message="There is no model 'x'."))
    file = tmp_path / "q.jsonl"
    file.write_text('{"id": "1", "text": "one"}\n{"id": "2", "text": "two"}\n')
    ran = run("ask", "--questions", str(file), "--json")
    assert (ran.status, len(front.asked(Ask))) == (1, 1)


def test_question_can_branch_off_and_be_answered_anew(run: Run, answering: FakeFront) -> None:
    record = ChatRecord(id="c", title="t", created=1.0, updated=1.0, recipe=Recipe(model=ModelPart(name="Other")))
    answering.answer(GetChat, Chat(chat=record, messages=()))
    run("ask", "and then?", "--chat", "c", "--after", "m2")
    run("ask", "--chat", "c", "--again", "m4")
    run("ask", "from the start", "--chat", "c", "--after", "start")
    branched, anew, first = answering.asked(Ask)
    assert (branched.question, branched.chat, branched.parent, branched.regenerate) == ("and then?", "c", "m2", None)
    assert (anew.question, anew.chat, anew.parent, anew.regenerate) == ("", "c", None, "m4")
    assert (first.chat, first.parent, first.root) == ("c", None, True)
    for argv in (("q", "--after", "m2"), ("q", "--chat", "c", "--again", "m4"), ("--again", "m4")):
        assert run("ask", *argv).status == 2


def test_page_is_drawn_to_a_file(run: Run, front: FakeFront, tmp_path: Path) -> None:
    front.answer(DrawPage, PagePicture(png=b"\x89PNG", width=10, height=20, page=2, pages=3))
    file = tmp_path / "p.png"
    argv = ("docs", "page", "notes", "d1", "--page", "2", "--mark", "5", "9", "--output", str(file))
    ran = run(*argv, "--json")
    assert front.asked(DrawPage) == [DrawPage(collection="notes", document="d1", page=2, start=5, end=9)]
    assert file.read_bytes() == b"\x89PNG"
    assert ran.result == {"path": str(file), "page": 2, "pages": 3, "width": 10, "height": 20, "boxes": []}
    ran = run("docs", "page", "notes", "d1", "--picture", "2", "--output", str(file), "--json")
    assert front.asked(DrawPage)[-1] == DrawPage(collection="notes", document="d1", picture=2)
    assert ran.result == {"path": str(file), "picture": 2, "pages": 3, "width": 10, "height": 20, "boxes": []}


def test_model_is_loaded_and_unloaded(run: Run, front: FakeFront) -> None:
    idle = Status(home="/h", version="1")
    front.answer(LoadModel, msgspec.structs.replace(idle, model="Tiny", context_tokens=2048))
    front.answer(UnloadModel, idle)
    front.answer(RestartWorker, idle)
    assert run("models", "load", "Tiny").out == "Tiny is loaded, with a context of 2,048 tokens.\n"
    assert run("models", "unload").out == "No model is loaded.\n"
    assert run("restart", "embedding", "--json").result["model"] == ""
    assert front.asked(RestartWorker) == [RestartWorker(name="embedding")]


def test_chats_show_the_branch_that_ends_at_the_head(run: Run, front: FakeFront) -> None:
    messages = tuple(
        StoredMessage(id=i, chat="c", parent=p, role=r, text=t, citations=(CITATION,) if i == "m2" else ())
        for i, p, r, t in (
            ("m1", None, "user", "When?"),
            ("m2", "m1", "assistant", "In 1911."),
            ("m3", "m1", "assistant", "Another branch."),
        )
    )
    record = ChatRecord(id="c", title="Tower", created=1.0, updated=1.0, head="m2")
    front.answer(GetChat, Chat(chat=record, messages=messages))
    out = run("chats", "show", "c").out
    assert "Another branch." not in out
    assert out.index("When?") < out.index("In 1911.") < out.index("[1] /docs/tower.pdf p.3")
    assert len(run("chats", "show", "c", "--json").result["messages"]) == 3


def test_chats_are_put_into_projects(run: Run, front: FakeFront) -> None:
    first = ChatRecord(id="c1", title="Pump", created=1.0, updated=1.0, folder="Work")
    chats = (first, ChatRecord(id="c2", title="Lease", created=1.0, updated=1.0))
    front.answer(ListChats, ChatList(chats=chats, folders=("Home", "Work")))
    front.answer(MoveChat, first)
    front.answer(CreateChatFolder, ChatList(chats=(), folders=("Work",)))
    front.answer(RenameChatFolder, ChatList(chats=(), folders=("Pumps",)))
    front.answer(RemoveChatFolder, ChatList(chats=()))
    assert run("chats", "create-project", "Work").out == "Projects: Work.\n"
    assert run("chats", "move", "c1", "work").out == "Pump is in the project 'Work'.\n"
    run("chats", "move", "c1")
    assert front.asked(MoveChat) == [MoveChat(chat="c1", folder="work"), MoveChat(chat="c1")]
    assert [one["id"] for one in run("chats", "list", "--project", "work", "--json").result["chats"]] == ["c1"]
    assert "no project 'Play'" in run("chats", "list", "--project", "Play").err
    listed = run("chats", "list").out.splitlines()
    assert listed[0].split() == ["ID", "LAST", "PROJECT", "TITLE"]
    counted = {"folders": [{"name": "Home", "chats": 0}, {"name": "Work", "chats": 1}]}
    assert run("chats", "projects", "--json").result == counted
    assert run("chats", "rename-project", "Work", "Pumps").out == "Projects: Pumps.\n"
    assert run("chats", "remove-project", "Pumps").out == "No projects.\n"


def test_the_former_names_of_projects_still_work_and_name_the_new_ones(run: Run, front: FakeFront) -> None:
    first = ChatRecord(id="c1", title="Pump", created=1.0, updated=1.0, folder="Work")
    front.answer(ListChats, ChatList(chats=(first,), folders=("Work",)))
    front.answer(RemoveChatFolder, ChatList(chats=()))
    front.answer(GetChatFolder, ChatFolder(name="Work", project=ChatProject()))
    for former, new in (("folders", "projects"), ("remove-folder Work", "remove-project"), ("folder Work", "project")):
        done = run("chats", *former.split())
        assert done.out
        assert f"chats {new}" in done.err
    assert [one["id"] for one in run("chats", "list", "--folder", "work", "--json").result["chats"]] == ["c1"]


def test_a_project_says_what_its_new_chats_begin_with(run: Run, front: FakeFront, tmp_path: Path) -> None:
    path = tmp_path / "careful.json"
    save_recipe(path, Recipe(name="careful"))
    project = ChatProject(collections=("pumps",), instructions="Be brief.")
    front.answer(GetChatFolder, ChatFolder(name="Work", project=project))
    front.answer(ChangeChatFolder, ChatFolder(name="Work", project=project))
    shown = run("chats", "project", "work").out
    assert "documents: pumps\ninstructions: Be brief.\n" in shown
    run("chats", "set-project", "work", "--recipe", str(path), "--instructions", "none")
    run("chats", "set-project", "work", "--collection", "a", "--collection", "b")
    first, second = (call.project for call in front.asked(ChangeChatFolder))
    assert first.recipe is not None
    assert (first.recipe.name, first.collections, first.instructions) == ("careful", ("pumps",), "")
    assert (second.collections, second.instructions) == (("a", "b"), "Be brief.")


def test_chats_are_listed_searched_and_exported(run: Run, front: FakeFront, tmp_path: Path) -> None:
    front.answer(ListChats, ChatList(chats=(ChatRecord(id="c", title="Tower", created=1.0, updated=1.0),)))
    assert "Tower" in run("chats", "list", "--search", "1911").out
    assert "Tower" in run("chats", "search", "rebuilt", "1911").out
    assert front.asked(ListChats) == [ListChats(search="1911"), ListChats(search="rebuilt 1911")]
    front.answer(ExportChat, "# Tower\n")
    assert run("chats", "export", "c").out == "# Tower\n"
    file = tmp_path / "t.md"
    front.answer(ExportChats, Exported(path=str(file), chats=1, bytes=8))
    assert run("chats", "export", "c", "--output", str(file)).out == f"Written to {file}.\n"
    word = str(tmp_path / "all.docx")
    run("chats", "export", "--output", word, "--branches")
    assert front.asked(ExportChats) == [
        ExportChats(path=str(file), form="markdown", chats=("c",)),
        ExportChats(path=word, form="docx", branches=True),
    ]
    assert run("chats", "export", "c", "--output", str(tmp_path)).status == 1
    assert run("chats", "export").status == 2


def test_runs_are_listed(run: Run, front: FakeFront) -> None:
    front.answer(ListRuns, RunList(runs=(RUN,)))
    out = run("runs", "list").out
    assert "r1" in out
    assert "25%" in out
    assert run("runs", "list", "--json").result["runs"][0]["state"] == "running"


def test_settings_are_listed_read_and_changed(run: Run, front: FakeFront) -> None:
    changed = Settings(engine=EngineSettings(threads=3))
    front.answer(GetSettings, changed)
    front.answer(ChangeSettings, changed)
    out = run("settings", "list").out
    assert "engine.threads = 3 threads (default 0)" in out
    assert "general.theme = system\n" in out
    assert run("settings", "get", "engine.threads").out == "3\n"
    assert run("settings", "set", "engine.threads", "3", "--json").result == {"name": "engine.threads", "value": 3}
    assert front.asked(ChangeSettings) == [ChangeSettings(values={"engine": {"threads": 3}})]
    ran = run("settings", "set", "engine.threads", "many")
    assert ran.status == 1
    assert "threads cannot be 'many'" in ran.err
    assert "There is no setting 'engine.x'" in run("settings", "get", "engine.x").err


def test_machine_is_shown(run: Run, front: FakeFront) -> None:
    front.answer(
        GetMachine,
        Machine(processor="CPU", cores=2, memory_bytes=8 * 10**9, memory_free_bytes=10**9, disk_free_bytes=1),
    )
    assert "8.0 GB, 1.0 GB free" in run("machine").out


def test_the_terminal_tells_whether_there_is_an_access_token(run: Run, front: FakeFront) -> None:
    front.answer(GetHubAccount, HubAccount(has_token=True, kept=True))
    assert run("hub", "account").out == "The access token is kept in the keyring of the system.\n"
    front.answer(GetHubAccount, HubAccount(has_token=False))
    assert run("hub", "account").out == "There is no access token.\n"
