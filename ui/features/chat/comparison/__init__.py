"""Two answers side by side: what is compared, both answers, and which is better."""
