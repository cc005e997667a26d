"""The chats at the left."""
