"""Chats on paper: as Markdown, HTML and DOCX."""
