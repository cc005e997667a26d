"""Worker processes: one module each, and their protocol over stdin and stdout."""
