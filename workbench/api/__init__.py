"""What crosses a process boundary: calls, events, the local connection, its client and its service."""
