"""METHODS: the methods of prompting, decoding, retrieval, agents, tools, fine-tuning and rewards, collected from the
rows that stand next to them.

Answering and the training worker take a row from here and ``load()`` it. ``workbench.methods`` joins these with the
scorers and optimisers of evaluation. Importing this loads neither numpy nor a model library.
"""

from __future__ import annotations

from workbench.records.methods import Method, Methods
from workbench.rewards.methods import METHODS as REWARDS
from workbench.techniques.agents.methods import METHODS as AGENTS
from workbench.techniques.decoding.methods import METHODS as DECODING
from workbench.techniques.finetuning.methods import METHODS as FINETUNING
from workbench.techniques.prompting.methods import METHODS as PROMPTING
from workbench.techniques.retrieval.methods import METHODS as RETRIEVAL
from workbench.techniques.tools.methods import METHODS as TOOLS

METHODS: Methods[Method] = Methods((*PROMPTING, *DECODING, *RETRIEVAL, *AGENTS, *TOOLS, *FINETUNING, *REWARDS))
