"""Citations in a streaming answer: checked, added where they are missing, never changed afterwards.

A ``[n]`` of the model is kept when passage ``n`` was shown and dropped otherwise. A sentence that ends without one gets
the number of the passage that supports it: by the share of its words that occur there, rare words, names and numbers
counting most; every number of the sentence must be in the passage. Nothing is cited inside code. Streamed text is
final: text is held back at a bracket, and at the end of a sentence, until it is decided.

Attribution by overlap rather than by the model: Bohnet et al. 2022, "Attributed Question Answering" (arXiv:2212.08037),
found post-hoc attribution of generated text workable without training.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from workbench.base.copying import shared
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Candidate, Citation, Passage
from workbench.techniques.streaming import answered
from workbench.text.sentences import CLOSERS, ends_sentence
from workbench.text.terms import Vocabulary

_SHARE_NEEDED = 0.5  # minimum share of a sentence's weight in the passage
_ECHO = 0.25  # weight of a word that only repeats the question
_PARTS = re.compile(r"[\n{}\[\]]|, *(?=\")")  # lines, and the members of an object
_CITATION = re.compile(r"\[\s*(\d{1,3}(?:\s*[-–,;]\s*\d{1,3})*)\s*\]")
_PERHAPS_CITATION = re.compile(r"\[[\d\s,;–-]*$")
_MARK = re.compile(rf"[.!?…]+[{re.escape(CLOSERS)}]*|[。！？]+[”’」』）]*")
_PLAIN = re.compile(r"[^`\[\s.!?…。！？]+")


class PassageMatcher:
    """Finds the passage that supports a sentence. ``question``: its words are weak evidence."""

    def __init__(self, passages: Sequence[Passage], question: str = "") -> None:
        self._vocabulary = Vocabulary.of(p.text for p in passages)
        self._stems = [(p.n, set(self._vocabulary.stems(p.text))) for p in passages]
        self._numbers = [self._vocabulary.numbers(p.text) for p in passages]
        seen_in = Counter(s for _, stems in self._stems for s in stems)
        self._rarity = {s: math.log(1 + len(passages) / count) / math.log(2) for s, count in seen_in.items()}
        self._asked = set(self._vocabulary.stems(question))

    def match(self, sentence: str) -> int | None:
        """The number of the passage that supports the sentence, or None."""
        terms = self._vocabulary.content_terms(sentence)
        stated = self._vocabulary.numbers(sentence)
        named = {self._vocabulary.stem(n) for n in self._vocabulary.names(sentence)}
        best: tuple[float, int] | None = None
        for (n, stems), known in zip(self._stems, self._numbers, strict=True):
            if not stated <= known:
                continue
            found = total = 0.0
            new_found = 0
            for term in terms:
                weight = self._rarity.get(term, 1.0) * (2.0 if term in stated or term in named else 1.0)
                if term in self._asked:
                    weight *= _ECHO
                total += weight
                if term in stems:
                    found += weight
                    new_found += term not in self._asked
            if not total or (not new_found and found < total):
                continue
            share = found / total
            if share >= _SHARE_NEEDED and (best is None or share > best[0]):
                best = share, n
        return best[1] if best else None


class CitationEditor:
    """Edits an answer's pieces as they stream; an ``Editor`` of workbench.techniques.streaming.

    After ``end``, ``claimed`` and ``matched`` hold the numbers in the text, by their origin (the model, this editor).
    With ``verbatim`` the text is unchanged, since a mark would break the required format, and a bracket may mean
    something else: ``matched`` then holds the passages that support its parts.
    """

    def __init__(self, passages: Sequence[Passage], question: str = "", *, verbatim: bool = False) -> None:
        self._verbatim = verbatim
        self._shown = {p.n for p in passages}
        self._matcher = PassageMatcher(passages, question)
        self._held = ""  # not yet decided
        self._sentence = ""  # since the last sentence end, without citations
        self._cited = False  # whether this sentence has a citation
        self._code = ""  # the backticks that opened the current code
        self.claimed: set[int] = set()
        self.matched: set[int] = set()

    def feed(self, piece: str) -> str:
        self._held += piece
        return piece if self._verbatim else self._drain(final=False)

    def end(self, cut_short: bool = False) -> str:
        """The text held back. The last sentence gets no citation when it was cut short."""
        if self._verbatim:
            found = (self._matcher.match(part.strip()) for part in _PARTS.split(self._held) if part.strip())
            self.matched.update(n for n in found if n is not None)
            return ""
        if cut_short:
            self._cited = True
        return self._drain(final=True)

    def _drain(self, final: bool) -> str:
        out: list[str] = []
        while self._held:
            taken = self._step(final)
            if taken is None:
                break
            out.append(taken)
        if final:
            out.append(self._close_sentence())
        return "".join(out)

    def _step(self, final: bool) -> str | None:
        """Decide as much as possible from the front of the held text: the text to emit, or None to wait for more."""
        held = self._held
        if held[0] == "`":
            return self._step_backticks(final)
        if self._code:
            end = held.find("`")
            if len(self._code) < 3 and "\n" in held[: end if end >= 0 else None]:
                self._code = ""  # inline code does not cross lines: the backtick was a stray one
                return ""
            return self._take(end if end >= 0 else len(held), spoken=False)
        plain = _PLAIN.match(held)
        if plain:
            return self._take(plain.end())
        return self._step_boundary(final)

    def _step_backticks(self, final: bool) -> str | None:
        run = len(self._held) - len(self._held.lstrip("`"))
        if run == len(self._held) and not final:
            return None
        ticks = "`" * run
        if not self._code:
            self._code = ticks
        elif run >= len(self._code):
            self._code = ""
        return self._take(run, spoken=False)

    def _step_boundary(self, final: bool) -> str | None:
        """At a mark, white space or a bracket: whether a sentence ends, and the content of the bracket."""
        held = self._held
        mark = _MARK.match(held)
        mark_end = mark.end() if mark else 0
        rest = held[mark_end:]
        space = len(rest) - len(rest.lstrip())
        after = rest[space:]
        if not after and not final:
            return None
        if after.startswith("["):
            citation = _CITATION.match(after)
            if citation:
                return self._cite(held[:mark_end], rest[:space], citation)
            if _PERHAPS_CITATION.match(after) and not final:
                return None
        newline = "\n" in rest[:space]
        ended = newline or not after
        if mark and not ended:
            unspaced = mark.group()[0] in "。！？"
            ended = unspaced or (space > 0 and ends_sentence(self._sentence, mark.group(), after))
        if ended:
            cited = self._close_sentence()
            return cited + self._take(mark_end + space, spoken=False)
        if mark_end + space == 0:
            return self._take(1)  # a bracket without a citation
        return self._take(mark_end + space)

    def _cite(self, mark: str, space: str, citation: re.Match[str]) -> str:
        """A bracket of numbers: those of shown passages stay, each in a bracket of its own."""
        kept = [n for n in _numbers_of(citation.group(1)) if n in self._shown]
        self._held = self._held[len(mark) + len(space) + citation.end() :]
        self._sentence += mark
        if not kept:
            return mark
        self.claimed.update(kept)
        self._cited = True
        return mark + space + "".join(f"[{n}]" for n in kept)

    def _close_sentence(self) -> str:
        """End the sentence: the citation to add, where it has none and a passage supports it."""
        sentence, cited = self._sentence.strip(), self._cited
        self._sentence, self._cited = "", False
        if cited or not sentence or sentence.startswith("#"):
            return ""
        n = self._matcher.match(sentence)
        if n is None:
            return ""
        self.matched.add(n)
        return f" [{n}]"

    def _take(self, characters: int, *, spoken: bool = True) -> str:
        taken, self._held = self._held[:characters], self._held[characters:]
        if spoken:
            self._sentence += taken
        return taken


class Citing(Protocol):
    """An object with the cited passages: the editor, or the stored sequence."""

    @property
    def claimed(self) -> Collection[int]: ...

    @property
    def matched(self) -> Collection[int]: ...


def citations_of(answer: Citing, passages: Sequence[Passage]) -> tuple[Citation, ...]:
    """The citations in the edited answer, by number."""
    used = {*answer.claimed, *answer.matched}
    return tuple(as_citation(p, claimed=p.n in answer.claimed) for p in passages if p.n in used)


def cited(generated: Generated, editors: Sequence[CitationEditor]) -> tuple[Candidate, ...]:
    """All answers of a generation, with the numbers that each cites."""
    return tuple(
        msgspec.structs.replace(one, claimed=tuple(sorted(editor.claimed)), matched=tuple(sorted(editor.matched)))
        for one, editor in zip(answered(generated), editors, strict=True)
    )


def as_citation(passage: Passage, *, claimed: bool) -> Citation:
    """A citation that stores its passage."""
    return Citation(**shared(passage, Citation), claimed=claimed)


def _numbers_of(listed: str) -> list[int]:
    """The numbers of ``1, 3-5``."""
    found: list[int] = []
    for part in re.split(r"[,;]", listed):
        bounds = [int(b) for b in re.findall(r"\d+", part)]
        if bounds:
            found += range(bounds[0], bounds[-1] + 1) if bounds[-1] - bounds[0] <= 20 else bounds
    return list(dict.fromkeys(found))
