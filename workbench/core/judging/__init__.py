"""Rewards and judges of a home: answers scored, judges measured and used, win rates."""
