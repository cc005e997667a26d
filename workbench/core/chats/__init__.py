"""Chats and their export."""
