"""What computes the models on this machine, and the diagnosis of it."""
