"""Boards that are looked at on the web: windows of time, names as their owners want them, and what is shared."""
