"""Agents in a home: their sandbox, MCP servers, memory, and what tools use of the program."""
