"""A short form of benchmarks/chaos.py: processes are killed in the middle of work, and nothing acknowledged is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
@pytest.mark.nightly
def test_nothing_acknowledged_is_lost_when_processes_are_killed(
    tmp_path: Path, smollm_file: Path, minilm_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "chaos.py", "--rounds", "4", "--home", tmp_path / "home"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "violations: 0" in done.stdout
    for victim in ("inference", "embedding", "core", "client"):
        assert f"killed {victim} " in done.stdout
