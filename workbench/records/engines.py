"""Values of engines: the llama.cpp that models are computed with, its self-test, and what was chosen and why."""

from __future__ import annotations

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored

BUNDLED = "bundled"
"""The name of the engine that the program came with."""


class EngineTest(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine did in processes of its own, beside the bundled one. ``problem`` says why it must not be used, ""
    where it passed; ``step`` is what was being tried then.

    ``divergence`` is the largest Kullback-Leibler divergence (nats) of its next-token probabilities from the bundled
    engine's; ``same_tokens`` of ``tokens`` greedy tokens came out alike before the first other one; speeds are in
    tokens per second. ``build`` is llama.cpp as it names itself. The result holds for this ``engine`` (a digest of its
    files), ``program`` (the version and the bundled engine) and ``processor``. ``images`` says why it reads no images,
    "" where it read one as the bundled engine does; None where that was not tried.
    """

    problem: Shown = ""
    step: Shown = ""
    build: str = ""
    divergence: float = 0.0
    tokens: int = 0
    same_tokens: int = 0
    speed: float = 0.0
    bundled_speed: float = 0.0
    seconds: float = 0.0
    at: float = 0.0
    engine: str = ""
    program: str = ""
    processor: str = ""
    images: Shown | None = None


class EngineRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An installed engine. ``version`` is that of llama-cpp-python, ``source`` what it was made from; ``signed``: it
    came as a signed pack. ``test`` is None before the first; ``outdated``: it was of another program or processor."""

    name: str
    version: str
    source: str = ""
    signed: bool = False
    bytes: int = 0
    test: EngineTest | None = None
    outdated: bool = False


class EngineState(msgspec.Struct, frozen=True, kw_only=True):
    """The engines of a home. ``chosen`` is the one that the person chose, ``used`` the one that models start with;
    ``reason`` is a sentence. ``notice`` is "" unless a chosen engine has stopped working and nobody was told yet.
    ``bundled`` is the bundled engine's version, ``bundled_images``: its library for images is there."""

    engines: tuple[EngineRecord, ...] = ()
    chosen: str = BUNDLED
    used: str = BUNDLED
    reason: Shown = ""
    notice: Shown = ""
    bundled: str = ""
    bundled_images: bool = True


class EngineChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The choice as it is stored. ``stopped`` says why the chosen engine is not used, "" while it is."""

    engine: str = BUNDLED
    stopped: str = ""
    notice: str = ""


class EngineOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A release of the package index. ``wheel``: nothing has to be compiled."""

    version: str
    wheel: bool
    bytes: int = 0


ENGINE_TEST: Stored[EngineTest] = Stored("self-test of this engine", EngineTest)
ENGINE_CHOICE: Stored[EngineChoice] = Stored("choice of the engine", EngineChoice)
