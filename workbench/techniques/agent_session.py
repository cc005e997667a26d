"""What an answer has to do with tools, with the person who is asked about them, and with the answer it goes on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.backends.backend import ModelBackend
from workbench.records.agents import Decision, ToolInfo
from workbench.records.recipes import Recipe
from workbench.records.trace import StepEdit, TraceStep
from workbench.techniques.tools.approval import Exposure, Policy
from workbench.techniques.tools.guard import Guard
from workbench.techniques.tools.services import ToolServices


@dataclass(frozen=True)
class Specialist:
    """Another recipe that answers for an agent, on the same model: ``model`` has its adapters."""

    recipe: Recipe
    model: ModelBackend


@dataclass(frozen=True)
class AgentSession:
    """``tools`` is what the tools of an agent use, ``decisions`` are those of the person on its calls that were not
    carried out yet; ``asks``: there is a person who can be asked. ``policy`` says which calls need one, ``exposure``
    what the conversation already holds of strangers' and private text; the ``guard`` of the tools sees to it.
    ``specialists`` are the other recipes of an agent's team. The asking program runs ``client_tools``: one is called
    (``must_call``), or may be. ``earlier`` are the steps of the answer that this one goes on from, with a person's
    ``edit`` of one of them; other techniques than agents resume as well."""

    tools: ToolServices | None = None
    decisions: tuple[Decision, ...] = ()
    asks: bool = False
    policy: Policy = field(default_factory=Policy)
    exposure: Exposure = field(default_factory=Exposure)
    guard: Guard | None = None
    specialists: Mapping[str, Specialist] = field(default_factory=dict)
    client_tools: tuple[ToolInfo, ...] = ()
    must_call: bool = False
    earlier: tuple[TraceStep, ...] = ()
    edit: StepEdit | None = None
