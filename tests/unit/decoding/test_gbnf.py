"""GBNF means here what it means to llama.cpp, which is asked."""

from __future__ import annotations

import ctypes
import random

import pytest

from workbench.engine.library import llama
from workbench.engine.vocabulary import Vocabulary
from workbench.techniques.decoding.formats import check_format
from workbench.techniques.decoding.gbnf import FormatProblem, read_gbnf
from workbench.techniques.decoding.lexemes import to_lark

JSON = r"""root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
"""


def takes(grammar: str, text: str) -> bool:
    assert check_format("gbnf", grammar, None).problem == ""
    return check_format("gbnf", grammar, text).text_problem == ""


def llama_takes(grammar: str, text: str, vocabulary: Vocabulary) -> bool:
    sampler = llama.llama_sampler_init_grammar(vocabulary.pointer, grammar.encode(), b"root")
    assert sampler
    try:
        for token in [*vocabulary.tokenize(text, special=False), vocabulary.eos]:
            candidates = (llama.llama_token_data * 1)(llama.llama_token_data(token, 1.0, 0.0))
            array = llama.llama_token_data_array(candidates, 1, -1, False)
            llama.llama_sampler_apply(sampler, ctypes.byref(array))
            if candidates[0].logit == -float("inf"):
                return False
            if token != vocabulary.eos:
                llama.llama_sampler_accept(sampler, token)
        return True
    finally:
        llama.llama_sampler_free(sampler)


@pytest.mark.parametrize(
    ("grammar", "texts"),
    [
        ("root ::= .", ["\n", "a", "é", "ab"]),
        (r'root ::= "\x41" "\u00e9" "\U0001F600"', ["Aé😀", "Aé"]),
        (r"root ::= [\u00e0-\u00ef]", ["é", "a"]),
        ("root ::= [a&&b]+", ["a&b", "a", "&", "c"]),
        ("root ::= [+--]+", ["+,-", "-", "."]),
        ("root ::= [a~~b]+", ["~", "ab"]),
        (r'root ::= "\["', ["["]),
        (r"root ::= [^\]]+", ["a[", "]"]),
        ('root ::= "a\nb"', ["a\nb"]),
        ('root ::= start\nstart ::= "a"', ["a"]),
        ('root ::= fooBar foo-bar\nfooBar ::= "a"\nfoo-bar ::= "b"', ["ab", "aa"]),
        ('root ::= ws WS\nws ::= " "\nWS ::= "x" root?', [" x", " x x"]),
        ('root ::= 1a{2}\n1a ::= "x"', ["xx", "x"]),
        ('root ::= "a"{0} "b"{1,2} "c"{2,}', ["bcc", "bbccc", "abcc", "bc"]),
        ('root ::= "a"?? |', ["a", "", "aa"]),
        # a part may end wherever it can: it need not be as long as it can be
        ('root ::= item "b"\nitem ::= [a-z]+', ["aab", "aba"]),
        ('root ::= item "b" root?\nitem ::= [a-z]+', ["aab", "abab", "aba"]),
        ('root ::= ("a" "bc" | "ab" "d") root?', ["abc", "abd", "abdabc", "ab"]),
        ('root ::= ws ws "x" root?\nws ::= " "*', [" x  x", "x ", "xx"]),
        (JSON, ['{"a": [1.5, "é\\n", {"b": null}]}', '{"a": 01}', '{"a" :1}', '{"a":1,}', "[]"]),
    ],
)
def test_it_means_what_llama_takes_it_for(grammar: str, texts: list[str], vocabulary: Vocabulary) -> None:
    assert [takes(grammar, text) for text in texts] == [llama_takes(grammar, text, vocabulary) for text in texts]


def test_random_grammars_mean_the_same(vocabulary: Vocabulary) -> None:
    source = random.Random(5)
    kinds = set()

    def part(names: list[str], depth: int) -> str:
        if depth < 2 and source.random() < 0.2:
            made = f"({choice(names, depth + 1)})"
        else:
            made = source.choice(['"a"', '"ab"', '"b c"', "[ab]", "[^a]", "[b ]", *names])
        return made + source.choice(["", "", "", "*", "?", "+", "{1,2}"])

    def choice(names: list[str], depth: int = 0) -> str:
        sequences = [" ".join(part(names, depth) for _ in range(source.randint(1, 3))) for _ in range(2)]
        return " | ".join(sequences)

    for _ in range(40):
        grammar = f"root ::= {choice(['x', 'y'])}\nx ::= {choice(['y'])}\ny ::= {choice(['[c]'])}"
        if source.random() < 0.7:
            grammar = grammar.replace("\nx ::= ", '\nx ::= "<" x ">" | ')
        kinds.add(tuple(f"\n{letter}" in to_lark(grammar) for letter in "Rr"))
        for _ in range(8):
            text = "".join(source.choice("ab c<>") for _ in range(source.randint(0, 6)))
            assert takes(grammar, text) is llama_takes(grammar, text, vocabulary), (grammar, text)
    assert len(kinds) == 3  # one lexeme, some, none


def test_a_grammar_of_json_is_followed_by_lexemes() -> None:
    """Character by character it would take a hundred times as long."""
    written = to_lark(JSON)
    assert written.count("\nR") == 3  # strings, numbers, white space
    assert '("true")' in written


@pytest.mark.parametrize(
    ("grammar", "named", "line"),
    [
        ('root ::= "a"\nb := "c"', '"::=" is expected (column 3)', 2),
        ('root ::= "a" b\nc ::= "c"', 'no rule "b" (column 14)', 1),
        ('root ::= "a"\nroot ::= "b"', '"root" is defined twice', 2),
        ('root ::= "a" x\nx ::= "(" x ")"', "never comes to an end", 1),
        ('root ::= "a', "ends unexpectedly", 1),
        ("root ::= [z-a]", "ends before it begins (column 11)", 1),
        ("root ::= []", "class is empty", 1),
        ("root ::= [^]", "class is empty", 1),
        (r'root ::= "\d"', r'"\d" is not a character', 1),
        (r'root ::= "\ud800"', "not a character", 1),
        ('root ::= "a"{3,2}', "minimum of 3", 1),
        ('root ::= "a"{,2}', "number is expected", 1),
        ("root ::= <think>", "Token references", 1),
        ('root ::= "a"\n  | "b"', "rule name is expected (column 3)", 2),
        ("root ::= " + "(" * 300 + '"a"' + ")" * 300, "nested too deeply", 1),
    ],
)
def test_what_is_wrong_is_said_with_its_place(grammar: str, named: str, line: int) -> None:
    with pytest.raises(FormatProblem) as caught:
        read_gbnf(grammar)
    assert named in caught.value.message
    assert caught.value.line == line


def test_long_chains_and_huge_repetitions_are_read() -> None:
    chain = "\n".join(["root ::= r0 root?", *(f"r{n} ::= r{n + 1}" for n in range(1500)), 'r1500 ::= "a"'])
    assert "start" in to_lark(chain)
    assert takes('root ::= ("a"{90000} | "b") root?', "bb")
