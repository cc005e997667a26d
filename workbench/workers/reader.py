"""The reader worker: reads one file after the other, draws PDF pages, queries tables. Any of them may kill it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.base.pixels import pack_pixels
from workbench.processes.memory_limit import memory_ceiling
from workbench.processes.serve import serve
from workbench.reading.content import read_content
from workbench.reading.read import read_file
from workbench.reading.reader_calls import (
    DecodeImage,
    DrawDocumentPage,
    QueryTables,
    ReadAnswer,
    ReadChatExport,
    ReaderCall,
    ReadFile,
    ReadLimits,
    RecognisePage,
    out_of_memory,
)
from workbench.reading.unlocking import FileLocked

LONGEST_LINE_TEXT = 4_000_000
"""Maximum characters of text in an event; longer texts go through a file."""

_one_at_a_time = threading.Lock()  # pdfium is not thread-safe, and the memory limit is the process's


def read(call: ReadFile, context: RequestContext) -> Iterator[Event]:
    with _one_at_a_time, _within(call.limits):
        try:
            document = read_file(Path(call.path), call.limits, call.password)
        except FileLocked:
            yield finish(ReadAnswer(document=None))
            return
        if len(document.text) <= LONGEST_LINE_TEXT:
            yield finish(ReadAnswer(document=document))
            return
        _write_new(Path(call.spill), document.text.encode())
        yield finish(ReadAnswer(document=msgspec.structs.replace(document, text=""), is_spilt=True))


def recognise(call: RecognisePage, context: RequestContext) -> Iterator[Event]:
    from workbench.reading.page_pictures import recognise_page

    with _one_at_a_time, _within(call.limits):
        yield finish(recognise_page(call))


def draw(call: DrawDocumentPage, context: RequestContext) -> Iterator[Event]:
    from workbench.reading.page_pictures import draw_page

    with _one_at_a_time, _within(call.limits):
        content = read_content(Path(call.path), call.limits.largest_file_mb * 1_000_000)
        if call.hash and content.hash != call.hash:
            raise UserError(
                "The file has changed since it was read; its pages may not match the citations.",
                "Add it again to read the new version.",
            )
        yield finish(draw_page(content.data, call))


def query(call: QueryTables, context: RequestContext) -> Iterator[Event]:
    from workbench.reading.table_files import query_files

    with _one_at_a_time, _within(call.limits):
        yield finish(query_files(call))


def read_chats(call: ReadChatExport, context: RequestContext) -> Iterator[Event]:
    from workbench.reading.chat_exports.read import read_chat_export

    with _one_at_a_time, _within(call.limits):
        _write_new(Path(call.into), msgspec.msgpack.encode(read_chat_export(Path(call.path))))
        yield finish(None)


def decode(call: DecodeImage, context: RequestContext) -> Iterator[Event]:
    from workbench.reading.images import decode_image

    with _one_at_a_time, _within(call.limits):
        content = read_content(Path(call.path), call.limits.largest_file_mb * 1_000_000)
        pixels, small, decoded = decode_image(content.data)
        _write_new(Path(call.into), pack_pixels(pixels))
        _write_new(Path(call.small_into), pack_pixels(small))
        yield finish(decoded)


def _write_new(path: Path, content: bytes) -> None:
    """Write a file in a folder that everyone may write to: it must be new and owned by this user."""
    path.unlink(missing_ok=True)  # of a process that died of this file before
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


@contextmanager
def _within(limits: ReadLimits) -> Iterator[None]:
    try:
        with memory_ceiling(limits.memory_mb):
            yield
    except MemoryError as error:
        raise out_of_memory(limits) from error
    except RecursionError as error:
        raise UserError("The file is nested too deeply.") from error


def main() -> None:
    serve(
        "reader",
        ReaderCall,
        {
            ReadFile: read,
            RecognisePage: recognise,
            DrawDocumentPage: draw,
            QueryTables: query,
            ReadChatExport: read_chats,
            DecodeImage: decode,
        },
    )
