"""The self-test of an engine: in processes of its own, beside the bundled engine, in limited time.

First the declarations of its llama-cpp-python are compared with those that the program was written for
(``workers/engine_check.py``), then the inference worker itself computes with it: probabilities, an adapter, an answer
with a fixed form, greedy tokens, embeddings. Whatever its library does happens to those processes only. Whether it
reads images is tried in another process: an engine that does not, or that crashes on them, answers texts all the same.
"""

from __future__ import annotations

import math
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError, WorkerDied, exit_reason
from workbench.base.pixels import Pixels, pack_pixels
from workbench.engine.inference_calls import Embed, Generate, Inspect, Load, LoraUse, Tokenize
from workbench.engine.structure_sizes import fits_declaration
from workbench.engine.trial_models import IMAGE_SIDE, write_adapter, write_encoder, write_generator, write_projector
from workbench.processes.alone import Overdue, last_line, run_alone
from workbench.processes.host import WorkerHost
from workbench.processes.process import ENGINE_VARIABLE
from workbench.records.engines import EngineTest
from workbench.records.messages import ChosenToken, ImagePart, Message, TextPart
from workbench.records.recipes import DecodingPart
from workbench.subjects.machine.trial import CONTEXT_TOKENS, MakeHost, ended_in_time
from workbench.workers.engine_check import LibraryApi

TOKENS = 64
LIMIT_S = 240.0
"""For each of the processes."""

ALIKE_TOKENS = 3
"""So many of the first greedy tokens must equal the bundled engine's; later ones may differ by rounding."""

MOST_DIVERGENCE = 0.05
"""Nats at any position. llama-cpp-python 0.3.35 and 0.3.36, compiled for one processor, compute the same with the
starter (Q4_1); a build of 0.3.35 for AVX2 differs from one for AVX-512 by 0.013 there, by rounding."""

LEAST_EFFECT = 0.01
"""Nats by which an adapter must change the probabilities at some position."""

LEAST_COSINE = 0.999
ALTERNATIVES = 24
IMAGE_TOKENS = 3
TEXT = "The capital of France is Paris, a city on the river Seine. It has about two million inhabitants."
PROMPT_TOKENS = 6
_FORM, _FORM_TOKENS = "[0-9]{6}", 24
_WORDS = ("a tiny model", "engines are tried with it")
Report = Callable[[str], None]


@dataclass(frozen=True)
class TrialFiles:
    """``model`` generates text, ``adapter`` fits it, ``encoder`` computes embeddings. ``seeing`` generates text from
    images by its ``projector``, ``image`` is one."""

    model: str
    adapter: str
    encoder: str
    seeing: str
    projector: str
    image: str


def try_engine(
    make_host: MakeHost,
    engine: Path,
    model: str,
    *,
    report: Report = lambda step: None,
    limit_s: float = LIMIT_S,
    context: RequestContext | None = None,
) -> EngineTest:
    """Compare the engine in a folder with the bundled one. ``make_host`` makes an inference worker with more
    environment; ``model`` is a small GGUF model for text generation, "" for a tiny one of random weights; ``report``
    gets the name of each step. The result's ``problem`` says why it must not be used. Raises errors.Cancelled."""
    context = context or RequestContext()
    began = time.monotonic()
    step = ""

    def at(name: str) -> None:
        nonlocal step
        step = name
        report(name)

    with tempfile.TemporaryDirectory(prefix="workbench-engine-") as scratch:
        test = EngineTest()
        try:
            environment = {ENGINE_VARIABLE: str(engine)}
            at("comparing what it declares with what the program calls")
            compare_apis(_api({}, limit_s, context), _api(environment, limit_s, context))
            files = _files(Path(scratch), model)
            ours = _Computed(make_host({}), files, limit_s, context, lambda name: at(f"{name}, by the bundled engine"))
            theirs = _Computed(make_host(environment), files, limit_s, context, at)
            ours_seen = _Seen(make_host({}), files, limit_s, context, lambda name: at(f"{name}, by the bundled engine"))
            theirs_seen = _Seen(make_host(environment), files, limit_s, context, at)
            at("comparing what both computed")
            test = msgspec.structs.replace(_compared(ours, theirs), images=_judged_images(ours_seen, theirs_seen))
        except UserError as error:
            test = EngineTest(problem=error.message)
        except Overdue:
            test = EngineTest(problem=f"It was not ready within {limit_s:g} seconds ({step}) and was stopped.")
        except WorkerDied as death:
            test = EngineTest(problem=_died(step, death.exit_code, last_line(death.stderr_tail)))
    return msgspec.structs.replace(
        test, step=step if test.problem else "", seconds=round(time.monotonic() - began, 1), at=time.time()
    )


