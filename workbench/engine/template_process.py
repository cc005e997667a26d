"""The process in which chat templates are rendered: code from strangers, in a sandbox, under limits.

It reads one JSON object a line from stdin and answers each with one line: ``{"text": ...}`` or ``{"error": ...}``.
It ends itself when a request takes too long, and cannot take more memory than it was given: the caller finds the
pipe closed and starts another one. The environment is that of transformers' ``apply_chat_template``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

OUT_OF_TIME = 3
OUT_OF_MEMORY = 4
LARGEST_OUTPUT = 8 << 20


class GenerationTag(Extension):
    """``{% generation %}`` marks the assistant's text for training; for rendering it is its contents."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def make_environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = time.strftime
    return environment


def answer(environment: ImmutableSandboxedEnvironment, compiled: dict[str, jinja2.Template], line: bytes) -> bytes:
    """The answer to one request: ``template`` and its ``variables``."""
    try:
        request = json.loads(line)
        template = compiled.get(request["template"])
        if template is None:
            template = compiled[request["template"]] = environment.from_string(request["template"])
        text = template.render(request["variables"])
        if len(text) > LARGEST_OUTPUT:
            return _encode({"error": f"it writes {len(text):,} characters"})
        return _encode({"text": text})
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except RecursionError:
        return _encode({"error": "it calls itself without end"})
    except Exception as error:  # noqa: BLE001 - a template can raise anything; all of it is the template's answer
        return _encode({"error": f"{error}"[:2000] or type(error).__name__})


def main() -> None:
    seconds, memory_bytes = float(sys.argv[1]), int(sys.argv[2])
    _limit_memory(memory_bytes)
    environment = make_environment()
    compiled: dict[str, jinja2.Template] = {}
    for line in sys.stdin.buffer:
        watchdog = threading.Timer(seconds, os._exit, (OUT_OF_TIME,))
        watchdog.daemon = True
        watchdog.start()
        reply = answer(environment, compiled, line)
        watchdog.cancel()
        sys.stdout.buffer.write(reply)
        sys.stdout.buffer.flush()


def _limit_memory(count: int) -> None:
    """Where the system supports it. Elsewhere the parent watches this process's memory."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (count, count))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _encode(reply: dict[str, str]) -> bytes:
    return json.dumps(reply).encode() + b"\n"


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Plain JSON: jinja's own filter escapes it for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


if __name__ == "__main__":
    main()
