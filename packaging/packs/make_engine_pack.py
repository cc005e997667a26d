"""Makes a signed pack of an engine from a wheel of llama-cpp-python that was built for this system.

python packaging/packs/make_engine_pack.py WHEEL --key release.packs.key --out FOLDER
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from keys import read_private  # noqa: E402
from make_pack import write_pack  # noqa: E402

from workbench.api.protocol import RequestContext  # noqa: E402
from workbench.subjects.machine.engine_store import EngineStore  # noqa: E402


def make_engine_pack(wheel: Path, private: bytes, out: Path) -> Path:
    """Write the pack of a wheel; returns its path. Raises UserError for a wheel that is no engine for this system."""
    with tempfile.TemporaryDirectory() as scratch:
        store = EngineStore(Path(scratch), dict)
        made = store.add_wheel(wheel, RequestContext())
        files = {file.name: store.place(made.name) / file.name for file in made.files}
        manifest = msgspec.structs.replace(made, name=f"engine-{made.name}-{made.platform}", source="")
        return write_pack(manifest, files, private, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    sys.stdout.write(f"{make_engine_pack(given.wheel, read_private(given.key), given.out)}\n")


if __name__ == "__main__":
    main()
