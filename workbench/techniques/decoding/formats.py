"""Answer formats: checks a format's description, and a text against it.

Light: it loads neither a model nor numpy; llguidance and jsonschema are imported for a check. This is the only place
that turns a description into llguidance's grammar: what passes the check is what constrains an answer.
"""

from __future__ import annotations

import json
import re
from typing import Any

from workbench.base.errors import UserError
from workbench.base.files import is_nested_deeper
from workbench.records.answers import FormatCheck
from workbench.records.recipes import LONGEST_DESCRIPTION
from workbench.techniques.decoding.gbnf import FormatProblem
from workbench.techniques.decoding.lexemes import to_lark
from workbench.techniques.decoding.schemas import circular_reference, closed, keywords, line_of, simplified
from workbench.techniques.decoding.validation import json_fault, json_problem, match_problem, read_json
from workbench.text.language import is_unspaced


def find_problem(format: str, grammar: str, text: str) -> str:
    """``RewardContext.find_problem``. Raises UserError for a format that is wrong itself."""
    check = check_format(format, grammar, text)
    if check.problem:
        raise UserError(check.problem)
    return check.text_problem


def matches_regex(pattern: str, text: str) -> bool:
    """Whether a regular expression matches a whole text, by the automata of constrained answers. Raises UserError."""
    checked = check_format("regex", pattern, text)
    if checked.problem:
        raise UserError(checked.problem, "Correct the regular expression.")
    return not checked.text_problem


JSON_VALUES: dict[str, Any] = {"anyOf": [{"type": "object"}, {"type": "array"}]}
"""Any JSON as an answer: an object or an array. A lone string or number would be text without a format."""

MOST_QUOTES = 4

MOST_SCHEMA_LEVELS = 120
"""Objects and lists of a schema, one within another; llguidance's parser reads no more than 127."""

JSON_OPTIONS = {"whitespace_pattern": r"(?: |\n {0,16})?", "item_separator": ",", "key_separator": ":"}
"""White space between two parts of JSON: nothing, a space, or a line break and up to 16 spaces: pretty, but bounded."""


def check_format(format: str, grammar: str, text: str | None) -> FormatCheck:
    """Check a description of ``DecodingPart.format`` and, when given, a text against it. Raises nothing."""
    try:
        make_grammar(format, grammar)
    except FormatProblem as problem:
        return FormatCheck(problem=problem.message, line=problem.line)
    return FormatCheck(text_problem="" if text is None else _text_problem(format, grammar, text))


def make_grammar(format: str, grammar: str) -> str:
    """The grammar in llguidance's own form; "" for plain text. Raises FormatProblem."""
    if len(grammar) > LONGEST_DESCRIPTION:
        raise FormatProblem(f"The description has {len(grammar):,} characters; the maximum is {LONGEST_DESCRIPTION:,}.")
    try:
        grammar.encode()
        return _make_grammar(format, grammar)
    except UnicodeEncodeError as error:
        raise FormatProblem(
            "The description holds half of a character (a lone surrogate), which no text can contain."
        ) from error
    except RecursionError as error:
        raise FormatProblem("The description is nested too deeply.") from error


def _make_grammar(format: str, grammar: str) -> str:
    from llguidance import LLMatcher

    match format:
        case "text":
            return ""
        case "json":
            made = LLMatcher.grammar_from_json_schema(JSON_VALUES, overrides=JSON_OPTIONS)  # type: ignore[arg-type]
        case "json_schema":
            made = _grammar_of(read_schema(grammar))
        case "regex":
            if not grammar:
                raise FormatProblem("The regular expression is empty.")
            made = LLMatcher.grammar_from_regex(grammar)
        case "choice":
            made = LLMatcher.grammar_from_regex("|".join(re.escape(choice) for choice in choices(grammar)))
        case "gbnf":
            if not grammar.strip():
                raise FormatProblem("The grammar is empty.")
            made = LLMatcher.grammar_from_lark(to_lark(grammar))
        case "quote":
            made = LLMatcher.grammar_from_lark(_quotes_from(grammar))
        case _:
            raise FormatProblem(f'Unknown answer format "{format}".')
    is_error, messages = LLMatcher.validate_grammar_with_warnings(made)
    if is_error:
        raise FormatProblem(*_explained(format, grammar, messages[0]))
    return made


