"""An answer for the clipboard: with the name and the place of each source, as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from PySide6.QtCore import QMimeData

from ui.components.markdown_blocks import make_parser
from ui.components.wording import describe_place
from ui.features.chat import texts
from workbench.records.messages import Citation


def copied_answer(text: str, citations: Sequence[Citation]) -> QMimeData:
    """``text`` is Markdown; formulas stay their source, and pictures are not loaded where it is pasted."""
    mime = QMimeData()
    mime.setText(as_text(text, citations))
    mime.setHtml(_as_html(text, citations))
    return mime


def as_text(text: str, citations: Sequence[Citation]) -> str:
    """The answer, and below it a line for each source."""
    if not citations:
        return text
    return "\n".join((text.rstrip(), "", texts.COPIED_SOURCES, *map(_label, citations)))


def _label(citation: Citation) -> str:
    return f"[{citation.n}] {describe_place(citation)}"


def _as_html(text: str, citations: Sequence[Citation]) -> str:
    parser = make_parser().disable("image")
    for kind in ("math_inline", "math_block"):
        parser.add_render_rule(kind, _formula)
    lines = "".join(f"<br>{escape(_label(citation))}" for citation in citations)
    sources = f"<p>{escape(texts.COPIED_SOURCES)}{lines}</p>" if citations else ""
    return f"{parser.render(text)}{sources}"


def _formula(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    return escape(tokens[index].content)
