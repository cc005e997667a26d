"""``workbench chats``: the history that window and terminal share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import msgspec

from workbench import calls
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.cli.answer_text import answer_text
from workbench.cli.approvals import add_approval_options, decide
from workbench.cli.arguments import Commands, Run, absolute, add_repeated, at_least, one_call, one_sentence
from workbench.cli.ask import plain_answer, show_answer
from workbench.cli.call_arguments import add_call, call_of
from workbench.cli.docs import place
from workbench.cli.evaluation import RATINGS
from workbench.cli.output import TextOutput, listing, moment, one_line
from workbench.cli.session import Events, Session
from workbench.cli.tokens import show_steps, show_tokens
from workbench.cli.trash import NEXT
from workbench.records.answers import StoredMessage
from workbench.records.messages import Verification
from workbench.records.recipes import load_recipe
from workbench.records.thoughts import ThoughtTree
from workbench.records.trace import Trace
from workbench.records.trust import describe_marks, describe_trust
from workbench.subjects.chats.calls import ExportForm

FORMS: dict[str, ExportForm] = {".md": "markdown", ".html": "html", ".docx": "docx"}
_CHAT = one_sentence(lambda result: f"{result['id']}  {result['title']}")
_NONE = "none"
_RATED = one_sentence(lambda result: {1: "Rated as good.", -1: "Rated as bad."}.get(result["rating"], "Not rated."))


def add_commands(commands: Commands) -> None:
    group = commands.group("chats", "list, search, export and change the chats")
    listing = group.command("list", "list chats, the latest first", chats_with(lambda a: a.search), show_chats)
    _add_project(listing, "only those of this project")
    listing.add_argument("--search", metavar="WORDS", default="", help="only those with these words")
    searching = chats_with(lambda a: " ".join(a.words))
    words = group.command("search", "list the chats whose title or messages hold these words", searching, show_chats)
    words.add_argument("words", metavar="WORDS", nargs="+")
    shown = group.command("show", "show the messages of a chat", show, show_chat, "ID")
    shown.add_argument("--all", action="store_true", help="those of other branches as well")
    exporting = group.command("export", "export chats with their sources", export, show_markdown)
    exporting.add_argument("ids", metavar="ID", nargs="*", help="the chats (default, with --output: all of them)")
    _add_project(exporting, "the chats of this project")
    exporting.add_argument(
        "--output", metavar="FILE", help="write to a .md, .html or .docx file instead of Markdown to the terminal"
    )
    exporting.add_argument("--branches", action="store_true", help="the versions that are not shown, too")
    importing = "import the chats of ChatGPT, Claude, Open WebUI, LM Studio or Jan from their export"
    add_call(group, "import", importing, calls.ImportChats, show_imported)
    add_call(group, "rename", "rename a chat", calls.RenameChat, _CHAT, chat="ID")
    for word, does in (("pin", "put a chat first in the history"), ("unpin", "pin a chat no longer")):
        pinning = one_call(lambda a, word=word: calls.PinChat(chat=a.id, pinned=word == "pin"))  # type: ignore[misc]
        group.command(word, does, pinning, _CHAT, "ID")
    moving = "put a chat into a project, or take it out of its project"
    add_call(group, "move", moving, calls.MoveChat, show_moved, chat="ID", folder="PROJECT")
    group.command("projects", "list the projects of the history", list_folders, show_folders)
    deciding = group.command(
        "decide", "decide on the call that the answer of a chat waits for, and go on", decided_answer, show_answer, "ID"
    )
    add_approval_options(deciding)
    withdrawing = "ask again before each call of a tool allowed in a chat"
    add_call(group, "ask-again", withdrawing, calls.WithdrawTool, show_allowed, chat="ID")
    folders = show_folder_names
    add_call(group, "create-project", "create a project for chats", calls.CreateChatFolder, folders, name="PROJECT")
    add_call(group, "rename-project", "rename a project", calls.RenameChatFolder, folders, folder="PROJECT")
    removing = "remove a project; its chats stay"
    add_call(group, "remove-project", removing, calls.RemoveChatFolder, folders, folder="PROJECT")
    group.command("project", "show what the new chats of a project begin with", show_folder, show_project, "PROJECT")
    beginning = group.command(
        "set-project", "say what the new chats of a project begin with", set_folder, show_project, "PROJECT"
    )
    beginning.add_argument("--recipe", metavar="FILE", help="a recipe file; none: the usual settings")
    add_repeated(beginning, "--collection", "C", "answer from these documents; none: from those of the recipe")
    beginning.add_argument("--instructions", metavar="TEXT", help="what the model reads first; none: nothing more")
    beginning.set_defaults(names={"collection": "collection"})
    for word in ("create-{}", "rename-{}", "remove-{}", "{}", "set-{}", "{}s"):
        group.rename(word.format("folder"), word.format("project"))
    add_call(group, "branch", "show the branch of a message", calls.SetHead, _CHAT, chat="ID")
    kept = one_sentence(lambda result: result["text"].strip())
    keeping = "choose which of several answers the chat continues from"
    add_call(group, "keep", keeping, calls.SelectSequence, kept, sequence="I")
    rating = one_call(lambda a: calls.RateAnswer(message=a.message, rating=RATINGS[a.rating]))
    rated = group.command("rate", "rate an answer", rating, _RATED, "MESSAGE")
    rated.add_argument("rating", metavar="RATING", choices=tuple(RATINGS), help="good, bad or none")
    editing = group.command(
        "edit", "correct an answer; the chat continues from the corrected text", edit, show_edited, "MESSAGE"
    )
    editing.add_argument("text", metavar="TEXT", nargs="?", help="the whole answer; - reads it from the standard input")
    editing.add_argument("--undo", action="store_true", help="go back to the text of the model")
    watching = "watch an answer that is being generated (Ctrl+C leaves it running)"
    group.command("follow", watching, follow_answer, show_answer, "MESSAGE")
    stopped = one_sentence(lambda result: "The answer is no longer being generated.")
    add_call(group, "stop", "stop an answer that is being generated", calls.StopAnswer, stopped)
    telling = "show the tokens of an answer, with their probabilities and alternatives"
    asked = one_call(lambda a: call_of(calls.InspectAnswer, a, alternatives=a.alternatives))
    told = add_call(
        group, "tokens", telling, calls.InspectAnswer, show_tokens, do=asked, step="--step N", sequence="--sequence I",
    )  # fmt: skip
    told.add_argument("--alternatives", metavar="N", type=at_least(0), default=5, help="alternatives per token [5]")
    stepping = group.command("steps", "show the steps of an answer", steps, show_steps_or_tree, "MESSAGE")
    stepping.add_argument("--tree", action="store_true", help="only its thoughts, as a tree, with the best path marked")
    add_call(group, "delete", "move a chat to the trash", calls.DeleteChat, show_deleted, chat="ID")


def _add_project(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("--project", metavar="PROJECT", default="", help=help)
    parser.add_argument("--folder", dest="project", default="", help=argparse.SUPPRESS)  # its name until now


def show(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    found = yield from session.call(calls.GetChat(chat=arguments.id))
    return {"chat": found.chat, "messages": found.messages, "all": arguments.all}


def decided_answer(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    answer = yield from decide(session, arguments)
    session.incomplete = answer.is_cut_off
    return plain_answer(answer)


def follow_answer(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    answer = yield from session.call(calls.FollowAnswer(message=arguments.message))
    session.incomplete = answer.is_cut_off
    return {**plain_answer(answer), "trace": None}


def edit(session: Session, arguments: argparse.Namespace) -> Events[StoredMessage]:
    text = sys.stdin.read().strip() if arguments.text == "-" else arguments.text or ""
    if arguments.undo == bool(text.strip()):
        arguments.parser.error("give the TEXT of the answer, or --undo")
    return (yield from session.call(calls.EditAnswer(message=arguments.message, text=text)))


def show_edited(result: dict[str, Any], output: TextOutput) -> None:
    output.line(result["text"].strip())
    if result["original"] is None:
        output.line("(the text of the model)")


def show_allowed(result: dict[str, Any], output: TextOutput) -> None:
    tools = ", ".join(result["allowed"])
    output.line(f"Allowed in this chat: {tools}." if tools else "No tool is allowed for good in this chat.")


def chats_with(words: Callable[[argparse.Namespace], str]) -> Run:
    """A command that lists the chats with these words; "": all."""

    def run(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
        found = yield from session.call(calls.ListChats(search=words(arguments)))
        folder = " ".join(getattr(arguments, "project", "").split()).casefold()
        if not folder:
            return {"chats": found.chats}
        if folder not in [name.casefold() for name in found.folders]:
            known = f"Projects: {', '.join(found.folders)}." if found.folders else "There are none."
            raise UserError(f"There is no project {arguments.project!r}.", known)
        return {"chats": tuple(chat for chat in found.chats if chat.folder.casefold() == folder)}

    return run


def list_folders(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    found = yield from session.call(calls.ListChats())
    counts = {name: sum(chat.folder == name for chat in found.chats) for name in found.folders}
    return {"folders": [{"name": name, "chats": count} for name, count in counts.items()]}


def show_folder(session: Session, arguments: argparse.Namespace) -> Events[calls.ChatFolder]:
    return (yield from session.call(calls.GetChatFolder(folder=arguments.project)))


def set_folder(session: Session, arguments: argparse.Namespace) -> Events[calls.ChatFolder]:
    """What is not given stays; "none" takes it away."""
    known = yield from session.call(calls.GetChatFolder(folder=arguments.project))
    if known.unreadable:
        raise UserError(known.unreadable, "Update LLM Workbench, or make another project.")
    project = known.project
    if arguments.recipe is not None:
        recipe = load_recipe(Path(arguments.recipe)) if arguments.recipe != _NONE else None
        project = msgspec.structs.replace(project, recipe=recipe)
    if arguments.collection:
        collections = () if arguments.collection == [_NONE] else tuple(arguments.collection)
        project = msgspec.structs.replace(project, collections=collections)
    if arguments.instructions is not None:
        words = arguments.instructions if arguments.instructions != _NONE else ""
        project = msgspec.structs.replace(project, instructions=words)
    return (yield from session.call(calls.ChangeChatFolder(folder=arguments.project, project=project)))


def show_project(result: dict[str, Any], output: TextOutput) -> None:
    project = result["project"]
    recipe = project["recipe"]
    named = (recipe["name"] or recipe["model"]["name"] or "one of its own") if recipe else "the usual settings"
    output.line(f"New chats in the project {result['name']!r} begin with:")
    output.line(f"recipe: {named}")
    output.line(f"documents: {', '.join(project['collections']) or 'those of the recipe'}")
    output.line(f"instructions: {one_line(project['instructions']) or 'none'}")
    if result["unreadable"]:
        output.line(result["unreadable"])


show_folders = listing("folders", "No projects.", {"CHATS": "chats", "PROJECT": "name"})


def show_folder_names(result: dict[str, Any], output: TextOutput) -> None:
    output.line(f"Projects: {', '.join(result['folders'])}." if result["folders"] else "No projects.")


def show_moved(result: dict[str, Any], output: TextOutput) -> None:
    where = f"is in the project {result['folder']!r}" if result["folder"] else "is in no project"
    output.line(f"{result['title'] or 'New chat'} {where}.")


def steps(session: Session, arguments: argparse.Namespace) -> Events[Trace | ThoughtTree]:
    trace = yield from session.call(calls.GetTrace(message=arguments.message))
    if not arguments.tree:
        return trace
    tree = ThoughtTree.of(trace)
    if tree is None:
        raise UserError("This answer has no tree of thoughts.", "Leave --tree out to see its steps.")
    return tree


def show_steps_or_tree(result: dict[str, Any], output: TextOutput) -> None:
    """A tree has each thought with its figures and the number of its step; * marks the best path."""
    if "nodes" not in result:
        show_steps(result, output)
        return
    tree = msgspec.convert(result, ThoughtTree)
    waiting = [next(iter(tree.nodes))]
    while waiting:
        id = waiting.pop()
        node = tree.nodes[id]
        score = f"score {node.step.score:.2f}" if node.step.score is not None else ""
        state = node.state if node.state != "open" else ""
        made = counted(node.new_tokens, "token") if node.new_tokens else ""
        figures = (one_line(node.step.title), score, made, state, f"step {id}")
        mark = "*" if id in tree.best else " "
        output.line(f"{mark} {'  ' * node.depth}{' · '.join(figure for figure in figures if figure)}")
        waiting += reversed(tree.children[id])


def export(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    """One chat to the terminal, or several into a file, whose ending says in which form."""
    chats = list(arguments.ids)
    if arguments.project:
        found = yield from session.call(calls.ListChats())
        chats += [chat.id for chat in found.chats if chat.folder == arguments.project]
        if not chats:
            raise UserError(f"There are no chats in a project {arguments.project!r}.")
    if arguments.output is None:
        if len(chats) != 1:
            arguments.parser.error("give one ID, or --output FILE")
        return {"markdown": (yield from session.call(calls.ExportChat(chat=chats[0])))}
    form = FORMS.get(PurePath(arguments.output).suffix.lower())
    if form is None:
        known = ", ".join(FORMS)
        raise UserError(f"{arguments.output} does not end in one of {known}.", "The window writes PDF files, too.")
    path = absolute(arguments.output)
    call = calls.ExportChats(path=path, form=form, chats=tuple(chats), branches=arguments.branches)
    exported = yield from session.call(call)
    return msgspec.structs.asdict(exported)


def show_chats(result: dict[str, Any], output: TextOutput) -> None:
    if not result["chats"]:
        output.line("No chats.")
        return
    titles = [_title(chat) for chat in result["chats"]]
    rows = [(c["id"], moment(c["updated"]), c["folder"], t) for c, t in zip(result["chats"], titles, strict=True)]
    if any(chat["folder"] for chat in result["chats"]):
        output.table(("ID", "LAST", "PROJECT", "TITLE"), rows)
    else:
        output.table(("ID", "LAST", "TITLE"), [(id_, last, title) for id_, last, _, title in rows])


def _title(chat: dict[str, Any]) -> str:
    note = chat["unreadable"] or ("waits for your decision: `workbench chats decide`" if chat["waiting"] else "")
    notes = "; ".join(filter(None, ("pinned" if chat["pinned"] else "", note)))
    return f"{chat['title']} ({notes})" if notes else str(chat["title"])


def show_chat(result: dict[str, Any], output: TextOutput) -> None:
    """The shown branch, from its last message up to the first; or all messages, the oldest first."""
    messages = {m["id"]: m for m in result["messages"]}
    branch: list[dict[str, Any]] = []
    current = result["chat"]["head"]
    while current in messages and len(branch) < len(messages):
        branch.insert(0, messages[current])
        current = messages[current]["parent"]
    output.line(result["chat"]["title"])
    if result["chat"]["unreadable"]:
        output.line(result["chat"]["unreadable"])
    for message in result["messages"] if result["all"] else branch:
        output.line()
        who = "You" if message["role"] == "user" else "Answer"
        other = "" if message in branch else ", of another branch"
        output.line(f"{who}, {moment(message['created'])}, message {message['id']}{other}")
        words = message["text"] or message["error"]
        output.line(words if message["role"] == "user" else answer_text(words, message["citations"], output.columns))
        for source in message["recipe"]["prompting"]["sources"] if message["recipe"] else ():
            output.line(f"({source['kind']}: {source['name']}, version {source['version']})")
        if message["verification"] is not None:
            checked = msgspec.convert(message["verification"], Verification)
            for line in filter(None, (describe_trust(checked)[0], *describe_marks(message["text"], checked))):
                output.line(one_line(line))
        for citation in message["citations"]:
            output.line(f"[{citation['n']}] {place(citation)}")
        if message["state"] == "streaming":
            output.line(f"(being generated; `workbench chats follow {message['id']}` watches it)")
        elif message["state"] != "done":
            output.line(f"({message['state']})")
        if message["original"] is not None:
            output.line("(corrected by you)")
        if message["rating"]:
            output.line("(rated as good)" if message["rating"] > 0 else "(rated as bad)")
        if message["unreadable"]:
            output.line(message["unreadable"])


def show_imported(result: dict[str, Any], output: TextOutput) -> None:
    chats, messages = counted(len(result["chats"]), "chat"), counted(result["messages"], "message")
    output.line(f"{chats} of {result['program']} imported, with {messages}.")
    if result["known"]:
        output.line(f"{counted(result['known'], 'chat')} imported before: not imported again.")
    if result["left_out"]:
        output.line(f"{counted(result['left_out'], 'message')} left out: of tools, pictures and the like.")


def show_deleted(result: dict[str, Any], output: TextOutput) -> None:
    output.line(f"The chat {result['title']!r} was deleted.")
    output.line(NEXT.format(item=result["id"]))


def show_markdown(result: dict[str, Any], output: TextOutput) -> None:
    output.line(f"Written to {result['path']}." if "path" in result else result["markdown"].rstrip("\n"))
