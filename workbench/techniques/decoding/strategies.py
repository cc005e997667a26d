"""The job that carries out a recipe's decoding, and what it needs beside the model: a constraint, draft tokens."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.detokenizer import Detokenizer
from workbench.engine.draft_tokens import DraftModel, DraftUse, check_vocabularies
from workbench.engine.inference_calls import Generate, Load, start_text
from workbench.engine.jobs import Job
from workbench.engine.keys import make_key, virtual_tokens
from workbench.engine.loading import Model, inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt
from workbench.engine.vocabulary import Vocabulary
from workbench.records.capabilities import ENCODER_DECODER
from workbench.records.messages import Finish
from workbench.records.methods import MethodInfo
from workbench.records.recipes import (
    DEFAULT_STRATEGY,
    DecodingPart,
    follows_beams,
    normalized,
    notes_on,
    notes_on_drafts,
    problem_of,
)
from workbench.techniques.decoding.answer_job import GenerationRequest
from workbench.techniques.decoding.methods import strategy_of
from workbench.techniques.decoding.speculative import Drafter, NgramDrafter, Speculation

if TYPE_CHECKING:
    from workbench.techniques.decoding.constraints import Constraint

EXACT_GUESSES = 1
"""A deterministic model computes every token of an answer in a batch of two rows: see ``Speculation``."""


_LOOK_S = 0.05


class Strategies:
    """Makes the jobs of one worker. Thread-safe."""

    def __init__(self) -> None:
        self._draft: tuple[str, DraftModel] | None = None
        self._changing_draft = threading.Lock()

    def make_job(self, call: Generate, prompt: Prompt, engine: Engine, context: RequestContext, started: float) -> Job:
        """The job of the recipe's strategy, which its row loads. Raises UserError for a recipe that cannot be carried
        out."""
        strategy = strategy_of(call.decoding)
        decoding, model = normalized(call.decoding, strategy), engine.model
        if problem := problem_of(decoding, strategy):
            raise UserError(problem)
        vocabulary = model.vocabulary
        key = make_key(call.adapters)
        context_tokens = model.context_tokens - virtual_tokens(key)
        constraint = None
        if decoding.format != "text":
            from workbench.techniques.decoding.constraints import make_constraint

            room = context_tokens - len(prompt.tokens) - len(call.answer)
            sequences = max(decoding.n, _beams(decoding, strategy))
            limit = len(call.answer) + max(1, min(decoding.max_tokens, room // sequences))
            constraint = make_constraint(decoding, vocabulary, limit)
        ended = finish_reason(call.answer, prompt, decoding, vocabulary, constraint)
        if ended is not None:  # whatever the strategy, there is one answer, and it is there
            decoding = msgspec.structs.replace(decoding, strategy=DEFAULT_STRATEGY, temperature=0.0, n=1)
            strategy = strategy_of(decoding)
        options: dict[str, Any] = {}
        if "free text" not in strategy.traits:
            options["constraint"] = constraint
        speculation = None
        if "searches" not in strategy.traits:
            if ended is None:
                speculation = self._speculation(call, decoding, engine, context, min(prompt.tokens) < 0)
            options |= {"ended": ended, "speculation": speculation}
        try:
            request = GenerationRequest(
                prompt,
                decoding,
                vocabulary,
                context_tokens,
                context,
                started,
                key=key,
                background=call.background,
                answer=call.answer,
                assistant_start=start_text(call.assistant_start),
            )
            job: Job = strategy.load()(request, **options)
        except BaseException:
            if speculation is not None:
                speculation.close()
            raise
        if job.logits_from == 0 and min(prompt.tokens) < 0:
            job.release()
            raise UserError(
                "This decoding strategy looks at the probabilities of the whole prompt; an image has none.",
                "Choose another decoding strategy for a question about an image.",
            )
        return job

    def notes(self, decoding: DecodingPart, model: Model) -> list[str]:
        """Sentences about what the recipe asks for and this model's answer goes without."""
        strategy = strategy_of(decoding)
        drafts = notes_on_drafts(decoding, strategy, rewindable=model.rewindable, deterministic=model.deterministic)
        return [*notes_on(decoding, strategy), *drafts]

    def forget(self) -> None:
        """Free the resources of the loaded model, as soon as no answer uses them."""
        with self._changing_draft:
            self._retire_draft()

    def _retire_draft(self) -> None:
        if self._draft is not None:
            self._draft[1].retire()
            self._draft = None

    def _speculation(
        self,
        call: Generate,
        decoding: DecodingPart,
        engine: Engine,
        context: RequestContext,
        shows_images: bool,
    ) -> Speculation | None:
        exact = engine.model.deterministic
        kind = decoding.speculation
        if not engine.model.rewindable or decoding.n > 1 or (kind == "off" and not exact):
            return None
        drafter: Drafter | None = None
        if kind == "draft" and not shows_images:  # the draft model does not see them
            drafter = self._draft_model(call, engine, context)
        elif kind == "ngram" or exact:
            drafter = NgramDrafter()
        most = EXACT_GUESSES if exact else decoding.draft_tokens
        return Speculation(drafter, most, always=exact)

    def _draft_model(self, call: Generate, engine: Engine, context: RequestContext) -> DraftUse:
        path = call.draft_path
        if not path:
            raise UserError("No draft model is set.", "Choose a draft model, or set speculation to ngram.")
        if engine.model.decoder_start is not None or inspect_model(path).model.architecture in ENCODER_DECODER:
            raise UserError(
                "Draft models work between models without an encoder only.", "Set speculation to ngram, or to off."
            )
        while not self._changing_draft.acquire(timeout=_LOOK_S):  # another request may be loading it
            context.raise_if_cancelled()
        try:
            if self._draft is None or self._draft[0] != path:
                draft = DraftModel(_load_draft(path, engine, context), lambda: engine.threads)
                try:
                    check_vocabularies(engine.model.vocabulary, draft.model.vocabulary, Path(path).name)
                except BaseException:
                    draft.retire()
                    raise
                self._retire_draft()
                self._draft = path, draft
            return self._draft[1].use()
        finally:
            self._changing_draft.release()


