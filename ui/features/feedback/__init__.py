"""The feedback page: judgements are reviewed, made in a row, imported and exported, and learnt from."""
