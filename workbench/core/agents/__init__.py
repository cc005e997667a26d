"""Agents in a home: their sandbox, MCP servers, and what tools use of the program."""
