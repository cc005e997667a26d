"""The catalogue, and leases on the loaded model."""
