"""Rows of prompting: the techniques that drive one or many generations over the messages of a question.

To add one, put its module beside this one and its row into the table: docs/adding-a-technique.md.
"""

from __future__ import annotations

from importlib import import_module

from workbench.records.methods import Method, Trait
from workbench.records.recipes.parts import COMPLETION_TECHNIQUE, DEFAULT_TECHNIQUE


def _technique(
    name: str, title: str, summary: str, source: str, *traits: Trait, cost: str = "", needs: tuple[str, ...] = ()
) -> Method:
    """The row of the module ``name`` of this package: its ``Options`` are the settings, its ``run`` carries it out, its
    ``check_edit``, if any, refuses what a person cannot change."""
    path = f"workbench.techniques.prompting.{name.replace('-', '_')}"
    module = import_module(path)
    return Method(
        name=name,
        kind="technique",
        technique="prompting",
        title=title,
        summary=summary,
        source=source,
        config=module.Options,
        entry=f"{path}:run",
        edit_check=f"{path}:check_edit" if hasattr(module, "check_edit") else "",
        needs=needs,
        traits=traits,
        cost=cost,
    )


METHODS = (
    _technique(
        DEFAULT_TECHNIQUE,
        "Direct",
        "Answer in one generation, after the instructions.",
        "Ouyang et al. 2022, Training language models to follow instructions, arXiv:2203.02155",
    ),
    _technique(
        COMPLETION_TECHNIQUE,
        "Plain completion",
        "Continue the question's text, without the chat template: as benchmarks ask, and for base models.",
        "Brown et al. 2020, Language Models are Few-Shot Learners, arXiv:2005.14165",
        needs=("continues_from_tokens",),
    ),
    _technique(
        "chain-of-thought",
        "Chain of thought",
        "Reason step by step, then extract the answer in a constrained form.",
        "Kojima et al. 2022, Zero-Shot Reasoners, arXiv:2205.11916; Wei et al. 2022, Chain-of-Thought Prompting, "
        "arXiv:2201.11903",
        "one answer",
        "resumes",
        cost="Two generations per answer.",
        needs=("grammars",),
    ),
    _technique(
        "self-consistency",
        "Self-consistency",
        "Draw several reasonings; the answer that most of them reach wins.",
        "Wang et al. 2022, Self-Consistency Improves Chain of Thought Reasoning, arXiv:2203.11171",
        "one answer",
        cost="Up to twice as many generations as samples; they share the prompt.",
        needs=("grammars",),
    ),
    _technique(
        "least-to-most",
        "Least-to-most",
        "Take the question apart and answer the smaller questions one after another.",
        "Zhou et al. 2022, Least-to-Most Prompting, arXiv:2205.10625",
        "one answer",
        cost="Two generations and one for each smaller question.",
        needs=("grammars",),
    ),
    _technique(
        "step-back",
        "Step-back",
        "Answer the more general question first, then this one.",
        "Zheng et al. 2023, Take a Step Back, arXiv:2310.06117",
        "one answer",
        cost="Four generations per answer.",
        needs=("grammars",),
    ),
    _technique(
        "generated-knowledge",
        "Generated knowledge",
        "Write statements that help, and keep the answer that one of them makes surest.",
        "Liu et al. 2021, Generated Knowledge Prompting for Commonsense Reasoning, arXiv:2110.08387",
        "one answer",
        cost="A statement and an answer for each; they share the prompt.",
        needs=("grammars", "token_logprobs"),
    ),
    _technique(
        "best-of-n",
        "Best of n",
        "Draw several answers; the one that a reward model scores highest wins.",
        "Stiennon et al. 2020, Learning to summarize from human feedback, arXiv:2009.01325",
        "one answer",
        cost="As many generations as candidates, and an evaluation of each.",
    ),
    _technique(
        "self-refine",
        "Self-refine",
        "Criticise and rewrite a draft; a rewriting counts only where a check finds it better.",
        "Madaan et al. 2023, Self-Refine: Iterative Refinement with Self-Feedback, arXiv:2303.17651",
        "one answer",
        cost="A criticism, a rewriting, a rating and a comparison for each round.",
        needs=("token_logprobs",),
    ),
    _technique(
        "tree-of-thoughts",
        "Tree of thoughts",
        "Propose partial solutions, judge them, and search the tree of them.",
        "Yao et al. 2023, Tree of Thoughts, arXiv:2305.10601",
        "one answer",
        "resumes",
        cost="A generation for each expanded state and a judgement for each thought, within the budget.",
        needs=("grammars", "token_logprobs"),
    ),
    _technique(
        "art",
        "Program with tools (ART)",
        "Answer by a program of steps that call tools, after examples of similar tasks.",
        "Paranjape et al. 2023, ART: Automatic multi-step reasoning and tool-use, arXiv:2303.09014",
        "one answer",
        "resumes",
        "embeds",
        "demonstrations",
        cost="A short generation for each line of the program.",
        needs=("grammars", "continues_from_tokens"),
    ),
)
