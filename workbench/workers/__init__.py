"""Worker processes: one module each, and the protocol that they speak over stdin and stdout."""
