"""Fine-tuning in the registry: the rows of its objectives and weights methods. ``workbench.training`` does the work."""
