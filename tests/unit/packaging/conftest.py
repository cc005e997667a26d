from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.unit.packaging.scripts import script
from workbench.base.paths import Home

keys = script("keys")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def release_key(home: Home) -> bytes:
    """A private key whose public one the home trusts for announcements of versions."""
    return _trusted(home, "release.updates")


@pytest.fixture
def packs_key(home: Home) -> bytes:
    """A private key whose public one the home trusts for runtime packs."""
    return _trusted(home, "release.packs")


def _trusted(home: Home, name: str) -> bytes:
    private: bytes
    private, public = keys.new_pair()
    home.trusted_keys.mkdir(exist_ok=True)
    (home.trusted_keys / f"{name}.pub").write_text(base64.b64encode(public).decode() + "\n")
    return private
