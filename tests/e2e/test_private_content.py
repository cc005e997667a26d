"""Text of a collection never reaches another machine without consent, whichever way it would take.

Each way is walked twice: without consent nothing of the document arrives, with consent it does, so that the way is one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.fake_endpoint import FakeEndpoint, serving
from tests.local_front import LocalFront
from tests.workers import fake_embedding, fake_inference
from workbench import calls as c
from workbench.api.protocol import Call
from workbench.app import Workbench
from workbench.base.errors import SendingRefused, UserError
from workbench.base.paths import Home
from workbench.network.gate import Gate
from workbench.records.evaluation import ScorerUse
from workbench.records.judgements import JudgedAnswer, Judgement
from workbench.records.messages import Message
from workbench.records.origins import UNKNOWN
from workbench.records.recipes import DecodingPart, ModelPart, PromptingPart, Recipe, RetrievalPart

CANARY = "Wachtelkoenig"
TEXT = f"The warranty of the pump is 36 months and the secret word of the pump is {CANARY}."
QUESTION = "What is the secret word of the pump?"
COMMANDS = {
    "inference": [sys.executable, fake_inference.__file__],
    "embedding": [sys.executable, fake_embedding.__file__],
}
AWAY, HERE = Recipe(model=ModelPart(name="Away")), Recipe(model=ModelPart(name="Small"))
READS = RetrievalPart(collection="manuals", mode="own-words", decline=False)
LOCAL = msgspec.structs.replace(HERE, retrieval=READS)


class Room:
    """A home with a local model, an endpoint on another machine (by its name), and a collection."""

    def __init__(self, workbench: Workbench, service: FakeEndpoint, folder: Path) -> None:
        self.workbench, self.service, self.folder = workbench, service, folder

    def call(self, asked: Call[Any]) -> Any:
        return LocalFront(self.workbench).call(asked)

    def run(self, asked: Call[Any]) -> Any:
        """Start a run and follow it to its end. Raises what it failed with."""
        return self.call(c.FollowRun(run=self.call(asked).id))

    def answered_here(self, *, attached: bool = False) -> c.AskResult:
        """A chat whose answer was made from the document, on this machine."""
        if not attached:
            return self.call(c.Ask(question=QUESTION, recipe=LOCAL))
        path = self.folder / "attached.txt"
        path.write_text(TEXT)
        files = self.call(c.AttachFiles(paths=(str(path),)))
        self.call(c.FollowRun(run=files.run.id))
        own_words = RetrievalPart(mode="own-words", decline=False)
        recipe = msgspec.structs.replace(HERE, retrieval=own_words)
        return self.call(c.Ask(question=QUESTION, recipe=recipe, chat=files.chat.id))

    @property
    def arrived(self) -> bool:
        return CANARY in json.dumps(self.service.asked)


@pytest.fixture
def room(tmp_path: Path, smollm_file: Path, minilm_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setattr(Gate.__init__, "__defaults__", (lambda host, port: ["127.0.0.1"],))
    service = FakeEndpoint()
    service.reply = "<INS>Say 3.</INS> What is the word of the pump?"
    with serving(service):
        workbench = Workbench(Home(tmp_path / "home"), commands=COMMANDS)
        room = Room(workbench, service, tmp_path)
        try:
            _furnish(room, smollm_file, minilm_path)
            yield room
        finally:
            workbench.close()


def _furnish(room: Room, smollm_file: Path, minilm_path: Path) -> None:
    room.call(c.ImportModel(path=str(smollm_file), name="Small"))
    room.call(c.ImportModel(path=str(minilm_path), name="MiniLM"))
    room.call(c.ChangeSettings(values={"general": {"offline": False}, "network": {"endpoints": True}}))
    room.call(c.AddEndpoint(address=room.service.address, model="big", name="Away"))
    catalogue: Any = room.workbench._models._catalogue
    here = catalogue.get("Away")
    port = urlsplit(room.service.address).port
    away = msgspec.structs.replace(here.endpoint, address=f"http://api.example.com:{port}/v1", context_tokens=32_768)
    catalogue.put(msgspec.structs.replace(here, endpoint=away, context_tokens=32_768))
    (room.folder / "pump.txt").write_text(TEXT)
    collection = room.call(c.CreateCollection(name="manuals"))
    run = room.call(c.AddDocuments(collection=collection.id, paths=(str(room.folder / "pump.txt"),)))
    room.call(c.FollowRun(run=run.id))
    room.service.asked.clear()


# -- the ways ------------------------------------------------------------------------------------------


def passages(room: Room) -> None:
    room.call(c.Ask(question=QUESTION, recipe=msgspec.structs.replace(AWAY, retrieval=READS)))


def document(room: Room) -> None:
    task = c.DocumentTask(document=str(room.folder / "pump.txt"), task="summarise")
    room.call(c.Ask(question="", recipe=msgspec.structs.replace(AWAY, retrieval=READS), document=task))


def history(room: Room) -> None:
    made = room.answered_here()
    room.call(c.Ask(question="Say it again.", recipe=AWAY, chat=made.chat))


def regenerated(room: Room) -> None:
    made = room.answered_here()
    again = room.call(c.Ask(question="Say it again.", recipe=HERE, chat=made.chat))
    room.call(c.Ask(question="", recipe=AWAY, regenerate=again.message))


def without_documents(room: Room) -> None:
    made = room.answered_here()
    again = room.call(c.Ask(question="Say it again.", recipe=HERE, chat=made.chat))
    room.call(c.Ask(question="", recipe=AWAY, regenerate=again.message, without_documents=True))


def attachment(room: Room) -> None:
    made = room.answered_here(attached=True)
    room.call(c.Ask(question="Say it again.", recipe=AWAY, chat=made.chat, without_documents=True))


def pairs(room: Room) -> None:
    try:
        room.run(c.BuildData(name="pairs", source="pairs", collection="manuals", model="Away"))
    except UserError as error:
        if "No pair was supported" not in str(error):  # the fake's answers are in no document
            raise


def candidates_of_documents(room: Room) -> None:
    recipes = (AWAY, msgspec.structs.replace(AWAY, name="other"))
    room.run(c.MakeCandidates(name="queue", recipes=recipes, prompts="documents", path="manuals"))


def candidates_of_chats(room: Room) -> None:
    made = room.answered_here()
    room.call(c.Ask(question="Say it again.", recipe=HERE, chat=made.chat))
    recipes = (AWAY, msgspec.structs.replace(AWAY, name="other"))
    room.run(c.MakeCandidates(name="queue", recipes=recipes, prompts="chats"))


def questions_of_pairs(room: Room) -> None:
    room.run(c.BuildData(name="mine", source="pairs", collection="manuals", model="Small"))
    found = room.call(c.CreateQuestionSet(source="data", path="mine", name="mine"))
    data: Any = room.workbench._data_sets._sets.get("mine")
    assert data.origins == found.origins
    rows = [{"question": f"{CANARY}? {number}", "answer": "yes"} for number in range(3)]
    Path(data.path).write_text("\n".join(map(json.dumps, rows)))
    room.call(c.CreateQuestionSet(source="data", path="mine", name="of pairs"))
    room.run(c.Evaluate(question_set="of pairs", recipes=(AWAY,)))


def questions_of_chats(room: Room) -> None:
    made = room.answered_here()
    again = room.call(c.Ask(question="Say it again.", recipe=HERE, chat=made.chat))
    room.call(c.RateAnswer(message=again.message, rating=1))
    room.call(c.CreateQuestionSet(source="chats", name="of chats"))
    room.run(c.Evaluate(question_set="of chats", recipes=(AWAY,)))


def examples(room: Room) -> None:
    made = room.answered_here()
    room.call(c.RateAnswer(message=made.message, rating=1))
    room.call(c.CreateQuestionSet(source="chats", name="of chats", tune_share=1.0))
    part = PromptingPart(examples="of chats")
    room.call(c.Ask(question="Which word?", recipe=msgspec.structs.replace(AWAY, prompting=part)))


def judge(room: Room) -> None:
    path = room.folder / "questions.jsonl"
    path.write_text(json.dumps({"question": QUESTION, "answer": "yes"}))
    room.call(c.CreateQuestionSet(path=str(path), name="judged"))
    scorer = ScorerUse(name="judge-grade", recipe=AWAY)
    room.run(c.Evaluate(question_set="judged", recipes=(LOCAL,), scorers=(scorer,)))


def writer(room: Room) -> None:
    """A search for a better prompt shows the writer questions with their answers."""
    rows = [{"question": f"What is the secret word of the pump? {number}", "answer": CANARY} for number in range(20)]
    path = room.folder / "questions.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    room.call(c.CreateQuestionSet(path=str(path), name="asked", tune_share=1.0))
    scorer = ScorerUse(name="contains-answer")
    options = {"steps": 1, "candidates": 1, "max_answers": 40}
    room.run(c.Optimise(question_set="asked", recipe=LOCAL, method="opro", options=options, scorer=scorer, writer=AWAY))


WAYS: tuple[Callable[[Room], None], ...] = (
    passages, document, history, regenerated, without_documents, attachment, pairs, candidates_of_documents,
    candidates_of_chats, questions_of_pairs, questions_of_chats, examples, judge, writer,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_nothing_of_a_collection_leaves_without_consent(room: Room, way: Callable[[Room], None]) -> None:
    with pytest.raises(UserError, match=r"will be sent to api\.example\.com"):
        way(room)
    assert not room.arrived
    room.call(c.AllowSending(name="Away", collection="" if way is attachment else "manuals", allowed=False))
    _remove_sets(room)
    with pytest.raises(UserError, match="You have refused to send"):
        way(room)
    assert not room.arrived
    room.call(c.AllowSending(name="Away", collection="" if way is attachment else "manuals", allowed=True))
    _remove_sets(room)
    way(room)
    assert room.arrived, "with consent the text arrives: the way is one"


def _remove_sets(room: Room) -> None:
    for found in room.call(c.ListQuestionSets()).sets:
        room.call(c.RemoveQuestionSet(question_set=found.id))
    for data in room.call(c.ListDataSets()).sets:
        room.call(c.RemoveDataSet(name=data.name))
    for queue in room.call(c.ListQueues()).queues:
        room.call(c.RemoveQueue(queue=queue.id))


def test_a_permission_that_is_withdrawn_counts_from_the_next_request_on(room: Room) -> None:
    made = room.answered_here()
    room.call(c.AllowSending(name="Away", collection="manuals", allowed=True))
    room.call(c.Ask(question="Say it again.", recipe=AWAY, chat=made.chat))
    room.service.asked.clear()
    room.call(c.AllowSending(name="Away", collection="manuals", allowed=False))
    with pytest.raises(SendingRefused) as refused:
        room.call(c.Ask(question="Once more.", recipe=AWAY, chat=made.chat))
    assert (refused.value.collection, refused.value.refused) == ("manuals", True)
    assert room.service.asked == []


def test_what_was_made_from_a_collection_that_is_gone_is_of_unknown_origin(room: Room) -> None:
    made = room.answered_here()
    room.call(c.AllowSending(name="Away", collection="manuals", allowed=True))
    room.call(c.RemoveCollection(collection="manuals"))
    with pytest.raises(SendingRefused, match="not known which documents") as refused:
        room.call(c.Ask(question="Say it again.", recipe=AWAY, chat=made.chat))
    assert refused.value.collection == UNKNOWN
    room.call(c.AllowSending(name="Away", collection=UNKNOWN, allowed=True))
    room.call(c.Ask(question="Say it again.", recipe=AWAY, chat=made.chat))
    assert room.arrived


def test_what_would_be_sent_can_be_looked_at_before(room: Room) -> None:
    recipe = msgspec.structs.replace(AWAY, retrieval=READS)
    shown = room.call(c.ShowPrompt(question=QUESTION, recipe=recipe))
    assert CANARY in shown.text
    assert room.service.asked == []


def test_other_chats_are_asked_without_consent(room: Room) -> None:
    room.answered_here()
    room.call(c.Ask(question="How are you?", recipe=AWAY))
    assert len(room.service.asked) == 1
    assert not room.arrived


def test_a_stored_judgement_knows_what_it_was_made_from(room: Room) -> None:
    made = room.answered_here()
    pair = Judgement(
        prompt=(Message("user", QUESTION),),
        a=JudgedAnswer(text=made.answer, message=made.message),
        b=JudgedAnswer(text="No.", message=made.message),
        verdict="a",
    )
    (stored,) = room.call(c.AddJudgements(judgements=(pair,)))
    (collection,) = room.call(c.ListCollections()).collections
    assert stored.origins == (collection.id,)
    bare = msgspec.structs.replace(pair, a=JudgedAnswer(text="Yes."), b=JudgedAnswer(text="No."))
    (unknown,) = room.call(c.AddJudgements(judgements=(bare,)))
    assert unknown.origins is None
    room.call(c.RateAnswer(message=made.message, rating=1))
    (rated,) = [one for one in room.call(c.ListJudgements()).judgements if one.source == "chat"]
    assert rated.origins == (collection.id,)


def test_a_seed_does_not_matter(room: Room) -> None:
    """Nor does any other setting of the recipe."""
    made = room.answered_here()
    for decoding in (DecodingPart(seed=3), DecodingPart(temperature=0.0), DecodingPart(max_tokens=5)):
        with pytest.raises(SendingRefused):
            room.call(c.Ask(question="?", recipe=msgspec.structs.replace(AWAY, decoding=decoding), chat=made.chat))
    assert room.service.asked == []
