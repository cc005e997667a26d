"""The page of evaluations: question sets, the grid of recipes and questions, and what it shows."""
