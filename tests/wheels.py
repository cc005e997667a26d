"""Small wheels for tests: made here, with the metadata and the record that the format asks for."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fake_hub import FakeHub


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    needs: Sequence[str] = (),
    *,
    files: Mapping[str, bytes] | None = None,
    tags: str = "py3-none-any",
    python: str = "",
    record: Mapping[str, str] | None = None,
) -> Path:
    """A wheel of a package with one module, or with ``files``. ``record`` replaces hashes, by file names."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    about = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n"
    about += "".join(f"Requires-Dist: {one}\n" for one in needs)
    about += f"Requires-Python: {python}\n" if python else ""
    module = f"{name.replace('-', '_')}/__init__.py"
    content = {
        **(files if files is not None else {module: f"__version__ = {version!r}\n".encode()}),
        f"{stem}.dist-info/METADATA": about.encode(),
        f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tags}\n".encode(),
    }
    rows = [f"{file},sha256={(record or {}).get(file, _digest(data))},{len(data)}" for file, data in content.items()]
    content[f"{stem}.dist-info/RECORD"] = ("\n".join([*rows, f"{stem}.dist-info/RECORD,,"]) + "\n").encode()
    path = folder / f"{stem}-{tags}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file, data in content.items():
            packed.writestr(file, data)
    return path


def serve_wheels(hub: FakeHub, *wheels: Path, under: str = "/simple") -> None:
    """Let a fake server be a package index of these wheels."""
    listed: dict[str, list[dict[str, object]]] = {}
    for path in wheels:
        content = path.read_bytes()
        hub.files[f"/files/{path.name}"] = content
        listed.setdefault(path.name.partition("-")[0].replace("_", "-"), []).append(
            {
                "filename": path.name,
                "url": f"/files/{path.name}",
                "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
                "size": len(content),
            }
        )
    for name, files in listed.items():
        hub.files[f"{under}/{name}/"] = json.dumps({"files": files}).encode()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