def compare_apis(ours: LibraryApi, theirs: LibraryApi) -> None:
    """Raises UserError when an engine declares something that the program uses in another way than the bundled one, or
    when its library does not have the layout that its package declares."""
    if theirs.lacking:
        raise UserError(f"It lacks what this program calls: {_listed(theirs.lacking)}.")
    for name, declared in ours.functions.items():
        if (other := theirs.functions.get(name)) != declared:
            raise UserError(f"Its {name} is {other or 'no function'}; this program calls {declared}.")
    for name, declared in ours.fields.items():
        if (other := theirs.fields.get(name)) != declared:
            raise UserError(f"Its field {name} is {other or 'missing'}; this program uses it as {declared}.")
    for name, (declared_bytes, written) in theirs.written.items():
        if not fits_declaration(declared_bytes, written):
            raise UserError(
                f"Its library and its package do not belong together: {name} gives {written} bytes, and "
                f"{declared_bytes} are declared."
            )
    if theirs.flags:
        raise UserError(
            f"Its library and its package do not belong together: {_listed(theirs.flags)} is neither true nor false."
        )


def _api(environment: Mapping[str, str], limit_s: float, context: RequestContext) -> LibraryApi:
    ended = run_alone("engine-check", environment, limit_s, context)
    try:
        if ended.code == 0:
            return msgspec.json.decode((ended.out.strip().splitlines() or [""])[-1], type=LibraryApi)
    except msgspec.DecodeError:
        pass
    if ended.code > 0:  # Python's own words, as for a library that cannot be loaded
        raise UserError(f"Its library cannot be loaded: {ended.last_words or exit_reason(ended.code)}")
    raise WorkerDied("engine-check", ended.code, ended.err)


def _files(scratch: Path, model: str) -> TrialFiles:
    generator = Path(model) if model else write_generator(scratch / "generator.gguf")
    adapter = write_adapter(generator, scratch / "adapter.gguf")
    seeing = write_generator(scratch / "seeing.gguf") if model else generator
    image = scratch / "image.pixels"
    image.write_bytes(pack_pixels(_drawn(IMAGE_SIDE)))
    return TrialFiles(
        model=str(generator),
        adapter=str(adapter),
        encoder=str(write_encoder(scratch / "encoder.gguf")),
        seeing=str(seeing),
        projector=str(write_projector(scratch / "projector.gguf")),
        image=str(image),
    )


def _drawn(side: int) -> Pixels:
    """A picture of stripes and a gradient."""
    return Pixels(
        side, side, bytes((5 * x + 3 * y * (c + 1)) % 256 for y in range(side) for x in range(side) for c in range(3))
    )


class _Computed:
    """What one process computed with an engine. Raises UserError, WorkerDied, Overdue or errors.Cancelled."""

    def __init__(
        self, host: WorkerHost, files: TrialFiles, limit_s: float, context: RequestContext, at: Report
    ) -> None:
        with ended_in_time(host, limit_s, context):
            at("loading a model")
            loaded = host.call(
                Load(path=files.model, context_tokens=CONTEXT_TOKENS, gpu_layers=0, sequences=2), context=context
            )
            self.build = loaded.engine
            if loaded.context_tokens < CONTEXT_TOKENS:
                raise UserError(f"It made a context of {loaded.context_tokens} tokens in place of {CONTEXT_TOKENS}.")
            at("computing probabilities")
            (tokens,) = host.call(Tokenize(texts=(TEXT,), begin=True), context=context)
            prompt, answer = tokens[:PROMPT_TOKENS], tokens[PROMPT_TOKENS:]
            inspect = Inspect(prompt=prompt, answer=answer, alternatives=ALTERNATIVES)
            self.plain = host.call(inspect, context=context)
            at("applying an adapter")
            self.without, self.adapted = (
                host.call(
                    msgspec.structs.replace(inspect, adapters=(LoraUse(path=files.adapter, scale=scale),)),
                    context=context,
                )
                for scale in (0.0, 1.0)
            )
            at("computing an answer of a fixed form")
            decoding = DecodingPart(format="regex", grammar=_FORM, max_tokens=_FORM_TOKENS)
            self.formed = host.call(Generate(prompt=prompt, decoding=decoding), context=context).text
            at(f"computing {TOKENS} tokens")
            made = host.call(Generate(prompt=prompt, decoding=DecodingPart(max_tokens=TOKENS)), context=context)
            self.tokens = made.sequences[0].tokens if made.sequences else ()
            self.speed = made.usage.tokens_per_s
            at("computing embeddings")
            self.vectors = host.call(Embed(path=files.encoder, texts=_WORDS), context=context).vectors


