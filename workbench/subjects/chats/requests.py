"""Makes the request of an answer from a call: the recipe that is asked with, the conversation as a model sees it, the
steps that the answer goes on from, and what its chat allows.

It checks requests, and stores nothing: a call that is refused leaves no message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.records.agents import Approval, Decision
from workbench.records.answers import DocumentTask, StoredMessage, origins_in
from workbench.records.messages import ImagePart, Message, TextPart
from workbench.records.origins import joined
from workbench.records.recipes import AgentPart, Recipe, RetrievalPart, varied, without_attachments
from workbench.records.trace import Trace, TraceStep
from workbench.records.trust import WITHOUT_DOCUMENTS, without_citations
from workbench.subjects.agents.tools import check_arguments, tool_named
from workbench.subjects.answering.answer import check
from workbench.subjects.answering.request import AnswerRequest, Resolved
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.chats.calls import AT_END, Ask
from workbench.subjects.chats.inspection import read_tokens, readable, tokens_of
from workbench.subjects.chats.store import Branch, ChatStore
from workbench.subjects.images.calls import MOST_IMAGES
from workbench.techniques.composition import Prefix
from workbench.techniques.registry import METHODS
from workbench.techniques.tools.approval import begun_in

LEAVES_LOOP = (
    "The answer goes on with DRY {dry:g}, a penalty on phrases that it has said before, since it would repeat itself "
    "otherwise."
)
NOT_SEARCHED = "No documents were searched, since the question shows an image."
_DRY = 0.8  # llama.cpp's usual multiplier


class CheckedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that can be answered, and what its recipe refers to. ``branch`` is what was read of its chat: down to
    the message that a new question follows, or to the answer beside which another one is made. ``earlier`` are the
    steps that the answer goes on from."""

    request: AnswerRequest
    resolved: Resolved
    branch: Branch = Branch()
    earlier: Trace | None = None


