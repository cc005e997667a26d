"""What other machines are told."""

from __future__ import annotations

import pytest

from workbench.subjects.serving.network_server import without_folders


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/home/ada/My Papers/pump.txt is empty.", "pump.txt is empty."),
        ("There is no file or folder /home/ada/models/x.", "There is no file or folder x."),
        (r"C:\Users\ada b\models\x.gguf is damaged.", "x.gguf is damaged."),
        (r"\\server\share\plan.pdf has changed.", "plan.pdf has changed."),
        ("The picture of “/home/ada/x.pdf, page 1” (10 x 20)", "The picture of “x.pdf, page 1” (10 x 20)"),
        ("~/models/a.gguf and /srv/b.gguf differ: '/x/y.z'.", "a.gguf and b.gguf differ: 'y.z'."),
        ("[Errno 2] No such file: '/home/ada/.cache/x y/z'", "[Errno 2] No such file: 'z'"),
        ("It reads/writes 3 / 4 of https://api.example.com/v1/models.", None),
    ],
)
def test_files_are_named_to_other_machines_without_their_folders(text: str, told: str | None) -> None:
    assert without_folders(text) == (text if told is None else told)
