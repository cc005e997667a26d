"""Translates a GBNF grammar into llguidance's form of Lark's notation.

llguidance's lexemes match the longest possible text, GBNF's parts any. So rules become lexemes only where that makes no
difference (``lexemes``); elsewhere each character is a lexeme, which takes much longer. A grammar without recursion is
one lexeme. Rules get numbers for names, since those of lexemes are in capitals.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from workbench.techniques.decoding.gbnf import CharacterClass, Choice, Part, Reference, Repetition, Text, read_gbnf
from workbench.techniques.decoding.lexemes import are_lexemes, plain_rules


def to_lark(text: str) -> str:
    """The llguidance grammar for the GBNF ``text``. Raises FormatProblem with the position."""
    rules = read_gbnf(text).rules
    plain = plain_rules(rules)
    apart = "root" not in plain and not are_lexemes(rules, plain)
    whole: Collection[str] = () if apart else plain
    names = {name: f"{'R' if name in whole else 'r'}{number}" for number, name in enumerate(rules)}
    lines = [f"{names[name]}: {_written(rule, names, apart)}" for name, rule in rules.items()]
    return "\n".join([f"start: {names['root']}", *lines])


def _written(part: Part, names: Mapping[str, str], apart: bool) -> str:
    """``apart``: each character is a lexeme."""
    match part:
        case Text(value):
            pieces = value if apart else [value]
            return f"({' '.join(json.dumps(one, ensure_ascii=False) for one in pieces)})" if value else '""'
        case CharacterClass(ranges, inverse):
            inner = "".join(rf"\x{{{ord(first):x}}}-\x{{{ord(last):x}}}" for first, last in ranges)
            return f"/[{'^' if inverse else ''}{inner}]/" if ranges else "/(?s:.)/"
        case Reference(name):
            return names[name]
        case Repetition(inner, least, most):
            if most == 0:
                return '""'
            return f"({_written(inner, names, apart)}){{{least},{'' if most is None else most}}}"
        case Choice(alternatives):
            sequences = (" ".join(_written(one, names, apart) for one in sequence) for sequence in alternatives)
            return "(" + " | ".join(sequence or '""' for sequence in sequences) + ")"
