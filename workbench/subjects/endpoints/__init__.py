"""Remote endpoints that answer in place of a local model, and what may be sent to them."""
