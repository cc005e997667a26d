"""Chats, questions and answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.records.answers import AskResult, DocumentTask, FormatCheck, PromptText, StoredMessage
from workbench.records.documents import Collection
from workbench.records.messages import (
    Beam,
    ChosenToken,
    ImagePart,
)
from workbench.records.outcomes import Road
from workbench.records.projects import ChatProject
from workbench.records.recipes import Recipe
from workbench.records.trace import StepEdit, Trace
from workbench.subjects.runs.calls import RunRecord


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """Files that are being attached: to which chat, as which collection, read by which run."""

    chat: ChatRecord
    collection: Collection
    run: RunRecord


class AttachFiles(Call[Attached], frozen=True, kw_only=True, tag="docs.attach"):
    """Attach files or folders (absolute paths) to a chat: they are read into a collection that its questions search,
    beside that of the recipe. ``chat`` None: a new chat without a title, which its first question gives it."""

    chat: str | None = None
    paths: tuple[str, ...]


class ChatRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A chat in the history. ``head`` is the message at the end of the branch that is shown, ``attachments`` the
    collection of its attached files, ``attached`` the name of the first of these, ``folder`` the name of its folder,
    ``waiting`` the latest message that waits for a decision (``Decide``); "" for none. ``allowed`` are the acting tools
    whose calls the person has allowed in it. ``unreadable`` says why its recipe cannot be read; that stays as it is
    stored."""

    id: str
    title: str
    created: float
    updated: float
    head: str | None = None
    recipe: Recipe | None = None
    unreadable: Shown = ""
    attachments: str = ""
    attached: str = ""
    pinned: bool = False
    folder: str = ""
    waiting: str = ""
    allowed: tuple[str, ...] = ()


class ChatList(msgspec.Struct, frozen=True, kw_only=True):
    """``folders`` are the names of all folders, empty ones too, in alphabetical order. The chats come without their
    recipes, which ``GetChat`` has; ``latest`` is that of the first chat."""

    chats: tuple[ChatRecord, ...]
    folders: tuple[str, ...] = ()
    latest: Recipe | None = None


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat with all its messages, oldest first, those of other branches included."""

    chat: ChatRecord
    messages: tuple[StoredMessage, ...]


AT_END = -1


class BranchPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A position in an answer's sequence where ``token`` replaces token number ``position`` (from 0). With ``AT_END``
    for both the sequence is continued at its end, as after it was stopped."""

    position: int
    token: int
    sequence: int = 0


