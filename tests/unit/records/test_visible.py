"""What cannot be seen in a text or a file name is named."""

from __future__ import annotations

import pytest

from workbench.records.visible import visible, visible_name, visible_path


def test_what_cannot_be_seen_is_named() -> None:
    assert visible("rm\u202eexe.txt\x1b[2J\nnext\tline") == "rm⟨U+202E⟩exe.txt⟨U+001B⟩[2J\nnext\tline"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/docs/invoice\u202efdp.exe", "invoice⟨U+202E⟩fdp.exe"),
        ("/docs/a\x1b[31mred\nline.txt", "a⟨U+001B⟩[31mred⟨U+000A⟩line.txt"),
        ("/docs/می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        ("/docs/👨\u200d👩.txt", "👨\u200d👩.txt"),
        ("/docs/zero\u200bwidth.txt", "zero⟨U+200B⟩width.txt"),
        ("/docs/", "docs"),
        ("", ""),
    ],
)
def test_a_file_name_is_shown_on_one_line_as_it_is(path: str, shown: str) -> None:
    assert visible_name(path) == shown
    assert visible_path(path).endswith(shown + ("/" if path.endswith("/") else ""))
