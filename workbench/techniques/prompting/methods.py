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
        "The model answers at once, after reading the instructions.",
        "Ouyang et al. 2022, Training language models to follow instructions, arXiv:2203.02155",
        "shows images",
    ),
    _technique(
        COMPLETION_TECHNIQUE,
        "Plain completion",
        "The model continues the text of the question, without its chat template, as benchmarks ask and as suits "
        "base models.",
        "Brown et al. 2020, Language Models are Few-Shot Learners, arXiv:2005.14165",
        needs=("continues_from_tokens",),
    ),
    _technique(
        "chain-of-thought",
        "Chain of thought",
        "The model reasons step by step, and its final answer is then extracted from the reasoning.",
        "Kojima et al. 2022, Zero-Shot Reasoners, arXiv:2205.11916; Wei et al. 2022, Chain-of-Thought Prompting, "
        "arXiv:2201.11903",
        "one answer",
        "resumes",
        "shows images",
        cost="An answer takes two generations.",
        needs=("grammars",),
    ),
    _technique(
        "self-consistency",
        "Self-consistency",
        "The model reasons several times in different ways, and the final answer that most of these reasonings reach "
        "is given.",
        "Wang et al. 2022, Self-Consistency Improves Chain of Thought Reasoning, arXiv:2203.11171",
        "one answer",
        "shows images",
        cost="The model writes up to two texts (generations) for each reasoning, and reads the prompt once.",
        needs=("grammars",),
    ),
    _technique(
        "least-to-most",
        "Least-to-most",
        "The question is divided into smaller ones, which are answered one after the other.",
        "Zhou et al. 2022, Least-to-Most Prompting, arXiv:2205.10625",
        "one answer",
        cost="An answer takes two generations, and one for each smaller question.",
        needs=("grammars",),
    ),
    _technique(
        "step-back",
        "Step-back",
        "The model answers a more general question first, and then this one with that in mind.",
        "Zheng et al. 2023, Take a Step Back, arXiv:2310.06117",
        "one answer",
        cost="An answer takes four generations.",
        needs=("grammars",),
    ),
    _technique(
        "generated-knowledge",
        "Generated knowledge",
        "The model writes facts that may help, answers with each of them, and the answer of which it is surest is "
        "given.",
        "Liu et al. 2021, Generated Knowledge Prompting for Commonsense Reasoning, arXiv:2110.08387",
        "one answer",
        cost="The model writes two texts (generations) for each fact, and reads the prompt once.",
        needs=("grammars", "token_logprobs"),
    ),
    _technique(
        "best-of-n",
        "Best of n",
        "Several answers are drawn, and the one that a reward model scores highest is given.",
        "Stiennon et al. 2020, Learning to summarize from human feedback, arXiv:2009.01325",
        "one answer",
        cost="An answer takes one generation for each candidate, and the reward model scores each.",
    ),
    _technique(
        "self-refine",
        "Self-refine",
        "The model criticises its draft and rewrites it. A new draft is kept only where a check finds it better.",
        "Madaan et al. 2023, Self-Refine: Iterative Refinement with Self-Feedback, arXiv:2303.17651",
        "one answer",
        cost="Each round takes a criticism, a new draft, a rating and a comparison.",
        needs=("token_logprobs",),
    ),
    _technique(
        "tree-of-thoughts",
        "Tree of thoughts",
        "The model proposes several next thoughts, judges each, and goes on from the best ones.",
        "Yao et al. 2023, Tree of Thoughts, arXiv:2305.10601",
        "one answer",
        "resumes",
        cost="An answer takes a generation for each thought that is continued and a judgement of each thought, "
        "within the budget.",
        needs=("grammars", "token_logprobs"),
    ),
    _technique(
        "art",
        "Program with tools (ART)",
        "The model writes a short program of steps that call tools, after the pattern of solved examples.",
        "Paranjape et al. 2023, ART: Automatic multi-step reasoning and tool-use, arXiv:2303.09014",
        "one answer",
        "resumes",
        "embeds",
        "demonstrations",
        cost="An answer takes a short generation for each line of the program.",
        needs=("grammars", "continues_from_tokens"),
    ),
)
