"""Rows of the agents' methods.

To add one, put its module beside this one and its row into the table: docs/adding-a-technique.md.
"""

from __future__ import annotations

from importlib import import_module

from workbench.records.methods import Method, Trait
from workbench.records.recipes.agent import DEFAULT_AGENT


def _agent(
    name: str,
    title: str,
    summary: str,
    source: str,
    *,
    cost: str,
    needs: tuple[str, ...] = (),
    traits: tuple[Trait, ...] = (),
) -> Method:
    """The row of the module ``name`` of this package: its ``Options`` are the settings, its ``run`` carries it out. All
    of them go on from earlier steps (``steps.Recorded``), and have one answer."""
    path = f"workbench.techniques.agents.{name}"
    return Method(
        name=name,
        kind="agent",
        technique="agents",
        title=title,
        summary=summary,
        source=source,
        config=import_module(path).Options,
        entry=f"{path}:run",
        needs=("grammars", *needs),
        traits=("one answer", "resumes", *traits),
        cost=cost,
    )


METHODS = (
    _agent(
        DEFAULT_AGENT,
        "ReAct",
        "Step by step: think, call a tool, see its result, until the answer is known.",
        "Yao et al. 2022, ReAct: Synergizing Reasoning and Acting in Language Models, arXiv:2210.03629",
        cost="A thought, a choice and the arguments of each call, within the agent's budget.",
    ),
    _agent(
        "lookup",
        "Look up and quote",
        "Search the documents, search again for what the first result leaves open, and quote the sentences found.",
        "Qi et al. 2019, Answering Complex Open-domain Questions Through Iterative Query Generation, arXiv:1910.07000",
        cost="Two searches; no generation.",
        traits=("from documents alone",),
    ),
    _agent(
        "planning",
        "Plan and execute",
        "Write a plan of a few steps, carry out each with tools, and make a new plan where one fails.",
        "Wang et al. 2023, Plan-and-Solve Prompting, arXiv:2305.04091",
        cost="A plan, and per step its calls and a sentence on what was found.",
    ),
    _agent(
        "team",
        "Team",
        "A supervisor chooses which other recipe works on the question; or two of them debate, and a judge decides.",
        "Du et al. 2023, Multiagent Debate, arXiv:2305.14325; Wu et al. 2023, AutoGen, arXiv:2308.08155",
        cost="An answer of each specialist that is asked; in a debate four answers and a verdict in both orders.",
        needs=("token_logprobs",),
    ),
    _agent(
        "reflexion",
        "Reflexion",
        "Try, check the answer, reflect on what went wrong, and try again; a later trial counts only where the check "
        "finds it better.",
        "Shinn et al. 2023, Reflexion: Language Agents with Verbal Reinforcement Learning, arXiv:2303.11366",
        cost="Up to three trials with a check and a reflection each.",
        needs=("token_logprobs",),
    ),
    _agent(
        "critic",
        "CRITIC: check with tools",
        "Draft an answer, check its figures with the calculator and its claims with the search of documents, and "
        "correct what is wrong; a correction counts only where the same check finds it better.",
        "Gou et al. 2023, CRITIC: Large Language Models Can Self-Correct with Tool-Interactive Critiquing, "
        "arXiv:2305.11738",
        cost="A draft, and up to four corrections.",
    ),
)
