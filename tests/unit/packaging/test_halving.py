"""The starter model for embeddings in an installer: half as large, the same model."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy

from tests.unit.packaging.scripts import script

halving = script("halving")


def test_weights_become_float16_and_the_rest_stays() -> None:
    tensors = {
        "b": np.linspace(-3, 3, 35, dtype=np.float32).reshape(5, 7),
        "a": np.arange(3, dtype=np.int64),
        "c": np.array([1e-9, 65_504], dtype=np.float32),
    }
    halved = safetensors.numpy.load(halving.halve(safetensors.numpy.save(tensors, {"format": "pt"})))
    assert {name: (value.dtype, value.shape) for name, value in halved.items()} == {
        "a": (np.int64, (3,)),
        "b": (np.float16, (5, 7)),
        "c": (np.float16, (2,)),
    }
    for name, value in tensors.items():
        np.testing.assert_allclose(halved[name], value, rtol=2**-11, atol=2**-25)


def test_it_says_that_it_was_changed(tmp_path: Path) -> None:
    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("config.json", "{}")
        packed.writestr("model.safetensors", safetensors.numpy.save({"w": np.ones(4, np.float32)}, {"format": "pt"}))
    halving.halve_archive(archive)
    assert [path.name for path in tmp_path.iterdir()] == ["model.zip"]
    with zipfile.ZipFile(archive) as packed:
        assert packed.read("config.json") == b"{}"
        (tmp_path / "w").write_bytes(packed.read("model.safetensors"))
    with safetensors.safe_open(tmp_path / "w", "np") as opened:
        assert opened.metadata() == {"format": "pt", "changed": halving.CHANGED}
        assert opened.get_tensor("w").dtype == np.float16


def test_a_number_that_float16_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="w holds a number that is too large"):
        halving.halve(safetensors.numpy.save({"w": np.array([70_000], np.float32)}))
