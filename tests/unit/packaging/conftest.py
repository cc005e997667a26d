from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.unit.packaging.scripts import script
from workbench.paths import Home

keys = script("keys")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def release_key(home: Home) -> bytes:
    """A private key whose public one the home trusts."""
    private, public = keys.new_pair()
    home.trusted_keys.mkdir()
    (home.trusted_keys / "release.pub").write_text(base64.b64encode(public).decode() + "\n")
    return private
