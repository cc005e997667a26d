"""The page of agents: tools, memory and saved agents."""
