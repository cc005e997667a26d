"""The steps of an answer: outline, tree of thoughts, timeline of an agent, and what can be done with a step."""
