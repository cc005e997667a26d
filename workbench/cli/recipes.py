"""The options of commands that answer, their effect on the recipe, and the help on its fields."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from workbench.api.events import Event, Log
from workbench.base.errors import UserError
from workbench.base.fields import fields_of
from workbench.cli.arguments import FieldHelp, absolute, add_repeated, method_lines, read_text, split_adapter
from workbench.cli.docs import find_document
from workbench.cli.models import default_model
from workbench.cli.session import Events, Session
from workbench.methods import METHODS
from workbench.records.projects import inherited
from workbench.records.prompts import find_version, source_of, split_version, with_version
from workbench.records.recipes import (
    DEFAULT_AGENT,
    LONGEST_DESCRIPTION,
    OPTIONS,
    PARTS,
    AgentPart,
    DecodingPart,
    ModelPart,
    PromptingPart,
    Recipe,
    RetrievalPart,
    follows_beams,
    ignored_fields,
    load_recipe,
    with_value,
)
from workbench.subjects.chats.calls import GetChat, GetChatFolder
from workbench.subjects.prompts.calls import GetPrompt

PROMPT_NAMES = {"prompts": "prompt"}
NAMES = {"model": "model", "collection": "collection", "adapters": "adapter", **PROMPT_NAMES}
"""Which of the options are names of what."""


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """The options that ``read_recipe`` reads."""
    parser.add_argument("--model", metavar="M", help="the model (default: the default model)")
    add_repeated(parser, "--collection", "C", "answer from these documents; repeated: from all")
    searched = "search only this file of the documents: its path or the end of it; repeated: these files"
    add_repeated(parser, "--file", "FILE", searched, "files")
    add_repeated(parser, "--attach", "FILE", "a file that is searched for this chat alone")
    add_repeated(parser, "--adapter", "A[:SCALE]", "use an adapter with the model", "adapters")
    add_prompt_options(parser)
    _add_agent_options(parser)
    parser.set_defaults(names=NAMES)


def _add_agent_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--agent",
        metavar="METHOD",
        nargs="?",
        const=DEFAULT_AGENT,
        choices=[method.name for method in METHODS.of("agent")],
        help="answer with tools (--fields agent lists methods and tools)",
    )
    add_repeated(parser, "--tool", "NAME", "a tool that it may use; repeated: all of them", "tools")
    parser.add_argument("--folder", metavar="DIR", help="the only folder that its tools may use")


def add_prompt_options(parser: argparse.ArgumentParser) -> None:
    """The options that ``read_prompting`` reads."""
    parser.add_argument("--recipe", metavar="FILE", help="a recipe file; the options change parts of it")
    presets = "a prompt of the library; repeated: a reasoning preset as well"
    add_repeated(parser, "--prompt", "NAME[@VERSION]", presets, "prompts")
    parser.add_argument(
        "--technique",
        metavar="T",
        choices=[method.name for method in METHODS.of("technique")],
        help="the prompting technique: --fields prompting lists them",
    )
    setting = "set a field of the recipe, such as decoding.temperature=0.7"
    add_repeated(parser, "--set", "PART.FIELD=VALUE", setting, "assignments")
    FieldHelp.add(parser, PARTS, _methods_help())


def read_recipe(session: Session, arguments: argparse.Namespace) -> Events[Recipe]:
    """The recipe that the options ask for, that of ``--chat`` changed by them. Raises UserError."""
    recipe = yield from _with_prompts(session, arguments)
    schema = getattr(arguments, "schema", None)
    if arguments.model:
        recipe = msgspec.structs.replace(recipe, model=ModelPart(name=arguments.model))
    if arguments.collection:
        first, *more = arguments.collection
        retrieval = msgspec.structs.replace(
            recipe.retrieval or RetrievalPart(), collection=first, more=tuple(more), files=(), revision=0
        )
        recipe = msgspec.structs.replace(recipe, retrieval=retrieval)
    if files := getattr(arguments, "files", ()):
        recipe = yield from _with_files(session, recipe, files)
    if arguments.adapters:
        adapters = tuple(split_adapter(text) for text in arguments.adapters)
        recipe = msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, adapters=adapters))
    if schema is not None:
        decoding = msgspec.structs.replace(recipe.decoding, format="json_schema", grammar=_description(schema))
        recipe = msgspec.structs.replace(recipe, decoding=decoding)
    recipe = _assigned(_with_agent(recipe, arguments), arguments)
    if arguments.json and _searches_with_beams(arguments.assignments, recipe):
        recipe = with_value(recipe, f"decoding.n={recipe.decoding.num_beams}", METHODS)
    if not recipe.model.name:
        name = yield from default_model(session)
        recipe = msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, name=name))
    yield from _idle(arguments.assignments, recipe)
    return recipe


def _with_agent(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    """The recipe with the agent that the options ask for: naming a tool or a folder is enough for one."""
    if not (arguments.agent or arguments.tools or arguments.folder):
        return recipe
    part = recipe.agent or AgentPart()
    if arguments.agent and arguments.agent != part.method:
        part = msgspec.structs.replace(part, method=arguments.agent, options={})
    tools = tuple(dict.fromkeys((*part.tools, *arguments.tools)))
    folder = absolute(arguments.folder) if arguments.folder else part.folder
    return msgspec.structs.replace(recipe, agent=msgspec.structs.replace(part, tools=tools, folder=folder))


def read_prompting(session: Session, arguments: argparse.Namespace) -> Events[PromptingPart]:
    """The prompting part that the options ask for, whichever the model. Raises UserError."""
    return _assigned((yield from _with_prompts(session, arguments)), arguments).prompting


def _with_prompts(session: Session, arguments: argparse.Namespace) -> Events[Recipe]:
    """The recipe of the file or the chat, with the prompts of the library and the technique."""
    recipe = Recipe()
    if arguments.recipe is not None:
        recipe = load_recipe(Path(arguments.recipe))
    elif arguments.chat is not None:
        chat = yield from session.call(GetChat(chat=arguments.chat))
        if chat.chat.unreadable:
            raise UserError(chat.chat.unreadable, "Give a recipe with --recipe FILE; the chat keeps its recipe.")
        recipe = chat.chat.recipe or recipe
    elif getattr(arguments, "project", None):
        folder = yield from session.call(GetChatFolder(folder=arguments.project))
        if folder.unreadable:
            raise UserError(folder.unreadable, "Give a recipe with --recipe FILE.")
        recipe = inherited(folder.project, recipe)
    prompting = recipe.prompting
    for text in arguments.prompts:
        prompting = yield from with_prompt(session, prompting, text)
    if arguments.technique and arguments.technique != prompting.technique:
        prompting = msgspec.structs.replace(prompting, technique=arguments.technique, options={})
    return msgspec.structs.replace(recipe, prompting=prompting)


def with_prompt(session: Session, prompting: PromptingPart, text: str) -> Events[PromptingPart]:
    """The part with the version ``NAME[@VERSION]`` of the library. Raises UserError when there is none."""
    name, wanted = split_version(text)
    found = yield from session.call(GetPrompt(prompt=name))
    version = find_version(found.prompt.name, found.versions, wanted)
    if version.unreadable:
        raise UserError(version.unreadable)
    return with_version(prompting, version.content, source_of(found.prompt, version))


def _with_files(session: Session, recipe: Recipe, files: Sequence[str]) -> Events[Recipe]:
    """The recipe with files of its collections, each looked up in all of them. Raises UserError."""
    part = recipe.retrieval
    if part is None or not part.collection:
        raise UserError("--file names a file of a collection.", "Name the collection with --collection.")
    paths = []
    for name in files:
        refused: UserError | None = None
        for collection in (part.collection, *part.more):
            try:
                paths.append((yield from find_document(session, collection, name)).path)
                break
            except UserError as error:
                refused = refused or error
        else:
            raise refused or UserError(f"There is no document {name!r}.")
    return msgspec.structs.replace(recipe, retrieval=msgspec.structs.replace(part, files=tuple(paths)))


def _assigned(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    for assignment in arguments.assignments:
        recipe = with_value(recipe, _from_file(assignment), METHODS)
    return recipe


def _description(path: str) -> str:
    """The description of an answer format from a file. Raises UserError when it is too long."""
    text = read_text(path)
    if len(text) > LONGEST_DESCRIPTION:
        raise UserError(
            f"{path} has {len(text):,} characters; the form of an answer is described in at most "
            f"{LONGEST_DESCRIPTION:,}.",
            "Leave out titles, descriptions and white space, or the parts that are not needed.",
        )
    return text


def _methods_help() -> dict[str, list[str]]:
    """The values that a field takes which names a method, by part."""
    return {
        "prompting": ["", "  --technique, with the settings of each:", *method_lines(METHODS.of("technique"), OPTIONS)],
        "agent": [
            "",
            "  --agent:",
            *method_lines(METHODS.of("agent")),
            "",
            "  --tool:",
            *method_lines(METHODS.of("tool")),
        ],
        "decoding": ["", "  values of decoding.strategy:", *method_lines(METHODS.of("decoding")), "", *_SPELLING],
    }


_SPELLING = (
    "  decoding.grammar=@FILE reads a file; \\n separates the entries of a list, commas separate the steps of",
    "  decoding.order.",
)


def _searches_with_beams(assignments: Sequence[str], recipe: Recipe) -> bool:
    """Whether the options ask for a beam search without a number of answers: programs get all of them."""
    said = _said(assignments)
    by_beams = follows_beams(recipe.decoding, METHODS.find(recipe.decoding.strategy, "decoding"))
    asked = "decoding.strategy" in said and by_beams
    return asked and recipe.decoding.n == 1 and "decoding.n" not in said


def _idle(assignments: Sequence[str], recipe: Recipe) -> Iterator[Event]:
    """Warn about options that belong to another strategy. The answer itself reports other ignored values."""
    groups = {field.name: field.group for field in fields_of(DecodingPart)}
    owners = {group: row for row in METHODS.of("decoding") if "searches" in row.traits for group in row.groups}
    strategy = METHODS.find(recipe.decoding.strategy, "decoding")
    for name in ignored_fields(recipe.decoding, strategy):
        owner = owners.get(groups[name])
        if f"decoding.{name}" in _said(assignments) and owner is not None:
            text = (
                f"decoding.{name} has no effect: it is a setting of {owner.name}, and the strategy is {strategy.name}."
            )
            yield Log(text=text, level="notice")


def _said(assignments: Sequence[str]) -> set[str]:
    """The options as part.field."""
    return {assignment.partition("=")[0].strip() for assignment in assignments}


def _from_file(assignment: str) -> str:
    """``decoding.grammar=@FILE`` with the file's text in place of its name."""
    target, _, value = assignment.partition("=")
    if target.strip() == "decoding.grammar" and value.startswith("@"):
        return f"{target}={_description(value[1:])}"
    return assignment
