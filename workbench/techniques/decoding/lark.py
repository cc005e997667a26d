"""A grammar in GBNF written as one of llguidance, in its form of Lark's notation.

llguidance's lexemes take the longest text that they can, GBNF's parts take any. So rules are lexemes only where that
makes no difference (``lexemes``); elsewhere each character is one of its own, which takes much longer. A grammar
none of whose rules leads back to itself is one lexeme. Rules get numbers for names, since those of lexemes are
written in capitals.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from workbench.techniques.decoding.gbnf import (
    CharacterClass,
    Choice,
    Part,
    Reference,
    Repetition,
    Text,
    read_gbnf,
)
from workbench.techniques.decoding.lexemes import are_lexemes, plain_rules


def lark_of(text: str) -> str:
    """The grammar of llguidance that takes what the GBNF ``text`` takes. Raises FormatProblem with the place."""
    rules = read_gbnf(text).rules
    plain = plain_rules(rules)
    apart = "root" not in plain and not are_lexemes(rules, plain)
    whole: Collection[str] = () if apart else plain
    names = {name: f"{'R' if name in whole else 'r'}{number}" for number, name in enumerate(rules)}
    lines = [f"{names[name]}: {_written(rule, names, apart)}" for name, rule in rules.items()]
    return "\n".join([f"start: {names['root']}", *lines])


def _written(part: Part, names: Mapping[str, str], apart: bool) -> str:
    """``apart``: each character on its own."""
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
