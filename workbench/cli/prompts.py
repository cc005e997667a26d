"""``workbench prompts``: the library of prompts and reasoning presets, with their versions."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from workbench.base.counting import counted
from workbench.cli.arguments import Commands, absolute, one_sentence
from workbench.cli.call_arguments import add_call, add_removal
from workbench.cli.output import TextOutput, moment, one_line
from workbench.cli.recipes import PROMPT_NAMES, add_prompt_options, read_prompting
from workbench.cli.session import Events, Session
from workbench.records.prompts import (
    PromptRecord,
    PromptVersion,
    described,
    find_version,
    found_prompts,
    split_version,
)
from workbench.records.recipes import PromptingPart
from workbench.subjects.prompts.calls import (
    ExportPrompt,
    GetPrompt,
    ImportPrompt,
    ListPrompts,
    PromptDetails,
    RemovePrompt,
    RenamePrompt,
    RestorePrompt,
    SavedPrompt,
    SavePrompt,
)
from workbench.text.word_diff import compare_words

NAMES, OLD_NAME = {"name": "prompt"}, {"old": "prompt"}
_KINDS = {"prompt": "prompt", "reasoning": "reasoning preset"}
_DIGITS = 8
"""Of a version's hash that are shown."""


def add_commands(commands: Commands) -> None:
    group = commands.group("prompts", "keep prompts and reasoning presets in a library with versions")
    listing = group.command("list", "list the library", list_prompts, show_list)
    listing.add_argument("--search", metavar="WORDS", default="", help="only those that hold these words")
    listing.add_argument("--tag", metavar="TAG", default="", help="only those with this tag")
    showing = "show a version, the latest one unless another is named, and the versions there are"
    parser = group.command("show", showing, show, show_prompt, names=NAMES)
    parser.add_argument("name", metavar="NAME[@VERSION]", help="VERSION: its number, or the beginning of its hash")
    saving = group.command("save", "save a prompt as a version of NAME", save, SAVED, names=PROMPT_NAMES)
    saving.add_argument("name", metavar="NAME", help="an entry of the library, or the name of a new one")
    add_prompt_options(saving)
    saving.add_argument("--chat", metavar="ID", help="the prompt of this chat")
    saving.add_argument("--reasoning", action="store_true", help="save technique and options as a reasoning preset")
    saving.add_argument("--note", metavar="TEXT", default="", help="what is new in this version")
    saving.add_argument("--tag", metavar="TAG", action="append", dest="tags", help="a tag; these replace earlier ones")
    restoring, prompt = "save an earlier version as the latest one", {"prompt": "prompt"}
    add_call(group, "restore", restoring, RestorePrompt, SAVED, names=prompt, prompt="NAME")
    comparing = group.command("diff", "compare two versions by words", compare, show_diff, "NAME", names=NAMES)
    comparing.add_argument("old", metavar="OLD", nargs="?", default="", help="the one before the latest, if not given")
    comparing.add_argument("new", metavar="NEW", nargs="?", default="", help="the latest one, if not given")
    exporting = group.command("export", "export prompts to a JSON file", export, WRITTEN, names={"prompts": "prompt"})
    exporting.add_argument("prompts", metavar="NAME", nargs="*", help="all, if none is given")
    exporting.add_argument("--output", metavar="FILE", required=True)
    importing = "add the prompts of a file; nothing is overwritten"
    add_call(group, "import", importing, ImportPrompt, show_imported, path="FILE")
    group.command("rename", "rename a prompt; answers keep the name", rename, RENAMED, "OLD", "NAME", names=OLD_NAME)
    add_removal(group, "move a prompt to the trash, with all its versions", RemovePrompt, "NAME")


RENAMED = one_sentence(lambda result: f"{result['old']} is now {result['name']}.")
WRITTEN = one_sentence(lambda result: f"Written to {result['path']}.")


def _describe_saved(result: dict[str, Any]) -> str:
    prompt, head = result["prompt"], result["prompt"]["head"]
    version = f"{prompt['name']}, version {head['number']} ({head['hash'][:_DIGITS]})"
    return f"{version} was saved." if result["added"] else f"{version} holds that already."


SAVED = one_sentence(_describe_saved)


