"""What an answer is asked with: the request, its recipe with the names looked up, and the services of a home.

Plain values and a protocol; ``workbench.subjects.answering.answer`` makes answers of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from workbench.api.protocol import RequestContext
from workbench.backends.backend import Loading, ModelUse
from workbench.records.agents import Decision, ToolInfo
from workbench.records.answers import DocumentTask
from workbench.records.capabilities import Capabilities
from workbench.records.documents import Collection
from workbench.records.messages import Message
from workbench.records.models import ModelRecord
from workbench.records.origins import Origins
from workbench.records.recipes import Recipe, RequestKind
from workbench.records.trace import StepEdit, TraceStep
from workbench.techniques.composition import Prefix
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.services import Helpers
from workbench.techniques.tools.services import ToolServices


class AnswerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The last message of ``conversation`` is answered, unless there is a ``task`` on a document, or a ``prefix``: an
    earlier answer's first tokens, to be continued. ``notices`` are said beside the answer.

    Of an agent: ``decisions`` are the person's on its calls that were not carried out yet, ``asks``: there is a person
    who can be asked; ``allowed`` are the tools that the person has allowed in this chat, ``untrusted`` the texts of the
    conversation that were made from text of strangers, ``chat`` the id of the chat, "" for an answer in none; ``done``
    are the signatures of the calls that other answers to the same question have begun.

    ``origins`` is what the texts of the conversation were made from (``records/origins.py``); None: not declared,
    so an endpoint is only asked where texts of unknown origin may be sent to it.

    ``tools`` are run by the program that asks: the answer is one call of them, or a text; with ``must_call`` a call. A
    conversation may end with a tool's result."""

    recipe: Recipe
    conversation: tuple[Message, ...] = ()
    task: DocumentTask | None = None
    prefix: Prefix | None = None
    earlier: tuple[TraceStep, ...] = ()
    edit: StepEdit | None = None
    notices: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    asks: bool = False
    allowed: tuple[str, ...] = ()
    untrusted: tuple[str, ...] = ()
    chat: str = ""
    done: frozenset[str] = frozenset()
    tools: tuple[ToolInfo, ...] = ()
    must_call: bool = False
    origins: Origins = None

    @property
    def kind(self) -> RequestKind:
        if self.prefix is not None:
            return "continuation"
        return "task" if self.task is not None else "question"


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe with its names looked up and its seed drawn, and what the names refer to. ``backend`` computes it.
    ``origins`` is what the texts that it is asked with were made from, once ``Services.declared`` has allowed them;
    without ``sends`` the model is leased to show a prompt, and generates nothing."""

    recipe: Recipe
    model: ModelRecord
    use: ModelUse
    collections: tuple[Collection, ...] = ()
    backend: str = "llama.cpp"
    origins: Origins = None
    sends: bool = True


class Services(Protocol):
    """The services that an answer uses. Methods raise UserError, WorkerDied or errors.Cancelled."""

    def resolve(self, recipe: Recipe) -> Resolved: ...

    def capabilities(self, resolved: Resolved) -> Capabilities:
        """The model's capabilities. Loads nothing."""

    def declared(self, request: AnswerRequest, resolved: Resolved) -> Resolved:
        """The resolved recipe with the ``origins`` of a request. Raises SendingRefused where one of them may not be
        sent to the model's host."""

    def origin_titles(self, origins: Sequence[str]) -> Sequence[str]:
        """Origins in words."""

    def lease(
        self, resolved: Resolved, context: RequestContext, *, background: bool = False
    ) -> AbstractContextManager[Loading]:
        """As ``Backend.lease``, by the resolved recipe's backend; ``background`` gives way to other requests."""

    def retriever(
        self,
        collections: Sequence[Collection],
        context: RequestContext,
        files: Sequence[str] = (),
        *,
        rerank: bool = True,
    ) -> Retriever:
        """Collections to search, as one; with ``files`` only these of theirs, and what is attached to a chat; with
        ``rerank`` the first hits are put into a better order. What has to be loaded for it is loaded meanwhile. Raises
        UserError when they have none of the files."""

    def helpers(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> Helpers:
        """What techniques use of the program."""

    def tools(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> ToolServices:
        """What the tools of an agent use of the program."""

    def recipe(self, name: str) -> Recipe:
        """A recipe that is saved under a name. Raises UserError."""

    def checksum(self, resolved: Resolved) -> str:
        """The SHA-256 of the model's files; "" while it is not known."""
