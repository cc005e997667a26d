"""Rows of the prompt optimisers. To add one, put its module beside this one and its row into the table."""

from __future__ import annotations

from workbench.records.methods import Method, Methods
from workbench.subjects.evaluation.optimisers import bootstrapping, opro

OPTIMISERS: Methods[Method] = Methods(
    (
        Method(
            name="bootstrap",
            kind="optimiser",
            technique="prompting",
            title="Bootstrapped examples",
            summary="Solved examples are added to the prompt: accepted answers or similar questions. The choice "
            "that scores best is taken.",
            source="Khattab et al. 2023, DSPy, arXiv:2310.03714; "
            "Liu et al. 2021, In-Context Examples, arXiv:2101.06804",
            config=bootstrapping.Options,
            entry="workbench.subjects.evaluation.optimisers.bootstrapping:search",
            cost="The search takes many answers to tuning questions, within the budget.",
        ),
        Method(
            name="opro",
            kind="optimiser",
            technique="prompting",
            title="Instruction search (OPRO)",
            summary="A model writes instructions after those that were tried, with their scores; "
            "the best one is taken.",
            source="Yang et al. 2023, Large Language Models as Optimizers, arXiv:2309.03409; "
            "Karnin et al. 2013, Almost Optimal Exploration in Multi-Armed Bandits, "
            "https://proceedings.mlr.press/v28/karnin13.html",
            config=opro.Options,
            entry="workbench.subjects.evaluation.optimisers.opro:search",
            cost="The search takes many answers to tuning questions, within the budget, and the writing of each "
            "instruction.",
        ),
    )
)
