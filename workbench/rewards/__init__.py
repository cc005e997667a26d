"""Rewards: what an answer is worth, as a number, to a training of a policy and to an evaluation alike.

One module per family; their rows are in ``methods.py``. A reward knows no model, process or storage: what it asks
(format checks, programs, reward models, judges) it asks a ``RewardContext``.
"""
