"""Markdown that grows: which of its blocks are finished, and what the open one looks like now.

An answer arrives in pieces. A finished block is sent once and never parsed again; only the open block at the
end is. The blocks that can grow long by themselves are cut: a list at its items, a long paragraph at a sentence, and
code is not parsed at all while it is open, only watched for its closing fence. So a step costs as much as the
open block is long, not as the answer is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from markdown_it.token import Token

from ui.components.markdown_blocks import Leaf, Span, leaves_of, make_parser

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)\n")
_OPENING = re.compile(r"[*`](?=\S)|~~(?=\S)|(?<!\w)_(?=\S)|\[|\$(?=[^\s\d])|\\\(")
_PART_OF_FENCE = re.compile(r" {0,3}(`+|~+)[ \t]*")
LONG_PARAGRAPH = 1_200


@dataclass(frozen=True, slots=True)
class Update:
    """What to show next: ``finished`` leaves follow those finished before, ``open`` replaces the open ones."""

    finished: tuple[Leaf, ...]
    open: tuple[Leaf, ...]


class MarkdownStream:
    """One growing text. ``add`` takes a piece, ``take`` says what changed, ``finish`` closes what is open.

    With ``language`` the whole text is code in it, and no sign in it is Markdown.
    """

    def __init__(self, language: str | None = None) -> None:
        self._language = language
        self._parser = make_parser()
        self._text = ""
        self._settled = 0  # everything before this offset was sent as finished
        self._continues = False  # the settled text ends in the middle of a paragraph
        self._fence: _OpenFence | None = None
        self._ended = False

    @property
    def text(self) -> str:
        return self._text

    def add(self, piece: str) -> None:
        self._text += piece

    def finish(self) -> Update:
        """The last update: nothing stays open."""
        self._ended = True
        return self.take()

    def take(self) -> Update:
        """The leaves that were finished since the last ``take``, and the open ones."""
        if self._language is not None:
            return self._take_code(self._language)
        finished: list[Leaf] = []
        while True:
            if self._fence is not None:
                leaf, end = self._fence.read(self._text)
                if end is None and not self._ended:
                    return Update(tuple(finished), (leaf,))
                finished.append(leaf)
                self._settled = len(self._text) if end is None else end
                self._fence = None
            opened = self._parse(finished)
            if opened is not None:
                return Update(tuple(finished), opened)

    def _take_code(self, language: str) -> Update:
        code = (Leaf("code", language=language, code=self._text),) if self._text.strip() else ()
        return Update(code, ()) if self._ended else Update((), code)

    def _parse(self, finished: list[Leaf]) -> tuple[Leaf, ...] | None:
        """Settle what can be; the open leaves, or None when an open fence begins here."""
        source = self._text[self._settled :]
        tokens = self._parser.parse(source)
        if self._ended:
            finished += self._leaves(tokens)
            self._settled = len(self._text)
            return ()
        starts = [i for i, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0]
        if not starts:
            return ()
        last = starts[-1]
        opener, tail = tokens[last], tokens[last:]
        if last:
            finished += self._leaves(tokens[:last])
            self._continues = False
        cut = _offset(source, opener)
        if opener.type == "fence" and (fence := _FENCE.match(source, cut)):
            self._fence = _OpenFence(fence, self._settled)
            return None
        if opener.type in ("bullet_list_open", "ordered_list_open"):
            items = [i for i, token in enumerate(tail) if token.type == "list_item_open" and token.level == 1]
            newest = items[-1]
            if len(items) > 1:
                finished += leaves_of([*tail[:newest], _closing(opener)])
                cut = _offset(source, tail[newest])
                tail = [opener, *tail[newest:]]
        elif opener.type == "paragraph_open" and len(source) - cut > LONG_PARAGRAPH:
            settled = self._settle_sentences(source[cut:], finished)
            if settled:
                cut += settled
                tail = self._parser.parse(source[cut:])
        self._settled += cut
        return tuple(self._leaves(tail))

    def _leaves(self, tokens: list[Token]) -> list[Leaf]:
        """The leaves of the tokens; the first one joins the paragraph that the settled text left open."""
        leaves = leaves_of(tokens)
        if self._continues and leaves:
            leaves[0] = replace(leaves[0], kind="paragraph", level=0, joins=True)
        return leaves

    def _settle_sentences(self, source: str, finished: list[Leaf]) -> int:
        """Tell as finished what of a long paragraph cannot change any more; how many characters that is."""
        room = len(source) - LONG_PARAGRAPH // 3
        for ending in (". ", "? ", "! ", "。", ", ", " "):
            cut = source.rfind(ending, LONG_PARAGRAPH // 3, room) + len(ending)
            if cut < len(ending) or not source[cut].isalpha():  # what comes next must not look like a block of its own
                continue
            leaves = self._leaves(self._parser.parse(source[:cut]))
            if len(leaves) == 1 and leaves[0].kind == "paragraph" and not _has_loose_ends(leaves[0].spans):
                space = (Span(" "),) if ending.endswith(" ") else ()
                finished.append(replace(leaves[0], spans=leaves[0].spans + space))
                self._continues = True
                return cut
        return 0


def _closing(opener: Token) -> Token:
    return Token(opener.type.replace("_open", "_close"), opener.tag, -1)


def _offset(source: str, token: Token) -> int:
    """Where in the source the line begins that the token's block begins on."""
    position = 0
    for _ in range(token.map[0] if token.map else 0):
        position = source.index("\n", position) + 1
    return position


def _has_loose_ends(spans: tuple[Span, ...]) -> bool:
    """Whether plain text holds a sign that could still pair up with one to come."""
    return any(_OPENING.search(span.text) for span in spans if not (span.code or span.cite or span.formula))


class _OpenFence:
    """Code between fences, read line by line as it arrives; the text behind ``_scanned`` was seen before."""

    def __init__(self, opening: re.Match[str], base: int) -> None:
        marker = opening.group(1)
        self._language = opening.group(2).strip().split(" ")[0]
        self._closing = re.compile(rf" {{0,3}}{re.escape(marker[0])}{{{len(marker)},}}[ \t]*$")
        self._indent = re.compile(rf"^ {{1,{gap}}}", re.MULTILINE) if (gap := _leading(opening.group(0))) else None
        self._start = base + opening.end()
        self._scanned = self._start

    def read(self, text: str) -> tuple[Leaf, int | None]:
        """The code so far, and the offset behind its closing fence, None while it is open."""
        while (newline := text.find("\n", self._scanned)) >= 0:
            if self._closing.match(text[self._scanned : newline]):
                return self._leaf(text[self._start : self._scanned]), newline + 1
            self._scanned = newline + 1
        if _PART_OF_FENCE.fullmatch(text, self._scanned):  # it may become the closing one: not shown meanwhile
            return self._leaf(text[self._start : self._scanned]), None
        return self._leaf(text[self._start :]), None

    def _leaf(self, code: str) -> Leaf:
        code = code.removesuffix("\n")
        return Leaf("code", language=self._language, code=self._indent.sub("", code) if self._indent else code)


def _leading(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
