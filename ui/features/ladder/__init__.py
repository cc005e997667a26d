"""The page *What pays*: a person's questions taken through the techniques, in the order of their cost."""
