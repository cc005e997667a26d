"""Chats, questions and answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal

import msgspec

from workbench.api.protocol import Call
from workbench.records import origins as provenance
from workbench.records.agents import Approval
from workbench.records.endpoints import MadeBy
from workbench.records.messages import (
    Beam,
    Candidate,
    ChosenToken,
    Citation,
    Finish,
    Message,
    Part,
    Passage,
    Usage,
    Verification,
)
from workbench.records.methods import MethodInfo
from workbench.records.recipes import Recipe
from workbench.records.trace import StepEdit, Trace


class DocumentTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task on one whole document, section by section when it is longer than the context.

    ``document`` is its id or path in the recipe's collection, ``task`` the name of a document task. ``language`` is the
    target of a translation, ``columns`` are those of a table.
    """

    document: str
    task: str
    language: str = ""
    columns: tuple[str, ...] = ()

    def describe(self, method: MethodInfo) -> str:
        """The request in words; ``method`` is the task's row."""
        name, columns = PurePath(self.document).name, ", ".join(self.columns)
        return method.phrase.format(document=name, language=self.language, columns=columns)


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a chat. Messages form a tree: an edited question or a regenerated answer is a sibling.

    ``parts`` holds a message that is more than text, as in ``Message``; ``text`` is then the text of its parts.
    ``state``: ``done``; ``streaming`` while it is generated; ``stopped`` by the person; ``failed`` (``error`` is the
    reason); ``interrupted`` when the program ended meanwhile; ``waiting`` for the person's decision on the call
    ``waiting`` (``Decide``). ``document`` is the task of a question that asks for one;
    regenerating its answer repeats the task. ``sequences`` are all answers of one generation, () for a single one;
    ``selected_sequence`` is the index of the one with this text. ``steps`` counts the steps of the answer's trace
    (``GetTrace``). ``traced``: the token ids of its text are stored, so that ``InspectAnswer`` can be called.
    ``tainted``: text of strangers was read for it. ``rating``: 1 good, -1 bad, 0 none. ``original`` is the model's text
    where a person has edited ``text``. ``finish``: why a single answer ended, None where it is not known.
    ``unreadable`` says which fields this program cannot read, and why (so do the notices): they are left out here and
    stay as they are stored.
    """

    id: str
    chat: str
    parent: str | None
    role: Literal["user", "assistant", "tool"]
    text: str
    parts: tuple[Part, ...] = ()
    state: Literal["done", "streaming", "stopped", "failed", "interrupted", "waiting"] = "done"
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
    sequences: tuple[Candidate, ...] = ()
    selected_sequence: int = 0
    steps: int = 0
    traced: bool = False
    rating: int = 0
    original: str | None = None
    verification: Verification | None = None
    waiting: Approval | None = None
    tainted: bool = False
    finish: Finish | None = None
    unreadable: str = ""

    @property
    def looped(self) -> bool:
        """Whether this text was ended since it repeated itself."""
        finish = self.sequences[self.selected_sequence].finish if self.sequences else self.finish
        return finish == "loop"

    def as_message(self, text: str | None = None) -> Message:
        """The message as a model sees it. With another ``text`` than the model's own its parts are left out."""
        text = self.text if text is None else text
        return Message(self.role, text, self.parts if text == self.text and self.original is None else ())

    def origins(self, *, whole_document: bool = False) -> tuple[str, ...]:
        """What an answer was made from, beside the messages above it (``records/origins.py``). ``whole_document``: its
        question was a task on one."""
        if self.role == "tool":
            return (provenance.AGENT,)
        if self.role == "user":
            return ()
        if self.unreadable:
            return (provenance.UNKNOWN,)
        return provenance.origins_of_answer(
            self.recipe, self.passages, tainted=self.tainted or self.state != "done", whole_document=whole_document
        )


def origins_in(messages: Sequence[StoredMessage]) -> tuple[str, ...]:
    """What messages were made from, all together."""
    tasks = {message.id for message in messages if message.document is not None}
    return provenance.joined(*(message.origins(whole_document=message.parent in tasks) for message in messages))


class ChatRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A chat in the history. ``head`` is the message at the end of the branch that is shown, ``attachments`` the
    collection of its attached files, ``folder`` the name of its folder, ``waiting`` the latest message that waits for a
    decision (``Decide``); "" for none. ``allowed`` are the acting tools whose calls the person has allowed in it.
    ``unreadable`` says why its recipe cannot be read; that stays as it is stored."""

    id: str
    title: str
    created: float
    updated: float
    head: str | None = None
    recipe: Recipe | None = None
    unreadable: str = ""
    attachments: str = ""
    pinned: bool = False
    folder: str = ""
    waiting: str = ""
    allowed: tuple[str, ...] = ()


class ChatList(msgspec.Struct, frozen=True, kw_only=True):
    """``folders`` are the names of all folders, empty ones too, in alphabetical order."""

    chats: tuple[ChatRecord, ...]
    folders: tuple[str, ...] = ()


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


class FormatCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The result of checking a constraint and a text. ``problem`` is what is wrong with the constraint, with ``line``
    (from 1) where it is known. ``text_problem`` is why the text does not match; "" when it does or none was given."""

    problem: str = ""
    line: int | None = None
    text_problem: str = ""


class AskResult(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. ``chat`` and ``message`` are the ids under which it is stored; ``usage`` is of all its generations.
    ``waiting``: there is no answer yet, since a call of a tool waits for the person. ``tainted``: text of strangers was
    read for it. ``made_by``: an endpoint that computed it."""

    answer: str
    sequences: tuple[Candidate, ...] = ()
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
    parts: tuple[Part, ...] = ()
    trace: Trace | None = None
    verification: Verification | None = None
    waiting: Approval | None = None
    tainted: bool = False
    made_by: MadeBy | None = None

    @property
    def is_cut_off(self) -> bool:
        """Whether an answer was to have a form and reached its maximum length before it was complete."""
        return self.recipe.decoding.format != "text" and any(one.finish == "length" for one in self.sequences)


class ListChats(Call[ChatList], frozen=True, kw_only=True, tag="chats.list"):
    """Chats, the pinned ones first, then the latest; with ``search``, those whose title or messages contain its
    words."""

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
    folder: str = ""


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
    """Ask a question; streams Progress, steps, Retrieved, Thought, TextDelta, Verified, BeamStep and Log(notice).

    Without ``chat`` a new chat is made. ``parent`` is the message that the question follows (None: the chat's
    head; with ``root`` true, nothing: an edit of the first question). ``regenerate`` names an assistant message
    to answer anew beside it; ``question`` and ``document`` are then those of its question; with ``branch``, the new
    answer starts like a sequence of that one and continues with another token. ``aside``: the new answer is only to be
    compared with the one that it stands beside, so the chat keeps its head and its recipe. ``resume``: the new answer
    goes on from the steps of that one, such as a tree of thoughts whose budget was used up; with ``edit``, after one of
    them was expanded, pruned or edited. ``varied``: the new answer
    is to differ, so its tokens are drawn more freely than the recipe says; the chat keeps its recipe.
    ``without_documents``: so is a new answer for which nothing is searched, which says so. The first event
    is ``Artifact(kind="message")`` with
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
    aside: bool = False
    varied: bool = False
    resume: bool = False
    edit: StepEdit | None = None
    without_documents: bool = False


class SelectSequence(Call[StoredMessage], frozen=True, kw_only=True, tag="chats.keep"):
    """Select another of several answers; the conversation continues from it."""

    message: str
    sequence: int


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
    step: str = ""
    sequence: int = 0
    alternatives: int = 8
    last: int = 0


class PromptText(msgspec.Struct, frozen=True, kw_only=True):
    """The prompt of a question's first generation, as the model reads it: its control tokens have their names.

    ``together`` generations begin at once, of which this is the first. Without a generation, as for a question that is
    declined or answered by quotes, ``text`` is empty and ``answer`` is what is answered.
    """

    text: str
    tokens: int
    context_tokens: int
    together: int = 1
    answer: str = ""


class ShowPrompt(Call[PromptText], frozen=True, kw_only=True, tag="prompt.show"):
    """The exact prompt that a recipe makes of a question, with examples, passages and the model's chat template.
    Nothing is generated; the model is loaded, and the documents are searched."""

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
