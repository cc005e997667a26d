"""Training as values: the config, the data report, the plan and the results.

``weights`` and ``config`` are what is asked for, ``data`` the report on the data, ``results`` the plan and what
comes of it, with its ``scores``. Window, terminal, core and worker share them; no heavy library is imported here.
"""

from __future__ import annotations

from workbench.records.training.config import *
from workbench.records.training.data import *
from workbench.records.training.fingerprints import *
from workbench.records.training.measured import *
from workbench.records.training.metrics import *
from workbench.records.training.results import *
from workbench.records.training.scores import *
from workbench.records.training.weights import *
