"""Images that people show a model: decoded once, kept by their content, deleted with what shows them."""
