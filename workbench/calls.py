"""The calls that window, terminal and scripts make, as values, with the type of what each one returns.

``Workbench.handle(call)`` answers them in process, ``Client`` over the local connection. Each subject defines its own,
in its module ``calls``; here they have one name space.
"""

from __future__ import annotations

from typing import Any

from workbench.api.protocol import Call
from workbench.subjects.adapters.calls import *
from workbench.subjects.agents.calls import *
from workbench.subjects.backup.calls import *
from workbench.subjects.chats.calls import *
from workbench.subjects.costs.calls import *
from workbench.subjects.datasets.calls import *
from workbench.subjects.documents.calls import *
from workbench.subjects.endpoints.calls import *
from workbench.subjects.evaluation.calls import *
from workbench.subjects.formulas.calls import *
from workbench.subjects.images.calls import *
from workbench.subjects.judgements.calls import *
from workbench.subjects.ladder.calls import *
from workbench.subjects.machine.calls import *
from workbench.subjects.models.calls import *
from workbench.subjects.network_log.calls import *
from workbench.subjects.prompts.calls import *
from workbench.subjects.recipes.calls import *
from workbench.subjects.runs.calls import *
from workbench.subjects.serving.calls import *
from workbench.subjects.trainings.calls import *
from workbench.subjects.trash.calls import *

ALL: tuple[type[Call[Any]], ...] = tuple(
    value
    for _, value in sorted(globals().items())
    if isinstance(value, type) and issubclass(value, Call) and value.__module__.endswith(".calls")
)
"""Every call. One that is added to the ``calls`` of a subject is among them."""
