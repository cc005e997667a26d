"""Does the label of a source name the place where its sentence really is in the original file?

    python benchmarks/source_labels.py --offices housing,dental --home HOME --every 2
    python benchmarks/source_labels.py --offices joinery,forwarder --made MADE --home HOME --every 4

Each ``--every``-th question of an office is asked of the program with its defaults. For each citation the original file
is read once more, by other means than the program's reader (the XML of the archives, ``csv``, pypdfium2's text of a
page), as units: pages, slides, rows of sheets, sections under headings, lines. A label is right when no other unit has
more of the words of the cited sentence than the one it names.
"""

from __future__ import annotations

import csv
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from harness import DATA, Core, arguments, read_lines, write_lines
from office_answers import places, read_office

from workbench.base.errors import UserError
from workbench.records.messages import Citation
from workbench.records.places import describe_position
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.records.table_lines import BAR, cells_of_line
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.calls import GetDocumentText
from workbench.subjects.machine.calls import ChangeSettings

Unit = tuple[str, str]
"""The label that a unit of the original would have, and its text."""


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


def units(path: Path) -> list[Unit]:
    """The units of an original file; empty for a kind whose sources have no place, such as a mail."""
    match path.suffix.lower():
        case ".pdf":
            return list(_pages(path))
        case ".pptx":
            return list(_slides(path))
        case ".xlsx":
            return list(_sheet_rows(path))
        case ".csv":
            return list(_csv_rows(path))
        case ".docx":
            return list(_sections(_paragraphs(path, "word/document.xml", "p", "pStyle")))
        case ".odt":
            return list(_sections(_odt_paragraphs(path)))
        case ".md":
            lines = path.read_text("utf-8").split("\n")
            return list(_sections((line.lstrip("# ").strip(), line.startswith("#")) for line in lines))
        case ".html":
            return list(_sections(_html_parts(path)))
        case ".txt":
            return [(f"line {n:,}", line) for n, line in enumerate(path.read_text("utf-8", "replace").split("\n"), 1)]
        case _:
            return []


def _pages(path: Path) -> Iterator[Unit]:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    for number, page in enumerate(document, 1):
        yield f"page {number}", page.get_textpage().get_text_range()