def _grammar_of(schema: Any) -> str:
    """The grammar of a schema, its objects restricted to the fields that they name where possible."""
    from llguidance import LLMatcher

    made = ""
    schema = simplified(schema)
    for one in (closed(schema), schema):
        made = LLMatcher.grammar_from_json_schema(one, overrides=JSON_OPTIONS)  # type: ignore[arg-type]
        if not LLMatcher.validate_grammar_with_warnings(made)[0]:
            break
    return made


def _quotes_from(text: str) -> str:
    """A Lark grammar of one to ``MOST_QUOTES`` spans of a text, one per line. A span is made of whole words, of
    characters in scripts without spaces, and lies within a paragraph; its first character is no white space."""
    paragraphs = list(dict.fromkeys(filter(None, map(str.strip, re.split(r"\n\s*\n", text)))))
    if not paragraphs:
        raise FormatProblem("The text to quote from is empty.")
    rules = [f'start: span ("\\n" span){{0,{MOST_QUOTES - 1}}}']
    rules.append("span: " + " | ".join(f"SPAN{n}" for n in range(len(paragraphs))))
    for n, paragraph in enumerate(paragraphs):
        unit = "substring_chars" if is_unspaced(paragraph) else "substring_words"
        rules.append(f"PART{n}: %regex {json.dumps({unit: paragraph}, ensure_ascii=False)}")
        rules.append(rf"SPAN{n}: PART{n} & /(?s:\S.*)/")
    return "\n".join(rules)


def choices(grammar: str) -> list[str]:
    """The choices: one per line, trimmed; empty lines are skipped. Raises FormatProblem."""
    found = list(dict.fromkeys(line.strip() for line in grammar.splitlines() if line.strip()))
    if not found:
        raise FormatProblem("The list of choices is empty. Write one choice per line.")
    return found


def read_schema(grammar: str) -> Any:
    """The schema in a description. Raises FormatProblem."""
    if not grammar.strip():
        raise FormatProblem("The JSON schema is empty.")
    try:
        schema = read_json(grammar)
    except json.JSONDecodeError as error:
        raise FormatProblem(f"The schema is not JSON: {json_fault(error)}.", error.lineno) from error
    except RecursionError as error:
        raise FormatProblem("The schema is nested too deeply.") from error
    except ValueError as error:
        raise FormatProblem(f"The schema is not JSON: {error}.") from error
    if is_nested_deeper(schema, MOST_SCHEMA_LEVELS):
        raise FormatProblem("The schema is nested too deeply.")
    if not isinstance(schema, dict):
        raise FormatProblem("A JSON schema must be an object: {{ ... }}.", 1)
    if not isinstance(schema.get("$schema", ""), str):
        raise FormatProblem('"$schema" must be a string.', line_of(grammar, ("$schema",)))
    import jsonschema

    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        place = ".".join(str(step) for step in error.absolute_path)
        # for a value that matches none of several rules, the rule that lists the possible ones
        listed = next((under for under in error.context or () if under.validator == "enum"), error)
        raise FormatProblem(
            f"{place or 'The schema'}: {listed.message}", line_of(grammar, tuple(error.absolute_path))
        ) from error
    json.dumps(schema, ensure_ascii=False).encode()  # "\ud800" is half of a character
    if reference := circular_reference(schema):
        path, message = reference
        raise FormatProblem(message, line_of(grammar, path))
    return schema


def _explained(format: str, grammar: str, message: str) -> tuple[str, int | None]:
    """llguidance's message on a description, without its own grammar, and the line."""
    if format == "regex":
        return f"The regular expression is not valid: {_explained_expression(grammar, message)}.", None
    if format == "json_schema":
        return _explained_schema(grammar, message)
    return message.splitlines()[0], None


_BORDER = re.compile(r"lookarounds not supported yet; (Start|End|Word)\w* in regex /(.*)/", re.DOTALL)
_SIGNS = re.compile(r"\\(?P<escape>.)|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<sign>[\^$])", re.DOTALL)
_BORDERS = {"Start": ("A", "^"), "End": ("z", "$"), "Word": ("bB<>", "")}


