from __future__ import annotations

import base64
import io
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from docx import Document
from docx.shared import Inches
from PIL import Image

from workbench.base.errors import UserError
from workbench.base.pixels import Pixels, png_of
from workbench.records.answers import StoredMessage
from workbench.records.messages import Citation, ImagePart, TextPart
from workbench.records.places import TextPlace
from workbench.records.quoted_tables import with_markdown_tables
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.chats.calls import Chat, ChatRecord
from workbench.subjects.chats.exporting.html import write_html
from workbench.subjects.chats.exporting.markdown import write_markdown
from workbench.subjects.chats.exporting.transcript import Picture, Transcript, transcript_of
from workbench.subjects.chats.exporting.word import write_word

CITATION = Citation(
    n=1,
    collection="k",
    document="d",
    document_hash="h",
    path="/papers/Brücke.pdf",
    title="Bridges",
    start=100,
    end=127,
    text="It is long. It is red. 很红。",
    sentence_start=112,
    sentence_end=122,
    page=3,
)
ANSWER = """It is **red** [1], and \\(a_1 * b_2 * c\\) is its length; <script>alert(1)</script>.

| part | colour |
|---|---|
| Bogen | *rot* |
| 桥 | 红 |

- one
  - inside

1. first

```python
print("<x>")
```

> said

[a page](https://example.org) and [none](javascript:alert(1)) and ![](https://example.org/x.png)
"""


def message(id: str, parent: str | None, role: str, text: str, **fields: object) -> StoredMessage:
    return StoredMessage(id=id, chat="c", parent=parent, role=role, text=text, **fields)  # type: ignore[arg-type]


def bridge() -> Chat:
    recipe = Recipe(model=ModelPart(name="SmolLM"))
    return Chat(
        chat=ChatRecord(id="c", title="The bridge & <more>", created=0, updated=0, head="a2"),
        messages=(
            message("q", None, "user", "What colour?"),
            message("a1", "q", "assistant", "Blue.", state="stopped"),
            message("a2", "q", "assistant", ANSWER, citations=(CITATION,), recipe=recipe, notices=("A turn was cut.",)),
            message("q2", "a1", "user", "Sure?"),
            message("a3", "q2", "assistant", "No.", state="failed", error="The worker stopped."),
        ),
    )


@pytest.fixture
def transcript() -> Transcript:
    return transcript_of(bridge())


def test_markdown_keeps_the_answer_and_names_the_quoted_sentence(transcript: Transcript) -> None:
    written = write_markdown((transcript,))
    assert written.startswith("# The bridge & <more>\n\n")
    for part in (
        "## Question\n\nWhat colour?",
        f"## Answer, version 2 of 2\n\n{ANSWER.strip()}",
        "*A turn was cut.*",
        "*Answered by SmolLM.*",
        "### Sources\n\n**[1]** Brücke.pdf, page 3\n\n> It is red.",
    ):
        assert part in written
    assert "Blue." not in written


def test_other_branches_are_said_once_each() -> None:
    written = write_markdown((transcript_of(bridge(), branches=True),))
    assert (
        "## Branch 2, after: What colour?\n\n## Answer, version 1 of 2\n\nBlue.\n\n*This answer was stopped.*"
        in written
    )
    assert "*This answer failed: The worker stopped.*" in written
    assert written.count("What colour?\n") == 2  # the question, and where the branch leaves it


def test_html_is_escaped_and_loads_nothing(transcript: Transcript) -> None:
    written = write_html((transcript,))
    assert "<script" not in written
    assert "&lt;script&gt;alert(1)" in written
    assert "<img" not in written
    assert 'href="javascript' not in written
    assert '<a href="https://example.org">a page</a>' in written
    assert "<code>\\(a_1 * b_2 * c\\)</code>" in written
    assert "<td>桥</td>" in written
    assert "The bridge &amp; &lt;more&gt;" in written
    assert "<b>[1]</b> Brücke.pdf, page 3" in written
    assert "<blockquote>It is red.</blockquote>" in written


def test_word_has_tables_lists_code_and_sources(transcript: Transcript) -> None:
    document = Document(io.BytesIO(write_word((transcript,))))
    lines = [(paragraph.style.name, paragraph.text) for paragraph in document.paragraphs]
    for line in (
        ("Title", "The bridge & <more>"),
        ("Heading 1", "Answer, version 2 of 2"),
        ("List Bullet", "one"),
        ("List Bullet 2", "inside"),
        ("List Number", "first"),
        ("Normal", 'print("<x>")'),
        ("Quote", "said"),
        ("Normal", "[1] Brücke.pdf, page 3"),
        ("Quote", "It is red."),
    ):
        assert line in lines, line
    assert "\\(a_1 * b_2 * c\\)" in "\n".join(text for _, text in lines)
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["part", "colour"],
        ["Bogen", "rot"],
        ["桥", "红"],
    ]


def test_signs_that_xml_cannot_hold_are_left_out_of_word() -> None:
    chat = Chat(
        chat=ChatRecord(id="c", title="\x00odd\x0b", created=0, updated=0, head="q"),
        messages=(message("q", None, "user", "one\x01two"),),
    )
    document = Document(io.BytesIO(write_word((transcript_of(chat),))))
    assert document.paragraphs[0].text == "odd"
    assert "onetwo" in [paragraph.text for paragraph in document.paragraphs]


