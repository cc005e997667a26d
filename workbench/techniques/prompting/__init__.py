"""Prompting: what a model is told before the conversation. The cheapest way to adapt it: no weight, no document.

Instructions in the system role: Ouyang et al. 2022, "Training language models to follow instructions with human
feedback" (arXiv:2203.02155).
"""
