"""A bill of materials (CycloneDX 1.6) and the licence texts of a private tree or a pack, and what must not be in it.

python packaging/sbom.py TREE       prints the components with their licences; fails for one under GPL or AGPL
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

FORBIDDEN = re.compile(r"\bA?GPL|GNU (?:Affero )?General Public", re.IGNORECASE)
ALLOWED = re.compile(r"LGPL|Lesser General Public|GPL[^;]*(?:exception|runtime library)", re.IGNORECASE)
TEXT = re.compile(r"licen[cs]e|copying|notice|authors", re.IGNORECASE)
DUAL = {
    "PySide6_Essentials": "LGPL-3.0-only",
    "shiboken6": "LGPL-3.0-only",
}
"""Packages under a choice of licences: the one that is chosen here."""

AUTHORS = {"sqlite-vec": "Alex Garcia"}
"""Where the metadata does not say whose it is."""

LIBGOMP = "GPL-3.0-or-later WITH GCC-exception-3.1"
OURS = (
    ("CPython", "PSF-2.0", "python"),
    ("llama.cpp", "MIT", "the engine, with ggml, in llama-cpp-python"),
    ("libgomp", LIBGOMP, "the OpenMP runtime of GCC, beside llama.cpp"),
)
TEXTS = Path(__file__).parent / "licences"
STANDARD = (  # texts of licences, for packages that bring none
    (re.compile(r"\bMIT\b"), (TEXTS / "MIT.txt",)),
    (re.compile(r"Apache"), (Path(__file__).parents[1] / "LICENSE",)),
    (re.compile(r"GCC-exception"), (TEXTS / "GCC-exception-3.1.txt", TEXTS / "GPL-3.0.txt")),
    (re.compile(r"LGPL-3\.0"), (TEXTS / "LGPL-3.0.txt", TEXTS / "GPL-3.0.txt")),
)


def components(site: Path) -> Iterator[dict[str, object]]:
    for info in sorted(site.glob("*.dist-info"), key=lambda path: path.name.lower()):
        headers = HeaderParser().parsestr((info / "METADATA").read_text("utf-8", "replace"))
        name, version = headers["Name"], headers["Version"]
        yield {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}",
            "licenses": [{"license": {"name": licence_of(headers, name)}}],
        }


def licence_of(headers: object, name: str) -> str:
    """The licence as the package's metadata says it: expression, classifiers, or the first line of the field."""
    if name in DUAL:
        return DUAL[name]
    get = headers.get  # type: ignore[attr-defined]
    if expression := get("License-Expression"):
        return str(expression)
    classifiers = [one for one in headers.get_all("Classifier", []) if one.startswith("License ::")]  # type: ignore[attr-defined]
    if classifiers:
        return "; ".join(one.rpartition(":: ")[2] for one in classifiers)
    lines = [line for line in (get("License") or "").strip().splitlines() if line.strip()]
    return lines[0].strip() if lines else "not stated"


def forbidden(found: list[dict[str, object]]) -> list[str]:
    """The components under GPL or AGPL without an exception."""
    wrong = []
    for one in found:
        licence = one["licenses"][0]["license"]["name"]  # type: ignore[index]
        alternatives = re.split(r"\bOR\b|;", licence)
        if all(FORBIDDEN.search(part) and not ALLOWED.search(part) for part in alternatives):
            wrong.append(f"{one['name']}: {licence}")
    return wrong


def copy_texts(site: Path, out: Path) -> None:
    """The licence files of each package, in a folder of its name; the standard text for one that brings none. Raises
    SystemExit for a package without either."""
    for info in site.glob("*.dist-info"):
        texts = [
            file
            for file in info.rglob("*")
            if file.is_file() and (TEXT.search(file.name) or "licenses" in file.relative_to(info).parts)
        ]
        for file in texts:
            to = out / info.name.removesuffix(".dist-info") / file.relative_to(info)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, to)
        if not texts:
            headers = HeaderParser().parsestr((info / "METADATA").read_text("utf-8", "replace"))
            name, author = headers["Name"], headers["Author"] or headers["Author-email"] or "its authors"
            author = AUTHORS.get(name, author)
            write_standard(out / info.name.removesuffix(".dist-info"), name, licence_of(headers, name), author)


def write_standard(out: Path, name: str, licence: str, author: str) -> None:
    """Raises SystemExit for a licence whose text is not here."""
    found = next((texts for pattern, texts in STANDARD if pattern.search(licence)), None)
    if found is None:
        raise SystemExit(f"{name} is under {licence} and brings no text of it: put one into {TEXTS} and sbom.STANDARD.")
    out.mkdir(parents=True, exist_ok=True)
    head = f"{name}\nCopyright: {author}\nLicence: {licence}\n\n"
    (out / "LICENCE.txt").write_text(head + "\n\n".join(text.read_text("utf-8") for text in found), "utf-8")


def copy_own(tree: Path, out: Path) -> None:
    """Copy the licence texts of what no package of the tree brings: CPython, llama.cpp and OpenMP."""
    python = next((path for path in (tree / "python").rglob("LICENSE.txt") if "-packages" not in str(path)), None)
    if python is None:
        raise SystemExit(f"{tree / 'python'} has no LICENSE.txt of Python.")
    for name, source in (("CPython", python), ("llama.cpp", TEXTS / "llama.cpp.txt")):
        (out / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, out / name / "LICENSE.txt")
    write_standard(out / "libgomp", "libgomp", LIBGOMP, "Free Software Foundation")


def write_sbom(tree: Path, site: Path, version: str) -> None:
    """Write ``sbom.json`` and ``licences/`` of a tree. Raises SystemExit for what must not be shipped."""
    own = [
        {
            "type": "library",
            "name": name,
            "version": "",
            "description": what,
            "licenses": [{"license": {"name": licence}}],
        }
        for name, licence, what in OURS
    ]
    _write_bill(tree, [*components(site), *own], {"type": "application", "name": "llm-workbench", "version": version})
    copy_texts(site, tree / "licences")
    copy_own(tree, tree / "licences")


def write_pack_bill(folder: Path, version: str) -> None:
    """Write those of the packages that lie in ``folder``. Raises SystemExit for what must not be shipped."""
    whole = {"type": "library", "name": "llm-workbench-training", "version": version}
    _write_bill(folder, list(components(folder)), whole)
    copy_texts(folder, folder / "licences")


def _write_bill(folder: Path, found: list[dict[str, object]], whole: dict[str, str]) -> None:
    if wrong := forbidden(found):
        raise SystemExit("These may not be shipped:\n" + "\n".join(wrong))
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": whole},
        "components": found,
    }
    (folder / "sbom.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def main() -> int:
    tree = Path(sys.argv[1])
    found = json.loads((tree / "sbom.json").read_text("utf-8"))["components"]
    for one in found:
        sys.stdout.write(f"{one['name']} {one['version']}: {one['licenses'][0]['license']['name']}\n")
    wrong = forbidden(found)
    sys.stdout.write("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