def _named(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    return ElementTree.fromstring(archive.read(part))


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _slides(path: Path) -> Iterator[Unit]:
    with zipfile.ZipFile(path) as archive:
        relations = {r.get("Id"): r.get("Target", "") for r in _named(archive, "ppt/_rels/presentation.xml.rels")}
        listed = [e for e in _named(archive, "ppt/presentation.xml").iter() if _local(e) == "sldId"]
        for number, entry in enumerate(listed, 1):
            id = next(value for key, value in entry.attrib.items() if key.endswith("}id"))
            part = f"ppt/{relations[id]}"
            text = _all_text(_named(archive, part))
            linked = f"ppt/slides/_rels/{Path(part).name}.rels"
            if linked in archive.namelist():
                for relation in _named(archive, linked):
                    if str(relation.get("Type", "")).endswith(("/notesSlide", "/chart")):
                        text += " " + _all_text(_named(archive, f"ppt/{relation.get('Target', '').lstrip('./')}"))
            yield f"slide {number}", text


def _all_text(root: ElementTree.Element) -> str:
    return " ".join(element.text or "" for element in root.iter() if _local(element) in ("t", "v"))


def _sheet_rows(path: Path) -> Iterator[Unit]:
    with zipfile.ZipFile(path) as archive:
        strings: list[str] = []
        if "xl/sharedStrings.xml" in archive.namelist():
            strings = [_all_text(one) for one in _named(archive, "xl/sharedStrings.xml")]
        relations = {r.get("Id"): r.get("Target", "") for r in _named(archive, "xl/_rels/workbook.xml.rels")}
        for sheet in (e for e in _named(archive, "xl/workbook.xml").iter() if _local(e) == "sheet"):
            id = next(value for key, value in sheet.attrib.items() if key.endswith("}id"))
            root = _named(archive, "xl/" + relations[id].removeprefix("/xl/"))
            for row in (e for e in root.iter() if _local(e) == "row"):
                cells = []
                for cell in row:
                    value = _all_text(cell)
                    cells.append(strings[int(value)] if cell.get("t") == "s" and value else value)
                yield f"sheet “{sheet.get('name')}”, row {int(row.get('r', '0')):,}", " ".join(cells)


def _csv_rows(path: Path) -> Iterator[Unit]:
    text = path.read_text("utf-8", "replace")
    delimiter = max(";,\t", key=text.count)
    for number, row in enumerate(csv.reader(text.splitlines(), delimiter=delimiter), 1):
        yield f"row {number:,}", " ".join(row)


def _paragraphs(path: Path, part: str, name: str, style: str) -> Iterator[tuple[str, bool]]:
    """The paragraphs of a Word document, and whether each is a heading."""
    with zipfile.ZipFile(path) as archive:
        for element in _named(archive, part).iter():
            if _local(element) == name:
                styles = [value for e in element.iter() if _local(e) == style for value in e.attrib.values()]
                is_heading = any(re.match(r"(?:heading|berschrift|Title)", value, re.I) for value in styles)
                yield "".join(e.text or "" for e in element.iter() if _local(e) == "t"), is_heading
        for other, heading in (("footnotes", ""), ("comments", "Comments")):
            if heading and f"word/{other}.xml" in archive.namelist():
                yield heading, True
                yield _all_text(_named(archive, f"word/{other}.xml")), False


def _odt_paragraphs(path: Path) -> Iterator[tuple[str, bool]]:
    with zipfile.ZipFile(path) as archive:
        for element in _named(archive, "content.xml").iter():
            if _local(element) in ("p", "h"):
                yield "".join(element.itertext()), _local(element) == "h"


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[tuple[str, bool]] = []
        self._heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._heading = re.fullmatch(r"h[1-6]", tag) is not None or (self._heading and tag in ("b", "em", "span"))

    def handle_endtag(self, tag: str) -> None:
        if re.fullmatch(r"h[1-6]", tag):
            self._heading = False

    def handle_data(self, data: str) -> None:
        self.parts.append((data, self._heading))


def _html_parts(path: Path) -> list[tuple[str, bool]]:
    parser = _Html()
    parser.feed(path.read_text("utf-8", "replace"))
    return parser.parts


def _sections(parts: Any) -> Iterator[Unit]:
    heading, text = "", ""
    for words_of_part, is_heading in parts:
        if is_heading and words_of_part.strip():
            yield (f"section “{heading}”" if heading else ""), f"{heading} {text}"
            heading, text = " ".join(words_of_part.split()), ""
        else:
            text += f" {words_of_part}"
    yield (f"section “{heading}”" if heading else ""), f"{heading} {text}"


def verdict(citation: Citation, text: str) -> tuple[str, str, str]:
    """``right``, ``wrong``, ``vague`` (a true label that names less than it could), ``none`` or ``no place``; the label
    and the best one."""
    label = describe_position(citation)
    known = units(Path(citation.path))
    if not known:
        return ("no place" if not label else "unchecked"), label, ""
    start, end = citation.sentence_start, citation.sentence_end
    cited = text[start:end] if end > start else citation.text
    values = [cited[cell.start : cell.end] for line in cited.split("\n") for cell in cells_of_line(line)]
    sentence = words(" ".join(values) if BAR in cited else cited)
    scores = [((sentence & words(unit)).total(), name) for name, unit in known]
    best = max(score for score, _ in scores)
    winners = [name for score, name in scores if score == best]
    short = {name if len(name) < 60 else name[:60] for name in winners}
    if label in winners or label[:60] in short:
        return "right", label, winners[0]
    if any(name.startswith(f"{label},") for name in winners):
        return "vague", label, winners[0]
    return ("none" if not label else "wrong"), label, winners[0]


def main() -> None:
    parser = arguments(__doc__, "home", "made", "out", data=DATA, offices="housing,dental", every=2, anew=False)
    chosen = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with Core(chosen.home) as core:
        core.call(ChangeSettings(values={"documents": {"keep_embedder": True}}))
        for office in chosen.offices.split(","):
            documents, file = places(office, chosen.data, chosen.made or Path())
            read_office(core, office, documents, anew=chosen.anew)
            texts: dict[str, str] = {}
            for question in read_lines(file)[:: chosen.every]:
                recipe = Recipe(retrieval=RetrievalPart(collection=office))
                try:
                    result = core.call(Ask(question=question["question"], recipe=recipe))
                except UserError as error:
                    print(f"{question['id']}: {error}", file=sys.stderr)
                    continue
                for citation in result.citations:
                    if citation.document not in texts:
                        call = GetDocumentText(collection=citation.collection or office, document=citation.document)
                        texts[citation.document] = core.call(call).text
                    found, label, best = verdict(citation, texts[citation.document])
                    name = Path(citation.path).name
                    rows.append(
                        {"question": question["id"], "file": name, "verdict": found, "label": label, "best": best}
                    )
                    if found in ("wrong", "none", "vague"):
                        print(f"{office} {question['id']} {name}: {found}, {label!r}, best {best!r}")
    print(dict(Counter(row["verdict"] for row in rows)), "of", len(rows), "citations")
    by_kind = Counter((Path(row["file"]).suffix, row["verdict"]) for row in rows)
    for (kind, found), count in sorted(by_kind.items()):
        print(f"{kind:6} {found:10} {count}")
    if chosen.out:
        write_lines(chosen.out, rows)


if __name__ == "__main__":
    main()
