"""Thirty and more bad files beside ten good ones: the ten are read, each bad one has its reason, none takes long.

The reader process is the real one. Its peak memory is asserted over the whole table.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import random
import re
import socket
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import documents
from workbench.base.errors import UserError
from workbench.reading.kinds import find_files
from workbench.reading.process import ReaderProcess
from workbench.reading.reader_calls import ReadLimits

LONGEST_S = 20.0
LARGEST_BYTES = 1_000_000_000
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class PeakMemory:
    """The highest VmHWM of any process that the reader had, asked for every 10 ms: the kernel keeps the peak."""

    def __init__(self, reader: ReaderProcess) -> None:
        self.bytes = 0
        self._reader = reader
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            try:
                status = Path(f"/proc/{self._reader.pid}/status").read_text("ascii")
            except OSError:
                continue
            found = re.search(r"VmHWM:\s+(\d+) kB", status)
            if found:
                self.bytes = max(self.bytes, int(found.group(1)) * 1024)


@pytest.fixture(scope="module")
def reader() -> Iterator[ReaderProcess]:
    process = ReaderProcess()
    peak = PeakMemory(process) if sys.platform == "linux" else None
    yield process
    process.close()
    if peak is not None:
        peak.stop()
        assert 0 < peak.bytes < LARGEST_BYTES


# -- the bad ones -------------------------------------------------------------------------------------

Writer = Callable[[Path], object]


def bytes_of(data: bytes) -> Writer:
    return lambda path: path.write_bytes(data)


def text_of(text: str) -> Writer:
    return lambda path: documents.write_text(path, text)


def zeros(size: int) -> Writer:
    """A sparse file: it takes no room."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return write


def good_pdf() -> bytes:
    return documents.pdf_bytes([documents.page_stream([documents.FACT] * 30)] * 4)


def pdf_with_bomb(path: Path) -> None:
    stream = zlib.compress(b"BT /F1 12 Tf (x) Tj ET\n" + b"0 0 m " * 40_000_000, 1)
    pdf = documents.pdf_bytes([stream])
    path.write_bytes(
        pdf.replace(b"<< /Length %d >>" % len(stream), b"<< /Filter /FlateDecode /Length %d >>" % len(stream))
    )


def bomb_docx(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as part:
        for _ in range(64):
            part.write(bytes(1_000_000))


def nested_bomb(path: Path) -> None:
    bomb_docx(path)
    inner = path.read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(50):
            archive.writestr(f"{number}.zip", inner)


def lying_docx(path: Path) -> None:
    """Its directory says that the part is a thousand bytes; it is a hundred million."""
    bomb_docx(path)
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(bytes(data))


def many_parts(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20_001):
            archive.writestr(str(number), "")


def archive_of(parts: dict[str, bytes]) -> Writer:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(name, data)

    return write


def cut_docx(path: Path) -> None:
    documents.write_docx(path, "x", [documents.FACT] * 99)
    path.write_bytes(path.read_bytes()[:700])


def locked_xlsx(path: Path) -> None:
    """What Excel writes when it is given a password: an OLE file that holds the package encrypted."""
    path.write_bytes(OLE + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(100))


def picture_pdf(path: Path) -> None:
    documents.write_picture_pdf(path, 3)


def laughing_docx(path: Path) -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    documents.write_docx_body(
        path,
        "<w:p><w:r><w:t>&l9;</w:t></w:r></w:p>",
        prologue=f'<!DOCTYPE d [<!ENTITY l0 "ha">{entities}]>',
    )


def damaged_docx(path: Path) -> None:
    documents.write_docx_body(path, "<w:p><w:r></w:p>")


def unread_epub(path: Path) -> None:
    documents.write_epub(path, "Locked", [("One", documents.FACT)])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(
            "META-INF/encryption.xml",
            '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><EncryptedData>'
            '<CipherData><CipherReference URI="OEBPS/text/c0.xhtml"/></CipherData></EncryptedData></encryption>',
        )


def encrypted_zip(path: Path) -> None:
    documents.write_docx(path, "x", [documents.FACT])
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(mark)
        while start >= 0:
            data[start + place] |= 1
            start = data.find(mark, start + 4)
    path.write_bytes(bytes(data))


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))


def link_to(target: str) -> Writer:
    return lambda path: path.symlink_to(target)


def circle(path: Path) -> None:
    other = path.with_name("other-" + path.name)
    path.symlink_to(other)
    other.symlink_to(path)


def forbidden(path: Path) -> None:
    path.write_text(documents.FACT)
    path.chmod(0)


def random_bytes(size: int) -> bytes:
    return random.Random(7).randbytes(size)


