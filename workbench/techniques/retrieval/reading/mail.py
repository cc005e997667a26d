"""E-mail messages (eml): headers, text, and the names of attachments."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from workbench.errors import UserError
from workbench.techniques.retrieval.reading.extract import Extracted
from workbench.techniques.retrieval.reading.html import html_text
from workbench.techniques.retrieval.reading.text import decode_text

_SHOWN = ("Subject", "From", "To", "Cc", "Date")
MOST_MESSAGES = 100

# raised by Python 3.11's parser of structured headers for malformed ones, instead of keeping them as they are
_TRIPS = (AttributeError, IndexError, LookupError, TypeError, ValueError)


def read_eml(data: bytes) -> Extracted:
    """The message, and those forwarded inside it. Raises UserError when it is not a message or has no text."""
    message: EmailMessage = BytesParser(policy=policy.default).parsebytes(data)
    try:
        return _read(message)
    except _TRIPS as error:
        raise UserError("The e-mail message is damaged: its headers cannot be read.") from error


def _read(message: EmailMessage) -> Extracted:
    if not any(name in message for name in _SHOWN):
        raise UserError("The file is not an e-mail message: it has no sender, receiver, subject or date.")
    texts: list[str] = []
    waiting = [message]
    has_body = False
    while waiting and len(texts) < MOST_MESSAGES:
        current = waiting.pop(0)
        body = _body(current)
        has_body = has_body or bool(body.strip())
        attached = [part for part in current.walk() if part is not current and part.is_attachment()]
        lines = [f"{name}: {value}" for name in _SHOWN if (value := _header(current, name))]
        lines += [f"Attachment: {name}" for part in attached if (name := part.get_filename())]
        texts.append("\n".join(lines) + "\n\n" + body.strip())
        waiting += _forwarded(current)
    if not has_body:
        raise UserError("The message has no text.")
    subject = _header(message, "Subject")
    metadata = {"author": _header(message, "From"), "created": _header(message, "Date")}
    return Extracted(
        "\n\n".join(texts), title=subject, metadata={name: value for name, value in metadata.items() if value}
    )


def _header(message: EmailMessage, name: str) -> str:
    try:
        value = str(message.get(name, ""))
    except _TRIPS:
        value = next((raw for key, raw in message.raw_items() if key.lower() == name.lower()), "")
    return " ".join(str(value).split())


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or not payload.strip():
        return ""
    text = decode_text(payload, part.get_content_charset() or "")
    return html_text(text).text if part.get_content_type() == "text/html" else text


def _forwarded(message: EmailMessage) -> list[EmailMessage]:
    """The messages attached to this one, not those attached to them."""
    found: list[EmailMessage] = []
    waiting: list[object] = list(message.iter_parts()) if message.is_multipart() else []
    while waiting:
        part = waiting.pop(0)
        if not isinstance(part, EmailMessage):
            continue
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload(0)
            if isinstance(inner, EmailMessage):
                found.append(inner)
        elif part.is_multipart():
            waiting += part.iter_parts()
    return found
