"""The calls on judgements."""
