"""The weights methods: which weights of a model are trained, each with its numbers for the plan and its model in
torch."""
