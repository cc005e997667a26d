"""Transcripts as one HTML file without scripts, which loads nothing; all texts are escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape

from workbench.records.quoted_tables import QuotedTable
from workbench.subjects.chats.exporting.parsing import make_parser
from workbench.subjects.chats.exporting.transcript import Source, Transcript, Turn

_STYLE = """
body { font-family: "Helvetica Neue", Arial, "Noto Sans", "Noto Sans CJK SC", sans-serif; line-height: 1.5;
  max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #22262a; background: #ffffff; }
h1 { font-size: 1.6rem; line-height: 1.2; }
h2 { font-size: 1.1rem; color: #0f5f63; margin-top: 2rem; } h3 { font-size: 1rem; }
pre { background: #f3f4f4; padding: 0.6rem; white-space: pre-wrap; }
code { font-family: Consolas, "DejaVu Sans Mono", monospace; }
table { border-collapse: collapse; } th, td { border: 1px solid #b9c0c4; padding: 4px 8px; text-align: left; }
blockquote { border-left: 3px solid #b9c0c4; margin-left: 0; padding-left: 0.8rem; color: #444c52; }
.picture { line-height: 1; }
.note, .date { color: #59636a; font-size: 0.9rem; }
"""


_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

WIDEST = 480
"""Of a shown image, in CSS pixels: the width of a page of paper holds it."""


def write_html(transcripts: Sequence[Transcript]) -> str:
    title = transcripts[0].title if len(transcripts) == 1 else f"{len(transcripts)} chats"
    chats = "\n".join("\n".join(_parts(one, place > 0)) for place, one in enumerate(transcripts))
    return (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{chats}\n</body>\n</html>\n"
    )


def _parts(transcript: Transcript, new_page: bool) -> Iterator[str]:
    start = ' style="page-break-before: always"' if new_page else ""
    yield f"<h1{start}>{escape(transcript.title)}</h1>"
    yield f'<p class="date">{escape(transcript.date)}</p>'
    for turn in transcript.turns:
        yield from _turn(turn)
    for heading, turns in transcript.other:
        yield f"<h2>{escape(heading)}</h2>"
        for turn in turns:
            yield from _turn(turn)


def _turn(turn: Turn) -> Iterator[str]:
    yield f"<h2>{escape(turn.heading)}</h2>"
    for picture in turn.pictures:
        width = min(picture.width, WIDEST)
        size = f'width="{width}" height="{round(picture.height * width / picture.width)}"'
        data = base64.b64encode(picture.png).decode()
        yield f'<p class="picture"><img src="data:image/png;base64,{data}" alt="{escape(picture.name)}" {size}></p>'
    if turn.text:
        yield make_parser().render(turn.text).replace("\n</code></pre>", "</code></pre>")
    for note in turn.notes:
        yield f'<p class="note"><em>{escape(note)}</em></p>'
    if turn.sources:
        yield "<h3>Sources</h3>"
    yield from map(source_html, turn.sources)


def source_html(source: Source) -> str:
    place = f", {escape(source.place)}" if source.place else ""
    return (
        f"<p><b>[{source.n}]</b> {escape(source.name)}{place}</p>\n<blockquote>{''.join(_quoted(source))}</blockquote>"
    )


def _quoted(source: Source) -> Iterator[str]:
    lines: list[str] = []
    for part in source.parts():
        if isinstance(part, QuotedTable):
            yield "<br>".join(lines)
            lines = []
            yield _table(part)
        else:
            lines.append(escape(part))
    yield "<br>".join(lines)


def _table(table: QuotedTable) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.names)
    rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in table.rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
