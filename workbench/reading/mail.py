"""E-mail messages (eml): headers, text, and the text of attachments."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.reading.extract import Extracted
from workbench.reading.html import html_text
from workbench.reading.kinds import kind_of
from workbench.reading.text import decode_text

_SHOWN = ("Subject", "From", "To", "Cc", "Date")
MOST_MESSAGES = 100
MOST_ATTACHMENTS = 100
STUB_SHARE = 1 / 3
"""A plain alternative with a smaller share of the words of the HTML one is only a notice."""

_NOT_SHOWN = ("text/calendar", "text/css", "text/vcard", "text/x-vcard", "text/directory")

# raised by Python 3.11's parser of structured headers for malformed ones, instead of keeping them as they are
_TRIPS = (AttributeError, IndexError, LookupError, TypeError, ValueError)


def read_eml(data: bytes, read_attached: Callable[[str, bytes], str] | None = None) -> Extracted:
    """The message, the documents attached to it, and the messages forwarded inside it.

    ``read_attached`` returns the text of a document, given its name and bytes, or raises UserError; without it
    attachments are only listed. Raises UserError when the file is not a message or has no text.
    """
    message: EmailMessage = BytesParser(policy=policy.default).parsebytes(data)
    try:
        return _read(message, read_attached)
    except _TRIPS as error:
        raise UserError("The e-mail message is damaged: its headers cannot be read.") from error


def page_of_mime(data: bytes) -> Extracted | None:
    """The text of an MHTML page, which has the form of a message; None for other data."""
    if b"mime-version:" not in data[:1000].lower():
        return None
    return Extracted("\n\n".join(_texts(BytesParser(policy=policy.default).parsebytes(data))))


def _read(message: EmailMessage, read_attached: Callable[[str, bytes], str] | None) -> Extracted:
    if not any(name in message for name in _SHOWN):
        raise UserError("The file is not an e-mail message: it has no sender, receiver, subject or date.")
    texts: list[str] = []
    warnings: list[Shown] = []
    waiting = [message]
    messages = attachments = 0
    has_text = False
    while waiting and messages < MOST_MESSAGES:
        current = waiting.pop(0)
        messages += 1
        body = "\n\n".join(text.strip() for text in _texts(current) if text.strip())
        attached = [part for part in _leaves(current) if _is_attached(part)]
        lines = [f"{name}: {value}" for name in _SHOWN if (value := _header(current, name))]
        lines += [f"Attachment: {name}" for part in attached if (name := _name(part))]
        texts.append(("\n".join(lines) + "\n\n" + body).strip())
        has_text = has_text or bool(body)
        for part in attached if read_attached is not None else ():
            name, data = _name(part), part.get_payload(decode=True)
            if not _is_read(name) or not isinstance(data, bytes) or not data or attachments >= MOST_ATTACHMENTS:
                continue
            attachments += 1
            assert read_attached is not None
            try:
                text = read_attached(name, data).strip()
            except UserError as error:
                warnings.append(f"The attachment {name} could not be read: {error.message}")
                continue
            texts.append(f"## Attachment: {name}\n\n{text}")
            has_text = True
        waiting += [inner for part in _leaves(current) if (inner := _forwarded(part)) is not None]
    if not has_text:
        raise UserError("The message has no text.", " ".join(warnings))
    subject = _header(message, "Subject")
    metadata = {"author": _header(message, "From"), "created": _header(message, "Date")}
    return Extracted(
        "\n\n".join(texts),
        title=subject,
        metadata={name: value for name, value in metadata.items() if value},
        warnings=tuple(warnings),
    )


def _header(message: EmailMessage, name: str) -> str:
    try:
        value = str(message.get(name, ""))
    except _TRIPS:
        value = next((raw for key, raw in message.raw_items() if key.lower() == name.lower()), "")
    return " ".join(str(value).split())


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that are not multipart, in order, without those of forwarded messages."""
    waiting: list[object] = list(reversed(list(message.iter_parts()))) if message.is_multipart() else [message]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, EmailMessage):
            continue
        if part.get_content_maintype() == "multipart":
            waiting += reversed(list(part.iter_parts()))
        else:
            yield part


def _texts(part: EmailMessage) -> Iterator[str]:
    """The visible text of a message: all its text parts, and one of each set of alternatives."""
    kind = part.get_content_type()
    if part.get_content_maintype() == "multipart":
        inner = [one for one in part.iter_parts() if isinstance(one, EmailMessage)]
        if kind == "multipart/alternative":
            yield _best(["\n\n".join(_texts(one)) for one in inner])
            return
        for one in inner:
            yield from _texts(one)
    elif part.get_content_maintype() == "text" and not _is_attached(part) and kind not in _NOT_SHOWN:
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and payload.strip():
            text = decode_text(payload, part.get_content_charset() or "")
            yield html_text(text).text if kind == "text/html" else text


def _best(alternatives: list[str]) -> str:
    """The first alternative, which is the plainest, unless it has far fewer words than another."""
    most = max((len(text.split()) for text in alternatives), default=0)
    return next((text for text in alternatives if len(text.split()) > most * STUB_SHARE), "")


def _is_attached(part: EmailMessage) -> bool:
    if part.get_content_type() == "message/rfc822":
        return False
    return part.is_attachment() or (part.get_content_maintype() != "text" and _is_read(_name(part)))


def _is_read(name: str) -> bool:
    """Whether an attachment is a document: pictures are mostly logos."""
    return kind_of(name) not in (None, "picture")


def _name(part: EmailMessage) -> str:
    try:
        name = part.get_filename() or ""
    except _TRIPS:
        name = ""
    if not name and part.is_attachment():
        ending = mimetypes.guess_extension(part.get_content_type()) or ""
        name = f"unnamed{ending}" if ending else ""
    return " ".join(name.split())


def _forwarded(part: EmailMessage) -> EmailMessage | None:
    if part.get_content_type() != "message/rfc822":
        return None
    inner = part.get_payload(0) if part.is_multipart() else None
    return inner if isinstance(inner, EmailMessage) else None
