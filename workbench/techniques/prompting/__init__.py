"""Prompting: the instructions, and the techniques that drive one or many generations over the messages of a question.

The cheapest way to adapt a model: no weight changes, no document is needed. Instructions in the system role: Ouyang et
al. 2022, "Training language models to follow instructions with human feedback" (arXiv:2203.02155).
"""