def a_picture(image: ImagePart) -> Picture:
    if not image.sha256:
        raise UserError("The stored image is missing.")
    shown, small = (Pixels(side, side // 2, bytes([200, 10, 10]) * (side * side // 2)) for side in (700, 40))
    return Picture(image.name, png_of(shown), 700, 350, png_of(small))


def chat_with_images() -> Chat:
    parts = (ImagePart(sha256="a" * 64, name='a [red] "one".png'), ImagePart(name="gone.png"), TextPart("What is it?"))
    return Chat(
        chat=ChatRecord(id="c", title="Images", created=0, updated=0, head="q"),
        messages=(message("q", None, "user", "What is it?", parts=parts),),
    )


def test_images_are_in_every_form_and_a_missing_one_is_named(tmp_path: Path) -> None:
    shown = transcript_of(chat_with_images(), picture_of=a_picture)
    missing = "The question shows the image gone.png, which is missing here: The stored image is missing."
    html = write_html((shown,))
    [address] = re.findall(
        r'<img src="data:image/png;base64,([^"]+)" alt="a \[red\] &quot;one&quot;.png" width="480" height="240">', html
    )
    assert Image.open(io.BytesIO(base64.b64decode(address))).size == (700, 350)
    assert "img-src data:;" in html
    assert missing in html
    markdown = write_markdown((shown,))
    assert f"*{missing}*" in markdown
    [address] = re.findall(r'!\[a \\\[red\\\] "one".png\]\(data:image/png;base64,([^)]+)\)', markdown)
    assert Image.open(io.BytesIO(base64.b64decode(address))).size == (40, 20)
    (tmp_path / "chat.docx").write_bytes(write_word((shown,)))
    document = Document(str(tmp_path / "chat.docx"))
    [shape] = document.inline_shapes
    assert (shape.width, shape.height) == (Inches(5), Inches(2.5))
    assert missing in [paragraph.text for paragraph in document.paragraphs]


def test_without_the_images_their_names_are_said() -> None:
    assert '*The question shows the image a [red] "one".png.*' in write_markdown((transcript_of(chat_with_images()),))


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_what_was_written(transcript: Transcript, tmp_path: Path) -> None:
    (tmp_path / "chat.docx").write_bytes(write_word((transcript,)))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    convert = ["soffice", profile, "--headless", "--convert-to", "txt:Text (encoded):UTF8", "--outdir", str(tmp_path)]
    subprocess.run([*convert, str(tmp_path / "chat.docx")], check=True, capture_output=True, timeout=240)
    text = (tmp_path / "chat.txt").read_text("utf-8-sig")
    for part in ("What colour?", "Brücke.pdf, page 3", "It is red.", "桥", "\\(a_1 * b_2 * c\\)"):
        assert part in text


ROWS = "The rates:\n“Kind: Joiner | Price: 62” [1]\n\n“Kind: Fitter | Price: 58” [1]\n\nBoth | without tax."


@pytest.fixture
def rows() -> Transcript:
    """An answer that quotes two rows, of a source that is a row without names."""
    text = "Joiner | 62"
    places = (TextPlace(0, "columns", "Kind | Price"),)
    citation = msgspec.structs.replace(CITATION, text=text, start=0, sentence_start=0, sentence_end=0, places=places)
    chat = bridge()
    answer = message("a2", "q", "assistant", ROWS, citations=(citation,))
    return transcript_of(msgspec.structs.replace(chat, messages=(chat.messages[0], answer)))


def test_quoted_rows_are_tables_in_every_form(rows: Transcript) -> None:
    markdown = write_markdown((rows,))
    assert "The rates:\n\n| Kind | Price |\n| --- | --- |\n| Joiner | 62 [1] |\n| Fitter | 58 [1] |\n\nBoth" in markdown
    assert "> | Kind | Price |\n> | --- | --- |\n> | Joiner | 62 |" in markdown
    html = write_html((rows,))
    assert "Price: 62" not in html
    assert "<blockquote><table><tr><th>Kind</th><th>Price</th></tr><tr><td>Joiner</td><td>62</td></tr>" in html
    tables = Document(io.BytesIO(write_word((rows,)))).tables
    assert [[[cell.text for cell in row.cells] for row in table.rows] for table in tables] == [
        [["Kind", "Price"], ["Joiner", "62 [1]"], ["Fitter", "58 [1]"]],
        [["Kind", "Price"], ["Joiner", "62"]],
    ]


def test_a_table_of_markdown_stays_as_it_is() -> None:
    table = "| Note: a | Price: b |\n|---|---|\n| Kind: x | Price: y |"
    assert with_markdown_tables(table, {}) == table


def test_headings_are_below_those_of_the_chat_and_lines_of_signs_are_rules() -> None:
    answer = "# Prices\n\nPrices 2024\n===========\nOak 12\n\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}"
    chat = bridge()
    answered = msgspec.structs.replace(chat, messages=(chat.messages[0], message("a2", "q", "assistant", answer)))
    html = write_html((transcript_of(answered),))
    assert "<h3>Prices</h3>" in html
    assert "<p>Prices 2024</p>\n<hr />\n<p>Oak 12</p>" in html
    assert "a &amp;= b \\\\" in html, "the line breaks of a formula are kept"