class _Seen:
    """What one process made of an image with an engine: the tokens of an answer and the length of its prompt, or the
    ``problem``. Raises errors.Cancelled."""

    def __init__(
        self, host: WorkerHost, files: TrialFiles, limit_s: float, context: RequestContext, at: Report
    ) -> None:
        self.problem = ""
        self.prompt_tokens = 0
        self.tokens: Sequence[int] = ()
        step = "reading an image"
        at(step)
        image = ImagePart(path=files.image, sha256="0" * 64, width=IMAGE_SIDE, height=IMAGE_SIDE)
        question = Message.of_parts("user", [image, TextPart("What is it?")])
        decoding = DecodingPart(temperature=0.0, max_tokens=IMAGE_TOKENS)
        load = Load(
            path=files.seeing, projector=files.projector, context_tokens=CONTEXT_TOKENS, gpu_layers=0, sequences=2
        )
        try:
            with ended_in_time(host, limit_s, context):
                host.call(load, context=context)
                made = host.call(Generate(messages=(question,), decoding=decoding), context=context)
                self.prompt_tokens = made.usage.prompt_tokens
                self.tokens = made.sequences[0].tokens if made.sequences else ()
        except UserError as error:
            self.problem = error.message
        except Overdue:
            self.problem = f"It was not ready within {limit_s:g} seconds ({step}) and was stopped."
        except WorkerDied as death:
            self.problem = _died(step, death.exit_code, last_line(death.stderr_tail))


def _judged_images(ours: _Seen, theirs: _Seen) -> str:
    """Why an engine cannot be used for images, "" where it can. Where the bundled one cannot, an answer is enough."""
    if theirs.problem:
        return theirs.problem
    if not ours.problem and (theirs.prompt_tokens, theirs.tokens) != (ours.prompt_tokens, ours.tokens):
        return "It answers with another text about an image than the bundled engine."
    return ""


def _compared(ours: _Computed, theirs: _Computed) -> EngineTest:
    plain = _divergence(ours.plain, theirs.plain)
    same = next(
        (place for place, pair in enumerate(zip(ours.tokens, theirs.tokens, strict=False)) if pair[0] != pair[1]),
        min(len(ours.tokens), len(theirs.tokens)),
    )
    test = EngineTest(
        build=theirs.build, divergence=round(plain, 6), tokens=len(ours.tokens), same_tokens=same,
        speed=theirs.speed, bundled_speed=ours.speed,
    )  # fmt: skip
    return msgspec.structs.replace(test, problem=_judged(ours, theirs, plain, same))


def _judged(ours: _Computed, theirs: _Computed, plain: float, same: int) -> str:
    if not plain <= MOST_DIVERGENCE:
        return f"It computes other probabilities than the bundled engine: they differ by {plain:.3f} nats."
    if not _divergence(theirs.plain, theirs.without) <= MOST_DIVERGENCE:
        return "An adapter of scale 0 changes what it computes."
    if _divergence(theirs.plain, theirs.adapted) < LEAST_EFFECT:
        return "An adapter has no effect."
    if not (apart := _divergence(ours.adapted, theirs.adapted)) <= MOST_DIVERGENCE:
        return f"With an adapter it computes other probabilities than the bundled engine, by {apart:.3f} nats."
    if not re.fullmatch(_FORM, theirs.formed):
        return "Answers of a fixed form do not keep their form."
    if same < min(ALIKE_TOKENS, len(ours.tokens)) or not theirs.tokens:
        return "It answers with another text than the bundled engine."
    if not (cosine := _least_cosine(ours.vectors, theirs.vectors)) >= LEAST_COSINE:
        return f"It computes other embeddings than the bundled engine (cosine {cosine:.4f})."
    return ""


def _divergence(one: Sequence[ChosenToken], other: Sequence[ChosenToken]) -> float:
    """The largest Kullback-Leibler divergence at a position, over the most probable tokens of ``one``; what the other
    does not list counts as its least probable one. Not a number where either holds one."""
    if len(one) != len(other):
        return math.inf
    largest = 0.0
    for ours, theirs in zip(one, other, strict=True):
        known = {alternative.token: alternative.logprob for alternative in theirs.alternatives}
        least = min(known.values(), default=-math.inf)
        found = sum(
            math.exp(alternative.logprob) * (alternative.logprob - known.get(alternative.token, least))
            for alternative in ours.alternatives
        )
        if math.isnan(found):
            return found
        largest = max(largest, found)
    return largest


def _least_cosine(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> float:
    if len(ours) != len(theirs):
        return 0.0
    return min(sum(a * b for a, b in zip(x, y, strict=False)) for x, y in zip(ours, theirs, strict=True))


def _died(step: str, code: int | None, words: str) -> str:
    told = f" Its last words: {words}" if words else ""
    return f"It crashed while {step} ({exit_reason(code)}).{told}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"{', '.join(names[:6])}{more}"
