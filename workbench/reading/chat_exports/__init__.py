"""Exports of other programs' chats. They are strangers' files: only the reader process parses them."""