def rename(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    yield from session.call(RenamePrompt(prompt=arguments.old, name=arguments.name))
    return {"old": arguments.old, "name": " ".join(arguments.name.split())}


def list_prompts(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    known = (yield from session.call(ListPrompts())).prompts
    return {"prompts": found_prompts(known, arguments.search, arguments.tag), "all": len(known)}


def show(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    name, wanted = split_version(arguments.name)
    found = yield from session.call(GetPrompt(prompt=name))
    version = find_version(found.prompt.name, found.versions, wanted)
    return {"prompt": found.prompt, "version": version, "versions": found.versions}


def save(session: Session, arguments: argparse.Namespace) -> Events[SavedPrompt]:
    part: PromptingPart = yield from read_prompting(session, arguments)
    call = SavePrompt(
        name=arguments.name,
        part=part,
        kind="reasoning" if arguments.reasoning else "prompt",
        note=arguments.note,
        tags=tuple(arguments.tags) if arguments.tags is not None else None,
    )
    return (yield from session.call(call))


def compare(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    found: PromptDetails = yield from session.call(GetPrompt(prompt=arguments.name))
    name, versions = found.prompt.name, found.versions
    new = find_version(name, versions, arguments.new)
    old = find_version(name, versions, arguments.old) if arguments.old else _before(versions, new)
    before, after = (described(one.content, found.prompt.kind) for one in (old, new))
    parts = [
        {"part": title, "pieces": compare_words(before.get(title, ""), after.get(title, ""))}
        for title in dict.fromkeys((*before, *after))
    ]
    return {"name": name, "old": old, "new": new, "parts": parts}


def _before(versions: tuple[PromptVersion, ...], new: PromptVersion) -> PromptVersion:
    """The version before; of the first one, that one."""
    return next((one for one in versions if one.number == new.number - 1), new)


def export(session: Session, arguments: argparse.Namespace) -> Events[dict[str, str]]:
    call = ExportPrompt(prompts=tuple(arguments.prompts), path=absolute(arguments.output))
    return {"path": (yield from session.call(call))}


# -- output --------------------------------------------------------------------------------------------


def show_list(result: dict[str, Any], output: TextOutput) -> None:
    if not result["all"]:
        output.line("The library is empty. `workbench prompts save NAME` saves a prompt.")
        return
    rows = []
    for one in msgspec.convert(result["prompts"], list[PromptRecord]):
        text = one.unreadable or one.head.note or " ".join(described(one.head.content, one.kind).values())
        changed = moment(one.head.created)
        rows.append((one.name, _KINDS[one.kind], one.head.number, changed, ", ".join(one.tags), one_line(text)[:60]))
    output.table(("NAME", "KIND", "VERSION", "SAVED", "TAGS", "NOTE OR TEXT"), rows, numbers=("VERSION",))


def show_prompt(result: dict[str, Any], output: TextOutput) -> None:
    record = msgspec.convert(result["prompt"], PromptRecord)
    version = msgspec.convert(result["version"], PromptVersion)
    output.pairs(
        [
            ("name", record.name),
            ("kind", _KINDS[record.kind]),
            ("tags", ", ".join(record.tags)),
            ("version", f"{version.number} ({version.hash})"),
            ("saved", moment(version.created)),
            ("note", version.note),
            ("", version.unreadable),
        ]
    )
    for title, text in described(version.content, record.kind).items():
        output.line()
        output.line(f"{title}:")
        output.line(text)
    output.line()
    rows = [
        (one.number, one.hash[:_DIGITS], moment(one.created), one.note)
        for one in msgspec.convert(result["versions"], list[PromptVersion])
    ]
    output.table(("VERSION", "HASH", "SAVED", "NOTE"), rows, numbers=("VERSION",))


def show_diff(result: dict[str, Any], output: TextOutput) -> None:
    """As git does by words: ``[-removed-]{+added+}``."""
    output.line(f"{result['name']}, version {result['old']['number']} to {result['new']['number']}")
    marks = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
    changed = [part for part in result["parts"] if any(change != "same" for change, _ in part["pieces"])]
    for part in changed:
        output.line()
        output.line(f"{part['part']}:")
        output.line("".join(f"{marks[change][0]}{text}{marks[change][1]}" for change, text in part["pieces"]))
    if not changed:
        output.line("No difference.")


def show_imported(result: dict[str, Any], output: TextOutput) -> None:
    for one in msgspec.convert(result["prompts"], list[PromptRecord]):
        output.line(f"{one.name} was added, with {counted(one.head.number, 'version')}.")
    if not result["prompts"]:
        output.line("The file holds no prompts.")
