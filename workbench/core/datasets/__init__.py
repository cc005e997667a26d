"""Sets of training examples."""
