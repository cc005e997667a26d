"""A closer look at an answer: its tokens with their probabilities, and the tree of its beams."""
