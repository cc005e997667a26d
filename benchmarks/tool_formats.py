"""The formats of tool calls of real chat templates: found, and read back as they were written.

    python benchmarks/tool_formats.py FOLDER

FOLDER holds ``*.jinja``: the 70 templates of llama.cpp's repository, for example, which are in the source distribution
of llama-cpp-python (``pip download --no-binary llama-cpp-python --no-deps llama-cpp-python``, then
vendor/llama.cpp/models/templates). They are rendered in the program's template process. For each native format, calls
with hard texts (quotes, line breaks, Chinese, marks of the template) are rendered and parsed again.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import arguments

from workbench.engine.prompt import PromptWriter, TemplateOptions
from workbench.engine.template import TemplateRenderer
from workbench.records.messages import Message, ToolCallPart, ToolResultPart

CONTROL = re.compile(r"<\|[^<>|\s]{1,40}\|>|<｜[^<>｜\s]{1,40}｜>|</?(?:s|think|tool_call)>|\[/?[A-Z_]{3,20}\]")
HARD = ('He said "no"\n\tand \\left', "北京 är schön", "<tool_call> [TOOL_CALLS] <|im_end|> </think>",
        "</parameter> </function> </invoke> </arg_value>", "  around  ", "")  # fmt: skip
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "description": "c"},
        "on": {"type": "boolean", "description": "o"},
        "text": {"type": "string", "description": "t"},
        "words": {"type": "array", "items": {"type": "string"}, "description": "w"},
    },
    "required": ["text"],
}
TOOLS = tuple({"type": "function", "function": {"name": name, "description": "Finds.", "parameters": SCHEMA}}
              for name in ("find", "find_all"))  # fmt: skip


class Characters:
    """A vocabulary of characters, and of what looks like the name of a control token."""

    bos, eos, adds_bos = -1, -1, False

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        tokens, at = list[int](), 0
        for found in CONTROL.finditer(text) if special else ():
            tokens += [ord(one) for one in text[at : found.start()]]
            tokens.append(self._ids.setdefault(found.group(), -2 - len(self._ids)))
            at = found.end()
        return [*tokens, *(ord(one) for one in text[at:])]

    def piece(self, token: int, *, special: bool = False) -> bytes:
        if token >= 0:
            return chr(token).encode()
        return next(name for name, one in self._ids.items() if one == token).encode() if token < -1 else b""

    def text(self, tokens: Sequence[int], *, special: bool = False) -> str:
        return b"".join(self.piece(token) for token in tokens).decode()

    def specials_of(self, tokens: Sequence[int]) -> list[int]:
        return [token for token in tokens if token < 0]


def check(writer: PromptWriter) -> tuple[int, int]:
    """How many calls were read as they were written, and how many there were."""
    right, written = 0, 0
    for hard in HARD:
        several = [
            ("find", {"count": -3, "on": True, "text": hard, "words": ["a", hard]}),
            ("find_all", {"text": f"{hard} x"}),
            ("find", {"text": hard}),
        ]
        for calls in [[one] for one in several] + ([several] if writer.tool_format.parallel else []):
            parts = [ToolCallPart(name, json.dumps(given), f"{n}") for n, (name, given) in enumerate(calls)]
            results = [Message.of_parts("tool", (ToolResultPart("RESULT", name=p.name, call=p.id),)) for p in parts]
            messages = [Message("user", "ASKED"), Message.of_parts("assistant", parts), *results]
            tokens = writer.write(messages, options=TemplateOptions(tools=TOOLS)).tokens
            text = Characters.text(writer._vocabulary, tokens)  # type: ignore[arg-type]
            turn = text[text.rindex("ASKED") :]
            read = writer.tool_format.parse(turn.partition("RESULT")[0], {"find": SCHEMA, "find_all": SCHEMA})
            right += [(one.name, one.arguments) for one in read] == calls
            written += 1
    return right, written


def main() -> None:
    parser = arguments(__doc__, show=False)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    renderer = TemplateRenderer()
    found, crashes, same, all_, seconds = Counter[str](), 0, 0, 0, 0.0
    for path in sorted(given.folder.glob("*.jinja")):
        writer = PromptWriter(path.read_text("utf-8"), Characters(), renderer)
        began = time.perf_counter()
        try:
            form = writer.tool_format
        except Exception as error:  # noqa: BLE001 - a crash is what is counted
            crashes += 1
            print(f"{path.stem:48} CRASH {error!r}")
            continue
        seconds += time.perf_counter() - began
        found[form.style] += 1
        told = f"{path.stem:48} {form.style:6} {form.takes}"
        if form.native:
            right, written = check(writer)
            same, all_ = same + right, all_ + written
            told += f"  read back {right}/{written}"
        print(told)
        if given.show and form.native:
            print(f"    {form}")
    native = found["json"] + found["tagged"]
    print(f"{native} of {found.total() + crashes} native ({found['json']} json, {found['tagged']} tagged), "
          f"{found['none']} fall back, {crashes} crashes; {same} of {all_} prompts read back as they were written; "
          f"{seconds / max(1, found.total()) * 1000:.0f} ms to find one")  # fmt: skip
    renderer.close()


if __name__ == "__main__":
    main()
