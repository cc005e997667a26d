"""The texts of code are followed from where they are shown back to where they are written."""

from __future__ import annotations

import textwrap

import pytest

from tests.unit.packaging.scripts import ROOT, script

flows = script("text_flow")


def texts_of(*files: str) -> set[str]:
    """The texts of files of code, which may import each other as ``a``, ``b``, …"""
    code = flows.Code(ROOT, ())
    for letter, text in zip("abc", files, strict=False):
        code.add(f"{letter}.py", textwrap.dedent(text))
    return {text for text, _ in flows.Flow(code, ("UserError",), {"Row": {0: "title", "title": "title"}}).found}


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ('UserError(f"{path} is gone.", "Choose another.")', {"{path} is gone.", "Choose another."}),
        ('UserError(hint="Choose another.", message="It is gone.")', {"It is gone.", "Choose another."}),
        ('Row("Fast", "an id")', {"Fast"}),
        ('msgspec.structs.replace(row, title="Fast", name="an id")', {"Fast"}),
        ('words = "It is " + ("on." if on else "off.")\nUserError(words)', {"It is ", "on.", "off."}),
        ('_WHY = {"a": "It is small."}\ndef f(kind):\n    UserError(_WHY[kind])', {"It is small."}),
        ('def f():\n    parts = ["One."]\n    parts.append("Two.")\n    UserError(" ".join(parts))', {"One.", "Two."}),
        ('def f(n):\n    UserError("{n} {k}".format(n=n, k="it" if n else "all"))', {"{n} {k}", "it", "all"}),
        ('def refuse(path, why):\n    raise UserError(why)\nrefuse("p", "It is empty.")', {"It is empty."}),
        ('def refuse(why="It is empty."):\n    raise UserError(why)', {"It is empty."}),
        ('def why(n):\n    return "One." if n else ""\nUserError(why(1))', {"One.", ""}),
        ('def both():\n    return "a key", "It is empty."\n_, words = both()\nUserError(words)', {"It is empty."}),
        ('def quoted(text):\n    return f"<{text}>"\nUserError(quoted("It."))\nquoted("else")', {"<{text}>", "It."}),
        ('class Odd(ValueError): ...\nraise Odd("it is odd")', {"it is odd"}),
        ('SIZE: Shown = "Large"\nOTHER = "a key"', {"Large"}),
        ('def f(notes: list[Shown]):\n    notes.append("A note.")', {"A note."}),
        ('def f() -> tuple[Shown, ...]:\n    return ("One.", "Two.")', {"One.", "Two."}),
        ('class A:\n    title: Shown\n    name: str\nA("Fast", "id")', {"Fast"}),
        ('class A:\n    def g(self):\n        self.a = "It."\n    def f(self):\n        UserError(self.a)', {"It."}),
        ('find("a key").strip("x")', set()),
    ],
)  # fmt: skip
def test_a_text_is_followed_to_where_it_is_written(code: str, texts: set[str]) -> None:
    assert texts_of(code) == texts


def test_a_text_is_followed_through_modules() -> None:
    helper = """
    WHY = "It is empty."
    def refuse(path, why):
        raise UserError(f"{path}: {why}", HINT)
    HINT = "Choose another."
    """
    user = """
    from a import refuse, WHY
    import a
    refuse(1, WHY)
    a.refuse(2, why="It is locked.")
    """
    assert texts_of(helper, user) == {"{path}: {why}", "Choose another.", "It is empty.", "It is locked."}


def test_an_error_whose_words_are_nowhere_is_told() -> None:
    code = flows.Code(ROOT, ())
    code.add("a.py", "raise UserError(library.words)")
    assert flows.Flow(code, ("UserError",), {}).unknown == [("a.py", 1, "library.words")]
