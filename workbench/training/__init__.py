"""Training: data, weights, trainer, checkpoints, evaluation. Shared by fine-tuning and preferences."""
