from __future__ import annotations

from pathlib import Path

import pytest

from workbench.gguf.names import clean_name, file_safe, name_of, unique_name


@pytest.mark.parametrize(
    ("path", "given", "name"),
    [
        ("m/qwen3-0.6b-q4_k_m.gguf", "Qwen3 0.6B", "Qwen3 0.6B"),
        ("m/qwen3-0.6b-q4_k_m.gguf", "", "qwen3-0.6b-q4_k_m"),
        ("m/qwen3-00001-of-00003.gguf", "model", "qwen3"),
        ("m/a.gguf", "/home/someone/models/Nice-1B/", "Nice-1B"),
        ("m/a.gguf", "a3b1c5d7e9f01234", "a"),
        ("hub/models--org--tiny/snapshots/0123456789abcdef0123456789abcdef01234567", "", "tiny"),
        ("m/a.gguf", "two\nlines\x00", "two lines"),
    ],
)
def test_name_says_something(path: str, given: str, name: str) -> None:
    assert name_of(Path(path), given) == name


def test_names_are_unique_whatever_the_case() -> None:
    assert unique_name("Tiny", ["other"]) == "Tiny"
    assert unique_name("Tiny", ["tiny"], "Q8_0") == "Tiny Q8_0"
    assert unique_name("Tiny", ["tiny", "tiny q8_0"], "Q8_0") == "Tiny 2"
    assert unique_name("Tiny", ["tiny", "TINY 2"]) == "Tiny 3"


def test_names_fit_on_one_short_line() -> None:
    assert clean_name(" a \t b\r\n" + "x" * 200) == ("a b " + "x" * 200)[:80]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("SmolLM2 135M Q4_1", "smollm2-135m-q4-1"),
        ("../../etc/passwd", "etc-passwd"),
        ("模型", "model"),
        ("con", "model-con"),
        ("Émile", "emile"),
        ("a" * 60, "a" * 60),
        (
            "SmolLM2 135M Instruct " + "x" * 60 + " facts merged",
            f"smollm2-135m-instruct-{'x' * 17}-{'x' * 7}-facts-merged",
        ),
    ],
)
def test_folder_names_are_safe(name: str, folder: str) -> None:
    assert file_safe(name) == folder