LIMITS = {
    "large.txt": ReadLimits(largest_file_mb=1),
    "raised.txt": ReadLimits(largest_file_mb=2000),
    "bomb.pdf": ReadLimits(memory_mb=200),
    "slow.html": ReadLimits(seconds=1),
    "long.json": ReadLimits(memory_mb=300),
}
"""Where the point is the limit itself; the others are read under the default ones."""

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")

BAD: list[tuple[str, Writer, str]] = [
    ("empty.txt", bytes_of(b""), r"^The file is empty\.$"),
    ("blank.txt", text_of(" \n\t\r\n\u00a0\u3000 "), r"^The file has no text\.$"),
    ("zeros.txt", zeros(1_000_000_000), r"^The file is too large: 1,000 MB; the limit is 200 MB\.$"),
    ("raised.txt", zeros(1_000_000_000), r"^Reading the file needs more than 900 MB of memory\.$"),
    ("zeros.log", zeros(50_000_000), r"binary data"),
    ("large.txt", text_of("word " * 300_000), r"^The file is too large: 1\.5 MB; the limit is 1\.0 MB\.$"),
    ("binary.txt", bytes_of(random_bytes(20_000)), r"^The file is not text"),
    ("picture.txt", bytes_of(PNG), r"^The file is not text but a PNG picture\.$"),
    ("broken16.txt", bytes_of(b"\xff\xfe" + b"\x00\xd8" * 500), r"^The file is not text: .* not valid UTF-16"),
    ("model.txt", bytes_of(b"GGUF\x03\x00\x00\x00" + bytes(100)), r"^The file is not text but a language model\.$"),
    ("program.sh", bytes_of(b"\x7fELF\x02\x01\x01" + random_bytes(500)), r"a program"),
    ("cut.pdf", bytes_of(good_pdf()[:1800]), r"^The file is incomplete: the end of the PDF is missing\.$"),
    ("noise.pdf", bytes_of(b"%PDF-1.7\n" + random_bytes(5000) + b"\n%%EOF\n"), r"damaged or not a PDF"),
    ("locked.pdf", documents.write_locked_pdf, r"^The file is protected by a password\.$"),
    ("scan.pdf", picture_pdf, r"^The file has no text: 3 of 3 pages are pictures\.$"),
    ("nothing.pdf", lambda path: documents.write_pdf(path, [[], []]), r"^The file has no text \(2 pages\)\.$"),
    ("picture.pdf", bytes_of(PNG), r"^The file is named \.pdf but is a PNG picture\.$"),
    ("bomb.pdf", pdf_with_bomb, r"needs more than 200 MB of memory"),
    ("bomb.docx", bomb_docx, r"^The file is a ZIP bomb .*64 MB of almost nothing\."),
    ("nested.docx", nested_bomb, r"^The file is not a Word document: it has no word/document\.xml\.$"),
    ("lying.docx", lying_docx, r"^The file is damaged"),
    ("parts.docx", many_parts, r"^The file is a ZIP bomb and is not unpacked: it has 20,001 parts\."),
    ("text.docx", text_of(documents.FACT), r"^The file is not a Word document, or a damaged one\.$"),
    ("program.docx", bytes_of(b"MZ" + random_bytes(500)), r"^The file is not a Word document but a Windows program\.$"),
    ("hollow.docx", archive_of({"mimetype": b"x"}), r"it has no word/document\.xml"),
    ("cut.docx", cut_docx, r"^The file is damaged or incomplete"),
    ("damaged.docx", damaged_docx, r"word/document\.xml is not valid XML"),
    ("language.docx", archive_of({"word/document.xml": b'<?xml version="1.0" encoding="UTG-8"?><a/>'}), r"unknown enc"),
    ("laughs.docx", laughing_docx, r"^The file declares XML entities"),
    ("secret.docx", encrypted_zip, r"^The file is protected by a password\.$"),
    ("old.doc", bytes_of(OLE + bytes(2000)), r"^The file is not a Word 97 document, or a damaged one\.$"),
    ("old.xls", bytes_of(OLE + bytes(2000)), r"^The file is not an Excel 97 workbook, or a damaged one\.$"),
    ("old.ppt", bytes_of(OLE + bytes(2000)), r"^The file is not a PowerPoint 97 presentation, or a damaged one\.$"),
    ("mail.msg", bytes_of(OLE + bytes(2000)), r"^The file is an Outlook message"),
    ("numbered.pdf", documents.write_unmapped_pdf, r"^The text of this PDF cannot be read: its fonts"),
    ("locked.odt", documents.write_locked_odt, r"^The file is an OpenDocument text with a password"),
    ("laughs.odt", archive_of({"content.xml": b'<!DOCTYPE d [<!ENTITY a "ha">]><d>&a;</d>'}), r"declares XML ent"),
    ("old.docx", bytes_of(OLE + bytes(2000)), r"old Office file"),
    ("secret.xlsx", locked_xlsx, r"^The file is protected by a password\.$"),
    ("hollow.xlsx", archive_of({"xl/workbook.xml": b"<workbook/>"}), r"^The file has no text\.$"),
    ("old.xlsx", archive_of({"xl/workbook.bin": b"x"}), r"^The file is not an Excel workbook: .* xl/workbook\.xml\.$"),
    ("picture.rtf", bytes_of(PNG), r"^The file is not rich text \(RTF\) but a PNG picture\.$"),
    ("hollow.odt", archive_of({"mimetype": b"x"}), r"it has no content\.xml"),
    ("silent.pptx", lambda path: documents.write_pptx(path, [("", ""), ("", "")]), r"^The file has no text\.$"),
    ("corrupt.epub", bytes_of(b"PK\x03\x04" + random_bytes(3000)), r"^The file is damaged or incomplete"),
    ("hollow.epub", archive_of({"mimetype": b"application/epub+zip"}), r"it has no META-INF/container\.xml"),
    ("locked.epub", unread_epub, r"protected against copying"),
    ("silent.eml", bytes_of(b"From: a@example.org\r\nSubject: Nothing\r\n\r\n"), r"^The message has no text\.$"),
    ("none.eml", text_of("Just some words.\n"), r"^The file is not an e-mail message"),
    ("deep.html", text_of("<div>" * 100_000 + "x" + "</div>" * 100_000), r"nested too deeply"),
    ("slow.html", text_of("<a " * 100_000), r"^Reading took longer than 1 s\.$"),
    ("silent.html", text_of("<title>T</title><body><script>f()</script>"), r"no text"),
    ("wide.csv", text_of(",".join(str(n) for n in range(100_000)) + "\n"), r"^The table has 100,000 columns"),
    ("pickle.json", bytes_of(pickle.dumps({"a": list(range(500))})), r"^The file is not text"),
    ("deep.json", text_of("[" * 100_000 + "]" * 100_000), r"^The values are nested too deeply\.$"),
    ("long.json", text_of("[" + "0," * 25_000_000 + "0]"), r"needs more than 300 MB of memory|took longer"),
    ("ملف.pdf", bytes_of(b"%PDF-1.4 \xd8\xa7"), r"^The file is incomplete"),
    ("unknown.xyz", bytes_of(random_bytes(3000)), r"^The file is not text"),
    ("folder.pdf", lambda path: path.mkdir(), r"^This is a folder, not a file\.$"),
    ("gone.txt", lambda path: None, r"^The file is missing\.$"),
]  # fmt: skip

