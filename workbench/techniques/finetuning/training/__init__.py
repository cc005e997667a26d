"""One training: methods, batches, the trainer, checkpoints, scores."""
