"""Where the prompts of a labelling queue come from: chats, question sets, files, or questions about documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.protocol import drain, follow
from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.base.paths import Home, absolute_path
from workbench.records.answers import AskResult, StoredMessage, origins_in
from workbench.records.documents import Collection, DocumentText
from workbench.records.messages import Message
from workbench.records.origins import Origins
from workbench.records.recipes import DecodingPart, ModelPart, Recipe
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.passages import passages_of, spread
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.questions import read_questions
from workbench.subjects.judgements.calls import MakeCandidates
from workbench.subjects.judgements.prompts import Prompt, drawn, questions_of_chats
from workbench.subjects.models.store import ModelCatalogue, chat_model
from workbench.subjects.runs.journal import Journal, Line
from workbench.subjects.runs.kinds import OpenRun
from workbench.techniques.embedding_calls import Documents, Text
from workbench.training.data.examples import normalise
from workbench.training.data.pairs import SMALL_MODEL_PARAMETERS, ask_questions

ASKED = "asked.jsonl"
LARGEST_TEXT = 16 << 20
QUESTIONS_EACH = 1
_DEFAULT_PASSAGES = 50


class _Asked(Line, frozen=True):
    """The questions about a passage."""

    key: str = msgspec.field(name="passage")
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PromptSource:
    _home: Home
    _chats: ChatStore
    _questions: QuestionStore
    _catalogue: ModelCatalogue
    _registry: CollectionRegistry
    _embedding: Embedding
    _services: HomeServices

    def check(self, request: MakeCandidates) -> str:
        """Where the prompts are from, in words. Raises UserError for what there is not."""
        match request.prompts:
            case "chats":
                for chat in request.chats:
                    self._chats.get_record(chat)
                return "chats"
            case "questions":
                return self._questions.get(request.path).name
            case "documents":
                return self._registry.get(request.path).name
            case "file":
                path = absolute_path(request.path)
                if not path.exists():
                    raise UserError(f"There is no file {path}.", "Check the path.")
                return path.name

    def origins(self, request: MakeCandidates) -> Origins:
        """What the prompts were made from. Raises UserError for what there is not."""
        match request.prompts:
            case "chats":
                return origins_in(self._messages(request))
            case "questions":
                return self._questions.get(request.path).origins
            case "documents":
                return (self._registry.get(request.path).id,)
            case "file":
                return ()

    def _messages(self, request: MakeCandidates) -> list[StoredMessage]:
        chats = request.chats or tuple(chat.id for chat in self._chats.list_chats())
        return [message for chat in chats for message in self._chats.get_chat(chat).messages]

    def open(self, request: MakeCandidates, run: OpenRun) -> tuple[Iterator[Prompt], int]:
        """The prompts, one after the other, and how many there are. Raises UserError."""
        if request.prompts == "documents":
            return self._of_documents(request, run)

        def tell(rows: int) -> None:
            run.context.raise_if_cancelled()
            run.emit(events.Progress(stage="reading", done=rows, unit="rows"))

        found = drawn(self._read(request, tell), request.limit, request.seed)
        if not found:
            raise UserError(f"There are no prompts in {self.check(request)}.", "Choose others.")
        return iter(found), len(found)

    def count(self, request: MakeCandidates) -> int:
        """How many prompts there are at most; all of them are read where there is no limit. Raises UserError."""
        if request.prompts == "documents":
            return min(self._registry.get(request.path).chunks, request.limit or _DEFAULT_PASSAGES)
        if request.limit and request.prompts != "questions":
            return request.limit
        return len(drawn(self._read(request, lambda rows: None), request.limit, request.seed))

    def _read(self, request: MakeCandidates, tell: Callable[[int], None]) -> Iterator[Prompt]:
        if request.prompts == "chats":
            return questions_of_chats(self._messages(request))
        if request.prompts == "questions":
            found = self._questions.get(request.path)
            return (one.question.conversation() for one in self._questions.questions(found, request.part))
        return _of_file(absolute_path(request.path), tell)

    # -- documents ----------------------------------------------------------------------------------

    def _of_documents(self, request: MakeCandidates, run: OpenRun) -> tuple[Iterator[Prompt], int]:
        """A question about each of some passages, which the first recipe's model asks. Where no recipe searches, the
        passage is put before its question."""
        collection = self._registry.get(request.path)
        limit = request.limit or _DEFAULT_PASSAGES
        texts = self._texts(collection, run)
        passages = spread([p for text in texts for p in passages_of(text)], limit)
        model = chat_model(request.recipes[0].model.name, self._catalogue)
        here = model.endpoint is None
        small = here and model.parameters < SMALL_MODEL_PARAMETERS
        searches = any(recipe.retrieval is not None for recipe in request.recipes)
        journal = Journal(self._home.run(run.id) / ASKED, _Asked)
        asked = {normalise(question) for line in journal.lines for question in line.prompts}

        def ask(prompt: str, decoding: DecodingPart) -> str:
            recipe = Recipe(model=ModelPart(name=model.name), decoding=decoding)
            conversation = (Message("user", prompt),)
            asking = AnswerRequest(recipe=recipe, conversation=conversation, origins=(collection.id,))
            stream = answer(asking, self._services, run.context, background=True)
            return drain(follow(AskResult, stream)).answer

        def each() -> Iterator[Prompt]:
            for passage in passages:
                run.context.raise_if_cancelled()
                key = f"{passage.document_hash} {passage.document} {passage.start} {passage.end}"
                line = journal.find(key)
                if line is None:
                    made = ask_questions(
                        passage.text, ask, small=small, questions=QUESTIONS_EACH, asked=asked, constrained=here
                    )
                    line = _Asked(key, tuple(made))
                    journal.add(line)
                for question in line.prompts:
                    yield (Message("user", question if searches else f"{passage.text}\n\n{question}"),)

        if not passages:
            raise UserError(f"{collection.name} holds no documents.", "Add some first.")
        return each(), len(passages)

    def _texts(self, collection: Collection, run: OpenRun) -> Iterator[DocumentText]:
        file, host = str(self._embedding.file(collection)), self._embedding.host
        if not Path(file).exists():
            return
        listed = host.call(Documents(file=file), context=run.context).documents
        for document in listed:
            if document.state in ("indexed", "unchanged"):
                run.context.raise_if_cancelled()
                yield host.call(Text(file=file, document=document.id), context=run.context)


def _of_file(path: Path, tell: Callable[[int], None]) -> Iterator[Prompt]:
    """The prompts of a data file; of a plain text its lines. Raises UserError."""
    if path.suffix.lower() in (".txt", ".md"):
        with open_regular(path) as file:
            raw = file.read(LARGEST_TEXT + 1)
        if len(raw) > LARGEST_TEXT:
            raise UserError(f"{path.name} is larger than {LARGEST_TEXT >> 20} MB.", "Make a smaller file.")
        lines = raw.decode("utf-8", "replace").splitlines()
        return ((Message("user", line.strip()),) for line in lines if line.strip())

    found = read_questions(path, report=tell)
    return (row.conversation() for row in found.rows)
