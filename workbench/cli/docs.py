"""``workbench docs``: collections of documents, their contents, and search."""

from __future__ import annotations

import argparse
import getpass
import shlex
import sys
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import msgspec

from workbench import calls
from workbench.api.events import Artifact, Event, Progress
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, absolute, at_least, one_call, one_sentence, read_items, write_file
from workbench.cli.call_arguments import add_call, call_of
from workbench.cli.output import Number, TextOutput, byte_size, listing, one_line
from workbench.cli.runs import follow, run_to_end
from workbench.cli.session import Events, Session, Stopped
from workbench.cli.trash import NEXT
from workbench.records.documents import AddResult, Collection, Document
from workbench.records.messages import Passage
from workbench.records.offers import MULTILINGUAL, offers
from workbench.records.similarity import PassageMap
from workbench.records.visible import visible_path

NAMES = {"name": "collection"}


def add_commands(commands: Commands) -> None:
    group = commands.group("docs", "make, read and search collections of documents")
    which = {"collection": "collection"}
    creating = one_call(lambda a: calls.CreateCollection(name=a.name))
    group.command("create", "make a new collection", creating, show_collection, "NAME")
    adding = group.command("add", "read files and folders into a collection", add, show_added, names=NAMES)
    adding.add_argument("name", metavar="NAME", help="the collection")
    adding.add_argument(
        "paths", metavar="PATH", nargs="+", help="files and folders; unchanged files are not read again without --anew"
    )
    adding.add_argument("--watch", action="store_true", help="update the collection when these folders change")
    adding.add_argument("--anew", action="store_true", help="read unchanged files, too")
    searching = group.command("search", "search passages", search, show_hits, on_event=show_found, names=NAMES)
    searching.add_argument("name", metavar="NAME", help="the collection")
    searching.add_argument("query", metavar="QUERY", nargs="?")
    searching.add_argument("--queries", metavar="FILE", help="many queries: JSON lines with id and text")
    searching.add_argument("--limit", type=at_least(1, 1000), default=10, help="number of passages (default: 10)")
    add_call(
        group, "similar", "show how passages are scored for a question", calls.ProjectPassages, show_similar,
        names=which, collection="NAME", query="QUESTION",
    )  # fmt: skip
    add_call(
        group, "compare", "show what differs between two documents of a collection", calls.CompareDocuments,
        show_comparison, names=which, collection="NAME", first="DOCUMENT", second="OTHER",
    )  # fmt: skip
    listing = group.command("list", "list all collections, or the documents of one", list_all, show_list, names=NAMES)
    listing.add_argument("name", metavar="NAME", nargs="?")
    naming = group.command(
        "names", "list the names in the documents, or the passages of one", names, show_names, names=NAMES
    )
    naming.add_argument("name", metavar="NAME", help="the collection")
    naming.add_argument("wanted", metavar="WHO", nargs="?", help="a name, or a part of it that no other name has")
    naming.add_argument("--with", metavar="OTHER", dest="other", default="", help="what connects it with another name")
    naming.add_argument("--limit", type=at_least(1, 5000), default=200, help="number of names or passages [200]")
    text = one_sentence(lambda result: result["text"])
    showing = group.command("show", "show the extracted text of a document", show, text, names=NAMES)
    showing.add_argument("name", metavar="NAME", help="the collection")
    showing.add_argument("document", metavar="DOCUMENT", help="its path, the end of it, or its id")
    drawn = one_sentence(_told_page)
    drawing = add_call(
        group, "page", "write a page of a PDF, or a picture of a document, as a PNG file", calls.DrawPage, drawn,
        do=draw_page, names=which, collection="NAME",
    )  # fmt: skip
    drawing.add_argument("--page", metavar="N", type=at_least(1), default=1, help="page number, from 1 [1]")
    drawing.add_argument("--mark", type=int, nargs=2, default=(0, 0), metavar=("START", "END"), help="mark a passage")
    drawing.add_argument("--output", metavar="FILE", required=True)
    removing = group.command("remove", "drop a document, or a whole collection", remove, show_removed)
    removing.add_argument("name", metavar="NAME", help="the collection")
    removing.add_argument(
        "document", metavar="DOCUMENT", nargs="?", help="its path, the end of it, or its id; the files are not deleted"
    )
    add_call(
        group, "rename", "rename a collection", calls.RenameCollection, show_collection, collection="NAME", name="NEW"
    )
    rereading = group.command("read-again", "read all files of a collection again", read_again, show_added, names=NAMES)
    rereading.add_argument("name", metavar="NAME", help="the collection")
    add_call(
        group, "passages", "set the length of passages", calls.SetPassageLength, show_collection, names=which,
        collection="NAME", tokens="TOKENS",
    )  # fmt: skip
    add_call(
        group, "embedder", "set the embedding model", calls.SetEmbedder, show_collection,
        names={**which, "model": "model"}, collection="NAME", model="MODEL",
    )  # fmt: skip
    unlocking = group.command("unlock", "read a file that is protected by a password", unlock, show_added, names=NAMES)
    unlocking.add_argument("name", metavar="NAME", help="the collection")
    unlocking.add_argument("document", metavar="DOCUMENT", help="its path, the end of it, or its id")
    unlocking.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input instead of asking for it"
    )
    dropping = "drop an added folder and its documents"
    add_call(group, "remove-folder", dropping, calls.RemoveFolder, show_collection, collection="NAME")
    add_call(group, "unwatch", "stop watching a folder", calls.Unwatch, show_collection, names=which, collection="NAME")


