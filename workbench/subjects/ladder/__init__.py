"""What pays: a question set taken through the techniques, in the order of their cost."""