def _load_draft(path: str, engine: Engine, context: RequestContext) -> Model:
    load = Load(path=path, context_tokens=engine.model.context_tokens, threads=engine.model.info.threads)
    steps = load_model(load, inspect_model(path), context)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            model: Model = done.value
            return model


def _beams(decoding: DecodingPart, strategy: MethodInfo) -> int:
    return decoding.num_beams + decoding.keep_greedy if follows_beams(decoding, strategy) else 1


def finish_reason(
    answer: Sequence[int], prompt: Prompt, decoding: DecodingPart, vocabulary: Vocabulary, constraint: Constraint | None
) -> Finish | None:
    """The finish reason if these tokens end the answer already: the model's end token, a stop string, a complete
    format; else None.

    Raises UserError where the format does not allow them.
    """
    detokenizer = Detokenizer(prompt, decoding.stop, vocabulary, None)
    held = constraint.copy() if constraint is not None else None
    for token in answer:
        if held is not None:
            held.accept(token)
        if vocabulary.ends_generation(token):
            return "eos" if held is None else "grammar"
        if detokenizer.feed(token, 0.0):
            return "stop"
    return "grammar" if held is not None and held.complete else None


def check_tokens(tokens: Sequence[int], vocabulary: Vocabulary) -> None:
    """Raises UserError for token ids that the model does not have: they belong to another model."""
    if not tokens or not all(0 <= token < vocabulary.size for token in tokens):
        raise UserError(
            "These tokens are not in the vocabulary of the loaded model.",
            "Answer the question again with the loaded model.",
        )


def check_prompt(prompt: Sequence[int], answer: Sequence[int], vocabulary: Vocabulary) -> None:
    """As ``check_tokens`` of a prompt and a begun answer. The prompt may contain tokens of images, which are checked
    where they are looked up (``Vision.images_of``)."""
    check_tokens([0 if token < 0 else token for token in prompt], vocabulary)
    if answer:
        check_tokens(answer, vocabulary)
