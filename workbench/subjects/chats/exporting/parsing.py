"""The Markdown of messages, parsed for an export: tables and code are what they are, formulas stay their source, HTML
is text, pictures are not loaded, and links lead to web and mail addresses only."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

_FORMULA = re.compile(
    r"\\\(.{1,1000}?\\\)|\\\[.{1,4000}?\\\]|\$\$[^$]{1,4000}?\$\$"
    r"|\\begin\{(?P<name>[a-zA-Z]{1,20}\*?)\}.{1,4000}?\\end\{(?P=name)\}"
    r"|\$(?=[^\s$])[^$\n`]{1,500}?(?<=\S)\$(?![\w$])",
    re.DOTALL,
)
_LINK = re.compile(r"(https?|mailto):", re.IGNORECASE)


def _formula(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "\\$":
        return False
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("code_inline", "code", 0).content = found.group()
    state.pos = found.end()
    return True


def _lower_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"


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
    """Headings of a message are two levels lower than those of the chat."""
    parser = MarkdownIt("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"]).disable(["reference", "html_block", "html_inline", "image", "lheading"])
    parser.inline.ruler.before("escape", "formula", _formula)
    parser.block.ruler.before("hr", "double_rule", _double_rule, {"alt": ["paragraph", "blockquote", "list"]})
    parser.core.ruler.push("lower_headings", _lower_headings)
    parser.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    return parser
