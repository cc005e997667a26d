"""Chats, runs, models and collections on a real database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.exam import ExamRates, ExamResult, Rate
from workbench.records.messages import Beam, Candidate, Citation, Passage, Usage
from workbench.records.models import ModelRecord
from workbench.records.outcomes import Reason
from workbench.records.recipes import DecodingPart, Recipe, RetrievalPart
from workbench.records.trace import TRACE, TokenIds, Trace, TraceStep
from workbench.storage.database import SCHEMA, Database, new_id, open_database, open_home
from workbench.subjects.chats.store import Branch, ChatStore
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.store import RunStore
from workbench.techniques.embedding_calls import CollectionState

RECIPE = Recipe(decoding=DecodingPart(temperature=0.5), retrieval=RetrievalPart(collection="Papers"))


MODEL = ModelRecord(
    name="SmolLM2",
    kind="chat",
    format="gguf",
    path="/m.gguf",
    architecture="llama",
    parameters=135,
    quantization="Q4_1",
    context_tokens=8192,
    bytes=92,
    files=("/m.gguf",),
    owned=True,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_home(Home(tmp_path / "home"))
    yield database
    database.close()


@pytest.fixture
def chats(database: Database) -> ChatStore:
    return ChatStore(database)


def ask(chats: ChatStore, question: str, answer: str, chat: str | None = None, parent: str | None = None) -> list[str]:
    """Store a finished exchange; the ids of chat, question and answer."""
    after = chats.read_chat(chat, parent) if chat is not None else Branch()
    asked, answered = chats.store_question(question, Recipe(), RECIPE, after=after, title=question[:20])
    chats.update_message(answered.id, text=answer, state="done")
    return [asked.chat, asked.id, answered.id]


def test_ids_are_in_the_order_of_their_making_and_unique() -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == len(ids)
    assert [i[:13] for i in ids] == sorted(i[:13] for i in ids)
    assert {len(i) for i in ids} == {20}


def test_a_message_keeps_everything(chats: ChatStore) -> None:
    passage = Passage(
        collection="c", document="d", document_hash="h", path="/a", title="A", start=0, end=4, text="Text", page=2, n=1
    )
    citation = Citation(
        n=1, collection="c", document="d", document_hash="h", path="/a", title="A", start=0, end=4, text="Text"
    )
    asked, answered = chats.store_question("What is it?", Recipe(), RECIPE, after=Branch(), title="What is it?")
    assert (asked.state, answered.state, answered.parent, answered.recipe) == ("done", "streaming", asked.id, RECIPE)
    fields = {
        "text": "It is text [1].",
        "state": "done",
        "thought": "hm",
        "query": "it",
        "passages": (passage,),
        "citations": (citation,),
        "declined": True,
        "outcome": "perhaps",
        "reasons": (Reason(kind="missing", text="1588 is in none of these passages."),),
        "road": "table",
        "roads": ("place", "places"),
        "notices": ("The oldest turn was dropped.",),
        "usage": Usage(prompt_tokens=7),
        "sequences": (
            Candidate(text="It is text [1].", score=-0.5, claimed=(1,)),
            Candidate(text="No.", finish="length"),
        ),
        "selected_sequence": 1,
    }
    chats.update_message(answered.id, **fields)
    stored = chats.get_message(answered.id)
    assert {name: getattr(stored, name) for name in fields} == fields
    assert chats.get_chat(asked.chat).messages == (asked, stored)
    record = chats.get_record(asked.chat)
    assert (record.head, record.recipe) == (answered.id, Recipe())


def test_a_byte_that_is_not_utf8_spoils_nothing_but_itself(database: Database, chats: ChatStore) -> None:
    broken, _, answer = ask(chats, "When does the bakery open?", "At seven.")
    sound, _, _ = ask(chats, "When does the library open?", "At nine.")
    database.execute("update chats set title = cast(x'42616bff' as text) where id = ?", (broken,))
    database.execute("update messages set text = cast(x'4174ff20736576656e' as text) where id = ?", (answer,))
    assert {chat.title for chat in chats.list_chats()} == {"Bak\ufffd", "When does the librar"}
    assert [chat.id for chat in chats.list_chats("library")] == [sound]
    assert [chat.id for chat in chats.list_chats("bakery")] == [broken]
    assert [chat.id for chat in chats.list_chats("se")] == [broken]
    read = chats.get_chat(broken)
    assert [message.text for message in read.messages] == ["When does the bakery open?", "At\ufffd seven"]
    assert chats.title_of(broken) == "Bak\ufffd"
    assert chats.rename(broken, "Bakery").title == "Bakery"
    assert chats.list_chats("bakery")[0].title == "Bakery"


def test_branches_part_and_the_head_follows(chats: ChatStore) -> None:
    chat, question, answer = ask(chats, "first", "one")
    _, second, second_answer = ask(chats, "second", "two", chat, answer)
    _, edited, edited_answer = ask(chats, "second, edited", "three", chat, answer)
    other, again = chats.store_another_answer(chats.read_to(second_answer), RECIPE, RECIPE)
    assert other.id == second
    assert chats.get_record(chat).head == again.id
    assert [m.id for m in chats.get_branch(again.id)] == [question, answer, second, again.id]
    assert chats.set_head(chat, edited).head == edited_answer
    assert chats.set_head(chat, second).head == again.id
    assert chats.set_head(chat, question).head == again.id
    assert chats.get_branch(None) == ()
    with pytest.raises(UserError, match="Only an answer"):
        chats.store_another_answer(chats.read_to(question), RECIPE, RECIPE)


def test_an_answer_made_aside_leaves_head_and_recipe(chats: ChatStore) -> None:
    chat, question, answer = ask(chats, "first", "one")
    before = chats.get_record(chat)
    other, aside = chats.store_another_answer(chats.read_to(answer), Recipe(), Recipe(), aside=True)
    assert (other.id, aside.parent, aside.recipe) == (question, question, Recipe())
    assert chats.get_record(chat) == before
    assert chats.set_head(chat, aside.id).head == aside.id


def test_nothing_is_stored_in_a_chat_that_was_deleted_since_it_was_read(chats: ChatStore) -> None:
    chat, _, answer = ask(chats, "here", "yes")
    read, to_answer = chats.read_chat(chat), chats.read_to(answer)
    assert read == to_answer
    assert chats.read_chat(chat, root=True).messages == ()
    chats.delete(chat)
    with pytest.raises(UserError, match="There is no chat"):
        chats.store_question("lost?", RECIPE, RECIPE, after=read, title="")
    with pytest.raises(UserError, match="There is no chat"):
        chats.store_another_answer(to_answer, RECIPE, RECIPE)
    with pytest.raises(UserError, match="There is no message"):
        chats.read_to(answer)
    assert chats.list_chats() == ()


def test_a_parent_of_another_chat_is_refused_and_nothing_is_stored(chats: ChatStore) -> None:
    chat, _, _ = ask(chats, "here", "yes")
    _, _, elsewhere = ask(chats, "there", "yes")
    with pytest.raises(UserError, match="not in that chat"):
        chats.store_question("lost?", RECIPE, RECIPE, after=chats.read_chat(chat, elsewhere), title="")
    assert len(chats.get_chat(chat).messages) == 2


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("bridge", {"bridges"}),
        ("BRIDGE red", {"bridges"}),
        ("bridge green", set()),
        ("长城", {"wall"}),
        ("万里长城", {"wall"}),
        ("münchen", {"city"}),
        ("Munchen", {"city"}),
        ('"', {"city"}),
        ("it", {"bridges", "city"}),
        ("", {"bridges", "wall", "city"}),
    ],
)
def test_the_history_is_searched_in_every_language(chats: ChatStore, search: str, found: set[str]) -> None:
    names = {
        ask(chats, "How red are bridges?", "It depends.")[0]: "bridges",
        ask(chats, "中国的万里长城有多长?", "很长。")[0]: "wall",
        ask(chats, 'Where is "München"?', "It is in Bavaria.")[0]: "city",
    }
    assert {names[chat.id] for chat in chats.list_chats(search)} == found


def test_search_follows_renaming_changing_and_deleting(chats: ChatStore, database: Database) -> None:
    chat, _, answer = ask(chats, "About frogs", "Frogs croak.")
    chats.rename(chat, "Amphibians")
    chats.update_message(answer, text="Newts are silent.")
    assert [c.title for c in chats.list_chats("amphibian newts")] == ["Amphibians"]
    assert chats.list_chats("croak") == ()
    assert chats.delete(chat).title == "Amphibians"
    assert database.execute("select count(*) from history") == [(0,)]
    assert database.execute("select count(*) from messages") == [(0,)]
    database.execute("insert into history (history, rank) values ('integrity-check', 1)")
    with pytest.raises(UserError, match="deleted"):
        chats.get_chat(chat)


def test_an_answer_in_the_making_is_interrupted_with_what_it_had(chats: ChatStore) -> None:
    _, answered = chats.store_question("slow", RECIPE, RECIPE, after=Branch(), title="slow")
    chats.update_message(answered.id, text="Half an ans")
    assert chats.interrupt_streaming() == 1
    stored = chats.get_message(answered.id)
    assert (stored.state, stored.text) == ("interrupted", "Half an ans")
    assert chats.interrupt_streaming() == 0
    assert len(chats.list_chats("half")) == 1


def test_what_a_person_says_of_an_answer_is_kept_and_can_be_taken_back(chats: ChatStore) -> None:
    _, question, answer = ask(chats, "What?", "That [1].")
    citation = Citation(
        n=1, collection="c", document="d", document_hash="h", path="/a", title="A", start=0, end=4, text="Text"
    )
    chats.update_message(answer, citations=(citation,))
    assert chats.rate(answer, -1).rating == -1
    edited = chats.edit(answer, "  This. ")
    assert (edited.text, edited.original, edited.citations, edited.rating) == ("This.", "That [1].", (), -1)
    assert chats.edit(answer, "Or this.").original == "That [1]."
    assert [record.title for record in chats.list_chats("this")] == ["What?"]
    for text in ("", "That [1]."):
        chats.edit(answer, "This.")
        back = chats.edit(answer, text)
        assert (back.text, back.original, back.citations) == ("That [1].", None, (citation,))
    for change in (lambda: chats.rate(question, 1), lambda: chats.edit(question, "x")):
        with pytest.raises(UserError, match="Only answers"):
            change()
    _, unfinished = chats.store_question("And?", Recipe(), RECIPE, after=Branch(), title="And?")
    with pytest.raises(UserError, match="still being generated"):
        chats.edit(unfinished.id, "x")


def test_an_empty_title_is_refused(chats: ChatStore) -> None:
    chat, *_ = ask(chats, "q", "a")
    with pytest.raises(UserError, match="title"):
        chats.rename(chat, "  ")


def test_runs_go_through_their_states(database: Database) -> None:
    runs = RunStore(database)
    one = runs.add("ingest", "Papers", {"paths": ["/a"]})
    two = runs.add("ingest", "Letters", {})
    assert (one.state, one.config) == ("queued", {"paths": ["/a"]})
    runs.update(one.id, state="running", progress=0.5, stage="reading")
    assert [run.id for run in runs.list_in("queued", "running")] == [one.id, two.id]
    ended = runs.update(one.id, state="finished", result={"indexed": 3}, ended=1.0)
    assert (ended.result, ended.progress) == ({"indexed": 3}, 0.5)
    assert [run.id for run in runs.list_runs()] == [two.id, one.id]
    assert [run.id for run in runs.list_in("queued", "running")] == [two.id]
    with pytest.raises(UserError, match="no run"):
        runs.get("nope")


def test_models_are_found_by_name_in_any_case(database: Database, tmp_path: Path) -> None:
    catalogue = ModelCatalogue(database, tmp_path / "models")
    catalogue.put(MODEL)
    catalogue.put(msgspec.structs.replace(MODEL, name="Other"))
    catalogue.put(msgspec.structs.replace(MODEL, sha256="ab"))
    assert [m.name for m in catalogue.list_models()] == ["SmolLM2", "Other"]
    assert catalogue.get("smollm2") == msgspec.structs.replace(MODEL, sha256="ab")
    with pytest.raises(UserError, match="SmolLM2, Other"):
        catalogue.get("gpt")
    assert catalogue.remove("OTHER").name == "Other"
    assert catalogue.find("Other") is None


def test_exam_stays_with_the_files_that_it_examined(database: Database, tmp_path: Path) -> None:
    sums = {"/m.gguf": "ab"}
    catalogue = ModelCatalogue(database, tmp_path / "models", checksum=lambda files: sums.get(files[0], ""))
    catalogue.put(MODEL)
    exam = ExamResult(version=1, sha256="ab", ended=1.0, seconds=2.0, languages={"en": ExamRates(own=Rate(1, 2))})
    catalogue.put_exam("SmolLM2", exam)
    catalogue.put(msgspec.structs.replace(MODEL, sha256="ab"))  # as when its checksum is known
    assert catalogue.get("SmolLM2").exam == exam
    sums["/m.gguf"] = "cd"
    assert catalogue.get("SmolLM2").exam is None
    database.execute("update models set exam = ?", ('{"format": 9}',))
    [unreadable] = catalogue.list_models()
    assert (unreadable.name, unreadable.exam, unreadable.unreadable) == ("SmolLM2", None, "")
    assert "newer version" in unreadable.exam_problem


def test_the_homes_own_models_move_with_it(database: Database, tmp_path: Path) -> None:
    model = ModelRecord(
        name="MiniLM",
        kind="embedder",
        format="safetensors",
        path=str(tmp_path / "models" / "MiniLM"),
        architecture="bert",
        parameters=22,
        quantization="F32",
        context_tokens=512,
        bytes=90,
        files=(str(tmp_path / "models" / "MiniLM" / "model.safetensors"),),
        owned=True,
    )
    ModelCatalogue(database, tmp_path / "models").put(model)
    moved = ModelCatalogue(database, tmp_path / "elsewhere").get("MiniLM")
    assert moved.path == str(tmp_path / "elsewhere" / "MiniLM")
    assert moved.files == (str(tmp_path / "elsewhere" / "MiniLM" / "model.safetensors"),)


def test_collections_have_names_of_their_own(database: Database) -> None:
    registry = CollectionRegistry(database)
    papers = registry.create(" Papers ")
    assert registry.get("papers") == registry.get(papers.id) == papers
    for taken in ("PAPERS", " "):
        with pytest.raises(UserError):
            registry.create(taken)
    letters = registry.create("Letters")
    with pytest.raises(UserError, match="already"):
        registry.rename("Letters", "Papers")
    assert registry.rename("letters", "LETTERS").name == "LETTERS"
    assert [c.id for c in registry.list_collections()] == [letters.id, papers.id]
    registry.remove(letters.id)
    with pytest.raises(UserError, match="Papers"):
        registry.get("LETTERS")


def test_watched_folders_and_counts(database: Database) -> None:
    registry = CollectionRegistry(database)
    papers = registry.create("Papers").id
    registry.add_root(papers, "/a", watched=True)
    registry.add_root(papers, "/a", watched=False)
    registry.add_root(papers, "/b", watched=False)
    assert registry.get(papers).watched == ("/a",)
    assert [(root.path, root.read_at) for root in registry.list_watched()] == [("/a", None)]
    registry.set_read(papers, ("/a",), 7.0)
    registry.set_read(papers, ("/a",), 5.0)
    assert registry.get(papers).unfinished
    registry.set_read(papers, ("/b",), 5.0)
    assert not registry.get(papers).unfinished
    registry.add_root(papers, "/a/sub/b.txt", watched=False)
    registry.add_root(papers, "/ab", watched=False)
    assert registry.get(papers).unfinished
    registry.set_read(papers, ("/a",), 6.0)
    assert registry.get(papers).unfinished  # /ab is no part of /a
    registry.set_read(papers, ("/ab",), 6.0)
    assert not registry.get(papers).unfinished
    assert [root.read_at for root in registry.list_watched()] == [7.0]
    assert registry.unwatch(papers, "/a").watched == ()
    with pytest.raises(UserError, match="not watched"):
        registry.unwatch(papers, "/b")
    state = CollectionState(documents=2, failed=1, chunks=9, bytes=100, revision=4, unknown_languages=("de", "fr"))
    assert registry.set_state(papers, state).unknown_languages == ("German", "French")
    fewer = registry.set_state(papers, CollectionState(documents=2, failed=1, chunks=1, bytes=100, revision=1))
    assert (fewer.chunks, fewer.unknown_languages) == (1, ())


def test_a_home_of_the_first_schema_keeps_its_chats(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(SCHEMA / "0001_first.sql", first)
    old = open_database(home.database, first)
    old.execute("insert into chats (id, title, created, updated) values ('c', 'Old', 1, 1)")
    old.execute(
        "insert into messages (id, chat, role, text, state, created) values ('m', 'c', 'user', 'Why?', 'done', 1)"
    )
    old.close()
    database = open_home(home)
    (message,) = ChatStore(database).get_chat("c").messages
    assert (message.text, message.document) == ("Why?", None)
    assert len(list(home.backups.glob("*.backup"))) == 1
    database.close()


def test_a_trace_is_stored_with_the_ending_and_read_on_its_own(chats: ChatStore) -> None:
    _, question, answer = ask(chats, "first", "one")
    trace = Trace(
        steps=(
            TraceStep(
                id="1",
                kind="generation",
                output="two",
                usage=Usage(prompt_tokens=3),
                tokens=TokenIds(prompt=(1, 2, 49_000), sequences=((5, 6), ())),
                beams=((Beam(parent=-1, token=5, text="a", score=-0.25, ended=True),),),
            ),
        )
    )
    assert (chats.get_message(answer).traced, chats.get_message(answer).steps) == (False, 0)
    assert chats.get_trace(answer) is None
    chats.store_ending(answer, trace, text="two", state="stopped", traced=True, steps=1)
    stored = chats.get_message(answer)
    assert (stored.text, stored.state, stored.traced, stored.steps) == ("two", "stopped", True, 1)
    assert chats.get_branch(answer)[-1] == stored
    assert chats.get_trace(answer) == trace
    assert chats.get_trace(question) is None
    with pytest.raises(UserError, match="no message"):
        chats.get_trace("gone")


def test_a_trace_that_cannot_be_read_says_so(chats: ChatStore, database: Database) -> None:
    _, _, answer = ask(chats, "first", "one")
    damaged = TRACE.encode(Trace(steps=(TraceStep(id="1", kind="search"),)))[:-6]
    database.execute("update messages set trace = ?, steps = 1 where id = ?", (damaged, answer))
    assert chats.get_message(answer).text == "one"
    with pytest.raises(UserError, match="cannot be read"):
        chats.get_trace(answer)


def test_a_trace_is_small() -> None:
    tokens = TokenIds(prompt=tuple(range(100, 4000, 3)), sequences=(tuple(range(20_000, 21_000, 7)),))
    packed = TRACE.encode(Trace(steps=(TraceStep(id="1", kind="generation", tokens=tokens),)))
    assert len(packed) < 3 * (len(tokens.prompt) + len(tokens.sequences[0]))


def test_a_home_of_the_fourth_schema_keeps_its_branches_and_searches(tmp_path: Path) -> None:
    home = Home(tmp_path)
    fourth = tmp_path / "fourth"
    fourth.mkdir()
    for file in SCHEMA.glob("000[1-4]_*.sql"):
        shutil.copy(file, fourth)
    old = open_database(home.database, fourth)
    old.execute("insert into chats (id, title, created, updated, head) values ('c', 'Old', 1, 1, 'b')")
    old.execute(
        """insert into messages (id, chat, role, text, state, created) values ('m', 'c', 'user', 'Why?', 'done', 1);
           insert into messages (id, chat, parent, role, text, state, created, rating)
           values ('a', 'c', 'm', 'assistant', 'So.', 'done', 2, -1);
           insert into messages (id, chat, parent, role, text, state, created, kept, trace)
           values ('b', 'c', 'm', 'assistant', 'Because of the lighthouse.', 'done', 3, 1, x'00')"""
    )
    before = old.execute("select number, id, chat, parent, role, text, state, created, rating, kept from messages")
    old.close()
    database = open_home(home)
    chats = ChatStore(database)
    columns = "number, id, chat, parent, role, text, state, created, rating, kept"
    assert database.execute(f"select {columns} from messages order by number") == before
    question, first, second = chats.get_chat("c").messages
    assert [(m.traced, m.steps) for m in (question, first, second)] == [(False, 0), (False, 0), (True, 1)]
    assert [chat.id for chat in chats.list_chats("lighthouse")] == ["c"]
    chats.update_message("b", text="Because of the harbour.")
    assert not chats.list_chats("lighthouse")
    database.execute(
        "insert into messages (id, chat, parent, role, text, state, created) "
        "values ('t', 'c', 'b', 'tool', '2', 'done', 4)"
    )
    assert chats.get_message("t").role == "tool"
    database.execute("delete from messages where id = 'm'")  # the answers belong to it still
    assert not chats.get_chat("c").messages
    assert not chats.list_chats("harbour")
    database.close()


def test_a_home_of_the_second_schema_keeps_its_answers(tmp_path: Path) -> None:
    home = Home(tmp_path)
    second = tmp_path / "second"
    second.mkdir()
    for name in ("0001_first.sql", "0002_document_tasks.sql"):
        shutil.copy(SCHEMA / name, second)
    old = open_database(home.database, second)
    old.execute("insert into chats (id, title, created, updated) values ('c', 'Old', 1, 1)")
    old.execute(
        """insert into messages (id, chat, role, text, state, created) values ('m', 'c', 'user', 'Why?', 'done', 1);
           insert into messages (id, chat, parent, role, text, state, created, usage)
           values ('a', 'c', 'm', 'assistant', 'So.', 'done', 2, '{"prompt_tokens": 3}')"""
    )
    old.close()
    database = open_home(home)
    chats = ChatStore(database)
    _, answer = chats.get_chat("c").messages
    assert (answer.text, answer.usage) == ("So.", Usage(prompt_tokens=3))
    assert (answer.sequences, answer.selected_sequence, answer.traced) == ((), 0, False)
    assert chats.get_trace("a") is None
    assert len(list(home.backups.glob("*schema0002*.backup"))) == 1
    database.close()