class Requests:
    """The requests of a home's chats. A chat is read once for each, and what was read is handed on. Every method raises
    UserError where the request cannot be answered."""

    def __init__(
        self, store: ChatStore, services: HomeServices, require_image: Callable[[str], None] = lambda sha256: None
    ) -> None:
        self._store = store
        self._services = services
        self._require_image = require_image

    def of_ask(self, call: Ask, context: RequestContext) -> CheckedRequest:
        """The request of a new question, or of another answer to the question of ``call.regenerate``."""
        branch = self._read(call)
        recipe = _recipe_of(call, branch)
        notices: tuple[str, ...] = ()
        if recipe.retrieval is not None and _shows_images(call, branch):
            recipe, notices = msgspec.structs.replace(recipe, retrieval=None), (NOT_SEARCHED,)
        call = msgspec.structs.replace(call, recipe=recipe)
        if call.branch is not None:
            prefix, resolved = self._continuation(call, branch, context)
        else:
            prefix, resolved = None, self._services.resolve(call.recipe)
        if call.regenerate is not None:
            return self._of_another_answer(call, branch, prefix, resolved, notices)
        if call.resume or call.edit is not None:
            raise UserError("Only an answer that is there can be resumed.", "Name the answer to regenerate.")
        return self._of_question(call, branch, resolved, notices)

    def of_decision(self, branch: Branch, waiting: Approval, decision: Decision) -> CheckedRequest:
        """The request of the answer in which a branch ends, which goes on once the call that it waits for is
        decided."""
        *asked, answer = branch.messages
        assert answer.recipe is not None
        assert branch.chat is not None
        if decision.choice == "edit" and answer.recipe.agent is not None:
            self._check_edit(waiting.call.tool, decision.arguments or {}, answer.recipe)
        resolved = self._services.resolve(answer.recipe)
        allowed = set(branch.chat.allowed)
        if decision.choice == "allow-in-chat":
            allowed.add(waiting.call.tool)
        earlier = Trace(steps=self._steps_of(answer))
        request = AnswerRequest(
            recipe=answer.recipe,
            conversation=conversation_of(asked),
            earlier=earlier.steps,
            decisions=(decision,),
            asks=True,
            allowed=tuple(sorted(allowed)),
            untrusted=untrusted_in(asked),
            chat=answer.chat,
            done=self._begun_for(answer.recipe, asked),
            origins=joined(origins_in(asked), _origins_of_steps(earlier.steps)),
        )
        check(request, resolved, self._services)
        return CheckedRequest(request=request, resolved=resolved, earlier=earlier)

    def of_task(self, recipe: Recipe, task: DocumentTask | None) -> CheckedRequest:
        """The request of a task on a document that is begun again."""
        resolved = self._services.resolve(recipe)
        request = AnswerRequest(recipe=recipe, task=task, origins=())
        check(request, resolved, self._services)
        return CheckedRequest(request=request, resolved=resolved)

    def _read(self, call: Ask) -> Branch:
        """The one reading of a chat for a question."""
        if call.regenerate is not None:
            return self._store.read_to(call.regenerate)
        if call.chat is not None:
            return self._store.read_chat(call.chat, call.parent, root=call.root)
        if call.parent is not None:
            raise UserError(f"The message {call.parent} is not in that chat.")
        return Branch()

    def _of_question(self, call: Ask, branch: Branch, resolved: Resolved, notices: tuple[str, ...]) -> CheckedRequest:
        text = call.question.strip()
        if not text and call.document is not None:
            text = call.document.describe(METHODS.find(call.document.task, "task"))
        request = AnswerRequest(
            recipe=call.recipe,
            conversation=(*conversation_of(branch.messages), self._asked(call, text)),
            task=call.document,
            notices=notices,
            asks=True,
            allowed=branch.chat.allowed if branch.chat is not None else (),
            untrusted=untrusted_in(branch.messages),
            origins=origins_in(branch.messages),
        )
        check(request, resolved, self._services)
        return CheckedRequest(request=request, resolved=resolved, branch=branch)

    def _asked(self, call: Ask, text: str) -> Message:
        """The question with its images. Raises UserError where one is not kept."""
        if not call.images:
            return Message("user", text)
        if call.document is not None:
            raise UserError("A task on a document has no images.", "Ask about the images by themselves.")
        if len(call.images) > MOST_IMAGES:
            raise UserError(f"A question shows at most {MOST_IMAGES} images.", "Ask several questions.")
        for image in call.images:
            self._require_image(image.sha256)
        # where it is kept is not the client's to say
        kept = (msgspec.structs.replace(image, path="") for image in call.images)
        return Message.of_parts("user", [*kept, TextPart(text)])

    def _of_another_answer(
        self, call: Ask, branch: Branch, prefix: Prefix | None, resolved: Resolved, notices: tuple[str, ...]
    ) -> CheckedRequest:
        assert branch.chat is not None
        old = branch.messages[-1]
        asked = branch.messages[:-1] if old.role == "assistant" else branch.messages
        recipe = call.recipe
        if prefix is not None:
            recipe = msgspec.structs.replace(resolved.recipe, decoding=recipe.decoding)
        resumes = call.resume or call.edit is not None
        steps = self._steps_of(old) if resumes else ()
        notices = (WITHOUT_DOCUMENTS,) if call.without_documents else notices
        if _leaves_loop(call, branch):
            notices = (*notices, LEAVES_LOOP.format(dry=recipe.decoding.dry_multiplier))
        request = AnswerRequest(
            recipe=recipe,
            conversation=conversation_of(asked),
            task=readable(asked[-1]).document if asked else None,
            prefix=prefix,
            earlier=steps,
            edit=call.edit,
            notices=notices,
            asks=True,
            allowed=branch.chat.allowed,
            untrusted=untrusted_in(asked),
            done=self._begun_for(call.recipe, asked),
            origins=joined(origins_in(asked), _origins_of_steps(steps), old.origins() if resumes else ()),
        )
        check(request, resolved, self._services)
        earlier = None
        if request.recipe.agent is not None and request.earlier:
            earlier = Trace(steps=_steps_before(request))
        return CheckedRequest(request=request, resolved=resolved, branch=branch, earlier=earlier)

    def _continuation(self, call: Ask, branch: Branch, context: RequestContext) -> tuple[Prefix, Resolved]:
        """The first tokens of the new answer, and the old answer's recipe with the decoding that is asked for."""
        assert call.branch is not None
        if call.regenerate is None:
            raise UserError("A branch starts from an answer.", "Name the answer to regenerate.")
        *_, question, message = (None, *branch.messages)
        message = readable(message)
        known, _ = read_tokens(self._store, message)
        tokens, place = tokens_of(known, call.branch.sequence), call.branch.position
        at_end = (place, call.branch.token) == (AT_END, AT_END)
        if not at_end and (not 0 <= place <= len(tokens) or call.branch.token < 0):
            raise UserError(
                f"The answer has no position {place} for the token {call.branch.token}.",
                f"Positions are numbered from 0 to {len(tokens)}.",
            )
        assert question is not None
        assert message.recipe is not None
        prefix = Prefix(
            prompt=known.prompt,
            answer=tuple(tokens) if at_end else (*tokens[:place], call.branch.token),
            question=question.text,
            query=message.query,
            passages=message.passages,
        )
        return prefix, self._services.resolve_as_made(message.recipe, call.recipe.decoding, context)

    def _check_edit(self, name: str, arguments: dict[str, Any], recipe: Recipe) -> None:
        """Refuse arguments that do not fit the tool. Those of a tool that is only known to another recipe of a team are
        checked by the tool."""
        context = RequestContext()
        try:
            tool = tool_named(
                name, self._services.tools_for(recipe.agent or AgentPart(), recipe.retrieval, context), context
            )
        except UserError:
            return
        check_arguments(tool, arguments)

    def _begun_for(self, recipe: Recipe, asked: Sequence[StoredMessage]) -> frozenset[str]:
        """The signatures of the calls that answers to the last message have begun."""
        if recipe.agent is None or not asked:
            return frozenset()
        return frozenset[str]().union(*(begun_in(trace.steps) for trace in self._store.get_traces(asked[-1].id)))

    def _steps_of(self, message: StoredMessage) -> tuple[TraceStep, ...]:
        trace = self._store.get_trace(message.id)
        if trace is None or not trace.steps:
            raise UserError("No steps are stored for this answer.", "Answer the question again.")
        return trace.steps


