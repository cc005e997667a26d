"""Agents: a model that chooses tools, sees their results, and goes on until it answers.

ReAct (Yao et al. 2022, arXiv:2210.03629) is the loop; planning, teams, Reflexion and CRITIC are built on it. Every call
is constrained to the tool's schema, every acting one is written to the disk before it runs, and what untrusted text has
touched asks the person first.
"""
