"""The one way to an answer: looks up the recipe, leases its model, opens its documents, runs its method.

Chats, comparisons, evaluations and the building of data all go through ``answer``. It knows nothing of chats, storage,
workers or processes: ``Services`` hands it models and collections.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import msgspec

from workbench.api import events
from workbench.api.answer_state import with_trace
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, failure_of, finish
from workbench.backends.backend import ModelBackend
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.records import agent_edits, thoughts
from workbench.records.answers import AskResult
from workbench.records.capabilities import (
    Capabilities,
    needs_of_decoding,
    needs_of_documents,
    needs_of_methods,
    needs_of_model,
    require,
)
from workbench.records.endpoints import made_by
from workbench.records.methods import Method
from workbench.records.recipes import (
    ModelPart,
    Recipe,
    check_parts,
    decoding_of,
    notes_on_recipe,
    problem_of,
)
from workbench.subjects.answering.images import EARLIER_IMAGES, check_images, shows_images, without_images
from workbench.subjects.answering.request import AnswerRequest, Resolved, Services
from workbench.techniques.agent_session import AgentSession, Specialist
from workbench.techniques.agents.lookup import require_documents
from workbench.techniques.composition import Prefix, answer_question, continue_answer, work_on_document
from workbench.techniques.context import AnswerContext, SavedSections
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.registry import METHODS
from workbench.techniques.tools.approval import Exposure, Policy, begun_in
from workbench.techniques.tools.guard import Guard
from workbench.techniques.tools.quarantine import QuarantinedReader
from workbench.techniques.tools.services import ToolServices

__all__ = ["AnswerContext", "AnswerRequest", "Prefix", "Resolved", "SavedSections", "Services", "answer", "check"]


def check(request: AnswerRequest, resolved: Resolved, services: Services, *, sends: bool = True) -> None:
    """Refuse what cannot be answered, before anything is loaded. Raises UserError that names what is missing: a
    question, a collection, a capability of the model, settings that agree, or, where it ``sends`` something to an
    endpoint, the permission for that."""
    if request.task is not None and request.prefix is None and not resolved.collections:
        raise UserError("A document task needs the collection of the document.", "Name the collection.")
    if request.task is None and request.prefix is None:
        conversation = request.conversation
        answers_tool = bool(conversation) and conversation[-1].role == "tool"
        asks = bool(conversation) and conversation[-1].role == "user" and bool(conversation[-1].content.strip())
        if not asks and not answers_tool:
            raise UserError("The question is empty.", "Write a question first.")
        if (request.tools or answers_tool) and (request.recipe.agent or request.recipe.retrieval):
            has = "tools" if request.recipe.agent is not None else "documents"
            raise UserError(
                f"The recipe answers with {has} of its own, beside which a program cannot offer tools.",
                "Leave out the tools, or ask another recipe or the model itself.",
            )
    check_parts(request.recipe.prompting)
    method = _method_of(request)
    if request.recipe.agent is not None:
        method.decode(request.recipe.agent.options)
        for name in request.recipe.agent.tools:
            if "." not in name:  # those of MCP servers are found when it is run
                METHODS.find(name, "tool")
        if "from documents alone" in method.traits:
            require_documents(request.recipe.agent.tools, bool(resolved.collections))
        resolve_specialists(request.recipe, resolved, services)
    if request.edit is not None:
        edited = next((step for step in request.earlier if step.id == request.edit.step), None)
        actions_on = agent_edits.actions_on if method.kind == "agent" else thoughts.actions_on
        if edited is None or request.edit.action not in actions_on(edited):
            raise UserError(
                f"The step {request.edit.step} of this answer cannot be changed by {request.edit.action}.",
                "Choose a thought among the steps of this answer.",
            )
        if (check_edit := method.load_edit_check()) is not None:
            check_edit(method.decode(request.recipe.prompting.options), request.earlier, request.edit)
    if request.earlier and "resumes" not in method.traits:
        resuming = ", ".join(row.title for row in METHODS.of(method.kind) if "resumes" in row.traits)
        raise UserError(
            f"{method.title} cannot go on from an earlier answer.", f"Ask again without it. {resuming} can."
        )
    shaping = decoding_of(request.recipe, METHODS, request.kind)
    if problem := problem_of(shaping, METHODS.find(shaping.strategy, "decoding")):
        raise UserError(problem)
    require(needs_of(request), services.capabilities(resolved), resolved.model.name)
    if shows_images(request):
        check_images(request, method)
    if sends:
        services.declared(request, resolved)


def resolve_specialists(recipe: Recipe, resolved: Resolved, services: Services) -> dict[str, Resolved]:
    """The saved recipes that an agent asks, on its own model. Raises UserError for one that is not known, or that names
    another model: its lease would wait until this answer has ended."""
    part = recipe.agent
    if part is None:
        return {}
    options = METHODS.find(part.method, "agent").decode(part.options)
    found: dict[str, Resolved] = {}
    for name in getattr(options, "specialists", ()):
        saved = services.recipe(name)
        named = services.resolve(Recipe(model=ModelPart(name=saved.model.name))).model.name if saved.model.name else ""
        if named and named != resolved.model.name:
            raise UserError(
                f"The specialist {name} uses the model {named}, and this recipe {resolved.model.name}.",
                "A team answers on one model: choose the same one, or leave the specialist's empty.",
            )
        model = msgspec.structs.replace(
            saved.model, name=resolved.model.name, context_tokens=resolved.recipe.model.context_tokens
        )
        found[name] = services.resolve(msgspec.structs.replace(saved, model=model, retrieval=None))
    return found


def needs_of(request: AnswerRequest) -> Capabilities:
    """The capabilities that a request needs: its own and those of its methods."""
    recipe = request.recipe
    strategy = METHODS.find(recipe.decoding.strategy, "decoding")
    agent = recipe.agent if _method_of(request).kind == "agent" else None
    needs = needs_of_methods(strategy, _method_of(request)) | needs_of_model(recipe.model)
    needs |= Capabilities(vision=shows_images(request))
    needs |= needs_of_decoding(decoding_of(recipe, METHODS, request.kind), strategy)
    if request.prefix is None:
        needs |= needs_of_documents(recipe.retrieval, agent)
    return needs | Capabilities(
        continues_from_tokens=request.prefix is not None, context_known=request.task is not None
    )


def answer(
    request: AnswerRequest,
    services: Services,
    context: RequestContext,
    *,
    background: bool = False,
    resolved: Resolved | None = None,
    saved: SavedSections | None = None,
) -> Iterator[Event]:
    """Answer a request: streams Progress while the model is loaded, then steps, Retrieved, Thought, TextDelta,
    Verified, BeamStep, Progress and Log(notice). Raises nothing.

    Ends in ``Finished`` with an ``AskResult``, whose ``answer`` is that of its first sequence: its TextDeltas joined,
    unless several were put into another order at their end; in ``Cancelled``, with the answer so far if there is any;
    or in ``Failed``. ``recipe`` of the result is the resolved one, ``usage`` covers all generations, ``trace`` holds
    the steps. ``resolved`` is given when the recipe has been looked up before. ``background`` requests give way to
    others. ``saved`` keeps the finished sections of a task, so that it can be resumed.
    """
    try:
        resolved = resolved or services.resolve(request.recipe)
        check(request, resolved, services, sends=False)
        resolved = services.declared(request, resolved)
        retriever = retriever_for(request, resolved, services, context)
        with services.lease(resolved, context, background=background) as loading, ExitStack() as leases:
            model = yield from loading
            recipe = with_engine(resolved.recipe, model)
            found = resolve_specialists(request.recipe, resolved, services)
            team = yield from _specialists(found, resolved, model, services, context, leases)
            answering = context_for(model, retriever, recipe, request, resolved, services, context, saved, team)
            yield from _tell_of_origins(resolved, services, answering)
            ended: events.Terminal | None = None
            pages = ""
            for event in with_trace(run_method(request, recipe, answering)):
                if isinstance(event, events.TERMINAL):
                    ended = event
                    break
                yield event
                if isinstance(event, events.StepStarted) and event.kind == "pages":
                    pages = event.step
                yield from _tell_of_sending(event, pages, resolved, answering)
        terminal = _completed(ended, request, recipe, resolved, services.checksum(resolved), answering)
    except Exception as error:  # noqa: BLE001 - every exception is how the answer ended
        terminal = failure_of(error, traceback.format_exc())
    yield terminal


def _tell_of_sending(event: Event, pages: str, resolved: Resolved, context: AnswerContext) -> Iterator[Event]:
    """A note on passages that leave this machine, and on pictures of their pages, which the step ``pages`` shows."""
    endpoint = resolved.model.endpoint
    if endpoint is None or endpoint.is_local:
        return
    if isinstance(event, events.StepFinished) and event.step == pages and not event.error:
        yield from context.note(f"The shown pictures of pages and in documents are sent to {endpoint.host}.")
    if not isinstance(event, events.Retrieved) or not event.passages:
        return
    names = " and ".join(one.name or "attached files" for one in resolved.collections)
    count = len(event.passages)
    yield from context.note(f"{counted(count, 'passage')} of {names} sent to {endpoint.host}.")


def _tell_of_origins(resolved: Resolved, services: Services, context: AnswerContext) -> Iterator[Event]:
    """A note on earlier texts that leave this machine."""
    endpoint = resolved.model.endpoint
    if endpoint is None or endpoint.is_local or not resolved.origins:
        return
    names = " and ".join(services.origin_titles(resolved.origins))
    yield from context.note(f"Earlier text made from {names} is sent to {endpoint.host}.")


def retriever_for(
    request: AnswerRequest, resolved: Resolved, services: Services, context: RequestContext
) -> Retriever | None:
    """The retriever of a request that searches documents. Raises UserError as ``Services.retriever``."""
    if not resolved.collections or request.prefix is not None:
        return None
    part = resolved.recipe.retrieval
    files = part.files if part is not None and request.task is None else ()
    return services.retriever(resolved.collections, context, files, rerank=part is None or part.rerank)


def with_engine(recipe: Recipe, model: ModelBackend) -> Recipe:
    """The resolved recipe with what is known of a loaded model."""
    part = msgspec.structs.replace(recipe.model, context_tokens=model.context_tokens, engine=model.engine)
    return msgspec.structs.replace(recipe, model=part)


def context_for(
    model: ModelBackend,
    retriever: Retriever | None,
    recipe: Recipe,
    request: AnswerRequest,
    resolved: Resolved,
    services: Services,
    context: RequestContext,
    saved: SavedSections | None,
    team: Mapping[str, Specialist],
) -> AnswerContext:
    """All that the method of a request may use. ``recipe`` is the resolved one ``with_engine``."""
    tools: ToolServices | None = None
    policy = Policy(allowed=frozenset(request.allowed), done=request.done | begun_in(request.earlier))
    read = (passage.text for step in request.earlier for passage in step.passages)
    exposure = Exposure().with_untrusted((*request.untrusted, *read))
    if recipe.agent is not None:
        made: Any = QuarantinedReader(services.tools(resolved, retriever, context, request.chat), model)
        tools = made
        policy = replace(policy, allowed=policy.allowed | frozenset(recipe.agent.allowed), offline=made.offline)
    return AnswerContext(
        model=model,
        retriever=retriever,
        cancelled=lambda: context.cancelled,
        decoding=decoding_of(recipe, METHODS, request.kind),
        saved=saved,
        exam=resolved.model.exam if not resolved.use.adapters else None,
        helpers=services.helpers(resolved, retriever, context, request.chat),
        agent=AgentSession(
            tools=tools,
            decisions=request.decisions,
            asks=request.asks,
            policy=policy,
            exposure=exposure,
            guard=Guard(policy, exposure, request.decisions, request.earlier),
            specialists=team,
            client_tools=request.tools,
            must_call=request.must_call,
            earlier=request.earlier,
            edit=request.edit,
        ),
    )


def run_method(request: AnswerRequest, recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """The notes on a request, then the events of its method."""
    for text in (*request.notices, *notes_on_recipe(request.recipe, METHODS, request.kind)):
        yield from context.note(text)
    if not context.model.capabilities.vision and any(one.images for one in request.conversation):
        yield from context.note(EARLIER_IMAGES)
        request = msgspec.structs.replace(request, conversation=without_images(request.conversation))
    if request.prefix is not None:
        yield from continue_answer(request.prefix, context)
    elif request.task is not None:
        yield from work_on_document(request.task, recipe, context)
    else:
        yield from answer_question(request.conversation, recipe, context)


def _specialists(
    found: Mapping[str, Resolved],
    resolved: Resolved,
    model: ModelBackend,
    services: Services,
    context: RequestContext,
    leases: ExitStack,
) -> Generator[Event, None, dict[str, Specialist]]:
    """The specialists of a team with the model as each uses it. Another use of the same model has a lease of its own,
    which never waits for a turn: this one has it."""
    team: dict[str, Specialist] = {}
    for name, one in found.items():
        used = model
        if one.use != resolved.use:
            own = msgspec.structs.replace(one, origins=resolved.origins)
            used = yield from leases.enter_context(services.lease(own, context))
        team[name] = Specialist(one.recipe, used)
    return team


def _method_of(request: AnswerRequest) -> Method:
    """The method that drives the generations: the agent's of a question, or the prompting technique. Raises UserError
    for one that is not known."""
    if request.recipe.agent is not None and request.kind == "question":
        return METHODS.find(request.recipe.agent.method, "agent")
    return METHODS.find(request.recipe.prompting.technique, "technique")


def _completed(
    ended: events.Terminal | None,
    request: AnswerRequest,
    recipe: Recipe,
    resolved: Resolved,
    sha256: str,
    context: AnswerContext,
) -> events.Terminal:
    """A method's terminal event, with the fields that all methods have in common."""
    if ended is None:
        raise RuntimeError("the answer ended without a terminal event")
    if isinstance(ended, events.Failed) or ended.result is None:
        return ended
    result = msgspec.convert(ended.result, AskResult)
    guard = context.agent.guard
    tainted = bool(result.passages) or request.task is not None or (guard is not None and guard.tainted)
    result = msgspec.structs.replace(
        result,
        tainted=tainted,
        recipe=msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, sha256=sha256)),
        context_tokens=context.model.context_tokens,
        made_by=made_by(resolved.model.endpoint),
    )
    return msgspec.structs.replace(ended, result=finish(result).result)