def _recipe_of(call: Ask, branch: Branch) -> Recipe:
    """The recipe that is asked with: with the chat's files or without documents, by the road that is asked for, and
    varied where that is asked."""
    recipe = without_attachments(call.recipe)
    attached = branch.chat.attachments if branch.chat is not None else ""
    if call.without_documents:
        recipe = msgspec.structs.replace(recipe, retrieval=None)
    elif attached:
        part = msgspec.structs.replace(recipe.retrieval or RetrievalPart(), attachments=attached)
        recipe = msgspec.structs.replace(recipe, retrieval=part)
    if call.road is not None:
        if recipe.retrieval is None:
            raise UserError("A route leads through documents, and this question has none.", "Name the documents.")
        recipe = msgspec.structs.replace(recipe, retrieval=msgspec.structs.replace(recipe.retrieval, road=call.road))
    if _leaves_loop(call, branch) and not recipe.decoding.dry_multiplier:
        decoding = msgspec.structs.replace(recipe.decoding, dry_multiplier=_DRY)
        recipe = msgspec.structs.replace(recipe, decoding=decoding)
    if not call.varied:
        return recipe
    if call.regenerate is None:
        raise UserError("Only an answer that is there can be varied.", "Name the answer to regenerate.")
    return varied(recipe, METHODS)


def _shows_images(call: Ask, branch: Branch) -> bool:
    """Whether a question, or the one that is answered again, shows images."""
    if call.regenerate is None:
        return bool(call.images)
    asked = next((one for one in reversed(branch.messages) if one.role == "user"), None)
    return asked is not None and any(isinstance(part, ImagePart) for part in asked.parts)


def _leaves_loop(call: Ask, branch: Branch) -> bool:
    """Whether an answer that was ended since it repeated itself is continued at its end."""
    if call.regenerate is None or call.branch is None or call.branch.token != AT_END:
        return False
    return branch.messages[-1].looped


def conversation_of(branch: Sequence[StoredMessage]) -> tuple[Message, ...]:
    """The messages of a branch as a model sees them. An answer without text is left out with its question, and with the
    tool calls and results between them. Citations are left out: their numbers mean nothing in another answer, where a
    model would imitate them."""
    messages: list[Message] = []
    for message in branch:
        if message.role != "assistant" or message.text.strip() or message.parts:
            cited = {citation.n for citation in message.citations}
            messages.append(message.as_message(without_citations(message.text, cited) if cited else None))
            continue
        while messages and (messages[-1].role != "assistant" or messages[-1].tool_calls):
            messages.pop()
    return tuple(messages)


def untrusted_in(branch: Sequence[StoredMessage]) -> tuple[str, ...]:
    """The texts of a branch that were made from text of strangers, or may have been: those of tools, and answers that
    have read documents or results of tools."""
    tasks = {message.id for message in branch if message.document is not None}
    return tuple(
        message.text
        for message in branch
        if message.role != "user" and (_is_tainted(message) or message.parent in tasks)
    )


def _origins_of_steps(steps: Sequence[TraceStep]) -> tuple[str, ...]:
    return tuple(sorted({passage.collection for step in steps for passage in step.passages} - {""}))


def _steps_before(request: AnswerRequest) -> tuple[TraceStep, ...]:
    """The steps that an answer goes on from: all, or with an edit those before the edited one."""
    if request.edit is None:
        return request.earlier
    place = next((n for n, step in enumerate(request.earlier) if step.id == request.edit.step), 0)
    return request.earlier[:place]


def _is_tainted(message: StoredMessage) -> bool:
    if message.role == "tool" or message.tainted or message.passages or message.citations:
        return True
    if message.recipe is None:
        return bool(message.unreadable)
    by_agent = message.recipe.agent is not None  # without its end it is not known what it has read
    return message.state != "done" and (by_agent or message.recipe.retrieval is not None)
