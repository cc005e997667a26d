"""The network: one gate that decides which connections may be made, and the HTTP client that goes through it."""