class AnswerTokens(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of one sequence of an answer. ``next`` has the alternatives after the last one (its ``token`` is -1).
    ``first`` is the position of ``tokens[0]`` in the sequence. ``beams`` are the steps of its beam search, if any."""

    tokens: tuple[ChosenToken, ...]
    next: ChosenToken | None = None
    first: int = 0
    beams: tuple[tuple[Beam, ...], ...] = ()


class ListChats(Call[ChatList], frozen=True, kw_only=True, tag="chats.list"):
    """Chats, the pinned ones first, then the latest; with ``search``, those whose title or messages contain its
    words."""

    changed_by = ("chat",)
    search: str = ""


class GetChat(Call[Chat], frozen=True, kw_only=True, tag="chats.get"):
    chat: str


class RenameChat(Call[ChatRecord], frozen=True, kw_only=True, tag="chats.rename"):
    chat: str
    title: str


class PinChat(Call[ChatRecord], frozen=True, kw_only=True, tag="chats.pin"):
    """Pin a chat, or unpin it: pinned chats stand first in the history."""

    chat: str
    pinned: bool = True


class MoveChat(Call[ChatRecord], frozen=True, kw_only=True, tag="chats.move"):
    """Put a chat into a folder; "": into none. Raises UserError when there is no such folder."""

    chat: str
    folder: Annotated[str, "project of chats (default: none)"] = ""


class WithdrawTool(Call[ChatRecord], frozen=True, kw_only=True, tag="chats.withdraw-tool"):
    """Ask again before each call of a tool that was allowed in a chat. Raises UserError when there is no such chat."""

    chat: str
    tool: str


class CreateChatFolder(Call[ChatList], frozen=True, kw_only=True, tag="chats.folders.create"):
    """A folder for chats, empty. Raises UserError when the name is empty or taken."""

    name: str


class RenameChatFolder(Call[ChatList], frozen=True, kw_only=True, tag="chats.folders.rename"):
    folder: str
    name: str


class RemoveChatFolder(Call[ChatList], frozen=True, kw_only=True, tag="chats.folders.remove"):
    """Remove a folder. Its chats stay, in none."""

    folder: str


class ChatFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder with what its new chats begin with. ``unreadable`` says why that cannot be read; it stays as it is
    stored."""

    name: str
    project: ChatProject = ChatProject()
    unreadable: Shown = ""


class GetChatFolder(Call[ChatFolder], frozen=True, kw_only=True, tag="chats.folders.get"):
    """A folder, and what its new chats begin with. Raises UserError when there is no such folder."""

    folder: str


class ChangeChatFolder(Call[ChatFolder], frozen=True, kw_only=True, tag="chats.folders.change"):
    """Say what the new chats of a folder begin with; the chats that are there keep their recipes. Raises UserError when
    there is no such folder, or the instructions are too long."""

    folder: str
    project: ChatProject


class DeleteChat(Call[ChatRecord], frozen=True, kw_only=True, tag="chats.delete"):
    """Move a chat to the trash, with all its branches and attached files; with ``forever`` it is deleted at once."""

    chat: str
    forever: bool = False


class SetHead(Call[ChatRecord], frozen=True, kw_only=True, tag="chats.head"):
    """Show another branch: the newest leaf below ``message`` becomes the head."""

    chat: str
    message: str


ExportForm = Literal["markdown", "html", "docx"]


class ExportChat(Call[str], frozen=True, kw_only=True, tag="chats.export"):
    """The shown branch as Markdown, sources included."""

    made_by = ("terminal", "It prints one chat; the window writes files of chats (``ExportChats``).")

    chat: str


class RenderChats(Call[str], frozen=True, kw_only=True, tag="chats.render"):
    """Chats as one HTML text, as ``ExportChats`` writes it: to be printed. ``chats`` () are all."""

    made_by = ("window", "It is printed after a preview; the terminal writes files of chats (``ExportChats``).")

    chats: tuple[str, ...] = ()
    branches: bool = False


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    chats: int
    bytes: int


class ExportChats(Call[Exported], frozen=True, kw_only=True, tag="chats.export_file"):
    """Write chats to one file, with the sources that they cite: name, place and what is quoted. ``chats`` are ids, ()
    for all of them. ``branches``: the versions that are not shown, too. A file that is there is replaced when the new
    one is whole. Raises UserError when it cannot be written."""

    path: str
    form: ExportForm = "markdown"
    chats: tuple[str, ...] = ()
    branches: bool = False


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """``program`` has exported the chats. ``known`` were imported before, ``left_out`` messages are neither questions
    nor answers."""

    program: str
    chats: tuple[str, ...]
    messages: int
    known: int = 0
    left_out: int = 0


class ImportChats(Call[Imported], frozen=True, kw_only=True, tag="chats.import"):
    """Import the chats of an export of ChatGPT, Claude, Open WebUI, LM Studio or Jan, with their branches, dates and
    models: a JSON file, a zip archive or a folder (absolute path), told by its content. A chat that was imported before
    is passed over. Raises UserError that names the place of what cannot be read; then nothing is imported."""

    path: str


class Ask(Call[AskResult], frozen=True, kw_only=True, tag="ask"):
    """Ask a question; streams Progress, steps, Retrieved, Thought, TextDelta, Verified, BeamStep and Log(notice).

    Without ``chat`` a new chat is made, in ``folder`` where one is named. With ``temporary`` it is not kept:
    nothing of it is written to the disk, the history does not list it, and it ends with ``DeleteChat``, or with the
    core. ``parent`` is the message that the question follows (None: the chat's head; with ``root`` true, nothing:
    an edit of the first question). ``regenerate`` names an assistant message to answer anew beside it; ``question``
    and ``document`` are then those of its question; with ``branch``, the new answer starts like a sequence of that
    one and continues with another token. ``aside``: the new answer is only to be compared with the one that it
    stands beside, so the chat keeps its head and its recipe. ``resume``: the new answer goes on from the steps of
    that one, such as a tree of thoughts whose budget was used up; with ``edit``, after one of them was expanded,
    pruned or edited. ``varied``: the new answer is to differ, so its tokens are drawn more freely than the recipe
    says; the chat keeps its recipe. ``without_documents``: so is a new answer for which nothing is searched, which
    says so. ``road``: the question takes this road in place of the recipe's; the chat keeps its recipe.
    ``images`` are shown to the model before the question (``AddImage``). ``chat_recipe``: ``recipe`` is for this
    question alone, and the chat goes on with that one. The first event is ``Artifact(kind="message")`` with ``result =
    {chat, question, answer}`` (ids), sent when the question is safely stored.
    """

    question: str = ""
    images: tuple[ImagePart, ...] = ()
    recipe: Recipe = Recipe()
    chat: str | None = None
    folder: str = ""
    temporary: bool = False
    parent: str | None = None
    root: bool = False
    regenerate: str | None = None
    document: DocumentTask | None = None
    branch: BranchPoint | None = None
    aside: bool = False
    varied: bool = False
    resume: bool = False
    edit: StepEdit | None = None
    without_documents: bool = False
    road: Road | None = None
    chat_recipe: Recipe | None = None


class SelectSequence(Call[StoredMessage], frozen=True, kw_only=True, tag="chats.keep"):
    """Select another of several answers; the conversation continues from it."""

    message: str
    sequence: Annotated[int, "number of the sequence, counted from 0"]


class RateAnswer(Call[StoredMessage], frozen=True, kw_only=True, tag="chats.rate"):
    """Rate an answer: 1 good, -1 bad, 0 for no rating."""

    message: str
    rating: Literal[-1, 0, 1]


class EditAnswer(Call[StoredMessage], frozen=True, kw_only=True, tag="chats.edit"):
    """Store a corrected answer; "" removes the correction. The conversation continues from it."""

    message: str
    text: str


class InspectAnswer(Call[AnswerTokens], frozen=True, kw_only=True, tag="chats.inspect"):
    """The tokens of an answer, each with its probability and alternatives, computed again by the model that made it,
    which is loaded for that. ``step`` is the id of a step whose tokens are meant instead. ``last`` limits it to so many
    at the end; 0: all.

    Raises UserError when the tokens are not stored, or the model is missing or has changed.
    """

    message: str
    step: Annotated[str, "the tokens of this step (`chats steps` shows them)"] = ""
    sequence: Annotated[int, "the answer number I of several"] = 0
    alternatives: int = 8
    last: Annotated[int, "only the last N tokens; 0: all"] = 0


class ShowPrompt(Call[PromptText], frozen=True, kw_only=True, tag="prompt.show"):
    """The exact prompt that a recipe makes of a question, with examples, passages and the model's chat template.
    Nothing is generated; the model is loaded, and the documents are searched."""

    made_by = ("terminal", "The window shows the exact prompt of each answer among its steps, once there is an answer.")

    question: str
    recipe: Recipe = Recipe()


class GetTrace(Call[Trace], frozen=True, kw_only=True, tag="chats.trace"):
    """The steps of an answer that has ended. Raises UserError when none are stored."""

    message: str


class CheckFormat(Call[FormatCheck], frozen=True, kw_only=True, tag="format.check"):
    """Check a constraint of ``DecodingPart.format`` and ``grammar``, and, when given, a text against it."""

    format: Literal["text", "json", "json_schema", "regex", "choice", "gbnf", "quote"]
    grammar: str = ""
    text: str | None = None


class FollowAnswer(Call[AskResult], frozen=True, kw_only=True, tag="chats.follow"):
    """Watch a running answer: the events so far, then the live ones."""

    message: str


class StopAnswer(Call[None], frozen=True, kw_only=True, tag="chats.stop"):
    """Stop a running answer, of any client."""

    message: str
