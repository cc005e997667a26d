"""Markdown as flat values: what an answer consists of, without any Qt.

``parse`` turns a piece of Markdown into leaves: paragraphs, headings, code, tables, formulas and rules, each with how
deep it stands in lists and quotes. HTML is text here, images are their description, and a ``[n]`` becomes a citation
span. A formula keeps its source. Nothing is fetched and nothing is interpreted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from ui.components.formula_text import Style, block_at, formula_at, opens_at

Kind = Literal["paragraph", "heading", "code", "table", "rule", "formula"]

_CITATION = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_BULLETS = ("•", "◦", "▪")


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style. ``cite`` is the number of a citation ``[n]``, ``href`` the target of a link. The text
    of a formula is its source with the delimiters."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    strike: bool = False
    href: str = ""
    cite: int = 0
    formula: Style | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One block that holds no other block.

    ``indent`` is its depth in lists, ``quote`` in quotations, ``marker`` the bullet or number of a list item that
    begins here. ``level`` is a heading's (1..6), ``language`` that of code, whose text is in ``code``. ``rows``
    are a table's, the heading row first, each cell a tuple of spans; ``align`` has one entry a column. ``joins``
    says that the leaf continues the paragraph before it. A ``formula`` is a display formula, with the
    punctuation behind it.
    """

    kind: Kind
    spans: tuple[Span, ...] = ()
    indent: int = 0
    quote: int = 0
    marker: str = ""
    level: int = 0
    language: str = ""
    code: str = ""
    rows: tuple[tuple[tuple[Span, ...], ...], ...] = ()
    align: tuple[str, ...] = ()
    joins: bool = False


def _inline_formula(state: StateInline, silent: bool) -> bool:
    """An inline rule that keeps LaTeX as it is: its underscores and asterisks mean no emphasis."""
    if state.src[state.pos] not in "\\$":
        return False
    found = formula_at(state.src, state.pos, state.posMax)
    if found is None:
        if not opens_at(state.src, state.pos):
            return False
        if not silent:  # not an escaped bracket: the source of a formula that has not ended yet
            state.pending += state.src[state.pos : state.pos + 2]
        state.pos += 2
        return True
    if not silent:
        token = state.push("math_inline", "", 0)
        token.content, token.info = found.source, found.style
    state.pos = found.end
    return True