def _explained_expression(expression: str, message: str) -> str:
    """The message of llguidance, or of its parser, on an expression, with the position."""
    if border := _BORDER.search(message):
        escapes, sign = _BORDERS[border[1]]
        for found in _SIGNS.finditer(expression):
            if (found["escape"] or " ") in escapes or found["sign"] == (sign or " "):
                where = f"{found[0]} at character {found.start() + 1}"
                break
        else:
            where = "what it says of borders"
        return f'{where} is not supported; "^" can only begin and "$" only end an expression'
    reason = re.search(r"^error: (.*)$", message, re.MULTILINE)
    if reason is None:
        return message.splitlines()[0].rstrip(".")
    # llguidance's copy of the expression, with the marks below it
    written = re.search(r"regex parse error:\n {4}(.*)\n {4}( *)\^", message)
    if written is None:
        return reason[1].rstrip(".")
    left, place = len(written[2]), 0
    while left > 0 and place < len(expression):
        # line breaks and slashes are escaped there
        left -= 2 if expression[place] in "\n/" and expression[place - 1 : place] != "\\" else 1
        place += 1
    return f"{reason[1].rstrip('.')} (at character {place + 1})"


def _explained_schema(grammar: str, message: str) -> tuple[str, int | None]:
    """The unsupported part of a schema: the keyword, its place, and the remedy."""
    found = list(keywords(read_schema(grammar)))
    first, *rest = message.splitlines()
    if unknown := re.search(r"Unimplemented keys: (\[.*\])", message):
        keys = [str(key) for key in json.loads(unknown[1])]
        places = [(path, key) for key in keys for path, one, _ in found if one == key]
        named = ", ".join(f'"{key}"' for key in keys)
        said, advice = f"The keyword {named} is not supported", "remove it from the schema"
    elif "oneOf constraints" in message:
        places = [(path, key) for path, key, _ in found if key == "oneOf"]
        said, advice = '"oneOf" is not supported where several alternatives may match at once', 'use "anyOf"'
    elif first.startswith("regex parse error") and rest:
        written = rest[0].strip()
        places = [(path, key) for path, key, value in found if key == "pattern" and value == written]
        said, advice = f'The "pattern" {written} is not valid', _explained_expression(written, message)
    elif border := _BORDER.search(message):
        places = [(path, key) for path, key, value in found if key == "pattern" and value == border[2]]
        said = f'The "pattern" {border[2]} is not valid'
        advice = _explained_expression(border[2], message)
    elif unknown := re.fullmatch(r"Unknown format: (.*)", first):
        places = [(path, key) for path, key, value in found if key == "format" and value == unknown[1]]
        said, advice = f'The "format" {unknown[1]} is not supported', 'remove it, or use a "pattern"'
    elif first.startswith("min/maxProperties only supported"):
        places = [(path, key) for path, key, _ in found if key in ("minProperties", "maxProperties")]
        key = places[0][1] if places else "minProperties"
        said = f'"{key}" is not supported where named fields may be left out'
        advice = 'list their names in "required", or remove it'
    elif unknown := re.match(r"Resource '(.*?)' is not present", first):
        places = [(path, key) for path, key, value in found if key == "$ref" and value == unknown[1]]
        said, advice = f'The "$ref" {unknown[1]} refers outside of the schema', 'move its definition into "$defs"'
    else:
        return f"The schema is not supported: {first}.", None
    where = " and ".join(dict.fromkeys(".".join(map(str, path)) for path, _ in places if path))
    line = line_of(grammar, (*places[0][0], places[0][1])) if places else None
    return f"{said}{f' (in {where})' if where else ''}: {advice}.", line


def _text_problem(format: str, grammar: str, text: str) -> str:
    match format:
        case "json" | "json_schema":
            return json_problem(text, read_schema(grammar) if format == "json_schema" else {})
        case "choice":
            return "" if text in choices(grammar) else "The text matches none of the choices."
        case "regex" | "gbnf" | "quote":
            return match_problem(make_grammar(format, grammar), text)
    return ""
