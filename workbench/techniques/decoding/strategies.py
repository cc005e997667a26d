"""Which job carries out a recipe's decoding, and what it needs beside the model: a constraint, a model that guesses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.engine.adapters import make_key
from workbench.engine.drafting import DraftModel, check_vocabularies
from workbench.engine.jobs import Job
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt
from workbench.engine.protocol import Generate, Load
from workbench.engine.vocabulary import Vocabulary
from workbench.errors import UserError
from workbench.protocol import RequestContext
from workbench.recipes import DecodingPart
from workbench.techniques.decoding.generation import Generation
from workbench.techniques.decoding.speculative import Drafter, NgramDrafter, Speculation

EXACT_GUESSES = 1
"""A deterministic model computes every token of an answer in a batch of two rows: see ``Speculation``."""


class Strategies:
    """Makes the jobs of one worker. ``make_job`` may be called from any thread."""

    def __init__(self) -> None:
        self._draft: tuple[str, DraftModel] | None = None

    def make_job(self, call: Generate, prompt: Prompt, engine: Engine, context: RequestContext, started: float) -> Job:
        """Raises UserError for a recipe that cannot be carried out."""
        decoding, model = call.decoding, engine.model
        vocabulary = model.vocabulary
        constraint = None
        if decoding.format != "text":
            from workbench.techniques.decoding.constraints import make_constraint

            room = model.context_tokens - len(prompt.tokens) - len(call.answer)
            limit = max(1, min(decoding.max_tokens, room // max(decoding.n, _beams(decoding))))
            constraint = make_constraint(decoding, vocabulary, limit)
        key = make_key(call.adapters)
        if decoding.strategy == "beam":
            from workbench.techniques.decoding.beam import BeamJob

            return BeamJob(
                prompt,
                decoding,
                vocabulary,
                model.context_tokens,
                context,
                started=started,
                constraint=constraint,
                key=key,
                background=call.background,
                answer=call.answer,
                assistant_start=call.assistant_start,
            )
        if decoding.strategy == "contrastive":
            if constraint is not None:
                raise UserError(
                    "Contrastive search cannot keep to a form of the answer.", "Set the strategy to sampling or beam."
                )
            from workbench.techniques.decoding.contrastive import ContrastiveJob

            return ContrastiveJob(
                prompt,
                decoding,
                vocabulary,
                model.context_tokens,
                context,
                started=started,
                key=key,
                background=call.background,
                answer=call.answer,
                assistant_start=call.assistant_start,
            )
        return Generation(
            prompt,
            decoding,
            vocabulary,
            model.context_tokens,
            context,
            started=started,
            assistant_start=call.assistant_start,
            answer=call.answer,
            constraint=constraint,
            speculation=self._speculation(call, engine, context),
            key=key,
            background=call.background,
        )

    def forget(self) -> None:
        """Free what goes with the loaded model. On the engine's thread."""
        if self._draft is not None:
            self._draft[1].free()
            self._draft = None

    def _speculation(self, call: Generate, engine: Engine, context: RequestContext) -> Speculation | None:
        exact = engine.model.deterministic
        kind = call.decoding.speculation
        if not engine.model.rewindable or (kind == "off" and not exact):
            return None
        drafter: Drafter | None = None
        if kind == "draft":
            drafter = self._draft_model(call, engine, context)
        elif kind == "ngram" or exact:
            drafter = NgramDrafter()
        most = EXACT_GUESSES if exact else call.decoding.draft_tokens
        return Speculation(drafter, most, always=exact)

    def _draft_model(self, call: Generate, engine: Engine, context: RequestContext) -> DraftModel:
        path = call.draft_path
        if not path:
            raise UserError("No draft model is set.", "Choose one, or set speculation to ngram.")
        if self._draft is not None and self._draft[0] == path:
            return self._draft[1]
        details = inspect_model(path)
        info = engine.model.info
        load = Load(path=path, context_tokens=engine.model.context_tokens, threads=info.threads)
        steps = load_model(load, details, context)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                model = done.value
                break
        try:
            check_vocabularies(engine.model.vocabulary, model.vocabulary, Path(path).name)
        except UserError:
            engine.ask(lambda: DraftModel(model).free())
            raise
        made = DraftModel(model)

        def replace() -> DraftModel:
            self.forget()
            self._draft = (path, made)
            return made

        return engine.ask(replace)


def _beams(decoding: DecodingPart) -> int:
    return decoding.num_beams if decoding.strategy == "beam" else 1


def check_tokens(tokens: Sequence[int], vocabulary: Vocabulary) -> None:
    """Raises UserError for token ids that the model does not have: they are those of another model."""
    if not tokens or not all(0 <= token < vocabulary.size for token in tokens):
        raise UserError(
            "These tokens are not the loaded model's.", "Answer the question again with the model that is loaded."
        )
