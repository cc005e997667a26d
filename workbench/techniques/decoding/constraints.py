"""Constraints: the tokens that may come next so that an answer is valid (JSON, a schema, an expression, choices, a
grammar).

llguidance keeps the automaton and computes the allowed tokens (Willard and Louf 2023, arXiv:2307.09702; Geng et al.
2023, arXiv:2305.13971). Our addition is that answers end: a small model fills a string or an array without a limit for
as long as it may. So a constraint knows how many tokens the answer may still have and how it can be completed from
here, and completes it when no more than that is left. The result is valid; only the model's wish to continue is cut
short.
"""

from __future__ import annotations

import copy
import math
import weakref
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

from workbench.base.errors import UserError
from workbench.engine.probabilities import Logits
from workbench.engine.vocabulary import Vocabulary
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.completion import Completer, Mask, named_words
from workbench.techniques.decoding.formats import make_grammar
from workbench.techniques.decoding.gbnf import FormatProblem
from workbench.techniques.decoding.json_place import JsonPlace

LONGEST_SPELLED = 24
"""Maximum bytes of a token with which a forced text is spelled."""

LONGEST_DIGITS = 18
"""Maximum digits in a row of a JSON number, where something else can follow: doubles and 64-bit integers have no
more."""


class ConstraintTokenizer:
    """A vocabulary in llguidance's form. Built once per model, in half a second; thread-safe.

    Control tokens never represent text; a model's end tokens are allowed where the grammar may end.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.size = vocabulary.size
        tokens = [_text_of(token, vocabulary) for token in range(vocabulary.size)]
        ends = [token for token in range(vocabulary.size) if vocabulary.ends_generation(token)]
        if not ends:  # an end token that the model does not have, beyond its logits
            ends = [len(tokens)]
            tokens.append(b"\xff<end>")
        self.ends = frozenset(ends)
        self.native = LLTokenizer(
            TokenizerWrapper(_Tokens(tokens, ends, vocabulary)),
            n_vocab=len(tokens),
            eos_token=ends,
            slices=LLTokenizer.json_slices(),
        )
        self.lengths = np.array([0 if text[:1] == b"\xff" else len(text) for text in tokens], np.int32)
        self.digits = np.array([token for token, text in enumerate(tokens) if text[:1].isdigit()], np.intp)
        self.quotes = np.array([token for token, text in enumerate(tokens) if text[:1] == b'"'], np.intp)
        by_text = {text: token for token, text in reversed(list(enumerate(tokens)))}
        self.letter = by_text.get(b"a", -1)
        self.brace = by_text.get(b"}", -1)
        self.quote = by_text.get(b'"', -1)
        # tokens that complete JSON soonest: strings are closed first, then objects and arrays, then whatever is
        # required
        closing = [b'"', b"}", b"]", b",", b":", *(b"%d" % digit for digit in range(10)), b"null", b"[", b"{"]
        self.closing = [by_text[text] for text in closing if text in by_text]
        self.structure = frozenset(
            by_text[text] for text in (b'"', b"}", b"]", b",", b":", b"[", b"{") if text in by_text
        )
        ending = [b"\n", b".", b'"', b"}", b"]", b")", b";", b"!", b"?", b",", b":", b"-", b" "]
        self.ending = [by_text[text] for text in ending if text in by_text]
        self._texts = tokens

    def text(self, token: int) -> bytes:
        return self._texts[token] if self._texts[token][:1] != b"\xff" else b""

    def split(self, text: str) -> list[int]:
        """Tokens that spell a text."""
        tokens: list[int] = self.native.greedy_tokenize(text)
        return tokens

    def allowed(self, matcher: LLMatcher) -> Mask:
        """The tokens that may come next, shape (tokens,)."""
        bits = np.frombuffer(matcher.compute_bitmask(), np.uint8)
        return np.unpackbits(bits, count=self.lengths.size, bitorder="little").view(np.bool_)


class Constraint:
    """The constraint of one answer. ``limit`` is its maximum number of tokens, including those that complete it.

    ``complete``: the text is valid and nothing more can follow, or the model has ended it.
    """

    def __init__(
        self, matcher: LLMatcher, tokenizer: ConstraintTokenizer, completer: Completer, limit: int, *, is_json: bool
    ) -> None:
        self.limit = limit
        self.complete = False
        self._matcher = matcher
        self._tokenizer = tokenizer
        self._completer = completer
        self._is_json = is_json
        self._taken = 0
        self._place = JsonPlace()
        self._can_end = False  # whether the last search found a completion
        self._completion: list[int] | None = None
        self._last: list[int] = []  # the last known completion, which may still apply
        self._after: dict[int, list[int] | None] = {}  # completions after tokens that were queried
        self._look_at = 0  # the number of tokens at which to search again

    def copy(self) -> Constraint:
        """A copy in the same state."""
        copied = copy.copy(self)
        copied._matcher = self._matcher.deep_copy()
        copied._place = self._place.copy()
        copied._after = dict(self._after)
        return copied

    def mask(self, logits: Logits) -> None:
        """Set the logits, shape (vocabulary,), of all tokens that may not come next to -inf."""
        self._find_completion()
        completion = self._completion
        if completion and len(completion) >= self._left:  # only the completion fits
            kept = logits[completion[0]]
            logits[:] = -math.inf
            logits[completion[0]] = kept if kept > -math.inf else 0
            return
        allowed = self._tokenizer.allowed(self._matcher)
        np.copyto(logits, -np.inf, where=~allowed[: logits.size])
        if self._place.digits >= LONGEST_DIGITS and not (
            completion and self._tokenizer.text(completion[0])[:1].isdigit()
        ):
            _forbid(logits, self._tokenizer.digits)
        if self._place.has_name:
            _forbid(logits, self._tokenizer.quotes)

    def affords(self, token: int) -> bool:
        """Whether the answer can be completed within its limit after this token, which the mask allows, and has no
        duplicate name in an object.

        True where it is not checked so closely, and where no completion is known; for ``completing`` too.
        """
        if self._is_json and self._place.repeats_name(self._tokenizer.text(token)):
            return False
        if not self._can_end or token in self._tokenizer.ends:
            return True
        if self._completion and self._completion[0] == token:
            return True
        if self._taken < self._look_at and not self._may_open(token):
            return True
        following = self._matcher.deep_copy()
        following.consume_token(token)
        completion = self._still_completing(following)
        if completion is None:
            completion = self._completer.complete(following, self._left - 1)
        self._after[token] = completion
        return completion is not None

    def completing(self, logits: Logits) -> int | None:
        """A token after which the answer can be completed within its limit, when ``affords`` rejected others; None when
        none is known."""
        if self._completion is None:  # not checked closely
            self._completion = self._completer.complete(self._matcher, self._left)
        if self._completion is None:
            return None
        if self._completion:
            return self._completion[0]
        return max(self._tokenizer.ends, key=lambda token: logits[token] if token < logits.size else -math.inf)

    def accept(self, token: int) -> None:
        """Append this token to the answer. Raises UserError when it is not allowed."""
        if self.complete or not self._matcher.consume_token(token):
            raise UserError(
                "The answer cannot continue this way: it would not have the required format.",
                "Choose another alternative, or set the answer format to text.",
            )
        self._taken += 1
        if self._completion and self._completion[0] == token:
            self._completion = self._completion[1:]
        else:
            self._completion = self._after.get(token)
        self._last = self._completion or self._last
        self._after.clear()
        if self._is_json:
            self._place.read(self._tokenizer.text(token))
        self.complete = (
            token in self._tokenizer.ends
            or self._matcher.is_stopped()
            or (self._left <= 0 and self._matcher.is_accepting())
        )

    @property
    def _left(self) -> int:
        return self.limit - self._taken

    def _find_completion(self) -> None:
        """Keep a completion ready while it may soon be needed. Far from the limit the search runs ever less often."""
        if self._taken < self._look_at or self._completion is not None:
            return
        self._completion = self._completer.complete(self._matcher, self._left)
        self._can_end = self._completion is not None
        self._last = self._completion or self._last
        if self._completion is None:
            self._look_at = self._taken + max(16, self._left // 16)
        else:
            # one token can open something that needs as many again, so the last part is checked at every token
            self._look_at = self._taken + max(0, (self._left - 2 * len(self._completion) - 64) // 2)

    def _still_completing(self, following: LLMatcher) -> list[int] | None:
        """The last known completion, if it also works for ``following``, one token later: a quick check."""
        for known in (self._last, self._last[1:]):
            if known and len(known) < self._left:
                trial = following.deep_copy()
                if trial.try_consume_tokens(known) == len(known) and trial.is_accepting():
                    return known
        return None

    def _may_open(self, token: int) -> bool:
        """Whether the token may open something that takes far more tokens than are left: an array of hundreds."""
        if not self._is_json:
            return True
        text = self._tokenizer.text(token)
        if self._place.in_string and b'"' not in text:
            return False
        return any(mark in text for mark in (b"[", b"{", b'"', b":", b","))


def make_constraint(decoding: DecodingPart, vocabulary: Vocabulary, limit: int | None = None) -> Constraint | None:
    """The constraint of an answer; None for plain text. ``limit``: its maximum number of tokens, ``max_tokens`` when
    None.
    """
    if decoding.format == "text":
        return None
    try:
        grammar = make_grammar(decoding.format, decoding.grammar)
    except FormatProblem as problem:
        where = f"line {problem.line}: " if problem.line else ""
        raise UserError(
            f"The form of the answer cannot be used: {where}{problem.message.rstrip('.')}.",
            "Correct its description, or choose free text.",
        ) from problem
    tokenizer = vocabulary.derived(ConstraintTokenizer)
    matcher = LLMatcher(tokenizer.native, grammar, log_level=0)
    if matcher.is_error():
        raise UserError(
            f"The form of the answer cannot be kept by this model: {matcher.get_error().splitlines()[0].rstrip('.')}.",
            "Make its description simpler.",
        )
    is_json = decoding.format in ("json", "json_schema")
    completer = Completer(tokenizer, named_words(decoding.format, decoding.grammar), is_json=is_json)
    limit = decoding.max_tokens if limit is None else limit
    return Constraint(matcher, tokenizer, completer, limit, is_json=is_json)


def _forbid(logits: Logits, tokens: npt.NDArray[np.intp]) -> None:
    """Set those of some tokens to -inf unless nothing else is allowed."""
    before = logits[tokens]
    logits[tokens] = -math.inf
    if logits.max() == -math.inf:
        logits[tokens] = before


class _Tokens:
    """The interface that ``LLTokenizer`` needs."""

    bos_token_id: int | None = None

    def __init__(self, tokens: list[bytes], ends: list[int], vocabulary: Vocabulary) -> None:
        self.tokens = tokens
        self.eos_token_id = ends[0]
        self.special_token_ids = [token for token, text in enumerate(tokens) if text[:1] == b"\xff"]
        self._by_text = {text: token for token, text in enumerate(tokens) if text and text[:1] != b"\xff"}
        self._vocabulary = weakref.proxy(vocabulary)  # llguidance's objects are not seen by Python's collector

    def __call__(self, text: str | bytes) -> Sequence[int]:
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        tokens: list[int] = self._vocabulary.tokenize(text, special=False)
        raw = text.encode()
        # some vocabularies begin every text with a space; T5's joins several spaces into one
        return tokens if b"".join(self.tokens[token] for token in tokens) == raw else self._spell(raw)

    def _spell(self, text: bytes) -> list[int]:
        """The longest tokens that spell a text, one after the other; [] when none do."""
        spelled, at = list[int](), 0
        while at < len(text):
            lengths = range(min(len(text) - at, LONGEST_SPELLED), 0, -1)
            found = next((n for n in lengths if text[at : at + n] in self._by_text), 0)
            if not found:
                return []
            spelled.append(self._by_text[text[at : at + found]])
            at += found
        return spelled


def _text_of(token: int, vocabulary: Vocabulary) -> bytes:
    """A token's bytes; after 0xff, which is in no text, for one that stands for none."""
    if vocabulary.is_special(token):
        return b"\xff" + vocabulary.piece(token, special=True)
    text = vocabulary.piece(token)
    if text.startswith(b"<") and text.endswith(b">") and vocabulary.is_user_defined(token):
        return b"\xff" + text
    return text
