"""The memory behind ``FakeFront``: a home folder that exists only here. ``furnished_home()`` has something in it."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.ui import fake_tokens
from tests.ui.fake_judgements import JudgementRoom
from tests.ui.fake_prompts import Library
from tests.ui.fake_trash import FakeTrash
from workbench import calls as c
from workbench.api import events
from workbench.api.events import Event
from workbench.base.errors import SendingRefused, UserError
from workbench.base.settings import Settings
from workbench.records.agents import Fact
from workbench.records.demonstrations import Demonstration
from workbench.records.document_formats import kind_by_name
from workbench.records.documents import (
    Box,
    Chunk,
    Document,
    DocumentComparison,
    DocumentDifference,
    DocumentPicture,
    DocumentState,
    NameEntry,
    NameKind,
)
from workbench.records.endpoints import Endpoint, EndpointUse
from workbench.records.engines import EngineState
from workbench.records.evaluation import Evaluation, QuestionSet
from workbench.records.hub import NetworkRequest
from workbench.records.ladder import LadderReport
from workbench.records.mcp import McpAgreement, McpServer, McpTool
from workbench.records.messages import Candidate, Citation, ImagePart, Passage, Statement, Usage, Verification
from workbench.records.models import Device
from workbench.records.projects import ChatProject
from workbench.records.recipes import ModelPart, Recipe, RetrievalPart
from workbench.records.runtime import RuntimeChoice
from workbench.records.similarity import PassageMap, PlacedPassage, ScoredPassage
from workbench.records.trace import Trace
from workbench.records.training import AdapterRecord, DataSet
from workbench.records.training_packages import TrainingPackages
from workbench.techniques.retrieval.names import find_names
from workbench.text.sentences import split_sentences

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"

SMOL = c.ModelRecord(
    name="SmolLM2-135M-Instruct",
    kind="chat",
    format="gguf",
    path="/home/ada/models/SmolLM2-135M-Instruct.Q4_1.gguf",
    architecture="llama",
    parameters=134_515_008,
    quantization="Q4_1",
    context_tokens=8192,
    bytes=91_734_176,
    licence="Apache-2.0",
)
MINILM = c.ModelRecord(
    name="all-MiniLM-L6-v2",
    kind="embedder",
    format="safetensors",
    path="/home/ada/workbench/models/all-MiniLM-L6-v2",
    architecture="bert",
    parameters=22_713_216,
    quantization="F32",
    context_tokens=256,
    bytes=90_868_376,
    licence="Apache-2.0",
    owned=True,
)
MACHINE = c.Machine(
    processor="AMD Ryzen 7 7840U",
    cores=8,
    memory_bytes=32_000_000_000,
    memory_free_bytes=21_400_000_000,
    disk_free_bytes=412_000_000_000,
    devices=(Device(name="CPU", description="AMD Ryzen 7 7840U", memory_bytes=32_000_000_000),),
)
OWN_PACKAGES = TrainingPackages(
    ready=True,
    place="program",
    versions={"torch": "2.13.0+cpu", "transformers": "5.24.0", "peft": "0.21.2", "trl": "1.16.0"},
)
PROCESSOR_ONLY = c.RuntimeState(choice=RuntimeChoice(reason="No runtime pack is installed, so the processor computes."))

BUNDLED_ONLY = EngineState(
    reason="Models are computed by the engine that the program came with.", bundled="llama-cpp-python 0.3.36"
)


@dataclass
class FakeHome:
    """What a core would have stored. Everything may be changed by a test before the window asks."""

    settings: Settings = field(default_factory=Settings)
    machine: c.Machine = MACHINE
    runtime: c.RuntimeState = PROCESSOR_ONLY
    training_packages: TrainingPackages = OWN_PACKAGES
    engines: EngineState = BUNDLED_ONLY
    update: c.Update | None = None
    models: dict[str, c.ModelRecord] = field(default_factory=dict)
    starters: tuple[c.ModelRecord, ...] = (SMOL, MINILM)
    loaded: str = ""
    dead_workers: set[str] = field(default_factory=set)
    collections: dict[str, c.Collection] = field(default_factory=dict)
    documents: dict[str, dict[str, Document]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, tuple[DocumentPicture, ...]] = field(default_factory=dict)
    changed_files: set[str] = field(default_factory=set)
    chats: dict[str, c.ChatRecord] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    projects: dict[str, ChatProject] = field(default_factory=dict)
    temporary: set[str] = field(default_factory=set)
    messages: dict[str, list[c.StoredMessage]] = field(default_factory=dict)
    traces: dict[str, Trace] = field(default_factory=dict)
    root: str = "/home/ada/workbench"
    trash: FakeTrash = field(default_factory=FakeTrash)
    memory_free_for_training: int = 6_100_000_000
    adapters: dict[str, AdapterRecord] = field(default_factory=dict)
    sets: dict[str, DataSet] = field(default_factory=dict)
    library: Library = field(default_factory=Library)
    judgements: JudgementRoom = field(init=False)
    demonstrations: dict[str, Demonstration] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    server_tools: list[c.ToolRecord] = field(default_factory=list)
    servers: dict[str, McpServer] = field(default_factory=dict)
    offered: dict[str, tuple[McpTool, ...]] = field(default_factory=dict)
    """The tools of MCP servers, by their names; a server without any cannot be reached."""
    agreements: dict[str, tuple[McpAgreement, ...]] = field(default_factory=dict)
    question_sets: dict[str, QuestionSet] = field(default_factory=dict)
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    ladders: dict[str, LadderReport] = field(default_factory=dict)
    sending: dict[str, bool] = field(default_factory=dict)
    requests: tuple[NetworkRequest, ...] = ()
    estimates: tuple[c.CostEstimate, ...] = ()
    endpoint_keys: dict[str, str] = field(default_factory=dict)
    api_keys: int = 1
    api_clients: tuple[c.ApiClient, ...] = ()
    """How many keys of the local API have been made."""
    """Of evaluations: the share of the questions that have answers."""
    cell_ratings: dict[tuple[str, int, int], int] = field(default_factory=dict)
    images: dict[str, c.ImagePixels] = field(default_factory=dict)
    runs: dict[str, c.RunRecord] = field(default_factory=dict)
    run_events: dict[str, list[Event]] = field(default_factory=dict)
    answer_text: str = "The warranty runs for **36 months** from delivery [1]. Claims must be made in writing [2]."
    base_text: str = "A warranty is a promise of a seller about the quality of a thing. It depends on the seller."
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    # -- program and models --------------------------------------------------------------------------

    def __post_init__(self) -> None:
        # made before the front's thread runs: made at its first use, there could be one for each thread
        self.judgements = JudgementRoom(self)

    def endpoint_record(self, model: c.ModelRecord) -> c.EndpointRecord:
        endpoint, has_key = model.endpoint, bool(self.endpoint_keys.get(model.name))
        cost = endpoint.cost(700, 90) if endpoint is not None else 0.0
        use = EndpointUse(
            name=model.name, requests=3, prompt_tokens=700, new_tokens=90, cost=cost, has_key=has_key, key_kept=has_key,
            sending=dict(self.sending),
        )  # fmt: skip
        return c.EndpointRecord(model=model, use=use, lacks=("Cannot use adapters.",))

    def change_endpoint(self, call: c.ChangeEndpoint) -> c.EndpointRecord:
        model = self.models.pop(call.name)
        assert model.endpoint is not None
        names = ("model", "terms", "notes", "price_in", "price_out", "budget")
        given = {name: getattr(call, name) for name in names if getattr(call, name) is not None}
        if call.images is not None:
            given["sees"] = {"yes": True, "no": False}.get(call.images)
        if call.key is not None:
            self.endpoint_keys[call.new_name or call.name] = call.key
        endpoint = msgspec.structs.replace(model.endpoint, **given)
        changed = msgspec.structs.replace(model, name=call.new_name or call.name, endpoint=endpoint)
        self.models[changed.name] = changed
        return self.endpoint_record(changed)

    def check_sending(self, call: c.Ask) -> None:
        """As the core does, before anything is stored."""
        model, part = self.models.get(call.recipe.model.name), call.recipe.retrieval
        endpoint = model.endpoint if model is not None else None
        if model is None or endpoint is None or endpoint.is_local or call.without_documents:
            return
        attached = self.chats[call.chat].attachments if call.chat else ""
        names = [one for one in (part.collection, *part.more) if one] if part is not None else []
        for name in [*names, *([""] if attached else [])]:
            decided = self.sending.get(name or "attached files")
            if not decided:
                shown = name or "attached files"
                message = (
                    f"Up to 8 passages of {shown} will be sent to {endpoint.host} with each question, if you allow it."
                )
                if decided is False:
                    message = f"You have refused to send passages of {shown} to {endpoint.host}."
                raise SendingRefused(message, "Allow it.", model=model.name, collection=name, refused=decided is False)

    def add_endpoint(self, call: c.AddEndpoint) -> c.EndpointRecord:
        endpoint = Endpoint(address=call.address, model=call.model, context_tokens=32_768, vision=False)
        model = c.ModelRecord(
            name=call.name or call.model, kind="chat", format="endpoint", path=call.address, architecture="",
            parameters=0, quantization="", context_tokens=32_768, bytes=0, endpoint=endpoint,
        )  # fmt: skip
        self.models[model.name] = model
        self.endpoint_keys[model.name] = call.key
        return self.endpoint_record(model)

    def api_state(self) -> c.ApiState:
        server = self.settings.server
        address = f"http://127.0.0.1:{server.port}" if server.enabled else ""
        network = (f"https://192.168.1.20:{server.shared_port}/v1",) if server.enabled and server.shared else ()
        return c.ApiState(
            running=server.enabled, address=address, key=f"wb-key-{self.api_keys}", answered=12, refused=1,
            network_addresses=network,
        )  # fmt: skip

    def add_api_client(self, call: c.AddApiClient) -> c.ApiClientCode:
        name = call.name.strip()
        if name in [one.name for one in self.api_clients]:
            raise UserError(f"There is a client {name!r} already.", "Choose another name, or remove that one.")
        client = c.ApiClient(name=name, created=1_790_000_000.0)
        self.api_clients = (*self.api_clients, client)
        return c.ApiClientCode(client=client, code=f"workbench1:{'QUJD' * 30}{len(self.api_clients)}")

    def status(self) -> c.Status:
        names = ("inference", "embedding")
        return c.Status(
            home=self.root,
            version="0.1.0",
            model=self.loaded,
            context_tokens=8192 if self.loaded else 0,
            device="CPU" if self.loaded else "",
            memory_bytes=412_000_000 if self.loaded else 61_000_000,
            workers=tuple(
                c.WorkerState(
                    name=name,
                    state="dead" if name in self.dead_workers else "ready",
                    pid=4000 + number,
                    memory_bytes=200_000_000,
                    detail="Killed by signal 9." if name in self.dead_workers else "",
                )
                for number, name in enumerate(names)
            ),
            runs=tuple(run for run in self.runs.values() if run.state in ("queued", "running")),
        )

    def model(self, name: str) -> c.ModelRecord:
        if name not in self.models:
            raise UserError(f"There is no model {name!r}.")
        return self.models[name]

    def import_model(self, call: c.ImportModel) -> c.ModelRecord:
        path = Path(call.path)
        if path.suffix != ".gguf":
            raise UserError(
                f"{path.name} is not a model.", "A model is a .gguf file or a folder with safetensors files."
            )
        model = msgspec.structs.replace(SMOL, name=call.name or path.stem, path=call.path, owned=call.copy)
        self.models[model.name] = model
        return model

    def details(self, name: str) -> c.ModelDetails:
        return c.ModelDetails(
            model=self.model(name),
            chat_template="{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
            "<|im_end|>\n{% endfor %}",
            tokenizer="gpt2 (BPE)",
            vocabulary=49152,
            layers=30,
            embedding_length=576,
            metadata={"general.name": "Smollm2 135M 8k Lc100K Mix1 Ep2", "general.architecture": "llama"},
        )

    # -- documents -----------------------------------------------------------------------------------

    def collection(self, collection: str) -> c.Collection:
        for known in self.collections.values():
            if collection in (known.id, known.name):
                return known
        raise UserError(f"There is no collection {collection!r}.")

    def create_collection(self, name: str) -> c.Collection:
        if not name.strip():
            raise UserError("A collection needs a name.")
        if any(known.name == name for known in self.collections.values()):
            raise UserError(f"There is already a collection {name!r}.", "Choose another name.")
        made = c.Collection(id=f"c{next(self.numbers)}", name=name, created=time.time())
        self.collections[made.id] = made
        self.documents[made.id] = {}
        return made

    def documents_of(self, collection: str) -> dict[str, Document]:
        return self.documents.setdefault(self.collection(collection).id, {})

    def put_document(
        self,
        collection: str,
        path: str,
        text: str,
        state: DocumentState = "indexed",
        reason: str = "",
        pages: int = 0,
        locked: bool = False,
    ) -> Document:
        """Add or replace a document with its text; a failed one has a reason and no text."""
        name = Path(path).name
        known = next((known.id for known in self.documents_of(collection).values() if known.path == path), "")
        document = Document(
            id=known or f"d{next(self.numbers)}",
            path=path,
            title=name,
            kind=kind_by_name(path),
            state=state,
            reason=reason,
            pages=pages,
            chunks=0 if state == "failed" else len(_chunks(text)),
            characters=len(text),
            bytes=len(text.encode()),
            language="en",
            hash=f"hash-{name}",
            indexed_at=time.time(),
            locked=locked,
        )
        documents = self.documents_of(collection)
        documents[document.id] = document
        self.texts[document.id] = text
        self._count(collection)
        return document

    def remove_document(self, collection: str, document: str) -> c.Collection:
        documents = self.documents_of(collection)
        gone = next((d for d in documents.values() if document in (d.id, d.path)), None)
        if gone is None:
            raise UserError(f"There is no document {document!r}.")
        del documents[gone.id]
        known = self.collection(collection)

        def back() -> None:
            self.documents[known.id][gone.id] = gone
            self._count(known.id)

        if not known.chat:
            self.trash.put("document", gone.id, gone.title, back, place=known.name)
        return self._count(collection)

    def remove_folder(self, collection: str, path: str) -> c.Collection:
        known = self.collection(collection)
        if path not in known.folders:
            raise UserError(f"{path} was not added to this collection as a folder.")
        left = tuple(folder for folder in known.folders if folder != path)
        watched = tuple(folder for folder in known.watched if folder != path)
        self.collections[known.id] = msgspec.structs.replace(known, folders=left, watched=watched)
        documents = self.documents_of(collection)
        going = {d.id: d for d in documents.values() if d.path.startswith(f"{path}/")}
        for document in going:
            del documents[document]

        def back() -> None:
            self.documents[known.id].update(going)
            self.collections[known.id] = known
            self._count(known.id)

        if going:
            self.trash.put("folder", path, Path(path).name, back, place=known.name)
        return self._count(collection)

    def _count(self, collection: str) -> c.Collection:
        known = self.collection(collection)
        documents = self.documents[known.id].values()
        counted = msgspec.structs.replace(
            known,
            documents=sum(d.state != "failed" for d in documents),
            failed=sum(d.state == "failed" for d in documents),
            chunks=sum(d.chunks for d in documents),
            bytes=sum(d.bytes for d in documents),
            revision=known.revision + 1,
        )
        self.collections[known.id] = counted
        return counted

    def search(self, collection: str, query: str, limit: int) -> c.SearchResult:
        """Passages that share words with the query, by how many."""
        known = self.collection(collection)
        words = {word.strip("?.,!").lower() for word in query.split() if len(word) > 3}
        hits: list[Passage] = []
        for document in self.documents_of(collection).values():
            text = self.texts.get(document.id, "")
            for chunk in _chunks(text):
                piece = text[chunk.start : chunk.end]
                shared = sum(word in piece.lower() for word in words)
                if shared:
                    hits.append(
                        Passage(
                            collection=known.id, document=document.id, document_hash=document.hash, path=document.path,
                            title=document.title, start=chunk.start, end=chunk.end, text=piece, page=chunk.page,
                            score=shared / (len(words) or 1), similarity=0.4 + 0.1 * shared,
                            found_by=("both", "words", "meaning")[len(hits) % 3],
                        )
                    )  # fmt: skip
        hits.sort(key=lambda hit: -hit.score)
        return c.SearchResult(hits=tuple(hits[:limit]), revision=known.revision)

    def project(self, collection: str, query: str, limit: int) -> PassageMap:
        """The passages in two rows, those that share words with the query nearer to it."""
        hits = self.search(collection, query, 1_000).hits
        ranked = {(hit.document, hit.start): rank for rank, hit in enumerate(hits)}
        points, places = [], {}
        for document in self.documents_of(collection).values():
            text = self.texts.get(document.id, "")
            for number, chunk in enumerate(_chunks(text)):
                rank = ranked.get((document.id, chunk.start), 40)
                places[document.id, chunk.start] = len(points)
                points.append(
                    PlacedPassage(
                        title=document.title, path=document.path, page=chunk.page, text=text[chunk.start : chunk.end],
                        x=0.6 - 0.03 * rank + 0.02 * (number % 5), y=0.8 * (-1) ** number * (number % 7) / 7,
                        similarity=max(0.05, 0.8 - 0.02 * rank),
                    )
                )  # fmt: skip
        best = tuple(
            ScoredPassage(
                passage=hit, point=places[hit.document, hit.start], words=0.3 / rank, meaning=0.6 / rank,
                feedback=0.65 / rank, rank_before=rank + (1, -1)[rank % 2 == 0],
            )
            for rank, hit in enumerate(hits[:limit], 1)
        )  # fmt: skip
        return PassageMap(
            points=tuple(points), question=(0.7, 0.1), best=best, vector_weight=0.7, shown=0.21, dimensions=384,
            passages=len(points),
        )  # fmt: skip

    def names(self, collection: str) -> c.NameList:
        """The names of the collection's texts."""
        entries = [
            NameEntry(
                name=name, kind=kind, passages=len(passages), documents=len({passage.document for passage in passages})
            )
            for (name, kind), passages in self._mentions(collection).items()
        ]
        entries.sort(key=lambda entry: (-entry.documents, -entry.passages, entry.name))
        return c.NameList(names=tuple(entries), total=len(entries))

    def places_of_name(self, call: c.FindName) -> c.NamePlaces:
        """The passages of a name, or those of two; of two that no passage has together, one of each."""
        found = {name: passages for (name, _), passages in self._mentions(call.collection).items()}
        if missing := [name for name in (call.name, call.other) if name and name not in found]:
            raise UserError(f"No name {missing[0]!r} is in these documents.")
        passages, joined = found[call.name], tuple[str, ...]()
        if call.other:
            both = [passage for passage in passages if passage in found[call.other]]
            joined = () if both else ("Orbis",)
            passages = both or [passages[0], found[call.other][0]]
        return c.NamePlaces(
            name=call.name, other=call.other, passages=tuple(passages[: call.limit]), joined_by=joined,
            total=len(passages),
        )  # fmt: skip

    def _mentions(self, collection: str) -> dict[tuple[str, NameKind], list[Passage]]:
        found: dict[tuple[str, NameKind], list[Passage]] = {}
        for document in self.documents_of(collection).values():
            text = self.texts.get(document.id, "")
            spans = [span for span in find_names(text, "en") if span.sure]
            for chunk in _chunks(text):
                for name, kind in dict.fromkeys(
                    (span.shown, span.kind) for span in spans if chunk.start <= span.start < chunk.end
                ):
                    passage = Passage(
                        collection=collection, document=document.id, document_hash=document.hash, path=document.path,
                        title=document.title, start=chunk.start, end=chunk.end, text=text[chunk.start : chunk.end],
                        page=chunk.page,
                    )  # fmt: skip
                    found.setdefault((name, kind), []).append(passage)
        return found

    def text(self, collection: str, document: str) -> c.DocumentText:
        for known in self.documents_of(collection).values():
            if document in (known.id, known.path):
                text = self.texts[known.id]
                starts = tuple(len(text) * page // known.pages for page in range(known.pages))
                return c.DocumentText(
                    document=known,
                    text=text,
                    chunks=_chunks(text),
                    page_starts=starts,
                    pictures=self.pictures.get(known.id, ()),
                )
        raise UserError(f"There is no document {document!r}.")

    def comparison(self, collection: str, first: str, second: str) -> DocumentComparison:
        """The lines at the same places that differ."""
        one, other = self.text(collection, first), self.text(collection, second)
        differences = []
        for a, b in zip(_lines(one.text), _lines(other.text), strict=False):
            if one.text[slice(*a)] != other.text[slice(*b)]:
                differences.append(DocumentDifference(first=a, second=b))
        return DocumentComparison(first=one, second=other, differences=tuple(differences))

    def page(self, call: c.DrawPage) -> c.PagePicture:
        """The words of a page; drawn by Qt, which the tests have anyway."""
        from PySide6.QtCore import QBuffer, QIODevice, QRect, Qt
        from PySide6.QtGui import QColor, QImage, QPainter

        width, height = round(595 * call.scale), round(842 * call.scale)
        image = QImage(width, height, QImage.Format.Format_RGB32)
        image.fill(QColor("white"))
        known = self.text(call.collection, call.document)
        starts = (*known.page_starts, len(known.text))
        words = known.text[starts[call.page - 1] : starts[call.page]] if call.page < len(starts) else known.text
        painter = QPainter(image)
        painter.setPen(QColor("black"))
        font = painter.font()
        font.setPixelSize(round(11 * call.scale))
        painter.setFont(font)
        margin = round(60 * call.scale)
        page = QRect(margin, margin, width - 2 * margin, height - 2 * margin)
        painter.drawText(page, int(Qt.TextFlag.TextWordWrap), words)
        painter.end()
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")  # type: ignore[call-overload]  # PySide takes a str only
        boxes = (Box(left=60, top=120, right=width - 60, bottom=150),) if call.end > call.start else ()
        pages = len(known.pictures) if call.picture else known.document.pages
        page = call.picture or call.page
        return c.PagePicture(
            png=bytes(buffer.data().data()), width=width, height=height, page=page, pages=pages, boxes=boxes
        )

    def begin_ingest(self, collection: str, paths: tuple[str, ...], watch: bool, password: str = "") -> c.RunRecord:
        """Read the files at once; the run's events tell of each. Unreadable files fail with a reason; one that begins
        with LOCKED needs the password "open sesame"."""
        known = self.collection(collection)
        folders = tuple(path for path in paths if Path(path).is_dir())
        self.collections[known.id] = msgspec.structs.replace(
            known,
            folders=tuple(dict.fromkeys((*known.folders, *folders))),
            watched=tuple(dict.fromkeys((*known.watched, *(folders if watch else ())))),
        )
        files = [file for path in paths for file in _files(Path(path))]
        told: list[Event] = []
        failed = 0
        for number, file in enumerate(files, 1):
            try:
                text = file.read_text("utf-8")
                locked = text.startswith("LOCKED") and password != "open sesame"
                reason = "The password is wrong." if password else "The file is protected by a password."
                if locked:
                    failed += 1
                    document = self.put_document(collection, str(file), "", "failed", reason, locked=True)
                else:
                    document = self.put_document(collection, str(file), text)
            except (OSError, UnicodeDecodeError):
                failed += 1
                reason = "The file cannot be read."
                document = self.put_document(collection, str(file), "", "failed", reason)
            told.append(
                events.Artifact(
                    kind="document",
                    id=str(file),
                    result={
                        "state": document.state,
                        "reason": document.reason,
                        "chunks": document.chunks,
                        "document": document.id,
                    },
                )
            )
            told.append(events.Progress(stage="reading", done=number, total=len(files), unit="files", seconds_left=0.0))
        result = {"indexed": len(files) - failed, "unchanged": 0, "removed": 0, "failed": [], "chunks": known.chunks}
        told.append(events.Finished(result=result))
        run = c.RunRecord(
            id=f"r{next(self.numbers)}",
            kind="ingest",
            title=f"Add {len(files)} files to {known.name}",
            state="finished",
            created=time.time(),
            ended=time.time(),
            progress=1.0,
            config={"collection": known.id, "paths": list(paths)},
            result=result,
        )
        self.runs[run.id] = run
        self.run_events[run.id] = [events.stamped(event, n, time.time()) for n, event in enumerate(told, 1)]
        return run

    def add_image(self, call: c.AddImage) -> ImagePart:
        """Any file is a red picture."""
        name = call.name or Path(call.path).name
        image = ImagePart(sha256=f"{len(name):064x}", name=name, media_type="image/png", width=40, height=20)
        self.images[image.sha256] = c.ImagePixels(width=40, height=20, rgb=b"\xc0\x20\x20" * 800)
        return image

    def attach(self, call: c.AttachFiles) -> c.Attached:
        """As ``begin_ingest``, into the collection of a chat."""
        for path in call.paths:
            if not Path(path).exists():
                raise UserError(f"There is no file or folder {path}.")
        number, now = next(self.numbers), time.time()
        chat = call.chat or f"chat{number}"
        if chat not in self.chats:
            self.chats[chat] = c.ChatRecord(id=chat, title="", created=now, updated=now)
            self.messages[chat] = []
        if not self.chats[chat].attachments:
            made = c.Collection(id=f"c{number}", name="the attached files", chat=chat, created=now)
            self.collections[made.id], self.documents[made.id] = made, {}
            first = Path(call.paths[0]).name
            self.chats[chat] = msgspec.structs.replace(self.chats[chat], attachments=made.id, attached=first)
        collection = self.chats[chat].attachments
        run = self.begin_ingest(collection, call.paths, False)
        return c.Attached(chat=self.chats[chat], collection=self.collections[collection], run=run)

    def begin_exam(self, model: str) -> c.RunRecord:
        for run in self.runs.values():
            if (run.kind, run.state, run.config.get("model")) == ("exam", "running", model):
                return run
        nothing = {"progress": None, "seconds_left": None, "stage": "", "message": ""}
        return running_ingest(self, kind="exam", title=f"Exam of {model}", config={"model": model}, **nothing)

    def end_run(self, run: str, state: Literal["cancelled", "running", "finished"]) -> c.RunRecord:
        ended = None if state == "running" else time.time()
        known = self.run(run)
        if known.state == "finished":
            if state == "running":
                raise UserError(f"The run {run} has finished.", "Start a new run.")
            return known
        self.runs[run] = msgspec.structs.replace(known, state=state, ended=ended)
        return self.runs[run]

    def run(self, run: str) -> c.RunRecord:
        if run not in self.runs:
            raise UserError(f"There is no run {run!r}.")
        return self.runs[run]

    # -- chats ---------------------------------------------------------------------------------------

    def find_chats(self, search: str) -> tuple[c.ChatRecord, ...]:
        wanted = search.lower()
        found = [
            self.record(chat.id)
            for chat in self.chats.values()
            if chat.id not in self.temporary
            if wanted in chat.title.lower() or any(wanted in m.text.lower() for m in self.messages.get(chat.id, []))
        ]
        return tuple(sorted(found, key=lambda chat: (not chat.pinned, -chat.updated)))

    def folder_names(self) -> tuple[str, ...]:
        return tuple(sorted(self.folders, key=str.casefold))

    def folder(self, name: str) -> str:
        found = next((known for known in self.folders if known.casefold() == name.casefold()), None)
        if found is None:
            raise UserError(f"There is no project {name!r}.")
        return found

    def change_folders(self, call: c.CreateChatFolder | c.RenameChatFolder | c.RemoveChatFolder) -> None:
        old = "" if isinstance(call, c.CreateChatFolder) else self.folder(call.folder)
        new = "" if isinstance(call, c.RemoveChatFolder) else " ".join(call.name.split())
        if not isinstance(call, c.RemoveChatFolder):
            if not new:
                raise UserError("The project needs a name.")
            if any(known.casefold() == new.casefold() for known in self.folders if known != old):
                raise UserError(f"There is already a project {new!r}.")
        self.folders = [known for known in self.folders if known != old] + ([new] if new else [])
        for chat in list(self.chats.values()):
            if old and chat.folder == old:
                self.chats[chat.id] = msgspec.structs.replace(chat, folder=new)

    def withdraw_tool(self, chat: str, tool: str) -> c.ChatRecord:
        record = self.chat(chat).chat
        self.chats[chat] = msgspec.structs.replace(record, allowed=tuple(one for one in record.allowed if one != tool))
        return self.chats[chat]

    def move_chat(self, chat: str, folder: str) -> c.ChatRecord:
        into = self.folder(folder) if folder else ""
        self.chats[chat] = msgspec.structs.replace(self.chat(chat).chat, folder=into)
        return self.chats[chat]

    def chat(self, chat: str) -> c.Chat:
        if chat not in self.chats:
            raise UserError(f"There is no chat {chat!r}.")
        return c.Chat(chat=self.record(chat), messages=tuple(self.messages[chat]))

    def record(self, chat: str) -> c.ChatRecord:
        waiting = [message.id for message in self.messages.get(chat, ()) if message.state == "waiting"]
        return msgspec.structs.replace(self.chats[chat], waiting=waiting[-1] if waiting else "")

    def set_head(self, chat: str, message: str) -> c.ChatRecord:
        head = self.message(message).id
        while below := [m for m in self.messages[chat] if m.parent == head]:
            head = below[-1].id
        self.chats[chat] = msgspec.structs.replace(self.chats[chat], head=head)
        return self.chats[chat]

    def export_chat(self, chat: str) -> str:
        turns = [f"**{m.role}**\n\n{m.text}" for m in self.chat(chat).messages]
        return f"# {self.chats[chat].title}\n\n" + "\n\n".join(turns) + "\n"

    def begin_answer(self, call: c.Ask) -> tuple[c.StoredMessage, c.StoredMessage]:
        """Store the question (unless an answer is made anew) and an empty answer that streams."""
        now = time.time()
        chat = self.message(call.regenerate).chat if call.regenerate is not None else call.chat
        if chat is None:
            chat = f"chat{next(self.numbers)}"
            self.chats[chat] = c.ChatRecord(
                id=chat, title=call.question[:60], created=now, updated=now, recipe=call.recipe, folder=call.folder
            )
            self.messages[chat] = []
            self.temporary |= {chat} if call.temporary else set()
        messages = self.messages[chat]
        if not self.chats[chat].title:
            self.chats[chat] = msgspec.structs.replace(self.chats[chat], title=call.question[:60])
        if call.regenerate is not None:
            old = next(m for m in messages if m.id == call.regenerate)
            question = next(m for m in messages if m.id == old.parent)
        else:
            parent = None if call.root else call.parent or self.chats[chat].head
            question = c.StoredMessage(
                id=f"m{next(self.numbers)}", chat=chat, parent=parent, role="user", text=call.question, created=now
            )
            messages.append(question)
        answer = c.StoredMessage(
            id=f"m{next(self.numbers)}", chat=chat, parent=question.id, role="assistant", text="", state="streaming",
            created=now, recipe=call.recipe,
        )  # fmt: skip
        messages.append(answer)
        if not call.aside:
            self.chats[chat] = msgspec.structs.replace(
                self.chats[chat], head=answer.id, updated=now, recipe=call.recipe
            )
        return question, answer

    def end_answer(
        self,
        answer: c.StoredMessage,
        text: str,
        citations: tuple[Citation, ...] = (),
        passages: tuple[Passage, ...] = (),
        usage: Usage | None = None,
        sequences: tuple[Candidate, ...] = (),
        traced: bool = False,
    ) -> None:
        done = msgspec.structs.replace(
            answer, text=text, state="done", citations=citations, passages=passages, usage=usage, sequences=sequences,
            traced=traced,
        )  # fmt: skip
        self.put_message(done)

    def put_message(self, message: c.StoredMessage) -> None:
        """Store a message in the place of the one with its id."""
        stored = self.messages[message.chat]
        stored[[m.id for m in stored].index(message.id)] = message

    def trace(self, message: str) -> Trace:
        if message not in self.traces:
            raise UserError("No steps are stored for this answer.")
        return self.traces[message]

    def message(self, id: str) -> c.StoredMessage:
        """A stored message, of whichever chat."""
        found = [m for messages in self.messages.values() for m in messages if m.id == id]
        if not found:
            raise UserError(f"There is no message {id!r}.")
        return found[0]

    def keep(self, call: c.SelectSequence) -> c.StoredMessage:
        """Make another of an answer's sequences its text."""
        old = self.message(call.message)
        kept = msgspec.structs.replace(old, text=old.sequences[call.sequence].text, selected_sequence=call.sequence)
        self.put_message(kept)
        return kept

    def inspect(self, call: c.InspectAnswer) -> c.AnswerTokens:
        """The tokens of a traced answer, and the beams of one that was searched with beams."""
        message = self.message(call.message)
        if not message.traced:
            raise UserError("The tokens of this answer are not known.", "Answer again to look at them.")
        text = message.sequences[call.sequence].text if message.sequences else message.text
        searched = message.recipe is not None and message.recipe.decoding.strategy == "beam"
        return c.AnswerTokens(
            tokens=fake_tokens.tokens_of(text),
            next=fake_tokens.what_comes_next(),
            beams=fake_tokens.beams(text) if searched else (),
        )

    def put_chat(self, title: str, turns: list[tuple[str, str]], recipe: Recipe | None = None, age_s: float = 0) -> str:
        """A chat with questions and answers, as if it had been held ``age_s`` seconds ago. Returns its id."""
        chat = None
        for question, text in turns:
            call = c.Ask(question=question, chat=chat, recipe=recipe or Recipe())
            _, answer = self.begin_answer(call)
            chat = answer.chat
            passages: tuple[Passage, ...] = ()
            if recipe is not None and recipe.retrieval is not None:
                found = self.search(recipe.retrieval.collection, question, 3).hits
                passages = tuple(msgspec.structs.replace(hit, n=n) for n, hit in enumerate(found, 1))
            usage = Usage(prompt_tokens=280, cached_tokens=96, new_tokens=52, first_token_s=0.28, tokens_per_s=43.0)
            self.end_answer(answer, text, cited(passages, text), passages, usage)
        assert chat is not None
        then = time.time() - age_s
        self.chats[chat] = msgspec.structs.replace(self.chats[chat], title=title, created=then, updated=then)
        return chat


def furnished_home() -> FakeHome:
    """A home with the starter models, the sample collection and some chats, as after a first week."""
    home = FakeHome(models={SMOL.name: SMOL, MINILM.name: MINILM}, loaded=SMOL.name)
    pump = home.create_collection("Brunnen pumps")
    for file in _files(SAMPLES):
        home.put_document(pump.id, str(file), file.read_text("utf-8"))
    home.put_document(
        pump.id, "/home/ada/papers/scan-2019.pdf", "", "failed", "The file has no text: its pages are pictures only."
    )
    contracts = home.create_collection("Contracts 2025")
    home.put_document(
        contracts.id, "/home/ada/contracts/lease.md", "# Lease\n\nThe rent is due on the first day.\n" * 9
    )
    day = 86_400.0
    bench = Recipe(model=ModelPart(name=SMOL.name), retrieval=RetrievalPart(collection=pump.name))
    home.put_chat(
        "How long is the warranty?",
        [
            ("How long is the warranty, and how do I claim?", home.answer_text),
            ("And for spare parts?", "Spare parts carry a warranty of **12 months** from the day they are fitted [1]."),
        ],
        bench,
    )
    home.put_chat("Winter storage of the pump", [("Where do I store it?", "Drain the housing [1].")], bench, day * 1.2)
    home.put_chat("Notice period in the lease", [("What is the notice?", "Three months [1].")], age_s=day * 5)
    home.put_chat("A polite refusal", [("Write a refusal.", "Thank you for your offer.")], age_s=day * 12)
    return home


def running_ingest(home: FakeHome, **changes: Any) -> c.RunRecord:
    """An ingest that is under way in ``home``."""
    run = c.RunRecord(
        id=f"r{next(home.numbers)}",
        kind="ingest",
        title="Add 214 files to Contracts 2025",
        state="running",
        created=time.time() - 40,
        progress=0.43,
        stage="reading",
        seconds_left=55.0,
        message="92 of 214 files",
    )
    run = msgspec.structs.replace(run, **changes)
    home.runs[run.id] = run
    return run


def cited(passages: tuple[Passage, ...], text: str) -> tuple[Citation, ...]:
    """Citations of the passages whose number stands in the text."""
    fields = set(Citation.__struct_fields__) & set(Passage.__struct_fields__)
    return tuple(
        Citation(**{name: getattr(passage, name) for name in fields}, claimed=True)
        for passage in passages
        if f"[{passage.n}]" in text
    )


def verified(passages: tuple[Passage, ...], text: str) -> Verification:
    """Its statements: supported by the passage that they cite, or that has every word of them."""
    statements = []
    for start, end in split_sentences(text):
        words = re.findall(r"\w+", text[start:end].lower())
        cited = next((p.n for p in passages if f"[{p.n}]" in text[start : end + 4]), 0)
        n = cited or next((p.n for p in passages if all(word in p.text.lower() for word in words)), 0)
        statements.append(Statement(start=start, end=end, verdict="supported" if n else "outside", n=n))
    return Verification(statements=tuple(statements))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    return [path]


def _lines(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"[^\n]+", text)]


def _chunks(text: str) -> tuple[Chunk, ...]:
    """Paragraphs, as spans of the text."""
    chunks = []
    start = 0
    for piece in text.split("\n\n"):
        if piece.strip():
            chunks.append(Chunk(start=start, end=start + len(piece)))
        start += len(piece) + 2
    return tuple(chunks)
