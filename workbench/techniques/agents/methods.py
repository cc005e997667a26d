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
        "The model thinks, calls a tool and reads its result, step by step, until it knows the answer.",
        "Yao et al. 2022, ReAct: Synergizing Reasoning and Acting in Language Models, arXiv:2210.03629",
        cost="For each tool call the model writes a thought, a choice and arguments, which use up the agent's budget "
        "of tokens.",
    ),
    _agent(
        "lookup",
        "Look up and quote",
        "The documents are searched, and searched again for what the first result leaves open, and the sentences "
        "that answer are quoted.",
        "Qi et al. 2019, Answering Complex Open-domain Questions Through Iterative Query Generation, arXiv:1910.07000",
        cost="It takes two searches, and no generation.",
        traits=("from documents alone",),
    ),
    _agent(
        "planning",
        "Plan and execute",
        "The model writes a plan of a few steps, carries out each with tools, and makes a new plan where one fails.",
        "Wang et al. 2023, Plan-and-Solve Prompting, arXiv:2305.04091",
        cost="It takes the plan and, for each step, its calls and a sentence about the result.",
    ),
    _agent(
        "team",
        "Team",
        "A supervisor chooses which other recipe works on the question, or two recipes debate and a judge decides.",
        "Du et al. 2023, Multiagent Debate, arXiv:2305.14325; Wu et al. 2023, AutoGen, arXiv:2308.08155",
        cost="It takes an answer of each specialist that is asked; a debate takes four answers and two judgements.",
        needs=("token_logprobs",),
        traits=("asks documents",),
    ),
    _agent(
        "reflexion",
        "Reflexion",
        "The model answers, the answer is checked, and the model writes down what went wrong and tries again. A later "
        "trial counts only where the check finds it better.",
        "Shinn et al. 2023, Reflexion: Language Agents with Verbal Reinforcement Learning, arXiv:2303.11366",
        cost="It takes up to three trials, each with a check and a reflection.",
        needs=("token_logprobs",),
    ),
    _agent(
        "critic",
        "CRITIC: check with tools",
        "The figures of a draft are checked with the calculator and its claims with the search of documents, and the "
        "model corrects what is wrong. A correction counts only where the same check finds it better.",
        "Gou et al. 2023, CRITIC: Large Language Models Can Self-Correct with Tool-Interactive Critiquing, "
        "arXiv:2305.11738",
        cost="It takes a draft, and up to four corrections.",
    ),
)
