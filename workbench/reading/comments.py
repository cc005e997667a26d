"""Comments on a document, which Office formats store in separate parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.reading.archive import Archive
from workbench.reading.extract import section
from workbench.reading.markup import Markup

LONGEST_QUOTE = 200
"""Characters of the text that a comment refers to."""


@dataclass
class Comment:
    """``place`` is what it refers to: a cell ("B7"), a quoted passage, or empty. ``id`` is unique in its part."""

    text: str
    author: str = ""
    date: str = ""
    place: str = ""
    id: str = ""


def quoted(passage: str) -> str:
    """A passage of the text as the ``place`` of a comment; empty for a blank one."""
    shown = " ".join(passage.split())
    if len(shown) > LONGEST_QUOTE:
        shown = shown[:LONGEST_QUOTE].rpartition(" ")[0] + " …"
    return f"“{shown}”" if shown else ""


def comment_section(comments: Iterable[Comment]) -> str:
    """A heading and a line per comment: ``- Ann, 2024-01-02, on “a passage”: TEXT``; "" when there are none."""
    lines: list[str] = []
    for comment in comments:
        text = " ".join(comment.text.split())
        text = text.removeprefix(f"{comment.author}:").strip()  # Excel repeats the author in the text
        if not text:
            continue
        said = [part for part in (comment.author.strip(), comment.date.partition("T")[0]) if part]
        if comment.place:
            said.append(f"on {comment.place}")
        lines.append(f"- {', '.join(said)}: {text}" if said else f"- {text}")
    return section("Comments", lines)


def related_comments(archive: Archive, part: str, main: str) -> list[Comment]:
    """The comments on a document, slide or sheet, in order. ``main`` is the package's main part, which refers to the
    authors."""
    authors: dict[str, str] = {}
    for name in archive.related(main, "commentAuthors", "authors", "person"):
        archive.parse(name, _Comments(authors, []))
    threads: list[Comment] = []
    for name in archive.related(part, "threadedComment"):
        archive.parse(name, _Comments(authors, threads))
    comments: list[Comment] = []
    for name in archive.related(part, "comments"):
        archive.parse(name, _Comments(authors, comments))
    # Excel repeats a thread as an old comment, with a notice that the program cannot show threads
    places = {comment.place for comment in threads}
    return threads + [comment for comment in comments if comment.place not in places]


class _Comments(Markup):
    """Reads the comment parts of docx (``comment``), pptx (``cm`` with ``reply``) and xlsx (``comment`` with a cell,
    ``threadedComment``), and the parts with authors."""

    _COMMENTS = frozenset({"cm", "reply", "comment", "threadedComment"})
    _BREAKS = frozenset({"p", "br", "tab", "cr"})

    def __init__(self, authors: dict[str, str], comments: list[Comment]) -> None:
        self._authors = authors
        self._comments = comments
        self._open: list[Comment] = []
        self._in_author = self._in_text = False
        self._listed: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in self._COMMENTS:
            author = attributes.get("authorId", attributes.get("personId", ""))
            if author.isdigit() and int(author) < len(self._listed):
                author = self._listed[int(author)]
            comment = Comment(
                "",
                author=attributes.get("author", "") or self._authors.get(author, "" if self._is_id(author) else author),
                date=attributes.get("date", attributes.get("dt", attributes.get("dT", attributes.get("created", "")))),
                place=attributes.get("ref", ""),
                id=attributes.get("id", ""),
            )
            self._open.append(comment)
            self._comments.append(comment)
        elif self._open:
            self._in_text = name in ("t", "text")
            if name in self._BREAKS:
                self._open[-1].text += "\n"
        elif name in ("cmAuthor", "author", "person"):
            self._in_author = not attributes
            if self._in_author:
                self._listed.append("")
            named = attributes.get("name", attributes.get("displayName", ""))
            self._authors[attributes.get("id", "")] = named

    def end(self, name: str) -> None:
        self._in_text = False
        if name in self._COMMENTS and self._open:
            self._open.pop()
        elif name == "author":
            self._in_author = False

    def text(self, data: str) -> None:
        if self._in_text and self._open:
            self._open[-1].text += data
        elif self._in_author and self._listed:
            self._listed[-1] += data

    def _is_id(self, author: str) -> bool:
        return author.isdigit() or author.startswith("{")
