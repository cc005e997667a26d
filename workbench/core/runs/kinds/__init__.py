"""One module per kind of run."""