BAD_POSIX: list[tuple[str, Writer, str]] = [
    ("broken.txt", link_to("nowhere.txt"), r"^The file is a link to a missing file: nowhere\.txt\.$"),
    ("circle.txt", circle, r"^The file is a link that leads in a circle\.$"),
    ("pipe.txt", pipe, r"^This is a named pipe, not a file\.$"),
    ("socket.txt", bound_socket, r"^This is a socket, not a file\.$"),
    ("device.txt", link_to(os.devnull), r"^This is a device, not a file\.$"),
    ("two\nlines.txt", bytes_of(b""), r"^The file is empty\.$"),
    (os.fsdecode(b"caf\xe9.txt"), text_of(documents.FACT), r"^The file name is not valid text\.$"),
]


def check(reader: ReaderProcess, path: Path, writer: Writer, reason: str) -> None:
    writer(path)
    started = time.monotonic()
    with pytest.raises(UserError) as caught:
        reader.read(path, LIMITS.get(path.name, ReadLimits(recognise=False)))
    assert time.monotonic() - started < LONGEST_S
    assert re.search(reason, caught.value.message), caught.value.message


@pytest.mark.parametrize(("name", "writer", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_file_has_its_reason(reader: ReaderProcess, tmp_path: Path, name: str, writer: Writer, reason: str) -> None:
    check(reader, tmp_path / name, writer, reason)


@POSIX
@pytest.mark.parametrize(("name", "writer", "reason"), BAD_POSIX, ids=[ascii(row[0]) for row in BAD_POSIX])
def test_bad_posix_file_has_its_reason(
    reader: ReaderProcess, tmp_path: Path, name: str, writer: Writer, reason: str
) -> None:
    check(reader, tmp_path / name, writer, reason)


@POSIX
def test_forbidden_file_has_its_reason(reader: ReaderProcess, tmp_path: Path) -> None:
    forbidden(tmp_path / "probe.txt")
    if os.access(tmp_path / "probe.txt", os.R_OK):
        pytest.skip("this user may read everything")
    check(reader, tmp_path / "forbidden.txt", forbidden, r"^You have no permission to read the file\.$")


def test_file_that_grows_while_it_is_read(reader: ReaderProcess, tmp_path: Path) -> None:
    path = tmp_path / "growing.log"
    path.write_bytes(b"A line of words.\n" * 6_000_000)
    over = threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as file:
            while not over.is_set():
                file.write(b"one more\n")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(UserError, match=r"^The file changed while it was being read\."):
            reader.read(path)
    finally:
        over.set()
        writer.join()


# -- the good ones, odd as they are, and beside bad ones ----------------------------------------------


def test_good_files_are_read_beside_bad_ones(reader: ReaderProcess, tmp_path: Path) -> None:
    good = documents.write_all(tmp_path)
    assert len(good) >= 10
    for name, writer, _ in BAD:
        if name in ("empty.txt", "locked.pdf", "hollow.docx", "deep.json", "wide.csv"):
            writer(tmp_path / name)
    read: list[Path] = []
    reasons: dict[str, str] = {}
    for path in find_files(tmp_path):
        started = time.monotonic()
        try:
            document = reader.read(path)
        except UserError as error:
            reasons[path.name] = error.message
        else:
            assert documents.FACT in document.text
            assert documents.WORD in document.text
            read.append(path)
        assert time.monotonic() - started < LONGEST_S
    assert sorted(read) == sorted(good)
    assert set(reasons) == {"empty.txt", "locked.pdf", "hollow.docx", "deep.json", "wide.csv"}


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes with some of them changed, left out, put in or doubled."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 5, 20))):
        place = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[place] = chance.randrange(256)
            case 1:
                del changed[place : place + chance.randrange(1, 20)]
            case 2:
                changed[place:place] = chance.randbytes(chance.randrange(1, 20))
            case 3:
                changed[place:place] = changed[: chance.randrange(200)]
        changed = changed or bytearray(b"x")
    return bytes(changed)


def damaged_parts(data: bytes, chance: random.Random) -> bytes:
    """A ZIP archive one part of which is damaged inside."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        unlucky = chance.choice(old.namelist())
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, damaged(part, chance) if name == unlucky else part)
    return packed.getvalue()


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_are_read_or_have_a_reason(reader: ReaderProcess, tmp_path: Path, seed: int) -> None:
    """Anything but a UserError would be a bug of ours, or of a library that we did not hold back."""
    chance = random.Random(seed)
    for path in documents.write_all(tmp_path):
        data = path.read_bytes()
        path.write_bytes(damaged_parts(data, chance) if data.startswith(b"PK") else damaged(data, chance))
        with contextlib.suppress(UserError):
            assert not re.search(r"[\x00\r\ud800-\udfff]", reader.read(path).text)


def sparse_sheet(path: Path) -> None:
    """A billion cells between the first and the last, as far apart as a sheet allows."""
    documents.write_xlsx_sheet(
        path,
        '<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>17</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>42</v></c></row></sheetData>',
    )


ODD: list[tuple[str, Writer, str]] = [
    ("sparse.xlsx", sparse_sheet, "17\n42"),
    ("latin.txt", bytes_of("Das alte Café schließt um sechs.".encode("cp1252")), "Café schließt"),
    ("wide.txt", lambda path: documents.write_text(path, f"{documents.FACT} Café", "utf-16-le"), "Café"),
    ("marked.txt", lambda path: documents.write_text(path, f"{documents.FACT} 灯台", "utf-16"), "灯台"),
    ("big5.txt", bytes_of(("燈塔建於1837年，位於海邊的一座小山上。它至今仍然屹立在那裡。" * 9).encode("big5")), "燈塔"),
    ("lies.html", bytes_of('<meta charset="utf-8"><p>Le café où était né René'.encode("cp1252")), "où était né René"),
    ("true.html", bytes_of('<meta charset="koi8-r"><p>Маяк'.encode("koi8-r")), "Маяк"),
    ("cut.txt", bytes_of("Das Café, größer und schöner, das Café".encode()[:-1]), "größer und schöner, das Caf"),
    ("dots.json", text_of('{"a": 1, // a comment\n"b": "café"}'), "a comment"),
    ("half.jsonl", text_of('{"a": "café"}\n{"b": \n'), "a: café"),
    ("surrogate.json", text_of('{"a": "x\\ud800y"}'), "a: xy"),
    ("قلعة.txt", text_of(documents.FACT), documents.FACT),
    ("two\nlines.md", text_of(documents.FACT), documents.FACT),
    ("README", text_of(documents.FACT), documents.FACT),
    ("some.unknown", text_of(documents.FACT), documents.FACT),
]  # fmt: skip


@pytest.mark.parametrize(("name", "writer", "expected"), ODD, ids=[ascii(row[0]) for row in ODD])
def test_odd_file_is_read(reader: ReaderProcess, tmp_path: Path, name: str, writer: Writer, expected: str) -> None:
    if sys.platform == "win32" and "\n" in name:
        pytest.skip("Windows has no such names")
    writer(tmp_path / name)
    assert expected in reader.read(tmp_path / name).text
