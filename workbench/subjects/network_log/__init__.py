"""The requests that left this machine, as a client sees them."""
