"""Hearing people in chats, and answering them."""