def _block_formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block rule for a formula of whole lines, whose signs begin no list and no heading."""
    if state.is_code_block(start):
        return False
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    if not first.startswith(("$$", "\\[", "\\begin{")):
        return False
    lines = []
    for line in range(start, end):
        if line > start and not state.isEmpty(line) and state.sCount[line] < state.blkIndent:
            break
        lines.append(state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]])
        if not lines[-1].strip():
            break
    block = block_at(lines)
    if block is None or (not block.closed and start + block.lines < state.lineMax):
        return False
    if not silent:
        token = state.push("math_block", "", 0)
        token.content, token.map = block.source, [start, start + block.lines]
        token.info, token.meta = "" if block.closed else "open", {"behind": block.behind}
        token.block = True
    state.line = start + block.lines
    return True


def _double_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A line of ``=`` is a rule, as one of dashes is. It underlines no heading: such lines stand in quoted texts."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].strip()
    if len(line) < 3 or line.strip("="):
        return False
    if not silent:
        state.push("hr", "hr", 0).map = [start, start + 1]
    state.line = start + 1
    return True


def make_parser() -> MarkdownIt:
    """CommonMark with tables and strikethrough; HTML off, ``[1]: …`` stays a line of text, and what is underlined is no
    heading."""
    parser = MarkdownIt("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"]).disable(["reference", "html_block", "html_inline", "lheading"])
    parser.inline.ruler.before("escape", "math", _inline_formula)
    parser.block.ruler.before("blockquote", "math", _block_formula, {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.before("hr", "double_rule", _double_rule, {"alt": ["paragraph", "blockquote", "list"]})
    return parser


def parse(source: str, parser: MarkdownIt) -> list[Leaf]:
    """The leaves of a piece of Markdown."""
    return leaves_of(parser.parse(source))


def leaves_of(tokens: Sequence[Token]) -> list[Leaf]:
    """The leaves of a token stream of whole top-level blocks."""
    found: list[Leaf] = []
    lists: list[str] = []
    quote = 0
    marker = ""
    position = 0
    while position < len(tokens):
        token = tokens[position]
        here = len(lists)
        match token.type:
            case "bullet_list_open":
                lists.append("")
            case "ordered_list_open":
                lists.append(token.markup)
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                ordered = token.markup in (".", ")") and token.info
                bullet = _BULLETS[min(here, len(_BULLETS)) - 1]
                marker = f"{token.info}{token.markup}" if ordered else bullet
            case "list_item_close":
                if marker:  # an item without content
                    found.append(Leaf("paragraph", indent=here, quote=quote, marker=marker))
                    marker = ""
            case "blockquote_open":
                quote += 1
            case "blockquote_close":
                quote -= 1
            case "inline":
                opener = tokens[position - 1]
                level = int(opener.tag[1]) if opener.type == "heading_open" else 0
                kind: Kind = "heading" if level else "paragraph"
                for piece in _pieces(tuple(spans_of(token)), kind):
                    found.append(replace(piece, indent=here, quote=quote, marker=marker, level=level))
                    marker = ""
                marker = ""
            case "math_block":
                if token.info:  # it has not ended: on few lines, so that its drawing is not lower than its source
                    kind, spans = "paragraph", (Span(" ".join(token.content.split()), code=True),)
                else:
                    behind = (Span(token.meta["behind"]),) if token.meta["behind"] else ()
                    kind, spans = "formula", (Span(token.content, formula="display"), *behind)
                found.append(Leaf(kind, spans, indent=here, quote=quote, marker=marker))
                marker = ""
            case "fence" | "code_block":
                language = token.info.strip().split(" ")[0] if token.info else ""
                found.append(
                    Leaf(
                        "code",
                        indent=here,
                        quote=quote,
                        marker=marker,
                        language=language,
                        code=token.content.removesuffix("\n"),
                    )
                )
                marker = ""
            case "hr":
                found.append(Leaf("rule", indent=here, quote=quote))
            case "table_open":
                end = next(i for i in range(position, len(tokens)) if tokens[i].type == "table_close")
                found.append(replace(_table(tokens[position:end]), indent=here, quote=quote, marker=marker))
                marker = ""
                position = end
            case _:
                pass
        position += 1
    return found


def _pieces(spans: tuple[Span, ...], kind: Kind) -> Iterator[Leaf]:
    """The leaves of a paragraph: display formulas within it stand in lines of their own."""
    if kind == "heading" or not any(span.formula == "display" for span in spans):
        yield Leaf(kind, spans)
        return
    run: list[Span] = []
    for span in spans:
        if span.formula == "display":
            yield from _stripped(run, kind)
            yield Leaf("formula", (span,))
            run = []
        else:
            run.append(span)
    yield from _stripped(run, kind)


def _stripped(run: list[Span], kind: Kind) -> Iterator[Leaf]:
    """A leaf of spans without the spaces and line ends around them; none where nothing else is there."""
    blank = " \u2028"
    if run and not run[0].formula:
        run[0] = replace(run[0], text=run[0].text.lstrip(blank))
    if run and not run[-1].formula:
        run[-1] = replace(run[-1], text=run[-1].text.rstrip(blank))
    kept = tuple(span for span in run if span.text)
    if kept:
        yield Leaf(kind, kept)


def _table(tokens: Sequence[Token]) -> Leaf:
    rows: list[tuple[tuple[Span, ...], ...]] = []
    cells: list[tuple[Span, ...]] = []
    align: list[str] = []
    for token in tokens:
        if token.type == "tr_open":
            cells = []
        elif token.type == "tr_close":
            rows.append(tuple(cells))
        elif token.type == "th_open":
            align.append(str(token.attrGet("style") or "").removeprefix("text-align:"))
        elif token.type == "inline":
            cells.append(tuple(spans_of(token)))
    return Leaf("table", rows=tuple(rows), align=tuple(align))


def spans_of(inline: Token) -> Iterator[Span]:
    """The styled runs of an inline token, neighbours of one style joined, citations as spans of their own."""
    last: Span | None = None
    for span in _runs(inline):
        if last is None:
            last = span
        elif span.cite or last.cite or span.formula or last.formula or replace(last, text=span.text) != span:
            yield last
            last = span
        else:
            last = replace(last, text=last.text + span.text)
    if last is not None:
        yield last


def _runs(inline: Token) -> Iterator[Span]:
    style = Span("")
    for token in inline.children or ():
        match token.type:
            case "strong_open" | "strong_close":
                style = replace(style, bold=token.nesting == 1)
            case "em_open" | "em_close":
                style = replace(style, italic=token.nesting == 1)
            case "s_open" | "s_close":
                style = replace(style, strike=token.nesting == 1)
            case "link_open":
                style = replace(style, href=str(token.attrGet("href") or ""))
            case "link_close":
                style = replace(style, href="")
            case "code_inline":
                yield replace(style, text=token.content, code=True)
            case "math_inline":
                yield replace(style, text=token.content, formula="display" if token.info == "display" else "inline")
            case "softbreak" | "hardbreak":  # models end a line where they mean it: verses, addresses
                yield replace(style, text="\u2028")
            case "image":
                yield replace(style, text=token.content or "image", italic=True)
            case _:
                if token.content:
                    yield from _with_citations(replace(style, text=token.content))


def _with_citations(span: Span) -> Iterator[Span]:
    if "[" not in span.text or span.href:
        yield span
        return
    last = 0
    for found in _CITATION.finditer(span.text):
        if found.start() > last:
            yield replace(span, text=span.text[last : found.start()])
        for number in re.findall(r"\d+", found.group(1)):
            yield replace(span, text=f"[{number}]", cite=int(number))
        last = found.end()
    if last < len(span.text):
        yield replace(span, text=span.text[last:])