def add(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    name = yield from _existing(session, arguments.name)
    paths = tuple(absolute(p) for p in arguments.paths)
    call = calls.AddDocuments(collection=name, paths=paths, watch=arguments.watch, anew=arguments.anew)
    done = yield from run_to_end(session, call)
    return _added(done)


def read_again(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    done = yield from run_to_end(session, calls.ReadAgain(collection=arguments.name))
    return _added(done)


def unlock(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    """The password is asked for, never an argument: others could read it in the list of processes."""
    document = yield from find_document(session, arguments.name, arguments.document)
    if arguments.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass(f"Password of {PurePath(document.path).name} (not stored): ")
    else:
        raise UserError("No password was given.", "Use --password-stdin, or a terminal that can ask for it.")
    call = calls.UnlockDocument(collection=arguments.name, document=document.id, password=password)
    done = yield from run_to_end(session, call)
    return _added(done)


def _added(done: dict[str, Any]) -> dict[str, Any]:
    """The result of a run that reads files, in the documented shape."""
    plain = msgspec.to_builtins(msgspec.convert(done, AddResult))
    for refusal in ("unknown_languages", "running_text"):  # of a run there is none: it has read on with another model
        del plain[refusal]
    return {"run": done["run"], **plain}


def attach(session: Session, paths: Sequence[str], chat: str | None) -> Events[calls.Attached]:
    """Attach files to a chat, or to a new one for None, and wait until they are read.

    Raises UserError that names a file that cannot be read; that one is not attached, and a new chat is deleted again.
    """
    full = tuple(absolute(path) for path in paths)
    attached = yield from session.call(calls.AttachFiles(chat=chat, paths=full))
    try:
        done = yield from follow(session, attached.run.id, stop_on_interrupt=True)
        failed = msgspec.convert(done, AddResult).failed
        for file in failed:
            yield from session.call(calls.RemoveDocument(collection=attached.collection.id, document=file.path))
        if failed:
            raise UserError(f"{failed[0].path} cannot be read: {failed[0].reason}")
    except (UserError, Stopped):
        if chat is None:
            session.send(calls.DeleteChat(chat=attached.chat.id, forever=True))
        raise
    return attached


def search(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    if (arguments.query is None) == (arguments.queries is None):
        arguments.parser.error("give either a QUERY or --queries FILE")
    name = yield from _existing(session, arguments.name)
    if arguments.queries is None:
        call = calls.SearchDocuments(collection=name, query=arguments.query, limit=arguments.limit)
        found = yield from session.call(call)
        return {"hits": [plain_hit(p) for p in found.hits]}
    items = read_items(arguments.queries)
    for done, item in enumerate(items):
        yield Progress(stage="searching", done=done, total=len(items), unit="queries")
        found = yield from session.call(calls.SearchDocuments(collection=name, query=item.text, limit=arguments.limit))
        yield Artifact(kind="hits", id=item.id, result={"hits": [plain_hit(p) for p in found.hits]})
    return {"count": len(items)}


def list_all(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    if arguments.name is None:
        collections = yield from session.call(calls.ListCollections())
        return {"collections": collections.collections}
    documents = yield from session.call(calls.ListDocuments(collection=arguments.name))
    return {"documents": documents.documents}


def names(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    name = yield from _existing(session, arguments.name)
    if arguments.wanted is None and arguments.other:
        arguments.parser.error("give the name that --with OTHER is to be connected with")
    if arguments.wanted is None:
        listed = yield from session.call(calls.ListNames(collection=name))
        return {"names": listed.names[: arguments.limit], "total": listed.total}
    call = calls.FindName(collection=name, name=arguments.wanted, other=arguments.other, limit=arguments.limit)
    found = yield from session.call(call)
    shown = {key: getattr(found, key) for key in ("name", "other", "joined_by", "total")}
    return {**shown, "passages": [plain_mention(passage) for passage in found.passages]}


def show(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    document = yield from find_document(session, arguments.name, arguments.document)
    return (yield from session.call(calls.GetDocumentText(collection=arguments.name, document=document.id)))


def draw_page(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    document = yield from find_document(session, arguments.collection, arguments.document)
    start, end = arguments.mark
    call = call_of(calls.DrawPage, arguments, document=document.id, page=arguments.page, start=start, end=end)
    picture = yield from session.call(call)
    path = write_file(arguments.output, picture.png)
    drawn = {"path": path, "picture" if call.picture else "page": picture.page, "pages": picture.pages}
    return {**drawn, "width": picture.width, "height": picture.height, "boxes": picture.boxes}


def _told_page(drawn: dict[str, Any]) -> str:
    what = f"Picture {drawn['picture']}" if "picture" in drawn else f"Page {drawn['page']}"
    return f"{what} of {drawn['pages']} was written to {drawn['path']}."


def remove(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    if arguments.document is None:
        collection = yield from session.call(calls.RemoveCollection(collection=arguments.name))
        return {**msgspec.to_builtins(collection), "removed": "collection"}
    document = yield from find_document(session, arguments.name, arguments.document)
    collection = yield from session.call(calls.RemoveDocument(collection=arguments.name, document=document.id))
    return {**msgspec.to_builtins(collection), "removed": arguments.document, "document": document.id}


def find_document(session: Session, collection: str, name: str) -> Events[Document]:
    """The document with the id or path ``name``, or a path that ends so. Raises UserError."""
    listed = yield from session.call(calls.ListDocuments(collection=collection))
    full = absolute(name)
    for document in listed.documents:
        if name == document.id or document.path in (name, full):
            return document
    ending = PurePath(name).parts
    alike = [d for d in listed.documents if PurePath(d.path).parts[-len(ending) :] == ending]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise UserError(f"{name!r} matches {len(alike)} documents.", f"Give more of its path, such as {alike[0].path}.")
    raise UserError(
        f"There is no document {name!r} in {collection!r}.",
        f"`workbench docs list {_quoted(collection)}` lists its documents.",
    )


def plain_hit(passage: Passage) -> dict[str, Any]:
    """A hit in the documented shape."""
    shown = ("document", "path", "page", "start", "end", "text", "score", "found_by", "context", "superseded_by")
    return {name: getattr(passage, name) for name in shown}


def plain_mention(passage: Passage) -> dict[str, Any]:
    """A passage that mentions a name in the documented shape."""
    return {key: getattr(passage, key) for key in ("document", "path", "page", "start", "end", "text")}


def _existing(session: Session, name: str) -> Events[str]:
    """The name of an existing collection; raises UserError that says how to make it."""
    listed = yield from session.call(calls.ListCollections())
    if name in [c.name for c in listed.collections] or name in [c.id for c in listed.collections]:
        return name
    raise UserError(f"There is no collection {name!r}.", f"Make it with: workbench docs create {_quoted(name)}")


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


def show_collection(result: dict[str, Any], output: TextOutput) -> None:
    output.line(f"{result['name']}: {_contents(result)}")
    for folder in result["watched"]:
        output.line(f"  watches {folder}")


def show_added(result: dict[str, Any], output: TextOutput) -> None:
    failed = result["failed"]
    output.line(
        f"{result['indexed']} indexed, {result['unchanged']} unchanged, {result['removed']} removed, "
        f"{len(failed)} failed; {counted(result['chunks'], 'passage')} in {result['seconds']:.1f} s"
    )
    for file in failed:
        output.line(f"  {visible_path(file['path'])}: {one_line(file['reason'])}")


def show_hits(result: dict[str, Any], output: TextOutput) -> None:
    if "count" in result:
        return  # each query's hits were shown when they came
    if not result["hits"]:
        output.line("No passages found.")
    for number, hit in enumerate(result["hits"], 1):
        output.line(f"{number}. {place(hit)}  (score {hit['score']:.3f}, by {hit['found_by']})")
        if hit["superseded_by"]:
            output.line(f"   There is a newer version: {visible_path(hit['superseded_by'])}")
        for line in hit["text"].strip().splitlines():
            output.line(f"   {line}")
        output.line()


def show_similar(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert(result, PassageMap)
    if not found.best:
        output.line("No passages found.")
        return
    rows = [
        (
            f"{rank}",
            f"{one.passage.title}{f', p. {one.passage.page}' if one.passage.page else ''}",
            f"{found.points[one.point].similarity:.3f}",
            f"{one.words:.3f}",
            f"{one.meaning:.3f}",
            f"{one.feedback:.3f}",
            f"{one.passage.score:.3f}",
            f"{one.rank_before}",
        )
        for rank, one in enumerate(found.best, 1)
    ]
    heads = ("RANK", "PASSAGE", "COSINE", "WORDS", "MEANING", "FEEDBACK", "SCORE", "BEFORE")
    output.table(heads, rows, numbers=heads[2:])
    output.line(
        f"{counted(found.passages, 'passage')}, vectors of {found.dimensions:,} numbers. A score is the sum of words "
        f"and feedback; meaning has the weight {found.vector_weight:.2f}."
    )


def show_names(result: dict[str, Any], output: TextOutput) -> None:
    if "names" in result:
        list_of_names(result, output)
        if result["total"] > len(result["names"]):
            output.line(f"{result['total']:,} names in all; --limit shows more.")
        return
    passages, between = result["passages"], result["joined_by"]
    if not passages:
        output.line(f"Nothing in these documents connects {result['name']} with {result['other']}.")
    for number, passage in enumerate(passages, 1):
        output.line(f"{number}. {place(passage)}")
        for line in passage["text"].strip().splitlines():
            output.line(f"   {line}")
        if number <= len(between):
            output.line(f"   joined with the next passage by: {between[number - 1]}")
        output.line()
    if result["total"] > len(passages):
        output.line(f"{result['total']:,} passages in all; --limit shows more.")


def show_found(event: Event, output: TextOutput) -> None:
    """The best hit of each of many queries."""
    if isinstance(event, Artifact):
        hits = event.result["hits"]
        output.line(f"{event.id}  {(place(hits[0]) if hits else 'no passages found')}")


def show_list(result: dict[str, Any], output: TextOutput) -> None:
    if "collections" in result:
        show_collections(result, output)
        for one in result["collections"]:
            for offer in offers(msgspec.convert(one, Collection)):
                command = _OFFERED[offer.kind].format(name=shlex.quote(one["name"]))
                output.line(f"{one['name']}: {offer.text} {offer.action}: `workbench docs {command}`")
        return
    show_documents(result, output)
    for d in result["documents"]:  # in full: a column would be cut
        if d["reason"]:
            output.line(f"  {visible_path(d['path'])}: {one_line(d['reason'])}")


show_collections = listing(
    "collections",
    "There are no collections yet. `workbench docs create NAME` makes one.",
    {
        "NAME": "name",
        "DOCUMENTS": Number("documents", str),
        "FAILED": Number("failed", str),
        "PASSAGES": Number("chunks"),
        "SIZE": Number("bytes", byte_size),
        "WATCHED": Number(lambda one: len(one["watched"])),
    },
)
show_documents = listing(
    "documents",
    "The collection is empty. `workbench docs add NAME PATH...` reads documents.",
    {
        "STATE": "state",
        "KIND": "kind",
        "PAGES": Number("pages", str, blank=True),
        "PASSAGES": Number("chunks", str, blank=True),
        "SIZE": Number("bytes", byte_size),
        "PATH": lambda one: visible_path(one["path"]),
    },
)


list_of_names = listing(
    "names",
    "No names are known. Files that were read by an earlier version have none until they are read again: "
    "`workbench docs read-again NAME`.",
    {
        "NAME": "name",
        "KIND": lambda one: "" if one["kind"] == "name" else one["kind"],
        "DOCUMENTS": Number("documents"),
        "PASSAGES": Number("passages"),
    },
)


_OFFERED = {"read_again": "read-again {name}", "languages": f"embedder {{name}} {MULTILINGUAL}"}


def show_comparison(result: dict[str, Any], output: TextOutput) -> None:
    sides = result["first"], result["second"]
    for difference in result["differences"]:
        output.line(f"{visible_path(difference['section'])}:" if difference["section"] else "")
        for sign, side, name in zip("-+", sides, ("first", "second"), strict=True):
            start, end = difference[name]
            if end > start:
                output.line(f"{sign} {' '.join(side['text'][start:end].split())}")
    if not result["differences"]:
        output.line("Nothing that these two documents say differs.")


def show_removed(result: dict[str, Any], output: TextOutput) -> None:
    if result["removed"] == "collection":
        output.line(f"The collection {result['name']} was removed; its files were not deleted.")
        output.line(NEXT.format(item=result["id"]))
    else:
        output.line(f"{result['removed']} was removed from {result['name']}: {_contents(result)}")
        output.line(NEXT.format(item=_quoted(result["document"])))


def place(passage: dict[str, Any]) -> str:
    """The place of a passage: ``path p.3``."""
    page = f" p.{passage['page']}" if passage["page"] else ""
    return f"{visible_path(passage['path'])}{page}"


def _contents(collection: dict[str, Any]) -> str:
    return f"{counted(collection['documents'], 'document')}, {counted(collection['chunks'], 'passage')}"
