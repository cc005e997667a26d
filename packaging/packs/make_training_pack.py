"""Makes a pack of the training environment, for installers, which come without it.

    TREE/python/bin/python3 packaging/packs/make_training_pack.py --from WHEELS --key release.packs.key --out FOLDER
        [--computer cpu|cuda] [--minimum-driver 580.65]

It is run by the Python of the tree that the pack is for: the wheels of the folder WHEELS are chosen beside the packages
of that tree, unpacked, and tried. Make the folder with ``pip download --no-deps --require-hashes --only-binary :all: -r
packaging/locks/training-PLATFORM.txt -d WHEELS``. The pack has a bill of materials and the licence texts.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from keys import read_private  # noqa: E402
from make_pack import described, write_pack  # noqa: E402
from packaging.requirements import Requirement  # noqa: E402
from pruning import prune_training  # noqa: E402
from sbom import write_pack_bill  # noqa: E402

from workbench import __version__  # noqa: E402
from workbench.api.protocol import RequestContext  # noqa: E402
from workbench.base.paths import Home  # noqa: E402
from workbench.base.training_environment import DESCRIPTION, REQUIREMENTS, STORED, Computer, TrainingFolder  # noqa: E402
from workbench.records.runtime import MANIFEST, PackManifest  # noqa: E402
from workbench.subjects.machine.packs import this_platform  # noqa: E402
from workbench.subjects.machine.training_folder import (  # noqa: E402
    Trial,
    install_wheels,
    pack_base,
    try_packages,
)
from workbench.subjects.machine.wheel_resolution import installed_packages, resolve  # noqa: E402
from workbench.subjects.machine.wheel_sources import FolderSource  # noqa: E402

NAMES = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")
"""What a pack may hold; a few packages bring data with other names, which nothing here reads."""
LEFT_OUT = re.compile(r"/(tests?|testing/data)/.*\.(csv|json|npz|txt)$")


def make_training_pack(
    wheels: Path,
    private: bytes,
    out: Path,
    *,
    computer: Computer = "cpu",
    minimum_driver: str = "",
    wanted: Mapping[str, str] = REQUIREMENTS,
    installed: Mapping[str, str] | None = None,
    trial: Trial = try_packages,
) -> Path:
    """Write the pack; returns its path. One file is in memory at a time. Raises UserError as a set-up does."""
    context = RequestContext()
    own = installed_packages() if installed is None else installed
    choices = resolve([Requirement(one) for one in wanted.values()], FolderSource(wheels), own, context)
    with tempfile.TemporaryDirectory() as work:
        home = Home(Path(work))
        placed = [(choice, wheels / choice.wheel.file) for choice in choices]
        made = install_wheels(home, placed, computer, "a pack", context, lambda stage, done, total: None, trial)
        return _write(home.training, made, private, out, minimum_driver)


def _write(folder: Path, made: TrainingFolder, private: bytes, out: Path, minimum_driver: str) -> Path:
    prune_training(folder)
    write_pack_bill(folder, __version__)
    (folder / DESCRIPTION).unlink()
    left = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    STORED.save(folder / DESCRIPTION, msgspec.structs.replace(made, bytes=left))
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    files = {name: path for name, path in found.items() if NAMES.fullmatch(name) and not LEFT_OUT.search(name)}
    return write_pack(_manifest(files, made, minimum_driver), files, private, out)


def _manifest(files: Mapping[str, Path], made: TrainingFolder, minimum_driver: str) -> PackManifest:
    return MANIFEST.get(
        {
            "name": f"training-{made.computer}-{__version__}-{this_platform()}".lower(),
            "backend": "training",
            "base": pack_base(),
            "platform": this_platform(),
            "library": DESCRIPTION,
            "files": described(files),
            "minimum_driver": minimum_driver,
            "licences": [f"{name} {version}" for name, version in made.packages.items()],
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--from", dest="wheels", type=Path, required=True, metavar="WHEELS")
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--computer", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--minimum-driver", default="")
    given = parser.parse_args()
    path = make_training_pack(
        given.wheels,
        read_private(given.key),
        given.out,
        computer=given.computer,
        minimum_driver=given.minimum_driver,
    )
    sys.stdout.write(f"{path}: {path.stat().st_size / 1e6:,.0f} MB\n")


if __name__ == "__main__":
    main()
