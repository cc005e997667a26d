"""Completes an answer under a constraint from its present state, in few tokens.

Closing open strings, objects and arrays is mostly enough. A text that still has to contain something (an address its @,
a reasoning line its verdict) is completed by a search over the texts that the format's description names.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from llguidance import LLMatcher

from workbench.techniques.decoding.formats import read_schema
from workbench.techniques.decoding.gbnf import CharacterClass, Text, parts_of, read_gbnf
from workbench.techniques.decoding.schemas import keywords

Mask = npt.NDArray[np.bool_]
Goal = Callable[[LLMatcher], bool]

_IDLE_STEPS = 24
"""After so many tokens that close nothing, a search starts."""

_MOST_STATES = 300
_MOST_WORDS = 40
_USUAL_WORDS = ("a", "@", ".", "-", ":", "/", "_", " ", *"0123456789")
_LITERAL = re.compile(r"(?:\\[^\w\s]|[^\\\[\](){}|*+?.^$])+")


class CompletionTokens(Protocol):
    """The tokens of a model that completion needs."""

    closing: list[int]
    """Those that complete JSON soonest, in the order of preference."""
    structure: frozenset[int]
    """The punctuation among ``closing``."""
    ending: list[int]
    """Those that end texts."""
    lengths: npt.NDArray[np.int32]
    """The number of bytes of each token."""
    letter: int
    brace: int
    quote: int

    def allowed(self, matcher: LLMatcher) -> Mask:
        """The tokens that may come next."""

    def split(self, text: str) -> list[int]:
        """Tokens that spell a text."""


class Completer:
    """Completes answers of one format. ``words`` are texts that may lead to its end."""

    def __init__(self, tokens: CompletionTokens, words: Sequence[str], *, is_json: bool) -> None:
        self._tokens = tokens
        self._is_json = is_json
        split = (tokens.split(word) for word in dict.fromkeys([*words, *_USUAL_WORDS]))
        self._words = [found for found in split if found][:_MOST_WORDS]

    def complete(self, matcher: LLMatcher, most: int) -> list[int] | None:
        """At most ``most`` tokens that complete the answer, not always the fewest; None when none were found."""
        if matcher.is_accepting():
            return []
        for choose in self._ways():
            found = self._follow(matcher, choose, most)
            if found is not None:
                return found
        return None

    def _ways(self) -> Iterator[Callable[[Mask], int]]:
        """Strategies that choose the next token of a completion from the allowed ones; -1 for none."""
        if self._is_json:
            yield self._close_json
            yield self._close_empty
        else:
            yield self._end_text
        yield self._take_longest

    def _follow(self, matcher: LLMatcher, choose: Callable[[Mask], int], most: int) -> list[int] | None:
        following = matcher.deep_copy()
        found: list[int] = []
        idle, before = 0, following.deep_copy()
        while len(found) < most:
            if idle == _IDLE_STEPS and choose != self._take_longest:
                way = self._search(before, self._is_goal, most - len(found) + idle)
                if way is not None:
                    del found[-idle:]
                    found += way
                    following = before
                    following.consume_tokens(way)
                    idle, before = 0, following.deep_copy()
                    if following.is_accepting():
                        return found
                    continue
            token = choose(self._tokens.allowed(following))
            if token < 0 or not following.consume_token(token):
                return None
            found.append(token)
            if following.is_accepting():
                return found
            idle += 1
            if token in self._tokens.structure:
                idle, before = 0, following.deep_copy()
        return None

    def _is_goal(self, matcher: LLMatcher) -> bool:
        """Whether a text or a number is complete."""
        if matcher.is_accepting():
            return True
        if not self._is_json:
            return False
        allowed = self._tokens.allowed(matcher)
        if self._tokens.letter >= 0 and allowed[self._tokens.letter]:  # within a text
            return self._tokens.quote >= 0 and bool(allowed[self._tokens.quote])
        return any(allowed[token] for token in self._tokens.structure)

    def _search(self, matcher: LLMatcher, is_goal: Goal, most: int) -> list[int] | None:
        """The path of fewest words to a state where ``is_goal``. States in which the same tokens are allowed after the
        same word are treated as one."""
        left: deque[tuple[LLMatcher, list[int]]] = deque([(matcher, [])])
        seen: set[tuple[int, bytes]] = set()
        while left:
            place, way = left.popleft()
            allowed = self._tokens.allowed(place)
            for number, word in enumerate(self._words):
                if not allowed[word[0]] or len(way) + len(word) > most:
                    continue
                following = place.deep_copy()
                if following.try_consume_tokens(word) < len(word):
                    continue
                if is_goal(following):
                    return way + word
                key = number, bytes(following.compute_bitmask())
                if key not in seen:
                    if len(seen) == _MOST_STATES:
                        return None
                    seen.add(key)
                    left.append((following, way + word))
        return None

    def _close_json(self, allowed: Mask) -> int:
        tokens = self._tokens
        first = next((token for token in tokens.closing if allowed[token]), -1)
        if first == tokens.brace and first >= 0 and tokens.letter >= 0 and allowed[tokens.letter]:
            return tokens.letter  # within a string that is too short to be closed
        return first if first >= 0 else self._take_longest(allowed)

    def _close_empty(self, allowed: Mask) -> int:
        """Like ``_close_json``, but objects and arrays get nothing optional: a text may be long."""
        tokens = self._tokens
        if tokens.letter < 0 or not allowed[tokens.letter]:  # not within a string
            first = next((token for token in tokens.closing if token != tokens.quote and allowed[token]), -1)
            if first >= 0:
                return first
        return self._close_json(allowed)

    def _end_text(self, allowed: Mask) -> int:
        first = next((token for token in self._tokens.ending if allowed[token]), -1)
        return first if first >= 0 else self._take_longest(allowed)

    def _take_longest(self, allowed: Mask) -> int:
        lengths = np.where(allowed, self._tokens.lengths, 0)
        token = int(lengths.argmax())
        return token if lengths[token] else -1


def named_words(format: str, grammar: str) -> list[str]:
    """The texts that a description names literally, and the characters of its expressions."""
    match format:
        case "regex":
            expressions = [grammar]
        case "json_schema":
            expressions = [value for _, key, value in keywords(read_schema(grammar)) if key == "pattern"]
        case "gbnf":
            parts = [part for rule in read_gbnf(grammar).rules.values() for part in parts_of(rule)]
            classes = [part for part in parts if isinstance(part, CharacterClass) and not part.inverse]
            texts = [part.value for part in parts if isinstance(part, Text)]
            return [*texts, *(sign for one in classes for sign, _ in one.ranges)]
        case _:
            return []
    found = [re.sub(r"\\(.)", r"\1", run) for one in expressions for run in _LITERAL.findall(one)]
    return [*found, *sorted({sign for one in expressions for sign in one if not sign.isspace()})]
