"""Constraints on the starter model's vocabulary, with random logits: whatever the model wants, the form holds."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest

from workbench.base.errors import UserError
from workbench.engine.vocabulary import Vocabulary
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.constraints import ConstraintTokenizer, make_constraint
from workbench.techniques.decoding.formats import check_format
from workbench.techniques.decoding.sampling import Sampler

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "mood": {"enum": ["glad", "sad"]},
        "marks": {"type": "array", "items": {"type": "number"}, "minItems": 2},
        "kin": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string", "minLength": 3}, "age": {"type": "integer"}},
                "required": ["name", "age"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["name", "mood", "marks", "kin"],
    "additionalProperties": False,
}


def held(format: str, grammar: object = "", **settings: object) -> DecodingPart:
    written = grammar if isinstance(grammar, str) else json.dumps(grammar)
    defaults: dict[str, object] = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 1, "max_tokens": 120}
    return DecodingPart(format=format, grammar=written, **(defaults | settings))  # type: ignore[arg-type]


def write(decoding: DecodingPart, vocabulary: Vocabulary, wishes: np.ndarray | None = None) -> tuple[str, int, bool]:
    """Text, number of tokens, and whether it ended because the constraint was complete."""
    sampler = Sampler(decoding, vocabulary, constraint=make_constraint(decoding, vocabulary))
    draw = np.random.default_rng(decoding.seed)
    tokens: list[int] = []
    while len(tokens) < decoding.max_tokens and not sampler.ended:
        logits = draw.normal(0, 3, vocabulary.size).astype(np.float32)
        if wishes is not None:
            logits += wishes
        token, _ = sampler.choose(None, 0, logits)
        if vocabulary.ends_generation(token):
            break
        tokens.append(token)
    return vocabulary.text(tokens), len(tokens), sampler.ended


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("most", [45, 120])
def test_json_holds_to_its_schema_whatever_the_model_wants(seed: int, most: int, vocabulary: Vocabulary) -> None:
    text, count, ended = write(held("json_schema", SCHEMA, seed=seed, max_tokens=most), vocabulary)
    jsonschema.validate(json.loads(text), SCHEMA)
    assert ended
    assert count <= most


def test_a_model_that_would_never_stop_is_brought_to_an_end(vocabulary: Vocabulary) -> None:
    wishes = np.zeros(vocabulary.size, np.float32)
    for token in range(vocabulary.size):
        if b'"' in vocabulary.piece(token):
            wishes[token] = -60  # a string is not closed willingly
    decoding = held("json_schema", SCHEMA, temperature=0.0, max_tokens=90)
    text, count, ended = write(decoding, vocabulary, wishes)
    jsonschema.validate(json.loads(text), SCHEMA)
    assert ended
    assert 80 < count <= 90


def test_numbers_do_not_run_away(vocabulary: Vocabulary) -> None:
    wishes = np.zeros(vocabulary.size, np.float32)
    for digit in "0123456789":
        wishes[vocabulary.tokenize(digit, special=False)] = 60
    schema = {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 1}
    text, count, ended = write(held("json_schema", schema, temperature=0.0, max_tokens=500), vocabulary, wishes)
    (number,) = json.loads(text)
    assert isinstance(number, int | float)
    assert ended
    assert count < 60


def test_white_space_does_not_run_away(vocabulary: Vocabulary) -> None:
    wishes = np.zeros(vocabulary.size, np.float32)
    for token in range(vocabulary.size):
        piece = vocabulary.piece(token)
        if piece and not piece.strip():
            wishes[token] = 60
    schema = {"type": "array", "items": {"const": 1}, "minItems": 3, "maxItems": 3}
    text, count, ended = write(held("json_schema", schema, max_tokens=500), vocabulary, wishes)
    assert json.loads(text) == [1, 1, 1]
    assert ended
    assert count < 80


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("form", "grammar"),
    [
        ("regex", "[a-z]{2,5}-[0-9]+"),
        ("regex", "(Ja|Nein), [A-ZÄÖÜ][a-zäöü]{3,8}\\."),
        ("choice", "yes\nno\nnot sure (yet)"),
        ("gbnf", 'root ::= item+\nitem ::= "- " [a-z ]+ "\\n"'),
        ("json", ""),
    ],
)
def test_every_form_is_kept(form: str, grammar: str, seed: int, vocabulary: Vocabulary) -> None:
    text, _, ended = write(held(form, grammar, seed=seed, max_tokens=60), vocabulary)
    assert text
    assert check_format(form, grammar, text).text_problem == ""
    assert ended


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("form", "grammar", "most"),
    [
        ("json_schema", {"type": "array", "items": {"type": "string", "format": "email"}, "minItems": 2}, 60),
        ("json_schema", {"type": "object", "properties": {"a": {"pattern": "^a|(yes|no)$"}}, "required": ["a"]}, 40),
        ("json_schema", {"type": "string", "minLength": 90}, 100),
        ("json_schema", {"type": "array", "items": {"type": "number", "minimum": 0.004, "maximum": 0.09}}, 60),
        ("json_schema", {"properties": {"a": {"exclusiveMinimum": 0, "maximum": 0.5, "type": "number"}}}, 80),
        ("regex", "(?s).*Answer: (yes|no)", 40),
        ("regex", "[a-z ]*XYZ", 40),
        ("regex", r"(?:[^@]+@[^.@]+\.[a-z]{2,3};)+", 60),
        ("gbnf", 'root ::= [a-z ]* "so: " ("yes" | "no") [.!]', 40),
    ],
)
def test_what_has_to_be_said_before_the_end_is_said(
    form: str, grammar: object, most: int, seed: int, vocabulary: Vocabulary
) -> None:
    decoding = held(form, grammar, seed=seed, max_tokens=most)
    text, count, ended = write(decoding, vocabulary)
    assert check_format(form, decoding.grammar, text).text_problem == ""
    assert ended
    assert count <= most


@pytest.mark.parametrize(
    ("form", "grammar"),
    [
        ("json_schema", {"anyOf": [{"const": "a"}, {"type": "array", "items": {"type": "integer"}, "minItems": 500}]}),
        (
            "json_schema",
            {"items": {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 2000}]}, "type": "array"},
        ),
        ("regex", "[a-z]{3}(x|y{1500})"),
    ],
)
def test_nothing_is_begun_that_there_is_no_room_for(form: str, grammar: object, vocabulary: Vocabulary) -> None:
    wishes = np.zeros(vocabulary.size, np.float32)
    for token in range(vocabulary.size):
        piece = vocabulary.piece(token)
        wishes[token] = 40 if piece in (b"[", b'"', b"1", b",") or set(piece) == {ord("y")} else -40
    text, count, ended = write(held(form, grammar, temperature=0.0, max_tokens=200), vocabulary, wishes)
    decoding = held(form, grammar)
    assert check_format(form, decoding.grammar, text).text_problem == ""
    assert ended
    assert count <= 200


def test_digits_of_a_text_are_no_number(vocabulary: Vocabulary) -> None:
    constraint = make_constraint(held("json_schema", {"type": "array", "items": {"type": "string"}}), vocabulary)
    assert constraint is not None
    for sign in '["\\"' + "1234567890" * 3:
        (token,) = vocabulary.tokenize(sign, special=False)
        logits = np.zeros(vocabulary.size, np.float32)
        constraint.mask(logits)
        assert logits[token] == 0, sign
        constraint.accept(token)


def test_a_bias_gives_way_to_the_form(vocabulary: Vocabulary) -> None:
    brackets = tuple(f"#{token}=-inf" for token in range(vocabulary.size) if b"[" in vocabulary.piece(token))
    schema = {"type": "array", "items": {"const": 1}, "minItems": 1, "maxItems": 1}
    text, _, ended = write(held("json_schema", schema, logit_bias=brackets), vocabulary)
    assert json.loads(text) == [1]
    assert ended


def test_a_copy_goes_its_own_way(vocabulary: Vocabulary) -> None:
    first = make_constraint(held("choice", "alpha beta\nalpha gamma"), vocabulary)
    assert first is not None
    for token in vocabulary.tokenize("alpha", special=False):
        first.accept(token)
    second = first.copy()
    for constraint, word in ((first, " beta"), (second, " gamma")):
        for token in vocabulary.tokenize(word, special=False):
            logits = np.zeros(vocabulary.size, np.float32)
            constraint.mask(logits)
            assert logits[token] == 0
            assert np.isinf(logits).sum() > vocabulary.size - 20
            constraint.accept(token)
        assert constraint.complete


def test_what_is_not_allowed_is_refused(vocabulary: Vocabulary) -> None:
    constraint = make_constraint(held("choice", "alpha"), vocabulary)
    assert constraint is not None
    with pytest.raises(UserError, match="form"):
        constraint.accept(vocabulary.tokenize("beta", special=False)[0])


@pytest.mark.parametrize(
    ("form", "grammar", "named"),
    [
        ("json_schema", '{"not": {}}', "not"),
        ("regex", "(a", "unclosed"),
        ("choice", " ", "choices"),
        ("gbnf", "a", '"::=" is expected'),
    ],
)
def test_a_wrong_description_is_named(form: str, grammar: str, named: str, vocabulary: Vocabulary) -> None:
    with pytest.raises(UserError, match=named):
        make_constraint(held(form, grammar), vocabulary)


def test_plain_text_is_held_to_nothing(vocabulary: Vocabulary) -> None:
    assert make_constraint(DecodingPart(), vocabulary) is None


def test_the_vocabulary_is_prepared_once(vocabulary: Vocabulary) -> None:
    assert vocabulary.derived(ConstraintTokenizer) is vocabulary.derived(ConstraintTokenizer)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_object_has_each_name_once_whatever_the_model_wants(temperature: float, vocabulary: Vocabulary) -> None:
    wishes = np.zeros(vocabulary.size, np.float32)
    for name in ('"', "a", '":', '",'):
        wishes[vocabulary.tokenize(name, special=False)] = 40
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "minProperties": 4,
        "additionalProperties": {"enum": [1, {"a": 2}]},
    }
    decoding = held("json_schema", schema, temperature=temperature, max_tokens=200)
    text, _, ended = write(decoding, vocabulary, wishes)
    assert ended
    pairs = json.loads(text, object_pairs_hook=list)
    assert len({name for name, _ in pairs}) == len(pairs) >= 4
    jsonschema.validate(json.loads(text), schema)
